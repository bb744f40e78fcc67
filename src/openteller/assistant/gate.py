"""The answer-relevance gate: does this hit answer this inquiry? A calibrated logistic model over retrieval evidence.

It reranks the hits and decides between answering, asking back and refusing. Fitted by `benchmarks/answer_gate.py`; the file
beside this one holds the coefficients, the thresholds and the coverage and risk that were measured with them.
Knows nothing about text.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openteller.core.errors import ModelUnavailable
from openteller.knowledge.records import Hit

FEATURES = ("question", "body", "lexical", "relevance", "intent", "out_of_scope", "margin")
_ODDS = 5.0
_FILE = Path(__file__).with_name("gate.json")


@dataclass(frozen=True)
class Judged:
    """A hit with the probability that it answers the inquiry."""

    hit: Hit
    probability: float


@dataclass(frozen=True)
class Gate:
    """Logistic regression on `FEATURES`.

    rank: weights used to order the hits (no margin); answer: weights and bias of the calibrated probability of the
    first; answer_at, clarify_at: probability from which to answer, and from which to ask back.
    """

    rank: Mapping[str, float]
    answer: Mapping[str, float]
    bias: float
    answer_at: float
    clarify_at: float

    def judge(self, hits: Sequence[Hit], intents: Mapping[str, float]) -> list[Judged]:
        """The hits from best to worst, each with its calibrated probability.

        Args:
            hits: of one search.
            intents: intent → probability, as understanding gave them.
        """
        rows = sorted(
            ((self._rank(evidence), evidence, hit) for hit in hits for evidence in [evidence_of(hit, intents)]),
            key=lambda row: -row[0],
        )
        judged = []
        for i, (score, evidence, hit) in enumerate(rows):
            rival = rows[1][0] if i == 0 and len(rows) > 1 else rows[0][0]
            judged.append(Judged(hit, self._probability(evidence | {"margin": score - rival})))
        return judged

    def _rank(self, evidence: Mapping[str, float]) -> float:
        return sum(self.rank.get(name, 0.0) * value for name, value in evidence.items())

    def _probability(self, evidence: Mapping[str, float]) -> float:
        z = self.bias + sum(self.answer.get(name, 0.0) * value for name, value in evidence.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def evidence_of(hit: Hit, intents: Mapping[str, float]) -> dict[str, float]:
    """The features of one hit, but for the margin, which depends on the others."""
    return {
        "question": hit.question_dense if hit.question_dense is not None else hit.dense,
        "body": hit.body_dense if hit.body_dense is not None else hit.dense,
        "lexical": hit.lexical,
        "relevance": log_odds(hit.relevance),
        "intent": intents.get(hit.document.intent or "", 0.0),
        "out_of_scope": intents.get("out_of_scope", 0.0),
    }


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
        return Gate(data["rank"], data["answer"], data["bias"], data["answer_at"], data["clarify_at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            "The answer gate cannot be read.", cause=str(error), next_step="Restore gate.json or fit it again."
        ) from error
