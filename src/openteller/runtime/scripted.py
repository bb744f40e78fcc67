"""The fakes that ship beside the real engines: deterministic, without weights, honest about misuse.

For tests and demonstrations without models. A scripted generator fails loudly when it is asked more or less often than
its script says; the embedder and the reranker measure shared characters and words, so that related texts do score
higher than unrelated ones. Knows nothing about meaning: "car" and "vehicle" are strangers here.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from types import TracebackType

import numpy as np

from openteller.core.records import Scored
from openteller.core.text import fold
from openteller.runtime.chat import check
from openteller.runtime.protocols import Encoding, Floats, Message, Text, TextKind

_PIECES = re.compile(r"\s*(?:[㐀-鿿]|[^\s㐀-鿿]+)|\s+$")
_WORDS = re.compile(r"[a-z0-9]+|[㐀-鿿]+")
_HAN_RUN = re.compile(r"[㐀-鿿]+")

Step = str | Sequence[str] | Exception


class ScriptedGenerator:
    """A TextGenerator that plays prepared answers, one a call, in order.

    A misused script raises AssertionError rather than one of the house's errors: code under test that falls back on
    Unavailable must not be able to swallow a mistake of its test.

    Args:
        steps: for each call the answer (cut into words and Han characters), its exact pieces, or an error to raise.

    Attributes:
        requests: the messages of every call so far.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)
        self._lock = Lock()
        self.requests: list[tuple[Message, ...]] = []

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int = 256, temperature: float = 0.0
    ) -> Iterator[str]:
        """Yield the pieces of the next step, at most `max_tokens` of them."""
        check(messages, max_tokens, temperature)
        step = self._next(messages)
        if isinstance(step, Exception):
            raise step
        pieces = _PIECES.findall(step) if isinstance(step, str) else step
        yield from pieces[:max_tokens]

    def _next(self, messages: Sequence[Message]) -> Step:
        with self._lock:
            position = len(self.requests)
            self.requests.append(tuple(messages))
            if position >= len(self._steps):
                raise AssertionError(f"The script has {len(self._steps)} steps and was asked for one more.")
            return self._steps[position]

    def finish(self) -> None:
        """Raise AssertionError unless every step was played."""
        left = len(self._steps) - len(self.requests)
        if left > 0:
            raise AssertionError(f"{left} of the script's {len(self._steps)} steps were not played.")

    def __enter__(self) -> "ScriptedGenerator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()


class ScriptedEmbedder:
    """An Embedder by feature hashing (Weinberger et al. 2009) of folded character n-grams.

    n is 2 and 3, and 1 for Han characters; counts are damped by a square root. Simplified and traditional, upper and
    lower case agree. `kind` makes no difference.
    """

    def __init__(self, dimension: int = 896) -> None:
        self.dimension = dimension

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, dimension) float32, L2-normalised; a text without n-grams gets one fixed vector."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            self._fill(vectors[row], text)
        return vectors

    def _fill(self, row: Floats, text: str) -> None:
        for gram, count in _grams(text).items():
            code = zlib.crc32(gram.encode())
            row[(code >> 1) % self.dimension] += (1 if code & 1 else -1) * count**0.5
        length = float(np.linalg.norm(row))
        if length == 0:
            row[0] = length = 1.0
        row /= length


def _grams(text: str) -> Counter[str]:
    joined = f" {' '.join(fold(text).split())} "
    grams = Counter(joined[i : i + n] for n in (2, 3) for i in range(len(joined) - n + 1) if joined.strip())
    grams.update(character for run in _HAN_RUN.findall(joined) for character in run)
    return grams


class ScriptedClassifier:
    """A Classifier by keywords: a label's score is the number of its keywords found in the text.

    Args:
        keywords: label → the words or phrases that speak for it; compared folded.
        sharpness: how many nats one keyword is worth in the softmax over the labels.
    """

    def __init__(self, keywords: Mapping[str, Sequence[str]], *, sharpness: float = 3.0) -> None:
        self.labels: tuple[str, ...] = tuple(keywords)
        self._keywords = {label: [fold(word) for word in words] for label, words in keywords.items()}
        self._sharpness = sharpness

    def classify(self, texts: Sequence[str]) -> list[list[Scored]]:
        """For each text every label, most probable first; equal labels keep their order."""
        return [self._one(fold(text)) for text in texts]

    def _one(self, text: str) -> list[Scored]:
        hits = np.array([sum(word in text for word in self._keywords[label]) for label in self.labels], float)
        odds = np.exp(self._sharpness * (hits - hits.max()))
        scored = [
            Scored(label=label, probability=float(p)) for label, p in zip(self.labels, odds / odds.sum(), strict=True)
        ]
        return sorted(scored, key=lambda one: -one.probability)


class ScriptedEncoder:
    """A MultiHeadEncoder by keywords: a ScriptedClassifier for each head, embeddings as ScriptedEmbedder makes them.

    Its tokens are Latin words and single Han characters; it has no head that looks at tokens. The logits are the logarithms of
    the classifiers' probabilities.

    Args:
        heads: head → label → the words or phrases that speak for it.
    """

    def __init__(self, heads: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._classifiers = {head: ScriptedClassifier(keywords) for head, keywords in heads.items()}
        self._embedder = ScriptedEmbedder()
        self.labels = {head: classifier.labels for head, classifier in self._classifiers.items()}
        self.dimension = self._embedder.dimension

    def encode(self, texts: Sequence[Text]) -> Encoding:
        """Encode a batch; of a pair both texts as one."""
        joined = [text if isinstance(text, str) else " ".join(text) for text in texts]
        return Encoding(
            embedding=self._embedder.embed(joined, "query"),
            logits={head: self._logits(head, joined) for head in self.labels},
            token_logits={},
            offsets=[np.array([m.span() for m in _PIECES.finditer(t)], np.int64).reshape(-1, 2) for t in joined],
        )

    def _logits(self, head: str, texts: Sequence[str]) -> Floats:
        found = [{one.label: one.probability for one in row} for row in self._classifiers[head].classify(texts)]
        chances = np.array([[row[label] for label in self.labels[head]] for row in found], np.float32)
        logits: Floats = np.log(np.maximum(chances, 1e-30)).reshape(-1, len(self.labels[head]))
        return logits


class ScriptedReranker:
    """A Reranker by token overlap: the share of the query's tokens that the passage holds.

    Tokens are Latin words and numbers, and pairs of neighbouring Han characters.
    """

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        """(len(passages),) float32 in 0–1; all 0 for a query without tokens."""
        wanted = _tokens(query)
        found = [len(wanted & _tokens(passage)) / len(wanted) if wanted else 0.0 for passage in passages]
        return np.array(found, np.float32)


def _tokens(text: str) -> set[str]:
    tokens: set[str] = set()
    for run in _WORDS.findall(fold(text)):
        pairs = _HAN_RUN.fullmatch(run) and len(run) > 1
        tokens.update(run[i : i + 2] for i in range(len(run) - 1)) if pairs else tokens.add(run)
    return tokens
