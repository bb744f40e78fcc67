"""Trains the fast reader of public opinion: a linear model on hashed n-grams (insights/opinion/model.py), one head each for
sentiment toward an entity and for kinds of events.

    rows (text, whom it is about, sentiment?, event?) ─▶ features ─▶ linear SVM a head ─▶ temperature on validation ─▶ artefact

Rows that lack a head's label are not used for that head. A text is on one side of the split, whoever it is about.
"""

import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput
from openteller.core.text import fold, han_share, sentences
from openteller.core.yaml_text import read_yaml
from openteller.insights.opinion import model as opinion_model
from openteller.insights.opinion.events import NAMES
from openteller.insights.opinion.model import EVENT, SENTIMENT, Floats, Head, OpinionModel, features, vector
from openteller.insights.opinion.records import EventType
from openteller.registry.manifest import Manifest
from openteller.training.artefacts import described, written_whole
from openteller.training.datasets.json_lines import read_jsonl
from openteller.training.datasets.records import BadRow
from openteller.training.optimisation import Report

TASK = opinion_model.TASK
_SIGNS = {"+": "positive", "=": "neutral"}
_TEMPERATURES = np.geomspace(0.05, 3.0, 60)
_NOBODY = "NaN"
_NEUTRAL = 1_500


@dataclass(frozen=True)
class OpinionRecipe:
    """What `teller finetune` reads for this task. Paths are relative to the checkout or below OPENTELLER_DATA."""

    name: str = opinion_model.SLOT
    attribution: str = "the bank's own data"
    own: list[str] = field(default_factory=list)  #: files like recipes/data/opinion/zh.yaml
    neutral: str = ""  #: folder of articles whose sentences say nothing good or bad of anybody
    finese: str = ""  #: FinESE rows: id, text, kind of event, whom it is about
    finnsp: str = ""  #: FinNSP rows: id, title, text, entities, negative or not, entities it is negative about
    copies: int = 4  #: how often an authored line is used, each time of somebody else, beside another line
    buckets: int = 262_144  #: of the hashed features
    regularisation: float = 0.5  #: C of the linear SVM
    validation_share: float = 0.2
    licence: str = "Apache-2.0"
    seed: int = 20261123


class Row(NamedTuple):
    """One example: where in `text` it is about whom (none: about whoever), and the label of each head that it has."""

    text: str
    spans: tuple[tuple[int, int], ...]
    sentiment: str | None
    event: str | None
    origin: str  #: own, neutral, finese, finnsp (a whole text) or finnsp-about (one of its entities)


def train(
    recipe: OpinionRecipe, root: Path, data_path: Callable[[str], Path], output: Path, report: Report
) -> Manifest:
    """Train, measure on the validation split, and write the artefact to `output`. Raises BadInput for data it cannot use."""
    rows = list(rows_of(recipe, root, data_path))
    if not rows:
        raise BadInput("The recipe names no data.", next_step="Give own, finese or finnsp.")
    report(0, 3, "features")
    training, held = split(rows, recipe.validation_share, recipe.seed)
    idf = _idf([rows[place] for place in training], recipe.buckets)
    matrix = _matrix(rows, idf)
    heads, metrics = dict[str, Head](), dict[str, float]()
    for done, name in enumerate((SENTIMENT, EVENT), 1):
        report(done, 3, name)
        heads[name], found = _head(name, rows, matrix, training, held, recipe)
        metrics |= found
    report(3, 3, "done")
    return _write(recipe, OpinionModel(recipe.name, idf, heads), metrics, rows, output)


def rows_of(recipe: OpinionRecipe, root: Path, data_path: Callable[[str], Path]) -> Iterator[Row]:
    """Every row of the recipe's data, authored lines first."""
    chance = random.Random(recipe.seed)
    for file in recipe.own:
        yield from authored(root / file, recipe.copies, chance)
    if recipe.neutral:
        yield from _neutral(root / recipe.neutral, recipe.own, root, chance)
    if recipe.finese:
        yield from _finese(data_path(recipe.finese))
    if recipe.finnsp:
        yield from _finnsp(data_path(recipe.finnsp))


