"""What heals by itself: counters from the spots, spots from the claims. Never a stay, and never
what somebody said of a spot."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from gated.core.ids import FacilityId, StayId
from gated.records import ZoneDrift
from tests.db.site import NOW, Gate, drifts, written
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
# As a faulty tool or a restore would do it: without the triggers that follow.
BESIDE = "SET LOCAL session_replication_role = replica"


@dataclass(slots=True)
class Lot:
    """A zone of three spots, A-1 taken by a stay and A-2 by a reservation."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    stay: StayId
    reservation: StayId

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    async def beside(self, statement: str, *arguments: object) -> None:
        async with self.owner.transaction():
            await self.owner.execute(BESIDE)
            await self.owner.execute(statement, *arguments)

    async def say_of(self, number: str, status: str, booking: UUID | None) -> None:
        await self.beside(
            "UPDATE parking_spots SET status = $3::text::spot_status, current_booking = $4"
            " WHERE zone_id = $1 AND spot_number = $2",
            self.gate.site.zone,
            number,
            status,
            booking,
        )

    async def spot(self, number: str) -> tuple[str, UUID | None]:
        row = await self.owner.fetchrow(
            "SELECT status::text AS status, current_booking FROM parking_spots"
            " WHERE zone_id = $1 AND spot_number = $2",
            self.gate.site.zone,
            number,
        )
        assert row is not None
        return row["status"], row["current_booking"]

    async def heal(self) -> tuple[int, int]:
        """As housekeeping does it: how many spots, how many counters."""
        store = self.bench.postgres
        spots = await store.heal_spots(self.id, NOW + HOUR)
        return spots, await store.heal_counters(self.id, NOW + HOUR)

    async def audits(self, action: str) -> int:
        count: int = await self.owner.fetchval(
            "SELECT count(*) FROM audit_logs WHERE facility_id = $1 AND action = $2",
            self.id,
            action,
        )
        return count

    async def drift(self) -> ZoneDrift:
        return await self.bench.postgres.zone_drift(self.gate.site.zone, NOW)


