"""`teller models`: the trained models, which of them serves, and how it came to that.

Each change of stage is a row of the audit log, written in one transaction with the change: when the store does not answer,
nothing changes.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from openteller.cli.extras import training_extra
from openteller.cli.registered import (
    actor,
    gates_for,
    opened,
    shipped,
    side_by_side,
    told_to_restart,
    try_out,
)
from openteller.cli.tables import table
from openteller.core.clock import local_text
from openteller.registry.card import card
from openteller.registry.evidence import figures_of
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Change, Stage, Version
from openteller.settings import Settings, load

_EXAMPLES = """\
examples:
  teller models register var/models/banking77
  teller models list
  teller models show banking77@candidate --card
  teller models promote banking77@candidate --gate "accuracy >= 0.92" --gate "macro_f1 >= champion - 0.005" \\
      --reason "more labels of the card team"
  teller models compare banking77@candidate banking77@champion --data held-out.jsonl
  teller models rollback banking77 --reason "complaints about card_declined"
  teller models retire understanding-zh-en@champion --reason "back to the shipped weights"

A version is written as NAME@ and how it begins, or champion, or candidate (the newest).
Gates that always apply stand in <data_dir>/gates.yaml:
  banking77: [accuracy >= 0.92, nll <= champion + 0.02, report.accuracy.low >= 0.9]
