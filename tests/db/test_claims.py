"""What follows a booking and a spot by itself, whoever writes them: claims, states, counters.

Plain SQL, as the web shop and the back office send it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.db.place import Connection, Place
from tests.services.databases import Database

HOUR = timedelta(hours=1)
# Longer than any month: the row moves to another partition.
MONTHS = timedelta(days=62)


async def put(connection: Connection, place: Place, **columns: object) -> UUID:
    """Insert a booking of the place's spot for the next hour; answers its id."""
    row = {
        "facility_id": place.facility,
        "spot_id": place.spot,
        "entry_time": place.at,
        "expected_exit": place.at + HOUR,
        "status": "CONFIRMED",
        "plate_number": None,
        "vehicle_id": None,
        **columns,
    }
    booking: UUID = await connection.fetchval(
        "INSERT INTO bookings (facility_id, spot_id, entry_time, expected_exit, status,"
        " plate_number, vehicle_id) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        *row.values(),
    )
    return booking


async def claims(connection: Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        "SELECT booking_id, spot_id, kind, plate, entry_time, lower(during) AS lower,"
        " upper(during) AS upper FROM gate.claims ORDER BY entry_time"
    )
    return [dict(row) for row in rows]


async def spot_state(connection: Connection, spot: UUID) -> tuple[str, UUID | None]:
    row = await connection.fetchrow(
        "SELECT status::text, current_booking FROM parking_spots WHERE id = $1", spot
    )
    assert row is not None
    return row["status"], row["current_booking"]


async def add_spot(connection: Connection, zone: UUID, number: str = "2") -> UUID:
    spot: UUID = await connection.fetchval(
        "INSERT INTO parking_spots (zone_id, spot_number) VALUES ($1, $2) RETURNING id",
        zone,
        number,
    )
    return spot


async def add_zone(connection: Connection, facility: UUID, code: str = "B") -> UUID:
    zone: UUID = await connection.fetchval(
        "INSERT INTO zones (facility_id, name, code) VALUES ($1, $2, $2) RETURNING id",
        facility,
        code,
    )
    return zone


FREE = ("AVAILABLE", None)

# ── bookings → claims → spots ──────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
async def test_a_confirmed_booking_claims_its_spot_and_leaves_it_free(
    owner: Connection, place: Place
) -> None:
    booking = await put(owner, place, plate_number="ab 12")
    assert await claims(owner) == [
        {
            "booking_id": booking,
            "spot_id": place.spot,
            "kind": "reservation",
            "plate": "AB12",
            "entry_time": place.at,
            "lower": place.at,
            "upper": place.at + HOUR,
        }
    ]
    assert await spot_state(owner, place.spot) == FREE


@pytest.mark.every_postgres
async def test_an_active_booking_claims_its_spot_and_stands_on_it(
    owner: Connection, place: Place
) -> None:
    booking = await put(owner, place, status="ACTIVE", expected_exit=None)
    [claim] = await claims(owner)
    assert (claim["booking_id"], claim["kind"], claim["upper"]) == (booking, "stay", None)
    assert await spot_state(owner, place.spot) == ("OCCUPIED", booking)


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "CANCELLED", "NO_SHOW"])
async def test_other_bookings_claim_nothing(owner: Connection, place: Place, status: str) -> None:
    await owner.execute(
        "INSERT INTO bookings (facility_id, spot_id, entry_time, actual_exit, status)"
        " VALUES ($1, $2, $3, $3, $4)",
        place.facility, place.spot, place.at, status,
    )  # fmt: skip
    await put(owner, place, spot_id=None)
    assert await claims(owner) == []
    assert await spot_state(owner, place.spot) == FREE


