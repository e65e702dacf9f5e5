"""Rate tables and right specifications of APDS as tariffs."""

from typing import Any

import pytest

from gated.core.errors import ConfigError
from gated.standards import Imported, read
from tests.standards.checked import asked_keys, checked, said

WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def text(words: str) -> list[dict[str, str]]:
    return [{"language": "en", "string": words}]


def line(value: float, **fields: Any) -> dict[str, Any]:
    made = {"rateLineType": "incrementingRate", "incrementPeriod": "PT1H", "value": value, **fields}
    return {key: each for key, each in made.items() if each is not None}


def tier(value: float, start: str, end: str | None = None, **fields: Any) -> dict[str, Any]:
    made = {"durationStart": start, "durationEnd": end, "usageCondition": "once"}
    own = {"rateLineType": "flatRateTier", "incrementPeriod": None}
    return line(value, **{**own, **made, **fields})


def flat(value: float, **fields: Any) -> dict[str, Any]:
    return line(value, rateLineType="flatRate", incrementPeriod=None, **fields)


def collection(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    numbered = [{"sequence": number, **each} for number, each in enumerate(lines, 1)]
    return {
        "collectionSequence": 1,
        "applicableCurrency": "GBP",
        "relativeTimes": False,
        "rateLines": numbered,
        **fields,
    }


def table(*lines: dict[str, Any], name: str = "standard", **fields: Any) -> dict[str, Any]:
    """A rate table; fields that are a collection's go there."""
    own = ("id", "validity", "validation")
    return {
        "id": "T",
        "version": 1,
        "rateTableName": text(name),
        "availability": "public",
        "rateLineCollections": [
            collection(*lines, **{k: v for k, v in fields.items() if k not in own})
        ],
        **{key: value for key, value in fields.items() if key in own},
    }


def hours(start: str, end: str, days: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    period: dict[str, Any] = {
        "recurringTimePeriodOfDay": [{"startTimeOfPeriod": start, "endTimeOfPeriod": end}],
        **fields,
    }
    if days is not None:
        period["recurringDayWeekMonthPeriod"] = [{"applicableDay": days}]
    return period


def holds(*periods: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "validityStatus": "definedByValidityTimeSpec",
        "validityTimeSpecification": {"validPeriods": list(periods), **fields},
    }


def right(
    identity: str, *qualifications: dict[str, Any], priority: int | None = None, **fields: Any
) -> dict[str, Any]:
    eligibility: dict[str, Any] = {
        "id": f"E{identity}",
        "rateTable": {"id": identity, "version": 1},
    }
    if qualifications:
        eligibility["eligibility"] = {"qualifications": list(qualifications)}
    if priority is not None:
        eligibility["priority"] = priority
    return {
        "id": f"R{identity}",
        "version": 1,
        "type": "oneTimeUseParking",
        "hierarchyElements": [{"id": "P", "version": 1}],
        "rateEligibility": [eligibility],
        **fields,
    }


def imported(*objects: dict[str, Any]) -> Imported:
    found = read("apds", list(objects))
    checked(found)
    return found


def only(*objects: dict[str, Any]) -> dict[str, Any]:
    (found,) = imported(*objects).tables
    return found


# ── lines ───────────────────────────────────────────────────────────────────────────────────


def test_an_incrementing_rate_is_a_step() -> None:
    found = imported(table(line(1.5, incrementPeriod="PT30M")))
    assert found.tables == [
        {
            "name": "standard",
            "strategy": "BLOCK",
            "steps": [{"minutes": 30, "price": "1.50"}],
        }
    ]
    assert found.currency == "GBP"
    # What APDS leaves open stays open.
    assert asked_keys(found) == {"zero_stay", "limit_reading", "new_day", "second_visit"}


def test_flat_tiers_add_up() -> None:
    found = only(table(tier(3, "00:00", "00:30"), tier(2, "00:30", "01:00"), tier(1, "01:00")))
    assert found["tiers"] == [
        {"up_to_minutes": 30, "price": "3.00"},
        {"up_to_minutes": 60, "price": "5.00"},
        {"price": "6.00"},
    ]


def test_flat_tiers_before_an_incrementing_rate_are_steps() -> None:
    found = only(
        table(
            tier(3, "00:00", "00:30", incrementPeriod="PT30M"),
            line(1, durationStart="00:30", durationEnd="07:30"),
            maxTime="PT7H30M",
        )
    )
    assert found["steps"] == [
        {"minutes": 30, "price": "3.00", "times": 1},
        {"minutes": 60, "price": "1.00"},
    ]


def test_max_time_is_lost_and_who_stays_longer_pays_on() -> None:
    found = imported(table(line(1, durationEnd="07:00"), maxTime="PT7H"))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "1.00"}]
    assert "/0/rateLineCollections/0/maxTime" in said(found, "lost")


