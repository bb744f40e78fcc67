"""The stream into the store: counted once, read, grouped, alerted; and whole or not at all, whatever happens."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from openteller.core.errors import Conflict, NotAllowed
from openteller.core.records import Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.records import Severity
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.opinion.pipeline import LISTENER, cursor_of
from openteller.insights.opinion.records import Batch, RawItem
from openteller.insights.opinion.repository import ItemFilter, OpinionRepository
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import OpinionItemRow
from tests.insights.opinion.given import ANALYST, NOON, Clock, batch, pipeline, raw

BAD = "松湾银行手机银行崩溃,大量客户无法登录"


def test_an_item_is_read_for_whom_it_names(clean: Database) -> None:
    taken = pipeline(clean, Clock()).take("news", batch(BAD, "青禾证券业绩大增,营收超预期", "周末全市多云转晴"))
    assert (taken.items, taken.duplicates, taken.copies) == (3, 0, 0)
    weather, good, bad = OpinionDesk(clean, "Asia/Shanghai").items(ANALYST, ItemFilter())
    assert [(m.entity_id, m.sentiment, m.event, m.level) for m in bad.mentions] == [
        ("pinebay", "negative", "funds_at_risk", "high")
    ]
    assert [(m.entity_id, m.sentiment, m.level) for m in good.mentions] == [("larkfield", "positive", "none")]
    assert (weather.mentions, weather.sentiment, weather.level) == ((), "neutral", "none")
    assert bad.arrived_at == NOON


def test_the_same_words_are_counted_up_and_nearly_the_same_are_not_counted(clean: Database) -> None:
    stream = pipeline(clean, Clock())
    stream.take("news", batch("央行今日开展千亿元逆回购操作,利率维持不变,市场流动性合理充裕"))
    stream.take("other", batch("央行今日开展千亿元逆回购操作,利率维持不变,市场流动性合理充裕!", cursor=1))
    near = stream.take("other", batch("快讯:央行今日开展千亿元逆回购操作,利率维持不变,市场流动性合理充裕", cursor=2))
    assert (near.items, near.duplicates) == (1, 1)
    copy, first = OpinionDesk(clean, "Asia/Shanghai").items(ANALYST, ItemFilter())
    assert (first.copies, copy.duplicate_of, copy.topic_id) == (2, first.id, first.topic_id)


def test_what_one_source_brings_twice_under_one_id_is_not_counted_up(clean: Database) -> None:
    stream = pipeline(clean, Clock())
    assert stream.take("news", batch("一条新闻", "一条新闻")).copies == 1
    again = stream.take("news", Batch(items=(raw("一条新闻", "0-0"),)))
    assert (again.items, again.copies) == (0, 0)


def test_what_has_no_words_is_rejected_and_the_rest_is_stored(clean: Database) -> None:
    taken = pipeline(clean, Clock()).take("news", Batch(items=(raw("<p>…</p>", "x"), raw("一条新闻", "y"))))
    assert taken.items == 1
    assert taken.rejected == ("x: An item has no words.",)


def test_the_bank_is_told_at_once_when_something_very_bad_is_said_of_it(clean: Database) -> None:
    stream = pipeline(clean, Clock())
    assert stream.take("news", batch(BAD, "松湾银行网银瘫痪数小时,交易全部中断", "青禾证券董事长卷款跑路")).alerts == 1
    (alert,) = AlertDesk(clean).list(ANALYST)
    assert (alert.kind, alert.severity, alert.subject) == ("opinion.risk", Severity.CRITICAL, "pinebay")
    (item,) = OpinionDesk(clean, "Asia/Shanghai").items(ANALYST, ItemFilter(ids=tuple(alert.detail["item_ids"])))
    assert item.title == BAD
    with clean.session(ANALYST) as session:
        assert audit.verify(session).intact


def test_a_burst_is_found_with_its_tenth_item_and_told_once(clean: Database) -> None:
    clock = Clock()
    stream = pipeline(clean, clock)
    stream.take("news", batch("周末全市多云转晴"))
    said = [f"青禾证券的软件今天又卡了,第{'一二三四五六七八九十百千'[n]}次,{words}" for n, words in enumerate(WORDS)]
    found = []
    for number, title in enumerate(said):
        clock.forward(seconds=20)
        taken = stream.take("posts", batch(title, cursor=number))
        found.append((taken.bursts > 0, taken.alerts))
    assert [alerts for _, alerts in found] == [0] * 9 + [1] + [0] * (len(said) - 10)
    (alert,) = AlertDesk(clean).list(ANALYST)
    assert (alert.kind, alert.subject) == ("opinion.burst", "larkfield")
    desk = OpinionDesk(clean, "Asia/Shanghai")
    bursts = desk.bursts(ANALYST)
    assert {burst.entity_id for burst in bursts} >= {"larkfield"}
    assert len(desk.items(ANALYST, ItemFilter(ids=bursts[0].item_ids))) == len(bursts[0].item_ids) == 10


@pytest.mark.parametrize("way", ["{}", "快讯:{}", "{},转发第{}次"])
def test_reposts_are_a_burst_but_one_item(clean: Database, way: str) -> None:
    clock = Clock()
    stream = pipeline(clean, clock)
    stream.take("news", batch("周末全市多云转晴"))
    told = "青禾证券的软件今天上午开盘后全面瘫痪,大量客户无法下单也无法撤单,客服电话一直占线"
    bursts = []
    for number in range(12):
        clock.forward(seconds=20)
        bursts.append(
            stream.take("posts", batch(way.format(told, "一二三四五六七八九十百千"[number]), cursor=number)).bursts
        )
    assert bursts[9] > 0
    assert sum(bursts[:9]) == sum(bursts[10:]) == 0
    counted = OpinionDesk(clean, "Asia/Shanghai").items(ANALYST, ItemFilter(entity_id="larkfield", counted=True))
    assert len(counted) == 1


WORDS = (
    "下单点了没反应", "行情不刷新", "交不了钱", "账户余额看不到", "客服电话占线", "闪退三回", "登录要等很久",
    "撤单失败", "银证转账转不出", "开盘就掉线", "验证码收不到", "自选股不见了",
)  # fmt: skip


def test_a_back_fill_raises_no_alerts(clean: Database) -> None:
    assert pipeline(clean, Clock(), alerts=False).take("news", batch(BAD)).alerts == 0
    assert AlertDesk(clean).list(ANALYST) == ()


def test_when_a_transaction_fails_nothing_of_the_batch_is_there_and_it_can_be_taken_again(
    clean: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = pipeline(clean, Clock())
    stream.take("news", batch("一条新闻", cursor=1))

    def fail(*_: object) -> None:
        raise Conflict("Two changes met in the database.")

    with monkeypatch.context() as broken:
        broken.setattr(AlertDesk, "raise_in", fail)
        with pytest.raises(Conflict):
            stream.take("news", batch(BAD, "另外一条消息", cursor=2))
    assert cursor_of(clean, "news") == {"at": 1}
    taken = stream.take("news", batch(BAD, "另外一条消息", cursor=2))
    assert (taken.items, taken.duplicates, taken.alerts) == (2, 0, 1)
    assert cursor_of(clean, "news") == {"at": 2}


def test_two_pipelines_take_turns_and_see_what_the_other_stored(clean: Database) -> None:
    clock = Clock()
    one, other = pipeline(clean, clock), pipeline(clean, clock)
    long = "央行今日开展千亿元逆回购操作,利率维持不变,市场流动性合理充裕"
    one.take("a", batch(long))
    assert other.take("b", batch("快讯:" + long)).duplicates == 1
    assert one.take("a", batch(long + "。记者获悉", cursor=1)).duplicates == 1


def test_a_topic_goes_on_after_a_restart(clean: Database) -> None:
    clock = Clock()
    pipeline(clean, clock).take("a", batch("青禾证券交易软件崩溃,股民无法下单"))
    clock.forward(minutes=5)
    pipeline(clean, clock).take("a", batch("股民抱怨青禾证券交易软件崩溃,下单失败", cursor=1))
    (topic,) = OpinionDesk(clean, "Asia/Shanghai").topics(ANALYST, least=1)
    assert topic.items == 2
    assert "青禾证券" in "".join(topic.terms)


def test_staff_alone_see_any_of_it(clean: Database) -> None:
    pipeline(clean, Clock()).take("news", batch(BAD))
    customer = Principal(subject="C1", role=Role.CUSTOMER, customer_id="C1")
    with pytest.raises(NotAllowed):
        OpinionDesk(clean, "Asia/Shanghai").items(customer, ItemFilter())
    with clean.session(customer) as session:
        assert OpinionRepository().items(session, ItemFilter(), 10) == []


STREAM = """
import sys
from pathlib import Path
from openteller.insights.opinion.pipeline import cursor_of
from openteller.insights.opinion.records import Batch, RawItem
from openteller.store.database import Database
from tests.insights.opinion.given import Clock, pipeline

