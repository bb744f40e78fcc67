"""Second reading of the best hits: a cross-encoder reads the question together with each document's opening.

Costs one model pass a hit, so only the first few are read again. Knows nothing about answering.
"""

import re
from collections.abc import Sequence

from openteller.knowledge.records import Hit
from openteller.runtime.protocols import Reranker

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_OPENING = 160  # characters; the model's window is shorter still


def opening(title: str, text: str) -> str:
    """What the reranker reads of a document: its title and how its text begins, unfilled figures as ``…``."""
    return f"{title} {_PLACEHOLDER.sub('…', text[: 2 * _OPENING])[:_OPENING]}"


def read_again(reranker: Reranker, query: str, hits: Sequence[Hit], most: int) -> list[Hit]:
    """`hits` in their order, the first `most` of them with their relevance to `query`."""
    first = hits[:most]
    scores = reranker.score(query, [opening(h.document.title, h.document.answer or h.evidence) for h in first])
    again = [h.model_copy(update={"relevance": float(s)}) for h, s in zip(first, scores, strict=True)]
    return [*again, *hits[most:]]
