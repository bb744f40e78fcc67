"""`teller recordings`: the recorded calls. Every export and every deletion is a row of the audit log, or it does not happen.

Whoever may run commands on this machine, and so may read its keys, is trusted with the recordings.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.registered import actor
from openteller.cli.tables import table
from openteller.core.clock import local_text, utc_now
from openteller.core.records import Principal, Role
from openteller.settings import load
from openteller.store import audit
from openteller.voice.recordings import Recording

_EXAMPLES = """\
examples:
  teller recordings list
  teller recordings list --caller C000001 --json
  teller recordings export 0f8fad5b-d9cb-469f-a165-70867728950e --output call.wav
  teller recordings verify
  teller recordings verify 0f8fad5b-d9cb-469f-a165-70867728950e
  teller recordings delete 0f8fad5b-d9cb-469f-a165-70867728950e --reason "the customer asked for it"
  teller recordings purge --dry-run

Calls are recorded where OPENTELLER_RECORDING=1 and the caller agrees, encrypted with OPENTELLER_RECORDING_KEY
(openssl rand -base64 32), and kept for OPENTELLER_RECORDING_DAYS (90). A server purges once a day.
"""
_STAFF = Principal(subject="cli", role=Role.ADMIN)
_Action = Callable[[Application, argparse.Namespace], int]


def recordings(arguments: list[str]) -> int:
    """List, export, verify, delete and purge the recordings of calls."""
    parser = command_parser("recordings", recordings.__doc__, _EXAMPLES)
    given = _arguments(parser).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given)


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser)
    listing = action("list", _list, "every recording, the newest first")
    listing.add_argument("--caller", metavar="SUBJECT", help="of this customer, or visitor:NAME, only")
    exporting = action("export", _export, "write a recording in clear: the customer left, the assistant right")
    exporting.add_argument("call", metavar="CALL_ID")
    exporting.add_argument("--output", type=Path, required=True, metavar="FILE", help=".wav or .flac")
    verifying = action("verify", _verify, "hold recordings against the audit log; exit code 1 when one needs care")
    verifying.add_argument("call", metavar="CALL_ID", nargs="?", help="default: all")
    deleting = action("delete", _delete, "delete a recording, as a customer may ask")
    deleting.add_argument("call", metavar="CALL_ID")
    deleting.add_argument("--reason", required=True)
    purging = action("purge", _purge, "delete every recording whose time is over")
    purging.add_argument("--dry-run", action="store_true", help="only say which")
    return parser


def _list(application: Application, given: argparse.Namespace) -> int:
    found = application.recordings.all(caller=given.caller)
    if given.json:
        _print_json([each.model_dump(mode="json") for each in found])
    elif not found:
        print("No call is recorded.")
    else:
        print(_table(found, application.settings.timezone), end="")
    return 0


def _export(application: Application, given: argparse.Namespace) -> int:
    found = application.recordings.export(given.call, given.output, actor())
    if given.json:
        _print_json(found.model_dump(mode="json") | {"output": str(given.output)})
        return 0
    print(f"{given.output}: in clear; delete it when it is no longer needed.")
    if found.is_whole is False:
        print("The recording was cut short: its end is missing.")
    if not found.state.is_well:
        print(f"The recording is {found.state}: see `teller recordings verify`.")
    return 0


def _verify(application: Application, given: argparse.Namespace) -> int:
    found = application.recordings.verify(given.call)
    with application.database.session(_STAFF) as session:
        chain = audit.verify(session)
    is_well = chain.intact and all(each.state.is_well for each in found)
    if given.json:
        _print_json({"recordings": [each.model_dump(mode="json") for each in found], "audit_intact": chain.intact})
        return 0 if is_well else 1
    if found:
        print(_table(found, application.settings.timezone))
    bad = sum(not each.state.is_well for each in found)
    print(f"{len(found)} recordings, {bad} of them need care.")
    print(
        f"audit log: {chain.rows} rows, {'intact' if chain.intact else f'broken at {chain.broken_at}: {chain.reason}'}"
    )
    return 0 if is_well else 1


def _delete(application: Application, given: argparse.Namespace) -> int:
    application.recordings.delete(given.call, given.reason, actor())
    return _told([given.call], given, "deleted")


def _purge(application: Application, given: argparse.Namespace) -> int:
    if given.dry_run:
        return _told(application.recordings.expired(utc_now()), given, "would be deleted")
    return _told(application.recordings.purge(utc_now(), actor()), given, "deleted")


def _told(calls: Sequence[str], given: argparse.Namespace, what: str) -> int:
    if given.json:
        _print_json([{"call_id": call, "what": what} for call in calls])
        return 0
    for call in calls:
        print(f"{call}: {what}")
    if not calls:
        print("No recording's time is over.")
    return 0


def _table(found: Sequence[Recording], timezone: str) -> str:
    def row(each: Recording) -> tuple[str, ...]:
        began = local_text(each.began, timezone) if each.began else f"{each.day}"
        seconds = "-" if each.seconds is None else f"{each.seconds:.0f}" + ("" if each.is_whole else "+")
        return each.call_id, began, each.caller, each.state, seconds, f"{each.size / 1000:.0f}"

    return table(("call", "began", "caller", "state", "seconds", "kB"), map(row, found), words=4)


def _print_json(found: object) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))
