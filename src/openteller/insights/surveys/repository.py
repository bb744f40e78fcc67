"""Surveys, answers and links in the store, in the caller's transaction; row-level security decides what is visible."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import column, func, or_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from openteller.core.records import Record
from openteller.insights.surveys.records import Answer, Given, StoredSurvey, Survey
from openteller.store.tables import HandOffRow, SurveyAnswerRow, SurveyLinkRow, SurveyRow, TurnRow


class Link(Record):
    """An invitation as it is kept."""

    id: UUID
    survey: str
    version: int
    customer_id: str | None
    single_use: bool
    expires_at: datetime
    used_at: datetime | None


class SurveyRepository:
    """Every method works in the caller's transaction."""

    def add(self, session: Session, survey: Survey, version: int, author: str) -> StoredSurvey:
        """Store a version. Of two writers of one version, the second raises Conflict as it commits."""
        values = {
            "name": survey.name,
            "version": version,
            "definition": survey.model_dump(mode="json"),
            "created_by": author,
        }
        return _stored(session.scalars(insert(SurveyRow).values(values).returning(SurveyRow)).one())

    def get(self, session: Session, name: str, version: int | None = None) -> StoredSurvey | None:
        """This version of a survey, or the newest; None when there is none."""
        query = select(SurveyRow).where(SurveyRow.name == name).order_by(SurveyRow.version.desc()).limit(1)
        row = session.scalars(query if version is None else query.where(SurveyRow.version == version)).first()
        return _stored(row) if row else None

    def newest(self, session: Session) -> tuple[StoredSurvey, ...]:
        """The newest version of each survey, by name."""
        newest = select(SurveyRow.name, func.max(SurveyRow.version)).group_by(SurveyRow.name)
        query = select(SurveyRow).where(tuple_(SurveyRow.name, SurveyRow.version).in_(newest))
        return tuple(_stored(row) for row in session.scalars(query.order_by(SurveyRow.name)))

    def set_open(self, session: Session, name: str, is_open: bool) -> None:
        """Open or close a survey, all its versions."""
        session.execute(update(SurveyRow).where(SurveyRow.name == name).values(open=is_open))

    def answer(self, session: Session, survey: str, version: int, given: Sequence[Given]) -> int:
        """Store answers; how many were new. One whose key is known is left as it was."""
        rows = [
            one.model_dump(mode="json", exclude={"answered_at"})
            | {"survey": survey, "version": version, "answered_at": one.answered_at}
            for one in given
        ]
        if not rows:
            return 0
        known = insert(SurveyAnswerRow).on_conflict_do_nothing(constraint="uq_survey_answers_survey_key")
        return len(session.scalars(known.returning(SurveyAnswerRow.id), rows).all())

    def answers(
        self,
        session: Session,
        survey: str,
        *,
        first: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Answer, ...]:
        """The answers to all versions, the oldest first: from `first` on and before `before`."""
        query = select(SurveyAnswerRow).where(SurveyAnswerRow.survey == survey)
        if first is not None:
            query = query.where(SurveyAnswerRow.answered_at >= first)
        if before is not None:
            query = query.where(SurveyAnswerRow.answered_at < before)
        ordered = query.order_by(SurveyAnswerRow.answered_at, SurveyAnswerRow.id).limit(limit).offset(offset)
        return tuple(_answer(row) for row in session.scalars(ordered))

    def get_answer(self, session: Session, answer_id: UUID) -> Answer | None:
        """The answer; None when there is none that the session may see."""
        row = session.get(SurveyAnswerRow, answer_id)
        return _answer(row) if row else None

    def keyed(self, session: Session, survey: str, key: str) -> Answer:
        """The answer with this key, which the session has stored."""
        query = select(SurveyAnswerRow).where(SurveyAnswerRow.survey == survey, SurveyAnswerRow.key == key)
        return _answer(session.scalars(query).one())

    def count(self, session: Session) -> dict[str, int]:
        """Survey → how many answers it has."""
        query = select(SurveyAnswerRow.survey, func.count()).group_by(SurveyAnswerRow.survey)
        return {name: number for name, number in session.execute(query)}

    def numbers(self, session: Session) -> tuple[tuple[str, str, int, int], ...]:
        """(survey, question, number, how often it was answered), of all answers."""
        given = func.jsonb_each(SurveyAnswerRow.values).table_valued("key", column("value", JSONB))
        by = (SurveyAnswerRow.survey, given.c.key, given.c.value)
        query = select(*by, func.count()).join(given, true()).where(func.jsonb_typeof(given.c.value) == "number")
        return tuple((name, asked, int(number), n) for name, asked, number, n in session.execute(query.group_by(*by)))

    def invite(self, session: Session, values: dict[str, Any]) -> Link:
        """Store a link."""
        return _link(session.scalars(insert(SurveyLinkRow).values(values).returning(SurveyLinkRow)).one())

    def link(self, session: Session, link_id: UUID) -> Link | None:
        """The link; None when there is none."""
        row = session.get(SurveyLinkRow, link_id)
        return _link(row) if row else None

    def use(self, session: Session, link_id: UUID, now: datetime) -> bool:
        """Use a link, if it may still be used; of two at once, a link for one lets one through."""
        usable = (
            SurveyLinkRow.id == link_id,
            SurveyLinkRow.expires_at > now,
            or_(SurveyLinkRow.used_at.is_(None), SurveyLinkRow.single_use.is_(False)),
        )
        query = update(SurveyLinkRow).where(*usable).values(used_at=now).returning(SurveyLinkRow.id)
        return session.scalar(query) is not None

    def owner_of(self, session: Session, trace_id: UUID) -> tuple[str, str | None] | None:
        """Whose turn it is, and of which customer; None when there is no such turn that the session may see."""
        row = session.execute(select(TurnRow.owner, TurnRow.customer_id).where(TurnRow.trace_id == trace_id)).first()
        return (row[0], row[1]) if row else None

    def hand_off(self, session: Session, trace_id: UUID, reason: str) -> None:
        """Ask for a person of the bank in the conversation of this turn; once, while nobody has closed it."""
        waiting = select(HandOffRow.id).where(HandOffRow.trace_id == trace_id, HandOffRow.status != "closed")
        turn = session.get(TurnRow, trace_id)
        if turn is None or session.scalar(waiting) is not None:
            return
        session.add(
            HandOffRow(trace_id=trace_id, conversation_id=turn.conversation_id, owner=turn.owner, reason=reason)
        )
        session.flush()


def _stored(row: SurveyRow) -> StoredSurvey:
    return StoredSurvey(
        survey=Survey.model_validate(row.definition),
        version=row.version,
        open=row.open,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _answer(row: SurveyAnswerRow) -> Answer:
    return Answer.model_validate({name: getattr(row, name) for name in Answer.model_fields})


def _link(row: SurveyLinkRow) -> Link:
    return Link.model_validate({name: getattr(row, name) for name in Link.model_fields})
