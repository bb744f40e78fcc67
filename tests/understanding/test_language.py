"""Language detection: measured on the half of the authored lines that nothing was fitted on, and on fresh sentences."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from opencc import OpenCC

from openteller.core.records import Language
from openteller.understanding import language
from openteller.understanding.language import FITTED, Coefficients, detect, distribution, evidence
from tests.understanding.marked import HERE, for_fitting, utterances

LABELS: dict[str, Any] = yaml.safe_load((HERE / "language.yaml").read_text(encoding="utf-8"))
_PLAIN = frozenset(LABELS["plain_chinese"])
_LATIN = re.compile("[a-z]+")
# Abbreviations that a Chinese sentence takes in without being mixed: App, ATM, LPR, …
_TAKEN_IN = {word for text in _PLAIN for word in _LATIN.findall(text.lower())}
Labelled = tuple[str, Language]
_to_simplified = OpenCC("t2s").convert
_to_traditional = OpenCC("s2t").convert


def _gold(text: str) -> Language:
    """The label of an authored line: the script by OpenCC, mixed by hand label."""
    if not re.search("[一-鿿]", text):
        return Language.EN if re.search("[A-Za-z]", text) else Language.ZH_HANS
    if set(_LATIN.findall(text.lower())) - _TAKEN_IN:
        return Language.MIXED
    simplified = _to_simplified(text)
    return Language.ZH_HANT if simplified != text and _to_traditional(simplified) == text else Language.ZH_HANS


def _authored() -> list[Labelled]:
    rows = []
    for line in utterances():
        gold = _gold(line.text)
        # Regional spellings (裡, 台) differ from OpenCC's standard; more one-script characters on one side decide.
        if gold is Language.ZH_HANS and _to_simplified(line.text) != line.text:
            e = evidence(line.text)
            gold = Language.ZH_HANT if e.traditional > e.simplified else gold
        rows.append((line.text, gold))
    return rows


def _copies(rows: list[Labelled]) -> list[Labelled]:
    """Traditional copies of the simplified lines that have any character to convert."""
    converters: list[Callable[[str], str]] = [OpenCC(name).convert for name in ("s2t", "s2tw", "s2hk")]
    return [
        (copy, Language.ZH_HANT)
        for text, gold in rows
        if gold is Language.ZH_HANS
        for copy in {convert(text) for convert in converters}
        if copy != text
    ]


def _logistic_fit(
    features: NDArray[np.float64], gold: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, ...]:
    """Newton's method on the L2-penalised (0.1, intercept free) weighted log loss."""
    w = np.zeros(features.shape[1])
    ridge = np.diag([1e-6, *[0.1] * (features.shape[1] - 1)])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(features @ w, -30, 30)))
        gradient = features.T @ (weight * (p - gold)) + ridge @ w
        hessian = (features.T * (weight * p * (1 - p))) @ features + ridge
        w = w - np.linalg.solve(hessian, gradient)
    return tuple(float(round(x, 2)) for x in w)


def fit(rows: list[Labelled]) -> Coefficients:
    """The constants of `language.FITTED` from labelled lines."""
    counted = [(evidence(text), gold) for text, gold in rows]
    both = [(language.mixed_features(e), gold is Language.MIXED) for e, gold in counted if e.han and e.words]
    mixed = _logistic_fit(np.array([f for f, _ in both]), np.array([float(g) for _, g in both]), np.ones(len(both)))
    chinese = [(t, g) for t, g in rows if g in (Language.ZH_HANS, Language.ZH_HANT)]
    copies = _copies(chinese)
    share = sum(g is Language.ZH_HANT for _, g in chinese) / len(chinese)
    features = np.array([language.script_features(evidence(t)) for t, _ in chinese + copies])
    gold = np.array([float(g is Language.ZH_HANT) for _, g in chinese + copies])
    traditional = gold.sum()
    weight = np.where(gold > 0, share * len(chinese) / traditional, 1.0)
    latin = [g for e, g in counted if not e.han and e.words]
    right = sum(g is Language.EN for g in latin)
    return Coefficients(
        mixed=mixed,
        script=_logistic_fit(features, gold, weight),
        english=round(float(np.log((right + 1) / (len(latin) - right + 1))), 2),
    )


def _log_loss(rows: list[Labelled], fitted: Coefficients) -> float:
    return float(-np.mean([np.log(max(distribution(t, fitted)[g], 1e-9)) for t, g in rows]))


def test_shipped_constants_are_as_good_as_a_refit() -> None:
    rows = [row for row in _authored() if for_fitting(row[0])]
    refit = fit(rows)
    print(refit)
    assert _log_loss(rows, FITTED) <= _log_loss(rows, refit) + 0.005


def test_accuracy_and_calibration_on_the_other_half() -> None:
    authored = [row for row in _authored() if not for_fitting(row[0])]
    for name, rows, floor in (("authored", authored, 0.98), ("traditional copies", _copies(authored), 0.97)):
        found = [detect(text) for text, _ in rows]
        right = np.array([f.label == g for f, (_, g) in zip(found, rows, strict=True)])
        claimed = np.array([f.probability for f in found])
        bins = np.digitize(claimed, np.linspace(0, 1, 11)[1:-1])
        error = sum(abs(claimed[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
        print(
            f"{name}: {len(rows)} lines, accuracy {right.mean():.4f}, mean claim {claimed.mean():.4f}, ECE {error:.4f}"
        )
        print([(t, f.label) for f, (t, g) in zip(found, rows, strict=True) if f.label != g][:12])
        assert right.mean() >= floor
        assert error < 0.03


@pytest.mark.parametrize("label", list(Language))
def test_sentences_written_after_the_word_list(label: Language) -> None:
    lines = LABELS["fresh"][label.value]
    wrong = [line for line in lines if detect(line).label != label]
    assert len(wrong) <= len(lines) * 0.15, wrong


@given(st.text(max_size=200))
def test_any_text_has_a_label_with_a_probability(text: str) -> None:
    found = detect(text)
    assert found.label in set(Language)
    assert 0 < found.probability <= 1
    assert sum(distribution(text).values()) <= 1 + 1e-9


def test_letters_of_other_scripts_lower_the_probability() -> None:
    assert detect("Здравствуйте, hello").probability < detect("hello").probability
    assert detect("カードをなくしました").probability < 0.7
