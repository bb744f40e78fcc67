"""Shares with their uncertainty. Knows nothing about what is counted.

Two kinds: Wilson's score interval (Wilson 1927; Brown, Cai and DasGupta 2001) where a count stands for itself, and the
posterior of a Beta prior around the bank's mean where small counts should not swing (Gelman et al., BDA3, 2.4 and 5.3).
A unit may count in part (a conversation of whose messages a third were negative counts a third): the Beta posterior is
then wider than need be, never narrower, because a value between 0 and 1 varies less than one that is 0 or 1.
"""

import math
from collections.abc import Sequence

from pydantic import Field

from openteller.core.records import Record

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution: all intervals hold 95 %."""


class Estimate(Record):
    """A figure with its 95 % interval. `count`: units it rests on (conversations; weighted ones may be fractions)."""

    value: float
    low: float
    high: float
    count: float = Field(ge=0)


def wilson(successes: float, count: float) -> Estimate:
    """The share `successes / count` (0–1) with Wilson's interval; 0 to 1 around a half where nothing was counted.

    Args:
        successes: between 0 and `count`.
        count: units.
    """
    if count <= 0:
        return Estimate(value=0.5, low=0.0, high=1.0, count=0)
    share, square = successes / count, Z * Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    low, high = max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))
    return Estimate(value=share, low=low, high=high, count=count)


def shrunk(total: float, count: float, towards: float, strength: float) -> Estimate:
    """The mean of `count` values in 0–1 that add up to `total`, drawn towards a mean known before, with its credible interval.

    Args:
        total: sum of the values, between 0 and `count`.
        count: how many values; weighted values may count in part.
        towards: the mean of the prior, 0–1.
        strength: how many values the prior is worth, over 0.
    """
    from scipy.special import betaincinv  # takes a moment to load

    # Kept off the edges, where a Beta distribution has no density: a bank without any bad mood yet.
    towards = min(max(towards, 0.01), 0.99)
    a, b = towards * strength + total, (1 - towards) * strength + count - total
    b = max(b, 1e-9)  # rounding of sums
    low, high = (float(betaincinv(a, b, q)) for q in (0.025, 0.975))
    value = a / (a + b)
    return Estimate(value=value, low=min(low, value), high=max(high, value), count=count)


def spread(estimate: Estimate, low: float, high: float) -> Estimate:
    """An estimate in 0–1 on the scale from `low` to `high`."""
    moved = {name: low + (high - low) * getattr(estimate, name) for name in ("value", "low", "high")}
    return estimate.model_copy(update=moved)


def too_few(people: Sequence[int], least: int) -> set[int]:
    """Places of the groups that are not to be shown among groups of one whole: fewer than `least` people (k-anonymity).

    Where all that is kept back together has fewer than `least` people, the smallest other group is kept back too: or the
    whole less what is shown would tell (Hundepool et al., Statistical Disclosure Control, 2012, 4.2).
    """
    hidden = {place for place, count in enumerate(people) if count < least}
    shown = sorted((place for place in range(len(people)) if place not in hidden), key=lambda place: people[place])
    if 0 < sum(people[place] for place in hidden) < least and shown:
        hidden.add(shown[0])
    return hidden
