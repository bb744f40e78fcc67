"""What is seen and not said: markdown, bullets, emoji, brackets and doubled punctuation. Knows no numbers.

`bare` runs before the figures are read and keeps the signs that figures need; `tidy` runs after and keeps only letters
and pauses. Mathematical notation, tables of several columns and code are read word by word, without their structure.
"""

import re
import unicodedata
from functools import lru_cache

from openteller.core.text import normalise

_POWERS = str.maketrans({"²": "^2", "³": "^3"})
_DASHES = dict.fromkeys(map(ord, "‐‑‒–−﹣﹘"), "-") | dict.fromkeys(map(ord, "—―"), " - ")
_WAVES = dict.fromkeys(map(ord, "〜∼˜～"), "~")
_BULLETS = r"[-*+•●○◦▪▫■□◆◇·‧∙★☆✓✔➢➤►▶→]"
_MARKDOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)"), r"\1"),  # a link or an image is read by its text
    (re.compile(r"(?m)^[ \t|:+=_-]{3,}$"), ""),  # a rule, or the line under a table's head
    (re.compile(rf"(?m)^[ \t>]*(?:#{{1,6}}[ \t]+|(?:{_BULLETS}[ \t]+)+)"), ""),
    (re.compile(r"(?m)^[ \t]*>[ \t>]*"), ""),
    (re.compile(r"(?<![*\w])(\*{1,3})(?=[^\s*])([^*\n]+?)(?<=[^\s*])\1(?![*\w])|(?<!\*)\*\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*\*(?!\*)"), r"\2\3"),
    (re.compile(r"`+|~~+|__+"), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), "，"),
    (re.compile(r"<[/!A-Za-z][^<>\n]{0,200}>"), " "),
)  # fmt: skip
_PAUSES = "，、；：。！？…,;:.!?"
_RANK = {
    mark: rank for rank, marks in enumerate(("、", "，,", "：:", "；;", "…", "。.", "！!", "？?")) for mark in marks
}
_WIDE = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？", ".": "。"}
_NARROW = {wide: narrow for narrow, wide in _WIDE.items()} | {"、": ","}
_RUN = re.compile(rf"[ \n]*[{_PAUSES}][ \n{_PAUSES}]*|[ \n]+")
_HAN = r"[㐀-䶿一-鿿豈-﫿]"


def bare(text: str) -> str:
    """`text` normalised, without markup; a line that lacks its end gets one."""
    # NFKC would make one of the Chinese comma and the one between thousands.
    text = re.sub("[①-⑳]", lambda m: f" {unicodedata.normalize('NFKC', m.group())}、", text.replace("，", ", "))
    plain = normalise(text.translate(_POWERS | _DASHES)).translate(_DASHES | _WAVES)
    plain = "".join(map(_digit, plain)).replace("\t", " ").replace("\r", "\n")
    for pattern, replacement in _MARKDOWN:
        plain = pattern.sub(replacement, plain)
    plain = re.sub(r"(?<=[^\s\d%元])(?: +-+)+ +(?=\S)|(?<=\S)(?: +-+)+ +(?=[^\s\d¥$€£])", "，", plain)
    plain = re.sub(rf"(?<=[^\s{_PAUSES}])[ ]*\n\s*(?=\S)", "。", plain.strip())
    return re.sub(r"\s+", " ", plain)


@lru_cache(maxsize=4096)
def _digit(character: str) -> str:
    """ASCII digits for those of every script; 〇 is a Chinese word."""
    if character == "〇":
        return "零"
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


@lru_cache(maxsize=4096)
def _sayable(character: str) -> str:
    """The character, a pause for a bracket or a dash, a space for any other sign."""
    if character in _PAUSES or character in " '’-":
        return "'" if character == "’" else character
    if character in "()[]{}【】〔〕«»〈〉":
        return "，"
    category = unicodedata.category(character)
    if category[0] in "LM":
        return character
    return "" if character in '"“”‘《》「」『』*_' or category == "Cf" else " "


def tidy(text: str, language: str) -> str:
    """Letters, spaces and single pauses only, the pauses those of the language; outer pauses of no weight go."""
    text = unicodedata.normalize("NFC", "".join(map(_sayable, text)))
    text = re.sub(r"(?<![^\W_])-+|-+(?![^\W_])|-{2,}|(?<![^\W_])'+|'+(?![^\W_])", " ", text)
    text = _RUN.sub(lambda run: _pause(run, language), text)
    text = re.sub(rf"(?<={_HAN}) (?={_HAN})", "", text)
    text = re.sub(rf"^[ {_PAUSES}]+|[ ,，、；;：:]+$", "", text)
    return text if any(character.isalpha() for character in text) else ""


def _pause(run: re.Match[str], language: str) -> str:
    """One mark for a run of marks and spaces: the weightiest, wide in Chinese and narrow with a space in English."""
    text, before, after = run.group(), run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    mark = max((c for c in text if c in _RANK), key=lambda c: _RANK[c], default="")
    if not mark:
        return " "
    inside = len(text) == 1 and before.isascii() and after.isascii() and before.isalpha() and after.isalpha()
    if inside and mark == ".":
        return mark  # p.m.
    if language == "zh":
        abbreviation = mark == "." and before.isascii() and before.isalpha() and after
        return ". " if abbreviation else _WIDE.get(mark, mark)
    mark = _NARROW.get(mark, mark)
    return mark + " " if after else mark
