"""The record of a report: sections of paragraphs, figures, tables, plots and quotes, with where each claim comes from.

Knows nothing about what is reported, or how it is drawn.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from openteller.core.records import Record
from openteller.insights.reports.drawing import Drawing

ReportLanguage = Literal["zh", "en"]


class Source(Record):
    """Where a claim comes from: what is shown, and where it is found."""

    text: str = Field(min_length=1)
    url: str = Field("", description="https://…, a path of the console, or #… within the report; empty: only the text")

    @field_validator("url")
    @classmethod
    def _harmless(cls, url: str) -> str:
        # The pages of a report run nothing: an address with another scheme could be a script.
        if url and not url.startswith(("https://", "http://", "/", "#")):
            raise ValueError("an address begins with https://, http://, / or #")
        return url


class Paragraph(Record):
    """A few sentences."""

    kind: Literal["paragraph"] = "paragraph"
    text: str = Field(min_length=1)
    sources: tuple[Source, ...] = ()
    note: bool = Field(False, description="a remark about how figures came about, set smaller")


class KeyFigure(Record):
    """One figure as it is to be read, with its name and how sure it is."""

    label: str
    value: str
    note: str = ""


class KeyFigures(Record):
    """The figures that are read first, side by side."""

    kind: Literal["figures"] = "figures"
    figures: tuple[KeyFigure, ...] = Field(min_length=1)


class Table(Record):
    """Rows of text; from column `numbers` on they are figures and stand to the right."""

    kind: Literal["table"] = "table"
    caption: str = ""
    head: tuple[str, ...] = Field(min_length=1)
    rows: tuple[tuple[str, ...], ...]
    numbers: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _as_wide_as_its_head(self) -> "Table":
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError("every row of a table has as many cells as its head")
        return self


class Plot(Record):
    """A drawing, and a line below it."""

    kind: Literal["plot"] = "plot"
    drawing: Drawing
    note: str = ""


class Quote(Record):
    """What somebody said, word for word, masked where it was masked in the store."""

    kind: Literal["quote"] = "quote"
    text: str = Field(min_length=1)
    sources: tuple[Source, ...] = ()


Block = Annotated[Paragraph | KeyFigures | Table | Plot | Quote, Field(discriminator="kind")]


class Section(Record):
    """A heading and what stands under it."""

    title: str = Field(min_length=1)
    blocks: tuple[Block, ...]


class Period(Record):
    """Of which days a report tells, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _forward(self) -> "Period":
        if self.last < self.first:
            raise ValueError("a period ends after it begins")
        return self


class Report(Record):
    """A whole report in one language. `made_at` is in UTC; `made_on` is what a person reads."""

    title: str = Field(min_length=1)
    language: ReportLanguage
    bank: str
    period: Period | None = Field(None, description="None: of no particular time")
    made_at: datetime
    timezone: str = Field(description="IANA zone in which moments are shown")
    lead: str = Field("", description="what the report says, in a sentence or two")
    sections: tuple[Section, ...]
