"""Which recipes can be trained again on corrections, and which are refused with the reason."""

from pathlib import Path

import pytest
import yaml

from openteller.core.errors import BadInput
from openteller.feedback import curated
from openteller.feedback.records import Head
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import shipped_artefact
from openteller.training.corrections import NOTED
from openteller.training.recipes import as_dataclass, read_recipe
from openteller.training.trainers import UnderstandingTrainer, trainer_of
from openteller.training.understanding import UnderstandingRecipe
from tests.feedback.desk import example
from tests.training.test_finetune import quiet
from tests.training.test_understanding import RECIPE, corner

__all__ = ["corner"]


def a_recipe(folder: Path, **fields: object) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"task": "classification", "name": "toy"} | fields), "utf-8")
    return path


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "does not say which corrections"),
        ({"feedback": "tags"}, "does not say which corrections"),
        ({"feedback": "needs"}, "does not say which corrections"),
        ({"task": "multi-label", "feedback": "intent"}, "does not say which corrections"),
        ({"task": "reranking"}, "takes no corrections"),
        ({"task": "relevance"}, "takes no corrections"),
        ({"feedback": "intent", "epochs": 0}, "epochs"),
        ({"feedback": 7}, "feedback"),
    ],
)
def test_a_recipe_that_cannot_take_corrections_is_refused(
    tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        trainer_of(a_recipe(tmp_path, **fields), tmp_path, tmp_path.joinpath, tmp_path.joinpath)


def test_a_recipe_is_told_from_another(tmp_path: Path) -> None:
    found = [
        trainer_of(a_recipe(tmp_path, feedback="intent", seed=seed), tmp_path, tmp_path.joinpath, tmp_path.joinpath)
        for seed in (1, 1, 2)
    ]
    assert {trainer.heads for trainer in found} == {(Head.INTENT,)}
    assert found[0].digest == found[1].digest != found[2].digest


def test_the_shipped_recipe_begins_at_what_ships_and_keeps_its_encoder(root: Path) -> None:
    recipe = as_dataclass(UnderstandingRecipe, read_recipe(root / "recipes/understanding-retrain.yaml"))
    assert (root / recipe.start).resolve() == shipped_artefact().resolve()
    assert (recipe.steps, recipe.keep, recipe.name) == (0, 1.0, "understanding-zh-en")


def test_the_understanding_is_trained_with_corrections(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    trainer = UnderstandingTrainer(RECIPE, corner, Catalogue(data_dir).locate, Path)
    curated.write(tmp_path / "c.jsonl", [example("a sentence of nobody", "positive", head=Head.SENTIMENT)])
    assert trainer.heads == tuple(Head)
    manifest = trainer.train(tmp_path / "c.jsonl", tmp_path / "model", quiet)
    assert manifest.settings[NOTED] == trainer.sort_out(tmp_path / "c.jsonl").noted()
    assert manifest.settings[NOTED]["added"] == 1
    assert "1 corrections by the bank's staff" in manifest.data[-1]
