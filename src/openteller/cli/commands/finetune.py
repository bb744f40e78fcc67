"""`teller finetune`: train a model from a recipe."""

import argparse
import json
from pathlib import Path

from openteller.cli.progress import console_progress
from openteller.core.errors import BadInput, MissingDependency, OpenTellerError
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
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    given = parser.parse_args(arguments)
    try:
        from openteller.training import classification, relevance, understanding
        from openteller.training.recipes import as_dataclass, data_path, read_recipe
    except ImportError as error:
        raise MissingDependency(
            "Training is not installed.", cause=str(error), next_step='pip install "openteller[train]"'
        ) from error
    settings = load()
    fields = read_recipe(given.recipe)
    catalogue = Catalogue(settings.data_dir)
    output = given.output or settings.data_dir / "models" / str(fields.get("name", given.recipe.stem))
    report = console_progress()
    try:
        if fields["task"] == "classification":
            recipe = as_dataclass(classification.ClassificationRecipe, fields)
            data = data_path(recipe.train)
            manifest = classification.train(recipe, data, catalogue.locate(recipe.weights), output, report)
        elif fields["task"] == "understanding":
            plan = as_dataclass(understanding.UnderstandingRecipe, fields)
            weights = catalogue.locate(plan.weights)
            manifest = understanding.train(plan, Path.cwd(), weights, output, report, data_path)
        elif fields["task"] == "relevance":
            reading = as_dataclass(relevance.RelevanceRecipe, fields)
            weights, *general = map(
                catalogue.locate, (reading.weights, "use-multilingual", "use-multilingual-vocabulary")
            )
            manifest = relevance.train(reading, Path.cwd(), weights, SentenceEncoder(*general), output, report)
        else:
            raise BadInput(
                f"There is no task {fields['task']!r}.", next_step="Use classification, understanding or relevance."
            )
    except FloatingPointError as error:
        raise OpenTellerError("Training stopped.", cause=str(error)) from error
    if given.json:
        print(json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=2))
        return 0
    for name, value in manifest.metrics.items():
        print(f"{name:24} {value:.4f}")
    print(f"artefact: {output}")
    return 0