async def test_the_plate_of_a_claim_is_the_bookings_else_that_of_its_vehicle(
    owner: Connection, place: Place
) -> None:
    vehicle = await owner.fetchval(
        "INSERT INTO vehicles (plate_number) VALUES ('xy-99') RETURNING id"
    )
    booking = await put(owner, place, vehicle_id=vehicle)
    assert [claim["plate"] for claim in await claims(owner)] == ["XY99"]
    await owner.execute("UPDATE bookings SET plate_number = 'ab 12' WHERE id = $1", booking)
    assert [claim["plate"] for claim in await claims(owner)] == ["AB12"]
    # Separators alone are no plate: two such vehicles are not one.
    await owner.execute("UPDATE bookings SET plate_number = ' - '")
    assert [claim["plate"] for claim in await claims(owner)] == ["XY99"]
    await owner.execute("UPDATE bookings SET vehicle_id = NULL")
    assert [claim["plate"] for claim in await claims(owner)] == [None]


@pytest.mark.every_postgres
async def test_the_claim_follows_each_step_of_a_booking(owner: Connection, place: Place) -> None:
    booking = await put(owner, place, status="PENDING")
    steps = [
        ("CONFIRMED", ["reservation"], FREE),
        ("ACTIVE", ["stay"], ("OCCUPIED", booking)),
        ("CONFIRMED", ["reservation"], FREE),  # it backed out
        ("ACTIVE", ["stay"], ("OCCUPIED", booking)),
        ("COMPLETED", [], FREE),
    ]
    for status, kinds, state in steps:
        await owner.execute(
            "UPDATE bookings SET status = $1::booking_status,"
            " actual_exit = CASE WHEN $1 = 'COMPLETED'::booking_status THEN expected_exit END",
            status,
        )
        assert [claim["kind"] for claim in await claims(owner)] == kinds
        assert await spot_state(owner, place.spot) == state


ENDS = {
    "cancelled": "UPDATE bookings SET status = 'CANCELLED'",
    "completed": "UPDATE bookings SET status = 'COMPLETED', actual_exit = expected_exit",
    "nobody came": "UPDATE bookings SET status = 'NO_SHOW'",
    "without a spot": "UPDATE bookings SET spot_id = NULL",
}


@pytest.mark.parametrize("status", ["CONFIRMED", "ACTIVE"])
@pytest.mark.parametrize("end", ENDS)
async def test_a_booking_that_ends_frees_its_spot(
    owner: Connection, place: Place, status: str, end: str
) -> None:
    await put(owner, place, status=status)
    await owner.execute(ENDS[end])
    assert await claims(owner) == []
    assert await spot_state(owner, place.spot) == FREE
    await put(owner, place, status=status)


@pytest.mark.every_postgres
async def test_a_booking_can_be_deleted_unless_its_vehicle_is_inside(
    owner: Connection, place: Place
) -> None:
    booking = await put(owner, place)
    await owner.execute("UPDATE bookings SET status = 'ACTIVE'")
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        await owner.execute("DELETE FROM bookings")
    assert refused.value.constraint_name == "bookings_inside_check"
    assert await spot_state(owner, place.spot) == ("OCCUPIED", booking)

    await owner.execute("UPDATE bookings SET status = 'CONFIRMED'")
    await owner.execute("DELETE FROM bookings")
    assert await claims(owner) == []
    assert await spot_state(owner, place.spot) == FREE
    assert await owner.fetchval("SELECT count(*) FROM gate.tickets") == 0


async def test_a_reservation_that_ends_frees_the_spot_that_was_held_for_it(
    owner: Connection, place: Place
) -> None:
    booking = await put(owner, place)
    await owner.execute(
        "UPDATE parking_spots SET status = 'RESERVED', current_booking = $1", booking
    )
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    assert await spot_state(owner, place.spot) == FREE


async def test_a_reservation_that_is_put_off_gives_up_the_spot_that_was_held_for_it(
    owner: Connection, place: Place
) -> None:
    """Else nobody could stand there until then: what is RESERVED is not given out."""
    booking = await put(owner, place)
    await owner.execute(
        "UPDATE parking_spots SET status = 'RESERVED', current_booking = $1", booking
    )
    await owner.execute("UPDATE bookings SET expected_exit = expected_exit + interval '1 hour'")
    assert await spot_state(owner, place.spot) == ("RESERVED", booking)
    await owner.execute("UPDATE bookings SET entry_time = entry_time + interval '1 minute'")
    assert await spot_state(owner, place.spot) == FREE
    assert [claim["lower"] - place.at for claim in await claims(owner)] == [timedelta(minutes=1)]


