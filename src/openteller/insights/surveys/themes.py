"""What many answers are about: sentences grouped by meaning, each group named, with quotes that stand in the answers.

    sentences ─▶ vectors (words' meanings, the rarer the heavier) ─▶ k-means ─▶ names (c-TF-IDF) and quotes

A sentence's vector is the mean of its words' vectors weighed by rarity, less what all share (SIF; Arora, Liang & Ma, ICLR
2017): a vocabulary of some thousands is embedded once, so ten thousand answers take a minute where a pass of an encoder for
each sentence takes five. Names are words that stand out in a group (class-based TF-IDF; Grootendorst, arXiv:2203.05794), led
by the aspect that most of its sentences speak of. Knows nothing about the store or which encoder gives the vectors.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from openteller.core.records import LocalText, Record
from openteller.core.text import fold
from openteller.insights.surveys.aspects import aspects, aspects_of, feeling
from openteller.insights.surveys.texts import language_of, sentences, words

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""(n,) words → (n, d) vectors, in which words that mean the same in either language lie close."""
FEWEST = 20  #: sentences below which there are no themes
_MOST_WORDS = 2_500
_GROUPS = (4, 6, 8, 10, 12, 15)
_SAMPLE = 2_000
_RARE = 1e-3
_ROUNDS = 30
_QUOTES = 3
_LONGEST_QUOTE = 160
_SEED = 20260201
_Matrix = NDArray[np.float32]


class Said(Record):
    """A sentence as it stands in an answer."""

    answer: UUID
    text: str


class Theme(Record):
    """What a group of sentences is about."""

    name: LocalText
    words: tuple[str, ...]
    answers: int = Field(description="answers with a sentence in the group")
    sentences: int
    good: int
    bad: int
    quotes: tuple[Said, ...]


class _Line(NamedTuple):
    said: Said
    words: tuple[str, ...]