@pytest.fixture
async def lot(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Lot:
    gate = await postgres_bench.gate()
    stay = await gate.admitted("AAA111")
    reservation = await postgres_bench.reserve(gate, "BBB222")
    await owner_of.execute("SELECT gate.hold_spots_v1($1, $2)", gate.site.id, NOW)
    return Lot(postgres_bench, owner_of, gate, stay, reservation)


async def test_what_is_true_is_left_alone(lot: Lot) -> None:
    before = await written(lot.owner, lot.id)
    assert await lot.heal() == (0, 0)
    assert await written(lot.owner, lot.id) == before
    assert await lot.drift() == ZoneDrift(counted=1, stays=1, sensed=None, allowed=5)


@pytest.mark.parametrize("more", [1, -1])
async def test_a_wrong_counter_drifts_and_heals(lot: Lot, more: int) -> None:
    await lot.owner.execute(
        "UPDATE zones SET available_spots = available_spots - $2 WHERE id = $1",
        lot.gate.site.zone,
        more,
    )
    drift = await lot.drift()
    assert (drift.counted, drift.stays) == (1 + more, 1)
    assert await lot.heal() == (0, 1)
    assert (await lot.drift()).counted == 1
    assert await lot.audits("counters.healed") == 1
    assert await lot.heal() == (0, 0)


async def test_a_facility_s_own_counter_heals_too(lot: Lot) -> None:
    await lot.owner.execute(
        "UPDATE facilities SET available_spots = 0, total_spots = total_spots + 3 WHERE id = $1",
        lot.id,
    )
    assert await lot.heal() == (0, 2)
    assert await drifts(lot.owner, lot.id) == []


async def test_what_waited_for_an_operator_because_of_a_counter_is_settled(lot: Lot) -> None:
    await lot.owner.execute(
        "INSERT INTO gate.reconciliations (facility_id, kind) VALUES ($1, 'available_spots'),"
        " ($1, 'payment_refused')",
        lot.id,
    )
    await lot.owner.execute(
        "UPDATE zones SET available_spots = 0 WHERE id = $1", lot.gate.site.zone
    )
    await lot.heal()
    waiting = await lot.owner.fetch(
        "SELECT kind FROM gate.reconciliations WHERE facility_id = $1 AND resolved_at IS NULL",
        lot.id,
    )
    assert [row["kind"] for row in waiting] == ["payment_refused"]


async def test_what_is_not_counted_yet_is_not_wrong(lot: Lot) -> None:
    async with lot.owner.transaction():
        await lot.owner.execute("SELECT FROM facilities WHERE id = $1 FOR NO KEY UPDATE", lot.id)
        await lot.gate.admitted("CCC333")
        assert (await lot.drift()).counted == 2
        assert await lot.heal() == (0, 0)


async def test_counting_while_vehicles_come_and_go_heals_nothing_that_is_true(lot: Lot) -> None:
    async def come_and_go(number: int) -> None:
        request = await lot.gate.entry(f"CAR{number}", lane=lot.gate.site.entry_two)
        answer = await lot.gate.store.admit(lot.id, lot.gate.fence, request)
        if answer.stay is not None:
            leaving = await lot.gate.departure(answer.stay, f"CAR{number}")
            await lot.gate.store.release(lot.id, lot.gate.fence, leaving)

    healed = [(0, 0)]

    async def heal() -> None:
        healed.extend([await lot.heal() for _ in range(15)])

    await asyncio.gather(heal(), *(come_and_go(number) for number in range(12)))
    assert set(healed) == {(0, 0)}
    await lot.bench.postgres.count_changes()
    assert await drifts(lot.owner, lot.id) == []


@pytest.mark.parametrize("status", ["AVAILABLE", "RESERVED", "OCCUPIED"])
async def test_a_spot_that_a_stay_claims_says_so_again(lot: Lot, status: str) -> None:
    await lot.say_of("A-1", status, None)
    # Two counters are wrong then, where the triggers had not seen it become available.
    assert await lot.heal() == (1, 2 if status == "AVAILABLE" else 0)
    assert await lot.spot("A-1") == ("OCCUPIED", lot.stay)
    assert await lot.audits("spot.healed") == 1
    assert await drifts(lot.owner, lot.id) == []


async def test_a_spot_out_of_service_stays_so_with_its_vehicle(lot: Lot) -> None:
    await lot.say_of("A-1", "MAINTENANCE", None)
    await lot.heal()
    assert await lot.spot("A-1") == ("MAINTENANCE", lot.stay)


async def test_a_spot_does_not_name_a_booking_that_has_ended(lot: Lot) -> None:
    leaving = await lot.gate.departure(lot.stay, "AAA111")
    await lot.gate.store.release(lot.id, lot.gate.fence, leaving)
    await lot.say_of("A-1", "OCCUPIED", lot.stay)
    assert (await lot.heal())[0] == 1
    assert await lot.spot("A-1") == ("AVAILABLE", None)
    assert await drifts(lot.owner, lot.id) == []


@pytest.mark.parametrize("status", ["OCCUPIED", "RESERVED", "MAINTENANCE"])
async def test_what_somebody_says_of_a_spot_is_theirs(lot: Lot, status: str) -> None:
    await lot.owner.execute(
        "UPDATE parking_spots SET status = $2::text::spot_status"
        " WHERE zone_id = $1 AND spot_number = 'A-10'",
        lot.gate.site.zone,
        status,
    )
    assert await lot.heal() == (0, 0)
    assert await lot.spot("A-10") == (status, None)
    assert await lot.spot("A-2") == ("RESERVED", lot.reservation)
    assert (await lot.drift()).counted == (2 if status == "OCCUPIED" else 1)


async def test_a_spot_that_is_being_worked_on_is_left_for_the_next_time(lot: Lot) -> None:
    await lot.say_of("A-1", "AVAILABLE", None)
    async with lot.owner.transaction():
        await lot.owner.execute(
            "SELECT FROM parking_spots WHERE zone_id = $1 FOR UPDATE", lot.gate.site.zone
        )
        assert await lot.bench.postgres.heal_spots(lot.id, NOW) == 0
    assert await lot.bench.postgres.heal_spots(lot.id, NOW) == 1


async def test_a_stay_is_never_healed(lot: Lot) -> None:
    """A claim without a stay, a stay without a claim: people look at those."""
    await lot.beside("UPDATE bookings SET status = 'CANCELLED' WHERE id = $1", lot.stay)
    assert await lot.heal() == (0, 0)
    assert await lot.owner.fetchval("SELECT kind FROM gate.claims WHERE booking_id = $1", lot.stay)
    assert [kind for kind, *_ in await drifts(lot.owner, lot.id)] == ["claims"]
