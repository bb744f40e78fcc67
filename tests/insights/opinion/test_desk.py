"""What staff are shown of public opinion: what grows, what bursts, what is said of whom."""

from datetime import timedelta

import pytest

from openteller.core.clock import utc_now
from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.insights.opinion.desk import OpinionDesk
from openteller.store.database import Database
from tests.insights.opinion.given import ANALYST, Clock, batch, pipeline
from tests.insights.opinion.test_pipeline import BAD, WORDS

CUSTOMER = Principal(subject="C1", role=Role.CUSTOMER, customer_id="C1")
OLD = (
    "央行今日开展千亿元逆回购操作,利率维持不变",
    "央行逆回购操作千亿元,市场利率平稳",
    "央行逆回购利率维持不变,操作规模千亿元",
)


def test_what_grows_comes_first_and_what_only_was_is_left_out(clean: Database) -> None:
    clock = Clock(utc_now() - timedelta(hours=30))
    stream = pipeline(clean, clock)
    stream.take("news", batch(*OLD, "青禾证券业绩大增,营收超预期", "青禾证券营收超预期,业绩大增两成", cursor=1))
    clock.now = utc_now() - timedelta(hours=2)
    stream.take(
        "news", batch(BAD, "松湾银行手机银行崩溃,客户转账不到账", "松湾银行手机银行登录崩溃,客户等待", cursor=2)
    )
    stream.take("news", batch("青禾证券业绩大增超预期,营收创新高", cursor=3))
    desk = OpinionDesk(clean, "Asia/Shanghai")
    first, second = desk.growing(ANALYST)
    assert ("松湾银行" in first.topic.title, first.items, first.before) == (True, 3, 0)
    assert ("青禾证券" in second.topic.title, second.items, second.before) == (True, 1, 2)
    assert desk.growing(ANALYST, limit=1) == [first]
    assert desk.growing(ANALYST, least=4) == []
    # Over four days all of it is new.
    assert sorted(growth.items for growth in desk.growing(ANALYST, days=4)) == [3, 3, 3]


def test_what_is_said_of_whom_against_before(clean: Database) -> None:
    clock = Clock(utc_now() - timedelta(days=8))
    stream = pipeline(clean, clock)
    stream.take("news", batch("青禾证券业绩大增,营收超预期", "松湾银行网银瘫痪数小时,交易全部中断", cursor=1))
    clock.now = utc_now() - timedelta(hours=1)
    stream.take("news", batch(BAD, BAD + "!", "青禾证券获评级上调,盈利创新高", "松湾银行荣获最佳服务奖", cursor=2))
    own, peer = OpinionDesk(clean, "Asia/Shanghai").tones(ANALYST)
    told = (own.negative, own.neutral + own.positive, own.items, own.before)
    assert (own.entity_id, told) == ("pinebay", (1, 1, 2, 1))
    assert (peer.entity_id, peer.items, peer.before) == ("larkfield", 1, 1)


def test_a_burst_by_its_id(clean: Database) -> None:
    clock = Clock()
    stream = pipeline(clean, clock)
    for number, words in enumerate(WORDS):
        clock.forward(seconds=20)
        stream.take("posts", batch(f"青禾证券的软件今天又卡了,第{number}次,{words}", cursor=number))
    desk = OpinionDesk(clean, "Asia/Shanghai")
    for burst in desk.bursts(ANALYST):
        assert desk.burst(ANALYST, burst.id) == burst
    with pytest.raises(NotFound, match="no such burst"):
        desk.burst(ANALYST, 999)


def test_none_of_it_is_for_customers(clean: Database) -> None:
    desk = OpinionDesk(clean, "Asia/Shanghai")
    for asked in (desk.growing, desk.tones, lambda who: desk.burst(who, 1)):
        with pytest.raises(NotAllowed):
            asked(CUSTOMER)
