"""From what was understood to an answer: figures from the product table, else approved knowledge behind the gate.

Approved answers are given as approved, with figures filled in. Knows nothing about the customer's own data (skills.py)
and nothing about storing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from openteller.assistant.figures import asks_for_figure, currency_named, figure_answer, names_other_bank
from openteller.assistant.gate import Gate, Judged
from openteller.assistant.wording import Say, say
from openteller.core.records import Answer, Citation, Inquiry, Outcome, Principal
from openteller.knowledge.records import Hit
from openteller.products.figures import fill
from openteller.products.names import ProductNames
from openteller.products.records import Product
from openteller.runtime.protocols import Floats
from openteller.understanding.reader import Reading

_LIMIT = 8
_SUGGESTIONS = 3
# Measured on the authored figure questions: share of those with a product named whose figure was right.
_NAMED_PRODUCT = 0.96


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
        named = {e.value for e in reading.understanding.entities if e.type == "product" and e.value in shelf.products}
        if len(named) == 1:
            direct = _figure(text, next(iter(named)), reading, shelf, language, _NAMED_PRODUCT)
            if direct:
                return Found(direct)
        hits = self._retriever.search(
            principal, text, vector=reading.vector, limit=_LIMIT, on=on, reply_language=language
        )
        judged = tuple(self._gate.judge(hits, reading.intents))
        return Found(self._decide(text, reading, judged, shelf, language), judged)

    def _decide(self, text: str, reading: Reading, judged: tuple[Judged, ...], shelf: Shelf, language: str) -> Answer:
        if not judged or judged[0].probability < self._gate.clarify_at:
            chance = 1 - judged[0].probability if judged else 1.0
            return Answer(text=say(Say.REFUSED, language), outcome=Outcome.REFUSED, confidence=chance)
        best = judged[0]
        if best.probability < self._gate.answer_at:
            titles = tuple(dict.fromkeys(j.hit.document.title for j in judged))[:_SUGGESTIONS]
            return Answer(
                text=say(Say.CLARIFY, language),
                outcome=Outcome.CLARIFY,
                confidence=best.probability,
                citations=tuple(cite(j, shelf, language) for j in judged[:_SUGGESTIONS]),
                suggestions=titles,
            )
        direct = _figure(text, product_of(best.hit), reading, shelf, language, best.probability)
        if direct:
            return direct
        return Answer(
            text=approved_text(best.hit, shelf, language),
            outcome=Outcome.ANSWERED,
            confidence=best.probability,
            citations=(cite(best, shelf, language),),
        )


def _figure(
    text: str, product_id: str, reading: Reading, shelf: Shelf, language: str, confidence: float
) -> Answer | None:
    """A figure of the product; None when none is asked for, or it would be another bank's or another currency's."""
    if product_id not in shelf.products or not asks_for_figure(text) or names_other_bank(text):
        return None
    product = in_currency(shelf.products[product_id], text, shelf)
    entities = reading.understanding.entities
    return figure_answer(text, product, entities, language, confidence) if product else None


def in_currency(product: Product, text: str, shelf: Shelf) -> Product | None:
    """The product meant by a name and a currency: a fixed deposit in dollars is the dollar one.

    None when the text names a currency that the product does not have and no single sister product does: a rate of
    the wrong currency is a wrong rate.
    """
    currency = currency_named(text)
    if currency in (None, product.currency) or product.category != "deposit":
        return product
    sisters = [p for p in shelf.products.values() if p.category == product.category and p.currency == currency]
    return sisters[0] if len(sisters) == 1 else None


def product_of(hit: Hit) -> str:
    """The product that a product page is about; empty for every other document."""
    kind, _, rest = hit.document.document_id.partition(":")
    return rest.rpartition(":")[0] if kind == "product" else ""


def approved_text(hit: Hit, shelf: Shelf, language: str) -> str:
    """What the document says to the inquiry, with figures filled in."""
    text = hit.document.answer or hit.evidence
    return fill(text, shelf.products, hit.document.language or language)


def cite(judged: Judged, shelf: Shelf, language: str) -> Citation:
    """The citation of a hit."""
    document = judged.hit.document
    passage = fill(document.answer or judged.hit.evidence, shelf.products, document.language or language)
    return Citation(
        document_id=document.document_id, title=document.title, passage=passage[:600], score=judged.probability
    )
