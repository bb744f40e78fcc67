"""The answer-relevance gate: does this hit answer this inquiry? It orders the hits and says how probable each is.

The order is a weighted sum of the evidence; the probability comes from boosted regression trees that are monotone: more
evidence for a hit never makes it less probable. Documents that carry an intent are ordered and judged by other weights than
those that carry none, whose matter our intents may not know; both kinds are then merged by probability. Fitted by `benchmarks/answer_gate.py`; the file beside this one holds
the weights, the trees, the thresholds and the coverage and risk that were measured with them. Knows nothing about text.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import ModelUnavailable
from openteller.knowledge.records import Hit

# +1: more of it never makes a hit less probable; -1: never more; 0: no order. A lead is over the best of the other hits.
FEATURES: Mapping[str, int] = {
    "question": 1,
    "body": 1,
    "lexical": 1,
    "relevance": 1,
    "intent": 1,
    "out_of_scope": -1,
    "fused": 1,
    "certainty": 0,
    "question_lead": 1,
    "body_lead": 1,
    "lexical_lead": 1,
    "relevance_lead": 1,
    "fused_lead": 1,
}
RANKED_BY = ("question", "body", "lexical", "relevance", "intent")
_LEADS = tuple(name.removesuffix("_lead") for name in FEATURES if name.endswith("_lead"))
_OWN = len(FEATURES) - len(_LEADS)
# What the intents say, and the reranker, which learned from the demo bank and put a foreign bank's entries in a worse order:
# nothing of it is heard about a document without an intent.
_OF_THE_DEMO_BANK = [
    list(FEATURES).index(name) for name in ("intent", "out_of_scope", "certainty", "relevance", "relevance_lead")
]
_ODDS = 5.0
_FILE = Path(__file__).with_name("gate.json")


@dataclass(frozen=True)
class Judged:
    """A hit with the probability that it answers the inquiry."""

    hit: Hit
    probability: float


@dataclass(frozen=True)
class Trees:
    """Boosted regression trees, all in one table of nodes (Friedman 2001, Greedy function approximation).

    A node sends a row left when ``row[feature] <= threshold``; a leaf sends every row to itself. All arrays: (nodes,).

    roots: (trees,) where each tree begins; depth: steps from a root to the deepest leaf; bias: log-odds before any tree.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]
    roots: NDArray[np.int64]
    depth: int
    bias: float

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) log-odds of (n, features) rows."""
        at = np.tile(self.roots, (len(rows), 1))
        for _ in range(self.depth):
            seen = np.take_along_axis(rows, self.feature[at], axis=1)
            at = np.where(seen <= self.threshold[at], self.left[at], self.right[at])
        return np.asarray(self.bias + self.value[at].sum(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Scale:
    """How one kind of documents is weighed.

    rank: feature → weight, by whose sum hits are ordered; trees: log-odds that a hit answers; answer_at, clarify_at:
    probability from which to answer, and from which to ask back.
    """

    rank: Mapping[str, float]
    trees: Trees
    answer_at: float
    clarify_at: float

    def weigh(self, rows: NDArray[np.float64], which: NDArray[np.int64]) -> list[tuple[int, float]]:
        """The rows named by `which` in their order, each with its probability, which no later one's exceeds."""
        order = which[np.argsort(-(rows[which] @ as_weights(self.rank)), kind="stable")]
        chances = 1 / (1 + np.exp(-np.clip(self.trees.log_odds(rows[order]), -30, 30)))
        return list(zip(order.tolist(), np.minimum.accumulate(chances).tolist(), strict=True))


