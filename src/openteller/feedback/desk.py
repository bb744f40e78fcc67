"""The desk at which staff correct what the assistant understood: one says what was meant, another agrees or does not.

Every agent, analyst, administrator or service may write a correction; analysts and administrators see the queue and
review, never their own. Each step is a row of the audit log, without the text. What is not covered: near-identical texts
are not told to be one, and what is masked by the rules for personal data is all that is masked.
Knows nothing about HTTP, models or training.
"""

from collections.abc import Callable, Mapping, Sequence
from re import fullmatch
from uuid import UUID

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooLarge
from openteller.core.records import MAX_INQUIRY_CHARACTERS, Principal, Role, Turn
from openteller.feedback.labels import checked
from openteller.feedback.records import Correction, Head, QueuedTurn, Status
from openteller.feedback.repository import CorrectionRepository
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.turns import TurnRepository

MAX_NOTE_CHARACTERS = 1_000
NEWEST = "newest"  #: stands for the newest correction that waits for review
_AUTHORS = (Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE)
_REVIEWERS = (Role.ANALYST, Role.ADMIN)
_READER = Principal(subject="retraining", role=Role.SERVICE)


class LabelDesk:
    """Queue, corrections and reviews. Safe to share between threads.

    Args:
        database: where they are kept.
        labels: gives head → labels of the model that serves.
        redact: drops secrets from a text and masks personal data in it.
    """

    def __init__(
        self, database: Database, labels: Callable[[], Mapping[str, Sequence[str]]], redact: Callable[[str], str]
    ) -> None:
        self._database, self._labels, self._redact = database, labels, redact
        self._corrections, self._turns = CorrectionRepository(), TurnRepository()

    def labels(self, principal: Principal) -> dict[Head, tuple[str, ...]]:
        """Head → the labels that a correction may name. Raises NotAllowed."""
        _require(principal, _AUTHORS, "correct the assistant")
        known = self._labels()
        return {head: tuple(known.get(head, ())) for head in Head}

    def queue(self, principal: Principal, *, limit: int = 50, offset: int = 0) -> tuple[QueuedTurn, ...]:
        """Turns worth a look that wait for a correction, the newest first. Raises NotAllowed."""
        _require(principal, _REVIEWERS, "see the turns that wait for a label")
        with self._database.session(principal) as session:
            return self._corrections.queue(session, limit, offset)

    def correct(
        self,
        principal: Principal,
        head: Head,
        labels: Sequence[str],
        *,
        trace_id: UUID | None = None,
        text: str | None = None,
        entered_by: str = "",
    ) -> Correction:
        """Store what labels a turn, or a text of no turn, should have had; it waits for somebody else's review.

        Args:
            principal: its author.
            head: what of the understanding was wrong.
            labels: the right ones, see `labels.checked`.
            trace_id: the turn, whose text is taken as it was stored; or
            text: a text of no turn, redacted before it is stored.
            entered_by: who typed it where that is somebody else, for the audit log.

        Raises:
            BadInput: no such label, none at all; neither a turn nor a text, or both.
            TooLarge: the text is longer than an inquiry may be.
            NotFound: there is no such turn.
            NotAllowed: the principal is no staff.
        """
        _require(principal, _AUTHORS, "correct the assistant")
        right = checked(head, labels, self._labels())
        given = None if text is None else self._usable(text)
        if (trace_id is None) == (given is None):
            raise BadInput("A correction is of a turn or of a text.", next_step="Give a trace id, or a text: not both.")
        with self._database.session(principal) as session:
            # Masked when it was stored, and again: the rules may have learned since.
            stored = self._redact(_known(self._turns.get(session, trace_id)).inquiry.text) if trace_id else given or ""
            made = self._corrections.add(
                session, trace_id=trace_id, text=stored, head=head, labels=right, author=principal.subject
            )
            audit.record(session, principal.subject, "correction.added", str(made.id), _detail(made, entered_by))
        return made

    def review(
        self, principal: Principal, correction_id: UUID, decision: Status, *, note: str = "", entered_by: str = ""
    ) -> Correction:
        """Accept or reject somebody else's correction; of two reviewers at once, the first decides.

        Raises:
            Conflict: it is the reviewer's own, or has been reviewed.
            NotFound: there is none.
            BadInput: the decision is none.
            TooLarge: the note is over 1,000 characters.
            NotAllowed: the principal is neither analyst nor administrator.
        """
        _require(principal, _REVIEWERS, "review corrections")
        if decision is Status.PENDING:
            raise BadInput("A review accepts or rejects.", next_step="Decide: accepted or rejected.")
        said = self._redact(_short_enough(note, MAX_NOTE_CHARACTERS, "note"))
        with self._database.session(principal) as session:
            found = _reviewable(self._corrections.get(session, correction_id), principal.subject)
            detail = _detail(found, entered_by) | {"author": found.author}
            # Before the row: the log's lock makes `reviewed_at` grow from one commit to the next.
            audit.record(session, principal.subject, f"correction.{decision}", str(found.id), detail)
            decided = self._corrections.decide(session, correction_id, decision, principal.subject, said)
            if decided is None:
                raise _reviewed()
        return decided

    def list(
        self, principal: Principal, *, status: Status | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Correction, ...]:
        """Corrections, the newest first; agents see their own. Raises NotAllowed."""
        _require(principal, _AUTHORS, "read corrections")
        with self._database.session(principal) as session:
            return self._corrections.page(session, status, limit, offset)

    def find(self, principal: Principal, text: str) -> UUID:
        """The correction that `text` stands for: its id, how that begins, or ``newest``, the newest that is pending.

        Raises:
            NotFound: none does.
            BadInput: several do, or it is no such text.
        """
        with self._database.session(principal) as session:
            if text == NEWEST:
                found = tuple(c.id for c in self._corrections.page(session, Status.PENDING, 1, 0))
            elif fullmatch(r"[0-9a-f-]{4,36}", text):
                found = self._corrections.beginning(session, text, 2)
            else:
                raise BadInput(
                    "This is no id of a correction.", next_step=f"Write how one begins, 4 digits or more, or {NEWEST}."
                )
        if not found:
            raise _unknown()
        if len(found) > 1:
            raise BadInput("Several corrections begin so.", next_step="Write more of the id.")
        return found[0]

    def accepted(self, heads: Sequence[Head]) -> tuple[Correction, ...]:
        """Every accepted correction of these heads, in the order of acceptance: for training."""
        with self._database.session(_READER) as session:
            return self._corrections.accepted(session, heads)

    def _usable(self, text: str) -> str:
        clean = self._redact(_short_enough(text, MAX_INQUIRY_CHARACTERS, "text"))
        if not clean:
            raise BadInput("The text is empty.", next_step="Write what the customer wrote.")
        return clean