async def test_a_reservation_that_ends_leaves_the_spot_to_who_stands_there(
    owner: Connection, place: Place
) -> None:
    stay = await put(owner, place, status="ACTIVE")
    later = await put(owner, place, entry_time=place.at + HOUR, expected_exit=place.at + 2 * HOUR)
    await owner.execute("DELETE FROM bookings WHERE id = $1", later)
    assert [claim["booking_id"] for claim in await claims(owner)] == [stay]
    assert await spot_state(owner, place.spot) == ("OCCUPIED", stay)


async def test_a_spot_out_of_service_stays_so(owner: Connection, place: Place) -> None:
    await owner.execute("UPDATE parking_spots SET status = 'MAINTENANCE'")
    booking = await put(owner, place, status="ACTIVE")
    assert await spot_state(owner, place.spot) == ("MAINTENANCE", booking)
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    assert await spot_state(owner, place.spot) == ("MAINTENANCE", None)


# ── what is refused ────────────────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
@pytest.mark.parametrize("first", ["CONFIRMED", "ACTIVE"])
@pytest.mark.parametrize("second", ["CONFIRMED", "ACTIVE"])
async def test_a_second_booking_of_the_time_is_refused(
    owner: Connection, place: Place, first: str, second: str
) -> None:
    await put(owner, place, status=first)
    with pytest.raises(asyncpg.ExclusionViolationError) as refused:
        await put(owner, place, status=second, entry_time=place.at + HOUR / 2)
    assert refused.value.constraint_name == "claims_spot_excl"
    assert await owner.fetchval("SELECT count(*) FROM bookings") == 1
    # Beside it, to the second, there is room; so there is for one that only wishes.
    await put(owner, place, entry_time=place.at + HOUR, expected_exit=place.at + 2 * HOUR)
    pending = await put(owner, place, status="PENDING")
    with pytest.raises(asyncpg.ExclusionViolationError) as refused_later:
        await owner.execute("UPDATE bookings SET status = 'CONFIRMED' WHERE id = $1", pending)
    assert refused_later.value.constraint_name == "claims_spot_excl"


async def test_a_booking_cannot_be_prolonged_into_the_next_one(
    owner: Connection, place: Place
) -> None:
    first = await put(owner, place)
    await put(owner, place, entry_time=place.at + HOUR, expected_exit=None)
    with pytest.raises(asyncpg.ExclusionViolationError) as refused:
        await owner.execute("UPDATE bookings SET expected_exit = NULL WHERE id = $1", first)
    assert refused.value.constraint_name == "claims_spot_excl"


async def test_a_vehicle_that_overstays_keeps_others_from_standing_there(
    owner: Connection, place: Place
) -> None:
    await put(owner, place, status="ACTIVE")
    late = {"entry_time": place.at + 2 * HOUR, "expected_exit": None}
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await put(owner, place, status="ACTIVE", **late)
    assert refused.value.constraint_name == "claims_stay_spot_key"


async def test_a_plate_is_inside_once(owner: Connection, place: Place) -> None:
    await put(owner, place, status="ACTIVE", plate_number="AB12")
    other = await add_spot(owner, place.zone)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await put(owner, place, status="ACTIVE", plate_number="ab-12", spot_id=other)
    assert refused.value.constraint_name == "claims_stay_plate_key"
    await put(owner, place, plate_number="AB12", spot_id=other)  # but may reserve meanwhile


@pytest.mark.every_postgres
async def test_a_spot_of_another_facility_is_refused(owner: Connection, place: Place) -> None:
    elsewhere = await owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('South', 'Oslo') RETURNING id"
    )
    foreign = await add_spot(owner, await add_zone(owner, elsewhere))
    booking = await put(owner, place)
    pending = await put(owner, place, status="PENDING", spot_id=foreign)
    attempts = [
        put(owner, place, spot_id=foreign),
        owner.execute("UPDATE bookings SET spot_id = $1 WHERE id = $2", foreign, booking),
        owner.execute("UPDATE bookings SET facility_id = $1 WHERE id = $2", elsewhere, booking),
        owner.execute("UPDATE bookings SET status = 'ACTIVE' WHERE id = $1", pending),
    ]
    for attempt in attempts:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await attempt
        assert refused.value.constraint_name == "bookings_spot_check"
    assert [claim["spot_id"] for claim in await claims(owner)] == [place.spot]


