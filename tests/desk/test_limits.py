"""Where a price may change, worked out from the tariff."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gated.desk.bands import Calendar
from gated.desk.instants import DAY, at
from gated.desk.limits import clock_limits, entry_times, limits, telling_days
from gated.tariff.file import TariffFile
from tests.desk.tariffs import banded, blocks, holiday, tariff_file

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)
EIGHT = at(MONDAY, time(8), BERLIN)


def told(file: TariffFile, entry: datetime = EIGHT, longest: timedelta = DAY) -> dict[str, str]:
    """The readings of the limits, with their reasons."""
    found = limits(file.tariffs[0], entry, BERLIN, Calendar(file.calendar), longest)
    return {f"{limit.at.astimezone(BERLIN):%a %H:%M}": "; ".join(limit.reasons) for limit in found}


def test_blocks_end_and_of_those_alike_the_first_three_are_told() -> None:
    steps = '{ minutes = 60, price = "2.00", times = 1 }, { minutes = 30, price = "1.00" }'
    assert told(tariff_file(blocks(steps))) == {
        "Mon 09:00": "block of 1 h ends",
        "Mon 09:30": "block of 30 min ends",
        "Mon 10:00": "block of 30 min ends",
        "Mon 10:30": "block of 30 min ends",
        "Tue 08:00": "1 d over",
    }


def test_deducted_free_minutes_put_the_clock_off() -> None:
    free = 'free_minutes = 15\nfree_minutes_limit = "inclusive"\n'
    steps = '{ minutes = 60, price = "2.00" }'
    deducted = tariff_file(blocks(steps, f'{free}free_minutes_reading = "deducted"'))
    threshold = tariff_file(blocks(steps, f'{free}free_minutes_reading = "threshold"'))
    assert list(told(deducted))[:2] == ["Mon 08:15", "Mon 09:15"]
    assert list(told(threshold))[:2] == ["Mon 08:15", "Mon 09:00"]


def test_bands_begin_and_start_the_clock_anew_where_they_restart_it() -> None:
    bands = (
        '{ name = "day", from = "06:00", until = "20:00",'
        ' steps = [{ minutes = 600, price = "1" }] },'
        '{ name = "night", from = "20:00", until = "06:00", flat = "3.00" }'
    )
    restarted = told(tariff_file(banded(bands)), longest=2 * DAY)
    assert restarted["Mon 18:00"] == restarted["Tue 16:00"] == "block of 10 h ends, day"
    assert restarted["Mon 20:00"] == "band night begins"
    assert restarted["Tue 06:00"] == "band day begins"
    running = told(tariff_file(banded(bands, border="continue")), longest=2 * DAY)
    assert "Tue 16:00" not in running
    assert running["Mon 18:00"] == "block of 10 h ends, day"


def test_tiers_windows_of_the_calendar_and_specials_set_limits() -> None:
    more = """
caps = [
    { per = "calendar_day", amount = "9.00", reading = "each", begins = "04:00" },
    { per = "calendar_week", amount = "50.00", reading = "each", week_begins = "tue" },
    { per = "rolling_7d", amount = "50.00", reading = "each" },
    { per = "stay", amount = "90.00" },
]
special_wins = "listed"

[[tariff.specials]]
name = "early"
price = "6.00"
enter_until = "09:00"
exit_from = "15:00"
exit_until = "19:00"

[[tariff.specials]]
name = "other days"
price = "6.00"
days = ["sun"]
exit_until = "11:00"

