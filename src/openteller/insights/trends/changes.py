"""When did a series of daily counts change for good: exact Bayesian online change-point detection.

Adams and MacKay (2007), "Bayesian Online Changepoint Detection", summed over all cuts as in Fearnhead (2006), with a Dirichlet-multinomial model: a day is a vector of
counts by class, a stretch between two changes has one unknown distribution over the classes. Two classes make a share.
Days may have any number of units, counts may be fractions, and few units weigh little by themselves.

Real days scatter more than chance alone; `dispersion` estimates by how much and counts are divided by it (quasi-likelihood,
McCullagh and Nelder 1989, 4.5). It is estimated from successive days, which a change touches once.
Knows nothing about what is counted. What is not covered: slow drifts look like several changes; a weekly rhythm counts as
scatter, so that what is smaller than it is not seen.
"""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from pydantic import Field

from openteller.core.records import Record

Counts = npt.NDArray[np.float64]

HAZARD = 1 / 365
"""The chance before any data that a day begins something new: once a year."""
SURE = 0.95
RECENT_DAYS = 28
"""An alarm is about a change within so many days, which at least `SETTLED_DAYS` days speak for."""
SETTLED_DAYS = 2
_PRIOR = 4.0  # units that a new stretch's prior is worth


class Change(Record):
    """A change that is almost certain. Shares are of all classes, in order, before and since."""

    begins: date = Field(description="the likeliest first day of what is new")
    probability: float = Field(ge=0, le=1, description="that something changed within the last days")
    before: tuple[float, ...]
    since: tuple[float, ...]
    count_before: float
    count_since: float

    @property
    def distance(self) -> float:
        """Total variation distance between before and since, 0–1; of two classes the change of the share."""
        return sum(abs(b - s) for b, s in zip(self.before, self.since, strict=True)) / 2


def find_change(counts: Counts, first_day: date, *, least: float = 0.05) -> Change | None:
    """The latest change, when one within the last `RECENT_DAYS` days is almost certain and large enough to matter.

    Args:
        counts: (days, classes) ≥ 0, one row a day without gaps; days without units are rows of zeros.
        first_day: of the first row.
        least: smallest distance worth an alarm.
    """
    if len(counts) <= SETTLED_DAYS or counts.sum() <= 0:
        return None
    lengths = run_lengths(counts / dispersion(counts))
    recent = lengths[SETTLED_DAYS : min(RECENT_DAYS, len(counts) - 1) + 1]
    probability = float(recent.sum())
    if probability < SURE:
        return None
    length = SETTLED_DAYS + int(recent.argmax())
    since, before = counts[-length:], counts[: len(counts) - length][-RECENT_DAYS:]
    if since.sum() <= 0 or before.sum() <= 0:
        return None
    change = Change(
        begins=first_day + timedelta(days=len(counts) - length),
        probability=min(probability, 1.0),
        before=tuple((before.sum(axis=0) / before.sum()).tolist()),
        since=tuple((since.sum(axis=0) / since.sum()).tolist()),
        count_before=float(before.sum()),
        count_since=float(since.sum()),
    )
    return change if change.distance >= least else None


def run_lengths(counts: Counts, hazard: float = HAZARD) -> Counts:
    """The posterior of how many days ago the present stretch began, at the end of the last day.

    Args:
        counts: (days, classes), divided by their dispersion.
        hazard: chance that a day begins a new stretch.

    Returns:
        (days + 1,) probabilities that add up to 1; at r: the stretch holds the last r days; at `days`, nothing changed.
    """
    from scipy.special import gammaln  # takes a moment to load

    days, classes = counts.shape
    # Around the mean of the whole series, and of a few units: a new stretch may be anything.
    prior = _PRIOR * (counts.sum(axis=0) + 1) / (counts.sum() + classes)
    until = np.concatenate((np.zeros((1, classes)), counts.cumsum(axis=0)))
    # evidence[s, t]: log probability of the days s to t − 1 as one stretch, for s < t.
    held = prior + np.maximum(until[None] - until[:, None], 0.0)
    evidence = (gammaln(held) - gammaln(prior)).sum(axis=-1) + gammaln(prior.sum()) - gammaln(held.sum(axis=-1))
    log_prior = np.where(np.arange(days) > 0, np.log(hazard), 0.0)
    log_all = np.zeros(days + 1)  # of the days before t, over every way to cut them
    for t in range(1, days + 1):
        starts = np.arange(t)
        log_last = log_all[:t] + log_prior[:t] + (t - starts - 1) * np.log1p(-hazard) + evidence[:t, t]
        log_all[t] = np.logaddexp.reduce(log_last)
    return np.concatenate(([0.0], np.exp(log_last - log_all[days])[::-1]))


def dispersion(counts: Counts) -> float:
    """By how much days scatter more than chance alone: Pearson's statistic of successive days, a degree of freedom.

    1 where chance explains it, and never less. The largest tenth is left out, so that a change or a bad day does not hide itself.
    """
    totals = counts.sum(axis=1)
    days = counts[totals > 0]
    if len(days) < 5:
        return 1.0
    totals, shares = days.sum(axis=1), days / days.sum(axis=1, keepdims=True)
    mean = days.sum(axis=0) / days.sum()
    used = mean > 0
    if used.sum() < 2:
        return 1.0
    scale = 1 / totals[1:] + 1 / totals[:-1]
    squares = (np.diff(shares[:, used], axis=0) ** 2 / mean[used]).sum(axis=1) / scale / (used.sum() - 1)
    kept = np.sort(squares)[: max(1, int(len(squares) * 0.9))]
    # The mean of what is left is smaller than the whole's, by what the largest tenth of χ² with these degrees holds.
    return max(1.0, float(kept.mean()) / _kept_share(int(used.sum()) - 1))


def _kept_share(degrees: int) -> float:
    """Mean of the lower nine tenths of χ²/degrees."""
    from scipy.special import chdtri, gammainc

    edge = float(chdtri(degrees, 0.1))
    return float(gammainc(degrees / 2 + 1, edge / 2)) / 0.9
