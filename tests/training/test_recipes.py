"""Recipes: the shipped ones load, wrong ones are named."""

from pathlib import Path

import pytest

from openteller.core.errors import BadInput, ConfigurationError
from openteller.training.finetune import FineTuneRecipe
from openteller.training.multitask import MultiTaskRecipe
from openteller.training.opinion import OpinionRecipe
from openteller.training.pretraining.pretrain import PretrainRecipe
from openteller.training.recipes import DATA_VARIABLE, as_dataclass, data_path, read_recipe
from openteller.training.relevance import RelevanceRecipe
from openteller.training.search import read_plan
from openteller.training.sft import SftRecipe
from openteller.training.speech import SpeechRecipe
from openteller.training.tasks.catalogue import TASKS
from openteller.training.understanding import UnderstandingRecipe

KINDS = {
    "understanding": UnderstandingRecipe,
    "relevance": RelevanceRecipe,
    "mlm": PretrainRecipe,
    "clm": PretrainRecipe,
    "sft": SftRecipe,
    "speech": SpeechRecipe,
    "multi-task": MultiTaskRecipe,
    "opinion": OpinionRecipe,
}
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_every_shipped_recipe_loads(path: Path) -> None:
    fields = read_recipe(path)
    recipe = as_dataclass(KINDS.get(str(fields["task"]), FineTuneRecipe), fields)
    said = {name: value for name, value in fields.items() if name not in ("task", "search")}
    assert {name: getattr(recipe, name) for name in said} == said
    if "search" in fields:
        assert read_plan(fields["search"], recipe).space  # type: ignore[arg-type]


def test_a_task_of_a_recipe_is_known() -> None:
    assert {str(read_recipe(path)["task"]) for path in RECIPES} <= {*KINDS, *TASKS}


def test_there_are_recipes() -> None:
    assert {p.stem for p in RECIPES} >= {"banking77", "understanding-zh-en"}


@pytest.mark.parametrize("body", ["", "- a\n- b\n", "name: x\n", "task: [", "\x00"])
def test_what_is_no_recipe_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "r.yaml").write_text(body, "utf-8")
    with pytest.raises(BadInput):
        read_recipe(tmp_path / "r.yaml")


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch", 3), ("epochs", "3"), ("epochs", 2.5), ("epochs", True), ("learning_rate", "2e-4"), ("name", 7)],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=field):
        as_dataclass(FineTuneRecipe, {"task": "classification", field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("steps", -3),
        ("warmup", 1.5),
        ("dropout", 1.0),
        ("learning_rate", 0.0),
        ("seed", -1),
        ("keep", 1.1),
    ]
    + [("learning_rate", number) for number in (float("nan"), float("inf"), -1e-3)],
)
def test_a_senseless_number_is_named(field: str, value: float) -> None:
    with pytest.raises(BadInput, match=field):
        as_dataclass(UnderstandingRecipe, {"task": "understanding", field: value})


def test_a_whole_number_is_a_number() -> None:
    assert as_dataclass(FineTuneRecipe, {"task": "classification", "dropout": 0}).dropout == 0


def test_data_is_found_below_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert data_path("set") == tmp_path / "set"
    with pytest.raises(ConfigurationError, match="other"):
        data_path("other")
    monkeypatch.delenv(DATA_VARIABLE)
    assert data_path(str(tmp_path / "set")) == tmp_path / "set"
    with pytest.raises(ConfigurationError, match="not set"):
        data_path("set")
