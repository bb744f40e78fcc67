"""`teller trends`: mood and need over time, from the bank down to one customer, and a look for changes."""

import argparse
import json
from contextlib import closing

from openteller.assembly import Application
from openteller.cli.progress import console_progress
from openteller.cli.trend_plots import customer_text, overview_text
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Record, Role
from openteller.insights.trends.records import Every
from openteller.insights.trends.topics import TOPICS
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller trends
  teller trends --topic card --days 30 --language en
  teller trends --days 180 --every week --json
  teller trends --customer C000001
  teller trends --look                     look for changes now; each is raised once

Shares are of conversations, drawn towards the bank's mean where there are few, with 95 % intervals. No figure rests on fewer
than five people. A customer's own mood asks for the consent to personalisation, and the look is in the audit log.
"""
_OPERATOR = Principal(subject="cli", role=Role.SERVICE)


def trends(arguments: list[str]) -> int:
    """How mood and need moved."""
    parser = argparse.ArgumentParser(
        "teller trends", description=trends.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--topic", metavar="T", help=f"one of {', '.join(TOPICS)}")
    parser.add_argument("--days", type=int, default=90, metavar="N", help="how many days back (default 90)")
    parser.add_argument(
        "--every", choices=[every.value for every in Every], help="default: day up to 31 days, else week"
    )
    parser.add_argument("--asked-in", metavar="TAG", help="language of the questions, as zh-Hans; default: all")
    parser.add_argument("--customer", metavar="ID", help="one customer's own mood")
    parser.add_argument("--look", action="store_true", help="look for changes and raise alerts")
    parser.add_argument("--language", choices=["zh", "en"], default="zh", help="of what is printed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.customer and (given.topic or given.look):
        raise BadInput("A customer's mood has no topic.", next_step="Leave out --topic and --look, or --customer.")
    with closing(Application(load(), console_progress())) as application:
        return _shown(application, given)


def _shown(application: Application, given: argparse.Namespace) -> int:
    desk = application.trends
    if given.look:
        raised = application.trend_watch.look()
        if given.json:
            print(json.dumps([alert.model_dump(mode="json") for alert in raised], ensure_ascii=False, indent=2))
        else:
            lines = [f"{alert.severity.value}: {alert.title.of(given.language)}" for alert in raised]
            print("\n".join(lines) or {"zh": "没有新的变化。", "en": "Nothing new has changed."}[given.language])
        return 0
    if given.customer:
        mood = desk.customer(application.acting_for(_OPERATOR, given.customer))
        return _print(mood, customer_text(mood, given.language), given)
    every = Every(given.every) if given.every else None
    span = desk.span(given.days, every=every, topic=given.topic, language=given.asked_in)
    overview = desk.overview(_OPERATOR, span)
    return _print(overview, overview_text(overview, given.language), given)


def _print(found: Record, text: str, given: argparse.Namespace) -> int:
    print(found.model_dump_json(indent=2) if given.json else text, end="\n" if given.json else "")
    return 0
