"""Figures against scikit-learn, the calibration module and values worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import (
    confusion_matrix,
    f1_score,
    log_loss,
    ndcg_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from openteller.core.errors import BadInput
from openteller.training.calibration import expected_calibration_error
from openteller.training.evaluation.figures import confusion, figures, most_confused, per_class, reliability
from openteller.training.evaluation.measures import measure
from openteller.training.evaluation.predictions import MultiLabel, Ranking, SingleLabel, Spans

DRAW = np.random.default_rng(0)
LOGITS = DRAW.normal(size=(400, 6))
GOLD = np.where(DRAW.random(400) < 0.5, LOGITS.argmax(1), DRAW.integers(5, size=400))  # the last label is rare
LABELS = tuple("abcdef")
TEXTS = tuple(map(str, range(400)))
CHANCES = np.exp(LOGITS / 2) / np.exp(LOGITS / 2).sum(1, keepdims=True)


def test_one_label_as_scikit_learn_counts() -> None:
    found = figures(SingleLabel(LABELS, GOLD, LOGITS, TEXTS), temperature=2.0)
    predicted = LOGITS.argmax(1)
    assert found == pytest.approx(
        {
            "accuracy": (predicted == GOLD).mean(),
            "macro_f1": f1_score(GOLD, predicted, average="macro"),
            "weighted_f1": f1_score(GOLD, predicted, average="weighted"),
            "ece": expected_calibration_error(CHANCES.max(1), (predicted == GOLD).astype(float)),
            "nll": log_loss(GOLD, CHANCES, labels=range(6)),
        }
    )


def test_rows_out_of_scope_count_only_for_their_own_figures() -> None:
    gold = GOLD.copy()
    gold[:100] = -1
    found = figures(SingleLabel(LABELS, gold, LOGITS, TEXTS), temperature=2.0)
    inside = figures(SingleLabel(LABELS, GOLD[100:], LOGITS[100:], TEXTS[100:]), temperature=2.0)
    assert {name: found[name] for name in inside} == pytest.approx(inside)
    score, known = CHANCES.max(1), gold >= 0
    assert found["oos_auroc"] == pytest.approx(roc_auc_score(known, score))
    threshold = np.sort(score[known])[::-1][int(np.ceil(0.95 * known.sum())) - 1]
    assert found["oos_fpr_at_95"] == pytest.approx((score[~known] >= threshold).mean())


def test_scores_that_tie_are_worth_a_coin_toss() -> None:
    found = figures(SingleLabel(("a", "b"), np.array([0, 0, -1, -1]), np.ones((4, 2)), ("x",) * 4))
    assert (found["oos_auroc"], found["oos_fpr_at_95"]) == (0.5, 1.0)


def test_many_labels_as_scikit_learn_counts() -> None:
    gold = (LOGITS + DRAW.normal(size=LOGITS.shape) > 0.5).astype(np.int64)
    found = figures(MultiLabel(LABELS, gold, LOGITS, TEXTS), temperature=2.0)
    predicted, chances = (LOGITS >= 0).astype(int), 1 / (1 + np.exp(-LOGITS / 2))
    assert found == pytest.approx(
        {
            "micro_f1": f1_score(gold, predicted, average="micro"),
            "macro_f1": f1_score(gold, predicted, average="macro"),
            "subset_accuracy": (gold == predicted).all(1).mean(),
            "ece": expected_calibration_error(chances.ravel(), gold.ravel().astype(float)),
        }
    )


def test_spans_by_hand() -> None:
    gold = (frozenset({(0, 2, "name"), (5, 9, "place")}), frozenset({(1, 4, "name")}), frozenset({(0, 1, "date")}))
    predicted = (frozenset({(0, 2, "name"), (5, 8, "place")}), frozenset({(1, 4, "name"), (6, 7, "name")}), frozenset())
    spans = Spans(("name", "place", "card"), gold, predicted, ("x", "y", "z"))
    # 2 of 4 predicted are right, 2 of 4 gold are found; name has F1 0.8, place and date 0, card never occurs.
    assert figures(spans) == pytest.approx(
        {"micro_precision": 0.5, "micro_recall": 0.5, "micro_f1": 0.5, "macro_f1": 0.8 / 3}
    )
    rows = {row.label: row for row in per_class(spans)}
    assert (rows["name"].precision, rows["name"].recall, rows["name"].support) == (pytest.approx(2 / 3), 1.0, 2)
    assert (rows["date"].f1, np.isnan(rows["card"].f1)) == (0.0, True)


def test_nothing_to_find_and_nothing_found_is_undefined_and_not_zero() -> None:
    found = figures(Spans(("name",), (frozenset(),), (frozenset(),), ("x",)))
    assert all(np.isnan(value) for value in found.values())


def test_ranking_by_hand_and_as_scikit_learn_counts() -> None:
    gold = [np.array([0, 1, 0, 1]), np.array([1, 0]), np.array([0, 0])]
    scores = [np.array([0.9, 0.8, 0.7, 0.1]), np.array([0.9, 0.1]), np.array([0.9, 0.1])]
    found = figures(Ranking(tuple(gold), tuple(scores), ("q", "r", "s")))
    ndcg = np.mean([ndcg_score([g], [s], k=10) for g, s in zip(gold[:2], scores[:2], strict=True)])
    assert found == pytest.approx(
        {"mrr": 0.75, "map": (0.5 + 1) / 2, "hit_at_1": 0.5, "ndcg_at_10": ndcg, "queries_without_answer": 1}
    )
    assert len(per_class(Ranking(tuple(gold), tuple(scores), ("q", "r", "s")))) == 0
    long = DRAW.integers(2, size=30), DRAW.random(30)
    assert measure(Ranking((long[0],), (long[1],), ("q",)), "ndcg_at_10").figure() == pytest.approx(
        ndcg_score([long[0]], [long[1]], k=10)
    )


def test_a_model_that_scores_all_alike_gains_nothing_by_it() -> None:
    tied = Ranking((np.array([1, 0, 0, 0]),), (np.zeros(4),), ("q",))
    assert figures(tied)["mrr"] == 0.25


def test_classes_and_confusions() -> None:
    single = SingleLabel(LABELS, GOLD, LOGITS, TEXTS)
    counts = confusion(single)
    assert (counts == confusion_matrix(GOLD, LOGITS.argmax(1), labels=range(6))).all()
    expected = precision_recall_fscore_support(GOLD, LOGITS.argmax(1), labels=range(6), zero_division=0)
    found = [(row.precision, row.recall, row.f1, row.support) for row in per_class(single)]
    assert np.allclose(np.array(found).T, expected)
    wrong = counts - np.diag(np.diag(counts))
    worst = most_confused(single, 3)
    assert [pair.count for pair in worst] == sorted(wrong.ravel())[::-1][:3]
    assert counts[LABELS.index(worst[0].gold), LABELS.index(worst[0].predicted)] == worst[0].count
    assert most_confused(SingleLabel(("a", "b"), np.array([1]), np.array([[0.0, 1.0]]), ("x",))) == []


def test_the_reliability_bins_add_up_to_the_calibration_error() -> None:
    single = SingleLabel(LABELS, GOLD, LOGITS, TEXTS)
    bins = reliability(single, temperature=2.0)
    assert sum(b.n for b in bins) == 400
    assert all(b.low <= b.confidence <= b.high for b in bins)
    ece = sum(b.n * abs(b.confidence - b.accuracy) for b in bins) / 400
    assert figures(single, temperature=2.0)["ece"] == pytest.approx(ece)


def test_an_unknown_figure_names_the_known_ones() -> None:
    single = SingleLabel(LABELS, GOLD, LOGITS, TEXTS)
    with pytest.raises(BadInput, match=r"no figure 'acuracy'.*accuracy, macro_f1, weighted_f1, ece, nll\."):
        measure(single, "acuracy")
    with pytest.raises(BadInput, match="oos_auroc"):  # no row is out of scope
        measure(single, "oos_auroc")
    with pytest.raises(BadInput, match="temperature"):
        figures(single, temperature=0.0)
