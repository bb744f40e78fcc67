"""Filled-in questionnaires in the store. Every method works in the caller's transaction; row-level security guards it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from openteller.customers.assessment.records import Filled
from openteller.customers.records import RiskAssessment
from openteller.store.tables import QuestionnaireRow, RiskAssessmentRow

_LOCK = 0x61737373


class QuestionnaireRepository:
    """What customers answered. Rows are added; of a pending one the confirmation, and nothing else, may follow."""

    def lock(self, session: Session, customer_id: str) -> None:
        """Let one attempt of this customer be made at a time, until the transaction ends."""
        session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(customer_id))))

    def add(self, session: Session, filled: Filled) -> None:
        """Store one."""
        values = filled.model_dump(exclude={"reasons"}) | {
            "reasons": [remark.model_dump(mode="json") for remark in filled.reasons],
            "investor_class": filled.investor_class.value,
            "previous_class": filled.previous_class and filled.previous_class.value,
        }
        session.execute(insert(QuestionnaireRow.__table__).values(values))  # type: ignore[arg-type]

    def get(self, session: Session, customer_id: str, filled_id: UUID) -> Filled | None:
        """One of this customer; None when there is none that the session may see."""
        query = select(QuestionnaireRow).where(
            QuestionnaireRow.customer_id == customer_id, QuestionnaireRow.id == filled_id
        )
        row = session.scalars(query).first()
        return _filled(row) if row else None

    def latest(self, session: Session, customer_id: str) -> Filled | None:
        """The newest one."""
        query = select(QuestionnaireRow).where(QuestionnaireRow.customer_id == customer_id)
        row = session.scalars(query.order_by(QuestionnaireRow.submitted_at.desc()).limit(1)).first()
        return _filled(row) if row else None

    def source(self, session: Session, customer_id: str, moment: datetime) -> Filled | None:
        """The one that made the assessment of this moment; None for an assessment from elsewhere."""
        made = or_(QuestionnaireRow.confirmed_at == moment, QuestionnaireRow.submitted_at == moment)
        query = select(QuestionnaireRow).where(QuestionnaireRow.customer_id == customer_id, made)
        row = session.scalars(query).first()
        return _filled(row) if row else None

    def since(self, session: Session, customer_id: str, moment: datetime) -> int:
        """How many were submitted from `moment` on, confirmed or not."""
        query = select(func.count()).where(
            QuestionnaireRow.customer_id == customer_id, QuestionnaireRow.submitted_at >= moment
        )
        return session.scalar(query) or 0

    def confirm(self, session: Session, filled_id: UUID, at: datetime) -> bool:
        """Confirm a pending one; False when it is none any more."""
        waiting = (QuestionnaireRow.id == filled_id, QuestionnaireRow.status == "pending")
        query = update(QuestionnaireRow).where(*waiting).values(status="confirmed", confirmed_at=at)
        return session.scalar(query.returning(QuestionnaireRow.id)) is not None

    def put_in_force(self, session: Session, assessment: RiskAssessment) -> None:
        """Add the assessment that a questionnaire leads to."""
        # Without RETURNING, and after the questionnaire: the policy looks for it.
        session.execute(insert(RiskAssessmentRow.__table__).values(**assessment.model_dump()).inline())  # type: ignore[arg-type]


def _filled(row: QuestionnaireRow) -> Filled:
    return Filled.model_validate({name: getattr(row, name) for name in Filled.model_fields})
