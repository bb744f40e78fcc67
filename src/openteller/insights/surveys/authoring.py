"""A survey from a YAML or JSON file; what is wrong with it is said by place. Knows nothing about how it is stored."""

from typing import Any

import yaml
from pydantic import ValidationError

from openteller.core.errors import BadInput, TooLarge, UnreadableFile
from openteller.core.text import normalise
from openteller.core.yaml_text import read_yaml
from openteller.insights.surveys.records import Survey

_MAX_BYTES = 256 * 1024
_NEXT = "docs/guide/surveys.md shows a whole one."


def read(data: bytes, name: str) -> Survey:
    """The survey that the file describes; every text is normalised.

    Raises:
        TooLarge: over 256 KiB.
        UnreadableFile: neither YAML nor JSON in UTF-8.
        BadInput: it describes no survey; each fault is named by its place.
    """
    if len(data) > _MAX_BYTES:
        raise TooLarge(f"{name} is larger than a survey can be.", cause="At most 256 KiB are read.", next_step=_NEXT)
    try:
        found = read_yaml(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise UnreadableFile(f"{name} cannot be read as YAML or JSON.", cause=str(error), next_step=_NEXT) from error
    if not isinstance(found, dict):
        raise BadInput(f"{name} describes no survey.", next_step=_NEXT)
    try:
        return Survey.model_validate(_clean(found))
    except (ValidationError, RecursionError) as error:
        raise BadInput(
            f"{name} describes no survey that can be asked.", cause=_faults(error), next_step=_NEXT
        ) from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return normalise(value)
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def _faults(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "It contains itself."
    faults = [
        f"{'.'.join(map(str, fault['loc'])) or 'the survey'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    ]
    more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
    return "; ".join(faults[:5]) + more + "."
