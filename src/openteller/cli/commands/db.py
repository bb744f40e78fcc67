"""`teller db`: the schema of the store."""

import argparse

from openteller.settings import load

_EXAMPLES = """\
examples:
  teller db upgrade
  teller db status
  teller db downgrade --to base --yes
"""


def db(arguments: list[str]) -> int:
    """Bring the schema up or down, or say where it stands."""
    from openteller.assembly import open_database

    parser = argparse.ArgumentParser(
        "teller db", description=db.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=["upgrade", "downgrade", "status"])
    parser.add_argument("--to", default="", help="revision; default: head for upgrade, base for downgrade")
    parser.add_argument("--yes", action="store_true", help="downgrade without asking (data in dropped tables is lost)")
    given = parser.parse_args(arguments)
    database, close = open_database(load())
    try:
        if given.action == "upgrade":
            database.upgrade(given.to or "head")
        elif given.action == "downgrade":
            if not given.yes and input("Data in dropped tables is lost. Type yes to go on: ") != "yes":
                print("Nothing was changed.")
                return 1
            database.downgrade(given.to or "base")
        print(f"schema: {database.revision() or 'empty'}{' (current)' if database.is_current() else ''}")
    finally:
        close()
    return 0
