"""From what a source brought to an item: markup out, NFKC, one hash for the same words, language and script.

Knows nothing about sources or the store.
"""

import hashlib
import html
import re
from datetime import datetime
from typing import Literal

from openteller.core.errors import BadInput
from openteller.core.text import fold, han_share, normalise, simplified
from openteller.insights.opinion.records import MAX_TEXT_CHARACTERS, Item, RawItem

_SILENT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.S | re.I)
_BREAK = re.compile(r"<(?:/p|br\s*/?|/div|/li|/h\d)>", re.I)
_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_NO_WORD = re.compile(r"[\W_]+")
_ONE_SCRIPT = 0.05
"""Share of Han characters that are written otherwise in simplified script, from which on a text is traditional."""


def plain(text: str) -> str:
    """Text without markup and entities, normalised, spaces and empty lines joined."""
    if "<" in text:
        text = _TAG.sub(" ", _BREAK.sub("\n", _SILENT.sub(" ", text)))
    return _LINES.sub("\n", _SPACES.sub(" ", normalise(html.unescape(text))))


def item_of(raw: RawItem, source: str, arrived_at: datetime) -> Item:
    """The item. Raises BadInput when no words are left."""
    title, text = plain(raw.title), plain(raw.text)[:MAX_TEXT_CHARACTERS]
    if not title:
        title, _, text = text.partition("\n") if len(text.partition("\n")[0]) <= 120 else ("", "", text)
    words = f"{title}\n{text}" if title and text else title or text
    if not (bare := bare_words(words)):
        raise BadInput("An item has no words.", next_step="Give it a title or a text.")
    return Item(
        source=source,
        external_id=normalise(raw.external_id),
        content_hash=hashlib.sha256(bare.encode()).hexdigest(),
        url=raw.url,
        title=title,
        text=text,
        language=language_of(words),
        published_at=raw.published_at,
        arrived_at=arrived_at,
    )


def bare_words(text: str) -> str:
    """What two texts share when they say the same: folded, without punctuation, words apart."""
    return _NO_WORD.sub(" ", fold(text)).strip()


def language_of(text: str) -> Literal["zh-Hans", "zh-Hant", "en", "other"]:
    """By script alone: Chinese from a fifth of Han characters on, English for Latin letters.

    What is not covered: other languages in Latin letters read as English, kanji as Chinese.
    """
    head = text[:500]
    share = han_share(head)
    if share >= 0.2:
        changed = sum(a != b for a, b in zip(head, simplified(head), strict=True))
        return "zh-Hant" if changed > _ONE_SCRIPT * len(head) else "zh-Hans"
    latin = sum(c.isascii() and c.isalpha() for c in head)
    return "en" if latin and latin >= 0.5 * sum(c.isalpha() for c in head) else "other"
