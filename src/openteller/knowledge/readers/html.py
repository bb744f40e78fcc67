"""HTML to Markdown: headings, paragraphs, lists and tables; scripts, styles, navigation and hidden parts left out.

Nothing is executed and nothing is fetched.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openteller.knowledge.readers.plain_text import decode
from openteller.knowledge.readers.reading import Reading

if TYPE_CHECKING:
    from bs4.element import PageElement, Tag

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{2,20})", re.IGNORECASE)
_DROPPED = frozenset(
    ["script", "style", "noscript", "template", "nav", "footer", "iframe", "object", "svg", "head", "button"]
)
_BLOCKS = ["p", "div", "section", "article", "main", "ul", "ol", "table", "tr", "blockquote", "pre", "dl", "dt", "dd"]
_HEADINGS = {f"h{level}": f"\n\n{'#' * level} " for level in range(1, 7)}
_PREFIX = dict.fromkeys(_BLOCKS, "\n") | _HEADINGS | {"li": "\n- ", "br": "\n"}
_SUFFIX = dict.fromkeys(_BLOCKS, "\n") | {"heading": "\n", "li": "\n", "td": " | ", "th": " | "}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def read(data: bytes, name: str) -> Reading:
    """Read an HTML file in the encoding it declares, else as any text file."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return parse(data.decode(declared[1].decode("ascii")))
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration: look at the bytes
    return parse(decode(data, name))


def parse(markup: str) -> Reading:
    """The content of an HTML text."""
    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        # Beautiful Soup guesses that XHTML, or a very short text, was passed by mistake.
        warnings.simplefilter("ignore")
        soup = BeautifulSoup(markup, "lxml")
    title = " ".join(soup.title.get_text(" ").split()) if soup.title else ""
    lines = [" ".join(line.split()).removesuffix(" |") for line in "".join(_pieces(soup)).splitlines()]
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    heading = next((line.lstrip("# ") for line in body.splitlines() if line.startswith("#")), "")
    return Reading(media_type="text/html", title=heading or title or None, body=body)


def _pieces(root: "Tag") -> Iterator[str]:
    """The text with line ends, `#`, `-` and `|` for its structure, in one walk without recursion: pages nest deep."""
    from bs4.element import NavigableString, Tag

    open_tags: list[tuple[Iterator[PageElement], str]] = [(iter(root.contents), "")]
    inside = Counter[str]()
    while open_tags:
        children, name = open_tags[-1]
        node = next(children, None)
        if node is None:
            open_tags.pop()
            inside[name] -= 1
            yield " " if inside["heading"] else _SUFFIX.get(name, "")
        elif isinstance(node, Tag):
            if node.name in _DROPPED or node.has_attr("hidden") or _HIDDEN.search(str(node.get("style", ""))):
                continue
            yield " " if inside["heading"] else _PREFIX.get(node.name, "")
            kind = "heading" if node.name in _HEADINGS and not inside["heading"] else node.name
            inside[kind] += 1
            open_tags.append((iter(node.contents), kind))
        # Comments and declarations are strings of types of their own.
        elif type(node) is NavigableString:
            yield str(node) if inside["pre"] else re.sub(r"\s+", " ", node)
