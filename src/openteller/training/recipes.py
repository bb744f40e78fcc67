"""Recipes: one YAML file a training run, checked against the dataclass of its task before anything starts.

Knows nothing about training itself.
"""

import os
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TypeVar

import yaml

from openteller.core.errors import BadInput, ConfigurationError
from openteller.core.yaml_text import read_yaml

# Least and most of a number; what is not listed must not be negative.
_SHARES = dict.fromkeys(
    (
        "validation_share",
        "test_share",
        "warmup",
        "dropout",
        "label_smoothing",
        "mask_share",
        "time_mask",
        "speed_change",
    ),
    (0.0, 0.99),
)
_COUNTED = [
    "epochs",
    "batch_size",
    "questions",
    "negatives",
    "pairs",
    "labelled",
    "layers",
    "accumulate",
    "lora_alpha",
    "evaluations",
    "validation_windows",
    "validation_rows",
    "replay_rows",
    "beam",
    "passages",
    "answer_tokens",
]
_COUNTS = dict.fromkeys(_COUNTED, (1, 10**9))
_POSITIVE = dict.fromkeys(("learning_rate", "contrast", "temperature"), (1e-9, 100.0))
_BOUNDS = {**_SHARES, **_COUNTS, **_POSITIVE, "max_tokens": (8, 512), "keep": (0.0, 1.0)}
DATA_VARIABLE = "OPENTELLER_DATA"
R = TypeVar("R")


def read_recipe(path: Path) -> dict[str, object]:
    """The fields of a recipe file. Raises BadInput when it is missing or not a YAML mapping."""
    try:
        found = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(
            f"The recipe {path} cannot be read.", cause=str(error), next_step="See recipes/ for examples."
        ) from error
    if not isinstance(found, dict) or "task" not in found:
        raise BadInput(f"{path} is not a recipe.", cause="It has no field `task`.", next_step="See recipes/.")
    return found


def as_dataclass(kind: type[R], recipe: dict[str, object]) -> R:
    """The recipe as its task's dataclass. Raises BadInput naming unknown fields, wrong types and senseless numbers."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    # The task chooses the dataclass, and `search` is for `teller search` alone.
    given = {name: value for name, value in recipe.items() if name not in ("task", "search") or name in known}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise BadInput(
            f"The recipe has unknown fields: {', '.join(unknown)}.", next_step=f"Known are: {', '.join(sorted(known))}."
        )
    for name, value in given.items():
        expected = _type_of(known[name])
        fits = isinstance(value, (int, float) if expected is float else expected)
        if not fits or (isinstance(value, bool) and expected is not bool):
            raise BadInput(
                f"The recipe's field {name} is {value!r}.",
                cause=f"It should be of type {expected.__name__}.",
                next_step="Correct it; YAML needs 2.0e-4, not 2e-4, for a number.",
            )
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            _require_sense(name, value)
    return kind(**given)


def _type_of(known: "Field[object]") -> type:
    if known.default is not MISSING:
        return type(known.default)
    assert known.default_factory is not MISSING  # every field of a recipe has a default
    return type(known.default_factory())


def _require_sense(name: str, value: float) -> None:
    least, most = _BOUNDS.get(name, (0, 2**63))
    if not least <= value <= most:  # also for NaN
        raise BadInput(
            f"The recipe's field {name} is {value!r}.", next_step=f"Use a number from {least:g} to {most:g}."
        )


def data_path(relative: str) -> Path:
    """A path below OPENTELLER_DATA, or an absolute one. Raises ConfigurationError that says where to get the set."""
    folder = os.environ.get(DATA_VARIABLE, "")
    path = Path(folder) / relative
    if not path.exists() or not (folder or path.is_absolute()):
        raise ConfigurationError(
            f"The data set {relative} is not there.",
            cause=f"{DATA_VARIABLE} is {folder or 'not set'}.",
            next_step=f"Set {DATA_VARIABLE} to the folder that holds it; docs/data.md says where to get each set.",
        )
    return path
