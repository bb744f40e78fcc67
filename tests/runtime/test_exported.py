"""A folder of `teller export` is opened when it is whole and holds what is asked for."""

from pathlib import Path

import pytest

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import Manifest, write_manifest
from openteller.runtime.exported import open_classifier, open_exported
from tests.runtime.engines import exported_classifier


def test_a_temperature_and_pairs_reach_the_classifier() -> None:
    classifier = exported_classifier()
    assert classifier.labels == ("card", "loan", "greeting")
    alone, first, second = classifier.classify(["卡丢了", ("卡丢了", "房贷"), ("房贷", "卡丢了")])
    assert len({tuple((s.label, s.probability) for s in found) for found in (alone, first, second)}) == 3


@pytest.mark.parametrize(
    ("task", "message"), [("classification", "holds no int8 model"), ("multi-label", "holds no int8 model")]
)
def test_a_folder_without_models_is_no_export(tmp_path: Path, task: str, message: str) -> None:
    manifest = Manifest.model_validate(
        {"name": "toy", "task": task, "base": "small", "created_at": "2026-11-23T10:00:00Z", "licence": "MIT",
         "data": [], "metrics": {}, "labels": {"label": ["a", "b"]}}
    )  # fmt: skip
    write_manifest(tmp_path, manifest)
    with pytest.raises(ModelUnavailable, match=message) as error:
        open_classifier(tmp_path)
    assert "teller export" in error.value.next_step
    with pytest.raises(ModelUnavailable, match="no readable manifest"):
        open_exported(tmp_path / "nowhere")
