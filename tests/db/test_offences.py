"""Vehicles that stand where, or longer than, they should not: opened once, by proof alone."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind
from gated.core.events import PlateRead
from gated.core.ids import EventId, FacilityId, Slug, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.occupancy import Offence
from gated.records import (
    EventStatus,
    FreePassage,
    InboxRow,
    MoveOutcome,
    ReleaseOutcome,
    SpotSeen,
)
from tests.db.site import NOW, Gate, Spot, make_site, nested, set_up, write_spots, written
from tests.db.stores import Bench

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TICK = timedelta(microseconds=1)
GRACE = 15 * MINUTE
PENALTIES = {"overstay": 30, "wrong_zone": 20, "accessible_misuse": 55, "ev_misuse": 0}


@dataclass(slots=True)
class Lot:
    """Two zones, the second with a charger (E-1) and an accessible spot (H-1), and penalties."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    plate: str

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    @property
    def zones(self) -> list[ZoneId]:
        return [zone.id for zone in self.gate.site.setup.zones]

    async def admit(self, **how: Any) -> StayId:
        request = await self.gate.entry(self.plate, **how)
        answer = await self.gate.store.admit(self.id, self.gate.fence, request)
        assert answer.stay is not None
        return answer.stay

    async def sense(
        self,
        spot: str,
        at: datetime,
        *,
        occupied: bool = True,
        plate: str | None = None,
        said: datetime | None = None,
    ) -> None:
        zone, _, number = spot.partition("/")
        row = InboxRow(
            id=EventId(uuid4()),
            key=uuid4().hex,
            device=None,
            lane=None,
            topic="t",
            payload=b"{}",
            kind="spot",
            status=EventStatus.NEW,
            device_at=at,
            received_at=at,
        )
        await self.gate.store.append_events(self.id, self.gate.fence, [row])
        said = said or at
        read = Plate(plate) if plate else None
        word = SpotSeen("k", Slug(zone), number, occupied, said, said, read)
        await self.gate.store.note_sensor(self.id, self.gate.fence, row.id, word, at)

    async def look(self, at: datetime) -> list[Offence]:
        return list(await self.bench.postgres.open_offences(self.id, at))

    async def kinds(self, at: datetime) -> list[str]:
        return [offence.kind for offence in await self.look(at)]

    async def opened(self) -> list[asyncpg.Record]:
        return await self.owner.fetch(
            "SELECT violation_type, penalty_amount, booking_id, plate_number, vehicle_id,"
            " violation_time, evidence::json ->> 'zone' AS zone, evidence::json ->> 'spot' AS spot,"
            " evidence::json ->> 'zone_given' AS given FROM violations WHERE facility_id = $1"
            " ORDER BY violation_time, violation_type",
            self.id,
        )


