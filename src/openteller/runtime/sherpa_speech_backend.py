"""Speech by sherpa-onnx (k2-fsa; Apache-2.0): any VITS, Matcha, Kokoro or Kitten model that a bank brings in a folder.

The folder holds the model's files and a `sherpa.yaml` that says what they are, in the words of sherpa-onnx's own
configuration (2.0; `sherpa-onnx-offline-tts --help`):

    kind: kokoro                       # vits, matcha, kokoro or kitten
    files:                             # parameter → file or folder, from this folder
      model: model.onnx
      voices: voices.bin
      tokens: tokens.txt
      lexicon: lexicon-us-en.txt,lexicon-zh.txt
      data_dir: espeak-ng-data
    options: {length_scale: 1.0}       # the other parameters; may be left out
    rule_fsts: [date-zh.fst]           # may be left out
    voices:                            # language → name → number of the speaker, the default first
      zh: {xiaobei: 45}
      en: {heart: 3}

Checked against the package's interface, not against a model: none could be had where this was written. Knows nothing
about what a folder's licence allows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import Field, ValidationError

from openteller.core.errors import ConfigurationError, MissingDependency, ModelUnavailable, Unavailable
from openteller.core.records import Record
from openteller.core.yaml_text import read_yaml
from openteller.runtime.protocols import Audio
from openteller.runtime.speech_limits import check, silence, trimmed

DESCRIPTION = "sherpa.yaml"


class SherpaModel(Record):
    """What a `sherpa.yaml` says."""

    kind: Literal["vits", "matcha", "kokoro", "kitten"]
    files: dict[str, str] = Field(min_length=1)
    options: dict[str, float | str] = Field(default_factory=dict)
    rule_fsts: tuple[str, ...] = ()
    voices: dict[Literal["zh", "en"], dict[str, int]] = Field(min_length=1)


def read_description(folder: Path) -> SherpaModel:
    """The description of the model in `folder`. Raises ConfigurationError when it cannot be used or names no file."""
    path = folder / DESCRIPTION
    try:
        found = SherpaModel.model_validate(read_yaml(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        cause = f"{' → '.join(map(str, first['loc']))}: {first['msg']}."
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        cause = str(error)
    else:
        missing = [file for names in found.files.values() for file in names.split(",") if not (folder / file).exists()]
        if not missing and all(found.voices.values()):
            return found
        cause = f"There is no {', '.join(missing)}." if missing else "A language has no voice."
    raise ConfigurationError(
        f"The model for speech in {folder} cannot be used.",
        cause=cause,
        next_step=f"Write {DESCRIPTION} as runtime/sherpa_speech_backend.py shows.",
    )


class SherpaSynthesizer:
    """A Synthesizer. Safe to share between threads.

    Args:
        folder: holds the model and its `sherpa.yaml`.
        threads: threads of one run.

    Raises:
        ConfigurationError: the description cannot be used.
        MissingDependency: sherpa-onnx is not installed.
        ModelUnavailable: it cannot load the model.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        described = read_description(folder)
        self.voices: Mapping[str, tuple[str, ...]] = {str(k): tuple(names) for k, names in described.voices.items()}
        self._speakers = {name: number for names in described.voices.values() for name, number in names.items()}
        self._engine = _engine(folder, described, threads)
        self.rate = int(self._engine.sample_rate)

    def synthesize(self, text: str, *, language: str, voice: str | None = None, speed: float = 1.0) -> Audio:
        """`text` spoken. Raises BadInput; Unavailable when the engine fails."""
        speaker = self._speakers[check(self.voices, language, voice, speed)]
        if not any(c.isalnum() for c in text):
            return Audio(silence(self.rate), self.rate)
        try:
            made = self._engine.generate(text, sid=speaker, speed=speed)
        except Exception as error:  # the engine's errors share no other base
            raise Unavailable(
                "The engine for speech failed.", cause=str(error)[:300], next_step="Look at the model's folder."
            ) from error
        return trimmed(Audio(np.asarray(made.samples, np.float32), self.rate))


def _engine(folder: Path, described: SherpaModel, threads: int) -> Any:
    try:
        import sherpa_onnx as sherpa
    except ImportError as error:
        raise MissingDependency(
            "This model for speech needs sherpa-onnx.", next_step="pip install 'sherpa-onnx>=2.0'"
        ) from error
    configurations = {
        "vits": sherpa.OfflineTtsVitsModelConfig,
        "matcha": sherpa.OfflineTtsMatchaModelConfig,
        "kokoro": sherpa.OfflineTtsKokoroModelConfig,
        "kitten": sherpa.OfflineTtsKittenModelConfig,
    }
    files = {name: _placed(folder, listed.split(",")) for name, listed in described.files.items()}
    try:
        model = {described.kind: configurations[described.kind](**files, **described.options)}
        config = sherpa.OfflineTtsConfig(
            model=sherpa.OfflineTtsModelConfig(**model, num_threads=threads, provider="cpu"),
            rule_fsts=_placed(folder, list(described.rule_fsts)),
        )
        if not config.validate():
            raise ValueError("sherpa-onnx refuses the configuration; its reason stands on standard error")
        return sherpa.OfflineTts(config)
    except Exception as error:  # the engine's errors share no other base
        raise ModelUnavailable(
            f"The model for speech in {folder} cannot be loaded.",
            cause=str(error)[:300],
            next_step=f"Compare its {DESCRIPTION} with the parameters of sherpa-onnx.",
        ) from error


def _placed(folder: Path, names: list[str]) -> str:
    return ",".join(str(folder / name) for name in names)
