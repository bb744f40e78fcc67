"""Labelled examples for understanding: the authored files, the bank's articles, and mapped public sets.

An authored line is ``text | sentiment | need,need`` with entities inline as ``[surface](type)``; see
recipes/data/understanding/. Knows nothing about models.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.core.yaml_text import read_yaml
from openteller.feedback.records import Curated, Head
from openteller.training.corrections import Key, keys_of

SENTIMENTS = ("negative", "neutral", "positive")
ENTITY_TYPES = ("amount", "date", "term", "product", "card", "account", "person")
_MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z]+)\)")


@dataclass(frozen=True)
class Example:
    """One labelled text. None means: not labelled for that task, so no loss is taken there.

    spans: (start, end, type) in code points of `text`; group: texts of one group ask the same question.
    """

    text: str
    intent: str | None = None
    sentiment: str | None = None
    needs: tuple[str, ...] | None = None
    spans: tuple[tuple[int, int, str], ...] | None = None
    group: str | None = None
    source: str = "authored"


@dataclass(frozen=True)
class Taxonomy:
    """The intents with the needs that each implies, and all needs."""

    intents: dict[str, tuple[str, ...]]
    needs: tuple[str, ...]
    glosses: dict[str, str] = field(default_factory=dict)


def read_taxonomy(path: Path) -> Taxonomy:
    """Read TAXONOMY.yaml."""
    raw = read_yaml(path.read_text(encoding="utf-8"))
    intents = {name: tuple(entry["needs"]) for name, entry in raw["intents"].items()}
    return Taxonomy(intents, tuple(raw["needs"]), {n: e["gloss"] for n, e in raw["intents"].items()})


def parse_line(line: str, intent: str, taxonomy: Taxonomy) -> Example:
    """Parse one authored line. Raises BadInput on an unknown intent, sentiment, need or entity type."""
    parts = [part.strip() for part in line.split(" | ")]
    sentiment = parts[1] if len(parts) > 1 and parts[1] else "neutral"
    if intent not in taxonomy.intents:
        raise BadInput(f"The taxonomy has no intent {intent!r}.", next_step="Add it to TAXONOMY.yaml, or correct it.")
    needs = taxonomy.intents[intent]
    if len(parts) > 2:
        needs = tuple(n.strip() for n in parts[2].split(",") if n.strip() not in ("", "-"))
    text, spans = _unmark(normalise(parts[0]))
    if text != normalise(text):
        raise BadInput(f"The line {line!r} under {intent} begins or ends with a space inside a mark.")
    unknown = (
        {sentiment} - set(SENTIMENTS) | set(needs) - set(taxonomy.needs) | {s[2] for s in spans} - set(ENTITY_TYPES)
    )
    if unknown or not text:
        raise BadInput(f"The line {line!r} under {intent} cannot be used.", cause=f"Unknown labels: {sorted(unknown)}.")
    return Example(text, intent, sentiment, needs, tuple(spans))


def _unmark(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    text, spans, at = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.append((len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        at = match.end()
    return text + marked[at:], spans


def authored(folder: Path, taxonomy: Taxonomy) -> Iterator[Example]:
    """Every authored utterance in `folder`, in file order."""
    for path in sorted(folder.glob("*.yaml")):
        if path.name in ("TAXONOMY.yaml", "prompt_injection.yaml"):
            continue
        for intent, languages in read_yaml(path.read_text(encoding="utf-8")).items():
            for lines in languages.values():
                yield from (parse_line(str(line), intent, taxonomy) for line in lines)


def article_questions(folder: Path) -> Iterator[Example]:
    """The questions and titles of the bank's current articles, grouped by article."""
    for path in sorted(folder.glob("*.yaml")):
        for article in read_yaml(path.read_text(encoding="utf-8")):
            if str(article.get("valid_to", "9999")) < "2026-11":
                continue
            for language in ("zh", "en"):
                for text in (article["title"][language], *article["questions"][language]):
                    yield Example(normalise(str(text)), article["intent"], group=article["id"], source="articles")


