"""What the rest of the house may ask of a model. An engine need not inherit: it only has these methods.

Knows nothing about engines, files or languages. tests/contracts/ holds the suite that every implementation runs.
"""

from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Audio:
    """Sound: one channel.

    samples: (n,) float32, full scale is -1 to 1.
    rate: samples a second, Hz.
    """

    samples: Floats
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Recognition:
    """What a Transcriber heard.

    text: as the engine wrote it, with its punctuation; empty when it heard no words.
    language: zh or en.
    probability: the engine's own estimate that the words are right, 0 to 1 (not calibrated).
    no_speech: the engine's estimate that nobody spoke, 0 to 1; 0 when the engine has none.
    """

    text: str
    language: str
    probability: float
    no_speech: float = 0.0


class Transcriber(Protocol):
    """Speech to text, one utterance at a time. Implementations may be called from several threads."""

    rate: int  #: samples a second that it wants; other audio is refused

    def transcribe(self, audio: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()) -> Recognition:
        """The words of `audio`.

        Args:
            audio: at `rate`; of any length.
            language: zh or en; None: the engine finds out which of the two.
            hotwords: words of the bank's own that the speaker may use, the likeliest first.

        Raises:
            BadInput: audio at another rate, or samples that are no numbers.
            Unavailable: the engine does not answer.
        """
        ...


class Synthesizer(Protocol):
    """Text to speech, one sentence at a time. Implementations may be called from several threads."""

    rate: int  #: samples a second of what it makes
    voices: Mapping[str, tuple[str, ...]]  #: zh and en → the names of its voices, the default first

    def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
        """`text` spoken; a text without anything to say gives no samples.

        Args:
            text: one sentence, already in spoken words (no digits, no currency signs).
            language: zh or en; a text may hold words of the other one.
            voice: one of `voices`; None: the language's first.
            speed: 0.5 to 2; 1 is the voice's own.

        Raises:
            BadInput: an unknown voice or language, a speed out of range.
            Unavailable: the engine does not answer.
        """
        ...


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
