"""Tariffs as APDS documents, and back."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.standards import Imported, Remark, TariffTable, apds, read
from gated.standards.windows import window_of_band
from tests.standards.checked import ANSWERS, checked, costs, lost_keys, oracle_of
from tests.tariff.oracle import Refused

BLOCK: TariffTable = {
    "name": "standard",
    "strategy": "BLOCK",
    "steps": [
        {"minutes": 60, "price": "2.00", "times": 1},
        {"minutes": 30, "price": "1.50"},
    ],
}
TIER: TariffTable = {
    "name": "day",
    "strategy": "TIER",
    "tiers": [
        {"up_to_minutes": 60, "price": "3.00"},
        {"up_to_minutes": 1500, "price": "5.50"},
        {"price": "9.00"},
    ],
}
FLAT: TariffTable = {"name": "flat", "strategy": "FLAT", "amount": "4.50"}
BAND: TariffTable = {
    "name": "day and night",
    "strategy": "BAND",
    "bands": [
        {"name": "day", "from": "07:00", "until": "19:00",
         "days": ["mon", "tue", "wed", "thu", "fri"], "steps": [{"minutes": 30, "price": "1.00"}],
         "maximum": "12.00"},
        {"name": "evening", "from": "19:00", "until": "24:00",
         "days": ["fri", "sat", "holiday_eve"],
         "tiers": [{"up_to_minutes": 120, "price": "2.00"}, {"price": "3.00"}]},
        {"name": "night", "from": "19:00", "until": "07:00", "flat": "5.00"},
        {"name": "holiday", "days": ["sun", "holiday"], "free": True},
        {"name": "otherwise", "steps": [{"minutes": 60, "price": "1.20"}]},
    ],
}  # fmt: skip


def exported(*tables: TariffTable, **fields: Any) -> tuple[dict[str, Any], list[Remark]]:
    document, remarks = apds.exported("EUR", "Europe/Berlin", tables, **fields)
    text = json.dumps(document)
    return json.loads(text), remarks


def there_and_back(*tables: TariffTable) -> tuple[Imported, list[Remark]]:
    document, remarks = exported(*tables)
    found = read("apds", document)
    checked(found)
    return found, remarks


def normal(table: TariffTable) -> TariffTable:
    """A table without what can be written in more than one way."""
    made = {key: value for key, value in table.items() if key != "priority"}
    if "bands" in made:
        made["bands"] = [_normal_band(band) for band in made["bands"]]
    return made


def _normal_band(band: dict[str, Any]) -> dict[str, Any]:
    window = window_of_band(band)
    price = {k: v for k, v in band.items() if k not in ("from", "until", "days")}
    days = None if window.days is None else sorted(window.days)
    return {**price, "window": (days, window.begins, window.ends)}


# ── what a document looks like ──────────────────────────────────────────────────────────────


def test_a_document_of_steps() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    document, remarks = exported(BLOCK, valid_from=begin)
    name = [{"language": "und", "string": "standard"}]
    assert document["rateTables"] == [
        {
            "id": "table-1",
            "version": 1,
            "rateTableName": name,
            "availability": "public",
            "rateLineCollections": [
                {
                    "applicableCurrency": "EUR",
                    "relativeTimes": False,
                    "validStart": "2026-01-01T00:00:00+00:00",
                    "taxIncluded": True,
                    "collectionSequence": 1,
                    "rateLines": [
                        {
                            "sequence": 1,
                            "rateLineType": "incrementingRate",
                            "durationStart": "00:00",
                            "durationEnd": "01:00",
                            "incrementPeriod": "PT1H",
                            "usageCondition": "unlimited",
                            "value": 2,
                        },
                        {
                            "sequence": 2,
                            "rateLineType": "incrementingRate",
                            "durationStart": "01:00",
                            "incrementPeriod": "PT30M",
                            "usageCondition": "unlimited",
                            "value": 1.5,
                        },
                    ],
                }
            ],
        }
    ]
    (right,) = document["rightSpecifications"]
    assert right["rateEligibility"] == [
        {
            "id": "eligibility-1",
            "version": 1,
            "priority": 1,
            "eligibility": {"id": "tariff-1", "version": 1, "eligibilityName": name},
            "rateTable": {"id": "table-1", "version": 1},
        }
    ]
    assert right["validity"] == {
        "validityStatus": "active",
        "validityTimeSpecification": {"overallStartTime": "2026-01-01T00:00:00+00:00"},
    }
    (place,) = document["places"]
    assert place["timeZone"] == "Europe/Berlin"
    assert right["hierarchyElements"] == [{"id": place["id"], "version": 1}]
    assert [remark.kind for remark in remarks] == ["assumed", "ask"]


def test_without_a_begin_it_is_asked_for() -> None:
    document, remarks = exported(BLOCK)
    assert "validStart" not in json.dumps(document)
    assert any("validStart" in remark.what for remark in remarks if remark.kind == "ask")


def test_hours_are_periods_within_a_day() -> None:
    document, _ = exported(BAND)
    rights = {right["id"]: right for right in document["rightSpecifications"]}
    night = rights["right-1-3-1"]["validity"]["validityTimeSpecification"]["validPeriods"]
    assert night == [
        {"recurringTimePeriodOfDay": [{"startTimeOfPeriod": "19:00", "endTimeOfPeriod": "24:00"}]},
        {"recurringTimePeriodOfDay": [{"startTimeOfPeriod": "00:00", "endTimeOfPeriod": "07:00"}]},
    ]
    # A holiday goes before the day before one, and that before days of the week.
    by_priority = sorted(rights, key=lambda key: rights[key]["rateEligibility"][0]["priority"])
    assert by_priority == [
        "right-1-4-2",
        "right-1-2-2",
        "right-1-1-1",
        "right-1-2-1",
        "right-1-4-1",
        "right-1-3-1",
        "right-1-5-1",
    ]


def test_nights_of_weekdays_and_of_holidays_end_on_the_days_after_them() -> None:
    days = ["sun", "holiday", "match"]
    night = {"name": "night", "from": "22:00", "until": "06:00", "days": days, "flat": "5.00"}
    document, remarks = exported(
        {"name": "T", "strategy": "BAND", "bands": [night, {"name": "else", "free": True}]}
    )
    periods = [
        period
        for right in document["rightSpecifications"]
        for period in right["validity"].get("validityTimeSpecification", {}).get("validPeriods", [])
    ]

    def ends_at_six(period: dict[str, Any]) -> bool:
        return bool(period["recurringTimePeriodOfDay"][0]["endTimeOfPeriod"] == "06:00")

    ends = [{**period} for period in periods if ends_at_six(period)]
    for period in ends:
        del period["recurringTimePeriodOfDay"]
    assert ends == [
        {"recurringDayWeekMonthPeriod": [{"applicableDay": ["monday"]}]},
        {
            "recurringSpecialDay": [
                {
                    "specialDayType": "dayFollowingPublicHoliday",
                    "intersectWithApplicableDays": True,
                }
            ]
        },
        # The day after a match has no name.
        {
            "recurringSpecialDay": [
                {"specialDayType": "publicEventDay", "intersectWithApplicableDays": True}
            ]
        },
    ]
    assert {remark.where for remark in remarks} >= {"/0/bands/0", "/0/bands/0/days"}


def test_more_digits_than_a_number_of_json_has_are_lost() -> None:
    document, remarks = exported({**FLAT, "amount": "1234567890.12345678"})
    assert document["rateTables"][0]["rateLineCollections"][0]["rateLines"][0]["value"]
    assert "/0/amount" in {remark.where for remark in remarks}


def test_a_share_is_written_out() -> None:
    step = {"minutes": 15, "price": "3.00", "price_minutes": 60}
    found, remarks = there_and_back({"name": "T", "strategy": "BLOCK", "steps": [step]})
    assert found.tables[0]["steps"] == [{"minutes": 15, "price": "0.75"}]
    assert not [remark for remark in remarks if "price_minutes" in remark.what]
    second = {"seconds": 1, "price": "3.10", "price_minutes": 60}
    _, remarks = there_and_back({"name": "T", "strategy": "BLOCK", "steps": [second]})
    assert [r.where for r in remarks if "price_minutes" in r.what] == ["/0/steps"]


def test_lengths_with_seconds_are_written_as_durations() -> None:
    steps = [{"seconds": 90, "price": "1.00", "times": 1}, {"seconds": 45, "price": "0.50"}]
    found, remarks = there_and_back({"name": "T", "strategy": "BLOCK", "steps": steps})
    assert found.tables[0]["steps"] == steps
    assert any("ISO 8601" in remark.what for remark in remarks)


def test_a_condition_that_cannot_be_asked_for_comes_after_the_others() -> None:
    first = {**FLAT, "name": "A", "for": {"accessible": False}}
    second = {**FLAT, "name": "B", "for": {"accessible": True}}
    document, remarks = exported(first, second)
    priorities = {
        right["rateEligibility"][0]["eligibility"]["eligibilityName"][0]["string"]: right[
            "rateEligibility"
        ][0]["priority"]
        for right in document["rightSpecifications"]
    }
    assert priorities == {"A": 2, "B": 1}
    assert "/0/for/accessible" in {remark.where for remark in remarks if remark.kind == "lost"}


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "tariff.strategy"),
        ({**FLAT, "amount": 4.5}, "tariff.amount"),
        ({**BLOCK, "steps": []}, "tariff.steps"),
    ],
)
def test_tables_that_are_none_of_tariffs_are_refused(table: TariffTable, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        exported(table)
    assert key in str(raised.value)


# ── there and back ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", [FLAT, BLOCK, TIER, BAND], ids=lambda table: table["strategy"])
def test_every_strategy_comes_back(table: TariffTable) -> None:
    found, _ = there_and_back(table)
    (back,) = found.tables
    assert normal(back) == normal(table)
    assert found.currency == "EUR"
    assert found.time_zone == "Europe/Berlin"
    assert [each for each in found.remarks if each.kind == "lost"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"entrance_fee": "1.00"},
        {"minimum": "2.50"},
        {"caps": [{"per": "stay", "amount": "30.00"}]},
        {"caps": [{"per": "calendar_day", "amount": "20.00", "reading": "each", "begins": "04:00"}],
         "new_day": "calendar_day", "day_begins": "04:00"},
        {"new_day": "calendar_day"},
        {"entrance_fee": "1.00", "entrance_fee_capped": True,
         "caps": [{"per": "stay", "amount": "30.00"}]},
        {"entrance_fee": "1.00", "entrance_fee_capped": False,
         "caps": [{"per": "stay", "amount": "30.00"}]},
        {"second_visit": "reduced", "second_visit_percent": "50"},
        {"for": {"vehicle_types": ["CAR"], "electric": True, "accessible": True,
                 "members": ["gold", "silver"], "reserved": True, "zones": ["A", "B"]}},
        {"for": {"vehicle_types": ["MOTORCYCLE", "CAR", "SUV", "VAN", "TRUCK", "BUS"]}},
        {"for": {"vehicle_types": ["SUV"], "electric": False}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("table", [BLOCK, TIER], ids=lambda table: table["strategy"])
def test_what_apds_can_say_comes_back(table: TariffTable, fields: dict[str, Any]) -> None:
    found, remarks = there_and_back({**table, **fields})
    (back,) = found.tables
    assert normal(back) == normal({**table, **fields})
    assert not [remark for remark in remarks if remark.kind == "lost"]


def test_a_flat_rate_of_each_day_comes_back() -> None:
    band = {"name": "day ticket", "from": "04:00", "until": "04:00", "flat": "9.00"}
    table = {"name": "T", "strategy": "BAND", "bands": [band]}
    found, _ = there_and_back(table)
    assert normal(found.tables[0])["bands"] == normal(table)["bands"]


def test_tax_comes_back_without_its_name() -> None:
    tax = {"name": "VAT", "percent": "7.7", "rounding": "half_up"}
    found, remarks = there_and_back({**FLAT, "taxes": [tax], "tax_included": False})
    assert found.tables[0]["taxes"] == [{"name": "tax", "percent": "7.7"}]
    assert found.tables[0]["tax_included"] is False
    wheres = {remark.where for remark in remarks}
    assert wheres >= {"/0/taxes/0/name", "/0/taxes/0/rounding"}


def test_several_tariffs_keep_their_order() -> None:
    tables = [
        {**BLOCK, "name": "others"},
        {**FLAT, "name": "guests", "priority": 10, "for": {"reserved": True}},
        {**BAND, "name": "club", "priority": 20, "for": {"members": ["club"]}},
    ]
    found, _ = there_and_back(*tables)
    assert [normal(table) for table in found.tables] == [normal(table) for table in tables]
    assert [table["priority"] for table in found.tables] == [0, 1, 2]


def test_tariffs_that_exclude_each_other_may_have_one_priority() -> None:
    tables = [
        {**BLOCK, "name": "A", "for": {"zones": ["A"]}},
        {**FLAT, "name": "B", "for": {"zones": ["B"]}},
    ]
    found, _ = there_and_back(*tables)
    assert [normal(table) for table in found.tables] == tables
    assert all("priority" not in table for table in found.tables)


# What a tariff may say besides its price, each with what it has to say with it.
FEATURES: tuple[dict[str, Any], ...] = (
    {"free_minutes": 20, "free_minutes_reading": "deducted", "free_minutes_limit": "inclusive"},
    {"zero_stay": "free"},
    {"limit_reading": "exclusive"},
    {"new_day": "rolling_24h"},
    {"new_day": "calendar_day", "day_begins": "03:00"},
    {"new_day": "continue"},
    {"band_border": "continue"},
    {"entrance_fee": "1.00", "entrance_fee_capped": True},
    {"entrance_fee": "1.00", "entrance_fee_capped": False},
    {"minimum": "1.50"},
    {"caps": [{"per": "rolling_24h", "amount": "9.00", "reading": "multiplied"}]},
    {"caps": [{"per": "calendar_day", "amount": "9.00", "reading": "multiplied"},
              {"per": "stay", "amount": "40.00"}]},
    {"caps": [{"per": "calendar_week", "amount": "9.00", "reading": "each", "week_begins": "mon"}]},
    {"specials": [{"name": "S", "price": "4.00", "enter_from": "17:00"}],
     "special_wins": "listed"},
    {"occupancy": [{"from_percent": 80, "factor": "1.5"}], "occupancy_caps": "fixed"},
    {"reservation": {"early": "free", "unused": "free", "overstay": "anew"}},
    {"lost_ticket": {"amount": "20.00", "reading": "added"}},
    {"validations": [{"name": "V", "free": True}], "validation_order": "listed",
     "validation_stacking": "all"},
    {"second_visit": "continued"},
    {"second_visit": "reduced", "second_visit_percent": "25", "second_visit_minutes": 30},
    {"second_visit": "reduced", "second_visit_percent": "10"},
    {"second_visit": "separate"},
    {"taxes": [{"name": "T", "percent": "10", "rounding": "up"},
               {"name": "U", "percent": "1", "rounding": "up"}], "tax_included": False},
    {"tax_per": "line"},
    {"rounding": {"mode": "up", "per": "total", "to": "0.10"}},
    {"for": {"accessible": False}},
    {"for": {"reserved": False}},
    {"for": {"zones": ["A"], "members": ["gold"]}},
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([FLAT, BLOCK, TIER, BAND]), st.lists(st.sampled_from(FEATURES)))
def test_each_key_is_carried_or_spoken_of(base: TariffTable, chosen: list[dict[str, Any]]) -> None:
    table = dict(base)
    for features in chosen:
        table.update(features)
    found, remarks = there_and_back(table)
    (back,) = found.tables
    spoken = lost_keys(remarks)
    # With free minutes, their lines tell what the price of the time is.
    prices = {"steps", "tiers", "amount", "strategy"} if "free_minutes" in spoken else set()
    kept = {key: value for key, value in normal(table).items() if key not in prices}
    for key, value in kept.items():
        assert key in spoken or normal(back).get(key) == value, key


EXAMPLES = sorted((Path(__file__).parents[2] / "examples/tariffs").glob("*.toml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_each_key_of_the_examples_is_carried_or_spoken_of(file: Path) -> None:
    document = tomllib.loads(file.read_text())
    facility, tables = document["facility"], document["tariff"]
    made, remarks = apds.exported(facility["currency"], facility["time_zone"], tables)
    found = read("apds", json.loads(json.dumps(made)))
    checked(found)
    assert (found.currency, found.time_zone) == (facility["currency"], facility["time_zone"])
    for index, (back, table) in enumerate(zip(found.tables, tables, strict=True)):
        spoken = lost_keys([each for each in remarks if each.where.startswith(f"/{index}/")])
        prices = {"steps", "tiers", "amount", "strategy"} if "free_minutes" in spoken else set()
        for key, value in normal(table).items():
            assert key in spoken | prices or normal(back).get(key) == value, (index, key)


LENGTHS = st.sampled_from([1, 10, 15, 30, 45, 60, 90])
PRICES = st.integers(0, 900).map(lambda cents: f"{cents / 100:.2f}")


@st.composite
def timed(draw: st.DrawFn) -> TariffTable:
    count = draw(st.integers(1, 3))
    is_open = draw(st.booleans())
    if draw(st.booleans()):
        steps: list[dict[str, Any]] = []
        for _ in range(count):
            step = {
                "minutes": draw(LENGTHS),
                "price": draw(PRICES),
                "times": draw(st.integers(1, 4)),
            }
            steps.append(step)
        if is_open:
            del steps[-1]["times"]
        return {"name": "T", "strategy": "BLOCK", "steps": steps}
    tiers: list[dict[str, Any]] = []
    minutes, cents = 0, 0
    for _ in range(count):
        minutes += draw(LENGTHS)
        cents += draw(st.integers(0, 900))
        tiers.append({"up_to_minutes": minutes, "price": f"{cents / 100:.2f}"})
    if is_open:
        del tiers[-1]["up_to_minutes"]
    return {"name": "T", "strategy": "TIER", "tiers": tiers}


@settings(deadline=None, max_examples=60)
@given(timed())
def test_all_steps_and_tiers_come_back(table: TariffTable) -> None:
    found, _ = there_and_back(table)
    assert found.tables == [table]


CLOCK = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
DAYS = st.lists(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "holiday_eve"]),
    min_size=1,
    unique=True,
)


BAND_PRICES: tuple[dict[str, Any], ...] = (
    {"flat": "3.00"},
    {"free": True},
    {"steps": [{"minutes": 30, "price": "1.00"}]},
    {"steps": [{"minutes": 30, "price": "1.00"}], "maximum": "8.00"},
    {"tiers": [{"up_to_minutes": 60, "price": "2.00"}, {"price": "4.00"}]},
)


@st.composite
def banded(draw: st.DrawFn) -> TariffTable:
    bands: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        band: dict[str, Any] = {"name": f"band {number}"}
        if draw(st.booleans()):
            band["from"], band["until"] = draw(CLOCK), draw(CLOCK)
        if number == 0 or draw(st.booleans()):
            band["days"] = draw(DAYS)
        bands.append({**band, **draw(st.sampled_from(BAND_PRICES))})
    return {"name": "T", "strategy": "BAND", "bands": [*bands, {"name": "else", "flat": "2.00"}]}


@settings(deadline=None, max_examples=40)
@given(banded())
def test_all_bands_come_back(table: TariffTable) -> None:
    found, remarks = there_and_back(table)
    assert [normal(each) for each in found.tables] == [normal(table)]
    assert [remark for remark in remarks if remark.kind == "lost"] == []


def price(table: TariffTable, minutes: int) -> object:
    answers = {**ANSWERS, "free_minutes_limit": "inclusive", **table}
    del answers["rounding"]
    oracle = oracle_of(Imported([answers], "EUR", "UTC", []))
    entry = datetime(2026, 6, 1, 8, tzinfo=UTC)
    try:
        return costs(oracle, entry, entry + timedelta(minutes=minutes))
    except Refused as refused:
        return refused.reason


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(timed(), st.just(FLAT)),
    st.integers(1, 100),
    st.sampled_from(["deducted", "threshold"]),
    st.sampled_from([None, "1.00"]),
    st.lists(st.integers(1, 400), min_size=5, max_size=5),
)
def test_free_minutes_cost_the_same_as_lines(
    table: TariffTable, free: int, reading: str, fee: str | None, lengths: list[int]
) -> None:
    fields: dict[str, Any] = {"free_minutes": free, "free_minutes_reading": reading}
    if fee is not None:
        fields["entrance_fee"] = fee
    found, remarks = there_and_back({**table, **fields})
    (back,) = found.tables
    assert "entrance_fee" not in back
    assert lost_keys(remarks) >= {"free_minutes", "free_minutes_reading"}
    for minutes in [free, free + 1, *lengths]:
        assert price(back, minutes) == price({**table, **fields}, minutes), minutes
