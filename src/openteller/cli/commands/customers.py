"""`teller customers`: what a customer's movements say, new movements booked, everybody's features computed anew."""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from pydantic import ValidationError

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.progress import counting
from openteller.cli.registered import actor
from openteller.cli.tables import table
from openteller.core.errors import BadInput, UnreadableFile
from openteller.core.money import Money
from openteller.core.records import Principal, Role
from openteller.core.text import normalise
from openteller.customers.profile.computing import recompute_all
from openteller.customers.profile.records import Profile
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.records import Transaction
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller customers features C000002
  teller customers features C000002 --language zh --json
  teller customers categorise "支付宝-青禾超市(中山路店)" "POS 4411 SQ *COFFEE HSE LONDON"
  teller customers book movements.jsonl
  teller customers recompute --all --workers 2

A movement is one JSON object a line: customer_id, account_id, booked_at (with an offset), amount (a string, debits
negative), currency, merchant, and if the bank has them category, counterparty, channel. A file is booked whole or not
at all; what lacks a category gets one from its text.
"""
_Action = Callable[[Application, argparse.Namespace], int]
_MOST = 100_000
_CURRENCY = re.compile("[A-Z]{3}")


def customers(arguments: list[str]) -> int:
    """Features of one customer, categories of texts, new movements, and features of everybody."""
    parser = command_parser("customers", customers.__doc__, _EXAMPLES)
    given = _arguments(parser).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given)


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser)
    features = action("features", _features, "what a customer's movements say; looking leaves an audit row")
    features.add_argument("customer", metavar="CUSTOMER")
    features.add_argument("--language", choices=["zh", "en"], default="en")
    action("categorise", _categorise, "the category of merchant texts, with its confidence").add_argument(
        "texts", nargs="+"
    )
    action("book", _book, "add new movements to the store and to their customers' features").add_argument(
        "file", type=Path
    )
    computing = action(
        "recompute", _recompute, "compute features from all stored movements; goes on with a run cut off"
    )
    computing.add_argument("--all", action="store_true", required=True, help="every customer, and the bank's quintiles")
    computing.add_argument("--workers", type=int, default=1, metavar="N", help="processes; default: 1")
    computing.add_argument(
        "--engine",
        choices=["auto", "ray", "processes"],
        default="auto",
        help="what starts several processes; auto: Ray where it is installed (pip install openteller[scale])",
    )
    computing.add_argument("--anew", action="store_true", help="begin from the first customer, whatever was cut off")
    return parser


def _features(application: Application, given: argparse.Namespace) -> int:
    operator = Principal(subject=actor(), role=Role.ADMIN)
    found = application.profiles.profile(application.acting_for(operator, normalise(given.customer)))
    print(
        found.model_dump_json(indent=2) if given.json else _page(found, given.language), end="\n" if given.json else ""
    )
    return 0


def _page(found: Profile, language: str) -> str:
    flow = found.cash_flow
    rows = [
        (
            f"{m.month:%Y-%m}",
            *(str(Money(v)) for v in (m.income, m.fixed, m.free, m.surplus)),
            "" if m.whole else "not whole",
        )
        for m in flow.months
    ]
    parts = [f"{found.customer_id} on {found.on}: {found.movements} movements since {found.since}\n"]
    parts.append(table(("month", "income", "fixed", "free", "surplus", ""), rows, 1))
    parts.append(f"volatility of the surplus: {flow.volatility:.2f} of the mean income, {flow.averaged} months\n")
    payments = [(one.payee, str(Money(one.amount)), one.rhythm, str(one.day)) for one in flow.recurring]
    parts.append(table(("recurring payment", "amount", "rhythm", "day"), payments) if payments else "")
    if found.segment:
        s = found.segment
        parts.append(
            f"segment: {s.name.of(language)} (recency {s.recency}, frequency {s.frequency}, monetary {s.monetary})\n"
        )
    parts += [
        f"{event.on} {event.text.of(language)} ({event.confidence:.0%}): "
        + "; ".join(f"{one.on} {one.text.of(language)}" for one in event.evidence)
        + "\n"
        for event in found.events
    ]
    parts += [f"tag: {tag.name.of(language)} ({tag.reason.of(language)})\n" for tag in found.tags]
    if not found.personalised:
        parts.append("The customer did not agree to personalisation: nothing else is derived.\n")
    return "".join(parts)


def _categorise(_: Application, given: argparse.Namespace) -> int:
    from openteller.customers.profile.categorising import categorise

    found = [(text, categorise(normalise(text))) for text in given.texts]
    if given.json:
        lines = [{"text": text, **category.model_dump()} for text, category in found]
        print(json.dumps(lines, ensure_ascii=False, indent=2))
    else:
        rows = [(text, category.category, f"{category.confidence:.2f}") for text, category in found]
        print(table(("text", "category", "confidence"), rows), end="")
    return 0


def _book(application: Application, given: argparse.Namespace) -> int:
    movements = list(_read(given.file))
    with application.database.session(Principal(subject=actor(), role=Role.SERVICE)) as session:
        booked = BehaviourRepository(application.settings.timezone).book(session, movements)
    if given.json:
        print(json.dumps([one.model_dump(mode="json") for one in booked], ensure_ascii=False, indent=2))
        return 0
    read = sum(one.category_confidence is not None for one in booked)
    print(f"{len(booked)} movements booked, {read} of them categorised by their text.")
    return 0


def _read(file: Path) -> Iterator[Transaction]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            f"The file {file} cannot be read.", cause=str(error), next_step="Give a JSONL file in UTF-8."
        ) from error
    if len(lines) > _MOST:
        raise BadInput(f"The file has over {_MOST:,} lines.", next_step="Split it.")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _movement(line, number)


def _movement(line: str, number: int) -> Transaction:
    try:
        read = Transaction.model_validate_json(line)
        if read.booked_at.tzinfo is None:
            raise ValueError("booked_at has no offset")
        if not _CURRENCY.fullmatch(read.currency):
            raise ValueError("the currency is no ISO 4217 code")
        if read.amount != Money(read.amount, read.currency).amount:
            raise ValueError("the amount has more decimals than its currency")
    except (ValidationError, ValueError, BadInput) as error:
        faults = error.errors() if isinstance(error, ValidationError) else [{"loc": (), "msg": str(error)}]
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in faults)
        raise BadInput(
            f"Line {number} is no movement.", cause=said, next_step="Correct it; nothing was booked."
        ) from error
    texts = {"merchant": normalise(read.merchant), "counterparty": read.counterparty and normalise(read.counterparty)}
    return read.model_copy(update={**texts, "transaction_id": None, "category_confidence": None})


def _recompute(application: Application, given: argparse.Namespace) -> int:
    report = recompute_all(
        application.database,
        zone=application.settings.timezone,
        workers=given.workers,
        engine=given.engine,
        anew=given.anew,
        progress=counting("customers"),
    )
    if given.json:
        print(report.model_dump_json(indent=2))
        return 0
    rate = report.customers / report.seconds if report.seconds else 0.0
    before = f", {report.resumed:,} by the run that was cut off" if report.resumed else ""
    print(
        f"{report.customers:,} customers with {report.movements:,} movements in {report.seconds:.1f} s ({rate:,.0f} a second, {report.workers} × {report.engine}){before}."
    )
    if report.cuts is None:
        print("No quintiles: fewer than five customers agreed to personalisation.")
    return 0
