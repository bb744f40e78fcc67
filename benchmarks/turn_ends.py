"""Fits what tells a finished utterance from one that goes on, and says how well it does.

    python benchmarks/turn_ends.py --hear zh [--limit 700]   speak the lines of recipes/data/turns, hear them at every pause
    python benchmarks/turn_ends.py --fit                     fit on what was heard, write src/openteller/voice/turn_ends.json
    python benchmarks/turn_ends.py                           cross-validated figures, by lines

A bar in a line is a place where somebody may pause without having finished. Each line is spoken by one of several voices with a
pause at every bar; at each pause that the speech detector sees, the recogniser and Smart Turn are asked, as in a call. What was
heard is kept below <data_dir>/benchmarks, so that a run goes on where the last was stopped. Needs the demo bank in
OPENTELLER_DATA_DIR, and the extra `train` (scikit-learn) for --fit.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from voice import Studio, silence

from openteller.assembly import Application
from openteller.core.segmenting import segmenter
from openteller.core.text import han_share, simplified
from openteller.recommendation.measures import area_under_curve
from openteller.runtime.protocols import Audio, Floats
from openteller.settings import load
from openteller.training.examples import authored, read_taxonomy
from openteller.voice import turns
from openteller.voice.detectors import RATE, WINDOW, SileroDetector, SmartTurn
from openteller.voice.inverse import written
from openteller.voice.turn_ends import TurnEnds, signs

LINES = Path("recipes/data/turns")
ENDS = Path("src/openteller/voice/turn_ends.json")
STRENGTH = 0.3  # inverse of the L2 penalty
SEEN, LEAST = 3, 0.05  # how often a sign was there; weights below are left out
TYPED = 1.0  # what a question counts that was typed, not said
COMMA = {"zh": "，", "en": ", "}
QUIET = 0.01  # of full scale
NEVER = 1e9  # seconds of patience
LAST = 1.0  # seconds of silence after the last word


class Pause(NamedTuple):
    """One pause of one line. over: Smart Turn's probability, None where nobody spoke; heard: whether somebody did."""

    line: str
    language: str
    text: str
    over: float | None
    ends: bool
    heard: bool

    def signs(self) -> Iterator[str]:
        """Its signs; nobody heard means no recogniser set a mark."""
        return (sign for sign in signs(self.text) if self.heard or not sign.startswith("mark"))


