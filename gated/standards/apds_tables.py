"""Rate tables, right specifications and places of APDS as their JSON says them.

Taken are the names of its JSON API (version 4), those of its data dictionary and of DATEX II where
they differ, with or without the arrays around single objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gated.standards.apds_days import Validity, validity_of
from gated.standards.lengths import seconds_of_iso, seconds_of_length
from gated.standards.source import Part, Source, currency_of, parts_of
from gated.standards.steps import MINUTE, SECONDS_MAX
from gated.standards.windows import DAY
from gated.validation import excerpt

_LINE_TYPES = ("flatRate", "flatRateTier", "incrementingRate", "perUnit")
_USAGES = ("fixedDuration", "fixedNumber", "once", "unlimited")
_COLLECTIONS = ("rateLineCollections", "rateLineCollection")
_ELIGIBILITIES = ("rateEligibility", "rateEligibilities")


@dataclass(frozen=True, slots=True)
class RateLine:
    """A price: once (flatRate), of a stretch of the stay (flatRateTier), or of each increment."""

    pointer: str
    type: str
    value: Decimal
    starts: int | None
    ends: int | None
    increment: int | None
    least: Decimal | None
    most: Decimal | None
    once: bool


@dataclass(frozen=True, slots=True)
class Collection:
    """Lines that belong together, with what they cost at least and at most."""

    pointer: str
    lines: tuple[RateLine, ...]
    currency: str
    relative_times: bool | None
    least: Decimal | None
    most: Decimal | None
    longest: int | None
    # In minutes of the day.
    reset: int | None
    tax_included: bool | None
    tax_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class RateTable:
    """What a stay costs, and when, if it says so itself."""

    pointer: str
    id: str
    name: str
    collections: tuple[Collection, ...]
    validity: Validity


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who is priced by which table: a rate eligibility of a right specification."""

    pointer: str
    name: str
    priority: int | None
    table: str
    discount: Decimal | None
    is_second_visit: bool
    is_free: bool
    conditions: Mapping[str, Any]
    unsayable: str
    validity: Validity


