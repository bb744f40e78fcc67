"""Markdown (CommonMark with tables) by way of HTML, so that links, emphasis and raw markup become plain text."""

import re

from openteller.knowledge.readers import html
from openteller.knowledge.readers.plain_text import decode
from openteller.knowledge.readers.reading import Reading

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def read(data: bytes, name: str) -> Reading:
    """Read a Markdown file. Front matter is left out, code kept as text."""
    from markdown_it import MarkdownIt

    text = _FRONT_MATTER.sub("", decode(data, name))
    page = html.parse(MarkdownIt("commonmark").enable("table").render(text))
    return page.model_copy(update={"media_type": "text/markdown"})
