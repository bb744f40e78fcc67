"""`teller opinion`: listen to what is said in public, look at it, report it."""

import argparse
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.listening import Shown, sources_of
from openteller.cli.registered import actor
from openteller.cli.tables import table
from openteller.core.clock import local_date, local_text, utc_now
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Role
from openteller.core.text import normalise
from openteller.insights.opinion.entity_list import read_entities
from openteller.insights.opinion.events import LEVEL_NAMES, NAMES
from openteller.insights.opinion.pipeline import Pipeline
from openteller.insights.opinion.records import EventType, Level, SourceKind, SourceState
from openteller.insights.opinion.replaying import replay
from openteller.insights.opinion.repository import ItemFilter
from openteller.insights.opinion.watching import Watch
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller opinion entities import entities.yaml        whom to listen for
  teller opinion sources add news https://news.example/rss.xml
  teller opinion sources add posts /data/posts        every .jsonl and .csv file of a folder, as it grows
  teller opinion sources add stream kafka:broker:9092/posts
  teller opinion watch                                until stopped; --once: until there is nothing more right now
  teller opinion items --entity pinebay --sentiment negative
  teller opinion topics
  teller opinion bursts --json
  teller opinion report --from 2026-03-02 --to 2026-03-08 --language en --output week.pdf
  teller opinion read "松湾银行的手机银行又登录不了" "Pinebay Bank wins an award"
  teller opinion replay day.jsonl --speed 60          a stored day in 24 minutes
  teller opinion replay 2025.jsonl --back-fill        what was: no waiting, no alerts
  teller opinion forget --days 180
