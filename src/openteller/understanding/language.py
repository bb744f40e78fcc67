"""Language and script of a text: zh-Hans, zh-Hant, en, or mixed (Chinese with English words that matter).

Three logistic steps on counted evidence: is it Chinese at all (Han characters), is the English in it more than names
and acronyms (APP, ATM, VISA, Apple Pay, PIN do not make a text mixed), which script is it (characters that only the
simplified or only the traditional script has, from OpenCC's tables). The probability of a label is the product of its
steps.

What it does not know: other languages (their letters only lower the probability; kanji read as Chinese), romanised
Chinese, Cantonese apart from Mandarin. A text in characters that both scripts share (你好) is called simplified with
the share that fits a mainland bank's customers, one authored line in twenty being traditional.
"""

import math
import re
import unicodedata
from functools import cache
from typing import NamedTuple

from openteller.core.records import Language, Scored
from openteller.understanding.surface import matching_view

_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_NAMES = re.compile(
    r"ai|alipay|android|app|apple|apps|apr|atm|bug|cfa|chatgpt|cny|cpu|dna|email|eur|"
    r"excel|face|gbp|google|h5|hkd|iban|id|ios|iphone|java|ktv|kyc|linux|logo|lpr|"
    r"mastercard|max|mini|nba|nfc|ok|otp|pay|paypal|pdf|pin|pk|plus|pos|pro|python|qr|"
    r"rmb|sms|steam|swift|touch|ukey|unionpay|url|usd|vip|visa|web|wechat|wifi|word"
)


class Evidence(NamedTuple):
    """Counts: Han characters and the one-script ones among them; English words and names among them; other letters."""

    han: int
    simplified: int
    traditional: int
    words: int
    names: int
    other: int


class Coefficients(NamedTuple):
    """Logistic coefficients. Order of features: see `mixed_features` and `script_features`."""

    mixed: tuple[float, ...]
    script: tuple[float, ...]
    english: float


# Fitted by tests/understanding/test_language.py::fit (logistic regression, Newton's method, L2 penalty 0.1) on the
# even-hash half of recipes/data/understanding/*.yaml, for the script with OpenCC copies (s2t, s2tw, s2hk) weighted
# so that traditional lines keep their authored share; `english` is the log odds that a text without Han characters
# but with English words is English, from the same half (Laplace).
FITTED = Coefficients(
    mixed=(-2.77, 3.96, 4.28, -0.84, -0.47),
    script=(-3.92, 6.85, -3.59),
    english=6.87,
)


class Tables(NamedTuple):
    """Characters that only one script has."""

    simplified: frozenset[str]
    traditional: frozenset[str]


@cache
def tables() -> Tables:
    """One-script characters by OpenCC, less those in the other script's national character set as well (后, 里, 干)."""
    from opencc import OpenCC

    characters = [chr(code) for code in range(0x4E00, 0xA000)]
    to_simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    to_traditional = OpenCC("s2t").convert("\n".join(characters)).split("\n")
    rows = list(zip(characters, to_simplified, to_traditional, strict=True))
    return Tables(
        frozenset(c for c, s, t in rows if s == c and t != c and not _in(c, "big5")),
        frozenset(c for c, s, _ in rows if s != c and not _in(c, "gb2312")),
    )


def _in(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _is_name(word: str) -> bool:
    """An acronym (LPR, R, SF), a listed brand, or a capitalised word inside Chinese text (Linda, Steam)."""
    return (
        _NAMES.fullmatch(word.lower()) is not None
        or len(word) == 1
        or (word.isupper() and len(word) <= 6)
        or word[:1].isupper()
    )


def evidence(text: str) -> Evidence:
    """Count what the decision stands on."""
    view = matching_view(text)
    han = _HAN.findall(view)
    words = _WORD.findall(view)
    shared = tables() if han else Tables(frozenset(), frozenset())
    letters = sum(1 for c in view if not c.isascii() and unicodedata.category(c) in ("Lo", "Ll", "Lu")) - len(han)
    return Evidence(
        han=len(han),
        simplified=sum(c in shared.simplified for c in han),
        traditional=sum(c in shared.traditional for c in han),
        words=len(words),
        names=sum(map(_is_name, words)),
        other=max(letters, 0),
    )


def mixed_features(e: Evidence) -> tuple[float, ...]:
    """1, log of counted English words, whether there is any, log of names, log of Han characters."""
    counted = e.words - e.names
    return (1.0, math.log1p(counted), float(counted > 0), math.log1p(e.names), math.log1p(e.han))


def script_features(e: Evidence) -> tuple[float, ...]:
    """1, logs of the one-script characters of either script."""
    return (1.0, math.log1p(e.traditional), math.log1p(e.simplified))


def _logistic(weights: tuple[float, ...], features: tuple[float, ...]) -> float:
    z = sum(w * f for w, f in zip(weights, features, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def distribution(text: str, fitted: Coefficients = FITTED) -> dict[Language, float]:
    """The probability of each language; they add up to less than 1 where letters of other scripts stand in the text."""
    e = evidence(text)
    ours = (e.han + e.words + 0.5) / (e.han + e.words + e.other + 0.5)
    traditional = _logistic(fitted.script, script_features(e))
    if e.han:
        mixed = _logistic(fitted.mixed, mixed_features(e)) if e.words else 0.0
        english = 0.0
    else:
        mixed = 0.0
        english = _logistic((fitted.english,), (1.0,)) if e.words else 0.45
    chinese = 1 - mixed - english
    return {
        Language.ZH_HANS: ours * chinese * (1 - traditional),
        Language.ZH_HANT: ours * chinese * traditional,
        Language.EN: ours * english,
        Language.MIXED: ours * mixed,
    }


def detect(text: str) -> Scored:
    """The most probable language of `text`; zh-Hans at about even odds when it holds no letters at all."""
    language, probability = max(distribution(text).items(), key=lambda item: item[1])
    return Scored(label=language.value, probability=min(probability, 1.0))