@dataclass(frozen=True, slots=True)
class Rates:
    """Everything that a document says of rates."""

    tables: tuple[RateTable, ...]
    eligible: tuple[Eligible, ...]
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a document by what they are."""

    tables: list[Part]
    rights: list[Part]
    places: list[Part]


def objects_of(source: Source, document: object) -> Objects:
    """The objects of a document: one, an array, the answer of a server with `data`, a rate matrix,
    or an object with `rateTables`, `rightSpecifications` and `places`."""
    found = Objects([], [], [])
    if isinstance(document, Mapping):
        envelope = Part(source, document, "")
        keys = ("data", "rateMatrix", "rateTables", "rateTable", "rightSpecifications", "places")
        if any(isinstance(document.get(key), list | Mapping) for key in keys) and not any(
            key in document for key in (*_COLLECTIONS, *_ELIGIBILITIES)
        ):
            envelope.ignore("meta", "id", "version", "versionTime", "name", "description")
            for matrix in envelope.parts("rateMatrix"):
                found.tables.extend(matrix.parts("rateTable", "rateTables"))
            found.tables.extend(envelope.parts("rateTables", "rateTable"))
            found.rights.extend(envelope.parts("rightSpecifications"))
            found.places.extend(envelope.parts("places"))
            for part in envelope.parts("data"):
                _sort(source, part, found)
            envelope.rest_is_lost()
            return found
    for part in parts_of(source, document, ""):
        _sort(source, part, found)
    return found


def _sort(source: Source, part: Part, found: Objects) -> None:
    if part.has(*_COLLECTIONS):
        found.tables.append(part)
    elif part.has(*_ELIGIBILITIES):
        found.rights.append(part)
    elif part.has("timeZone", "parentId", "parent", "placeStreetAddress", "layer"):
        found.places.append(part)
    elif part.has("rateTableName"):
        source.complain(part.at(*_COLLECTIONS), "is missing: expected the lines of the table")
    else:
        source.complain(part.pointer, "expected a rate table, a right specification or a place")


def table_of(source: Source, part: Part) -> RateTable:
    part.ignore("version", "availability", "rateResponsibleParty", "responsibleParty", "rateType")
    part.ignore("type", "additionalInformation", "rateSupersedeLink", "rateTableID", "lastUpdated")
    if part.flag("validation"):
        source.lost(part.at("validation"), "validations are taken, but not what they are worth")
    collections = [
        _collection(source, each)
        for each in part.parts(*_COLLECTIONS, needed="the lines of the table")
    ]
    table = RateTable(
        part.pointer,
        part.text("id") or part.pointer,
        part.words("rateTableName", "name") or "imported",
        tuple(collection for _, collection in sorted(collections, key=lambda each: each[0])),
        validity_of(source, part.part("validity", "rateTableValidity")),
    )
    part.rest_is_lost()
    return table


def _collection(source: Source, part: Part) -> tuple[int, Collection]:
    part.ignore("id", "version")
    sequence = part.whole("collectionSequence", "sequence")
    for names, what in (
        (("validStart", "startValidUsagePeriod"), "the file is applied when this time has come"),
        (("validEnd", "endValidUsagePeriod"), "it is ended by another file when this has come"),
    ):
        if part.has(*names):
            source.assumed(part.at(*names), what)
        part.ignore(*names)
    currency = part.text("applicableCurrency", needed="an ISO 4217 currency code")
    currency_of(source, currency, part.at("applicableCurrency"))
    lines = [
        _line(source, each)
        for each in part.parts("rateLines", "rateLine", needed="at least one rate line")
    ]
    rate = part.amount("taxRate")
    if rate is not None and rate > 100:
        source.complain(part.at("taxRate"), f"expected a percentage, got {rate}")
    if part.has("minTime"):
        source.lost(part.at("minTime"), "minTime: a shortest time is none of a tariff")
        part.ignore("minTime")
    collection = Collection(
        part.pointer,
        tuple(line for _, line in sorted(lines, key=lambda numbered: numbered[0])),
        currency or "",
        part.flag("relativeTimes"),
        _money(part, "minValueCollection"),
        _money(part, "maxValueCollection"),
        _length(part, "maxTime"),
        _reset(part),
        part.flag("taxIncluded"),
        rate,
    )
    part.rest_is_lost()
    return sequence or 0, collection


def _line(source: Source, part: Part) -> tuple[int, RateLine]:
    part.ignore("id", "version", "description")
    sequence = part.whole("sequence")
    kind = part.word("rateLineType", "type", of=_LINE_TYPES)
    increment = _length(part, "incrementPeriod")
    if kind is None and not part.has("rateLineType", "type"):
        kind = "flatRate" if increment is None else "incrementingRate"
        source.assumed(part.pointer, f"a line without rateLineType is read as {kind}")
    usage = part.word("usageCondition", of=_USAGES)
    if usage in ("fixedDuration", "fixedNumber"):
        source.lost(part.at("usageCondition"), f"{usage}: how often or long is not said")
    line = RateLine(
        part.pointer,
        kind or "flatRate",
        part.amount("value", needed="the price of the line") or Decimal(0),
        _length(part, "durationStart", "durationStartTime"),
        _length(part, "durationEnd", "durationEndTime"),
        increment or None,
        _money(part, "minValue"),
        _money(part, "maxValue"),
        usage == "once",
    )
    if line.starts is not None and line.ends is not None and line.ends <= line.starts:
        expected = "expected more than durationStart"
        source.complain(part.at("durationEnd", "durationEndTime"), expected)
    part.rest_is_lost()
    return sequence or 0, line


def _money(part: Part, name: str) -> Decimal | None:
    """An amount: a number, or one with its currency beside it."""
    if isinstance(part.raw(name), Mapping):
        inner = part.part(name)
        assert inner is not None, "it is an object"
        inner.ignore("currencyType")
        return inner.amount("currencyValue", needed="an amount")
    return part.amount(name)


def _length(part: Part, *names: str) -> int | None:
    """A length in seconds; a number is one of minutes, as in the D-TRO profile."""
    value = part.raw(*names)
    if value is None:
        return None
    if not isinstance(value, str):
        minutes = part.whole(*names)
        return None if minutes is None else _bounded(part, names, minutes * MINUTE)
    is_iso = names[0] in ("incrementPeriod", "maxTime")
    seconds = seconds_of_iso(value) if is_iso else seconds_of_length(value)
    if seconds is None:
        example = '"PT1H"' if is_iso else '"01:30"'
        part.source.complain(
            part.at(*names), f"expected a length such as {example}, got {excerpt(value)}"
        )
        return None
    if value.count(":") == 2:
        what = f'"{value}" is days, hours and minutes'
        part.source.assumed(part.at(*names), what)
    return _bounded(part, names, seconds)


def _bounded(part: Part, names: tuple[str, ...], seconds: int) -> int:
    if seconds > SECONDS_MAX:
        part.source.complain(part.at(*names), "expected at most a year")
    return min(seconds, SECONDS_MAX)


def _reset(part: Part) -> int | None:
    minutes = part.clock("resetTime")
    return None if minutes is None else minutes % DAY