"""
_Action = Callable[[Application, argparse.Namespace], int]


def opinion(arguments: list[str]) -> int:
    """What is said in public of the bank and those around it: sources, entities, topics, bursts, reports."""
    parser = command_parser("opinion", opinion.__doc__, _EXAMPLES)
    given = _arguments(parser).parse_args(arguments)
    run: _Action = given.run
    with closing(Application(load())) as application:
        return run(application, given)


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    action = actions_of(parser)
    watch = action("watch", _watch, "ask every source until stopped; alerts are raised as items come in")
    watch.add_argument("--once", action="store_true", help="end when no source has more right now")
    again = action("replay", _replay, "put a file or folder through the stream by its items' own moments")
    again.add_argument("file", type=Path)
    again.add_argument(
        "--speed", type=_speed, default=0.0, help="times as fast as it was; default 0: as fast as it goes"
    )
    again.add_argument("--source", default="", help="name under which it is stored; default: the file's")
    again.add_argument("--back-fill", action="store_true", help="raise no alerts")
    entities = action("entities", _entities, "the bank's list of whom to listen for")
    entities.add_argument("verb", choices=["list", "import"])
    entities.add_argument("file", type=Path, nargs="?", help="of import: YAML; it becomes the whole list")
    sources = action("sources", _sources, "who is asked")
    sources.add_argument("verb", choices=["list", "add", "remove"])
    sources.add_argument("name", nargs="?")
    sources.add_argument("location", nargs="?", help="of add: URL of a feed, file, folder, or kafka:SERVERS/TOPIC")
    _looking(action)
    report = action("report", _report, "what was said in a period, every claim with its items, as HTML or PDF")
    report.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DATE", help="default: the last day")
    report.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DATE", help="default: today")
    report.add_argument("--language", choices=["zh", "en"], default="zh")
    report.add_argument("--output", type=Path, required=True, help="a .html or .pdf file")
    reading = action("read", _read, "what the reader says of texts; nothing is stored")
    reading.add_argument("texts", nargs="+")
    forget = action("forget", _forget, "delete what is older")
    forget.add_argument("--days", type=int, help="default: OPENTELLER_OPINION_DAYS")
    return parser


def _looking(action: Callable[..., argparse.ArgumentParser]) -> None:
    items = action("items", _items, "the latest items")
    items.add_argument("--entity", metavar="ID")
    items.add_argument("--topic", type=int, metavar="ID")
    items.add_argument("--sentiment", choices=["negative", "neutral", "positive"])
    items.add_argument("--event", choices=[event.value for event in EventType])
    items.add_argument("--least", choices=[level.value for level in Level], default="none", help="level, or worse")
    topics = action("topics", _topics, "topics, the latest first")
    topics.add_argument("--least", type=int, default=3, metavar="N", help="items; default: 3")
    bursts = action("bursts", _bursts, "bursts, the newest first")
    for one in (items, topics, bursts):
        one.add_argument("--limit", type=int, default=20, choices=range(1, 501), metavar="1-500")
    for one in (items, topics):
        one.add_argument("--language", choices=["zh", "en"], default="en")


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1e6:
        raise argparse.ArgumentTypeError("a number from 0 to 1,000,000")
    return speed


def _self() -> Principal:
    return Principal(subject=actor(), role=Role.ADMIN)


def _watch(application: Application, given: argparse.Namespace) -> int:
    settings, desk = application.settings, application.opinion
    pipeline = Pipeline(application.database, application.opinion_reader, application.alerts)
    sources = sources_of(desk.sources(_self()), application.database, allow_private=settings.opinion_private)
    with Shown(as_json=given.json) as shown:
        watch = Watch(application.database, pipeline, sources, shown.report)

        def tend() -> None:
            pipeline.reload()
            desk.forget(_self(), utc_now() - timedelta(days=settings.opinion_days))

        with _stopped_by_signals(watch):
            total = watch.run(once=given.once, tend=tend)
    print(total.model_dump_json(indent=2) if given.json else shown.summary(total))
    return 1 if shown.failed and given.once else 0


@contextmanager
def _stopped_by_signals(watch: Watch) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the watch after the batch at hand."""
    before = {number: signal.signal(number, lambda *_: watch.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _replay(application: Application, given: argparse.Namespace) -> int:
    if not given.file.exists():
        raise BadInput(f"{given.file} is not there.", next_step="Name a .jsonl or .csv file, or a folder of them.")
    alerts = None if given.back_fill else application.alerts
    pipeline = Pipeline(application.database, application.opinion_reader, alerts)
    with Shown(as_json=given.json) as shown:
        total = replay(
            application.database,
            pipeline,
            given.file,
            speed=given.speed,
            source=given.source,
            progress=lambda _, taken: shown.total(taken),
        )
    print(total.model_dump_json(indent=2) if given.json else shown.summary(total))
    return 0


def _entities(application: Application, given: argparse.Namespace) -> int:
    if given.verb == "import":
        if given.file is None:
            raise BadInput("Which file?", next_step="teller opinion entities import entities.yaml")
        application.opinion.replace_entities(_self(), read_entities(given.file))
    found = application.opinion.entities(_self())
    if given.json:
        return _print_json([one.model_dump(mode="json") for one in found])
    rows = [(e.id, e.kind.value, e.name.zh, e.name.en, ", ".join(a.text for a in e.aliases)) for e in found]
    print(table(("id", "kind", "zh", "en", "aliases"), rows), end="")
    return 0


def _sources(application: Application, given: argparse.Namespace) -> int:
    desk = application.opinion
    if given.verb != "list" and given.name is None:
        raise BadInput("Which source?", next_step="teller opinion sources add NAME LOCATION, or remove NAME")
    if given.verb == "add":
        desk.add_source(_self(), _source_state(given.name, given.location or ""))
    elif given.verb == "remove":
        desk.remove_source(_self(), given.name)
    found = desk.sources(_self())
    if given.json:
        return _print_json([one.model_dump(mode="json", exclude={"cursor"}) for one in found])
    zone = application.settings.timezone
    rows = [(s.name, s.kind.value, s.location, str(s.items), local_text(s.read_at, zone) if s.read_at else "", s.last_error[:60]) for s in found]  # fmt: skip
    print(table(("name", "kind", "location", "items", "read", "error"), rows), end="")
    return 0


def _source_state(name: str, location: str) -> SourceState:
    from pydantic import ValidationError

    kind = SourceKind.FEED if location.startswith(("http://", "https://")) else SourceKind.KAFKA if location.startswith("kafka:") else SourceKind.FILE  # fmt: skip
    if kind is SourceKind.FILE:
        if not location or not Path(location).exists():
            raise BadInput(
                f"{location or 'A location'} is not there.", next_step="Give a URL, a file, a folder or kafka:…/topic."
            )
        location = str(Path(location).resolve())
    try:
        return SourceState(name=name, kind=kind, location=location)
    except ValidationError as error:
        raise BadInput(
            f"{name!r} is no name of a source.", next_step="Use letters, digits, . _ and -, at most 64."
        ) from error


def _items(application: Application, given: argparse.Namespace) -> int:
    event = EventType(given.event) if given.event else None
    wanted = ItemFilter(given.entity, given.topic, given.sentiment, event, Level(given.least))
    found = application.opinion.items(_self(), wanted, limit=given.limit)
    if given.json:
        return _print_json([one.model_dump(mode="json") for one in found])
    zone, of = application.settings.timezone, given.language
    rows = [(str(i.id), local_text(i.arrived_at, zone), i.sentiment, NAMES[i.event].of(of), LEVEL_NAMES[i.level].of(of), ", ".join(m.entity_id for m in i.mentions), (i.title or i.text)[:60]) for i in found]  # fmt: skip
    print(table(("id", "arrived", "sentiment", "event", "level", "entities", "title"), rows), end="")
    return 0


def _topics(application: Application, given: argparse.Namespace) -> int:
    found = application.opinion.topics(_self(), least=given.least, limit=given.limit)
    if given.json:
        return _print_json([one.model_dump(mode="json") for one in found])
    zone = application.settings.timezone
    rows = [(str(t.id), t.status.value, str(t.items), local_text(t.last_at, zone), t.title[:50], " ".join(t.terms)) for t in found]  # fmt: skip
    print(table(("id", "status", "items", "last", "title", "terms"), rows), end="")
    return 0


def _bursts(application: Application, given: argparse.Namespace) -> int:
    found = application.opinion.bursts(_self(), limit=given.limit)
    if given.json:
        return _print_json([one.model_dump(mode="json") for one in found])
    zone = application.settings.timezone
    rows = [(str(b.id), local_text(b.found_at, zone), b.entity_id or f"topic {b.topic_id}", str(b.items), f"{b.expected:.1f}", f"{b.window_seconds // 60} min", b.level.value) for b in found]  # fmt: skip
    print(table(("id", "found", "of", "items", "expected", "within", "level"), rows), end="")
    return 0


def _read(application: Application, given: argparse.Namespace) -> int:
    reader = application.opinion_reader()
    found = [(text, reader.read(normalise(text))) for text in given.texts]
    if given.json:
        return _print_json([{"text": text, **reading.model_dump(mode="json")} for text, reading in found])
    rows = [(text[:60], r.sentiment, f"{r.score:+.2f}", r.event.value, r.level.value, ", ".join(f"{m.entity_id} {m.sentiment}" for m in r.mentions)) for text, r in found]  # fmt: skip
    print(table(("text", "sentiment", "score", "event", "level", "entities"), rows), end="")
    return 0


def _report(application: Application, given: argparse.Namespace) -> int:
    from openteller.insights.reports.files import SUFFIXES, content

    settings, output = application.settings, given.output
    if output.suffix not in SUFFIXES:
        raise BadInput(f"{output.name} is neither HTML nor PDF.", next_step="Name a .html or .pdf file.")
    last = given.last or local_date(utc_now(), settings.timezone)
    bank = settings.bank_name_en if given.language == "en" else settings.bank_name_zh
    made = application.opinion.report(_self(), given.first or last, last, given.language, bank)
    data = content(made, output.suffix)
    try:
        output.write_bytes(data)
    except OSError as error:
        raise BadInput(f"{output} cannot be written.", cause=str(error), next_step="Name another place.") from error
    print(made.model_dump_json(indent=2) if given.json else f"{output}: {made.lead}")
    return 0


def _forget(application: Application, given: argparse.Namespace) -> int:
    days = application.settings.opinion_days if given.days is None else given.days
    if not 1 <= days <= 36_500:
        raise BadInput("The number of days is from 1 to 36,500.", next_step="teller opinion forget --days 180")
    before: datetime = utc_now() - timedelta(days=days)
    count = application.opinion.forget(_self(), before)
    print(json.dumps({"items": count}) if given.json else f"{count:,} items from before {before:%Y-%m-%d} deleted.")
    return 0


def _print_json(value: Any) -> int:
    print(json.dumps(value, ensure_ascii=False, indent=2))
    return 0
