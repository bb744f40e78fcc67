"""The records of telling holders: one notice, what one round of writing did, what became of it, what a report covers.

Moments are UTC. Knows nothing about how a notice is stored or handed over.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from openteller.core.records import LocalText, Record
from openteller.products.records import RiskGrade
from openteller.recommendation.rematching import Rematch


class Channel(StrEnum):
    """How a customer is told. A notice stands on the customer's page whatever its channel."""

    INBOX = "inbox"
    """The page alone: sent with its writing."""
    SMS = "sms"
    LETTER = "letter"
    PHONE = "phone"


class NewNotice(Record):
    """What is about to be told: one notice for each customer, product, day of the grade, and set of reasons."""

    customer_id: str
    product_id: str
    product: LocalText = Field(description="the product's name")
    grade_before: RiskGrade
    grade: RiskGrade
    from_on: date = Field(description="first day of the grade")
    codes: tuple[str, ...] = Field(description="of the reasons (products/suitability.py)")
    text: LocalText = Field(description="worded to the customer")
    channel: Channel


class RegradeNotice(NewNotice):
    """One that was written."""

    id: UUID
    at: datetime
    sent_at: datetime | None = Field(None, description="None: the bank's own delivery has not handed it over yet")
    read_at: datetime | None = Field(None, description="when the customer first saw it on their page")


class Noticed(Record):
    """What one round of writing did; a second one on the same day adds nothing."""

    product_id: str
    on: date
    grade_before: RiskGrade
    grade: RiskGrade
    holders: int
    added: int = Field(description="notices written by this call")
    already: int = Field(description="notices that had been written before")
    note: LocalText | None = Field(None, description="what the figures leave out")


class Told(Record):
    """What was told of one grade of a product from one day on, and what became of it."""

    product_id: str
    product: LocalText = Field(description="the product's name, as it was told")
    grade_before: RiskGrade
    grade: RiskGrade
    from_on: date = Field(description="first day of the grade")
    first_at: datetime
    last_at: datetime
    customers: int = Field(description="who were told")
    notices: int = Field(description="one customer has several where the reasons changed")
    unsent: int = Field(description="notices that nobody has handed over")
    read: int = Field(description="notices that the customer has seen on their page")


class HoldersReport(Rematch):
    """The holders matched anew, with what the report leaves out."""

    note: LocalText | None = Field(None, description="whose holders are not in it; None: everybody's are")
