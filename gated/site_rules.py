"""What must hold between the keys of a site file: names unique, references met, one barrier.

Each rule yields its complaints with their places; `load_site` raises them all at once.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from gated.core.effects import Do
from gated.core.errors import ConfigError
from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.money import EXPONENTS
from gated.core.site import DeviceSetup, Direction
from gated.site import SPOTS_MAX, Device, Lane, Site
from gated.tariff.file import TariffFacility, TariffFile, check_tariffs
from gated.tariff.rules import tariff_errors
from gated.toml import Document, KeyPath, load
from gated.validation import in_order, refuse, suggestion, validate

# Stands for the ids that a device and its lane get when they are first stored.
_NO_ID = UUID(int=0)


class Family(Protocol):
    """What a site file must know of a device family; `gated.ports.Codec` is one."""

    @property
    def does(self) -> frozenset[Do]: ...
    def check(self, device: DeviceSetup) -> None: ...


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site and the file that it was read from, for messages."""

    site: Site
    document: Document


def load_site(file: Path, families: Mapping[str, Family]) -> SiteFile:
    """Read a site file and hold it against every rule.

    `families` are the device families by name. Raises ConfigError, or ConfigErrors when there
    is more than one thing to say.
    """
    return check_site(load(file), families)


def check_site(document: Document, families: Mapping[str, Family] | None) -> SiteFile:
    """As `load_site`, for a document that was read already; without families devices pass."""
    site = validate(document, Site)
    errors = [
        *_names(document, site),
        *_place(document, site),
        *_penalties(document, site),
        *_spots(document, site),
        *_distances(document, site),
        *_lanes(document, site),
        *(() if families is None else _devices(document, site, families)),
        *_tariffs(document, site),
    ]
    refuse(in_order(errors))
    return SiteFile(site, document)


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
    """Slugs are unique, each in its kind; those of devices in the whole facility."""
    named: list[tuple[KeyPath, str]] = [
        *((("zone", index, "slug"), zone.slug) for index, zone in enumerate(site.zone)),
        *((("lane", index, "slug"), lane.slug) for index, lane in enumerate(site.lane)),
        *(((*path, "slug"), device.slug) for path, _, device in _each_device(site)),
    ]
    first: dict[tuple[object, ...], KeyPath] = {}
    for path, name in named:
        kind = (*(step for step in path if isinstance(step, str)), name)
        if (earlier := first.setdefault(kind, path)) is not path:
            line = document.line(earlier)
            yield document.error(path, f'expected a name of its own: "{name}" is in line {line}')


def _place(document: Document, site: Site) -> Iterator[ConfigError]:
    """A place has two coordinates."""
    facility = site.facility
    for key, value in (("latitude", facility.latitude), ("longitude", facility.longitude)):
        if value is None and (facility.latitude, facility.longitude) != (None, None):
            yield document.error(
                ("facility", key), "is missing: expected latitude and longitude, or neither"
            )


def _spots(document: Document, site: Site) -> Iterator[ConfigError]:
    """Each row is either counted or listed; no zone has a number twice."""
    total = 0
    for zone_index, zone in enumerate(site.zone):
        first: dict[str, KeyPath] = {}
        for index, row in enumerate(zone.spots):
            path: KeyPath = ("zone", zone_index, "spots", index)
            if (row.count is None) == (row.numbers is None):
                yield document.error(path, "expected either count or numbers")
                continue
            numbers = row.spot_numbers()
            total += len(numbers)
            highest = row.first + (row.count or 1) - 1
            if row.width is not None and len(str(highest)) > row.width:
                yield document.error(
                    (*path, "width"), f"expected room for {highest}, got {row.width} digits"
                )
            twice = [number for number in numbers if number in first]
            twice += [number for number, times in Counter(numbers).items() if times > 1]
            if twice:
                more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
                line = document.line(first.get(twice[0], path))
                yield document.error(
                    path, f'expected new numbers: "{twice[0]}"{more} is in line {line} already'
                )
            for number in numbers:
                first.setdefault(number, path)
    if total > SPOTS_MAX:
        yield document.error(("zone",), f"expected at most {SPOTS_MAX} spots, got {total}")