def test_an_end_of_its_own_stays() -> None:
    found = imported(table(line(1, durationEnd="07:00")))
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "1.00", "times": 7}]
    assert any("420 minutes has no price" in what for what in said(found, "assumed").values())


def test_lines_without_durations_follow_each_other() -> None:
    found = imported(
        table(
            {"incrementPeriod": "PT1H", "value": 4.4},
            {"incrementPeriod": "PT1H", "value": 3.3},
            {"incrementPeriod": "PT22H", "value": 23.1},
        )
    )
    assert found.tables[0]["steps"] == [
        {"minutes": 60, "price": "4.40", "times": 1},
        {"minutes": 60, "price": "3.30", "times": 1},
        {"minutes": 1320, "price": "23.10", "times": 1},
    ]
    assumed = said(found, "assumed")
    assert "follow each other" in assumed["/0/rateLineCollections/0"]
    assert "incrementingRate" in assumed["/0/rateLineCollections/0/rateLines/0"]


def test_totals_in_place_of_what_is_added_are_pointed_out() -> None:
    found = imported(
        table(
            line(3.7, incrementPeriod=None, durationStart="00:00", durationEnd="01:00"),
            line(6.7, incrementPeriod=None, durationStart="01:01", durationEnd="02:00"),
        )
    )
    assert found.tables[0]["steps"] == [
        {"minutes": 60, "price": "3.70", "times": 1},
        {"minutes": 60, "price": "6.70", "times": 1},
    ]
    assumed = said(found, "assumed")
    assert "to 10.4" in assumed["/0/rateLineCollections/0/rateLines/0"]
    assert any("at 60 minutes" in each.what for each in found.remarks)


def test_a_flat_rate_alone_is_the_price() -> None:
    found = imported(table(flat(6.5, durationStart="00:00", durationEnd="08:00"), maxTime="PT8H"))
    assert (found.tables[0]["strategy"], found.tables[0]["amount"]) == ("FLAT", "6.50")
    assert "/0/rateLineCollections/0/rateLines/0" in said(found, "lost")


def test_a_flat_rate_beside_other_lines_is_a_fee() -> None:
    found = imported(table(flat(2), line(3), maxValueCollection=20))
    assert found.tables[0]["entrance_fee"] == "2.00"
    assert found.tables[0]["entrance_fee_capped"] is True
    assert found.tables[0]["caps"] == [{"per": "stay", "amount": "20.00"}]
    assert "charged once" in said(found, "assumed")["/0/rateLineCollections/0/rateLines/0"]


def test_a_fee_of_a_collection_of_its_own_is_not_capped() -> None:
    made = table(line(3), maxValueCollection=20, collectionSequence=2)
    made["rateLineCollections"].append(collection(flat(2)))
    assert only(made)["entrance_fee_capped"] is False


@pytest.mark.parametrize("amount", [10, {"currencyType": "GBP", "currencyValue": 10}])
def test_a_reset_begins_lines_and_maximum_anew(amount: object) -> None:
    found = only(table(line(2), maxValueCollection=amount, resetTime="02:00:00"))
    assert found["new_day"] == "calendar_day"
    assert found["day_begins"] == "02:00"
    cap = {"per": "calendar_day", "amount": "10.00", "reading": "each", "begins": "02:00"}
    assert found["caps"] == [cap]


def test_a_minimum() -> None:
    assert only(table(line(2), minValueCollection=1))["minimum"] == "1.00"


def test_the_maximum_of_the_only_line_is_that_of_the_stay() -> None:
    assert only(table(line(2, maxValue=9)))["caps"] == [{"per": "stay", "amount": "9.00"}]


