"""The running state of one customer: sums over all their movements, kept so that a new one is added in one step.

Adding is commutative and associative, and the sums are exact decimals: whatever order and batches movements come in,
the state is the same as from all of them at once. It grows with months and payees, not with movements. Every feature
is a function of it. A movement must be added once; what was booked wrongly needs `teller customers recompute`.
Knows nothing about features.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from openteller.core.text import fold
from openteller.customers.profile.categorising import categorise
from openteller.customers.records import SPENDING_CATEGORIES, UNCATEGORISED

VERSION = 1
"""Changes when what is kept changes; a state of another version is computed anew."""
HOME = "CNY"
LOAN, GIVEN, RECEIVED = "loan", "given", "received"
NO_PURCHASE = frozenset({"housing", "utilities", "insurance", "fees"})
"""Spending that nobody walks into a shop for."""
_LOAN = re.compile(r"贷款还款|贷款扣款|还贷|\bloan (re)?payment\b|\binstal")
_ABROAD = re.compile(r"境外|海外|\b(abroad|overseas)\b")
_LABELS = 3
_NOISE = re.compile(r"\(.*?\)|支付宝|财付通|微信支付|云闪付|银联|快捷支付|\b(pos|sq|visa|dd|paypal)\b|[\W\d_]+")

Direction = Literal["in", "out"]
Month = str
"""``YYYY-MM``."""


class Booked(Protocol):
    """What the state reads of a movement: a `Transaction`, or a row of the store."""

    @property
    def booked_at(self) -> datetime: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...
    @property
    def merchant(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def counterparty(self) -> str | None: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def category_confidence(self) -> float | None: ...


class Sum(NamedTuple):
    """Movements of one kind in one month: how many against refunds (debits, or credits of an income), and their sum."""

    times: int
    total: Decimal

    def __add__(self, other: "Sum") -> "Sum":  # type: ignore[override]
        return Sum(self.times + other.times, self.total + other.total)


class Cell(NamedTuple):
    """One party's movements in one month: count, sum, smallest and largest amount, first and last day of the month."""

    times: int
    total: Decimal
    low: Decimal
    high: Decimal
    first: int
    last: int

    def __add__(self, other: "Cell") -> "Cell":  # type: ignore[override]
        return Cell(
            self.times + other.times,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
            min(self.first, other.first),
            max(self.last, other.last),
        )


@dataclass
class Party:
    """Somebody whom money goes to or comes from, for one kind of flow."""

    label: str
    months: dict[Month, Cell] = field(default_factory=dict)


class TravelDay(NamedTuple):
    """What was paid for travel, or abroad, on one day: the CNY of it, and three of the names."""

    times: int
    total: Decimal
    abroad: bool
    labels: tuple[str, ...]

    def __add__(self, other: "TravelDay") -> "TravelDay":  # type: ignore[override]
        return TravelDay(
            self.times + other.times,
            self.total + other.total,
            self.abroad or other.abroad,
            tuple(sorted({*self.labels, *other.labels})[:_LABELS]),
        )


PartyKey = tuple[Direction, str, str]
"""(in or out, kind of flow, the folded name)."""


