"""The card: what the manifest and the evaluation say, in the Hub's layout, and no more."""

from pathlib import Path

import pytest
import yaml

from openteller.core.errors import ModelUnavailable
from openteller.registry.card import card, write_card
from openteller.registry.manifest import read_manifest, write_manifest
from openteller.registry.purposes import kind_of, purpose_of
from openteller.runtime.loader import SERVED, shipped_artefact
from tests.registry.artefacts import make_artefact, write_report

SECTIONS = [
    "What it is", "Intended use and limits", "Training data", "How it was trained", "Figures", "Calibration",
    "Energy and time", "Files",
]  # fmt: skip


def header(text: str) -> dict[str, object]:
    _, matter, _ = text.split("---\n", 2)
    return dict(yaml.safe_load(matter))


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_front_matter_is_the_hubs(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a")
    write_report(folder, 0.88)
    found = header(card(folder))
    assert (found["license"], found["language"]) == ("apache-2.0", ["zh", "en"])
    assert found["base_model"] == "intfloat/multilingual-e5-small"
    assert found["pipeline_tag"] == "text-classification"
    assert found["metrics"] == ["accuracy", "nll", "ece"]
    hub = pytest.importorskip("huggingface_hub")
    read = hub.ModelCard(card(folder)).data
    results = {(r.dataset_name, r.metric_type): r.metric_value for r in read.eval_results}
    assert results["validation rows held out of the training data", "accuracy"] == 0.9
    assert results["held.jsonl", "accuracy"] == 0.88
    assert ("held.jsonl", "oos_auroc") not in results
    assert read.model_name == "toy"


def test_a_licence_that_is_none_of_the_hubs_is_other_with_its_name(tmp_path: Path) -> None:
    found = header(card(make_artefact(tmp_path / "a", licence="that of the training data")))
    assert (found["license"], found["license_name"]) == ("other", "that of the training data")


def test_the_sections_in_their_order(tmp_path: Path) -> None:
    text = card(make_artefact(tmp_path / "a"))
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert "- Sentences of our own | Apache-2.0" in section(text, "Training data")
    assert "- train rows: 1,200" in section(text, "Training data")
    assert "| `learning_rate` | 0.0002 |" in section(text, "How it was trained")
    assert "- `label` (2): `no`, `yes`" in section(text, "What it is")
    assert "`label`: logits are divided by 1.5000" in section(text, "Calibration")
    assert "ece, validation: 0.0400" in section(text, "Calibration")
    assert "without a person" in section(text, "Intended use and limits")


def test_an_evaluation_brings_intervals_slices_and_latency(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a")
    assert "No evaluation" in section(card(folder), "Figures")
    comparison = {
        "metric": "accuracy", "champion": 0.86, "candidate": 0.88, "difference": 0.02, "low": 0.001, "high": 0.04,
        "p_value": 0.03, "test": "mcnemar",
    }  # fmt: skip
    write_report(folder, 0.88, comparisons=[comparison])
    text = section(card(folder), "Figures")
    assert "On 200 rows of held.jsonl, measured 2026-11-23" in text
    assert "| accuracy | 0.8800 | 0.8500 to 0.9100 |" in text
    assert "| oos_auroc | - | - |" in text
    assert "| script | zh | 120 | 0.9100 | 0.8500 to 0.9500 |" in text
    assert "- script: en is 0.0600 behind zh" in text
    assert "| torch_ms_p95 | 12.50 |" in text
    assert "| accuracy | 0.8600 | 0.8800 | 0.0010 to 0.0400 | 0.0300 (mcnemar) |" in text


def test_the_energy_is_an_estimate_that_says_how(tmp_path: Path) -> None:
    text = section(card(make_artefact(tmp_path / "a")), "Energy and time")
    assert "30.0 minutes on 4 cores of Test CPU 3000." in text
    assert "about 0.03 kWh" in text  # 0.5 h × 4 × 10 W × 1.5
    assert "An estimate, not a measurement" in text
    assert "4 cores at 10 W" in text


def test_an_accelerator_counts(tmp_path: Path) -> None:
    from openteller.registry.manifest import Machine

    machine = Machine(processor="Test CPU 3000", cores=4, accelerator="Test GPU")
    text = section(card(make_artefact(tmp_path / "a", machine=machine)), "Energy and time")
    assert "with Test GPU" in text
    assert "about 0.33 kWh" in text  # 0.5 h × (4 × 10 + 400) W × 1.5


def test_what_was_not_noted_is_not_made_up(tmp_path: Path) -> None:
    folder = make_artefact(
        tmp_path / "a", machine=None, languages=(), temperatures={}, settings={}, data=(), labels={},
        metrics={"minutes": 3.0}, task="unheard-of",
    )  # fmt: skip
    text = card(folder)
    assert "language" not in header(text)
    assert "model-index" not in header(text)
    assert "its energy is not estimated" in section(text, "Energy and time")
    assert "kWh" not in text
    assert "Not noted." in section(text, "Training data")
    assert "Not noted." in section(text, "How it was trained")
    assert "Not calibrated" in section(text, "Calibration")


def test_the_files_with_their_hashes(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a")
    text = section(card(folder), "Files")
    for name, digest in read_manifest(folder).files.items():
        assert f"| `{name}` | {(folder / name).stat().st_size:,} | `{digest}` |" in text


def test_a_bar_or_a_line_break_stays_in_its_cell(tmp_path: Path) -> None:
    text = card(make_artefact(tmp_path / "a", settings={"columns": "a|b\nc"}))
    assert "| `columns` | a\\|b c |" in text


def test_the_card_is_no_part_of_the_artefact(tmp_path: Path) -> None:
    folder = make_artefact(tmp_path / "a")
    before = read_manifest(folder)
    assert write_card(folder).read_text("utf-8") == card(folder)
    write_report(folder)
    (folder / "report.html").write_text("<p>", "utf-8")
    (folder / "confusion.png").write_bytes(b"png")
    assert write_manifest(folder, before) == before == read_manifest(folder)


def test_no_manifest_no_card(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        card(tmp_path)


@pytest.mark.parametrize("slot", SERVED)
def test_the_shipped_models_have_cards(slot: str) -> None:
    text = card(shipped_artefact(SERVED[slot]))
    assert header(text)["license"] == "apache-2.0"
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == SECTIONS


def test_every_task_has_its_words() -> None:
    catalogue = pytest.importorskip("openteller.training.tasks.catalogue")
    unknown = purpose_of("unheard-of")
    assert {t for t in (*catalogue.TASKS, "understanding", "relevance") if purpose_of(t) is unknown} == set()
    assert kind_of("relevance") == kind_of("reranking")
    assert kind_of("tokens") == "tokens"
