"""Sentences to the phonemes that Kokoro-82M v1.0 was trained on, Chinese and English mixed as they come.

Chinese: jieba's words, pypinyin's readings corrected where a bank's words need another one, and misaki's IPA with arrows
for tones. English: english_phonemes.py. The text should already be in spoken words; digits that are left are spelled.

What is not covered: tone sandhi, which the voices learned from the same lexical tones; readings that only meaning tells.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import Any

from openteller.core.errors import MissingDependency
from openteller.core.segmenting import segmenter
from openteller.core.text import normalise, simplified
from openteller.runtime.english_phonemes import EnglishPhonemes, open_english

_TOKENS = re.compile(r"(?P<han>[㐀-鿿〇]+)|(?P<latin>[A-Za-z]+(?:'[A-Za-z]+)*'?)|(?P<digit>\d)|(?P<mark>\S)")
_DIGITS = {
    "zh": "零一二三四五六七八九",
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "@": "at", "=": "equals"}
_MARKS = {"。": ".", "、": ",", "．": ".", "《": "“", "》": "”", "「": "“", "」": "”", "【": "(", "】": ")"} | {
    mark: mark for mark in ";:,.!?—…()“”"
}
# Where the reading of a character depends on its neighbours and pypinyin 0.55 takes the other one.
_READINGS = tuple(
    (re.compile(pattern), reading)
    for pattern, reading in (
        (r"(?<=[我本他跨该贵各同分支总中工农建交招商])行(?!我素|动|为|使)", "hang2"),
        (r"(?<![进执发实可自运履施举另现流])行(?=[内外]|员工)", "hang2"),
        (r"还(?=款|清|本|贷|息|钱|完|掉|债|卡|信用|账|利|房|车)", "huan2"),
        (r"(?<=[应已未待偿归多少期前])还(?![有是要没不能可会需])", "huan2"),
        (r"重(?=[置设试发签填启拨输办名])", "chong2"),
        (r"调(?=[额高低升降减增节整至])|(?<=[上下])调", "tiao2"),
        (r"当(?=[天日月年期前时地面])", "dang1"),
        (r"中(?=[签标奖])", "zhong4"),
        (r"应(?=[还付收缴交])", "ying1"),
        (r"(?<=[转])载|(?<=记)载", "zai3"),
    )
)


class Phonemes:
    """Says sentences. Safe to share between threads.

    Args:
        english: says English words.
        chinese: says a run of Han characters.
    """

    def __init__(self, english: EnglishPhonemes, chinese: Callable[[str], str]) -> None:
        self._english, self._chinese = english, chinese

    def __call__(self, text: str, language: str) -> str:
        """The phonemes of `text`; empty when there is nothing to say. language: zh or en, in which digits are read."""
        pieces: list[str] = []
        words: list[str] = []
        for token in _TOKENS.finditer(_plain(text)):
            word = _word(token, language)
            if word.isascii() and word.replace("'", "").isalpha():
                words.append(word.removesuffix("'") if not word.endswith("s'") else word)
                continue
            pieces += self._english.words(words)
            words = []
            pieces.append(_MARKS.get(word, "") if token.lastgroup == "mark" else self._chinese(word))
        return _laid_out([*pieces, *self._english.words(words)])


def _plain(text: str) -> str:
    """Normalised, simplified, without accents, with one kind of apostrophe."""
    letters = unicodedata.normalize("NFKD", simplified(normalise(text)).replace("’", "'").replace("‘", "'"))
    return "".join(c for c in letters if not unicodedata.combining(c))


def _word(token: re.Match[str], language: str) -> str:
    text = token[0]
    if token.lastgroup == "digit":
        return _DIGITS[language][int(text)]
    return _SIGNS.get(text, text).replace("〇", "零")


def _laid_out(pieces: list[str]) -> str:
    """Words apart, a mark at the end of its word, marks doubled only once, flaps and stops as the voices know them."""
    joined = " ".join(piece for piece in pieces if piece)
    joined = re.sub(r" (?=[;:,.!?…)”])", "", joined)
    joined = re.sub(r"(?<=[(“]) ", "", joined)
    joined = re.sub(r"([;:,.!?…])[;:,.!?…]+", r"\1", joined).replace("ɾ", "T").replace("ʔ", "t")
    return joined if re.search(r"[^\s;:,.!?—…()“”]", joined) else ""


class _Chinese:
    def __init__(self, to_ipa: Callable[[str], str], pypinyin: Any) -> None:
        self._to_ipa, self._pypinyin = to_ipa, pypinyin
        self._lock = RLock()

    def __call__(self, run: str) -> str:
        """The words of a run of Han characters; a character that nobody can read is left out."""
        corrected = {m.start(): reading for pattern, reading in _READINGS for m in pattern.finditer(run)}
        said, at = [], 0
        with self._lock:
            for word in segmenter().cut(run):
                readings = [corrected.get(at + i, reading) for i, reading in enumerate(self._readings(word))]
                said.append("".join(map(self._syllable, readings)))
                at += len(word)
        return " ".join(filter(None, said))

    def _readings(self, word: str) -> list[str]:
        style = self._pypinyin.Style.TONE3
        found: list[str] = self._pypinyin.lazy_pinyin(
            word, style=style, neutral_tone_with_five=True, errors=lambda unknown: [""] * len(unknown)
        )
        return found

    @cache  # noqa: B019 - one instance lives as long as the process; there are some 1,700 syllables
    def _syllable(self, reading: str) -> str:
        try:
            return self._to_ipa(reading).replace("\u032f", "") if reading else ""
        except (ValueError, KeyError, IndexError, AssertionError):
            return ""


@cache
def open_phonemes() -> Phonemes:
    """Phonemes with the installed dictionaries, once a process. Raises MissingDependency."""
    try:
        import pypinyin
        from misaki.zh import ZHG2P
    except ImportError as error:
        raise MissingDependency(
            "Speech needs the packages misaki and pypinyin.", next_step="pip install 'openteller[voice]'"
        ) from error
    return Phonemes(open_english(), _Chinese(ZHG2P.py2ipa, pypinyin))
