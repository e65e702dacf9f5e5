"""Whom an exit let out and who turned back, on every store: the stay goes on."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.errors import FencedOut
from gated.core.events import CommandStatus
from gated.core.ids import Fence, LaneId, StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import PlateSnapshot
from gated.db.bookings import Payment
from gated.records import (
    FreeOutcome,
    FreePassage,
    ReleaseAnswer,
    ReleaseOutcome,
)
from tests.db.site import NOW, Gate, drifts, make_site
from tests.db.stores import Bench

PLATE = Plate("BAB123")
LEFT = NOW + timedelta(minutes=61)
BACK = LEFT + timedelta(seconds=6)
LATER = NOW + timedelta(minutes=121)


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


async def inside(gate: Gate, plate: str = "BAB123", at: datetime = NOW) -> StayId:
    """A vehicle that came in and was seen to."""
    stay = await gate.admitted(plate, at=at)
    await gate.store.complete_passage(
        gate.site.id, gate.fence, stay, gate.site.entry, PassageKnown.MEASURED, at, stay
    )
    return stay


async def released(
    gate: Gate, stay: StayId, at: datetime = LEFT, *, lane: LaneId | None = None
) -> ReleaseAnswer:
    request = await gate.departure(stay, at=at, lane=lane)
    return await gate.store.release(gate.site.id, gate.fence, request)


async def resumed(gate: Gate, stay: StayId, at: datetime = BACK) -> ZoneId | None:
    return await gate.store.resume_stay(
        gate.site.id, gate.fence, stay, gate.site.exit, "no_passage", at, stay
    )


async def seen(gate: Gate, at: datetime = BACK) -> PlateSnapshot:
    """What an exit would know of the plate."""
    return await gate.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, at)


async def spot(gate: Gate) -> str:
    """Of the open stay; blank: it has none."""
    stay = (await seen(gate)).open_stay
    assert stay is not None
    assert not stay.released
    return stay.spot_number


async def reconciled(bench: Bench, gate: Gate) -> list[tuple[str, StayId]]:
    """What waits for an operator; and nothing drifts."""
    if bench.address is None:
        return bench.memory.facilities[gate.site.id].reconciled
    connection = await asyncpg.connect(bench.owner_dsn)
    try:
        rows = await connection.fetch(
            "SELECT kind, (details ->> 'stay')::uuid AS stay FROM gate.reconciliations"
            " WHERE facility_id = $1 AND resolved_at IS NULL",
            gate.site.id,
        )
        assert await drifts(connection, gate.site.id) == []
    finally:
        await connection.close()
    return [(row["kind"], row["stay"]) for row in rows]


# ── the stay goes on ────────────────────────────────────────────────────────────────────────


async def test_who_turns_back_is_inside_as_before(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    before = await seen(gate)
    await released(gate, stay)
    assert await resumed(gate, stay) == gate.site.zone
    assert await seen(gate) == before
    assert list(await bench.store.pending_passages(gate.site.id, NOW)) == []
    assert await reconciled(bench, gate) == []


async def test_the_next_release_prices_anew(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    assert (await released(gate, stay)).price == euros("5.00")
    await resumed(gate, stay)
    answer = await released(gate, stay, LATER)
    assert (answer.outcome, answer.price) == (ReleaseOutcome.RELEASED, euros("7.50"))


async def test_a_call_told_twice_is_one_and_a_second_one_undoes_nothing(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    await released(gate, stay)
    assert await resumed(gate, stay) == gate.site.zone
    assert await resumed(gate, stay) == gate.site.zone, "repeated"
    assert await resumed(gate, stay, BACK + timedelta(minutes=1)) is None
    await released(gate, stay, LATER)
    assert await resumed(gate, stay, LATER + timedelta(minutes=1)) == gate.site.zone


async def test_its_spot_may_be_taken_and_it_gets_another(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    stay = await inside(gate)
    await released(gate, stay)
    await inside(gate, "C1", LEFT)
    await resumed(gate, stay)
    assert await spot(gate) == "2"
    assert await reconciled(bench, gate) == []


async def test_in_a_full_zone_it_is_inside_without_a_spot(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"]]))
    stay = await inside(gate)
    await released(gate, stay)
    await inside(gate, "C1", LEFT)
    assert await resumed(gate, stay) == gate.site.zone
    assert await spot(gate) == ""
    assert await reconciled(bench, gate) == [("over_capacity", stay)]
    assert (await released(gate, stay, LATER)).price == euros("7.50")
    assert await resumed(gate, stay, LATER + timedelta(seconds=6)) == gate.site.zone


async def test_an_open_command_that_was_not_sent_yet_is_cancelled(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    request = await gate.departure(stay, at=LEFT)
    await gate.store.release(gate.site.id, gate.fence, request)
    await resumed(gate, stay)
    left = await bench.store.accepted_commands(gate.site.id)
    assert [command.lane for command in left] == [gate.site.entry]


async def test_one_that_was_sent_is_not_taken_back(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    request = await gate.departure(stay, at=LEFT)
    await gate.store.release(gate.site.id, gate.fence, request)
    await bench.store.dispatch_command(gate.site.id, gate.fence, request.command.id, LEFT)
    await resumed(gate, stay)
    status = await bench.store.advance_command(
        gate.site.id, gate.fence, request.command.id, CommandStatus.CONFIRMED, None, BACK
    )
    assert status is CommandStatus.CONFIRMED


# ── nothing is to be undone ─────────────────────────────────────────────────────────────────


async def test_who_has_passed_does_not_come_back(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    await released(gate, stay)
    await bench.store.complete_passage(
        gate.site.id, gate.fence, stay, gate.site.exit, PassageKnown.MEASURED, LEFT, stay
    )
    assert await resumed(gate, stay) is None
    assert (await seen(gate)).open_stay is None


async def test_a_stay_that_goes_on_and_one_that_is_unknown_are_left_alone(bench: Bench) -> None:
    gate = await bench.gate()
    assert await resumed(gate, StayId(uuid4())) is None
    stay = await inside(gate)
    assert await resumed(gate, stay) is None


async def test_who_was_let_out_at_another_lane_meanwhile_leaves_there(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    await released(gate, stay)
    await released(gate, stay, BACK, lane=gate.site.entry_two)
    assert await resumed(gate, stay) is None
    [pending] = await bench.store.pending_passages(gate.site.id, NOW)
    assert pending.lane == gate.site.entry_two


async def test_who_left_in_an_evacuation_does_not_come_back(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    request = await gate.departure(stay, at=LEFT)
    passage = FreePassage(
        passage=request.event,
        lane=gate.site.exit,
        direction=Direction.EXIT,
        kind=FreeKind.EVACUATION,
        stay=StayId(uuid4()),
        at=LEFT,
        read=request.read,
    )
    answer = await bench.store.pass_freely(gate.site.id, gate.fence, passage)
    assert answer.outcome is FreeOutcome.STAY_ENDED
    assert await resumed(gate, stay) is None


async def test_whose_plate_has_come_in_anew_had_left(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    stay = await inside(gate)
    await released(gate, stay)
    again = await inside(gate, at=LEFT + timedelta(minutes=1))
    assert await resumed(gate, stay, LEFT + timedelta(minutes=2)) is None
    open_stay = (await seen(gate, LEFT + timedelta(minutes=2))).open_stay
    assert open_stay is not None
    assert open_stay.id == again
    assert await reconciled(bench, gate) == []


async def test_who_has_lost_the_lease_resumes_nothing(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await inside(gate)
    await released(gate, stay)
    stale = replace(gate, fence=Fence(gate.fence - 1))
    with pytest.raises(FencedOut):
        await resumed(stale, stay)


# ── in the database ─────────────────────────────────────────────────────────────────────────


async def test_what_was_paid_stays_paid_and_the_difference_is_due(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    stay = await inside(gate)
    paid = Payment(uuid4(), Decimal("5.00"), "EUR", "CASH", LEFT, plate=str(PLATE))
    assert (await postgres_bench.postgres.record_payment(gate.site.id, paid)).counted
    columns = (
        "SELECT status, paid_at, grace_until, final_price, actual_exit, exit_lane_id, exit_match,"
        " price_lines, pricing_rule_id, spot_id, zone_id FROM bookings WHERE id = $1"
    )
    before = await owner_of.fetchrow(columns, stay)
    await released(gate, stay)
    await resumed(gate, stay)
    assert await owner_of.fetchrow(columns, stay) == before
    assert (await seen(gate)).due == euros("0.00"), "within its grace"
    answer = await released(gate, stay, LATER)
    assert (answer.price, answer.due) == (euros("7.50"), euros("2.50"))


async def test_it_is_audited_with_the_price_that_is_no_more(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    stay = await inside(gate)
    await released(gate, stay)
    await resumed(gate, stay)
    await resumed(gate, stay)
    rows = await owner_of.fetch(
        "SELECT (details ->> 'price')::numeric AS price, details ->> 'reason' AS reason"
        " FROM audit_logs WHERE action = 'stay.resumed' AND resource_id = $1",
        stay,
    )
    assert [tuple(row) for row in rows] == [(Decimal(5), "no_passage")]
    debts = await owner_of.fetchval("SELECT count(*) FROM gate.debts WHERE booking_id = $1", stay)
    assert debts == 0


async def test_a_violation_that_the_release_opened_stands_once(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    stay = await inside(gate)
    await owner_of.execute(
        "INSERT INTO gate.penalties (facility_id, violation_type, amount)"
        " VALUES ($1, 'overstay', 30)",
        gate.site.id,
    )
    await owner_of.execute(
        "UPDATE bookings SET reserved_from = $2, reserved_until = $3 WHERE id = $1",
        stay,
        NOW,
        NOW + timedelta(minutes=1),
    )
    count = "SELECT count(*) FROM violations WHERE booking_id = $1"
    await released(gate, stay)
    assert await owner_of.fetchval(count, stay) == 1
    await resumed(gate, stay)
    await released(gate, stay, LATER)
    assert await owner_of.fetchval(count, stay) == 1


async def test_it_resumes_while_another_lane_lets_it_out(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Either comes first; in the end it is let out at the other lane, and no claim is left."""
    gate = await postgres_bench.gate()
    for turn in range(20):
        at = NOW + timedelta(hours=3 * turn)
        left, back = at + timedelta(minutes=61), at + timedelta(minutes=62)
        stay = await inside(gate, at=at)
        await released(gate, stay, left)
        zone, answer = await asyncio.gather(
            resumed(gate, stay, back), released(gate, stay, back, lane=gate.site.entry_two)
        )
        price = euros("5.00")
        assert (answer.outcome, answer.price) == (ReleaseOutcome.RELEASED, price)
        row = await owner_of.fetchrow(
            "SELECT status::text, exit_lane_id, final_price FROM bookings WHERE id = $1", stay
        )
        assert row is not None
        assert tuple(row) == ("COMPLETED", gate.site.entry_two, price.amount)
        assert zone in (None, gate.site.zone)
    assert await drifts(owner_of, gate.site.id) == []


