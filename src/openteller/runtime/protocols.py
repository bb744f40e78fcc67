"""What the rest of the house may ask of a model. An engine need not inherit: it only has these methods.

Knows nothing about engines, files or languages. tests/contracts/ holds the suite that every implementation runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from openteller.core.records import Scored

Floats = NDArray[np.float32]
TextKind = Literal["query", "passage"]
Text = str | tuple[str, str]  #: a text, or two that are read together


@dataclass(frozen=True)
class Message:
    """One message of a chat: role is system, user or assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Encoding:
    """What one pass of a multi-head encoder gives for a batch of n texts.

    embedding: (n, dimension) float32, L2-normalised.
    logits: head name → (n, labels) float32, before temperature.
    token_logits: head name → one (tokens, labels) float32 array a text, special tokens left out.
    offsets: one (tokens, 2) int array a text: start and end code point of each token.
    """

    embedding: Floats
    logits: dict[str, Floats]
    token_logits: dict[str, list[Floats]]
    offsets: list[NDArray[np.int64]]


class TextGenerator(Protocol):
    """A language model that continues a chat."""

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int = 256, temperature: float = 0.0
    ) -> Iterator[str]:
        """Yield the answer in pieces as they come. Raises Unavailable when the engine does not answer."""
        ...


class Classifier(Protocol):
    """Single-label classification with calibrated probabilities."""

    labels: tuple[str, ...]

    def classify(self, texts: Sequence[str]) -> list[list[Scored]]:
        """For each text every label, most probable first; the probabilities of a text sum to 1."""
        ...


class Embedder(Protocol):
    """Texts to vectors whose inner product is their similarity."""

    dimension: int

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, dimension) float32, L2-normalised; an empty input gives (0, dimension)."""
        ...


class Reranker(Protocol):
    """How well each passage answers a query."""

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        """(len(passages),) float32 in 0–1, higher is better."""
        ...


class MultiHeadEncoder(Protocol):
    """One encoder with several heads: everything about a text in one pass."""

    dimension: int
    labels: dict[str, tuple[str, ...]]

    def encode(self, texts: Sequence[Text]) -> Encoding:
        """Encode a batch. Texts longer than the model's window are cut at its end."""
        ...
