"""Recency, frequency and monetary value: where a customer stands among the bank's, in fifths.

The figures are the customer's own; the cut points are quintiles over all customers who agreed to personalisation,
computed by `teller customers recompute --all` and stored. Source: A. M. Hughes, Strategic Database Marketing, 1994.
"""

from bisect import bisect_left, bisect_right
from datetime import date
from decimal import Decimal

from openteller.customers.profile.records import RfmCuts, RfmFigures, RfmSegment, Wording
from openteller.customers.profile.running import PURCHASES, RunningState, month_at, month_named

MONTHS = 3
SEGMENTS: dict[str, Wording] = {
    "champion": Wording(zh="常来且消费高", en="recent, frequent and high spending"),
    "loyal": Wording(zh="稳定客户", en="steady"),
    "promising": Wording(zh="近期活跃，仍可增长", en="recent, with room to grow"),
    "attention": Wording(zh="需要关注", en="needs attention"),
    "at_risk": Wording(zh="曾经活跃，近期减少", en="used to be active, less so lately"),
    "asleep": Wording(zh="沉睡", en="asleep"),
}


def rfm_figures(state: RunningState, on: date) -> RfmFigures:
    """The figures on day `on`, over the last `MONTHS` whole months."""
    count, total = 0, Decimal(0)
    for number in range(month_at(on) - MONTHS, month_at(on)):
        for (way, kind), part in state.flows.get(month_named(number), {}).items():
            if way == "out" and kind in PURCHASES:
                count, total = count + part.times, total - part.total
    return RfmFigures(last_purchase_on=state.last_purchase_on, frequency=count, monetary=total)


def segment(figures: RfmFigures, cuts: RfmCuts | None, on: date) -> RfmSegment | None:
    """The scores and what they come to; None for somebody who never bought anything, or without cut points."""
    if cuts is None or figures.last_purchase_on is None:
        return None
    # Few days are good: the scale runs the other way.
    recency = 5 - bisect_left(cuts.recency, (on - figures.last_purchase_on).days)
    frequency = 1 + bisect_right(cuts.frequency, figures.frequency)
    monetary = 1 + bisect_right(cuts.monetary, figures.monetary)
    code = _code(recency, (frequency + monetary) / 2)
    return RfmSegment(recency=recency, frequency=frequency, monetary=monetary, code=code, name=SEGMENTS[code])


def _code(recency: int, value: float) -> str:
    if recency >= 4:
        return "champion" if value >= 4 else "loyal" if value >= 3 else "promising"
    if recency == 3:
        return "loyal" if value >= 3 else "attention"
    return "at_risk" if value >= 3 else "asleep"
