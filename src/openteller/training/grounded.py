"""Chats that teach a decoder to word approved answers: the bank's own questions, its sources, and the approved text.

Each question of an article that is valid today and public is asked with that article's answer among those of others, in
the very prompt that serving writes (it is handed in); the assistant gives the approved answer. Figures are filled from
the product table. Knows nothing about models.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from openteller.core.records import Audience
from openteller.knowledge.articles import read_articles
from openteller.knowledge.records import Document
from openteller.products.catalogue import read_products
from openteller.products.figures import readable
from openteller.training.chats import Chat, Message

#: (question, passages, language) to the messages that serving sends to a language model.
Prompt = Callable[[str, Sequence[str], str], Sequence[Message]]


def grounded_chats(
    articles: Path, products: Path | None, prompt: Prompt, passages: int, on: date, seed: int
) -> Iterator[Chat]:
    """The chats of the articles in `articles`, those of one article and its twin in one group.

    Args:
        articles: a folder of articles.
        products: a folder of products, for the figures; None says that the bank has to be asked for them.
        prompt: writes the messages before the answer.
        passages: how many sources a chat has, the right one among them.
        on: the day on which articles have to be valid.
        seed: of which others stand beside the right one, and where.

    Raises:
        BadInput, NotFound, UnreadableFile: the folders cannot be used.
    """
    table = {product.id: product for product in (read_products(products) if products else ())}
    current = [d for d in read_articles(articles) if d.answer and d.audience is Audience.PUBLIC and d.is_current(on)]
    answers = {d.document_id: readable(d.answer or "", table, str(d.language)) for d in current}
    draw = random.Random(seed)
    for document in current:
        for question in document.questions:
            sources = _sources(document, current, answers, passages, draw)
            messages = [*prompt(question, sources, str(document.language))]
            messages.append({"role": "assistant", "content": answers[document.document_id]})
            yield Chat(f"{document.document_id}: {question}", tuple(messages), document.group_id)


def _sources(
    document: Document, current: Sequence[Document], answers: dict[str, str], count: int, draw: random.Random
) -> list[str]:
    others = [d for d in current if d.language == document.language and d.group_id != document.group_id]
    near = [d for d in others if d.category == document.category] or others
    chosen = [document, *draw.sample(near, max(0, min(count - 1, len(near))))]
    draw.shuffle(chosen)
    return [answers[d.document_id] for d in chosen]
