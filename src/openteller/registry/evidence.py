"""How good an artefact is said to be: its manifest's figures, and the evaluation that may lie beside it.

`teller evaluate MODEL DATA --output MODEL` leaves ``report.json`` beside the artefact. A report of another kind or another
model, or one older than the artefact, says nothing here and is passed over. Knows nothing about how a figure is measured.
"""

import json
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from openteller.core.errors import UnreadableFile
from openteller.core.records import Record
from openteller.registry.manifest import REPORT, Manifest, read_manifest


class _Part(BaseModel):
    """A part of report.json; what is not named here is for other readers. None: undefined."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Measured(_Part):
    """A figure with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Compared(_Part):
    """The model less the champion of the day in one figure, with the 95 % interval of the difference."""

    metric: str
    champion: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    test: str


class Sliced(_Part):
    """The sliced figure of the `n` rows with `value` in `dimension`."""

    dimension: str
    value: str
    n: int
    figure: float | None
    low: float | None
    high: float | None


class Apart(_Part):
    """How far the values of a dimension are apart in the sliced figure."""

    dimension: str
    worst: str
    best: str
    gap: float | None


class Evaluation(_Part):
    """What `teller evaluate` found on `n` rows of `dataset`."""

    model: str
    dataset: str
    n: int
    created_at: datetime
    temperature: float
    figures: dict[str, Measured]
    comparisons: tuple[Compared, ...]
    sliced: str
    slices: tuple[Sliced, ...]
    gaps: tuple[Apart, ...]
    latency: dict[str, float | None]

    @property
    def measured_on(self) -> str:
        """The rows: two figures are comparable when this is the same."""
        return f"{self.n} rows of {self.dataset}"


class Figures(Record):
    """The figures of an artefact by name.

    The manifest's stand under their own names; the evaluation's as ``report.<name>``, ``report.<name>.low`` and ``.high``
    (95 % interval) and ``report.<latency>``.
    """

    values: dict[str, float]
    files: frozenset[str] = frozenset()
    measured_on: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self.files


def read_evaluation(folder: Path, manifest: Manifest) -> Evaluation | None:
    """The evaluation beside the artefact; None when there is none of this very model.

    Raises:
        UnreadableFile: there is a report.json that is not one of ours.
    """
    path = folder / REPORT
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_bytes())
        if isinstance(raw, dict) and "dataset" not in raw:
            return None
        found = Evaluation.model_validate(raw)
    except (OSError, ValueError) as error:  # pydantic's and json's errors are ValueErrors
        raise UnreadableFile(
            f"The report {path} cannot be read.",
            cause=str(error).split("\n")[0],
            next_step=f"Delete it, or measure again: teller evaluate {folder} DATA --output {folder}",
        ) from error
    # A report's moment has no fractions of a second.
    trained = manifest.created_at.replace(microsecond=0)
    return found if found.model == manifest.name and found.created_at >= trained else None


def figures_of(folder: Path) -> Figures:
    """Every figure known of the artefact in `folder`, whose files are not verified here.

    Raises:
        ModelUnavailable: it has no readable manifest.
        UnreadableFile: its report.json is damaged.
    """
    manifest = read_manifest(folder, verify=False)
    evaluation = read_evaluation(folder, manifest)
    found = dict(manifest.metrics)
    for name, figure in evaluation.figures.items() if evaluation else ():
        parts = {"": figure.value, ".low": figure.low, ".high": figure.high}
        found |= {f"report.{name}{part}": value for part, value in parts.items() if value is not None}
    for name, latency in evaluation.latency.items() if evaluation else ():
        found |= {} if latency is None else {f"report.{name}": latency}
    return Figures(
        values=found, files=frozenset(manifest.files), measured_on=evaluation.measured_on if evaluation else ""
    )
