"""`gated booking …`: what the web shop can do, done by hand."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.errors import ConfigError
from tests.db.site import make_site, write_site
from tests.services.databases import Database

Command = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
# In an hour, so that the commands' own clock finds the periods ahead.
START = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


def period(hours: int = 0) -> tuple[str, ...]:
    start = START + timedelta(hours=hours)
    return "--from", start.isoformat(), "--until", (start + timedelta(hours=1)).isoformat()


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def booking(database: Database, tmp_path: Path) -> Command:
    """Runs a command on a facility `one` with the zones zone-0 (A-1, A-2) and zone-1 (B-1)."""
    site = make_site([["A-1", "A-2"], ["B-1"]])
    await write_site(database.dsn, site)
    connection = await asyncpg.connect(database.dsn)
    await connection.execute("UPDATE gate.facility_settings SET slug = 'one'")
    await connection.close()
    config = tmp_path / "config.toml"
    config.write_text(
        f'[database]\ndsn = "{database.dsn_as("gated_daemon")}"\n[mqtt]\nhost = "127.0.0.1"\n'
    )

    async def run(command: str, *arguments: str) -> tuple[int, str]:
        def invoke() -> tuple[int, str]:
            line = ["booking", command, "--config", str(config), "--facility", "one", *arguments]
            result = CliRunner().invoke(app, line)
            if isinstance(result.exception, ConfigError):  # gated.cli.main makes it status 2
                return 2, str(result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.output.strip()

        return await asyncio.to_thread(invoke)

    return run


async def test_a_reservation_from_the_search_to_the_refund(
    booking: Command, owner: asyncpg.Connection
) -> None:
    status, table = await booking("free", *period())
    assert status == 0
    assert re.search(r"zone-0\s+STANDARD\s+2\s*\n", table)
    assert re.search(r"zone-1\s+STANDARD\s+1", table)

    mine = str(uuid4())
    place = ("--zone", "zone-1", "--spot", "B-1", "--plate", "b-ab 123", "--id", mine)
    status, said = await booking("reserve", *period(), *place)
    assert status == 0
    match = re.fullmatch(r"reserved: ticket (\S+), spot B-1, estimated at 2\.50 EUR", said)
    assert match, said
    ticket = match[1]
    assert (await booking("reserve", *period(), *place)) == (0, said), "repeated"

    status, paid = await booking("pay", "--ticket", ticket, "--amount", "2.50")
    match = re.fullmatch(rf"payment (\S+): ticket {ticket}, paid 2\.50 EUR, due 0\.00 EUR", paid)
    assert match, paid
    assert await booking("pay", "--plate", "BAB123", "--amount", "2.50", "--id", match[1]) == (
        0,
        f"known already: ticket {ticket}, paid 2.50 EUR, due 0.00 EUR",
    )
    status, said = await booking("pay", "--plate", "BAB123", "--amount", "1.00", "--id", match[1])
    assert (status, said.split(": ")[1]) == (1, "told_differently")
    assert await booking("cancel", ticket, "--reason", "plans changed") == (0, "cancelled")
    refund = ("refund", match[1], "--amount", "2.50", "--reason", "cancelled", "--id", str(uuid4()))
    assert await booking(*refund) == (0, "refunded")
    assert await booking(*refund) == (0, "refunded"), "repeated"

    rows = await owner.fetch(
        "SELECT action, actor FROM audit_logs WHERE action LIKE 'booking.%'"
        " OR action LIKE 'payment.%' ORDER BY timestamp"
    )
    assert [row["action"] for row in rows] == [
        "booking.reserved",
        "payment.recorded",
        "booking.cancelled",
        "payment.refunded",
    ]
    assert all(row["actor"].startswith("operator ") for row in rows)
    assert await owner.fetchval("SELECT id FROM bookings WHERE status = 'CANCELLED'") == UUID(mine)


async def test_what_cannot_be_is_refused_with_its_reason(booking: Command) -> None:
    taken = ("--zone", "zone-1", "--spot", "B-1")
    assert (await booking("reserve", *period(), *taken))[0] == 0
    refused = "gated booking reserve: "
    for arguments, reason in (
        ((*period(), *taken), "spot_taken: the spot is taken for a part of the period"),
        ((*period(), "--zone", "zone-1"), "no_spot: no spot that suits is free"),
        ((*period(), "--plate", "??"), "plate_invalid: the plate is none"),
        ((*period(2)[:2], *period()[2:]), "period_invalid: the period ends before it begins"),
        ((*period(), "--size", "OVERSIZED"), "no_spot: "),
        (
            (*period(), "--zone", "zone-0", "--spot", "A-1", "--size", "LARGE"),
            "spot_unfit: the spot is too small",
        ),
    ):
        status, said = await booking("reserve", *arguments)
        assert (status, said[: len(refused + reason)]) == (1, refused + reason), said
    status, said = await booking("cancel", "NOSUCH", "--reason", "x")
    assert (status, said) == (
        1,
        "gated booking cancel: booking_unknown: the facility has no such ticket",
    )
    status, said = await booking("pay", "--plate", "NOBODY", "--amount", "1")
    assert (status, said.split(": ")[1]) == (1, "booking_unknown")
    status, said = await booking("refund", str(uuid4()), "--amount", "1", "--reason", "x")
    assert (status, said.split(": ")[1]) == (1, "payment_unknown")
    assert (await booking("free", *period(), "--size", "BUS"))[0] == 2


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [
        (
            "reserve",
            (*period(), "--facility", "two"),
            'FACILITY: there is no facility "two": there is one',
        ),
        ("reserve", (*period(), "--zone", "x"), '--zone: one has no zone "x"'),
        (
            "reserve",
            (*period(), "--zone", "zone-0", "--spot", "Z-9"),
            '--spot: zone zone-0 has no spot "Z-9"',
        ),
        ("reserve", (*period(), "--spot", "A-1"), "--spot: expected --zone with it"),
        (
            "reserve",
            ("--from", "2026-12-01T08:00", "--until", "2026-12-01T09:00"),
            (
                "--from: expected a time with offset such as 2026-12-01T08:00+01:00,"
                " got '2026-12-01T08:00'"
            ),
        ),
        ("reserve", (*period(), "--id", "7"), "--id: expected an id such as"),
        ("pay", ("--amount", "1"), "expected either --ticket or --plate"),
        (
            "pay",
            ("--amount", "ten", "--plate", "A1"),
            "--amount: expected an exact amount such as 4.50, got 'ten'",
        ),
    ],
)
async def test_wrong_input_is_named(
    booking: Command, command: str, arguments: tuple[str, ...], says: str
) -> None:
    status, said = await booking(command, *arguments)
    assert status == 2
    assert said.startswith(says), said


async def test_no_shows_are_ended_by_hand_too(booking: Command, owner: asyncpg.Connection) -> None:
    await booking("reserve", *period(), "--plate", "AAA111")
    await owner.execute(
        "UPDATE bookings SET entry_time = now() - interval '2 hours',"
        " reserved_from = now() - interval '2 hours', expected_exit = now() - interval '1 hour',"
        " reserved_until = now() - interval '1 hour'"
    )
    assert await booking("expire") == (0, "1 no-shows ended, 0 spots marked as reserved")
    assert await owner.fetchval("SELECT status::text FROM bookings") == "NO_SHOW"
    assert await owner.fetchval("SELECT count(*) FROM gate.claims") == 0
