"""Rows as the database would have them: a car park, and one vehicle's visit to begin with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from gated.core.ids import DeviceId, FacilityId, LaneId, Slug
from gated.core.site import DeviceSetup, Direction
from gated.db.why_rows import Audit, Command, Decision, Facility, Found, Message, Stay

# 09:31:08.412 in Berlin.
AT = datetime(2026, 5, 4, 7, 31, 8, 412_000, UTC)
NOW = AT + timedelta(hours=3)
PLATE = "HHXY1234"


def id_of(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(UUID(int=0), name)


def ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


NORTH = Facility(FacilityId(id_of("north")), "north", "City Garage North", "Europe/Berlin", "EUR")
LANES = {"in-1": Direction.ENTRY, "out-1": Direction.EXIT}
DEVICES = {
    id_of(f"device {lane}"): DeviceSetup(
        DeviceId(id_of(f"device {lane}")),
        Slug(f"gate-{lane}"),
        Slug("north"),
        LaneId(id_of(lane)),
        Slug(lane),
        direction,
        "native",
    )
    for lane, direction in LANES.items()
}
STAY = Stay(
    id=id_of("stay"),
    facility=NORTH.id,
    ticket="0000017H",
    kind="WALK_IN",
    status="ACTIVE",
    plate=PLATE,
    vehicle_plate=None,
    vehicle=None,
    user=None,
    created_at=AT,
    entry_at=AT + ms(21),
    expected_exit=AT + timedelta(hours=4),
    exit_at=None,
    reserved_from=None,
    reserved_until=None,
    entitlement=None,
    cancel_reason=None,
    entry_lane="in-1",
    exit_lane=None,
    entry_known="measured",
    exit_known=None,
    zone="Deck 1",
    spot="A-017",
    tariff=None,
    estimated_price=None,
    final_price=None,
    currency="EUR",
    paid_at=None,
    grace_until=None,
    context={},
    price_lines=(),
)


def message(
    name: str,
    leaf: str,
    payload: object,
    at: datetime,
    *,
    lane: str = "in-1",
    outcome: str | None = "noted",
    **more: Any,
) -> Message:
    """A message of the lane's device: `leaf` is the end of its topic."""
    row = Message(
        id=id_of(name),
        seq=int(at.timestamp() * 1000),
        facility=NORTH.id,
        lane_id=id_of(lane),
        lane=lane,
        device=id_of(f"device {lane}"),
        kind="plate" if leaf == "plate" else leaf.partition("/")[0],
        topic=f"gated/v1/north/lane/{lane}/{leaf}",
        payload=json.dumps(payload).encode(),
        status="done" if outcome else "new",
        outcome=outcome,
        error=None,
        device_at=None,
        received_at=at,
        settled_at=None,
    )
    return replace(row, **more)


def read(
    name: str, plate: str, at: datetime, outcome: str | None = "decided", **more: Any
) -> Message:
    said = {"plate": plate, "confidence": 0.94}
    return message(name, "plate", said, at, outcome=outcome, **more)


def loop(name: str, at: datetime, *, on: bool, lane: str = "in-1") -> Message:
    return message(f"{name} {on} {at}", f"input/{name}", {"on": on}, at, lane=lane)


def decision(event: str, at: datetime, **more: Any) -> Decision:
    row = Decision(
        id=id_of(event),
        facility=NORTH.id,
        lane_id=id_of("in-1"),
        lane="in-1",
        direction="entry",
        event=id_of(event),
        decision="grant",
        reason="transient",
        plate=PLATE,
        plate_raw=PLATE,
        confidence=0.94,
        stay=STAY.id,
        zone="Deck 1",
        spot="A-017",
        price=None,
        currency=None,
        command=id_of(f"command {event}"),
        received_at=at,
        decided_at=at + ms(21),
    )
    return replace(row, **more)


def denial(event: str, at: datetime, reason: str = "full_facility", **more: Any) -> Decision:
    row = decision(event, at, decision="deny", reason=reason, decided_at=at, **more)
    return replace(row, stay=None, zone=None, spot=None, command=None)


def command(event: str, at: datetime, **more: Any) -> Command:
    """One that was taken for sending by its order, and confirmed."""
    row = Command(
        id=id_of(f"command {event}"),
        facility=NORTH.id,
        lane_id=id_of("in-1"),
        lane="in-1",
        device="gate-in-1",
        event=id_of(event),
        do="open",
        reason="transient",
        stay=STAY.id,
        price=None,
        currency=None,
        fence=4,
        status="confirmed",
        issued_at=at,
        expires_at=at + ms(3000),
        dispatched_at=at,
        acknowledged_at=None,
        confirmed_at=at + ms(400),
        ended_at=None,
        error=None,
    )
    return replace(row, **more)


def audit(
    action: str,
    at: datetime,
    correlation: str,
    details: Mapping[str, Any] | None = None,
    **more: Any,
) -> Audit:
    row = Audit(
        id=id_of(f"{action} {at}"),
        at=at,
        action=action,
        resource_type="booking",
        resource=STAY.id,
        actor="gated",
        user=None,
        role=None,
        correlation=id_of(correlation),
        details=details or {},
    )
    return replace(row, **more)


def passed(event: str, at: datetime, way: str = "entered", known: str = "measured") -> Audit:
    lane = "in-1" if way == "entered" else "out-1"
    return audit(f"passage.{way}", at, event, {"lane": str(id_of(lane)), "known": known})


def found(**more: Any) -> Found:
    return replace(Found(facilities=(NORTH,), devices=DEVICES), **more)


# A stranger came in: on the loop, read, let in, through.
ENTRY = found(
    stays=(STAY,),
    decisions=(decision("e1", AT),),
    messages=(read("e1", "HH-XY 1234", AT),),
    heard=(
        loop("presence", AT - ms(700), on=True),
        loop("closing", AT + ms(2900), on=True),
        loop("closing", AT + ms(4190), on=False),
    ),
    commands=(command("e1", AT + ms(21)),),
    audits=(passed("e1", AT + ms(4195)),),
)
ENDED = replace(
    STAY,
    status="COMPLETED",
    exit_at=AT + timedelta(minutes=75),
    exit_lane="out-1",
    exit_known="reported",
    final_price=Decimal("4.0000"),
    price_lines=(
        {"kind": "block", "name": "by the hour", "from": "2026-05-04T07:31:08.433000Z",
         "to": "2026-05-04T08:46:08.412000Z", "blocks": 2, "minutes": 60, "unit_price": "2.00",
         "amount": "4.00"},
    ),
)  # fmt: skip
