"""One life a customer: everything that is decided about somebody before the first movement is booked.

Five are written by hand, the others drawn. A life depends on the seed, its number and the year, on nothing else, so
that any customer can be made without the ones before.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np

from openteller.demo.personas import CITIES, GIVEN, INVESTMENTS, PERSONAS, SURNAMES, Persona

_BY_KEY = {persona.key: persona for persona in PERSONAS}
_WEIGHTS = np.array([persona.weight for persona in PERSONAS])
_CHANCES = _WEIGHTS / _WEIGHTS.sum()
ASSESSMENT_DAYS = 365


@dataclass(frozen=True)
class Debt:
    """A loan: product, CNY still owed at the start of the books, CNY paid a month, annual rate in percent."""

    product_id: str
    owed: int
    monthly: int
    rate: float


@dataclass(frozen=True)
class Deposit:
    """A fixed deposit of `amount` in `currency`."""

    product_id: str
    amount: int
    currency: str = "CNY"


@dataclass(frozen=True)
class Position:
    """An investment: what it cost in CNY, and the gain so far as a share of that."""

    product_id: str
    cost: int
    gain: float


@dataclass(frozen=True)
class Life:
    """What is decided about one customer. Money in whole CNY, assessments as (class, days ago)."""

    number: int
    persona: str
    name: str
    name_en: str
    gender: Literal["female", "male"]
    birth_date: date
    city: str
    income: int
    phone: str
    customer_since: date
    language: Literal["zh", "en"] = "zh"
    payday: int = 10
    rent: int = 0
    idle_months: float = 2.0
    credit_card: str | None = None
    pays_late: bool = False
    mortgage: Debt | None = None
    loan: Debt | None = None
    deposits: tuple[Deposit, ...] = ()
    positions: tuple[Position, ...] = ()
    assessments: tuple[tuple[str, int], ...] = ()
    consents: dict[str, bool] = field(default_factory=dict)

    @property
    def customer_id(self) -> str:
        """C and at least six digits."""
        return f"C{self.number:06d}"

    @property
    def habits(self) -> Persona:
        """The kind of customer this is."""
        return _BY_KEY[self.persona]

    def segments(self, on: date) -> tuple[str, ...]:
        """The bank's segments of this customer."""
        age = on.year - self.birth_date.year
        extra = [("youth", age <= 30), ("senior", age >= 60)]
        return tuple(dict.fromkeys([*self.habits.segments, *(label for label, holds in extra if holds)]))


def generator(seed: int, number: int) -> np.random.Generator:
    """The random source of one customer, the same whoever else is made."""
    return np.random.default_rng([seed, number])


def life(rng: np.random.Generator, number: int, today: date) -> Life:
    """The life of customer `number`: written by hand for the first five, else drawn."""
    drawn = _drawn(rng, number, today)
    return _REGULARS[number - 1](drawn, today) if number <= len(_REGULARS) else drawn


def _drawn(rng: np.random.Generator, number: int, today: date) -> Life:
    phone = f"100{int(rng.integers(10**8)):08d}"
    persona = PERSONAS[int(rng.choice(len(PERSONAS), p=_CHANCES))]
    income = int(persona.median_income * np.exp(persona.sigma_income * rng.standard_normal()) / 100) * 100
    born = date(today.year - int(rng.integers(persona.ages[0] + 1, persona.ages[1] + 1)), 1, 1)
    name, name_en = _name(rng)
    rents = rng.random() < persona.rents
    mortgage = None if rents or rng.random() >= persona.mortgages else _mortgage(rng, income)
    assessments = _assessments(rng, persona)
    return Life(
        number=number,
        persona=persona.key,
        name=name,
        name_en=name_en,
        gender="female" if rng.random() < 0.5 else "male",
        birth_date=born + timedelta(days=int(rng.integers(365))),
        city=CITIES[int(rng.integers(len(CITIES)))],
        income=income,
        phone=phone,
        customer_since=date(today.year, 1, 1) - timedelta(days=int(rng.integers(420, 3_600))),
        language="en" if rng.random() < 0.07 else "zh",
        payday=int(rng.choice((5, 10, 15, 25))),
        rent=_round(income * persona.rent_share * rng.uniform(0.8, 1.2), 50) if rents else 0,
        idle_months=float(persona.idle_months * np.exp(0.6 * rng.standard_normal())),
        credit_card=_choice(rng, persona.credit_cards) if rng.random() < persona.has_credit_card else None,
        pays_late=rng.random() < 0.04,
        mortgage=mortgage,
        loan=_loan(rng, income) if rng.random() < persona.borrows else None,
        deposits=_deposits(rng, persona, income),
        positions=_positions(rng, persona, income, assessments),
        assessments=assessments,
        consents=_consents(rng),
    )


def _name(rng: np.random.Generator) -> tuple[str, str]:
    surname = SURNAMES[int(rng.integers(len(SURNAMES)))]
    given = [GIVEN[int(rng.integers(len(GIVEN)))] for _ in range(1 if rng.random() < 0.25 else 2)]
    pinyin = "".join(syllable for _, syllable in given).capitalize()
    return surname[0] + "".join(character for character, _ in given), f"{surname[1]} {pinyin}"


def _mortgage(rng: np.random.Generator, income: int) -> Debt:
    first = rng.random() < 0.85
    monthly = _round(income * rng.uniform(0.2, 0.32), 10)
    owed = _round(monthly * rng.uniform(110, 200), 1_000)
    return Debt("MTG-FIRST" if first else "MTG-SECOND", owed, monthly, 3.05 if first else 3.45)


