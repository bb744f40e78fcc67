"""The desk at which agents take conversations over from the assistant, write in them, and give them back.

Agents, administrators and services use it; each step is a row of the audit log, without what was written. Customers ask
it only what was written to them. What is not covered: a caller on the telephone sees nothing that is written; whoever
takes a call rings back. Knows nothing about HTTP.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from openteller.assistant.hand_offs.records import Context, Conversation, LedBy, StaffMessage
from openteller.assistant.hand_offs.repository import HandOffRepository
from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooLarge
from openteller.core.records import Principal, Role
from openteller.core.text import normalise
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from openteller.understanding.personal_data import drop_secrets

MAX_MESSAGE_CHARACTERS = 2_000
LIVE = timedelta(minutes=30)
"""A conversation with a turn in this time is live."""
_MOST_TURNS = 50
_AGENTS = (Role.AGENT, Role.ADMIN, Role.SERVICE)
_UNASKED = "taken over by staff; nobody had asked"


class HandOffDesk:
    """Lists, takes, answers, gives back. Safe to share between threads. clock: the present moment in UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database, self._clock = database, clock
        self._hand_offs, self._turns = HandOffRepository(), TurnRepository()

    def waiting(self, principal: Principal, *, limit: int = 50) -> tuple[Conversation, ...]:
        """Who waits for a person, the longest first, then what persons lead; what fell silent is closed first."""
        _require(principal)
        now = self._clock()
        with self._database.session(principal) as session:
            for hand_off, conversation in self._hand_offs.close_silent(session, now):
                detail = {"conversation_id": str(conversation), "because": "silence"}
                audit.record(session, "hand-off desk", "hand_off.closed", str(hand_off), detail)
            return self._hand_offs.waiting(session, limit)

    def live(self, principal: Principal, *, limit: int = 50) -> tuple[Conversation, ...]:
        """Conversations of the last half hour, the latest first. Raises NotAllowed."""
        _require(principal)
        with self._database.session(principal) as session:
            return self._hand_offs.live(session, self._clock() - LIVE, limit)

    def context(self, principal: Principal, conversation_id: UUID) -> Context:
        """A conversation with what was said in it: its last 50 turns, and all that staff wrote.

        Raises:
            NotFound: there is none.
            NotAllowed: the principal serves no customers.
        """
        _require(principal)
        with self._database.session(principal) as session:
            found = self._hand_offs.get(session, conversation_id)
            if found is None:
                raise _unknown(conversation_id)
            return Context(
                conversation=found,
                turns=self._turns.recent(session, conversation_id, _MOST_TURNS),
                messages=self._hand_offs.messages(session, conversation_id),
            )

    def take(self, principal: Principal, conversation_id: UUID) -> None:
        """Lead the conversation from now on: what the customer writes waits for the principal instead of being answered.

        Raises:
            Conflict: somebody leads it already.
            NotFound: there is no such conversation.
            NotAllowed: the principal serves no customers.
        """
        _require(principal)
        now, who = self._clock(), principal.subject
        with self._database.session(principal) as session:
            found = self._hand_offs.get(session, conversation_id)
            if found is None:
                raise _unknown(conversation_id)
            if found.standing is LedBy.PERSON:
                raise _taken(found.taken_by or "")
            asked = self._hand_offs.take(session, conversation_id, who, now)
            taken = asked or self._hand_offs.take_unasked(session, conversation_id, who, _UNASKED, now)
            detail = {"conversation_id": str(conversation_id), "asked": asked is not None}
            audit.record(session, who, "hand_off.taken", str(taken), detail)

    def say(self, principal: Principal, conversation_id: UUID, text: str) -> StaffMessage:
        """Write to the customer. Passwords, CVV and one-time codes are dropped: staff may not write them either.

        Raises:
            Conflict: the principal does not lead the conversation.
            BadInput: the text is empty.
            TooLarge: it is over 2,000 characters.
            NotAllowed: the principal serves no customers.
        """
        _require(principal)
        clean = _usable(text)
        with self._database.session(principal) as session:
            said = self._hand_offs.say(session, conversation_id, principal.subject, clean, self._clock())
            if said is None:
                raise _not_led()
            detail = {"message": said.id, "characters": len(clean)}
            audit.record(session, principal.subject, "hand_off.answered", str(conversation_id), detail)
        return said

    def give_back(self, principal: Principal, conversation_id: UUID) -> None:
        """Let the assistant answer again. Raises Conflict when the principal does not lead it, NotAllowed."""
        _require(principal)
        with self._database.session(principal) as session:
            closed = self._hand_offs.give_back(session, conversation_id, principal.subject, self._clock())
            if closed is None:
                raise _not_led()
            detail = {"conversation_id": str(conversation_id), "because": "given back"}
            audit.record(session, principal.subject, "hand_off.closed", str(closed), detail)

    def written(
        self, principal: Principal, conversation_id: UUID, after: int = 0
    ) -> tuple[LedBy, tuple[StaffMessage, ...]]:
        """For the customer: who answers in their conversation, and what staff wrote after message `after`.

        Raises:
            NotFound: the conversation is not the principal's.
        """
        with self._database.session(principal) as session:
            if not self._hand_offs.is_visible(session, conversation_id):
                raise _unknown(conversation_id)
            standing = self._hand_offs.standing(session, conversation_id, self._clock())
            return standing, self._hand_offs.messages(session, conversation_id, after)


def _require(principal: Principal) -> None:
    if principal.role not in _AGENTS:
        raise NotAllowed(
            "Conversations are for those who serve customers.",
            cause=f"This login's role is {principal.role.value}.",
            next_step="Log in as an agent or administrator.",
        )


def _usable(text: str) -> str:
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise TooLarge(
            f"The message has {len(text):,} characters.", next_step=f"Write {MAX_MESSAGE_CHARACTERS:,} at most."
        )
    clean = drop_secrets(normalise(text))
    if not clean:
        raise BadInput("The message is empty.", next_step="Write something to the customer.")
    return clean


def _unknown(conversation_id: UUID) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id} of yours.", next_step="Take one from the list.")


def _taken(who: str) -> Conflict:
    return Conflict(
        "Somebody leads this conversation already.", cause=f"{who} has taken it.", next_step="Take another."
    )


def _not_led() -> Conflict:
    return Conflict(
        "You do not lead this conversation.",
        cause="It was never yours, was given back, or fell silent for a quarter of an hour.",
        next_step="Take it over first.",
    )
