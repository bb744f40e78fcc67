"""Fits the answer gate on the validation questions, and measures the road on either split.

    python benchmarks/answer_gate.py            measure on validation
    python benchmarks/answer_gate.py --fit      fit on validation, write src/openteller/assistant/gate.json
    python benchmarks/answer_gate.py --test     measure on the test split (look at it once, at the end)

Needs the demo bank in OPENTELLER_DATA_DIR and the extra `train` (scikit-learn) for --fit. The questions were written by
somebody who saw the articles' titles and answers but neither their questions nor the training data.
"""

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from openteller.assembly import Application
from openteller.assistant.dialogue import inquiry_of
from openteller.assistant.gate import FEATURES, evidence_of
from openteller.core.clock import local_date, utc_now
from openteller.core.records import Language, Outcome, visitor
from openteller.settings import load

QUESTIONS = Path("tests/acceptance/newcomer.yaml")
GATE = Path("src/openteller/assistant/gate.json")
PER_HIT = FEATURES[:-1]


def main() -> None:
    """Fit or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    sets = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    with closing(Application(load())) as application:
        application.warm()
        if given.fit:
            fit(collect(application, sets["validation"]))
            application.__dict__.pop("dialogue", None)
        measure(application, sets["test" if given.test else "validation"], sets["figures"])


def collect(application: Application, questions: dict[str, Any]) -> list[tuple[np.ndarray, list[bool], bool]]:
    """For each question: its hits' features (hits, 6), which hit is right, and whether there is an answer at all."""
    today, rows = local_date(utc_now(), application.settings.timezone), []
    principal = visitor("benchmark")
    for language in ("zh", "en"):
        asked = [(q["question"], {q["article"], *q.get("also", [])}) for q in questions[language]]
        asked += [(q, set()) for q in questions[f"unanswerable_{language}"]]
        for text, right in asked:
            reading = application.reader.read(text, today, application.shelf().names)
            hits = application.retriever.search(
                principal, text, vector=reading.vector, limit=8, on=today,
                reply_language=Language(reading.understanding.language.label).spoken,
            )  # fmt: skip
            features = [[evidence_of(h, reading.intents)[name] for name in PER_HIT] for h in hits]
            rows.append((np.array(features), [h.document.group_id in right for h in hits], bool(right)))
    return rows


def fit(rows: list[tuple[np.ndarray, list[bool], bool]]) -> None:
    """Fit ranking, then the calibrated answer probability with cross-validated figures, then the thresholds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    differences = [
        f[right.index(True)] - f[i] for f, right, _ in rows if any(right) for i in range(len(right)) if not right[i]
    ]
    stacked = np.vstack([differences, [-d for d in differences]])
    signs = np.array([1] * len(differences) + [0] * len(differences))
    rank = LogisticRegression(C=1.0, fit_intercept=False).fit(stacked, signs).coef_[0]
    x, y = [], []
    for features, right, _ in rows:
        scores = features @ rank
        order = np.argsort(-scores)
        margin = scores[order[0]] - scores[order[1]] if len(order) > 1 else 0.0
        x.append([*features[order[0]], margin])
        y.append(right[order[0]])
    model = LogisticRegression(C=3.0)
    chances = cross_val_predict(model, np.array(x), np.array(y), cv=5, method="predict_proba")[:, 1]
    model.fit(np.array(x), np.array(y))
    answerable = np.array([has for _, _, has in rows])
    table = []
    for threshold in np.arange(0.3, 0.96, 0.05):
        taken = chances >= threshold
        wrong = taken & ~np.array(y)
        table.append((threshold, (taken & answerable).sum() / answerable.sum(), wrong.sum() / max(1, taken.sum()),
                      (taken & ~answerable).sum() / (~answerable).sum()))  # fmt: skip
        print(
            "threshold {:.2f}: coverage {:.3f}  wrong among answered {:.3f}  unanswerable answered {:.3f}".format(
                *table[-1]
            )
        )
    # A bank would rather ask back than answer what it has no answer for.
    answer_at = next((float(t) for t, _, _, false in table if false == 0), 0.95)
    coverage, risk, false = next((c, r, f) for t, c, r, f in table if abs(t - answer_at) < 1e-9)
    content = {
        "rank": dict(zip(PER_HIT, np.round(rank, 4).tolist(), strict=True)),
        "answer": dict(zip(FEATURES, np.round(model.coef_[0], 4).tolist(), strict=True)),
        "bias": round(float(model.intercept_[0]), 4),
        "answer_at": round(answer_at, 2),
        "clarify_at": 0.2,
        "measured": {
            "on": "validation questions, 5-fold",
            "coverage": round(float(coverage), 3),
            "wrong_among_answered": round(float(risk), 3),
            "unanswerable_answered": round(float(false), 3),
        },
    }
    GATE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {GATE}: {content}")


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
        from openteller.products.figures import fill

        expected = fill(f"{{{{{product.id}.{kind}.{key}}}}}", {product.id: product}, "zh")
        ok = expected in turn.answer.text
        exact += ok
        if not ok:
            print(f"  figure {q['question'][:60]} {q['product']}.{q['key']}={expected} → {turn.answer.text[:70]!r}")
    print(f"figures: exact {exact}/{len(figures)} on {today}")


if __name__ == "__main__":
    main()
