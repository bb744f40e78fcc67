"""The profile: every feature of one customer on a day, as far as they allow it.

Without consent to personalisation nothing is derived but the plain cash flow, which is the customer's own; their own
tags stay theirs.
"""

from collections.abc import Sequence
from datetime import date

from openteller.customers.profile.cash_flow import cash_flow
from openteller.customers.profile.life_events import life_events, unrefused
from openteller.customers.profile.records import ChannelShare, Profile, RfmCuts, TagWord
from openteller.customers.profile.running import RunningState, month_at, month_number
from openteller.customers.profile.segments import rfm_figures, segment
from openteller.customers.profile.tags import derived_tags, tags

_YEAR = 12


def profile(
    customer_id: str,
    state: RunningState,
    on: date,
    *,
    personalised: bool,
    words: Sequence[TagWord] = (),
    cuts: RfmCuts | None = None,
) -> Profile:
    """What the state says on day `on`.

    Args:
        customer_id: whose.
        state: of all their movements.
        on: the day.
        personalised: whether they agreed to personalisation.
        words: what they said of tags and life events.
        cuts: the bank's quintiles; None when never computed.
    """
    flow = cash_flow(state, on)
    plain = Profile(
        customer_id=customer_id,
        on=on,
        personalised=personalised,
        movements=state.movements,
        since=state.first_on,
        cash_flow=flow,
        tags=tags((), words),
        words=tuple(words),
    )
    if not personalised:
        return plain
    events, channels = unrefused(life_events(state, on), words), channel_habits(state, on)
    return plain.model_copy(
        update={
            "channels": channels,
            "segment": segment(rfm_figures(state, on), cuts, on),
            "events": events,
            "tags": tags(derived_tags(state, flow, events, channels, on), words),
        }
    )


def channel_habits(state: RunningState, on: date) -> tuple[ChannelShare, ...]:
    """In which channels the last twelve months' movements were made, most used first."""
    counts: dict[str, int] = {}
    for month, used in state.channels.items():
        if month_at(on) - _YEAR < month_number(month) <= month_at(on):
            for channel, count in used.items():
                counts[channel] = counts.get(channel, 0) + count
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(ChannelShare(channel=name, count=count, share=round(count / total, 4)) for name, count in ordered)
