"""How well a bank's own FAQ is found after one import: the E.SUN bank FAQ, asked in other words.

    OPENTELLER_DATA=… python benchmarks/faq_import.py           ask the development questions
    OPENTELLER_DATA=… python benchmarks/faq_import.py --test    ask the others (look at them once, at the end)

Reads ``esun_bank_faq_zht/faq.jsonl`` below OPENTELLER_DATA: a line ``{"id", "entries": [{"question", "answers"}]}``. Works
in an installation of its own that it throws away.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import yaml
from throwaway import installation

from openteller.assistant.dialogue import inquiry_of
from openteller.core.records import Outcome, visitor
from openteller.settings import load

QUESTIONS = Path(__file__).with_name("faq_questions.yaml")


def main() -> None:
    """Import, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--test", action="store_true")
    which = "test" if parser.parse_args().test else "development"
    file = Path(os.environ.get("OPENTELLER_DATA", "")) / "esun_bank_faq_zht" / "faq.jsonl"
    if not file.is_file():
        sys.exit(f"There is no {file}. Set OPENTELLER_DATA to the folder of data sets (docs/data.md).")
    asked = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))[which]
    with installation(load()) as application:
        application.warm()
        started = time.monotonic()
        report = application.library.import_file(file)
        print(f"{report.stored} pairs imported in {time.monotonic() - started:.0f} s")
        first = answered = 0
        for row in asked:
            answer = application.dialogue.walk(inquiry_of(row["question"]), visitor("benchmark")).answer
            cited = answer.citations[0].document_id if answer.citations else ""
            right = cited.removeprefix("faq:").partition(".")[0] in {row["entry"], *row.get("also", [])}
            first += right
            answered += right and answer.outcome is Outcome.ANSWERED
            if not right:
                print(f"  {answer.outcome:10} {answer.confidence:.2f} {row['question']} → {cited or 'nothing'}")
        print(f"right entry first {first}/{len(asked)}, answered with it {answered}/{len(asked)}")


if __name__ == "__main__":
    main()
