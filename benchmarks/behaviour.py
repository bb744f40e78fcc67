"""Behaviour analysis: how well merchant texts are categorised, and how fast features are made.

    python benchmarks/behaviour.py                       categories on the held-out list, by language
    python benchmarks/behaviour.py --fit                 fit on recipes/data/merchants/names.yaml, write the weights
    python benchmarks/behaviour.py --throughput 2000     customers a second, in memory, by workers and by count
    python benchmarks/behaviour.py --store 1000          the same from and into an embedded store of its own

--fit needs the extra `train` (scikit-learn). The held-out list was written apart and is never fitted on.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from openteller.core.text import fold
from openteller.customers.profile import categorising
from openteller.customers.profile.categorising import BUCKETS, WEIGHTS, MerchantModel, categorise, features, ruled
from openteller.customers.records import UNCATEGORISED

NAMES = Path("recipes/data/merchants/names.yaml")
LEXICON = Path("recipes/data/merchants/lexicon.yaml")
HELD_OUT = Path("recipes/data/merchants/held_out.yaml")
FOLDS = 5
BINS = 10
FORMS, FORMS_OF_WORDS = 6, 3
# Of what is categorised on names the model was not fitted on, this share is to be right.
RIGHT = 0.85
_SIGNS = {"salary": 1, "interest": 1, "transfer": 0, "investment": 0, UNCATEGORISED: 0}

Rows = list[tuple[str, str, str]]
"""(text, category, name) of every example."""


def main() -> None:
    """Fit, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    if given.fit:
        fit()
    measure()


def examples() -> Rows:
    """Every name in every form of its language, every word of the lexicon in the first three."""
    data = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    lexicon = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    return [
        (form.format(name), category, name)
        for source, forms in ((data, FORMS), (lexicon, FORMS_OF_WORDS))
        for language in ("zh", "en")
        for category, names in source[language].items()
        for name in names
        for form in data["forms"][language][:forms]
    ]


def fit() -> None:
    """Fit on all names; temperature, threshold and the rules' precision come from names left out of five fits."""
    from safetensors.numpy import save_file

    rows = examples()
    categories = sorted({category for _, category, _ in rows})
    columns = {category: place for place, category in enumerate(categories)}
    matrix = _matrix([text for text, _, _ in rows])
    labels = np.array([columns[category] for _, category, _ in rows])
    groups = np.array([hash_of(name) % FOLDS for _, _, name in rows])
    best = max((_crossed(matrix, labels, groups, c) for c in (3.0, 10.0)), key=lambda found: found[0])
    score, c, logits = best
    temperature = min(np.linspace(0.3, 3.0, 55), key=lambda t: _loss(logits / t, labels))
    threshold = _threshold(logits / temperature, labels, columns[UNCATEGORISED])
    _check_rules(rows)
    model = _logistic(c).fit(matrix, labels)
    tensors = {
        "weights": model.coef_.T.astype(np.float16).copy(),
        "bias": model.intercept_.astype(np.float16),
    }
    said = {"categories": " ".join(categories), "temperature": f"{temperature:.3f}", "threshold": f"{threshold:.3f}"}
    save_file(tensors, WEIGHTS, metadata=said)
    categorising.merchant_model.cache_clear()
    categorise.cache_clear()
    print(f"{len(rows):,} texts, C {c}, names left out: accuracy {score:.3f}, temperature {temperature:.2f}")
    print(f"threshold {threshold:.2f}; {WEIGHTS} {WEIGHTS.stat().st_size / 1024:.0f} KiB")


def hash_of(name: str) -> int:
    """A number that stays the same from run to run."""
    import zlib

    return zlib.crc32(fold(name).encode())


def _logistic(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=300)


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    found = [sorted(features(text)) for text in texts]
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(max(len(row), 1))) for row in found])
    starts = np.cumsum([0, *map(len, found)])
    return csr_matrix((values, np.concatenate([np.array(r, dtype=int) for r in found]), starts), (len(texts), BUCKETS))


def _crossed(matrix: Any, labels: Any, groups: Any, c: float) -> tuple[float, float, Any]:
    logits = np.zeros((len(labels), labels.max() + 1))
    for fold_ in range(FOLDS):
        held = groups == fold_
        model = _logistic(c).fit(matrix[~held], labels[~held])
        logits[held] = model.decision_function(matrix[held])
    return float((logits.argmax(1) == labels).mean()), c, logits


def _softmax(logits: Any) -> Any:
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def _loss(logits: Any, labels: Any) -> float:
    return float(-np.log(_softmax(logits)[np.arange(len(labels)), labels] + 1e-12).mean())


def _threshold(logits: Any, labels: Any, nothing: int) -> float:
    """The lowest from which on `RIGHT` of what is categorised is right."""
    chances = _softmax(logits)
    best, sure = chances.argmax(1), chances.max(1)
    for threshold in np.arange(0.2, 0.9, 0.01):
        said = (sure >= threshold) & (best != nothing)
        if (best[said] == labels[said]).mean() >= RIGHT:
            return float(threshold)
    raise SystemExit("No threshold is good enough.")


def _check_rules(rows: Rows) -> None:
    said = [(ruled(text, _SIGNS.get(category, -1)), category) for text, category, _ in rows]
    fired = [(rule, category) for rule, category in said if rule is not None]
    print(f"rules: {len(fired)} texts, precision {sum(a == b for a, b in fired) / len(fired):.3f}")


def measure() -> None:
    """Accuracy and calibration on the held-out list."""
    data = yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))
    model: MerchantModel = categorising.merchant_model()
    print(f"held-out texts; threshold {model.threshold}")
    print(f"{'language':10} {'texts':>6} {'accuracy':>9} {'said':>6} {'right when said':>16} {'ECE':>6}")
    for language in ("zh", "en"):
        found = list(_judged(data[language]))
        known = [(right, sure, said) for right, sure, said, category in found if category != UNCATEGORISED]
        accuracy = np.mean([right for right, _, _ in known])
        told = [right for right, _, said in known if said]
        quiet = [not said for _, _, said, category in found if category == UNCATEGORISED]
        ece = expected_calibration_error([sure for _, sure, _ in known], [right for right, _, _ in known])
        line = f"{language:10} {len(known):6} {accuracy:9.3f} {len(told) / len(known):6.3f} {np.mean(told):16.3f} {ece:6.3f}"
        print(f"{line}   of {len(quiet)} texts that say nothing, left uncategorised: {sum(quiet)}")


def _judged(lines: dict[str, list[str]]) -> Iterator[tuple[bool, float, bool, str]]:
    """(the best guess is right, confidence, whether it was said, category) of each line."""
    model = categorising.merchant_model()
    for category, texts in lines.items():
        for text in texts:
            answer = categorise(text, _SIGNS.get(category, -1))
            best = answer.category
            if best == UNCATEGORISED:
                best = model.categories[int(model.probabilities(text).argmax())]
            said = answer.category != UNCATEGORISED
            if best != category and category != UNCATEGORISED:
                print(f"  {category:14} {best:14} {answer.confidence:.2f} {text}")
            yield best == category, answer.confidence, said, category


def expected_calibration_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    """The mean distance of confidence and accuracy over ten equal bins, weighted by count (Guo et al. 2017)."""
    confidence, hit = np.array(sure), np.array(right, dtype=float)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(hit[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())]
    return float(sum(gaps))


if __name__ == "__main__":
    started = time.monotonic()
    main()
