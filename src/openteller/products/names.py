"""Product names in a text: names, aliases and ids, Chinese and English, longest match first.

Matching is on folded text (NFKC, simplified characters, lower case), offsets are in the text as given.
What is not covered: misspelt names, and names that one alias gives to several products: the best sold one has it.
"""

import re
from collections.abc import Iterable, Sequence

from pydantic import Field

from openteller.core.records import Record
from openteller.core.text import fold, normalise
from openteller.products.records import Product

_LATIN_START = re.compile(r"[a-z0-9]")
_BRAND = re.compile(r"^(?:松湾|pinebay )")
_BRACKETED = re.compile(r"\s*\([^()]*\)")


class Mention(Record):
    """A product named in a text; `start` and `end` count code points of the text."""

    product_id: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    text: str


class ProductNames:
    """Finds products by name. Built once a catalogue; safe to share between threads."""

    def __init__(self, products: Iterable[Product], brand: re.Pattern[str] | None = _BRAND) -> None:
        self._owners: dict[str, str] = {}
        for product in sorted(products, key=lambda product: (-product.popularity, product.id)):
            for name in _names(product, brand):
                self._owners.setdefault(name, product.id)
        longest_first = sorted(self._owners, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_expression, longest_first))) if longest_first else None

    def find(self, text: str) -> list[Mention]:
        """The products named in `text`, in order, without overlaps; at one place the longest name wins."""
        if self._pattern is None:
            return []
        folded, offsets = _folded(text)
        mentions = []
        for match in self._pattern.finditer(folded):
            start, end = offsets[match.start()], offsets[match.end() - 1] + 1
            owner = self._owners.get(_key(match.group())) or self._owners[_key(match.group()).removesuffix("s")]
            mentions.append(Mention(product_id=owner, start=start, end=end, text=text[start:end]))
        return mentions


def _names(product: Product, brand: re.Pattern[str] | None) -> set[str]:
    listed = (product.id, product.name.zh, product.name.en, *product.aliases.zh, *product.aliases.en)
    names = {_key(fold(name)) for name in listed}
    names |= {_BRACKETED.sub("", name) for name in names}
    if brand is not None:
        names |= {brand.sub("", name) for name in names}
    return {name for name in names if len(name) > 1}


def _key(folded: str) -> str:
    return re.sub(r"\s+", " ", folded.strip())


def _expression(name: str) -> str:
    expression = re.escape(name).replace(r"\ ", r"\s+")
    before = r"(?<![a-z0-9])" if _LATIN_START.match(name[0]) else ""
    after = r"s?(?![a-z0-9])" if _LATIN_START.match(name[-1]) else ""
    return before + expression + after


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the offset of the character it came from."""
    whole = fold(text)
    if normalise(text) == text and len(whole) == len(text):
        return whole, range(len(text))
    characters: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        folded = " " if character.isspace() else fold(character)
        characters.append(folded)
        offsets += [offset] * len(folded)
    return "".join(characters), offsets
