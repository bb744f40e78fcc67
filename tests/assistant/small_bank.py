"""A small core banking in memory, and understandings made by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from openteller.core.clock import utc_now
from openteller.core.errors import Unavailable
from openteller.core.money import Money
from openteller.core.records import Entity, IntentPrediction, Principal, Scored, Sentiment, Understanding
from openteller.customers.records import Account, Bill, Card, ScheduledPayment, Transaction
from openteller.understanding.language import detect
from openteller.understanding.personal_data import find
from openteller.understanding.risk_flags import flags

TODAY = date(2026, 11, 23)


class SmallBank:
    """One customer's data; `asked` keeps the stretches of time, `frozen` the cards frozen; `down` makes it fail.

    `moved` holds further movements as (moment, amount, category).
    """

    def __init__(self, cards: int = 1, down: bool = False) -> None:
        self.count, self.down = cards, down
        self.asked: list[tuple[datetime, datetime]] = []
        self.frozen: list[str] = []
        self.moved: list[tuple[datetime, str, str]] = []

    def _up(self) -> None:
        if self.down:
            raise Unavailable("Core banking is down.")

    def balances(self, principal: Principal) -> list[Account]:
        self._up()
        account = Account(account_id="A", customer_id="C000001", kind="savings", product_id="SAV-CNY", tail="1234",
                          balance=Decimal("1234.50"), opened_on=date(2020, 1, 1))  # fmt: skip
        owed = account.model_copy(update={"kind": "credit", "tail": "9876", "balance": Decimal(-80)})
        return [account, owed]

    def transactions(self, principal: Principal, since: datetime, until: datetime, limit: int) -> list[Transaction]:
        self._up()
        self.asked.append((since, until))
        noodles = Transaction(customer_id="C000001", account_id="A", booked_at=datetime(2026, 11, 20, 17, tzinfo=UTC),
                              amount=Decimal("-45.60"), merchant="面馆", category="dining")  # fmt: skip
        rows = [
            noodles.model_copy(update={"booked_at": at, "amount": Decimal(amount), "category": category})
            for at, amount, category in self.moved
        ]
        rows = [row for row in [noodles, *rows] if since <= row.booked_at < until]
        return sorted(rows, key=lambda row: row.booked_at, reverse=True)[:limit]

    def spending(self, principal: Principal, since: datetime, until: datetime) -> dict[str, Money]:
        self._up()
        self.asked.append((since, until))
        return {"dining": Money(Decimal("300.10")), "travel": Money(Decimal(200))}

    def cards(self, principal: Principal) -> list[Card]:
        self._up()
        return [Card(card_id=f"K{i}", customer_id="C000001", account_id="A", product_id="CARD-DEBIT", tail=f"567{i}",
                     expires_on=date(2030, 1, 1)) for i in range(self.count)]  # fmt: skip

    def freeze_card(self, principal: Principal, card_id: str) -> Card:
        self._up()
        self.frozen.append(card_id)
        return next(c for c in self.cards(principal) if c.card_id == card_id)

    def bills(self, principal: Principal) -> list[Bill]:
        self._up()
        return [Bill(customer_id="C000001", account_id="A", statement_on=date(2026, 11, 1), due_on=date(2026, 11, 25),
                     amount_due=Decimal(500), minimum_due=Decimal(50), paid_amount=Decimal(20))]  # fmt: skip

    def next_payment(self, principal: Principal) -> ScheduledPayment | None:
        self._up()
        return ScheduledPayment(customer_id="C000001", account_id="A", due_on=date(2026, 12, 1),
                                amount=Decimal(3200), payee="房东", kind="standing_order")  # fmt: skip

    def profile(self, principal: Principal) -> Any:
        raise AssertionError("no skill needs the profile")

    def file(self, principal: Principal, on: date) -> Any:
        raise AssertionError("no skill needs the file")


def understood(text: str, intent: str, entities: tuple[Entity, ...] = ()) -> Understanding:
    """Real language, personal data and risk flags; the intent as given."""
    return Understanding(
        language=detect(text), intent=IntentPrediction(label=intent, probability=0.9),
        sentiment=Sentiment(label="neutral", probability=0.9, score=0.0),
        needs=(Scored(label="service_repair", probability=0.7),), entities=entities,
        personal_data=find(text), risk_flags=flags(text),
    )  # fmt: skip


def waiting(minutes: int) -> dict[str, Any]:
    """A card freeze that waits for a yes."""
    until = (utc_now() + timedelta(minutes=minutes)).isoformat()
    return {"pending": {"skill": "card_freeze", "card_id": "K0", "until": until}}
