"""Customers in the store. Every method works in the caller's transaction and filters by customer as well.

Row-level security decides what the session may see; a customer it may not see reads as not found.
Knows nothing about who asks.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from openteller.core.clock import utc_now
from openteller.core.errors import NotFound
from openteller.core.records import Record
from openteller.customers.behaviour import CustomerFile, observe, window
from openteller.customers.records import (
    SPENDING_CATEGORIES,
    Account,
    Bill,
    Card,
    CardStatus,
    Consent,
    Customer,
    Holder,
    Holding,
    Purpose,
    RiskAssessment,
    ScheduledPayment,
    Transaction,
)
from openteller.store.tables import (
    AccountRow,
    Base,
    BillRow,
    CardRow,
    ConsentRow,
    CustomerRow,
    HoldingRow,
    RiskAssessmentRow,
    ScheduledPaymentRow,
    TransactionRow,
)

R = TypeVar("R", bound=Record)


class CustomerRepository:
    """Customers and what belongs to them.

    Args:
        zone: IANA name of the bank's time zone, in which days begin and end.
    """

    def __init__(self, zone: str = "Asia/Shanghai") -> None:
        self._zone = zone

    def get(self, session: Session, customer_id: str) -> Customer | None:
        """The profile; None when there is none that the session may see."""
        row = session.get(CustomerRow, customer_id)
        return None if row is None else _record(Customer, row)

    def require(self, session: Session, customer_id: str) -> Customer:
        """The profile.

        Raises:
            NotFound: there is none, or not for this session.
        """
        customer = self.get(session, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer {customer_id}.", next_step="Check the customer number.")
        return customer

    def list(self, session: Session, limit: int = 50, after: str = "") -> tuple[Customer, ...]:
        """Up to `limit` profiles by number, from the one after `after` on."""
        query = select(CustomerRow).where(CustomerRow.customer_id > after).order_by(CustomerRow.customer_id)
        return _records(Customer, session, query.limit(limit))

    def assessment(self, session: Session, customer_id: str) -> RiskAssessment | None:
        """The latest risk assessment, in force or not; None when there was none."""
        query = select(RiskAssessmentRow).where(RiskAssessmentRow.customer_id == customer_id)
        row = session.scalars(query.order_by(RiskAssessmentRow.assessed_at.desc()).limit(1)).first()
        return None if row is None else _record(RiskAssessment, row)

    def consents(self, session: Session, customer_id: str) -> tuple[Consent, ...]:
        """What the customer said about each purpose."""
        query = select(ConsentRow).where(ConsentRow.customer_id == customer_id).order_by(ConsentRow.purpose)
        return _records(Consent, session, query)

    def set_consent(self, session: Session, customer_id: str, purpose: Purpose, granted: bool) -> Consent:
        """Keep what the customer says now about `purpose`."""
        consent = Consent(customer_id=customer_id, purpose=purpose, granted=granted, at=utc_now())
        statement = insert(ConsentRow).values(consent.model_dump())
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[ConsentRow.customer_id, ConsentRow.purpose],
                set_={"granted": granted, "at": consent.at},
            )
        )
        return consent

    def accounts(self, session: Session, customer_id: str) -> tuple[Account, ...]:
        """Every account, by number."""
        query = select(AccountRow).where(AccountRow.customer_id == customer_id).order_by(AccountRow.account_id)
        return _records(Account, session, query)

    def cards(self, session: Session, customer_id: str) -> tuple[Card, ...]:
        """Every card, by number."""
        query = select(CardRow).where(CardRow.customer_id == customer_id).order_by(CardRow.card_id)
        return _records(Card, session, query)

    def card(self, session: Session, customer_id: str, card_id: str) -> Card:
        """One card, its row locked until the transaction ends.

        Raises:
            NotFound: the customer has no such card.
        """
        query = select(CardRow).where(CardRow.customer_id == customer_id, CardRow.card_id == card_id)
        row = session.scalars(query.with_for_update()).first()
        if row is None:
            raise NotFound(f"There is no card {card_id} of yours.", next_step="Choose one of your cards.")
        return _record(Card, row)

    def set_card_status(self, session: Session, card: Card, status: CardStatus) -> Card:
        """Change the status of a card; returns the card as it is now."""
        session.execute(
            update(CardRow)
            .where(CardRow.customer_id == card.customer_id, CardRow.card_id == card.card_id)
            .values(status=status)
        )
        return card.model_copy(update={"status": status})

    def transactions(
        self, session: Session, customer_id: str, since: datetime, until: datetime, limit: int | None = None
    ) -> tuple[Transaction, ...]:
        """The movements from `since` to before `until`, newest first."""
        query = select(TransactionRow).where(*_between(customer_id, since, until))
        query = query.order_by(TransactionRow.booked_at.desc(), TransactionRow.transaction_id.desc())
        return _records(Transaction, session, query if limit is None else query.limit(limit))

    def spending(
        self, session: Session, customer_id: str, since: datetime, until: datetime, currency: str = "CNY"
    ) -> dict[str, Decimal]:
        """Net spending a category in that time, positive, as `behaviour.spending_by_category` counts it."""
        total = -func.sum(TransactionRow.amount)
        query = (
            select(TransactionRow.category, total)
            .where(*_between(customer_id, since, until), TransactionRow.currency == currency)
            .where(TransactionRow.category.in_(sorted(SPENDING_CATEGORIES)))
            .group_by(TransactionRow.category)
            .having(total > 0)
            .order_by(TransactionRow.category)
        )
        return {category: amount for category, amount in session.execute(query)}

    def bills(self, session: Session, customer_id: str, limit: int = 12) -> tuple[Bill, ...]:
        """The latest card statements, newest first."""
        query = select(BillRow).where(BillRow.customer_id == customer_id)
        query = query.order_by(BillRow.due_on.desc(), BillRow.account_id).limit(limit)
        return _records(Bill, session, query)

    def scheduled_payments(self, session: Session, customer_id: str, since: date) -> tuple[ScheduledPayment, ...]:
        """The payments that are pending from `since` on, soonest first."""
        query = select(ScheduledPaymentRow).where(
            ScheduledPaymentRow.customer_id == customer_id,
            ScheduledPaymentRow.status == "pending",
            ScheduledPaymentRow.due_on >= since,
        )
        return _records(ScheduledPayment, session, query.order_by(ScheduledPaymentRow.due_on, ScheduledPaymentRow.id))

    def holdings(self, session: Session, customer_id: str) -> tuple[Holding, ...]:
        """Every position, largest first."""
        query = select(HoldingRow).where(HoldingRow.customer_id == customer_id)
        return _records(Holding, session, query.order_by(HoldingRow.amount.desc(), HoldingRow.id))

    def holders(self, session: Session, product_id: str) -> tuple[Holder, ...]:
        """Everybody whom the session may see and who holds the product, by customer number."""
        theirs = aliased(RiskAssessmentRow)
        newest = (
            select(theirs.id)
            .where(theirs.customer_id == HoldingRow.customer_id)
            .order_by(theirs.assessed_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(HoldingRow, CustomerRow, RiskAssessmentRow)
            .join(CustomerRow, CustomerRow.customer_id == HoldingRow.customer_id)
            .outerjoin(RiskAssessmentRow, RiskAssessmentRow.id == newest)
            .where(HoldingRow.product_id == product_id)
            .order_by(HoldingRow.customer_id, HoldingRow.id)
        )
        return tuple(
            Holder(
                holding=_record(Holding, held),
                customer=_record(Customer, who),
                assessment=assessed and _record(RiskAssessment, assessed),
            )
            for held, who, assessed in session.execute(query)
        )

    def file(self, session: Session, customer_id: str, on: date) -> CustomerFile:
        """All that is known about the customer on day `on`.

        Raises:
            NotFound: there is no such customer, or not for this session.
        """
        customer = self.require(session, customer_id)
        accounts, holdings = self.accounts(session, customer_id), self.holdings(session, customer_id)
        recent = self.transactions(session, customer_id, *window(on, self._zone))
        return CustomerFile(
            customer=customer,
            assessment=self.assessment(session, customer_id),
            consents=self.consents(session, customer_id),
            accounts=accounts,
            cards=self.cards(session, customer_id),
            holdings=holdings,
            bills=self.bills(session, customer_id),
            behaviour=observe(accounts, holdings, recent, on, self._zone),
        )


def _between(customer_id: str, since: datetime, until: datetime) -> tuple[Any, ...]:
    return (
        TransactionRow.customer_id == customer_id,
        TransactionRow.booked_at >= since,
        TransactionRow.booked_at < until,
    )


def _records(kind: type[R], session: Session, query: Select[Any]) -> tuple[R, ...]:
    rows: Sequence[Base] = session.scalars(query).all()
    return tuple(_record(kind, row) for row in rows)


def _record(kind: type[R], row: Base) -> R:
    names: Iterable[str] = kind.model_fields
    return kind.model_validate({name: getattr(row, name) for name in names})
