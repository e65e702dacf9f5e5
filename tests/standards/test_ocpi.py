"""Tariffs of OCPI 2.2.1 as tariffs of a car park."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.standards import Imported, read
from tests.standards.checked import answered, asked_keys, checked, costs, oracle_of, said

MONDAY = datetime(2026, 6, 1, tzinfo=ZoneInfo("Europe/Berlin"))
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def component(kind: str = "PARKING_TIME", price: float = 3.0, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "price": price, "step_size": 3600, **fields}


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"price_components": list(components)}
    return {**made, "restrictions": restrictions} if restrictions else made


def tariff(*elements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "country_code": "DE",
        "party_id": "ALL",
        "id": "16",
        "currency": "EUR",
        "elements": list(elements),
        "last_updated": "2018-12-18T17:07:11Z",
        **fields,
    }


def imported(*elements: dict[str, Any], **fields: Any) -> Imported:
    found = read("ocpi", tariff(*elements, **fields))
    checked(found)
    return found


def test_parking_time_is_priced_by_its_steps() -> None:
    found = imported(element(component(price=3, step_size=900)))
    assert found.tables == [
        {
            "name": "16",
            "strategy": "BLOCK",
            "steps": [{"minutes": 15, "price": "0.75"}],
            "new_day": "continue",
            "limit_reading": "inclusive",
            "second_visit": "separate",
        }
    ]
    assert asked_keys(found) == {"zero_stay"}
    assert found.time_zone is None
    assert "time_zone" in {each.place[0] for each in found.remarks}


def test_a_step_of_which_the_price_is_no_whole_cent_is_a_share_of_the_hour() -> None:
    found = imported(element(component(price=5, step_size=300)))
    assert found.tables[0]["steps"] == [{"minutes": 5, "price": "5.00", "price_minutes": 60}]
    assert "rounding" in asked_keys(found)


def test_charging_time_and_energy_are_lost_where_parking_is_priced() -> None:
    charging = (component("TIME"), component("ENERGY", 0.25, step_size=1))
    found = imported(element(component(price=2), *charging))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    lost = said(found, "lost")
    assert "TIME" in lost["/elements/0/price_components/1"]
    assert "ENERGY" in lost["/elements/0/price_components/2"]


def test_charging_time_alone_is_taken_for_the_stay() -> None:
    found = imported(element(component("TIME", 2)))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert "charging time" in said(found, "assumed")["/elements/0/price_components/0"]


def test_a_flat_fee_is_the_price_or_is_asked_at_the_entry() -> None:
    assert imported(element(component("FLAT", 2.5))).tables[0]["amount"] == "2.50"
    found = imported(element(component("FLAT", 2.5), component()), max_price={"excl_vat": 20})
    (table,) = found.tables
    assert table["entrance_fee"] == "2.50"
    assert table["entrance_fee_capped"] is True
    assert table["caps"] == [{"per": "stay", "amount": "20.00"}]


def test_nothing_of_parking_is_free() -> None:
    found = imported(element(component("ENERGY", 0.25)))
    assert (found.tables[0]["strategy"], found.tables[0]["amount"]) == ("FLAT", "0.00")
    assert "free" in said(found, "assumed")[""]


def test_a_fee_with_restrictions_is_lost() -> None:
    night = element(component("FLAT", 5), start_time="22:00", end_time="06:00")
    found = imported(night, element(component("FLAT", 1)), element(component()))
    assert found.tables[0]["entrance_fee"] == "1.00"
    assert "FLAT with restrictions" in said(found, "lost")["/elements/0/price_components/0"]


def test_durations_are_steps() -> None:
    found = imported(
        element(component(price=0), max_duration=1800),
        element(component(price=2, step_size=60), min_duration=1800, max_duration=7200),
        element(component(price=6, step_size=600)),
    )
    assert found.tables[0]["steps"] == [
        {"minutes": 30, "price": "0.00", "times": 1},
        {"minutes": 1, "price": "2.00", "price_minutes": 60, "times": 90},
        {"minutes": 10, "price": "1.00"},
    ]


def test_windows_are_bands() -> None:
    found = imported(
        element(
            component(price=5),
            start_time="09:00",
            end_time="18:00",
            day_of_week=["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        ),
        element(component(price=6), start_time="10:00", end_time="17:00", day_of_week=["SATURDAY"]),
    )
    (table,) = found.tables
    bands = {band["name"]: band for band in table["bands"]}
    assert bands["mon-fri 09:00-18:00"]["steps"] == [{"minutes": 60, "price": "5.00"}]
    assert bands["sat 10:00-17:00"]["steps"] == [{"minutes": 60, "price": "6.00"}]
    assert bands["sun"] == {"name": "sun", "days": ["sun"], "free": True}
    # Elements hold by the length of the session, whatever the time of day.
    assert table["band_border"] == "continue"
    assert "step_size" in said(found, "assumed")["/elements/0/price_components/0"]


def test_a_night_is_one_band() -> None:
    found = imported(
        element(component(price=1), start_time="22:00", end_time="06:00"),
        element(component(price=3)),
    )
    assert [(band["from"], band["until"]) for band in found.tables[0]["bands"]] == [
        ("06:00", "22:00"),
        ("22:00", "06:00"),
    ]


def test_borders_between_equal_prices_vanish() -> None:
    found = imported(
        element(component(price=1), start_time="00:00", end_time="17:00"),
        element(component(price=1), start_time="17:00", end_time="20:00"),
    )
    assert [band["name"] for band in found.tables[0]["bands"]] == ["00:00-20:00", "20:00-24:00"]


@pytest.mark.parametrize("name", ["min_kwh", "max_power", "start_date", "reservation"])
def test_a_price_is_never_widened(name: str) -> None:
    found = imported(element(component(price=9), **{name: 1}), element(component(price=2)))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert name in said(found, "lost")["/elements/0/price_components/0"]


def test_vat_is_added() -> None:
    found = imported(element(component(vat=19.0)), min_price={"excl_vat": 0.5, "incl_vat": 0.6})
    (table,) = found.tables
    assert table["taxes"] == [{"name": "VAT", "percent": "19"}]
    assert table["tax_included"] is False
    assert table["minimum"] == "0.50"
    assert asked_keys(found) == {"zero_stay", "tax_per", "rounding"}
    assert "/min_price/incl_vat" in said(found, "lost")


def test_one_vat_is_that_of_the_whole_price() -> None:
    found = imported(element(component("FLAT", 1, vat=10), component(vat=20)))
    assert found.tables[0]["taxes"] == [{"name": "VAT", "percent": "20"}]
    assert "vat 10" in said(found, "lost")["/elements/0/price_components/0/vat"]


def test_several_tariffs_count_in_their_order() -> None:
    document = {
        "data": [tariff(element(component())), tariff(element(component(price=1)))],
        "status_code": 1000,
        "timestamp": "2018-12-18T17:07:11Z",
    }
    found = read("ocpi", document)
    checked(found)
    assert [(table["name"], table["priority"]) for table in found.tables] == [
        ("16", 1),
        ("16 (2)", 0),
    ]
    assert said(found, "lost") == {}


def test_what_is_said_of_validity_is_remarked() -> None:
    found = imported(element(component()), end_date_time="2019-06-30T23:59:59Z", type="REGULAR")
    assert "/end_date_time" in said(found, "assumed")
    assert said(found, "lost") == {"/type": "type has no place in a tariff"}


@pytest.mark.parametrize(
    ("document", "complaints"),
    [
        (None, ["/: expected an array of objects, got null"]),
        ([], ["/: expected at least one tariff"]),
        ({"data": []}, ["/data: expected the tariffs, got an empty array"]),
        ({}, ["/currency: is missing", "/elements: is missing"]),
        (tariff(element(component()), currency=3), ["/currency: expected a string, got 3"]),
        (
            tariff(element(component(price=-1, step_size=1.5))),
            [
                "/elements/0/price_components/0/price: expected a number from 0",
                "/elements/0/price_components/0/step_size: expected a whole number from 0 on",
            ],
        ),
        (
            tariff(element(component("SLEEP")), element()),
            [
                "/elements/0/price_components/0/type: expected one of FLAT",
                "/elements/1/price_components: expected at least one price component",
            ],
        ),
        (
            tariff(element(component(), start_time="25:00", day_of_week=["mon"])),
            [
                "/elements/0/restrictions/day_of_week: expected MONDAY",
                "/elements/0/restrictions/start_time: expected a time of day",
            ],
        ),
        (
            [tariff(element(component())), tariff(element(component()), currency="CHF")],
            ["/1/currency: expected the EUR of the first tariff, got CHF"],
        ),
        (tariff(element(component(vat=101))), ["/elements/0/price_components/0/vat: expected a"]),
        (tariff(element(component()), min_price=3), ["/min_price: expected an object, got 3"]),
    ],
)
def test_wrong_documents_name_each_place(document: object, complaints: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        read("ocpi", document)
    lines = str(raised.value).splitlines()
    assert len(lines) == len(complaints), lines
    for line, complaint in zip(lines, complaints, strict=True):
        assert line.startswith(complaint)


TIMES = st.sampled_from(["00:00", "06:00", "09:30", "18:00", "22:00"])


@st.composite
def elements(draw: st.DrawFn) -> dict[str, Any]:
    restrictions: dict[str, Any] = {}
    if draw(st.booleans()):
        restrictions["start_time"] = draw(TIMES)
        restrictions["end_time"] = draw(TIMES)
    if draw(st.booleans()):
        restrictions["day_of_week"] = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
    if draw(st.booleans()):
        restrictions["min_duration"] = draw(st.integers(0, 6)) * 1800
    if draw(st.booleans()):
        restrictions["max_duration"] = draw(st.integers(1, 8)) * 1800
    # 60 an hour is 1 a minute.
    price = draw(st.sampled_from([0, 60, 120, 180]))
    return element(component(price=price, step_size=60), **restrictions)


def is_active(restrictions: dict[str, Any], at: datetime, length: int) -> bool:
    shown = f"{at:%H:%M}"
    start, end = restrictions.get("start_time", "00:00"), restrictions.get("end_time", "00:00")
    if start < end:
        in_window = start <= shown < end
    else:
        in_window = start == end or shown >= start or (end != "00:00" and shown < end)
    return (
        in_window
        and DAYS[at.weekday()] in restrictions.get("day_of_week", DAYS)
        and restrictions.get("min_duration", 0) <= length
        and length < restrictions.get("max_duration", length + 1)
    )


def by_the_words(made: Sequence[dict[str, Any]], entry: datetime, minutes: int) -> Fraction:
    """Of each minute, the first element that is active."""
    total = Fraction(0)
    for minute in range(minutes):
        at = entry + timedelta(minutes=minute)
        for each in made:
            if is_active(each.get("restrictions", {}), at, minute * 60):
                total += Fraction(each["price_components"][0]["price"], 60)
                break
    return total


@settings(deadline=None)
@given(
    st.lists(elements(), min_size=1, max_size=4),
    st.integers(0, 7 * 24 * 2 - 1),
    st.integers(1, 30 * 60),
)
def test_a_stay_costs_what_the_elements_say(
    made: list[dict[str, Any]], half_hours: int, minutes: int
) -> None:
    found = answered(read("ocpi", tariff(*made)))
    entry = MONDAY + timedelta(minutes=30 * half_hours)
    price = costs(oracle_of(found), entry, entry + timedelta(minutes=minutes))
    assert price == Decimal(int(by_the_words(made, entry, minutes)))
