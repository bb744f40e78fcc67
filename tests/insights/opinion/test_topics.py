"""Topics appear, grow, merge and die as items come, on a clock that the test moves."""

from datetime import timedelta

from openteller.insights.opinion.records import TopicStatus
from openteller.insights.opinion.topics import ENDED_AFTER, Topics, terms
from tests.insights.opinion.given import NOON

BACKGROUND = (
    "周末全市多云转晴,气温回升", "国家队公布集训名单", "新款手机下月发布", "地铁延长线年底通车", "演员携新剧亮相红毯",
    "考古队公布遗址进展", "两支球队加时赛战平", "研究生招生简章公布", "楼盘月底开盘推出两居", "网络游戏周四更新版本",
)  # fmt: skip


def filled() -> Topics:
    topics = Topics()
    for number, words in enumerate(BACKGROUND):
        topics.place(words, NOON, number + 1)
    return topics


def test_other_things_are_other_topics_and_one_thing_is_one() -> None:
    topics = filled()
    assert len(topics.live) == len(BACKGROUND)
    one = topics.place("松湾银行手机银行崩溃,客户无法登录", NOON, 101)
    for number, words in enumerate(("手机银行崩溃!松湾银行客户登录不了", "松湾银行:手机银行崩溃正在抢修"), 102):
        assert topics.place(words, NOON + timedelta(minutes=number), number).id == one.id
    assert (one.items, one.id) == (3, 101)
    assert {"手机银行崩溃", "松湾银"} <= set(one.record().terms)


def test_an_item_costs_no_look_at_every_topic() -> None:
    topics = filled()
    vector = topics._vector({"松湾": 1})  # type: ignore[arg-type]
    assert topics._proposed(vector) == set()


def test_two_topics_that_grow_alike_become_one() -> None:
    topics = filled()
    one = topics.place("云桥公司裁员三百人", NOON, 201)
    two = topics.place("云桥大厦夜里起火", NOON, 202)
    assert one.id != two.id
    last = one
    for number in range(203, 215):
        last = topics.place("云桥公司裁员 云桥大厦起火", NOON + timedelta(minutes=number), number)
    gone = two if last.id == one.id else one
    assert (gone.status, gone.merged_into) == (TopicStatus.MERGED, last.id)
    assert gone.id not in topics.live
    assert last.items == 14
    assert gone in topics.take_changed()


def test_a_topic_that_nobody_writes_about_ends() -> None:
    topics = filled()
    topics.take_changed()
    later = NOON + ENDED_AFTER + timedelta(hours=1)
    fresh = topics.place("松湾银行手机银行崩溃", later, 301)
    topics.end_faded(later)
    assert list(topics.live) == [fresh.id]
    ended = [cluster for cluster in topics.take_changed() if cluster.status is TopicStatus.ENDED]
    assert len(ended) == len(BACKGROUND)
    assert topics.place(BACKGROUND[0], later, 302).id == 302


def test_what_is_restored_goes_on() -> None:
    topics = filled()
    one = topics.place("松湾银行手机银行崩溃,客户无法登录", NOON, 401)
    again = Topics()
    again.restore(topics.live.values(), BACKGROUND)
    assert again.place("手机银行崩溃!松湾银行客户登录不了", NOON, 402).id == one.id


def test_terms_are_pairs_and_words_without_figures() -> None:
    assert list(terms("松湾银行 Apps are down 2026年")) == ["松湾", "湾银", "银行", "app", "down"]
