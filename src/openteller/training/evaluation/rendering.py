"""A report for people: tables for the terminal, and a folder with JSON, pictures and a page.

Knows nothing about how a figure came about.
"""

import json
import sys
from io import StringIO
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openteller.training.evaluation.page import page
from openteller.training.evaluation.pictures import confusion_picture, reliability_picture
from openteller.training.evaluation.report import Report, printable
from openteller.training.evaluation.sections import Section, sections

_CLASSES = 20  # more do not fit one screen


def table(report: Report) -> str:
    """The report as text, with at most 20 classes; coloured only when the standard output is a terminal."""
    terminal, written = sys.stdout.isatty(), StringIO()
    console = Console(file=written, force_terminal=terminal, no_color=not terminal, width=None if terminal else 110)
    heading = f"{report.title}: {report.model} on {report.dataset}, {report.n} rows"
    console.print(Text(printable(heading), style="bold"))
    for section in sections(report, _CLASSES):
        console.print()
        console.print(_laid_out(section))
    return written.getvalue()


def write(report: Report, folder: Path) -> list[Path]:
    """Write report.json, report.html and, where there is something to draw, confusion.png and reliability.png."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    written = [folder / "report.json"]
    # A lone surrogate, which UTF-8 lacks, becomes its JSON escape.
    written[0].write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    pictures = {"confusion.png": confusion_picture(report), "reliability.png": reliability_picture(report)}
    for name, picture in pictures.items():
        if picture is not None:
            (folder / name).write_bytes(picture)
            written.append(folder / name)
    (folder / "report.html").write_text(page(report), encoding="utf-8")
    return [*written, folder / "report.html"]


def _laid_out(section: Section) -> Table:
    laid = Table(title=Text(section.title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(section.columns):
        words = place < section.words
        laid.add_column(Text(column), justify="left" if words else "right", overflow="fold" if words else "ellipsis")
    for row in section.rows:
        laid.add_row(*(Text(printable(cell)) for cell in row))
    return laid
