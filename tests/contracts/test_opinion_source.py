"""What every source of public opinion holds: in order, on from the cursor, the same again from the same cursor, faults said.

Kafka is stood in for by a consumer of the same methods; no broker is needed, and none was tested against here.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from openteller.core.errors import Unavailable
from openteller.insights.opinion.records import Batch, Cursor
from openteller.insights.opinion.sources.feeds import FeedSource
from openteller.insights.opinion.sources.fetching import Fetcher
from openteller.insights.opinion.sources.files import FileSource
from openteller.insights.opinion.sources.kafka import KafkaSource, Place
from openteller.insights.opinion.sources.source import Source

TITLES = [f"第{number}条 news {number}" for number in range(7)]
Make = Callable[[Sequence[str]], Source]


class Message:
    def __init__(self, offset: int, value: bytes) -> None:
        self._offset, self._value = offset, value

    def error(self) -> object:
        return None

    def value(self) -> bytes:
        return self._value

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


class ConsumerOfAList:
    """A consumer of one partition that holds `values`."""

    def __init__(self, values: list[bytes]) -> None:
        self.values, self.at = values, 0

    def partitions(self, topic: str) -> list[int]:
        return [0]

    def assign(self, places: list[Place]) -> None:
        (place,) = places
        self.at = place.offset

    def consume(self, count: int, seconds: float) -> list[Any]:
        taken = [Message(self.at + n, value) for n, value in enumerate(self.values[self.at : self.at + count])]
        self.at += len(taken)
        return taken

    def close(self) -> None:
        self.at = -1


def rss(titles: Sequence[str]) -> str:
    entries = "".join(
        f"<item><title>{t}</title><guid>{n}</guid><link>https://news.example/{n}</link>"
        f"<pubDate>Mon, 02 Mar 2026 12:0{n}:00 +0800</pubDate></item>"
        for n, t in reversed(list(enumerate(titles)))
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{entries}</channel></rss>'


def atom(titles: Sequence[str]) -> str:
    entries = "".join(
        f"<entry><title>{t}</title><id>urn:{n}</id><link href='https://news.example/{n}'/>"
        f"<updated>2026-03-02T12:0{n}:00+08:00</updated></entry>"
        for n, t in reversed(list(enumerate(titles)))
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


def feed(written: Callable[[Sequence[str]], str]) -> Make:
    def make(titles: Sequence[str]) -> Source:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(404 if request.url.path == "/robots.txt" else 200, text=written(titles))

        fetcher = Fetcher(resolve=lambda *_: ["203.0.113.9"], transport=httpx.MockTransport(answer), allow_private=True)
        return FeedSource("s", "https://news.example/feed", fetcher)

    return make


def kafka(titles: Sequence[str]) -> Source:
    values = [json.dumps({"title": t, "id": str(n), "link": f"https://news.example/{n}", "date": f"2026-03-02T12:0{n}:00+08:00"}).encode() for n, t in enumerate(titles)]  # fmt: skip
    return KafkaSource("s", "posts", lambda: ConsumerOfAList(values))


def jsonl(folder: Path, encoding: str = "utf-8") -> Make:
    def make(titles: Sequence[str]) -> Source:
        lines = [json.dumps({"title": t, "id": str(n), "link": f"https://news.example/{n}", "date": f"2026-03-02T12:0{n}:00+08:00"}, ensure_ascii=False) for n, t in enumerate(titles)]  # fmt: skip
        (folder / "a.jsonl").write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return FileSource("s", folder / "a.jsonl")

    return make


def csv(folder: Path, encoding: str = "utf-8-sig") -> Make:
    def make(titles: Sequence[str]) -> Source:
        rows = [f'"{t}",{n},https://news.example/{n},2026-03-02T12:0{n}:00+08:00' for n, t in enumerate(titles)]
        half = len(rows) // 2
        for name, part in (("a.csv", rows[:half]), ("b.csv", rows[half:])):
            (folder / name).write_bytes(("\r\n".join(["标题,编号,链接,时间", *part]) + "\r\n").encode(encoding))
        return FileSource("s", folder)

    return make


KINDS: dict[str, Callable[[Path], Make]] = {
    "rss": lambda _: feed(rss),
    "atom": lambda _: feed(atom),
    "kafka": lambda _: kafka,
    "jsonl": jsonl,
    "jsonl in GB18030": lambda folder: jsonl(folder, "gb18030"),
    "jsonl in UTF-16": lambda folder: jsonl(folder, "utf-16"),
    "folder of csv": csv,
    "folder of csv in GB18030": lambda folder: csv(folder, "gb18030"),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return KINDS[request.param](tmp_path)


def walked(source: Source, limit: int) -> Iterator[Batch]:
    cursor: Cursor = {}
    for _ in range(20):
        batch = source.fetch(json.loads(json.dumps(cursor)), limit)
        yield batch
        cursor = batch.cursor
        if not batch.more:
            return


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_everything_comes_once_and_in_order(make: Make, limit: int) -> None:
    with closing(make(TITLES)) as source:
        batches = list(walked(source, limit))
    assert [item.title for batch in batches for item in batch.items] == TITLES
    assert all(len(batch.items) <= limit for batch in batches)
    first = batches[0].items[0]
    assert (first.url, first.external_id[-1]) == ("https://news.example/0", "0")
    assert first.published_at is not None
    assert first.published_at.isoformat() == "2026-03-02T04:00:00+00:00"


def test_another_one_goes_on_from_the_cursor_and_an_old_cursor_gives_the_same_again(make: Make) -> None:
    with closing(make(TITLES)) as source:
        first = source.fetch({}, 3)
        assert source.fetch({}, 3).items == first.items
    with closing(make(TITLES)) as source:
        assert [item.title for item in source.fetch(first.cursor, 2).items] == TITLES[3:5]
        assert [item.title for item in source.fetch(first.cursor, 2).items] == TITLES[3:5]


def test_when_nothing_is_new_nothing_comes(make: Make) -> None:
    with closing(make(TITLES)) as source:
        *_, last = walked(source, 100)
        again = source.fetch(last.cursor, 100)
    assert (again.items, again.more) == ((), False)


def test_what_is_longer_than_an_item_may_be_is_cut(make: Make) -> None:
    with closing(make(["长" * 900])) as source:
        (item,) = source.fetch({}, 10).items
    assert item.title == "长" * 500


def test_a_file_that_is_not_there_may_come_later(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not there"):
        FileSource("s", tmp_path / "none.jsonl").fetch({}, 10)


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"title": "one"}\n{"title": "tw', encoding="utf-8")
    source = FileSource("s", file)
    first = source.fetch({}, 10)
    assert ([item.title for item in first.items], first.more) == (["one"], True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write('o"}\nnonsense\n[1]\n{"title": "three", "link": "ftp://x"}\n{"title": "four"}')
    os.utime(file, (0, 0))  # it has rested
    second = source.fetch(first.cursor, 10)
    assert [item.title for item in second.items] == ["two", "four"]
    assert len(second.faults) == 3
    assert source.fetch(second.cursor, 10).items == ()


def test_a_file_that_became_shorter_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"title": "one"}\n{"title": "two"}\n', encoding="utf-8")
    cursor = FileSource("s", file).fetch({}, 10).cursor
    file.write_text('{"title": "three"}\n', encoding="utf-8")
    assert [item.title for item in FileSource("s", file).fetch(cursor, 10).items] == ["three"]


def test_line_breaks_within_a_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('title,content\r\n"a","first\nsecond"\r\n"b","x"\r\n', encoding="utf-8")
    first = FileSource("s", file).fetch({}, 1)
    assert [item.text for item in first.items] == ["first\nsecond"]
    assert [item.title for item in FileSource("s", file).fetch(first.cursor, 1).items] == ["b"]


def test_a_message_that_is_no_item_is_passed_over() -> None:
    source = KafkaSource("s", "posts", lambda: ConsumerOfAList([b"x", b"[]", b'{"title": "one"}']))
    batch = source.fetch({}, 10)
    assert ([item.title for item in batch.items], len(batch.faults), batch.cursor) == (["one"], 2, {"0": 3})