database = Database(sys.argv[1])
stream = pipeline(database, Clock())
while (at := cursor_of(database, "file").get("at", 0)) < 4_000:
    items = tuple(RawItem(title=f"第{n}条消息{n * 7919 % 10007}号 {hash_of(n)}", external_id=str(n)) for n in range(at, at + 20))
    stream.take("file", Batch(items=items, cursor={"at": at + 20}))
    print(at + 20, flush=True)
""".replace("hash_of(n)", "__import__('hashlib').sha256(str(n).encode()).hexdigest()")


def test_kill_9_in_the_middle_loses_and_doubles_nothing(clean: Database, database_urls: tuple[str, str]) -> None:
    reached = 0
    for stop_after in (3, 5, 2):
        command = [sys.executable, "-c", STREAM, database_urls[0]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
            assert process.stdout
            for _ in range(stop_after):
                reached = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
    at = cursor_of(clean, "file")["at"]
    assert at >= reached
    with clean.session(LISTENER) as session:
        stored = list(session.scalars(select(OpinionItemRow.external_id)))
        assert session.scalar(select(func.sum(OpinionItemRow.copies))) == len(stored)
    assert sorted(map(int, stored)) == list(range(at))


def test_an_item_says_only_what_its_source_may_say() -> None:
    for wrong in ({"url": "javascript:alert(1)"}, {"published_at": "2026-03-01T09:30:00"}):
        with pytest.raises(ValueError, match=r"http|offset"):
            RawItem.model_validate({"title": "x"} | wrong)
