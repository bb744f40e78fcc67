"""Cash flow, recurring payments, segments, life events and tags of invented lives."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from openteller.core.errors import NotFound
from openteller.customers.profile.cash_flow import cash_flow
from openteller.customers.profile.life_events import life_events
from openteller.customers.profile.profile import channel_habits, profile
from openteller.customers.profile.records import LifeEvent, RfmCuts, RfmFigures, TagWord
from openteller.customers.profile.running import running_state
from openteller.customers.profile.segments import rfm_figures, segment
from openteller.customers.profile.tags import TAGS, known
from openteller.customers.records import Transaction
from tests.customers.profile.lives import ON, movement, paid, salary

START = date(2025, 11, 1)
PLAIN = [
    *salary(START, 13, 10_000),
    *paid(START, 13, 3_000, "房租", "housing"),
    *paid(START, 12, 500, "青禾超市", "groceries", 7),
]


def events(movements: list[Transaction], kind: str) -> list[LifeEvent]:
    return [event for event in life_events(running_state(movements), ON) if event.kind == kind]


def test_a_plain_life_month_by_month() -> None:
    flow = cash_flow(running_state(PLAIN), ON)
    assert [month.month for month in flow.months][::12] == [START, date(2026, 11, 1)]
    assert [month.whole for month in flow.months] == [True] * 12 + [False]
    assert (flow.income, flow.fixed, flow.free, flow.surplus) == (10_000, 3_000, 500, 6_500)
    assert (flow.averaged, flow.volatility) == (12, 0)
    assert flow.spending == {"housing": 3_000, "groceries": 500}
    (rent,) = flow.recurring
    assert (rent.payee, rent.amount, rent.rhythm, rent.day, rent.active) == ("房租", 3_000, "monthly", 1, True)


def test_a_month_without_movements_is_there_and_a_begun_one_is_not_whole() -> None:
    flow = cash_flow(running_state([movement(date(2026, 8, 5), -10, "青禾超市", "groceries")]), ON)
    assert [(m.month.month, m.free, m.whole) for m in flow.months] == [
        (8, 10, False), (9, 0, True), (10, 0, True), (11, 0, False),
    ]  # fmt: skip
    assert cash_flow(running_state([]), ON).months == ()


def test_refunds_count_against_spending_and_volatility_is_of_the_surplus() -> None:
    refund = movement(date(2026, 10, 9), 200, "青禾超市", "groceries")
    bonus = movement(date(2026, 10, 20), 24_000, "年终奖", "salary", counterparty="云杉科技")
    flow = cash_flow(running_state([*PLAIN, refund, bonus]), ON)
    october = next(month for month in flow.months if month.month.month == 10 and month.whole)
    assert (october.free, october.surplus) == (300, 30_700)
    assert flow.volatility == pytest.approx(24_200 * (11 / 144) ** 0.5 / 12_000, rel=1e-3)


@pytest.mark.parametrize(
    ("movements", "rhythm"),
    [
        (paid(START, 3, 68, "星河影音会员", "entertainment", 18), "monthly"),
        ([m for m in paid(START, 12, 900, "物业费", "housing") if m.booked_at.month % 3 == 2], "quarterly"),
        (
            [*paid(START, 1, 4_000, "车险", "insurance"), *paid(date(2026, 11, 1), 1, 4_200, "车险", "insurance")],
            "yearly",
        ),
        (paid(START, 2, 68, "星河影音会员", "entertainment", 18), None),
        (paid(START, 12, 300, "青禾超市", "groceries"), None),
        ([movement(date(2026, m, 3 * m % 28 + 1), -60, "安康药房", "health") for m in range(1, 11)], None),
        ([movement(date(2026, m, 5), -50 * m, "极光数码", "shopping") for m in range(1, 11)], None),
        ([one for day in (2, 9) for one in paid(START, 12, 30, "银幕影城", "entertainment", day)], None),
    ],
)
def test_recurring_is_who_how_much_and_when(movements: list[Transaction], rhythm: str | None) -> None:
    found = cash_flow(running_state(movements), ON).recurring
    assert [one.rhythm for one in found] == ([] if rhythm is None else [rhythm])


CUTS = RfmCuts(
    recency=(2, 5, 10, 30), frequency=(3, 6, 12, 24), monetary=(100, 500, 2_000, 9_000), customers=500, at=datetime.now(UTC)
)  # fmt: skip


@pytest.mark.parametrize(
    ("days", "frequency", "monetary", "scores", "code"),
    [
        (0, 30, 10_000, (5, 5, 5), "champion"),
        (2, 24, 9_000, (5, 5, 5), "champion"),
        (3, 2, 99, (4, 1, 1), "promising"),
        (10, 12, 2_000, (3, 4, 4), "loyal"),
        (11, 6, 600, (2, 3, 3), "at_risk"),
        (400, 0, 0, (1, 1, 1), "asleep"),
    ],
)
def test_scores_are_the_banks_fifths(
    days: int, frequency: int, monetary: int, scores: tuple[int, int, int], code: str
) -> None:
    last = date.fromordinal(ON.toordinal() - days)
    found = segment(RfmFigures(last_purchase_on=last, frequency=frequency, monetary=Decimal(monetary)), CUTS, ON)
    assert found is not None
    assert ((found.recency, found.frequency, found.monetary), found.code) == (scores, code)


def test_figures_are_of_purchases_in_three_whole_months() -> None:
    figures = rfm_figures(running_state([*PLAIN, movement(ON, -70, "蓝鲸外卖", "dining")]), ON)
    assert (figures.last_purchase_on, figures.frequency, figures.monetary) == (ON, 3, 1_500)
    never = rfm_figures(running_state(salary(START, 3, 10)), ON)
    assert never.last_purchase_on is None
    assert segment(never, CUTS, ON) is None
    assert segment(figures, None, ON) is None


def test_a_rise_a_cut_and_what_is_neither() -> None:
    (rise,) = events([*salary(START, 6, 10_000), *salary(date(2026, 5, 1), 7, 12_000)], "salary_change")
    assert (rise.on, rise.confidence, rise.text.en) == (date(2026, 5, 10), 0.9, "the salary rose by 20%")
    assert "¥10,000" in rise.evidence[0].text.zh
    assert "¥12,000" in rise.evidence[1].text.en
    (cut,) = events([*salary(START, 12, 10_000), *salary(date(2026, 11, 1), 1, 7_000)], "salary_change")
    assert (cut.on, cut.confidence) == (date(2026, 11, 10), 0.6)
    bonus = movement(date(2026, 1, 25), 10_000, "年终奖", "salary", counterparty="云杉科技")
    once = [
        m.model_copy(update={"amount": Decimal(15_000)}) if m.booked_at.month == 3 else m
        for m in salary(START, 13, 10_000)
    ]
    assert not events([*salary(START, 13, 10_000), bonus], "salary_change")
    assert not events(once, "salary_change")


def test_another_employer_no_salary_and_a_pension() -> None:
    (changed,) = events([*salary(START, 7, 9_000), *salary(date(2026, 6, 1), 6, 9_500, "北辰设计")], "salary_change")
    assert (changed.on, changed.text.zh) == (date(2026, 6, 10), "工资改由北辰设计发放")
    (stopped,) = events(salary(START, 9, 9_000), "salary_stopped")
    assert (stopped.on, stopped.confidence) == (date(2026, 7, 10), 0.9)
    assert not events(salary(START, 12, 9_000), "salary_stopped")
    pension = [
        movement(m.booked_at.date(), 4_000, "养老金", "salary", counterparty="社会保险")
        for m in salary(date(2026, 8, 1), 4, 0)
    ]
    retired = [*salary(START, 9, 9_000), *pension]
    (retirement,) = events(retired, "retirement")
    assert (retirement.on, len(retirement.evidence)) == (date(2026, 8, 10), 2)
    assert not events(retired, "salary_stopped")
    assert not events(pension, "retirement")


def test_a_move_is_surer_with_the_bills() -> None:
    homes = [
        *paid(START, 7, 3_000, "房租 翠湖", "housing"),
        *paid(date(2026, 6, 1), 6, 3_600, "泊寓公寓租金", "housing"),
    ]
    (alone,) = events(homes, "moving")
    bills = [
        *paid(START, 7, 90, "城东自来水", "utilities", 5),
        *paid(date(2026, 6, 1), 6, 80, "城西自来水", "utilities", 5),
    ]
    (both,) = events([*homes, *bills], "moving")
    assert (alone.on, alone.confidence, both.confidence) == (date(2026, 6, 1), 0.75, 0.9)
    assert len(both.evidence) == 3
    assert not events(paid(START, 13, 3_000, "房租", "housing"), "moving")
    (first,) = events([*salary(START, 13, 9_000), *paid(date(2026, 5, 1), 7, 3_000, "房租", "housing")], "moving")
    assert (first.on, first.confidence) == (date(2026, 5, 1), 0.6)


def test_a_child_and_trips() -> None:
    nursery = [
        *paid(date(2026, 3, 1), 4, 1_800, "启明幼儿园", "education"),
        *paid(date(2026, 2, 1), 3, 300, "小熊母婴", "shopping", 9),
    ]
    (child,) = events(nursery, "child")
    assert (child.on, child.confidence) == (date(2026, 2, 9), 0.95)
    assert not events(nursery[:1], "child")
    trip = [
        movement(date(2026, 7, 1), -1_200, "飞鹭航空", "travel"),
        movement(date(2026, 7, 6), -900, "山海酒店", "travel"),
        movement(date(2026, 7, 7), -40, "CAFE PARIS", "dining", currency="EUR"),
        movement(date(2026, 9, 1), -60, "国家铁路购票", "travel"),
    ]
    (abroad,) = events(trip, "travel")
    assert (abroad.on, abroad.confidence, abroad.text.en) == (date(2026, 7, 1), 0.95, "a trip abroad")
    assert [one.on.day for one in abroad.evidence] == [1, 6, 7]


def test_tags_have_reasons_and_the_customers_word_wins() -> None:
    whole = profile("C", running_state(PLAIN), ON, personalised=True)
    assert [tag.tag for tag in whole.tags] == ["salary_here", "saves_regularly", "saving_for_home", "renting"]
    assert all(tag.reason.zh and tag.reason.en and tag.source == "derived" for tag in whole.tags)
    at = datetime.now(UTC)
    words = [
        TagWord(tag="renting", stance="not_me", at=at),
        TagWord(tag="salary_here", stance="removed", at=at),
        TagWord(tag="drives", stance="mine", at=at),
    ]
    corrected = profile("C", running_state(PLAIN), ON, personalised=True, words=words)
    assert [(tag.tag, tag.source) for tag in corrected.tags] == [
        ("drives", "own"), ("saves_regularly", "derived"), ("saving_for_home", "derived"),
    ]  # fmt: skip


def test_without_consent_there_is_the_cash_flow_and_what_the_customer_says() -> None:
    words = [TagWord(tag="drives", stance="mine", at=datetime.now(UTC))]
    plain = profile("C", running_state(PLAIN), ON, personalised=False, words=words, cuts=CUTS)
    assert (plain.segment, plain.events, plain.channels) == (None, (), ())
    assert [tag.tag for tag in plain.tags] == ["drives"]
    assert plain.cash_flow == profile("C", running_state(PLAIN), ON, personalised=True).cash_flow


def test_habits_are_of_a_year() -> None:
    dates = (date(2025, 11, 5), date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 5))
    ways = ("branch", "app", "app", "pos")
    used = [movement(on, -5, "x", "dining", channel=way) for on, way in zip(dates, ways, strict=True)]
    shares = {one.channel: one.share for one in channel_habits(running_state(used), ON)}
    assert shares == {"app": pytest.approx(2 / 3, abs=1e-4), "pos": pytest.approx(1 / 3, abs=1e-4)}


def test_only_tags_of_the_list_are_known() -> None:
    assert all(known(tag) == tag for tag in TAGS)
    with pytest.raises(NotFound, match="no such tag"):
        known("rich")
