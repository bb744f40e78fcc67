"""`teller explain`: which words made a trained model decide so."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from openteller.assembly import open_catalogue
from openteller.cli.extras import training_extra
from openteller.core.errors import BadInput
from openteller.registry.durable import replace_file
from openteller.settings import load
from openteller.training.explanation import METHODS, Explanation, page, shade

_LISTED = 12  # spans in the table
_EXAMPLES = """\
examples:
  teller explain var/models/banking77 "I still have not got my new card"
  teller explain var/models/banking77 "I still have not got my new card" --label lost_or_stolen_card --html why.html
  teller explain var/models/wikiqa "Who founded the bank?" "It was founded by two brothers."
  teller explain var/models/entities "明天转5000元给王芳" --span 5000元 --method occlusion
  teller explain src/openteller/understanding/weights "你们的服务太差了" --head sentiment --json
"""


def explain(arguments: list[str]) -> int:
    """Show which words of a text spoke for a label of a fine-tuned encoder, and which against it."""
    parser = argparse.ArgumentParser(
        "teller explain", description=explain.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("artefact", type=Path, help="folder of an artefact that `teller finetune` wrote")
    parser.add_argument("text")
    parser.add_argument("pair", nargs="?", help="the second text, of a model that reads two")
    parser.add_argument("--label", help="explain this label; default: the one that the model gives")
    parser.add_argument("--head", help="of a model with several")
    parser.add_argument("--span", help="of a model that marks spans: the words to explain; default: the surest span")
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help=f"default: {METHODS[0]}")
    parser.add_argument("--json", action="store_true", help="print spans and scores as JSON")
    parser.add_argument("--html", type=Path, help="write a page that needs nothing else")
    given = parser.parse_args(arguments)
    with training_extra():
        found = _run(given)
    if given.html:
        _write(given.html, found)
    if given.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
        return 0
    _show(found)
    if given.html:
        print(f"page: {given.html}")
    return 0


def _run(given: argparse.Namespace) -> Explanation:
    from openteller.training.explaining import explain as run
    from openteller.training.trained import open_trained

    model = open_trained(given.artefact, open_catalogue(load()))
    text = given.text if given.pair is None else (given.text, given.pair)
    return run(model, text, head=given.head, label=given.label, span=given.span, method=given.method)


def _write(path: Path, found: Explanation) -> None:
    try:
        replace_file(path, page(found))
    except OSError as error:
        raise BadInput(
            f"The page {path} cannot be written.", cause=error.strerror or str(error), next_step="Name another file."
        ) from error


def _show(found: Explanation) -> None:
    terminal = sys.stdout.isatty()
    console = Console(force_terminal=terminal, no_color=not terminal, width=None if terminal else 110, highlight=False)
    console.print(Text(found.heading(), style="bold"))
    for part in range(len(found.texts)):
        console.print(_coloured(found, part))
    console.print(Text.assemble(("  for  ", _style(1.0)), " ", ("  against  ", _style(-1.0)), " the label"))
    for note in found.notes():
        console.print(Text(note, style="dim"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    for span in found.ranked[:_LISTED]:
        table.add_row(Text(span.text), f"{span.score:+.3f}")
    console.print(table)


def _coloured(found: Explanation, part: int) -> Text:
    text = Text()
    for characters, strength in found.pieces(part):
        text.append(characters, _style(strength) if strength is not None else "")
    return text


def _style(strength: float) -> Style:
    red, green, blue = shade(strength)
    return Style(color="black", bgcolor=f"rgb({red},{green},{blue})")