def _loan(rng: np.random.Generator, income: int) -> Debt:
    product = _choice(rng, ("LOAN-PERSONAL", "LOAN-AUTO", "LOAN-EV", "LOAN-RENOV"))
    monthly = _round(income * rng.uniform(0.06, 0.12), 10)
    return Debt(product, _round(monthly * rng.uniform(20, 40), 100), monthly, 4.1)


def _deposits(rng: np.random.Generator, persona: Persona, income: int) -> tuple[Deposit, ...]:
    if rng.random() >= persona.saves:
        return ()
    amount = _round(income * persona.idle_months * rng.uniform(1, 4), 1_000)
    deposits = [Deposit("TD-LARGE" if amount >= 200_000 else "TD-CNY", max(amount, 1_000))]
    if persona.key in ("private", "business") and rng.random() < 0.3:
        deposits.append(Deposit("TD-USD", _round(income * rng.uniform(0.2, 1), 100), "USD"))
    return tuple(deposits)


def _assessments(rng: np.random.Generator, persona: Persona) -> tuple[tuple[str, int], ...]:
    if rng.random() >= persona.assessed:
        return ()
    investor = int(rng.choice(5, p=persona.classes)) + 1
    days = int(rng.integers(5, ASSESSMENT_DAYS)) if rng.random() < 0.75 else int(rng.integers(ASSESSMENT_DAYS, 1_100))
    latest = (f"C{investor}", days)
    if rng.random() < 0.4:
        return (f"C{max(1, investor - int(rng.integers(2)))}", days + int(rng.integers(200, 500))), latest
    return (latest,)


def _positions(
    rng: np.random.Generator, persona: Persona, income: int, assessments: tuple[tuple[str, int], ...]
) -> tuple[Position, ...]:
    if not assessments or rng.random() >= persona.invests:
        return ()
    highest = min(int(assessments[-1][0][1]), 3 if persona.ages[1] >= 65 else 5)
    positions: dict[str, Position] = {}
    for _ in range(int(rng.integers(1, 4))):
        products, spread = INVESTMENTS[int(rng.integers(highest))]
        product = _choice(rng, products)
        cost = _round(income * rng.uniform(0.5, 4), 100)
        positions[product] = Position(
            product, max(cost, 100), float(np.clip(spread * rng.standard_normal(), -0.6, 1.0))
        )
    return tuple(positions.values())


def _consents(rng: np.random.Generator) -> dict[str, bool]:
    granted = {"personalisation": 0.88, "marketing": 0.6, "recording": 0.9}
    return {purpose: rng.random() < chance for purpose, chance in granted.items() if rng.random() < 0.95}


def _choice(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _round(value: float, step: int) -> int:
    return max(step, round(value / step) * step)


_YES = {"personalisation": True, "marketing": True, "recording": True}


def _payroll_cautious(drawn: Life, today: date) -> Life:
    """C000001: on the payroll, conservative investor C2, a little too much on the demand account."""
    return Life(
        1, "family", "陈静", "Chen Jing", "female", date(today.year - 38, 4, 12), "杭州", 18_500, drawn.phone,
        date(today.year - 7, 3, 2), payday=10, idle_months=5.0, credit_card="CARD-GOLD",
        mortgage=Debt("MTG-FIRST", 820_000, 4_600, 3.05), positions=(Position("WM-90D", 20_000, 0.011),),
        assessments=(("C2", 120),), consents=_YES,
    )  # fmt: skip


def _assessment_expired(drawn: Life, today: date) -> Life:
    """C000002: an investor of class C3 whose assessment has run out."""
    return Life(
        2, "worker", "李伟", "Li Wei", "male", date(today.year - 33, 9, 30), "苏州", 13_800, drawn.phone,
        date(today.year - 5, 6, 18), payday=15, rent=3_200, idle_months=3.0, credit_card="CARD-CLASSIC",
        positions=(Position("FUND-BALANCED", 15_000, 0.043),),
        assessments=(("C2", 880), ("C3", 430)), consents=_YES,
    )  # fmt: skip


def _pensioner(drawn: Life, today: date) -> Life:
    """C000003: 68 years old, bold on paper (C4), with time deposits."""
    return Life(
        3, "senior", "王桂芳", "Wang Guifang", "female", date(today.year - 68, 2, 6), "宁波", 6_400, drawn.phone,
        date(today.year - 15, 5, 20), payday=15, idle_months=8.0, deposits=(Deposit("TD-CNY", 150_000),),
        positions=(Position("FUND-BOND", 50_000, 0.018),),
        assessments=(("C4", 60),), consents=_YES,
    )  # fmt: skip


def _no_personalisation(drawn: Life, today: date) -> Life:
    """C000004: runs a small firm and has said no to personalisation."""
    return Life(
        4, "business", "周强", "Zhou Qiang", "male", date(today.year - 45, 11, 3), "广州", 36_000, drawn.phone,
        date(today.year - 9, 1, 15), idle_months=3.0, credit_card="CARD-PLATINUM",
        loan=Debt("LOAN-AUTO", 96_000, 3_400, 4.35), assessments=(("C3", 200),),
        consents={"personalisation": False, "marketing": False, "recording": True},
    )  # fmt: skip


def _young_investor(drawn: Life, today: date) -> Life:
    """C000005: 26, investor class C4, travels, reads English."""
    return Life(
        5, "worker", "林子涵", "Lin Zihan", "female", date(today.year - 26, 7, 19), "深圳", 16_000, drawn.phone,
        date(today.year - 3, 8, 8), language="en", payday=5, rent=3_900, idle_months=4.0, credit_card="CARD-YOUNG",
        positions=(Position("FUND-INDEX", 24_000, 0.12), Position("FUND-TECH", 9_000, -0.06)),
        assessments=(("C4", 45),), consents=_YES,
    )  # fmt: skip


_REGULARS = (_payroll_cautious, _assessment_expired, _pensioner, _no_personalisation, _young_investor)
