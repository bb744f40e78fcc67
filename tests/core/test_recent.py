"""A memory that forgets."""

from openteller.core.recent import Recent


def test_a_value_is_taken_once_and_forgotten_in_time() -> None:
    now = [0.0]
    recent: Recent[str] = Recent(2, 5.0, lambda: now[0])
    recent.put("a", "1")
    assert recent.take("a") == "1"
    assert recent.take("a") is None
    recent.put("a", "1")
    now[0] = 5.0
    assert recent.take("a") is None


def test_the_oldest_goes_when_there_are_too_many() -> None:
    recent: Recent[int] = Recent(2, 5.0)
    for number in range(3):
        recent.put(number, number)
    recent.put(1, 10)
    assert [recent.take(number) for number in range(3)] == [None, 10, 2]