[[tariff.specials]]
name = "too late"
price = "6.00"
enter_from = "10:00"
enter_until = "11:00"
exit_until = "12:00"
"""
    file = tariff_file(
        'name = "t"\nstrategy = "TIER"\ntiers = [{ up_to_minutes = 300, price = "4.00" },'
        ' { price = "8.00" }]\nlimit_reading = "inclusive"\nnew_day = "continue"\n'
        f'zero_stay = "free"\nsecond_visit = "separate"\n{more}'
    )
    assert told(file) == {
        "Mon 13:00": "tier up to 5 h ends",
        "Mon 15:00": "early: leave from 15:00",
        "Mon 19:00": "early: leave by 19:00",
        "Tue 00:00": "week begins",
        "Tue 04:00": "day begins",
    }
    week = told(file, longest=7 * DAY)
    assert week["Mon 08:00"] == "7 d over"
    clock = clock_limits(file.tariffs[0], EIGHT, BERLIN, Calendar(), DAY)
    assert [f"{each.astimezone(BERLIN):%H:%M}" for each in clock] == [
        "15:00", "19:00", "00:00", "04:00",
    ]  # fmt: skip


def test_a_night_special_is_of_the_evening_also_after_midnight() -> None:
    more = (
        'specials = [{ name = "night", price = "6.00", days = ["sun"], enter_from = "20:00",'
        ' enter_until = "04:00", exit_from = "23:00", exit_until = "09:00", exit_day = 1 }]\n'
        'special_wins = "listed"'
    )
    file = tariff_file(blocks('{ minutes = 1440, price = "9.00" }', more))
    early = at(MONDAY, time(2), BERLIN)
    assert told(file, early)["Mon 09:00"] == "night: leave by 09:00"
    assert "Mon 09:00" not in told(file, at(MONDAY, time(5), BERLIN))
    sunday = at(MONDAY - DAY, time(21), BERLIN)
    assert told(file, sunday)["Sun 23:00"] == "night: leave from 23:00"


def test_any_day_of_exit_sets_a_limit_each_day() -> None:
    more = (
        'specials = [{ name = "lunch", price = "6.00", exit_until = "14:00", exit_day = "any" }]\n'
        'special_wins = "listed"'
    )
    found = told(tariff_file(blocks('{ minutes = 1440, price = "9.00" }', more)), longest=2 * DAY)
    assert [when for when, why in found.items() if "lunch" in why] == ["Mon 14:00", "Tue 14:00"]


def test_in_the_night_of_a_clock_change_limits_keep_to_the_clock_and_blocks_to_time() -> None:
    bands = (
        '{ name = "night", from = "20:00", until = "06:00",'
        ' steps = [{ minutes = 240, price = "1" }] },'
        '{ name = "day", from = "06:00", until = "20:00", free = true }'
    )
    evening = datetime(2027, 3, 27, 21, tzinfo=UTC)
    found = limits(
        tariff_file(banded(bands)).tariffs[0], evening, BERLIN, Calendar(), timedelta(hours=9)
    )
    hours = {(limit.at - evening) / timedelta(hours=1): limit.reasons for limit in found}
    assert hours[4] == ("block of 4 h ends, night",)
    assert hours[7] == ("band day begins",)


def test_entries_are_tried_where_the_tariff_differs() -> None:
    more = (
        'specials = [{ name = "night", price = "6.00", enter_from = "18:30", enter_until = "24:00",'
        ' exit_until = "09:00", exit_day = 1 }]\nspecial_wins = "listed"'
    )
    file = tariff_file(blocks('{ minutes = 60, price = "2.00" }', more))
    readings = [f"{each:%H:%M}" for each in entry_times(file.tariffs[0])]
    assert readings == ["00:00", "08:00", "18:30", "19:00", "23:59"]


def test_days_of_the_week_are_tried_where_they_differ_from_their_neighbours() -> None:
    steps = '{ minutes = 60, price = "2.00" }'
    assert telling_days(tariff_file(blocks(steps)).tariffs[0]) == (0,)
    weekend = (
        '{ name = "weekend", days = ["sat", "sun", "holiday"], free = true },'
        '{ name = "else", flat = "1.00" }'
    )
    file = tariff_file(banded(weekend), head=holiday("2026-12-25"))
    assert telling_days(file.tariffs[0]) == (0, 4, 5, 6)
