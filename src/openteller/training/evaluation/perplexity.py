"""Figures of a language model on held-out text: its loss a token and the perplexity that follows from it.

Of a masked model it is a pseudo-perplexity: the exponential of the loss at the masked tokens of one fixed masking, no
likelihood of the text. Figures of models with different tokens cannot be compared. Knows nothing about models.
"""

import math
from collections.abc import Mapping, Sequence

METRIC = "log_likelihood"
_MOST = 700.0  # beyond it the exponential is no finite number


def perplexity(loss: float) -> float:
    """The exponential of a mean loss in nats a token, finite also for a model that knows nothing."""
    return math.exp(min(loss, _MOST))


def loss_figures(total: float, tokens: int) -> dict[str, float]:
    """``log_likelihood`` (nats a token, higher is better) and ``perplexity`` of a summed loss."""
    mean = total / max(tokens, 1)
    return {METRIC: -mean, "perplexity": perplexity(mean)}


def curve(before: Mapping[str, float], history: Sequence[Mapping[str, float]]) -> list[tuple[int, float]]:
    """(step, perplexity) before training and at each evaluation, by step.

    Args:
        before: the figures of the untrained model.
        history: what the loop logged.
    """
    found = {0: before["perplexity"]}
    found |= {int(row["step"]): row["eval_perplexity"] for row in history if "eval_perplexity" in row}
    return sorted(found.items())
