"""What can be trained again on corrections: the understanding, and fine-tuning recipes that name the head they label.

Knows nothing about where corrections come from or what becomes of the artefact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from openteller.core.errors import BadInput
from openteller.feedback.records import Head
from openteller.registry.manifest import Manifest
from openteller.training import understanding
from openteller.training.checkpoints import digest
from openteller.training.corrections import Corrected
from openteller.training.finetune import FineTuneRecipe, finetune
from openteller.training.optimisation import Report
from openteller.training.preparing import prepare
from openteller.training.recipes import as_dataclass, read_recipe
from openteller.training.tasks.catalogue import task_named
from openteller.training.understanding import Corpus, UnderstandingRecipe

Locate = Callable[[str], Path]
#: Task of a recipe → the heads whose labels its rows can carry.
_HEADS = {"classification": (Head.INTENT, Head.SENTIMENT), "multi-label": (Head.NEEDS,)}


class Trainer(Protocol):
    """One recipe that takes corrections.

    name: the slot of the registry; heads: whose corrections it takes; digest: another recipe has another one.
    """

    @property
    def name(self) -> str: ...
    @property
    def heads(self) -> tuple[Head, ...]: ...
    @property
    def digest(self) -> str: ...

    def sort_out(self, corrections: Path) -> Corrected:
        """What becomes of the corrections among the recipe's data. Raises BadInput when the data cannot be used."""
        ...

    def train(self, corrections: Path, output: Path, report: Report) -> Manifest:
        """Run the recipe with the corrections and write the artefact to `output`, going on where it can."""
        ...


class _OfRecipe:
    """What a recipe says of itself."""

    recipe: Any

    @property
    def name(self) -> str:
        """The recipe's."""
        return str(self.recipe.name)

    @property
    def digest(self) -> str:
        """Of the recipe's fields."""
        return digest(vars(self.recipe))


@dataclass(frozen=True)
class UnderstandingTrainer(_OfRecipe):
    """Every head of the understanding; begins anew when it was cut off."""

    recipe: UnderstandingRecipe
    root: Path
    weights: Locate
    data: Locate

    @property
    def heads(self) -> tuple[Head, ...]:
        """All."""
        return tuple(Head)

    def sort_out(self, corrections: Path) -> Corrected:
        """See Trainer."""
        found = Corpus(self.recipe, self.root, self.data, corrections).corrected
        assert found is not None
        return found

    def train(self, corrections: Path, output: Path, report: Report) -> Manifest:
        """See Trainer."""
        weights = self.weights(self.recipe.weights)
        return understanding.train(self.recipe, self.root, weights, output, report, self.data, corrections)


@dataclass(frozen=True)
class FineTuner(_OfRecipe):
    """A recipe of `teller finetune` whose labels are those of one head; goes on from its checkpoints."""

    recipe: FineTuneRecipe
    weights: Locate
    data: Locate

    @property
    def heads(self) -> tuple[Head, ...]:
        """The one that the recipe names."""
        return (Head(self.recipe.feedback),)

    def sort_out(self, corrections: Path) -> Corrected:
        """See Trainer."""
        found = prepare(task_named(self.recipe.task), self.recipe, self.data, corrections).corrected
        assert found is not None
        return found

    def train(self, corrections: Path, output: Path, report: Report) -> Manifest:
        """See Trainer."""
        weights = self.weights(self.recipe.weights)
        return finetune(self.recipe, self.data, weights, output, report, corrections=corrections)


def trainer_of(recipe: Path, root: Path, weights: Locate, data: Locate) -> Trainer:
    """The trainer of a recipe file.

    Args:
        recipe: the file.
        root: what an understanding's examples are relative to.
        weights: finds the file of base weights by name.
        data: finds a data set.

    Raises:
        BadInput: no recipe, or one that takes no corrections.
    """
    fields = read_recipe(recipe)
    task = str(fields["task"])
    if task == "understanding":
        return UnderstandingTrainer(as_dataclass(UnderstandingRecipe, fields), root, weights, data)
    if task not in _HEADS:
        raise BadInput(
            f"The task {task} takes no corrections.",
            next_step=f"Name a recipe of one of the tasks understanding, {', '.join(_HEADS)}.",
        )
    plan = as_dataclass(FineTuneRecipe, fields)
    if plan.feedback not in _HEADS[task]:
        raise BadInput(
            f"The recipe {recipe.name} does not say which corrections it takes.",
            cause=f"Its field feedback is {plan.feedback!r}.",
            next_step=f"If its labels are the assistant's own, write feedback: {' or '.join(_HEADS[task])} in it.",
        )
    return FineTuner(plan, weights, data)
