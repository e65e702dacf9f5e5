"""Tariffs as an APDS document: rate tables, the right specifications that offer them, and places.

A tariff is one table and one right; one with bands, a table for each, and a right for each kind of
days that a band names, so that priorities tell which counts. What APDS has no place for is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from gated.standards.apds_days import over_midnight_unsaid, periods_of, unnamed_kinds
from gated.standards.apds_lines import (
    Charge,
    Writer,
    after_free_minutes,
    charges_of_steps,
    charges_of_tiers,
    flat_line,
    lines_of,
)
from gated.standards.apds_qualifications import qualifications_of
from gated.standards.apds_reading import rank_of_day
from gated.standards.imported import Remark, TariffTable
from gated.standards.steps import MINUTE
from gated.standards.windows import Window, window_of_band
from gated.tariff.file import TariffTables
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, FlatTariff, Tariff, TierTariff
from gated.tariff.parts import Band, Cap
from gated.toml import Document
from gated.validation import validate

_FACILITY = "facility"
# What a rate table has no place for, and why that matters to who reads it.
_UNSAID = {
    "zero_stay": "whether a stay of no length costs something",
    "limit_reading": "whether a stay of exactly 60 minutes begins the second hour",
    "free_minutes_limit": "whether a stay of exactly as many minutes as are free is free",
    "band_border": "whether a block lasts over the border of its hours",
    "specials": "prices by entry and exit",
    "special_wins": "which special counts",
    "occupancy": "prices by how full it is",
    "occupancy_caps": "whether maxima rise with occupancy",
    "reservation": "how reserved periods are sold",
    "lost_ticket": "what a lost ticket costs",
    "validations": "what a validation is worth: only that there are some is written",
    "validation_order": "in which order validations count",
    "validation_stacking": "how many validations count",
    "second_visit_minutes": "how long ago the earlier visit may have ended",
    "tax_per": "what tax is worked out on",
    "rounding": "how prices are rounded",
}


@dataclass(slots=True)
class _Document:
    """What is written."""

    currency: str
    valid_from: str | None
    tables: list[dict[str, Any]]
    rights: list[dict[str, Any]]


def exported(
    currency: str,
    time_zone: str,
    tables: Sequence[TariffTable],
    *,
    valid_from: datetime | None = None,
) -> tuple[dict[str, Any], list[Remark]]:
    """Tariffs, as their tables stand under [[tariff]], as an APDS document, and all it leaves out.

    The document has `rateTables`, `rightSpecifications` and `places`, each as the APDS API lists
    them. `valid_from` (aware) is when it begins to hold, which APDS requires. Remarks point into
    the list of tables. Raises ConfigError for tables that are none of tariffs.
    """
    facility = {"time_zone": time_zone, "currency": currency}
    values = {"facility": facility, "tariff": list(tables)}
    tariffs = validate(Document("tariffs", values, {}), TariffTables).tariff
    begin = None if valid_from is None else valid_from.isoformat()
    document = _Document(currency, begin, [], [])
    remarks = [
        Remark("", "ids are made up from the order of the tariffs: publish your own", "assumed"),
        Remark("", "issuer and hierarchyElements are to be those of the publisher", "ask"),
    ]
    if begin is None:
        what = "validStart and overallStartTime are required: from when on does this hold?"
        remarks.append(Remark("", what, "ask"))
    writers = [Writer(f"/{index}") for index in range(len(tariffs))]
    first = 1
    for _, level in groupby(_ranked(tariffs), key=lambda ranked: ranked[0]):
        used = first
        for _, index in level:
            last = _tariff(document, writers[index], tariffs[index], index + 1, first)
            used = max(used, last)
        first = used + 1
    for writer in writers:
        remarks += writer.remarks
    _in_order(document)
    zones = {zone for tariff in tariffs if tariff.for_ for zone in tariff.for_.zones or ()}
    return (
        {
            "rateTables": document.tables,
            "rightSpecifications": document.rights,
            "places": list(_places(time_zone, sorted(zones))),
        },
        remarks,
    )


def _ranked(tariffs: Sequence[Tariff]) -> list[tuple[tuple[int, bool], int]]:
    """The tariffs by priority, the highest first; after the others of a priority those whose
    conditions cannot be written, so that they take nobody from these."""
    return sorted(
        ((-tariff.priority, bool(_unsaid_conditions(tariff))), index)
        for index, tariff in enumerate(tariffs)
    )


def _in_order(document: _Document) -> None:
    """As the tariffs are listed, whatever their priorities."""
    for each in (document.tables, document.rights):
        each.sort(key=lambda made: [int(number) for number in made["id"].split("-")[1:]])


def _conditions(tariff: AnyTariff) -> dict[str, Any]:
    if tariff.for_ is None:
        return {}
    return tariff.for_.model_dump(mode="json", exclude_none=True)


def _unsaid_conditions(tariff: AnyTariff) -> list[str]:
    return qualifications_of(_conditions(tariff))[1]


def _tariff(document: _Document, writer: Writer, tariff: Tariff, number: int, priority: int) -> int:
    """Write a tariff whose first priority is this; the last that it used."""
    for key in _unsaid_conditions(tariff):
        writer.lost(f"for/{key}", "APDS cannot ask for it: after the others it is for everyone")
    for key, what in _UNSAID.items():
        if getattr(tariff, key) not in (None, ()):
            writer.lost(key, f"APDS does not say {what}")
    if len(tariff.taxes) > 1:
        writer.lost("taxes", "APDS has one tax of a table: the others are left out")
    for index, tax in enumerate(tariff.taxes):
        writer.lost(f"taxes/{index}/name", f"the name {tax.name}")
        writer.lost(f"taxes/{index}/rounding", "how the tax is rounded")
    if isinstance(tariff, BandTariff):
        return _bands(document, writer, tariff, number, priority)
    return _always(document, writer, tariff, number, priority)


def _always(
    document: _Document,
    writer: Writer,
    tariff: FlatTariff | BlockTariff | TierTariff,
    number: int,
    priority: int,
) -> int:
    common = _common(document, writer, tariff)
    collections = [{**common, **each} for each in _collections(writer, tariff)]
    _add_table(document, tariff, f"table-{number}", tariff.name, collections)
    right = f"right-{number}"
    if tariff.second_visit != "reduced" or tariff.second_visit_percent is None:
        if tariff.second_visit is not None and tariff.second_visit != "separate":
            writer.lost("second_visit", f"that another visit is {tariff.second_visit}")
        elif tariff.second_visit is not None:
            writer.lost("second_visit", "that another visit is priced by itself")
        _add_right(document, tariff, right, f"table-{number}", number, priority, ())
        return priority
    again = _add_right(document, tariff, f"{right}-2", f"table-{number}", number, priority, ())
    eligibility = again["rateEligibility"][0]
    link = {
        "qualifyingRightSpecification": {"id": f"{right}-1", "version": 1},
        "assignedRightTimeRelative": {
            "metaType": "RelativeTimes", "unit": "day", "earliestStartRelative": "current"
        },
    }  # fmt: skip
    inner = eligibility["eligibility"]
    qualification = inner.setdefault("qualifications", [{}])[0]
    qualification["linkedRightSpecification"] = link
    percent = writer.number("second_visit_percent", tariff.second_visit_percent)
    eligibility["rateDiscount"] = {"discountRate": percent}
    _add_right(document, tariff, f"{right}-1", f"table-{number}", number, priority + 1, ())
    return priority + 1


def _collections(
    writer: Writer, tariff: FlatTariff | BlockTariff | TierTariff
) -> list[dict[str, Any]]:
    """The collections of a tariff without bands: its lines, and a fee before them."""
    fee = tariff.entrance_fee or Decimal(0)
    free = tariff.free_minutes * MINUTE
    charges = _charges(writer, tariff)
    if free:
        _say_free(writer, tariff)
        is_deducted = tariff.free_minutes_reading != "threshold"
        charges = after_free_minutes(charges, free, fee, is_deducted=is_deducted)
        fee = Decimal(0)
    key = {"FLAT": "amount", "BLOCK": "steps", "TIER": "tiers"}[tariff.strategy]
    if isinstance(tariff, FlatTariff) and not free:
        lines = [flat_line(writer, key, tariff.amount)]
    else:
        lines = lines_of(writer, key, charges)
    own: list[dict[str, Any]] = [{"collectionSequence": 1, "rateLines": lines}]
    if fee:
        fee_line = flat_line(writer, "entrance_fee", fee)
        if tariff.entrance_fee_capped is False and tariff.caps:
            own = [{"collectionSequence": 1, "rateLines": [fee_line]}, *own]
            own[1]["collectionSequence"] = 2
        else:
            lines.insert(0, fee_line)
            for sequence, line in enumerate(lines, 1):
                line["sequence"] = sequence
    main = own[-1]
    if tariff.minimum is not None:
        if free or len(own) > 1:
            writer.lost("minimum", "it would be asked of free stays, or without the fee")
        else:
            main["minValueCollection"] = writer.number("minimum", tariff.minimum)
    _limits(writer, tariff, main)
    return own


def _charges(writer: Writer, tariff: FlatTariff | BlockTariff | TierTariff) -> list[Charge]:
    match tariff:
        case FlatTariff():
            return [Charge(0, None, None, tariff.amount)]
        case BlockTariff():
            return charges_of_steps(writer, "steps", tariff.steps)
        case TierTariff():
            return charges_of_tiers(tariff.tiers)


def _say_free(writer: Writer, tariff: AnyTariff) -> None:
    what = f"they are a first line that costs nothing, read as {tariff.free_minutes_reading}"
    if tariff.free_minutes_reading is None:
        what = "they are a first line that costs nothing, taken off every stay"
    writer.assumed("free_minutes", what)
    if tariff.free_minutes_reading is not None:
        writer.assumed("free_minutes_reading", "it is told by what the lines after it cost")
    if tariff.entrance_fee is not None:
        writer.assumed("entrance_fee", "it is part of the first line that costs something")
        if tariff.entrance_fee_capped is not None:
            writer.lost("entrance_fee_capped", "as part of a line the fee counts towards maxima")


def _limits(writer: Writer, tariff: AnyTariff, main: dict[str, Any]) -> None:
    """The one maximum that a collection has, and the time of day at which it begins anew."""
    daily = [cap for cap in tariff.caps if cap.per == "calendar_day"]
    whole = [cap for cap in tariff.caps if cap.per == "stay"]
    written = next(iter([*daily, *whole]), None)
    for index, cap in enumerate(tariff.caps):
        if cap is not written:
            what = "APDS has one maximum, of a stay or of a day with its reset"
            writer.lost(f"caps/{index}", f"per {cap.per}: {what}")
    reset = tariff.day_begins or "00:00" if tariff.new_day == "calendar_day" else None
    if written is not None:
        key = f"caps/{tariff.caps.index(written)}"
        main["maxValueCollection"] = writer.number(f"{key}/amount", written.amount)
        reset = _reset_of_cap(writer, tariff, written, key, reset)
        if tariff.entrance_fee_capped is not None and not tariff.entrance_fee:
            writer.lost("entrance_fee_capped", "there is no fee")
    elif tariff.new_day is not None and tariff.new_day != "calendar_day":
        writer.lost("new_day", f"APDS does not say {tariff.new_day}")
    if tariff.entrance_fee_capped is not None and written is None and tariff.entrance_fee:
        writer.lost("entrance_fee_capped", "there is no maximum that it could count towards")
    if reset is not None:
        main["resetTime"] = reset
        if tariff.free_minutes:
            writer.assumed("free_minutes", "they are free anew at each reset")


def _reset_of_cap(
    writer: Writer, tariff: AnyTariff, cap: Cap, key: str, reset: str | None
) -> str | None:
    """The reset time with a maximum. It begins both anew, the lines and the maximum."""
    if cap.per == "stay":
        if tariff.new_day is not None:
            writer.lost("new_day", "a reset would begin the maximum of the stay anew")
        if cap.reading is not None:
            writer.lost(f"{key}/reading", "a stay has one window")
        return None
    begins = cap.begins or "00:00"
    if cap.reading == "multiplied":
        writer.lost(f"{key}/reading", "after a reset, APDS charges until that day's maximum")
    if tariff.new_day is not None and reset != begins:
        writer.lost("new_day", "a reset begins the lines anew, when the maximum's day does")
    return begins


def _bands(
    document: _Document, writer: Writer, tariff: BandTariff, number: int, priority: int
) -> int:
    for key in ("free_minutes", "free_minutes_reading", "entrance_fee", "entrance_fee_capped",
                "minimum", "second_visit", "second_visit_percent"):  # fmt: skip
        if getattr(tariff, key) not in (None, 0):
            writer.lost(key, "APDS has no place for it beside tables of several hours")
    for index, cap in enumerate(tariff.caps):
        writer.lost(f"caps/{index}", f"per {cap.per}: APDS has no maximum over several tables")
    rights = sorted(
        (rank, index, part, days)
        for index, band in enumerate(tariff.bands)
        for rank, part, days in _by_rank(band.days)
    )
    is_told = [
        _band_table(document, writer, tariff, band, f"{number}-{index}")
        for index, band in enumerate(tariff.bands, 1)
    ]
    if tariff.new_day is not None and not any(is_told):
        writer.lost("new_day", "APDS tells it by a reset alone, which is that of the hours here")
    for offset, (_, index, part, days) in enumerate(rights):
        band = tariff.bands[index]
        window = window_of_band(band.model_dump(mode="json", by_alias=True, exclude_none=True))
        window = Window(days, window.begins, window.ends)
        key = f"bands/{index}"
        for kind in unnamed_kinds(days or ()):
            writer.lost(f"{key}/days", f"{kind}: such days are written as those of a public event")
        if over_midnight_unsaid(window):
            writer.assumed(key, "its hours end on a day without a name, and are written as one")
        _add_right(
            document,
            tariff,
            f"right-{number}-{index + 1}-{part}",
            f"table-{number}-{index + 1}",
            number,
            priority + offset,
            () if window.is_always else tuple(periods_of(window)),
        )
    return priority + len(rights) - 1


def _by_rank(
    days: tuple[str, ...] | None,
) -> Iterator[tuple[int, int, tuple[str, ...] | None]]:
    """The days by how particular they are, and a number for each such part: its own right has the
    priority that a band has on these days."""
    if days is None:
        yield rank_of_day(None) + 1, 1, None
        return
    ranks = dict.fromkeys(rank_of_day(day) for day in days)
    for part, rank in enumerate(ranks, 1):
        yield rank, part, tuple(day for day in days if rank_of_day(day) == rank)


def _band_table(
    document: _Document, writer: Writer, tariff: BandTariff, band: Band, number: str
) -> bool:
    """Write a band's table; whether its reset tells the tariff's new day."""
    index = int(number.split("-")[1]) - 1
    key = f"bands/{index}"
    if band.steps is not None:
        lines = lines_of(writer, f"{key}/steps", charges_of_steps(writer, key, band.steps))
    elif band.tiers is not None:
        lines = lines_of(writer, f"{key}/tiers", charges_of_tiers(band.tiers))
    else:
        lines = [flat_line(writer, f"{key}/flat", band.flat or Decimal(0))]
    if band.unsold:
        writer.lost(f"{key}/unsold", "it is free, and nothing says that its time does not count")
    collection: dict[str, Any] = {
        **_common(document, writer, tariff),
        "collectionSequence": 1,
        "rateLines": lines,
    }
    own = band.from_ or "00:00"
    reset = tariff.day_begins or "00:00" if tariff.new_day == "calendar_day" else None
    is_timed = band.steps is not None or band.tiers is not None
    if band.maximum is not None:
        collection["maxValueCollection"] = writer.number(f"{key}/maximum", band.maximum)
    if band.maximum is not None or band.flat:
        # It holds for each occurrence: it begins anew with its hours.
        collection["resetTime"] = own
    elif reset is not None and is_timed:
        collection["resetTime"] = reset
    _add_table(document, tariff, f"table-{number}", band.name, [collection])
    return reset is not None and is_timed and band.maximum is None


def _common(document: _Document, writer: Writer, tariff: AnyTariff) -> dict[str, Any]:
    """What all collections say."""
    common: dict[str, Any] = {"applicableCurrency": document.currency, "relativeTimes": False}
    if document.valid_from is not None:
        common["validStart"] = document.valid_from
    common["taxIncluded"] = tariff.tax_included is not False
    if tariff.taxes:
        common["taxRate"] = writer.number("taxes/0/percent", tariff.taxes[0].percent)
    return common


def _add_table(
    document: _Document,
    tariff: AnyTariff,
    identity: str,
    name: str,
    collections: list[dict[str, Any]],
) -> None:
    table: dict[str, Any] = {
        "id": identity,
        "version": 1,
        "rateTableName": _text(name),
        "availability": "public",
        "rateLineCollections": collections,
    }
    if tariff.validations:
        table["validation"] = True
    document.tables.append(table)


def _add_right(
    document: _Document,
    tariff: AnyTariff,
    identity: str,
    table: str,
    number: int,
    priority: int,
    periods: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    conditions = _conditions(tariff)
    qualification, _ = qualifications_of(conditions)
    if names := qualification.get("membershipNames"):
        qualification["membershipNames"] = [_text(name) for name in names]
    eligibility: dict[str, Any] = {
        "id": f"tariff-{number}",
        "version": 1,
        "eligibilityName": _text(tariff.name),
    }
    if qualification:
        eligibility["qualifications"] = [qualification]
    times: dict[str, Any] = {}
    if document.valid_from is not None:
        times["overallStartTime"] = document.valid_from
    if periods:
        times["validPeriods"] = list(periods)
    validity: dict[str, Any] = {
        "validityStatus": "definedByValidityTimeSpec" if periods else "active"
    }
    if times:
        validity["validityTimeSpecification"] = times
    places = [f"zone-{zone}" for zone in conditions.get("zones", ())] or [_FACILITY]
    right = {
        "id": identity,
        "version": 1,
        "type": "oneTimeUseParking",
        "transferable": False,
        "hierarchyElements": [{"id": place, "version": 1} for place in places],
        "rateEligibility": [
            {
                "id": identity.replace("right", "eligibility"),
                "version": 1,
                "priority": priority,
                "eligibility": eligibility,
                "rateTable": {"id": table, "version": 1},
            }
        ],
        "validity": validity,
    }
    document.rights.append(right)
    return right


def _places(time_zone: str, zones: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The facility, whose clock times are read off, and its zones."""
    facility = {"id": _FACILITY, "version": 1}
    yield {
        **facility, "type": "place", "layer": 0, "name": _text(_FACILITY), "timeZone": time_zone
    }  # fmt: skip
    for zone in zones:
        yield {
            "id": f"zone-{zone}",
            "version": 1,
            "type": "identifiedArea",
            "layer": 1,
            "name": _text(zone),
            "parentId": facility,
        }


def _text(text: str) -> list[dict[str, str]]:
    """Text of an unknown language."""
    return [{"language": "und", "string": text}]