def test_the_maximum_of_a_line_among_others_ends_its_charges() -> None:
    found = only(
        table(
            line(2, maxValue=5, durationStart="00:00", durationEnd="07:00"),
            line(1, durationStart="07:00"),
        )
    )
    assert found["steps"] == [
        {"minutes": 60, "price": "2.00", "times": 2},
        {"minutes": 60, "price": "1.00", "times": 1},
        {"minutes": 60, "price": "0.00", "times": 4},
        {"minutes": 60, "price": "1.00"},
    ]


@pytest.mark.parametrize(
    ("start", "minutes"),
    [("01:30", 90), ("01:01:30", 1530), ("PT90M", 90), ("PT1H30M", 90), ("P1DT1H", 1500)],
)
def test_lengths(start: str, minutes: int) -> None:
    found = only(table(tier(3, "00:00", start), tier(2, start)))
    assert found["tiers"][0] == {"up_to_minutes": minutes, "price": "3.00"}


def test_minutes_as_a_number_and_seconds_that_miss_their_t() -> None:
    found = only(
        table(
            line(1, incrementPeriod=30, durationStart="P0S", durationEnd="P3599S"),
            line(2, incrementPeriod="PT30M", durationStart="PT1H"),
        )
    )
    assert found["steps"] == [
        {"minutes": 30, "price": "1.00", "times": 2},
        {"minutes": 30, "price": "2.00"},
    ]


def test_a_gap_is_free() -> None:
    found = imported(table(line(1, durationStart="00:30")))
    assert found.tables[0]["steps"] == [
        {"minutes": 30, "price": "0.00", "times": 1},
        {"minutes": 60, "price": "1.00"},
    ]


def test_tax() -> None:
    found = imported(table(line(2), taxIncluded=False, taxRate=20))
    assert found.tables[0]["taxes"] == [{"name": "tax", "percent": "20"}]
    assert found.tables[0]["tax_included"] is False
    assert {"tax_per", "rounding"} <= asked_keys(found)


def test_what_has_no_place_is_lost() -> None:
    kwh = line(1, rateLineType="perUnit", perUnitInformation={"unit": "kWh"})
    found = imported(
        table(line(2, surcharge=[{"value": 1}]), kwh, minTime="PT1H", taxValue=3, validation=True)
    )
    lost = said(found, "lost")
    own = "/0/rateLineCollections/0"
    assert lost[f"{own}/rateLines/0/surcharge"] == "surcharge has no place in a tariff"
    assert "perUnit" in lost[f"{own}/rateLines/1"]
    assert "minTime" in lost[f"{own}/minTime"]
    assert f"{own}/taxValue" in lost
    assert "validations" in lost["/0/validation"]


def test_collections_count_in_their_sequence() -> None:
    made = table(line(3), collectionSequence=2, minValueCollection=1)
    made["rateLineCollections"].append(collection(line(2), collectionSequence=1))
    found = imported(made)
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    lost = said(found, "lost")
    assert "at least or at most" in lost["/0/rateLineCollections/0"]


def test_a_flat_rate_that_begins_anew_is_one_of_each_day() -> None:
    found = imported(table(flat(9), resetTime="04:00", maxValueCollection=20))
    assert found.tables[0]["bands"] == [
        {"name": "standard", "from": "04:00", "until": "04:00", "flat": "9.00"}
    ]
    assert found.tables[0]["caps"] == [{"per": "stay", "amount": "20.00"}]
    assert "charged anew each day" in said(found, "assumed")["/0"]


def test_an_increment_that_is_cut_short_is_paid_in_full() -> None:
    found = imported(
        table(line(2, durationEnd="01:30"), line(1, durationStart="01:30", minValue=3))
    )
    assert found.tables[0]["steps"] == [
        {"minutes": 60, "price": "2.00", "times": 1},
        {"minutes": 30, "price": "2.00", "times": 1},
        {"minutes": 60, "price": "1.00"},
    ]
    own = "/0/rateLineCollections/0/rateLines"
    assert "paid in full" in said(found, "assumed")[f"{own}/0"]
    assert f"{own}/1/minValue" in said(found, "lost")


def test_durations_of_an_event_are_lost() -> None:
    begin = "2026-06-01T08:00:00Z"
    made = table(tier(3, "01:00"), referenceTimeStart=begin)
    found = imported(made)
    assert "/0/rateLineCollections/0/referenceTimeStart" in said(found, "lost")
    assert "though relativeTimes" in said(found, "assumed")["/0/rateLineCollections/0"]


