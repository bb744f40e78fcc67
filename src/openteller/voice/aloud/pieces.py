"""A written text cut into pieces to speak, each beside what it says: never cut inside a number, short enough to start early.

Knows nothing about how a figure is read.
"""

import itertools
import re
from collections.abc import Iterator

from openteller.core.text import sentences
from openteller.voice.aloud.en import ABBREVIATIONS
from openteller.voice.aloud.speaking import aloud

MAX_HAN = 60
"""A spoken piece has at most so many Han characters and English words together, a word counting 2.4."""
_WORD_WEIGHT = MAX_HAN / 25
_UNFINISHED = re.compile(
    rf"(?:^|\n)\s*[(（]?(?:\d{{1,3}}|[a-zA-Z])[.)）、]\s*$|(?:^|[\s(])(?:{'|'.join(re.escape(a) for a in ABBREVIATIONS if a[-1] == '.' and a != 'etc.')}|No\.)\s*$"
)
"""A list's number or an abbreviation at the end: the sentence goes on."""
_AT_PAUSE = re.compile(r"(?<=[，、：；,:;])(?!\d)\s*|(?<=[)）】])\s*")
_AT_WORD = re.compile(r"(?<=[^\W\d])\s+(?=[^\W\d])|(?<=[㐀-鿿])(?=[㐀-鿿])")


def sentences_aloud(text: str, language: str) -> list[tuple[str, str]]:
    """Pairs of a written piece and what to say for it, in order; the written pieces joined are `text`.

    A piece is a sentence or a line; one that is too long is cut at commas, then between words. What says nothing (a
    rule, an emoji) stays with the piece before it. A text with nothing to say gives no pairs.

    Args:
        text: any text.
        language: zh or en.

    Raises:
        BadInput: another language.
    """
    pairs: list[tuple[str, str]] = []
    silent = ""
    for sentence in _sentences(text):
        for written, spoken in _short(sentence, language):
            if spoken:
                pairs.append((silent + written, spoken))
                silent = ""
            elif pairs:
                pairs[-1] = (pairs[-1][0] + written, pairs[-1][1])
            else:
                silent += written
    return pairs


def _sentences(text: str) -> list[str]:
    """The sentences with all that stands between them; joined they are `text`."""
    pieces: list[str] = []
    start = end = 0
    for sentence in sentences(text):
        place = text.index(sentence, end)
        if end and not _UNFINISHED.search(text[start:place]):
            pieces.append(text[start:place])
            start = place
        end = place + len(sentence)
    return [*pieces, text[start:]]


def _short(written: str, language: str) -> Iterator[tuple[str, str]]:
    """`written` as pieces whose speech is short enough, cut where it hurts least."""
    spoken = aloud(written, language)
    if _weight(spoken) <= MAX_HAN:
        yield written, spoken
        return
    for cut in (_AT_PAUSE, _AT_WORD):
        parts = _parts(written, cut)
        if len(parts) > 1:
            for group in _packed(parts, language):
                yield from _short(group, language) if group != written else _forced(written, spoken)
            return
    yield from _forced(written, spoken)


def _parts(text: str, cut: re.Pattern[str]) -> list[str]:
    places = [0, *(match.end() for match in cut.finditer(text) if 0 < match.end() < len(text)), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(places) if a < b]


def _packed(parts: list[str], language: str) -> Iterator[str]:
    """Neighbouring parts joined as long as they are short enough."""
    held, weight = "", 0.0
    for part in parts:
        more = _weight(aloud(part, language))
        if held and weight + more > MAX_HAN:
            yield held
            held, weight = "", 0.0
        held, weight = held + part, weight + more
    yield held


def _forced(written: str, spoken: str) -> Iterator[tuple[str, str]]:
    """A very long number or word: its speech is cut, and the writing stays with the first part."""
    units = re.findall(r"[㐀-鿿]\W*|[^㐀-鿿\s]+\s*|\s+", spoken)
    piece, first = "", True
    for unit in units:
        if piece and _weight(piece + unit) > MAX_HAN:
            yield (written if first else ""), piece.strip()
            piece, first = "", False
        piece += unit
    yield (written if first else ""), piece.strip()


def _weight(spoken: str) -> float:
    return len(re.findall(r"[㐀-鿿]", spoken)) + _WORD_WEIGHT * len(re.findall(r"[A-Za-z]+(?:['-][A-Za-z]+)*", spoken))
