"""What a sound is like, and what is done to it, on real speech and on none."""

import numpy as np
import pytest

from openteller.core.errors import BadInput
from openteller.runtime.protocols import Audio, Floats
from openteller.voice.audio_files import read_audio
from openteller.voice.preprocessing import Condition, inspect, prepare
from tests.voice.sounds import EN_FILE, ZH_FILE

RATE = 16_000
NOISE = np.random.default_rng(0).normal(0, 1, 20 * RATE).astype(np.float32)


def _looked_at(samples: Floats) -> Condition:
    return inspect(Audio(samples.astype(np.float32), RATE))


@pytest.mark.parametrize("file", [ZH_FILE, EN_FILE], ids=["zh", "en"])
def test_good_speech_has_no_problems(file: object) -> None:
    found = inspect(read_audio(file))  # type: ignore[arg-type]
    assert found.problems == ()
    assert found.speech > 0.5
    assert -30 < found.level < -10
    assert found.level < found.peak <= 0


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE), NOISE[: 3 * RATE] * 0.05, np.sin(np.arange(3 * RATE) / 10) * 0.3, np.zeros(0), np.full(RATE, 0.5)],
    ids=["zeros", "noise", "tone", "nothing", "constant"],
)
def test_where_nobody_speaks_is_silent(samples: Floats) -> None:
    found = _looked_at(samples)
    assert "silent" in found.problems
    assert found.spoken is None
    assert found.snr is None
    assert np.isfinite([found.level, found.peak]).all()


def test_problems_are_found() -> None:
    speech = read_audio(ZH_FILE).samples
    assert _looked_at(speech * 0.005).problems == ("too_quiet",)
    assert _looked_at(np.clip(speech * 8, -1, 1)).problems == ("clipped",)
    assert "too_short" in _looked_at(speech[:800]).problems


@pytest.mark.parametrize("decibels", [5, 15, 25])
def test_noise_is_estimated(decibels: int) -> None:
    silence = np.zeros(RATE)
    speech = np.concatenate([silence, read_audio(ZH_FILE).samples, silence])
    power = 10 ** ((inspect(read_audio(ZH_FILE)).level - decibels) / 20)
    found = _looked_at(speech + NOISE[: len(speech)] * power)
    assert found.snr == pytest.approx(decibels, abs=3)


def test_speech_is_cut_out_and_brought_to_its_level() -> None:
    silence = np.zeros(3 * RATE, np.float32)
    speech = read_audio(ZH_FILE).samples
    given = Audio(np.concatenate([silence, speech * 0.02 + 0.1, silence]).astype(np.float32), RATE)
    condition = inspect(given)
    assert condition.spoken is not None
    begin, end = condition.spoken
    prepared = prepare(given, condition)
    assert prepared.seconds == pytest.approx(end - begin + 0.65, abs=0.02)
    assert 3 - 0.1 < begin < end < 3 + len(speech) / RATE + 0.1
    assert abs(float(prepared.samples.mean())) < 0.05


def test_level_is_gentle_and_never_clips() -> None:
    speech = read_audio(ZH_FILE)
    for factor in (0.003, 0.05, 1.0):
        quiet = Audio(speech.samples * np.float32(factor), RATE)
        prepared = prepare(quiet, inspect(quiet))
        assert np.abs(prepared.samples).max() < 1
        after = inspect(prepared).level
        assert after == pytest.approx(min(-23.0, inspect(quiet).level + 30), abs=2.5)


def test_where_nobody_speaks_nothing_is_done() -> None:
    given = Audio(np.zeros(RATE, np.float32), RATE)
    assert prepare(given, inspect(given)) is given


def test_another_rate_is_bad_input() -> None:
    with pytest.raises(BadInput):
        inspect(Audio(np.zeros(8_000, np.float32), 8_000))
