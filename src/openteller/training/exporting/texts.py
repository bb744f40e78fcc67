"""The real texts that an exported model is compared on: the recipe's validation rows, or those of a file.

Knows nothing about models.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from openteller.core.errors import BadInput
from openteller.core.text import normalise
from openteller.registry.manifest import Manifest
from openteller.runtime.protocols import Text
from openteller.training.datasets.readers import EXTENSIONS, read
from openteller.training.finetune import recipe_of
from openteller.training.multitask import tasks_of
from openteller.training.preparing import Sources, prepare
from openteller.training.tasks.catalogue import TASKS
from openteller.training.tasks.task import Task, text_of

MOST = 1_000
_ASK = "Name a file of texts like those it will meet: --texts FILE, at least 200 of them."


def validation_texts(manifest: Manifest, locate: Callable[[str], Path], *, paired: bool) -> list[Text]:
    """The validation rows of the recipe that made the artefact, at most 1,000.

    Raises:
        BadInput: the artefact has no recipe of a task, or its data cannot be used.
        ConfigurationError: its data is not there.
    """
    sources: list[tuple[Task, Sources]] = list(tasks_of(manifest).values())
    if manifest.task in TASKS:
        sources = [(TASKS[manifest.task], recipe_of(manifest))]
    if not sources:
        raise BadInput(f"The artefact {manifest.name} names no validation rows.", next_step=_ASK)
    examples = [e for task, of_it in sources for e in prepare(task, of_it, locate).examples["validation"]]
    return _spread([text for example in examples for text in _read_together(example.texts, paired)])


def texts_of(path: Path, columns: Mapping[str, str], *, paired: bool) -> list[Text]:
    """The texts of a file, at most 1,000: one a line in .txt, else the column text (and pair) of a data set.

    Raises:
        BadInput: the file cannot be read, or has no such column.
    """
    if path.suffix != ".txt":
        names = ("text", "pair") if paired else ("text",)
        try:
            rows = [tuple(text_of(record, columns, name) for name in names) for record in read(path)]
        except ValueError as error:
            raise BadInput(f"{path.name} cannot be used.", cause=str(error), next_step=_ASK) from error
        return _spread([text for row in rows for text in _read_together(row, paired)])
    if paired:
        raise BadInput(
            f"{path.name} holds single texts, and the model reads pairs.",
            next_step=f"Give a data set with the columns text and pair ({', '.join(EXTENSIONS)}).",
        )
    try:
        lines = [normalise(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read.", cause=str(error), next_step=_ASK) from error
    return _spread([line for line in lines if line])


def _read_together(texts: Sequence[str], paired: bool) -> list[Text]:
    return [(texts[0], other) for other in texts[1:]] if paired else list(texts)


def _spread(texts: Sequence[Text]) -> list[Text]:
    """At most 1,000 different ones, taken evenly."""
    found = list(dict.fromkeys(texts))
    if not found:
        raise BadInput("There is no text to compare the models on.", next_step=_ASK)
    step = max(1.0, len(found) / MOST)
    return [found[int(i * step)] for i in range(min(MOST, len(found)))]
