"""Time helpers. The store keeps UTC; what a person reads is local."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return datetime.now(UTC)


def local_date(moment: datetime, zone: str) -> date:
    """The calendar date of `moment` in the IANA time zone `zone` (e.g. ``Asia/Shanghai``)."""
    return moment.astimezone(ZoneInfo(zone)).date()


def local_text(moment: datetime, zone: str) -> str:
    """`moment` as ``YYYY-MM-DD HH:MM`` in the IANA time zone `zone`."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
