"""Worked examples by hand, so that the oracle can be believed before it is asked about others.

Berlin, March 2026: the 10th is a Tuesday; on the 29th 02:00 is skipped, on 25 October 02:00 to
03:00 is shown twice.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.tariff.oracle import (
    NEGATIVE,
    NO_PRICE,
    NO_RULE,
    UNKNOWN_VALIDATION,
    Oracle,
    Price,
    Refused,
    Rule,
    rounded,
)
from tests.tariff.oracle_time import Clock, instant_of

BERLIN = ZoneInfo("Europe/Berlin")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CALENDAR = {
    date(2026, 3, 11): {"fair"},
    date(2026, 3, 13): {"holiday"},
    date(2026, 3, 14): {"holiday", "fair"},
}
Table = Mapping[str, Any]

READINGS: Table = {"zero_stay": "free", "second_visit": "separate"}
CLOCKED: Table = {**READINGS, "limit_reading": "inclusive", "new_day": "continue"}
HOURLY: Table = {**CLOCKED, "steps": [{"minutes": 60, "price": "1.00"}]}
FIRST_HOUR: Table = {
    **CLOCKED,
    "steps": [{"minutes": 60, "price": "2.00"}, {"minutes": 30, "price": "1.00"}],
}
TIERS: Table = {
    **CLOCKED,
    "tiers": [
        {"up_to_minutes": 60, "price": "1.00"},
        {"up_to_minutes": 300, "price": "5.00"},
        {"price": "12.00"},
    ],
}
FLAT: Table = {**READINGS, "amount": "4.00"}
DAY_AND_NIGHT: Table = {
    **CLOCKED,
    "band_border": "restart",
    "bands": [
        {
            "name": "day",
            "from": "06:00",
            "until": "22:00",
            "steps": [{"minutes": 60, "price": "2.00"}],
        },
        {"name": "night", "from": "22:00", "until": "06:00", "flat": "5.00"},
    ],
}


def rule(config: Table, **fields: Any) -> Rule:
    strategy = "BAND"
    for key, name in (("amount", "FLAT"), ("steps", "BLOCK"), ("tiers", "TIER")):
        strategy = name if key in config else strategy
    values: dict[str, Any] = {
        "name": "standard",
        "strategy": strategy,
        "config": config,
        "free_minutes": 0,
        "priority": 0,
        "valid_from": LONG_AGO,
        "valid_until": None,
    }
    return Rule(**{**values, **fields})


def at(text: str) -> datetime:
    """A reading of the clock in Berlin: "10 08:30" in March 2026, or with month or year before."""
    date_text, _, time_text = text.rpartition(" ")
    full = "2026-03-10"[: -len(date_text)] + date_text
    return datetime.fromisoformat(f"{full} {time_text}").replace(tzinfo=BERLIN).astimezone(UTC)


def asked(rules: list[Rule], entry: str, exit_: str, context: Table | None = None) -> Price:
    return Oracle(rules, "Europe/Berlin", 2, CALENDAR).price(at(entry), at(exit_), context)


def cost(config: Table, entry: str, exit_: str, context: Table | None = None, **fields: Any) -> str:
    return str(asked([rule(config, **fields)], entry, exit_, context).amount)


# ── the clock on the wall ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "day", "time", "instant"),
    [
        ("Europe/Berlin", date(2026, 3, 10), "06:00", "2026-03-10T05:00Z"),
        ("Europe/Berlin", date(2026, 3, 29), "02:30", "2026-03-29T01:30Z"),  # skipped: 03:30 shown
        ("Europe/Berlin", date(2026, 3, 29), "03:00", "2026-03-29T01:00Z"),
        ("Europe/Berlin", date(2026, 10, 25), "02:30", "2026-10-25T01:30Z"),  # the second
        ("Australia/Lord_Howe", date(2026, 4, 5), "01:45", "2026-04-04T15:15Z"),  # the second
        ("America/Havana", date(2026, 3, 8), "00:00", "2026-03-08T05:00Z"),  # 24 h after the last
        ("America/Havana", date(2026, 11, 1), "00:00", "2026-11-01T05:00Z"),  # the second
        ("Asia/Kathmandu", date(2026, 3, 10), "00:00", "2026-03-09T18:15Z"),
    ],
)
def test_when_days_begin(zone: str, day: date, time: str, instant: str) -> None:
    hours, minutes = time.split(":")
    begun = Clock(zone).begin((day - date(1970, 1, 1)).days, int(hours) * 3600 + int(minutes) * 60)
    assert begun == instant_of(datetime.fromisoformat(instant))


@pytest.mark.parametrize(
    ("amount", "mode", "result"),
    [
        ("0.125", "half_up", "0.13"),
        ("0.125", "half_even", "0.12"),
        ("0.135", "half_even", "0.14"),
        ("0.1251", "half_even", "0.13"),
        ("0.121", "up", "0.13"),
        ("0.12", "up", "0.12"),
        ("0.129", "down", "0.12"),
        ("-0.125", "half_up", "-0.13"),
    ],
)
def test_rounding(amount: str, mode: str, result: str) -> None:
    assert rounded(Fraction(amount), Fraction("0.01"), mode) == Fraction(result)


# ── the strategies ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("exit_", "inclusive", "exclusive"),
    [
        ("10 08:01", "2.00", "2.00"),
        ("10 08:59", "2.00", "2.00"),
        ("10 09:00", "2.00", "3.00"),
        ("10 09:01", "3.00", "3.00"),
        ("10 09:30", "3.00", "4.00"),
        ("10 09:31", "4.00", "4.00"),
        ("11 08:00", "48.00", "49.00"),
    ],
)
def test_blocks(exit_: str, inclusive: str, exclusive: str) -> None:
    assert cost(FIRST_HOUR, "10 08:00", exit_) == inclusive
    assert cost({**FIRST_HOUR, "limit_reading": "exclusive"}, "10 08:00", exit_) == exclusive


@pytest.mark.parametrize(
    ("exit_", "amount"),
    [("08:20", "1.00"), ("08:21", "2.00"), ("08:41", "5.00"), ("08:50", "5.00"), ("08:51", None)],
)
def test_blocks_so_many_times(exit_: str, amount: str | None) -> None:
    steps = [
        {"minutes": 20, "price": "1.00", "times": 2},
        {"minutes": 10, "price": "3.00", "times": 1},
    ]
    if amount is None:
        with pytest.raises(Refused, match=NO_PRICE):
            cost({**HOURLY, "steps": steps}, "10 08:00", f"10 {exit_}")
    else:
        assert cost({**HOURLY, "steps": steps}, "10 08:00", f"10 {exit_}") == amount


def test_a_price_of_so_many_minutes() -> None:
    by_the_second = {
        **HOURLY,
        "steps": [{"seconds": 1, "price": "3.00", "price_minutes": 60}],
        "rounding": {"mode": "half_up", "per": "total"},
    }
    assert cost(by_the_second, "10 08:00", "10 08:00:12") == "0.01"
    assert cost(by_the_second, "10 08:00", "10 08:00:17") == "0.01"
    assert cost(by_the_second, "10 08:00", "10 08:00:18") == "0.02"
    assert cost(by_the_second, "10 08:00", "10 09:30") == "4.50"


@pytest.mark.parametrize(
    ("exit_", "inclusive", "exclusive"),
    [
        ("10 08:01", "1.00", "1.00"),
        ("10 09:00", "1.00", "5.00"),
        ("10 09:01", "5.00", "5.00"),
        ("10 13:00", "5.00", "12.00"),
        ("10 13:01", "12.00", "12.00"),
        ("14 13:01", "12.00", "12.00"),
    ],
)
def test_tiers(exit_: str, inclusive: str, exclusive: str) -> None:
    assert cost(TIERS, "10 08:00", exit_) == inclusive
    assert cost({**TIERS, "limit_reading": "exclusive"}, "10 08:00", exit_) == exclusive


def test_flat_and_the_moment() -> None:
    charged = {"zero_stay": "charged"}
    assert cost(FLAT, "10 08:00", "14 08:00") == "4.00"
    assert cost(FLAT, "10 08:00", "10 08:00") == "0.00"
    assert cost({**FLAT, **charged}, "10 08:00", "10 08:00") == "4.00"
    assert cost({**FIRST_HOUR, **charged}, "10 08:00", "10 08:00") == "2.00"
    assert cost({**TIERS, **charged}, "10 08:00", "10 08:00") == "1.00"
    assert cost({**DAY_AND_NIGHT, **charged}, "10 22:00", "10 22:00") == "5.00"


# ── bands ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("entry", "exit_", "amount"),
    [
        ("10 20:00", "10 22:00", "4.00"),  # has not entered the night
        ("10 20:00", "10 22:01", "9.00"),
        ("10 20:30", "11 06:00", "9.00"),  # 2 begun hours, one night
        ("10 20:30", "11 06:01", "11.00"),
        ("10 23:00", "12 01:00", "42.00"),  # two nights and 16 hours
    ],
)
def test_a_day_and_a_night(entry: str, exit_: str, amount: str) -> None:
    assert cost(DAY_AND_NIGHT, entry, exit_) == amount


def two_bands(border: str, second: Table) -> Table:
    first = {"name": "a", "until": "12:00", "steps": [{"minutes": 60, "price": "2.00"}]}
    bands = [first, {"name": "b", "from": "12:00", **second}]
    return {**CLOCKED, "band_border": border, "bands": bands}


@pytest.mark.parametrize(
    ("border", "second", "exit_", "amount"),
    [
        ("restart", {"steps": [{"minutes": 60, "price": "1.00"}]}, "12:01", "3.00"),
        ("restart", {"steps": [{"minutes": 60, "price": "1.00"}]}, "13:00", "3.00"),
        ("restart", {"steps": [{"minutes": 60, "price": "1.00"}]}, "13:01", "4.00"),
        # The hour from 11:30 is paid until 12:30.
        ("continue", {"steps": [{"minutes": 60, "price": "1.00"}]}, "12:30", "2.00"),
        ("continue", {"steps": [{"minutes": 60, "price": "1.00"}]}, "12:31", "3.00"),
        # At 30 on the clock: blocks of 20 begin at 40 and 60.
        ("continue", {"steps": [{"minutes": 20, "price": "1.00"}]}, "12:10", "2.00"),
        ("continue", {"steps": [{"minutes": 20, "price": "1.00"}]}, "12:11", "3.00"),
        # A tier of 45 minutes that has cost 1.00 by then is not charged again, what follows is.
        (
            "continue",
            {"tiers": [{"up_to_minutes": 45, "price": "1.00"}, {"price": "5.00"}]},
            "12:15",
            "2.00",
        ),
        (
            "continue",
            {"tiers": [{"up_to_minutes": 45, "price": "1.00"}, {"price": "5.00"}]},
            "12:16",
            "6.00",
        ),
        ("continue", {"free": True}, "23:00", "2.00"),
        ("continue", {"unsold": True}, "23:00", "2.00"),
        ("continue", {"flat": "0.50"}, "23:00", "2.50"),
    ],
)
def test_another_band(border: str, second: Table, exit_: str, amount: str) -> None:
    assert cost(two_bands(border, second), "10 11:30", f"10 {exit_}") == amount


@pytest.mark.parametrize(
    ("between", "border", "exit_", "amount"),
    [
        # From 11:30; sold again from 13:00. `free` counts on the clock: at 13:00 it shows 90.
        ({"free": True}, "continue", "13:30", "2.00"),
        ({"free": True}, "continue", "13:31", "4.00"),
        # `unsold` does not: at 13:00 it shows 30 as at 12:00.
        ({"unsold": True}, "continue", "13:30", "2.00"),
        ({"unsold": True}, "continue", "13:31", "4.00"),
        ({"unsold": True}, "continue", "14:30", "4.00"),
        ({"unsold": True}, "restart", "13:01", "4.00"),
        ({"free": True}, "restart", "13:01", "4.00"),
    ],
)
def test_free_and_unsold(between: Table, border: str, exit_: str, amount: str) -> None:
    bands = [
        {"name": "pause", "from": "12:00", "until": "13:00", **between},
        {"name": "a", "steps": [{"minutes": 60, "price": "2.00"}]},
    ]
    # Both know every day by nothing; the first listed counts.
    config = {**CLOCKED, "band_border": border, "bands": bands}
    assert cost(config, "10 11:30", f"10 {exit_}") == amount


def test_free_and_unsold_differ() -> None:
    def config(between: Table) -> Table:
        bands = [
            {"name": "pause", "from": "12:00", "until": "12:45", **between},
            {"name": "a", "steps": [{"minutes": 60, "price": "2.00"}]},
        ]
        return {**CLOCKED, "band_border": "continue", "bands": bands}

    # 75 at 12:45, so the next begins at 120 = 13:30; unsold: 30 at 12:45, the next at 13:15.
    assert cost(config({"free": True}), "10 11:30", "10 13:16") == "2.00"
    assert cost(config({"free": True}), "10 11:30", "10 13:31") == "4.00"
    assert cost(config({"unsold": True}), "10 11:30", "10 13:15") == "2.00"
    assert cost(config({"unsold": True}), "10 11:30", "10 13:16") == "4.00"


@pytest.mark.parametrize(
    ("day", "amount"),
    [
        (10, "1.00"),  # a Tuesday
        (11, "8.00"),  # a fair, on a Wednesday
        (12, "4.00"),  # before a holiday
        (13, "2.00"),  # a holiday, and before one
        (14, "8.00"),  # a fair on a holiday
        (15, "0.50"),  # a Sunday
        (16, "0.00"),  # any day
    ],
)
def test_the_most_particular_name_counts(day: int, amount: str) -> None:
    bands = [
        {"name": "any", "free": True},
        {"name": "sunday", "days": ["sun"], "flat": "0.50"},
        {"name": "week", "days": ["tue", "wed", "thu", "fri", "sat"], "flat": "1.00"},
        {"name": "holiday", "days": ["holiday"], "flat": "2.00"},
        {"name": "eve", "days": ["holiday_eve"], "flat": "4.00"},
        {"name": "fair", "days": ["fair"], "flat": "8.00"},
    ]
    config = {**READINGS, "band_border": "restart", "bands": bands}
    assert cost(config, f"{day} 10:00", f"{day} 11:00") == amount


def test_a_night_belongs_to_its_evening() -> None:
    bands = [
        {"name": "tuesday night", "days": ["tue"], "from": "22:00", "until": "06:00", "flat": "3"},
        {"name": "else", "free": True},
    ]
    config = {**READINGS, "band_border": "restart", "bands": bands}
    assert cost(config, "10 00:00", "10 06:00") == "0.00"
    assert cost(config, "11 05:59", "11 06:00") == "3.00"
    assert cost(config, "10 20:00", "12 20:00") == "3.00"


def test_a_maximum_is_of_each_occurrence() -> None:
    night = {
        "name": "night",
        "from": "22:00",
        "until": "06:00",
        "steps": [{"minutes": 60, "price": "2.00"}],
        "maximum": "5.00",
    }
    bands = [night, {"name": "day", "free": True}]
    config = {**CLOCKED, "band_border": "restart", "bands": bands}
    assert cost(config, "10 22:00", "11 00:00") == "4.00"
    assert cost(config, "10 22:00", "11 06:00") == "5.00"
    assert cost(config, "10 22:00", "12 06:00") == "10.00"


def test_a_minute_without_a_price() -> None:
    bands = [{"name": "day", "from": "08:00", "until": "20:00", "flat": "1.00"}]
    config = {**READINGS, "bands": bands}
    assert cost(config, "10 08:00", "10 20:00") == "1.00"
    for entry, exit_ in (("10 07:59", "10 08:30"), ("10 19:00", "10 20:01")):
        with pytest.raises(Refused, match=NO_PRICE):
            cost(config, entry, exit_)


def test_nights_of_a_clock_change() -> None:
    # 22:00 to 06:00 is seven hours in spring and nine in autumn.
    bands: list[dict[str, Any]] = [
        {
            "name": "night",
            "from": "22:00",
            "until": "06:00",
            "steps": [{"minutes": 60, "price": "1"}],
        },
        {"name": "day", "free": True},
    ]
    config = {**CLOCKED, "band_border": "restart", "bands": bands}
    assert cost(config, "28 20:00", "29 20:00") == "7.00"
    assert cost(config, "10-24 20:00", "10-25 20:00") == "9.00"
    # A window from 02:00 to 02:30 is there twice, or never.
    bands[0] |= {"from": "02:00", "until": "02:30", "steps": [{"minutes": 30, "price": "1"}]}
    assert cost(config, "28 20:00", "29 20:00") == "0.00"
    assert cost(config, "10-24 20:00", "10-25 20:00") == "2.00"


# ── the new day ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("new_day", "entry", "exit_", "amount"),
    [
        ({"new_day": "continue"}, "10 22:00", "11 22:30", "26.00"),
        ({"new_day": "rolling_24h"}, "10 22:00", "11 22:30", "27.00"),
        ({"new_day": "rolling_24h"}, "10 22:00", "11 22:00", "25.00"),
        ({"new_day": "calendar_day"}, "10 22:00", "11 22:30", "27.00"),
        ({"new_day": "calendar_day"}, "10 22:30", "11 00:30", "5.00"),
        ({"new_day": "calendar_day"}, "10 22:30", "11 00:00", "3.00"),
        ({"new_day": "calendar_day", "day_begins": "06:00"}, "11 05:30", "11 06:30", "4.00"),
        ({"new_day": "calendar_day", "day_begins": "06:00"}, "10 22:30", "11 00:30", "3.00"),
    ],
)
def test_new_days(new_day: Table, entry: str, exit_: str, amount: str) -> None:
    # The first hour is 2.00, each after it 1.00.
    steps = [{"minutes": 60, "price": "2.00"}, {"minutes": 60, "price": "1.00"}]
    assert cost({**HOURLY, "steps": steps, **new_day}, entry, exit_) == amount


def test_exactly_a_day_in_which_a_limit_begins_the_next() -> None:
    config = {**HOURLY, "limit_reading": "exclusive", "new_day": "rolling_24h"}
    assert cost(config, "10 08:00", "11 08:00") == "25.00"
    assert cost(config, "10 08:00", "12 08:30") == "49.00"


# ── caps ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cap", "entry", "exit_", "amount"),
    [
        ({"per": "rolling_24h", "amount": "10", "reading": "each"}, "10 08:00", "11 12:00", "14"),
        # Two windows are touched: 28 hours cost at most 20.
        (
            {"per": "rolling_24h", "amount": "10", "reading": "multiplied"},
            "10 08:00",
            "11 12:00",
            "20",
        ),
        ({"per": "calendar_day", "amount": "10", "reading": "each"}, "10 20:00", "11 12:00", "14"),
        (
            {"per": "calendar_day", "amount": "7", "reading": "multiplied"},
            "10 20:00",
            "11 12:00",
            "14",
        ),
        (
            {"per": "calendar_day", "amount": "10", "reading": "each", "begins": "02:00"},
            "10 20:00",
            "11 12:00",
            "16",
        ),
        ({"per": "rolling_7d", "amount": "20", "reading": "each"}, "02 08:00", "09 10:00", "22"),
        # The 8th is a Sunday: four hours of it and fourteen of Monday.
        (
            {"per": "calendar_week", "amount": "5", "reading": "each", "week_begins": "mon"},
            "08 20:00",
            "09 14:00",
            "9",
        ),
        (
            {"per": "calendar_week", "amount": "5", "reading": "each", "week_begins": "sun"},
            "08 20:00",
            "09 14:00",
            "5",
        ),
        ({"per": "stay", "amount": "13.50"}, "10 08:00", "14 08:00", "13.50"),
    ],
)
def test_caps(cap: Table, entry: str, exit_: str, amount: str) -> None:
    assert Decimal(cost({**HOURLY, "caps": [cap]}, entry, exit_)) == Decimal(amount)


def test_of_several_caps_the_lower_stands() -> None:
    caps = [
        {"per": "calendar_day", "amount": "3.00", "reading": "each"},
        {"per": "rolling_24h", "amount": "5.00", "reading": "each"},
    ]
    # 20:00-24:00: 3 of 4; the next day 2 are left of the 24 hours until 20:00, then 1 more.
    assert cost({**HOURLY, "caps": caps}, "10 20:00", "11 19:00") == "5.00"
    assert cost({**HOURLY, "caps": caps}, "10 20:00", "11 23:00") == "6.00"


@pytest.mark.parametrize(("capped", "amount"), [(True, "10.00"), (False, "12.50")])
def test_the_entrance_fee_and_the_caps(capped: bool, amount: str) -> None:
    cap = {"per": "rolling_24h", "amount": "10.00", "reading": "each"}
    config = {**HOURLY, "caps": [cap], "entrance_fee": "2.50", "entrance_fee_capped": capped}
    assert cost(config, "10 08:00", "10 10:00") == "4.50"
    assert cost(config, "10 08:00", "10 20:00") == amount


@pytest.mark.parametrize(("reading", "amount"), [("raised", "15.00"), ("fixed", "10.00")])
def test_occupancy_and_the_caps(reading: str, amount: str) -> None:
    config = {
        **HOURLY,
        "occupancy": [
            {"from_percent": 80, "factor": "1.5"},
            {"from_percent": 95, "factor": "2"},
            {"from_percent": 50, "factor": "1.25"},
        ],
        "caps": [{"per": "stay", "amount": "10.00"}],
        "occupancy_caps": reading,
        "entrance_fee": "1.00",
        "entrance_fee_capped": False,
    }
    assert cost(config, "10 08:00", "10 10:00") == "3.00"
    assert cost(config, "10 08:00", "10 10:00", {"occupancy_percent": 79.9}) == "3.50"
    assert cost(config, "10 08:00", "10 10:00", {"occupancy_percent": 80}) == "4.00"
    high = cost(config, "10 08:00", "10 22:00", {"occupancy_percent": 94})
    assert Decimal(high) == Decimal(amount) + 1


# ── free minutes, minimum, specials ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reading", "limit", "exit_", "amount"),
    [
        ("deducted", "inclusive", "08:15", "0.00"),
        ("deducted", "inclusive", "08:16", "2.00"),
        ("deducted", "inclusive", "09:15", "2.00"),
        ("deducted", "inclusive", "09:16", "3.00"),
        ("threshold", "inclusive", "08:15", "0.00"),
        ("threshold", "inclusive", "08:16", "2.00"),
        ("threshold", "inclusive", "09:01", "3.00"),
        ("threshold", "exclusive", "08:14", "0.00"),
        ("threshold", "exclusive", "08:15", "2.00"),
    ],
)
def test_free_minutes(reading: str, limit: str, exit_: str, amount: str) -> None:
    config = {**FIRST_HOUR, "free_minutes_reading": reading, "free_minutes_limit": limit}
    assert cost(config, "10 08:00", f"10 {exit_}", free_minutes=15) == amount


def test_nothing_at_all_is_charged_within_free_minutes() -> None:
    config = {
        **FIRST_HOUR,
        "free_minutes_reading": "threshold",
        "free_minutes_limit": "inclusive",
        "entrance_fee": "1.00",
        "minimum": "5.00",
    }
    assert cost(config, "10 08:00", "10 08:15", free_minutes=15) == "0.00"
    assert cost(config, "10 08:00", "10 08:16", free_minutes=15) == "5.00"
    assert cost(config, "10 08:00", "10 12:16", free_minutes=15) == "10.00"


def test_rolling_windows_begin_with_the_charge() -> None:
    config = {
        **HOURLY,
        "free_minutes_reading": "deducted",
        "free_minutes_limit": "inclusive",
        "caps": [{"per": "rolling_24h", "amount": "10.00", "reading": "each"}],
    }
    assert cost(config, "10 08:00", "11 08:30", free_minutes=30) == "10.00"
    assert cost(config, "10 08:00", "11 08:31", free_minutes=30) == "11.00"


EARLY_BIRD: Table = {
    "name": "early bird",
    "price": "6.00",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "enter_from": "06:00",
    "enter_until": "09:00",
    "exit_from": "15:00",
    "exit_until": "19:00",
    "exit_day": 0,
}


@pytest.mark.parametrize(
    ("entry", "exit_", "amount"),
    [
        ("10 06:00", "10 19:00", "6.00"),
        ("10 08:59", "10 15:00", "6.00"),
        ("10 05:59", "10 19:00", "14.00"),
        ("10 09:00", "10 19:00", "10.00"),
        ("10 06:00", "10 19:01", "14.00"),
        ("10 08:00", "10 14:59", "7.00"),
        ("10 08:00", "11 16:00", "32.00"),
        ("15 08:00", "15 18:00", "10.00"),
    ],
)
def test_a_special(entry: str, exit_: str, amount: str) -> None:
    config = {**HOURLY, "specials": [EARLY_BIRD], "special_wins": "listed"}
    assert cost(config, entry, exit_) == amount


@pytest.mark.parametrize(
    ("exit_day", "exit_from", "exit_until", "entry", "exit_", "fits"),
    [
        (1, "05:00", "10:00", "10 19:00", "11 05:00", True),
        (1, "05:00", "10:00", "10 19:00", "11 04:59", False),
        (1, "05:00", "10:00", "11 01:00", "11 07:00", True),  # the evening's day counts
        (1, "05:00", "10:00", "11 03:00", "11 07:00", False),
        (1, "22:00", "10:00", "10 19:00", "10 22:00", True),  # of the day before
        (1, "22:00", "10:00", "10 19:00", "10 21:59", False),
        (1, "22:00", "10:00", "10 19:00", "11 10:01", False),
        (0, "18:00", "24:00", "10 19:00", "11 00:00", True),
        (2, "05:00", "10:00", "10 19:00", "12 09:00", True),
        (2, "05:00", "10:00", "10 19:00", "11 09:00", False),
        ("any", "05:00", "10:00", "10 19:00", "14 09:00", True),
        ("any", "05:00", "10:00", "10 19:00", "14 10:01", False),
        ("any", "22:00", "02:00", "10 19:00", "14 02:00", True),
        ("any", "22:00", "02:00", "10 19:00", "14 22:00", True),
        ("any", "22:00", "02:00", "10 19:00", "14 21:59", False),
    ],
)
def test_the_exit_of_a_special(
    exit_day: int | str, exit_from: str, exit_until: str, entry: str, exit_: str, fits: bool
) -> None:
    special = {
        "name": "evening",
        "price": "0.50",
        "enter_from": "18:00",
        "enter_until": "02:00",
        "exit_from": exit_from,
        "exit_until": exit_until,
        "exit_day": exit_day,
    }
    config = {**HOURLY, "specials": [special], "special_wins": "cheapest_special"}
    assert (cost(config, entry, exit_) == "0.50") == fits


@pytest.mark.parametrize(
    ("wins", "amount"), [("listed", "9.00"), ("cheapest_special", "7.00"), ("cheapest", "2.00")]
)
def test_which_special_wins(wins: str, amount: str) -> None:
    specials = [{**EARLY_BIRD, "exit_from": "00:00", "price": price} for price in ("9.00", "7.00")]
    config = {**HOURLY, "specials": specials, "special_wins": wins}
    assert cost(config, "10 08:00", "10 10:00") == amount


# ── what comes after ────────────────────────────────────────────────────────────────────────

VALIDATIONS: Table = {
    "validations": [
        {"name": "tenth", "percent": "10"},
        {"name": "two", "amount": "2.00"},
        {"name": "hour", "free_minutes": 60},
        {"name": "guest", "free": True},
    ],
    "validation_order": "listed",
    "validation_stacking": "all",
}


@pytest.mark.parametrize(
    ("given", "readings", "amount"),
    [
        (["tenth"], {}, "9.00"),
        (["two", "tenth"], {}, "7.00"),
        (["two", "tenth"], {"validation_order": "given"}, "7.20"),
        (["two", "tenth"], {"validation_stacking": "best"}, "8.00"),
        (["hour"], {}, "9.00"),
        (["tenth", "hour"], {}, "8.10"),
        (["guest", "two"], {}, "0.00"),
        ([], {}, "10.00"),
    ],
)
def test_validations(given: list[str], readings: Table, amount: str) -> None:
    config = {**HOURLY, **VALIDATIONS, **readings}
    assert cost(config, "10 08:00", "10 18:00", {"validations": given}) == amount


def test_validations_end_at_nothing() -> None:
    config = {**HOURLY, **VALIDATIONS}
    assert cost(config, "10 08:00", "10 09:00", {"validations": ["two"]}) == "0.00"
    assert cost(config, "10 08:00", "10 09:00", {"validations": ["hour"]}) == "0.00"
    with pytest.raises(Refused, match=UNKNOWN_VALIDATION):
        cost(config, "10 08:00", "10 09:00", {"validations": ["other"]})


def earlier(entry: str, exit_: str, amount: str) -> Table:
    visit = {"entry": at(entry).isoformat(), "exit": at(exit_).isoformat(), "amount": amount}
    return {"earlier_visit": visit}


def test_the_second_visit() -> None:
    same_day = earlier("10 08:00", "10 08:30", "2.00")
    assert cost(FIRST_HOUR, "10 18:00", "10 19:00", same_day) == "2.00"
    reduced = {**FIRST_HOUR, "second_visit": "reduced", "second_visit_percent": "50"}
    assert cost(reduced, "10 18:00", "10 19:00", same_day) == "1.00"
    assert cost(reduced, "11 08:00", "11 09:00", same_day) == "2.00"
    continued = {**FIRST_HOUR, "second_visit": "continued"}
    # One stay of 90 minutes: 3.00, of which 2.00 are paid.
    assert cost(continued, "10 18:00", "10 19:00", same_day) == "1.00"
    assert cost(continued, "10 18:00", "10 18:30", same_day) == "0.00"
    within_minutes = {**reduced, "second_visit_minutes": 30}
    assert cost(within_minutes, "10 18:00", "10 19:00", same_day) == "2.00"
    midnight = earlier("10 23:00", "10 23:50", "2.00")
    assert cost(within_minutes, "11 00:20", "11 01:00", midnight) == "1.00"
    assert cost(within_minutes, "11 00:21", "11 01:00", midnight) == "2.00"


@pytest.mark.parametrize(
    ("reading", "exit_", "amount"),
    [
        ("instead", "10 10:00", "25.00"),
        ("instead", "12 10:00", "25.00"),
        ("at_least", "10 10:00", "25.00"),
        ("at_least", "12 10:00", "50.00"),
        ("added", "10 10:00", "27.00"),
    ],
)
def test_the_lost_ticket(reading: str, exit_: str, amount: str) -> None:
    config = {**HOURLY, "lost_ticket": {"amount": "25.00", "reading": reading}}
    assert cost(config, "10 08:00", exit_, {"lost_ticket": True}) == amount
    assert cost(config, "10 08:00", "10 10:00") == "2.00"
    assert cost(HOURLY, "10 08:00", "10 10:00", {"lost_ticket": True}) == "2.00"


@pytest.mark.parametrize(
    ("rounding", "amount"),
    [
        ({"mode": "half_up", "per": "total"}, "3.13"),
        ({"mode": "half_even", "per": "total"}, "3.12"),
        ({"mode": "down", "per": "total"}, "3.12"),
        ({"mode": "half_up", "per": "total", "to": "0.05"}, "3.15"),
        ({"mode": "down", "per": "total", "to": "0.05"}, "3.10"),
        ({"mode": "up", "per": "total", "to": "0.50"}, "3.50"),
    ],
)
def test_rounding_of_the_total(rounding: Table, amount: str) -> None:
    steps = [{"minutes": 60, "price": "0.625"}]
    config = {**HOURLY, "steps": steps, "rounding": rounding}
    assert cost(config, "10 08:00", "10 13:00") == amount


@pytest.mark.parametrize(("included", "amount"), [(True, "4.00"), (False, "4.61")])
def test_taxes(included: bool, amount: str) -> None:
    config = {
        **FLAT,
        "taxes": [
            {"name": "city", "percent": "10.25", "rounding": "half_up"},
            {"name": "state", "percent": "5.0625", "rounding": "down"},
        ],
        "tax_included": included,
        "tax_per": "total",
    }
    # 0.41 and 0.2025: each of 4.00.
    assert cost(config, "10 08:00", "10 09:00") == amount


RESERVED = {
    "reserved_from": "2026-03-10T08:00:00+01:00",
    "reserved_until": "2026-03-10T12:00+01:00",
}


@pytest.mark.parametrize(
    ("early", "unused", "overstay", "entry", "exit_", "amount"),
    [
        ("free", "charged", "continued", "07:00", "11:00", "9.00"),  # 8 to 12
        ("charged", "charged", "continued", "07:00", "11:00", "11.00"),  # 7 to 12
        ("charged", "free", "continued", "07:00", "11:00", "9.00"),  # 7 to 11
        ("free", "free", "continued", "09:00", "11:00", "5.00"),
        ("free", "charged", "continued", "09:00", "11:00", "9.00"),
        ("free", "charged", "continued", "09:00", "13:00", "11.00"),
        ("free", "charged", "anew", "09:00", "13:00", "12.00"),
    ],
)
def test_reservations(
    early: str, unused: str, overstay: str, entry: str, exit_: str, amount: str
) -> None:
    # The first hour is 3.00, each after it 2.00.
    steps = [{"minutes": 60, "price": "3.00"}, {"minutes": 60, "price": "2.00"}]
    config = {
        **HOURLY,
        "steps": steps,
        "reservation": {"early": early, "unused": unused, "overstay": overstay},
    }
    assert cost(config, f"10 {entry}", f"10 {exit_}", RESERVED) == amount


# ── which tariff governs ────────────────────────────────────────────────────────────────────


def test_which_tariff_governs() -> None:
    standard = rule(FLAT, name="standard")
    members = rule({**FLAT, "for": {"members": ["gold"]}}, name="members", priority=1)
    vans = rule({**FLAT, "for": {"vehicle_types": ["VAN"]}}, name="vans", priority=2)
    later = rule(FLAT, name="later", valid_from=at("11 08:00"))
    former = rule(FLAT, name="former", priority=9, valid_until=at("10 08:00"))
    rules = [standard, members, vans, later, former]

    def governs(entry: str, context: Table) -> str:
        return asked(rules, entry, "14 08:00", context).rule.name

    assert governs("10 08:00", {}) == "standard"
    assert governs("10 07:59", {}) == "former"
    assert governs("11 07:59", {}) == "standard"
    assert governs("11 08:00", {}) == "later"
    assert governs("11 08:00", {"members": ["silver"]}) == "later"
    assert governs("11 08:00", {"members": ["silver", "gold"]}) == "members"
    assert governs("11 08:00", {"members": ["gold"], "vehicle_type": "VAN"}) == "vans"


@pytest.mark.parametrize(
    ("asked_for", "context", "holds"),
    [
        ({"electric": True}, {}, False),
        ({"electric": False}, {}, True),
        ({"electric": True}, {"electric": True}, True),
        ({"accessible": True}, {"accessible": True}, True),
        ({"accessible": False}, {"accessible": True}, False),
        ({"vehicle_types": ["CAR"]}, {}, True),
        ({"zones": ["A"]}, {}, False),
        ({"zones": ["A"]}, {"zone": "A"}, True),
        ({"reserved": True}, {}, False),
        ({"reserved": True}, RESERVED, True),
        ({"electric": True, "zones": ["A"]}, {"electric": True, "zone": "B"}, False),
    ],
)
def test_whom_a_tariff_is_for(asked_for: Table, context: Table, holds: bool) -> None:
    rules = [rule({**FLAT, "for": asked_for})]
    if holds:
        assert str(asked(rules, "10 08:00", "10 09:00", context).amount) == "4.00"
    else:
        with pytest.raises(Refused, match=NO_RULE):
            asked(rules, "10 08:00", "10 09:00", context)


def test_a_negative_stay() -> None:
    with pytest.raises(Refused, match=NEGATIVE):
        cost(FLAT, "10 08:00", "10 07:59")
