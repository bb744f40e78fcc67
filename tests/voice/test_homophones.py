"""Homophones: misheard words of the bank come back, ordinary sentences stay, digits are never touched.

The pairs in homophones.yaml were written for this test; the floors of `held_out` were measured once, after `tune` was done.
"""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.voice.bank_words import WrittenWords, written_in
from openteller.voice.homophones import Hotwords, hotwords_for_prompt

_DATA = yaml.safe_load((Path(__file__).parent / "homophones.yaml").read_text("utf-8"))
_HOTWORDS = Hotwords(_DATA["words"])


def _counts(part: str, language: str) -> tuple[int, list[str]]:
    """How many misheard sentences came right, and which ordinary ones were changed."""
    rows = _DATA[part][language]
    right = sum(_HOTWORDS.correct(heard, language).text == meant for heard, meant in rows["changed"])
    harmed = [text for text in rows["same"] if _HOTWORDS.correct(text, language).text != text]
    return right, harmed


@pytest.mark.parametrize(
    ("part", "language", "floor"),
    [("tune", "zh", 22), ("tune", "en", 3), ("held_out", "zh", 20), ("held_out", "en", 2)],
)
def test_misheard_words_come_back_and_ordinary_ones_stay(part: str, language: str, floor: int) -> None:
    right, harmed = _counts(part, language)
    print(f"{part} {language}: {right} of {len(_DATA[part][language]['changed'])} put right, harmed: {harmed}")
    assert right >= floor
    assert not harmed


def test_what_was_meant_is_left_alone() -> None:
    for part in ("tune", "held_out"):
        for language in ("zh", "en"):
            for _, meant in _DATA[part][language]["changed"]:
                assert _HOTWORDS.correct(meant, language).changes == ()


def test_a_change_says_what_where_and_how_sure() -> None:
    (change,) = _HOTWORDS.correct("我的帐户12元", "zh").changes
    assert (change.before, change.after, change.start, change.end, change.confidence) == ("帐户", "账户", 2, 4, 0.99)


def test_a_word_that_contains_a_known_one_is_found() -> None:
    assert _HOTWORDS.correct("大鹅存单", "zh").text == "大额存单"


def test_a_name_already_there_is_not_widened() -> None:
    assert _HOTWORDS.correct("can I pay a Pinebay customer", "en").changes == ()


def test_names_of_ordinary_words_never_replace_other_words() -> None:
    assert (
        Hotwords(["Steady Alerts", "Structured Deposit"]).correct("a study of an alert restricted", "en").changes == ()
    )


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("年终讲到了", "年终奖到了"),
        ("交了两年攻击金", "交了两年公积金"),
        ("我要提前", "我要提前"),  # in the documents as it is
        ("那个初长的", "那个初长的"),  # another tone
        ("我在商店", "我在商店"),
    ],
)
def test_words_of_the_documents_replace_what_sounds_exactly_so(heard: str, meant: str) -> None:
    written = written_in(["年终奖可以提前支取，公积金贷款不能。", "出厂日期"])
    assert Hotwords([], written).correct(heard, "zh").text == meant


def test_guessed_words_are_none() -> None:
    assert written_in(["松湾定期宝的住房公积金贷款"]).words >= {"公积金", "住房", "贷款"}
    assert "松湾定" not in written_in(["松湾定期宝的公积金"]).words


def test_documents_are_read_again_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    now, documents, asked = [0.0], ["车险"], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def texts() -> list[str]:
        asked.append(1)
        return list(documents)

    words = WrittenWords(lambda: len(documents), texts)
    assert words().words == {"车险"}
    documents.append("公积金")
    assert words().words == {"车险"}
    now[0] = 61.0
    assert words().words == {"车险", "公积金"}
    now[0] = 122.0
    assert words() is words()
    assert len(asked) == 2


def test_a_library_without_end_is_read_in_part() -> None:
    assert len(written_in("车险" * 1_000 for _ in range(10_000)).text) <= 1_100_000


def test_without_words_nothing_changes() -> None:
    assert Hotwords([]).correct("我的帐户 pine bay", "zh").text == "我的帐户 pine bay"


_MIXED = st.lists(
    st.sampled_from([*"帐户鱼鹅李彩挂是村款12３四", "pine ", "bay ", " ", "𠀀", "，", "余额", "stedi gain "]),
    max_size=20,
).map("".join)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), _MIXED), st.sampled_from(["zh", "en"]))
def test_changes_explain_the_text_and_spare_digits(text: str, language: str) -> None:
    corrected = _HOTWORDS.correct(text, language)
    rebuilt, last = "", 0
    for change in corrected.changes:
        assert text[change.start : change.end] == change.before
        assert 0 < change.confidence <= 1
        rebuilt += text[last : change.start] + change.after
        last = change.end
    assert rebuilt + text[last:] == corrected.text
    assert [c for c in corrected.text if c.isnumeric()] == [c for c in text if c.isnumeric()]


def test_words_for_a_prompt_are_of_the_language_and_bounded() -> None:
    words = ["余额", "Pinebay", "大额存单", "余额", "Steadygain", "松湾定期宝R2"]
    assert hotwords_for_prompt(words, "zh") == ("余额", "大额存单", "松湾定期宝R2")
    assert hotwords_for_prompt(words, "en") == ("Pinebay", "Steadygain")
    assert hotwords_for_prompt(words, "zh", limit=8) == ("余额", "大额存单")
