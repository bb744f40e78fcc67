"""Reads the authored lines of this folder and of recipes/ (text, gold spans, section), and halves them by hash."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from openteller.core.text import normalise

HERE = Path(__file__).parent
RECIPES = HERE.parents[1] / "recipes" / "data" / "understanding"
_MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")


class Span(NamedTuple):
    """A labelled span of code points."""

    type: str
    start: int
    end: int


class Line(NamedTuple):
    """One authored line without its markup."""

    text: str
    spans: tuple[Span, ...]
    section: str = ""
    intent: str = ""


def unmark(marked: str, section: str = "", intent: str = "") -> Line:
    """``[surface](type)`` markup as text and spans."""
    text, spans, at = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.append(Span(match[2], len(text), len(text) + len(match[1])))
        text += match[1]
        at = match.end()
    return Line(text + marked[at:], tuple(spans), section, intent)


def utterances() -> Iterator[Line]:
    """Every labelled utterance of the recipes, as text with gold entity spans."""
    for path in sorted(RECIPES.glob("*.yaml")):
        if path.name in ("TAXONOMY.yaml", "prompt_injection.yaml"):
            continue
        for intent, sections in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            for section, lines in sections.items():
                for line in lines:
                    yield unmark(normalise(str(line).split(" | ")[0]), section, intent)


def for_fitting(text: str) -> bool:
    """Whether a text belongs to the half on which rules were chosen and constants fitted; the other half reports."""
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0