@dataclass
class RunningState:
    """The sums. `flows`: month → (direction, kind) → sum in CNY, debits negative."""

    movements: int = 0
    first_on: date | None = None
    last_on: date | None = None
    last_purchase_on: date | None = None
    flows: dict[Month, dict[tuple[Direction, str], Sum]] = field(default_factory=lambda: defaultdict(dict))
    parties: dict[PartyKey, Party] = field(default_factory=dict)
    travel: dict[date, TravelDay] = field(default_factory=dict)
    channels: dict[Month, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def book(self, movement: Booked, zone: ZoneInfo) -> None:
        """Add one movement; `zone` is the bank's."""
        on = movement.booked_at.astimezone(zone).date()
        month, category = f"{on.year:04d}-{on.month:02d}", category_of(movement)
        self.movements += 1
        self.first_on = on if self.first_on is None else min(self.first_on, on)
        self.last_on = on if self.last_on is None else max(self.last_on, on)
        if movement.channel:
            counts = self.channels[month]
            counts[movement.channel] = counts.get(movement.channel, 0) + 1
        flow = flow_of(movement, category)
        if flow is not None:
            self._flow(flow, movement, on, month)
        self._travel(movement, category, on)

    def _flow(self, flow: tuple[Direction, str], movement: Booked, on: date, month: Month) -> None:
        direction, kind = flow
        amount, forwards = movement.amount, (movement.amount < 0) == (direction == "out")
        _add(self.flows[month], flow, Sum(int(forwards), amount))
        if not forwards:
            return
        if direction == "out" and kind in SPENDING_CATEGORIES and kind not in NO_PURCHASE:
            self.last_purchase_on = on if self.last_purchase_on is None else max(self.last_purchase_on, on)
        name = movement.counterparty or movement.merchant
        party = self.parties.setdefault((direction, kind, party_name(name)), Party(name))
        party.label = min(party.label, name)
        _add(party.months, month, Cell(1, amount, amount, amount, on.day, on.day))

    def _travel(self, movement: Booked, category: str, on: date) -> None:
        foreign = movement.currency != HOME and category in SPENDING_CATEGORIES
        abroad = foreign or _is_abroad(movement.merchant)
        if movement.amount < 0 and (abroad or category == "travel"):
            spent = -movement.amount if movement.currency == HOME else Decimal(0)
            _add(self.travel, on, TravelDay(1, spent, abroad, (movement.merchant,)))

    def merge(self, other: "RunningState") -> None:
        """Add the movements of another state of the same customer, which share none with this one."""
        self.movements += other.movements
        for name, choose in (("first_on", min), ("last_on", max), ("last_purchase_on", max)):
            given = [day for day in (getattr(self, name), getattr(other, name)) if day is not None]
            setattr(self, name, choose(given) if given else None)
        for month, sums in other.flows.items():
            for flow, total in sums.items():
                _add(self.flows[month], flow, total)
        for key, theirs in other.parties.items():
            party = self.parties.setdefault(key, Party(theirs.label))
            party.label = min(party.label, theirs.label)
            for month, cell in theirs.months.items():
                _add(party.months, month, cell)
        for day, trip in other.travel.items():
            _add(self.travel, day, trip)
        for month, counts in other.channels.items():
            for channel, count in counts.items():
                self.channels[month][channel] = self.channels[month].get(channel, 0) + count


def running_state(movements: Iterable[Booked], zone: str = "Asia/Shanghai") -> RunningState:
    """The state after all of `movements`, in whatever order; `zone` is the IANA name of the bank's time zone."""
    state, place = RunningState(), ZoneInfo(zone)
    for movement in movements:
        state.book(movement, place)
    return state


def category_of(movement: Booked) -> str:
    """The bank's category, or the one read from the text where there is none yet."""
    if movement.category != UNCATEGORISED or movement.category_confidence is not None:
        return movement.category
    return categorise(movement.merchant, (movement.amount > 0) - (movement.amount < 0)).category


def flow_of(movement: Booked, category: str) -> tuple[Direction, str] | None:
    """Which way money of the household goes, and for what; None for own money that moves, and for other currencies.

    A transfer is income or spending when another party is named; repaying a loan is spending, repaying a card is not.
    """
    if movement.currency != HOME or category == "investment":
        return None
    if category in ("salary", "interest"):
        return "in", category
    if category in SPENDING_CATEGORIES:
        return "out", category
    credit = movement.amount > 0
    if category == UNCATEGORISED:
        return ("in" if credit else "out"), UNCATEGORISED
    if not credit and _is_loan(movement.merchant):
        return "out", LOAN
    if movement.counterparty is None:
        return None
    return ("in", RECEIVED) if credit else ("out", GIVEN)


@lru_cache(maxsize=100_000)
def party_name(name: str) -> str:
    """The name without branch, terminal and payment service, folded: what makes two entries one party's."""
    return _NOISE.sub(" ", fold(name)).strip() or fold(name)


@lru_cache(maxsize=100_000)
def _is_loan(text: str) -> bool:
    return bool(_LOAN.search(fold(text)))


@lru_cache(maxsize=100_000)
def _is_abroad(text: str) -> bool:
    return bool(_ABROAD.search(fold(text)))


def _add(sums: dict[Any, Any], key: Any, value: Any) -> None:
    sums[key] = sums[key] + value if key in sums else value


def month_number(month: Month) -> int:
    """Months since the year 0, so that they can be counted with."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def month_named(number: int) -> Month:
    """The month of that number."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_at(on: date) -> int:
    """The number of the month that `on` is in."""
    return on.year * 12 + on.month - 1


def to_json(state: RunningState) -> dict[str, Any]:
    """The state as plain JSON; `from_json` reads it back to an equal one."""
    return {
        "movements": state.movements,
        "days": [None if day is None else day.isoformat() for day in _days(state)],
        "flows": {
            month: [[*flow, total.times, str(total.total)] for flow, total in sorted(sums.items())]
            for month, sums in sorted(state.flows.items())
        },
        "parties": [
            [*key, party.label, {m: [str(part) if isinstance(part, Decimal) else part for part in cell] for m, cell in sorted(party.months.items())}]
            for key, party in sorted(state.parties.items())
        ],
        "travel": {
            day.isoformat(): [trip.times, str(trip.total), trip.abroad, list(trip.labels)]
            for day, trip in sorted(state.travel.items())
        },
        "channels": {month: dict(sorted(counts.items())) for month, counts in sorted(state.channels.items())},
    }  # fmt: skip


def from_json(kept: Mapping[str, Any]) -> RunningState:
    """The state that `to_json` wrote."""
    first, last, purchase = (None if day is None else date.fromisoformat(day) for day in kept["days"])
    state = RunningState(kept["movements"], first, last, purchase)
    for month, sums in kept["flows"].items():
        state.flows[month] = {(way, kind): Sum(count, Decimal(total)) for way, kind, count, total in sums}
    for way, kind, name, label, months in kept["parties"]:
        cells = {
            month: Cell(n, Decimal(t), Decimal(lo), Decimal(hi), a, z) for month, (n, t, lo, hi, a, z) in months.items()
        }
        state.parties[way, kind, name] = Party(label, cells)
    for day, (count, total, abroad, labels) in kept["travel"].items():
        state.travel[date.fromisoformat(day)] = TravelDay(count, Decimal(total), abroad, tuple(labels))
    for month, counts in kept["channels"].items():
        state.channels[month] = dict(counts)
    return state


def _days(state: RunningState) -> tuple[date | None, date | None, date | None]:
    return state.first_on, state.last_on, state.last_purchase_on
