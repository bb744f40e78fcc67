"""`teller finetune`: train a model from a recipe."""

import argparse
import errno
import json
from pathlib import Path

from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.core.errors import OpenTellerError
from openteller.registry.manifest import Manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.use_backend import SentenceEncoder
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller finetune recipes/banking77.yaml
  teller finetune recipes/understanding-zh-en.yaml --output var/models/understanding --json
  teller finetune recipes/relevance-zh-en.yaml
"""


def finetune(arguments: list[str]) -> int:
    """Train a model as a recipe says; needs the extra `train` and the recipe's data below OPENTELLER_DATA."""
    parser = argparse.ArgumentParser(
        "teller finetune", description=finetune.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--output", type=Path, help="default: <data_dir>/models/<name>")
    parser.add_argument("--restart", action="store_true", help="do not go on with a run that was cut off")
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    given = parser.parse_args(arguments)
    settings = load()
    try:
        with training_extra():
            manifest, output = _run(given, settings.data_dir)
    except FloatingPointError as error:
        raise OpenTellerError("Training stopped.", cause=str(error)) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OpenTellerError(
            "Training stopped.",
            cause=f"The disk is full ({error.filename or settings.data_dir}).",
            next_step="Make room and run the same command again: it goes on from the last checkpoint.",
        ) from error
    if given.json:
        print(json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=2))
        return 0
    for name, value in manifest.metrics.items():
        print(f"{name:24} {value:.4f}")
    print(f"artefact: {output}")
    return 0


def _run(given: argparse.Namespace, data_dir: Path) -> tuple[Manifest, Path]:
    from openteller.training import relevance, understanding
    from openteller.training.finetune import FineTuneRecipe
    from openteller.training.finetune import finetune as run
    from openteller.training.recipes import as_dataclass, data_path, read_recipe
    from openteller.training.tasks.catalogue import task_named

    fields, catalogue, report = read_recipe(given.recipe), Catalogue(data_dir), console_progress()
    output = given.output or data_dir / "models" / str(fields.get("name", given.recipe.stem))
    match fields["task"]:
        case "understanding":
            plan = as_dataclass(understanding.UnderstandingRecipe, fields)
            weights = catalogue.locate(plan.weights)
            return understanding.train(plan, Path.cwd(), weights, output, report, data_path), output
        case "relevance":
            reading = as_dataclass(relevance.RelevanceRecipe, fields)
            weights, *general = map(
                catalogue.locate, (reading.weights, "use-multilingual", "use-multilingual-vocabulary")
            )
            return relevance.train(reading, Path.cwd(), weights, SentenceEncoder(*general), output, report), output
        case task:
            task_named(str(task))
            recipe = as_dataclass(FineTuneRecipe, fields)
            weights = catalogue.locate(recipe.weights)
            return run(recipe, data_path, weights, output, report, restart=given.restart), output
