"""What is done when. Each line is a job; a part that brings another adds it here.

Knows nothing about queues and workers. What is not covered: recordings, which `teller serve` itself looks after, since
a process that was killed leaves some to it.
"""

import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from openteller.assembly import Application
from openteller.core.clock import utc_now
from openteller.core.errors import Unavailable
from openteller.core.records import LocalText
from openteller.jobs.opinion import mind_opinion
from openteller.jobs.records import Job
from openteller.jobs.regrades import tell_of_regrades

_RETRAIN_SECONDS = 6 * 3_600
_COMPLAINED_SINCE = timedelta(days=3)  # so that a complaint is taken up after days without a worker


def schedule(application: Application) -> tuple[Job, ...]:
    """The jobs of an installation, by how often they are done."""
    settings = application.settings
    jobs = [
        Job("deliveries", LocalText(zh="发送警报", en="send alerts"), "* * * * * */10", lambda: _deliver(application)),
        Job("trends", LocalText(zh="检查情绪与需求变化", en="look for changes of mood and need"), "7 * * * *",
            lambda: _look(application)),
        Job("regrades", LocalText(zh="产品风险等级变更通知", en="tell of new risk grades and whom they touch"),
            daily(6, settings.timezone), lambda: tell_of_regrades(application), retries=3),
        Job("complaints", LocalText(zh="收录投诉并提醒办理期限", en="open complaints, and warn before their deadlines"), "*/15 * * * *",
            lambda: _mind_complaints(application), retries=3),
        Job("opinion", LocalText(zh="撰写舆情日报，清除过期舆情", en="write the report of public opinion, forget what is old"),
            daily(5, settings.timezone), lambda: mind_opinion(application), retries=3),
    ]  # fmt: skip
    if settings.retrain:
        what = LocalText(zh="用已审核的更正重新训练", en="train again with accepted corrections")
        night = daily(2, settings.timezone)
        jobs.append(Job("retrain", what, f"{night.rpartition(' ')[0]} 0", lambda: _retrain(application)))
    return tuple(jobs)


def daily(hour: int, zone: str, on: datetime | None = None) -> str:
    """Every day at that hour in `zone`, in UTC; where clocks change, as they stood `on` (None: now, when the worker began)."""
    local = (on or utc_now()).astimezone(ZoneInfo(zone)).replace(hour=hour, minute=0)
    utc = local - (local.utcoffset() or timedelta())
    return f"{utc.minute} {utc.hour} * * *"


def _mind_complaints(application: Application) -> str:
    opened = application.complaints.collect(utc_now() - _COMPLAINED_SINCE)
    return f"{len(opened)} complaints opened, {len(application.complaints.due())} due"


def _deliver(application: Application) -> str:
    return f"{application.courier.deliver()} alerts sent"


def _look(application: Application) -> str:
    return f"{len(application.trend_watch.look())} changes found"


def _retrain(application: Application) -> str:
    """In a process of its own: training takes memory that a server needs."""
    done = []
    for task in application.settings.retrain:
        command = [sys.executable, "-m", "openteller.cli.main", "retrain", task]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_RETRAIN_SECONDS)
        if ended.returncode != 0:
            raise Unavailable(f"Training {task} again failed.", cause=ended.stderr.strip()[-300:])
        done.append(task)
    return f"trained again: {', '.join(done)}"
