"""Gates: read as a person writes them, passed and failed at their very bounds, never passed by what was not measured."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput, ConfigurationError, UnreadableFile
from openteller.registry.evidence import Figures, figures_of
from openteller.registry.gates import judge, parse, read_gates
from tests.registry.artefacts import make_artefact, report, write_report

CANDIDATE = Figures(values={"accuracy": 0.92, "nll": 0.30}, files=frozenset({"encoder.int8.onnx"}))
CHAMPION = Figures(values={"accuracy": 0.925, "nll": 0.29})


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("accuracy >= 0.92", True),
        ("accuracy>=0.92", True),
        ("accuracy > 0.92", False),
        ("accuracy >= 0.9201", False),
        ("nll <= 0.3", True),
        ("nll < 3e-1", False),
        ("nll < 0.31", True),
        ("accuracy >= champion", False),
        ("accuracy >= champion - 0.005", True),
        ("accuracy  >=  champion -0.004", False),
        ("nll <= champion + 0.01", True),
        ("nll <= champion", False),
        ("accuracy present", True),
        ("encoder.int8.onnx present", True),
        ("encoder.onnx present", False),
        ("parity present", False),
        ("parity >= 0", False),
        ("parity >= champion", False),
    ],
)
def test_what_passes(text: str, passed: bool) -> None:
    (verdict,) = judge([parse(text)], CANDIDATE, CHAMPION)
    assert verdict.passed is passed
    assert verdict.gate == " ".join(text.split())
    assert str(verdict).startswith(f"{verdict.gate}: {'passed' if passed else 'failed'}")


def test_a_verdict_names_its_figures() -> None:
    (verdict,) = judge([parse("accuracy >= champion + 0.01")], CANDIDATE, CHAMPION)
    assert (verdict.found, verdict.wanted) == (0.92, 0.935)
    assert str(verdict) == "accuracy >= champion + 0.01: failed (0.9200, wanted 0.9350)"


def test_without_a_champion_a_relative_gate_says_so() -> None:
    first, missing = judge([parse("accuracy >= champion - 0.005"), parse("f1 >= champion")], CANDIDATE, None)
    assert (first.passed, first.note) == (True, "there is no champion yet")
    assert (missing.passed, missing.note) == (False, "f1 was not measured")


def test_a_champion_without_the_figure_is_no_excuse() -> None:
    (verdict,) = judge([parse("accuracy >= champion")], CANDIDATE, Figures(values={}))
    assert (verdict.passed, verdict.note) == (False, "accuracy of the champion was not measured")


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy = 0.9", "accuracy >= ", "accuracy >= best", ">= 0.9", "accuracy >= nan",
             "accuracy >= 0.9 or so", "accuracy >= champion 0.1", "准确率 >= 0.9"],
)  # fmt: skip
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no gate"):
        parse(text)


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([">=", ">", "<=", "<"]))
def test_a_gate_is_the_comparison_that_it_says(found: float, bound: float, relation: str) -> None:
    found, bound = round(found, 4), round(bound, 4)
    (verdict,) = judge([parse(f"x {relation} {bound}")], Figures(values={"x": found}), None)
    meant = {">=": found >= bound, ">": found > bound, "<=": found <= bound, "<": found < bound}
    assert verdict.passed is meant[relation]


def test_the_file_of_gates_has_those_of_every_slot_first(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    assert read_gates(path, "toy") == ()
    path.write_text('"*": [macro_f1 >= champion - 0.005]\ntoy:\n  - accuracy >= 0.92\n', "utf-8")
    assert [g.text for g in read_gates(path, "toy")] == ["macro_f1 >= champion - 0.005", "accuracy >= 0.92"]
    assert [g.text for g in read_gates(path, "other")] == ["macro_f1 >= champion - 0.005"]
    path.write_text("", "utf-8")
    assert read_gates(path, "toy") == ()


@pytest.mark.parametrize("body", ["- accuracy >= 0.9\n", "toy: accuracy >= 0.9\n", "toy: [", "\x00"])
def test_what_is_no_file_of_gates_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "gates.yaml").write_text(body, "utf-8")
    with pytest.raises(ConfigurationError, match=r"gates\.yaml"):
        read_gates(tmp_path / "gates.yaml", "toy")


def test_a_wrong_line_of_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("toy: [accuracy is good]\n", "utf-8")
    with pytest.raises(BadInput, match="accuracy is good"):
        read_gates(tmp_path / "gates.yaml", "toy")


def test_the_figures_of_an_artefact_are_its_manifests_and_its_reports(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a", 0.9)
    assert "report.accuracy" not in figures_of(folder)
    write_report(folder, 0.88)
    found = figures_of(folder)
    assert found.values["accuracy"] == 0.9
    assert found.values["report.accuracy"] == 0.88
    assert found.values["report.accuracy.low"] == pytest.approx(0.85)
    assert found.values["report.torch_ms_p95"] == 12.5
    assert "report.oos_auroc" not in found
    assert "encoder.safetensors" in found
    assert found.measured_on == "200 rows of held.jsonl"


@pytest.mark.parametrize("changes", [{"model": "another"}, {"created_at": "2026-11-23T09:59:59+00:00"}])
def test_a_report_of_something_else_is_passed_over(tmp_path: Path, changes: dict[str, object]) -> None:
    folder = make_artefact(tmp_path / "a")
    write_report(folder, **changes)
    assert "report.accuracy" not in figures_of(folder)


def test_a_report_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a")
    (folder / "report.json").write_text('{"figures": {"perplexity": 9.1}, "curve": [], "samples": []}', "utf-8")
    assert "report.perplexity" not in figures_of(folder)


@pytest.mark.parametrize("body", ["{", "[]", '{"dataset": "x"}'])
def test_a_damaged_report_is_named(tmp_path: Path, body: str) -> None:
    folder = make_artefact(tmp_path / "a")
    (folder / "report.json").write_text(body, "utf-8")
    with pytest.raises(UnreadableFile, match=r"report\.json"):
        figures_of(folder)


def test_reports_on_other_rows_are_not_held_against_each_other(tmp_path: Path) -> None:
    one, two = (make_artefact(tmp_path / name) for name in "ab")
    write_report(one, 0.9)
    write_report(two, 0.8, dataset="easier.jsonl")
    (verdict,) = judge([parse("report.accuracy >= champion")], figures_of(one), figures_of(two))
    assert not verdict.passed
    assert "200 rows of easier.jsonl" in verdict.note
    write_report(two, 0.8)
    (verdict,) = judge([parse("report.accuracy >= champion")], figures_of(one), figures_of(two))
    assert (verdict.passed, verdict.found, verdict.wanted) == (True, 0.9, 0.8)


def test_the_sample_report_has_the_keys_of_a_real_one() -> None:
    import dataclasses

    training = pytest.importorskip("openteller.training.evaluation.report")
    real = {field.name for field in dataclasses.fields(training.Report)}
    assert set(report()) <= real
