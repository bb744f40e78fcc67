"""`teller evaluate`: how good an artefact is on a data set."""

import argparse
import json
from pathlib import Path

from openteller.assembly import open_catalogue
from openteller.cli.extras import training_extra
from openteller.core.errors import BadInput
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller evaluate var/models/banking77 held-out.jsonl
  teller evaluate var/models/candidate held-out.csv --against var/models/champion --output var/reports/candidate
  teller evaluate var/models/sentiment-finance news.jsonl --head news
  teller evaluate var/models/banking77 held-out.jsonl --junit accuracy=0.93 macro_f1=0.92 > report.xml
"""


def evaluate(arguments: list[str]) -> int:
    """Figures with intervals, classes, slices and calibration of an artefact; exit code 1 when a threshold is missed."""
    parser = argparse.ArgumentParser(
        "teller evaluate", description=evaluate.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path, help="folder of an artefact that `teller finetune` wrote")
    parser.add_argument("data", type=Path, help="JSONL, CSV, XLSX, Parquet, Rasa YAML or a saved data set")
    parser.add_argument("--head", default="", help="which one, of a model with several")
    parser.add_argument("--against", type=Path, help="an artefact to compare with on the same rows: the champion")
    parser.add_argument("--against-head", default="", help="which one of the champion's; default: that of --head")
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out rows that cannot be read")
    parser.add_argument("--output", type=Path, help="write report.html, report.json and pictures there")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--junit", nargs="+", metavar="FIGURE=LEAST", help="print JUnit XML with these thresholds")
    given = parser.parse_args(arguments)
    with training_extra():
        return _run(given)


def _run(given: argparse.Namespace) -> int:
    from openteller.training import evaluating
    from openteller.training.evaluation import rendering

    thresholds = dict(map(_threshold, given.junit or ()))
    catalogue = open_catalogue(load())
    artefact = evaluating.open_artefact(given.model, catalogue, given.head)
    head = given.against_head or given.head
    champion = evaluating.open_champion(given.against, catalogue, head) if given.against else None
    report = evaluating.evaluate(
        artefact, given.data, champion=champion, bad_rows="skip" if given.skip_bad_rows else "error"
    )
    written = rendering.write(report, given.output) if given.output else []
    if given.junit:
        xml = report.as_junit(thresholds)
        print(xml)
        return 1 if "<failure" in xml else 0
    print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if given.json else rendering.table(report))
    if written and not given.json:
        print(f"report: {given.output / 'report.html'}")
    return 0


def _threshold(text: str) -> tuple[str, float]:
    name, _, least = text.partition("=")
    try:
        return name, float(least)
    except ValueError as error:
        raise BadInput(f"{text!r} is no threshold.", next_step="Write it like accuracy=0.93.") from error
