"""`teller finetune`: train a model from a recipe."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from openteller.assembly import open_catalogue
from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.cli.training_runs import located, places, run_arguments, show, stopped_clearly
from openteller.core.errors import BadInput
from openteller.registry.manifest import Manifest, read_manifest
from openteller.runtime.use_backend import SentenceEncoder
from openteller.runtime.weights import WeightsRole
from openteller.settings import Settings, load

_EXAMPLES = """\
examples:
  teller finetune recipes/banking77.yaml
  teller finetune recipes/understanding-zh-en.yaml --output var/models/understanding --json
  teller finetune recipes/relevance-zh-en.yaml
  teller finetune recipes/sentiment-finance.yaml        # two heads on one encoder
  teller finetune recipes/sft-teller.yaml
  teller finetune recipes/opinion.yaml                  # public opinion
  teller finetune recipes/speech-mandarin-words.yaml    # speech recognition
  teller finetune recipes/banking77.yaml --ray-workers 2
  torchrun --nproc-per-node 2 --no-python teller finetune recipes/banking77.yaml
"""


def finetune(arguments: list[str]) -> int:
    """Train a model as a recipe says; needs the extra `train` and the recipe's data below OPENTELLER_DATA."""
    parser = run_arguments("finetune", finetune.__doc__, _EXAMPLES)
    parser.add_argument("--ray-workers", type=int, default=0, metavar="N", help="share the rows among workers of Ray")
    given = parser.parse_args(arguments)
    settings = load()
    with stopped_clearly(settings.data_dir), training_extra():
        from openteller.training import processes

        manifest, output = _run(given, settings)
        if processes.is_main():
            show(manifest, output, as_json=given.json)
    return 0


def _run(given: argparse.Namespace, settings: Settings) -> tuple[Manifest, Path]:
    from openteller.training import multitask, opinion, processes, relevance, sft, speech, trained, understanding
    from openteller.training.finetune import FineTuneRecipe
    from openteller.training.finetune import finetune as run
    from openteller.training.ray_workers import on_workers
    from openteller.training.recipes import as_dataclass, data_path, read_recipe
    from openteller.training.tasks.catalogue import TASKS, task_named

    fields, data_dir = read_recipe(given.recipe), settings.data_dir
    report = console_progress() if processes.is_main() else _silent
    catalogue = open_catalogue(settings)
    output = given.output or data_dir / "models" / str(fields.get("name", given.recipe.stem))
    if given.ray_workers and fields["task"] not in TASKS:
        raise BadInput(f"The task {fields['task']} does not share its rows.", next_step="Leave out --ray-workers.")
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
        case sft.TASK:
            chats = as_dataclass(sft.SftRecipe, fields)
            where = places(catalogue, chats.weights, WeightsRole.GENERATOR, data_dir)
            prompt = _grounded_prompt(settings)
            return sft.train(chats, Path.cwd(), data_path, where, prompt, output, report, restart=given.restart), output
        case speech.TASK:
            spoken = as_dataclass(speech.SpeechRecipe, fields)
            located(catalogue, spoken.weights, WeightsRole.TRANSCRIBER)
            hearing = speech.places(catalogue, spoken.weights, data_dir / "cache")
            return speech.train(spoken, Path.cwd(), data_path, hearing, output, report, restart=given.restart), output
        case opinion.TASK:
            listening = as_dataclass(opinion.OpinionRecipe, fields)
            return opinion.train(listening, Path.cwd(), data_path, output, report), output
        case trained.MULTI_TASK:
            several = as_dataclass(multitask.MultiTaskRecipe, fields)
            weights = located(catalogue, several.weights, WeightsRole.ENCODER)
            return multitask.train(several, data_path, weights, output, report, restart=given.restart), output
        case task:
            task_named(str(task))
            recipe = as_dataclass(FineTuneRecipe, fields)
            weights = located(catalogue, recipe.weights, WeightsRole.ENCODER)
            job = partial(run, recipe, data_path, weights, output, restart=given.restart)
            if given.ray_workers:
                on_workers(partial(job, _silent), given.ray_workers, data_dir / "ray")
                return read_manifest(output), output
            return job(report), output


def _silent(done: int, total: int, text: str) -> None:
    """One process of several reports."""


def _grounded_prompt(settings: Settings) -> Callable[[str, Sequence[str], str], list[dict[str, str]]]:
    """The prompt of a grounded answer, as the road writes it."""
    from openteller.assistant.composition import grounded_messages
    from openteller.runtime.chat import wire

    bank = {"zh": settings.bank_name_zh, "en": settings.bank_name_en}
    return lambda question, passages, language: wire(grounded_messages(question, passages, language, bank))
