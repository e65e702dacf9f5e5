"""A reservation from end to end: made by hand, held by the daemon, come with, paid for, left by."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.e2e.daemon import run_to_end
from tests.e2e.devices import Wire, pass_through
from tests.e2e.place import FACILITY, Place, in_1, out_1

PLATE = "KI-RE 815"


async def booking(place: Place, command: str, *arguments: str) -> str:
    """What `gated booking` says, with the daemon's own configuration."""
    status, out, errors = await run_to_end(
        "booking",
        command,
        "--config",
        place.config(),
        "--facility",
        FACILITY,
        *arguments,
        directory=place.directory,
    )
    assert (status, errors) == (0, ""), errors
    return out.strip()


async def test_who_reserved_gets_the_spot_that_was_held(place: Place, devices: Wire) -> None:
    now = datetime.now(UTC)
    period = (
        "--from",
        (now - timedelta(minutes=1)).isoformat(),
        "--until",
        (now + timedelta(hours=2)).isoformat(),
    )
    said = await booking(place, "reserve", *period, "--plate", PLATE, "--zone", "deck-2")
    match = re.match(r"reserved: ticket (\S+), spot B-1", said)
    assert match, said
    ticket = match[1]
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        # Nobody has come yet, and the car park shows the spot as held.
        await place.becomes(
            [("B-1", "RESERVED")],
            "SELECT spot_number, status::text FROM parking_spots WHERE status <> 'AVAILABLE'",
        )
        assert await place.available() == {"deck-1": 2, "deck-2": 0}

        await pass_through(in_1(devices), PLATE)
        await daemon.event("lane.passed", lane="in-1")
        assert await place.rows(
            "SELECT b.ticket_number, b.status::text, b.entitlement, s.spot_number, s.status::text"
            " FROM bookings b JOIN parking_spots s ON s.id = b.spot_id"
        ) == [(ticket, "ACTIVE", "reservation", "B-1", "OCCUPIED")]
        (decision,) = daemon.events("decision")
        assert (decision["reason"], decision["zone"]) == ("reservation", "deck-2")

        paid = await booking(place, "pay", "--plate", PLATE, "--amount", "100")
        assert re.match(rf"payment \S+: ticket {ticket}, paid 100\.00 \w+, due 0\.00", paid), paid
        await pass_through(out_1(devices), PLATE)
        await daemon.event("lane.passed", lane="out-1")
    assert await place.rows(
        "SELECT b.status::text, p.amount, p.booking_id = b.id FROM bookings b"
        " JOIN payments p ON p.id = b.payment_id"
    ) == [("COMPLETED", Decimal("100.0000"), True)]
    assert await place.available() == {"deck-1": 2, "deck-2": 1}
    assert await place.rows("SELECT * FROM gate.verify_v1()") == []
