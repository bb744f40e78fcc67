"""Speech made while nobody calls."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from openteller.core.errors import Unavailable
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.serving import rehearsal
from openteller.serving.rehearsal import Rehearsal
from openteller.voice.speech import Speech
from openteller.voice.speech_cache import SpeechCache

SENTENCES = [(f"第{number}句话。", "zh") for number in "一二三"]


def _house(tmp_path: Path) -> tuple[Any, ScriptedSynthesizer]:
    synthesizer = ScriptedSynthesizer()
    speech = Speech(synthesizer, "scripted", SpeechCache(tmp_path))
    return SimpleNamespace(speech=speech, said_ahead=lambda: (SENTENCES, 1)), synthesizer


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    assert done()


def test_every_sentence_is_made_once(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(rehearsal, "_SOON", 0.01)
    monkeypatch.setattr(rehearsal, "_AGAIN", 0.05)
    house, synthesizer = _house(tmp_path)
    making = Rehearsal(house, lambda: False, lambda: None)
    making.start()
    _until(lambda: len(synthesizer.requests) == 3)
    time.sleep(0.2)
    making.stop()
    assert len(synthesizer.requests) == 3


def test_it_waits_while_somebody_calls(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(rehearsal, "_SOON", 0.01)
    house, synthesizer = _house(tmp_path)
    calls = [True]
    making = Rehearsal(house, lambda: calls[0], lambda: None)
    making.start()
    time.sleep(0.3)
    assert synthesizer.requests == []
    calls[0] = False
    _until(lambda: len(synthesizer.requests) == 3)
    making.stop()


def test_an_engine_that_is_away_is_asked_again(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(rehearsal, "_SOON", 0.01)
    monkeypatch.setattr(rehearsal, "_AGAIN", 0.01)
    house, synthesizer = _house(tmp_path)
    good, tries = house.said_ahead, []

    def said_ahead() -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("away")
        return good()

    house.said_ahead = said_ahead
    making = Rehearsal(house, lambda: False, lambda: None)
    making.start()
    _until(lambda: len(synthesizer.requests) == 3)
    making.stop()


def test_the_voice_is_loaded_even_where_nothing_is_made_ahead(tmp_path: Path) -> None:
    house, synthesizer = _house(tmp_path)
    warmed: list[int] = []
    making = Rehearsal(house, lambda: False, lambda: warmed.append(1), makes=False)
    making.start()
    _until(lambda: bool(warmed))
    making.stop()
    assert synthesizer.requests == []
