"""The running state of one customer: sums over all their movements, kept so that a new one is added in one step.

Adding is commutative and associative, and the sums are exact decimals: movements may be tallied beforehand (the database
does it for many customers at once), and whatever order and batches movements come in,
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
PURCHASES = SPENDING_CATEGORIES - {"housing", "utilities", "insurance", "fees"}
"""Spending that somebody walks into a shop for, or orders."""
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
        tally = tallied(movement, movement.booked_at.astimezone(zone).date())
        self.add(tally)
        if tally.sign < 0:
            self.add_travel(tally)
        if movement.channel:
            self.add_channel(_month(tally.first), movement.channel, 1)

    def add(self, tally: "Tally") -> None:
        """Add the movements of a tally, but for what they say of channels and journeys."""
        self.movements += tally.times
        if self.first_on is None or tally.first < self.first_on:
            self.first_on = tally.first
        if self.last_on is None or tally.last > self.last_on:
            self.last_on = tally.last
        read = reading(tally)
        if read.party is not None:
            self._flow(read.party, read.label, tally)

    def add_travel(self, tally: "Tally") -> None:
        """Add the debits of one day, as far as they were made on a journey."""
        read = reading(tally)
        if read.travels:
            spent = -tally.total if tally.home else Decimal(0)
            _add(self.travel, tally.first, TravelDay(tally.times, spent, read.abroad, (tally.merchant,)))

    def add_channel(self, month: Month, channel: str, times: int) -> None:
        """Add movements made in one channel in one month."""
        counts = self.channels[month]
        counts[channel] = counts.get(channel, 0) + times

    def _flow(self, key: PartyKey, label: str, tally: "Tally") -> None:
        direction, kind, _ = key
        month, forwards = _month(tally.first), (tally.sign < 0) == (direction == "out")
        _add(self.flows[month], (direction, kind), Sum(tally.times if forwards else 0, tally.total))
        if not forwards:
            return
        latest = self.last_purchase_on
        if direction == "out" and kind in PURCHASES and (latest is None or tally.last > latest):
            self.last_purchase_on = tally.last
        party = self.parties.get(key)
        if party is None:
            party = self.parties[key] = Party(label)
        elif label < party.label:
            party.label = label
        days = tally.first.day, tally.last.day
        _add(party.months, month, Cell(tally.times, tally.total, tally.low, tally.high, *days))

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


class Reading(NamedTuple):
    """What a movement's words say, whatever its amount and day: the party of its flow, and whether it is of a journey."""

    category: str
    party: PartyKey | None
    label: str
    travels: bool
    abroad: bool


class Tally(NamedTuple):
    """Movements of one month that read alike: their words, how many, their sum, extremes, first and last day.

    `given` is the bank's category, or None where it is read from the text; `home`: whether they are in CNY; `sign` of
    the amounts: -1, 0 or 1.
    """

    merchant: str
    counterparty: str | None
    given: str | None
    home: bool
    sign: int
    times: int
    total: Decimal
    low: Decimal
    high: Decimal
    first: date
    last: date


def tallied(movement: Booked, on: date) -> Tally:
    """One movement, alone."""
    open_, amount = movement.category == UNCATEGORISED and movement.category_confidence is None, movement.amount
    sign = (amount > 0) - (amount < 0)
    words = movement.merchant, movement.counterparty, None if open_ else movement.category
    return Tally(*words, movement.currency == HOME, sign, 1, amount, amount, amount, on, on)


def reading(tally: Tally) -> Reading:
    """What the words say; the bank's category, or the one read from the text where there is none yet."""
    return _reading(tally.merchant, tally.counterparty, tally.given, tally.home, tally.sign)


@lru_cache(maxsize=200_000)
def _reading(merchant: str, counterparty: str | None, given: str | None, home: bool, sign: int) -> Reading:
    category = categorise(merchant, sign).category if given is None else given
    flow, label = _flow_of(category, merchant, counterparty, sign) if home else None, counterparty or merchant
    abroad = (not home and category in SPENDING_CATEGORIES) or bool(_ABROAD.search(fold(merchant)))
    party = None if flow is None else (*flow, party_name(label))
    return Reading(category, party, label, abroad or category == "travel", abroad)


def _flow_of(category: str, merchant: str, counterparty: str | None, sign: int) -> tuple[Direction, str] | None:
    """Which way money of the household goes, and for what; None for own money that moves.

    A transfer is income or spending when another party is named; repaying a loan is spending, repaying a card is not.
    """
    if category in ("salary", "interest"):
        return "in", category
    if category in SPENDING_CATEGORIES:
        return "out", category
    if category == UNCATEGORISED:
        return ("in" if sign > 0 else "out"), UNCATEGORISED
    if category == "investment":
        return None
    if sign <= 0 and _LOAN.search(fold(merchant)):
        return "out", LOAN
    if counterparty is None:
        return None
    return ("in", RECEIVED) if sign > 0 else ("out", GIVEN)


@lru_cache(maxsize=10_000)
def _month(on: date) -> Month:
    return f"{on.year:04d}-{on.month:02d}"


@lru_cache(maxsize=100_000)
def party_name(name: str) -> str:
    """The name without branch, terminal and payment service, folded: what makes two entries one party's."""
    return _NOISE.sub(" ", fold(name)).strip() or fold(name)


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
            [*key, party.label, {month: _plain(cell) for month, cell in sorted(party.months.items())}]
            for key, party in sorted(state.parties.items())
        ],
        "travel": {
            day.isoformat(): [trip.times, str(trip.total), trip.abroad, list(trip.labels)]
            for day, trip in sorted(state.travel.items())
        },
        "channels": {month: dict(sorted(counts.items())) for month, counts in sorted(state.channels.items())},
    }  # fmt: skip


def _plain(cell: Cell) -> list[int | str]:
    total = str(cell.total)
    # Most cells are of one movement: its amount is the sum and both extremes.
    low, high = (total, total) if cell.times == 1 else (str(cell.low), str(cell.high))
    return [cell.times, total, low, high, cell.first, cell.last]


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
