"""Leases and fences, on every store."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import Outcome, PassageKnown
from gated.core.errors import FencedOut
from gated.core.events import CommandStatus
from gated.core.ids import CommandId, Fence, StayId
from tests.db.site import NOW, Gate, make_site, message
from tests.db.stores import HOLDER, Bench


async def test_a_lease_has_one_holder(bench: Bench) -> None:
    gate = await bench.gate()
    assert await bench.store.acquire_lease(gate.site.id, "other", 3600) is None


async def test_a_holder_that_asks_again_keeps_its_fence(bench: Bench) -> None:
    gate = await bench.gate()
    again = await bench.store.acquire_lease(gate.site.id, HOLDER, 3600)
    assert again == (gate.fence, gate.site.setup.revision)


async def test_the_fence_grows_with_each_holder(bench: Bench) -> None:
    gate = await bench.gate()
    await bench.store.release_lease(gate.site.id, HOLDER, gate.fence)
    taken = await bench.store.acquire_lease(gate.site.id, "other", 3600)
    assert taken is not None
    assert taken[0] == gate.fence + 1
    with pytest.raises(FencedOut):
        await bench.store.renew_lease(gate.site.id, HOLDER, gate.fence, 3600)


async def test_a_lease_that_ran_out_is_free(bench: Bench) -> None:
    gate = await bench.gate()
    assert await bench.store.renew_lease(gate.site.id, HOLDER, gate.fence, 0.001) == 1
    await asyncio.sleep(0.01)  # the lease's own clock runs on; no state to wait for
    renewed = await bench.store.renew_lease(gate.site.id, HOLDER, gate.fence, 0.001)
    assert renewed == gate.site.setup.revision, "nobody took it: it may be renewed"
    await asyncio.sleep(0.01)
    taken = await bench.store.acquire_lease(gate.site.id, "other", 3600)
    assert taken is not None
    assert taken[0] == gate.fence + 1


async def test_an_own_lease_that_ran_out_comes_back_with_a_new_fence(bench: Bench) -> None:
    gate = await bench.gate()
    await bench.store.renew_lease(gate.site.id, HOLDER, gate.fence, 0.001)
    await asyncio.sleep(0.01)
    taken = await bench.store.acquire_lease(gate.site.id, HOLDER, 3600)
    assert taken is not None
    assert taken[0] == gate.fence + 1


async def test_somebody_elses_lease_is_not_released(bench: Bench) -> None:
    gate = await bench.gate()
    await bench.store.release_lease(gate.site.id, "other", gate.fence)
    await bench.store.release_lease(gate.site.id, HOLDER, Fence(gate.fence - 1))
    assert await bench.store.acquire_lease(gate.site.id, "other", 3600) is None


async def test_every_write_refuses_an_old_fence(bench: Bench) -> None:
    gate = await bench.gate()
    entry, departure = await gate.entry(), await gate.departure(StayId(uuid4()))
    denial = await gate.denial()
    await bench.store.release_lease(gate.site.id, HOLDER, gate.fence)
    await bench.store.acquire_lease(gate.site.id, "other", 3600)
    store, facility, old = bench.store, gate.site.id, gate.fence
    row = message(gate.site, gate.site.entry)
    command = CommandId(entry.command.id)
    writes: list[Callable[[], Awaitable[object]]] = [
        lambda: store.append_events(facility, old, [row]),
        lambda: store.settle_events(facility, old, [(entry.event, Outcome.NOTED)]),
        lambda: store.admit(facility, old, entry),
        lambda: store.release(facility, old, departure),
        lambda: store.deny(facility, old, denial),
        lambda: store.complete_passage(
            facility, old, entry.stay, entry.lane, PassageKnown.MEASURED, NOW, entry.event
        ),
        lambda: store.cancel_admission(
            facility, old, entry.stay, entry.lane, "backed out", NOW, entry.event
        ),
        lambda: store.dispatch_command(facility, old, command, NOW),
        lambda: store.advance_command(
            facility, old, command, CommandStatus.ACKNOWLEDGED, None, NOW
        ),
        lambda: store.expire_commands(facility, old, NOW),
        lambda: store.renew_lease(facility, HOLDER, old, 3600),
    ]
    for write in writes:
        with pytest.raises(FencedOut):
            await write()


async def test_after_its_release_a_holder_writes_no_more(bench: Bench) -> None:
    gate = await bench.gate()
    entry = await gate.entry()
    await bench.store.release_lease(gate.site.id, HOLDER, gate.fence)
    with pytest.raises(FencedOut):
        await bench.store.admit(gate.site.id, gate.fence, entry)


async def test_a_take_over_waits_for_the_writes_in_flight(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    store = postgres_bench.store
    await store.renew_lease(gate.site.id, HOLDER, gate.fence, 0.001)
    async with owner_of.transaction():
        await owner_of.execute("SELECT gate.hold_fence_v1($1, $2)", gate.site.id, gate.fence)
        take_over = asyncio.create_task(store.acquire_lease(gate.site.id, "other", 3600))
        await _waits_for_a_lock(owner_of)
        assert not take_over.done()
    assert await take_over == (gate.fence + 1, gate.site.setup.revision)


async def _waits_for_a_lock(connection: asyncpg.Connection) -> None:
    """Until some backend waits for a lock in this database."""
    async with asyncio.timeout(10):
        while not await connection.fetchval(  # noqa: ASYNC110  the event is the server's
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%acquire_lease%')"
        ):
            await asyncio.sleep(0.01)


async def test_the_revision_is_told_at_each_renewal(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate: Gate = await postgres_bench.gate(make_site())
    await owner_of.execute(
        "UPDATE gate.facility_settings SET revision = 7 WHERE facility_id = $1", gate.site.id
    )
    renewed = await postgres_bench.store.renew_lease(
        gate.site.id, HOLDER, gate.fence, timedelta(minutes=1).total_seconds()
    )
    assert renewed == 7