@pytest.fixture
async def lot(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Lot:
    gate = await postgres_bench.gate()
    spots = [Spot("E-1", charger=True), Spot("H-1", accessible=True)]
    await write_spots(owner_of, gate.site, spots, gate.site.setup.zones[1].id)
    lot = Lot(postgres_bench, owner_of, gate, f"P{uuid4().hex[:7].upper()}")
    await list_penalties(lot)
    return lot


async def list_penalties(lot: Lot) -> None:
    await lot.owner.executemany(
        "INSERT INTO gate.penalties (facility_id, violation_type, amount) VALUES ($1, $2, $3)",
        [(lot.id, kind, Decimal(amount)) for kind, amount in PENALTIES.items()],
    )


# ── the wrong zone ──────────────────────────────────────────────────────────────────────────


async def test_a_vehicle_in_another_zone_than_its_own_is_an_offence_after_the_grace(
    lot: Lot,
) -> None:
    stay = await lot.admit()
    await lot.sense("zone-1/B-1", NOW + MINUTE, plate=lot.plate)
    assert await lot.look(NOW + MINUTE + GRACE - TICK) == []
    (offence,) = await lot.look(NOW + MINUTE + GRACE)
    assert (offence.kind, offence.stay) == ("wrong_zone", stay)
    assert (offence.zone, offence.spot_number, offence.since) == ("zone-1", "B-1", NOW + MINUTE)
    (row,) = await lot.opened()
    assert (row["violation_type"], row["penalty_amount"]) == ("wrong_zone", 20)
    assert (row["booking_id"], row["plate_number"]) == (stay, lot.plate)
    assert (row["given"], row["zone"], row["spot"]) == ("zone-0", "zone-1", "B-1")


async def test_it_is_opened_once_for_each_stay(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-1/B-1", NOW, plate=lot.plate)
    assert await lot.kinds(NOW + HOUR) == ["wrong_zone"]
    before = await written(lot.owner, lot.id)
    assert await lot.look(NOW + HOUR) == []
    await lot.sense("zone-1/B-1", NOW + HOUR, occupied=False)
    await lot.sense("zone-1/E-1", NOW + 2 * HOUR, plate=lot.plate)
    await lot.owner.execute("DELETE FROM gate.penalties WHERE violation_type = 'ev_misuse'")
    assert await lot.look(NOW + 3 * HOUR) == []
    assert (await written(lot.owner, lot.id))["violations"] == before["violations"]


async def test_many_who_look_at_once_open_one(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-1/H-1", NOW, plate=lot.plate)
    looks = await asyncio.gather(*(lot.look(NOW + HOUR) for _ in range(6)))
    assert {offence.kind for look in looks for offence in look} == {
        "wrong_zone",
        "accessible_misuse",
    }
    assert [row["violation_type"] for row in await lot.opened()] == [
        "accessible_misuse",
        "wrong_zone",
    ]
    audits = await lot.owner.fetchval(
        "SELECT count(*) FROM audit_logs WHERE facility_id = $1 AND action = 'violation.opened'",
        lot.id,
    )
    assert audits == 2


async def test_another_spot_of_its_own_zone_is_none(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-0/A-10", NOW, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []


async def test_who_goes_on_in_time_commits_none(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-1/B-1", NOW, plate=lot.plate)
    await lot.sense("zone-1/B-1", NOW + 10 * MINUTE, occupied=False)
    assert await lot.look(NOW + HOUR) == []


async def test_a_clock_that_lies_proves_nothing(lot: Lot) -> None:
    """The sensor says it has stood there since yesterday; gated heard of it just now."""
    await lot.admit()
    await lot.sense("zone-1/B-1", NOW + HOUR, plate=lot.plate, said=NOW + MINUTE)
    assert await lot.look(NOW + HOUR + GRACE - TICK) == []
    assert await lot.kinds(NOW + HOUR + GRACE) == ["wrong_zone"]


async def test_what_stood_there_before_its_stay_began_is_judged_from_then(lot: Lot) -> None:
    """A sensor that did not see the vehicle leave, or a second one with its plate."""
    await lot.sense("zone-1/B-1", NOW - HOUR, plate=lot.plate)
    await lot.admit(at=NOW)
    assert await lot.look(NOW + HOUR) == [], "told before the stay began: it may be over"
    await lot.sense("zone-1/B-1", NOW + HOUR, plate=lot.plate)
    assert await lot.kinds(NOW + HOUR) == ["wrong_zone"]


async def test_who_went_on_into_another_zone_has_left_the_spot_where_it_stood(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Its sensor tells of that late, or never."""
    gate = await postgres_bench.gate(nested(make_site([["O-1", "O-2"], ["I-1", "I-2"]])))
    lot = Lot(postgres_bench, owner_of, gate, f"P{uuid4().hex[:7].upper()}")
    await list_penalties(lot)
    await write_spots(owner_of, gate.site, [Spot("H-1", accessible=True)])
    site, stay = gate.site, await lot.admit()
    for number in ("O-2", "H-1"):
        # It stood on the latter for five minutes, which nobody minds.
        await lot.sense(f"zone-0/{number}", NOW + HOUR, plate=lot.plate)
    request = await gate.move(
        stay, site.inner, lot.plate, lane=site.inward, at=NOW + HOUR + 5 * MINUTE
    )
    answer = await gate.store.move_stay(site.id, gate.fence, request)
    assert answer.outcome is MoveOutcome.MOVED
    assert await lot.look(NOW + HOUR + 5 * MINUTE) == []
    assert await lot.look(NOW + 3 * HOUR) == []
    await lot.sense("zone-0/O-2", NOW + 3 * HOUR, plate=lot.plate)
    assert await lot.kinds(NOW + 3 * HOUR) == ["wrong_zone"], "and there it stands again"


async def test_who_goes_on_into_another_zone_has_its_grace_there(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """It is let on, and its sensor speaks of it once more before it drives."""
    gate = await postgres_bench.gate(nested(make_site([["O-1", "O-2"], ["I-1", "I-2"]])))
    lot = Lot(postgres_bench, owner_of, gate, f"P{uuid4().hex[:7].upper()}")
    await list_penalties(lot)
    site, stay = gate.site, await lot.admit()
    await lot.sense("zone-0/O-2", NOW, plate=lot.plate)
    request = await gate.move(stay, site.inner, lot.plate, lane=site.inward, at=NOW + HOUR)
    await gate.store.move_stay(site.id, gate.fence, request)
    await lot.sense("zone-0/O-2", NOW + HOUR + MINUTE, plate=lot.plate)
    assert await lot.look(NOW + HOUR + GRACE - TICK) == []
    assert await lot.kinds(NOW + HOUR + GRACE) == ["wrong_zone"]


async def test_who_was_given_a_spot_afterwards_is_where_it_is(lot: Lot) -> None:
    """It came in when nothing was free, and the books gave it a spot when one came free."""
    full = [await lot.gate.admitted(f"{lot.plate}{n}") for n in range(3)]
    other = f"{lot.plate}X"
    request = await lot.gate.entry(other, zone=lot.zones[1])
    spots = "UPDATE parking_spots SET is_active = spot_number = 'B-1' WHERE zone_id = $1"
    await lot.owner.execute(spots, lot.zones[1])
    answer = await lot.gate.store.admit(lot.id, lot.gate.fence, request)
    assert (answer.stay is not None, len(full)) == (True, 3)
    passage = FreePassage(
        EventId(uuid4()),
        lot.gate.site.entry,
        Direction.ENTRY,
        FreeKind.HELD,
        StayId(uuid4()),
        NOW,
        PlateRead(Plate(lot.plate), lot.plate),
    )
    stay = (await lot.gate.store.pass_freely(lot.id, lot.gate.fence, passage)).stay
    await lot.sense("zone-0/A-2", NOW + MINUTE, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []
    assert answer.stay is not None
    left = await lot.gate.departure(answer.stay, other, at=NOW + HOUR)
    await lot.gate.store.release(lot.id, lot.gate.fence, left)
    zone = (
        "SELECT s.zone_id FROM bookings b JOIN parking_spots s ON s.id = b.spot_id WHERE b.id = $1"
    )
    assert await lot.owner.fetchval(zone, stay) == lot.zones[1]
    assert await lot.look(NOW + 2 * HOUR) == []


async def test_without_a_penalty_nothing_is_an_offence(lot: Lot) -> None:
    await lot.owner.execute("DELETE FROM gate.penalties WHERE facility_id = $1", lot.id)
    await lot.admit()
    await lot.sense("zone-1/H-1", NOW, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []


async def test_the_grace_is_the_facility_s_own(lot: Lot) -> None:
    await set_up(lot.owner, lot.id, misuse_grace_minutes=0)
    await lot.admit()
    await lot.sense("zone-1/B-1", NOW + MINUTE, plate=lot.plate)
    assert await lot.kinds(NOW + MINUTE) == ["wrong_zone"]


# ── accessible spots and chargers ───────────────────────────────────────────────────────────


async def test_an_accessible_spot_is_for_those_with_a_permit(lot: Lot) -> None:
    await lot.sense("zone-1/H-1", NOW, plate=lot.plate)
    assert await lot.kinds(NOW + HOUR) == ["accessible_misuse"]
    (row,) = await lot.opened()
    assert (row["booking_id"], row["plate_number"], row["penalty_amount"]) == (None, lot.plate, 55)


async def test_a_permit_is_the_vehicle_s(lot: Lot) -> None:
    await lot.bench.register(lot.plate, permit=True)
    await lot.sense("zone-1/H-1", NOW, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []


async def test_who_reserved_an_accessible_spot_may_stand_on_another_one(lot: Lot) -> None:
    stay = await lot.admit(zone=lot.zones[1])
    await lot.owner.execute("UPDATE bookings SET needs_accessible = true WHERE id = $1", stay)
    await lot.sense("zone-1/H-1", NOW, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []


async def test_a_charger_is_for_those_who_want_one_where_it_is_kept_for_them(lot: Lot) -> None:
    vehicle = await lot.bench.register(lot.plate)
    await lot.sense("zone-1/E-1", NOW, plate=lot.plate)
    await set_up(lot.owner, lot.id, ev_spots_kept=False)
    assert await lot.look(NOW + HOUR) == []
    await set_up(lot.owner, lot.id, ev_spots_kept=True)
    assert await lot.kinds(NOW + HOUR) == ["ev_misuse"]
    (row,) = await lot.opened()
    assert (row["vehicle_id"], row["penalty_amount"]) == (vehicle.id, 0)


async def test_an_electric_vehicle_may_stand_at_a_charger(lot: Lot) -> None:
    await lot.bench.register(lot.plate, electric=True)
    await lot.sense("zone-1/E-1", NOW, plate=lot.plate)
    assert await lot.look(NOW + HOUR) == []


async def test_what_gated_gave_out_itself_is_no_offence(lot: Lot) -> None:
    stay = await lot.admit()
    for number in ("H-1", "E-1"):
        await lot.owner.execute(
            "UPDATE bookings SET spot_id = (SELECT id FROM parking_spots WHERE zone_id = $2"
            " AND spot_number = $3) WHERE id = $1",
            stay,
            lot.zones[1],
            number,
        )
        await lot.sense(f"zone-1/{number}", NOW, plate=lot.plate)
        assert await lot.look(NOW + HOUR) == []
        await lot.sense(f"zone-1/{number}", NOW + MINUTE, occupied=False)


async def test_a_stranger_commits_it_anew_each_time_it_comes(lot: Lot) -> None:
    for day in range(2):
        at = NOW + timedelta(days=day)
        await lot.sense("zone-1/H-1", at, plate=lot.plate)
        assert await lot.kinds(at + HOUR) == ["accessible_misuse"]
        assert await lot.look(at + 2 * HOUR) == []
        await lot.sense("zone-1/H-1", at + 3 * HOUR, occupied=False)
    assert len(await lot.opened()) == 2


async def test_a_sensor_that_flaps_accuses_a_stranger_once(lot: Lot) -> None:
    for minutes in (0, 30, 120):
        at = NOW + minutes * MINUTE
        await lot.sense("zone-1/H-1", at, plate=lot.plate)
        assert await lot.kinds(at + GRACE) == ([] if minutes else ["accessible_misuse"])
        await lot.sense("zone-1/H-1", at + 20 * MINUTE, occupied=False)
    other = f"P{uuid4().hex[:7].upper()}"
    await lot.sense("zone-1/H-1", NOW + 3 * HOUR, plate=other)
    assert await lot.kinds(NOW + 4 * HOUR) == ["accessible_misuse"]
    assert [row["plate_number"] for row in await lot.opened()] == [lot.plate, other]


async def test_a_sensor_that_did_not_notice_who_left_accuses_nobody(lot: Lot) -> None:
    """It had the right to the spot as long as it stayed; the sensor shows it there still."""
    stay = await lot.admit(zone=lot.zones[1])
    await lot.owner.execute("UPDATE bookings SET needs_accessible = true WHERE id = $1", stay)
    await lot.sense("zone-1/H-1", NOW + MINUTE, plate=lot.plate)
    await leave(lot, stay, NOW + HOUR)
    assert await lot.look(NOW + 2 * HOUR) == []
    await lot.admit(at=NOW + 3 * HOUR)
    assert await lot.look(NOW + 4 * HOUR) == [], "nor when it comes again"


async def test_a_sensor_whose_clock_is_behind_knows_the_stay_all_the_same(lot: Lot) -> None:
    stay = await lot.admit(zone=lot.zones[1])
    await lot.owner.execute("UPDATE bookings SET needs_accessible = true WHERE id = $1", stay)
    await lot.sense("zone-1/H-1", NOW + MINUTE, plate=lot.plate, said=NOW - 3 * HOUR)
    assert await lot.look(NOW + HOUR) == []


# ── what cannot be proven ───────────────────────────────────────────────────────────────────


async def test_something_on_a_spot_of_no_stay_is_told_once_and_is_no_offence(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-0/A-1", NOW - HOUR, occupied=False)
    await lot.sense("zone-1/H-1", NOW)
    assert await lot.look(NOW + GRACE - TICK) == []
    (told,) = await lot.look(NOW + GRACE)
    assert told == Offence("unexplained", None, None, "zone-1", "H-1", NOW)
    assert await lot.look(NOW + HOUR) == []
    assert await lot.opened() == []
    await lot.sense("zone-1/H-1", NOW + HOUR, occupied=False)
    await lot.sense("zone-1/H-1", NOW + 2 * HOUR)
    assert await lot.kinds(NOW + 3 * HOUR) == ["unexplained"], "another one"


async def test_something_on_the_spot_of_a_stay_is_its_vehicle(lot: Lot) -> None:
    await lot.admit()
    await lot.sense("zone-0/A-1", NOW + MINUTE)
    assert await lot.look(NOW + HOUR) == []


# ── overstaying ─────────────────────────────────────────────────────────────────────────────


async def reserved(lot: Lot) -> StayId:
    """A stay on a reservation from NOW for two hours."""
    booking = await lot.bench.reserve(lot.gate, lot.plate)
    return await lot.admit(entitlement=Entitlement(Right.RESERVATION, booking))


async def leave(lot: Lot, stay: StayId, at: datetime) -> None:
    request = await lot.gate.departure(stay, lot.plate, at=at)
    answer = await lot.gate.store.release(lot.id, lot.gate.fence, request)
    assert answer.outcome is ReleaseOutcome.RELEASED


async def test_an_overstay_is_opened_while_it_lasts_and_not_again_at_the_exit(lot: Lot) -> None:
    stay = await reserved(lot)
    assert await lot.look(NOW + 2 * HOUR) == []
    (offence,) = await lot.look(NOW + 2 * HOUR + TICK)
    assert (offence.kind, offence.stay, offence.since) == ("overstay", stay, NOW + 2 * HOUR)
    assert await lot.look(NOW + 3 * HOUR) == []
    await leave(lot, stay, NOW + 4 * HOUR)
    (row,) = await lot.opened()
    assert (row["violation_type"], row["penalty_amount"]) == ("overstay", 30)
    assert row["violation_time"] == NOW + 2 * HOUR + TICK


async def test_an_overstay_that_ends_unseen_is_opened_at_the_exit(lot: Lot) -> None:
    stay = await reserved(lot)
    await leave(lot, stay, NOW + 3 * HOUR)
    assert await lot.look(NOW + 4 * HOUR) == []
    (row,) = await lot.opened()
    assert (row["booking_id"], row["violation_time"]) == (stay, NOW + 3 * HOUR)


@pytest.mark.parametrize("minutes", [29, 31])
async def test_the_grace_counts_on_the_spot_and_at_the_exit(lot: Lot, minutes: int) -> None:
    await set_up(lot.owner, lot.id, overstay_grace_minutes=30)
    stay = await reserved(lot)
    at = NOW + 2 * HOUR + minutes * MINUTE
    assert await lot.kinds(at) == (["overstay"] if minutes > 30 else [])
    await leave(lot, stay, at)
    assert len(await lot.opened()) == (1 if minutes > 30 else 0)


async def test_looking_and_leaving_at_once_open_one(lot: Lot) -> None:
    stay = await reserved(lot)
    at = NOW + 3 * HOUR
    await asyncio.gather(leave(lot, stay, at), *(lot.look(at) for _ in range(4)))
    assert len(await lot.opened()) == 1


async def test_who_reserved_nothing_overstays_nothing(lot: Lot) -> None:
    await lot.admit()
    assert await lot.look(NOW + 48 * HOUR) == []


async def test_the_facilities_that_are_looked_at(lot: Lot) -> None:
    store = lot.bench.postgres
    quiet = await lot.bench.gate()
    watched = await store.watched_facilities()
    assert lot.id in watched
    assert quiet.site.id not in watched
    await Lot(lot.bench, lot.owner, quiet, lot.plate).sense("zone-0/A-1", NOW)
    assert quiet.site.id in await store.watched_facilities()
