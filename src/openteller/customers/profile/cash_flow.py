"""Money in and out by month: income, fixed and free spending, surplus, and how much it varies.

Fixed is what goes to payees who are paid again and again (recurring.py), free is the rest. Money between a customer's
own accounts, and into investments, is neither income nor spending. CNY only.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import pstdev

from openteller.customers.profile.records import CashFlow, MonthFlow
from openteller.customers.profile.recurring import recurring_parties
from openteller.customers.profile.running import Month, PartyKey, RunningState, month_at, month_named, month_number

AVERAGED = 12
_CENT = Decimal("0.01")
_NOTHING = Decimal(0)


def cash_flow(state: RunningState, on: date) -> CashFlow:
    """The cash flow of all months up to that of `on`, which is never whole."""
    found = dict(recurring_parties(state))
    months = _months(state, found.keys(), on)
    whole = [month for month in months if month.whole][-AVERAGED:]
    income = _mean([month.income for month in whole])
    return CashFlow(
        months=tuple(months),
        averaged=len(whole),
        income=income,
        fixed=_mean([month.fixed for month in whole]),
        free=_mean([month.free for month in whole]),
        surplus=_mean([month.surplus for month in whole]),
        volatility=round(float(pstdev(month.surplus for month in whole) / income), 4) if income > 0 else 0.0,
        spending=_spending(state, [month.month for month in whole]),
        recurring=tuple(sorted(found.values(), key=lambda one: (-one.amount, one.payee, one.category))),
    )


def _months(state: RunningState, fixed: Collection[PartyKey], on: date) -> list[MonthFlow]:
    numbers = [number for number in map(month_number, state.flows) if number <= month_at(on)]
    if not numbers or state.first_on is None:
        return []
    bound = _fixed_by_month(state, fixed)
    begun = month_at(state.first_on) + (state.first_on.day > 1)
    return [
        _month(state, month_named(number), bound, whole=begun <= number < month_at(on))
        for number in range(min(numbers), month_at(on) + 1)
    ]


def _month(state: RunningState, month: Month, fixed: dict[Month, Decimal], *, whole: bool) -> MonthFlow:
    sums = state.flows.get(month, {})
    income = sum((total.total for (way, _), total in sums.items() if way == "in"), _NOTHING)
    spent = -sum((total.total for (way, _), total in sums.items() if way == "out"), _NOTHING)
    bound = fixed.get(month, _NOTHING)
    first = date(int(month[:4]), int(month[5:]), 1)
    return MonthFlow(month=first, income=_cents(income), fixed=_cents(bound), free=_cents(spent - bound), whole=whole)


def _fixed_by_month(state: RunningState, keys: Collection[PartyKey]) -> dict[Month, Decimal]:
    fixed: dict[Month, Decimal] = defaultdict(Decimal)
    for key in keys:
        for month, cell in state.parties[key].months.items():
            fixed[month] -= cell.total
    return fixed


def _spending(state: RunningState, months: Sequence[date]) -> dict[str, Decimal]:
    """Average a month by kind, net of refunds; what is not positive is left out."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for month in months:
        for (way, kind), total in state.flows.get(f"{month:%Y-%m}", {}).items():
            if way == "out":
                totals[kind] -= total.total
    means = {kind: _cents(total / len(months)) for kind, total in totals.items() if total > 0}
    return dict(sorted(means.items(), key=lambda entry: (-entry[1], entry[0])))


def _mean(values: Sequence[Decimal]) -> Decimal:
    return _cents(sum(values, _NOTHING) / len(values)) if values else _cents(_NOTHING)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, rounding=ROUND_HALF_EVEN)
