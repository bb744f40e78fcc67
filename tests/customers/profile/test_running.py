"""Whatever order and batches movements come in, the state and every feature are those of all of them at once."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from openteller.customers.profile.profile import profile
from openteller.customers.profile.running import (
    Reading,
    RunningState,
    from_json,
    party_name,
    reading,
    running_state,
    tallied,
    to_json,
)
from openteller.customers.records import Transaction
from tests.customers.profile.lives import ON, movement

CHINA = ZoneInfo("Asia/Shanghai")
TEXTS = (
    "青禾超市",
    "青禾超市(中山路店)",
    "工资",
    "房租",
    "飞鹭航空",
    "贷款还款",
    "转账",
    "境外 Hotel",
    "启明幼儿园",
    "Salary",
)
CATEGORIES = (
    "groceries",
    "housing",
    "salary",
    "travel",
    "transfer",
    "investment",
    "uncategorised",
    "education",
    "fees",
)
MOVEMENTS = st.builds(
    lambda on, amount, text, category, currency, payer, channel: movement(
        on, amount, text, category, currency=currency, counterparty=payer, channel=channel
    ),
    st.dates(date(2025, 6, 1), ON),
    st.decimals(-99_999, 99_999, places=2, allow_nan=False),
    st.sampled_from(TEXTS),
    st.sampled_from(CATEGORIES),
    st.sampled_from(("CNY", "CNY", "CNY", "USD")),
    st.sampled_from((None, "云杉科技", "张伟")),
    st.sampled_from((None, "app", "pos")),
)


@given(st.lists(MOVEMENTS, max_size=40), st.randoms(use_true_random=False), st.integers(1, 7))
def test_any_order_of_batches_gives_the_same_features(
    movements: list[Transaction], rng: random.Random, size: int
) -> None:
    whole = running_state(movements)
    shuffled = rng.sample(movements, len(movements))
    batches = [running_state(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]
    rng.shuffle(batches)
    merged = RunningState()
    for batch in batches:
        merged.merge(batch)
    one_by_one = RunningState()
    for one in rng.sample(movements, len(movements)):
        one_by_one.book(one, CHINA)
    assert merged == whole == one_by_one
    features = [profile("C", state, ON, personalised=True) for state in (whole, merged, one_by_one)]
    assert features[0] == features[1] == features[2]


def read(movement: Transaction) -> Reading:
    return reading(tallied(movement, movement.booked_at.date()))


@given(st.lists(MOVEMENTS, max_size=30))
def test_every_cent_is_in_the_sums(movements: list[Transaction]) -> None:
    state = running_state(movements)
    flowing = [m.amount for m in movements if read(m).party is not None]
    kept = (part.total for sums in state.flows.values() for part in sums.values())
    assert sum(kept, Decimal(0)) == sum(flowing, Decimal(0))
    assert state.movements == len(movements)


@given(st.lists(MOVEMENTS, max_size=30))
def test_what_is_kept_reads_back_as_it_was(movements: list[Transaction]) -> None:
    state = running_state(movements)
    assert from_json(json.loads(json.dumps(to_json(state)))) == state


def test_a_day_is_the_banks() -> None:
    late = movement(date(2026, 1, 1), -5, "青禾超市", "groceries", booked_at=datetime(2025, 12, 31, 17, tzinfo=UTC))
    assert running_state([late]).first_on == date(2026, 1, 1)
    assert running_state([late], "Europe/London").flows.keys() == {"2025-12"}


def test_which_money_flows() -> None:
    on = date(2026, 11, 1)
    cases = {
        ("out", "groceries"): movement(on, -5, "青禾超市", "groceries"),
        ("in", "received"): movement(on, 900, "货款", "transfer", counterparty="溪谷商贸"),
        ("out", "given"): movement(on, -900, "转账", "transfer", counterparty="张伟"),
        ("out", "loan"): movement(on, -900, "贷款还款", "transfer"),
        ("in", "interest"): movement(on, 3, "存款利息", "interest"),
        None: movement(on, -900, "信用卡还款", "transfer"),
    }
    for flow, one in cases.items():
        party = read(one).party
        assert (party and party[:2]) == flow
    assert read(movement(on, 900, "贷款还款", "transfer")).party is None
    assert read(movement(on, -5, "x", "groceries", currency="USD")) == ("groceries", None, "x", True, True)


def test_one_payee_in_several_spellings() -> None:
    spellings = ("青禾超市(中山路店)", "支付宝-青禾超市", "青禾超市 0231", "青禾超市（人民路店）")
    assert {party_name(name) for name in spellings} == {"青禾超市"}
    assert party_name("9911") == "9911"
