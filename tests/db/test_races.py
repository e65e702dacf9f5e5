"""Rivals: two cars and one spot, one car at two lanes, and the referee when nobody locks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.ids import CommandId, LaneId, StayId
from gated.records import AdmitAnswer, AdmitOutcome, AdmitRequest, ReleaseOutcome, ZoneCount
from tests.db.site import NOW, Gate, make_site
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked

RIVALS = 64
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%cancel_admission%'"
)


async def truth(owner: asyncpg.Connection, gate: Gate) -> asyncpg.Record:
    """The same thing told by four tables, when what was left uncounted has been counted."""
    await owner.execute("SELECT gate.count_all_changes_v1()")
    row = await owner.fetchrow(
        """
        SELECT
            (SELECT count(*) FROM gate.claims c WHERE c.facility_id = $1) AS claims,
            (SELECT count(DISTINCT c.spot_id) FROM gate.claims c
             WHERE c.facility_id = $1) AS spots_claimed,
            (SELECT count(*) FROM bookings b
             WHERE b.facility_id = $1 AND b.status = 'ACTIVE') AS stays,
            (SELECT count(*) FROM parking_spots s JOIN zones z ON z.id = s.zone_id
             WHERE z.facility_id = $1 AND s.status = 'OCCUPIED') AS spots_occupied,
            (SELECT sum(z.total_spots - z.available_spots) FROM zones z
             WHERE z.facility_id = $1) AS counted_zones,
            (SELECT f.total_spots - f.available_spots FROM facilities f
             WHERE f.id = $1) AS counted_facility,
            (SELECT count(*) FROM gate.decisions d WHERE d.facility_id = $1
             AND d.decision = 'grant') AS grants,
            (SELECT count(*) FROM gate.commands c WHERE c.facility_id = $1) AS commands,
            (SELECT count(*) FROM gate.reconciliations r WHERE r.facility_id = $1) AS drifts
        """,
        gate.site.id,
    )
    assert row is not None
    return row


def all_of(count: int) -> dict[str, int]:
    """The truth after so many admissions and nothing else."""
    names = "claims spots_claimed stays spots_occupied counted_zones counted_facility"
    return dict.fromkeys(f"{names} grants commands".split(), count) | {"drifts": 0}


def winner(
    requests: Sequence[AdmitRequest], answers: Sequence[AdmitAnswer]
) -> tuple[StayId, LaneId]:
    """The stay that was opened, and its lane."""
    return next(
        (answer.stay, request.lane)
        for request, answer in zip(requests, answers, strict=True)
        if answer.stay is not None
    )


async def test_one_spot_is_given_to_one_of_two(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]]))
    for turn in range(25):
        at = NOW + timedelta(minutes=turn)
        requests = [
            await gate.entry(f"A{turn}", at=at),
            await gate.entry(f"B{turn}", lane=gate.site.entry_two, at=at),
        ]
        answers = await asyncio.gather(
            *(gate.store.admit(gate.site.id, gate.fence, request) for request in requests)
        )
        assert sorted(answer.outcome for answer in answers) == [
            AdmitOutcome.ADMITTED,
            AdmitOutcome.ZONE_FULL,
        ]
        won, lane = winner(requests, answers)
        await gate.store.cancel_admission(
            gate.site.id, gate.fence, won, lane, "next turn", at, uuid4()
        )
    assert dict(await truth(owner_of, gate)) == {
        "claims": 0,
        "spots_claimed": 0,
        "stays": 0,
        "spots_occupied": 0,
        "counted_zones": 0,
        "counted_facility": 0,
        "grants": 25,
        "commands": 25,
        "drifts": 0,
    }


@pytest.mark.parametrize("spots", [1, 2, 50, RIVALS])
async def test_many_rivals_get_every_spot_once(
    postgres_bench: Bench, owner_of: asyncpg.Connection, spots: int
) -> None:
    """Rows that rivals hold locked are passed over, and never mistaken for "none left"."""
    gate = await postgres_bench.gate(make_site([[str(n) for n in range(spots)]]))
    requests = [await gate.entry(f"R{number}") for number in range(RIVALS)]
    answers = await asyncio.gather(
        *(gate.store.admit(gate.site.id, gate.fence, request) for request in requests)
    )
    assert Counter(answer.outcome for answer in answers) == Counter(
        {AdmitOutcome.ADMITTED: spots, AdmitOutcome.ZONE_FULL: RIVALS - spots}
    )
    assert len({answer.spot for answer in answers if answer.spot}) == spots
    assert dict(await truth(owner_of, gate)) == all_of(spots)
    assert await gate.store.zone_count(gate.site.zone) == ZoneCount(spots, spots, 0)


async def test_full_is_said_only_when_there_is_none(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """A rival holds the last free spot locked and then fails: it was free all the time."""
    gate = await postgres_bench.gate(make_site([["1"]]))
    request = await gate.entry()
    transaction = owner_of.transaction()
    await transaction.start()
    await owner_of.execute(
        "SELECT FROM parking_spots WHERE zone_id = $1 FOR UPDATE", gate.site.zone
    )
    answer = asyncio.create_task(gate.store.admit(gate.site.id, gate.fence, request))
    watcher = await asyncpg.connect(postgres_bench.owner_dsn)
    try:
        async with asyncio.timeout(10):
            while not await watcher.fetchval(  # noqa: ASYNC110  the event is the server's
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database() AND query LIKE '%admit_v1%')"
            ):
                await asyncio.sleep(0.01)
    finally:
        await watcher.close()
    assert not answer.done()
    await transaction.rollback()
    assert (await answer).outcome is AdmitOutcome.ADMITTED


async def test_one_plate_at_two_lanes_is_one_stay(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2"]]))
    for turn in range(25):
        at = NOW + timedelta(minutes=turn)
        requests = [
            await gate.entry("SAME1", at=at),
            await gate.entry("SAME1", lane=gate.site.entry_two, at=at),
        ]
        answers = await asyncio.gather(
            *(gate.store.admit(gate.site.id, gate.fence, request) for request in requests)
        )
        assert sorted(answer.outcome for answer in answers) == [
            AdmitOutcome.ADMITTED,
            AdmitOutcome.ALREADY_INSIDE,
        ]
        won, lane = winner(requests, answers)
        assert (await truth(owner_of, gate))["stays"] == 1
        await gate.store.cancel_admission(
            gate.site.id, gate.fence, won, lane, "next turn", at, uuid4()
        )
    assert (await truth(owner_of, gate))["counted_zones"] == 0


async def test_one_stay_is_released_once(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Both may open: it is one vehicle at one frozen price. The spot comes back once."""
    gate = await postgres_bench.gate(make_site([["1", "2"]]))
    stay = await gate.admitted()
    requests = [await gate.departure(stay) for _ in range(8)]
    answers = await asyncio.gather(
        *(gate.store.release(gate.site.id, gate.fence, request) for request in requests)
    )
    assert {answer.outcome for answer in answers} == {ReleaseOutcome.RELEASED}
    assert len({answer.price for answer in answers}) == 1
    state = await truth(owner_of, gate)
    assert (state["claims"], state["counted_zones"], state["counted_facility"]) == (0, 0, 0)


