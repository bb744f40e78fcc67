"""Why a text was understood so: what becomes of a label when one word is left out (occlusion, Zeiler & Fergus 2014).

What is not covered: words that matter only together. Leaving out either of two that say the same changes little, and
both then look idle. Knows nothing about who asks.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
from pydantic import Field

from openteller.core.errors import BadInput, TooLarge
from openteller.core.records import Record
from openteller.runtime.onnx_backend import ranked, softmax
from openteller.runtime.protocols import Floats, MultiHeadEncoder

MAX_EXPLAINED_CHARACTERS = 300  # each word is one more pass of the encoder
_WORD = re.compile(r"[^\W\u3400-\u9fff]+(?:['’][^\W\u3400-\u9fff]+)*")


class SpanScore(Record):
    """What a span of the text, in code points, did for the label; below 0 it spoke against it."""

    start: int
    end: int
    text: str
    score: float = Field(description="the label's log-odds with the span less those without it")


class Explanation(Record):
    """A label with the spans that spoke for and against it, in the order of the text."""

    text: str
    head: str
    label: str
    probability: float = Field(ge=0, le=1)
    spans: tuple[SpanScore, ...]


class Explainer:
    """Explains single-label heads of `encoder`. temperatures: head → divisor of its logits."""

    def __init__(self, encoder: MultiHeadEncoder, temperatures: Mapping[str, float]) -> None:
        self._encoder, self._temperatures = encoder, temperatures

    def explain(self, text: str, head: str, label: str | None = None) -> Explanation:
        """Which words of the normalised `text` made `head` say `label`; None: what it says.

        Raises:
            BadInput: there is no such head or label.
            TooLarge: the text is over 300 characters.
        """
        if len(text) > MAX_EXPLAINED_CHARACTERS:
            raise TooLarge(
                f"The text is over {MAX_EXPLAINED_CHARACTERS} characters.", next_step="Explain a sentence of it."
            )
        encoding = self._encoder.encode([text])
        if head not in encoding.logits:
            raise BadInput(f"There is no head {head!r}.", next_step=f"Use one of {', '.join(sorted(encoding.logits))}.")
        labels, temperature = self._encoder.labels[head], self._temperatures.get(head, 1.0)
        whole = encoding.logits[head] / temperature
        best = ranked(labels, softmax(whole)[0])
        index = _index(labels, label or best[0].label)
        spans = units(text, [(int(start), int(end)) for start, end in encoding.offsets[0]])
        scores: Floats = np.zeros(0, np.float32)
        if spans:
            without = self._encoder.encode([text[:start] + text[end:] for start, end in spans]).logits[head]
            scores = log_odds(whole, index) - log_odds(without / temperature, index)
        return Explanation(
            text=text,
            head=head,
            label=labels[index],
            probability=next(s.probability for s in best if s.label == labels[index]),
            spans=tuple(
                SpanScore(start=start, end=end, text=text[start:end], score=round(float(score), 4))
                for (start, end), score in zip(spans, scores, strict=True)
            ),
        )


def log_odds(logits: Floats, index: int) -> Floats:
    """(n,) log-odds of one label against all others, from (n, labels) logits of a softmax."""
    others = np.delete(logits.astype(np.float64), index, axis=1)
    most = others.max(axis=1)
    rest = most + np.log(np.exp(others - most[:, None]).sum(axis=1))
    result: Floats = (logits[:, index] - rest).astype(np.float32)
    return result


def units(text: str, pieces: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of `text` that a person reads as one: what the tokenizer keeps together, and words that it cuts.

    Args:
        text: what was tokenised.
        pieces: (start, end) of each token, in code points; spaces at their ends are left out.
    """
    trimmed = [trim(text, start, end) for start, end in pieces]
    words = [match.span() for match in _WORD.finditer(text)]
    covered = max((end for _, end in trimmed), default=0)
    merged: list[tuple[int, int]] = []
    for start, end in sorted({*trimmed, *(word for word in words if word[0] < covered)}):
        if start >= end:
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without spaces at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def _index(labels: Sequence[str], label: str) -> int:
    if label in labels:
        return labels.index(label)
    near = get_close_matches(label, labels, n=3, cutoff=0.4) or list(labels[:3])
    raise BadInput(f"There is no label {label!r}.", next_step=f"Use one such as {', '.join(near)}.")