def authored(file: Path, copies: int, chance: random.Random) -> Iterator[Row]:
    """Lines about invented subjects: alone as a whole, and about one of two, beside a line about somebody else."""
    read = read_yaml(file.read_text(encoding="utf-8"))
    subjects = read["subjects"]
    lines = [(event, line) for event, found in read["events"].items() for line in found]
    yield from (Row(fold(line), (), "neutral", EventType.OTHER, "neutral") for line in read["plain"])
    for event, line in lines:
        sentiment = _SIGNS.get(line[0], "negative")
        for copy in range(copies):
            one, other = chance.sample(subjects, 2)
            text = fold(line.lstrip("+=").format(one))
            if copy == 0:
                yield Row(text, (), sentiment, event, "own")
            beside = fold(chance.choice(lines)[1].lstrip("+=").format(other))
            joined = (text, text, f"{text} {beside}", f"{beside} {text}")[copy % 4]
            yield Row(joined, _places(joined, fold(one)), sentiment, event, "own")


def _neutral(folder: Path, own: Sequence[str], root: Path, chance: random.Random) -> Iterator[Row]:
    """Titles and sentences of articles: about whoever, and with a subject named before."""
    subjects = [read_yaml((root / file).read_text(encoding="utf-8"))["subjects"] for file in own]
    texts = {
        text for file in sorted(folder.glob("*.yaml")) for text in _texts(read_yaml(file.read_text(encoding="utf-8")))
    }
    for text in chance.sample(sorted(texts), min(len(texts), _NEUTRAL)):
        yield Row(fold(text), (), "neutral", EventType.OTHER, "neutral")
        subject = fold(chance.choice(subjects[0 if han_share(text) > 0.2 else -1]))
        named = f"{subject} {fold(text)}"
        yield Row(named, _places(named, subject), "neutral", EventType.OTHER, "neutral")


