"""Payments that come back, found by payee, amount and rhythm: what of the spending is fixed.

What is not covered: weekly payments, payees that change their name, and prices that rise by more than the tolerance.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median, median_low

from openteller.customers.profile.records import Recurring, Rhythm
from openteller.customers.profile.running import LOAN, Cell, Party, PartyKey, RunningState, month_number

_STEPS: dict[int, Rhythm] = {1: "monthly", 3: "quarterly", 12: "yearly"}
_LEAST = {1: 3, 3: 3, 12: 2}
_MOST = Decimal("0.8")
"""The share of payments that must keep the rhythm, the amount and the day; one in five may be out of line."""
_DAYS = 5
_STEADY, _BILL = Decimal("0.1"), Decimal("0.75")
_BILLS = frozenset({"utilities", "housing", "insurance", LOAN})
"""What is used, or interest, makes these differ from month to month."""
_NEVER = frozenset({"cash", "groceries", "dining", "uncategorised"})
"""Habits, not obligations, however regular."""


def recurring_parties(state: RunningState) -> Iterator[tuple[PartyKey, Recurring]]:
    """Every payee who is paid again and again, with what is paid."""
    latest = max((month_number(month) for month in state.flows), default=0)
    for key, party in state.parties.items():
        found = _recurring(key, party, latest) if key[0] == "out" and key[1] not in _NEVER else None
        if found is not None:
            yield key, found


def _recurring(key: PartyKey, party: Party, latest: int) -> Recurring | None:
    months = sorted(party.months)
    cells = [party.months[month] for month in months]
    numbers = [month_number(month) for month in months]
    step = _step(numbers)
    if step is None or not _steady(cells, _BILL if key[1] in _BILLS else _STEADY):
        return None
    days = [cell.first for cell in cells]
    return Recurring(
        payee=party.label,
        category=key[1],
        amount=Decimal(median(amounts(cells))).quantize(Decimal("0.01")),
        rhythm=_STEPS[step],
        day=median_low(days),
        since=_day(months[0], cells[0].first),
        last_on=_day(months[-1], cells[-1].last),
        # A payment of this month may still be to come.
        active=latest - numbers[-1] <= step,
    )


def _step(numbers: Sequence[int]) -> int | None:
    """The months between two payments: what most of the gaps are, when that is a rhythm we know."""
    gaps = [after - before for before, after in pairwise(numbers)]
    for step in _STEPS:
        if len(numbers) >= _LEAST[step] and _mostly([gap == step for gap in gaps]):
            return step
    return None


def _steady(cells: Sequence[Cell], tolerance: Decimal) -> bool:
    """Whether most months have one payment, of about one amount, on about one day."""
    paid, days = amounts(cells), [cell.first for cell in cells]
    usual, day = Decimal(median(paid)), median_low(days)
    # The first of a month is a day after the last.
    near = [min(abs(one - day), 30 - abs(one - day)) <= _DAYS for one in days]
    like = [abs(one - usual) <= tolerance * usual for one in paid]
    return _mostly([cell.times == 1 for cell in cells]) and _mostly(near) and _mostly(like)


def amounts(cells: Sequence[Cell]) -> list[Decimal]:
    """What was paid a time in each month, positive."""
    return [abs(cell.total) / cell.times for cell in cells]


def _mostly(holds: Sequence[bool]) -> bool:
    return sum(holds) >= _MOST * len(holds)


def _day(month: str, day: int) -> date:
    return date(int(month[:4]), int(month[5:]), day)
