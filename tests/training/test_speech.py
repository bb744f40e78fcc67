"""Fine-tuning of speech recognition: what learns, what is held out, what comes out, what is refused."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from openteller.core.errors import BadInput, ConfigurationError, OpenTellerError
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.protocols import Audio
from openteller.training.speech import Run, SpeechPlaces, SpeechRecipe, places, train
from openteller.training.speech_features import load

pytest.importorskip("faster_whisper")

from openteller.runtime.whisper_backend import WhisperTranscriber
from tests.training.whispers import WORDS, tone, write_clips, write_tiny

RECIPE = SpeechRecipe(
    name="toy", train="clips", guard="clips", validation_share=0.3, steps=2, epochs=1, batch_size=4, learning_rate=1e-2,
    silence=1.0, training_silence=0.5, beam=1, threads=1, lora_rank=4, lora_alpha=8, validation_rows=3,
)  # fmt: skip


def quiet(*_: object) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model ``tiny`` and the ``clips``."""
    folder = tmp_path_factory.mktemp("home")
    write_tiny(folder / "tiny", Catalogue(folder))
    write_clips(folder / "clips")
    return folder


def where(home: Path) -> SpeechPlaces:
    return places(Catalogue(home), str(home / "tiny"), home / "cache")


def data(home: Path) -> Any:
    def find(name: str) -> Path:
        if not (home / name).exists():
            raise ConfigurationError(f"no {name}")
        return home / name

    return find


def run(home: Path, recipe: SpeechRecipe = RECIPE) -> Run:
    return Run(recipe, home, data(home), where(home), quiet)


def tune(home: Path, recipe: SpeechRecipe, output: Path, report: Any = quiet) -> Any:
    return train(recipe, home, data(home), where(home), output, report)


def heard(folder: Path, clip: Path) -> str:
    samples, rate = soundfile.read(clip, dtype="float32")
    return WhisperTranscriber(folder, beam=1).transcribe(Audio(samples, rate), language="zh").text


def test_what_it_writes_serves_and_can_be_trained_on(home: Path, tmp_path: Path) -> None:
    manifest = tune(home, RECIPE, tmp_path / "out")
    assert {"cer", "cer_before", "guard_cer", "guard_cer_before"} <= manifest.metrics.keys()
    assert manifest.metrics["agreement"] == 1
    assert manifest.languages == ("zh",)
    page = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    assert next(step for step, _ in page["curve"]) == 0
    assert {sample["said"] for sample in page["samples"]} <= set(WORDS)
    assert "automatic-speech-recognition" in (tmp_path / "out/README.md").read_text("utf-8")
    heard(tmp_path / "out", home / "clips/0.wav")
    again = places(Catalogue(tmp_path), str(tmp_path / "out"), home / "cache")
    on = Run(RECIPE, home, data(home), again, quiet)
    assert on._agreement(tmp_path / "out") == 1


@pytest.mark.parametrize(
    ("changes", "learned"),
    [
        ({}, ("encoder.conv1", "encoder.layers.0", "decoder.layers.1", "decoder.layer_norm")),
        ({"trained": "decoder"}, ("decoder.layers.0", "decoder.layers.1", "decoder.layer_norm")),
        ({"trained": "top-3"}, ("encoder.layers.1", "decoder.layers.0", "decoder.layers.1")),
        ({"adapter": "lora"}, ("encoder.layers.0", "decoder.layers.1")),
        ({"adapter": "dora", "trained": "decoder"}, ("decoder.layers.0", "decoder.layers.1")),
        ({"vocabulary": "trained", "trained": "decoder"}, ("decoder.embed_tokens", "decoder.layers.0")),
    ],
)
def test_what_the_recipe_says_learns(
    home: Path, tmp_path: Path, changes: dict[str, Any], learned: Sequence[str]
) -> None:
    found = run(home, replace(RECIPE, **changes))
    before = {name: p.detach().clone() for name, p in found.module.named_parameters()}
    found.fit(tmp_path, quiet)
    changed = {name for name, p in found.module.named_parameters() if not torch.equal(p, before[name])}
    for part in learned:
        assert any(f".{part}." in name for name in changed), part
    assert all(
        p.requires_grad == (name in changed) for name, p in found.module.named_parameters() if "lora_A" not in name
    )
    if changes.get("trained") == "decoder":
        assert not any(".encoder." in name for name in changed)
    if "vocabulary" not in changes:
        assert not any("embed_tokens" in name or ".encoder.embed" in name for name in changed)


