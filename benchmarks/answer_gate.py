"""Fits the answer gate on questions of its own, and measures the road with the newcomer questions.

    python benchmarks/answer_gate.py            measure on validation
    python benchmarks/answer_gate.py --fit      fit on recipes/data/gate, write src/openteller/assistant/gate.json
    python benchmarks/answer_gate.py --test     measure on the test split (look at it once, at the end)

Needs the demo bank in OPENTELLER_DATA_DIR and the extra `train` (scikit-learn) for --fit, which also makes a second index
of the articles with one question each, to judge documents that carry neither an intent nor variants of the question.
Whoever wrote a question saw the articles' titles and answers, but neither their questions nor the training data.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from throwaway import installation

from openteller.assembly import Application
from openteller.assistant.dialogue import inquiry_of
from openteller.assistant.gate import FEATURES, RANKED_BY, as_weights, evidence_of, plain
from openteller.core.clock import local_date, utc_now
from openteller.core.records import Language, Outcome, visitor
from openteller.products.figures import fill
from openteller.settings import load

QUESTIONS = Path("tests/acceptance/newcomer.yaml")
FITTED_ON = Path("recipes/data/gate")
GATE = Path("src/openteller/assistant/gate.json")
FOLDS = 5
SUGGESTED = 3
# A bank would rather ask back than answer what it has no answer for: most of these may be answered, cross-validated.
UNANSWERABLE_ANSWERED = 0.03
# … and rather ask back than refuse: most of the answerable, with the right document among the first three, to be refused.
ANSWERABLE_REFUSED = 0.02
# The order of documents without an intent, chosen on a foreign bank's FAQ (faq_import.py): weights fitted on the demo bank,
# whose articles the encoder knows, trust its answers' texts too much.
PLAIN_RANK = {"question": 0.8, "body": 0.2, "lexical": 0.3}


class Searched(NamedTuple):
    """A question's hits: their features (hits, features), which is right (hits,), and whether the bank has an answer."""

    features: np.ndarray
    right: np.ndarray
    answerable: bool


def main() -> None:
    """Fit or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    sets = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    with closing(Application(load())) as application:
        if given.fit:
            with without_variants(application) as bare:
                fit(*([row for language in ("zh", "en") for row in collect(a, language)] for a in (application, bare)))
        application.warm()
        measure(application, sets["test" if given.test else "validation"], sets["figures"])


@contextmanager
def without_variants(application: Application) -> Iterator[Application]:
    """An installation of its own with the same documents, without intents and with one wording of the question."""
    with installation(application.settings) as bare:
        documents = application.library.list(visitor("benchmark"), limit=10_000)
        stripped = [
            d.model_copy(update={"intent": None, "questions": d.questions[:1], "supersedes": None}) for d in documents
        ]
        bare.library.add(stripped, progress=lambda done, total: print(f"{done}/{total}", end="\r"))
        yield bare


def collect(application: Application, language: str) -> list[Searched]:
    """Search with every question of `recipes/data/gate`."""
    today, principal, rows = local_date(utc_now(), application.settings.timezone), visitor("benchmark"), []
    questions = yaml.safe_load((FITTED_ON / f"{language}.yaml").read_text(encoding="utf-8"))
    asked = [(q["question"], {q["article"], *q.get("also", [])}) for q in questions["answerable"]]
    for text, right in [*asked, *((q, set[str]()) for q in questions["unanswerable"])]:
        reading = application.reader.read(text, today, application.shelf().names)
        hits = application.retriever.search(
            principal, text, vector=reading.vector, limit=8, on=today,
            reply_language=Language(reading.understanding.language.label).spoken,
        )  # fmt: skip
        which = np.array([h.document.group_id in right for h in hits])
        rows.append(Searched(evidence_of(hits, reading.intents), which, bool(right)))
    return rows


def fit(rows: list[Searched], bare: list[Searched]) -> None:
    """Fit the order and the probabilities, print what cross-validation says of every threshold, and write the gate.

    Args:
        rows: searched among the documents as they are.
        bare: searched among the same without intents and with one question each.
    """
    bare = [row._replace(features=plain(row.features)) for row in bare]
    rank = dict(zip(FEATURES, fit_rank(rows).round(4).tolist(), strict=True))
    scales = {
        "with_intent": scale(rows, rank, fit_rank),
        "plain": scale(bare, PLAIN_RANK, lambda _: as_weights(PLAIN_RANK)),
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in scales.items())
    GATE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"wrote {GATE}")


def scale(
    rows: list[Searched], rank: Mapping[str, float], rank_of: Callable[[list[Searched]], np.ndarray]
) -> dict[str, Any]:
    """One kind's scale: its order is given, its thresholds come from cross-validation with `rank_of`."""
    table, refused = cross_validated(rows, rank_of)
    answer_at = next((t for t in table if table[t]["unanswerable_answered"] <= UNANSWERABLE_ANSWERED), max(table))
    clarify_at = max((t for t in refused if refused[t] <= ANSWERABLE_REFUSED), default=0.0)
    print(f"answers from {answer_at}, asks back from {clarify_at}")
    return {
        "measured": {"on": f"{FITTED_ON}, {FOLDS}-fold", **table[answer_at], "answerable_refused": refused[clarify_at]},
        "answer_at": answer_at,
        "clarify_at": clarify_at,
        "rank": rank,
        "trees": flat(fit_trees(rows)),
    }