def _distances(document: Document, site: Site) -> Iterator[ConfigError]:
    """Spots are some way from lanes that exist and through which one enters."""
    directions = {lane.slug: lane.direction for lane in site.lane}
    entries = tuple(slug for slug, each in directions.items() if each is Direction.ENTRY)
    for zone_index, zone in enumerate(site.zone):
        for index, row in enumerate(zone.spots):
            for slug in row.metres_from:
                path: KeyPath = ("zone", zone_index, "spots", index, "metres_from", slug)
                if slug not in directions:
                    yield document.error(
                        path, f'no such lane: "{slug}", {suggestion(slug, entries)}'
                    )
                elif slug not in entries:
                    yield document.error(path, f'expected an entry: "{slug}" is an exit')


def _lanes(document: Document, site: Site) -> Iterator[ConfigError]:
    """An entry fills zones that exist, each once; an exit fills none."""
    known = tuple(zone.slug for zone in site.zone)
    for index, lane in enumerate(site.lane):
        path: KeyPath = ("lane", index, "zones")
        if lane.direction is Direction.EXIT:
            if lane.zones is not None:
                yield document.error(path, "does not go with an exit: only an entry fills zones")
            continue
        if not lane.zones:
            yield document.error(path, "is missing: expected the zones that this entry fills")
        for position, slug in enumerate(lane.zones or ()):
            if slug not in known:
                yield document.error(
                    (*path, position), f'no such zone: "{slug}", {suggestion(slug, known)}'
                )
            elif slug in (lane.zones or ())[:position]:
                yield document.error((*path, position), f'expected each zone once, got "{slug}"')


def _devices(
    document: Document, site: Site, families: Mapping[str, Family]
) -> Iterator[ConfigError]:
    """Families exist and accept their devices; each lane has exactly one barrier."""
    known = tuple(families)
    barriers: Counter[int] = Counter()
    undecided: set[int] = set()
    seen: set[tuple[int, str, str]] = set()
    for path, lane_index, device in _each_device(site):
        family = families.get(device.family)
        if family is None:
            undecided.add(lane_index)
            yield document.error(
                (*path, "family"),
                f'no such family: "{device.family}", {suggestion(device.family, known)}',
            )
            continue
        try:
            family.check(device_setup(site, site.lane[lane_index], device))
        except ConfigError as error:
            yield _device_error(document, path, device, error)
        if (same := (lane_index, device.family, device.topic)) in seen:
            yield document.error(path, "another device of the lane has this family and topic")
        seen.add(same)
        if Do.OPEN in family.does:
            barriers[lane_index] += 1
            if barriers[lane_index] == 2:
                yield document.error(path, "expected one device of the lane that opens, got two")
    for index, lane in enumerate(site.lane):
        if not barriers[index] and index not in undecided:
            openers = ", ".join(name for name, each in families.items() if Do.OPEN in each.does)
            yield document.error(
                ("lane", index),
                f'expected a device that opens the barrier of "{lane.slug}", of family {openers}',
            )


def _device_error(
    document: Document, path: KeyPath, device: Device, error: ConfigError
) -> ConfigError:
    """A codec's complaint at its place: it names the key from the device on, "cam.options.x"."""
    message = str(error).removeprefix(f"{error.key}: ")
    key = error.key.removeprefix(f"{device.slug}.").removeprefix("options.")
    steps = tuple(step for step in key.split(".") if step)
    return document.error((*path, *steps), message)


def _tariffs(document: Document, site: Site) -> Iterator[ConfigError]:
    """Tariffs keep their own rules, and are for zones that exist."""
    yield from tariff_errors(document, site.tariff, site.calendar, site.facility.currency)
    known = tuple(zone.slug for zone in site.zone)
    for index, tariff in enumerate(site.tariff):
        zones = None if tariff.for_ is None else tariff.for_.zones
        for position, slug in enumerate(zones or ()):
            if slug not in known:
                yield document.error(
                    ("tariff", index, "for", "zones", position),
                    f'no such zone: "{slug}", {suggestion(slug, known)}',
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


def _each_device(site: Site) -> Iterator[tuple[KeyPath, int, Device]]:
    for lane_index, lane in enumerate(site.lane):
        for index, device in enumerate(lane.device):
            yield ("lane", lane_index, "device", index), lane_index, device


def device_setup(site: Site, lane: Lane, device: Device) -> DeviceSetup:
    """A device of a site file as its codec wants to see it; ids are not known yet."""
    return DeviceSetup(
        id=DeviceId(_NO_ID),
        slug=device.slug,
        facility=Slug(site.facility.slug),
        lane=LaneId(_NO_ID),
        lane_slug=lane.slug,
        direction=lane.direction,
        family=device.family,
        topic=device.topic,
        options=device.options,
    )
