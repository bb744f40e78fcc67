"""A call as a customer makes it: a real browser with a sound file for a microphone, the server, the engines and the demo bank.

What the browser was sent to play is listened to by the recogniser.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
import soxr

from openteller.assembly import Application
from openteller.runtime.protocols import Audio, Floats
from openteller.voice.aloud import sentences_aloud
from openteller.voice.audio_files import read_audio
from openteller.voice.detectors import RATE
from openteller.voice.wording import Line, line
from tests.browser import chromium

if TYPE_CHECKING:
    from pathlib import Path

GREETING = 11.0  # seconds that the greeting takes, and a little


def spoken(application: Application, text: str, language: str) -> Floats:
    """`text` in the bank's own voice, at 16 kHz."""
    said = [application.speech.say(piece, language) for _, piece in sentences_aloud(text, language)]
    joined = np.concatenate([audio.samples for audio in said])
    return np.asarray(soxr.resample(joined, said[0].rate, RATE), np.float32)


def quiet(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE), np.float32)


@pytest.fixture
def greeted(application: Application) -> Application:
    """The greeting is made, so that it begins at once."""
    greeting = line(Line.NOTICE, "zh", bank=application.settings.bank_name_zh) + line(Line.HELP, "zh")
    application.speech.prepare([(piece, "zh") for _, piece in sentences_aloud(greeting, "zh")])
    return application


def share_heard(application: Application, audio: Audio, text: str, language: str) -> float:
    """How much of what a listener hears in it stands in `text`, by pairs of letters."""
    samples = np.asarray(soxr.resample(audio.samples, audio.rate, RATE), np.float32)
    heard, text = (
        "".join(letter for letter in words.lower() if letter.isalnum())
        for words in (application.hearing.hear(Audio(samples, RATE), language).text, text)
    )
    assert len(heard) > 10, heard
    pairs = [heard[at : at + 2] for at in range(len(heard) - 1)]
    return sum(pair in text for pair in pairs) / len(pairs)


def test_a_customer_asks_aloud_in_the_browser_and_hears_the_answer(
    greeted: Application, server: str, tmp_path: Path
) -> None:
    question = spoken(greeted, "信用卡年费是多少？", "zh")
    soundfile.write(tmp_path / "microphone.wav", np.concatenate([quiet(GREETING), question, quiet(60)]), RATE)
    greeting, answer = list[bytes](), list[bytes]()
    frames = [greeting]

    def received(frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            frames[-1].append(frame)
        elif json.loads(frame)["type"] == "heard":
            frames.append(answer)

    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    )
    with chromium(*flags) as browser:
        page = browser.new_context(permissions=["microphone"], locale="zh-CN").new_page()
        page.on("websocket", lambda socket: socket.on("framereceived", received))
        page.goto(server)
        page.locator(".launcher").click()
        page.locator("open-teller .composer .call").click()
        reply = page.locator(".exchange .reply:not([aria-busy])")
        reply.wait_for(timeout=60_000)
        assert "年费" in (page.locator(".exchange .question").text_content() or "")
        shown = reply.locator(".text").text_content() or ""
        assert "120.00" in shown
        page.wait_for_timeout(9_000)
        browser.close()
    played = np.frombuffer(b"".join(answer), "<i2").astype(np.float32) / 32_768
    assert share_heard(greeted, Audio(played, greeted.speech.rate), shown, "zh") > 0.7


def test_a_file_is_answered_in_the_terminal_and_the_answer_kept(
    application: Application, server: str, environment: dict[str, str], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "question.wav", spoken(application, "How do I freeze my card?", "en"), RATE)
    command = [sys.executable, "-m", "openteller.cli.main", "talk", str(tmp_path / "question.wav"), "--language", "en"]
    done = subprocess.run(
        [*command, "--save", str(tmp_path / "reply.wav")], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "freeze my card" in done.stdout.lower()
    reply = read_audio(tmp_path / "reply.wav")
    assert share_heard(application, reply, done.stdout, "en") > 0.8
