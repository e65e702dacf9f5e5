"""Tariffs as rows: the keys of the file, amounts as text, nothing that was left out."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gated.core.money import EXPONENTS
from gated.fields import VehicleType
from gated.tariff.model import BandTariff, BlockTariff, FlatTariff, Tariff, TierTariff
from gated.tariff.row import TariffRow, rows, tariff_row
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from tests.tariff.files import CALENDAR, EVERYTHING, FACILITY, FLAT, changed, tariffs

TARIFF: TypeAdapter[Tariff] = TypeAdapter(Tariff)

Values = dict[str, Any]


def read(values: Values) -> Tariff:
    """As a file is read: through JSON, whose strictness is that of TOML."""
    return TARIFF.validate_json(json.dumps(values))


def row(text: str, currency: str = "EUR") -> TariffRow:
    (found,) = rows(tariffs(text, changed(FACILITY, ("EUR", currency))))
    return found


def test_the_row_of_a_small_tariff() -> None:
    assert row(FLAT) == TariffRow(
        name="T",
        strategy="FLAT",
        config={"amount": "4.00", "zero_stay": "charged", "second_visit": "separate"},
        priority=0,
        free_minutes=0,
    )


def test_the_row_of_a_tariff_with_everything() -> None:
    found = row(CALENDAR + EVERYTHING)
    assert (found.name, found.strategy, found.priority, found.free_minutes) == ("T", "BAND", 7, 10)
    assert found.config == {
        "free_minutes_reading": "deducted",
        "free_minutes_limit": "exclusive",
        "zero_stay": "free",
        "limit_reading": "inclusive",
        "new_day": "calendar_day",
        "day_begins": "06:00",
        "band_border": "continue",
        "entrance_fee": "1.00",
        "entrance_fee_capped": False,
        "minimum": "1.50",
        "special_wins": "cheapest",
        "occupancy": [
            {"from_percent": "80", "factor": "1.25"},
            {"from_percent": "92.5", "factor": "2"},
        ],
        "occupancy_caps": "fixed",
        "validation_order": "given",
        "validation_stacking": "all",
        "second_visit": "reduced",
        "second_visit_minutes": 30,
        "second_visit_percent": "33.3",
        "tax_included": True,
        "tax_per": "total",
        "taxes": [{"name": "VAT", "percent": "7.7", "rounding": "half_up"}],
        "rounding": {"mode": "half_even", "per": "total", "to": "0.05"},
        "lost_ticket": {"amount": "25.00", "reading": "at_least"},
        "for": {
            "vehicle_types": ["CAR", "VAN"],
            "electric": True,
            "accessible": False,
            "members": ["gold"],
            "reserved": True,
            "zones": ["A"],
        },
        "bands": [
            {
                "name": "week",
                "days": ["mon", "tue", "wed", "thu", "fri"],
                "steps": [
                    {"minutes": 60, "price": "2.00", "times": 1},
                    {"seconds": 1, "price": "3.00", "price_minutes": 60},
                ],
                "maximum": "12.00",
            },
            {
                "name": "night",
                "from": "22:00",
                "until": "24:00",
                "tiers": [{"up_to_minutes": 60, "price": "0.12345678"}, {"price": "1.00"}],
            },
            {"name": "matches", "days": ["match", "holiday", "holiday_eve"], "flat": "9.00"},
            {"name": "weekend", "days": ["sat", "sun"], "free": True},
            {"name": "never", "days": ["sun"], "unsold": True},
        ],
        "caps": [
            {
                "per": "calendar_week",
                "amount": "50.00",
                "reading": "multiplied",
                "begins": "02:00",
                "week_begins": "mon",
            }
        ],
        "specials": [
            {
                "name": "early bird",
                "price": "8.00",
                "days": ["mon"],
                "enter_from": "06:00",
                "enter_until": "09:00",
                "exit_from": "15:00",
                "exit_until": "24:00",
                "exit_day": 0,
            },
            {"name": "theatre", "price": "6.00", "exit_until": "24:00", "exit_day": "any"},
        ],
        "validations": [
            {"name": "hotel", "free": True},
            {"name": "shop", "free_minutes": 60},
            {"name": "cinema", "amount": "2.00"},
            {"name": "club", "percent": "50"},
        ],
        "reservation": {"early": "free", "unused": "charged", "overstay": "anew"},
    }


@pytest.mark.parametrize(
    ("written", "currency", "stored"),
    [
        ("4", "EUR", "4.00"),
        ("4.5", "EUR", "4.50"),
        ("4.500", "EUR", "4.50"),
        ("004.00", "EUR", "4.00"),
        ("0", "EUR", "0.00"),
        ("0.00000000", "EUR", "0.00"),
        ("0.13416667", "EUR", "0.13416667"),
        ("9999999999.12345678", "EUR", "9999999999.12345678"),
        ("500", "JPY", "500"),
        ("500.00", "JPY", "500"),
        ("1000000000", "JPY", "1000000000"),
        ("0.5", "JPY", "0.5"),
        ("1", "KWD", "1.000"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_no_needless_ones(
    written: str, currency: str, stored: str
) -> None:
    rounding = 'rounding = { mode = "up", per = "total" }\n'
    assert row(changed(FLAT, ("4.00", written)) + rounding, currency).config["amount"] == stored


# ── whatever the models take ────────────────────────────────────────────────────────────────

amounts = st.from_regex(r"[0-9]{1,10}(\.[0-9]{1,8})?", fullmatch=True)
percents = st.one_of(
    st.integers(0, 100), st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,8})?", fullmatch=True)
)
texts = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
minutes = st.integers(1, 525_600)
begins = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
ends = st.one_of(begins, st.just("24:00"))
days = st.lists(
    st.one_of(st.sampled_from((*WEEKDAYS, HOLIDAY, HOLIDAY_EVE)), texts),
    min_size=1,
    max_size=4,
    unique=True,
)
names = st.lists(texts, min_size=1, max_size=3, unique=True)
roundings = st.sampled_from(("half_up", "half_even", "up", "down"))


def table(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(required, optional=optional)


def some(tables: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(tables, min_size=1, max_size=3)


def either(*answers: str) -> st.SearchStrategy[str]:
    return st.sampled_from(answers)


steps = some(
    table(
        {"price": amounts},
        minutes=minutes,
        seconds=minutes,
        price_minutes=minutes,
        times=st.integers(1, 100_000),
    )
)
tiers = some(table({"price": amounts}, up_to_minutes=minutes))
bands = some(
    table(
        {"name": texts},
        **{"from": begins},
        until=ends,
        days=days,
        steps=steps,
        tiers=tiers,
        flat=amounts,
        free=st.just(value=True),
        unsold=st.just(value=True),
        maximum=amounts,
    )
)
COMMON: dict[str, Any] = {
    "priority": st.integers(-1_000, 1_000),
    "for": table(
        {},
        vehicle_types=st.lists(
            st.sampled_from([each.value for each in VehicleType]), min_size=1, unique=True
        ),
        electric=st.booleans(),
        accessible=st.booleans(),
        members=names,
        reserved=st.booleans(),
        zones=names,
    ),
    "free_minutes": st.integers(0, 10_080),
    "free_minutes_reading": either("deducted", "threshold"),
    "free_minutes_limit": either("inclusive", "exclusive"),
    "zero_stay": either("free", "charged"),
    "limit_reading": either("inclusive", "exclusive"),
    "new_day": either("rolling_24h", "calendar_day", "continue"),
    "day_begins": begins,
    "band_border": either("restart", "continue"),
    "entrance_fee": amounts,
    "entrance_fee_capped": st.booleans(),
    "minimum": amounts,
    "caps": some(
        table(
            {
                "per": either("rolling_24h", "calendar_day", "rolling_7d", "calendar_week", "stay"),
                "amount": amounts,
            },
            reading=either("each", "multiplied"),
            begins=begins,
            week_begins=st.sampled_from(WEEKDAYS),
        )
    ),
    "specials": some(
        table(
            {"name": texts, "price": amounts},
            days=days,
            enter_from=begins,
            enter_until=ends,
            exit_from=ends,
            exit_until=ends,
            exit_day=st.one_of(st.integers(0, 366), st.just("any")),
        )
    ),
    "special_wins": either("listed", "cheapest_special", "cheapest"),
    "occupancy": some(table({"from_percent": percents, "factor": percents})),
    "occupancy_caps": either("raised", "fixed"),
    "reservation": table(
        {},
        early=either("free", "charged"),
        unused=either("free", "charged"),
        overstay=either("continued", "anew"),
    ),
    "lost_ticket": table({"amount": amounts}, reading=either("instead", "at_least", "added")),
    "validations": some(
        table(
            {"name": texts},
            free_minutes=minutes,
            amount=amounts,
            percent=percents,
            free=st.just(value=True),
        )
    ),
    "validation_order": either("listed", "given"),
    "validation_stacking": either("all", "best"),
    "second_visit": either("separate", "continued", "reduced"),
    "second_visit_minutes": minutes,
    "second_visit_percent": percents,
    "taxes": some(table({"name": texts, "percent": percents, "rounding": roundings})),
    "tax_included": st.booleans(),
    "tax_per": either("line", "total"),
    "rounding": table({"mode": roundings, "per": either("line", "total")}, to=amounts),
}
anything: st.SearchStrategy[Values] = st.one_of(
    [
        table({"name": texts, "strategy": st.just(strategy), key: value}, **COMMON)
        for strategy, key, value in (
            ("FLAT", "amount", amounts),
            ("BLOCK", "steps", steps),
            ("TIER", "tiers", tiers),
            ("BAND", "bands", bands),
        )
    ]
)
currencies = st.sampled_from(sorted(EXPONENTS))


def test_all_fields_are_tried() -> None:
    fields = {
        info.alias or name
        for model in (FlatTariff, BlockTariff, TierTariff, BandTariff)
        for name, info in model.model_fields.items()
    }
    assert fields == {*COMMON, "name", "strategy", "amount", "steps", "tiers", "bands"}


@given(anything, currencies)
def test_what_the_models_take_makes_a_row_that_says_the_same(values: Values, currency: str) -> None:
    tariff = read(values)
    stored = tariff_row(tariff, currency)
    config = json.loads(json.dumps(stored.config))
    assert config == stored.config
    columns = {
        "name": stored.name,
        "strategy": stored.strategy,
        "priority": stored.priority,
        "free_minutes": stored.free_minutes,
    }
    assert not columns.keys() & config.keys()
    again = read({**columns, **config})
    assert again == tariff
    assert tariff_row(again, currency) == stored
    assert config.keys() == values.keys() - columns.keys()
    assert keys(config) == keys({key: values[key] for key in config})
    assert not list(floats(config))


def keys(value: object) -> object:
    """The keys of all tables."""
    match value:
        case dict():
            return {key: keys(each) for key, each in value.items()}
        case list():
            return [keys(each) for each in value]
        case _:
            return None


def floats(value: object) -> list[object]:
    match value:
        case dict():
            return [found for each in value.values() for found in floats(each)]
        case list():
            return [found for each in value for found in floats(each)]
        case float() | Decimal():
            return [value]
        case _:
            return []
