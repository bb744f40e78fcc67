"""A customer's own profile, tags and personalisation switch. Knows nothing about how any of it is derived."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from openteller.core.records import Principal
from openteller.customers.profile.records import Profile
from openteller.customers.profile.tags import TAGS
from openteller.customers.records import Consent
from openteller.recommendation.notices.records import RegradeNotice
from openteller.serving import errors
from openteller.serving.deps import Owner, Served, Serving
from openteller.serving.wire import ConsentBody, ConsentList, Label, NoticeList, StanceBody, TagList

router = APIRouter(prefix="/v1/me", tags=["profile"])

_Tag = Annotated[Label, Path(description="of the list that GET /v1/me/tags gives")]
_Event = Annotated[Label, Path(description="its name in GET /v1/me/profile, as event:travel:2026-05-01")]
_READING = errors.responses(401, 403, 404, 429, 503)
_WRITING = errors.responses(400, 401, 403, 404, 413, 422, 429, 503)


@router.get("/profile", summary="My profile", responses=_READING)
def profile(owner: Owner, serving: Served) -> Profile:
    """Cash flow by month, and with consent to personalisation everything else that is derived, each with its reason."""
    return serving.application.profiles.profile(owner)


@router.get("/tags", summary="My tags", responses=_READING)
def tags(owner: Owner, serving: Served) -> TagList:
    """What the bank believes, what you said yourself, and what you may add."""
    return _tags(serving, owner)


@router.put("/tags/{tag}", summary="Say what is true", responses=_WRITING)
def say(tag: _Tag, body: StanceBody, owner: Owner, serving: Served) -> TagList:
    """Add a tag (`mine`) or say that it is wrong (`not_me`). Your word stands against whatever is derived from then on."""
    serving.application.profiles.say(owner, tag, body.stance)
    return _tags(serving, owner)


@router.delete("/tags/{tag}", summary="Remove a tag", status_code=204, responses=_WRITING)
def remove(tag: _Tag, owner: Owner, serving: Served) -> None:
    """Your own tag is deleted. A derived one is kept away: that you removed it is remembered until you take it back."""
    serving.application.profiles.remove(owner, tag)


@router.delete("/tags/{tag}/word", summary="Take back what I said of a tag", status_code=204, responses=_WRITING)
def take_back(tag: _Tag, owner: Owner, serving: Served) -> None:
    """Deletes what you said of the tag; it may be derived again."""
    serving.application.profiles.forget(owner, tag)


@router.delete("/tags", summary="Take back everything I said", status_code=204, responses=_WRITING)
def forget(owner: Owner, serving: Served) -> None:
    """Deletes all you ever said of tags; they may be derived again."""
    serving.application.profiles.forget(owner)


@router.put("/events/{event}", summary="Say that an event is wrong", status_code=204, responses=_WRITING)
def deny_event(event: _Event, owner: Owner, serving: Served) -> None:
    """The event did not happen: neither it nor what follows from it is believed from then on."""
    serving.application.profiles.say(owner, event, "not_me")


@router.delete("/events/{event}", summary="Remove an event", status_code=204, responses=_WRITING)
def remove_event(event: _Event, owner: Owner, serving: Served) -> None:
    """The event is shown and used no more; that you removed it is remembered until you take it back."""
    serving.application.profiles.remove(owner, event)


@router.delete("/events/{event}/word", summary="Take back what I said of an event", status_code=204, responses=_WRITING)
def take_event_back(event: _Event, owner: Owner, serving: Served) -> None:
    """Deletes what you said of the event; it may be derived again."""
    serving.application.profiles.forget(owner, event)


@router.get("/notices", summary="My notices", responses=_READING)
def notices(owner: Owner, serving: Served) -> NoticeList:
    """What the bank has to tell you, such as a new risk grade of what you hold; the newest first."""
    return NoticeList(notices=serving.application.notices.mine(owner))


@router.post("/notices/{notice_id}/read", summary="I have seen it", responses=_WRITING)
def read(notice_id: UUID, owner: Owner, serving: Served) -> RegradeNotice:
    """Notes when you first saw the notice."""
    return serving.application.notices.read(owner, notice_id)


@router.get("/consents", summary="What I agree to", responses=_READING)
def consents(owner: Owner, serving: Served) -> ConsentList:
    """Your switches, each with what follows from yes and from no, in plain words."""
    return ConsentList(consents=serving.application.profiles.consents(owner))


@router.put("/consents/{purpose}", summary="Agree, or no more", responses=_WRITING)
def agree(purpose: Label, body: ConsentBody, owner: Owner, serving: Served) -> Consent:
    """It counts from the next look on."""
    return serving.application.profiles.agree(owner, purpose, body.granted)


@router.put("/personalisation", summary="Switch personalisation", responses=_WRITING)
def personalise(body: ConsentBody, owner: Owner, serving: Served) -> Consent:
    """Off: nothing is derived about you but your plain cash flow, and no offer is made from your movements."""
    return serving.application.profiles.agree(owner, "personalisation", body.granted)


def _tags(serving: Serving, owner: Principal) -> TagList:
    found = serving.application.profiles.profile(owner)
    return TagList(tags=found.tags, words=found.words, known=dict(TAGS))
