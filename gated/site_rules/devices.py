"""Devices: their families exist and accept them, and one of each lane opens its barrier."""

from collections.abc import Iterator, Mapping
from typing import Protocol
from uuid import UUID

from gated.core.effects import Do
from gated.core.errors import ConfigError
from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.site import DeviceSetup
from gated.site import Device, Lane, Site
from gated.toml import Document, KeyPath
from gated.validation import heard, known, suggestion, surely, whole

# Stands for the ids that a device and its lane get when they are first stored.
_NO_ID = UUID(int=0)


class Family(Protocol):
    """What a site file must know of a device family; `gated.ports.Codec` is one."""

    @property
    def does(self) -> frozenset[Do]: ...
    def check(self, device: DeviceSetup) -> None: ...


Families = Mapping[str, Family]


def devices(document: Document, site: Site, families: Families) -> Iterator[ConfigError]:
    """Families exist and accept their devices; each lane has exactly one barrier."""
    for lane_index, lane in enumerate(site.lane):
        place: KeyPath = ("lane", lane_index)
        seen: set[tuple[str, str]] = set()
        for index, device in enumerate(known(lane, "device") or ()):
            path = (*place, "device", index)
            yield from heard(
                _family(document, (*path, "family"), device, families),
                _accepted(document, path, site, lane, device, families),
                _once(document, path, device, families, seen),
            )
        yield from heard(_barrier(document, place, lane, families))


def _family(
    document: Document, path: KeyPath, device: Device, families: Families
) -> Iterator[ConfigError]:
    if device.family not in families:
        hint = suggestion(device.family, tuple(families))
        yield document.error(path, f'no such family: "{device.family}", {hint}')


def _accepted(
    document: Document, path: KeyPath, site: Site, lane: Lane, device: Device, families: Families
) -> Iterator[ConfigError]:
    if device.family in families:
        setup = _setup(site, lane, device)
        try:
            families[device.family].check(setup)
        except ConfigError as error:
            yield _device_error(document, path, device, error)


def _device_error(
    document: Document, path: KeyPath, device: Device, error: ConfigError
) -> ConfigError:
    """A codec's complaint at its place: it names the key from the device on, "cam.options.x"."""
    message = str(error).removeprefix(f"{error.key}: ")
    key = error.key.removeprefix(f"{device.slug}.").removeprefix("options.")
    steps = tuple(step for step in key.split(".") if step)
    return document.error((*path, *steps), message)


def _setup(site: Site, lane: Lane, device: Device) -> DeviceSetup:
    """A device of a site file as its codec wants to see it; ids are not known yet, and what is
    wrong with the names of facility and lane does not concern it."""
    whole(device.options.values())
    return DeviceSetup(
        id=DeviceId(_NO_ID),
        slug=device.slug,
        facility=Slug(known(site.facility, "slug") or "facility"),
        lane=LaneId(_NO_ID),
        lane_slug=Slug(known(lane, "slug") or "lane"),
        direction=lane.direction,
        family=device.family,
        topic=device.topic,
        options=device.options,
    )


def _once(
    document: Document,
    path: KeyPath,
    device: Device,
    families: Families,
    seen: set[tuple[str, str]],
) -> Iterator[ConfigError]:
    if device.family not in families:
        return
    if (same := (device.family, device.topic)) in seen:
        yield document.error(path, "another device of the lane has this family and topic")
    seen.add(same)


def _barrier(
    document: Document, path: KeyPath, lane: Lane, families: Families
) -> Iterator[ConfigError]:
    def opens(device: Device) -> bool:
        return device.family in families and Do.OPEN in families[device.family].does

    opening = [index for index, device in enumerate(lane.device) if surely(opens, device)]
    if len(opening) > 1:
        yield document.error(
            (*path, "device", opening[1]), "expected one device of the lane that opens, got two"
        )
    # One of an unknown family may open as well.
    if not opening and all(device.family in families for device in lane.device):
        openers = ", ".join(name for name, each in families.items() if Do.OPEN in each.does)
        barrier = f'"{lane.slug}"' if known(lane, "slug") else "the lane"
        yield document.error(
            path, f"expected a device that opens the barrier of {barrier}, of family {openers}"
        )
