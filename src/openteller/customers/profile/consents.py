"""What a customer agrees to, in plain words: what follows from yes, and what follows from no. Silence is no.

Recording is not among them: that is agreed to in each call (voice/recordings.py). Knows nothing about who enforces it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import Field

from openteller.core.errors import NotFound
from openteller.core.records import Record
from openteller.customers.profile.records import Wording
from openteller.customers.records import Consent, Purpose


class ConsentState(Record):
    """One switch of a customer, with what each position means."""

    purpose: Purpose
    name: Wording
    granted: bool
    at: datetime | None = Field(None, description="when the customer last said so; None: never")
    on: Wording = Field(description="what follows from yes")
    off: Wording = Field(description="what follows from no")


_SWITCHES: Mapping[Purpose, tuple[Wording, Wording, Wording]] = {
    "personalisation": (
        Wording(zh="个性化", en="Personalisation"),
        Wording(
            zh="我们根据您在本行的账户和交易得出标签与生活事件，并据此为您挑选产品。",
            en="We derive tags and life events from your accounts and movements with us, and choose products by them.",
        ),
        Wording(
            zh="除收支汇总外，我们不从您的交易中得出任何看法，也不据此挑选产品。已得出的标签和生活事件立即消失，您自己添加的标签保留。",
            en="Apart from your plain income and spending we derive nothing from your movements and choose nothing by them. Derived tags and life events are gone at once; tags you added yourself stay.",
        ),
    ),
    "marketing": (
        Wording(zh="一般推荐", en="General offers"),
        Wording(
            zh="个性化关闭时，我们可以向您推荐全行客户常选的产品，挑选时不看您的数据；每次都说明理由，且不高于您的风险等级。",
            en="While personalisation is off we may offer you what the bank's customers often choose, without looking at your data: each with its reason, and none above your investor class.",
        ),
        Wording(
            zh="个性化关闭时，我们不向您推荐任何产品；个性化开启时，推荐照旧。您问起某个产品，总会得到回答。",
            en="While personalisation is off we offer you nothing; while it is on, offers are made as before. What you ask about is answered all the same.",
        ),
    ),
}


def consent_states(said: Iterable[Consent]) -> tuple[ConsentState, ...]:
    """Every switch, as the customer left it."""
    kept = {consent.purpose: consent for consent in said}
    return tuple(_state(purpose, kept.get(purpose)) for purpose in _SWITCHES)


def switch(purpose: str) -> Purpose:
    """The purpose of that name, where a customer may switch it.

    Raises:
        NotFound: there is no such switch.
    """
    found = next((known for known in _SWITCHES if known == purpose), None)
    if found is None:
        raise NotFound("There is no such consent.", next_step=f"Choose one of: {', '.join(_SWITCHES)}.")
    return found


def _state(purpose: Purpose, kept: Consent | None) -> ConsentState:
    name, on, off = _SWITCHES[purpose]
    return ConsentState(
        purpose=purpose, name=name, granted=bool(kept and kept.granted), at=kept.at if kept else None, on=on, off=off
    )
