"""What many answers are about: sentences grouped by meaning, each group named, with quotes that stand in the answers.

    sentences ─▶ vectors of a sample ─▶ k-means ─▶ the others join by their words ─▶ names (c-TF-IDF) and quotes

At most 1,500 different sentences are embedded: a pass takes 10 to 20 ms, and the report of ten thousand answers three minutes
at the most. The others join the group whose words they share. Each language's mean is taken out of its vectors, so that
groups are of meanings and not of languages (Yang et al., EMNLP 2021). Names are words that stand out in a group (class-based
TF-IDF; Grootendorst, arXiv:2203.05794), led by the aspect that most of its sentences speak of. Knows nothing about the store
or which encoder gives the vectors.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
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
"""(n,) texts → (n, d) vectors, in which texts that mean the same in either language lie close."""
FEWEST = 20  #: sentences below which there are no themes
_GROUPS = (4, 6, 8, 10, 12, 15, 18)
_SAMPLE = 1_500
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

    The result depends on the texts, not on their order. A sentence none of whose words is known to a group has no theme.
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
    if len(lines) < FEWEST:
        return ()
    sample = _sample(list(dict.fromkeys(line.said.text for line in lines)))
    vectors = _centred(sample, embed(sample))
    nearness, groups = _grouped(vectors)
    of_text = dict(zip(sample, map(int, groups), strict=True))
    members = _members(lines, of_text)
    standing_out = _standing_out([Counter(word for line in group for word in line.words) for group in members])
    near = dict(zip(sample, map(float, nearness), strict=True))
    named = [_theme(group, near, top) for group, top in zip(members, standing_out, strict=True)]
    return tuple(sorted(named, key=lambda theme: (-theme.answers, theme.name.en)))


def _sample(texts: list[str]) -> list[str]:
    if len(texts) <= _SAMPLE:
        return texts
    chosen = np.random.default_rng(_SEED).choice(len(texts), _SAMPLE, replace=False)
    return [texts[place] for place in sorted(chosen)]


def _centred(texts: Sequence[str], vectors: _Matrix) -> _Matrix:
    """The vectors less the mean of those in the same language, of unit length."""
    spoken = np.array([language_of(text) for text in texts])
    centred = vectors.copy()
    for language in set(spoken):
        centred[spoken == language] -= vectors[spoken == language].mean(axis=0)
    return _unit(centred)


def _members(lines: Sequence[_Line], of_text: Mapping[str, int]) -> list[list[_Line]]:
    """The lines of each group that is large enough to tell of: those of the sample, and those that share its words."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.said.text in of_text:
            counts[of_text[line.said.text]].update(line.words)
    order = sorted(counts)
    weights = _weights([counts[group] for group in order])
    found: dict[int, list[_Line]] = defaultdict(list)
    for line in lines:
        group = of_text.get(line.said.text)
        if group is None:
            scores = [sum(weight.get(word, 0.0) for word in line.words) for weight in weights]
            best = int(np.argmax(scores))
            group = order[best] if scores[best] > 0 else None
        if group is not None:
            found[group].append(line)
    least = max(3, len(lines) // 200)
    return [found[group] for group in order if len(found[group]) >= least]


def _grouped(rows: _Matrix) -> tuple[_Matrix, NDArray[np.int64]]:
    """How near each row is to its group's middle, and which group: as many groups as part the rows best.

    By the simplified silhouette (Hruschka et al. 2004).
    """
    tried = [_centres(rows, k) for k in _GROUPS if k * 5 <= len(rows)] or [_centres(rows, 2)]
    best = max(tried, key=lambda centres: _silhouette(rows, centres))
    nearness: _Matrix = rows @ best.T
    return nearness.max(axis=1), nearness.argmax(axis=1)


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


def _weights(groups: Sequence[Counter[str]]) -> list[dict[str, float]]:
    """Per group: word → tf · log(1 + words a group / frequency over all), of length 1 for each group."""
    overall = Counter[str]()
    for count in groups:
        overall.update(count)
    average = sum(overall.values()) / max(len(groups), 1)
    found = []
    for count in groups:
        weight = {word: n * float(np.log1p(average / overall[word])) for word, n in count.items()}
        length = sum(value * value for value in weight.values()) ** 0.5
        found.append({word: value / length for word, value in weight.items()})
    return found


def _standing_out(groups: Sequence[Counter[str]]) -> list[tuple[str, ...]]:
    """Per group its words, those that stand out most first."""
    return [tuple(sorted(weight, key=lambda word: (-weight[word], word))) for weight in _weights(groups)]


def _theme(lines: Sequence[_Line], nearness: Mapping[str, float], standing_out: Sequence[str]) -> Theme:
    spoken_of = Counter(name for line in lines for name in aspects_of(line.said.text))
    feelings = [feeling(line.said.text) for line in lines]
    return Theme(
        name=_name(spoken_of, len(lines), standing_out),
        words=tuple(standing_out[:8]),
        answers=len({line.said.answer for line in lines}),
        sentences=len(lines),
        good=feelings.count(1),
        bad=feelings.count(-1),
        quotes=_quotes(lines, nearness),
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


def _quotes(lines: Sequence[_Line], nearness: Mapping[str, float]) -> tuple[Said, ...]:
    """The sentences nearest the middle, none twice, and of both languages where both are spoken."""
    chosen = dict[str, Said]()
    for line in sorted(lines, key=lambda line: (-nearness.get(line.said.text, -1.0), line.said.text)):
        if len(line.said.text) <= _LONGEST_QUOTE:
            chosen.setdefault(fold(line.said.text), line.said)
    near = list(chosen.values())
    first = near[:_QUOTES]
    spoken = {language_of(said.text) for said in first}
    other = next((said for said in near[_QUOTES:] if language_of(said.text) not in spoken), None)
    return tuple([*first[:-1], other] if other and len(first) == _QUOTES else first)


def _unit(rows: _Matrix) -> _Matrix:
    scaled: _Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled
