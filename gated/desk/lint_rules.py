"""Who governs: tariffs that none of the stays falls under, and stays without a tariff.

Every combination of what a `for` can name is tried. Of the names that a file knows one at a time is
enough: whoever holds a second subscription falls under more tariffs, never under fewer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from gated.desk.findings import Finding, Severity
from gated.fields import VehicleType
from gated.tariff.file import TariffFile
from gated.tariff.model import AnyTariff


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a `for` may ask about; None: no such thing."""

    vehicle_type: VehicleType
    electric: bool
    accessible: bool
    reserved: bool
    zone: str | None
    member: str | None

    def context(self, default: VehicleType) -> dict[str, Any]:
        """What a price is asked with for this visitor; what holds for a stranger is left out, and
        the reserved period, which depends on the stay.
        """
        values: dict[str, Any] = {}
        if self.vehicle_type is not default:
            values["vehicle_type"] = self.vehicle_type.value
        if self.electric:
            values["electric"] = True
        if self.accessible:
            values["accessible"] = True
        if self.zone is not None:
            values["zone"] = self.zone
        if self.member is not None:
            values["members"] = [self.member]
        return values

    def words(self) -> str:
        """What is particular about the visitor, such as "electric, in zone A"."""
        parts = [f"vehicle type {self.vehicle_type.value}"]
        parts += ["electric"] * self.electric + ["accessible"] * self.accessible
        parts += ["reserved"] * self.reserved
        parts += [f"zone {self.zone}"] if self.zone is not None else []
        parts += [f"member {self.member}"] if self.member is not None else []
        return ", ".join(parts)


def visitors(file: TariffFile) -> Iterator[Visitor]:
    """All that the file's tariffs tell apart, the most common one first."""
    default = file.facility.vehicle_type_default
    types = [default, *(each for each in VehicleType if each is not default)]
    conditions = [tariff.for_ for tariff in file.tariffs if tariff.for_ is not None]
    zones = dict.fromkeys(zone for each in conditions for zone in each.zones or ())
    members = dict.fromkeys(name for each in conditions for name in each.members or ())
    flags = (False, True)
    for member, zone, reserved, accessible, electric, vehicle_type in product(
        (None, *members), (None, *zones), flags, flags, flags, types
    ):
        yield Visitor(vehicle_type, electric, accessible, reserved, zone, member)


def holds(tariff: AnyTariff, visitor: Visitor) -> bool:
    """Whether the tariff's `for` holds for the visitor."""
    asked = tariff.for_
    if asked is None:
        return True
    return (
        (asked.vehicle_types is None or visitor.vehicle_type in asked.vehicle_types)
        and asked.electric in (None, visitor.electric)
        and asked.accessible in (None, visitor.accessible)
        and asked.reserved in (None, visitor.reserved)
        and (asked.zones is None or visitor.zone in asked.zones)
        and (asked.members is None or visitor.member in asked.members)
    )


def governing(file: TariffFile) -> tuple[Mapping[str, Visitor], Sequence[Visitor]]:
    """The most common visitor of each tariff, by its name; and the visitors without a tariff."""
    first: dict[str, Visitor] = {}
    without: list[Visitor] = []
    ranked = sorted(file.tariffs, key=lambda tariff: -tariff.priority)
    for visitor in visitors(file):
        governs = next((tariff for tariff in ranked if holds(tariff, visitor)), None)
        if governs is None:
            without.append(visitor)
        else:
            first.setdefault(governs.name, visitor)
    return first, without


def rule_findings(file: TariffFile) -> Iterator[Finding]:
    """Tariffs that never govern, and who has no tariff."""
    first, without = governing(file)
    for index, tariff in enumerate(file.tariffs):
        if tariff.name not in first:
            hidden = " and ".join(f'"{name}"' for name in _hidden_by(file, tariff))
            yield Finding(
                Severity.WARNING,
                "tariff_unreachable",
                file.document.place(("tariff", index)),
                f'"{tariff.name}" never governs: whatever stay it is for falls under {hidden},'
                " of a higher priority",
            )
    if without:
        yield Finding(
            Severity.WARNING,
            "no_tariff",
            file.document.place(("tariff",)),
            f"some stays fall under no tariff and have no price, such as: {without[0].words()}."
            " Write a tariff without for, of the lowest priority",
        )


def _hidden_by(file: TariffFile, tariff: AnyTariff) -> list[str]:
    """The tariffs that govern in its place."""
    ranked = sorted(file.tariffs, key=lambda each: -each.priority)
    found: dict[str, None] = {}
    for visitor in visitors(file):
        if holds(tariff, visitor):
            found.setdefault(next(each.name for each in ranked if holds(each, visitor)))
    return list(found)
