"""Housekeeping: partitions ahead, old event keys gone, and a database that is away."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import structlog

from gated.app import SystemClock
from gated.core.effects import PassageKnown
from gated.core.errors import StoreError
from gated.core.ids import FacilityId
from gated.db.store import PostgresStore
from gated.db.store_upkeep import UpkeepStore
from gated.housekeeping import EVENT_KEY_AGE, keep_house
from gated.records import ReleaseOutcome
from tests.db.site import NOW, message
from tests.db.stores import Bench

MINUTE = timedelta(minutes=1)


class Away(UpkeepStore):
    """A database that is away for the first call."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.counted = 0
        self.done = asyncio.Event()

    async def ensure_partitions(self) -> int:
        self.calls.append("partitions")
        if len(self.calls) == 1:
            raise StoreError("away", retryable=True)
        return 0

    async def purge_event_keys(self, before: datetime) -> int:
        self.calls.append("keys")
        self.done.set()
        return 0

    async def awaited_facilities(self, at: datetime) -> Sequence[FacilityId]:
        return []

    async def count_changes(self) -> int:
        self.counted += 1
        return 0

    async def active_facilities(self) -> Sequence[FacilityId]:
        return []

    async def watched_facilities(self) -> Sequence[FacilityId]:
        return []

    async def phantom_facilities(self) -> Sequence[FacilityId]:
        return []

    async def purge_lane_notes(self, before: datetime) -> int:
        return 0

    async def purge_free_passages(self, before: datetime) -> int:
        return 0

    async def spotless_facilities(self) -> Sequence[FacilityId]:
        return []


async def test_missing_partitions_are_made_as_the_daemon(fresh_bench: Bench) -> None:
    assert isinstance(fresh_bench.store, PostgresStore)
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        last = await owner.fetchval(
            "SELECT max(c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'gate.events'::regclass"
        )
        await owner.execute(f"DROP TABLE gate.{last}")
        assert await fresh_bench.store.ensure_partitions() == 1
        assert await fresh_bench.store.ensure_partitions() == 0
        assert await owner.fetchval("SELECT to_regclass('gate.' || $1)", last) is not None
    finally:
        await owner.close()


async def test_old_event_keys_are_forgotten_and_young_ones_are_not(fresh_bench: Bench) -> None:
    assert isinstance(fresh_bench.store, PostgresStore)
    gate = await fresh_bench.gate()
    now = datetime.now(UTC)
    rows = [message(gate.site, gate.site.entry, at=now, key=f"key-{n}") for n in range(3)]
    await fresh_bench.store.append_events(gate.site.id, gate.fence, rows)
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        await owner.execute(
            "UPDATE gate.event_keys SET received_at = received_at - interval '31 days'"
            " WHERE event_key LIKE '%/key-1'"
        )
        assert await fresh_bench.store.purge_event_keys(now - EVENT_KEY_AGE) == 1
        assert await fresh_bench.store.purge_event_keys(now - EVENT_KEY_AGE) == 0
        left = await owner.fetch("SELECT event_key FROM gate.event_keys ORDER BY 1")
        assert [row["event_key"][-5:] for row in left] == ["key-0", "key-2"]
    finally:
        await owner.close()


@pytest.mark.looptime
async def test_a_database_that_is_away_is_asked_again() -> None:
    store = Away()
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(keep_house(store, SystemClock()))
        await store.done.wait()
        task.cancel()
        await asyncio.wait({task})
    assert store.calls == ["partitions", "partitions", "keys"]
    assert [(entry["event"], entry["chore"]) for entry in logs] == [
        ("housekeeping.delayed", "months")
    ]
    assert store.counted > 1, "the other chores do not wait for it"


async def test_a_passage_that_no_lane_looks_after_is_assumed(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, store = await postgres_bench.gate(), postgres_bench.postgres
    inside, seen, young = [
        await gate.admitted(plate, at=at)
        for plate, at in (("AA1", NOW), ("BB2", NOW), ("CC3", NOW + 59 * MINUTE))
    ]
    await store.complete_passage(
        gate.site.id, gate.fence, seen, gate.site.entry, PassageKnown.MEASURED, NOW, uuid4()
    )
    request = await gate.departure(seen, at=NOW + MINUTE)
    assert (
        await store.release(gate.site.id, gate.fence, request)
    ).outcome is ReleaseOutcome.RELEASED

    async def known() -> list[tuple[str | None, str | None]]:
        rows = await owner_of.fetch(
            "SELECT id, entry_known, exit_known FROM bookings WHERE facility_id = $1", gate.site.id
        )
        by_id = {row["id"]: (row["entry_known"], row["exit_known"]) for row in rows}
        return [by_id[stay] for stay in (inside, seen, young)]

    before, now = NOW + 30 * MINUTE, NOW + 90 * MINUTE
    assert await store.assume_passages(gate.site.id, before, now) == 2
    assert await known() == [
        ("assumed", None),
        ("measured", "assumed"),
        (None, None),
    ]
    assert await store.assume_passages(gate.site.id, before, now) == 0
    audits = await owner_of.fetch(
        "SELECT action, details ->> 'known' AS known FROM audit_logs"
        " WHERE facility_id = $1 AND timestamp = $2 ORDER BY action",
        gate.site.id,
        now,
    )
    assert [tuple(row) for row in audits] == [
        ("passage.entered", "assumed"),
        ("passage.left", "assumed"),
    ]


class Left(Away):
    """A database with old notes and passages in batches, and a vehicle without a spot."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = {"notes": [10_000, 7, 0], "passages": [3, 0]}
        self.seated: list[FacilityId] = []

    async def ensure_partitions(self) -> int:
        return 0

    async def purge_lane_notes(self, before: datetime) -> int:
        return self.batches["notes"].pop(0)

    async def purge_free_passages(self, before: datetime) -> int:
        return self.batches["passages"].pop(0)

    async def spotless_facilities(self) -> Sequence[FacilityId]:
        return [FacilityId(UUID(int=1))]

    async def seat_stays(self, facility: FacilityId, at: datetime) -> int:
        self.seated.append(facility)
        if len(self.seated) > 1:
            self.done.set()
        return 2 if len(self.seated) == 1 else 0

    async def purge_event_keys(self, before: datetime) -> int:
        return 0


@pytest.mark.looptime
async def test_what_is_left_is_forgotten_and_who_waits_is_seated_at_each_pace() -> None:
    store = Left()
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(keep_house(store, SystemClock()))
        await store.done.wait()
        task.cancel()
        await asyncio.wait({task})
    said = {entry.pop("event"): entry for entry in logs}
    assert said.keys() == {"housekeeping.forgot", "stays.seated"}
    forgot = said["housekeeping.forgot"]
    assert (forgot["lane_notes"], forgot["free_passages"]) == (10_007, 3)
    assert said["stays.seated"]["stays"] == 2
    assert store.batches == {"notes": [], "passages": []}
