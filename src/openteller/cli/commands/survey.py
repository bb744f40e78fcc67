"""`teller survey`: author surveys, send them, import answers, and write the report, from the terminal."""

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.progress import counting
from openteller.cli.registered import named
from openteller.cli.tables import table
from openteller.core.clock import local_text, utc_now
from openteller.core.errors import BadInput
from openteller.core.records import LocalText, Principal, Role
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller survey create service.yaml
  teller survey import service answers.csv --skip-bad
  teller survey import service answers.xlsx --map "Q1=recommend" --map "意见=words"
  teller survey report service --html report.html --pdf report.pdf --language zh
  teller survey report service --from 2026-01-01 --to 2026-06-30 --json
  teller survey list
  teller survey show service --json
  teller survey link service --days 14 --customer C000001
  teller survey answers service --limit 20
  teller survey close service

A survey is a YAML or JSON file: docs/guide/surveys.md shows one. Changed, it becomes a new version; answers keep theirs.
"""
_Action = Callable[[Application, argparse.Namespace, Principal], int]


def survey(arguments: list[str]) -> int:
    """Author surveys, send them, import answers, and report what they say."""
    given = _arguments(command_parser("survey", survey.__doc__, _EXAMPLES)).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given, Principal(subject=named(given.by), role=Role.ADMIN))


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser, by=True)
    action("create", _create, "store a survey, or its next version").add_argument("file", type=Path)
    action("list", _list, "the surveys that there are")
    action("show", _show, "what a survey asks").add_argument("survey")
    listing = action("answers", _answers, "the answers to a survey, the oldest first")
    listing.add_argument("survey")
    listing.add_argument("--limit", type=int, default=50)

    importing = action("import", _import, "store the answers in a CSV or XLSX file")
    importing.add_argument("survey")
    importing.add_argument("file", type=Path)
    importing.add_argument("--map", action="append", default=[], metavar="COLUMN=QUESTION", help="repeatable")
    importing.add_argument("--skip-bad", action="store_true", help="leave out the rows that cannot be used")
    reporting = action("report", _report, "what the answers say, as HTML, PDF or JSON")
    reporting.add_argument("survey")
    reporting.add_argument("--html", type=Path, metavar="FILE")
    reporting.add_argument("--pdf", type=Path, metavar="FILE")
    reporting.add_argument("--language", choices=["zh", "en"], default="zh")
    reporting.add_argument("--from", dest="first", type=_day, metavar="DAY", help="the first day, as 2026-01-31")
    reporting.add_argument("--to", dest="last", type=_day, metavar="DAY", help="the last day")
    linking = action("link", _link, "a link that takes an answer")
    linking.add_argument("survey")
    linking.add_argument("--days", type=int, default=30, help="until it expires; default 30")
    linking.add_argument("--many", action="store_true", help="takes as many answers as come, instead of one")
    linking.add_argument("--customer", metavar="ID", help="whose answer it will be")
    for name, is_open in (("open", True), ("close", False)):
        closing_action = action(name, _set_open, f"{name} a survey")
        closing_action.add_argument("survey")
        closing_action.set_defaults(is_open=is_open)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("no day; write it like 2026-01-31") from error


def _create(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    from openteller.insights.surveys.authoring import read

    stored, new = application.surveys.create(operator, read(_bytes(given.file), given.file.name))
    if given.json:
        return _print({"name": stored.survey.name, "version": stored.version, "created": new})
    done = "stored" if new else "unchanged"
    print(f"{stored.survey.name}: version {stored.version} {done}, {len(stored.survey.questions)} questions")
    return 0


def _list(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    found = application.surveys.list(operator)
    if given.json:
        return _print([one.model_dump(mode="json") for one in found])
    rows = [
        (
            one.stored.survey.name,
            one.stored.survey.title.zh,
            one.stored.survey.title.en,
            "open" if one.stored.open else "closed",
            str(one.stored.version),
            str(one.answers),
        )
        for one in found
    ]
    columns = ("name", "标题", "title", "state", "version", "answers")
    print(table(columns, rows, words=4) if rows else "There is no survey yet.\n", end="")
    return 0


def _show(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    stored = application.surveys.get(operator, given.survey)
    if given.json:
        return _print(stored.model_dump(mode="json"))
    print(f"{stored.survey.name}, version {stored.version}: {stored.survey.title.zh} / {stored.survey.title.en}")
    rows = [(q.id, q.kind.value, q.text.zh, q.text.en) for q in stored.survey.questions]
    print(table(("question", "kind", "中文", "English"), rows), end="")
    return 0


def _answers(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    zone = application.settings.timezone
    found = application.surveys.answers(operator, given.survey, limit=given.limit)
    if given.json:
        return _print([one.model_dump(mode="json") for one in found])
    rows = [
        (
            str(one.id)[:8],
            local_text(one.answered_at, zone),
            one.channel,
            "; ".join(f"{k}: {v if not isinstance(v, tuple) else ', '.join(v)}" for k, v in one.values.items()),
        )
        for one in found
    ]
    print(table(("answer", "at", "by", "answered"), rows) if rows else "There is no answer yet.\n", end="")
    return 0


def _import(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    done = application.surveys.import_file(
        operator,
        given.survey,
        _bytes(given.file),
        given.file.name,
        columns=dict(_pair(one) for one in given.map),
        skip_bad=given.skip_bad,
        progress=counting("storing answers"),
    )
    if given.json:
        faults = [fault.model_dump() for fault in done.faults]
        return _print({"added": done.added, "known": done.known, "faults": faults, "ignored": list(done.ignored)})
    print(f"{done.added:,} answers added, {done.known:,} were there before, {len(done.faults):,} rows left out")
    for fault in done.faults[:20]:
        print(f"  line {fault.line}: {fault.message}")
    if len(done.faults) > 20:
        print(f"  … and {len(done.faults) - 20:,} more (--json lists all)")
    if done.ignored:
        print(f"columns that belong to nothing: {', '.join(done.ignored)}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    column, mark, target = text.rpartition("=")
    if not mark or not column.strip():
        raise BadInput(f"{text!r} maps nothing.", next_step="Write it like --map COLUMN=QUESTION.")
    return column.strip(), target.strip()


def _report(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    from openteller.insights.reports.files import content
    from openteller.insights.surveys.reporting import report

    settings = application.settings
    survey_, found, answers = application.surveys.analyse(operator, given.survey, first=given.first, last=given.last)
    bank = LocalText(zh=settings.bank_name_zh, en=settings.bank_name_en)
    told = report(
        survey_, found, answers, language=given.language, bank=bank, zone=settings.timezone, made_at=utc_now()
    )
    for file, suffix in ((given.html, ".html"), (given.pdf, ".pdf")):
        if file:
            _write(file, content(told, suffix))
    if given.json:
        return _print(found.model_dump(mode="json"))
    print(told.lead)
    for theme in found.themes[:5]:
        print(f"  {theme.answers:,} {theme.name.of(given.language)}")
    for path in (given.html, given.pdf):
        if path:
            print(f"written: {path}")
    return 0


def _link(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    token = application.surveys.link(
        operator, given.survey, days=given.days, single_use=not given.many, customer_id=given.customer
    )
    if given.json:
        return _print({"path": f"/survey/{token}"})
    print(f"/survey/{token}")
    return 0


def _set_open(application: Application, given: argparse.Namespace, operator: Principal) -> int:
    stored = application.surveys.set_open(operator, given.survey, given.is_open)
    state = "open" if stored.open else "closed"
    if given.json:
        return _print({"name": stored.survey.name, "state": state})
    print(f"{stored.survey.name}: {state}")
    return 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read.", cause=error.strerror or str(error)) from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"The file {path} cannot be written.", cause=error.strerror or str(error)) from error


def _print(found: object) -> int:
    print(json.dumps(found, ensure_ascii=False, indent=2))
    return 0
