"""Facilities as they are set up, and what their lanes were doing: the reading part of a start."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from gated.core.effects import Fault
from gated.core.errors import SetupError, StoreError
from gated.core.ids import DeviceId, FacilityId, LaneId, Slug, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.signs import Room
from gated.core.site import DeviceSetup, Direction, FacilitySetup, LaneSetup, ZoneSetup
from gated.core.snapshot import AskedPayment, Group, PendingPassage, StayInside
from gated.db.pool import Database
from gated.db.values import json_value, plain, plate
from gated.records import StandingFault, ZoneCount
from gated.site import lane_policy, opening_hours, wording

Value = TypeVar("Value")

_FAULTS = frozenset(fault.value for fault in Fault)


class SetupStore:
    """`gated.ports.Store`, the part about facilities and their present state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facility_ids(self) -> Sequence[FacilityId]:
        """The active facilities that have settings."""
        return [row["id"] for row in await self._database.rows("facility_ids")]

    async def facility_setup(self, facility: FacilityId) -> FacilitySetup:
        """The facility as the tables state it.

        What follows from the devices' families (a lane's loops, who takes its commands) is not
        the database's to know: `presence_loop` and `closing_loop` are False, `barrier` is None.
        """
        row = await self._database.row_or_none("facility_setup", facility)
        if row is None:
            raise StoreError(f"facility {facility} is not set up", retryable=False)
        slug = Slug(row["slug"])
        general = _General(
            slug,
            json_value(row["policy"]),
            json_value(row["opening"] or "null"),
            row["time_zone"],
            {
                date.fromisoformat(day): frozenset(kinds)
                for day, kinds in json_value(row["calendar"]).items()
            },
        )
        return FacilitySetup(
            id=facility,
            slug=slug,
            name=row["name"],
            time_zone=row["time_zone"],
            currency=row["currency"],
            revision=row["revision"],
            zones=tuple(_zone(zone) for zone in json_value(row["zones"])),
            lanes=tuple(_lane(lane, general) for lane in json_value(row["lanes"])),
            devices=tuple(_device(device, slug) for device in json_value(row["devices"])),
            wording=_stated(slug, "display", wording, json_value(row["display"])),
            sign_free_again=row["sign_free_again"],
        )

    async def pending_passages(
        self, facility: FacilityId, since: datetime
    ) -> Sequence[PendingPassage]:
        """The passages granted since then and not seen ending, in the order of their grants."""
        rows = await self._database.rows("pending_passages", facility, since)
        return [
            PendingPassage(
                lane=row["lane_id"],
                stay=row["stay_id"],
                zone=row["zone_id"],
                plate=plate(row["plate"]),
                command=row["command_id"],
                event=row["event_id"],
                granted_at=row["decided_at"],
            )
            for row in rows
        ]

    async def asked_payments(self, facility: FacilityId) -> Sequence[AskedPayment]:
        """Who was asked to pay, and nothing is decided about it; in the order of arrival."""
        return [
            AskedPayment(
                lane=LaneId(row["lane_id"]),
                event=row["event_id"],
                stay=StayInside(
                    row["stay_id"], Plate(row["plate"]), row["entry_time"], row["zone_id"]
                ),
                due=Money(plain(row["due"]), row["currency"]),
                since=row["since"],
            )
            for row in await self._database.rows("asked_payments", facility)
        ]

    async def standing_faults(self, facility: FacilityId) -> Sequence[StandingFault]:
        """What was wrong with the lanes' hardware when that was last noted, the oldest first."""
        return [
            StandingFault(LaneId(row["lane_id"]), Fault(row["fault"]), row["at"])
            for row in await self._database.rows("standing_faults", facility)
            # A word of another version says nothing here.
            if row["fault"] in _FAULTS
        ]

    async def zone_count(self, zone: ZoneId) -> ZoneCount:
        """The zone counted from its spots and claims, not from the counters."""
        row = await self._database.row("zone_count", zone)
        rooms = [] if row["rooms"] is None else json_value(row["rooms"])
        return ZoneCount(
            row["capacity"],
            row["occupied"],
            row["reserved"],
            rooms=_rooms(one for one in rooms if not one["facility"]),
            facility_rooms=_rooms(one for one in rooms if one["facility"]),
        )


def _rooms(rooms: Iterable[Mapping[str, Any]]) -> Mapping[Group, Room]:
    return {Group(one["group"]): Room(one["room"], one["of"]) for one in rooms}


def _zone(zone: Mapping[str, Any]) -> ZoneSetup:
    return ZoneSetup(
        id=ZoneId(UUID(zone["id"])),
        slug=Slug(zone["code"]),
        name=zone["name"],
        capacity=zone["capacity"],
    )


@dataclass(frozen=True, slots=True)
class _General:
    """What lanes have in common, as it is stored."""

    facility: Slug
    policy: Mapping[str, Any]
    opening: Mapping[str, Any] | None
    time_zone: str
    calendar: Mapping[date, frozenset[str]]


def _lane(lane: Mapping[str, Any], general: _General) -> LaneSetup:
    where = f"lane {lane['slug']}"
    direction = Direction(lane["direction"])
    policy = _stated(
        general.facility, f"{where}: policy", lane_policy, general.policy, lane["policy"]
    )
    opening = None
    if direction is Direction.ENTRY:
        opening = _stated(
            general.facility,
            f"{where}: opening",
            lambda own, other: opening_hours(own, other, general.time_zone, general.calendar),
            general.opening,
            lane["opening"],
        )
    return LaneSetup(
        id=LaneId(UUID(lane["id"])),
        slug=Slug(lane["slug"]),
        direction=direction,
        zones=tuple(ZoneId(UUID(zone)) for zone in lane["zones"]),
        presence_loop=False,
        closing_loop=False,
        barrier=None,
        policy=policy,
        opening=opening,
    )


def _stated(facility: Slug, where: str, make: Callable[..., Value], *stored: object) -> Value:
    """What the stored objects state. Raises SetupError for what no site file could have said."""
    if not all(each is None or isinstance(each, Mapping) for each in stored):
        raise SetupError(facility, f"{where}: expected an object")
    try:
        return make(*stored)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors(include_input=False, include_url=False)
        )
        raise SetupError(facility, f"{where}: {problems}") from error


def _device(device: Mapping[str, Any], facility: Slug) -> DeviceSetup:
    return DeviceSetup(
        id=DeviceId(UUID(device["id"])),
        slug=Slug(device["slug"]),
        facility=facility,
        lane=LaneId(UUID(device["lane"])),
        lane_slug=Slug(device["lane_slug"]),
        direction=Direction(device["direction"]),
        family=device["family"],
        topic=device["topic"],
        options=device["options"],
    )