# ── what moves ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.every_postgres
@pytest.mark.parametrize("status", ["CONFIRMED", "ACTIVE"])
async def test_the_claim_moves_to_another_spot(
    owner: Connection, place: Place, status: str
) -> None:
    booking = await put(owner, place, status=status)
    other = await add_spot(owner, await add_zone(owner, place.facility))
    await owner.execute("UPDATE bookings SET spot_id = $1", other)
    rows = await owner.fetch(
        "SELECT c.booking_id, c.spot_id, c.zone_id = s.zone_id AS in_its_zone"
        " FROM gate.claims c JOIN parking_spots s ON s.id = c.spot_id"
    )
    assert [tuple(row) for row in rows] == [(booking, other, True)]
    assert await spot_state(owner, place.spot) == FREE
    assert await spot_state(owner, other) == (("OCCUPIED", booking) if status == "ACTIVE" else FREE)


@pytest.mark.every_postgres
@pytest.mark.parametrize("status", ["CONFIRMED", "ACTIVE"])
async def test_the_claim_moves_to_another_month(
    owner: Connection, place: Place, status: str
) -> None:
    """The row leaves its partition, which the triggers see as a deletion and an insertion."""
    booking = await put(owner, place, status=status)
    await owner.execute(
        "UPDATE bookings SET entry_time = entry_time + $1, expected_exit = expected_exit + $1",
        MONTHS,
    )
    [claim] = await claims(owner)
    moved = place.at + MONTHS
    assert (claim["booking_id"], claim["spot_id"]) == (booking, place.spot)
    assert (claim["entry_time"], claim["lower"], claim["upper"]) == (moved, moved, moved + HOUR)
    assert await spot_state(owner, place.spot) == (
        ("OCCUPIED", booking) if status == "ACTIVE" else FREE
    )
    assert await owner.fetchval("SELECT entry_time FROM gate.tickets") == moved
    # Its old time is free again.
    await put(owner, place)


async def test_the_claim_moves_to_another_id(owner: Connection, place: Place) -> None:
    await put(owner, place, status="ACTIVE")
    renamed = await owner.fetchval("UPDATE bookings SET id = gen_random_uuid() RETURNING id")
    assert [claim["booking_id"] for claim in await claims(owner)] == [renamed]
    assert await spot_state(owner, place.spot) == ("OCCUPIED", renamed)


# ── spots → counters ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Counts:
    """Total and available spots, as stated by the counters."""

    facility: tuple[int, int]
    zones: dict[str, tuple[int, int]]


async def counts(connection: Connection, facility: UUID) -> Counts:
    whole = await connection.fetchrow(
        "SELECT total_spots, available_spots FROM facilities WHERE id = $1", facility
    )
    assert whole is not None
    rows = await connection.fetch(
        "SELECT code, total_spots, available_spots FROM zones WHERE facility_id = $1", facility
    )
    return Counts((whole[0], whole[1]), {code: (total, free) for code, total, free in rows})


async def waiting(connection: Connection) -> list[tuple[int, int]]:
    """The changes that are not counted yet."""
    rows = await connection.fetch("SELECT total, available FROM gate.spot_changes ORDER BY id")
    return [tuple(row) for row in rows]


@pytest.fixture
async def two_zones(owner: Connection, place: Place) -> tuple[UUID, UUID]:
    """Zone A with spots 1 and 2, zone B with none."""
    await add_spot(owner, place.zone)
    return place.zone, await add_zone(owner, place.facility)