async def test_one_event_is_decided_once_by_many(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    request = await gate.entry()
    requests = [
        replace(
            request,
            stay=StayId(uuid4()),
            read=(await gate.entry(f"P{number}")).read,
            command=replace(request.command, id=CommandId(uuid4())),
        )
        for number in range(8)
    ]
    answers = await asyncio.gather(
        *(gate.store.admit(gate.site.id, gate.fence, one) for one in requests)
    )
    assert Counter(answer.outcome for answer in answers) == {
        AdmitOutcome.ADMITTED: 1,
        AdmitOutcome.EVENT_DONE: 7,
    }
    assert (await truth(owner_of, gate))["claims"] == 1


async def test_entries_and_exits_at_once_leave_the_counters_true(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2", "3"], ["4", "5"]]))

    async def visit(number: int) -> None:
        zone = gate.site.setup.zones[number % 2].id
        for turn in range(4):
            at = NOW + timedelta(minutes=turn)
            request = await gate.entry(f"V{number}", zone=zone, at=at)
            answer = await gate.store.admit(gate.site.id, gate.fence, request)
            if answer.stay is not None:
                departure = await gate.departure(answer.stay, f"V{number}", at=at)
                released = await gate.store.release(gate.site.id, gate.fence, departure)
                assert released.outcome is ReleaseOutcome.RELEASED

    await asyncio.gather(*(visit(number) for number in range(12)))
    state = await truth(owner_of, gate)
    assert state["grants"] > 0
    assert (state["claims"], state["stays"], state["spots_occupied"]) == (0, 0, 0)
    assert (state["counted_zones"], state["counted_facility"], state["drifts"]) == (0, 0, 0)


async def test_leaving_and_giving_up_at_once_is_one_of_the_two(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Neither waits for the other for ever: both lock the claim before the booking."""
    gate = await postgres_bench.gate(make_site([["1"]]))
    before = await owner_of.fetchval(DEADLOCKS)
    outcomes: Counter[str] = Counter()
    for turn in range(60):
        at = NOW + timedelta(minutes=turn)
        stay = await gate.admitted(f"R{turn}", at=at)
        departure = await gate.departure(stay, f"R{turn}", at=at)
        _, released = await asyncio.gather(
            gate.store.cancel_admission(
                gate.site.id, gate.fence, stay, gate.site.entry, "backed out", at, uuid4()
            ),
            gate.store.release(gate.site.id, gate.fence, departure),
        )
        outcomes[released.outcome] += 1
    state = await truth(owner_of, gate)
    assert (state["claims"], state["stays"], state["spots_occupied"]) == (0, 0, 0)
    assert (state["counted_zones"], state["counted_facility"], state["drifts"]) == (0, 0, 0)
    assert set(outcomes) <= {ReleaseOutcome.RELEASED, ReleaseOutcome.NO_OPEN_STAY}
    await owner_of.execute("SELECT pg_stat_clear_snapshot()")
    assert await owner_of.fetchval(DEADLOCKS) == before


async def test_giving_up_waits_for_the_booking_before_all_that_follows_it(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """One that leaves has the booking and wants claim and spot: it must get them."""
    gate = await postgres_bench.gate(make_site([["1"]]))
    stay = await gate.admitted()
    async with owner_of.transaction():
        await owner_of.execute("SELECT FROM bookings WHERE id = $1 FOR UPDATE", stay)
        giving_up = asyncio.create_task(
            gate.store.cancel_admission(
                gate.site.id, gate.fence, stay, gate.site.entry, "backed out", NOW, uuid4()
            )
        )

        async def waits() -> bool:
            # Within a transaction the server shows the activity that it showed first.
            await owner_of.execute("SELECT pg_stat_clear_snapshot()")
            return bool(await owner_of.fetchval(WAITING))

        await eventually_asked(waits, "the call waits for the booking")
        await owner_of.execute("SET LOCAL deadlock_timeout = '50ms'")
        await owner_of.execute("SET LOCAL lock_timeout = '500ms'")
        await owner_of.execute(
            "UPDATE bookings SET status = 'COMPLETED', actual_exit = $2 WHERE id = $1", stay, NOW
        )
    assert await giving_up is None
    assert (await truth(owner_of, gate))["spots_occupied"] == 0


# ── the referee, with nobody locking ────────────────────────────────────────────────────────

STAND = """
INSERT INTO bookings (facility_id, spot_id, status, entry_time, expected_exit, plate_number)
SELECT $1, s.id, $2::text::booking_status, $3, $3::timestamptz + interval '1 hour', $4
FROM parking_spots s WHERE s.zone_id = $5 ORDER BY s.spot_order LIMIT 1
"""


@pytest.mark.parametrize(
    ("status", "later", "referee"),
    [
        ("ACTIVE", timedelta(0), "claims_spot_excl"),
        ("CONFIRMED", timedelta(0), "claims_spot_excl"),
        # Past its expected exit the vehicle still stands there.
        ("ACTIVE", timedelta(hours=5), "claims_stay_spot_key"),
    ],
)
async def test_the_referees_refuse_a_second_claim_on_a_spot(
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
    status: str,
    later: timedelta,
    referee: str,
) -> None:
    gate = await postgres_bench.gate()
    await gate.admitted()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await owner_of.execute(STAND, gate.site.id, status, NOW + later, "OTHER1", gate.site.zone)
    assert refused.value.constraint_name == referee


async def test_the_referee_refuses_a_second_stay_of_a_plate(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    await gate.admitted()
    other = gate.site.setup.zones[1].id
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await owner_of.execute(STAND, gate.site.id, "ACTIVE", NOW, "b-ab 123", other)
    assert refused.value.constraint_name == "claims_stay_plate_key"


# The trigger's own lock on the spot.
CLAIM_LOCK = "FOR NO KEY UPDATE OF s"
UNLOCKED = """
CREATE OR REPLACE FUNCTION gate.lock_spot_v1(
    p_zone uuid, p_lane uuid, p_size public.spot_size, p_wants_charger boolean,
    p_accessible boolean, p_during tstzrange, p_seed uuid, OUT spot uuid, OUT refusal text,
    OUT waited_ms real
) LANGUAGE sql AS $$
    SELECT s.id, NULL::text, 0::real FROM public.parking_spots s
    WHERE s.zone_id = p_zone ORDER BY s.spot_order
    OFFSET mod(abs(hashtext(p_seed::text)), (
        SELECT count(*) FROM public.parking_spots s WHERE s.zone_id = p_zone)) LIMIT 1
$$
"""


@pytest.mark.parametrize("spots", [1, 2, 50])
async def test_with_the_locks_off_the_referees_still_let_one_in(
    fresh_bench: Bench, spots: int
) -> None:
    """The planted fault: everyone is shown some spot, taken or not."""
    gate = await fresh_bench.gate(make_site([[str(n) for n in range(spots)]]))
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        await owner.execute(UNLOCKED)
        claiming = await owner.fetchval("SELECT pg_get_functiondef('gate.put_claim'::regproc)")
        assert CLAIM_LOCK in claiming
        await owner.execute(claiming.replace(CLAIM_LOCK, ""))
        requests = [await gate.entry(f"R{number}") for number in range(RIVALS)]
        answers = await asyncio.gather(
            *(gate.store.admit(gate.site.id, gate.fence, request) for request in requests)
        )
        outcomes = Counter(answer.outcome for answer in answers)
        state = await truth(owner, gate)
    finally:
        await owner.close()
    assert set(outcomes) == {AdmitOutcome.ADMITTED, AdmitOutcome.ZONE_FULL}
    won = outcomes[AdmitOutcome.ADMITTED]
    assert 1 <= won <= spots
    assert len({answer.spot for answer in answers if answer.spot}) == won
    assert dict(state) == all_of(won)


async def test_a_spot_with_a_claim_is_passed_over_whatever_its_status_says(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2"]]))
    await gate.admitted("FIRST1")
    await owner_of.execute(
        "UPDATE parking_spots SET status = 'AVAILABLE' WHERE zone_id = $1", gate.site.zone
    )
    answer = await gate.store.admit(gate.site.id, gate.fence, await gate.entry("SECOND1"))
    assert answer.spot_number == "2"
    third = await gate.store.admit(gate.site.id, gate.fence, await gate.entry("THIRD1"))
    assert third.outcome is AdmitOutcome.ZONE_RESERVED


async def test_a_counter_that_drifted_turns_nobody_away_and_is_told(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2", "3"]]))
    await owner_of.execute(
        "UPDATE zones SET available_spots = 0 WHERE facility_id = $1", gate.site.id
    )
    for plate in ("A1", "B1"):
        answer = await gate.store.admit(gate.site.id, gate.fence, await gate.entry(plate))
        assert (answer.outcome, answer.available) == (AdmitOutcome.ADMITTED, 0)
    rows = await owner_of.fetch(
        "SELECT kind, details ->> 'zone' AS zone FROM gate.reconciliations WHERE facility_id = $1",
        gate.site.id,
    )
    assert [(row["kind"], UUID(row["zone"])) for row in rows] == [
        ("available_spots", gate.site.zone)
    ]


async def test_a_spot_out_of_service_stays_out_of_service(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]]))
    stay = await gate.admitted()
    await owner_of.execute(
        "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE zone_id = $1", gate.site.zone
    )
    released = await gate.store.release(gate.site.id, gate.fence, await gate.departure(stay))
    assert (released.outcome, released.available) == (ReleaseOutcome.RELEASED, 0)
    row = await owner_of.fetchrow(
        "SELECT status::text AS status, current_booking FROM parking_spots WHERE zone_id = $1",
        gate.site.zone,
    )
    assert row is not None
    assert (row["status"], row["current_booking"]) == ("MAINTENANCE", None)
