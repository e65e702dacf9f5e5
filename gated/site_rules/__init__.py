"""What must hold between the keys of a site file: names unique, references met, one barrier.

Each rule yields its complaints with their places; `load_site` raises them all at once. Of a site
that is sound in part a rule says what does not depend on the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.site import PhantomPolicy, Site
from gated.site_rules.devices import Families, Family, devices
from gated.site_rules.display import display, merged, texts_of
from gated.site_rules.lanes import known_zone, lanes
from gated.site_rules.limits import limits
from gated.site_rules.opening import opening
from gated.site_rules.policies import policies
from gated.site_rules.spots import distances, spots
from gated.tariff.file import TariffFacility, TariffFile, check_tariffs
from gated.tariff.rules import tariff_errors
from gated.toml import Document, load
from gated.validation import Names, heard, in_order, known, read, refuse, stated, states, unique

__all__ = ["Families", "Family", "SiteFile", "check_site", "load_site", "load_tariffs_of"]


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site and the file that it was read from, for messages."""

    site: Site
    document: Document


def load_site(file: Path, families: Families) -> SiteFile:
    """Read a site file and hold it against every rule.

    `families` are the device families by name. Raises ConfigError, or ConfigErrors when there
    is more than one thing to say.
    """
    return check_site(load(file), families)


def check_site(document: Document, families: Families | None) -> SiteFile:
    """As `load_site`, for a document that was read already; without families devices pass."""
    site, complaints = read(document, Site)
    texts = texts_of(document, site)
    complaints += heard(
        _names(document, site),
        _place(document, site),
        _penalties(document, site),
        _phantoms(document, site),
        spots(document, site),
        distances(document, site),
        lanes(document, site),
        limits(document, site),
        opening(document, site),
        display(document, site, texts),
        policies(document, site),
        iter(()) if families is None else devices(document, site, families),
        tariff_errors(document, site),
        _tariff_zones(document, site),
    )
    refuse([*in_order(complaints), *texts.complaints])
    display_with_texts = merged(site.display, texts)
    return SiteFile(site.model_copy(update={"display": display_with_texts}), document)


def load_tariffs_of(file: Path) -> TariffFile:
    """The tariffs of a tariff file, or of a site file, which is recognized by its lanes or zones.

    All of a site file is held against the rules, apart from its devices. Raises ConfigError, or
    ConfigErrors when there is more than one thing to say.
    """
    document = load(file)
    if not {"lane", "zone"} & document.values.keys():
        return check_tariffs(document)
    site = check_site(document, None).site
    facility = TariffFacility(
        time_zone=site.facility.time_zone,
        currency=site.facility.currency,
        vehicle_type_default=site.parking.vehicle_type_default,
    )
    return TariffFile(facility, site.calendar, site.tariff, document)


def _names(document: Document, site: Site) -> Iterator[ConfigError]:
    """Names are unique, each in its kind; those of devices in the whole facility."""
    placed_zones = [(("zone", index), zone) for index, zone in enumerate(known(site, "zone") or ())]
    placed_lanes = [(("lane", index), lane) for index, lane in enumerate(known(site, "lane") or ())]
    placed_devices = [
        ((*path, "device", index), device)
        for path, lane in placed_lanes
        for index, device in enumerate(known(lane, "device") or ())
    ]
    for placed in (placed_zones, placed_lanes, placed_devices):
        yield from unique(document, placed, "slug")


def _place(document: Document, site: Site) -> Iterator[ConfigError]:
    """A place has two coordinates."""
    keys = ("latitude", "longitude")
    given = stated(site.facility, *keys)
    if len(given) == 1:
        (missing,) = {*keys} - {*given}
        yield document.error(
            ("facility", missing), "is missing: expected latitude and longitude, or neither"
        )


def _penalties(document: Document, site: Site) -> Iterator[ConfigError]:
    """Amounts have no more decimals than the currency."""
    currency = site.facility.currency
    exponent = EXPONENTS[currency]
    for kind, amount in site.parking.penalties.stated().items():
        if amount != round(amount, exponent):
            yield document.error(
                ("parking", "penalties", kind),
                f"{currency} has {exponent} decimal places, got {amount}",
            )


def _phantoms(document: Document, site: Site) -> Iterator[ConfigError]:
    """A policy that closes phantoms says after how many days, and no other does."""
    parking = site.parking
    closes = known(parking, "phantom_policy") is PhantomPolicy.CLOSE_AFTER_DAYS
    if closes and not states(parking, "phantom_close_days"):
        yield document.error(
            ("parking", "phantom_close_days"),
            'is missing: phantom_policy = "close_after_days" needs it',
        )
    if not closes and states(parking, "phantom_close_days"):
        yield document.error(
            ("parking", "phantom_close_days"),
            'goes with phantom_policy = "close_after_days" alone',
        )


def _tariff_zones(document: Document, site: Site) -> Iterator[ConfigError]:
    """Tariffs are for zones that exist."""
    zones = Names(known(site, "zone"), "slug")
    for index, tariff in enumerate(site.tariff):
        conditions = known(tariff, "for_")
        for position, slug in enumerate(known(conditions, "zones") or () if conditions else ()):
            path = ("tariff", index, "for", "zones", position)
            yield from heard(known_zone(document, path, slug, zones))
