"""`teller feedback`: turns worth a look, corrections of them, and a second person's review, from the terminal.

Whoever may run commands on this machine is trusted to say with --by for whom; the audit log has the login as well.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.registered import actor, named
from openteller.cli.tables import table
from openteller.core.clock import local_text
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Record, Role
from openteller.feedback import curated
from openteller.feedback.desk import NEWEST, LabelDesk
from openteller.feedback.records import Correction, Head, Status
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller feedback queue --limit 20
  teller feedback correct --trace 0f8fad5b-d9cb-469f-a165-70867728950e --head intent --label card_atm_trouble
  teller feedback correct --text "卡被吞了，急死我了" --head sentiment --label negative --by analyst.li
  teller feedback correct --text "hello" --head needs --label -
  teller feedback list --status pending
  teller feedback accept 0f8fad5b --by analyst.wang
  teller feedback reject newest --by analyst.wang --note "asks about the fee, not the limit"
  teller feedback export --head intent --output intents.jsonl

A correction is named by its id, by how that begins, or as newest: the newest that is pending.
Nobody reviews a correction of their own. --by says who, where that is not your login on this machine.
"""
_Action = Callable[[Application, argparse.Namespace, Principal], int]


def feedback(arguments: list[str]) -> int:
    """See what the assistant got wrong, correct it, and review what others corrected."""
    parser = command_parser("feedback", feedback.__doc__, _EXAMPLES)
    given = _arguments(parser).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given, Principal(subject=named(given.by), role=Role.ADMIN))


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser, by=True)
    queue = action("queue", _queue, "turns worth a look that nobody has corrected, the newest first")
    correcting = action("correct", _correct, "say what labels a turn or a text should have had")
    of = correcting.add_mutually_exclusive_group(required=True)
    of.add_argument("--trace", type=_uuid, metavar="ID", help="the turn")
    of.add_argument("--text", help="a text of no turn; personal data in it is masked")
    correcting.add_argument("--head", required=True, choices=[head.value for head in Head])
    correcting.add_argument(
        "--label", required=True, action="append", help='the right one; of needs repeatable, "-" for none'
    )
    for name, decision in (("accept", Status.ACCEPTED), ("reject", Status.REJECTED)):
        deciding = action(name, _review, f"{name} somebody else's correction")
        deciding.set_defaults(decision=decision)
        deciding.add_argument("correction", metavar="ID", help=f"how it begins, or {NEWEST}")
        deciding.add_argument("--note", default="", help="why")
    listing = action("list", _list, "corrections, the newest first")
    listing.add_argument("--status", choices=[status.value for status in Status])
    for added in (queue, listing):
        added.add_argument("--limit", type=int, default=50)
    exporting = action("export", _export, "accepted corrections as JSONL, as training reads them")
    exporting.add_argument("--head", choices=[head.value for head in Head], help="default: all")
    exporting.add_argument("--output", type=Path, help="default: standard output")
    return parser


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no trace id; `teller feedback queue` shows them") from error


def _queue(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    turns = application.feedback.queue(operator, limit=given.limit)
    if given.json:
        return _print_json(turns)
    zone = application.settings.timezone
    rows = [(str(t.trace_id), local_text(t.at, zone), t.text, "; ".join(t.reasons)) for t in turns]
    print(table(("turn", "at", "text", "why"), rows) if rows else "No turn waits for a correction.\n", end="")
    return 0


def _correct(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    made = application.feedback.correct(
        operator, Head(given.head), given.label, trace_id=given.trace, text=given.text, entered_by=actor()
    )
    return _changed([made], given)


def _review(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    desk: LabelDesk = application.feedback
    found = desk.find(operator, given.correction)
    return _changed([desk.review(operator, found, given.decision, note=given.note, entered_by=actor())], given)


def _changed(corrections: Sequence[Correction], given: argparse.Namespace) -> int:
    if given.json:
        return _print_json(corrections)
    for c in corrections:
        print(f"{c.id}: {c.status}, {c.head} {' '.join(c.labels)}: {c.text}")
    return 0


def _list(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    status = Status(given.status) if given.status else None
    found = application.feedback.list(operator, status=status, limit=given.limit)
    if given.json:
        return _print_json(found)
    rows = [(str(c.id), c.status, c.head, " ".join(c.labels), c.author, c.reviewer or "", c.text) for c in found]
    columns = ("id", "status", "head", "labels", "author", "reviewer", "text")
    print(table(columns, rows) if rows else "There is no such correction.\n", end="")
    return 0


def _export(application: Application, given: argparse.Namespace, _: Principal) -> int:
    heads = [Head(given.head)] if given.head else list(Head)
    examples = curated.newest(application.feedback.accepted(heads))
    if given.output is None:
        print(curated.as_lines(examples), end="")
        return 0
    try:
        curated.write(given.output, examples)
    except OSError as error:
        raise BadInput(f"The file {given.output} cannot be written.", cause=str(error)) from error
    print(json.dumps({"written": len(examples)}) if given.json else f"{len(examples)} examples: {given.output}")
    return 0


def _print_json(found: Sequence[Record]) -> int:
    print(json.dumps([record.model_dump(mode="json") for record in found], ensure_ascii=False, indent=2))
    return 0