def themes(texts: Sequence[tuple[UUID, str]], embed: Embed) -> tuple[Theme, ...]:
    """The themes of answers' texts, the most frequent first; none of fewer than 20 sentences with two words that count.

    The result depends on the texts, not on their order.
    """
    lines = sorted(
        (
            _Line(Said(answer=answer, text=sentence), tuple(found))
            for answer, text in texts
            for sentence in sentences(text)
            if len(found := words(sentence)) >= 2
        ),
        key=lambda line: (line.said.text, str(line.said.answer)),
    )
    known = _vocabulary(lines)
    lines = [line for line in lines if any(word in known for word in line.words)]
    if len(lines) < FEWEST:
        return ()
    vectors = _vectors(lines, known, embed)
    groups = _grouped(vectors)
    by_group: dict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        by_group[int(group)].append(place)
    members = [places for places in by_group.values() if len(places) >= max(3, len(lines) // 200)]
    standing_out = _standing_out([[lines[place] for place in places] for places in members])
    named = [
        _theme([lines[place] for place in places], vectors[places], top)
        for places, top in zip(members, standing_out, strict=True)
    ]
    return tuple(sorted(named, key=lambda theme: (-theme.answers, theme.name.en)))


def _vocabulary(lines: Sequence[_Line]) -> dict[str, int]:
    """The words in two sentences or more, the most frequent 2,500, with their counts."""
    counts = Counter(word for line in lines for word in set(line.words))
    often = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    return {word: counts[word] for word in often[:_MOST_WORDS]}


def _vectors(lines: Sequence[_Line], known: dict[str, int], embed: Embed) -> _Matrix:
    place = {word: number for number, word in enumerate(known)}
    table = embed(list(known))
    total = sum(known.values())
    weights = np.array([_RARE / (_RARE + count / total) for count in known.values()], np.float32)
    rows = np.zeros((len(lines), table.shape[1]), np.float32)
    for number, line in enumerate(lines):
        ids = [place[word] for word in line.words if word in place]
        rows[number] = (table[ids] * weights[ids, None]).mean(axis=0)
    common = np.linalg.svd(_sample(rows), full_matrices=False)[2][0]
    rows -= np.outer(rows @ common, common)
    return _unit(rows)


def _grouped(vectors: _Matrix) -> NDArray[np.int64]:
    """Groups by the number of them that parts the sentences best (simplified silhouette; Hruschka et al. 2004)."""
    sample = _sample(vectors)
    tried = [_centres(sample, k) for k in _GROUPS if k * 5 <= len(sample)] or [_centres(sample, 2)]
    best = max(tried, key=lambda centres: _silhouette(sample, centres))
    nearest: NDArray[np.int64] = (vectors @ best.T).argmax(axis=1)
    return nearest


def _centres(rows: _Matrix, k: int) -> _Matrix:
    """Centres of spherical k-means (Dhillon & Modha 2001), begun far apart (k-means++; Arthur & Vassilvitskii 2007)."""
    random = np.random.default_rng(_SEED)
    centres = rows[random.integers(len(rows))][None]
    while len(centres) < k:
        far = np.clip(1 - (rows @ centres.T).max(axis=1), 0, None).astype(np.float64)
        chances = far / far.sum() if far.sum() > 0 else np.full(len(rows), 1 / len(rows))
        centres = np.vstack([centres, rows[random.choice(len(rows), p=chances)]])
    group = np.full(len(rows), -1)
    for _ in range(_ROUNDS):
        now = (rows @ centres.T).argmax(axis=1)
        if (now == group).all():
            break
        group = now
        centres = _unit(
            np.stack([rows[group == n].sum(axis=0) if (group == n).any() else centres[n] for n in range(k)])
        )
    found: _Matrix = centres
    return found


def _silhouette(rows: _Matrix, centres: _Matrix) -> float:
    distances = np.sort(1 - rows @ centres.T, axis=1)
    own, other = distances[:, 0], distances[:, 1]
    return float(((other - own) / np.maximum(other, 1e-9)).mean())


def _standing_out(groups: Sequence[Sequence[_Line]]) -> list[tuple[str, ...]]:
    """Per group its words, those that stand out most first: tf · log(1 + words a group / frequency over all)."""
    counts = [Counter(word for line in group for word in line.words) for group in groups]
    overall = Counter[str]()
    for count in counts:
        overall.update(count)
    average = sum(overall.values()) / max(len(groups), 1)
    return [
        tuple(sorted(count, key=lambda word: (-count[word] * np.log1p(average / overall[word]), word)))
        for count in counts
    ]


def _theme(lines: Sequence[_Line], vectors: _Matrix, standing_out: Sequence[str]) -> Theme:
    spoken_of = Counter(name for line in lines for name in aspects_of(line.said.text))
    feelings = [feeling(line.said.text) for line in lines]
    return Theme(
        name=_name(spoken_of, len(lines), standing_out),
        words=tuple(standing_out[:8]),
        answers=len({line.said.answer for line in lines}),
        sentences=len(lines),
        good=feelings.count(1),
        bad=feelings.count(-1),
        quotes=_quotes(lines, vectors),
    )


def _name(spoken_of: Counter[str], of: int, standing_out: Sequence[str]) -> LocalText:
    """The aspect of two fifths of the sentences or more, and words in each language; the other language's where it has none."""
    chinese = [word for word in standing_out if not word.isascii()][:3]
    english = [word for word in standing_out if word.isascii()][:3]
    zh, en = "、".join(chinese or english), ", ".join(english or chinese)
    main = next(((name, count) for name, count in spoken_of.most_common(1)), None)
    if main is None or main[1] < 0.4 * of:
        return LocalText(zh=zh, en=en)
    name = aspects()[main[0]].name
    return LocalText(zh=f"{name.zh}（{zh}）", en=f"{name.en} ({en})")


def _quotes(lines: Sequence[_Line], vectors: _Matrix) -> tuple[Said, ...]:
    """The sentences nearest the middle, none twice, and of both languages where both are spoken."""
    nearness = vectors @ vectors.mean(axis=0)
    order = sorted(range(len(lines)), key=lambda place: (-float(nearness[place]), lines[place].said.text))
    chosen, seen = list[Said](), set[str]()
    for place in order:
        said = lines[place].said
        if fold(said.text) not in seen and len(said.text) <= _LONGEST_QUOTE:
            seen.add(fold(said.text))
            chosen.append(said)
    first = chosen[:_QUOTES]
    spoken = {language_of(said.text) for said in first}
    other = next((said for said in chosen[_QUOTES:200] if language_of(said.text) not in spoken), None)
    return tuple([*first[:-1], other] if other and len(first) == _QUOTES else first)


def _sample(rows: _Matrix) -> _Matrix:
    if len(rows) <= _SAMPLE:
        return rows
    picked: _Matrix = rows[np.random.default_rng(_SEED).choice(len(rows), _SAMPLE, replace=False)]
    return picked


def _unit(rows: _Matrix) -> _Matrix:
    scaled: _Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled
