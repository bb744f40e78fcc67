"""A trained Whisper back to CTranslate2, which serving runs, and what that engine hears.

The folder has what serving asks of one: model.bin, config.json, vocabulary.json and tokenizer.json. Float16 can be trained on
again; int8 is half as large, and the same to a service that computes in int8 anyway. Knows nothing about recipes.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from openteller.core.errors import MissingDependency
from openteller.runtime.protocols import Floats
from openteller.training.recogniser import Whisper, most_tokens, without_bars

QUANTISATIONS = ("float16", "int8")
MODEL, TOKENIZER = "model.bin", "tokenizer.json"


def engine() -> Any:
    """ctranslate2. Raises MissingDependency."""
    try:
        import ctranslate2
        import ctranslate2.converters
    except ImportError as error:
        raise MissingDependency(
            "Speech models are written for CTranslate2, which is not installed.",
            cause=f"ctranslate2 cannot be imported ({error}).",
            next_step='Run `pip install "openteller[train,voice]"`.',
        ) from error
    return ctranslate2


def write(whisper: Whisper, model: Any, folder: Path, quantisation: str) -> None:
    """Write transformers' `model`, without adapters, for CTranslate2 into `folder`, which exists."""
    converters = engine().converters
    with TemporaryDirectory(dir=folder, prefix=".converting-") as work, without_bars():
        layout, made = Path(work) / "layout", Path(work) / "made"
        model.save_pretrained(layout, max_shard_size="100GB")
        shutil.copy(whisper.tokenizer_file, layout / TOKENIZER)
        converters.TransformersConverter(str(layout)).convert(str(made), quantization=quantisation)
        shutil.copy(whisper.tokenizer_file, made / TOKENIZER)
        for file in made.iterdir():
            file.replace(folder / file.name)


def exact_texts(folder: Path, whisper: Whisper, windows: Iterable[tuple[Floats, str]], threads: int) -> list[str]:
    """What CTranslate2 hears in float32 with the likeliest token each time and without timestamps: what torch must hear too.

    Args:
        folder: what `write` made.
        whisper: for its tokens.
        windows: (log-mel features (bands, frames), language) each.
        threads: of the engine.
    """
    engine_ = engine()
    model = engine_.models.Whisper(str(folder), device="cpu", compute_type="float32", intra_threads=threads)
    found = []
    for window, language in windows:
        features = engine_.StorageView.from_array(np.ascontiguousarray(window[None], np.float32))
        prompt = [whisper.prompt(language, timed=False)]
        most = 2 * most_tokens(window.shape[1])  # the engine halves it
        given = model.generate(features, prompt, beam_size=1, max_length=most)
        found.append(whisper.text(given[0].sequences_ids[0]))
    return found


def agreement(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """The share of texts that two engines wrote alike; 1 for none."""
    return float(np.mean([a == b for a, b in zip(ours, theirs, strict=True)])) if ours else 1.0
