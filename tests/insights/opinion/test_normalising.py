"""From what a source brought to an item."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.insights.opinion.normalising import item_of, language_of, plain
from openteller.insights.opinion.sources.moments import moment_of
from tests.insights.opinion.given import NOON, raw


@given(st.text(max_size=200))
def test_plain_text_stays_as_it_is_when_it_is_made_plain_again(text: str) -> None:
    once = plain(text)
    if "<" not in once and "&" not in once:
        assert plain(once) == once


def test_markup_goes_and_the_same_words_have_one_hash() -> None:
    one = item_of(raw("A &amp; B", text="<p>First <b>line</b></p><script>x()</script><p>second</p>"), "s", NOON)
    assert (one.title, one.text) == ("A & B", "First line\nsecond")
    other = item_of(raw("", text="A & B\nfirst LINE; second"), "t", NOON)
    assert (other.title, other.content_hash) == ("A & B", one.content_hash)
    assert item_of(raw("松灣銀行"), "s", NOON).content_hash == item_of(raw("松湾银行。"), "s", NOON).content_hash


def test_without_words_there_is_no_item() -> None:
    with pytest.raises(BadInput, match="no words"):
        item_of(raw("<br>", text=" …! "), "s", NOON)


@pytest.mark.parametrize(
    ("text", "language"),
    [("银行今天开业", "zh-Hans"), ("銀行今天開業", "zh-Hant"), ("A bank opens", "en"), ("银行推出 new app", "zh-Hans"), ("Банк открылся", "other"), ("123", "other")],
)  # fmt: skip
def test_language_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02T12:00:00+08:00", NOON),
        ("2026-03-02 04:00:00", NOON),
        ("Mon, 02 Mar 2026 12:00:00 +0800", NOON),
        (str(int(NOON.timestamp())), NOON),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("yesterday", None),
        ("9" * 30, None),
    ],
)
def test_dates_as_sources_write_them(text: str, moment: datetime | None) -> None:
    assert moment_of(text) == moment