@pytest.mark.every_postgres
async def test_counters_follow_the_spots(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    _, other = two_zones
    assert await counts(owner, place.facility) == Counts((2, 2), {"A": (2, 2), "B": (0, 0)})
    steps: list[tuple[str, tuple[object, ...], Counts]] = [
        (
            "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE id = $1",
            (place.spot,),
            Counts((2, 1), {"A": (2, 1), "B": (0, 0)}),
        ),
        (
            "UPDATE parking_spots SET zone_id = $1",
            (other,),
            Counts((2, 1), {"A": (0, 0), "B": (2, 1)}),
        ),
        (
            "UPDATE parking_spots SET is_active = false WHERE id = $1",
            (place.spot,),
            Counts((1, 1), {"A": (0, 0), "B": (1, 1)}),
        ),
        (
            """INSERT INTO parking_spots (zone_id, spot_number, status, is_active) VALUES
               ($1, '3', 'AVAILABLE', true), ($1, '4', 'OCCUPIED', true),
               ($1, '5', 'AVAILABLE', false)""",
            (place.zone,),
            Counts((3, 2), {"A": (2, 1), "B": (1, 1)}),
        ),
        (
            "UPDATE parking_spots SET status = 'AVAILABLE', is_active = true",
            (),
            Counts((5, 5), {"A": (3, 3), "B": (2, 2)}),
        ),
        ("UPDATE parking_spots SET size = 'LARGE'", (), Counts((5, 5), {"A": (3, 3), "B": (2, 2)})),
        (
            "DELETE FROM parking_spots WHERE zone_id = $1",
            (other,),
            Counts((3, 3), {"A": (3, 3), "B": (0, 0)}),
        ),
        ("DELETE FROM parking_spots", (), Counts((0, 0), {"A": (0, 0), "B": (0, 0)})),
    ]
    for statement, arguments, stated in steps:
        await owner.execute(statement, *arguments)
        assert (statement, await counts(owner, place.facility)) == (statement, stated)
        assert await waiting(owner) == []
    assert await owner.fetchval("SELECT count(*) FROM gate.reconciliations") == 0


@pytest.mark.every_postgres
async def test_counters_follow_the_bookings_by_way_of_the_spots(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    booking = await put(owner, place)
    assert (await counts(owner, place.facility)).facility == (2, 2)  # held by its claim, free now
    await owner.execute("UPDATE bookings SET status = 'ACTIVE' WHERE id = $1", booking)
    assert await counts(owner, place.facility) == Counts((2, 1), {"A": (2, 1), "B": (0, 0)})
    await owner.execute("UPDATE bookings SET entry_time = entry_time - interval '40 days'")
    assert (await counts(owner, place.facility)).facility == (2, 1)
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    assert await counts(owner, place.facility) == Counts((2, 2), {"A": (2, 2), "B": (0, 0)})
    assert await waiting(owner) == []


async def test_a_spot_takes_its_count_to_another_facility(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    elsewhere = await owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('South', 'Oslo') RETURNING id"
    )
    zone = await add_zone(owner, elsewhere)
    await owner.execute("UPDATE parking_spots SET zone_id = $1 WHERE id = $2", zone, place.spot)
    assert await counts(owner, place.facility) == Counts((1, 1), {"A": (1, 1), "B": (0, 0)})
    assert await counts(owner, elsewhere) == Counts((1, 1), {"B": (1, 1)})


@pytest.mark.every_postgres
@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_what_a_lasting_snapshot_changes_is_counted_by_the_next(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID], isolation: Any
) -> None:
    """Such a transaction cannot see what others have left to be counted meanwhile."""
    async with owner.transaction(isolation=isolation):
        await put(owner, place, status="ACTIVE")
    assert await spot_state(owner, place.spot) != FREE
    assert (await counts(owner, place.facility)).facility == (2, 2)
    assert await waiting(owner) == [(0, -1)]
    assert await owner.fetchval("SELECT count(*) FROM gate.verify_v1()") == 0

    # Whoever changes the next spot counts both.
    await add_spot(owner, place.zone, "3")
    assert await counts(owner, place.facility) == Counts((3, 2), {"A": (3, 2), "B": (0, 0)})
    assert await waiting(owner) == []


async def test_what_a_lasting_snapshot_changes_is_counted_on_demand(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    async with owner.transaction(isolation="repeatable_read"):
        await owner.execute("DELETE FROM parking_spots WHERE id = $1", place.spot)
        assert not await owner.fetchval("SELECT gate.count_changes_v1($1)", place.facility)
    assert await waiting(owner) == [(-1, -1)]
    assert await owner.fetchval("SELECT gate.count_changes_v1($1)", place.facility)
    assert await counts(owner, place.facility) == Counts((1, 1), {"A": (1, 1), "B": (0, 0)})
    assert await waiting(owner) == []


@pytest.mark.direct("sets its session's lock_timeout")
@pytest.mark.every_postgres
async def test_nobody_waits_for_the_counters(
    database: Database, owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    rival = await asyncpg.connect(database.dsn)
    try:
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute(
            "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE spot_number = '2'"
        )
        await owner.execute("SET lock_timeout = '50ms'")
        await put(owner, place, status="ACTIVE")
        assert await waiting(owner) == [(0, -1)]
        await transaction.commit()
    finally:
        await rival.close()
    assert (await counts(owner, place.facility)).facility == (2, 1)
    assert await owner.fetchval("SELECT gate.count_all_changes_v1()") == 1
    assert await counts(owner, place.facility) == Counts((2, 0), {"A": (2, 0), "B": (0, 0)})


async def test_a_counter_that_had_drifted_stops_nobody_and_is_told_once(
    owner: Connection, place: Place, two_zones: tuple[UUID, UUID]
) -> None:
    await owner.execute("UPDATE zones SET available_spots = 0 WHERE code = 'A'")
    await put(owner, place, status="ACTIVE")
    await owner.execute("UPDATE parking_spots SET status = 'MAINTENANCE' WHERE spot_number = '2'")
    assert (await counts(owner, place.facility)).zones["A"] == (2, 0)
    rows = await owner.fetch("SELECT kind, details ->> 'zone' FROM gate.reconciliations")
    assert [tuple(row) for row in rows] == [("available_spots", str(place.zone))]


# ── what a claim says beside its booking ────────────────────────────────────────────────────


async def test_a_claim_moves_with_its_spot_to_another_zone(owner: Connection, place: Place) -> None:
    await put(owner, place)
    zone = await add_zone(owner, place.facility)
    await owner.execute("UPDATE parking_spots SET zone_id = $1", zone)
    assert await owner.fetchval("SELECT zone_id FROM gate.claims") == zone
    assert await owner.fetch("SELECT * FROM gate.verify_v1()") == []


async def test_a_claimed_spot_does_not_go_to_another_facility(
    owner: Connection, place: Place
) -> None:
    await put(owner, place)
    elsewhere = await owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('South', 'Oslo') RETURNING id"
    )
    zone = await add_zone(owner, elsewhere)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute("UPDATE parking_spots SET zone_id = $1", zone)
    assert refused.value.constraint_name == "parking_spots_zone_check"
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    await owner.execute("UPDATE parking_spots SET zone_id = $1", zone)
    assert await owner.fetch("SELECT * FROM gate.verify_v1()") == []


async def test_a_corrected_plate_is_that_of_the_claim_too(owner: Connection, place: Place) -> None:
    vehicle = await owner.fetchval(
        "INSERT INTO vehicles (plate_number) VALUES ('xy-99') RETURNING id"
    )
    second = await add_spot(owner, place.zone)
    await put(owner, place, vehicle_id=vehicle)
    await put(owner, place, vehicle_id=vehicle, plate_number="XY 99", spot_id=second)
    await owner.execute("UPDATE vehicles SET plate_number = 'xy-98'")
    # The second one was booked for a plate, whatever the vehicle is called now.
    plates = await owner.fetch("SELECT plate FROM gate.claims ORDER BY plate")
    assert [row["plate"] for row in plates] == ["XY98", "XY99"]


async def test_a_spot_that_a_shop_marked_itself_is_free_with_its_booking(
    owner: Connection, place: Place
) -> None:
    """It marks the spot and does not say for whom: nobody would ever free it."""
    await owner.execute("UPDATE parking_spots SET status = 'RESERVED'")
    await put(owner, place)
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    assert await spot_state(owner, place.spot) == FREE
    assert await owner.fetch("SELECT * FROM gate.verify_v1()") == []
