"""How the hot statements are executed on tables of some size: by index, in few months, in time.

The server itself reports the plan of each statement inside the functions (auto_explain, with what
was really executed), so that what is checked is what runs, generic plans included.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import pytest

from gated.core.effects import Outcome, PassageKnown
from gated.core.events import CommandStatus
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.db.pool import Connection, Database
from gated.db.store import PostgresStore
from tests.db.site import Gate, Site, make_site, message, write_site
from tests.services.databases import Databases, run_apart
from tests.services.postgres import PostgresServer

pytestmark = pytest.mark.direct("loads auto_explain into its session")

Answer = TypeVar("Answer")

# Large enough that a wrong plan shows, small enough to be made in a few seconds.
FILL = """
SELECT gate.ensure_partitions_v1((now() - interval '7 months')::date, 1);
SELECT gate.ensure_partitions_v1((now() - interval '4 months')::date, 4);

INSERT INTO facilities (id, name, city)
SELECT gen_random_uuid(), 'F' || n, 'C' FROM generate_series(1, 30) n;
INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)
SELECT f.id, 'f-' || f.id, 'UTC', 'EUR' FROM facilities f ON CONFLICT DO NOTHING;
INSERT INTO zones (facility_id, name, code)
SELECT f.id, z, z FROM facilities f, unnest('{A,B}'::text[]) z
ON CONFLICT DO NOTHING;
INSERT INTO gate.lanes (facility_id, slug, direction)
SELECT f.id, 'in', 'entry' FROM facilities f ON CONFLICT DO NOTHING;
INSERT INTO gate.devices (facility_id, lane_id, slug, family)
SELECT l.facility_id, l.id, 'd', 'native' FROM gate.lanes l WHERE l.slug = 'in';
INSERT INTO pricing_rules (facility_id, name, strategy, config, valid_from)
SELECT f.id, 'r' || n, 'FLAT', '{"amount": "1"}', now() - make_interval(months => n)
FROM facilities f, generate_series(1, 20) n WHERE f.name LIKE 'F%';
INSERT INTO parking_spots (zone_id, spot_number, status)
SELECT z.id, 'S-' || n, (CASE WHEN n % 10 = 0 THEN 'AVAILABLE' ELSE 'OCCUPIED' END)::spot_status
FROM zones z, generate_series(1, 300) n WHERE z.code IN ('A', 'B');
INSERT INTO vehicles (plate_number) SELECT 'V' || n FROM generate_series(1, 20000) n;

CREATE TEMP TABLE spread AS
SELECT n, f.id AS facility, l.id AS lane, d.id AS device, gen_random_uuid() AS id,
    now() - (n % 200) * interval '1 day' AS at
FROM generate_series(1, 20000) n
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS rank FROM facilities WHERE name LIKE 'F%') f
    ON f.rank = n % 30
JOIN gate.lanes l ON l.facility_id = f.id AND l.slug = 'in'
JOIN gate.devices d ON d.lane_id = l.id;
INSERT INTO bookings (id, facility_id, plate_number, status, entry_time, actual_exit, final_price,
    entry_lane_id, exit_known)
SELECT id, facility, 'V' || n, 'COMPLETED', at, at, 1, lane, 'measured' FROM spread;
INSERT INTO gate.events (id, facility_id, event_key, kind, topic, payload, status, received_at)
SELECT id, facility, id::text, 'plate', 't', '', 'done', at FROM spread;
INSERT INTO gate.event_keys (facility_id, event_key, event_id, received_at)
SELECT facility, id::text, id, at FROM spread;
INSERT INTO gate.decisions (id, facility_id, lane_id, event_id, decision, reason, plate, stay_id,
    received_at, decided_at)
SELECT id, facility, lane, id, 'grant', 'transient', 'V' || n, id, at, at FROM spread;
INSERT INTO gate.commands (id, facility_id, lane_id, device_id, event_id, do_what, reason, fence,
    status, issued_at, expires_at)
SELECT id, facility, lane, device, id, 'open', 'r', 1, 'confirmed', at, at + interval '3 s'
FROM spread;
INSERT INTO audit_logs (action, resource_type, resource_id, "timestamp", correlation_id)
SELECT 'a', 'r', id, at, id FROM spread;
WITH taken AS (
    SELECT s.id, s.zone_id, z.facility_id, row_number() OVER () AS n
    FROM parking_spots s JOIN zones z ON z.id = s.zone_id WHERE s.status = 'OCCUPIED'
), owned AS (
    SELECT t.*, k.id AS booking, k.at FROM taken t JOIN spread k ON k.n = t.n
)
INSERT INTO gate.claims
    (facility_id, zone_id, spot_id, booking_id, entry_time, kind, plate, during)
