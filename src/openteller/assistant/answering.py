"""From what was understood to an answer: figures from the product table, else approved knowledge behind the gate.

Approved answers are given as approved, with figures filled in. Knows nothing about the customer's own data (skills.py)
and nothing about storing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from openteller.assistant.asked import Kind, currencies_named, owned, reserved
from openteller.assistant.figures import (
    asked_of,
    figure_answer,
    group_answer,
    lent_or_kept,
    withheld,
    without_names,
)
from openteller.assistant.gate import Gate, Judged
from openteller.assistant.wording import Say, say
from openteller.core.records import Answer, Citation, Entity, Inquiry, Outcome, Principal
from openteller.knowledge.records import Document, Hit
from openteller.products.figures import readable
from openteller.products.names import ProductNames
from openteller.products.records import Product
from openteller.runtime.protocols import Floats
from openteller.understanding.reader import Reading

_LIMIT = 8
_SUGGESTIONS = 3
# Measured on the authored figure questions: share of those with a product named whose figure was right.
_NAMED_PRODUCT = 0.96
_IN_ONE_CURRENCY = frozenset({"deposit", "loan", "mortgage", "wealth"})


class Retriever(Protocol):
    """What answering needs of knowledge."""

    def search(
        self, principal: Principal, text: str, *, vector: Floats | None, limit: int, on: date, reply_language: str
    ) -> list[Hit]: ...


@dataclass(frozen=True)
class Shelf:
    """The products on sale today, and their names."""

    products: Mapping[str, Product]
    names: ProductNames


@dataclass(frozen=True)
class Found:
    """An answer with the hits it rests on, best first."""

    answer: Answer
    judged: tuple[Judged, ...] = ()


class Answerer:
    """Answers public and staff questions from approved knowledge."""

    def __init__(self, retriever: Retriever, gate: Gate) -> None:
        self._retriever, self._gate = retriever, gate

    def answer(
        self, inquiry: Inquiry, reading: Reading, principal: Principal, shelf: Shelf, language: str, on: date
    ) -> Found:
        """The answer in `language` (``zh`` or ``en``) as of day `on`."""
        text = inquiry.text
        direct = named_figure(text, reading.understanding.entities, shelf, language, on)
        if direct:
            return Found(direct)
        hits = self._retriever.search(
            principal, text, vector=reading.vector, limit=_LIMIT, on=on, reply_language=language
        )
        judged = tuple(self._gate.judge(hits, reading.intents))
        return Found(self._decide(text, reading, judged, shelf, language, on), judged)

    def _decide(
        self, text: str, reading: Reading, judged: tuple[Judged, ...], shelf: Shelf, language: str, on: date
    ) -> Answer:
        if not judged or not self._gate.asks_back(judged[0]):
            chance = 1 - judged[0].probability if judged else 1.0
            return Answer(text=say(Say.REFUSED, language), outcome=Outcome.REFUSED, confidence=chance)
        best = judged[0]
        if not self._gate.answers(best):
            titles = tuple(dict.fromkeys(j.hit.document.title for j in judged))[:_SUGGESTIONS]
            return Answer(
                text=say(Say.CLARIFY, language),
                outcome=Outcome.CLARIFY,
                confidence=best.probability,
                citations=tuple(cite(j, shelf, language) for j in judged[:_SUGGESTIONS]),
                suggestions=titles,
            )
        entities = reading.understanding.entities
        direct = _figure(text, product_of(best.hit), entities, shelf, language, best.probability, on)
        if direct:
            return direct
        return Answer(
            text=approved_text(best.hit, shelf, language),
            outcome=Outcome.ANSWERED,
            confidence=best.probability,
            citations=(cite(best, shelf, language),),
        )


def named_figure(text: str, entities: Sequence[Entity], shelf: Shelf, language: str, on: date) -> Answer | None:
    """The figure that `text` asks of the product it names; None when it names none, or the product is uncertain."""
    named = dict.fromkeys(m.product_id for m in shelf.names.find(text) if m.product_id in shelf.products)
    if not named:
        products = tuple(shelf.products.values())
        return None if reserved(text, on) else group_answer(text, products, language, _NAMED_PRODUCT)
    if len(named) > 1:
        named = dict.fromkeys(_meant([shelf.products[name] for name in named], text, entities))
    if len(named) != 1:
        return None
    return _figure(text, next(iter(named)), entities, shelf, language, _NAMED_PRODUCT, on)


def _meant(named: Sequence[Product], text: str, entities: Sequence[Entity]) -> list[str]:
    """Which of several named products is meant: the only one with the figure, or the one with the longest label spelled."""
    asked = {product.id: found for product in named if (found := asked_of(text, product, entities)) is not None}
    if len(asked) == 1:
        return [name for name, each in asked.items() if each.decided]
    spelled = {name: each.spelled_in(text) for name, each in asked.items()}
    longest = max(spelled.values(), default=0)
    meant = [name for name, length in spelled.items() if length == longest]
    return meant if longest else []


def _figure(
    text: str, product_id: str, entities: Sequence[Entity], shelf: Shelf, language: str, confidence: float, on: date
) -> Answer | None:
    """A figure of the product; None when none is asked for, or it would answer another question."""
    if product_id not in shelf.products or reserved(without_names(text, shelf.products[product_id]), on):
        return None
    product = in_currency(shelf.products[product_id], text, shelf)
    if product is None or withheld(text, product, entities) or _of_a_contract(text, product, entities, shelf):
        return None
    return figure_answer(text, product, entities, language, confidence)


def _of_a_contract(text: str, product: Product, entities: Sequence[Entity], shelf: Shelf) -> bool:
    """Whether the rate of the asker's own deposit or loan is meant: it was fixed when it was made."""
    asked = asked_of(text, product, entities)
    if asked is None or asked.kind is not Kind.RATE or not lent_or_kept(product):
        return False
    return owned(text, [mention.start for mention in shelf.names.find(text)])


def in_currency(product: Product, text: str, shelf: Shelf) -> Product | None:
    """The product meant by a name and a currency: a fixed deposit in dollars is the dollar one.

    None when the text names a currency that the product does not have and no single sister product does: a rate of
    the wrong currency is a wrong rate.
    """
    found = currencies_named(without_names(text, product))
    if not found or found == {product.currency} or product.category not in _IN_ONE_CURRENCY:
        return product
    sisters = [p for p in shelf.products.values() if p.category == product.category and {p.currency} == found]
    return sisters[0] if len(sisters) == 1 else None


def product_of(hit: Hit) -> str:
    """The product that a product page is about; empty for every other document."""
    kind, _, rest = hit.document.document_id.partition(":")
    return rest.rpartition(":")[0] if kind == "product" else ""


def approved_text(hit: Hit, shelf: Shelf, language: str) -> str:
    """What the document says to the inquiry, with figures filled in."""
    text = hit.document.answer or hit.evidence
    return readable(text, shelf.products, hit.document.language or language)


def readable_answer(document: Document, shelf: Shelf, language: str) -> str:
    """The document's approved answer with figures filled in, of a document of another kind its first paragraph."""
    return readable(document.answer or document.body.partition("\n\n")[0], shelf.products, language)


def cite(judged: Judged, shelf: Shelf, language: str) -> Citation:
    """The citation of a hit."""
    document = judged.hit.document
    passage = readable(document.answer or judged.hit.evidence, shelf.products, document.language or language)
    return Citation(
        document_id=document.document_id, title=document.title, passage=passage[:600], score=judged.probability
    )
