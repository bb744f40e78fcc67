"""How often change-point detection cries wolf, how late it sees, and what libraries make of the same days.

Simulated series of daily shares: a year-like stretch without a change for false alarms, then a step for the delay. Days have a
Poisson number of conversations, and scatter more than chance (beta-binomial) where asked. Each method looks at the end of
every day, as the watch does. ruptures' PELT and river's detectors run where those packages are installed.

    python benchmarks/trends.py [--series 200] [--seed 1]
"""

import argparse
import warnings
from collections.abc import Callable
from datetime import date

import numpy as np

from openteller.insights.trends.changes import find_change

DAYS, STEP, WATCHED = 90, 60, 30
Days = np.ndarray
Method = Callable[[Days], bool]


def series(rng: np.random.Generator, a_day: float, before: float, after: float, scatter: float) -> Days:
    """(DAYS, 2) counts; the share is `after` from day STEP on, and each day's own share scatters around it."""
    totals = rng.poisson(a_day, DAYS)
    share = np.where(np.arange(DAYS) < STEP, before, after)
    if scatter:
        share = rng.beta(share / scatter, (1 - share) / scatter)
    bad = rng.binomial(totals, share)
    return np.stack([bad, totals - bad], axis=1).astype(float)


def bayes(days: Days) -> bool:
    """Ours, at the end of the last day."""
    return find_change(days, date(2026, 1, 1)) is not None


def pelt(days: Days) -> bool:
    """Ruptures' PELT (its C implementation, quadratic loss) on daily shares, penalty 2 σ² log n; an alarm when the last change is within 28 days."""
    import ruptures

    shares = days[:, 0] / np.maximum(days.sum(axis=1), 1)
    sigma = np.median(np.abs(np.diff(shares))) / 0.954 or 1e-3
    found = (
        ruptures.KernelCPD(kernel="linear", min_size=2)
        .fit(shares.reshape(-1, 1))
        .predict(pen=2 * sigma**2 * np.log(len(shares)))
    )
    return len(found) > 1 and len(shares) - found[-2] <= 28


def bayes_by_day(days: Days, first: int, method: Method) -> int | None:
    """The first day on which the method alarms, counted from `first`; None: never."""
    for end in range(first + 1, len(days) + 1):
        if method(days[:end]):
            return end - 1 - first
    return None


def stream(days: Days, first: int, kind: str) -> int | None:
    """River's ADWIN or Page-Hinkley fed with every conversation in turn; the first day from `first` on with an alarm."""
    from river import drift

    detector = drift.ADWIN() if kind == "adwin" else drift.PageHinkley(min_instances=100, delta=0.02, threshold=30)
    rng = np.random.default_rng(0)
    for number, (bad, good) in enumerate(days):
        values = np.concatenate([np.ones(int(bad)), np.zeros(int(good))])
        rng.shuffle(values)
        for value in values:
            detector.update(float(value))
            if detector.drift_detected and number >= first:
                return number - first
    return None


METHODS: dict[str, Callable[[Days, int], int | None]] = {
    "ours: Bayesian online": lambda days, first: bayes_by_day(days, first, bayes),
    "ruptures: PELT": lambda days, first: bayes_by_day(days, first, pelt),
    "river: ADWIN": lambda days, first: stream(days, first, "adwin"),
    "river: Page-Hinkley": lambda days, first: stream(days, first, "page-hinkley"),
}
CASES = {
    "no change, 20 a day": (20.0, 0.15, 0.15, 0.0),
    "no change, 100 a day": (100.0, 0.15, 0.15, 0.0),
    "no change, 100 a day, scattered": (100.0, 0.15, 0.15, 0.02),
    "0.15 to 0.30, 20 a day": (20.0, 0.15, 0.30, 0.0),
    "0.15 to 0.30, 100 a day": (100.0, 0.15, 0.30, 0.0),
    "0.15 to 0.30, 100 a day, scattered": (100.0, 0.15, 0.30, 0.02),
    "0.15 to 0.22, 100 a day": (100.0, 0.15, 0.22, 0.0),
}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{given.series} series a case, watched for the last {WATCHED} of {DAYS} days; alarms, and median delay in days"
    )
    for case, (a_day, before, after, scatter) in CASES.items():
        rng = np.random.default_rng(given.seed)
        made = [series(rng, a_day, before, after, scatter) for _ in range(given.series)]
        for name, method in METHODS.items():
            try:
                delays = [method(days, STEP) for days in made]
            except ImportError as error:
                print(f"{case:38} {name:24} not installed: {error.name}")
                continue
            seen = [delay for delay in delays if delay is not None]
            middle = f"{np.median(seen):.0f}" if seen and after != before else "-"
            print(f"{case:38} {name:24} alarms {len(seen) / len(made):.3f}   delay {middle}", flush=True)


if __name__ == "__main__":
    main()
