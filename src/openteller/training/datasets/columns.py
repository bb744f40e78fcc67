"""Columnar data: Parquet files and data sets that Hugging Face `datasets` saved to disk.

Class labels, which both store as numbers, come with their names.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openteller.core.errors import BadInput, MissingDependency
from openteller.training.datasets.records import BadRow, Record, tidy, unreadable

_BATCH_ROWS = 1024
_INSTALL = 'pip install "openteller[train]"'


def read_parquet(path: Path) -> Iterator[Record | BadRow]:
    """The rows of a Parquet file, batch by batch."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependency("Parquet cannot be read.", cause=str(error), next_step=_INSTALL) from error
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            if len(set(schema.names)) < len(schema.names):
                raise unreadable(path, "Two columns have one name.", "Give each column a name of its own.")
            batches = file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
            rows = (row for batch in batches for row in batch.to_pylist())
            yield from _records(path, rows, _class_names(_features_of(schema.metadata)))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(path, f"It is damaged or no Parquet file ({error}).", "Write or copy it again.") from error


def read_saved(path: Path) -> Iterator[Record | BadRow]:
    """The rows of a directory that ``Dataset.save_to_disk`` wrote, or of one split of a ``DatasetDict``.

    Raises:
        BadInput: the directory holds several splits, or no data set.
        UnreadableFile: it is damaged.
    """
    _require_one_set(path)
    try:
        import datasets
    except ImportError as error:
        raise MissingDependency("The data set cannot be read.", cause=str(error), next_step=_INSTALL) from error
    try:
        saved = datasets.load_from_disk(str(path)).with_format(None)
        yield from _records(path, saved, _class_names(saved.features.to_dict()))
    # The package raises whatever its parts raise: KeyError, JSONDecodeError, ArrowInvalid, …
    except Exception as error:
        raise unreadable(path, f"The saved data set is damaged ({error}).", "Save or copy it again.") from error


def _require_one_set(path: Path) -> None:
    if (path / "state.json").is_file() and (path / "dataset_info.json").is_file():
        return
    splits = sorted(child.parent.name for child in path.glob("*/state.json"))
    if splits:
        raise BadInput(
            f"{path} holds several splits: {', '.join(splits)}.", next_step=f"Name one of them: {path / splits[0]}."
        )
    raise BadInput(
        f"The directory {path} is no data set.",
        cause="It has no state.json and dataset_info.json.",
        next_step="Name a file, or a directory that Dataset.save_to_disk wrote.",
    )


def _records(
    path: Path, rows: Iterable[Mapping[str, object]], names: Mapping[str, list[str]]
) -> Iterator[Record | BadRow]:
    for number, row in enumerate(rows, 1):
        fields = {column: _named(value, names[column]) if column in names else value for column, value in row.items()}
        yield tidy(f"{path.name}:{number}", fields)


def _features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """The features that `datasets` notes in a Parquet file; {} when another library wrote it."""
    try:
        found = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _class_names(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of each column of class labels, single or in a list."""
    names = {}
    for column, feature in features.items():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else {}
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" and inner.get("names"):
            names[column] = list(inner["names"])
    return names


def _named(value: object, names: list[str]) -> object:
    """The name of a class; -1 is what `datasets` writes for a row without label."""
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value
