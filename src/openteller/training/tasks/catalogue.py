"""The tasks by the names that recipes use. A new task is one file here and one line below."""

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


def task_named(name: str) -> Task:
    """The task called `name`. Raises BadInput that lists them."""
    if name not in TASKS:
        raise BadInput(f"There is no task {name!r}.", next_step=f"Use one of {', '.join(sorted(TASKS))}.")
    return TASKS[name]
