"""`teller complaints`: complaints and their clock, from the terminal.

Whoever may run commands on this machine is trusted to say with --by for whom; the audit log has that name.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, timedelta
from uuid import UUID

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.registered import named
from openteller.cli.tables import table
from openteller.core.clock import local_text, utc_now
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Role
from openteller.insights.complaints.desk import RUNNING
from openteller.insights.complaints.records import Complaint, Origin, Status
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller complaints open --text "收了我两次年费" --customer C000001
  teller complaints open --trace 0f8fad5b-d9cb-469f-a165-70867728950e
  teller complaints open --answer 7c9e6679-7425-40de-944b-e07fc1f90ae7
  teller complaints collect --days 1
  teller complaints list --owner agent.zhou
  teller complaints show 12
  teller complaints assign 12 agent.zhou
  teller complaints extend 12 --because "需要核实多家网点的流水"
  teller complaints extend 12 --because "等待上级行答复" --approved-by analyst.wang --told
  teller complaints close 12 --decision "已退还年费并致歉" --told
  teller complaints due --json

A complaint is decided and told within 15 days of receipt; complex ones within 30, with approval and notice within 60.
"""
_Action = Callable[[Application, argparse.Namespace, Principal], int]


def complaints(arguments: list[str]) -> int:
    """Open, assign, extend and close complaints, and see which are due."""
    given = _arguments(command_parser("complaints", complaints.__doc__, _EXAMPLES)).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given, Principal(subject=named(given.by), role=Role.ADMIN))


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser, by=True)
    opening = action("open", _open, "open a complaint")
    of = opening.add_mutually_exclusive_group(required=True)
    of.add_argument("--text", help="what the complainant said; personal data in it is masked")
    of.add_argument("--trace", type=_uuid, metavar="ID", help="the turn in which they said it")
    of.add_argument("--answer", type=_uuid, metavar="ID", help="the answer to a survey in which they said it")
    opening.add_argument("--customer", metavar="ID", help="whose it is, with --text")
    opening.add_argument("--received", type=_day, metavar="DAY", help="the day of receipt, with --text; default: today")
    collecting = action("collect", _collect, "open one for every turn that was understood as a complaint")
    collecting.add_argument("--days", type=int, default=1, help="look back so many days; default 1")
    listing = action("list", _list, "complaints, those due first")
    listing.add_argument("--owner")
    listing.add_argument("--all", action="store_true", help="closed ones too")
    listing.add_argument("--limit", type=int, default=50)
    action("show", _show, "a complaint and what was done about it").add_argument("number", type=int)
    assigning = action("assign", _assign, "give a complaint to somebody")
    assigning.add_argument("number", type=int)
    assigning.add_argument("owner")
    noting = action("note", _note, "add what was done or said")
    noting.add_argument("number", type=int)
    noting.add_argument("note")
    extending = action("extend", _extend, "give a complaint more time")
    extending.add_argument("number", type=int)
    extending.add_argument("--because", required=True, help="why")
    extending.add_argument("--approved-by", metavar="NAME", help="who approved it; needed the second time")
    extending.add_argument("--told", action="store_true", help="the complainant was told; needed the second time")
    deciding = action("close", _close, "close a complaint with what was decided")
    deciding.add_argument("number", type=int)
    deciding.add_argument("--decision", required=True)
    deciding.add_argument("--told", action="store_true", help="the complainant was told the decision")
    action("due", _due, "what is overdue or due within three days; raises the alerts")
    return parser


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no id") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no day; write it like 2026-01-31") from error


def _open(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    desk = application.complaints
    if given.trace:
        return _changed(desk.open_from_turn(operator, given.trace), given)
    if given.answer:
        answer, text = application.surveys.answer(operator, given.answer)
        if not text:
            raise BadInput("This answer has no words.", next_step="Open it with --text.")
        made = desk.open(operator, text, customer_id=answer.customer_id, source=Origin.SURVEY, source_id=str(answer.id))
        return _changed(made, given)
    return _changed(desk.open(operator, given.text, customer_id=given.customer, received_on=given.received), given)


def _collect(application: Application, given: argparse.Namespace, _: Principal) -> int:
    if given.days < 1:
        raise BadInput("A day at least is looked at.", next_step="Give --days 1 or more.")
    return _listed(application.complaints.collect(utc_now() - timedelta(days=given.days)), application, given)


def _list(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    statuses = tuple(Status) if given.all else RUNNING
    found = application.complaints.list(operator, statuses=statuses, owner=given.owner, limit=given.limit)
    return _listed(found, application, given)


def _show(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    complaint, events = application.complaints.get(operator, given.number)
    if given.json:
        steps = [event.model_dump(mode="json") for event in events]
        print(json.dumps(complaint.model_dump(mode="json") | {"events": steps}, ensure_ascii=False, indent=2))
        return 0
    print(f"complaint {complaint.number}, {complaint.status}, due {complaint.due_on}: {complaint.text}")
    rows = [(local_text(e.at, application.settings.timezone), e.kind.value, e.actor, e.note) for e in events]
    print(table(("at", "step", "by", "note"), rows), end="")
    return 0


def _assign(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    return _changed(application.complaints.assign(operator, given.number, named(given.owner)), given)


def _note(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    return _changed(application.complaints.note(operator, given.number, given.note), given)


def _extend(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    desk = application.complaints
    if given.approved_by is None:
        return _changed(desk.extend(operator, given.number, given.because, informed=given.told), given)
    approver = Principal(subject=named(given.approved_by), role=Role.ADMIN)
    asked = operator.subject
    return _changed(desk.extend(approver, given.number, given.because, asked_by=asked, informed=given.told), given)


def _close(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    return _changed(application.complaints.close(operator, given.number, given.decision, informed=given.told), given)


def _due(application: Application, given: argparse.Namespace, _: Principal) -> int:
    return _listed(application.complaints.due(), application, given)


def _changed(complaint: Complaint, given: argparse.Namespace) -> int:
    if given.json:
        print(json.dumps(complaint.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        owner = f", {complaint.owner}" if complaint.owner else ""
        print(f"complaint {complaint.number}: {complaint.status}{owner}, due {complaint.due_on}")
    return 0


def _listed(found: Sequence[Complaint], application: Application, given: argparse.Namespace) -> int:
    if given.json:
        print(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False, indent=2))
        return 0
    today = application.complaints.today
    rows = [
        (one.status.value, one.owner or "", one.customer_id or "", one.text, str(one.number), str(one.due_on), str(one.days_left(today)))
        for one in found
    ]  # fmt: skip
    columns = ("state", "owner", "customer", "text", "number", "due", "days left")
    print(table(columns, rows, words=4) if rows else "There is none.\n", end="")
    return 0
