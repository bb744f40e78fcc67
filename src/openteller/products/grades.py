"""The risk grades of a product over time: what issuer and bank said from which day on; the higher of the two counts.

Source: 金融机构产品适当性管理办法 (NFRA Order [2025] No. 7): grades of issuer and seller that differ are used and shown
by the higher one, and follow the market. The grade in the catalogue is the issuer's until the issuer changes it.
Knows nothing about who holds the product.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from openteller.core.records import Record
from openteller.products.records import RiskGrade


class GradedBy(StrEnum):
    """Whose judgement a grade is."""

    ISSUER = "issuer"
    BANK = "bank"


class Grading(Record):
    """One judgement: it stands from `from_on` until a later one of the same party. Never changed, never deleted."""

    product_id: str
    graded_by: GradedBy
    grade: RiskGrade
    from_on: date = Field(description="first day on which it holds, in the bank's time zone")
    because: str = Field(min_length=1, description="the reason")
    author: str = Field(description="who recorded it")
    at: datetime = Field(description="when it was recorded")


class GradeStep(Record):
    """What counted from a day on: the issuer's grade, the bank's (None: never given), and the higher of them."""

    from_on: date
    issuer: RiskGrade
    bank: RiskGrade | None
    effective: RiskGrade


def grade_on(catalogue: RiskGrade, gradings: Iterable[Grading], on: date) -> GradeStep:
    """What counts on day `on`.

    Args:
        catalogue: the product's grade as its record has it.
        gradings: of this one product, in the order in which they were recorded: of two for one day the later counts.
        on: the day.
    """
    standing: dict[GradedBy, Grading] = {}
    for grading in gradings:
        known = standing.get(grading.graded_by)
        if grading.from_on <= on and (known is None or grading.from_on >= known.from_on):
            standing[grading.graded_by] = grading
    issuer = standing[GradedBy.ISSUER].grade if GradedBy.ISSUER in standing else catalogue
    bank = standing[GradedBy.BANK].grade if GradedBy.BANK in standing else None
    since = max((grading.from_on for grading in standing.values()), default=date.min)
    return GradeStep(from_on=since, issuer=issuer, bank=bank, effective=higher(issuer, bank))


def higher(issuer: RiskGrade, bank: RiskGrade | None) -> RiskGrade:
    """The higher of both."""
    return issuer if bank is None else max(issuer, bank, key=lambda grade: grade.number)


def history(catalogue: RiskGrade, gradings: Iterable[Grading], since: date) -> tuple[GradeStep, ...]:
    """What counted from `since` on, a step a day on which something changed, the oldest first."""
    recorded = tuple(gradings)
    days = sorted({since, *(grading.from_on for grading in recorded if grading.from_on > since)})
    steps = [grade_on(catalogue, recorded, day).model_copy(update={"from_on": day}) for day in days]
    return tuple(step for place, step in enumerate(steps) if place == 0 or _differs(step, steps[place - 1]))


def _differs(step: GradeStep, before: GradeStep) -> bool:
    return (step.issuer, step.bank) != (before.issuer, before.bank)
