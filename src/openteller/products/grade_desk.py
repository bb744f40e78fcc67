"""The desk at which compliance grades products. Each grading is a row of the audit log.

Analysts and administrators grade; a service may hand in what the issuer says. Knows nothing about HTTP or holders.
"""

from datetime import date

from openteller.core.errors import BadInput, NotAllowed, NotFound, TooLarge
from openteller.core.records import LocalText, Principal, Record, Role
from openteller.core.text import normalise
from openteller.products.grades import GradedBy, GradeStep, Grading, grade_on, history
from openteller.products.records import Product, RiskGrade
from openteller.products.repository import GradeRepository, ProductRepository
from openteller.store import audit
from openteller.store.database import Database

MAX_BECAUSE_CHARACTERS = 1_000
_GRADERS = (Role.ANALYST, Role.ADMIN)


class GradeFile(Record):
    """Everything about the grades of one product."""

    product_id: str
    name: LocalText
    now: GradeStep
    history: tuple[GradeStep, ...]
    gradings: tuple[Grading, ...]


class GradeDesk:
    """Grades of products. Safe to share between threads.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._products, self._grades = ProductRepository(), GradeRepository()

    def grade(
        self,
        principal: Principal,
        product_id: str,
        graded_by: GradedBy,
        grade: RiskGrade,
        *,
        from_on: date,
        because: str,
        entered_by: str = "",
    ) -> Grading:
        """Record what issuer or bank say of a product's risk from a day on.

        Args:
            principal: its author.
            product_id: of the catalogue, on sale or not.
            graded_by: whose judgement it is.
            grade: R1 to R5.
            from_on: first day on which it holds; a day that has passed corrects the history.
            because: the reason, as the audit log and the holders' report show it.
            entered_by: who typed it where that is somebody else, for the audit log.

        Raises:
            NotAllowed: the principal is neither analyst nor administrator, nor a service with the issuer's grade.
            NotFound: there is no such product.
            BadInput: the reason is empty.
            TooLarge: the reason is over 1,000 characters.
        """
        _require(principal, graded_by)
        reason = _usable(because)
        with self._database.session(principal) as session:
            product = self._known(self._products.get(session, product_id), product_id)
            before = grade_on(product.risk_grade, self._grades.of(session, product_id), from_on)
            made = self._grades.add(
                session, product_id, graded_by, grade, from_on=from_on, because=reason, author=principal.subject
            )
            after = grade_on(product.risk_grade, self._grades.of(session, product_id), from_on)
            detail: dict[str, object] = {
                "graded_by": graded_by.value,
                "grade": grade.value,
                "from": from_on.isoformat(),
                "because": reason,
                "effective": after.effective.value,
                "effective_before": before.effective.value,
            }
            detail |= {"entered_by": entered_by} if entered_by else {}
            audit.record(session, principal.subject, "product.graded", product_id, detail)
        return made

    def file(self, principal: Principal, product_id: str, on: date) -> GradeFile:
        """Today's grade (`on`), what counted before, and every grading. Raises NotFound, NotAllowed."""
        if not principal.role.is_staff:
            raise NotAllowed("The history of grades is for the bank's staff.", next_step="Log in as staff.")
        with self._database.session(principal) as session:
            product = self._known(self._products.get(session, product_id), product_id)
            gradings = self._grades.of(session, product_id)
        grade = product.risk_grade
        return GradeFile(
            product_id=product_id,
            name=product.name,
            now=grade_on(grade, gradings, on),
            history=history(grade, gradings, product.valid_from),
            gradings=gradings,
        )

    def _known(self, product: Product | None, product_id: str) -> Product:
        if product is None:
            raise NotFound(f"There is no product {product_id!r}.", next_step="Look its id up in the catalogue.")
        return product


def _require(principal: Principal, graded_by: GradedBy) -> None:
    feeding = principal.role is Role.SERVICE and graded_by is GradedBy.ISSUER
    if principal.role not in _GRADERS and not feeding:
        raise NotAllowed(
            "This login may not grade products.",
            cause=f"Its role is {principal.role.value}.",
            next_step="It takes an analyst or an administrator; a service may hand in the issuer's grade.",
        )


def _usable(because: str) -> str:
    reason = normalise(because)
    if not reason:
        raise BadInput("A grade needs a reason.", next_step="Say why, in a sentence.")
    if len(reason) > MAX_BECAUSE_CHARACTERS:
        raise TooLarge(
            f"The reason has {len(reason):,} characters.",
            cause=f"At most {MAX_BECAUSE_CHARACTERS:,} are taken.",
            next_step="Shorten it.",
        )
    return reason
