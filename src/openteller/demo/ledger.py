"""The books of one demo customer: thirteen months of movements that fit each other and the balances.

Purchases are drawn per month and category with the season's weight; income, rent, instalments, bills and card
repayments follow a calendar. Every account begins with its balance brought forward, so that an account's balance is
the sum of its movements, and the opening balance is chosen so that savings never fall below zero.
Amounts are whole fen (0.01 CNY) until they become records. Knows nothing about the store.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from openteller.customers.records import Channel
from openteller.demo.lives import Life
from openteller.demo.personas import BUYERS, EMPLOYERS, MERCHANTS, SEASONS, Words

MONTHS = 13
_DAY = 86_400
STATEMENT_DAY = 5
DUE_DAYS = 20
_CREDIT_SHARE = 0.6
_ON_CREDIT = frozenset({"dining", "shopping", "travel", "entertainment", "groceries"})
_FEN = 100


@dataclass(frozen=True)
class Month:
    """A calendar month: its first day and how many days it has."""

    first: date
    days: int

    def day(self, number: int) -> date:
        """The day of that number, or the last one."""
        return self.first.replace(day=min(number, self.days))


class Calendar:
    """The months that the books cover, up to the midnight that begins `today`, in the bank's time zone."""

    def __init__(self, today: date, zone: str = "Asia/Shanghai") -> None:
        self.today = today
        self._zone = ZoneInfo(zone)
        self.end = self.seconds(today)
        firsts = [_months_before(today, back) for back in range(MONTHS - 1, -1, -1)]
        self.months = [Month(first, monthrange(first.year, first.month)[1]) for first in firsts]
        self.starts = np.array([self.seconds(first) for first in firsts], dtype=np.int64)
        self.lengths = np.array([month.days for month in self.months], dtype=np.int64)

    def seconds(self, day: date, clock: time = time()) -> int:
        """Seconds since 1970 UTC of that local time."""
        return int(datetime.combine(day, clock, self._zone).timestamp())

    @cached_property
    def seasons(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Category → weight of each month covered."""
        index = [month.first.month - 1 for month in self.months]
        return {category: np.array(weights)[index] for category, weights in SEASONS.items()}


def _months_before(day: date, back: int) -> date:
    count = day.year * 12 + day.month - 1 - back
    return date(count // 12, count % 12 + 1, 1)


@dataclass(frozen=True)
class Movement:
    """One movement: seconds since 1970, account (name within the books), fen, category, merchant, counterparty, channel."""

    at: int
    account: str
    fen: int
    category: str
    merchant: Words
    counterparty: Words | None = None
    channel: Channel = "auto"


@dataclass
class Statement:
    """A credit-card statement, in fen."""

    statement_on: date
    due_on: date
    fen: int
    paid: int = 0


@dataclass
class Books:
    """Every movement of one customer, and the card statements."""

    movements: list[Movement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def balance(self, account: str) -> int:
        """Sum of the account's movements, in fen."""
        return sum(movement.fen for movement in self.movements if movement.account == account)


def keep(life: Life, calendar: Calendar, rng: np.random.Generator) -> Books:
    """The books of one customer, in order of time."""
    books = Books()
    book = books.movements
    book += _purchases(life, calendar, rng)
    book += _income(life, calendar, rng)
    book += _household(life, calendar, rng)
    for name, debt in (("mortgage", life.mortgage), ("loan", life.loan)):
        if debt is not None:
            book += _instalments(life, calendar, name, debt.owed, debt.monthly, debt.rate)
    if life.credit_card is not None:
        books.statements = _statements(calendar, book, life.pays_late)
        book += _repayments(calendar, books.statements)
    for number, deposit in enumerate(life.deposits):
        book.append(_brought_forward(calendar, f"fixed-{number}", deposit.amount * _FEN))
    book.append(_brought_forward(calendar, "savings", _opening(life, book)))
    book.sort(key=lambda movement: (movement.at, movement.account))
    return books


def _purchases(life: Life, calendar: Calendar, rng: np.random.Generator) -> Iterable[Movement]:
    habits = life.habits.habits
    seasons = np.stack([calendar.seasons.get(habit.category, np.ones(MONTHS)) for habit in habits])
    counts = rng.poisson(np.array([habit.count for habit in habits])[:, None] * seasons)
    habit, month = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    size = len(habit)
    means = np.array([life.income * h.share / h.count for h in habits])
    sigmas = np.array([h.sigma for h in habits])[habit]
    yuan = means[habit] * np.exp(sigmas * rng.standard_normal(size) - sigmas**2 / 2)
    whole = np.array([h.category == "cash" for h in habits])[habit]
    fen = np.where(whole, np.maximum(np.round(yuan / 100), 1) * 100 * _FEN, np.maximum(np.round(yuan * _FEN), 100))
    days = (rng.random(size) * calendar.lengths[month]).astype(np.int64)
    at = calendar.starts[month] + days * _DAY + rng.integers(7 * 3_600, 22 * 3_600, size)
    on_credit = rng.random(size) < (_CREDIT_SHARE if life.credit_card else 0.0)
    merchants = rng.random(size)
    columns = zip(at.tolist(), habit.tolist(), fen.tolist(), on_credit.tolist(), merchants.tolist(), strict=True)
    for moment, kind, amount, credit, pick in columns:
        if moment < calendar.end:
            category = habits[kind].category
            shops = MERCHANTS[category]
            account = "credit" if credit and category in _ON_CREDIT else "savings"
            shop, chance = divmod(pick * len(shops), 1)
            channel = _channel(life, category, chance)
            yield Movement(moment, account, -int(amount), category, shops[int(shop)], channel=channel)


def _channel(life: Life, category: str, chance: float) -> Channel:
    """How somebody pays: the younger by app, the older at the counter."""
    senior = life.persona == "senior"
    if category == "cash":
        return "branch" if chance < (0.5 if senior else 0.05) else "atm"
    return "app" if chance < (0.1 if senior else 0.6) else "pos"


def _income(life: Life, calendar: Calendar, rng: np.random.Generator) -> Iterable[Movement]:
    kind, fen = life.habits.income, life.income * _FEN
    payer = EMPLOYERS[life.number % len(EMPLOYERS)]
    for month in calendar.months:
        if kind == "trade":
            parts = rng.dirichlet(np.full(3, 4.0)) * fen * rng.uniform(0.7, 1.3)
            for part, day in zip(parts.tolist(), rng.integers(1, 29, 3).tolist(), strict=True):
                buyer = BUYERS[day % len(BUYERS)]
                yield from _on(
                    calendar, month.day(day), 11, "savings", int(part), "transfer", ("货款", "Payment"), buyer
                )
            continue
        label, category, source = {
            "salary": (("工资", "Salary"), "salary", payer),
            "pension": (("养老金", "Pension"), "salary", ("社会保险", "Social insurance")),
            "allowance": (("生活费", "Allowance"), "transfer", ("父母", "Parents")),
        }[kind]
        yield from _on(calendar, month.day(life.payday), 9, "savings", fen, category, label, source)
        if kind == "salary" and month.first.month == 1:
            yield from _on(calendar, month.day(25), 9, "savings", fen, "salary", ("年终奖", "Annual bonus"), payer)


def _household(life: Life, calendar: Calendar, rng: np.random.Generator) -> Iterable[Movement]:
    base = min(60 + life.income * 0.012, 600)
    season = calendar.seasons["utilities"]
    noise = rng.uniform(0.85, 1.15, MONTHS)
    phone, pays_bills = int(rng.choice((29, 59, 99, 129))), life.persona != "student"
    for number, month in enumerate(calendar.months):
        if life.rent:
            yield from _on(calendar, month.day(1), 8, "savings", -life.rent * _FEN, "housing", ("房租", "Rent"), None)
        if pays_bills:
            power = -int(base * season[number] * noise[number] * _FEN)
            yield from _on(
                calendar, month.day(12), 10, "savings", power, "utilities", ("水电燃气", "Power and water"), None
            )
        bill = ("话费", "Phone bill")
        yield from _on(calendar, month.day(3), 10, "savings", -phone * _FEN, "utilities", bill, None)
        if subscribes(life):
            video = MERCHANTS["entertainment"][1]
            yield from _on(calendar, month.day(18), 6, "savings", -SUBSCRIPTION * _FEN, "entertainment", video, None)
        if month.first.month % 3 == 0:
            interest = max(1, int(life.income * life.idle_months * 0.05))
            label = ("存款利息", "Deposit interest")
            yield from _on(calendar, month.day(21), 0, "savings", interest // 4 + 1, "interest", label, None)


SUBSCRIPTION = 25
"""CNY a month of the video subscription."""


def subscribes(life: Life) -> bool:
    """Whether the customer pays for the video subscription."""
    return life.number % 3 != 0


def _instalments(life: Life, calendar: Calendar, name: str, owed: int, monthly: int, rate: float) -> Iterable[Movement]:
    yield _brought_forward(calendar, name, -owed * _FEN)
    left = owed * _FEN
    home = name == "mortgage"
    label = ("房贷月供", "Mortgage payment") if home else ("贷款还款", "Loan repayment")
    for month in calendar.months:
        interest = round(left * rate / 1_200)
        paid = min(monthly * _FEN, left + interest)
        day = month.day(instalment_day(life))
        yield from _on(calendar, day, 7, "savings", -paid, "housing" if home else "transfer", label, None)
        yield from _on(calendar, day, 7, name, paid - interest, "transfer", label, None)
        left -= paid - interest


def instalment_day(life: Life) -> int:
    """The day of the month on which loans are due, a week after payday."""
    return (life.payday + 6) % 28 + 1


def _statements(calendar: Calendar, book: list[Movement], late: bool) -> list[Statement]:
    """One statement a month over the purchases since the one before; the last due one may be paid late."""
    spent = [(movement.at, -movement.fen) for movement in book if movement.account == "credit"]
    since, statements = 0, []
    for month in calendar.months[1:]:
        closed = month.day(STATEMENT_DAY)
        until = calendar.seconds(closed)
        if closed >= calendar.today:
            break
        fen = sum(amount for at, amount in spent if since <= at < until)
        if fen:
            due = closed + timedelta(days=DUE_DAYS)
            statements.append(Statement(closed, due, fen, paid=fen if due <= calendar.today else 0))
        since = until
    due_ones = [statement for statement in statements if statement.paid]
    if late and due_ones:
        due_ones[-1].paid = 0
    return statements


def _repayments(calendar: Calendar, statements: list[Statement]) -> Iterable[Movement]:
    label = ("信用卡还款", "Credit card repayment")
    for statement in statements:
        if statement.paid:
            day = statement.due_on - timedelta(days=1)
            yield from _on(calendar, day, 8, "savings", -statement.paid, "transfer", label, None)
            yield from _on(calendar, day, 8, "credit", statement.paid, "transfer", label, None)


def _opening(life: Life, book: list[Movement]) -> int:
    """What savings must hold at first so that they never fall below zero, and the reserve this customer keeps."""
    # At one moment debits come first, so that no order of equal moments can take the account below zero.
    moves = sorted((movement.at, movement.fen) for movement in book if movement.account == "savings")
    lowest = int(np.min(np.cumsum([fen for _, fen in moves]), initial=0))
    return round(life.income * life.idle_months) * _FEN - lowest


def _brought_forward(calendar: Calendar, account: str, fen: int) -> Movement:
    return Movement(int(calendar.starts[0]), account, fen, "transfer", ("承前余额", "Balance brought forward"))


def _on(
    calendar: Calendar,
    day: date,
    hour: int,
    account: str,
    fen: int,
    category: str,
    merchant: Words,
    counterparty: Words | None,
) -> Iterable[Movement]:
    """The movement, unless it lies in the future."""
    at = calendar.seconds(day, time(hour))
    if at < calendar.end and fen:
        yield Movement(at, account, fen, category, merchant, counterparty)