@dataclass(frozen=True)
class Gate:
    """What orders and judges hits: a scale for documents with an intent, and one for those without."""

    with_intent: Scale
    plain: Scale

    def answers(self, judged: Judged) -> bool:
        """Whether the hit is good enough to be given as the answer."""
        return judged.probability >= self._scale(judged).answer_at

    def asks_back(self, judged: Judged) -> bool:
        """Whether the hit is good enough to ask back with."""
        return judged.probability >= self._scale(judged).clarify_at

    def _scale(self, judged: Judged) -> Scale:
        return self.with_intent if judged.hit.document.intent else self.plain

    def judge(self, hits: Sequence[Hit], intents: Mapping[str, float]) -> list[Judged]:
        """The hits from best to worst, each with its calibrated probability, which no later hit's exceeds.

        Args:
            hits: of one search.
            intents: intent → probability, as understanding gave them.
        """
        if not hits:
            return []
        rows = evidence_of(hits, intents)
        with_intent = np.array([bool(hit.document.intent) for hit in hits])
        judged = self.with_intent.weigh(rows, np.flatnonzero(with_intent))
        judged += self.plain.weigh(plain(rows), np.flatnonzero(~with_intent))
        judged.sort(key=lambda of: -of[1])
        return [Judged(hits[i], chance) for i, chance in judged]


def as_weights(rank: Mapping[str, float]) -> NDArray[np.float64]:
    """(features,) the weight of each of `FEATURES`; 0 for one that `rank` leaves out."""
    return np.array([rank.get(name, 0.0) for name in FEATURES])


def evidence_of(hits: Sequence[Hit], intents: Mapping[str, float]) -> NDArray[np.float64]:
    """(hits, `FEATURES`) what speaks for each of one search's hits, by itself and compared with the others."""
    out_of_scope, certainty = intents.get("out_of_scope", 0.0), max(intents.values(), default=0.0)
    own = np.array(
        [
            (
                hit.question_dense if hit.question_dense is not None else hit.dense,
                hit.body_dense if hit.body_dense is not None else hit.dense,
                hit.lexical,
                log_odds(hit.relevance),
                intents.get(hit.document.intent or "", 0.0),
                out_of_scope,
                hit.fused,
                certainty,
            )
            for hit in hits
        ],
        dtype=np.float64,
    ).reshape(len(hits), _OWN)
    compared = own[:, [list(FEATURES).index(name) for name in _LEADS]]
    leads = (
        [compared[i] - np.delete(compared, i, axis=0).max(axis=0) for i in range(len(hits))] if len(hits) > 1 else []
    )
    return np.hstack([own, np.array(leads).reshape(-1, len(_LEADS)) if leads else np.zeros((len(hits), len(_LEADS)))])


def plain(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, `FEATURES`) rows without what intents and reranker say, as `Gate.plain` weighs them."""
    silent = rows.copy()
    silent[:, _OF_THE_DEMO_BANK] = 0.0
    return silent


def log_odds(probability: float | None) -> float:
    """ln(p / (1 - p)) within ±5; -5 for None, which is a hit that was too low to be read again."""
    if probability is None:
        return -_ODDS
    clipped = min(1 - 1e-6, max(1e-6, probability))
    return max(-_ODDS, min(_ODDS, math.log(clipped / (1 - clipped))))


def load_gate(path: Path = _FILE) -> Gate:
    """The gate in `path`. Raises ModelUnavailable when it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Gate(_scale(data["with_intent"]), _scale(data["plain"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            "The answer gate cannot be read.", cause=str(error), next_step="Restore gate.json or fit it again."
        ) from error


def _scale(data: Mapping[str, Any]) -> Scale:
    return Scale(data["rank"], _trees(data["trees"]), data["answer_at"], data["clarify_at"])


def _trees(data: Mapping[str, Any]) -> Trees:
    feature, left, right, roots = (
        np.array(data[name], dtype=np.int64) for name in ("feature", "left", "right", "roots")
    )
    threshold, value = (np.array(data[name], dtype=np.float64) for name in ("threshold", "value"))
    nodes, reached = len(feature), np.concatenate([left, right, roots])
    alike = all(len(column) == nodes for column in (left, right, threshold, value))
    if not alike or reached.min() < 0 or reached.max() >= nodes or feature.max() >= len(FEATURES):
        raise ValueError("a tree leads nowhere")
    return Trees(feature, threshold, left, right, value, roots, int(data["depth"]), float(data["bias"]))
