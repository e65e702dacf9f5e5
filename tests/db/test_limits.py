"""Limits by group and time: who is let in, on every store; races and windows on PostgreSQL."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import PassageKnown
from gated.core.events import ZoneRefusal
from gated.core.ids import StayId, ZoneId
from gated.core.signs import Room
from gated.core.snapshot import Entitlement, Group, Right
from gated.records import AdmitAnswer, AdmitOutcome, AdmitRequest, MoveOutcome, MoveRequest
from tests.db.site import NOW, Gate, make_site, nested
from tests.db.stores import Bench
from tests.fakes.store import FakeLimit

RIVALS = 40


async def limit(
    bench: Bench,
    gate: Gate,
    group: Group,
    stays_max: int,
    *,
    zone: ZoneId | None = None,
    days: list[str] | None = None,
    begins: str | None = None,
    ends: str | None = None,
) -> None:
    """A limit of the zone, or of the facility. In memory it holds at all times."""
    if bench.address is None:
        there = bench.memory.facilities[gate.site.id]
        there.limits.append(FakeLimit(zone, group, stays_max))
        return
    await bench.owner_value(
        "INSERT INTO gate.zone_limits"
        " (facility_id, zone_id, position, parker_group, stays_max, days, begins, ends)"
        " SELECT $1, $2, count(*) + 1, $3, $4, $5, $6, $7 FROM gate.zone_limits",
        gate.site.id,
        zone,
        group.value,
        stays_max,
        days,
        begins,
        ends,
    )


async def tried(
    gate: Gate, plate: str, group: Group = Group.TRANSIENT, *, zone: ZoneId | None = None
) -> AdmitOutcome:
    """A vehicle of that group asks to be let in."""
    right = Entitlement(Right.STAFF) if group is Group.PERMIT_HOLDER else None
    request = await gate.entry(plate, zone=zone, entitlement=right)
    return (await gate.store.admit(gate.site.id, gate.fence, request)).outcome


async def test_a_limit_turns_its_own_group_away(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3", "4"]]))
    await limit(bench, gate, Group.TRANSIENT, 2, zone=gate.site.zone)
    outcomes = [await tried(gate, plate) for plate in ("A1", "B1", "C1")]
    assert outcomes == [
        AdmitOutcome.ADMITTED,
        AdmitOutcome.ADMITTED,
        AdmitOutcome.ZONE_FULL_FOR_GROUP,
    ]
    assert await tried(gate, "D1", Group.PERMIT_HOLDER) is AdmitOutcome.ADMITTED
    assert len(await bench.store.pending_events(gate.site.id, 9)) == 1, "it may be decided yet"


async def test_a_vehicle_that_leaves_makes_room_for_its_group(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3"]]))
    await limit(bench, gate, Group.TRANSIENT, 1, zone=gate.site.zone)
    stay = await gate.admitted("A1")
    assert await tried(gate, "B1") is AdmitOutcome.ZONE_FULL_FOR_GROUP
    await bench.store.release(gate.site.id, gate.fence, await gate.departure(stay, "A1"))
    assert await tried(gate, "B1") is AdmitOutcome.ADMITTED


async def test_the_other_zone_has_room_yet(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"], ["3", "4"]]))
    await limit(bench, gate, Group.TRANSIENT, 1, zone=gate.site.zone)
    await gate.admitted("A1")
    assert await tried(gate, "B1") is AdmitOutcome.ZONE_FULL_FOR_GROUP
    assert await tried(gate, "B1", zone=gate.site.inner) is AdmitOutcome.ADMITTED


async def test_a_limit_of_the_facility_holds_over_its_zones(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"], ["3", "4"]]))
    await limit(bench, gate, Group.TRANSIENT, 2)
    await gate.admitted("A1")
    assert await tried(gate, "B1", zone=gate.site.inner) is AdmitOutcome.ADMITTED
    for zone in (gate.site.zone, gate.site.inner):
        assert await tried(gate, "C1", zone=zone) is AdmitOutcome.FACILITY_FULL_FOR_GROUP
    assert await tried(gate, "D1", Group.PERMIT_HOLDER) is AdmitOutcome.ADMITTED


async def test_a_group_of_which_none_may_be_there_is_not_permitted(bench: Bench) -> None:
    gate = await bench.gate()
    await limit(bench, gate, Group.TRANSIENT, 0, zone=gate.site.zone)
    assert await tried(gate, "A1") is AdmitOutcome.GROUP_NOT_PERMITTED
    assert await tried(gate, "A1", zone=gate.site.inner) is AdmitOutcome.ADMITTED


async def test_whoever_is_registered_is_no_transient(bench: Bench) -> None:
    gate = await bench.gate()
    await limit(bench, gate, Group.TRANSIENT, 0, zone=gate.site.zone)
    await limit(bench, gate, Group.PERMIT_HOLDER, 1, zone=gate.site.zone)
    vehicle = await bench.register("P1")
    request = await gate.entry("P1", vehicle=vehicle.id)
    answer = await bench.store.admit(gate.site.id, gate.fence, request)
    assert answer.outcome is AdmitOutcome.ADMITTED
    assert await tried(gate, "P2", Group.PERMIT_HOLDER) is AdmitOutcome.ZONE_FULL_FOR_GROUP


async def test_reservations_have_a_limit_of_their_own(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3", "4"]]))
    await limit(bench, gate, Group.RESERVATION, 1, zone=gate.site.zone)
    outcomes = []
    for plate in ("R1", "R2"):
        booking = await bench.reserve(gate, plate)
        request = await gate.entry(plate, entitlement=Entitlement(Right.RESERVATION, booking))
        answer = await bench.store.admit(gate.site.id, gate.fence, request)
        outcomes.append(answer.outcome)
    assert outcomes == [AdmitOutcome.ADMITTED, AdmitOutcome.ZONE_FULL_FOR_GROUP]
    assert await tried(gate, "T1") is AdmitOutcome.ADMITTED, "and others are not asked for it"


async def test_who_still_stands_at_its_lane_is_counted_once(bench: Bench) -> None:
    gate = await bench.gate()
    await limit(bench, gate, Group.TRANSIENT, 1, zone=gate.site.zone)
    assert [await tried(gate, "A1") for _ in range(2)] == [AdmitOutcome.ADMITTED] * 2


async def test_a_limit_of_the_inner_zone_is_asked_when_the_stay_is_moved(bench: Bench) -> None:
    gate = await bench.gate(nested(make_site([["1", "2", "3"], ["4", "5", "6"]])))
    await limit(bench, gate, Group.TRANSIENT, 1, zone=gate.site.inner)
    await limit(bench, gate, Group.TRANSIENT, 2)
    outcomes = []
    for plate in ("A1", "B1"):
        stay = await gate.admitted(plate)
        request = await gate.move(stay, gate.site.inner, plate, lane=gate.site.inward)
        answer = await bench.store.move_stay(gate.site.id, gate.fence, request)
        outcomes.append(answer.outcome)
    assert outcomes == [MoveOutcome.MOVED, ZoneRefusal.GROUP_FULL], "not the facility's: it is in"
    again = await gate.move(stay, gate.site.inner, plate, lane=gate.site.inward, anyway=True)
    answer = await bench.store.move_stay(gate.site.id, gate.fence, again)
    assert answer.outcome is MoveOutcome.MOVED


async def test_an_inner_zone_that_a_group_may_not_enter(bench: Bench) -> None:
    gate = await bench.gate(nested(make_site([["1"], ["2"]])))
    await limit(bench, gate, Group.TRANSIENT, 0, zone=gate.site.inner)
    stay = await gate.admitted()
    request = await gate.move(stay, gate.site.inner, lane=gate.site.inward)
    answer = await bench.store.move_stay(gate.site.id, gate.fence, request)
    assert answer.outcome is ZoneRefusal.GROUP_NOT_PERMITTED


async def test_a_zone_counts_what_its_limits_leave(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3"], ["4"]]))
    await limit(bench, gate, Group.TRANSIENT, 2, zone=gate.site.zone)
    await limit(bench, gate, Group.PERMIT_HOLDER, 5)
    await gate.admitted()
    count = await bench.store.zone_count(gate.site.zone)
    assert count.rooms == {Group.TRANSIENT: Room(1, 2)}
    assert count.facility_rooms == {Group.PERMIT_HOLDER: Room(5, 5)}
    assert (await bench.store.zone_count(gate.site.inner)).rooms == {}


# ── races ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("whole", [False, True], ids=["zone", "facility"])
async def test_no_race_exceeds_a_limit(postgres_bench: Bench, whole: bool) -> None:
    bench = postgres_bench
    numbers = [str(number) for number in range(RIVALS)]
    gate = await bench.gate(make_site([numbers, [f"B{number}" for number in numbers]]))
    await limit(bench, gate, Group.TRANSIENT, 7, zone=None if whole else gate.site.zone)
    zones = (gate.site.zone, gate.site.inner) if whole else (gate.site.zone,)
    requests = [
        await gate.entry(f"T{number}", zone=zones[number % len(zones)]) for number in range(RIVALS)
    ]
    answers: list[AdmitAnswer] = await asyncio.gather(
        *(bench.store.admit(gate.site.id, gate.fence, request) for request in requests)
    )
    full = AdmitOutcome.FACILITY_FULL_FOR_GROUP if whole else AdmitOutcome.ZONE_FULL_FOR_GROUP
    assert Counter(answer.outcome for answer in answers) == {
        AdmitOutcome.ADMITTED: 7,
        full: RIVALS - 7,
    }


async def test_no_race_of_entries_and_moves_exceeds_a_limit(postgres_bench: Bench) -> None:
    """The inner zone can be entered from the street too: both ways count for the same limit."""
    bench = postgres_bench
    numbers = [str(number) for number in range(RIVALS)]
    gate = await bench.gate(nested(make_site([numbers, [f"I{number}" for number in numbers]])))
    await limit(bench, gate, Group.TRANSIENT, 5, zone=gate.site.inner)
    inside = [(f"M{number}", await gate.admitted(f"M{number}")) for number in range(15)]
    moves = [
        await gate.move(stay, gate.site.inner, plate, lane=gate.site.inward)
        for plate, stay in inside
    ]
    entries = [await gate.entry(f"E{number}", zone=gate.site.inner) for number in range(15)]

    async def moves_in(request: MoveRequest) -> bool:
        answer = await bench.store.move_stay(gate.site.id, gate.fence, request)
        return answer.outcome is MoveOutcome.MOVED

    async def comes_in(request: AdmitRequest) -> bool:
        answer = await bench.store.admit(gate.site.id, gate.fence, request)
        return answer.outcome is AdmitOutcome.ADMITTED

    taken_in = await asyncio.gather(*map(moves_in, moves), *map(comes_in, entries))
    assert sum(taken_in) == 5
    assert (await bench.store.zone_count(gate.site.inner)).occupied == 5


async def test_moves_race_for_the_last_spot_and_one_of_them_gets_it(postgres_bench: Bench) -> None:
    bench = postgres_bench
    outer = [str(number) for number in range(20)]
    gate = await bench.gate(nested(make_site([outer, ["I"]])))
    inside = [(f"M{number}", await gate.admitted(f"M{number}")) for number in range(20)]
    requests = [
        await gate.move(stay, gate.site.inner, plate, lane=gate.site.inward)
        for plate, stay in inside
    ]
    answers = await asyncio.gather(
        *(bench.store.move_stay(gate.site.id, gate.fence, request) for request in requests)
    )
    assert Counter(answer.outcome for answer in answers) == {
        MoveOutcome.MOVED: 1,
        ZoneRefusal.FULL: 19,
    }
    counts = [await bench.store.zone_count(zone.id) for zone in gate.site.setup.zones]
    assert [count.occupied for count in counts] == [19, 1]


async def test_a_stay_that_is_asked_to_leave_and_to_move_does_one_of_them(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    bench = postgres_bench
    gate = await bench.gate(nested(make_site([[str(n) for n in range(30)]] * 2)))
    for number in range(15):
        stay = await gate.admitted(f"A{number}")
        at = NOW + timedelta(minutes=5)
        move = await gate.move(stay, gate.site.inner, f"A{number}", lane=gate.site.inward, at=at)
        departure = await gate.departure(stay, f"A{number}", at=at)
        await asyncio.gather(
            bench.store.move_stay(gate.site.id, gate.fence, move),
            bench.store.release(gate.site.id, gate.fence, departure),
        )
    assert [(await bench.store.zone_count(zone.id)).occupied for zone in gate.site.setup.zones] == [
        0,
        0,
    ]
    assert await owner_of.fetch("SELECT * FROM gate.verify_v1($1)", gate.site.id) == []


async def test_moves_back_and_forth_lock_nobody_out(postgres_bench: Bench) -> None:
    """Full zones on both sides: each move frees what another one waits for."""
    bench = postgres_bench
    spots = [[f"O{number}" for number in range(12)], [f"I{number}" for number in range(12)]]
    gate = await bench.gate(nested(make_site(spots)))

    async def wander(plate: str, stay: StayId) -> None:
        at = NOW + timedelta(minutes=1)
        for turn in range(6):
            inwards = turn % 2 == 0
            lane = gate.site.inward if inwards else gate.site.outward
            zone = gate.site.inner if inwards else gate.site.zone
            at += timedelta(minutes=1)
            request = await gate.move(stay, zone, plate, lane=lane, at=at)
            answer = await bench.store.move_stay(gate.site.id, gate.fence, request)
            assert answer.outcome in (MoveOutcome.MOVED, ZoneRefusal.FULL)
            await bench.store.complete_passage(
                gate.site.id, gate.fence, stay, lane, PassageKnown.MEASURED, at, uuid4()
            )

    stays = [(f"W{number}", await gate.admitted(f"W{number}")) for number in range(12)]
    await asyncio.gather(*(wander(plate, stay) for plate, stay in stays))
    counts = [await bench.store.zone_count(zone.id) for zone in gate.site.setup.zones]
    assert sum(count.occupied for count in counts) == 12


# ── at some times ───────────────────────────────────────────────────────────────────────────

# Berlin: 2026-03-02 is a Monday.
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """March 2026, an hour before UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("days", "begins", "ends", "at", "holds"),
    [
        (WEEKDAYS, "07:00", "17:00", berlin(2, 6, 59), False),
        (WEEKDAYS, "07:00", "17:00", berlin(2, 7), True),
        (WEEKDAYS, "07:00", "17:00", berlin(2, 16, 59), True),
        (WEEKDAYS, "07:00", "17:00", berlin(2, 17), False),
        (WEEKDAYS, "07:00", "17:00", berlin(7, 12), False),
        (None, None, None, berlin(7, 12), True),
        (["sat"], None, None, berlin(7, 23, 59), True),
        (["sat"], None, None, berlin(8, 0), False),
        (["fri"], "22:00", "06:00", berlin(6, 23), True),
        (["fri"], "22:00", "06:00", berlin(7, 5, 59), True),
        (["fri"], "22:00", "06:00", berlin(7, 6), False),
        (["fri"], "22:00", "06:00", berlin(6, 5), False),
        (["holiday"], None, None, berlin(3, 12), True),
        (["holiday"], None, None, berlin(2, 12), False),
        (WEEKDAYS, "20:00", "24:00", berlin(3, 23, 59), True),
    ],
)
async def test_a_limit_holds_in_its_window_on_the_facilitys_clock(
    postgres_bench: Bench,
    days: list[str] | None,
    begins: str | None,
    ends: str | None,
    at: datetime,
    holds: bool,
) -> None:
    gate = await postgres_bench.gate()
    await postgres_bench.owner_value(
        "INSERT INTO gate.calendar_days (facility_id, day, kind) VALUES ($1, '2026-03-03',"
        " 'holiday')",
        gate.site.id,
    )
    await limit(postgres_bench, gate, Group.TRANSIENT, 3, days=days, begins=begins, ends=ends)
    found = await postgres_bench.owner_value(
        "SELECT array_agg(stays_max) FROM gate.limits_in_force_v1($1, $2)", gate.site.id, at
    )
    assert found == ([3] if holds else None)


