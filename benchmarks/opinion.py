"""How fast and how well public opinion is heard: the stream, near-duplicates, bursts in a day of traffic.

    python benchmarks/opinion.py --duplicates 1000
    python benchmarks/opinion.py --bursts 20
    python benchmarks/opinion.py --stream 20000

Traffic is made here from the lines in recipes/data/opinion, seeded; with OPENTELLER_DATA the headlines of
thucnews_titles/train.jsonl are its background. The store is an embedded one of its own, which keeps to the disk.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import yaml
from throwaway import installation

from openteller.core.records import LocalText
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.duplicates import DuplicateWindow
from openteller.insights.opinion.linking import EntityLinker
from openteller.insights.opinion.model import shipped_model
from openteller.insights.opinion.pipeline import Pipeline
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.records import Batch, Entity, EntityKind, RawItem
from openteller.settings import load
from openteller.store.database import Database

ROOT = Path(__file__).parents[1]
LINES = tuple(
    yaml.safe_load((ROOT / f"recipes/data/opinion/{name}.yaml").read_text(encoding="utf-8")) for name in ("zh", "en")
)
START = datetime(2026, 3, 2, 16, tzinfo=UTC)
_BATCH = 200


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--duplicates", type=int, metavar="N", help="planted originals")
    parser.add_argument("--bursts", type=int, metavar="N", help="bursts planted in a day")
    parser.add_argument("--stream", type=int, metavar="N", help="items")
    parser.add_argument("--seed", type=int, default=20261123)
    given = parser.parse_args()
    if given.duplicates:
        duplicates(given.duplicates, random.Random(given.seed))
    if given.bursts:
        bursts(given.bursts, random.Random(given.seed))
    if given.stream:
        stream(given.stream, random.Random(given.seed))


def headlines(chance: random.Random) -> list[str]:
    """The background: headlines of a public set where there is one, else lines about nobody with figures in them."""
    folder = os.environ.get("OPENTELLER_DATA")
    file = Path(folder or "/nonexistent") / "thucnews_titles/train.jsonl"
    if file.exists():
        found = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
        print(f"background: {len(found):,} headlines of thucnews_titles")
    else:
        found = [
            f"{line}({chance.randrange(10**6)})" for line in LINES[0]["plain"] + LINES[1]["plain"] for _ in range(300)
        ]
        print(f"background: {len(found):,} lines made here (OPENTELLER_DATA has no thucnews_titles)")
    chance.shuffle(found)
    return found


def entities() -> list[Entity]:
    """Every invented subject as an entity; the first is the bank."""
    names = [name for lines in LINES for name in lines["subjects"]]
    kinds = [EntityKind.OWN] + [EntityKind.COMPANY] * (len(names) - 1)
    return [
        Entity(id=f"e{place}", kind=kind, name=LocalText(zh=name, en=name))
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]


def said(chance: random.Random, subject: str | None = None) -> str:
    """A line of some event about a subject, with a tail that makes it another item."""
    lines = chance.choice(LINES)
    line = chance.choice(chance.choice(list(lines["events"].values()))).lstrip("+=")
    tails = chance.sample(LINES[0]["plain"] + LINES[1]["plain"], 2)
    return f"{line.format(subject or chance.choice(lines['subjects']))} {tails[0]} {tails[1]} {chance.randrange(10**6)}"


def changed(words: str, chance: random.Random) -> str:
    """The same item as another medium has it: a byline, punctuation, a few characters gone, case, a note at its end."""
    kept = "".join(c for c in words if chance.random() > 0.02)
    ways = (
        lambda w: f"快讯|{w}",
        lambda w: f"{w}(记者 {chance.choice('李王张刘陈')}{chance.choice('明华丽强')})",
        lambda w: w.replace(",", ",").replace(" ", "  ").upper(),
        lambda w: f"【{w}】",
        lambda w: f"{w} 来源:网络",
    )
    for way in chance.sample(ways, 2):
        kept = way(kept)
    return kept


def duplicates(count: int, chance: random.Random) -> None:
    """Precision and recall over originals, a changed copy of each, and as many others that share words with them."""
    originals = [f"{said(chance)}。{said(chance)}" for _ in range(count)]
    rows = [(words, None) for words in originals]
    rows += [(changed(words, chance), place) for place, words in enumerate(originals)]
    rows += [(f"{words.partition('。')[0]}。{said(chance)}{said(chance)}", None) for words in originals]
    order = [*range(count), *chance.sample(range(count, len(rows)), len(rows) - count)]
    window, right, claimed = DuplicateWindow(size=10 * count), 0, 0
    for place in order:
        words, original = rows[place]
        found = window.find(words)
        claimed += found is not None
        right += found is not None and found == original
        if found is None:
            window.add(place, words, START)
    print(f"near-duplicates: {count:,} planted, precision {right / max(claimed, 1):.4f}, recall {right / count:.4f}")


def bursts(count: int, chance: random.Random) -> None:
    """A day of background with bursts of fifteen differing items, one a minute at most, planted in it; on a simulated clock."""
    day = [(chance.uniform(0, 86_400), words, None) for words in headlines(chance)]
    planted = [(4_000 + 80_000 * number / count, number) for number in range(count)]
    for second, number in planted:
        day += [
            (second + 20 * n + chance.uniform(0, 15), words, number) for n, words in enumerate(_story(chance, number))
        ]
    day.sort(key=lambda one: one[0])
    with installation(load()) as application:
        database = application.database
        tenth, alerted, false = _heard(database, day, chance)
    delays = [alerted[number] - tenth[number] for number in tenth if number in alerted]
    print(f"bursts: {count} planted among {len(day):,} items in a day; found {len(delays)}")
    if delays:
        print(f"seconds after the tenth item: median {sorted(delays)[len(delays) // 2]:.1f}, longest {max(delays):.1f}")
    print(f"alerts of bursts that nobody planted: {false}")


def _story(chance: random.Random, number: int) -> Iterator[str]:
    """Fifteen items about one invented happening in words of their own."""
    name = f"{chance.choice('云海青白金石')}{chance.choice('桥湖岭泉港塔')}{chance.choice('广场大厦小区码头医院')}第{number}"
    facts = (
        "夜里起火",
        "居民被疏散",
        "消防到场",
        "火势已被控制",
        "原因还在调查",
        "附近道路封闭",
        "伤者送医",
        "浓烟滚滚",
    )
    for _ in range(15):
        one, two, three = chance.sample(facts, 3)
        yield f"{name}{one},{two}!{three},{chance.choice(('网友拍下', '目击者说', '官方通报', '现场视频', '最新消息'))}"


def _heard(
    database: Database, day: list[tuple[float, str, int | None]], chance: random.Random
) -> tuple[dict[int, float], dict[int, float], int]:
    """When each story's tenth item came and its alert was raised, in seconds of the day, and how many alerts had no story."""
    now = [START]
    alerts = AlertDesk(database)
    stream = Pipeline(database, _reader, alerts, clock=lambda: now[0])
    stories: dict[int, int] = {}
    counts: dict[int, int] = {}
    tenth: dict[int, float] = {}
    for start in range(0, len(day), 20):
        part = day[start : start + 20]
        moments = {str(start + n): START + timedelta(seconds=second) for n, (second, *_) in enumerate(part)}
        now[0] = START + timedelta(seconds=part[-1][0])
        for n, (second, _, story) in enumerate(part):
            if story is not None:
                stories[start + n] = story
                counts[story] = counts.get(story, 0) + 1
                if counts[story] == 10:
                    tenth[story] = second
        raw = tuple(RawItem(title=words, external_id=str(start + n)) for n, (_, words, _) in enumerate(part))
        stream.take("day", Batch(items=raw), at=lambda item, moments=moments: moments[item.external_id])
    return tenth, *_alerted(database, stories)


