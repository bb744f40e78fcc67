"""Time: UTC inside, local for people."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from openteller.core.clock import local_date, local_text, utc_now

EVENING = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)


def test_now_is_utc_and_aware() -> None:
    now = utc_now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_the_local_date_is_past_midnight_in_shanghai() -> None:
    assert local_date(EVENING, "Asia/Shanghai") == date(2026, 11, 24)
    assert local_date(EVENING, "America/New_York") == date(2026, 11, 23)


def test_local_text() -> None:
    assert local_text(EVENING, "Asia/Shanghai") == "2026-11-24 00:30"


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        local_date(EVENING, "Asia/Nowhere")