def _texts(value: object) -> Iterator[str]:
    """Sentences of what is no question, at any depth."""
    if isinstance(value, str):
        yield from (one for one in sentences(value) if (6 <= len(one) <= 200 and " " in one) or han_share(one) > 0.5)
    elif isinstance(value, dict):
        yield from (text for name, inner in value.items() if name != "questions" for text in _texts(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in _texts(inner))


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Places for training and for validation, by label; rows of one text stay together."""
    texts: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        texts[row.text].append(place)
    kinds: dict[tuple[str | None, str | None], list[str]] = defaultdict(list)
    for text, places in texts.items():
        kinds[Counter((rows[p].sentiment, rows[p].event) for p in places).most_common(1)[0][0]].append(text)
    chance, training, held = random.Random(seed), list[int](), list[int]()
    for kind in sorted(kinds, key=str):
        found = sorted(kinds[kind])
        chance.shuffle(found)
        count = round(len(found) * share)
        held += [place for text in found[:count] for place in texts[text]]
        training += [place for text in found[count:] for place in texts[text]]
    return training, held


def _finese(file: Path) -> Iterator[Row]:
    events = {name.zh: event.value for event, name in NAMES.items()}
    for row in _json_rows(file, 4):
        text, subject = fold(row[1]), row[3]
        if (event := events.get(row[2])) is None:
            raise BadInput(
                f"{file.name} has an unknown kind of event: {row[2]}.", next_step="Give FinESE as published."
            )
        yield Row(text, () if subject == _NOBODY else _places(text, fold(subject)), None, event, "finese")


def _finnsp(file: Path) -> Iterator[Row]:
    """The whole text, negative or not; and each entity by itself, where it stands in the text."""
    for row in _json_rows(file, 6):
        if row[4] not in ("0", "1"):  # the header
            continue
        text, negative = fold(row[2]), {fold(name) for name in row[5].split(";")}
        yield Row(text, (), "negative" if row[4] == "1" else "neutral", None, "finnsp")
        for name in filter(None, map(fold, row[3].split(";"))):
            if spans := _places(text, name):
                yield Row(text, spans, "negative" if name in negative else "neutral", None, "finnsp-about")


def _json_rows(file: Path, columns: int) -> Iterator[list[str]]:
    for row in read_jsonl(file):
        if isinstance(row, BadRow) or "2" not in row.fields:
            raise BadInput(f"A line of {file.name} has no {columns} columns.", next_step="Give the file as published.")
        yield [str(row.fields.get(str(place), "")) for place in range(columns)]


def _places(text: str, name: str) -> tuple[tuple[int, int], ...]:
    found, at = [], text.find(name) if name else -1
    while at >= 0:
        found.append((at, at + len(name)))
        at = text.find(name, at + len(name))
    return tuple(found)


def _idf(rows: Sequence[Row], buckets: int) -> Floats:
    counts = np.zeros(buckets)
    for row in rows:
        for number, group in enumerate(features(row.text, row.spans)):
            counts[list({zlib.crc32(gram.encode(), number) % buckets for gram in group})] += 1
    return (np.log((1 + len(rows)) / (1 + counts)) + 1).astype(np.float32)


def _matrix(rows: Sequence[Row], idf: Floats) -> csr_matrix:
    places, values, ends = list[np.ndarray[Any, Any]](), list[Floats](), [0]
    for row in rows:
        found, weights = vector(features(row.text, row.spans), idf)
        places.append(found)
        values.append(weights)
        ends.append(ends[-1] + len(found))
    return csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(len(rows), len(idf)))


def _head(
    name: str, rows: Sequence[Row], matrix: csr_matrix, training: list[int], held: list[int], recipe: OpinionRecipe
) -> tuple[Head, dict[str, float]]:
    """Fit on the training rows, set the temperature and measure on the others, then fit on all."""
    of = [row.sentiment if name == SENTIMENT else row.event for row in rows]
    labels = tuple(sorted({label for label in of if label is not None}))
    target = np.array([labels.index(label) if label is not None else -1 for label in of])
    fit_on, measured_on = (np.array([p for p in places if target[p] >= 0]) for places in (training, held))
    weights, bias = _fitted(matrix[fit_on], target[fit_on], len(labels), recipe)
    scores = np.asarray(matrix[measured_on] @ weights + bias)
    temperature = float(min(_TEMPERATURES, key=lambda one: _loss(scores / one, target[measured_on])))
    metrics = _figures(name, rows, scores, target, measured_on, temperature)
    weights, bias = _fitted(matrix[target >= 0], target[target >= 0], len(labels), recipe)
    return Head(labels, weights.astype(np.float32), bias.astype(np.float32), temperature), metrics


def _fitted(
    matrix: csr_matrix, target: np.ndarray[Any, Any], labels: int, recipe: OpinionRecipe
) -> tuple[Floats, Floats]:
    from sklearn.svm import LinearSVC

    fitted = LinearSVC(C=recipe.regularisation, class_weight="balanced", random_state=recipe.seed).fit(matrix, target)
    weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
    bias = np.full(labels, -1.0, dtype=np.float32)
    if len(fitted.classes_) == 2:  # one column: for the second of the two
        weights[:, fitted.classes_] = np.stack([-fitted.coef_[0], fitted.coef_[0]], axis=1)
        bias[fitted.classes_] = [-fitted.intercept_[0], fitted.intercept_[0]]
    else:
        weights[:, fitted.classes_] = fitted.coef_.T
        bias[fitted.classes_] = fitted.intercept_
    return weights, bias


def _loss(scores: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    odds = np.exp(shifted)
    return float(-np.mean(shifted[np.arange(len(target)), target] - np.log(odds.sum(axis=1))))


def _figures(
    name: str,
    rows: Sequence[Row],
    scores: Floats,
    target: np.ndarray[Any, Any],
    places: np.ndarray[Any, Any],
    temperature: float,
) -> dict[str, float]:
    """Accuracy and macro F1 over the labels that occur, of all rows and of those of each origin."""
    from sklearn.metrics import accuracy_score, f1_score

    said, right = scores.argmax(axis=1), target[places]
    origins = np.array([rows[place].origin for place in places])
    found = {f"{name}_nll": _loss(scores / temperature, right)}
    for origin in ("", *sorted(set(origins))):
        chosen, kind = (origins == origin) | (origin == ""), f"_{origin}" if origin else ""
        if chosen.any():
            found[f"{name}{kind}_accuracy"] = float(accuracy_score(right[chosen], said[chosen]))
            found[f"{name}{kind}_macro_f1"] = float(
                f1_score(right[chosen], said[chosen], average="macro", zero_division=0)
            )
    return {figure: round(value, 4) for figure, value in found.items()} | {f"{name}_rows": float(len(places))}


def _write(
    recipe: OpinionRecipe, fitted: OpinionModel, metrics: dict[str, float], rows: Sequence[Row], output: Path
) -> Manifest:
    manifest = Manifest(
        name=recipe.name,
        task=TASK,
        base="none",
        created_at=utc_now(),
        licence=recipe.licence,
        data=(f"{recipe.attribution}; {len(rows):,} rows",),
        metrics=metrics,
        labels={name: head.labels for name, head in fitted.heads.items()},
        temperatures={name: head.temperature for name, head in fitted.heads.items()},
        settings={key: value for key, value in vars(recipe).items() if key not in ("name", "attribution", "licence")},
        languages=("zh", "en") if len(recipe.own) > 1 else ("zh",),
    )
    with written_whole(output) as folder:
        fitted.save(folder / opinion_model.FILE)
        return described(folder, manifest)
