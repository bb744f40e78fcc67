"""The few words that every report has, in both languages. Knows nothing about what is reported."""

from openteller.core.records import LocalText
from openteller.insights.reports.records import Period

_PERIOD = LocalText(zh="{first} 至 {last}", en="{first} to {last}")
_MADE = LocalText(zh="生成于 {when}", en="made {when}")
_PAGE = LocalText(zh="第 {page} 页，共 {pages} 页", en="page {page} of {pages}")


def period(told: Period, language: str) -> str:
    """The days that a report tells of."""
    return _PERIOD.of(language).format(first=told.first, last=told.last)


def made(when: str, language: str) -> str:
    """When it was made."""
    return _MADE.of(language).format(when=when)


def page_of(page: int | str, pages: int | str, language: str) -> str:
    """The line at the foot of a page."""
    return _PAGE.of(language).format(page=page, pages=pages)