def cross_validated(
    rows: list[Searched], rank_of: Callable[[list[Searched]], np.ndarray]
) -> tuple[dict[float, dict[str, float]], dict[float, float]]:
    """Threshold → shares answered rightly, wrong among the answered, and of the unanswerable answered; and threshold →
    share refused of the answerable whose document is among the first three.
    """
    from sklearn.model_selection import KFold

    right, near, chance = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool), np.zeros(len(rows))
    for known, held in KFold(FOLDS, shuffle=True, random_state=0).split(rows):
        rank = rank_of([rows[i] for i in known])
        trees = fit_trees([rows[i] for i in known])
        for i in held:
            order = np.argsort(-(rows[i].features @ rank))
            best, near[i] = int(order[0]), rows[i].right[order[:SUGGESTED]].any()
            right[i], chance[i] = rows[i].right[best], trees.predict_proba(rows[i].features)[best, 1]
    answerable = np.array([row.answerable for row in rows])
    print(
        f"{len(rows)} questions, {FOLDS} folds: right article first {right[answerable].mean():.3f} of those answerable"
    )
    table = {}
    for threshold in np.arange(0.5, 0.96, 0.01).round(2).tolist():
        taken = chance >= threshold
        table[threshold] = {
            "answered_rightly": round(float((taken & right).sum() / answerable.sum()), 3),
            "wrong_among_answered": round(float((taken & ~right).sum() / max(1, taken.sum())), 3),
            "unanswerable_answered": round(float((taken & ~answerable).sum() / (~answerable).sum()), 3),
        }
        if round(threshold * 100) % 5 == 0:
            print(f"from {threshold:.2f}: " + "  ".join(f"{n} {share:.3f}" for n, share in table[threshold].items()))
    refused = {t: round(float((chance[near] < t).mean()), 3) for t in np.arange(0.01, 0.21, 0.01).round(2).tolist()}
    return table, refused


def fit_rank(rows: list[Searched]) -> np.ndarray:
    """(features,) weights, pairwise logistic: a right hit minus each wrong one of its search is a positive example."""
    from sklearn.linear_model import LogisticRegression

    differences = np.vstack([
        row.features[row.right.argmax()] - row.features[~row.right] for row in rows if row.right.any()
    ])  # fmt: skip
    used = [list(FEATURES).index(name) for name in RANKED_BY]
    both = np.vstack([differences, -differences])[:, used]
    weights = np.zeros(len(FEATURES))
    weights[used] = LogisticRegression(fit_intercept=False).fit(both, np.repeat([1, 0], len(differences))).coef_[0]
    return weights


def fit_trees(rows: list[Searched]) -> Any:
    """Boosted trees over single hits: is this one right? Monotone in the direction that `FEATURES` says."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=75, max_leaf_nodes=6, min_samples_leaf=30, l2_regularization=1.0,
        early_stopping=False, monotonic_cst=list(FEATURES.values()), random_state=0,
    ).fit(np.vstack([row.features for row in rows]), np.hstack([row.right for row in rows]))  # fmt: skip


def flat(trees: Any) -> dict[str, Any]:
    """scikit-learn's trees as one table of nodes, the way `Trees` reads them; leaves lead to themselves."""
    table: dict[str, Any] = {name: [] for name in ("feature", "threshold", "left", "right", "value", "roots")}
    deepest = 0
    for (tree,) in trees._predictors:
        start = len(table["feature"])
        table["roots"].append(start)
        for i, node in enumerate(tree.nodes):
            leaf = bool(node["is_leaf"])
            table["feature"].append(0 if leaf else int(node["feature_idx"]))
            table["threshold"].append(0.0 if leaf else round(float(node["num_threshold"]), 6))
            table["left"].append(start + (i if leaf else int(node["left"])))
            table["right"].append(start + (i if leaf else int(node["right"])))
            table["value"].append(round(float(node["value"]), 6) if leaf else 0.0)
            deepest = max(deepest, int(node["depth"]))
    return table | {"depth": deepest, "bias": round(float(trees._baseline_prediction.item()), 6)}


def measure(application: Application, questions: dict[str, Any], figures: list[dict[str, str]]) -> None:
    """Walk the whole road with every question and print what came out."""
    today = local_date(utc_now(), application.settings.timezone)
    for language in ("zh", "en"):
        first = answered = 0
        for q in questions[language]:
            turn = application.dialogue.walk(inquiry_of(q["question"]), visitor("benchmark"))
            cited = [c.document_id.split(":")[0] for c in turn.answer.citations]
            right = bool(cited) and cited[0] in {q["article"], *q.get("also", [])}
            first += right
            answered += right and turn.answer.outcome is Outcome.ANSWERED
            if not right or turn.answer.outcome is not Outcome.ANSWERED:
                print(
                    f"  {turn.answer.outcome:10} {turn.answer.confidence:.2f} {q['question'][:60]} → {cited[:1]} not {q['article']}"
                )
        wrongly = [
            q for q in questions[f"unanswerable_{language}"]
            if application.dialogue.walk(inquiry_of(q), visitor("benchmark")).answer.outcome is Outcome.ANSWERED
        ]  # fmt: skip
        total = len(questions[language])
        print(f"{language}: right article first {first}/{total}, answered with it {answered}/{total}, "
              f"unanswerable answered {len(wrongly)}/{len(questions[f'unanswerable_{language}'])}: {wrongly}")  # fmt: skip
    exact = 0
    for q in figures:
        turn = application.dialogue.walk(inquiry_of(q["question"]), visitor("benchmark"))
        product = application.shelf().products[q["product"]]
        kind, key = q["key"].split(".")
        expected = fill(f"{{{{{product.id}.{kind}.{key}}}}}", {product.id: product}, "zh")
        ok = expected in turn.answer.text
        exact += ok
        if not ok:
            print(f"  figure {q['question'][:60]} {q['product']}.{q['key']}={expected} → {turn.answer.text[:70]!r}")
    print(f"figures: exact {exact}/{len(figures)} on {today}")


if __name__ == "__main__":
    main()
