"""Kokoro: what it says is heard by a recogniser; the faster form computes the same; long texts; files that are wrong."""

from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import ModelUnavailable
from openteller.core.text import simplified
from openteller.runtime import kokoro_backend, kokoro_graph
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.kokoro_backend import KokoroSynthesizer, open_kokoro, pieces
from openteller.voice.aloud import aloud
from tests.runtime.speakers import data_dir, heard, kokoro


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "您的银行卡可以在手机银行里挂失。"),
        ("zh", "您的账户余额是一万两千元。"),
        ("en", "You can block your bank card in the mobile app."),
        ("en", "Never tell anyone your password or your verification code."),
    ],
)
def test_a_recogniser_understands_what_is_said(language: str, text: str) -> None:
    from pypinyin import lazy_pinyin

    found = aloud(simplified(heard(kokoro().synthesize(text, language=language), language)), language)
    if language == "zh":  # homophones are the recogniser's to tell apart
        said, understood = lazy_pinyin(text.rstrip("。")), lazy_pinyin(found.rstrip("。？！"))
    else:
        said, understood = text.lower().strip(".").split(), found.lower().strip(" .").split()
    assert sum(word in understood for word in said) >= 0.8 * len(said), found


def test_silence_around_speech_is_trimmed() -> None:
    samples = kokoro().synthesize("好的。", language="zh").samples
    loud = np.flatnonzero(np.abs(samples) > 0.1 * np.abs(samples).max())
    assert loud[0] < 0.2 * 24_000
    assert len(samples) - loud[-1] < 0.35 * 24_000


def test_a_long_text_is_said_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kokoro().synthesize("您好，请问您要办理什么业务？", language="zh")
    monkeypatch.setattr(kokoro_backend, "_LONGEST", 20)
    cut = kokoro().synthesize("您好，请问您要办理什么业务？", language="zh")
    assert 0.7 * whole.seconds < cut.seconds < 2 * whole.seconds


def test_pieces_end_at_marks_then_at_spaces_and_lose_nothing() -> None:
    assert pieces("aa, bb cc", 6) == ["aa,", "bb cc"]
    assert pieces("aa bb cc", 6) == ["aa bb", "cc"]
    assert pieces("a" * 13, 5) == ["aaaaa", "aaaaa", "aaa"]
    assert pieces("", 5) == []


def test_the_faster_form_replaces_the_convolutions_and_is_kept(tmp_path: Path) -> None:
    catalogue, target = Catalogue(data_dir()), tmp_path / "fast.onnx"
    model = catalogue.locate("kokoro-82m")
    assert kokoro_graph.rewrite(model, target) == 84
    plain = KokoroSynthesizer(model, catalogue.locate("kokoro-82m-vocabulary"))
    said, fast = (s.synthesize("好。", language="zh") for s in (plain, kokoro()))
    # The durations are the same; the phase of a voice turns with the least rounding, its spectrum does not.
    assert abs(len(said.samples) - len(fast.samples)) < 0.05 * 24_000
    levels = [float(np.sqrt(np.mean(np.square(audio.samples)))) for audio in (said, fast)]
    assert levels[0] == pytest.approx(levels[1], rel=0.1)


def test_a_data_directory_that_cannot_hold_the_faster_form_still_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(data_dir())

    def full(source: Path, target: Path) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kokoro_graph, "rewrite", full)
    synthesizer = open_kokoro(catalogue, tmp_path)
    assert len(synthesizer.synthesize("好。", language="zh").samples)
    assert not list((tmp_path / "models" / "kokoro-82m").rglob("*.onnx*"))


def test_a_file_that_is_no_model_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelUnavailable) as caught:
        KokoroSynthesizer(tmp_path / "model.onnx", Catalogue(data_dir()).locate("kokoro-82m-vocabulary"))
    assert caught.value.next_step
