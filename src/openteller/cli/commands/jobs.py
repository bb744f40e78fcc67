"""`teller jobs`: what is done when, where each job stands, and a worker or one job by hand."""

import argparse
import json
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.progress import console_progress
from openteller.cli.tables import table
from openteller.core.clock import local_text
from openteller.core.errors import NotFound
from openteller.jobs.repository import JobRepository
from openteller.jobs.schedule import schedule
from openteller.jobs.worker import Worker
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller jobs list
  teller jobs status --json
  teller jobs run trends                   one job, here and now
  teller jobs run                          a worker, until it is stopped

`teller serve` works too, unless OPENTELLER_JOBS=0. Any number of workers may run: each job is done by one at a time.
"""
_Action = Callable[[Application, argparse.Namespace], int]


def jobs(arguments: list[str]) -> int:
    """Scheduled work."""
    parser = command_parser("jobs", jobs.__doc__, _EXAMPLES)
    action = actions_of(parser)
    running = action("run", _run, "do one job now, or work until stopped")
    running.add_argument("job", nargs="?", metavar="JOB", help="default: a worker for all")
    action("list", _list, "what is done when")
    action("status", _status, "where each job stands")
    given = parser.parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load(), console_progress())) as application:
        return run(application, given)


def _run(application: Application, given: argparse.Namespace) -> int:
    known = schedule(application)
    if given.job is None:
        return _work(application)
    job = next((job for job in known if job.name == given.job), None)
    if job is None:
        names = ", ".join(job.name for job in known)
        raise NotFound(f"There is no job called {given.job!r}.", next_step=f"The jobs are {names}.")
    said = job.run()
    print(json.dumps({"job": job.name, "said": said}, ensure_ascii=False) if given.json else said)
    return 0


def _work(application: Application) -> int:
    worker, stopped = Worker(application.database, schedule(application)), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    worker.start()
    print("Working; stop with Ctrl+C.", flush=True)
    try:
        stopped.wait()
    finally:
        worker.stop()
    return 0


def _list(application: Application, given: argparse.Namespace) -> int:
    rows = [{"name": job.name, "cron": job.cron, "what": job.what.model_dump()} for job in schedule(application)]
    if given.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    shown = [(job.name, job.cron, job.what.zh, job.what.en) for job in schedule(application)]
    print(table(("job", "when (UTC)", "做什么", "what"), shown), end="")
    return 0


def _status(application: Application, given: argparse.Namespace) -> int:
    found = JobRepository(application.database).statuses(schedule(application))
    if given.json:
        print(json.dumps([status.model_dump(mode="json") for status in found], ensure_ascii=False, indent=2))
        return 0

    def at(moment: datetime | None) -> str:
        return local_text(moment, application.settings.timezone) if moment else "-"

    rows = [
        (s.name, at(s.last_begun), at(s.last_succeeded), at(s.last_failed), str(s.waiting), str(s.running))
        for s in found
    ]
    print(table(("job", "begun", "succeeded", "failed", "waiting", "running"), rows, words=4), end="")
    return 0
