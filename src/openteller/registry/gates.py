"""Gates: what a candidate's figures must show before it may serve, written as a person says it.

    accuracy >= 0.92                      a figure of the manifest
    macro_f1 >= champion - 0.005          not worse than the champion by more than 0.005
    report.accuracy.low >= 0.90           lower end of the 95 % interval in the report.json beside the artefact
    report.torch_ms_p95 <= 80             a latency there
    export_agreement present              measured at all; or a file that is part of the artefact

A gate on something that was not measured fails: a gate that checks nothing must not pass. Knows nothing about where
figures come from.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import yaml

from openteller.core.errors import BadInput, ConfigurationError
from openteller.core.records import Record
from openteller.core.yaml_text import read_yaml
from openteller.registry.evidence import Figures

EVERY_SLOT = "*"
_ROUNDING = 1e-9  # figures have four decimals; 0.925 - 0.005 is not quite 0.92 in binary
_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_GATE = re.compile(
    rf"""\s*(?P<figure>[\w.@-]+)\s*
    (?: (?P<present>present)
      | (?P<relation>>=|<=|>|<)\s*
        (?: (?P<champion>champion)\s*(?P<slack>[+-]\s*{_NUMBER})? | (?P<bound>[+-]?\s*{_NUMBER}) )
    )\s*""",
    re.VERBOSE | re.ASCII,
)


class Relation(StrEnum):
    """How a figure must stand to its bound."""

    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"
    PRESENT = "present"


class Verdict(Record):
    """What one gate found. `found`, `wanted`: the figure and its bound; None when there is none."""

    gate: str
    passed: bool
    found: float | None = None
    wanted: float | None = None
    note: str = ""

    def __str__(self) -> str:
        figures = "" if self.found is None else f" ({self.found:.4f}" + (
            f", wanted {self.wanted:.4f})" if self.wanted is not None else ")"
        )  # fmt: skip
        return f"{self.gate}: {'passed' if self.passed else 'failed'}{figures}{f', {self.note}' if self.note else ''}"


class Gate(Record):
    """One condition. `relative`: the bound is added to the champion's figure."""

    text: str
    figure: str
    relation: Relation
    bound: float = 0.0
    relative: bool = False

    def judge(self, candidate: Figures, champion: Figures | None) -> Verdict:
        """Hold the candidate's figures against the gate; without a champion a relative gate passes, and says so."""
        if self.relation is Relation.PRESENT:
            found = candidate.values.get(self.figure)
            missing = "" if self.figure in candidate else "not there"
            return Verdict(gate=self.text, passed=not missing, found=found, note=missing)
        if self.figure not in candidate.values:
            return Verdict(gate=self.text, passed=False, note=f"{self.figure} was not measured")
        found, wanted, note = candidate.values[self.figure], self.bound, ""
        if self.relative:
            if champion is None:
                return Verdict(gate=self.text, passed=True, found=found, note="there is no champion yet")
            note = self._incomparable(candidate, champion)
            if note:
                return Verdict(gate=self.text, passed=False, found=found, note=note)
            wanted += champion.values[self.figure]
        return Verdict(gate=self.text, passed=self._holds(found, wanted), found=found, wanted=round(wanted, 9))

    def _incomparable(self, candidate: Figures, champion: Figures) -> str:
        if self.figure not in champion.values:
            return f"{self.figure} of the champion was not measured"
        if self.figure.startswith("report.") and candidate.measured_on != champion.measured_on:
            return f"measured on {candidate.measured_on}, the champion on {champion.measured_on}"
        return ""

    def _holds(self, found: float, wanted: float) -> bool:
        match self.relation:
            case Relation.AT_LEAST:
                return found >= wanted - _ROUNDING
            case Relation.AT_MOST:
                return found <= wanted + _ROUNDING
            case Relation.ABOVE:
                return found > wanted + _ROUNDING
            case _:
                return found < wanted - _ROUNDING


def parse(text: str) -> Gate:
    """Read one gate. Raises BadInput when it is none."""
    found = _GATE.fullmatch(text)
    if not found:
        raise BadInput(
            f"{text!r} is no gate.",
            next_step='Write it like "accuracy >= 0.92", "macro_f1 >= champion - 0.005" or "accuracy present".',
        )
    number = (found["slack"] or found["bound"] or "0").replace(" ", "")
    relation = Relation(found["present"] or found["relation"])
    plain = " ".join(text.split())
    return Gate(
        text=plain, figure=found["figure"], relation=relation, bound=float(number), relative=bool(found["champion"])
    )


def read_gates(path: Path, slot: str) -> tuple[Gate, ...]:
    """The gates that a file declares for `slot`: those of ``"*"``, then its own; none without a file.

    The file is YAML, slot → list of gates::

        "*": [macro_f1 >= champion - 0.005]
        banking77: [accuracy >= 0.92, nll <= champion + 0.02]

    Raises:
        ConfigurationError: it is no such file.
        BadInput: a line of it is no gate.
    """
    if not path.exists():
        return ()
    cause = "It should map each slot to a list of gates."
    try:
        declared = read_yaml(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        declared, cause = None, str(error)
    if not isinstance(declared, dict) or not all(isinstance(gates, list) for gates in declared.values()):
        raise ConfigurationError(
            f"The gates in {path} cannot be used.",
            cause=cause,
            next_step='Write, for example, banking77: ["accuracy >= 0.92"].',
        )
    return tuple(parse(str(text)) for name in (EVERY_SLOT, slot) for text in declared.get(name, ()))


def judge(gates: Sequence[Gate], candidate: Figures, champion: Figures | None) -> tuple[Verdict, ...]:
    """What each gate finds, in order."""
    return tuple(gate.judge(candidate, champion) for gate in gates)
