"""How far a device's clock is off, and how old its messages are all the same."""

from hypothesis import given
from hypothesis import strategies as st

from gated.core.skew import SAMPLE_COUNT_MAX, SAMPLE_COUNT_MIN, SPAN_MIN, WINDOW, Skew
from tests.core.support import at


def told(*pairs: tuple[float, float]) -> Skew:
    """Messages as (received at, difference): the device's clock is behind by the difference."""
    skew = Skew()
    for received, difference in pairs:
        skew = skew.with_sample(at(received), at(received - difference))
    return skew


def test_unproven_it_is_nothing() -> None:
    assert Skew().seconds == 0.0
    assert told((0, 120), (60, 120)).seconds == 0.0


def test_the_smallest_difference_is_the_skew_and_the_rest_delay() -> None:
    skew = told((0, 120.4), (20, 120.1), (40, 123.0))
    assert skew.seconds == 120.1
    assert round(skew.age_seconds(at(50), at(50 - 121.1)), 6) == 1.0


def test_a_clock_ahead_of_ours() -> None:
    skew = told((0, -59.9), (20, -60.0), (40, -58.0))
    assert skew.seconds == -60.0
    assert skew.age_seconds(at(50), at(110)) == 0.0
    assert skew.age_seconds(at(50), at(105)) == 5.0


def test_a_backlog_is_not_taken_for_a_wrong_clock() -> None:
    """Many messages at once, all late by minutes: they prove nothing about the clock."""
    backlog = told(*((index / 10, 300.0) for index in range(20)))
    assert backlog.seconds == 0.0
    assert backlog.age_seconds(at(2), at(-298)) == 300.0


def test_nor_is_a_backlog_before_messages_on_time() -> None:
    skew = told(*((index / 10, 300.0) for index in range(20)), (40, 0.2))
    assert skew.seconds == 0.2


def test_an_old_difference_leaves() -> None:
    hour = WINDOW.total_seconds()
    skew = told((0, 5.0), (1800, 90.0), (hour, 90.5), (hour + 1, 91.0))
    assert skew.seconds == 90.0


def test_never_younger_than_now() -> None:
    assert Skew().age_seconds(at(0), at(30)) == 0.0


@given(
    skew=st.integers(-3600, 3600),
    delays=st.lists(st.integers(0, 60), min_size=SAMPLE_COUNT_MIN, max_size=80),
)
def test_an_age_is_never_underestimated_by_more_than_the_smallest_delay(
    skew: int, delays: list[int]
) -> None:
    step = SPAN_MIN.total_seconds()
    estimate = told(*((index * step, skew + delay) for index, delay in enumerate(delays)))
    assert len(estimate.samples) <= SAMPLE_COUNT_MAX
    now = len(delays) * step
    known = delays[-len(estimate.samples) :]
    age = estimate.age_seconds(at(now), at(now - skew - 100))
    assert age == 100 - min(known)
