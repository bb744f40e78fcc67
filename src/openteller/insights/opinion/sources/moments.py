"""Dates as sources write them: ISO 8601, RFC 2822, seconds of the Unix epoch. Knows nothing about sources."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def moment_of(text: str) -> datetime | None:
    """The moment in UTC; None for what is no date. Without an offset it counts as UTC."""
    text = text.strip()
    found = _iso(text) or _epoch(text) or _mail(text)
    if found is None:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), UTC) if text.replace(".", "", 1).isdigit() else None
    except (ValueError, OverflowError, OSError):
        return None


def _mail(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
