"""The demo bank's customers: made one by one from a seed, as records that fit each other.

`customers` is lazy and keeps nothing, so a million cost no more memory than one. The same seed and day give the same
customers, whatever the count. All people, firms and numbers are invented: telephone numbers begin with 100 and identity
numbers with 99, which nobody has. Knows nothing about the store.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from openteller.core.errors import BadInput
from openteller.core.records import Record
from openteller.customers.records import (
    Account,
    Bill,
    Card,
    Consent,
    Customer,
    Holding,
    RiskAssessment,
    ScheduledPayment,
    Transaction,
)
from openteller.demo import lives
from openteller.demo.ledger import SUBSCRIPTION, Books, Calendar, instalment_day, keep, subscribes
from openteller.demo.lives import Debt, Life
from openteller.demo.personas import Words

MAX_CUSTOMERS = 100_000_000
_CREDIT_LIMIT_MONTHS = 2


class CustomerBundle(Record):
    """One customer with everything that belongs to them."""

    customer: Customer
    assessments: tuple[RiskAssessment, ...]
    consents: tuple[Consent, ...]
    accounts: tuple[Account, ...]
    cards: tuple[Card, ...]
    transactions: tuple[Transaction, ...]
    scheduled_payments: tuple[ScheduledPayment, ...]
    bills: tuple[Bill, ...]
    holdings: tuple[Holding, ...]


def customers(
    count: int, seed: int, today: date, zone: str = "Asia/Shanghai", start: int = 1
) -> Iterator[CustomerBundle]:
    """The customers numbered `start` to `count`, one after the other.

    Args:
        count: number of the last customer; the first five are written by hand.
        seed: of all chance, not negative.
        today: movements are booked up to the midnight that begins this day.
        zone: IANA name of the bank's time zone.
        start: number of the first customer, from 1.

    Raises:
        BadInput: count, seed or start is out of bounds.
    """
    if not 0 <= count <= MAX_CUSTOMERS or seed < 0 or start < 1:
        raise BadInput(
            f"Customers {start} to {count} of seed {seed} cannot be made.",
            next_step=f"Ask for 0 to {MAX_CUSTOMERS:,} customers and a seed of 0 or more.",
        )
    calendar = Calendar(today, zone)
    return (bundle(number, seed, calendar) for number in range(start, count + 1))


def profile(number: int, seed: int, today: date) -> Customer:
    """The profile of one customer alone, without the books."""
    return _customer(lives.life(lives.generator(seed, number), number, today), today)


def bundle(number: int, seed: int, calendar: Calendar) -> CustomerBundle:
    """Customer `number` of `seed`."""
    rng = lives.generator(seed, number)
    life = lives.life(rng, number, calendar.today)
    books = keep(life, calendar, rng)
    marks = _Marks(life, [f"{digits:04d}" for digits in rng.integers(0, 10_000, 8).tolist()])
    return CustomerBundle(
        customer=_customer(life, calendar.today),
        assessments=_assessments(life, calendar.today),
        consents=_consents(life),
        accounts=marks.accounts(books),
        cards=marks.cards(calendar.today),
        transactions=marks.transactions(books),
        scheduled_payments=marks.payments(books, calendar),
        bills=marks.bills(books),
        holdings=_holdings(life, calendar.today),
    )


class _Marks:
    """Account and card numbers of one life, and the records that carry them."""

    def __init__(self, life: Life, tails: list[str]) -> None:
        self._life, self._tails = life, tails
        names = ["savings", *(f"fixed-{number}" for number in range(len(life.deposits)))]
        names += ["credit"] if life.credit_card is not None else []
        names += [name for name, _ in self._debts()]
        self._ids = {name: f"A{life.number:06d}-{place}" for place, name in enumerate(names, 1)}

    def accounts(self, books: Books) -> tuple[Account, ...]:
        products = {f"fixed-{number}": deposit.product_id for number, deposit in enumerate(self._life.deposits)}
        products["savings"] = "SAV-CNY"
        if self._life.credit_card is not None:
            products["credit"] = self._life.credit_card
        products |= {name: debt.product_id for name, debt in self._debts()}
        limit = Decimal(max(2_000, min(self._life.income * _CREDIT_LIMIT_MONTHS, 300_000)))
        return tuple(
            Account.model_validate(
                {
                    "account_id": account_id,
                    "customer_id": self._life.customer_id,
                    "kind": name.partition("-")[0],
                    "product_id": products[name],
                    "currency": self._currency(name),
                    "tail": self._tails[place],
                    "balance": _yuan(books.balance(name)),
                    "credit_limit": max(limit, -2 * _yuan(books.balance(name))) if name == "credit" else None,
                    "opened_on": self._life.customer_since,
                }
            )
            for place, (name, account_id) in enumerate(self._ids.items())
        )

    def cards(self, today: date) -> tuple[Card, ...]:
        cards = [self._card("savings", "CARD-DEBIT", today)]
        if self._life.credit_card is not None:
            cards.append(self._card("credit", self._life.credit_card, today))
        return tuple(cards)

    def transactions(self, books: Books) -> tuple[Transaction, ...]:
        customer_id, say = self._life.customer_id, self._say
        currencies = {name: self._currency(name) for name in self._ids}
        return tuple(
            Transaction(
                customer_id=customer_id,
                account_id=self._ids[movement.account],
                booked_at=datetime.fromtimestamp(movement.at, UTC),
                amount=_yuan(movement.fen),
                currency=currencies[movement.account],
                merchant=say(movement.merchant),
                category=movement.category,
                counterparty=movement.counterparty and say(movement.counterparty),
                channel=movement.channel,
            )
            for movement in books.movements
        )

    def payments(self, books: Books, calendar: Calendar) -> tuple[ScheduledPayment, ...]:
        life = self._life
        due: list[tuple[int, Decimal, Words, str]] = []
        for name, debt in self._debts():
            if books.balance(name) < 0:
                owed = -_yuan(books.balance(name))
                payee = (
                    ("松湾银行房贷", "Pinebay Bank mortgage")
                    if name == "mortgage"
                    else ("松湾银行贷款", "Pinebay Bank loan")
                )
                due.append((instalment_day(life), min(Decimal(debt.monthly), owed), payee, name))
        if life.rent:
            due.append((1, Decimal(life.rent), ("房东", "Landlord"), "standing_order"))
        if subscribes(life):
            due.append((18, Decimal(SUBSCRIPTION), ("星河影音会员", "Galaxy Video"), "subscription"))
        return tuple(
            ScheduledPayment.model_validate(
                {
                    "customer_id": life.customer_id,
                    "account_id": self._ids["savings"],
                    "due_on": _next(calendar.today, day),
                    "amount": amount,
                    "payee": self._say(payee),
                    "kind": kind,
                }
            )
            for day, amount, payee, kind in due
        )

    def bills(self, books: Books) -> tuple[Bill, ...]:
        return tuple(
            Bill(
                customer_id=self._life.customer_id,
                account_id=self._ids["credit"],
                statement_on=statement.statement_on,
                due_on=statement.due_on,
                amount_due=_yuan(statement.fen),
                minimum_due=_yuan(min(statement.fen, max(statement.fen // 10, 5_000))),
                paid_amount=_yuan(statement.paid),
            )
            for statement in books.statements[-3:]
        )

    def _card(self, account: str, product: str, today: date) -> Card:
        place = list(self._ids).index(account)
        years = 1 + (self._life.number + place) % 5
        # One card in fifty has come to some harm, never one of the hand-written customers'.
        harmed = self._life.number % 50 == 49
        return Card(
            card_id=f"K{self._life.number:06d}-{place + 1}",
            customer_id=self._life.customer_id,
            account_id=self._ids[account],
            product_id=product,
            tail=self._tails[place],
            status=("frozen" if self._life.number % 100 == 49 else "lost") if harmed else "active",
            expires_on=_last_of_month(today.replace(year=today.year + years, day=1)),
        )

    def _debts(self) -> list[tuple[str, Debt]]:
        debts = (("mortgage", self._life.mortgage), ("loan", self._life.loan))
        return [(name, debt) for name, debt in debts if debt is not None]

    def _currency(self, account: str) -> str:
        place = account.partition("-")[2]
        return self._life.deposits[int(place)].currency if place else "CNY"

    def _say(self, words: Words) -> str:
        return words[1] if self._life.language == "en" else words[0]


def _customer(life: Life, today: date) -> Customer:
    return Customer(
        customer_id=life.customer_id,
        name=life.name,
        name_en=life.name_en,
        phone=life.phone,
        id_number_masked=f"99{'*' * 14}{life.number % 100:02d}",
        birth_date=life.birth_date,
        gender=life.gender,
        city=life.city,
        segment=life.segments(today),
        monthly_income=Decimal(life.income),
        language=life.language,
        created_at=datetime.combine(life.customer_since, time(2), UTC),
    )


def _assessments(life: Life, today: date) -> tuple[RiskAssessment, ...]:
    noon = datetime.combine(today, time(4), UTC)
    return tuple(
        RiskAssessment(
            customer_id=life.customer_id,
            investor_class=investor,
            assessed_at=noon - timedelta(days=days),
            expires_at=noon + timedelta(days=lives.ASSESSMENT_DAYS - days),
        )
        for investor, days in life.assessments
    )


def _consents(life: Life) -> tuple[Consent, ...]:
    at = datetime.combine(life.customer_since, time(2), UTC)
    return tuple(
        Consent.model_validate({"customer_id": life.customer_id, "purpose": purpose, "granted": granted, "at": at})
        for purpose, granted in life.consents.items()
    )


def _holdings(life: Life, today: date) -> tuple[Holding, ...]:
    cent = Decimal("0.01")
    return tuple(
        Holding(
            customer_id=life.customer_id,
            product_id=position.product_id,
            amount=(position.cost * (1 + Decimal(str(round(position.gain, 6))))).quantize(cent),
            cost=Decimal(position.cost).quantize(cent),
            since=today - timedelta(days=40 + life.number % 300),
        )
        for position in life.positions
    )


def _next(today: date, day: int) -> date:
    this_month = today.replace(day=day)
    return this_month if this_month >= today else _last_of_month(today.replace(day=1)) + timedelta(days=day)


def _last_of_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)
