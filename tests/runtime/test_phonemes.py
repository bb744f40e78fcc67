"""Phonemes: bank sentences in both languages and mixed, the words that no dictionary holds, and whatever else may come."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.runtime.english_phonemes import EnglishPhonemes, open_english
from openteller.runtime.letter_sounds import by_rule, pinyin
from openteller.runtime.phonemes import open_phonemes
from tests.runtime.engines import weights

_MARKS = " ;:,.!?…()“”—"


@pytest.fixture(scope="module")
def english() -> EnglishPhonemes:
    return open_english()


@pytest.fixture(scope="module")
def symbols() -> frozenset[str]:
    return frozenset(json.loads(weights("kokoro-82m-vocabulary").read_text("utf-8"))["vocab"])


@pytest.mark.parametrize(
    ("text", "part", "reading"),
    [
        ("我行支持跨行转账", "我行", "wo↓xa↗ŋ"),
        ("请到支行办理", "支行", "ꭧɨ→xa↗ŋ"),
        ("我行我素", "我行", "wo↓ɕi↗ŋ"),
        ("正在进行中", "进行", "ʨi↘nɕi↗ŋ"),
        ("信用卡还款日", "还款", "xwa↗nkʰwa↓n"),
        ("还没有到账", "还", "xai↗"),
        ("应还金额", "应还", "i→ŋxwa↗n"),
        ("重置密码", "重置", "ꭧʰʊ↗ŋꭧɨ↘"),
        ("当天到账", "当天", "ta→ŋtʰjɛ→n"),
    ],
)
def test_words_of_a_bank_are_read_as_a_bank_reads_them(text: str, part: str, reading: str) -> None:
    said = open_phonemes()(text, "zh").replace(" ", "")
    assert reading in said, part


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("bank", "bˈæŋk"),
        ("BANK", "bˈæŋk"),
        ("Banks", "bˈæŋks"),
        ("bank's", "bˈæŋks"),
        ("customers'", "kˈʌstəməɹz"),
        ("policies", "pˈɑləsiz"),
        ("ATM", "ˌAtˌiˈɛm"),
        ("ATMs", "ˌAtˌiˈɛmz"),
        ("SMS", "ˌɛsˌɛmˈɛs"),
        ("PIN", "pˈɪn"),
        ("APR", "ˌApˌiˈɑɹ"),
        ("read", "ɹˈid"),
        ("Pinebay", "pˈInbˌA"),
        ("UnionPay", "jˈunjənpˈA"),
    ],
)
def test_a_word_alone(english: EnglishPhonemes, word: str, phonemes: str) -> None:
    assert english.word(word) == phonemes


@pytest.mark.parametrize(("stem", "ending"), [("wire", "wiring"), ("plan", "planned"), ("carry", "carried")])
def test_an_ending_that_the_dictionary_lacks_follows_its_stem(english: EnglishPhonemes, stem: str, ending: str) -> None:
    small = EnglishPhonemes([{stem: english.word(stem)}])
    assert small.word(ending).startswith(english.word(stem)[:-1])


def test_small_words_follow_their_neighbours(english: EnglishPhonemes) -> None:
    assert english.words(["the", "account"])[0] == "ði"
    assert english.words(["the", "bank"])[0] == "ðə"
    assert english.words(["to", "pay"])[0] == "tə"
    assert english.words(["A", "card"])[0] == "ɐ"
    assert english.words(["plan", "A"])[1] == "ˈA"
    assert english.words(["to", "record"])[1] != english.words(["the", "record"])[1]


def test_names_in_pinyin_are_read_as_such() -> None:
    assert pinyin("Songwan") == "sˌʊŋwˈɑn"
    assert pinyin("Zhongguancun") == "ʤˌʊŋɡwˌɑntsˈʊn"
    assert pinyin("Smith") is None
    assert pinyin("ban") is None


def test_other_words_are_read_by_rule() -> None:
    assert by_rule("blone") == "blˈOn"
    assert by_rule("Phlick") == "flˈɪk"
    assert by_rule("crabble") == "kɹˈæbᵊl"
    assert by_rule("vorbing") == "vˈɔɹbɪŋ"
    assert by_rule("plation") == "plˈæʃən"


def test_chinese_and_english_may_be_mixed(symbols: frozenset[str]) -> None:
    said = open_phonemes()("请用ATM取款，或打开mobile app。", "zh")
    assert "ˌAtˌiˈɛm" in said
    assert "mˈObᵊl" in said
    assert said.endswith("ˈæp.")
    other = open_phonemes()("Buy 余额宝 now.", "en")
    assert other == "bˈI " + open_phonemes()("余额宝", "zh") + " nˈW."
    assert set(said + other) <= symbols


def test_digits_that_are_left_are_spelled() -> None:
    phonemes = open_phonemes()
    assert phonemes("12", "en") == phonemes("one two", "en")
    assert phonemes("12", "zh") == phonemes("一", "zh") + " " + phonemes("二", "zh")


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.text(st.sampled_from("的行还卡aBtion'’-—。，!7 \n"), max_size=40)),
    st.sampled_from(["zh", "en"]),
)
def test_any_text_becomes_known_symbols(symbols: frozenset[str], text: str, language: str) -> None:
    said = open_phonemes()(text, language)
    assert set(said) <= symbols
    assert said == "" or said.strip(_MARKS)


@given(st.from_regex(r"[A-Za-z]{1,14}", fullmatch=True))
def test_any_word_of_letters_has_a_reading(english: EnglishPhonemes, word: str) -> None:
    assert english.word(word)
