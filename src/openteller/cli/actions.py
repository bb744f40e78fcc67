"""A command of several actions: `teller COMMAND ACTION …`. Knows nothing about what any of them does."""

import argparse
from collections.abc import Callable

AddAction = Callable[[str, Callable[..., int], str], argparse.ArgumentParser]
"""Adds an action by its name, what runs it and what it does; returns its parser, for what else it takes."""


def command_parser(command: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """The parser of a whole command, whose help ends with `examples`."""
    return argparse.ArgumentParser(
        f"teller {command}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawTextHelpFormatter,
    )


def actions_of(parser: argparse.ArgumentParser, *, by: bool = False) -> AddAction:
    """What adds actions to a command. Each takes --json, and with `by` who does it; what runs it is `given.run`."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(run=run)
        if by:
            action.add_argument("--by", metavar="NAME", help="who does it; default: your login on this machine")
        action.add_argument("--json", action="store_true", help="print what came of it as JSON")
        return action

    return add
