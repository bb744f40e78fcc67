"""`teller pretrain`: adapt a language model to the bank's texts."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

from openteller.assembly import Application, open_catalogue
from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.cli.training_runs import places, run_arguments, show, stopped_clearly
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput
from openteller.core.records import visitor
from openteller.knowledge.library import Library
from openteller.products.figures import readable
from openteller.products.records import Product
from openteller.registry.manifest import Manifest
from openteller.runtime.weights import WeightsRole
from openteller.settings import Settings, load

_EXAMPLES = """\
examples:
  teller pretrain recipes/mlm-finance.yaml
  teller pretrain recipes/clm-finance.yaml --output var/models/clm-finance --json

What it writes is a base like any other. In the recipe of a fine-tuning:
  weights: mlm-finance        # <data_dir>/models/mlm-finance, or a folder

The knowledge base as the corpus (its public documents that are valid today):
  task: mlm
  source: knowledge
"""
_PAGE = 200


def pretrain(arguments: list[str]) -> int:
    """Pre-train an encoder (task: mlm) or a decoder (task: clm); a run that was cut off goes on where it was."""
    given = run_arguments("pretrain", pretrain.__doc__, _EXAMPLES).parse_args(arguments)
    settings = load()
    with stopped_clearly(settings.data_dir), training_extra():
        manifest, output = _run(given, settings)
    show(manifest, output, as_json=given.json)
    return 0


def _run(given: argparse.Namespace, settings: Settings) -> tuple[Manifest, Path]:
    from openteller.training.pretraining import pretrain as pretraining
    from openteller.training.recipes import as_dataclass, data_path, read_recipe

    fields, catalogue = read_recipe(given.recipe), open_catalogue(settings)
    if fields["task"] not in pretraining.TASKS:
        raise BadInput(
            f"{given.recipe} is no recipe of pre-training.",
            cause=f"Its task is {fields['task']}.",
            next_step=f"Use task: {' or '.join(pretraining.TASKS)}, or run `teller finetune {given.recipe}`.",
        )
    recipe = as_dataclass(pretraining.PretrainRecipe, fields)
    role = WeightsRole.ENCODER if recipe.task == "mlm" else WeightsRole.GENERATOR
    where = places(catalogue, recipe.weights, role, settings.data_dir)
    output = given.output or settings.data_dir / "models" / recipe.name

    def texts() -> Iterator[str]:
        return _knowledge(settings)

    manifest = pretraining.pretrain(
        recipe, data_path, where, output, console_progress(), knowledge=texts, restart=given.restart
    )
    return manifest, output


def _knowledge(settings: Settings) -> Iterator[str]:
    with closing(Application(settings)) as application:
        today = local_date(utc_now(), settings.timezone)
        yield from knowledge_texts(application.library, application.shelf().products, today)


def knowledge_texts(library: Library, products: Mapping[str, Product], on: date) -> Iterator[str]:
    """The public documents valid on the day `on`, as customers read them: title, questions, answer or body."""
    offset = 0
    while page := library.list(visitor(""), on=on, limit=_PAGE, offset=offset):
        for document in page:
            body = readable(document.answer or document.body, products, str(document.language))
            yield "\n".join([document.title, *document.questions, body])
        offset += len(page)
