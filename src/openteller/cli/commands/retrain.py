"""`teller retrain`: train again on the original data and the accepted corrections, up to a judged candidate."""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.cli.registered import actor, gates_for, opened, shipped, side_by_side, told_to_restart, try_out
from openteller.cli.training_runs import stopped_clearly
from openteller.core.errors import BadInput
from openteller.settings import Settings, load

if TYPE_CHECKING:
    from openteller.training.retrain import Outcome

#: What is served → the recipe that trains it again.
_SERVED = {"understanding": Path("recipes/understanding-retrain.yaml")}
_EXAMPLES = """\
examples:
  teller retrain understanding --dry-run
  teller retrain understanding --at-least 20 --gate "intent_accuracy >= champion - 0.005"
  teller retrain recipes/team-intents.yaml --promote --json

With fewer new accepted corrections than --at-least it does nothing and leaves with 0, so that it may run on a schedule.
A run that was cut off goes on with the corrections it had. Gates that always apply stand in <data_dir>/gates.yaml.
With --promote, it leaves with 1 when a gate did not pass: the candidate is registered all the same.
"""


def retrain(arguments: list[str]) -> int:
    """Train again with what staff corrected, register the candidate, and hold it against what serves."""
    parser = argparse.ArgumentParser(
        "teller retrain", description=retrain.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "task", metavar="TASK", help="understanding, or a recipe with the field feedback: its name or file"
    )
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="another recipe for what is served")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="the run's folder; default: <data_dir>/retraining/<name>"
    )
    parser.add_argument(
        "--at-least", type=int, default=1, metavar="N", help="new accepted corrections it takes; 0: none. Default: 1"
    )
    parser.add_argument("--gate", action="append", default=[], help='e.g. "macro_f1 >= champion - 0.005"; repeatable')
    parser.add_argument("--promote", action="store_true", help="make the candidate the champion if every gate passes")
    parser.add_argument("--dry-run", action="store_true", help="say what would be trained on, and stop")
    parser.add_argument("--restart", action="store_true", help="do not go on with a run that was cut off")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
    given = parser.parse_args(arguments)
    settings = load()
    with stopped_clearly(settings.data_dir), training_extra():
        outcome = _run(given, settings)
    _show(outcome, as_json=given.json)
    return 1 if outcome.refused else 0


def _run(given: argparse.Namespace, settings: Settings) -> "Outcome":
    from openteller.assembly import open_catalogue
    from openteller.training.recipes import data_path
    from openteller.training.retrain import Order, RunFolder
    from openteller.training.retrain import retrain as run
    from openteller.training.trainers import trainer_of

    trainer = trainer_of(_recipe(given), Path.cwd(), open_catalogue(settings).locate, data_path)
    name = trainer.name
    order = Order(
        actor=actor(),
        gates=gates_for(settings, name, given.gate),
        incumbent=shipped(name),
        at_least=given.at_least,
        promote=given.promote,
        dry_run=given.dry_run,
        restart=given.restart,
        try_out=partial(try_out, settings, name),
    )
    folder = RunFolder(given.output or settings.data_dir / "retraining" / name)
    with opened(settings) as (application, registry):
        accepted = application.feedback.accepted(trainer.heads)
        return run(trainer, folder, registry, accepted, order, console_progress())


def _recipe(given: argparse.Namespace) -> Path:
    """The recipe file that the arguments name."""
    if given.recipe or given.task in _SERVED:
        if given.task not in _SERVED:
            raise BadInput("Two recipes are named.", next_step="Leave out --recipe, or name what is served first.")
        return given.recipe or _SERVED[given.task]
    named, shipped_as = Path(given.task), Path("recipes") / f"{given.task}.yaml"
    if not named.is_file() and not shipped_as.is_file():
        raise BadInput(
            f"There is nothing called {given.task} to train again.",
            next_step=f"Write {' or '.join(_SERVED)}, the name of a recipe below recipes/, or a recipe's file.",
        )
    return named if named.is_file() else shipped_as


def _show(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False, indent=2))
        return
    for line in outcome.corrected.lines() if outcome.corrected else ():
        print(line)
    if outcome.version is None:
        print(f"Nothing was trained: {outcome.nothing_done}")
        return
    candidate = f"{outcome.name}@{outcome.version.version}"
    print(side_by_side(("serves", candidate), outcome.figures), end="")
    for verdict in outcome.verdicts:
        print(verdict)
    if not outcome.verdicts:
        print("No gate is declared, and nothing is promoted without one: name one with --gate, or in gates.yaml.")
    print(f"{candidate}: {outcome.version.stage}")
    if outcome.promoted:
        told_to_restart(outcome.name)
    else:
        print(f'To promote it: teller models promote {candidate} --gate "…" --reason "…"')
