"""The products on sale. Public: rates and fees are what the bank advertises."""

from typing import Annotated

from fastapi import APIRouter, Query

from openteller.products.repository import ProductRepository
from openteller.serving import errors
from openteller.serving.deps import Caller, Served
from openteller.serving.wire import Clean, ProductList

router = APIRouter(prefix="/v1/products", tags=["products"])


@router.get("", summary="Products on sale", responses=errors.responses(401, 422, 429, 503))
def products(
    caller: Caller,
    serving: Served,
    category: Annotated[
        Clean | None,
        Query(max_length=50, description="deposit, loan, mortgage, card, fund, wealth, insurance or service"),
    ] = None,
) -> ProductList:
    """Every product sold today, by id, with its rate table, fees and conditions."""
    with serving.application.database.session(caller) as session:
        sold = ProductRepository().all(session, on=serving.today)
    return ProductList(products=tuple(p for p in sold if category is None or p.category == category))