def main() -> None:
    """Hear, fit or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hear", choices=["zh", "en"])
    parser.add_argument("--limit", type=int, default=700, help="lines, in random order")
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    folder = load().data_dir / "benchmarks"
    if given.hear:
        with closing(Application(load())) as application:
            hear(Studio(application), given.hear, given.limit, folder / f"turns-{given.hear}.jsonl")
        return
    rows = [row for language in ("zh", "en") for row in pauses_of(folder / f"turns-{language}.jsonl", language)]
    rows += questions()
    measure(rows)
    if given.fit:
        write(rows)


def hear(studio: Studio, language: str, limit: int, file: Path) -> None:
    """Add what is heard at every pause of `limit` lines to `file`."""
    lines = list(enumerate((LINES / f"{language}.txt").read_text("utf-8").splitlines()))
    random.Random(0).shuffle(lines)
    known = {json.loads(row)["line"] for row in file.read_text("utf-8").splitlines()} if file.exists() else set()
    smart_turn = SmartTurn()
    with file.open("a", encoding="utf-8") as out:
        for done, (number, marked) in enumerate(lines[:limit]):
            if number in known:
                continue
            samples = spoken(studio, marked, language, number)
            pauses = list(paused(samples))
            for at, (speech, seconds) in enumerate(pauses):
                heard = studio.application.hearing.hear(Audio(speech, RATE))
                row: dict[str, Any] = {
                    "line": number, "marked": marked, "pause": at, "ends": at == len(pauses) - 1, "raw": heard.raw,
                    "text": heard.text, "language": heard.language, "probability": round(heard.probability, 4),
                    "over": round(smart_turn(speech), 4), "seconds": round(seconds, 2),
                }  # fmt: skip
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            print(f"{done + 1}/{limit}", end="\r", flush=True)


def pauses_of(file: Path, language: str) -> list[Pause]:
    """What was heard at every pause, and the text alone of the lines that nobody spoke."""
    told = [json.loads(row) for row in file.read_text("utf-8").splitlines()]
    spoken_lines = {row["line"] for row in told}
    rows = [
        Pause(f"{language} {row['line']}", language, row["text"], row["over"], row["ends"], True)
        for row in told
        if row["text"]
    ]
    for number, marked in enumerate((LINES / f"{language}.txt").read_text("utf-8").splitlines()):
        if number in spoken_lines:
            continue
        parts = marked.split("|")
        for count in range(1, len(parts) + 1):
            text = written("".join(parts[:count]), language)
            rows.append(Pause(f"{language} {number}", language, text, None, count == len(parts), False))
    return rows


def questions() -> Iterator[Pause]:
    """Whole questions to a bank, and each cut off after some word: what most callers say has no number in it."""
    chance = random.Random(0)
    for number, typed in enumerate(typed_questions()):
        text = simplified(typed)
        language = "zh" if han_share(text) > 0.5 else "en"
        words = [w for w in segmenter().cut(text, HMM=False) if language == "zh" or w.strip()]
        yield Pause(f"question {number}", language, text, None, True, False)
        if len(words) > 3:
            kept = chance.randrange(2, len(words) - 1)
            begun = ("" if language == "zh" else " ").join(words[:kept])
            yield Pause(f"question {number}", language, begun, None, False, False)


def typed_questions() -> Iterator[str]:
    """What customers write to a bank, and how a bank's FAQ and its topics put it."""
    folder = Path("recipes/data/understanding")
    yield from (example.text for example in authored(folder, read_taxonomy(folder / "TAXONOMY.yaml")))
    topics = set()
    for file in sorted(Path("recipes/data/retrieval").glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            entry = json.loads(line)
            yield from (entry["question"], *entry["asked"])
            topics.add(entry["topic"])
    yield from sorted(topics)


def measure(rows: list[Pause]) -> None:
    """What cross-validation says of pauses that were heard."""
    chances = cross_validated(rows)
    for language in ("zh", "en"):
        which = [i for i, row in enumerate(rows) if row.heard and row.language == language]
        ends = np.array([rows[i].ends for i in which])
        found = chances[which]
        print(f"{language}: {len(which)} pauses, {ends.sum()} of them ends; AUC {area_under_curve(found, ends):.3f}")
        print(f"  Smart Turn alone {area_under_curve(np.array([rows[i].over for i in which]), ends):.3f}")
        for threshold in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
            over = found >= threshold
            print(
                f"  from {threshold}: {np.mean(over[ends]):.3f} of the ends, {np.mean(over[~ends]):.3f} of the others"
            )


def cross_validated(rows: list[Pause], folds: int = 5) -> np.ndarray:
    """(n,) probabilities, each from a fit that did not see the line."""
    chances = np.zeros(len(rows))
    lines = sorted({row.line for row in rows})
    fold_of = {line: number % folds for number, line in enumerate(random.Random(0).sample(lines, len(lines)))}
    for fold in range(folds):
        learnt = fit([row for row in rows if fold_of[row.line] != fold])
        for i, row in enumerate(rows):
            if fold_of[row.line] == fold and row.heard:
                chances[i] = learnt.probability(row.text)
    return chances


def fit(rows: list[Pause]) -> TurnEnds:
    """The weights of the signs."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    counts = Counter(sign for row in rows for sign in row.signs())
    told = [{sign: 1.0 for sign in row.signs() if counts[sign] >= SEEN} for row in rows]
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform(told)
    weights = np.array([TYPED if row.line.startswith("question") else 1.0 for row in rows])
    learnt = LogisticRegression(C=STRENGTH, max_iter=2000, solver="lbfgs")
    learnt.fit(table, np.array([row.ends for row in rows]), sample_weight=weights)
    kept = {
        name: round(float(weight), 3)
        for name, weight in zip(vectorizer.feature_names_, learnt.coef_[0], strict=True)
        if abs(weight) >= LEAST
    }
    return TurnEnds(round(float(learnt.intercept_[0]), 3), kept)


def write(rows: list[Pause]) -> None:
    """Fit on everything and write it where it ships."""
    learnt = fit(rows)
    told = {"bias": learnt.bias, "weights": dict(sorted(learnt.weights.items()))}
    ENDS.write_text(json.dumps(told, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"{ENDS}: {len(learnt.weights)} signs, {ENDS.stat().st_size / 1024:.0f} KiB")


def spoken(studio: Studio, marked: str, language: str, number: int) -> Floats:
    """A line with a pause of 0.5 to 1.4 s at every bar.

    Every other line is spoken as one sentence and drawn apart where it is quietest, so that its intonation goes on over the
    pause; the parts of the rest are spoken one by one, each falling as if it were the last.
    """
    chance, parts = random.Random(number), marked.split("|")
    if number % 2 and len(parts) > 1:
        said = [part.strip().rstrip(",，") for part in parts]
        sounds = apart(studio.speak(COMMA[language].join(said), language, number), len(parts))
    else:
        sounds = [studio.speak(part.strip(), language, number) for part in parts]
    pieces = [silence(0.3)]
    for count, sound in enumerate(sounds):
        pieces += [silence(chance.uniform(0.5, 1.4))] * (count > 0) + [sound]
    return np.concatenate([*pieces, silence(LAST)])


def apart(samples: Floats, count: int) -> list[Floats]:
    """`samples` cut in the middle of its longest quiet stretches into at most `count` pieces."""
    frame = RATE // 100
    loud = np.abs(samples[: len(samples) // frame * frame]).reshape(-1, frame).max(axis=1) > QUIET
    edges = np.flatnonzero(np.diff(np.concatenate([[1], loud.astype(int), [1]])))
    gaps = [(b - a, (a + b) // 2) for a, b in zip(edges[::2], edges[1::2], strict=True) if a > 0 and b < len(loud)]
    places = sorted(middle * frame for _, middle in sorted(gaps)[::-1][: count - 1])
    return list(np.split(samples, places))


def paused(samples: Floats) -> Iterator[tuple[Floats, float]]:
    """The speech up to each pause, and how many seconds the pause lasted."""
    speaks, taking, seen = SileroDetector(), turns.TurnTaking(unknown=NEVER), None
    for start in range(0, len(samples) - WINDOW + 1, WINDOW):
        window = samples[start : start + WINDOW]
        silence_before = taking.silence
        for event in taking.hear(window, speaks(window)):
            if isinstance(event, turns.Pause):
                seen = event.speech
            elif isinstance(event, turns.Resumed) and seen is not None:
                yield seen, silence_before
                seen = None
    if seen is not None:
        yield seen, taking.silence


if __name__ == "__main__":
    main()
