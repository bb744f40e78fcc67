"""The records of assessing: a filled-in questionnaire, what waits for a yes, and where a customer stands."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from openteller.core.records import InvestorClass, Record
from openteller.customers.assessment.scoring import Remark
from openteller.customers.records import RiskAssessment


class Rules(Record):
    """How long an assessment holds and how often it may be made: at the most what the Order allows (Art. 29)."""

    months: int = Field(12, ge=1, le=12, description="an assessment holds so long")
    a_day: int = Field(2, ge=1, le=2, description="assessments of one customer on one day")
    a_year: int = Field(8, ge=1, le=8, description="within twelve months")


class Filled(Record):
    """One filled-in questionnaire with its result. Kept for good; a `pending` one is in force only where it lowers the class."""

    id: UUID
    customer_id: str
    version: str = Field(description="of the questionnaire")
    answers: dict[str, str] = Field(description="question id → option id")
    score: int = Field(ge=0, le=100)
    investor_class: InvestorClass
    previous_class: InvestorClass | None = Field(None, description="of the assessment before; None: the first")
    reasons: tuple[Remark, ...]
    submitted_by: str
    submitted_at: datetime
    status: Literal["pending", "confirmed"]
    confirmed_at: datetime | None = None

    @property
    def lowers(self) -> bool:
        """Whether the class is lower than before: such a one counts before it is agreed to."""
        return self.previous_class is not None and self.investor_class.number < self.previous_class.number


class Assessed(Record):
    """What came of an attempt: what the customer has to agree to first, or the assessment."""

    to_confirm: tuple[Remark, ...] = Field((), description="agree to these codes; empty: nothing waits")
    filled: Filled | None = Field(None, description="None: the answers contradict each other and were not scored")
    assessment: RiskAssessment | None = Field(None, description="what is in force now through this attempt")


class Standing(Record):
    """Where a customer stands today."""

    assessment: RiskAssessment | None = Field(None, description="the latest, in force or not; None: never assessed")
    in_force: bool
    reasons: tuple[Remark, ...] = Field((), description="why this class; empty where it did not come from here")
    pending: Filled | None = Field(None, description="a changed class that waits for a yes")
    left_today: int = Field(ge=0, description="assessments that may still be made today")
