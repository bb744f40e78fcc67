"""Tables for the terminal; without one, plain text of a fixed width, so that what a script reads never depends on a window."""

import sys
from collections.abc import Iterable, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PLAIN_WIDTH = 160


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], words: int | None = None) -> str:
    """The table as text with a last line break. words: how many of the columns hold words, the others figures; all."""
    terminal, written = sys.stdout.isatty(), StringIO()
    width = None if terminal else _PLAIN_WIDTH
    console = Console(file=written, force_terminal=terminal, no_color=not terminal, width=width)
    laid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        is_words = words is None or place < words
        laid.add_column(Text(column), justify="left" if is_words else "right", overflow="fold")
    for row in rows:
        laid.add_row(*(Text("".join(c if c.isprintable() else "\ufffd" for c in cell)) for cell in row))
    console.print(laid)
    return written.getvalue()
