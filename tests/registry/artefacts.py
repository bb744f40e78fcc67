"""Small artefacts for the registry's tests: real folders with a manifest, and reports as `teller evaluate` writes them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from openteller.registry.manifest import REPORT, Machine, Manifest, write_manifest

TRAINED = datetime(2026, 11, 23, 10, 0, 0, 700_000, tzinfo=UTC)


def make_artefact(
    folder: Path, accuracy: float = 0.9, *, name: str = "toy", task: str = "classification", **changes: object
) -> Path:
    """An artefact whose files, and so its version, depend on its accuracy."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "heads.safetensors").write_bytes(f"heads {accuracy}".encode() * 50)
    (folder / "encoder.safetensors").write_bytes(b"encoder" * 100)
    manifest = Manifest(
        name=name,
        task=task,
        base="e5-small",
        created_at=TRAINED,
        licence="Apache-2.0 (heads); base MIT",
        data=("Sentences of our own | Apache-2.0",),
        metrics={"accuracy": accuracy, "nll": 0.3, "ece": 0.04, "train_rows": 1200.0, "minutes": 30.0},
        labels={"label": ("no", "yes")},
        temperatures={"label": 1.5},
        settings={"learning_rate": 2e-4, "lora_scale": 0.0},
        languages=("zh", "en"),
        machine=Machine(processor="Test CPU 3000", cores=4),
    )
    write_manifest(folder, manifest.model_copy(update=changes))
    return folder


def report(accuracy: float = 0.9, **changes: object) -> dict[str, object]:
    """What report.json holds, as far as the registry reads it, and a little more."""
    found: dict[str, object] = {
        "title": "toy on held.jsonl",
        "model": "toy",
        "dataset": "held.jsonl",
        "n": 200,
        "created_at": "2026-11-23T10:00:00+00:00",
        "temperature": 1.5,
        "figures": {
            "accuracy": {"value": accuracy, "low": accuracy - 0.03, "high": accuracy + 0.03},
            "oos_auroc": {"value": None, "low": None, "high": None},
        },
        "comparisons": [],
        "sliced": "accuracy",
        "slices": [{"dimension": "script", "value": "zh", "n": 120, "figure": 0.91, "low": 0.85, "high": 0.95}],
        "gaps": [{"dimension": "script", "worst": "en", "best": "zh", "gap": 0.06}],
        "latency": {"torch_ms_p95": 12.5},
    }
    return found | changes


def write_report(folder: Path, accuracy: float = 0.9, **changes: object) -> None:
    """Lay a report beside the artefact."""
    (folder / REPORT).write_text(json.dumps(report(accuracy, **changes)), "utf-8")
