"""Encoders on ONNX Runtime: one pass gives the embedding and every head; a cross-encoder scores pairs of texts.

Texts are folded (NFKC, simplified characters, lower case) as they were in training; offsets count code points of the
normalised text, which folding keeps. Knows nothing about what labels mean.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.core.records import Scored
from openteller.core.text import fold
from openteller.runtime.protocols import Encoding, Floats, MultiHeadEncoder, Text, TextKind

BUILT = "encoder.onnx"


class OnnxEncoder:
    """A multi-head encoder (MultiHeadEncoder) in an ONNX file. Safe to share between threads.

    Args:
        folder: holds the model and ``tokenizer.json`` as runtime.loader builds them, or `teller export`.
        labels: head → its labels in output order.
        token_heads: the heads with one output a token.
        threads: threads of one run.
        model: the file of the model in `folder`.
    """

    def __init__(
        self,
        folder: Path,
        labels: Mapping[str, tuple[str, ...]],
        token_heads: frozenset[str] = frozenset(),
        threads: int = 1,
        model: str = BUILT,
    ) -> None:
        self.labels = dict(labels)
        self._token_heads = token_heads
        self._session = _session(folder / model, threads)
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.dimension = int(self.encode(["a"]).embedding.shape[1])

    def encode(self, texts: Sequence[Text]) -> Encoding:
        """Encode each text, or pair, by itself: the padding of a batch would change the last digits of the shorter ones."""
        heads = [name for name in self._outputs if name != "embedding"]
        rows = [self._one(text) for text in texts]
        if not rows:
            return Encoding(np.zeros((0, self.dimension), np.float32), {}, {}, [])
        return Encoding(
            embedding=np.stack([values["embedding"] for values, _ in rows]),
            logits={h: np.stack([v[h] for v, _ in rows]) for h in heads if h not in self._token_heads},
            token_logits={h: [v[h] for v, _ in rows] for h in heads if h in self._token_heads},
            offsets=[offsets for _, offsets in rows],
        )

    def _one(self, text: Text) -> tuple[dict[str, Floats], NDArray[np.int64]]:
        first, second = (text, None) if isinstance(text, str) else text
        tokens = self._tokenizer.encode(fold(first), None if second is None else fold(second))
        feed = {"input_ids": np.array([tokens.ids]), "attention_mask": np.array([tokens.attention_mask])}
        outputs = dict(zip(self._outputs, (o[0] for o in self._session.run(None, feed)), strict=True))
        kept = np.flatnonzero(np.array(tokens.special_tokens_mask) == 0)
        values = {n: o[kept] if n in self._token_heads else o for n, o in outputs.items()}
        return values, np.array(tokens.offsets, np.int64).reshape(-1, 2)[kept]


class EncoderEmbedder:
    """The embedding of a multi-head encoder as an Embedder; queries and passages share one space."""

    def __init__(self, encoder: MultiHeadEncoder) -> None:
        self._encoder = encoder
        self.dimension = encoder.dimension

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, dimension) float32, L2-normalised."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return self._encoder.encode(texts).embedding


class EncoderClassifier:
    """One head of a multi-head encoder as a Classifier.

    Args:
        encoder: has the head.
        head: its name.
        temperature: divides the logits, as fitted on validation.
    """

    def __init__(self, encoder: MultiHeadEncoder, head: str, temperature: float = 1.0) -> None:
        self._encoder, self._head, self._temperature = encoder, head, temperature
        self.labels = encoder.labels[head]

    def classify(self, texts: Sequence[Text]) -> list[list[Scored]]:
        """Every label of each text, or pair, most probable first."""
        if not texts:
            return []
        chances = softmax(self._encoder.encode(texts).logits[self._head] / self._temperature)
        return [ranked(self.labels, row) for row in chances]


class OnnxReranker:
    """A cross-encoder (Reranker): reads the query together with each passage, one pair a core at a time.

    Safe to share between threads.

    Args:
        folder: holds ``encoder.onnx`` and ``tokenizer.json`` as runtime.loader builds them.
        head: name of the output with one logit a pair.
        temperature: divides the logits, as fitted on validation.
        max_tokens: of a pair; the longer text of the two is cut first.
        threads: threads of one run.
    """

    def __init__(self, folder: Path, head: str, temperature: float = 1.0, max_tokens: int = 48, threads: int = 1):
        self._head, self._temperature = head, temperature
        self._session = _session(folder / BUILT, threads)
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self._tokenizer.enable_truncation(max_tokens)
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="reranker")

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        """(len(passages),) float32 probabilities that a passage answers `query`."""
        folded = fold(query)
        logits = np.array(list(self._pool.map(partial(self._one, folded), map(fold, passages))), np.float32)
        result: Floats = 1 / (1 + np.exp(-np.clip(logits / self._temperature, -30, 30)))
        return result.astype(np.float32)

    def _one(self, query: str, passage: str) -> float:
        tokens = self._tokenizer.encode(query, passage)
        feed = {"input_ids": np.array([tokens.ids]), "attention_mask": np.array([tokens.attention_mask])}
        return float(self._session.run([self._head], feed)[0][0, 0])


@cache
def integers_saturate() -> bool:
    """Whether products with signed 8-bit weights may overflow: on x86 without VNNI, where they must be made unsigned.

    ONNX Runtime would make them so with VNNI too, when asked, and lose half the speed where there is AMX.
    """
    try:
        return "vnni" not in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


def softmax(logits: Floats) -> Floats:
    """Row-wise softmax of (…, k) logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


def ranked(labels: Sequence[str], chances: Floats) -> list[Scored]:
    """The labels with their probabilities, most probable first."""
    order = np.argsort(-chances, kind="stable")
    return [Scored(label=labels[i], probability=min(1.0, float(chances[i]))) for i in order]


def _tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise ModelUnavailable(
            f"The tokenizer {path.name} cannot be loaded.",
            cause=str(error).splitlines()[0],
            next_step="Delete the folder data_dir/models and start again: it is built anew.",
        ) from error


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependency("Running a model needs ONNX Runtime.", next_step="pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    if integers_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no base class
        raise ModelUnavailable(
            f"The model file {path.name} cannot be loaded.",
            cause=str(error).splitlines()[0],
            next_step="Delete the folder data_dir/models and start again: it is built anew.",
        ) from error
