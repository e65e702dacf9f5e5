"""What is kept twice is held against itself; planted faults are found, told and mended."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.db import app
from gated.core.errors import ConfigError
from gated.db.verify import Drift, repair, verify
from tests.db.site import NOW, Gate, make_site
from tests.db.stores import Bench

# Beside its triggers, as only a restored backup or a hand in the engine room can.
BESIDE = "SET session_replication_role = replica;"


@pytest.fixture
async def busy(fresh_bench: Bench) -> AsyncIterator[tuple[Gate, asyncpg.Connection]]:
    """A site with two vehicles inside and a reservation ahead, and its database's owner."""
    gate = await fresh_bench.gate(make_site([["1", "2", "3"], ["4"]]))
    await gate.admitted("AAA111")
    await gate.admitted("BBB222")
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    await owner.execute(
        "SELECT gate.reserve_v1($1, $2, $3, $4, $5, p_plate => 'CCC333')",
        uuid4(),
        gate.site.id,
        NOW + timedelta(days=1),
        NOW + timedelta(days=2),
        NOW,
    )
    yield gate, owner
    await owner.close()


async def test_a_true_database_has_nothing_to_tell(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench
) -> None:
    gate, _ = busy
    assert await verify(fresh_bench.owner_dsn) == []
    assert await verify(fresh_bench.owner_dsn, gate.site.setup.slug) == []
    with pytest.raises(ConfigError, match='no facility "elsewhere"'):
        await verify(fresh_bench.owner_dsn, "elsewhere")


async def test_what_is_not_counted_yet_is_no_drift(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench
) -> None:
    gate, owner = busy
    async with owner.transaction():
        await owner.execute("SELECT FROM facilities FOR NO KEY UPDATE")
        await gate.admitted("DDD444")
        assert await owner.fetchval("SELECT count(*) FROM gate.spot_changes") == 1
        assert await verify(fresh_bench.owner_dsn) == []


# What is planted, in which fields it shows, and whether it can be mended.
PLANTED: dict[str, tuple[str, set[str], bool]] = {
    "a zone's counter": (
        "UPDATE zones SET available_spots = available_spots + 1 WHERE code = 'zone-0'",
        {"zones.available_spots"},
        True,
    ),
    "a facility's counter": (
        "UPDATE facilities SET total_spots = total_spots + 1",
        {"facilities.total_spots"},
        True,
    ),
    "a spot's state": (
        (
            f"{BESIDE} UPDATE parking_spots SET status = 'AVAILABLE', current_booking = NULL"
            " WHERE spot_number = '1'"
        ),
        {
            "parking_spots.status",
            "parking_spots.current_booking",
            "zones.available_spots",
            "facilities.available_spots",
        },
        True,
    ),
    "a claim that is gone": (
        "DELETE FROM gate.claims WHERE plate = 'AAA111'",
        {"gate.claims", "parking_spots.status", "parking_spots.current_booking"},
        True,
    ),
    "a claim that nothing stands behind": (
        f"{BESIDE} UPDATE bookings SET status = 'CANCELLED' WHERE plate_number = 'AAA111'",
        {"gate.claims"},
        True,
    ),
    "a claim on another spot": (
        (
            f"{BESIDE} UPDATE gate.claims SET spot_id = "
            "(SELECT id FROM parking_spots WHERE spot_number = '4') WHERE plate = 'BBB222'"
        ),
        {"gate.claims", "parking_spots.status", "parking_spots.current_booking"},
        True,
    ),
    "a directory that says another month": (
        (
            f"{BESIDE} UPDATE gate.tickets SET entry_time = entry_time + interval '1 month'"
            " WHERE booking_id = (SELECT id FROM bookings WHERE plate_number = 'AAA111')"
        ),
        {"gate.tickets"},
        True,
    ),
    "a refund that no payment knows of": (
        (
            "INSERT INTO payments (id, amount, currency, provider, status, booking_id)"
            " SELECT gen_random_uuid(), 5, 'EUR', 'CASH', 'COMPLETED', id FROM bookings"
            " WHERE plate_number = 'AAA111';"
            " INSERT INTO gate.refunds (id, payment_id, amount, reason, refunded_at)"
            " SELECT gen_random_uuid(), id, 2, 'x', now() FROM payments"
        ),
        {"payments.refunded"},
        False,
    ),
    "an entry that was used and not taken": (
        (
            "WITH u AS (INSERT INTO users (email) VALUES ('a@b.c') RETURNING id), s AS ("
            " INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)"
            " SELECT id, 'ten', 1, 30, 10 FROM facilities RETURNING id), h AS ("
            " INSERT INTO user_subscriptions (user_id, subscription_id, expires_at,"
            " entries_remaining) SELECT u.id, s.id, now() + interval '30 days', 10 FROM u, s"
            " RETURNING id) UPDATE bookings SET entitlement = 'subscription',"
            " user_subscription_id = h.id FROM h WHERE plate_number = 'AAA111'"
        ),
        {"user_subscriptions.entries_remaining"},
        False,
    ),
}


