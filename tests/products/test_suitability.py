from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from openteller.products.records import RiskGrade
from openteller.products.suitability import InvestorClass, in_force, suitable

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLASSES = st.sampled_from(InvestorClass)
GRADES = st.sampled_from(RiskGrade)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
AGES = st.none() | st.integers(0, 120)


@dataclass(frozen=True)
class Made:
    investor_class: str
    assessed_at: datetime
    expires_at: datetime


def local(day: date, clock: time = time(12)) -> datetime:
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)


def made(investor: InvestorClass, start: date, end: date) -> Made:
    return Made(investor.value, local(start), local(end))


@given(CLASSES, GRADES, DAYS, AGES, st.integers(-800, 800), st.integers(-800, 800))
def test_the_wall_is_exactly_the_written_rule(
    investor: InvestorClass, grade: RiskGrade, on: date, age: int | None, since: int, until: int
) -> None:
    assessment = made(investor, on + timedelta(days=since), on + timedelta(days=until))
    valid = since <= 0 < until
    by_class = grade is RiskGrade.R1 or (valid and int(grade[1]) <= int(investor[1]))
    by_age = int(grade[1]) < 4 or (age is not None and age < 65)
    assert suitable(assessment, grade, on, age).allowed is (by_class and by_age)


@given(GRADES, DAYS, AGES)
def test_without_an_assessment_only_r1(grade: RiskGrade, on: date, age: int | None) -> None:
    assert suitable(None, grade, on, age).allowed is (grade is RiskGrade.R1)


def test_all_classes_and_grades_with_a_valid_assessment() -> None:
    on = date(2026, 11, 24)
    allowed = {
        (investor.value, grade.value)
        for investor in InvestorClass
        for grade in RiskGrade
        if suitable(made(investor, on - timedelta(days=30), on + timedelta(days=30)), grade, on, 40).allowed
    }
    assert allowed == {(f"C{c}", f"R{r}") for c in range(1, 6) for r in range(1, 6) if r <= c}


@given(CLASSES, GRADES, DAYS, st.times())
def test_the_day_of_expiry_is_blocked_and_the_day_before_is_not(
    investor: InvestorClass, grade: RiskGrade, expiry: date, clock: time
) -> None:
    assessment = Made(investor.value, local(expiry - timedelta(days=365)), local(expiry, clock))
    before = suitable(assessment, grade, expiry - timedelta(days=1), 40)
    assert before.allowed is (grade.number <= investor.number)
    for day in (expiry, expiry + timedelta(days=1)):
        verdict = suitable(assessment, grade, day, 40)
        assert verdict.allowed is (grade is RiskGrade.R1)
        assert grade is RiskGrade.R1 or verdict.reason_code == "assessment_expired"


def test_expiry_is_read_in_the_banks_time_zone() -> None:
    # 17:00 UTC on the 23rd is 01:00 on the 24th in Shanghai, and still the 23rd in London.
    assessment = Made("C5", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC))
    assert in_force(assessment, date(2026, 11, 23))
    assert not in_force(assessment, date(2026, 11, 24))
    assert not in_force(assessment, date(2026, 11, 23), zone="Europe/London")


def test_ages_64_and_65() -> None:
    on = date(2026, 11, 24)
    bold = made(InvestorClass.C5, on - timedelta(days=10), on + timedelta(days=10))
    assert [suitable(bold, grade, on, 64).allowed for grade in RiskGrade] == [True] * 5
    assert [suitable(bold, grade, on, 65).allowed for grade in RiskGrade] == [True, True, True, False, False]
    assert suitable(bold, RiskGrade.R4, on, 65).reason_code == "age_limit"
    assert suitable(bold, RiskGrade.R4, on, None).reason_code == "age_unknown"


@given(CLASSES, GRADES, DAYS, AGES)
def test_every_verdict_has_a_reason_in_both_languages(
    investor: InvestorClass, grade: RiskGrade, on: date, age: int | None
) -> None:
    verdict = suitable(made(investor, on, on + timedelta(days=1)), grade, on, age)
    assert verdict.reason("zh")
    assert verdict.reason("en")
    assert verdict.reason("zh") != verdict.reason("en")
