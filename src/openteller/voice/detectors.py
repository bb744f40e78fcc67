"""Who speaks, and whether they have finished: Silero VAD and Smart Turn, whose weights Pipecat's wheel carries.

One loaded model serves every call; what a call needs to remember it keeps in its own object. Knows nothing about turns.

Sources: Silero Team, Silero VAD v6 (MIT); Daily, Smart Turn v3.2 (BSD-2-Clause; Chinese and English among its languages).
"""

import copy
from functools import cache
from typing import Any, Protocol

import numpy as np

from openteller.core.errors import MissingDependency
from openteller.runtime.protocols import Floats

RATE = 16_000  #: samples a second that both models hear
WINDOW = 512  #: samples that the speech detector judges at once: 32 ms
_LONGEST = 8 * RATE  # what Smart Turn looks at


class SpeechDetector(Protocol):
    """Tells speech from what is none, window after window of one call."""

    def __call__(self, window: Floats) -> float:
        """(512,) samples at 16 kHz → the probability that somebody speaks in them."""
        ...


class EndDetector(Protocol):
    """Tells by intonation whether somebody has finished speaking."""

    def __call__(self, speech: Floats) -> float:
        """(n,) samples at 16 kHz that end in a pause → the probability that the turn is over."""
        ...


class SileroDetector:
    """A SpeechDetector. Holds the recurrent state of one call; not to be shared between calls.

    Raises:
        MissingDependency: the extra `voice` is not installed.
    """

    def __init__(self) -> None:
        self._model = copy.copy(_silero())  # shares the session, not the state
        self._model.reset_states()

    def __call__(self, window: Floats) -> float:
        """The probability of speech in 512 samples."""
        return float(self._model(window, RATE).item())


class SmartTurn:
    """An EndDetector; safe to share between calls and threads.

    Raises:
        MissingDependency: the extra `voice` is not installed.
    """

    def __init__(self) -> None:
        self._analyzer = _smart_turn()

    def __call__(self, speech: Floats) -> float:
        """The probability that the turn is over; the last 8 s are looked at."""
        # The analyzer's public face counts silence with a clock of its own; the call has one already.
        return float(self._analyzer._predict_endpoint(np.asarray(speech[-_LONGEST:], np.float32))["probability"])


@cache
def _silero() -> Any:
    quiet_pipecat()
    try:
        from importlib.resources import files

        from pipecat.audio.vad.silero import SileroOnnxModel
    except ImportError as error:
        raise missing_voice() from error
    model: Any = SileroOnnxModel
    return model(str(files("pipecat.audio.vad.data") / "silero_vad.onnx"))


@cache
def _smart_turn() -> Any:
    quiet_pipecat()
    try:
        from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
    except ImportError as error:
        raise missing_voice() from error
    return LocalSmartTurnAnalyzerV3()


@cache
def quiet_pipecat() -> None:
    """Keep Pipecat's log, which may hold what somebody said, to warnings without their values."""
    try:
        from loguru import logger
    except ImportError:
        return
    logger.disable("pipecat")


def missing_voice() -> MissingDependency:
    """What to say when the packages for voice are not there."""
    return MissingDependency(
        "Voice needs packages that are not installed.", next_step="Run `pip install 'openteller[voice]'`."
    )
