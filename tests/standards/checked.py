"""What holds of every import, whatever it was made from."""

import re
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gated.core.errors import ConfigError
from gated.standards import Imported, Remark, TariffTable
from gated.standards.toml_text import written
from gated.tariff.file import check_tariffs
from gated.toml import parse
from gated.validation import ConfigErrors
from tests.tariff.oracle import Oracle, Rule

ANSWERS: dict[str, Any] = {
    "zero_stay": "free",
    "limit_reading": "inclusive",
    "new_day": "continue",
    "band_border": "restart",
    "second_visit": "separate",
    "entrance_fee_capped": True,
    "tax_included": True,
    "tax_per": "total",
    "rounding": {"mode": "half_up", "per": "total"},
}


def checked(imported: Imported) -> str:
    """The text of an import, which reads back as its tables, is refused for what it asks, and for
    nothing once it is answered."""
    text = written(imported)
    assert max(map(len, text.splitlines())) <= 250
    read = tomllib.loads(text)
    assert read.get("tariff", []) == imported.tables
    assert read["facility"]["currency"] == imported.currency
    assert read["facility"].get("time_zone") == imported.time_zone
    asked = {remark.place for remark in imported.remarks if remark.kind == "ask"}
    assert text.count("# ask: ") == len(asked)
    if imported.tables:
        _refused_for_what_is_asked(imported, asked)
        check_tariffs(parse(written(answered(imported)) + _calendar(imported.tables), "answered"))
    return text


def _refused_for_what_is_asked(imported: Imported, asked: set[tuple[str | int, ...]]) -> None:
    """Every question of ours is one that the file is refused for, and the other way round. Whether
    a question is asked shows only where nothing else is wrong."""
    for place in asked:
        if place == ("calendar",):
            continue
        text = written(answered(imported, without=place)) + _calendar(imported.tables)
        with pytest.raises(ConfigError) as raised:
            check_tariffs(parse(text, "unanswered"))
        assert not isinstance(raised.value, ConfigErrors), (place, raised.value)
        assert "missing" in str(raised.value)
        assert str(place[-1]) in str(raised.value)


def answered(imported: Imported, without: tuple[str | int, ...] = ()) -> Imported:
    """The import with an answer to all that it asks, but one."""
    tables = [{**table} for table in imported.tables]
    time_zone = imported.time_zone
    for remark in imported.remarks:
        if remark.kind != "ask" or remark.place == without:
            continue
        match remark.place:
            case ("time_zone",):
                time_zone = "Europe/Berlin"
            case (int(index), "taxes", int(number), "rounding"):
                taxes = [{**tax} for tax in tables[index]["taxes"]]
                taxes[number]["rounding"] = "half_up"
                tables[index]["taxes"] = taxes
            case (int(index), str(key)):
                tables[index][key] = ANSWERS[key]
            case ("calendar",):
                pass
            case _:
                raise AssertionError(remark)
    return Imported(tables, imported.currency, time_zone, [])


def _calendar(tables: list[TariffTable]) -> str:
    days = {day for t in tables for band in t.get("bands", []) for day in band.get("days", [])}
    kinds = sorted(day for day in days if len(day) > 3 and day not in ("holiday", "holiday_eve"))
    return "".join(f'\n[[calendar]]\nday = 2026-12-25\nkind = "{kind}"\n' for kind in kinds)


def said(imported: Imported, kind: str) -> dict[str, str]:
    """What is said of a kind, by the pointer into the source."""
    return {each.where: each.what for each in imported.remarks if each.kind == kind}


def asked_keys(imported: Imported, index: int = 0) -> set[str]:
    """The keys of a tariff that are asked for."""
    return {
        str(each.place[-1])
        for each in imported.remarks
        if each.kind == "ask" and each.place[:1] == (index,)
    }


def lost_keys(remarks: list[Remark]) -> set[str]:
    """The keys, of any tariff, that an export speaks of."""
    return {found[1] for each in remarks if (found := re.match(r"/\d+/(\w+)", each.where))}


def oracle_of(imported: Imported, exponent: int = 2) -> Oracle:
    """An oracle that prices by the tables of an import, all answered."""
    rules = []
    for table in imported.tables:
        own = ("name", "strategy", "priority", "free_minutes")
        config = {key: value for key, value in table.items() if key not in own}
        rules.append(
            Rule(
                table["name"],
                table["strategy"],
                config,
                table.get("free_minutes", 0),
                table.get("priority", 0),
                datetime(2000, 1, 1, tzinfo=UTC),
                None,
            )
        )
    return Oracle(rules, imported.time_zone or "UTC", exponent, {})


def costs(oracle: Oracle, entry: datetime, exit_: datetime) -> Decimal:
    return oracle.price(entry, exit_).amount
