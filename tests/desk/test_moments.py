"""Times of entry: a plain week, special days, the nights of clock changes."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from gated.desk.moments import (
    around_clock_changes,
    grouped,
    joint_label,
    next_special_days,
    plain_week,
    special_days,
    week,
)

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_plain_week_knows_neither_holidays_nor_clock_changes() -> None:
    # Of Thursday, 3 December 2026: Christmas two weeks later would lie in its stays.
    days = special_days([(date(2026, 12, 25), "holiday", "Christmas")])
    assert plain_week(BERLIN, date(2026, 12, 3), []) == date(2026, 12, 7)
    assert plain_week(BERLIN, date(2026, 12, 3), days) == date(2026, 12, 7)
    assert plain_week(BERLIN, date(2026, 12, 7), days) == date(2026, 12, 28)
    # The clock of 28 March 2027 goes forward.
    assert plain_week(BERLIN, date(2027, 3, 10), []) == date(2027, 3, 29)


def test_where_each_day_is_special_the_next_week_has_to_do() -> None:
    every = special_days((date.fromordinal(day), "event", "") for day in range(739_000, 741_000))
    assert plain_week(BERLIN, date(2026, 11, 26), every) == date(2026, 11, 30)


def test_the_day_before_a_holiday_is_special_too() -> None:
    days = special_days(
        [(date(2026, 12, 25), "holiday", "Christmas"), (date(2026, 6, 1), "fair", "")]
    )
    assert [(each.day, each.kind) for each in days] == [
        (date(2026, 6, 1), "fair"),
        (date(2026, 12, 24), "holiday_eve"),
        (date(2026, 12, 25), "holiday"),
    ]


def test_of_each_kind_the_next_day_is_taken_or_the_last() -> None:
    days = special_days(
        [
            (date(2026, 1, 1), "holiday", ""),
            (date(2026, 12, 25), "holiday", ""),
            (date(2027, 1, 1), "holiday", ""),
            (date(2025, 5, 1), "fair", ""),
        ]
    )
    chosen = {each.kind: each.day for each in next_special_days(days, date(2026, 11, 26))}
    assert chosen == {
        "fair": date(2025, 5, 1),
        "holiday_eve": date(2026, 12, 24),
        "holiday": date(2026, 12, 25),
    }


def test_both_clock_changes_of_the_coming_year_are_entered_before() -> None:
    found = list(around_clock_changes(BERLIN, date(2026, 11, 26)))
    assert [moment.label for moment in found] == [
        "clock forward Sun 2027-03-28 22:00 the evening before",
        "clock forward Sun 2027-03-28 01:00",
        "clock back Sun 2027-10-31 22:00 the evening before",
        "clock back Sun 2027-10-31 02:00",
    ]
    assert found[0].at == datetime(2027, 3, 27, 21, tzinfo=UTC)
    assert found[3].at == datetime(2027, 10, 31, 0, tzinfo=UTC)
    assert not list(around_clock_changes(ZoneInfo("Asia/Tokyo"), date(2026, 11, 26)))


def test_moments_alike_are_told_together() -> None:
    moments = week(BERLIN, date(2026, 11, 30), [time(8), time(20)])
    assert joint_label(moments) == "Mon-Sun 08:00, 20:00"
    alike = {moment.label: moment.day in ("Sat", "Sun") for moment in moments}
    assert [joint_label(group) for group in grouped(moments, alike)] == [
        "Mon-Fri 08:00, 20:00",
        "Sat, Sun 08:00, 20:00",
    ]
    alike = {moment.label: moment.label in ("Mon 08:00", "Wed 08:00") for moment in moments}
    assert [joint_label(group) for group in grouped(moments, alike)] == [
        "Mon, Wed 08:00",
        "Mon, Wed 20:00 / Tue, Thu-Sun 08:00, 20:00",
    ]
