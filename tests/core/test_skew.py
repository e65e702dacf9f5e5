"""How far a device's clock is off, and how late its messages came all the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gated.core.skew import (
    ALARM_SECONDS,
    SAMPLE_COUNT_MAX,
    SAMPLE_COUNT_MIN,
    SPAN_MIN,
    TRUSTED_SECONDS_MAX,
    WINDOW,
    Skew,
)
from tests.core.support import at

HOUR = 3600.0
# To the microsecond of a datetime.
ROUNDING = 2e-6

paces = st.floats(0.0, 1200.0)
# How late a message comes, and how long after the one before.
arrivals = st.lists(st.tuples(paces, st.floats(0.0, 86_400.0)), min_size=1, max_size=60)


def told(*pairs: tuple[float, float]) -> Skew:
    """Messages as (received at, difference): how much later than the device's own time."""
    skew = Skew()
    for received, difference in pairs:
        skew = skew.with_sample(at(received), at(received - difference))
    return skew


def delay(skew: Skew, difference: float, received: float = 100_000.0) -> float | None:
    """How late a message with this difference is taken to be."""
    return skew.delay_seconds(at(received), at(received - difference))


def proven(difference: float) -> Skew:
    return told((0, difference), (20, difference), (40, difference))


# ── the estimate ────────────────────────────────────────────────────────────────────────────


def test_unproven_there_is_none() -> None:
    assert Skew().seconds is None
    assert told((0, 1.5), (60, 1.5)).seconds is None
    assert told((0, 1.5), (10, 1.5), (20, 1.5)).seconds is None


def test_the_smallest_difference_is_the_skew_and_the_rest_delay() -> None:
    skew = told((0, 1.4), (20, 1.1), (40, 3.0))
    assert skew.seconds == pytest.approx(1.1)
    assert delay(skew, 2.1) == pytest.approx(1.0)


def test_a_backlog_is_not_taken_for_a_wrong_clock() -> None:
    """Many messages at once, all late by minutes: they prove nothing about the clock."""
    backlog = told(*((index / 10, 300.0) for index in range(20)))
    assert backlog.seconds is None
    assert delay(backlog, 300.0) == 300.0


def test_nor_is_a_backlog_before_messages_on_time() -> None:
    skew = told(*((index / 10, 300.0) for index in range(20)), (40, 0.2))
    assert skew.seconds == pytest.approx(0.2)


def test_an_old_difference_leaves() -> None:
    hour = WINDOW.total_seconds()
    skew = told((0, 0.5), (1800, 1.5), (hour, 1.6), (hour + 1, 1.7))
    assert skew.seconds == pytest.approx(1.5)


def test_a_clock_that_falls_behind_is_found_out_after_some_messages() -> None:
    skew = told(
        *((index * 20, 0.1) for index in range(50)),
        *((1000 + index * 20, 600.0) for index in range(SAMPLE_COUNT_MAX)),
    )
    assert skew.seconds == 600.0


def test_a_message_that_is_told_again_proves_nothing_more() -> None:
    """One message may hold several events, and is read again after a restart of its lane."""
    skew = told((0, 1.5), (60, 1.5), (0, 1.5), (60, 1.5), (60, 1.5))
    assert skew.seconds is None


def test_messages_out_of_order_count() -> None:
    assert told((40, 1.5), (20, 1.6), (0, 1.7)).seconds == pytest.approx(1.5)


# ── how late a message is ───────────────────────────────────────────────────────────────────


def test_a_slow_backlog_opens_nothing() -> None:
    """Drained at the pace of live traffic it looks like a clock that is ten minutes behind."""
    backlog = told(*((index * 10.5, 600.0) for index in range(20)))
    assert backlog.seconds == 600.0
    assert delay(backlog, 600.0) == 600.0 - TRUSTED_SECONDS_MAX


def test_a_message_from_the_future_has_no_age() -> None:
    """A clock two hours ahead that sends what it saw an hour ago looks an hour ahead."""
    for skew in (Skew(), proven(0.1), proven(-HOUR)):
        assert delay(skew, -HOUR) is None


def test_a_clock_a_little_ahead_is_taken_at_its_word() -> None:
    skew = proven(-1.5)
    assert delay(skew, -1.5) == 0.0
    assert delay(skew, -1.4) == 0.0
    assert delay(skew, 3.0) == 3.0


