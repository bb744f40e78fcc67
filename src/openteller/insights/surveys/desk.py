"""The desk of surveys: author, send, answer, import, analyse, report; each step of staff with its row in the audit log.

Analysts, administrators and services author, send and import; all staff read. Whoever holds a link, or asked the assistant
something, may answer. A low score asks for a person of the bank where the survey says so. Knows nothing about HTTP.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import LocalText, Principal, Record, Role
from openteller.core.text import normalise
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.insights.surveys import links
from openteller.insights.surveys.analysis import Analysis, analyse, texts_of
from openteller.insights.surveys.answering import checked
from openteller.insights.surveys.figures import Summary, summary
from openteller.insights.surveys.importing import Fault, Imported, Progress, batches, read
from openteller.insights.surveys.records import SCORED, Answer, Channel, Given, StoredSurvey, Survey, Value
from openteller.insights.surveys.repository import Link, SurveyRepository
from openteller.insights.surveys.texts import language_of
from openteller.insights.surveys.themes import Embed
from openteller.store import audit
from openteller.store.database import Database

MAX_LINK_DAYS = 366
_AUTHORS = (Role.ANALYST, Role.ADMIN, Role.SERVICE)
_INVITED = Principal(subject="survey-links", role=Role.SERVICE)
_NAMED_FAULTS = 10
Report = Callable[[int, int], None]


class Overview(Record):
    """A survey in the list of all: its newest version, and how many answers there are to any."""

    stored: StoredSurvey
    answers: int


class SurveyDesk:
    """Surveys, their links, answers and analysis. Safe to share between threads.

    Args:
        database: where they are kept.
        alerts: where a low score is raised.
        redact: drops secrets from a text and masks personal data in it.
        key: gives the key that links are signed with.
        embed: words → vectors, for themes.
        zone: IANA zone of the bank: months, and moments in files that name no zone.
    """

    def __init__(
        self,
        database: Database,
        alerts: AlertDesk,
        *,
        redact: Callable[[str], str],
        key: Callable[[], str],
        embed: Embed,
        zone: str,
    ) -> None:
        self._database, self._alerts, self._surveys = database, alerts, SurveyRepository()
        self._redact, self._key, self._embed, self._zone = redact, key, embed, zone

    def create(self, principal: Principal, survey: Survey) -> tuple[StoredSurvey, bool]:
        """Store a survey, or its next version when it has changed; and whether anything was stored.

        Raises:
            NotAllowed: the principal may not author surveys.
            Conflict: somebody stored a version at the same time.
        """
        _require(principal, _AUTHORS, "author surveys")
        with self._database.session(principal) as session:
            before = self._surveys.get(session, survey.name)
            if before and before.survey == survey:
                return before, False
            made = self._surveys.add(session, survey, before.version + 1 if before else 1, principal.subject)
            detail = {"version": made.version, "questions": len(survey.questions)}
            audit.record(session, principal.subject, "survey.created", survey.name, detail)
        return made, True

    def list(self, principal: Principal) -> tuple[Overview, ...]:
        """Every survey, by name. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            counts = self._surveys.count(session)
            newest = self._surveys.newest(session)
        return tuple(Overview(stored=one, answers=counts.get(one.survey.name, 0)) for one in newest)

    def scores(self, principal: Principal) -> dict[str, tuple[Summary, ...]]:
        """Survey → the figures of its questions of kind nps, csat and ces, from all its answers. Raises NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            newest, numbers = self._surveys.newest(session), self._surveys.numbers(session)
        given: dict[tuple[str, str], list[int]] = {}
        for name, question, number, times in numbers:
            given.setdefault((name, question), []).extend([number] * times)
        return {
            survey.name: tuple(
                found
                for question in survey.questions
                if question.kind in SCORED and (found := summary(question, given.get((survey.name, question.id), [])))
            )
            for survey in (one.survey for one in newest)
        }

    def get(self, principal: Principal, name: str, version: int | None = None) -> StoredSurvey:
        """A survey as it stands, or one version of it. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            return _known(self._surveys.get(session, normalise(name), version))

    def set_open(self, principal: Principal, name: str, is_open: bool) -> StoredSurvey:
        """Let a survey take answers, or no longer. Raises NotFound, NotAllowed."""
        _require(principal, _AUTHORS, "open or close surveys")
        with self._database.session(principal) as session:
            _known(self._surveys.get(session, name))
            self._surveys.set_open(session, name, is_open)
            session.expire_all()
            audit.record(session, principal.subject, "survey.opened" if is_open else "survey.closed", name, {})
            return _known(self._surveys.get(session, name))

    def link(
        self,
        principal: Principal,
        name: str,
        *,
        days: int = 30,
        single_use: bool = True,
        customer_id: str | None = None,
    ) -> str:
        """A new link's token: the survey is asked at ``/survey/{token}``.

        Args:
            principal: who sends it.
            name: the survey, whose newest version is asked.
            days: until it expires, 1–366.
            single_use: whether it takes one answer; else as many as come, which may not be of one customer.
            customer_id: whose answer it will be; None: nobody's.

        Raises:
            NotFound: there is no such survey.
            BadInput: the days are out of range, or a link of a customer is for several answers.
            Conflict: the survey is closed.
            NotAllowed: the principal may not send surveys.
        """
        _require(principal, _AUTHORS, "send surveys")
        if not 1 <= days <= MAX_LINK_DAYS:
            raise BadInput(f"A link lasts 1 to {MAX_LINK_DAYS} days.", next_step="Choose a number between.")
        if customer_id and not single_use:
            raise BadInput("A link of one customer takes one answer.", next_step="Leave the customer out.")
        with self._database.session(principal) as session:
            stored = _taking(_known(self._surveys.get(session, name)))
            values = {
                "id": uuid4(),
                "survey": name,
                "version": stored.version,
                "customer_id": customer_id,
                "single_use": single_use,
                "expires_at": utc_now() + timedelta(days=days),
                "created_by": principal.subject,
            }
            made = self._surveys.invite(session, values)
            detail = {"survey": name, "days": days, "single_use": single_use, "of_a_customer": customer_id is not None}
            audit.record(session, principal.subject, "survey.link", str(made.id), detail)
        return links.token(made.id, self._key())

    def invited(self, token: str) -> StoredSurvey:
        """What the holder of a link is asked.

        Raises:
            NotFound: nobody made such a link.
            Conflict: it has been used, has expired, or the survey is closed.
        """
        with self._database.session(_INVITED) as session:
            return self._invitation(session, token)[1]

    def answer_link(self, token: str, raw: Mapping[str, Any], *, language: str = "", contact: bool = False) -> Answer:
        """Store the answer of whoever holds a link; of two at once to a link for one, one is stored.

        Raises:
            NotFound, Conflict: as `invited`.
            BadInput: as `answering.checked`.
        """
        with self._database.session(_INVITED) as session:
            link, stored = self._invitation(session, token)
            values = checked(stored.survey, raw, self._redact)
            if not self._surveys.use(session, link.id, utc_now()):
                raise _used()
            key = str(link.id) if link.single_use else f"{link.id}:{uuid4()}"
            given = _given(values, key, "link", language, contact, customer_id=link.customer_id)
            return self._store(session, _INVITED, stored, given)

    def after_conversation(self, principal: Principal) -> StoredSurvey | None:
        """What is asked when a conversation is over: the newest open survey that says so; None when none does."""
        with self._database.session(principal) as session:
            asked = [one for one in self._surveys.newest(session) if one.open and one.survey.after_conversation]
        return max(asked, key=lambda one: one.created_at, default=None)

    def answer_turn(
        self, principal: Principal, name: str, trace_id: UUID, raw: Mapping[str, Any], *, contact: bool = False
    ) -> Answer:
        """Store what somebody answers after a conversation, once for each turn.

        Raises:
            NotFound: there is no such survey, or no such turn of the principal's.
            Conflict: the survey is closed, or was answered after this turn.
            BadInput: as `answering.checked`.
        """
        with self._database.session(principal) as session:
            stored = _taking(_known(self._surveys.get(session, normalise(name))))
            whose = self._surveys.owner_of(session, trace_id)
        if whose is None or whose[0] != principal.subject:
            raise NotFound("There is no such turn of yours.", next_step="Use the trace id of a reply of yours.")
        values = checked(stored.survey, raw, self._redact)
        given = _given(values, f"turn:{trace_id}", "widget", "", contact, customer_id=whose[1], trace_id=trace_id)
        # A customer's own session may not write here: what they may not see, such as links, stands beside it.
        with self._database.session(_INVITED) as session:
            return self._store(session, principal, stored, given)

    def import_file(
        self,
        principal: Principal,
        name: str,
        data: bytes,
        file: str,
        *,
        columns: Mapping[str, str] | None = None,
        skip_bad: bool = False,
        progress: Report | None = None,
    ) -> Progress:
        """Store the answers in a CSV or XLSX file; those that are there already stay as they are.

        What was stored before an import is stopped stays stored; the same file imported again goes on where it stopped.

        Raises:
            NotFound: there is no such survey.
            BadInput: as `importing.read`; or rows cannot be used and `skip_bad` is not set, and then nothing is stored.
            NotAllowed: the principal may not import answers.
        """
        stored, done = self._importable(principal, name), 0
        held = read(data, file, stored.survey, zone=self._zone, redact=self._redact, columns=columns)
        if held.faults and not skip_bad:
            raise _faulty(file, held.faults)
        added = 0
        for batch in batches(held.answers):
            with self._database.session(principal) as session:
                added += self._surveys.answer(session, name, stored.version, batch)
            done += len(batch)
            if progress:
                progress(done, len(held.answers))
        self._note_import(principal, name, held, added)
        known = len(held.answers) - added
        return Progress(added=added, known=known, faults=held.faults, ignored=held.ignored)

    def answers(self, principal: Principal, name: str, *, limit: int = 50, offset: int = 0) -> tuple[Answer, ...]:
        """The answers to a survey, the oldest first. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            _known(self._surveys.get(session, name))
            return self._surveys.answers(session, name, limit=limit, offset=offset)

    def answer(self, principal: Principal, answer_id: UUID) -> tuple[Answer, str]:
        """An answer and what it says in its own words. Raises NotFound, NotAllowed."""
        _require_staff(principal)
        with self._database.session(principal) as session:
            found = self._surveys.get_answer(session, answer_id)
            if found is None:
                raise NotFound("There is no such answer.", next_step="Take an id from the survey's follow-up list.")
            survey = _known(self._surveys.get(session, found.survey, found.version)).survey
        return found, "\n".join(texts_of(survey, found))

    def analyse(
        self, principal: Principal, name: str, *, first: date | None = None, last: date | None = None
    ) -> tuple[Survey, Analysis, tuple[Answer, ...]]:
        """The newest version of a survey, what its answers say, and the answers; of the days from `first` to `last`.

        Answers to questions that the newest version no longer asks are left out.

        Raises:
            NotFound: there is no such survey, or no answer in that time.
            NotAllowed: the principal is no staff.
        """
        _require_staff(principal)
        begin, end = _moments(first, last, self._zone)
        with self._database.session(principal) as session:
            survey = _known(self._surveys.get(session, normalise(name))).survey
            answers = self._surveys.answers(session, survey.name, first=begin, before=end)
        if not answers:
            raise NotFound("There are no answers in that time.", next_step="Import some: teller survey import.")
        return survey, analyse(survey, answers, zone=self._zone, embed=self._embed), answers

    def _invitation(self, session: Session, token: str) -> tuple[Link, StoredSurvey]:
        link = self._surveys.link(session, links.link_of(token, self._key()))
        stored = self._surveys.get(session, link.survey, link.version) if link else None
        if link is None or stored is None:
            raise NotFound("There is no such survey.", next_step="Ask whoever sent you the link.")
        if link.expires_at <= utc_now():
            raise Conflict("This link has expired.", next_step="Ask whoever sent it for a new one.")
        if link.single_use and link.used_at:
            raise _used()
        return link, _taking(stored)

    def _store(self, session: Session, principal: Principal, stored: StoredSurvey, given: Given) -> Answer:
        survey = stored.survey
        if not self._surveys.answer(session, survey.name, stored.version, [given]):
            raise _used()
        answer = self._surveys.keyed(session, survey.name, given.key)
        self._mind_low_score(session, survey, answer)
        detail = {"survey": survey.name, "version": stored.version, "channel": given.channel}
        audit.record(session, principal.subject, "survey.answered", str(answer.id), detail)
        return answer

    def _mind_low_score(self, session: Session, survey: Survey, answer: Answer) -> None:
        """Where the survey says so, a low score asks for a person in its conversation, and staff are alerted."""
        score = answer.score(survey.outcome) if survey.outcome else None
        if score is None or survey.hand_off_at is None or score > survey.hand_off_at:
            return
        if answer.trace_id:
            self._surveys.hand_off(session, answer.trace_id, f"survey {survey.name}: scored {score}")
        title = LocalText(
            zh=f"问卷“{survey.title.zh}”收到低分：{score}", en=f"A low score in “{survey.title.en}”: {score}"
        )
        self._alerts.raise_in(
            session,
            NewAlert(
                kind="survey.low_score",
                key=f"survey answer {answer.id}",
                severity=Severity.WARNING,
                title=title,
                subject=str(answer.id),
                link=f"/console/surveys/{survey.name}?answer={answer.id}",
                detail={"survey": survey.name, "score": score, "contact": answer.contact},
            ),
        )

    def _importable(self, principal: Principal, name: str) -> StoredSurvey:
        _require(principal, _AUTHORS, "import answers")
        with self._database.session(principal) as session:
            return _known(self._surveys.get(session, name))

    def _note_import(self, principal: Principal, name: str, held: Imported, added: int) -> None:
        detail = {"rows": len(held.answers), "added": added, "faults": len(held.faults)}
        with self._database.session(principal) as session:
            audit.record(session, principal.subject, "survey.imported", name, detail)


def _given(
    values: dict[str, Value],
    key: str,
    channel: Channel,
    language: str,
    contact: bool,
    *,
    customer_id: str | None = None,
    trace_id: UUID | None = None,
) -> Given:
    """An answer given now. Its language is that of its texts; where there are none, that in which it was asked."""
    said = " ".join(value for value in values.values() if isinstance(value, str))
    return Given(
        values=values,
        key=key,
        channel=channel,
        language=language if language in ("zh", "en") and not said else language_of(said),
        answered_at=utc_now(),
        customer_id=customer_id,
        trace_id=trace_id,
        contact=contact,
    )


def _moments(first: date | None, last: date | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """The moments at which the days begin and are over."""
    if first and last and last < first:
        raise BadInput("The last day comes before the first.", next_step="Swap them.")
    local = ZoneInfo(zone)
    begin = datetime.combine(first, time(), local) if first else None
    end = datetime.combine(last + timedelta(days=1), time(), local) if last else None
    return begin, end


def _known(stored: StoredSurvey | None) -> StoredSurvey:
    if stored is None:
        raise NotFound("There is no such survey.", next_step="See those that there are: teller survey list.")
    return stored


def _taking(stored: StoredSurvey) -> StoredSurvey:
    if not stored.open:
        raise Conflict("This survey is closed.", next_step="It takes no answers any more.")
    return stored


def _used() -> Conflict:
    return Conflict("This survey has been answered.", cause="It takes one answer.", next_step="Nothing more is needed.")


def _faulty(file: str, faults: tuple[Fault, ...]) -> BadInput:
    named = "; ".join(f"line {fault.line}: {fault.message}" for fault in faults[:_NAMED_FAULTS])
    more = f" (and {len(faults) - _NAMED_FAULTS:,} more)" if len(faults) > _NAMED_FAULTS else ""
    return BadInput(
        f"{len(faults):,} rows of {file} cannot be used; nothing was stored.",
        cause=named + more,
        next_step="Correct them, or leave them out with --skip-bad.",
    )


def _require(principal: Principal, roles: tuple[Role, ...], what: str) -> None:
    if principal.role not in roles:
        raise NotAllowed(
            f"This login may not {what}.",
            cause=f"Its role is {principal.role.value}.",
            next_step=f"It takes one of the roles {', '.join(role.value for role in roles)}.",
        )


def _require_staff(principal: Principal) -> None:
    if not principal.role.is_staff:
        raise NotAllowed("Surveys are for the bank's staff.", next_step="Log in as an agent, analyst or administrator.")
