"""Runs a speech model that a bank brings with sherpa-onnx: SenseVoice, Paraformer, Zipformer (transducer or CTC), Whisper.

What the folder holds is told by its files' names and by the kind that sherpa's export writes into the model. Written against
sherpa-onnx 2.0. What is not covered: the language asked for (SenseVoice and Whisper find it out themselves, the others know
one), hot words (homophones are put right afterwards), and
probabilities of models that state none: 1 is said.
sherpa-onnx ends the process when a model file is damaged; keep their checksums.
"""

import math
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openteller.core.errors import ConfigurationError, MissingDependency, ModelUnavailable
from openteller.core.text import simplified
from openteller.runtime.hearing_limits import check, language_of
from openteller.runtime.protocols import Audio, Recognition

# What sherpa's export writes as model_type.
_SINGLE = {"sense_voice": "sense_voice", "paraformer": "paraformer", "zipformer2_ctc": "zipformer_ctc"}


class SherpaTranscriber:
    """A Transcriber on a folder as sherpa-onnx publishes them. Safe to share between threads.

    Args:
        folder: tokens.txt and the model's .onnx files; of several sizes the int8 ones are taken.
        threads: of the engine.

    Raises:
        ConfigurationError: the folder holds no model that is known here.
        MissingDependency: sherpa-onnx is not installed.
        ModelUnavailable: the engine refuses the model.
    """

    rate = 16_000

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        kind, files = model_files(folder)
        try:
            from sherpa_onnx import OfflineRecognizer
        except ImportError as error:
            raise MissingDependency(
                "Models in sherpa's format need sherpa-onnx.",
                cause=str(error),
                next_step="Run `pip install sherpa-onnx`.",
            ) from error
        try:
            self._recognizer = _MAKERS[kind](OfflineRecognizer, files, threads)
        except (RuntimeError, ValueError, AssertionError) as error:
            raise ModelUnavailable(
                f"The speech model in {folder} cannot be loaded.", cause=str(error)[:200], next_step="Fetch it again."
            ) from error

    def transcribe(self, audio: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()) -> Recognition:
        """The words of `audio`, Chinese in simplified characters. `hotwords` are ignored. Raises BadInput."""
        check(audio, self.rate, language)
        if not np.any(audio.samples):
            return Recognition("", language or "zh", 0.0, 1.0)
        stream = self._recognizer.create_stream()
        stream.accept_waveform(audio.rate, audio.samples)
        self._recognizer.decode_stream(stream)
        text = str(stream.result.text).strip()
        told = str(getattr(stream.result, "lang", "")).strip("<|>")
        found = language or (told if told in ("zh", "en") else language_of(text))
        chances = list(getattr(stream.result, "ys_log_probs", ()))
        probability = math.exp(float(np.mean(chances))) if chances else 1.0
        return Recognition(simplified(text) if found == "zh" else text, found, min(1.0, probability) if text else 0.0)


def model_files(folder: Path) -> tuple[str, dict[str, str]]:
    """The kind of model in `folder`, and its files by sherpa's names for them. Raises ConfigurationError."""
    found = {part: _one(folder, f"*{part}*.onnx") for part in ("encoder", "decoder", "joiner", "model")}
    tokens = _one(folder, "*tokens.txt")
    files = {part: str(path) for part, path in (*found.items(), ("tokens", tokens)) if path}
    if tokens and found["encoder"] and found["decoder"]:
        return ("transducer" if found["joiner"] else "whisper"), files
    if tokens and found["model"]:
        for mark, kind in _SINGLE.items():
            if _holds(found["model"], mark.encode()):
                return kind, files
    raise ConfigurationError(
        f"The folder {folder} holds no speech model that is known.",
        cause="Wanted are tokens.txt and a SenseVoice, Paraformer or Zipformer model.onnx, or encoder, decoder (and joiner).",
        next_step="Unpack a model as sherpa-onnx publishes it, and name its folder: OPENTELLER_ASR_URL=sherpa:FOLDER.",
    )


def _one(folder: Path, pattern: str) -> Path | None:
    found = sorted(folder.glob(pattern))
    return next((path for path in found if "int8" in path.name), found[0] if found else None)


def _holds(file: Path, mark: bytes) -> bool:
    with file.open("rb") as opened:
        if not file.stat().st_size:
            return False
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.rfind(mark) >= 0


def _transducer(engine: Any, files: dict[str, str], threads: int) -> Any:
    parts = {name: files[name] for name in ("encoder", "decoder", "joiner", "tokens")}
    return engine.from_transducer(**parts, num_threads=threads)


def _whisper(engine: Any, files: dict[str, str], threads: int) -> Any:
    parts = {name: files[name] for name in ("encoder", "decoder", "tokens")}
    return engine.from_whisper(**parts, language="", num_threads=threads)


def _sense_voice(engine: Any, files: dict[str, str], threads: int) -> Any:
    return engine.from_sense_voice(
        model=files["model"], tokens=files["tokens"], language="auto", use_itn=False, num_threads=threads
    )


def _paraformer(engine: Any, files: dict[str, str], threads: int) -> Any:
    return engine.from_paraformer(paraformer=files["model"], tokens=files["tokens"], num_threads=threads)


def _zipformer_ctc(engine: Any, files: dict[str, str], threads: int) -> Any:
    return engine.from_zipformer_ctc(model=files["model"], tokens=files["tokens"], num_threads=threads)


_MAKERS = {
    "transducer": _transducer,
    "whisper": _whisper,
    "sense_voice": _sense_voice,
    "paraformer": _paraformer,
    "zipformer_ctc": _zipformer_ctc,
}