def test_a_clock_ahead_is_known_from_one_message_and_right_again_from_the_next() -> None:
    ahead = told((0, 0.3), (20, 0.3), (40, 0.3), (50, -23 * HOUR))
    assert ahead.seconds == -23 * HOUR
    right = ahead.with_sample(at(60), at(59.7))
    assert right.seconds == pytest.approx(0.3)
    assert delay(right, 0.3) == pytest.approx(0.0)


@given(arrivals)
@example([(10.5, 600.0)] * 20)
def test_no_pace_makes_a_backlog_of_a_right_clock_younger_than_what_is_trusted(
    messages: list[tuple[float, float]],
) -> None:
    skew, now = Skew(), 0.0
    for pace, late in messages:
        now += pace
        skew = skew.with_sample(at(now), at(now - late))
        judged = skew.delay_seconds(at(now), at(now - late))
        assert judged is not None
        assert late - TRUSTED_SECONDS_MAX - ROUNDING <= judged <= late + ROUNDING


@given(arrivals, st.floats(1.0, 23.9), st.data())
def test_no_outlier_makes_a_message_of_a_right_clock_older_than_it_is(
    messages: list[tuple[float, float]], hours: float, data: st.DataObject
) -> None:
    outlier = data.draw(st.integers(0, len(messages) - 1))
    skew, now = Skew(), 0.0
    for index, (pace, late) in enumerate(messages):
        now += pace
        if index == outlier:
            skew = skew.with_sample(at(now), at(now + hours * HOUR))
            assert skew.delay_seconds(at(now), at(now + hours * HOUR)) is None
        skew = skew.with_sample(at(now), at(now - late))
        judged = skew.delay_seconds(at(now), at(now - late))
        assert judged is not None
        assert judged <= late + ROUNDING


@given(
    st.floats(0.0, TRUSTED_SECONDS_MAX),
    st.lists(st.floats(0.0, 60.0), min_size=SAMPLE_COUNT_MIN, max_size=80),
)
def test_a_small_constant_skew_is_taken_out(behind: float, delays: list[float]) -> None:
    step = SPAN_MIN.total_seconds()
    skew = told(*((index * step, behind + late) for index, late in enumerate(delays)))
    assert len(skew.samples) <= SAMPLE_COUNT_MAX
    smallest = min(delays[-SAMPLE_COUNT_MAX:])
    judged = delay(skew, behind + 100.0, received=len(delays) * step)
    taken = min(behind + smallest, TRUSTED_SECONDS_MAX)
    assert judged == pytest.approx(100.0 + behind - taken, abs=ROUNDING)


# ── the alarm ───────────────────────────────────────────────────────────────────────────────


def alarms(*differences: float) -> list[float]:
    """What the operator hears while messages with these differences come, each many times."""
    skew, heard = Skew(), []
    for index, difference in enumerate(d for d in differences for _ in range(SAMPLE_COUNT_MAX)):
        skew = skew.with_sample(at(index * 20), at(index * 20 - difference))
        if (news := skew.news) is not None:
            heard.append(round(news, 3))
            skew = skew.with_told(news)
    return heard


def test_a_right_clock_is_no_news() -> None:
    assert alarms(0.0, 0.3, -0.3, ALARM_SECONDS) == []


@pytest.mark.parametrize("wrong", [1.5, -1.5, 600.0, -600.0])
def test_a_wrong_clock_is_told_once_and_again_when_it_is_right(wrong: float) -> None:
    assert alarms(wrong, wrong, 0.1, 0.1, wrong) == [wrong, 0.1, wrong]


def test_a_material_change_is_told() -> None:
    assert alarms(1.5, 1.6, 2.9, 3.5, 6.0, 8.0) == [1.5, 3.5, 8.0]
    assert alarms(600.0, -600.0) == [600.0, -600.0]


def test_around_the_limit_it_does_not_chatter() -> None:
    assert alarms(1.1, 0.9, 1.1, 0.9, 1.1) == [1.1]


def test_a_backlog_that_is_drained_slowly_is_told_in_few_words() -> None:
    draining = [600.0 - index for index in range(601)]
    skew, heard = Skew(), 0
    for index, difference in enumerate(draining):
        skew = skew.with_sample(at(index * 10), at(index * 10 - difference))
        if (news := skew.news) is not None:
            heard += 1
            skew = skew.with_told(news)
    assert skew.told_seconds is None
    assert heard <= 12
