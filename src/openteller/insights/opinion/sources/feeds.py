"""RSS 2.0, RSS 1.0 (RDF) and Atom (RFC 4287) feeds, asked politely: with ETag and Last-Modified, no more often than wanted.

The cursor holds both and the ids of the entries seen. XML is parsed by defusedxml, without entities or anything external.
Knows nothing about what becomes of items.
"""

import hashlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from pydantic import ValidationError

from openteller.core.errors import BadInput, Unavailable
from openteller.insights.opinion.records import (
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    Batch,
    Cursor,
    RawItem,
)
from openteller.insights.opinion.sources.fetching import Fetcher, Page
from openteller.insights.opinion.sources.moments import moment_of

_SEEN = 2_000
_EVERY = 60.0
_ENTRIES = ("item", "entry")
_DATES = ("pubdate", "published", "updated", "date")
_TEXTS = ("encoded", "content", "description", "summary")


class FeedSource:
    """One feed.

    Args:
        name: the source's.
        url: its address.
        fetcher: asks for it.
        every: seconds between looks, if the host wants no more.
    """

    def __init__(self, name: str, url: str, fetcher: Fetcher, *, every: float = _EVERY) -> None:
        self._name, self._url, self._fetcher, self._every = name, url, fetcher, every

    @property
    def name(self) -> str:
        """See Source."""
        return self._name

    def fetch(self, cursor: Cursor, limit: int) -> Batch:
        """See Source. Entries are taken the oldest first; those beyond `limit` come with the next look."""
        asked = {
            header: cursor[key]
            for header, key in (("If-None-Match", "etag"), ("If-Modified-Since", "modified"))
            if cursor.get(key)
        }
        page = self._fetcher.get(self._url, asked)
        wait = max(self._every, self._fetcher.delay(self._url))
        if page.status == 304:
            return Batch(cursor=cursor, wait=wait)
        if page.status in (429, 503) and (after := page.headers.get("retry-after", "")).isdigit():
            return Batch(
                cursor=cursor,
                faults=(f"{self._url} asks to wait {after} s.",),
                wait=max(wait, min(float(after), 86_400.0)),
            )
        if page.status != 200:
            raise _refused(self._url, page)
        seen = list(cursor.get("seen", ()))
        known = set(seen)
        new = [(key, entry) for key, entry in _entries(page.content, self._url) if key not in known][::-1]
        items, faults = _items(new[:limit])
        seen = [*seen, *(key for key, _ in new[:limit])][-_SEEN:]
        more = len(new) > limit
        # Until all is taken the whole page must come again.
        marks = (
            {} if more else {"etag": page.headers.get("etag", ""), "modified": page.headers.get("last-modified", "")}
        )
        return Batch(items=items, cursor={"seen": seen, **marks}, faults=faults, more=more, wait=0.0 if more else wait)

    def close(self) -> None:
        """See Source; the fetcher belongs to whoever made it."""


def _refused(url: str, page: Page) -> Unavailable | BadInput:
    if page.status in (408, 425, 429) or page.status >= 500:
        return Unavailable(
            f"{url} cannot be had now.", cause=f"Status {page.status}.", next_step="It is asked again later."
        )
    return BadInput(f"{url} is refused.", cause=f"Status {page.status}.", next_step="Check the address of the feed.")


def _entries(content: bytes, url: str) -> list[tuple[str, Element]]:
    """Key → entry, in the feed's order."""
    try:
        root: Any = ElementTree.fromstring(content, forbid_dtd=False)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BadInput(
            f"{url} is no feed.", cause=str(error), next_step="Give the address of its RSS or Atom."
        ) from error
    entries = [one for one in root.iter() if _tag(one) in _ENTRIES]
    return [(_key(one), one) for one in entries]


def _items(entries: list[tuple[str, Element]]) -> tuple[tuple[RawItem, ...], tuple[str, ...]]:
    items, faults = [], []
    for key, entry in entries:
        try:
            items.append(_item(key, entry))
        except ValidationError as error:
            faults.append(f"{key[:80]}: {error.errors()[0]['msg']}")
    return tuple(items), tuple(faults)


def _item(key: str, entry: Element) -> RawItem:
    link = _link(entry)
    return RawItem(
        external_id=key[:MAX_ID_CHARACTERS],
        url=link if link.startswith(("http://", "https://")) else "",
        title=_text(entry, "title")[:MAX_TITLE_CHARACTERS],
        text=next(filter(None, (_text(entry, name) for name in _TEXTS)), "")[:MAX_TEXT_CHARACTERS],
        published_at=next(filter(None, (moment_of(_text(entry, name)) for name in _DATES if _text(entry, name))), None),
    )


def _key(entry: Element) -> str:
    said = _text(entry, "guid") or _text(entry, "id") or _link(entry)
    return said or hashlib.sha256("\n".join(entry.itertext()).encode()).hexdigest()


def _link(entry: Element) -> str:
    links = [child for child in entry if _tag(child) == "link"]
    best = next((one for one in links if one.get("rel", "alternate") == "alternate"), links[0] if links else None)
    return "" if best is None else (best.get("href") or best.text or "").strip()


def _text(entry: Element, name: str) -> str:
    return next((found for child in _named(entry, name) if (found := "".join(child.itertext()).strip())), "")


def _named(entry: Element, name: str) -> Iterator[Element]:
    return (child for child in entry if _tag(child) == name)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
