"""`teller search`: look for better settings of a recipe."""

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml

from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.cli.training_runs import located
from openteller.runtime.weights import WeightsRole
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller search recipes/banking77.yaml
  teller search recipes/banking77.yaml --trials 40 --output var/search/banking77

The space stands in the recipe:
  search:
    trials: 20
    space:
      learning_rate: {low: 5.0e-5, high: 5.0e-4, log: true}
      batch_size: [16, 32, 64]
"""


def search(arguments: list[str]) -> int:
    """Try settings of a recipe and write the best as a recipe; a search that was cut off goes on."""
    parser = argparse.ArgumentParser(
        "teller search", description=search.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--trials", type=int, help="in all, those of an earlier call included; default: the recipe's")
    parser.add_argument("--output", type=Path, help="default: <data_dir>/search/<name>")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    given = parser.parse_args(arguments)
    with training_extra():
        found = _run(given)
    print(json.dumps(found, ensure_ascii=False, indent=2) if given.json else _readable(found))
    return 0


def _run(given: argparse.Namespace) -> dict[str, Any]:
    from openteller.assembly import open_catalogue, open_database
    from openteller.training import search as searching
    from openteller.training.finetune import FineTuneRecipe
    from openteller.training.recipes import as_dataclass, data_path, read_recipe

    settings, raw = load(), read_recipe(given.recipe)
    recipe = as_dataclass(FineTuneRecipe, raw)
    asked = raw.get("search")
    if given.trials and isinstance(asked, dict):
        asked = asked | {"trials": given.trials}
    plan = searching.read_plan(asked, recipe)
    folder = given.output or settings.data_dir / "search" / recipe.name
    weights = located(open_catalogue(settings), recipe.weights, WeightsRole.ENCODER)
    database, close = open_database(settings)
    try:
        with searching.study_storage(database.side_schema("optuna")) as storage:
            found = searching.search(recipe, plan, data_path, weights, storage, folder, console_progress())
    finally:
        close()
    changed = {f.name for f in fields(recipe)} & {*raw, *plan.space}
    best = {name: value for name, value in asdict(found.best).items() if name in changed}
    path = folder / "best.yaml"
    path.write_text(yaml.safe_dump(best, allow_unicode=True, sort_keys=False), encoding="utf-8")
    chosen = {name: getattr(found.best, name) for name in plan.space}
    return {
        "figure": found.figure, "settings": chosen, "trials": found.trials, "pruned": found.pruned,
        "importance": dict(found.importance), "recipe": str(path),
    }  # fmt: skip


def _readable(found: dict[str, Any]) -> str:
    lines = [f"best figure {found['figure']:.4f} of {found['trials']} trials, {found['pruned']} stopped early"]
    lines += [f"  {name:24} {value}" for name, value in found["settings"].items()]
    lines += [f"  importance of {name:10} {share:.2f}" for name, share in found["importance"].items()]
    return "\n".join([*lines, f"recipe: {found['recipe']}", f"plots: {Path(found['recipe']).parent}"])
