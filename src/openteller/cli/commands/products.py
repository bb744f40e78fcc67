"""`teller products`: risk grades of products, whom a new grade touches, and whether a product suits a customer.

Whoever may run commands on this machine is trusted to say with --by for whom; the audit log has the login as well.
"""

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.registered import actor, named
from openteller.cli.tables import table
from openteller.core.errors import BadInput
from openteller.core.money import Money, decimal_of
from openteller.core.records import LocalText, Principal, Record, Role
from openteller.products.grades import GradedBy, GradeStep
from openteller.products.records import RiskGrade
from openteller.recommendation.notices.records import Channel
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller products grades FUND-INDEX
  teller products grade FUND-INDEX --bank R5 --because "波动率连续两个季度高于R4的上限"
  teller products grade FUND-INDEX --issuer R5 --from 2026-12-01 --because "issuer's notice of 25 November"
  teller products regrade-report FUND-INDEX --json
  teller products notices FUND-INDEX --write --channel sms
  teller products notices FUND-INDEX --unsent --json
  teller products check FUND-INDEX --customer C000001 --amount 10000

The higher of issuer's and bank's grade counts. --by says who, where that is not your login on this machine.
"""
_MOST_NOTICES = 10_000
_Action = Callable[[Application, argparse.Namespace, Principal], int]


def products(arguments: list[str]) -> int:
    """Grade products, see what counted when, whom to tell, and what suits a customer."""
    parser = command_parser("products", products.__doc__, _EXAMPLES)
    given = _arguments(parser).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given, Principal(subject=named(given.by), role=Role.ADMIN))


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add = actions_of(parser, by=True)

    def action(name: str, run: _Action, text: str) -> argparse.ArgumentParser:
        added = add(name, run, text)
        added.add_argument("product", metavar="PRODUCT", help="its id in the catalogue")
        return added

    grading = action("grade", _grade, "record what issuer or bank say of a product's risk")
    of = grading.add_mutually_exclusive_group(required=True)
    grades = [grade.value for grade in RiskGrade]
    of.add_argument("--bank", choices=grades, help="the bank's own judgement")
    of.add_argument("--issuer", choices=grades, help="what the issuer says")
    grading.add_argument("--from", dest="from_on", type=_day, metavar="DATE", help="first day; default: today")
    grading.add_argument("--because", required=True, metavar="REASON")
    action("grades", _grades, "what counts today, what counted before, and every grading")
    report = action("regrade-report", _report, "the holders to tell, and why")
    report.add_argument("--on", type=_day, metavar="DATE", help="as of that day; default: today")
    telling = action("notices", _notices, "who was told of the grade; --write: match the holders anew and tell them")
    telling.add_argument("--write", action="store_true", help="write what is not written yet; twice adds nothing")
    telling.add_argument(
        "--channel", choices=[one.value for one in Channel], default="inbox", help="with --write; default: inbox"
    )
    telling.add_argument("--on", type=_day, metavar="DATE", help="with --write: the day whose grade counts")
    telling.add_argument("--unsent", action="store_true", help="only those that nobody has handed over")
    telling.add_argument("--limit", type=int, default=50, metavar="N", help="notices shown; default: 50")
    checking = action("check", _check, "ask the suitability wall, as when the customer asks for the product")
    checking.add_argument("--customer", required=True, metavar="ID")
    checking.add_argument("--amount", type=_amount, help="to be paid; default: the product's minimum")
    checking.add_argument("--language", choices=["zh", "en"], default="zh", help="of the reasons")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no day; write it like 2026-12-01") from error


def _amount(text: str) -> Decimal:
    try:
        amount = decimal_of(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if amount < 0:
        raise argparse.ArgumentTypeError("an amount is not negative")
    return amount


def _grade(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    graded_by = GradedBy.BANK if given.bank else GradedBy.ISSUER
    made = application.grades.grade(
        operator,
        given.product,
        graded_by,
        RiskGrade(given.bank or given.issuer),
        from_on=given.from_on or application.suitability.today,
        because=given.because,
        entered_by=actor(),
    )
    if given.json:
        return _print_json(made)
    print(f"{made.product_id}: {made.graded_by} says {made.grade} from {made.from_on} on. {made.because}")
    print(f"Whom to tell: teller products regrade-report {made.product_id}")
    print(f"Tell them:    teller products notices {made.product_id} --write")
    return 0


def _grades(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    found = application.grades.file(operator, given.product, application.suitability.today)
    if given.json:
        return _print_json(found)
    print(f"{found.product_id} {found.name.zh} ({found.name.en}): {found.now.effective} counts today\n")
    print(table(("from", "issuer", "bank", "counts"), [_step(step) for step in found.history]), end="")
    rows = [(str(g.from_on), g.graded_by.value, g.grade.value, g.author, g.because) for g in found.gradings]
    print(table(("from", "by", "grade", "author", "because"), rows) if rows else "Never regraded.\n", end="")
    return 0


def _step(step: GradeStep) -> tuple[str, ...]:
    return str(step.from_on), step.issuer.value, step.bank.value if step.bank else "-", step.effective.value


def _report(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    found = application.notices.report(operator, given.product, given.on)
    if given.json:
        return _print_json(found)
    _remark(found.note)
    print(f"{found.product_id} on {found.on}: {found.grade}, before {found.grade_before}")
    print(f"{found.holders} holders, {len(found.notices)} to tell\n")
    rows = [
        (
            notice.customer_id,
            str(Money(notice.amount, notice.currency)),
            notice.investor_class or "-",
            str(notice.expires_on or "-"),
            "new" if notice.new else "known",
            " ".join(notice.codes),
            notice.text.of(notice.language),
        )
        for notice in found.notices
    ]
    if rows:
        print(table(("customer", "holds", "class", "expires", "since", "why", "notice"), rows), end="")
    return 0


def _notices(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    desk = application.notices
    written = desk.write(operator, given.product, Channel(given.channel), given.on) if given.write else None
    limit = max(1, min(given.limit, _MOST_NOTICES))
    found = desk.of_product(operator, given.product, unsent=given.unsent, limit=limit)
    if given.json:
        made = written.model_dump(mode="json") if written else None
        listed = [one.model_dump(mode="json") for one in found]
        print(json.dumps({"written": made, "notices": listed}, ensure_ascii=False, indent=2))
        return 0
    if written:
        print(f"{written.added} notices written, {written.already} were before; {written.holders} holders.")
        _remark(written.note)
    rows = [
        (
            one.customer_id,
            _moment(one.at),
            one.channel.value,
            _moment(one.sent_at),
            _moment(one.read_at),
            " ".join(one.codes),
            one.text.en,
        )
        for one in found
    ]
    print(
        table(("customer", "written", "channel", "sent", "read", "why", "notice"), rows) if rows else "No notices.\n",
        end="",
    )
    return 0


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "-"


def _remark(note: LocalText | None) -> None:
    if note:
        print(f"Note: {note.en}\n{note.zh}\n")


def _check(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    principal = application.acting_for(operator, given.customer)
    verdict = application.suitability.verdict(principal, given.product, given.amount)
    if given.json:
        return _print_json(verdict)
    print(f"{given.product} for {given.customer}: {verdict.outcome}")
    for reason in verdict.reasons:
        print(f"- {reason.text.of(given.language)} ({reason.code}; {reason.rule})")
    return 0


def _print_json(found: Record) -> int:
    print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=2))
    return 0
