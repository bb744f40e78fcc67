"""The desk that asks the suitability wall for a customer and a product, and matches the holders of a product anew.

Customers are read as core banking has them, products with the grade that counts today. A report on holders is a row of the
audit log. What is not covered: holders whom only the bank's own core-banking system knows; they are not in this store.
Knows nothing about HTTP or wording of answers.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.core_banking import CoreBanking, customer_of
from openteller.customers.repository import CustomerRepository
from openteller.products.grades import Grading, grade_on
from openteller.products.records import Product
from openteller.products.repository import GradeRepository, ProductRepository
from openteller.products.suitability import Approach, Suitability, suitable
from openteller.recommendation.matching import case_of
from openteller.recommendation.rematching import Rematch, rematch
from openteller.store import audit
from openteller.store.database import Database

_READERS = (Role.ANALYST, Role.ADMIN)


class SuitabilityDesk:
    """Verdicts and reports. Safe to share between threads.

    Args:
        database: where products, grades and holders are kept.
        banking: the customer's own data.
        zone: IANA name of the bank's time zone.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        banking: CoreBanking,
        zone: str = "Asia/Shanghai",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._banking, self._zone, self._now = database, banking, zone, now
        self._products, self._grades, self._customers = ProductRepository(), GradeRepository(), CustomerRepository(zone)

    @property
    def today(self) -> date:
        """The bank's date."""
        return local_date(self._now(), self._zone)

    def verdict(self, principal: Principal, product_id: str, amount: Decimal | None = None) -> Suitability:
        """May the customer, who asks for it, have the product today?

        Args:
            principal: the customer, or staff who serve one.
            product_id: of the catalogue.
            amount: to be paid, in the product's currency; None: its minimum.

        Raises:
            NotAuthenticated: the principal stands for no customer.
            NotFound: there is no such product or customer.
            Unavailable: core banking does not answer.
        """
        customer_of(principal)
        with self._database.session(principal) as session:
            product = _known(self._products.get(session, product_id, self.today), product_id)
        file = self._banking.file(principal, self.today)
        return suitable(case_of(file, product, self.today, Approach.ASKED, amount=amount, zone=self._zone))

    def rematch(self, principal: Principal, product_id: str, on: date | None = None) -> Rematch:
        """The holders of a product, matched anew as of day `on` (None: today): whom to tell, and why.

        What counted before is what counted the day before the last change of the grade up to `on`.

        Raises:
            NotAllowed: the principal is neither analyst nor administrator.
            NotFound: there is no such product.
        """
        if principal.role not in _READERS:
            raise NotAllowed(
                "This login may not see who holds a product.",
                cause=f"Its role is {principal.role.value}.",
                next_step="It takes an analyst or an administrator.",
            )
        day = on or self.today
        with self._database.session(principal) as session:
            product = _known(self._products.get(session, product_id), product_id)
            gradings = self._grades.of(session, product_id)
            now = grade_on(product.risk_grade, gradings, day)
            before = grade_on(product.risk_grade, gradings, _last_change(gradings, day))
            report = rematch(product, before, now, self._customers.holders(session, product_id), day, self._zone)
            detail = {
                "on": day.isoformat(),
                "grade_before": report.grade_before.value,
                "grade": report.grade.value,
                "holders": report.holders,
                "to_notify": len(report.notices),
            }
            audit.record(session, principal.subject, "product.rematched", product_id, detail)
        return report


def _last_change(gradings: tuple[Grading, ...], on: date) -> date:
    """The day before the last grading that stands on `on` began."""
    begun = [grading.from_on for grading in gradings if grading.from_on <= on]
    return max(begun) - timedelta(days=1) if begun else on


def _known(product: Product | None, product_id: str) -> Product:
    if product is None:
        raise NotFound(f"There is no product {product_id[:60]!r}.", next_step="Look its id up in the catalogue.")
    return product