async def test_it_and_another_want_the_last_spot(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """The spot is given out once; who turned back is inside whatever comes of it."""
    gate = await postgres_bench.gate(make_site([["1"]]))
    for turn in range(20):
        at = NOW + timedelta(hours=3 * turn)
        left, back = at + timedelta(minutes=61), at + timedelta(minutes=62)
        stay = await inside(gate, at=at)
        await released(gate, stay, left)
        rival = await gate.entry("C1", at=back)
        zone, admitted = await asyncio.gather(
            resumed(gate, stay, back), gate.store.admit(gate.site.id, gate.fence, rival)
        )
        assert zone == gate.site.zone
        spotless = await owner_of.fetchval(
            "SELECT count(*) FROM bookings WHERE id = $1 AND status = 'ACTIVE'"
            " AND spot_id IS NULL AND zone_id = $2",
            stay,
            gate.site.zone,
        )
        assert spotless == (admitted.stay is not None)
        assert await drifts(owner_of, gate.site.id) == []
        await released(gate, stay, back)
        if admitted.stay is not None:
            await gate.store.cancel_admission(
                gate.site.id, gate.fence, admitted.stay, gate.site.entry, "next turn", back, uuid4()
            )


async def test_it_resumes_while_its_plate_comes_in_anew(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """One of them wins, and one stay is open."""
    gate = await postgres_bench.gate(make_site([["1", "2"]]))
    for turn in range(20):
        at = NOW + timedelta(hours=3 * turn)
        left, back = at + timedelta(minutes=61), at + timedelta(minutes=62)
        stay = await inside(gate, at=at)
        await released(gate, stay, left)
        anew = await gate.entry(at=back)
        zone, admitted = await asyncio.gather(
            resumed(gate, stay, back), gate.store.admit(gate.site.id, gate.fence, anew)
        )
        open_stays = await owner_of.fetch(
            "SELECT id FROM bookings WHERE facility_id = $1 AND status = 'ACTIVE'", gate.site.id
        )
        assert [row["id"] for row in open_stays] == [admitted.stay if zone is None else stay]
        assert await drifts(owner_of, gate.site.id) == []
        await released(gate, open_stays[0]["id"], back + timedelta(minutes=1))
