"""The matching view of a text: one plain character for each character, so that offsets stay those of the text.

Full-width and other decimal digits become ASCII digits, typographic dashes become ``-``, odd spaces become a space;
digits read aloud (一三八零零…, four and more in a row) become ASCII digits where a caller asks for it.
Knows nothing about what the characters mean. Characters whose compatibility form is longer than one (㎏, …) stay, and so
do superscript and circled digits.
"""

import re
import unicodedata
from functools import lru_cache

MASKED = "￼"
"""Stands for a character that an earlier pass has masked; no pattern matches it."""

_DASHES = frozenset("‐‑‒–—―−﹣－")
_SPOKEN = str.maketrans("〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖貳參陸", "00123456789" + "1" + "123456789" + "236")
_SPOKEN_RUN = re.compile(r"[〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖貳參陸]{4,}")


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _DASHES:
        return "-"
    compatible = unicodedata.normalize("NFKC", character)
    # A superscript or circled digit (², ①) must not lengthen the number it stands beside.
    return compatible if len(compatible) == 1 and not compatible.isdecimal() else character


def matching_view(text: str, *, spoken_digits: bool = False) -> str:
    """`text` with plain digits, dashes and spaces; the result has exactly as many characters.

    Args:
        text: any text.
        spoken_digits: also read runs of four or more Chinese digits as ASCII digits (for numbers that identify
            a person; never for amounts, where 一万二 has its own grammar).
    """
    view = text if text.isascii() else "".join(map(_plain, text))
    if spoken_digits:
        view = _SPOKEN_RUN.sub(lambda run: run.group().translate(_SPOKEN), view)
    return view
