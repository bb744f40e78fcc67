"""Token buckets and addresses."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from openteller.serving import limits
from openteller.serving.limits import TokenBuckets, network


class Clock:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_refills_and_says_how_long_to_wait() -> None:
    clock = Clock()
    buckets = TokenBuckets(6, clock)
    assert [buckets.take("a") for _ in range(7)] == [0] * 6 + [10]
    assert buckets.take("b") == 0
    clock.now = 9.9
    assert buckets.wait("a") == 1
    assert buckets.take("a") == 1
    clock.now = 10.1
    assert buckets.wait("a") == 0
    assert buckets.take("a") == 0
    clock.now = 10_000
    assert [buckets.take("a") for _ in range(7)] == [0] * 6 + [10]


@given(rate=st.integers(1, 600), waits=st.lists(st.floats(0, 90), max_size=120))
def test_never_more_than_the_burst_and_the_flow(rate: int, waits: list[float]) -> None:
    clock = Clock()
    buckets = TokenBuckets(rate, clock)
    passed = 0
    for wait in waits:
        clock.now += wait
        passed += buckets.take("a") == 0
    assert passed <= rate + clock.now * rate / 60 + 1e-6


@given(rate=st.integers(1, 600), used=st.integers(0, 700))
def test_whoever_waits_as_told_is_served(rate: int, used: int) -> None:
    clock = Clock()
    buckets = TokenBuckets(rate, clock)
    for _ in range(used):
        buckets.take("a")
    clock.now += buckets.wait("a")
    assert buckets.take("a") == 0


def test_memory_is_bounded_and_the_busy_stay() -> None:
    buckets = TokenBuckets(1, Clock())
    for number in range(limits._BUCKETS_KEPT + 500):
        buckets.take(str(number))
    assert len(buckets._buckets) == limits._BUCKETS_KEPT
    assert buckets.take(str(limits._BUCKETS_KEPT + 499)) > 0


def test_threads_take_no_token_twice() -> None:
    buckets = TokenBuckets(100, Clock())
    taken: list[int] = []

    def work() -> None:
        taken.extend(buckets.take("a") for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0) == 100


def test_addresses_of_one_household_are_one() -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::1")
    assert network("2001:db8:1:2::1") != network("2001:db8:1:3::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("testclient") == "testclient"
