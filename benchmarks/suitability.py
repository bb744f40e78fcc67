"""Random customers × products × days at the suitability wall, held against an oracle written from the rules' words.

    python benchmarks/suitability.py                    a million cases
    python benchmarks/suitability.py --cases 100000 --seed 7

Prints one table; leaves with 1 when there is a breach. The oracle and the first hundred thousand are in tests/products.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from openteller.products.suitability import suitable
from tests.products.suitability_oracle import draw, ruling
from tests.products.test_suitability import OUTCOMES, case_of

BATCH = 100_000


def main() -> int:
    """Count the breaches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun, breaches, counts = time.perf_counter(), 0, dict.fromkeys(OUTCOMES, 0)
    for number, start in enumerate(range(0, given.cases, BATCH)):
        columns = draw(min(BATCH, given.cases - start), seed=given.seed * 10_000 + number)
        expected = ruling(columns)
        for place, outcome in enumerate(expected):
            found = suitable(case_of(columns, place)).outcome
            counts[found] += 1
            if found is not OUTCOMES[outcome]:
                breaches += 1
                print(f"breach: {columns.row(place)}: {found}, must be {OUTCOMES[outcome]}", file=sys.stderr)
    print(f"cases {given.cases:,}, breaches {breaches}, {time.perf_counter() - begun:.0f} s")
    print(", ".join(f"{outcome} {count:,}" for outcome, count in counts.items()))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
