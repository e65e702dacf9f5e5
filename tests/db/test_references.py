"""Bookings over all months: unique ids and tickets, and what points at bookings stays true."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from tests.db.place import Connection, Place, book
from tests.services.databases import Database


async def directory(connection: Connection) -> set[tuple[object, ...]]:
    rows = await connection.fetch("SELECT booking_id, entry_time, ticket_number FROM gate.tickets")
    return {tuple(row) for row in rows}


@pytest.mark.every_postgres
async def test_the_directory_follows_the_bookings(owner: Connection, place: Place) -> None:
    first = await book(owner, place)
    second = await book(owner, place, entry_time=place.at + timedelta(days=62))
    assert await directory(owner) == {tuple(first), tuple(second)}

    # To another month (the row moves to another partition), within it, and away.
    later = place.at + timedelta(days=93)
    await owner.execute("UPDATE bookings SET entry_time = $1", later)
    assert await directory(owner) == {(row["id"], later, row["ticket_number"])
                                      for row in (first, second)}  # fmt: skip
    await owner.execute("UPDATE bookings SET ticket_number = 'X' || ticket_number")
    await owner.execute("DELETE FROM bookings WHERE id = $1", first["id"])
    assert await directory(owner) == {(second["id"], later, "X" + second["ticket_number"])}


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    ("columns", "constraint"),
    [("ticket_number", "tickets_pkey"), ("id", "tickets_booking_key")],
)
async def test_tickets_and_ids_are_unique_over_all_months(
    owner: Connection, place: Place, columns: str, constraint: str
) -> None:
    first = await book(owner, place)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await book(
            owner, place, **{columns: first[columns]}, entry_time=place.at + timedelta(days=62)
        )
    assert refused.value.constraint_name == constraint
    assert await owner.fetchval("SELECT count(*) FROM bookings") == 1


@pytest.mark.direct("sets its session's lock_timeout")
async def test_two_writers_cannot_give_out_the_same_ticket(
    database: Database, owner: Connection, place: Place
) -> None:
    rival = await asyncpg.connect(database.dsn)
    try:
        transaction = rival.transaction()
        await transaction.start()
        await book(rival, place, ticket_number="SAME")
        await owner.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):  # it waits for the rival's outcome
            await book(owner, place, ticket_number="SAME")
        await transaction.commit()
    finally:
        await rival.close()
    with pytest.raises(asyncpg.UniqueViolationError):
        await book(owner, place, ticket_number="SAME")


async def test_someone_elses_insert_gets_a_ticket_without_rights_on_ours(
    database: Database, owner: Connection, place: Place
) -> None:
    """The web shop's role knows nothing of the schema `gate`."""
    shop = f"shop_{uuid4().hex}"
    await owner.execute(f"CREATE ROLE {shop} LOGIN; GRANT INSERT, SELECT ON bookings TO {shop}")
    await owner.execute(f"GRANT INSERT, SELECT ON vehicles TO {shop}")
    connection = await asyncpg.connect(database.dsn_as(shop))
    try:
        ticket = await connection.fetchval(
            "INSERT INTO bookings (facility_id, entry_time) VALUES ($1, $2)"
            " RETURNING ticket_number",
            place.facility,
            place.at,
        )
        plate = await connection.fetchval(
            "INSERT INTO vehicles (plate_number) VALUES ('ab 12') RETURNING plate_normal"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT 1 FROM gate.claims")
    finally:
        await connection.close()
        await owner.execute(f"DROP OWNED BY {shop}; DROP ROLE {shop}")
    assert plate == "AB12"
    assert [row[2] for row in await directory(owner)] == [ticket]


@pytest.mark.every_postgres
async def test_a_violation_names_a_booking_that_exists(owner: Connection, place: Place) -> None:
    insert = (
        "INSERT INTO violations (facility_id, violation_type, booking_id) VALUES ($1, 'x', $2)"
        " RETURNING id"
    )
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="there is no booking") as refused:
        await owner.fetchval(insert, place.facility, uuid4())
    assert refused.value.constraint_name == "violations_booking_fkey"

    assert await owner.fetchval(insert, place.facility, None)
    booking = await book(owner, place)
    violation = await owner.fetchval(insert, place.facility, booking["id"])
    move = "UPDATE violations SET booking_id = $2 WHERE id = $1"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(move, violation, uuid4())

    # The booking is archived; its violation lives on and can still be settled.
    await owner.execute("DELETE FROM bookings")
    await owner.execute("UPDATE violations SET status = 'PAID', booking_id = booking_id")
    assert (
        await owner.fetchval("SELECT booking_id FROM violations WHERE id = $1", violation)
        == (booking["id"])
    )


@pytest.mark.every_postgres
async def test_a_spot_and_a_claim_name_a_booking_that_exists(
    owner: Connection, place: Place
) -> None:
    stand = "UPDATE parking_spots SET current_booking = $1"
    claim = (
        "INSERT INTO gate.claims (facility_id, zone_id, spot_id, booking_id, entry_time,"
        " kind, during) VALUES ($1, $2, $3, $4, $5, 'stay', tstzrange($5, NULL))"
    )
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(stand, uuid4())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(claim, place.facility, place.zone, place.spot, uuid4(), place.at)

    booking = await book(owner, place)
    await owner.execute(
        "UPDATE bookings SET status = 'ACTIVE', spot_id = $2 WHERE id = $1",
        booking["id"],
        place.spot,
    )
    # It may move to another month, but while the vehicle stands there it cannot go.
    await owner.execute("UPDATE bookings SET entry_time = $1", place.at + timedelta(days=62))
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="still inside") as refused:
        await owner.execute("DELETE FROM bookings")
    assert refused.value.constraint_name == "bookings_inside_check"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute("DELETE FROM gate.tickets")
    await owner.execute("UPDATE bookings SET status = 'CANCELLED'")
    await owner.execute("DELETE FROM bookings")
    assert await owner.fetchval("SELECT count(*) FROM gate.tickets") == 0


SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"


def written_ticket(number: int) -> str:
    """Crockford's base 32 with his check character, from the definition."""
    text = ""
    rest = number
    while rest:
        rest, digit = divmod(rest, 32)
        text = SYMBOLS[digit] + text
    return text.rjust(6, "0") + SYMBOLS[number % 37]


@pytest.mark.every_postgres
async def test_ticket_numbers_are_base_32_with_a_check_character(owner: Connection) -> None:
    numbers = [0, 1, 31, 32, 36, 37, 1234, 32**6 - 1, 32**6, 2**40 + 5, 2**63 - 1]
    rows = await owner.fetch(
        "SELECT gate.ticket_text_v1(n) FROM unnest($1::bigint[]) WITH ORDINALITY AS i (n, o)"
        " ORDER BY o",
        numbers,
    )
    assert [row[0] for row in rows] == [written_ticket(number) for number in numbers]
    drawn = [await owner.fetchval("SELECT gate.ticket_number_v1()") for _ in range(3)]
    assert len(set(drawn)) == 3
