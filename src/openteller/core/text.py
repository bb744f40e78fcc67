"""Text at the door: NFKC normalisation, control characters out, Chinese script folding, sentence cutting.

Knows nothing about meaning. `fold` is for matching only; what a person reads keeps its own script.
"""

import re
import unicodedata
from functools import cache
from typing import Protocol, cast

_CONTROL = {c: None for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t"}
_INVISIBLE = dict.fromkeys([0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_SENTENCE_END = re.compile(r"(?<=[。！？!?；;])\s*|(?<=[.])\s+(?=[A-Z“\"(])|\n+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿]")


def normalise(text: str) -> str:
    """NFKC form without control, bidirectional-override and zero-width characters; outer space trimmed.

    Lone surrogates become U+FFFD so that the text can always be stored.
    """
    # Characters go before NFKC, or what they kept apart would compose only when the result is normalised again.
    text = _SURROGATE.sub("\ufffd", text).translate(_CONTROL | _INVISIBLE)
    return unicodedata.normalize("NFKC", text).strip()


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _to_simplified() -> _Converter:
    from opencc import OpenCC

    return cast(_Converter, OpenCC("t2s"))


def simplified(text: str) -> str:
    """Traditional Chinese characters written in their simplified form, one for one; all else unchanged.

    The result has the length of `text`, so character offsets hold in both.
    """
    if not _HAN.search(text):
        return text
    converted = _to_simplified().convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(_one_for_one(_to_simplified().convert(c), c) for c in text)


@cache
def _to_traditional() -> _Converter:
    from opencc import OpenCC

    return cast(_Converter, OpenCC("s2t"))


def traditional(text: str) -> str:
    """Chinese in traditional characters, words considered (发 is 發 or 髮); all else unchanged."""
    return _to_traditional().convert(text) if _HAN.search(text) else text


def fold(text: str) -> str:
    """The form used for matching: normalised, simplified, lower case; as long as ``normalise(text)``."""
    plain = simplified(normalise(text))
    lower = plain.lower()
    return lower if len(lower) == len(plain) else "".join(_one_for_one(c.lower(), c) for c in plain)


def _one_for_one(new: str, old: str) -> str:
    return new if len(new) == 1 else old


def han_share(text: str) -> float:
    """Share of Han characters among Han characters and Latin words, 0–1; 0 for neither.

    A Latin word counts as one unit, as a Han character does: "我的card被拒" is 0.8.
    """
    han = len(_HAN.findall(text))
    words = len(re.findall(r"[A-Za-z]+", text))
    return han / (han + words) if han + words else 0.0


def sentences(text: str) -> list[str]:
    """The sentences of a Chinese or English text, in order, without empty ones."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]
