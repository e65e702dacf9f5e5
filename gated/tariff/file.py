"""Tariff files: tariffs and their calendar without the rest of a site, for the tariff desk.

A site file has the same tables; `gated.site_rules.load_tariffs_of` reads the tariffs of either.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from gated.fields import Currency, TimeZone, VehicleType
from gated.tariff.model import CalendarDay, Tariff
from gated.tariff.rules import tariff_errors
from gated.toml import Document, load
from gated.validation import Table, in_order, read, refuse


class TariffFacility(Table):
    """What tariffs have to know of their facility."""

    time_zone: TimeZone
    """an IANA time zone such as Europe/Berlin, in which tariffs are read"""
    currency: Currency
    """an ISO 4217 currency code, of all amounts"""
    vehicle_type_default: VehicleType = VehicleType.CAR
    """What a vehicle is taken for that nobody registered."""


class TariffTables(Table):
    """A tariff file."""

    facility: TariffFacility
    """the section [facility], with time_zone and currency"""
    calendar: tuple[CalendarDay, ...] = ()
    """Days that are not like others."""
    tariff: tuple[Tariff, ...] = Field(min_length=1)
    """at least one [[tariff]]"""


@dataclass(frozen=True, slots=True)
class TariffFile:
    """The tariffs of a file, held against every rule, and the file itself, for messages."""

    facility: TariffFacility
    calendar: tuple[CalendarDay, ...]
    tariffs: tuple[Tariff, ...]
    document: Document


def load_tariffs(file: Path) -> TariffFile:
    """Read a tariff file and hold it against every rule.

    Raises ConfigError, or ConfigErrors when there is more than one thing to say.
    """
    return check_tariffs(load(file))


def check_tariffs(document: Document) -> TariffFile:
    """As `load_tariffs`, for a document that was read already."""
    tables, complaints = read(document, TariffTables)
    refuse(in_order([*complaints, *tariff_errors(document, tables)]))
    return TariffFile(tables.facility, tables.calendar, tables.tariff, document)
