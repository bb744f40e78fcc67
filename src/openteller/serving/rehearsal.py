"""Loads the voice when the server begins, and makes the sound of approved sentences while nobody calls: no caller waits.

One thread of lowest priority, the openings of replies first; it stops while calls are open, and looks again every few minutes
for documents that are new. Knows nothing about what the sentences say.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from openteller.core.errors import OpenTellerError
from openteller.serving.contract import Application
from openteller.serving.observation import log, log_fault

_AGAIN = 300.0  # seconds between two looks
_SOON = 5.0  # … while calls are open


class Rehearsal:
    """The thread. `start` it when the server serves, `stop` it when it ends.

    Args:
        application: what is said, and the voice.
        busy: whether somebody needs the processor more.
        warm: loads the voice.
        makes: whether sentences are made ahead.
    """

    def __init__(
        self, application: Application, busy: Callable[[], bool], warm: Callable[[], None], *, makes: bool = True
    ) -> None:
        self._application, self._busy, self._warm, self._makes = application, busy, warm, makes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rehearsal", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the sentence that is being made."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        try:
            self._warm()
        except Exception as error:  # the first call will say what is wrong
            log_fault(error, "rehearsal")
        if not self._makes:
            return
        with suppress(OSError, AttributeError):  # Linux: the priority of this thread alone
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        wait = _SOON
        while not self._stop.wait(wait):
            wait = _AGAIN
            try:
                wait = _AGAIN if self._once() else _SOON
            except OpenTellerError as error:
                log("rehearsal_stopped", cause=error.message)
            except Exception as error:
                log_fault(error, "rehearsal")

    def _once(self) -> bool:
        """Make what is missing; False when somebody called in between."""
        sentences, _ = self._application.said_ahead()
        made = self._application.speech.prepare(sentences, stopped=self._interrupted)
        if made:
            log("rehearsed", sentences=made)
        return not self._interrupted()

    def _interrupted(self) -> bool:
        return self._stop.is_set() or self._busy()