def _alerted(database: Database, stories: dict[int, int]) -> tuple[dict[int, float], int]:
    from openteller.insights.opinion.desk import OpinionDesk
    from openteller.insights.opinion.pipeline import LISTENER
    from openteller.insights.opinion.repository import ItemFilter

    desk, alerted, false = OpinionDesk(database, "UTC"), dict[int, float](), 0
    for burst in desk.bursts(LISTENER, limit=1_000):
        items = desk.items(LISTENER, ItemFilter(ids=burst.item_ids), limit=100)
        story = {stories.get(int(item.external_id)) for item in items} - {None}
        if len(story) == 1:
            alerted[story.pop()] = (burst.found_at - START).total_seconds()
        else:
            false += 1
            print("  not planted:", burst.entity_id or burst.topic_id, [item.title[:30] for item in items[:3]])
    return alerted, false


def stream(count: int, chance: random.Random) -> None:
    """Items a second into the store in batches, all read, grouped and alerted; memory at each tenth; none lost."""
    process, background = psutil.Process(), headlines(chance)
    with installation(load()) as application:
        database = application.database
        pipeline = Pipeline(database, _reader, AlertDesk(database))
        total, since = 0, time.perf_counter()
        for start in range(0, count, _BATCH):
            items = tuple(_item(number, background, chance) for number in range(start, min(start + _BATCH, count)))
            taken = pipeline.take("stream", Batch(items=items, cursor={"at": start + len(items)}))
            total += taken.items + taken.copies
            if (start + _BATCH) % max(count // 10, _BATCH) < _BATCH:
                rate, memory = total / (time.perf_counter() - since), process.memory_info().rss / 2**20
                print(f"{total:>9,} items  {rate:6.0f} a second  {memory:6.0f} MiB", flush=True)
        seconds = time.perf_counter() - since
    print(
        f"stream: {count:,} sent, {total:,} stored or counted up, {total / seconds:.0f} a second, on {os.cpu_count()} cores"
    )


def _item(number: int, background: list[str], chance: random.Random) -> RawItem:
    words = background[number] if number < len(background) and number % 3 else said(chance)
    return RawItem(title=words[:120], text=said(chance), external_id=str(number))


def _reader() -> OpinionReader:
    return OpinionReader(shipped_model(), EntityLinker(entities()))


if __name__ == "__main__":
    main()
