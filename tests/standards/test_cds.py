"""Policies of the Curb Data Specification as tariffs."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.standards import Imported, read
from tests.standards.checked import answered, asked_keys, checked, costs, oracle_of, said

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 6, 1, tzinfo=NEW_YORK)


def rate(**fields: Any) -> dict[str, Any]:
    return {"rate": 200, "rate_unit": "hour", **fields}


def rule(*rates: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"activity": "parking", "rate": list(rates), **fields}


def policy(*rules: dict[str, Any], priority: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "curb_policy_id": "98bd30e9-14cc-4e71-bee2-7bab0f28b2bd",
        "published_date": 1643130000000,
        "priority": priority,
        "rules": list(rules),
        **fields,
    }


def answer(*policies: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "version": "1.0.0",
        "time_zone": "America/New_York",
        "currency": "USD",
        "last_updated": 1643130000000,
        "data": {"policies": list(policies)},
        **fields,
    }


def imported(*policies: dict[str, Any], **fields: Any) -> Imported:
    found = read("cds", answer(*policies, **fields))
    checked(found)
    return found


def test_rates_follow_each_other_as_steps() -> None:
    first = rate(rate=200, rate_unit="hour", increment_duration=1, end_duration=1)
    then = rate(rate=4, rate_unit="minute", increment_duration=15, start_duration=60)
    found = imported(policy(rule(first, then)))
    assert found.tables == [
        {
            "name": "standard",
            "strategy": "BLOCK",
            "steps": [
                {"minutes": 60, "price": "2.00", "times": 1},
                {"minutes": 15, "price": "0.60"},
            ],
            # start_duration is inclusive: at exactly 60 minutes the second rate applies.
            "limit_reading": "exclusive",
            "new_day": "continue",
        }
    ]
    assert asked_keys(found) == {"zero_stay", "second_visit"}
    assert found.currency == "USD"
    assert found.time_zone == "America/New_York"
    assert said(found, "lost") == {}


def test_without_an_increment_any_length_can_be_paid_for() -> None:
    found = imported(policy(rule(rate(rate=200))))
    (table,) = found.tables
    assert table["steps"] == [{"seconds": 1, "price": "2.00", "price_minutes": 60}]
    assert table["limit_reading"] == "inclusive"
    assert "rounding" in asked_keys(found)
    assert "to the second" in said(found, "assumed")["/data/policies/0/rules/0/rate/0/rate_unit"]
    oracle = oracle_of(answered(found))
    assert costs(oracle, MONDAY, MONDAY + timedelta(hours=1)) == Decimal("2.00")


def test_increment_amount_rounds_up() -> None:
    found = imported(policy(rule(rate(increment_amount=25))))
    assert found.tables[0]["rounding"] == {"mode": "up", "per": "total", "to": "0.25"}
    assert "rounding" not in asked_keys(found)
    oracle = oracle_of(answered(found))
    assert costs(oracle, MONDAY, MONDAY + timedelta(hours=1)) == Decimal("2.00")
    assert costs(oracle, MONDAY, MONDAY + timedelta(minutes=61)) == Decimal("2.25")


def test_different_increment_amounts_are_lost() -> None:
    rates = (rate(increment_amount=25, end_duration=1), rate(increment_amount=10, start_duration=1))
    found = imported(policy(rule(*rates)))
    assert "rounding" not in found.tables[0]
    assert "increment_amount" in said(found, "lost")["/data/policies/0/rules/0/rate/0"]


def test_maximum_fee_is_a_cap_of_the_stay() -> None:
    found = imported(policy(rule(rate(maximum_fee=1500))))
    assert found.tables[0]["caps"] == [{"per": "stay", "amount": "15.00"}]


def test_a_calendar_day_is_a_price_for_each_day_that_is_touched() -> None:
    found = imported(policy(rule(rate(rate=900, rate_unit="day", rate_unit_period="calendar"))))
    (table,) = found.tables
    assert table["strategy"] == "BAND"
    assert table["bands"] == [{"name": "every day", "flat": "9.00"}]
    oracle = oracle_of(answered(found))
    late = MONDAY + timedelta(hours=23)
    assert costs(oracle, late, late + timedelta(hours=2)) == Decimal("18.00")


def test_a_rolling_day_is_counted_from_the_arrival() -> None:
    found = imported(policy(rule(rate(rate=900, rate_unit="day", increment_duration=1))))
    oracle = oracle_of(answered(found))
    late = MONDAY + timedelta(hours=23)
    assert costs(oracle, late, late + timedelta(hours=2)) == Decimal("9.00")


def test_other_calendar_units_are_lost() -> None:
    found = imported(policy(rule(rate(rate_unit_period="calendar", increment_duration=1))))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    where = "/data/policies/0/rules/0/rate/0/rate_unit_period"
    assert "counted from the arrival" in said(found, "lost")[where]


def test_max_stay_and_no_return_are_lost() -> None:
    last = rate(increment_duration=1, end_duration=2)
    found = imported(policy(rule(last, max_stay=120, no_return=1, no_return_unit="hour")))
    # A stay that is too long must have a price all the same.
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    lost = said(found, "lost")
    assert "120 minutes" in lost["/data/policies/0/rules/0/max_stay"]
    assert "1 hours" in lost["/data/policies/0/rules/0/no_return"]


def test_an_end_that_is_no_max_stay_stays_an_end() -> None:
    found = imported(policy(rule(rate(increment_duration=1, end_duration=2))))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00", "times": 2}]
    where = "/data/policies/0/rules/0/rate/0/end_duration"
    assert "more than 120 minutes has no price" in said(found, "assumed")[where]


def test_time_spans_are_bands_and_other_time_is_free() -> None:
    spans = [
        {"days_of_week": ["mon", "tue", "wed", "thu", "fri"], "time_of_day_start": "08:00",
         "time_of_day_end": "18:00"},
        {"days_of_week": ["sat"], "time_of_day_end": "12:00"},
    ]  # fmt: skip
    found = imported(policy(rule(rate(increment_duration=1)), time_spans=spans))
    (table,) = found.tables
    steps = [{"minutes": 60, "price": "2.00"}]
    assert table["bands"] == [
        {"name": "mon-fri 08:00-18:00", "from": "08:00", "until": "18:00",
         "days": ["mon", "tue", "wed", "thu", "fri"], "steps": steps},
        {"name": "sat 00:00-12:00", "from": "00:00", "until": "12:00", "days": ["sat"],
         "steps": steps},
        {"name": "otherwise", "free": True},
    ]  # fmt: skip
    # Durations count from the arrival, whatever policy applies by then.
    assert table["band_border"] == "continue"
    assert any("no price for" in what for what in said(found, "assumed").values())


def test_the_lowest_priority_counts_even_against_a_more_particular_day() -> None:
    always = policy(
        rule(rate(rate=300, increment_duration=1)),
        priority=1,
        time_spans=[{"time_of_day_start": "08:00", "time_of_day_end": "20:00"}],
    )
    saturdays = policy(
        rule(rate(rate=100, increment_duration=1)),
        priority=2,
        time_spans=[{"days_of_week": ["sat"]}],
    )
    found = imported(saturdays, always)
    oracle = oracle_of(answered(found))
    saturday = MONDAY + timedelta(days=5)
    noon, night = saturday + timedelta(hours=12), saturday + timedelta(hours=22)
    assert costs(oracle, noon, noon + timedelta(minutes=30)) == Decimal("3.00")
    assert costs(oracle, night, night + timedelta(minutes=30)) == Decimal("1.00")
    monday_night = MONDAY + timedelta(hours=22)
    assert costs(oracle, monday_night, monday_night + timedelta(minutes=30)) == 0


def test_holidays_and_periods_of_their_own_are_kinds_of_days() -> None:
    spans = [{"designated_period": "holidays"}, {"designated_period": "Game days"}]
    found = imported(
        policy(rule(rate(increment_duration=1)), priority=2),
        policy(rule(rate(rate=0)), priority=1, time_spans=spans),
    )
    assert [band.get("days") for band in found.tables[0]["bands"]] == [
        ["holiday"],
        ["game_days"],
        None,
    ]
    (calendar,) = [each for each in found.remarks if each.place == ("calendar",)]
    assert calendar.what == "calendar: which dates are of the kind game_days or holiday?"


def test_time_that_is_excepted_is_free() -> None:
    spans = [{"designated_period": "holidays", "designated_period_except": True}]
    found = imported(policy(rule(rate(increment_duration=1)), time_spans=spans))
    assert found.tables[0]["bands"] == [
        {"name": "holiday", "days": ["holiday"], "free": True},
        {"name": "every day", "steps": [{"minutes": 60, "price": "2.00"}]},
    ]
    where = "/data/policies/0/time_spans/0/designated_period_except"
    assert "does not apply" in said(found, "assumed")[where]


@pytest.mark.parametrize(
    ("span", "what"),
    [
        ({"months": [6, 7]}, "months"),
        ({"days_of_month": [1]}, "days_of_month"),
        ({"end_date": 1643130000000}, "end_date"),
        ({"designated_period": "holidays", "days_of_week": ["mon"]}, "designated_period"),
    ],
)
def test_a_price_is_never_widened_to_other_times(span: dict[str, Any], what: str) -> None:
    found = imported(
        policy(rule(rate(rate=900)), time_spans=[span]),
        policy(rule(rate(increment_duration=1)), priority=2),
    )
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert what in said(found, "lost")["/data/policies/0/time_spans/0"]


def test_user_classes_are_tariffs_for_their_vehicles() -> None:
    found = imported(
        policy(
            rule(rate(increment_duration=1)),
            rule(rate(rate=100, increment_duration=1), user_classes=["electric", "car"]),
            rule(rate(rate=0), user_classes=["permit"]),
        )
    )
    tables = {table["name"]: table for table in found.tables}
    assert {name: table.get("for") for name, table in tables.items()} == {
        "standard": None,
        "permit": {"members": ["permit"]},
        "car, electric": {"vehicle_types": ["CAR", "SUV"], "electric": True},
    }
    assert tables["car, electric"]["steps"] == [{"minutes": 60, "price": "1.00"}]
    assert (tables["permit"]["strategy"], tables["permit"]["amount"]) == ("FLAT", "0.00")
    priorities = [table["priority"] for table in found.tables]
    assert sorted(priorities) == [0, 1, 2]
    assert tables["car, electric"]["priority"] == 2
    assert "subscription stands for" in said(found, "assumed")["/data/policies/0/rules/2"]


def test_a_class_pays_by_the_rules_of_everyone_where_its_own_do_not_apply() -> None:
    evening = [{"time_of_day_start": "18:00"}]
    found = imported(
        policy(rule(rate(rate=0), user_classes=["electric"]), priority=1, time_spans=evening),
        policy(rule(rate(increment_duration=1)), priority=2),
    )
    electric = next(table for table in found.tables if table.get("for"))
    assert electric["bands"] == [
        {"name": "18:00-24:00", "from": "18:00", "until": "24:00", "free": True},
        {"name": "every day", "steps": [{"minutes": 60, "price": "2.00"}]},
    ]


@pytest.mark.parametrize("classes", [["bicycle"], ["car", "truck"], ["delivery", "taxi"]])
def test_a_price_is_never_widened_to_other_vehicles(classes: list[str]) -> None:
    found = imported(policy(rule(rate(rate=0), user_classes=classes), rule(rate())))
    assert [table["name"] for table in found.tables] == ["standard"]
    assert "left out" in said(found, "lost")["/data/policies/0/rules/0"]


@pytest.mark.parametrize(
    ("dropped", "why"),
    [
        ({"activity": "no parking"}, "no parking"),
        ({"activity": "loading", "rate": [rate()]}, "loading"),
        (rule(rate(rate_unit="month")), "months"),
    ],
)
def test_what_is_no_price_of_a_stay_is_left_out(dropped: dict[str, Any], why: str) -> None:
    found = imported(policy(dropped))
    assert found.tables == []
    assert why in said(found, "lost")["/data/policies/0/rules/0"]


def test_fields_that_nobody_knows_are_lost() -> None:
    found = imported(policy(rule(rate(surge=2), colour="red"), shape="round"), licence="CC")
    lost = said(found, "lost")
    assert lost["/data/policies/0/rules/0/rate/0/surge"] == "surge has no place in a tariff"
    assert "/data/policies/0/rules/0/colour" in lost
    assert "/data/policies/0/shape" in lost
    assert "/licence" in lost


@pytest.mark.parametrize(
    "document",
    [
        policy(rule(rate(increment_duration=1))),
        [policy(rule(rate(increment_duration=1)))],
        {"policies": [policy(rule(rate(increment_duration=1)))]},
        rule(rate(increment_duration=1)),
        rate(increment_duration=1),
    ],
)
def test_a_policy_may_come_alone(document: object) -> None:
    found = read("cds", document)
    checked(found)
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert found.currency == "USD"
    assert found.time_zone is None
    assert "US dollars" in said(found, "assumed")[""]


def test_the_smallest_unit_is_that_of_the_currency() -> None:
    found = imported(policy(rule(rate(rate=300, increment_duration=1))), currency="JPY")
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "300"}]


@pytest.mark.parametrize(
    ("document", "complaints"),
    [
        ("policies", ["/: expected an array of objects"]),
        ([], ["/: expected at least one policy"]),
        ([7], ["/0: expected an object, got 7"]),
        ({}, ["/priority: is missing", "/rules: is missing"]),
        (
            answer(policy(rule(rate())), currency="XXX"),
            ["/currency: expected an ISO 4217 currency code"],
        ),
        (answer(policy()), ["/data/policies/0/rules: expected the policy's rules, got an empty"]),
        (
            answer(policy(rule({"rate": "2.00"}, activity="sleeping"))),
            [
                "/data/policies/0/rules/0/activity: expected one of parking",
                '/data/policies/0/rules/0/rate/0/rate: expected a whole number from 0 on, got "2.0',
                "/data/policies/0/rules/0/rate/0/rate_unit: is missing",
            ],
        ),
        (
            answer(policy(rule(rate(start_duration=2, end_duration=1)))),
            ["/data/policies/0/rules/0/rate/0/end_duration: expected more than the 2"],
        ),
        (
            answer(policy(rule(rate(end_duration=2), rate(start_duration=1)))),
            ["/data/policies/0/rules/0/rate/1: expected rates that do not overlap"],
        ),
        (
            answer(policy(rule(rate()), time_spans=[{"time_of_day_start": "8am"}])),
            ["/data/policies/0/time_spans/0/time_of_day_start: expected a time of day"],
        ),
        (
            answer(policy(rule(rate()), time_spans=[{"days_of_week": ["monday"]}])),
            ["/data/policies/0/time_spans/0/days_of_week: expected mon, tue"],
        ),
        (
            answer(policy(rule(rate(rate_unit="year", end_duration=10**9)))),
            ["/data/policies/0/rules/0/rate/0/end_duration: expected at most a year"],
        ),
    ],
)
def test_wrong_documents_name_each_place(document: object, complaints: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        read("cds", document)
    lines = str(raised.value).splitlines()
    assert len(lines) == len(complaints), lines
    for line, complaint in zip(lines, complaints, strict=True):
        assert line.startswith(complaint)


@st.composite
def incremental_rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rates by the minute that follow each other, each with a whole number of increments."""
    rates: list[dict[str, Any]] = []
    at = 0
    count = draw(st.integers(1, 4))
    for index in range(count):
        increment = draw(st.sampled_from([1, 5, 15, 30, 60]))
        fields = {"rate": draw(st.integers(0, 20)), "rate_unit": "minute", "start_duration": at}
        fields["increment_duration"] = increment
        if index < count - 1:
            at += increment * draw(st.integers(1, 6))
            fields["end_duration"] = at
        rates.append(fields)
    return rates


def by_the_words(rates: list[dict[str, Any]], minutes: int) -> int:
    """What CDS says that a stay costs: of each rate, the increments that have begun."""
    total = 0
    for each in rates:
        start, increment = each["start_duration"], each["increment_duration"]
        last = each.get("end_duration", minutes + 1)
        begun = [at for at in range(start, last, increment) if at <= minutes]
        total += len(begun) * each["rate"] * increment
    return total


@settings(deadline=None)
@given(incremental_rules(), st.integers(1, 500))
def test_a_stay_costs_what_the_rates_say(rates: list[dict[str, Any]], minutes: int) -> None:
    found = read("cds", answer(policy(rule(*rates))))
    price = costs(oracle_of(answered(found)), MONDAY, MONDAY + timedelta(minutes=minutes))
    assert price * 100 == by_the_words(rates, minutes)
