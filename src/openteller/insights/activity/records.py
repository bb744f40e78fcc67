"""The record of activity. Knows nothing about how it is counted."""

from datetime import datetime

from pydantic import Field

from openteller.core.records import Outcome, Record


class Activity(Record):
    """The turns from `since` to `until`, counted. Moments are in UTC."""

    since: datetime
    until: datetime
    outcomes: dict[Outcome, int] = Field(description="outcome → turns; every outcome is named")
    hours: dict[datetime, dict[Outcome, int]] = Field(description="beginning of the hour → outcome → turns")
    ratings: dict[int, int] = Field(description="rating 1–5 → how often it was given to these turns")
    hand_offs_open: int = Field(description="hand-offs that wait for a person now")
    hand_offs_taken: int = Field(description="conversations that a person leads now")

    @property
    def turns(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())

    @property
    def rating(self) -> float | None:
        """The mean rating; None when nobody rated."""
        given = sum(self.ratings.values())
        return sum(value * count for value, count in self.ratings.items()) / given if given else None
