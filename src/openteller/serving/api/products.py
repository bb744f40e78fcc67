"""The products on sale, their risk grades, and whom a product suits. The catalogue is public, as advertised."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from openteller.products.grade_desk import GradeFile
from openteller.products.grades import Grading
from openteller.products.repository import ProductRepository
from openteller.recommendation.notices.records import HoldersReport, Noticed, RegradeNotice
from openteller.serving import errors
from openteller.serving.api.investors import OfCustomer
from openteller.serving.deps import Caller, Member, Served, Staff, on_behalf
from openteller.serving.wire import Clean, GradeBody, NoticeBody, NoticeList, ProductList, SuitabilityAnswer

router = APIRouter(prefix="/v1/products", tags=["products"])

ProductId = Annotated[str, Path(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=60)]
_READING = errors.responses(401, 403, 404, 422, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 413, 422, 429, 503)


@router.get("", summary="Products on sale", responses=errors.responses(401, 422, 429, 503))
def products(
    caller: Caller,
    serving: Served,
    category: Annotated[
        Clean | None,
        Query(max_length=50, description="deposit, loan, mortgage, card, fund, wealth, insurance or service"),
    ] = None,
) -> ProductList:
    """Every product sold today, by id, with its rate table, fees, conditions and the risk grade that counts today."""
    with serving.application.database.session(caller) as session:
        sold = ProductRepository().all(session, on=serving.today)
    return ProductList(products=tuple(p for p in sold if category is None or p.category == category))


@router.get("/{product_id}/suitability", summary="Does it suit", responses=_READING, tags=["suitability"])
def suitability(
    product_id: ProductId,
    member: Member,
    serving: Served,
    amount: Annotated[
        Decimal | None, Query(ge=0, max_digits=16, decimal_places=2, description="in its currency; none: its minimum")
    ] = None,
    customer_id: OfCustomer = None,
) -> SuitabilityAnswer:
    """May the customer have the product today? Ask before anything is sold: the same wall stands before offers and chat.

    `allowed_with_confirmation` means that it may be sold after the customer has agreed to each reason.
    """
    principal = on_behalf(serving, member, customer_id)
    return SuitabilityAnswer.of(serving.application.suitability.verdict(principal, product_id, amount))


@router.get("/{product_id}/grades", summary="Risk grades", responses=_READING)
def grades(product_id: ProductId, staff: Staff, serving: Served) -> GradeFile:
    """What counts today, what counted before, and every grading with its author and reason. For staff."""
    return serving.application.grades.file(staff, product_id, serving.today)


@router.post(
    "/{product_id}/grades",
    summary="Grade",
    status_code=201,
    responses=_WRITING,
)
def grade(product_id: ProductId, body: GradeBody, staff: Staff, serving: Served) -> Grading:
    """Record what issuer or bank say of the product's risk; the higher of both counts. For analysts and administrators.

    Then look at `GET /v1/products/{product_id}/holders` (whom to tell), and `POST /v1/products/{product_id}/notices`.
    """
    from_on = body.from_on or serving.today
    desk = serving.application.grades
    return desk.grade(staff, product_id, body.graded_by, body.grade, from_on=from_on, because=body.because)


@router.get("/{product_id}/holders", summary="Holders matched anew", responses=_READING)
def holders(
    product_id: ProductId,
    staff: Staff,
    serving: Served,
    on: Annotated[date | None, Query(description="none: today")] = None,
) -> HoldersReport:
    """Who holds the product and has to be told: it is above their class, their assessment has expired, or special care
    is due. For analysts and administrators; each report is a row of the audit log.
    """
    return serving.application.notices.report(staff, product_id, on)


@router.post("/{product_id}/notices", summary="Tell the holders", responses=_WRITING)
def tell(product_id: ProductId, body: NoticeBody, staff: Staff, serving: Served) -> Noticed:
    """Match the holders anew and write a notice to each who has to be told, once for each grade and set of reasons.

    It stands on the customer's page at once; handing it over by another channel is the bank's own delivery. For
    analysts and administrators.
    """
    return serving.application.notices.write(staff, product_id, body.channel, body.on)


@router.get("/{product_id}/notices", summary="Who was told", responses=_READING)
def notices(
    product_id: ProductId,
    staff: Staff,
    serving: Served,
    unsent: Annotated[bool, Query(description="only those not handed over")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> NoticeList:
    """Who, why, by which channel, handed over, read. For analysts, administrators and services."""
    desk = serving.application.notices
    return NoticeList(notices=desk.of_product(staff, product_id, unsent=unsent, limit=limit, offset=offset))


@router.post("/notices/{notice_id}/sent", summary="Say that a notice was handed over", responses=_WRITING)
def sent(notice_id: UUID, staff: Staff, serving: Served) -> RegradeNotice:
    """For the bank's own delivery, once a message or letter is out. Saying it twice changes nothing."""
    return serving.application.notices.sent(staff, notice_id)
