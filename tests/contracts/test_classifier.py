"""What every Classifier keeps: each label once, best first, probabilities that sum to one."""

import pytest

from openteller.runtime.protocols import Classifier

TEXTS = ["My card was swallowed", "我想申请贷款", "你好", "", "🙂", "x" * 20_000]


def test_labels_are_there_and_unique(classifier: Classifier) -> None:
    assert len(classifier.labels) > 1
    assert len(set(classifier.labels)) == len(classifier.labels)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_label_comes_once_best_first(classifier: Classifier, text: str) -> None:
    (scored,) = classifier.classify([text])
    assert sorted(one.label for one in scored) == sorted(classifier.labels)
    probabilities = [one.probability for one in scored]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)


def test_no_text_gives_no_answer(classifier: Classifier) -> None:
    assert classifier.classify([]) == []


def test_a_text_has_one_answer_whatever_stands_beside_it(classifier: Classifier) -> None:
    together = classifier.classify(TEXTS)
    assert len(together) == len(TEXTS)
    for text, scored in zip(TEXTS, together, strict=True):
        alone = {one.label: one.probability for one in classifier.classify([text])[0]}
        assert {one.label: one.probability for one in scored} == pytest.approx(alone, abs=0.02)


def test_texts_make_a_difference(classifier: Classifier) -> None:
    assert len({tuple(scored) for scored in map(tuple, classifier.classify(TEXTS))}) > 1
