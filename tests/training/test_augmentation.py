"""What is done to clips: speed, masks, windows and splicing."""

import numpy as np
import pytest
import torch

from openteller.runtime.protocols import Floats
from openteller.training.augmentation import at_speed, masked
from openteller.training.speech_features import Window, quiet, stacked
from openteller.training.splicing import Spoken, spliced

pytest.importorskip("pypinyin")

RATE = 16_000


def hum(*pitches: float) -> Floats:
    """Syllables of 0.3 s each with a dip between them, in silence."""
    times = np.arange(int(0.3 * RATE)) / RATE
    parts = [0.3 * np.sin(2 * np.pi * pitch * times) * np.hanning(len(times)) for pitch in pitches]
    rest = np.zeros(RATE // 5)
    return np.concatenate([rest, *parts, rest]).astype(np.float32)


def test_speed_changes_length_and_pitch() -> None:
    samples = np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE).astype(np.float32)
    fast = at_speed(samples, 1.1, RATE)
    assert len(fast) == pytest.approx(RATE / 1.1, abs=2)
    assert np.abs(np.fft.rfft(fast)).argmax() * RATE / len(fast) == pytest.approx(440, abs=2)
    assert at_speed(samples, 1.0, RATE) is samples


def test_masks_stay_in_their_bounds() -> None:
    torch.manual_seed(1)
    features = np.random.default_rng(1).normal(size=(80, 100)).astype(np.float32)
    bands = stretches = 0
    for _ in range(50):
        changed = masked(features, 10, 0.1) != features
        bands = max(bands, int(changed.all(1).sum()))
        stretches = max(stretches, int(changed.all(0).sum()))
    assert 0 < bands <= 20
    assert 0 < stretches <= 20
    assert np.array_equal(masked(features, 0, 0.0), features)


def test_a_window_is_the_clip_and_silence() -> None:
    features = np.full((80, 101), 0.5, np.float32)
    features[0, 0] = 1.0
    window = Window(2.0).of(features)
    assert window.shape == (80, 300)
    assert np.array_equal(window[:, :101], features)
    assert (window[:, 101:] == quiet(features)).all()
    assert quiet(features) == -1.0
    assert Window(5.0).of(np.zeros((80, 2900), np.float32)).shape[1] == 3000
    lengths = {Window(2.0, spread=0.5).of(features).shape[1] for _ in range(40)}
    assert len(lengths) > 5
    assert all(200 <= length <= 402 and length % 2 == 0 for length in lengths)
    assert stacked([window, window[:, :200]]).shape == (2, 80, 300)


def test_words_are_made_of_syllables_that_were_said() -> None:
    clips = [Spoken("存款", "a", hum(300, 400)), Spoken("贷存", "a", hum(500, 600)), Spoken("款待", "b", hum(700, 800))]
    made = {one.text: one for one in spliced(clips, 100, (), 1)}
    assert "贷款" in made  # dài of one clip and kuǎn of another, by one voice
    assert "存款" not in made
    assert {one.speaker for one in made.values()} <= {"a", "b"}
    loan = made["贷款"].samples
    spectrum = np.abs(np.fft.rfft(loan))
    peaks = np.fft.rfftfreq(len(loan), 1 / RATE)[spectrum > 0.5 * spectrum.max()]
    assert {round(p / 100) * 100 for p in peaks} == {500, 400}


def test_what_is_held_out_is_not_made_and_chance_is_the_seeds() -> None:
    clips = [Spoken(word, "", hum(300, 400)) for word in ("发生", "生活", "活动")]
    assert {"发动", "生动"} <= {one.text for one in spliced(clips, 100, (), 1)}
    texts = [one.text for one in spliced(clips, 100, ["发动"], 1)]
    assert "生动" in texts
    assert "发动" not in texts
    assert texts == [one.text for one in spliced(clips, 100, ["发动"], 1)]
    assert len(spliced(clips, 1, (), 1)) == 1


@pytest.mark.parametrize("samples", [np.zeros(100), np.zeros(RATE), np.ones(3000)])
def test_what_cannot_be_cut_is_left_out(samples: Floats) -> None:
    assert spliced([Spoken("存款", "", samples.astype(np.float32))], 10, (), 1) == []
