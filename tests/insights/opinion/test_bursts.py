"""A burst is found with its tenth item, the usual is not one, and chance alone raises next to none."""

import random
from datetime import timedelta

from openteller.insights.opinion.bursts import LEAST, BurstDetector, Key
from tests.insights.opinion.given import NOON

TOPIC, BANK = Key(topic_id=7), Key(entity_id="pinebay")


def test_a_new_thing_bursts_with_its_tenth_item() -> None:
    detector = BurstDetector()
    found = [detector.observe([TOPIC], n, NOON + timedelta(seconds=20 * n)) for n in range(1, 15)]
    assert [len(one) for one in found] == [0] * (LEAST - 1) + [1] + [0] * 4
    (burst,) = found[LEAST - 1]
    assert (burst.key, burst.items, burst.item_ids) == (TOPIC, LEAST, tuple(range(1, 11)))
    assert burst.expected < 1


def test_ten_items_over_a_day_are_none() -> None:
    detector = BurstDetector()
    assert not any(detector.observe([TOPIC], n, NOON + timedelta(hours=2 * n)) for n in range(12))


def test_what_is_always_much_bursts_only_when_it_is_far_more() -> None:
    detector, chance, at = BurstDetector(), random.Random(1), NOON
    found = []
    for number in range(20_000):  # about ten an hour, thirty to seventy while the day is long
        at += timedelta(seconds=chance.expovariate(1 / 120 if 4 <= at.hour <= 12 else 1 / 400))
        found += detector.observe([BANK], number, at)
        detector.ended(at)
    assert not found
    burst = [detector.observe([BANK], n, at + timedelta(seconds=n)) for n in range(300)]
    assert sum(map(len, burst)) == 1


def test_chance_alone_raises_at_most_one_alarm_in_a_day_of_many_topics() -> None:
    chance, alarms, detector = random.Random(2), 0, BurstDetector()
    moments = sorted((chance.uniform(0, 86_400), topic) for topic in range(300) for _ in range(chance.randrange(60)))
    for number, (second, topic) in enumerate(moments):
        alarms += len(detector.observe([Key(topic_id=topic)], number, NOON + timedelta(seconds=second)))
    assert alarms <= 1


def test_a_burst_ends_and_may_come_again() -> None:
    detector = BurstDetector()
    for number in range(12):
        detector.observe([TOPIC], number, NOON)
    assert detector.ended(NOON + timedelta(minutes=30)) == []
    assert detector.ended(NOON + timedelta(hours=2)) == [TOPIC]
    again = [detector.observe([TOPIC], n, NOON + timedelta(days=3)) for n in range(40)]
    assert sum(map(len, again)) == 1


def test_what_has_faded_is_forgotten() -> None:
    detector = BurstDetector()
    for topic in range(1_000):
        detector.observe([Key(topic_id=topic)], topic, NOON)
    detector.ended(NOON + timedelta(days=6))
    assert len(detector._counts) == 1


def test_merged_topics_count_together() -> None:
    detector = BurstDetector()
    for number in range(5):
        detector.observe([TOPIC], number, NOON)
        detector.observe([Key(topic_id=8)], number, NOON)
    detector.join(Key(topic_id=8), TOPIC)
    assert detector.observe([TOPIC], 99, NOON)[0].items == 11