# ── names of the data dictionary ────────────────────────────────────────────────────────────


def test_the_names_of_the_dictionary_are_taken_too() -> None:
    document = {
        "rateMatrix": {
            "rateTable": {
                "name": "old names",
                "rateLineCollection": {
                    "sequence": 1,
                    "applicableCurrency": "EUR",
                    "startValidUsagePeriod": "2026-01-01T00:00:00Z",
                    "rateLine": {"sequence": 1, "type": "incrementingRate", "value": 2,
                                 "incrementPeriod": "PT1H"},
                },
            }
        }
    }  # fmt: skip
    found = read("apds", document)
    checked(found)
    assert found.tables[0]["name"] == "old names"
    assert found.tables[0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert "startValidUsagePeriod" in "".join(said(found, "assumed"))


# ── hours ───────────────────────────────────────────────────────────────────────────────────


def test_hours_of_a_table_are_a_band_and_other_time_is_free() -> None:
    found = only(table(line(2), validity=holds(hours("08:00", "18:00", WEEK[:5]))))
    assert found["bands"] == [
        {
            "name": "standard",
            "from": "08:00",
            "until": "18:00",
            "days": ["mon", "tue", "wed", "thu", "fri"],
            "steps": [{"minutes": 60, "price": "2.00"}],
        },
        {"name": "otherwise", "free": True},
    ]


def test_rights_of_different_hours_are_bands_of_one_tariff() -> None:
    found = imported(
        table(line(2), id="D", name="daylight"),
        table(line(1), id="N", name="night"),
        right("D", validity=holds(hours("08:00", "22:00"))),
        right("N", validity=holds(hours("22:00", "24:00"), hours("00:00", "08:00"))),
    )
    assert found.tables[0]["bands"] == [
        {"name": "daylight", "from": "08:00", "until": "22:00",
         "steps": [{"minutes": 60, "price": "2.00"}]},
        {"name": "night", "from": "22:00", "until": "08:00",
         "steps": [{"minutes": 60, "price": "1.00"}]},
    ]  # fmt: skip
    assert "band_border" in asked_keys(found)
    # The right is for a place that the document does not tell more of.
    assert "for" not in found.tables[0]


def test_nights_of_some_days_are_joined() -> None:
    found = only(
        table(flat(5), id="N", name="night"),
        right(
            "N",
            validity=holds(
                hours("22:00", "24:00", ["friday", "saturday"]),
                hours("00:00", "06:00", ["saturday", "sunday"]),
            ),
        ),
    )
    assert found["bands"][0] == {
        "name": "night",
        "from": "22:00",
        "until": "06:00",
        "days": ["fri", "sat"],
        "flat": "5.00",
    }


def test_special_days() -> None:
    holiday = [{"specialDayType": "publicHoliday", "intersectWithApplicableDays": False}]
    found = only(
        table(
            line(2),
            validity=holds(hours("08:00", "18:00", ["sunday"], recurringSpecialDay=holiday)),
        )
    )
    assert found["bands"][0]["days"] == ["sun", "holiday"]


def test_excepted_days_are_free() -> None:
    exception = {"recurringSpecialDay": [{"specialDayType": "publicHoliday"}]}
    found = only(
        table(line(2), validity=holds(hours("08:00", "18:00"), exceptionPeriods=[exception]))
    )
    assert found["bands"][0] == {"name": "standard, except", "days": ["holiday"], "free": True}


def test_the_maximum_of_hours_is_that_of_the_band() -> None:
    found = only(
        table(
            line(2, durationEnd="10:00"),
            maxValueCollection=9,
            resetTime="08:00",
            validity=holds(hours("08:00", "18:00")),
        )
    )
    # The lines last as long as the hours: they need no end.
    assert found["bands"][0]["steps"] == [{"minutes": 60, "price": "2.00"}]
    assert found["bands"][0]["maximum"] == "9.00"
    # The reset is that of the maximum, and says nothing of the day.
    assert "new_day" not in found


def test_the_hours_of_the_right_go_before_those_of_the_table() -> None:
    found = imported(
        table(line(2), validity=holds(hours("07:00", "19:00"))),
        right("T", validity=holds(hours("08:00", "18:00"), overallStartTime="2026-01-01")),
    )
    assert found.tables[0]["bands"][0]["from"] == "08:00"
    assert any("the times of the right count" in each.what for each in found.remarks)


def test_what_is_charged_once_or_at_least_has_no_place_beside_hours() -> None:
    found = imported(
        table(flat(1), line(2), minValueCollection=3, validity=holds(hours("07:00", "19:00")))
    )
    wheres = [each.what for each in found.remarks if each.kind == "lost"]
    assert wheres == [
        "what is charged once, for its hours alone",
        "what its hours cost at least",
    ]


def test_hours_that_begin_anew_at_one_time() -> None:
    night = hours("19:00", "24:00")
    found = only(
        table(line(2), resetTime="05:00", id="A", validity=holds(hours("07:00", "19:00"))),
        table(tier(3, "00:00"), resetTime="05:00", id="B", validity=holds(night)),
    )
    assert (found["new_day"], found["day_begins"]) == ("calendar_day", "05:00")


def test_hours_that_begin_anew_at_different_times_leave_it_open() -> None:
    found = imported(
        table(line(2), resetTime="05:00", id="A", validity=holds(hours("07:00", "19:00"))),
        table(line(1), id="B", validity=holds(hours("19:00", "24:00"))),
    )
    assert "new_day" in asked_keys(found)
    assert any("different times" in each.what for each in found.remarks)


@pytest.mark.parametrize("validity", [None, holds(hours("08:00", "18:00"))])
def test_free_to_park(validity: dict[str, Any] | None) -> None:
    fields: dict[str, Any] = {} if validity is None else {"validity": validity}
    found = only(table(line(2)), right("T", {"freeToPark": True}, **fields))
    if validity is None:
        assert (found["strategy"], found["amount"]) == ("FLAT", "0.00")
    else:
        assert found["bands"][0]["free"] is True


def test_taxes_of_one_tariff_that_differ_are_lost() -> None:
    found = imported(
        table(line(2), taxRate=20, id="A", validity=holds(hours("07:00", "19:00"))),
        table(line(1), taxRate=10, id="B", validity=holds(hours("19:00", "24:00"))),
    )
    assert found.tables[0]["taxes"] == [{"name": "tax", "percent": "20"}]
    assert any("different taxes" in each.what for each in found.remarks)


def test_tax_that_is_added_but_not_told_is_lost() -> None:
    found = imported(table(line(2), taxIncluded=False))
    assert "taxes" not in found.tables[0]
    assert "not said how much" in said(found, "lost")["/0"]


@pytest.mark.parametrize(
    "validity",
    [
        {"validityStatus": "suspended"},
        holds({"endOfPeriod": "2026-01-01T00:00:00Z"}),
        holds({"recurringDayWeekMonthPeriod": [{"applicableMonth": ["june"]}]}),
    ],
)
def test_a_price_is_never_widened_to_other_times(validity: dict[str, Any]) -> None:
    found = imported(table(line(9), id="A", validity=validity), table(line(2), id="B"))
    assert [each["steps"][0]["price"] for each in found.tables] == ["2.00"]
    assert "left out" in said(found, "lost")["/0"]


# ── who ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("qualification", "conditions"),
    [
        ({"withReservation": True}, {"reserved": True}),
        (
            {"withMembership": True, "membershipNames": ["Fit24", text("Gold")]},
            {"members": ["Fit24", "Gold"]},
        ),
        ({"propulsionEnergyType": ["battery"]}, {"electric": True}),
        ({"propulsionEnergyType": ["petrol", "diesel", "lpg"]}, {"electric": False}),
        ({"emissions": {"emissionLevel": "freeOfEmission"}}, {"electric": True}),
        ({"vehicleTypes": ["lorry", "bus"]}, {"vehicle_types": ["TRUCK", "BUS"]}),
        ({"vehicleTypes": ["car"]}, {"vehicle_types": ["CAR", "SUV"]}),
        (
            {"userQualifications": [{"userGroup": {"entryDefinedValue": "wheelchairUsers"}}]},
            {"accessible": True},
        ),
        (
            {"userQualifications": [{"userGroup": {"entryDefinedValue": "residents"}}]},
            {"members": ["residents"]},
        ),
        ({"userQualifications": [{"userGroup": {"entryDefinedValue": "allUsers"}}]}, None),
        ({"vehicleTypes": ["anyVehicle"]}, None),
        ({"withReservation": False}, None),
    ],
)
def test_qualifications(qualification: dict[str, Any], conditions: dict[str, Any] | None) -> None:
    assert only(table(line(2)), right("T", qualification)).get("for") == conditions