async def test_of_several_limits_that_hold_the_smallest_counts(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    for stays_max, begins, ends in ((9, None, None), (4, "07:00", "17:00"), (1, "17:00", "18:00")):
        await limit(postgres_bench, gate, Group.TRANSIENT, stays_max, begins=begins, ends=ends)
    found = [
        await postgres_bench.owner_value(
            "SELECT stays_max FROM gate.limits_in_force_v1($1, $2)", gate.site.id, berlin(2, hour)
        )
        for hour in (3, 12, 17)
    ]
    assert found == [9, 4, 1]


async def test_a_limit_that_begins_throws_nobody_out(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2", "3"]]))
    at = NOW.replace(hour=3)
    for plate in ("A1", "B1"):
        await gate.admitted(plate, at=at)
    await limit(postgres_bench, gate, Group.TRANSIENT, 1, begins="07:00", ends="21:00")
    request = await gate.entry("C1", at=at + timedelta(minutes=5))
    answer = await postgres_bench.store.admit(gate.site.id, gate.fence, request)
    assert answer.outcome is AdmitOutcome.ADMITTED, "it is night"
    later = replace(await gate.entry("D1", at=NOW), zone=gate.site.zone)
    answer = await postgres_bench.store.admit(gate.site.id, gate.fence, later)
    assert answer.outcome is AdmitOutcome.FACILITY_FULL_FOR_GROUP
    assert (await postgres_bench.store.zone_count(gate.site.zone)).occupied == 3