def _known(turn: Turn | None) -> Turn:
    if turn is None:
        raise NotFound("There is no such turn.", next_step="Take a trace id from the queue.")
    return turn


def _reviewable(found: Correction | None, reviewer: str) -> Correction:
    if found is None:
        raise _unknown()
    if found.author == reviewer:
        raise Conflict(
            "This correction is your own.",
            cause="A second person has to look at it.",
            next_step="Ask another analyst or administrator to review it.",
        )
    if found.status is not Status.PENDING:
        raise _reviewed()
    return found


def _require(principal: Principal, roles: Sequence[Role], what: str) -> None:
    if principal.role not in roles:
        raise NotAllowed(
            f"This login may not {what}.",
            cause=f"Its role is {principal.role.value}.",
            next_step=f"It takes one of the roles {', '.join(role.value for role in roles)}.",
        )


def _short_enough(text: str, most: int, what: str) -> str:
    if len(text) > most:
        raise TooLarge(
            f"The {what} has {len(text):,} characters.", cause=f"At most {most:,} are taken.", next_step="Shorten it."
        )
    return text


def _detail(correction: Correction, entered_by: str) -> dict[str, object]:
    detail: dict[str, object] = {
        "head": correction.head.value,
        "labels": list(correction.labels),
        "trace_id": str(correction.trace_id) if correction.trace_id else None,
    }
    return detail | ({"entered_by": entered_by} if entered_by else {})


def _unknown() -> NotFound:
    return NotFound("There is no such correction.", next_step="See those that there are: teller feedback list.")


def _reviewed() -> Conflict:
    return Conflict(
        "This correction has been reviewed.",
        cause="Somebody decided on it before you.",
        next_step="Read it again; if you think otherwise, write a new correction of the turn.",
    )
