"""A decision keeps what it rests on, and how long its transaction waited for its rivals."""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from gated.core.ids import EventId
from gated.records import AdmitOutcome, AdmitRequest, DenyRequest, ReleaseOutcome
from tests.db.site import NOW, make_site, nested
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked
from tests.fakes.store import MemoryStore

FACTS = {"rule": {"admits": "everyone"}, "known": {}, "free": {"a": 2}}
HOUR = timedelta(hours=1)


async def kept(owner: asyncpg.Connection, event: EventId) -> tuple[Any, float | None, float | None]:
    row = await owner.fetchrow(
        "SELECT facts, fence_waited_ms, lock_waited_ms FROM gate.decisions WHERE event_id = $1",
        event,
    )
    assert row is not None
    facts = None if row["facts"] is None else json.loads(row["facts"])
    return facts, row["fence_waited_ms"], row["lock_waited_ms"]


async def test_each_decision_keeps_what_it_rests_on(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"], ["2"]]))
    key, store = (gate.site.id, gate.fence), gate.store
    entry = replace(await gate.entry(), facts=FACTS)
    assert (await store.admit(*key, entry)).outcome is AdmitOutcome.ADMITTED
    leaving = replace(await gate.departure(entry.stay), facts=FACTS)
    assert (await store.release(*key, leaving)).outcome is ReleaseOutcome.RELEASED
    refusal = replace(await gate.denial(), facts=FACTS)
    assert await store.deny(*key, refusal)
    for event in (entry.event, leaving.event, refusal.event):
        facts, fence, lock = await kept(owner_of, event)
        assert facts == FACTS
        assert fence is not None
        assert fence >= 0
        assert (lock is None) == (event == refusal.event), "a denial locks nothing"


async def test_a_move_keeps_it_and_counts_its_waits(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(nested(make_site([["O-1"], ["I-1"]])))
    stay = await gate.admitted()
    onward = await gate.move(stay, gate.site.inner, "BAB123", lane=gate.site.inward, at=NOW + HOUR)
    onward = replace(onward, facts=FACTS)
    least = await held_up(
        postgres_bench,
        owner_of,
        "SELECT FROM parking_spots WHERE zone_id = $1 FOR UPDATE",
        gate.site.inner,
        asks=gate.store.move_stay(gate.site.id, gate.fence, onward),
    )
    facts, fence, lock = await kept(owner_of, onward.event)
    assert facts == FACTS
    assert fence is not None
    assert lock is not None
    assert lock >= least


async def test_a_decision_with_nothing_to_keep_keeps_nothing(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]]))
    entry = replace(await gate.entry(), facts={})
    await gate.store.admit(gate.site.id, gate.fence, entry)
    facts, _, lock = await kept(owner_of, entry.event)
    assert (facts, lock) == (None, 0.0), "the first look had a spot"


async def held_up(
    bench: Bench, owner: asyncpg.Connection, lock: str, *values: object, asks: Awaitable[Any]
) -> float:
    """What is asked waits for a rival's lock; answers for how long at least, in milliseconds."""
    watcher = await asyncpg.connect(bench.owner_dsn)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(lock, *values)
    task = asyncio.ensure_future(asks)

    async def waiting() -> bool:
        found: bool = await watcher.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%gate.%_v1(%')"
        )
        return found

    try:
        await eventually_asked(waiting, "somebody waits for the lock")
        begun = asyncio.get_running_loop().time()
        # Something takes its time: the measure is that of whoever waits, at least as long as this.
        await watcher.execute("SELECT pg_sleep(0.03)")
        waited = (asyncio.get_running_loop().time() - begun) * 1000
    finally:
        await transaction.rollback()
        await watcher.close()
    await task
    return min(waited, 30.0)


async def test_a_wait_for_the_last_spot_is_measured(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]]))
    entry = await gate.entry()
    least = await held_up(
        postgres_bench,
        owner_of,
        "SELECT FROM parking_spots WHERE zone_id = $1 FOR UPDATE",
        gate.site.zone,
        asks=gate.store.admit(gate.site.id, gate.fence, entry),
    )
    _, fence, lock = await kept(owner_of, entry.event)
    assert lock is not None
    assert fence is not None
    assert lock >= least
    assert fence < lock


async def test_a_wait_for_the_stay_is_measured_at_the_exit(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]]))
    leaving = await gate.departure(await gate.admitted())
    least = await held_up(
        postgres_bench,
        owner_of,
        "SELECT FROM bookings WHERE id = $1 FOR UPDATE",
        leaving.stay,
        asks=gate.store.release(gate.site.id, gate.fence, leaving),
    )
    _, _, lock = await kept(owner_of, leaving.event)
    assert lock is not None
    assert lock >= least


@pytest.mark.parametrize("denied", [True, False])
async def test_a_wait_for_the_fence_is_measured(
    postgres_bench: Bench, owner_of: asyncpg.Connection, denied: bool
) -> None:
    """Somebody asks for the lease, and is not given it: whoever decides waits for that."""
    gate = await postgres_bench.gate(make_site([["1"]]))
    request: DenyRequest | AdmitRequest = (
        replace(await gate.denial(), facts=FACTS) if denied else await gate.entry()
    )
    store, key = gate.store, (gate.site.id, gate.fence)
    least = await held_up(
        postgres_bench,
        owner_of,
        "SELECT pg_advisory_xact_lock(gate.lease_lock_v1($1))",
        gate.site.id,
        asks=(
            store.deny(*key, request)
            if isinstance(request, DenyRequest)
            else store.admit(*key, request)
        ),
    )
    _, fence, lock = await kept(owner_of, request.event)
    assert fence is not None
    assert fence >= least
    assert not lock


async def test_the_store_in_memory_keeps_it_too(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"]]))
    entry = replace(await gate.entry(), facts=FACTS)
    assert (
        await gate.store.admit(gate.site.id, gate.fence, entry)
    ).outcome is AdmitOutcome.ADMITTED
    again = await gate.store.admit(gate.site.id, gate.fence, replace(entry, facts=None))
    assert again.stay == entry.stay, "facts are no part of what makes a call the same"
    if isinstance(gate.store, MemoryStore):
        assert gate.store.facilities[gate.site.id].decisions[entry.event].facts == FACTS
