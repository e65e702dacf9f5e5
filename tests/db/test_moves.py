"""Lanes between zones, on every store: a stay that moves, its segments, and the way back."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.errors import FencedOut, StoreError
from gated.core.events import CommandStatus, PlateRead, ZoneRefusal
from gated.core.ids import EventId, Fence, LaneId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Group, PendingPassage
from gated.records import (
    FreeOutcome,
    FreePassage,
    FreePassageAnswer,
    MoveAnswer,
    MoveOutcome,
    MoveRequest,
    ReleaseOutcome,
)
from tests.db.site import NOW, Gate, Tariff, by_blocks, drifts, flat, make_site, nested
from tests.db.stores import Bench

LATER = NOW + timedelta(minutes=10)


async def gate_of(
    bench: Bench,
    outer: tuple[str, ...] = ("O-1", "O-2"),
    inner: tuple[str, ...] = ("I-1", "I-2"),
    *,
    tariffs: tuple[Tariff, ...] | None = None,
) -> Gate:
    """A facility with an inner zone that is reached from the outer one alone."""
    return await bench.gate(nested(make_site([outer, inner], tariffs=tariffs)))


async def admitted(gate: Gate, plate: str = "BAB123", at: datetime = NOW) -> StayId:
    """A vehicle that came in and was seen to."""
    stay = await gate.admitted(plate, at=at)
    await gate.store.complete_passage(
        gate.site.id, gate.fence, stay, gate.site.entry, PassageKnown.MEASURED, at, stay
    )
    return stay


async def moved(gate: Gate, request: MoveRequest) -> MoveAnswer:
    return await gate.store.move_stay(gate.site.id, gate.fence, request)


async def inward(
    gate: Gate, stay: StayId, plate: str = "BAB123", at: datetime = LATER
) -> MoveAnswer:
    request = await gate.move(stay, gate.site.inner, plate, lane=gate.site.inward, at=at)
    return await moved(gate, request)


async def passed(gate: Gate, stay: StayId, lane: LaneId, at: datetime = LATER) -> None:
    await gate.store.complete_passage(
        gate.site.id, gate.fence, stay, lane, PassageKnown.MEASURED, at, stay
    )


async def undone(
    gate: Gate, stay: StayId, lane: LaneId, at: datetime = LATER + timedelta(minutes=1)
) -> int | None:
    return await gate.store.cancel_move(
        gate.site.id, gate.fence, stay, lane, "no_passage", at, stay
    )


async def where(gate: Gate, plate: str = "BAB123") -> tuple[ZoneId, str]:
    """The zone and the spot of the plate's open stay."""
    snapshot = await gate.store.plate_snapshot(
        gate.site.id, Plate(plate), Direction.TRANSFER, LATER
    )
    assert snapshot.open_stay is not None
    return snapshot.open_stay.zone, snapshot.open_stay.spot_number


async def occupied(gate: Gate) -> list[int]:
    """The vehicles in the outer and in the inner zone."""
    zones = gate.site.setup.zones
    return [(await gate.store.zone_count(zone.id)).occupied for zone in zones]


async def segments(bench: Bench, gate: Gate, stay: StayId) -> list[tuple[object, ...]]:
    """Zone and spot of each part of the stay, and how its begin is known."""
    zones = {zone.id: zone.slug for zone in gate.site.setup.zones}
    if bench.address is None:
        parts = bench.memory.facilities[gate.site.id].stays[stay].segments
        return [(zones[one.zone], one.spot and one.spot[0], one.known) for one in parts]
    connection = await asyncpg.connect(bench.owner_dsn)
    try:
        rows = await connection.fetch(
            "SELECT g.zone_id, s.spot_number, g.known FROM gate.stay_segments g"
            " LEFT JOIN parking_spots s ON s.id = g.spot_id"
            " WHERE g.booking_id = $1 ORDER BY g.position",
            stay,
        )
        assert await drifts(connection, gate.site.id) == []
    finally:
        await connection.close()
    return [(zones[row["zone_id"]], row["spot_number"], row["known"]) for row in rows]


# ── in ──────────────────────────────────────────────────────────────────────────────────────