@pytest.mark.parametrize(
    "qualification",
    [
        {"heightCharacteristics": [{"vehicleHeight": 1.9}]},
        {"withMembership": True},
        {"vehicleTypes": ["tram"]},
        {"propulsionEnergyType": ["battery", "petrol"]},
        {"propulsionEnergyType": ["lpg"]},
        {"emissions": {"emissionLevel": "lowLevelEmission"}},
        {"userQualifications": [{"userGroup": {"codeListName": "ours"}}]},
        {"withMembership": True, "membershipNames": ["A"],
         "userQualifications": [{"userGroup": {"entryDefinedValue": "staff"}}]},
    ],
)  # fmt: skip
def test_a_price_is_never_widened_to_others(qualification: dict[str, Any]) -> None:
    found = imported(
        table(line(9), id="A"), table(line(2), id="B"), right("A", qualification), right("B")
    )
    assert [each["steps"][0]["price"] for each in found.tables] == ["2.00"]
    assert "left out" in said(found, "lost")["/2/rateEligibility/0"]


def test_the_lowest_number_is_the_highest_priority() -> None:
    found = imported(
        table(line(3), id="A", name="diesel"),
        table(line(2), id="B", name="others"),
        right("A", {"vehicleTypes": ["lorry"]}, priority=1),
        right("B", priority=2),
    )
    assert [(each["name"], each["priority"]) for each in found.tables] == [
        ("diesel", 1),
        ("others", 0),
    ]


