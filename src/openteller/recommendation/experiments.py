"""Two ways side by side: who gets which, for good, and a test that may be looked at every day.

Assignment is a hash of the experiment's name and the customer: the same person always gets the same arm, two experiments
divide people independently, and nobody keeps a list.
The test is the mixture sequential probability ratio test of two means (Robbins 1970; Johari, Pekelis, Walsh 2017, "Always
valid inference"): looking as often as one likes and stopping when one likes leaves the error of the first kind at `alpha`.
It stands on the normal law of means, so nothing is concluded below `LEAST` outcomes an arm.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from openteller.core.clock import local_date
from openteller.core.errors import BadInput
from openteller.recommendation.records import LoggedImpression

LEAST = 100
_EXPECTED = 0.02  # standard deviation of the differences that the test is keenest on; rates of 0–1
_SPACE = 2**64


def assigned(experiment: str, customer_id: str, arms: Mapping[str, float]) -> str:
    """The customer's arm.

    Args:
        experiment: its name; another name divides people anew.
        customer_id: whom to assign.
        arms: arm → its share, which are above 0 and sum to 1, in an order that stays.

    Raises:
        BadInput: the shares are not.
    """
    if not arms or min(arms.values()) <= 0 or not math.isclose(sum(arms.values()), 1, abs_tol=1e-9):
        raise BadInput(
            f"The arms of {experiment} do not share out everybody.",
            next_step="Give each arm a share above 0; together they make 1.",
        )
    digest = hashlib.sha256(f"{experiment}\x00{customer_id}".encode()).digest()
    place, reached = int.from_bytes(digest[:8]) / _SPACE, 0.0
    for arm, share in arms.items():
        reached += share
        if place < reached:
            return arm
    return arm


@dataclass(frozen=True)
class Arm:
    """What came of an arm so far: how many outcomes of 0 or 1, and how many were 1."""

    count: int
    taken: int

    def __post_init__(self) -> None:
        if not 0 <= self.taken <= self.count:
            raise BadInput(f"{self.taken} of {self.count} outcomes cannot be.")

    @property
    def rate(self) -> float:
        """The share that was 1; 0 without outcomes."""
        return self.taken / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Of the rate. A half is added to both outcomes, so that a rate of 0 or 1 is not held to be certain."""
        smoothed = (self.taken + 0.5) / (self.count + 1)
        return smoothed * (1 - smoothed) / self.count


def daily_looks(logged: Sequence[LoggedImpression], control: str, arm: str, zone: str) -> Iterator[tuple[Arm, Arm]]:
    """Both arms as they stood at the end of each day. One outcome a customer: whether they have opened any offer."""
    days = sorted({local_date(shown.at, zone) for shown in logged})
    seen: dict[str, dict[str, bool]] = {control: {}, arm: {}}
    by_day: dict[date, list[LoggedImpression]] = {day: [] for day in days}
    for shown in logged:
        by_day[local_date(shown.at, zone)].append(shown)
    for day in days:
        for shown in by_day[day]:
            if shown.arm in seen and shown.customer_id:
                people = seen[shown.arm]
                people[shown.customer_id] = people.get(shown.customer_id, False) or shown.opened
        one, two = (Arm(len(people), sum(people.values())) for people in (seen[control], seen[arm]))
        yield one, two


@dataclass(frozen=True)
class Verdict:
    """Where an experiment stands: the difference of the rates, its always-valid interval, and whether it is decided."""

    difference: float
    low: float
    high: float
    p_value: float
    decided: bool


def judged(looks: Iterable[tuple[Arm, Arm]], alpha: float = 0.05, expected: float = _EXPECTED) -> Verdict:
    """Where the experiment stands after these looks.

    Args:
        looks: (control, treatment) as they stood at each look, all of them, the oldest first.
        alpha: the error of the first kind, over all looks together.
        expected: the difference that is worth finding soonest.

    Raises:
        BadInput: alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise BadInput(f"alpha is {alpha}.", next_step="Give a number between 0 and 1, such as 0.05.")
    p_value, difference, low, high = 1.0, 0.0, -1.0, 1.0
    for control, treatment in looks:
        difference = treatment.rate - control.rate
        if min(control.count, treatment.count) < LEAST:
            continue
        variance, prior = control.variance + treatment.variance, expected**2
        ratio = math.log(variance / (variance + prior)) / 2 + prior * difference**2 / (
            2 * variance * (variance + prior)
        )
        p_value = min(p_value, math.exp(-max(ratio, 0.0)))
        reach = math.sqrt(
            variance * (variance + prior) / prior * (2 * math.log(1 / alpha) + math.log((variance + prior) / variance))
        )
        low, high = max(low, difference - reach), min(high, difference + reach)
    return Verdict(difference, low, high, p_value, p_value <= alpha)
