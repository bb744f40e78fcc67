"""From a fine-tuned artefact to a folder that others can run: Hugging Face layout and ONNX files, compared with torch first.

    artefact ─▶ torch model ─▶ layout, ONNX fp32, ONNX int8 ─▶ the same texts through each ─▶ folder, or refused

Nothing is left of an export that was refused. Knows nothing about the command line.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from openteller import __version__
from openteller.core.errors import BadInput, OpenTellerError
from openteller.registry.manifest import MANIFEST, Manifest, write_manifest
from openteller.runtime.encoder_graph import build_encoder
from openteller.runtime.exported import MODEL_FILES
from openteller.runtime.loader import TOKEN_HEADS
from openteller.runtime.onnx_backend import OnnxEncoder
from openteller.runtime.protocols import Text
from openteller.training.exporting.layout import write_layout
from openteller.training.exporting.parity import (
    LEAST_EQUAL,
    HeadParity,
    Outputs,
    Parity,
    compare,
    onnx_outputs,
    torch_outputs,
)
from openteller.training.optimisation import Report
from openteller.training.trained import TrainedEncoder

PARITY = "parity.json"
_NAMED = 10  # texts that a refusal shows
_SHOWN = 80  # characters of each


@dataclass(frozen=True)
class Exported:
    """What was written. parities: precision → how it compares with torch."""

    folder: Path
    manifest: Manifest
    parities: Mapping[str, Parity]


def export(
    model: TrainedEncoder, output: Path, precisions: Sequence[str], texts: Sequence[Text], report: Report
) -> Exported:
    """Write `model` to the folder `output` when each of its ONNX files decides as torch does.

    Args:
        model: the artefact, open.
        output: a folder that is not there yet, or an earlier export, which is replaced whole.
        precisions: keys of `MODEL_FILES`.
        texts: real ones, on which the models are compared.
        report: told (step, steps, text) as it goes.

    Raises:
        BadInput: `output` is something else.
        OpenTellerError: a file decides otherwise than torch for more than 0.5 % of the texts, which are named; or the
            disk is full.
    """
    _require_room(output)
    expected = torch_outputs(model, texts, report)
    with _replaced_whole(output) as work:
        write_layout(model, work)
        parities = {}
        for precision in precisions:
            build_encoder(model.weights, model.heads, work / MODEL_FILES[precision], int8=precision == "int8")
            parities[precision] = check(model, work, precision, texts, expected, report)
        _note(work / PARITY, parities)
        manifest = write_manifest(work, model.manifest, below=("onnx",))
    report(1, 1, "written")
    return Exported(output, manifest, parities)


def check(
    model: TrainedEncoder, folder: Path, precision: str, texts: Sequence[Text], expected: Outputs, report: Report
) -> Parity:
    """How the ONNX file in `folder` compares with `expected`. Raises OpenTellerError when it decides otherwise."""
    file, labels = MODEL_FILES[precision], model.manifest.labels
    encoder = OnnxEncoder(folder, labels, TOKEN_HEADS & labels.keys(), model=file)
    parity = compare(model, expected, onnx_outputs(encoder, texts, report, precision))
    if not parity.passed:
        raise _refused(precision, parity, texts)
    return parity


def _refused(precision: str, parity: Parity, texts: Sequence[Text]) -> OpenTellerError:
    worst = min(parity.heads, key=lambda head: head.share)
    named = [f"  {_shown(texts[i])}" for i in worst.texts[:_NAMED]]
    more = [f"  and {len(worst.texts) - _NAMED:,} more"] if len(worst.texts) > _NAMED else []
    return OpenTellerError(
        f"The {precision} model is not exported: it does not decide as the trained one.",
        cause="\n".join([_figures(worst), *named, *more]),
        next_step="Export with --precision fp32, or train longer, so that fewer texts lie between two labels."
        if precision == "int8"
        else "The files of the artefact do not belong together, or these texts are not what it reads; restore it.",
    )


def _figures(head: HeadParity) -> str:
    text = (
        f"{head.head}: {head.equal:,} of {head.decisions:,} decisions are equal, {head.share:.2%}; needed are"
        f" {LEAST_EQUAL:.1%}. Largest difference of a logit {head.difference:.3g}, root mean square {head.rms:.3g}."
    )
    if head.margin is not None:
        text += f" Torch took the others by a margin of {head.margin:.3g} on average, all by {head.margin_of_all:.3g}."
    return text


def _shown(text: Text) -> str:
    joined = text if isinstance(text, str) else " ⏐ ".join(text)
    return joined if len(joined) <= _SHOWN else f"{joined[: _SHOWN - 1]}…"


def _note(path: Path, parities: Mapping[str, Parity]) -> None:
    found = {"least_equal": LEAST_EQUAL, "against": "torch, float32", "openteller": __version__}
    models = {MODEL_FILES[precision]: parity.as_dict() for precision, parity in parities.items()}
    path.write_text(json.dumps(found | {"models": models}, indent=2) + "\n", encoding="utf-8")


def _require_room(output: Path) -> None:
    """Raise BadInput unless `output` is free, empty or an earlier export."""
    if not output.exists():
        return
    ours = output.is_dir() and (not any(output.iterdir()) or all((output / n).is_file() for n in (MANIFEST, PARITY)))
    if not ours:
        raise BadInput(
            f"{output} cannot be written to.",
            cause="It is there already, and is no earlier export.",
            next_step="Name another folder with --output.",
        )


@contextmanager
def _replaced_whole(output: Path) -> Iterator[Path]:
    """A folder to write in, which becomes `output` when the block ends well and is removed when it does not."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
            work, old = Path(scratch) / "new", Path(scratch) / "old"
            work.mkdir()
            yield work
            if output.exists():
                os.replace(output, old)
            os.replace(work, output)
    except OSError as error:
        raise OpenTellerError(
            f"The export to {output} failed.",
            cause=error.strerror or str(error),
            next_step="Make room, or name a folder that may be written to.",
        ) from error
