"""How fast and how well public opinion is heard: the stream, near-duplicates, bursts in a day of traffic.

    python benchmarks/opinion.py --duplicates 1000
    python benchmarks/opinion.py --bursts 20
    python benchmarks/opinion.py --stream 20000

Traffic is made here from the lines in recipes/data/opinion, seeded; with OPENTELLER_DATA the headlines of
thucnews_titles/train.jsonl are its background. The stream goes into an embedded store of its own, on the disk; bursts are looked for without a store, on a simulated clock.
"""

import argparse
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import yaml
from throwaway import installation

from openteller.core.records import LocalText
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.opinion.bursts import BurstDetector, Key
from openteller.insights.opinion.duplicates import DuplicateWindow
from openteller.insights.opinion.linking import EntityLinker
from openteller.insights.opinion.model import shipped_model
from openteller.insights.opinion.pipeline import Pipeline
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.records import Batch, Entity, EntityKind, RawItem
from openteller.insights.opinion.topics import Topics
from openteller.settings import load

ROOT = Path(__file__).parents[1]
LINES = tuple(
    yaml.safe_load((ROOT / f"recipes/data/opinion/{name}.yaml").read_text(encoding="utf-8")) for name in ("zh", "en")
)
START = datetime(2026, 3, 2, 16, tzinfo=UTC)
_BATCH = 200
_PROMPT = 5.0


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--duplicates", type=int, metavar="N", help="planted originals")
    parser.add_argument("--bursts", type=int, metavar="N", help="bursts planted in a day")
    parser.add_argument(
        "--background", type=int, default=10**9, metavar="N", help="with --bursts: other items in the day; default: all"
    )
    parser.add_argument("--stream", type=int, metavar="N", help="items")
    parser.add_argument("--seed", type=int, default=20261123)
    given = parser.parse_args()
    if given.duplicates:
        duplicates(given.duplicates, random.Random(given.seed))
    if given.bursts:
        bursts(given.bursts, given.background, random.Random(given.seed))
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


def bursts(count: int, background: int, chance: random.Random) -> None:
    """A day of background with bursts of fifteen differing items, one every 20 s or so, planted in it; on a simulated clock."""
    day = [(chance.uniform(0, 86_400), words, None) for words in headlines(chance)[:background]]
    planted = [(4_000 + 80_000 * number / count, number) for number in range(count)]
    for second, number in planted:
        day += [
            (second + 20 * n + chance.uniform(0, 15), words, number) for n, words in enumerate(_story(chance, number))
        ]
    day.sort(key=lambda one: one[0])
    tenth, alerted, false = _heard(day)
    delays = [alerted[number] - tenth[number] for number in tenth if number in alerted]
    print(f"bursts: {count} planted among {len(day):,} items in a day; found {len(delays)}")
    if delays:
        prompt = sum(delay <= _PROMPT for delay in delays)
        print(
            f"at most {_PROMPT:.0f} s after the tenth item: {prompt}; median {sorted(delays)[len(delays) // 2]:.1f} s, longest {max(delays):.1f} s"
        )
    print(f"bursts that nobody planted: {false}")


def _story(chance: random.Random, number: int) -> Iterator[str]:
    """Fifteen items about one kind of event that befalls one invented company, each in two of the ways it is said."""
    name = "".join(chance.sample("云海青白金石桥湖岭泉港塔松柏梅兰", 3)) + chance.choice(("集团", "公司", "控股"))
    kinds = [lines for event, lines in sorted(LINES[0]["events"].items()) if event != "other"]
    ways = [line.lstrip("+=").format(name) for line in kinds[number % len(kinds)]]
    for _ in range(15):
        one, two = chance.sample(ways, 2)
        yield f"{one},{two}!{chance.choice(('网友热议', '官方通报', '记者获悉', '最新消息', '知情人说'))}"


def _heard(day: list[tuple[float, str, int | None]]) -> tuple[dict[int, float], dict[int, float], int]:
    """When each story's tenth item came and its burst was found, in seconds of the day, and how many bursts had no story.

    Duplicates, topics and bursts as the pipeline has them, without the store.
    """
    window, topics, detector = DuplicateWindow(), Topics(), BurstDetector()
    counts, tenth, found = dict[int, int](), dict[int, float](), dict[int, float]()
    stories, false, tended = dict[int, int | None](), 0, 0.0
    for place, (second, words, story) in enumerate(day, 1):
        at = START + timedelta(seconds=second)
        stories[place] = story
        if story is not None:
            counts[story] = counts.get(story, 0) + 1
            if counts[story] == 10:
                tenth[story] = second
        repeated = window.find(words)
        if repeated is None:
            topic_id = topics.place(words, at, place).id
            window.add(place, words, at, topic_id)
        else:
            topic_id = topics.now(window.topic(repeated))
        for changed_one in topics.take_changed():
            if changed_one.merged_into is not None:
                detector.join(Key(topic_id=changed_one.id), Key(topic_id=changed_one.merged_into))
        for burst in detector.observe([Key(topic_id=topic_id)] if topic_id else [], place, at):
            of = Counter(stories[one] for one in burst.item_ids).most_common(1)[0][0]
            if of is None:
                false += 1
                print("  not planted:", [day[one - 1][1][:30] for one in burst.item_ids[-4:]])
            else:
                found.setdefault(of, second)
        if second - tended >= 60:
            tended = second
            detector.ended(at)
            topics.end_faded(at)
    return tenth, found, false


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
