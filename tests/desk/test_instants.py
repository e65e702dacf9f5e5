"""Instants and the readings of a clock that skips an hour in March and repeats one in October."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gated.core.errors import ConfigError
from gated.desk.instants import at, clock_changes, instants, minutes_at, read, shown, span

BERLIN = ZoneInfo("Europe/Berlin")
TWICE = (
    "--entry: the clock in Europe/Berlin shows 2026-10-25T02:30 twice: state which,"
    " 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"
)


def test_a_time_is_read_with_its_offset_or_as_the_clock_shows_it() -> None:
    eight = datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert read("2026-12-01T08:00+01:00", BERLIN, place="x") == eight
    assert read("2026-12-01T08:00", BERLIN, place="x") == eight
    assert read("2026-12-01T07:00Z", BERLIN, place="x") == eight
    assert read("2026-12-01 08:00:30", BERLIN, place="x") == eight + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-10-25T02:30", TWICE),
        ("2026-03-29T02:30", "--entry: the clock in Europe/Berlin skips 2026-03-29T02:30"),
        ("tomorrow", "--entry: expected a time such as 2026-12-01T08:00+01:00, or"),
        (
            "0001-01-01T00:00",
            "--entry: expected a year of the calendar, got '0001-01-01T00:00'",
        ),
        ("9999-12-31T23:00-05:00", "--entry: expected a year of the calendar, got '9999-12"),
    ],
)
def test_a_reading_that_is_no_instant_or_two_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text, BERLIN, place="--entry")
    assert str(refused.value).startswith(says)


def test_either_of_two_readings_can_be_stated() -> None:
    first = read("2026-10-25T02:30+02:00", BERLIN, place="x")
    second = read("2026-10-25T02:30+01:00", BERLIN, place="x")
    assert second - first == timedelta(hours=1)
    assert instants(datetime(2026, 10, 25, 2, 30), BERLIN) == (first, second)  # noqa: DTZ001


def test_a_day_begins_at_the_second_of_two_readings_and_as_late_as_ever_if_there_is_none() -> None:
    assert at(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert at(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert minutes_at(date(2026, 3, 28), 24 * 60, BERLIN) == at(date(2026, 3, 29), time(), BERLIN)


def test_the_clock_changes_of_a_year_are_found_to_the_second() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert list(clock_changes(BERLIN, *year)) == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    assert not list(clock_changes(ZoneInfo("Asia/Tokyo"), *year))


def test_what_is_shown_twice_is_shown_with_its_offset() -> None:
    plain = datetime(2026, 11, 30, 7, tzinfo=UTC)
    assert shown(plain, BERLIN) == "Mon 2026-11-30 08:00"
    assert shown(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), BERLIN) == "Sun 2026-10-25 02:30+02:00"
    assert shown(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), BERLIN) == "Sun 2026-10-25 02:30+01:00"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (60, "1 min"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h 1 min 1 s"),
    ],
)
def test_a_length_is_told_in_its_units(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words
