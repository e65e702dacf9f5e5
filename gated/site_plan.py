"""What to change so that a stored facility becomes the one of its site file: a pure comparison.

Reading what is stored and carrying the changes out is the part of `gated.db.site`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar, assert_never

from gated.core.ids import Slug
from gated.core.money import Money
from gated.site import FillPolicy, Site, Spots, Zone
from gated.tariff.row import TariffRow, tariff_row


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """The facility itself, as it is stored. Penalties by kind; they are text, as all amounts.

    `opening` is None where entries always admit.
    """

    slug: Slug
    name: str
    city: str
    time_zone: str
    currency: str
    latitude: Decimal | None
    longitude: Decimal | None
    policy: Mapping[str, Any]
    parking: Mapping[str, Any]
    penalties: Mapping[str, str]
    opening: Mapping[str, Any] | None = None
    display: Mapping[str, Any] = field(default_factory=dict)
    limits: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone in service."""

    slug: Slug
    name: str
    fill: str
    limits: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class SpotRow:
    """A spot in service, and how far it is from entry lanes."""

    zone: Slug
    number: str
    size: str
    ev_charger: bool
    accessible: bool
    metres_from: Mapping[Slug, float]


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane in service; `zones` in filling order, `from_zone` where a transfer comes from."""

    slug: Slug
    direction: str
    zones: tuple[Slug, ...]
    policy: Mapping[str, Any]
    opening: Mapping[str, Any] | None = None
    from_zone: Slug | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in service."""

    slug: Slug
    lane: Slug
    family: str
    topic: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A day that is not like others."""

    day: date
    kind: str
    name: str


Row = FacilityRow | ZoneRow | SpotRow | LaneRow | DeviceRow | CalendarRow | TariffRow
SomeRow = TypeVar("SomeRow", ZoneRow, SpotRow, LaneRow, DeviceRow, CalendarRow, TariffRow)


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole facility; `facility` is None where nothing is stored yet."""

    facility: FacilityRow | None = None
    zones: tuple[ZoneRow, ...] = ()
    spots: tuple[SpotRow, ...] = ()
    lanes: tuple[LaneRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    calendar: tuple[CalendarRow, ...] = ()
    tariffs: tuple[TariffRow, ...] = ()


class Verb(StrEnum):
    """What happens to a row; `remove` takes it out of service and deletes nothing."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs. `row` is the new one, of a removal the old one."""

    verb: Verb
    row: Row
    before: Row | None = field(default=None)

    @property
    def kind(self) -> str:
        """facility, zone, spot, lane, device, calendar or tariff."""
        return type(self.row).__name__.removesuffix("Row").lower()


def wanted(site: Site) -> Rows:
    """The rows that a site file asks for."""
    facility = site.facility
    return Rows(
        facility=FacilityRow(
            slug=facility.slug,
            name=facility.name,
            city=facility.city,
            time_zone=facility.time_zone,
            currency=facility.currency,
            latitude=_degrees(facility.latitude),
            longitude=_degrees(facility.longitude),
            policy=site.policy.stated(),
            parking=site.parking.values(),
            penalties={
                kind: _amount(amount, facility.currency)
                for kind, amount in site.parking.penalties.stated().items()
            },
            opening=None if site.opening is None else site.opening.stated(),
            display=site.display.values(),
            limits=[limit.stated() for limit in facility.limits],
        ),
        zones=tuple(
            ZoneRow(
                zone.slug, zone.name, zone.fill.value, [limit.stated() for limit in zone.limits]
            )
            for zone in site.zone
        ),
        spots=tuple(spot for zone in site.zone for row in zone.spots for spot in _spots(zone, row)),
        lanes=tuple(
            LaneRow(
                lane.slug,
                lane.direction.value,
                lane.zones or (),
                lane.policy.stated(),
                None if lane.opening is None else lane.opening.stated(),
                lane.from_,
            )
            for lane in site.lane
        ),
        devices=tuple(
            DeviceRow(device.slug, lane.slug, device.family, device.topic, device.options)
            for lane in site.lane
            for device in lane.device
        ),
        calendar=tuple(CalendarRow(day.day, day.kind, day.name) for day in site.calendar),
        tariffs=tuple(tariff_row(tariff, facility.currency) for tariff in site.tariff),
    )


def changes(stored: Rows, target: Rows) -> list[Change]:
    """What turns `stored` into `target`, in an order in which it can be carried out.

    Additions come before what refers to them, removals after it. Equal rows yield nothing.
    """
    assert target.facility is not None, "a site file describes a facility"
    found: list[Change] = []
    if stored.facility is None:
        found.append(Change(Verb.ADD, target.facility))
    elif stored.facility != target.facility:
        found.append(Change(Verb.CHANGE, target.facility, stored.facility))
    parts = [
        list(_differences(stored.zones, target.zones)),
        list(_differences(stored.lanes, target.lanes)),
        list(_differences(stored.spots, target.spots)),
        list(_differences(stored.devices, target.devices)),
        list(_differences(stored.calendar, target.calendar)),
        list(_differences(stored.tariffs, target.tariffs)),
    ]
    for part in parts:
        found += [change for change in part if change.verb is not Verb.REMOVE]
    for part in reversed(parts):
        found += [change for change in part if change.verb is Verb.REMOVE]
    return found


def describe(found: Sequence[Change]) -> Iterator[tuple[str, str, str, str]]:
    """The changes for people: verb, kind, name and details; spots of a row together."""

    def alike(change: Change) -> tuple[object, ...]:
        row = change.row
        where = row.zone if isinstance(row, SpotRow) else _key(row)
        return change.verb, change.kind, where, _details(change)

    for (verb, kind, where, details), group in groupby(found, alike):
        rows = [change.row for change in group]
        first, last = rows[0], rows[-1]
        if isinstance(first, SpotRow) and isinstance(last, SpotRow):
            name = f"{where}/{first.number}"
            if len(rows) > 1:
                name += f" … {last.number} ({len(rows)})"
        else:
            name = str(where)
        yield str(verb), str(kind), name, str(details)


def _differences(stored: Sequence[SomeRow], target: Sequence[SomeRow]) -> Iterator[Change]:
    before: dict[str, list[SomeRow]] = {}
    for row in stored:
        before.setdefault(_key(row), []).append(row)
    for row in target:
        # The platform may have stored several versions of one name: one of them may stand.
        old = before.get(_key(row), [])
        if row in old:
            old.remove(row)
        elif old:
            yield Change(Verb.CHANGE, row, old.pop(0))
        else:
            yield Change(Verb.ADD, row)
    for rest in before.values():
        for row in rest:
            yield Change(Verb.REMOVE, row)


def _key(row: Row) -> str:
    match row:
        case FacilityRow() | ZoneRow() | LaneRow() | DeviceRow():
            return row.slug
        case SpotRow():
            return f"{row.zone}/{row.number}"
        case CalendarRow():
            return f"{row.day} {row.kind}"
        case TariffRow():
            return row.name
        case _:
            assert_never(row)


def _details(change: Change) -> str:
    """The fields that change, "name: old → new", of tables the keys that do; what stands out
    about a new row."""
    row, before = change.row, change.before
    names = [each.name for each in fields(row) if each.compare]
    if change.verb is Verb.REMOVE:
        return ""
    if before is not None:
        pairs = [(name, getattr(before, name), getattr(row, name)) for name in names]
        return ", ".join(
            f"{name}: {_shown(_without(old, new))} → {_shown(_without(new, old))}"
            for name, old, new in pairs
            if old != new
        )
    match row:
        case SpotRow():
            marks = ["EV charger"] * row.ev_charger + ["accessible"] * row.accessible
            if row.metres_from:
                marks.append(f"metres from {_shown(row.metres_from)}")
            return ", ".join([row.size, *marks])
        case DeviceRow():
            return f"{row.family} on {row.lane}"
        case LaneRow():
            from_zone = [] if row.from_zone is None else [row.from_zone]
            return " → ".join([row.direction, *from_zone, *row.zones])
        case TariffRow():
            return f"{row.strategy}, {_shown(row.config)}"
        case FacilityRow() | CalendarRow():
            return row.name
        case ZoneRow():
            return row.name if row.fill == FillPolicy.LOWEST else f"{row.name}, fill {row.fill}"
        case _:
            assert_never(row)


def _without(value: object, other: object) -> object:
    """Of a table or a list of tables what the other one has not: long ones may differ in a key."""
    match value, other:
        case Mapping(), Mapping():
            return _keys_without(value, other)
        case list(), list() if any(isinstance(each, Mapping) for each in (*value, *other)):
            if all(each in other for each in value) and all(each in value for each in other):
                return value  # They differ in their order alone.
            return [_of_its_name(each, other) for each in value if each not in other]
        case _:
            return value


def _keys_without(table: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, object]:
    return {
        key: _without(each, other[key]) if key in other else each
        for key, each in table.items()
        if key not in other or other[key] != each
    }


def _of_its_name(table: object, others: Sequence[object]) -> object:
    """The name of a table, and what the other one of that name has not; the table if none is."""
    for other in others:
        match table, other:
            case {"name": name, **rest}, {"name": its_name, **others_rest} if name == its_name:
                return {"name": name, **_keys_without(rest, others_rest)}
    return table


def _shown(value: object) -> str:
    match value:
        case Mapping():
            return ", ".join(f"{key} {_shown(each)}" for key, each in value.items()) or "nothing"
        case list() | tuple():
            shown = [f"({_shown(x)})" if isinstance(x, Mapping) else _shown(x) for x in value]
            return " ".join(shown) or "nothing"
        case None:
            return "nothing"
        case _:
            # Options may hold any text; what is printed must not command a terminal.
            return "".join(
                each if each.isprintable() else each.encode("unicode_escape").decode()
                for each in str(value)
            )


def _spots(zone: Zone, row: Spots) -> Iterator[SpotRow]:
    # As exact as the column, which knows one decimal.
    metres_from = {lane: round(metres, 1) for lane, metres in row.metres_from.items()}
    for number in row.spot_numbers():
        yield SpotRow(
            zone.slug, number, row.size.value, row.ev_charger, row.accessible, metres_from
        )


def _degrees(value: float | None) -> Decimal | None:
    """As exact as the column, which knows six decimals (a tenth of a metre)."""
    return None if value is None else round(Decimal(str(value)), 6)


def _amount(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency).amount)
