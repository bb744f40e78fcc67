"""Skills: figures from core banking, and nothing changed without a yes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from openteller.assistant import skills
from openteller.core.errors import Unavailable
from openteller.core.records import Outcome, Principal
from tests.assistant.small_bank import TODAY, SmallBank, understood, waiting
from tests.store.people import ANN, VISITOR


def use(
    text: str, intent: str, bank: SmallBank | None = None, state: dict[str, Any] | None = None, *,
    language: str = "zh", principal: Principal = ANN,
) -> skills.Done | None:  # fmt: skip
    request = skills.Request(text, understood(text, intent), principal, bank or SmallBank(), language, TODAY,
                             "Asia/Shanghai", state or {})  # fmt: skip
    return skills.run(request)


@pytest.mark.parametrize(
    ("text", "intent", "language", "parts"),
    [
        ("我的余额", "account_balance", "zh", ["1234", "¥1,234.50", "欠款 ¥80.00"]),
        ("my balance", "account_balance", "en", ["¥1,234.50", "owed ¥80.00"]),
        ("最近的交易", "transaction_list", "zh", ["2026-11-21 面馆 -¥45.60"]),
        ("my bill", "credit_bill", "en", ["¥480.00 due on 2026-11-25", "¥30.00"]),
        ("下一笔付款", "next_payment", "zh", ["2026-12-01", "房东", "¥3,200.00"]),
        ("这个月花了多少", "spending_analysis", "zh", ["¥500.10", "餐饮 ¥300.10", "旅行 ¥200.00"]),
        ("how much on dining this month", "spending_analysis", "en", ["you spent ¥300.10 on dining"]),
    ],
)
def test_each_skill_says_the_customers_figures(text: str, intent: str, language: str, parts: list[str]) -> None:
    done = use(text, intent, language=language)
    assert done is not None
    assert done.answer.outcome is Outcome.ANSWERED
    assert [p for p in parts if p not in done.answer.text] == []


def test_last_month_is_the_whole_local_month() -> None:
    bank = SmallBank()
    use("上个月餐饮花了多少", "spending_analysis", bank)
    assert bank.asked == [(datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 31, 16, tzinfo=UTC))]


def moving_bank() -> SmallBank:
    """Ann's October: two transfers out, one in, an investment; and a transfer in November."""
    bank = SmallBank()
    bank.moved = [
        (datetime(2026, 9, 30, 16, tzinfo=UTC), "-200.00", "transfer"),
        (datetime(2026, 10, 31, 15, 59, tzinfo=UTC), "-1000.50", "transfer"),
        (datetime(2026, 10, 15, tzinfo=UTC), "500.00", "transfer"),
        (datetime(2026, 10, 16, tzinfo=UTC), "-800.00", "investment"),
        (datetime(2026, 11, 2, tzinfo=UTC), "-70.00", "transfer"),
    ]
    return bank


@pytest.mark.parametrize("intent", ["spending_analysis", "transaction_list", "transfer_scheduled"])
@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("上月转账花了多少", "zh", ["2026-10-01至2026-10-31", "转账转出", "2 笔", "¥1,200.50"]),
        ("我上个月转了多少钱", "zh", ["¥1,200.50"]),
        ("How much did I transfer last month?", "en", ["2026-10-01 to 2026-10-31", "transferred ¥1,200.50 in 2"]),
        ("How much did I send this month", "en", ["2026-11-01", "¥70.00"]),
        ("total of my transfers last month", "en", ["¥1,200.50"]),
        ("how much have I invested last month", "en", ["invested ¥800.00"]),
        ("上月转账和餐饮一共多少", "zh", ["餐饮上支出 ¥300.10", "转账转出共 2 笔，合计 ¥1,200.50"]),
        ("How much did I spend on dining last month", "en", ["you spent ¥300.10 on dining."]),
        ("how much did I spend on groceries", "en", ["you spent ¥0.00 on groceries."]),
    ],
)
def test_what_is_asked_for_is_summed_whatever_the_intent(
    text: str, intent: str, language: str, parts: list[str]
) -> None:
    done = use(text, intent, moving_bank(), language=language)
    assert done is not None
    assert done.answer.skill == "spending"
    assert [p for p in parts if p not in done.answer.text] == []
    assert "¥500.10" not in done.answer.text


@pytest.mark.parametrize(
    "text",
    [
        "转账手续费是多少", "上个月转账手续费多少", "这个月还能转账多少", "下个月转账多少", "how much does a transfer cost",
        "how much can I transfer this month", "转账要多少钱", "上个月转账失败了", "怎么查上个月转账总额",
    ],
)  # fmt: skip
def test_what_a_transfer_costs_or_may_be_is_no_sum(text: str) -> None:
    assert use(text, "transfer_fee", moving_bank()) is None


def test_more_movements_than_one_answer_holds_are_all_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skills, "MAX_TRANSACTIONS", 2)
    done = use("上月转账花了多少", "spending_analysis", moving_bank())
    assert done is not None
    assert "2 笔，合计 ¥1,200.50" in done.answer.text


def test_freezing_asks_first() -> None:
    bank = SmallBank()
    done = use("冻结我的卡", "card_freeze", bank)
    assert done is not None
    assert done.answer.outcome is Outcome.CLARIFY
    assert done.state is not None
    assert done.state["pending"]["card_id"] == "K0"
    assert bank.frozen == []


def test_several_cards_are_told_apart_first() -> None:
    done = use("冻结我的卡", "card_freeze", SmallBank(cards=2))
    assert done is not None
    assert "5670" in done.answer.text
    assert "5671" in done.answer.text
    assert not done.state


@pytest.mark.parametrize("yes", ["确认", "是的", "Yes", "ok!"])
def test_yes_freezes(yes: str) -> None:
    bank = SmallBank()
    done = use(yes, "other", bank, waiting(5))
    assert bank.frozen == ["K0"]
    assert done is not None
    assert done.state == {}


@pytest.mark.parametrize("text", ["取消", "no", "今天天气", "是不是要收费", "ok but what does it cost"])
def test_anything_else_freezes_nothing(text: str) -> None:
    bank = SmallBank()
    done = use(text, "other", bank, waiting(5))
    assert bank.frozen == []
    assert done is None or done.state == {}


def test_an_expired_yes_freezes_nothing() -> None:
    bank = SmallBank()
    assert use("确认", "other", bank, waiting(-1)) is None
    assert bank.frozen == []


@pytest.mark.parametrize("intent", sorted(skills.SKILLS))
def test_a_visitor_never_gets_a_skill(intent: str) -> None:
    assert use("我的", intent, SmallBank(down=True), waiting(5), principal=VISITOR) is None


def test_a_failing_bank_is_not_papered_over() -> None:
    with pytest.raises(Unavailable):
        use("我的余额", "account_balance", SmallBank(down=True))
