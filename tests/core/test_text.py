"""Text at the door: normalisation, folding, sentences."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openteller.core.text import fold, han_share, normalise, sentences, simplified

ANY = st.text(st.characters())
HAN = st.text(st.sampled_from("發髮乾隆著後臺台灣裡银行貸款利率的İẞŉ A1。"), max_size=30)


@given(ANY)
@example("e\u200b\u0301")
@example("가\x00ᆨ")
@example("\u00a8a\u2060")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ANY)
def test_normalised_text_has_no_control_or_direction_characters(text: str) -> None:
    kept = normalise(text)
    assert not [c for c in kept if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not set(kept) & set("\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff")
    assert kept == kept.strip()


@given(ANY | HAN)
@example("İstanbul 開戶")
@example("乾隆皇帝著書")
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold(text)) == len(normalise(text))


@given(HAN)
def test_simplifying_keeps_the_length_and_repeats_itself(text: str) -> None:
    once = simplified(text)
    assert len(once) == len(text)
    assert simplified(once) == once


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  １２３ＡＢＣ　", "123ABC"),
        ("a\x00b\u202ec", "abc"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("损坏\ud800", "损坏\ufffd"),
        ("\ufeff你好", "你好"),
        ("a\x85\x9bb", "ab"),
        ("", ""),
    ],
)
def test_normalise(written: str, kept: str) -> None:
    assert normalise(written) == kept
    normalise(written).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("開戶需要什麼證件", "开户需要什么证件"),
        ("Open An ACCOUNT", "open an account"),
        ("İ", "İ"),
        ("ＶＩＳＡ卡", "visa卡"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_simplified_leaves_latin_alone() -> None:
    assert simplified("Transfer 100 CNY") == "Transfer 100 CNY"


@pytest.mark.parametrize(("text", "share"), [("我的card被拒", 0.8), ("balance", 0.0), ("余额", 1.0), ("12 🙂", 0.0)])
def test_han_share(text: str, share: float) -> None:
    assert han_share(text) == pytest.approx(share)


@given(ANY)
def test_a_share_is_a_share(text: str) -> None:
    assert 0 <= han_share(text) <= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("卡丢了。怎么办？急！", ["卡丢了。", "怎么办？", "急！"]),
        ("The rate is 1.25% a year. Fees apply.", ["The rate is 1.25% a year.", "Fees apply."]),
        ("第一行\n\n第二行", ["第一行", "第二行"]),
        ("e.g. this", ["e.g. this"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(ANY)
def test_sentences_lose_only_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert all(part == part.strip() != "" for part in sentences(text))