@dataclass(frozen=True)
class FaqEntry:
    """An entry of an imagined bank's FAQ; entries whose names are neighbours are near in matter."""

    name: str
    question: str
    asked: tuple[str, ...]  #: customers' wordings of it
    answer: str


def faq_entries(folder: Path) -> Iterator[FaqEntry]:
    """Entries of imagined banks' FAQs: JSONL with topic, question, asked (a list) and answer, those of one topic together.

    Raises:
        BadInput: a line cannot be used.
    """
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").rstrip("\n").split("\n"), start=1):
            try:
                row = json.loads(line)
                question, *asked, answer = (normalise(str(t)) for t in (row["question"], *row["asked"], row["answer"]))
            except (ValueError, KeyError, TypeError) as error:
                raise BadInput(f"Line {number} of {path.name} cannot be used.", cause=repr(error)) from error
            yield FaqEntry(f"{path.stem}/{number:05}", question, tuple(asked), answer)


def faq_questions(folder: Path) -> Iterator[Example]:
    """The texts of each entry as one group: the question, its wordings and the answer."""
    for entry in faq_entries(folder):
        for text in (entry.question, *entry.asked, entry.answer):
            yield Example(text, group=entry.name, source="faq")


def mapped(path: Path, mapping: dict[str, str], source: str, most: int) -> Iterator[Example]:
    """A public intent set (JSONL with text and label), its labels mapped to ours; at most `most` texts a label."""
    seen: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        row = json.loads(line)
        intent = mapping.get(row["label"], mapping.get("*"))
        seen[row["label"]] = seen.get(row["label"], 0) + 1
        if intent and seen[row["label"]] <= most:
            yield Example(normalise(row["text"]), intent, group=f"{source}/{row['label']}", source=source)


def same_label(path: Path, source: str) -> list[list[Example]]:
    """A public intent set (JSONL with text and label) by its own labels, those with two texts or more."""
    groups: dict[str, list[Example]] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            name = f"{source}/{row['label']}"
            groups.setdefault(name, []).append(Example(normalise(row["text"]), group=name, source=source))
    return [texts for texts in groups.values() if len(texts) > 1]


def held_out(text: str, share: float = 0.15) -> bool:
    """Whether a text belongs to validation: decided by its hash, so that a text never changes sides."""
    digest = hashlib.sha256(fold(text).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def golds(examples: Iterable[Example]) -> dict[Key, set[frozenset[str]]]:
    """What each text is labelled with under each head, once a distinct set of labels."""
    found: dict[Key, set[frozenset[str]]] = defaultdict(set)
    for example in examples:
        key = fold(example.text)
        for head, label in ((Head.INTENT, example.intent), (Head.SENTIMENT, example.sentiment)):
            if label is not None:
                found[key, head].add(frozenset({label}))
        if example.needs is not None:
            found[key, Head.NEEDS].add(frozenset(example.needs))
    return found


def relabelled(examples: Sequence[Example], corrections: Sequence[Curated]) -> list[Example]:
    """The examples, with what `corrections` say of their texts in place of what they said."""
    said = keys_of(corrections)
    found = []
    for example in examples:
        rows = (said.get((fold(example.text), head)) for head in Head)
        for row in rows:
            example = _corrected(example, row) if row else example
        found.append(example)
    return found


def added(corrections: Iterable[Curated]) -> list[Example]:
    """An example for each, which is labelled for its head alone."""
    return [_corrected(Example(row.text, source="feedback"), row) for row in corrections]


def _corrected(example: Example, row: Curated) -> Example:
    match row.head:
        case Head.INTENT:
            return replace(example, intent=row.gold[0])
        case Head.SENTIMENT:
            return replace(example, sentiment=row.gold[0])
        case Head.NEEDS:
            return replace(example, needs=row.gold)
