"""Tariffs as an APDS document: rate tables, the right specifications that offer them, and places.

A tariff is one table and one right; one with bands, a table for each, and a right for each kind of
days that a band names, so that priorities tell which counts. What APDS has no place for is said.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from gated.standards.apds_collections import collections_of
from gated.standards.apds_days import over_midnight_unsaid, periods_of, unnamed_kinds
from gated.standards.apds_document import Written, conditions_of_tariff
from gated.standards.apds_lines import (
    Writer,
    charges_of_steps,
    charges_of_tiers,
    flat_line,
    lines_of,
)
from gated.standards.apds_precedence import rank_of_day
from gated.standards.apds_qualifications import qualifications_of
from gated.standards.imported import Remark, TariffTable
from gated.standards.windows import Window, window_of_band
from gated.tariff.file import TariffTables
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, FlatTariff, Tariff, TierTariff
from gated.tariff.parts import Band
from gated.toml import Document
from gated.validation import validate

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
_NOT_WITH_BANDS = (
    "free_minutes", "free_minutes_reading", "entrance_fee", "entrance_fee_capped", "minimum",
    "second_visit", "second_visit_percent",
)  # fmt: skip


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
    document = Written(currency, begin)
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
    zones = {zone for tariff in tariffs if tariff.for_ for zone in tariff.for_.zones or ()}
    return document.finished(time_zone, sorted(zones)), remarks


def _ranked(tariffs: Sequence[Tariff]) -> list[tuple[tuple[int, bool], int]]:
    """The tariffs by priority, the highest first; after the others of a priority those whose
    conditions cannot be written, so that they take nobody from these."""
    return sorted(
        ((-tariff.priority, bool(_unsaid_conditions(tariff))), index)
        for index, tariff in enumerate(tariffs)
    )


def _unsaid_conditions(tariff: AnyTariff) -> list[str]:
    return qualifications_of(conditions_of_tariff(tariff))[1]


def _tariff(document: Written, writer: Writer, tariff: Tariff, number: int, priority: int) -> int:
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
    document: Written,
    writer: Writer,
    tariff: FlatTariff | BlockTariff | TierTariff,
    number: int,
    priority: int,
) -> int:
    common = document.common(writer, tariff)
    collections = [{**common, **each} for each in collections_of(writer, tariff)]
    table = str(number)
    document.add_table(tariff, table, tariff.name, collections)
    percent = tariff.second_visit_percent
    if tariff.second_visit != "reduced" or percent is None or tariff.second_visit_minutes:
        if tariff.second_visit is not None:
            writer.lost("second_visit", f"that another visit is {tariff.second_visit}")
        if percent is not None:
            writer.lost("second_visit_percent", "APDS has it only for a visit on the same day")
        document.add_right(tariff, table, table, priority)
        return priority
    again = document.add_right(tariff, f"{number}-2", table, priority)
    eligibility = again["rateEligibility"][0]
    link = {
        "qualifyingRightSpecification": {"id": f"right-{number}-1", "version": 1},
        "assignedRightTimeRelative": {
            "metaType": "RelativeTimes", "unit": "day", "earliestStartRelative": "current"
        },
    }  # fmt: skip
    inner = eligibility["eligibility"]
    qualification = inner.setdefault("qualifications", [{}])[0]
    qualification["linkedRightSpecification"] = link
    eligibility["rateDiscount"] = {"discountRate": writer.number("second_visit_percent", percent)}
    document.add_right(tariff, f"{number}-1", table, priority + 1)
    return priority + 1


def _bands(
    document: Written, writer: Writer, tariff: BandTariff, number: int, priority: int
) -> int:
    for key in _NOT_WITH_BANDS:
        if getattr(tariff, key) is not None and (key != "free_minutes" or tariff.free_minutes):
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
    if not any(is_told):
        what = "APDS tells it by a reset alone, which is that of the hours here"
        writer.new_day_lost(tariff, what)
    for offset, (_, index, part, days) in enumerate(rights):
        band = tariff.bands[index]
        window = window_of_band(band.model_dump(mode="json", by_alias=True, exclude_none=True))
        window = Window(days, window.begins, window.ends)
        key = f"bands/{index}"
        for kind in unnamed_kinds(days or ()):
            writer.lost(f"{key}/days", f"{kind}: such days are written as those of a public event")
        if over_midnight_unsaid(window):
            writer.assumed(key, "its hours end on a day without a name, and are written as one")
        table = f"{number}-{index + 1}"
        is_plain = window.is_whole_day and window.days is None
        periods = () if is_plain else tuple(periods_of(window))
        document.add_right(tariff, f"{table}-{part}", table, priority + offset, periods)
    return priority + len(rights) - 1


def _by_rank(
    days: tuple[str, ...] | None,
) -> Iterator[tuple[int, int, tuple[str, ...] | None]]:
    """The days by how particular they are, and a number for each such part: its own right has the
    priority that a band has on these days."""
    if days is None:
        yield rank_of_day(None), 1, None
        return
    ranks = dict.fromkeys(rank_of_day(day) for day in days)
    for part, rank in enumerate(ranks, 1):
        yield rank, part, tuple(day for day in days if rank_of_day(day) == rank)


def _band_table(
    document: Written, writer: Writer, tariff: BandTariff, band: Band, number: str
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
        **document.common(writer, tariff),
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
    document.add_table(tariff, number, band.name, [collection])
    return reset is not None and is_timed and band.maximum is None
