"""Turn-taking on made-up probabilities: what is told, when, and with which sound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openteller.voice.detectors import WINDOW
from openteller.voice.turns import PAUSE_SEEN, SECONDS, Ended, Onset, Pause, Resumed, TurnEvent, TurnTaking


def _run(taking: TurnTaking, probabilities: list[float], patience: float | None = 0.5) -> list[tuple[float, TurnEvent]]:
    """The events with the time of the window that told them; `patience` is set at each pause."""
    found: list[tuple[float, TurnEvent]] = []
    for number, probability in enumerate(probabilities):
        window = np.full(WINDOW, number, np.float32)
        for event in taking.hear(window, probability):
            found.append((round((number + 1) * SECONDS, 3), event))
            if isinstance(event, Pause) and patience is not None:
                taking.patience = patience
    return found


def _kinds(events: list[tuple[float, TurnEvent]]) -> list[type]:
    return [type(event) for _, event in events]


def test_a_turn_is_told_from_onset_to_end() -> None:
    events = _run(TurnTaking(), [0.0] * 20 + [0.9] * 30 + [0.0] * 40)
    assert _kinds(events) == [Onset, Pause, Ended]
    (onset, _), (pause, paused), (end, ended) = events
    assert onset == round(23 * SECONDS, 3)
    assert round(pause - 50 * SECONDS, 3) == round(PAUSE_SEEN, 3)
    assert 0.5 <= end - 50 * SECONDS < 0.55
    assert isinstance(paused, Pause)
    assert isinstance(ended, Ended)
    # From a little before the onset, to the pause.
    assert 8 < paused.speech[0] < 20
    assert paused.speech[-1] == 52
    assert ended.silence >= 0.5


def test_a_pause_may_be_none() -> None:
    events = _run(TurnTaking(), [0.9] * 20 + [0.0] * 10 + [0.9] * 20 + [0.0] * 40)
    assert _kinds(events) == [Onset, Pause, Resumed, Pause, Ended]
    last = events[3][1]
    assert isinstance(last, Pause)
    assert last.number == 2
    assert last.speech[0] == 0
    assert last.speech[-1] == 52


def test_without_word_from_the_caller_a_pause_is_long() -> None:
    events = _run(TurnTaking(), [0.9] * 20 + [0.0] * 120, patience=None)
    assert events[-1][0] >= 20 * SECONDS + 3.0


def test_a_click_is_no_turn() -> None:
    assert _run(TurnTaking(), [0.0] * 10 + [0.9] * 2 + [0.0] * 50) == []


def test_a_short_dip_is_no_pause() -> None:
    assert _kinds(_run(TurnTaking(), [0.9] * 20 + [0.0] * 2 + [0.9] * 20)) == [Onset]


def test_a_turn_ends_after_a_minute() -> None:
    events = _run(TurnTaking(), [0.9] * 2_000)
    assert _kinds(events)[:2] == [Onset, Ended]
    assert 59 < events[1][0] < 61


def test_a_dropped_turn_is_forgotten() -> None:
    taking = TurnTaking()
    _run(taking, [0.9] * 20)
    taking.drop()
    assert not taking.is_open
    assert taking.close() is None
    assert _kinds(_run(taking, [0.9] * 20 + [0.0] * 40)) == [Onset, Pause, Ended]


@given(st.lists(st.floats(0, 1), max_size=400), st.floats(0.2, 3))
def test_events_come_in_order_whatever_is_heard(probabilities: list[float], patience: float) -> None:
    taking = TurnTaking()
    is_open = is_paused = False
    for _, event in _run(taking, probabilities, patience):
        match event:
            case Onset():
                assert not is_open
                is_open, is_paused = True, False
            case Pause(speech=speech):
                assert is_open
                assert not is_paused
                assert len(speech) % WINDOW == 0
                is_paused = True
            case Resumed():
                assert is_paused
                is_paused = False
            case Ended():
                assert is_open
                is_open = is_paused = False
    assert taking.is_open == is_open