SELECT facility_id, zone_id, id, booking, at, 'stay', 'V' || n, tstzrange(at, NULL)
FROM owned;
"""

# Tables that are large in production, by the names of their months too.
LARGE = (
    "bookings", "events", "event_keys", "decisions", "commands", "audit_logs", "vehicles",
    "parking_spots", "claims", "tickets",
)  # fmt: skip
# The partial index on pending rows is one small index per month: no month need be named.
ACROSS_MONTHS = "-- The messages that are stored and not done"
MONTHS_MAX = 2
ROWS_READ_MAX = 50
PARTITIONED = ("bookings", "events", "decisions", "audit_logs")


LISTEN = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_format = json;
SET auto_explain.log_level = notice;
SET client_min_messages = notice;
"""


@dataclass(slots=True)
class Plans:
    """The plans that one session's statements were executed with, in order."""

    collected: list[dict[str, Any]] = field(default_factory=list)

    def note(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        text = str(message.message)
        if "plan:\n" in text:
            self.collected.append(json.loads(text.partition("plan:\n")[2]))

    def nodes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each node that was executed, with the statement that it belongs to."""
        for plan in self.collected:
            stack = [plan["Plan"]]
            while stack:
                node = stack.pop()
                stack.extend(node.get("Plans", ()))
                if node["Actual Loops"] > 0:
                    yield plan["Query Text"], node


def table_of(relation: str) -> str:
    """The parent of a month's partition, else the relation itself."""
    return next((table for table in PARTITIONED if relation.startswith(f"{table}_2")), relation)


def not_ahead(relation: str) -> bool:
    """Whether a month's partition has begun; those to come are empty."""
    return relation[-len("2026_01") :] <= f"{datetime.now(UTC):%Y_%m}"


@pytest.fixture(scope="module")
def filled(
    postgres_embedded: PostgresServer, databases_of: Callable[[PostgresServer], Databases]
) -> Iterator[tuple[str, Site]]:
    """A database with some months of traffic: its owner's DSN, and a site in it."""
    databases = databases_of(postgres_embedded)
    database = databases.clone()
    site = make_site([[f"A-{number}" for number in range(200)]])

    async def fill() -> None:
        connection = await asyncpg.connect(database.dsn)
        try:
            await write_site(database.dsn, site)
            await connection.execute(FILL)
            await connection.execute(
                "UPDATE parking_spots SET status = 'OCCUPIED'"
                " WHERE zone_id = $1 AND spot_order < 'A-0000000100'",
                site.zone,
            )
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()

    run_apart(fill())
    yield database.dsn, site
    databases.drop(database)


class OneConnection(Database):
    """Every statement on one connection, which is listened to."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def _attempt(
        self, run: Callable[[Connection], Awaitable[Answer]], seconds: float
    ) -> Answer:
        return await run(self._connection)  # type: ignore[arg-type]

    async def _call(self, name: str, run: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        return await self._attempt(run, 60)


@pytest.fixture
async def watched(filled: tuple[str, Site]) -> AsyncIterator[tuple[Gate, Plans]]:
    """A store on one connection whose server tells each plan.

    The owner's connection, because only a superuser may load the module.
    """
    dsn, site = filled
    plans = Plans()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(LISTEN)
        connection.add_log_listener(plans.note)
        store = PostgresStore(OneConnection(connection))
        lease = await store.acquire_lease(site.id, "plans", 3600)
        assert lease is not None
        yield Gate(store, site, lease[0]), plans
        connection.remove_log_listener(plans.note)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """The calls of one vehicle's visit, one by one."""

    gate: Gate
    now: datetime
    number: int

    @property
    def plate(self) -> Plate:
        return Plate(f"PLAN{self.number}")

    @property
    def at(self) -> datetime:
        return self.now + timedelta(milliseconds=self.number)

    async def calls(self) -> AsyncIterator[str]:
        """Make each call of the store in turn, and name it once it is made."""
        store, site, fence, at = self.gate.store, self.gate.site, self.gate.fence, self.at
        row = message(site, site.entry, at=at)
        await store.append_events(site.id, fence, [row])
        yield "append_events"
        await store.pending_events(site.id, 100)
        yield "pending_events"
        await store.settle_events(site.id, fence, [(row.id, Outcome.NOTED)])
        yield "settle_events"
        await store.plate_snapshot(site.id, self.plate, Direction.ENTRY, at)
        yield "plate_snapshot (entry)"
        entry = await self.gate.entry(self.plate.text, at=at)
        yield "append_events"
        await store.admit(site.id, fence, entry)
        yield "admit"
        await store.dispatch_command(site.id, fence, entry.command.id, at)
        yield "dispatch_command"
        await store.advance_command(
            site.id, fence, entry.command.id, CommandStatus.CONFIRMED, None, at
        )
        yield "advance_command"
        await store.complete_passage(
            site.id, fence, entry.stay, entry.lane, PassageKnown.MEASURED, at, entry.event
        )
        yield "complete_passage"
        await store.plate_snapshot(site.id, self.plate, Direction.EXIT, at)
        yield "plate_snapshot (exit)"
        departure = await self.gate.departure(entry.stay, self.plate.text, at=at)
        yield "append_events"
        await store.release(site.id, fence, departure)
        yield "release"
        await store.plate_snapshot(site.id, self.plate, Direction.EXIT, at)
        yield "plate_snapshot (released)"
        await store.pending_passages(site.id, at - timedelta(minutes=2))
        yield "pending_passages"
        backed_out = await self.gate.entry(f"{self.plate}B", at=at)
        yield "append_events"
        await store.admit(site.id, fence, backed_out)
        yield "admit"
        await store.cancel_admission(
            site.id, fence, backed_out.stay, backed_out.lane, "x", at, backed_out.event
        )
        yield "cancel_admission"
        await store.deny(site.id, fence, await self.gate.denial(at=at))
        yield "deny"
        await store.accepted_commands(site.id)
        yield "accepted_commands"
        await store.expire_commands(site.id, fence, at + timedelta(hours=1))
        yield "expire_commands"
        await store.zone_count(site.zone)
        yield "zone_count"


async def test_hot_statements_read_by_index_and_in_few_months(
    watched: tuple[Gate, Plans],
) -> None:
    """Ten visits, so that the server has gone over to its generic plans where it wants to."""
    gate, plans = watched
    now = datetime.now(UTC)  # the server's clock counts too: which months are recent
    faults: list[str] = []
    calls: set[str] = set()
    for number in range(10):
        plans.collected.clear()
        async for call in Visit(gate, now, number).calls():
            calls.add(call)
            faults += [f"{call}: {fault}" for fault in judged(plans)]
            plans.collected.clear()
    assert len(calls) == 17
    assert not faults, "\n".join(sorted(set(faults)))


def judged(plans: Plans) -> Iterator[str]:
    """What is wrong with the statements of one call."""
    assert plans.collected, "the server told no plan: nothing would be checked"
    months: dict[tuple[str, str], set[str]] = {}
    for query, node in plans.nodes():
        relation = node.get("Relation Name", "")
        table = table_of(relation)
        if table not in LARGE:
            continue
        where = f"{relation} in: {' '.join(query.split())[:140]}"
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        if node["Node Type"] == "Seq Scan" and read:  # an empty month has nothing to seek in
            yield f"sequential scan of {where}"
        if read > ROWS_READ_MAX and "count(" not in query:
            yield f"{read} rows read from {where}"
        if table in PARTITIONED and node["Node Type"] != "ModifyTable" and not_ahead(relation):
            months.setdefault((query, table), set()).add(relation)
    for (query, table), touched in months.items():
        if len(touched) > MONTHS_MAX and not query.lstrip().startswith(ACROSS_MONTHS):
            yield f"{len(touched)} months of {table} read in: {' '.join(query.split())[:140]}"


async def test_a_wrong_plan_would_be_noticed(watched: tuple[Gate, Plans]) -> None:
    """The planted fault, for the judge: no index for a ticket's price, and no month named."""
    gate, plans = watched
    assert isinstance(gate.store, PostgresStore)
    database = gate.store._database
    assert isinstance(database, OneConnection)
    await database._connection.fetch("SELECT FROM public.vehicles WHERE plate_number || '' = 'V1'")
    assert any("sequential scan of vehicles" in fault for fault in judged(plans))
    plans.collected.clear()
    await database._connection.fetch("SELECT FROM public.bookings WHERE id = $1", gate.site.id)
    assert any("months of bookings" in fault for fault in judged(plans))
