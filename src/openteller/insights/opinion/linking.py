"""Which entities of the bank's list an item names: every alias in one pass (Aho and Corasick 1975), longest first.

An alias in Latin letters counts only between word boundaries; a Chinese one of up to three characters only where the
segmenter puts word boundaries; an unsure one (``needs_context``) only in a text with a context word or a sure alias of the
same entity. What is not covered: pronouns, misspellings, and companies that are not on the list.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from openteller.core.segmenting import segmenter
from openteller.core.text import fold
from openteller.insights.opinion.records import Entity

_SHORT = 3
_AROUND = 6


class Span(NamedTuple):
    """Where an alias stands: code points of the folded text."""

    start: int
    end: int


class Found(NamedTuple):
    """An entity with the places where it is named, in order."""

    entity: Entity
    spans: tuple[Span, ...]


class Automaton:
    """Finds every one of many patterns in one pass over a text."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._fail = [0]
        self._ends: list[tuple[str, ...]] = [()]
        for pattern in sorted(set(patterns)):
            self._add(pattern)
        self._link()

    def _add(self, pattern: str) -> None:
        state = 0
        for character in pattern:
            if character not in self._next[state]:
                self._next[state][character] = len(self._next)
                self._next.append({})
                self._fail.append(0)
                self._ends.append(())
            state = self._next[state][character]
        self._ends[state] = (pattern,)

    def _link(self) -> None:
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for character, child in self._next[state].items():
                waiting.append(child)
                fallback = self._fail[state]
                while fallback and character not in self._next[fallback]:
                    fallback = self._fail[fallback]
                target = self._next[fallback].get(character, 0)
                self._fail[child] = target if target != child else 0
                self._ends[child] += self._ends[self._fail[child]]

    def find(self, text: str) -> list[tuple[Span, str]]:
        """Every occurrence, overlapping ones too, by end."""
        found, state = [], 0
        for place, character in enumerate(text, 1):
            while state and character not in self._next[state]:
                state = self._fail[state]
            state = self._next[state].get(character, 0)
            found += [(Span(place - len(pattern), place), pattern) for pattern in self._ends[state]]
        return found


class EntityLinker:
    """The bank's list, ready to be looked for. Building takes about a second for 100,000 aliases."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._meanings: dict[str, list[tuple[Entity, bool]]] = {}
        self.entities = {entity.id: entity for entity in entities}
        for entity in entities:
            for text, unsure in _names(entity).items():
                self._meanings.setdefault(text, []).append((entity, unsure))
        self._aliases = Automaton(self._meanings)
        self._context = {
            e.id: Automaton(folded) for e in entities if (folded := [fold(w) for w in e.context if fold(w)])
        }

    def find(self, text: str) -> list[Found]:
        """The entities named in `text`, in the order of their first names; `text` folded has the same offsets."""
        view = fold(text)
        spans: dict[str, list[Span]] = {}
        unsure: dict[str, list[Span]] = {}
        for span, alias in _longest(self._aliases.find(view), view):
            meanings = self._meanings[alias]
            for entity, needs_context in meanings:
                # An alias of two entities is unsure for both.
                sure = not needs_context and len(meanings) == 1
                (spans if sure else unsure).setdefault(entity.id, []).append(span)
        for entity_id, places in unsure.items():
            if entity_id in spans or self._in_context(entity_id, view):
                spans.setdefault(entity_id, []).extend(places)
        found = [Found(self.entities[entity_id], tuple(sorted(places))) for entity_id, places in spans.items()]
        return sorted(found, key=lambda one: one.spans[0])

    def _in_context(self, entity_id: str, view: str) -> bool:
        context = self._context.get(entity_id)
        return context is not None and bool(context.find(view))


def _names(entity: Entity) -> dict[str, bool]:
    """Folded name → whether it is unsure."""
    names = {fold(alias.text): alias.needs_context for alias in entity.aliases}
    return {
        name: unsure
        for name, unsure in {fold(entity.name.zh): False, fold(entity.name.en): False, **names}.items()
        if name
    }


def _longest(found: list[tuple[Span, str]], view: str) -> list[tuple[Span, str]]:
    """Occurrences between boundaries, without those inside or across a longer one."""
    kept: list[tuple[Span, str]] = []
    taken = -1
    for span, alias in sorted(found, key=lambda one: (one[0].start, -one[0].end)):
        if span.start >= taken and _is_bounded(view, span, alias):
            kept.append((span, alias))
            taken = span.end
    return kept


def _is_bounded(view: str, span: Span, alias: str) -> bool:
    before, after = view[span.start - 1 : span.start] if span.start else "", view[span.end : span.end + 1]
    if _latin(alias[0]) and _latin(before):
        return False
    if _latin(alias[-1]) and _latin(after):
        return False
    if len(alias) > _SHORT or alias.isascii():
        return True
    return _at_words(view, span, alias)


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _at_words(view: str, span: Span, alias: str) -> bool:
    """Whether the segmenter sees word boundaries on both sides; a name unknown to it may fall apart, not run over."""
    start = max(span.start - _AROUND, 0)
    place = start
    for word in segmenter().cut(view[start : span.end + _AROUND], HMM=False):
        end = place + len(word)
        crosses = (place < span.start < end) or (place < span.end < end)
        if crosses and word != alias:
            return False
        place = end
    return True
