"""`teller demo load`: the demo bank, all of it fictional; `teller demo offers` makes up what its customers did with offers; `teller demo conversations` makes up what they asked; `teller demo speak` makes the sound that comes with it anew."""

import argparse
import os
from contextlib import closing, suppress
from pathlib import Path

from openteller.assembly import Application
from openteller.cli.progress import console_progress, counting
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import OpenTellerError
from openteller.core.records import Principal, Role
from openteller.customers.profile.computing import recompute_all
from openteller.customers.profile.repository import BehaviourRepository
from openteller.demo.conversations import DAYS
from openteller.demo.load import CUSTOMERS, SEED, BankReport, LoadReport, load, load_bank, load_survey
from openteller.demo.openings import PACK, pack, unpack
from openteller.demo.opinion import hear_yesterday
from openteller.demo.outcomes import make_outcomes
from openteller.demo.past import make_past
from openteller.demo.repository import DemoRepository
from openteller.settings import load as load_settings

_EXAMPLES = """\
examples:
  teller demo load
  teller demo load --customers 1000000 --seed 7
  teller demo load --reset                        also restores documents and the survey that staff changed
  teller demo offers --customers 500              offers that customers might have seen, for teller recommend train
  teller demo conversations --days 90             what customers might have asked, for teller trends
  teller demo speak --output openings.zip         the openings of all replies as sound, for the next release
"""

_SELF = Principal(subject="demo", role=Role.SERVICE)
_WORTH_A_PROCESS = 800


def demo(arguments: list[str]) -> int:
    """Load articles, products, a survey, customers and, in dev mode, demo logins. Loading again leaves what staff changed."""
    parser = argparse.ArgumentParser(
        "teller demo", description=demo.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=["load", "offers", "conversations", "speak"])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--days", type=int, default=DAYS, help=f"of conversations (default {DAYS})")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--reset", action="store_true", help="restore documents and the survey that staff changed")
    parser.add_argument(
        "--output", type=Path, default=PACK, help="of speak; default: the file that comes with the bank"
    )
    given = parser.parse_args(arguments)
    with closing(Application(load_settings(), console_progress())) as application:
        if given.action == "speak":
            return _pack(application, given.output)
        if given.action == "offers":
            return _offer(application, given.customers, given.seed)
        if given.action == "conversations":
            return _converse(application, given.days, given.seed)
        report, bank = load_demo(application, given.customers, given.seed, reset=given.reset)
        take_in_speech(application)
    print("\n".join(filter(None, [report.summary, bank.summary])))
    return 0


def load_demo(
    application: Application, customers: int, seed: int = SEED, *, reset: bool = False
) -> tuple[LoadReport, BankReport]:
    """Load what is not there yet, and compute profiles and segments; demo logins in dev mode only. `reset` restores documents and the survey that staff changed."""
    settings = application.settings

    def add_user(username: str, role: Role, customer_id: str | None) -> object:
        return application.accounts.add_user(username, settings.demo_password, role, customer_id, by="demo")

    today = local_date(utc_now(), settings.timezone)
    report = load(application.database, customers, console_progress(), seed=seed, today=today, zone=settings.timezone)
    bank = load_bank(
        application.database,
        application.library,
        console_progress(),
        add_user=add_user if settings.dev else None,
        reset=reset,
    )
    load_survey(application.surveys, reset=reset)
    if report.added or not _has_segments(application):
        recompute_all(
            application.database,
            zone=settings.timezone,
            workers=_workers(report.added),
            engine="processes",
            progress=counting("profiles"),
        )
    return report, bank


def load_past(application: Application) -> None:
    """What was asked and heard before today, where nothing was: customers' questions, and a day of public opinion."""
    settings = application.settings
    today = local_date(utc_now(), settings.timezone)
    with application.database.session(_SELF) as session:
        is_new = DemoRepository().has_no_turns(session)
    if is_new:
        make_past(application.database, today, zone=settings.timezone, progress=console_progress())
    with suppress(OpenTellerError):  # public opinion needs an extra
        hear_yesterday(application.database, application.opinion, application.opinion_reader, application.alerts, today)


def _has_segments(application: Application) -> bool:
    with application.database.session(_SELF) as session:
        return BehaviourRepository().cuts(session) is not None


def _workers(customers: int) -> int:
    """Processes to compute profiles with: starting one takes as long as some hundred customers."""
    return max(1, min(os.cpu_count() or 1, customers // _WORTH_A_PROCESS))


def _offer(application: Application, customers: int, seed: int) -> int:
    settings = application.settings
    report = make_outcomes(
        application.database,
        application.shelf().products.values(),
        local_date(utc_now(), settings.timezone),
        customers=customers,
        seed=seed,
        zone=settings.timezone,
        progress=console_progress(),
    )
    print(report.summary)
    return 0


def _converse(application: Application, days: int, seed: int) -> int:
    zone = application.settings.timezone
    today = local_date(utc_now(), zone)
    report = make_past(application.database, today, days=days, seed=seed, zone=zone, progress=console_progress())
    print(report.summary)
    return 0


def _pack(application: Application, file: Path) -> int:
    sentences, openings = application.said_ahead()
    tell = console_progress()
    count = pack(application.speech, sentences[:openings], file, lambda done, total: tell(done, total, "openings"))
    print(f"{file}: {count} openings, {file.stat().st_size / 2**20:.1f} MiB")
    return 0


def take_in_speech(application: Application) -> None:
    """Take in the sound that comes with the bank; without an engine for speech there is nobody to say it."""
    with suppress(OpenTellerError):
        unpack(application.speech)