@pytest.mark.direct("sets its session's replication role")
@pytest.mark.parametrize("fault", PLANTED)
async def test_a_planted_fault_is_found_and_mended_where_that_can_be(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench, fault: str
) -> None:
    gate, owner = busy
    statement, fields, mendable = PLANTED[fault]
    await owner.execute(statement)
    await owner.execute("RESET session_replication_role")
    found = await verify(fresh_bench.owner_dsn)
    assert {drift.field for drift in found} == fields
    assert {drift.facility for drift in found} == {gate.site.setup.slug}
    assert {drift.mended for drift in found} == {None}

    steps: list[str] = []
    mended = await repair(fresh_bench.owner_dsn, found, "operator x", steps.append)
    assert steps == [gate.site.setup.slug]
    assert {drift.field for drift in mended} == fields
    assert {drift.mended for drift in mended} == {mendable}
    assert (await verify(fresh_bench.owner_dsn) == []) is mendable
    audit = await owner.fetchrow(
        "SELECT actor, resource_id, details FROM audit_logs WHERE action = 'database.repaired'"
    )
    assert audit is not None
    assert (audit["actor"], audit["resource_id"]) == ("operator x", gate.site.id)
    assert len(json.loads(audit["details"])["found"]) == len(found)


@pytest.mark.direct("sets its session's replication role")
async def test_two_bookings_on_one_spot_are_left_to_an_operator(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench
) -> None:
    _, owner = busy
    await owner.execute(
        f"{BESIDE} UPDATE bookings a SET spot_id = b.spot_id FROM bookings b"
        " WHERE a.plate_number = 'BBB222' AND b.plate_number = 'AAA111'"
    )
    await owner.execute("RESET session_replication_role")
    found = await verify(fresh_bench.owner_dsn)
    mended = await repair(fresh_bench.owner_dsn, found, "operator x", lambda _: None)
    assert [drift.field for drift in mended if not drift.mended] == ["gate.claims"]
    # The spot that nobody claims any more is free, and counted as such.
    assert {drift.field for drift in await verify(fresh_bench.owner_dsn)} == {"gate.claims"}


async def test_a_repair_while_vehicles_come_and_go_leaves_nothing_wrong(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench
) -> None:
    gate, owner = busy
    await owner.execute("UPDATE zones SET available_spots = 0")
    found = await verify(fresh_bench.owner_dsn)
    assert found

    async def traffic() -> None:
        for turn in range(15):
            stay = await gate.admitted(f"T{turn}", at=NOW + timedelta(minutes=turn))
            await gate.store.release(
                gate.site.id, gate.fence, await gate.departure(stay, f"T{turn}")
            )

    async def mend() -> list[Drift]:
        return await repair(fresh_bench.owner_dsn, found, "operator x", lambda _: None)

    await asyncio.gather(traffic(), mend())
    await owner.execute("SELECT gate.count_all_changes_v1()")
    assert await verify(fresh_bench.owner_dsn) == []


async def test_the_command_tells_mends_and_exits_by_what_is_left(
    busy: tuple[Gate, asyncpg.Connection], fresh_bench: Bench
) -> None:
    gate, owner = busy
    slug = gate.site.setup.slug

    async def run(*arguments: str) -> tuple[int, str]:
        def invoke() -> tuple[int, str]:
            result = CliRunner().invoke(app, ["verify", "--dsn", fresh_bench.owner_dsn, *arguments])
            return result.exit_code, result.output

        return await asyncio.to_thread(invoke)

    assert await run() == (0, "everything that is kept twice says the same\n")
    await owner.execute("UPDATE zones SET available_spots = 0 WHERE code = 'zone-0'")
    status, output = await run("--facility", slug)
    assert status == 1
    assert f"{slug}  zones.available_spots  {gate.site.zone}  0       1" in output
    assert output.endswith("1 differ: --repair mends what follows from something else\n")
    status, output = await run("--repair")
    assert (status, output.splitlines()[-1]) == (0, "1 mended")
    assert await run() == (0, "everything that is kept twice says the same\n")
    status, output = await run("--facility", "nowhere")
    assert (status, output) == (2, 'gated db verify: there is no facility "nowhere"\n')