def test_it_learns(home: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=60, batch_size=7, learning_rate=5e-3, label_smoothing=0.0, vocabulary="trained")
    losses: list[float] = []

    def listen(_: int, steps: int, text: str) -> None:
        if steps and "loss" in text:
            losses.append(float(text.split()[-1]))

    run(home, recipe).fit(tmp_path, listen)
    assert losses[-1] < 0.5 * losses[0]


def test_held_out_words_and_voices_are_not_trained_on(home: Path) -> None:
    by_text = run(home).sides
    assert not {c.text for c, _ in by_text["train"]} & {c.text for c, _ in by_text["validation"]}
    by_voice = run(home, replace(RECIPE, held_out_by="speaker")).sides
    assert {c.speaker for c, _ in by_voice["train"]} != {c.speaker for c, _ in by_voice["validation"]}
    assert len({c.speaker for side in ("train", "validation") for c, _ in by_voice[side]}) == 2


def test_replayed_clips_are_trained_on_and_never_held_out(home: Path) -> None:
    write_clips(home / "other") if not (home / "other").exists() else None
    for i in range(len(WORDS)):
        tone(home / f"other/{i}.wav", 3000 + 50 * i)
    plain, more = run(home).sides, run(home, replace(RECIPE, replay="other", replay_rows=4)).sides
    assert len(more["train"]) == len(plain["train"]) + 4
    assert [c.file for c, _ in more["validation"]] == [c.file for c, _ in plain["validation"]]


def test_features_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(home)
    monkeypatch.setattr("openteller.training.speech_features.at_speed", lambda *_: pytest.fail("computed again"))
    sides = run(home).sides
    assert [len(row["files"]) for _, row in sides["train"]] == [3] * len(sides["train"])
    slow = load(sides["train"][0][1]["files"][1]).shape[1]
    assert slow > 1.05 * load(sides["train"][0][1]["files"][0]).shape[1]


def test_a_run_that_was_stopped_goes_on(home: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=6, epochs=6)

    class Enough(Exception):
        pass

    def stop(step: int, *_: object) -> None:
        if step > 4:
            raise Enough

    with pytest.raises(Enough):
        tune(home, recipe, tmp_path / "out", stop)
    steps: list[int] = []
    tune(home, recipe, tmp_path / "out", lambda step, *_: steps.append(step))
    assert min(s for s in steps if s) > 3
    assert (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": ""}, "nothing to train on"),
        ({"train": "none"}, "no none"),
        ({"trained": "top-9"}, "top-4"),
        ({"trained": "head"}, "cannot be trained"),
        ({"adapter": "qlora"}, "adapter"),
        ({"quantisation": "int4"}, "quantisation"),
        ({"held_out_by": "day"}, "held_out_by"),
        ({"columns": {"text": "words"}}, "'words' is empty"),
        ({"language": "fr"}, "'fr' is none of"),
        ({"validation": "clips"}, "held-out split too"),
    ],
)
def test_what_cannot_be_trained_is_refused(home: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenTellerError, match=message):
        _ = run(home, replace(RECIPE, **changes)).module


def test_bad_clips_are_named_and_skipped_on_request(home: Path, tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    (clips / "9.wav").unlink()
    (clips / "8.wav").write_bytes((clips / "8.wav").read_bytes()[:5000])
    (clips / "7.wav").write_bytes(b"no audio")
    tone(clips / "6.wav", 0.0)
    rows = (clips / "metadata.csv").read_text("utf-8").replace("汇款", "")
    (clips / "metadata.csv").write_text(rows, "utf-8")
    with pytest.raises(BadInput, match=r"no file 9\.wav"):
        run_in(home, tmp_path, RECIPE)
    reasons: list[str] = []
    found = run_in(home, tmp_path, replace(RECIPE, bad_rows="skip", guard=""), lambda _, __, text: reasons.append(text))
    assert sum(map(len, found.sides.values())) == len(WORDS) - 5
    assert any("2 rows skipped" in text for text in reasons)
    kept = [row for row in rows.splitlines() if not row.startswith(("9", "5"))]
    (clips / "metadata.csv").write_text("\n".join(kept), "utf-8")
    with pytest.raises(BadInput, match="clips cannot be used"):
        run_in(home, tmp_path, RECIPE)


def run_in(home: Path, folder: Path, recipe: SpeechRecipe, report: Any = quiet) -> Run:
    return Run(recipe, folder, data(folder), where(home), report)
