"""`teller knowledge`: import, list and search the bank's documents."""

import argparse
import json
from contextlib import closing
from pathlib import Path

from openteller.assembly import Application
from openteller.cli.progress import counting
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import OpenTellerError
from openteller.core.records import Audience, Principal, Role
from openteller.knowledge.records import ImportOptions
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller knowledge import faq.xlsx handbook.pdf
  teller knowledge import notes/ --audience staff --category lending
  teller knowledge list --limit 20
  teller knowledge search "提前还房贷" --json
"""
_OPERATOR = Principal(subject="cli", role=Role.ADMIN, customer_id=None)


def knowledge(arguments: list[str]) -> int:
    """The bank's documents: Markdown, HTML, DOCX, PDF, XLSX, CSV and JSONL."""
    parser = argparse.ArgumentParser(
        "teller knowledge",
        description=knowledge.__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    importing = actions.add_parser("import", help="add files or folders; unchanged documents are left alone")
    importing.add_argument("paths", nargs="+", type=Path)
    importing.add_argument("--audience", choices=[a.value for a in Audience], default=Audience.PUBLIC.value)
    importing.add_argument("--category", default="general")
    listing = actions.add_parser("list", help="documents by category")
    listing.add_argument("--category")
    listing.add_argument("--limit", type=int, default=50)
    searching = actions.add_parser("search", help="what retrieval finds, with scores")
    searching.add_argument("query")
    searching.add_argument("--limit", type=int, default=8)
    for action in (importing, listing, searching):
        action.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with closing(Application(load())) as application:
        if given.action == "import":
            return _import(application, given)
        return _list(application, given) if given.action == "list" else _search(application, given)


def _import(application: Application, given: argparse.Namespace) -> int:
    options = ImportOptions(audience=Audience(given.audience), category=given.category)
    files = [f for p in given.paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p]) if not f.is_dir()]
    reports, failed = [], 0
    for file in files:
        try:
            report = application.library.import_file(file, options=options, actor="cli", progress=counting(file.name))
        except OpenTellerError as error:
            failed += 1
            print(f"{file.name}: {error}")
            continue
        reports.append(report)
        if not given.json:
            print(
                f"{report.name}: {report.stored} stored, {report.unchanged} unchanged, {len(report.problems)} left out"
            )
            for problem in report.problems:
                print(f"  row {problem.row}: {problem.message}" if problem.row else f"  {problem.message}")
    if given.json:
        print(json.dumps([r.model_dump(mode="json") for r in reports], ensure_ascii=False, indent=2))
    return 1 if failed else 0


def _list(application: Application, given: argparse.Namespace) -> int:
    documents = application.library.list(_OPERATOR, category=given.category, limit=given.limit)
    if given.json:
        print(json.dumps([d.model_dump(mode="json") for d in documents], ensure_ascii=False, indent=2))
    for d in documents if not given.json else ():
        until = f" until {d.valid_to}" if d.valid_to else ""
        print(f"{d.document_id:40} {d.audience:8} {d.category:14} {d.title}{until}")
    return 0


def _search(application: Application, given: argparse.Namespace) -> int:
    today = local_date(utc_now(), application.settings.timezone)
    hits = application.retriever.search(_OPERATOR, given.query, limit=given.limit, on=today, reply_language="zh")
    if given.json:
        print(json.dumps([h.model_dump(mode="json") for h in hits], ensure_ascii=False, indent=2))
    for hit in hits if not given.json else ():
        print(
            f"{hit.rank}. {hit.document.title} ({hit.document.document_id}) dense {hit.dense:.2f} lexical {hit.lexical:.2f}"
        )
    return 0
