"""From messages to a conversation, from conversations to a customer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.insights.trends.moods import HALF_LIFE, conversation_mood, customer_mood, customer_points
from openteller.insights.trends.records import ConversationMood, ConversationScores

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
SCORES = st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=12)


def mood(*scores: float, age: timedelta = timedelta()) -> ConversationMood:
    given = ConversationScores(conversation_id=uuid4(), at=NOW - age, intent="card_declined", scores=scores)
    return conversation_mood(given)


@given(SCORES)
def test_a_conversation_from_first_to_last(scores: list[float]) -> None:
    found = mood(*scores)
    assert (found.first, found.last, found.worst) == (scores[0], scores[-1], min(scores))
    assert found.recovery == scores[-1] - min(scores) >= 0
    if len(scores) > 1:
        assert found.slope == pytest.approx(np.polyfit(range(len(scores)), scores, 1)[0], abs=1e-9)
    else:
        assert found.slope == 0
    assert (found.topic, found.messages) == ("card", len(scores))


def test_what_is_newer_counts_more() -> None:
    better = customer_mood([mood(-1, age=HALF_LIFE * 3), mood(1)], NOW, 0.0)
    worse = customer_mood([mood(1, age=HALF_LIFE * 3), mood(-1)], NOW, 0.0)
    assert better.value > 0 > worse.value
    assert better.value == pytest.approx(-worse.value)
    assert better.count == pytest.approx(1 + 2**-3)


@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 300)), max_size=8), st.floats(-0.9, 0.9))
def test_a_customers_mood_holds_its_value_and_narrows(told: list[tuple[float, int]], bank: float) -> None:
    moods = [mood(score, age=timedelta(days=days)) for score, days in told]
    found = customer_mood(moods, NOW, bank)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert customer_mood([], NOW, bank).value == pytest.approx(bank)


def test_old_conversations_let_go_of_a_customer() -> None:
    fresh, old = (customer_mood([mood(-1, age=HALF_LIFE * age)], NOW, 0.0) for age in (0, 8))
    assert fresh.value < old.value < 0
    assert old.high - old.low > fresh.high - fresh.low


def test_points_begin_with_the_first_conversation() -> None:
    points = customer_points([mood(-0.5, age=timedelta(days=15)), mood(0.5)], NOW, 0.0, "Asia/Shanghai")
    assert [point.on.isoformat() for point in points] == ["2026-05-18", "2026-05-25", "2026-06-01"]
    assert points[0].mood.value < points[-1].mood.value
