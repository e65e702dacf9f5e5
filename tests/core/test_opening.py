"""Opening hours: windows on the clock on the wall, over midnight, on days that are not like others,
and where clocks are changed.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.opening import WEEKDAYS, OpeningHours, OpeningWindow

BERLIN = "Europe/Berlin"
# 25 and 26 December 2026 are a Friday and a Saturday; there is a market on the 12th, a Saturday.
CALENDAR = {
    date(2026, 12, 25): frozenset({"holiday"}),
    date(2026, 12, 26): frozenset({"holiday"}),
    date(2026, 12, 12): frozenset({"market"}),
    date(2027, 1, 6): frozenset({"holiday", "market"}),
}


def window(begin: str, end: str, *days: str) -> OpeningWindow:
    """As a site file writes it."""

    def minutes(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    later = 0 if minutes(end) > minutes(begin) else 24 * 60
    return OpeningWindow(minutes(begin), minutes(end) + later, frozenset(days))


def hours(
    *windows: OpeningWindow, closed: Iterable[str] = (), time_zone: str = BERLIN
) -> OpeningHours:
    return OpeningHours(windows, frozenset(closed), frozenset(), time_zone, CALENDAR)


def instant(text: str, time_zone: str = BERLIN) -> datetime:
    """A reading of the clock on the wall; `fold` behind it for its second time."""
    reading, second, _ = text.partition(" fold")
    local = datetime.strptime(reading, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(time_zone))
    return local.replace(fold=1 if second else 0).astimezone(UTC)


WEEK = hours(
    window("06:00", "22:00", "mon", "tue", "wed", "thu", "fri"),
    window("08:00", "02:00", "sat"),
)
FESTIVE = hours(
    window("06:00", "22:00"),
    window("08:00", "20:00", "sat"),
    window("10:00", "14:00", "holiday_eve"),
    window("12:00", "04:00", "market"),
    closed=["holiday", "sun"],
)

# Hours, a reading of the clock in Berlin, and whether it is open.
READINGS = [
    (WEEK, "2026-11-30 05:59", False),  # a Monday
    (WEEK, "2026-11-30 06:00", True),
    (WEEK, "2026-11-30 21:59", True),
    (WEEK, "2026-11-30 22:00", False),
    (WEEK, "2026-12-05 07:59", False),  # a Saturday
    (WEEK, "2026-12-05 23:59", True),
    (WEEK, "2026-12-06 01:59", True),  # and its night
    (WEEK, "2026-12-06 02:00", False),
    (WEEK, "2026-12-06 12:00", False),  # no word of Sundays
    (FESTIVE, "2026-12-07 21:59", True),  # a day that nothing names
    (FESTIVE, "2026-12-05 21:59", False),  # a Saturday has its own hours, and no others
    (FESTIVE, "2026-12-06 12:00", False),  # Sundays are closed
    (FESTIVE, "2026-12-12 09:00", False),  # the market before the Saturday
    (FESTIVE, "2026-12-12 12:00", True),
    (FESTIVE, "2026-12-13 03:59", True),  # its night goes on into the closed Sunday
    (FESTIVE, "2026-12-13 04:00", False),
    (FESTIVE, "2026-12-24 09:00", False),  # the day before a holiday
    (FESTIVE, "2026-12-24 10:00", True),
    (FESTIVE, "2026-12-25 12:00", False),  # a holiday, and the day before another
    (FESTIVE, "2026-12-26 12:00", False),  # a holiday before the Saturday
    (FESTIVE, "2027-01-06 12:00", True),  # an event before the holiday that it is, too
    (hours(window("00:00", "24:00")), "2026-12-06 23:59", True),
    (hours(window("06:00", "06:00", "mon")), "2026-12-01 05:59", True),  # from one to the next
    (hours(window("06:00", "06:00", "mon")), "2026-12-01 06:00", False),
    (hours(window("06:00", "22:00"), closed=WEEKDAYS), "2026-12-01 12:00", False),
    # Clocks go from 02:00 to 03:00 on 28 March 2027, and from 03:00 back to 02:00 on 31 October.
    (hours(window("02:30", "05:00")), "2027-03-28 03:00", True),
    (hours(window("01:00", "02:30")), "2027-03-28 03:00", False),
    (hours(window("02:00", "02:30")), "2027-10-31 02:15", True),
    (hours(window("02:00", "02:30")), "2027-10-31 02:45", False),
    (hours(window("02:00", "02:30")), "2027-10-31 02:15 fold", True),
]


@pytest.mark.parametrize(("opening", "reading", "is_open"), READINGS)
def test_open_at(opening: OpeningHours, reading: str, is_open: bool) -> None:
    assert opening.is_open(instant(reading)) is is_open


def test_hours_are_those_of_the_facilitys_clock() -> None:
    at = datetime(2026, 11, 30, 21, 30, tzinfo=UTC)
    assert not hours(window("06:00", "22:00")).is_open(at)
    assert hours(window("06:00", "22:00"), time_zone="UTC").is_open(at)
    assert hours(window("06:00", "22:00"), time_zone="Asia/Seoul").is_open(at)


NEXT = [
    (WEEK, "2026-11-30 05:00", "2026-11-30 06:00"),
    (WEEK, "2026-11-30 12:34", "2026-11-30 12:34"),  # it is open
    (WEEK, "2026-11-30 22:00", "2026-12-01 06:00"),
    (WEEK, "2026-12-06 02:00", "2026-12-07 06:00"),  # over a Sunday
    (FESTIVE, "2026-12-24 14:00", "2026-12-28 06:00"),  # over two holidays and a Sunday
    (hours(window("06:00", "22:00"), closed=WEEKDAYS), "2026-12-01 12:00", None),
    (hours(window("12:00", "13:00", "market")), "2026-12-12 13:00", "2027-01-06 12:00"),
    (hours(window("02:30", "05:00")), "2027-03-28 01:00", "2027-03-28 03:00"),
    (hours(window("02:15", "02:45", "sun")), "2027-03-28 01:00", "2027-04-04 02:15"),
    (hours(window("02:00", "02:30")), "2027-10-31 02:45", "2027-10-31 02:00 fold"),
    (hours(window("01:00", "02:30", "sun")), "2027-10-31 02:45", "2027-10-31 02:00 fold"),
]


@pytest.mark.parametrize(("opening", "reading", "opens"), NEXT)
def test_opens_next(opening: OpeningHours, reading: str, opens: str | None) -> None:
    found = opening.opens_next(instant(reading))
    assert (found is None) is (opens is None)
    if found is not None and opens is not None:
        assert found.tzinfo == ZoneInfo(BERLIN)
        # A reading that comes twice equals no instant of another zone: UTC has none such.
        assert found.astimezone(UTC) == instant(opens)


_MINUTE = timedelta(minutes=1)
_minutes = st.integers(0, 24 * 4 - 1).map(lambda quarter: quarter * 15)
_days = st.frozensets(st.sampled_from([*WEEKDAYS, "holiday", "holiday_eve", "market"]), max_size=4)


@st.composite
def windows(draw: st.DrawFn) -> OpeningWindow:
    begin = draw(_minutes)
    return OpeningWindow(begin, begin + draw(st.integers(1, 24 * 4)) * 15, draw(_days))


@given(
    st.lists(windows(), max_size=4),
    st.frozensets(st.sampled_from([*WEEKDAYS, "holiday"]), max_size=2),
    st.sampled_from([BERLIN, "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    # About Christmas and about the changes of clocks in these places.
    st.sampled_from(["2026-12-23", "2027-03-27", "2027-04-03", "2027-09-04", "2027-10-30"]),
    st.integers(0, 3 * 24 * 60),
)
def test_until_it_opens_next_it_is_closed(
    listed: list[OpeningWindow], closed: frozenset[str], time_zone: str, day: str, minute: int
) -> None:
    opening = hours(*listed, closed=closed, time_zone=time_zone)
    at = datetime.fromisoformat(day).replace(tzinfo=UTC) + minute * _MINUTE
    found = opening.opens_next(at)
    opens = None if found is None else found.astimezone(UTC)
    last = at + timedelta(days=2) if opens is None else min(opens, at + timedelta(days=2))
    moment = at
    while moment < last:
        assert not opening.is_open(moment)
        moment += 5 * _MINUTE
    if opens is not None:
        assert opens >= at
        assert opening.is_open(opens)
        assert opens == at or not opening.is_open(opens - _MINUTE)
