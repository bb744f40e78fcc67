"""Speech by Kokoro-82M v1.0 (hexgrad 2025; StyleTTS 2, Li et al. 2023) on ONNX Runtime: Chinese and English, 24 kHz.

    text ─▶ phonemes ─▶ symbols' numbers, with the voice's style for so many ─▶ samples

A text of more symbols than the model takes is cut at its punctuation and joined again. The same text gives the same
samples. Knows nothing about digits, loudness or keeping.
"""

import json
import os
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.runtime import kokoro_graph
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.onnx_backend import integers_saturate
from openteller.runtime.phonemes import open_phonemes
from openteller.runtime.protocols import Audio, Floats
from openteller.runtime.speech_limits import check, silence, trimmed

MODEL, VOCABULARY = "kokoro-82m", "kokoro-82m-vocabulary"  # in the catalogue
VOICES = {"zh": ("zf_xiaobei", "zm_yunxi"), "en": ("af_heart", "am_michael")}
_SHIPPED = Path(__file__).parent / "voices" / "kokoro.safetensors"
_LONGEST = 500  # symbols of one run; the model takes 510
_PAUSE = 0.08  # seconds between two runs of one text, besides what trimming leaves


class KokoroSynthesizer:
    """A Synthesizer. Safe to share between threads.

    Args:
        model: the ONNX file: `tokens` (1, n) int64, `style` (1, 256), `speed` (1,) → `audio` (samples,).
        vocabulary: JSON with `vocab`: symbol → number.
        threads: threads of one run.

    Raises:
        ModelUnavailable: a file cannot be used.
        MissingDependency: the extra `voice` is not installed.
    """

    def __init__(self, model: Path, vocabulary: Path, threads: int = 1) -> None:
        self.rate = 24_000
        self.voices: Mapping[str, tuple[str, ...]] = VOICES
        self._phonemes = open_phonemes()
        try:
            self._numbers: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]
            self._styles = _styles(_SHIPPED)
        except (OSError, ValueError, KeyError) as error:
            raise _unusable(error) from error
        self._session, self._options = _session(model, threads)

    def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
        """`text` spoken; a text without anything to say gives no samples. Raises BadInput."""
        style = self._styles[check(self.voices, language, voice, speed)]
        parts = [self._run(piece, style, speed) for piece in pieces(self._phonemes(text, language), _LONGEST)]
        joined = [part for said in parts for part in (said, silence(self.rate, _PAUSE))][:-1]
        return Audio(np.concatenate(joined) if joined else silence(self.rate), self.rate)

    def _run(self, phonemes: str, style: Floats, speed: float) -> Floats:
        numbers = [self._numbers[symbol] for symbol in phonemes if symbol in self._numbers]
        if not numbers:
            return silence(self.rate)
        feed = {
            "tokens": np.array([[0, *numbers, 0]], np.int64),
            "style": style[len(numbers) - 1 : len(numbers)],
            "speed": np.array([speed], np.float32),
        }
        samples = np.asarray(self._session.run(None, feed, self._options)[0], np.float32).reshape(-1)
        return trimmed(Audio(samples, self.rate)).samples


def open_kokoro(catalogue: Catalogue, data_dir: Path, threads: int = 1) -> KokoroSynthesizer:
    """The synthesizer from the catalogue's weights. The first time a faster form of the model is written below
    `data_dir`/models (92 MB, about a second; kokoro_graph.py); where it cannot be, the model runs as it is.

    Raises:
        NotFound, ModelUnavailable: the weights.
        MissingDependency: the extra `voice` is not installed.
    """
    print_of = catalogue.entry(MODEL).sha256[:12]
    fast = data_dir / "models" / MODEL / f"products-{kokoro_graph.FORMAT}-{print_of}.onnx"
    model = catalogue.locate(MODEL)
    with suppress(OSError):
        model = fast if fast.is_file() else _rewritten(model, fast)
    return KokoroSynthesizer(model, catalogue.locate(VOCABULARY), threads)


def _rewritten(model: Path, target: Path) -> Path:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        kokoro_graph.rewrite(model, temporary)
        return temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def pieces(phonemes: str, longest: int) -> list[str]:
    """`phonemes` in runs of at most `longest`, cut after a mark of punctuation where there is one, else at a space."""
    found = []
    while len(phonemes) > longest:
        head = phonemes[:longest]
        cuts = [m.end() for m in re.finditer(r"[;:,.!?…] ?", head)] or [m.end() for m in re.finditer(" ", head)]
        cut = cuts[-1] if cuts else longest
        found.append(phonemes[:cut].strip())
        phonemes = phonemes[cut:]
    return [piece for piece in (*found, phonemes.strip()) if piece]


def _styles(path: Path) -> dict[str, Floats]:
    from safetensors.numpy import load_file

    return {name: style.astype(np.float32) for name, style in load_file(path).items()}


def _session(model: Path, threads: int) -> tuple[Any, Any]:
    """The session, and the options of its runs."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependency("Speech needs the package onnxruntime.", next_step="pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if integers_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    # What a long sentence needs is given back after it: 330 MB less for 3-5 % of the time (lab/LOG.md).
    of_a_run = onnxruntime.RunOptions()
    of_a_run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"]), of_a_run
    except Exception as error:  # the engine's errors share no other base
        raise _unusable(error) from error


def _unusable(error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        "The model for speech cannot be used.",
        cause=str(error)[:300],
        next_step="Reinstall with `pip install --force-reinstall 'openteller[voice]'`; `teller doctor` says more.",
    )
