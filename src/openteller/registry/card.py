"""The model card of an artefact: README.md in the layout of the Hugging Face Hub (Mitchell et al. 2019, Model Cards for
Model Reporting), computed from the manifest and from the evaluation that may lie beside it.

Nothing in a card is measured or typed by hand: what the manifest does not say, the card says it does not know. The card is
no part of the artefact (manifest.py), so that it can be written anew when an evaluation comes. Knows nothing about training.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from openteller.registry.durable import replace_file
from openteller.registry.evidence import Evaluation, read_evaluation
from openteller.registry.manifest import CARD, MANIFEST, Machine, Manifest, read_manifest
from openteller.registry.purposes import Purpose, purpose_of

# Names on the Hub of what the catalogue carries under shorter ones.
_ON_THE_HUB = {
    "e5-small": "intfloat/multilingual-e5-small",
    "smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "gemma3-270m": "google/gemma-3-270m",
    "whisper-base": "openai/whisper-base",
}
# SPDX identifiers that the Hub knows, by its own spelling.
_LICENCES = {name.lower(): name for name in ("Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "Gemma")}
# Figures about the run, not about how good the model is.
_OF_THE_RUN = ("minutes", "samples_per_second", "tokens_per_second")
_COUNTS = ("_rows", "_documents", "_tokens")
_LABELS_SHOWN = 20

# Assumptions of the energy estimate, in watts.
_CORE_WATTS = (
    10.0  # of a server processor's core at work: 200-350 W over 24-64 cores, with its share of the rest of the chip
)
_ACCELERATOR_WATTS = 400.0  # of a data-centre GPU at work
_OVERHEAD = 1.5  # memory, power supply and cooling


def write_card(folder: Path) -> Path:
    """Write README.md beside the artefact. Raises ModelUnavailable or UnreadableFile as `card`."""
    replace_file(folder / CARD, card(folder))
    return folder / CARD


def card(folder: Path) -> str:
    """The card of the artefact in `folder`, whose files are not verified here.

    Raises:
        ModelUnavailable: it has no readable manifest.
        UnreadableFile: its report.json is damaged.
    """
    manifest = read_manifest(folder, verify=False)
    evaluation, purpose = read_evaluation(folder, manifest), purpose_of(manifest.task)
    header = yaml.safe_dump(_header(manifest, evaluation, purpose), allow_unicode=True, sort_keys=False, width=120)
    sections = {
        "What it is": _what(manifest, purpose),
        "Intended use and limits": [f"**For:** {purpose.use}", "", f"**Not for:** {purpose.limits}"],
        "Training data": _data(manifest),
        "How it was trained": _settings(manifest),
        "Figures": _figures(manifest, evaluation),
        "Calibration": _calibration(manifest, evaluation),
        "Energy and time": _energy(manifest),
        "Files": _files(folder, manifest),
    }
    body = (f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())
    return f"---\n{header}---\n\n# {manifest.name}\n\n" + "\n\n".join(body) + "\n"


def _header(manifest: Manifest, evaluation: Evaluation | None, purpose: Purpose) -> dict[str, Any]:
    word = manifest.licence.split(" (")[0].split(";")[0].strip()
    known = word.lower() in _LICENCES
    header: dict[str, Any] = {"license": word.lower() if known else "other"}
    if not known:
        header["license_name"] = manifest.licence
    if manifest.languages:
        header["language"] = list(manifest.languages)
    header |= {
        "base_model": _ON_THE_HUB.get(manifest.base, manifest.base),
        "library_name": "openteller",
        "pipeline_tag": purpose.pipeline,
        "tags": ["openteller", "banking", manifest.task],
        "metrics": list(_good(manifest.metrics)),
    }
    results = [_result(manifest, purpose, "validation rows held out of the training data", _good(manifest.metrics))]
    if evaluation:
        values = {name: f.value for name, f in evaluation.figures.items() if f.value is not None}
        results.append(_result(manifest, purpose, evaluation.dataset, values))
    measured = [result for result in results if result["metrics"]]
    return header | ({"model-index": [{"name": manifest.name, "results": measured}]} if measured else {})


def _result(manifest: Manifest, purpose: Purpose, dataset: str, values: Mapping[str, float]) -> dict[str, Any]:
    return {
        "task": {"type": purpose.pipeline, "name": manifest.task},
        "dataset": {"type": "private", "name": dataset},
        "metrics": [{"type": name, "name": name, "value": round(value, 4)} for name, value in values.items()],
    }


def _good(metrics: Mapping[str, float]) -> dict[str, float]:
    """The figures that say how good the model is."""
    return {n: v for n, v in metrics.items() if n not in _OF_THE_RUN and not n.endswith(_COUNTS)}


def _what(manifest: Manifest, purpose: Purpose) -> list[str]:
    trained = f"Trained {manifest.created_at:%Y-%m-%d} from `{manifest.base}` with OpenTeller's task `{manifest.task}`."
    lines = [purpose.what, "", trained, "", f"Licence: {manifest.licence}."]
    if manifest.labels:
        lines += ["", "Outputs:", ""]
    for head, labels in manifest.labels.items():
        shown = ", ".join(f"`{label}`" for label in labels[:_LABELS_SHOWN])
        more = f" and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
        lines.append(f"- `{head}` ({len(labels)}): {shown}{more}")
    return lines


def _data(manifest: Manifest) -> list[str]:
    sources = [f"- {source}" for source in manifest.data] or ["Not noted."]
    rows = {n: v for n, v in manifest.metrics.items() if n.endswith(_COUNTS)}
    counted = [f"- {name.replace('_', ' ')}: {value:,.0f}" for name, value in rows.items()]
    return [*sources, *counted]


def _settings(manifest: Manifest) -> list[str]:
    given = {n: v for n, v in manifest.settings.items() if v not in ("", None, [], {}, ())}
    if not given:
        return ["Not noted."]
    return _table(("setting", "value"), ((f"`{name}`", _cell(value)) for name, value in given.items()))


def _figures(manifest: Manifest, evaluation: Evaluation | None) -> list[str]:
    rows = ((name, f"{value:.4f}") for name, value in _good(manifest.metrics).items())
    lines = ["On validation rows held out of the training data:", "", *_table(("figure", "value"), rows)]
    if evaluation is None:
        return [*lines, "", "No evaluation on other data lies beside this artefact (`teller evaluate`)."]
    lines += ["", f"On {evaluation.measured_on}, measured {evaluation.created_at:%Y-%m-%d}:", ""]
    lines += _table(
        ("figure", "value", "95% interval"),
        ((name, _number(f.value), _between(f.low, f.high)) for name, f in evaluation.figures.items()),
    )
    if evaluation.latency:
        lines += ["", *_table(("latency", "value"), ((n, _number(v, 2)) for n, v in evaluation.latency.items()))]
    return [*lines, *_compared(evaluation), *_slices(evaluation)]


def _compared(evaluation: Evaluation) -> list[str]:
    rows = [
        (
            c.metric,
            _number(c.champion),
            _number(c.candidate),
            _between(c.low, c.high),
            f"{_number(c.p_value)} ({c.test})",
        )
        for c in evaluation.comparisons
    ]
    columns = ("figure", "champion", "this model", "95% interval of the difference", "p")
    return ["", "Against the champion of that day, on the same rows:", "", *_table(columns, rows)] if rows else []


def _slices(evaluation: Evaluation) -> list[str]:
    rows = [
        (s.dimension, s.value, str(s.n), _number(s.figure), _between(s.low, s.high)) for s in evaluation.slices
    ]  # fmt: skip
    if not rows:
        return []
    lines = ["", f"By groups of rows, {evaluation.sliced}:", ""]
    lines += _table(("group", "value", "rows", evaluation.sliced, "95% interval"), rows)
    gaps = [f"- {gap.dimension}: {gap.worst} is {_number(gap.gap)} behind {gap.best}" for gap in evaluation.gaps]
    return [*lines, "", *gaps] if gaps else lines


def _calibration(manifest: Manifest, evaluation: Evaluation | None) -> list[str]:
    lines = [f"- `{head}`: logits are divided by {t:.4f}" for head, t in manifest.temperatures.items()]
    found = {f"{name}, validation": value for name, value in manifest.metrics.items() if name.endswith("ece")}
    for name, figure in evaluation.figures.items() if evaluation else ():
        if name.endswith("ece") and figure.value is not None:
            found[f"{name}, {evaluation.dataset if evaluation else ''}"] = figure.value
    lines += [f"- {name}: {value:.4f}" for name, value in found.items()]
    if not lines:
        return ["Not calibrated: its scores are no probabilities."]
    return ["Temperatures were fitted on validation rows (Guo et al. 2017).", "", *lines]


def _energy(manifest: Manifest) -> list[str]:
    minutes, machine = manifest.metrics.get("minutes"), manifest.machine
    if minutes is None:
        return ["Not noted."]
    if machine is None:
        return [f"{minutes:.1f} minutes; the machine was not noted, so its energy is not estimated."]
    watts, of = _power(machine)
    kwh = minutes / 60 * watts * _OVERHEAD / 1000
    on = f"{machine.cores} cores of {machine.processor}" + (
        f" with {machine.accelerator}" if machine.accelerator else ""
    )
    return [
        f"{minutes:.1f} minutes on {on}.",
        "",
        f"Energy: about {kwh:.2g} kWh. **An estimate, not a measurement:** {minutes:.1f} min × {of} × {_OVERHEAD} for"
        " memory, power supply and cooling, all of them assumed to be at work throughout. The search for these settings"
        " and runs that were cut off are not in it.",
    ]


def _power(machine: Machine) -> tuple[float, str]:
    watts, of = machine.cores * _CORE_WATTS, f"{machine.cores} cores at {_CORE_WATTS:g} W"
    if machine.accelerator:
        return watts + _ACCELERATOR_WATTS, f"({of} + one accelerator at {_ACCELERATOR_WATTS:g} W)"
    return watts, of


def _files(folder: Path, manifest: Manifest) -> list[str]:
    def size(name: str) -> str:
        return f"{(folder / name).stat().st_size:,}" if (folder / name).is_file() else "missing"

    rows = ((f"`{name}`", size(name), f"`{digest}`") for name, digest in manifest.files.items())
    proof = f"`{MANIFEST}` holds the same hashes; OpenTeller verifies them before it loads the model."
    return [*_table(("file", "bytes", "SHA-256"), rows), "", proof]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return lines + [f"| {' | '.join(map(_cell, row))} |" for row in rows]


def _cell(value: object) -> str:
    """On one line, with no bar that would begin another cell."""
    return " ".join(str(value).split()).replace("\\|", "|").replace("|", "\\|")


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _between(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.4f} to {high:.4f}"
