"""`teller serve` as a process: answers, keeps people apart, and loses nothing to kill -9."""

import json
import os
import signal
import subprocess
import sys

import httpx

from openteller.assembly import Application
from tests.acceptance.conftest import login, start_server


def test_the_command_line_asks_the_running_server(server: str, environment: dict[str, str]) -> None:
    for given, first in ((["I lost my card"], "card-lost:en"), (["--customer", "C000003", "我的余额"], None)):
        command = [sys.executable, "-m", "openteller.cli.main", "ask", "--json", *given]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        turn = json.loads(done.stdout)
        assert turn["inquiry"]["channel"] == "cli"
        cited = [c["document_id"] for c in turn["answer"]["citations"]]
        assert cited[0] == first if first else turn["answer"]["skill"] == "balance"


def test_people_stay_apart_and_bad_input_is_refused(server: str) -> None:
    mine = login(server, "C000001")
    asked = httpx.post(f"{server}/v1/inquiries", json={"text": "我的账户余额是多少"}, headers=mine)
    assert asked.status_code == 200
    assert asked.json()["answer"]["skill"] == "balance"
    trace = asked.json()["trace_id"]
    other = login(server, "C000002")
    assert httpx.get(f"{server}/v1/inquiries/{trace}", headers=other).status_code == 404
    body = {"text": "余额", "customer_id": "C000002"}
    assert httpx.post(f"{server}/v1/inquiries", json=body, headers=mine).status_code == 403
    assert httpx.post(f"{server}/v1/inquiries", json=body).status_code == 401
    assert httpx.post(f"{server}/v1/inquiries", json={"text": ""}).status_code == 422
    assert (
        httpx.post(f"{server}/v1/inquiries", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )
    assert httpx.post(f"{server}/v1/inquiries", json={"text": "a" * 1_100_000}).status_code == 413
    emoji = httpx.post(f"{server}/v1/inquiries", json={"text": "😀😀😀"})
    assert emoji.status_code == 200
    rated = httpx.post(f"{server}/v1/inquiries/{trace}/satisfaction", json={"rating": 5}, headers=mine)
    assert rated.status_code == 204


def test_no_acknowledged_turn_is_lost_to_kill_9(application: Application, environment: dict[str, str]) -> None:
    process, url = start_server(environment)
    headers = login(url, "C000003")
    traces = []
    for _ in range(5):
        traces.append(
            httpx.post(f"{url}/v1/inquiries", json={"text": "I lost my card"}, headers=headers).json()["trace_id"]
        )
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process, url = start_server(environment)
    try:
        headers = login(url, "C000003")
        for trace in traces:
            stored = httpx.get(f"{url}/v1/inquiries/{trace}", headers=headers)
            assert stored.status_code == 200
            assert stored.json()["answer"]["text"]
    finally:
        process.terminate()
        process.wait(30)
