"""The models of tariffs: what one key may hold, and what is said of what it may not."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gated.core.errors import ConfigError
from gated.fields import VehicleType
from gated.tariff.file import load_tariffs
from gated.tariff.json_schema import tariff_json_schema
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, FlatTariff, TierTariff
from tests.tariff.files import (
    BAND,
    BLOCK,
    CALENDAR,
    EVERYTHING,
    FACILITY,
    FLAT,
    TIER,
    changed,
    complaints,
    tariffs,
)

SCHEMA = Path(__file__).parents[2] / "docs" / "tariff.schema.json"


def one(text: str) -> AnyTariff:
    (tariff,) = tariffs(text).tariffs
    return tariff


def test_a_strategy_has_its_own_model() -> None:
    flat, block, tier, band = one(FLAT), one(BLOCK), one(TIER), one(BAND)
    assert isinstance(flat, FlatTariff)
    assert flat.amount == 4
    assert isinstance(block, BlockTariff)
    assert block.steps[0].minutes == 60
    assert isinstance(tier, TierTariff)
    assert tier.tiers[1].up_to_minutes is None
    assert isinstance(band, BandTariff)
    assert [(each.from_, each.until) for each in band.bands] == [
        ("06:00", "22:00"),
        ("22:00", "06:00"),
    ]


def test_all_fields_of_the_language_are_taken() -> None:
    tariff = one(CALENDAR + EVERYTHING)
    assert isinstance(tariff, BandTariff)
    unset = {name for name, value in tariff if value is None or value == ()}
    assert unset == set(), "the text above is to state every field"
    assert tariff.for_ is not None
    assert tariff.for_.vehicle_types == (VehicleType.CAR, VehicleType.VAN)
    assert [step.factor for step in tariff.occupancy] == [Decimal("1.25"), 2]
    assert [step.from_percent for step in tariff.occupancy] == [80, Decimal("92.5")]
    assert [special.exit_day for special in tariff.specials] == [0, "any"]
    assert tariff.bands[1].tiers is not None
    assert tariff.bands[1].tiers[0].price == Decimal("0.12345678")


def test_the_calendar_is_taken_with_and_without_quotes_and_names() -> None:
    calendar = tariffs(CALENDAR + FLAT).calendar
    assert [(day.day, day.kind, day.name) for day in calendar] == [
        (date(2026, 12, 25), "holiday", "Christmas Day"),
        (date(2026, 5, 16), "match", ""),
    ]


def test_a_file_is_read_with_what_the_facility_takes_strangers_for(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text(FACILITY + FLAT)
    loaded = load_tariffs(file)
    assert loaded.facility.vehicle_type_default is VehicleType.CAR
    assert loaded.document.name == str(file)
    file.write_text(f'{FACILITY}vehicle_type_default = "VAN"\n{FLAT}')
    assert load_tariffs(file).facility.vehicle_type_default is VehicleType.VAN
    with pytest.raises(ConfigError, match="no such file"):
        load_tariffs(tmp_path / "none.toml")


EXACT = 'expected an exact amount in quotes, such as "4.50", got'
NUMBER = 'expected a whole number, or an exact one in quotes, such as "7.5", got'
END = 'expected a time of day from "00:00" to "24:00", such as "06:00", got'
BEGIN = 'expected a time of day from "00:00" to "23:59", such as "06:00", got'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # amounts
        (changed(FLAT, ('"4.00"', "4.00")), f"7: tariff.amount: {EXACT} 4.0"),
        (changed(FLAT, ('"4.00"', "4")), f"7: tariff.amount: {EXACT} 4"),
        (changed(FLAT, ("4.00", "-4.00")), f'7: tariff.amount: {EXACT} "-4.00"'),
        (changed(FLAT, ("4.00", "4,00")), f'7: tariff.amount: {EXACT} "4,00"'),
        (changed(FLAT, ("4.00", "1e3")), f'7: tariff.amount: {EXACT} "1e3"'),
        (changed(FLAT, ("4.00", "0.123456789")), f'7: tariff.amount: {EXACT} "0.123456789"'),
        (changed(FLAT, ("4.00", "12345678901")), f'7: tariff.amount: {EXACT} "12345678901"'),
        (changed(BLOCK, ('"2.00"', "2.5")), f"7: tariff.steps.price: {EXACT} 2.5"),
        # percentages and factors
        (
            FLAT + "occupancy = [{ from_percent = 80, factor = 1.5 }]",
            f"10: tariff.occupancy.factor: {NUMBER} 1.5",
        ),
        (
            FLAT + "occupancy = [{ from_percent = true, factor = 1 }]",
            f"10: tariff.occupancy.from_percent: {NUMBER} true",
        ),
        (
            FLAT + 'occupancy = [{ from_percent = "101", factor = 1 }]',
            "10: tariff.occupancy.from_percent: expected a percentage from 0 to 100, got 101",
        ),
        (
            FLAT + "occupancy = [{ from_percent = 0, factor = 101 }]",
            "10: tariff.occupancy.factor: expected less than or equal to 100, got 101",
        ),
        # times and days
        (
            changed(BAND, ('"06:00"\nuntil', '"6:00"\nuntil')),
            f'14: tariff.bands.from: {BEGIN} "6:00"',
        ),
        (
            changed(BAND, ('"06:00"\nuntil', '"24:00"\nuntil')),
            f'14: tariff.bands.from: {BEGIN} "24:00"',
        ),
        (
            changed(BAND, ('until = "22:00"', 'until = "24:01"')),
            f'15: tariff.bands.until: {END} "24:01"',
        ),
        (
            changed(BAND, ('until = "22:00"', "until = 22:00:00")),
            '15: tariff.bands.until: expected no date or time, but text such as "06:00"',
        ),
        (
            changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = []')),
            "22: tariff.bands.days: expected at least 1, got 0",
        ),
        (
            changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["sat", "sat"]')),
            '22: tariff.bands.days: expected each once, got "sat" twice',
        ),
        (
            FLAT + 'specials = [{ name = "S", price = "1", exit_day = -1 }]',
            '10: tariff.specials.exit_day: expected a number of days from 0 to 366, or "any", got',
        ),
        (
            FLAT + 'specials = [{ name = "S", price = "1", exit_day = "next" }]',
            "10: tariff.specials.exit_day: expected a number of days from 0 to 366, or",
        ),
        (
            '[[calendar]]\nday = 2026-01-01\nkind = "holiday_eve"\n' + FLAT,
            "6: calendar.kind: expected holiday or a name of your own: holiday_eve is one of gated",
        ),
        (
            '[[calendar]]\nday = 2026-01-01\nkind = "Match"\n' + FLAT,
            "6: calendar.kind: expected holiday or a name of a-z, 0-9, _ and - that begins with",
        ),
        # answers
        (
            changed(FLAT, ('"charged"', '"maybe"')),
            "8: tariff.zero_stay: expected 'free' or 'charged', got \"maybe\"",
        ),
        (
            FLAT + 'entrance_fee_capped = "yes"',
            '10: tariff.entrance_fee_capped: expected true or false, got "yes"',
        ),
        (
            changed(BAND, ('flat = "3.00"', "free = false")),
            "21: tariff.bands.free: expected true, or to be left out",
        ),
        # keys
        (
            changed(FLAT, ("amount", "amuont")),
            "7: tariff.amuont: unknown key: did you mean amount?",
        ),
        (
            changed(FLAT, ('amount = "4.00"\n', "")),
            "4: tariff.amount: is missing: expected the price of a stay, in quotes, such as '4.50'",
        ),
        (
            changed(FLAT, ("FLAT", "BLOCK")),
            "4: tariff.steps: is missing: expected at least one step, such as { minutes = 60,",
        ),
        (
            changed(FLAT, ("FLAT", "HOURLY")),
            "6: tariff.strategy: expected 'FLAT', 'BLOCK', 'TIER', 'BAND', got \"HOURLY\"",
        ),
        (
            changed(FLAT, ('strategy = "FLAT"\n', "")),
            "4: tariff.strategy: is missing: expected FLAT, BLOCK, TIER or BAND",
        ),
        (
            changed(BLOCK, ("minutes", "minuets")),
            "7: tariff.steps.minuets: unknown key: did you mean",
        ),
        (FLAT + "bands = []", "10: tariff.bands: does not go with FLAT"),
        (FLAT + "caps = []", "10: tariff.caps: expected at least 1, got 0"),
        (
            FLAT + "for = { vehicle_types = ['BIKE'] }",
            "10: tariff.for.vehicle_types: expected 'MOTORCYCLE', 'CAR', 'SUV', 'VAN', 'TRUCK' or",
        ),
        (
            FLAT + "for = { color = 'red' }",
            "10: tariff.for.color: unknown key: expected one of: veh",
        ),
        (
            FLAT + "rounding = { mode = 'up' }",
            "10: tariff.rounding.per: is missing: expected line or",
        ),
        (
            FLAT + "taxes = [{ name = 'VAT', percent = 19 }]",
            "10: tariff.taxes.rounding: is missing: expected how the tax is rounded: half_up,",
        ),
        ("", " tariff: is missing: expected at least one [[tariff]]"),
    ],
)
def test_a_value_that_is_none_is_named_with_its_place(text: str, expected: str) -> None:
    found = complaints(text)
    # Some leave a question open as well.
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Europe/Berlin", "Berlin", "2: facility.time_zone: expected an IANA time zone such as"),
        ("EUR", "EUX", "3: facility.currency: expected an ISO 4217 currency code, got"),
        ("time_zone", "timezone", "2: facility.timezone: unknown key: did you mean time_zone?"),
        ("time_zone", "clock", "1: facility.time_zone: is missing: expected an IANA time zone"),
    ],
)
def test_the_facility_is_known(old: str, new: str, expected: str) -> None:
    found = complaints(FLAT, changed(FACILITY, (old, new)))
    assert found[0].startswith(expected), found


def test_the_committed_json_schema_is_that_of_the_models() -> None:
    assert SCHEMA.read_text() == tariff_json_schema(), (
        "renew it: python -m gated.tariff > docs/tariff.schema.json"
    )
