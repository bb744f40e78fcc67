"""Searching a recipe's settings: trials run, the study goes on where it was, senseless spaces are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from openteller.core.errors import BadInput
from openteller.store.database import Database
from openteller.training.search import SearchPlan, read_plan, search, study_storage
from tests.training.test_finetune import RECIPE, write


def test_a_search_finds_the_better_rate_and_goes_on_where_it_was(
    data_dir: Path, tmp_path: Path, database: Database
) -> None:
    write(tmp_path / "toy.jsonl")
    recipe = replace(RECIPE, epochs=3, metric="accuracy")
    plan = SearchPlan({"learning_rate": [1e-3, 1e-9], "batch_size": {"low": 4, "high": 8, "step": 4}}, trials=3)
    told: list[int] = []

    def run(trials: int) -> object:
        report = lambda trial, trials, text: told.append(trial)  # noqa: E731
        small = data_dir / "small.bin"
        with study_storage(database.side_schema("optuna")) as storage:
            return search(
                recipe, replace(plan, trials=trials), tmp_path.joinpath, small, storage, tmp_path / "out", report
            )

    found = run(3)
    assert found.trials == 3  # type: ignore[attr-defined]
    assert found.best.batch_size in (4, 8)  # type: ignore[attr-defined]
    assert found.figure == 1.0 or found.best.learning_rate in (1e-3, 1e-9)  # type: ignore[attr-defined]
    assert (tmp_path / "out/history.html").stat().st_size > 1000
    assert not list((tmp_path / "out").glob("trial-*"))
    told.clear()
    assert run(3) == found
    assert told == []
    run(4)
    assert {0, 1, 2}.isdisjoint(told[:1])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "no space"),
        ({"space": {}}, "no space"),
        ({"space": {"charm": [1, 2]}}, "charm"),
        ({"space": {"epochs": [1, 2]}, "tries": 3}, "tries"),
        ({"space": {"epochs": [1]}}, "space of epochs"),
        ({"space": {"epochs": {"low": 3, "high": 1}}}, "space of epochs"),
        ({"space": {"learning_rate": {"low": 0.0, "high": 1.0, "log": True}}}, "space of learning_rate"),
        ({"space": {"learning_rate": {"low": float("nan"), "high": 1.0}}}, "space of learning_rate"),
        ({"space": {"learning_rate": {"low": 0.1, "high": 1.0, "kind": "log"}}}, "space of learning_rate"),
    ],
)
def test_a_senseless_space_is_refused(raw: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_plan(raw, RECIPE)


def test_a_plan_is_read() -> None:
    plan = read_plan({"space": {"epochs": [1, 2]}, "trials": 7}, RECIPE)
    assert (plan.trials, plan.startup, plan.space) == (7, 5, {"epochs": [1, 2]})
