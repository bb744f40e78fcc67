"""sherpa-onnx: the folder's description, against a stand-in with the interface of sherpa-onnx 2.0 (no model can be had)."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from openteller.core.errors import BadInput, ConfigurationError, MissingDependency, ModelUnavailable, Unavailable
from openteller.runtime.sherpa_speech_backend import SherpaSynthesizer, read_description

_DESCRIPTION = """\
kind: vits
files: {model: model.onnx, tokens: tokens.txt, lexicon: "a.txt,b.txt"}
options: {length_scale: 1.1}
rule_fsts: [date.fst]
voices:
  zh: {mei: 3, ming: 4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("model.onnx", "tokens.txt", "a.txt", "b.txt", "date.fst"):
        (tmp_path / name).touch()
    (tmp_path / "sherpa.yaml").write_text(_DESCRIPTION, "utf-8")
    return tmp_path


class _Engine:
    sample_rate = 16_000

    def __init__(self, config: Any) -> None:
        self.config = config

    def generate(self, text: str, sid: int = 0, speed: float = 1.0) -> SimpleNamespace:
        if text == "boom":
            raise RuntimeError("the engine broke")
        return SimpleNamespace(samples=[0.1 * sid] * int(16_000 / speed), sample_rate=16_000)


def _config(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(**given, validate=lambda: "refuse" not in str(given.get("rule_fsts")))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def vits(
        model: str, lexicon: str = "", tokens: str = "", data_dir: str = "", length_scale: float = 1.0
    ) -> SimpleNamespace:
        return SimpleNamespace(model=model, lexicon=lexicon, tokens=tokens, length_scale=length_scale)

    module = SimpleNamespace(
        OfflineTtsVitsModelConfig=vits,
        OfflineTtsMatchaModelConfig=None,
        OfflineTtsKokoroModelConfig=None,
        OfflineTtsKittenModelConfig=None,
        OfflineTtsModelConfig=SimpleNamespace,
        OfflineTtsConfig=_config,
        OfflineTts=_Engine,
    )
    monkeypatch.setitem(sys.modules, "sherpa_onnx", module)


@pytest.mark.usefixtures("engine")
def test_the_description_reaches_the_engine(folder: Path) -> None:
    synthesizer = SherpaSynthesizer(folder, threads=2)
    config = synthesizer._engine.config
    assert config.model.num_threads == 2
    assert config.model.vits.lexicon == f"{folder / 'a.txt'},{folder / 'b.txt'}"
    assert config.model.vits.length_scale == 1.1
    assert config.rule_fsts == str(folder / "date.fst")
    assert synthesizer.voices == {"zh": ("mei", "ming")}
    audio = synthesizer.synthesize("您好", language="zh", voice="ming", speed=2.0)
    assert (audio.rate, len(audio.samples)) == (16_000, 8_000)
    assert np.allclose(audio.samples, 0.4)


@pytest.mark.usefixtures("engine")
def test_failures_are_said(folder: Path) -> None:
    synthesizer = SherpaSynthesizer(folder)
    with pytest.raises(Unavailable, match="the engine broke"):
        synthesizer.synthesize("boom", language="zh")
    with pytest.raises(BadInput, match="zh"):
        synthesizer.synthesize("hello", language="en")
    (folder / "sherpa.yaml").write_text(_DESCRIPTION.replace("length_scale", "lenght_scale"), "utf-8")
    with pytest.raises(ModelUnavailable, match="lenght_scale"):
        SherpaSynthesizer(folder)


def test_without_the_package_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(MissingDependency, match="pip install"):
        SherpaSynthesizer(folder)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("kind: other\nfiles: {model: m}\nvoices: {zh: {a: 0}}", "kind"),
        ("kind: vits\nfiles: {}\nvoices: {zh: {a: 0}}", "files"),
        ("kind: vits\nfiles: {model: gone.onnx}\nvoices: {zh: {a: 0}}", "gone.onnx"),
        ("kind: vits\nfiles: {model: model.onnx}\nvoices: {zh: {}}", "no voice"),
        ("kind: vits\nfiles: {model: model.onnx}\nvoices: {fr: {a: 0}}", "fr"),
        ("[", "expected"),
    ],
)
def test_a_wrong_description_is_named(folder: Path, text: str, part: str) -> None:
    (folder / "sherpa.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=part):
        read_description(folder)


def test_a_folder_without_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"sherpa\.yaml"):
        read_description(tmp_path)
