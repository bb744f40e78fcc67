"""`teller export`: write a trained model for others to run."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from openteller.assembly import open_catalogue
from openteller.cli.extras import training_extra
from openteller.cli.progress import console_progress
from openteller.runtime.exported import MODEL_FILES
from openteller.settings import load

if TYPE_CHECKING:
    from openteller.training.exporting.export import Exported

_EXAMPLES = """\
examples:
  teller export var/models/banking77
  teller export var/models/banking77 --output /srv/models/banking77 --precision int8 --json
  teller export src/openteller/understanding/weights --texts messages.txt --precision fp32

The folder is in Hugging Face layout with ONNX files in onnx/. Each is compared with the trained model on the recipe's
validation rows, or the rows of --texts; when fewer than 99.5 % of the decisions are the same, nothing is written.
"""


def export(arguments: list[str]) -> int:
    """Write a fine-tuned encoder in Hugging Face layout and as ONNX files that decide as it does."""
    parser = argparse.ArgumentParser(
        "teller export", description=export.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("artefact", type=Path, help="folder of an artefact that `teller finetune` wrote")
    parser.add_argument("--output", type=Path, help="default: <data_dir>/exports/<name>")
    parser.add_argument("--precision", choices=[*MODEL_FILES, "both"], default="both", help="default: both")
    parser.add_argument(
        "--texts", type=Path, help="texts to compare on: .txt, one a line, or a data set with text (, pair)"
    )
    parser.add_argument("--json", action="store_true", help="print what was written and how it compares as JSON")
    given = parser.parse_args(arguments)
    with training_extra():
        done = _run(given)
    if given.json:
        models = {MODEL_FILES[precision]: parity.as_dict() for precision, parity in done.parities.items()}
        print(json.dumps({"folder": str(done.folder), "models": models}, ensure_ascii=False, indent=2))
        return 0
    for precision, parity in done.parities.items():
        for head in parity.heads:
            print(
                f"{precision}  {head.head:12} {head.equal:,} of {head.decisions:,} decisions as torch ({head.share:.2%}),"
                f" largest difference of a logit {head.difference:.3g}"
            )
        print(
            f"{precision}  vectors      cosine to torch {parity.cosine_mean:.5f} on average, {parity.cosine_least:.5f} at least"
        )
    print(f"folder: {done.folder}")
    return 0


def _run(given: argparse.Namespace) -> "Exported":
    from openteller.training.exporting import export as exporting
    from openteller.training.exporting.texts import texts_of, validation_texts
    from openteller.training.recipes import data_path
    from openteller.training.trained import open_trained

    settings = load()
    model = open_trained(given.artefact, open_catalogue(settings))
    columns = model.manifest.settings.get("columns", {})
    if given.texts:
        texts = texts_of(given.texts, columns, paired=model.paired)
    else:
        texts = validation_texts(model.manifest, data_path, paired=model.paired)
    precisions = tuple(MODEL_FILES) if given.precision == "both" else (given.precision,)
    output = given.output or settings.data_dir / "exports" / model.manifest.name
    return exporting.export(model, output, precisions, texts, console_progress())
