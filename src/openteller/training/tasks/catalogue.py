"""The tasks by the names that recipes use. A new task is one file here and one line below."""

from dataclasses import replace
from types import MappingProxyType

from openteller.core.errors import BadInput
from openteller.training.tasks.embedding import Embedding
from openteller.training.tasks.reranking import Reranking
from openteller.training.tasks.sequences import Classification, MultiLabelClassification
from openteller.training.tasks.task import Task
from openteller.training.tasks.tokens import TokenClassification

TASKS: MappingProxyType[str, Task] = MappingProxyType(
    {
        "classification": Classification(),
        "pair-classification": Classification(pair=True),
        "multi-label": MultiLabelClassification(),
        "tokens": TokenClassification(),
        "embedding": Embedding(),
        "embedding-by-label": Embedding(labelled=True),
        "reranking": Reranking(),
    }
)


#: Tasks that may share an encoder in one run: one text or pair a row, one head.
HEADED = tuple(
    name
    for name, task in TASKS.items()
    if isinstance(task, Classification | MultiLabelClassification | TokenClassification)
)


def headed(name: str, head: str) -> Task:
    """The task called `name` with its head called `head`. Raises BadInput for one that cannot share an encoder."""
    task = task_named(name)
    if isinstance(task, Classification | MultiLabelClassification):
        return replace(task, head=head)
    if not isinstance(task, TokenClassification):
        raise BadInput(
            f"The task {name} has no place among several heads.", next_step=f"Use one of {', '.join(HEADED)}."
        )
    return task


def task_named(name: str) -> Task:
    """The task called `name`. Raises BadInput that lists them."""
    if name not in TASKS:
        raise BadInput(f"There is no task {name!r}.", next_step=f"Use one of {', '.join(sorted(TASKS))}.")
    return TASKS[name]
