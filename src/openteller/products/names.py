"""Product names in a text: names, aliases and ids, Chinese and English, longest match first; else shortened names.

Matching is on folded text (NFKC, simplified characters, lower case), offsets are in the text as given. Where no name
stands in full, one with parts left out counts (``科技股票基金`` for ``科技创新股票基金``) if it can be of one product only.
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
# Units of a shortened name: characters of a Chinese one, words of an English one. Less is a kind of product ("home loan"),
# or a piece of another word (公积金账户 is no 积存金账户).
_SHORTEST = {True: 5, False: 3}
_LONGEST = 300  # characters of a text in which shortened names are sought
_UNIT = re.compile(r"[㐀-鿿]|[a-z0-9]+")


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
        return mentions or self._shortened(text, folded, offsets)

    def _shortened(self, text: str, folded: str, offsets: Sequence[int]) -> list[Mention]:
        """The one product of which `folded` has a name with words in the middle left out; the longest such name decides."""
        if len(folded) > _LONGEST:
            return []
        units = list(_UNIT.finditer(folded))
        best, found = 0, dict[str, tuple[int, int]]()
        for name, owner in self._owners.items():
            parts = _UNIT.findall(name)
            for first, unit in enumerate(units):
                if unit.group() != parts[0]:
                    continue
                length = _run(folded, units[first:], parts)
                if length < max(best, _SHORTEST[parts[0] >= "㐀"], (len(parts) + 1) // 2):
                    continue
                found = found if length == best else {}
                best, found[owner] = length, (unit.start(), units[first + length - 1].end())
        if len(found) != 1:
            return []
        ((owner, (begin, end)),) = found.items()
        start, stop = offsets[begin], offsets[end - 1] + 1
        return [Mention(product_id=owner, start=start, end=stop, text=text[start:stop])]


def _run(folded: str, units: Sequence[re.Match[str]], parts: Sequence[str]) -> int:
    """How many of the first `units` of `folded` are `parts` in their order up to the last, nothing between them; else 0."""
    at = count = whole = 0
    end = units[0].start()
    for unit in units:
        if folded[end : unit.start()].strip(" -") or unit.group() not in parts[at:]:
            break
        at = parts.index(unit.group(), at) + 1
        count, end = count + 1, unit.end()
        whole = count if at == len(parts) else whole
    return whole


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
