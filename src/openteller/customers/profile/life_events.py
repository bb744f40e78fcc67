"""Life events: a new salary or none any more, a pension, a move, a child, travel. Each with its date, confidence, evidence.

The confidences are set by judgement, not learnt; every one is a line below. An event is what the movements show, and
may be wrong: a person reads it with its evidence, and the customer has the last word on what follows (tags.py).
What is not covered: events of which nothing is paid here, and anything about health.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import get_args

from openteller.core.errors import BadInput
from openteller.core.money import Money
from openteller.core.text import fold
from openteller.customers.profile.records import EventKind, Evidence, LifeEvent, TagWord, Wording
from openteller.customers.profile.running import Month, Party, RunningState, TravelDay, month_at, month_number

_PENSION = re.compile(r"养老金|退休金|离退休|社会保险|社保|\b(pension|retirement)\b|\bsocial (insurance|security)\b")
# Goods and places for children; nothing medical, so that no pregnancy is ever guessed.
_CHILD = re.compile(
    r"母婴|婴儿|幼儿园|早教|托育|托儿|奶粉|尿布|童装|\b(baby|nursery|kindergarten|nappies|diapers?|preschool|daycare|childcare)\b"
)
_NAME = re.compile(rf"event:({'|'.join(get_args(EventKind))}):(\d{{4}}-\d\d-\d\d)")
_SETTLED = 3
"""Months that make a custom: a salary, a rent, a payee."""
_CHANGED = Decimal("0.05")
_TRIP_GAP = 7
_TRIP_LEAST = Decimal(300)


def life_events(state: RunningState, on: date) -> tuple[LifeEvent, ...]:
    """What happened up to day `on`, latest first."""
    found = [*_salary(state, on), *_moving(state), *_child(state), *_travel(state)]
    return tuple(sorted((e for e in found if e.on <= on), key=lambda e: (e.on, e.kind), reverse=True))


def unrefused(events: Iterable[LifeEvent], words: Iterable[TagWord]) -> tuple[LifeEvent, ...]:
    """The events that the customer did not call wrong or remove.

    What a late booking moves by up to a week is the same event: a word about it holds on.
    """
    said = [found.groups() for word in words if (found := _NAME.fullmatch(word.tag))]
    refused = [(kind, date.fromisoformat(on)) for kind, on in said]
    return tuple(
        event
        for event in events
        if not any(kind == event.kind and abs((event.on - on).days) <= _TRIP_GAP for kind, on in refused)
    )


def is_event_name(name: str) -> bool:
    """Whether a customer's word is about a life event rather than a tag.

    Raises:
        BadInput: it looks like one and names no day.
    """
    found = _NAME.fullmatch(name)
    if found:
        try:
            date.fromisoformat(found[2])
        except ValueError as error:
            raise BadInput(
                f"{found[2]} is no day.", next_step="Take the event's name from GET /v1/me/profile."
            ) from error
    return found is not None


def pensions(state: RunningState) -> list[Party]:
    """Who pays the customer a pension."""
    return [party for party in _payers(state) if _is_pension(party)]


def _payers(state: RunningState) -> list[Party]:
    parties = [party for (way, kind, _), party in state.parties.items() if way == "in" and kind == "salary"]
    return sorted(parties, key=lambda party: min(party.months))


def _is_pension(party: Party) -> bool:
    return bool(_PENSION.search(fold(party.label)))


def _salary(state: RunningState, on: date) -> Iterator[LifeEvent]:
    payers = _payers(state)
    wages = [party for party in payers if not _is_pension(party)]
    for party in wages:
        yield from _levels(party)
    for before, after in pairwise(wages):
        if _took_over(before, after):
            yield _new_employer(before, after)
    ended = [party for party in wages if len(party.months) >= _SETTLED]
    if not ended:
        return
    last = max(ended, key=lambda party: max(party.months))
    silent = month_at(on) - month_number(max(last.months))
    pension = next((p for p in payers if _is_pension(p) and min(p.months) >= max(last.months)), None)
    if pension is not None:
        text = Wording(zh="开始领取养老金", en="a pension began")
        yield _event("retirement", _first(pension), 0.9, text, [_last_seen(last), _seen(pension, min(pension.months))])
    elif silent >= 2 and not any(max(party.months) > max(last.months) for party in wages):
        text = Wording(zh=f"工资已有{silent}个月没有到账", en=f"no salary for {silent} months")
        yield _event(
            "salary_stopped", _day(last, max(last.months)), min(0.4 + 0.15 * silent, 0.9), text, [_last_seen(last)]
        )


def _levels(party: Party) -> Iterator[LifeEvent]:
    """A salary that is another one from some month on: judged on the smallest payment of each month, to leave bonuses out."""
    months = sorted(party.months)
    paid = [party.months[month].low for month in months]
    place = _SETTLED
    while place < len(months):
        usual = Decimal(median(paid[place - _SETTLED : place]))
        level, stays = paid[place], paid[place : place + 2]
        settled = all(abs(one - usual) <= _CHANGED * usual for one in paid[place - _SETTLED : place])
        if (
            settled
            and usual > 0
            and all(abs(one - usual) > _CHANGED * usual and abs(one - level) <= _CHANGED * level for one in stays)
        ):
            yield _changed(party, months, place, usual, 0.9 if len(stays) == 2 else 0.6)
            place += _SETTLED
        else:
            place += 1


def _changed(party: Party, months: Sequence[Month], place: int, usual: Decimal, confidence: float) -> LifeEvent:
    level = party.months[months[place]].low
    share, rose = abs(level - usual) / usual, level > usual
    text = Wording(
        zh=f"工资{'上涨' if rose else '下降'}{share:.0%}", en=f"the salary {'rose' if rose else 'fell'} by {share:.0%}"
    )
    evidence = [_seen(party, months[place - 1]), _seen(party, months[place])]
    return _event("salary_change", _day(party, months[place]), confidence, text, evidence)


def _took_over(before: Party, after: Party) -> bool:
    gap = month_number(min(after.months)) - month_number(max(before.months))
    return len(before.months) >= _SETTLED and 0 <= gap <= _SETTLED


def _new_employer(before: Party, after: Party) -> LifeEvent:
    text = Wording(zh=f"工资改由{after.label}发放", en=f"the salary now comes from {after.label}")
    confidence = 0.85 if len(after.months) >= 2 else 0.6
    return _event(
        "salary_change", _first(after), confidence, text, [_last_seen(before), _seen(after, min(after.months))]
    )


def _moving(state: RunningState) -> Iterator[LifeEvent]:
    """Another payee of rent or mortgage where one was paid before; surer when the utilities change as well."""
    homes, bills = _settled(state, "housing"), _settled(state, "utilities")
    for before, after in ((a, b) for a in homes for b in homes if _follows(a, b)):
        moved = [b for a in bills for b in bills if _follows(a, b) and abs(_started(b) - _started(after)) <= 2]
        text = Wording(
            zh=f"住房付款从{before.label}改为{after.label}",
            en=f"housing is paid to {after.label}, no more to {before.label}",
        )
        evidence = [_last_seen(before), _seen(after, min(after.months)), *(_seen(b, min(b.months)) for b in moved[:1])]
        yield _event("moving", _first(after), 0.9 if moved else 0.75, text, evidence)
    begun = [home for home in homes if _started(home) - min(map(month_number, state.flows)) >= _SETTLED]
    if len(homes) == 1 and begun:
        text = Wording(zh=f"开始支付{begun[0].label}", en=f"payments for {begun[0].label} began")
        yield _event("moving", _first(begun[0]), 0.6, text, [_seen(begun[0], min(begun[0].months))])


def _settled(state: RunningState, kind: str) -> list[Party]:
    found = [p for (way, what, _), p in state.parties.items() if (way, what) == ("out", kind) and len(p.months) >= 2]
    return sorted(found, key=lambda party: (min(party.months), party.label))


def _started(party: Party) -> int:
    return month_number(min(party.months))


def _follows(before: Party, after: Party) -> bool:
    gap = _started(after) - month_number(max(before.months))
    return before is not after and len(before.months) >= _SETTLED and 0 <= gap <= 2


def _child(state: RunningState) -> Iterator[LifeEvent]:
    """Payments for a small child in several months."""
    parties = [p for (way, _, _), p in state.parties.items() if way == "out" and _CHILD.search(fold(p.label))]
    months = sorted({month for party in parties for month in party.months})
    if len(months) < 2:
        return
    parties.sort(key=lambda party: (_first(party), party.label))
    confidence = min(0.45 + 0.1 * (len(months) - 1) + 0.15 * (len(parties) - 1), 0.95)
    text = Wording(zh="出现与年幼子女有关的支出", en="spending on a small child began")
    yield _event("child", _first(parties[0]), confidence, text, [_seen(p, min(p.months)) for p in parties[:3]])


def _travel(state: RunningState) -> Iterator[LifeEvent]:
    """Days with travel payments, no more than a week apart, that come to enough for a trip."""
    trip: list[tuple[date, TravelDay]] = []
    for day in sorted(state.travel):
        if trip and (day - trip[-1][0]).days > _TRIP_GAP:
            yield from _trip(trip)
            trip = []
        trip.append((day, state.travel[day]))
    yield from _trip(trip)


def _trip(days: Sequence[tuple[date, TravelDay]]) -> Iterator[LifeEvent]:
    if not days:
        return
    total = sum((day.total for _, day in days), Decimal(0))
    abroad, names = any(day.abroad for _, day in days), {name for _, day in days for name in day.labels}
    if total < _TRIP_LEAST and not abroad:
        return
    confidence = 0.6 + (0.2 if abroad else 0) + (0.15 if len(names) > 1 else 0)
    text = Wording(zh="境外旅行" if abroad else "一次旅行", en="a trip abroad" if abroad else "a trip")
    yield _event("travel", days[0][0], confidence, text, [_paid(on, day) for on, day in days[:4]])


def _paid(on: date, day: TravelDay) -> Evidence:
    names, sum_ = "、".join(day.labels), Money(day.total)
    spent_zh, spent_en = (f"，{sum_}", f", {sum_}") if day.total else ("（外币）", " (foreign currency)")
    return Evidence(on=on, text=Wording(zh=f"{names}{spent_zh}", en=f"{', '.join(day.labels)}{spent_en}"))


def _seen(party: Party, month: Month) -> Evidence:
    cell = party.months[month]
    amount = Money(abs(cell.low if cell.low > 0 else cell.high))
    return Evidence(on=_day(party, month), text=Wording(zh=f"{party.label}，{amount}", en=f"{party.label}, {amount}"))


def _last_seen(party: Party) -> Evidence:
    found = _seen(party, max(party.months))
    return Evidence(on=found.on, text=Wording(zh=f"最后一次：{found.text.zh}", en=f"the last time: {found.text.en}"))


def _day(party: Party, month: Month) -> date:
    return date(int(month[:4]), int(month[5:]), party.months[month].first)


def _first(party: Party) -> date:
    return _day(party, min(party.months))


def _event(kind: EventKind, on: date, confidence: float, text: Wording, evidence: Sequence[Evidence]) -> LifeEvent:
    return LifeEvent(kind=kind, on=on, confidence=round(confidence, 2), text=text, evidence=tuple(evidence))
