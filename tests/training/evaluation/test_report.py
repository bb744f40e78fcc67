"""Reports: complete, safe in JSON, XML and HTML, and readable."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from defusedxml import ElementTree
from matplotlib.image import imread

from openteller.core.errors import BadInput
from openteller.training.evaluation import pictures
from openteller.training.evaluation.figures import figures
from openteller.training.evaluation.page import page
from openteller.training.evaluation.predictions import MultiLabel, Ranking, SingleLabel, Spans
from openteller.training.evaluation.rendering import table, write
from openteller.training.evaluation.report import Report, build, printable

Simulation = Callable[..., SingleLabel]
LABELS = ("转账失败", '<img src="http://x"> & co', "cost in $ and $", "never said", "[red]\x1b[31m\ud800", "smile 🙂")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def report(simulated: Simulation) -> Report:
    """A report with everything in it, on hostile labels; "never said" is neither gold nor predicted."""
    known = simulated(120, 0.8, k=5)
    spread = np.insert(known.logits, 3, -9, axis=1)
    gold = known.gold + (known.gold >= 3)
    texts = ("customer 4711 wrote this",) * 120
    candidate = SingleLabel(LABELS, gold, spread, texts, {"customer": ("retail", "business") * 60})
    champion = replace(candidate, logits=np.roll(spread, 1, axis=0))
    before = {"accuracy": 0.5, "macro_f1": 0.4}
    given: dict[str, Any] = {"before": before, "champion": champion, "latency": {"p95_ms": 8.5}}
    moment = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
    return build(candidate, title="A <report>", dataset="d&d.jsonl", model="e5", samples=50, created_at=moment, **given)


def test_a_report_holds_what_was_measured(report: Report) -> None:
    assert report.figures["accuracy"].low < report.figures["accuracy"].value < report.figures["accuracy"].high
    assert [c.metric for c in report.comparisons] == ["accuracy", "macro_f1"]
    assert report.comparisons[0].better
    assert report.confusion is not None
    assert report.confusion.sum() == report.n == 120
    assert sum(b.n for b in report.reliability) == 120
    assert {row.dimension for row in report.slices} == {"length", "script", "customer"}
    assert [gap.dimension for gap in report.gaps] == ["customer"]


def test_json_has_no_nan_and_none_of_the_texts(report: Report) -> None:
    text = json.dumps(report.as_dict(), allow_nan=False)
    read = json.loads(text)
    assert "4711" not in text
    assert read["created_at"] == "2026-11-26T09:30:00+00:00"
    assert read["per_class"][3] == {"label": "never said", "precision": None, "recall": None, "f1": None, "support": 0}
    assert sum(cell["count"] for cell in read["confusion"]) == 120
    assert read["figures"]["accuracy"]["value"] == report.figures["accuracy"].value


def test_junit_fails_what_is_worse_than_its_threshold(report: Report) -> None:
    accuracy = report.figures["accuracy"].value
    limits = {"accuracy": accuracy, "macro_f1": 0.99, "ece": 0.0001, "nll": 99.0, "p95_ms": 8.0}
    suite = ElementTree.fromstring(report.as_junit(limits))
    failed = {case.get("name"): case.find("failure") for case in suite if case.find("failure") is not None}
    assert (suite.get("tests"), suite.get("failures"), suite.get("name")) == ("5", "3", "A <report>")
    assert set(failed) == {"macro_f1", "ece", "p95_ms"}
    assert failed["ece"].get("message").endswith("above 0.0001")
    assert '<img src="http://x"> & co: F1' in failed["macro_f1"].text  # read back as it was written
    with pytest.raises(BadInput, match=r"'f1'.*accuracy"):
        report.as_junit({"f1": 0.5})


def test_an_undefined_figure_passes_no_threshold() -> None:
    empty = build(Spans(("name",), (frozenset(),), (frozenset(),), ("x",)), title="t", dataset="d", model="m")
    assert empty.as_dict()["figures"]["micro_f1"] == {"value": None, "low": None, "high": None}
    assert 'failures="1"' in empty.as_junit({"micro_f1": 0.0})


def test_the_table_begins_with_before_and_after_and_ends_classes_at_twenty(simulated: Simulation) -> None:
    rows = simulated(300, 0.7, k=25)
    report = build(rows, title="t", dataset="d", model="m", before={"accuracy": 0.5}, samples=20)
    text = table(report)
    value = report.figures["accuracy"].value
    assert f"0.5000   {value:.4f}   {value - 0.5:+.4f}" in text
    assert text.index("before") < text.index("Classes, worst first (20 of 25)") < text.index("Slices")
    worst = sorted(report.per_class, key=lambda row: row.f1)
    assert text.index(worst[0].label) < text.index(worst[1].label)
    assert "\x1b" not in text


def test_labels_command_neither_rich_nor_the_terminal(report: Report) -> None:
    text = table(report)
    assert "[red]\ufffd[31m\ufffd" in text
    assert "转账失败" in text
    assert printable("two\nlines\x00") == "two lines\ufffd"


def test_the_page_escapes_labels_and_fetches_nothing(report: Report, tmp_path: Path) -> None:
    written = {path.name: path for path in write(report, tmp_path / "new")}
    assert list(written) == ["report.json", "confusion.png", "reliability.png", "report.html"]
    assert json.loads(written["report.json"].read_text(encoding="utf-8"))["labels"][4].startswith("[red]\x1b")
    text = written["report.html"].read_text(encoding="utf-8")
    assert "<td>&lt;img src=&quot;http://x&quot;&gt; &amp; co</td>" in text
    assert "<title>A &lt;report&gt;</title>" in text
    assert "<img src" not in text
    assert 'src="http' not in text
    assert "default-src 'none'" in text
    assert text.count("plotly.js v") == 1
    assert [text.count(f'<div id="chart{i}"') for i in range(4)] == [1, 1, 1, 0]
    assert "$ and $" not in text.split("Plotly.newPlot(", 1)[1].split("</script>")[0]  # plotly would read a formula


def test_the_pictures_show_something(report: Report) -> None:
    for picture in (pictures.confusion_picture(report), pictures.reliability_picture(report)):
        assert picture is not None
        assert picture.startswith(SIGNATURE)
        assert _pixels(picture).std() > 0.05


def test_labels_that_no_font_draws_become_numbers(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def keep(axes: Any, places: Any, names: list[str], **style: Any) -> None:
        seen.append(names)

    monkeypatch.setattr("matplotlib.axes.Axes.set_yticks", keep)
    monkeypatch.setattr(pictures, "_fonts", lambda: (["DejaVu Sans"], frozenset(map(chr, range(32, 127)))))
    assert pictures.confusion_picture(report) is not None
    assert seen[0] == ["no. 1", '<img src="http://x"> & co', "cost in $ and $", "never said", "no. 5", "no. 6"]


def test_of_many_classes_the_most_confused_are_drawn(simulated: Simulation) -> None:
    counts = np.diag(np.full(70, 9))
    assert len(pictures.most_confused_classes(counts[:60, :60])) == 60
    counts[65, 3] = 5
    chosen = pictures.most_confused_classes(counts).tolist()
    assert len(chosen) == 40
    assert {3, 65} < set(chosen)
    assert chosen == sorted(chosen)
    report = build(simulated(300, 0.5, k=61), title="t", dataset="d", model="m", samples=2)
    picture = pictures.confusion_picture(report)
    assert picture is not None
    assert min(_pixels(picture).shape[:2]) > 1000


@pytest.mark.parametrize(
    "predictions",
    [
        MultiLabel(("a", "b"), np.eye(2, dtype=int), np.eye(2), ("x", "y")),
        Spans(("name",), (frozenset({(0, 1, "name")}),), (frozenset(),), ("x",)),
        Ranking((np.array([0, 1]),), (np.array([0.2, 0.9]),), ("q",)),
    ],
)
def test_every_kind_is_reported(predictions: MultiLabel | Spans | Ranking, tmp_path: Path) -> None:
    report = build(predictions, title="t", dataset="d", model="m", samples=20)
    assert {n: f.value for n, f in report.figures.items()} == figures(predictions)
    names = [path.name for path in write(report, tmp_path)]
    assert ("reliability.png" in names) == isinstance(predictions, MultiLabel)
    assert "confusion.png" not in names
    assert next(iter(report.figures)) in table(report)
    assert page(report).count("<h2>Slices") == 2


def _pixels(picture: bytes) -> np.ndarray:
    return np.asarray(imread(BytesIO(picture), format="png"))