"""


def models(arguments: list[str]) -> int:
    """Register, compare, promote, roll back and retire trained models; show which of them serves."""
    parser = argparse.ArgumentParser(
        "teller models", description=models.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    given = _arguments(parser).parse_args(arguments)
    action: Callable[[argparse.Namespace, Settings], int] = given.run
    return action(given, load())


def _arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, run: Callable[[argparse.Namespace, Settings], int], text: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument("--json", action="store_true", help="print what came of it as JSON")
        return added

    registering = action("register", _register, "copy an artefact into the registry, as a candidate")
    registering.add_argument("folder", type=Path, help="what `teller finetune` wrote")
    registering.add_argument("--name", help="default: the name in its manifest")
    registering.add_argument("--reason", default="", help="why it is tried")
    action("list", _list, "every version with its stage")
    showing = action("show", _show, "a model with its history, or one version with its figures")
    showing.add_argument("reference", metavar="NAME[@VERSION]")
    showing.add_argument("--card", action="store_true", help="print the model card (of the champion, without @VERSION)")
    promoting = action("promote", _promote, "make a candidate the champion, if it passes every gate")
    promoting.add_argument("reference", metavar="NAME@VERSION")
    promoting.add_argument(
        "--gate", action="append", default=[], help='e.g. "macro_f1 >= champion - 0.005"; repeatable'
    )
    promoting.add_argument("--force", action="store_true", help="although gates fail; recorded with the reason")
    rolling = action("rollback", _rollback, "make the champion before this one the champion again")
    rolling.add_argument("name")
    retiring = action("retire", _retire, "take a candidate out of line, or the champion out of service")
    retiring.add_argument("reference", metavar="NAME@VERSION")
    for added in (promoting, rolling, retiring):
        added.add_argument("--reason", required=True)
    comparing = action("compare", _compare, "the figures of two versions side by side")
    comparing.add_argument("a", metavar="NAME[@VERSION]")
    comparing.add_argument("b", metavar="NAME[@VERSION]")
    comparing.add_argument("--data", type=Path, help="measure both on these rows (extra: train)")
    return parser


def _register(given: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as (_, registry):
        version = registry.register(given.folder, actor=actor(), reason=given.reason, name=given.name)
    return _changed(version, given)


def _promote(given: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as (_, registry):
        version = registry.find(given.reference)
        gates = gates_for(settings, version.name, given.gate)
        if version.stage is Stage.CANDIDATE:
            try_out(settings, version.name, registry.artefact(version.name, version.version)[0])
        version = registry.promote(
            version.name, version.version, gates,
            actor=actor(), reason=given.reason, force=given.force, incumbent=shipped(version.name),
        )  # fmt: skip
        verdicts = registry.slot(version.name).changes[-1].verdicts
    for verdict in verdicts if not given.json else ():
        print(verdict)
    return _changed(version, given)


def _rollback(given: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as (_, registry):
        return _changed(registry.rollback(given.name, actor=actor(), reason=given.reason), given)


def _retire(given: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as (_, registry):
        found = registry.find(given.reference)
        version = registry.retire(found.name, found.version, actor=actor(), reason=given.reason)
    return _changed(version, given)


def _changed(version: Version, given: argparse.Namespace) -> int:
    if given.json:
        _print_json(version.model_dump(mode="json"))
        return 0
    print(f"{version.name}@{version.version}: {version.stage}")
    if given.run is not _register:
        told_to_restart(version.name)
    return 0


def _list(given: argparse.Namespace, settings: Settings) -> int:
    versions = [version for slot in ModelRegistry(settings.data_dir).slots() for version in slot.versions()]
    if given.json:
        _print_json([version.model_dump(mode="json") for version in versions])
    elif not versions:
        print("No model is registered: teller models register FOLDER")
    else:
        print(table(("name", "version", "task", "stage", "since", "by", "reason"), _rows(versions, settings)), end="")
    return 0


def _rows(versions: Sequence[Version], settings: Settings) -> list[tuple[str, ...]]:
    return [
        (v.name, v.version, v.task, v.stage, local_text(v.since, settings.timezone), v.actor, v.reason)
        for v in versions
    ]  # fmt: skip


def _show(given: argparse.Namespace, settings: Settings) -> int:
    registry = ModelRegistry(settings.data_dir)
    name, at, _ = given.reference.partition("@")
    if not at and not given.card:
        slot = registry.slot(name)
        if given.json:
            _print_json(slot.model_dump(mode="json"))
        else:
            print(
                table(
                    ("version", "task", "stage", "since", "by", "reason"),
                    [row[1:] for row in _rows(slot.versions(), settings)],
                )
            )
            print(
                table(
                    ("change", "version", "displaced", "at", "by", "reason", "gates"), _history(slot.changes, settings)
                ),
                end="",
            )
        return 0
    version = registry.find(given.reference, Stage.CHAMPION)
    folder, manifest = registry.artefact(version.name, version.version)
    if given.card:
        print(card(folder), end="")
    elif given.json:
        _print_json(
            version.model_dump(mode="json") | {"folder": str(folder), "manifest": manifest.model_dump(mode="json")}
        )
    else:
        print(table(("name", "version", "task", "stage", "since", "by", "reason"), _rows([version], settings)))
        figures = figures_of(folder).values
        print(table(("figure", "value"), [(figure, f"{value:.4f}") for figure, value in figures.items()], words=1))
        print(f"artefact: {folder} (every file verified)")
    return 0


def _history(changes: Sequence[Change], settings: Settings) -> list[tuple[str, ...]]:
    def gates(change: Change) -> str:
        forced = ["forced"] if change.forced else []
        return "; ".join(forced + [str(verdict) for verdict in change.verdicts])

    return [
        (c.action, c.version, c.displaced or "", local_text(c.at, settings.timezone), c.actor, c.reason, gates(c))
        for c in changes
    ]  # fmt: skip


def _compare(given: argparse.Namespace, settings: Settings) -> int:
    registry = ModelRegistry(settings.data_dir)
    a, b = (registry.find(reference, Stage.CHAMPION) for reference in (given.a, given.b))
    if given.data:
        with training_extra():
            return _measured(registry, a, b, given, settings)
    pairs, names = registry.compare(a, b), [f"{v.name}@{v.version}" for v in (a, b)]
    if given.json:
        _print_json({"a": names[0], "b": names[1], "figures": [pair.as_dict() for pair in pairs]})
        return 0
    print(side_by_side(names, pairs), end="")
    return 0


def _measured(
    registry: ModelRegistry, a: Version, b: Version, given: argparse.Namespace, settings: Settings
) -> int:  # fmt: skip
    """A held against b on the same rows."""
    from openteller.assembly import open_catalogue
    from openteller.training import evaluating
    from openteller.training.evaluation import rendering

    catalogue = open_catalogue(settings)
    first, second = (evaluating.open_artefact(registry.folder(v.name, v.version), catalogue) for v in (a, b))
    report = evaluating.evaluate(first, given.data, champion=second)
    print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if given.json else rendering.table(report))
    return 0


def _print_json(found: object) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))