async def test_entering_the_inner_zone_moves_the_stay(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    answer = await inward(gate, stay)
    assert (answer.outcome, answer.zone) == (MoveOutcome.MOVED, gate.site.inner)
    assert (answer.spot_number, answer.available) == ("I-1", 1)
    assert await where(gate) == (gate.site.inner, "I-1")
    assert await occupied(gate) == [0, 1]
    assert await segments(bench, gate, stay) == [
        ("zone-0", "O-1", "measured"),
        ("zone-1", "I-1", None),
    ]
    await passed(gate, stay, gate.site.inward)
    assert (await segments(bench, gate, stay))[1] == ("zone-1", "I-1", "measured")


async def test_its_earlier_spot_is_free_for_the_next_one(bench: Bench) -> None:
    gate = await gate_of(bench, outer=("O-1",))
    await inward(gate, await admitted(gate))
    await admitted(gate, "C1", LATER)
    assert await where(gate, "C1") == (gate.site.zone, "O-1")


async def test_the_open_command_is_the_stays(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    await moved(gate, request)
    commands = await bench.store.accepted_commands(gate.site.id)
    assert request.command in commands
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []


async def test_a_call_whose_answer_was_lost_gets_the_same_answer(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    first = await moved(gate, request)
    assert await moved(gate, request) == first
    assert len(await segments(bench, gate, stay)) == 2
    other = replace(
        request, command=gate.command(request.event, request.lane, stay, Plate("BAB123"), LATER)
    )
    assert (await moved(gate, other)).outcome is MoveOutcome.EVENT_DONE


async def test_a_vehicle_that_still_stands_there_is_let_through_anew(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    first = await inward(gate, stay)
    again = await inward(gate, stay, at=LATER + timedelta(seconds=20))
    assert again == first
    assert len(await segments(bench, gate, stay)) == 2
    assert len(await bench.store.accepted_commands(gate.site.id)) == 3


async def test_a_full_zone_leaves_the_event_to_the_next_one(bench: Bench) -> None:
    gate = await gate_of(bench, inner=("I-1",))
    await inward(gate, await admitted(gate, "C1"), "C1")
    stay = await admitted(gate)
    answer = await inward(gate, stay)
    assert (answer.outcome, answer.zone, answer.available) == (ZoneRefusal.FULL, None, 0)
    assert len(await bench.store.pending_events(gate.site.id, 9)) == 1
    assert await where(gate) == (gate.site.zone, "O-1")
    assert await segments(bench, gate, stay) == []


async def test_a_stay_that_has_ended_does_not_move(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    departure = await gate.departure(stay, at=LATER)
    await bench.store.release(gate.site.id, gate.fence, departure)
    assert (await inward(gate, stay)).outcome is MoveOutcome.NO_OPEN_STAY
    assert await occupied(gate) == [0, 0]


async def test_a_stay_that_has_a_spot_in_the_zone_keeps_it(bench: Bench) -> None:
    """It was given that one at the entrance: the lane between shows that it got there."""
    gate = await gate_of(bench)
    request = await gate.entry(zone=gate.site.inner)
    await bench.store.admit(gate.site.id, gate.fence, request)
    answer = await inward(gate, request.stay)
    assert (answer.outcome, answer.spot_number) == (MoveOutcome.MOVED, "I-1")
    assert await segments(bench, gate, request.stay) == [
        ("zone-1", "I-1", "assumed"),
        ("zone-1", "I-1", None),
    ]


async def test_who_is_met_inside_has_come_in(bench: Bench) -> None:
    """The entrance did not see it, and would take its admission back."""
    gate = await gate_of(bench)
    stay = await gate.admitted()
    await inward(gate, stay)
    cancelled = await bench.store.cancel_admission(
        gate.site.id, gate.fence, stay, gate.site.entry, "no_passage", LATER, stay
    )
    assert cancelled is None
    assert await where(gate) == (gate.site.inner, "I-1")


async def test_an_old_fence_moves_nothing(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    old = replace(gate, fence=Fence(gate.fence + 1))
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    with pytest.raises(FencedOut):
        await moved(old, request)
    with pytest.raises(FencedOut):
        await undone(old, stay, gate.site.inward)
    assert await occupied(gate) == [1, 0]


async def test_a_zone_of_another_facility_is_refused(postgres_bench: Bench) -> None:
    gate, elsewhere = await gate_of(postgres_bench), await gate_of(postgres_bench)
    stay = await admitted(gate)
    request = await gate.move(stay, elsewhere.site.inner, lane=gate.site.inward)
    with pytest.raises(StoreError, match="unknown zone"):
        await moved(gate, request)


# ── out again ───────────────────────────────────────────────────────────────────────────────


async def test_the_way_out_of_the_inner_zone_moves_it_too(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    await inward(gate, stay)
    await passed(gate, stay, gate.site.inward)
    request = await gate.move(
        stay, gate.site.zone, lane=gate.site.outward, at=LATER + timedelta(hours=1)
    )
    answer = await moved(gate, request)
    assert (answer.outcome, answer.spot_number) == (MoveOutcome.MOVED, "O-1")
    assert await occupied(gate) == [1, 0]
    left = await bench.store.release(
        gate.site.id, gate.fence, await gate.departure(stay, at=LATER + timedelta(hours=2))
    )
    assert left.outcome is ReleaseOutcome.RELEASED
    assert await occupied(gate) == [0, 0]
    assert [zone for zone, *_ in await segments(bench, gate, stay)] == [
        "zone-0",
        "zone-1",
        "zone-0",
    ]


async def test_nobody_is_kept_in_because_the_zone_before_is_full(bench: Bench) -> None:
    """It is let on without a spot, and an operator is told. The one it had is free."""
    gate = await gate_of(bench, outer=("O-1",))
    stay = await admitted(gate)
    await inward(gate, stay)
    await passed(gate, stay, gate.site.inward)
    await admitted(gate, "C1", LATER)
    request = await gate.move(stay, gate.site.zone, lane=gate.site.outward, anyway=True)
    answer = await moved(gate, request)
    assert (answer.outcome, answer.zone, answer.spot) == (MoveOutcome.MOVED, gate.site.zone, None)
    assert await moved(gate, request) == answer, "repeated"
    assert await where(gate) == (gate.site.zone, "")
    assert await occupied(gate) == [2, 0]
    assert (await segments(bench, gate, stay))[-1] == ("zone-0", None, None)
    assert await reconciled(bench, gate) == [("over_capacity", stay)]
    left = await bench.store.release(
        gate.site.id, gate.fence, await gate.departure(stay, at=LATER + timedelta(hours=2))
    )
    assert left.outcome is ReleaseOutcome.RELEASED
    assert await occupied(gate) == [1, 0]


async def reconciled(bench: Bench, gate: Gate) -> list[tuple[str, StayId]]:
    """What waits for an operator: its kind and the stay."""
    if bench.address is None:
        return bench.memory.facilities[gate.site.id].reconciled
    connection = await asyncpg.connect(bench.owner_dsn)
    try:
        rows = await connection.fetch(
            "SELECT kind, (details ->> 'stay')::uuid AS stay FROM gate.reconciliations"
            " WHERE facility_id = $1 ORDER BY created_at",
            gate.site.id,
        )
    finally:
        await connection.close()
    return [(row["kind"], row["stay"]) for row in rows]


# ── back out ────────────────────────────────────────────────────────────────────────────────


async def test_who_backs_out_is_where_it_was(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    await inward(gate, stay)
    assert await undone(gate, stay, gate.site.inward) == 1
    assert await where(gate) == (gate.site.zone, "O-1")
    assert await occupied(gate) == [1, 0]
    assert [zone for zone, *_ in await segments(bench, gate, stay)] == ["zone-0"]
    [command] = await bench.store.accepted_commands(gate.site.id)
    assert command.lane == gate.site.entry, "the one of the lane between was not sent yet"
    assert await undone(gate, stay, gate.site.inward) == 1, "repeated"
    later = LATER + timedelta(minutes=3)
    assert await undone(gate, stay, gate.site.inward, later) is None


async def test_who_backs_out_may_find_its_spot_taken_and_gets_another(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    await inward(gate, stay)
    await admitted(gate, "C1", LATER)
    assert await undone(gate, stay, gate.site.inward) == 0
    assert await where(gate) == (gate.site.zone, "O-2")
    assert await segments(bench, gate, stay) == [("zone-0", "O-2", "measured")]


async def test_who_backs_out_into_a_full_zone_is_there_without_a_spot(bench: Bench) -> None:
    gate = await gate_of(bench, outer=("O-1",))
    stay = await admitted(gate)
    await inward(gate, stay)
    await admitted(gate, "C1", LATER)
    assert await undone(gate, stay, gate.site.inward) == 0
    assert await where(gate) == (gate.site.zone, "")
    assert await occupied(gate) == [2, 0]
    assert await segments(bench, gate, stay) == [("zone-0", None, "measured")]
    assert await reconciled(bench, gate) == [("over_capacity", stay)]
    again = await inward(gate, stay, at=LATER + timedelta(minutes=5))
    assert (again.outcome, again.spot_number) == (MoveOutcome.MOVED, "I-1")
    assert await occupied(gate) == [1, 1]


async def test_who_has_passed_does_not_back_out(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    await inward(gate, stay)
    await passed(gate, stay, gate.site.inward)
    assert await undone(gate, stay, gate.site.inward) is None
    assert await where(gate) == (gate.site.inner, "I-1")


async def test_a_passage_between_zones_is_awaited_after_a_restart(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    await moved(gate, request)
    pending = await bench.store.pending_passages(gate.site.id, NOW)
    assert list(pending) == [
        PendingPassage(
            lane=gate.site.inward,
            stay=stay,
            zone=gate.site.inner,
            plate=Plate("BAB123"),
            command=request.command.id,
            event=request.event,
            granted_at=LATER,
        )
    ]
    await passed(gate, stay, gate.site.inward)
    assert list(await bench.store.pending_passages(gate.site.id, NOW)) == []


async def test_the_snapshot_says_whose_the_stay_is(bench: Bench) -> None:
    gate = await gate_of(bench)
    vehicle = await bench.register("P1")
    for plate, known in (("T1", None), ("P1", vehicle.id)):
        request = await gate.entry(plate, vehicle=known)
        await bench.store.admit(gate.site.id, gate.fence, request)
    groups = []
    for plate in ("T1", "P1"):
        snapshot = await bench.store.plate_snapshot(
            gate.site.id, Plate(plate), Direction.TRANSFER, LATER
        )
        assert snapshot.open_stay is not None
        groups.append(snapshot.open_stay.group)
    assert groups == [Group.TRANSIENT, Group.PERMIT_HOLDER]


async def test_a_command_that_was_sent_is_not_taken_back(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    await moved(gate, request)
    await bench.store.dispatch_command(gate.site.id, gate.fence, request.command.id, LATER)
    await undone(gate, stay, gate.site.inward)
    status = await bench.store.advance_command(
        gate.site.id, gate.fence, request.command.id, CommandStatus.CONFIRMED, None, LATER
    )
    assert status is CommandStatus.CONFIRMED


# ── what it costs ───────────────────────────────────────────────────────────────────────────


def everywhere() -> Tariff:
    return Tariff(config=by_blocks("2.50", 60))


def inside() -> Tariff:
    config = by_blocks("6.00", 60, **{"for": {"zones": ["zone-1"]}})
    return Tariff(config=config, priority=1, name="inside")


def outside() -> Tariff:
    config = flat("1.00", **{"for": {"zones": ["zone-0"]}})
    return Tariff("FLAT", config, priority=2, name="outside")


async def price_of(bench: Bench, *tariffs: Tariff) -> tuple[Decimal, list[str]]:
    """Ten minutes outside, an hour and a half inside, half an hour outside."""
    gate = await gate_of(bench, tariffs=tariffs)
    stay = await admitted(gate)
    await inward(gate, stay)
    await passed(gate, stay, gate.site.inward)
    back = NOW + timedelta(minutes=100)
    out = await gate.move(stay, gate.site.zone, lane=gate.site.outward, at=back)
    await moved(gate, out)
    await passed(gate, stay, gate.site.outward)
    request = await gate.departure(stay, at=NOW + timedelta(minutes=130))
    answer = await bench.store.release(gate.site.id, gate.fence, request)
    assert answer.price is not None
    lines = await bench.owner_value(
        "SELECT array_agg(l ->> 'amount') FROM bookings b, jsonb_array_elements(b.price_lines) l"
        " WHERE b.id = $1",
        stay,
    )
    return answer.price.amount, lines


async def test_one_rule_for_all_zones_prices_the_stay_as_one(postgres_bench: Bench) -> None:
    assert (await price_of(postgres_bench, everywhere()))[0] == Decimal("7.50")


async def test_different_rules_price_the_parts_of_the_stay(postgres_bench: Bench) -> None:
    amount, lines = await price_of(postgres_bench, everywhere(), inside())
    assert amount == Decimal("2.50") + Decimal("12.00") + Decimal("2.50")
    assert sum(Decimal(line) for line in lines) == amount


async def test_a_rule_that_asks_for_the_zone_of_the_entrance_ends_with_it(
    postgres_bench: Bench,
) -> None:
    amount, _ = await price_of(postgres_bench, inside(), outside())
    assert amount == Decimal("1.00") + Decimal("12.00") + Decimal("1.00")


# ── without a grant ─────────────────────────────────────────────────────────────────────────


async def freely(
    gate: Gate,
    plate: str | None,
    *,
    kind: FreeKind = FreeKind.HELD,
    known: PassageKnown = PassageKnown.MEASURED,
) -> FreePassageAnswer:
    """A vehicle passes the lane into the inner zone, which is held open, say."""
    request = FreePassage(
        passage=EventId(uuid4()),
        lane=gate.site.inward,
        direction=Direction.TRANSFER,
        kind=kind,
        stay=StayId(uuid4()),
        at=LATER,
        read=PlateRead(Plate(plate), plate) if plate else None,
        known=known,
    )
    return await gate.store.pass_freely(gate.site.id, gate.fence, request)


async def test_who_passes_without_a_grant_is_where_it_went(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    assert await freely(gate, "BAB123") == FreePassageAnswer(FreeOutcome.STAY_MOVED, stay)
    assert await where(gate) == (gate.site.inner, "I-1")
    assert (await segments(bench, gate, stay))[-1] == ("zone-1", "I-1", "measured")


@pytest.mark.parametrize("let_through", [False, True])
async def test_how_that_was_known_is_kept(bench: Bench, let_through: bool) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    if let_through:
        await inward(gate, stay)
    await freely(gate, "BAB123", known=PassageKnown.ASSUMED)
    assert (await segments(bench, gate, stay))[-1] == ("zone-1", "I-1", "assumed")


async def test_it_is_there_though_the_zone_has_no_spot_for_it(bench: Bench) -> None:
    gate = await gate_of(bench, inner=("I-1",))
    await inward(gate, await admitted(gate, "C1"), "C1")
    stay = await admitted(gate)
    assert await freely(gate, "BAB123") == FreePassageAnswer(FreeOutcome.STAY_MOVED, stay)
    assert await where(gate) == (gate.site.inner, "")
    assert await occupied(gate) == [0, 2]
    assert await reconciled(bench, gate) == [("over_capacity", stay)]


async def test_one_that_was_let_through_has_moved_once(bench: Bench) -> None:
    gate = await gate_of(bench)
    stay = await admitted(gate)
    await inward(gate, stay)
    assert await freely(gate, "BAB123") == FreePassageAnswer(FreeOutcome.STAY_MOVED, stay)
    assert len(await segments(bench, gate, stay)) == 2
    assert await undone(gate, stay, gate.site.inward) is None


@pytest.mark.parametrize("plate", [None, "X1"], ids=["not read", "not inside"])
async def test_nobody_knows_who_it_was(bench: Bench, plate: str | None) -> None:
    gate = await gate_of(bench)
    await admitted(gate)
    assert await freely(gate, plate) == FreePassageAnswer(FreeOutcome.NOBODY_KNOWN)
    assert await occupied(gate) == [1, 0]


async def test_a_spot_that_comes_free_goes_to_who_is_there_without_one(
    postgres_bench: Bench,
) -> None:
    bench = postgres_bench
    gate = await gate_of(bench, outer=("O-1",))
    stay = await admitted(gate)
    await inward(gate, stay)
    await passed(gate, stay, gate.site.inward)
    other = await admitted(gate, "C1", LATER)
    out = await gate.move(stay, gate.site.zone, lane=gate.site.outward, anyway=True)
    await moved(gate, out)
    await passed(gate, stay, gate.site.outward)
    left = await gate.departure(other, "C1", at=LATER + timedelta(hours=1))
    await bench.store.release(gate.site.id, gate.fence, left)
    assert await where(gate) == (gate.site.zone, "O-1")
    assert (await segments(bench, gate, stay))[-1] == ("zone-0", "O-1", "measured")
