"""Work that is done elsewhere and comes back to the call's own loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.voice.work import LoopWork, Workshop, hand_over


def _run(job: Callable[[], Any], fault: Callable[[Exception], None] = lambda _: None) -> tuple[Any, int, int]:
    """The result of a job, the thread it ran in and the thread it came back to."""
    ran: list[int] = []

    async def run() -> tuple[Any, int, int]:
        workshop = Workshop({"hear": 1}, fault)
        done = asyncio.get_running_loop().create_future()

        def traced() -> Any:
            ran.append(threading.get_ident())
            return job()

        LoopWork(workshop, asyncio.get_running_loop()).submit(
            "hear", traced, lambda result: done.set_result((result, threading.get_ident()))
        )
        result, back = await asyncio.wait_for(done, 5)
        workshop.close()
        return result, ran[0], back

    return asyncio.run(run())


def test_a_result_comes_back_to_the_loop() -> None:
    result, ran, back = _run(lambda: 42)
    assert result == 42
    assert back == threading.get_ident() != ran


def test_our_own_errors_come_back_as_they_are() -> None:
    error = Unavailable("gone")

    def fail() -> None:
        raise error

    assert _run(fail)[0] is error


def test_other_errors_are_told_and_become_unavailable() -> None:
    faults: list[Exception] = []

    def fail() -> None:
        raise RuntimeError("secret words of a customer")

    result, *_ = _run(fail, faults.append)
    assert isinstance(result, OpenTellerError)
    assert "secret" not in str(result)
    assert [type(fault) for fault in faults] == [RuntimeError]


def test_a_guess_is_not_made_while_another_is() -> None:
    async def run() -> list[str]:
        workshop, loop = Workshop(), asyncio.get_running_loop()
        work, gate, made = LoopWork(workshop, loop), threading.Event(), list[str]()
        work.submit("prepare", lambda: gate.wait(5), lambda _: made.append("first"))
        work.submit("prepare", lambda: "second", made.append)  # type: ignore[arg-type]
        gate.set()
        await asyncio.sleep(0.2)
        work.submit("prepare", lambda: "third", made.append)  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        workshop.close()
        return made

    assert asyncio.run(run()) == ["first", "third"]


def test_a_call_that_is_over_gets_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    hand_over(loop, lambda: pytest.fail("the loop is closed"))
