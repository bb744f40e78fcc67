"""The wall written a second time, from the words of the rules, over whole columns: what the wall is held against.

Shares nothing with products/suitability.py but the meaning: classes, grades and ages are plain numbers, days are counted
from an epoch, money is whole CNY, and -1 stands for unknown. Each line names the sentence that it comes from.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ALLOWED, CONFIRM, BLOCKED = 0, 1, 2


@dataclass(frozen=True)
class Columns:
    """Random cases, one a row; all columns (n,) int64."""

    age: Ints
    klass: Ints
    assessed: Ints
    expires: Ints
    liquid: Ints
    spending: Ints
    debts: Ints
    grade: Ints
    invests: Ints
    minimum: Ints
    lock_up: Ints
    today: Ints
    pushed: Ints
    amount: Ints

    def row(self, place: int) -> dict[str, int]:
        """One case by column name."""
        return {field.name: int(getattr(self, field.name)[place]) for field in fields(self)}


def draw(count: int, seed: int) -> Columns:
    """Random customers × products × days, with the borders of every rule drawn often."""
    rng = np.random.default_rng(seed)

    def either(often: list[int], low: int, high: int) -> Ints:
        return np.where(rng.random(count) < 0.4, rng.choice(often, count), rng.integers(low, high, count))

    today = rng.integers(0, 4_000, count)
    liquid = either([-1, 0, 1_000, 10_000, 60_000], 0, 300_000)
    grade = rng.integers(1, 6, count)
    return Columns(
        age=either([-1, 17, 18, 64, 65], 0, 100),
        klass=either([-1, 1, 5], 1, 6),
        assessed=today - either([-1, 0, 1, 364, 365], -50, 500),
        expires=today + either([-1, 0, 1, 364, 365], -50, 500),
        liquid=liquid,
        spending=either([0, 1_000, 10_000], 0, 30_000),
        debts=np.maximum(0, np.where(rng.random(count) < 0.3, liquid + rng.integers(-1, 2, count),
                                     rng.integers(0, 200_000, count) * (rng.random(count) < 0.3))),
        grade=grade,
        invests=np.where(grade > 1, 1, rng.integers(0, 2, count)),
        minimum=either([0, 1, 10, 10_000], 0, 50_000),
        lock_up=either([0, 3, 4, 6, 12], 0, 37),
        today=today,
        pushed=rng.integers(0, 2, count),
        amount=np.where(rng.random(count) < 0.2, -1, np.where(rng.random(count) < 0.1, 0, np.maximum(
            0, np.where(rng.random(count) < 0.5, liquid + rng.integers(-2, 3, count), rng.integers(0, 200_000, count)),
        ))),
    )  # fmt: skip


def ruling(c: Columns) -> Ints:
    """What must come out: 0 allowed, 1 with a confirmation, 2 blocked."""
    # "Not to be sold: what is riskier than the customer can bear" — no class, no match.
    too_risky = c.grade > c.klass
    # "Valid for twelve months; then assessed again": a day before the first and from the last on there is no assessment.
    not_assessed = (c.klass == -1) | (c.today < c.assessed) | (c.today >= c.expires)
    # "Nothing to whoever lacks capacity", and nobody's capacity is guessed.
    no_capacity = c.age < 18
    # "Money that plainly does not match the ability to pay."
    known, pays = c.liquid != -1, c.amount != 0
    price = np.where(c.amount == -1, c.minimum, np.maximum(c.amount, c.minimum))
    missing_money = known & pays & (price > c.liquid)
    forbidden = too_risky | not_assessed | no_capacity | missing_money
    # "65 and over: special care": from the middle grade on.
    care = (c.age >= 65) & (c.grade >= 3)
    months = np.where(c.lock_up >= 4, 6, 3)
    left_too_little = known & pays & ~missing_money & (c.liquid - price < months * c.spending)
    owes_more = known & pays & (c.debts > c.liquid)
    unsure = care | (pays & ~known) | left_too_little | owes_more
    # "Not to be recommended unasked": a push is sure or is not made.
    out = np.where(forbidden | ((c.pushed == 1) & unsure), BLOCKED, np.where(unsure, CONFIRM, ALLOWED))
    return np.where(c.invests == 0, ALLOWED, out).astype(np.int64)
