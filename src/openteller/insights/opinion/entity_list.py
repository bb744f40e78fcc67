"""The bank's list of entities as a file: YAML, with names and aliases in both languages. Knows nothing about the store.

entities:
  - id: pinebay
    kind: own                      # own, peer, company or product
    name: {zh: 松湾银行, en: Pinebay Bank}
    aliases: [松湾, {text: Pinebay, needs_context: true}]
    context: [银行, bank, 存款]
"""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from openteller.core.errors import BadInput, UnreadableFile
from openteller.core.text import normalise
from openteller.core.yaml_text import read_yaml
from openteller.insights.opinion.records import Entity

_MOST = 100_000


def read_entities(file: Path) -> list[Entity]:
    """The entities of a YAML file, whole or not at all.

    Raises:
        UnreadableFile: it is no YAML in UTF-8.
        BadInput: an entry is none, or two have one id.
    """
    try:
        read = read_yaml(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFile(
            f"The list {file} cannot be read.", cause=str(error), next_step="Give a YAML file in UTF-8."
        ) from error
    rows = read.get("entities") if isinstance(read, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST:
        raise BadInput(f"The list {file} has no entities.", next_step=f"Write entities: with 1 to {_MOST:,} entries.")
    return entities_of(rows)


def entities_of(rows: list[Any]) -> list[Entity]:
    """The entities of plain values; a text alone is an alias. Raises BadInput."""
    entities = [_entity(row, place) for place, row in enumerate(rows, 1)]
    ids = [entity.id for entity in entities]
    if twice := sorted({one for one in ids if ids.count(one) > 1} if len(set(ids)) < len(ids) else ()):
        raise BadInput(f"These entities are there twice: {', '.join(twice)}.", next_step="Give each an id of its own.")
    return entities


def _entity(row: Any, place: int) -> Entity:
    try:
        fields = dict(row)
        aliases = [{"text": one} if isinstance(one, str) else dict(one) for one in fields.get("aliases") or ()]
        fields["aliases"] = tuple({**alias, "text": normalise(str(alias["text"]))} for alias in aliases)
        fields["context"] = tuple(normalise(str(word)) for word in fields.get("context") or ())
        return Entity.model_validate(fields)
    except (ValidationError, TypeError, ValueError, KeyError) as error:
        faults = error.errors() if isinstance(error, ValidationError) else [{"loc": (), "msg": str(error)}]
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in faults)
        raise BadInput(
            f"Entry {place} is no entity.", cause=said, next_step="Correct it; nothing was imported."
        ) from error