def test_two_tables_at_all_times_for_the_same_are_one() -> None:
    found = imported(table(line(3), id="A"), table(line(2), id="B"), right("A"), right("B"))
    assert [each["steps"][0]["price"] for each in found.tables] == ["3.00"]
    assert "for the same" in said(found, "lost")["/3/rateEligibility/0"]


def test_what_a_right_says_of_discounts_and_sums_is_lost() -> None:
    made = right("T")
    made["rateEligibility"][0] |= {"combinable": True, "rateDiscount": {"discountRate": 10}}
    permit = right("T", type="permitParking", expiry="2026-12-31T00:00:00Z")
    found = imported(table(line(3)), made, permit)
    lost = said(found, "lost")
    assert "combinable" in lost["/1/rateEligibility/0/combinable"]
    assert "discount" in lost["/1/rateEligibility/0/rateDiscount"]
    assert "permitParking" in lost["/2/rateEligibility/0"]


def test_of_tables_without_rights_the_first_counts() -> None:
    found = imported(table(line(3), id="A"), table(line(2), id="B"))
    assert [each["priority"] for each in found.tables] == [1, 0]
    assert [each["name"] for each in found.tables] == ["standard", "standard (2)"]
    assert "not said" in said(found, "assumed")["/1"]


def test_a_lower_number_counts_even_against_a_more_particular_day() -> None:
    found = only(
        table(line(3), id="A", name="day"),
        table(line(1), id="B", name="saturday"),
        right("B", priority=2, validity=holds(hours("00:00", "24:00", ["saturday"]))),
        right("A", priority=1, validity=holds(hours("08:00", "20:00"))),
    )
    assert [(band["name"], band.get("days")) for band in found["bands"][:2]] == [
        ("day", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
        ("saturday", ["sat"]),
    ]


def test_another_visit_is_cheaper() -> None:
    link = {
        "qualifyingRightSpecification": {"id": "RT"},
        "assignedRightTimeRelative": {"unit": "day", "earliestStartRelative": "current"},
    }
    again = right("T", {"linkedRightSpecification": link}, priority=1)
    again["rateEligibility"][0]["rateDiscount"] = {"discountRate": 50}
    found = only(table(line(2)), right("T", priority=2), again)
    assert found["second_visit"] == "reduced"
    assert found["second_visit_percent"] == "50"


def test_another_visit_at_another_time_is_left_out() -> None:
    link = {"assignedRightTimeRelative": {"unit": "hour", "earliestStartRelative": "previous"}}
    again = right("T", {"linkedRightSpecification": link}, priority=1)
    again["rateEligibility"][0]["rateDiscount"] = {"discountRate": 50}
    found = imported(table(line(2)), right("T", priority=2), again)
    assert "second_visit" not in found.tables[0]
    assert "linkedRightSpecification" in said(found, "lost")["/2/rateEligibility/0"]


def test_zones_and_the_clock_are_those_of_the_places() -> None:
    places = [
        {"id": "P", "type": "place", "layer": 0, "name": text("Deck"), "timeZone": "Europe/London"},
        {
            "id": "Z",
            "type": "identifiedArea",
            "layer": 1,
            "name": text("A"),
            "parentId": {"id": "P"},
        },
    ]
    zone = right("T", hierarchyElements=[{"id": "Z"}])
    found = imported(table(line(2)), zone, *places)
    assert found.time_zone == "Europe/London"
    assert found.tables[0]["for"] == {"zones": ["A"]}


def test_a_table_that_no_right_refers_to_is_left_out() -> None:
    found = imported(table(line(2), id="A"), table(line(3), id="B"), right("A"), right("C"))
    assert len(found.tables) == 1
    lost = said(found, "lost")
    assert "no right specification" in lost["/1"]
    assert "the table C" in lost["/3/rateEligibility/0"]


# ── what is wrong ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "complaints"),
    [
        (3, ["/: expected an array of objects, got 3"]),
        ([], ["/: expected a rate table"]),
        ([{}], ["/0: expected a rate table, a right"]),
        ([{"rateTableName": "x"}], ["/0/rateLineCollections: is missing"]),
        ([right("T")], ["/: expected a rate table"]),
        ([table()], ["/0/rateLineCollections/0/rateLines: expected at least one rate line"]),
        (
            [table(line(2, incrementPeriod=None))],
            ["/0/rateLineCollections/0/rateLines/0/incrementPeriod: is missing"],
        ),
        (
            [table({"rateLineType": "hourly", "value": "2", "incrementPeriod": "P1M"})],
            [
                "/0/rateLineCollections/0/rateLines/0/rateLineType: expected one of flatRate",
                "/0/rateLineCollections/0/rateLines/0/incrementPeriod: expected a length such as",
                "/0/rateLineCollections/0/rateLines/0/value: expected a number from 0",
            ],
        ),
        (
            [table(line(1, durationEnd="02:00"), line(1, durationStart="01:00"))],
            ["/0/rateLineCollections/0/rateLines/1: expected lines that do not overlap"],
        ),
        (
            [table(line(1, durationStart="02:00", durationEnd="01:00"))],
            ["/0/rateLineCollections/0/rateLines/0/durationEnd: expected more than"],
        ),
        (
            [table(line(1), resetTime="2am", applicableCurrency="XXX", taxRate=120)],
            [
                "/0/rateLineCollections/0/applicableCurrency: expected an ISO 4217",
                "/0/rateLineCollections/0/taxRate: expected a percentage",
                "/0/rateLineCollections/0/resetTime: expected a time of day",
            ],
        ),
        (
            [table(line(1)), table(line(1), applicableCurrency="EUR")],
            ["/1/rateLineCollections/0/applicableCurrency: expected the GBP of the first"],
        ),
        (
            [table(line(1), validity=holds(hours("8", "18:00", ["mon"])))],
            [
                "/0/validity/validityTimeSpecification/validPeriods/0/recurringDayWeekMonthPeriod",
                "/0/validity/validityTimeSpecification/validPeriods/0/recurringTimePeriodOfDay/0",
            ],
        ),
        (
            [table(line(1)), {"rateEligibility": [{"priority": "first"}]}],
            [
                "/1/rateEligibility/0/rateTable: is missing",
                "/1/rateEligibility/0/priority: expected a whole number",
            ],
        ),
    ],
)
def test_wrong_documents_name_each_place(document: object, complaints: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        read("apds", document)
    lines = str(raised.value).splitlines()
    assert len(lines) == len(complaints), lines
    for complaint, expected in zip(lines, complaints, strict=True):
        assert complaint.startswith(expected)
