"""How the hot statements are executed on tables of some size: by index, in few months, in time.

The server itself reports the plan of each statement inside the functions (auto_explain, with what
was really executed), so that what is checked is what runs, generic plans included.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, Outcome, PassageKnown
from gated.core.events import CommandStatus, PlateRead
from gated.core.ids import EventId, Fence, SpotId, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import Payment, RefundOutcome, ReserveOutcome, ReserveRequest
from gated.db.pool import Connection, Database
from gated.db.store import PostgresStore
from gated.records import AdmitOutcome, AskRequest, EventStatus, FreeOutcome, FreePassage, LaneNote
from tests.db.site import Gate, Site, make_site, message, write_site
from tests.services.databases import Databases, run_apart
from tests.services.postgres import PostgresServer

pytestmark = pytest.mark.direct("loads auto_explain into its session")

Answer = TypeVar("Answer")
HOUR = timedelta(hours=1)

# Large enough that a wrong plan shows, small enough to be made in a few seconds.
FILL = """
SELECT gate.ensure_partitions_v1((now() - interval '7 months')::date, 1);
SELECT gate.ensure_partitions_v1((now() - interval '4 months')::date, 4);

INSERT INTO facilities (id, name, city)
SELECT gen_random_uuid(), 'F' || n, 'C' FROM generate_series(1, 30) n;
INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)
SELECT f.id, 'f-' || f.id, 'UTC', 'EUR' FROM facilities f ON CONFLICT DO NOTHING;
INSERT INTO zones (facility_id, name, code)
SELECT f.id, z, z FROM facilities f, unnest('{A,B}'::text[]) z WHERE f.name LIKE 'F%';
INSERT INTO gate.lanes (facility_id, slug, direction)
SELECT f.id, 'in', 'entry' FROM facilities f ON CONFLICT DO NOTHING;
INSERT INTO gate.devices (facility_id, lane_id, slug, family)
SELECT l.facility_id, l.id, 'd', 'native' FROM gate.lanes l WHERE l.slug = 'in';
INSERT INTO pricing_rules (facility_id, name, strategy, config, valid_from)
SELECT f.id, 'r' || n, 'FLAT',
    '{"amount": "1", "zero_stay": "charged", "second_visit": "separate"}',
    now() - make_interval(months => n)
FROM facilities f, generate_series(1, 20) n WHERE f.name LIKE 'F%';
INSERT INTO parking_spots (zone_id, spot_number, status)
SELECT z.id, 'S-' || n, (CASE WHEN n % 10 = 0 THEN 'AVAILABLE' ELSE 'OCCUPIED' END)::spot_status
FROM zones z, generate_series(1, 300) n WHERE z.code IN ('A', 'B');
INSERT INTO users (email) SELECT 'u' || n || '@example.com' FROM generate_series(0, 4999) n;
CREATE TEMP TABLE customer AS
SELECT id AS customer, row_number() OVER (ORDER BY id) - 1 AS rank FROM users;
INSERT INTO vehicles (plate_number, user_id)
SELECT 'V' || n, c.customer FROM generate_series(1, 20000) n JOIN customer c ON c.rank = n % 5000;
INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)
SELECT f.id, 'ten', 50, 365, 10 FROM facilities f;
INSERT INTO user_subscriptions (user_id, subscription_id, expires_at, entries_remaining)
SELECT c.customer, s.id, now() + interval '1 year', 10 FROM customer c, subscriptions s
WHERE c.rank < 500;

CREATE TEMP TABLE spread AS
SELECT n, f.id AS facility, l.id AS lane, d.id AS device, gen_random_uuid() AS id,
    now() - (n % 200) * interval '1 day' AS at
FROM generate_series(1, 20000) n
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS rank FROM facilities) f ON f.rank = n % 31
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
INSERT INTO gate.free_passages (id, facility_id, lane_id, direction, kind, passed_at, plate)
SELECT id, facility, lane, 'entry', 'held', at, 'V' || n FROM spread;
INSERT INTO gate.lane_notes (id, facility_id, lane_id, at, name)
SELECT id, facility, lane, at, 'arm_stuck' FROM spread;
INSERT INTO audit_logs (action, resource_type, resource_id, "timestamp", correlation_id)
SELECT 'a', 'r', id, at, id FROM spread;
INSERT INTO payments (id, amount, currency, provider, status, provider_txn_id, booking_id, refunded)
SELECT id, 2, 'EUR', 'CARD', 'COMPLETED', 't' || n, id, (n % 10 = 0)::integer FROM spread;
INSERT INTO gate.refunds (id, payment_id, amount, reason, refunded_at)
SELECT gen_random_uuid(), id, 1, 'x', at FROM spread WHERE n % 10 = 0;
INSERT INTO violations (facility_id, booking_id, violation_type, status, violation_time,
    plate_number)
SELECT facility, id, 'overstay',
    (CASE WHEN n % 20 = 0 THEN 'OPEN' ELSE 'PAID' END)::violation_status, at, 'V' || n
FROM spread WHERE n % 4 = 0;
WITH taken AS (
    SELECT s.id, s.zone_id, z.facility_id, row_number() OVER () AS n
    FROM parking_spots s JOIN zones z ON z.id = s.zone_id WHERE s.status = 'OCCUPIED'
), owned AS (
    SELECT t.*, k.id AS booking, k.at FROM taken t JOIN spread k ON k.n = t.n
)
INSERT INTO gate.claims
    (facility_id, zone_id, spot_id, booking_id, entry_time, kind, plate, during)
SELECT facility_id, zone_id, id, booking, at, 'stay', 'V' || n,
    tstzrange(at, now() + interval '1 hour')
FROM owned;
-- Each spot of the site, and some of the others, is reserved for a day of the coming week.
INSERT INTO bookings (facility_id, spot_id, status, booking_type, entry_time, expected_exit,
    plate_number)
SELECT z.facility_id, s.id, 'CONFIRMED', 'RESERVATION', a.at, a.at + interval '2 hours',
    'R' || row_number() OVER ()
FROM parking_spots s JOIN zones z ON z.id = s.zone_id,
    LATERAL (SELECT now() + make_interval(days => abs(hashtext(s.id::text)) % 7 + 2)) AS a (at)
WHERE s.spot_number LIKE '%0' OR s.spot_number LIKE 'A-%';
-- What the other facilities have still to count: somebody holds their counters.
INSERT INTO gate.spot_changes (facility_id, zone_id, total, available)
SELECT z.facility_id, z.id, 0, 1 FROM zones z JOIN facilities f ON f.id = z.facility_id,
    generate_series(1, 100)
WHERE f.name LIKE 'F%';
"""

CUSTOMER = """
WITH customer AS (
    SELECT id FROM users WHERE email = 'u1@example.com'
), offer AS (
    INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)
    VALUES ($1, 'twenty', 90, 365, 20) RETURNING id
), subscription AS (
    INSERT INTO user_subscriptions (user_id, subscription_id, expires_at, entries_remaining)
    SELECT customer.id, s.id, now() + interval '1 year', 20 FROM customer, offer s
    RETURNING id
)
SELECT customer.id AS user, subscription.id AS subscription,
    (SELECT s.id FROM parking_spots s
     WHERE s.zone_id = $2 AND s.status = 'AVAILABLE' ORDER BY s.spot_order DESC LIMIT 1) AS spot
FROM customer, subscription
"""

# Tables that are large in production, by the names of their months too.
LARGE = (
    "bookings", "events", "event_keys", "decisions", "commands", "audit_logs", "vehicles",
    "parking_spots", "claims", "tickets", "users", "payments", "refunds", "violations",
    "user_subscriptions", "spot_changes", "free_passages", "lane_notes",
)  # fmt: skip
# The partial index on pending rows is one small index per month: no month need be named.
ACROSS_MONTHS = ("-- The messages that are stored and not done", "-- Who was asked to pay")
MONTHS_MAX = 2
CALLS = 43
# Of the vehicles that come and go within the test; of a whole facility, where a statement says so.
ROWS_READ_MAX = 100
ROWS_READ_MAX_OF_ALL = 1000
WHOLE_FACILITY = ("count(", "gate.claimed_spots_v1(", "of all notes of the facility")
# The facilities that have something to count, whichever these are.
WHOLE_TABLE = "SELECT DISTINCT c.facility_id AS id FROM gate.spot_changes"
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


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with some months of traffic: its owner's DSN, a site with its share of that, and
    one that is new: of that one the server's statistics know nothing."""

    dsn: str
    old: Site
    new: Site


@pytest.fixture(scope="module")
def filled(
    postgres_embedded: PostgresServer, databases_of: Callable[[PostgresServer], Databases]
) -> Iterator[Filled]:
    databases = databases_of(postgres_embedded)
    database = databases.clone()
    old, new = (make_site([[f"A-{number}" for number in range(200)]]) for _ in range(2))

    async def fill() -> None:
        connection = await asyncpg.connect(database.dsn)
        try:
            await write_site(database.dsn, old)
            await connection.execute(FILL)
            await connection.execute(
                "UPDATE parking_spots SET status = 'OCCUPIED'"
                " WHERE zone_id = $1 AND spot_order < 'A-0000000100'",
                old.zone,
            )
            await connection.execute("VACUUM ANALYZE")
            await write_site(database.dsn, new)
        finally:
            await connection.close()

    run_apart(fill())
    yield Filled(database.dsn, old, new)
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


@pytest.fixture(params=["old", "new"])
async def watched(
    request: pytest.FixtureRequest, filled: Filled
) -> AsyncIterator[tuple[Gate, Plans]]:
    """A store on one connection whose server tells each plan.

    The owner's connection, because only a superuser may load the module.
    """
    site: Site = getattr(filled, request.param)
    plans = Plans()
    connection, holder = [await asyncpg.connect(filled.dsn) for _ in range(2)]
    try:
        # Why a right does not hold is looked up where a lane asks for one.
        await connection.execute(
            """UPDATE gate.lanes SET policy = '{"admits": "entitled"}' WHERE id = $1""", site.entry
        )
        await holder.execute("BEGIN")
        await holder.execute("SELECT FROM facilities WHERE name LIKE 'F%' FOR NO KEY UPDATE")
        await connection.execute(LISTEN)
        connection.add_log_listener(plans.note)
        store = PostgresStore(OneConnection(connection))
        lease = await store.acquire_lease(site.id, "plans", 3600)
        assert lease is not None
        # Since the statistics were made, somebody has been there.
        rows = [replace(message(site, site.entry), status=EventStatus.DROPPED) for _ in range(300)]
        await store.append_events(site.id, Fence(lease[0]), rows)
        yield Gate(store, site, lease[0]), plans
        connection.remove_log_listener(plans.note)
    finally:
        await holder.close()
        await connection.close()


def connection_of(gate: Gate) -> asyncpg.Connection:
    assert isinstance(gate.store, PostgresStore)
    database = gate.store._database
    assert isinstance(database, OneConnection)
    return database._connection


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with a subscription at the site, and a spot there that nobody else gets."""

    user: UUID
    subscription: UUID
    spot: SpotId


@dataclass(frozen=True, slots=True)
class Visit:
    """The calls of a vehicle's visit, and of others that come with rights; one by one."""

    gate: Gate
    customer: Customer
    now: datetime
    number: int

    @property
    def plate(self) -> Plate:
        return Plate(f"PLAN{self.number}")

    @property
    def at(self) -> datetime:
        return self.now + timedelta(milliseconds=self.number)

    @property
    def store(self) -> PostgresStore:
        assert isinstance(self.gate.store, PostgresStore)
        return self.gate.store

    async def calls(self) -> AsyncIterator[str]:
        """Make each call of the store in turn, and name it once it is made."""
        for group in (
            self.walk_in,
            self.ungranted,
            self.with_rights,
            self.beforehand,
            self.upkeep,
        ):
            async for call in group():
                yield call

    async def walk_in(self) -> AsyncIterator[str]:
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
        await store.ask_payment(
            site.id,
            fence,
            AskRequest(
                departure.event, departure.lane, entry.stay, self.plate,
                Money(Decimal("1.00"), "EUR"), at, None,
            ),
        )  # fmt: skip
        yield "ask_payment"
        assert len(await store.asked_payments(site.id)) == 1
        yield "asked_payments"
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

    async def ungranted(self) -> AsyncIterator[str]:
        """Somebody comes and goes without being asked."""
        store, site, fence, at = self.store, self.gate.site, self.gate.fence, self.at
        read = PlateRead(Plate(f"{self.plate}F"), "x", 0.5)
        passage = FreePassage(
            EventId(uuid4()), site.entry, Direction.ENTRY, FreeKind.TAILGATING, StayId(uuid4()),
            at, read,
        )  # fmt: skip
        assert (await store.pass_freely(site.id, fence, passage)).outcome is FreeOutcome.STAY_OPENED
        yield "pass_freely (entry)"
        left = replace(
            passage,
            passage=EventId(uuid4()),
            lane=site.exit,
            direction=Direction.EXIT,
            at=at + HOUR,
        )
        assert (await store.pass_freely(site.id, fence, left)).outcome is FreeOutcome.STAY_ENDED
        yield "pass_freely (exit)"
        again = replace(left, passage=EventId(uuid4()))
        await store.pass_freely(site.id, fence, again)
        yield "pass_freely (nobody)"
        await store.note_lane(site.id, fence, LaneNote(uuid4(), site.entry, at, "arm_stuck"))
        yield "note_lane"
        await store.standing_faults(site.id)
        yield "standing_faults"

    async def with_rights(self) -> AsyncIterator[str]:
        """Somebody comes with a reservation, somebody else with a subscription."""
        store, site, fence, at = self.store, self.gate.site, self.gate.fence, self.at
        plate = f"{self.plate}R"
        request = ReserveRequest(StayId(uuid4()), at, at + 2 * HOUR, at, plate)
        assert (await store.reserve(site.id, request)).outcome is ReserveOutcome.RESERVED
        yield "reserve"
        await store.plate_snapshot(site.id, Plate(plate), Direction.ENTRY, at)
        yield "plate_snapshot (reservation)"
        right = Entitlement(Right.RESERVATION, request.id)
        entry = await self.gate.entry(plate, at=at, entitlement=right)
        yield "append_events"
        assert (await store.admit(site.id, fence, entry)).outcome is AdmitOutcome.ADMITTED
        yield "admit (reservation)"
        await store.record_payment(site.id, self.payment(plate=plate))
        yield "record_payment (stay)"
        await store.cancel_admission(site.id, fence, request.id, entry.lane, "x", at, entry.event)
        yield "cancel_admission (reservation)"
        await store.cancel_booking(site.id, request.id, "x", at)
        yield "cancel_booking"

        await store.plate_snapshot(site.id, Plate("V7"), Direction.ENTRY, at)
        yield "plate_snapshot (customer)"
        right = Entitlement(Right.SUBSCRIPTION, self.customer.subscription)
        user, plate = self.customer.user, f"{self.plate}S"
        entry = await self.gate.entry(plate, at=at, user=user, entitlement=right)
        yield "append_events"
        assert (await store.admit(site.id, fence, entry)).outcome is AdmitOutcome.ADMITTED
        yield "admit (subscription)"
        departure = await self.gate.departure(entry.stay, plate, at=at + HOUR)
        yield "append_events"
        await store.release(site.id, fence, departure)
        yield "release (subscription)"

    async def beforehand(self) -> AsyncIterator[str]:
        """In the web shop."""
        store, site, at = self.store, self.gate.site, self.at
        start, until, plate = at + HOUR, at + 3 * HOUR, f"{self.plate}W"
        await store.free_spots(site.id, start, until, at)
        yield "free_spots"
        in_zone = ReserveRequest(StayId(uuid4()), start, until, at, plate, zone=site.zone)
        zoned = await store.reserve(site.id, in_zone)
        assert zoned.outcome is ReserveOutcome.RESERVED
        yield "reserve (zone)"
        assert zoned.spot is not None
        next_on_it = replace(in_zone, id=StayId(uuid4()), start=until, until=until + HOUR)
        given = await store.reserve(site.id, replace(next_on_it, spot=zoned.spot))
        assert given.outcome is ReserveOutcome.RESERVED
        yield "reserve (spot)"
        payment = self.payment(ticket=zoned.ticket)
        await store.record_payment(site.id, payment)
        yield "record_payment (ticket)"
        await store.record_payment(site.id, replace(payment, id=uuid4()))
        yield "record_payment (told again)"
        await store.record_payment(site.id, self.payment(plate=plate))
        yield "record_payment (plate)"
        refunded = await store.refund(site.id, payment.id, uuid4(), Decimal(1), "x", at)
        assert refunded is RefundOutcome.REFUNDED
        yield "refund"
        for booking in (in_zone.id, next_on_it.id):
            await store.cancel_booking(site.id, booking, "x", at)
            yield "cancel_booking"

    async def upkeep(self) -> AsyncIterator[str]:
        store, site, at = self.store, self.gate.site, self.at
        await store.awaited_facilities(at)
        yield "awaited_facilities"
        missed = ReserveRequest(StayId(uuid4()), at - 2 * HOUR, at + HOUR, at - HOUR, "PLANX")
        await store.reserve(site.id, missed)
        yield "reserve"
        soon = replace(missed, id=StayId(uuid4()), start=at + HOUR, until=at + 2 * HOUR)
        await store.reserve(site.id, replace(soon, spot=self.customer.spot))
        yield "reserve (spot)"
        assert await store.keep_reservations(site.id, at + HOUR) == (1, 1)
        yield "keep_reservations"
        await store.cancel_booking(site.id, soon.id, "x", at)
        yield "cancel_booking"
        await store.count_changes()
        yield "count_changes"

    def payment(self, *, ticket: str | None = None, plate: str | None = None) -> Payment:
        txn = f"plans-{uuid4()}"
        return Payment(uuid4(), Decimal(1), "EUR", "CARD", self.at, ticket, plate, txn)


async def test_hot_statements_read_by_index_and_in_few_months(
    watched: tuple[Gate, Plans],
) -> None:
    """Ten visits, so that the server has gone over to its generic plans where it wants to."""
    gate, plans = watched
    row = await connection_of(gate).fetchrow(CUSTOMER, gate.site.id, gate.site.zone)
    assert row is not None
    customer = Customer(**dict(row))
    now = datetime.now(UTC)  # the server's clock counts too: which months are recent
    faults: list[str] = []
    calls: set[str] = set()
    for number in range(10):
        plans.collected.clear()
        async for call in Visit(gate, customer, now, number).calls():
            calls.add(call)
            faults += [f"{call}: {fault}" for fault in judged(plans)]
            plans.collected.clear()
    assert len(calls) == CALLS
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
        if WHOLE_TABLE in query:
            continue
        if node["Node Type"] == "Seq Scan" and read:  # an empty month has nothing to seek in
            yield f"sequential scan of {where}"
        of_all = any(word in query for word in WHOLE_FACILITY)
        if read > (ROWS_READ_MAX_OF_ALL if of_all else ROWS_READ_MAX):
            yield f"{read} rows read from {where}"
        if table in PARTITIONED and node["Node Type"] != "ModifyTable" and not_ahead(relation):
            months.setdefault((query, table), set()).add(relation)
    for (query, table), touched in months.items():
        if len(touched) > MONTHS_MAX and not query.lstrip().startswith(ACROSS_MONTHS):
            yield f"{len(touched)} months of {table} read in: {' '.join(query.split())[:140]}"


INDEXES = """
SELECT i.relname AS name, coalesce(p.relname, i.relname) AS of
FROM pg_class i
LEFT JOIN pg_inherits h ON h.inhrelid = i.oid
LEFT JOIN pg_class p ON p.oid = h.inhparent
WHERE i.relkind = 'i'
"""
PRICE = {"pricing_rules_facility_idx"}
BOOKING = {"tickets_booking_key", "bookings_pkey"}
# What each call is meant to read by, of a partitioned table the parent's index. Where two indexes
# serve as well and statistics choose (a reservation by its plate or by its time), neither stands.
INTENDED: dict[str, set[str]] = {
    "append_events": {"event_keys_pkey"},
    "pending_events": {"events_pending_idx"},
    "settle_events": {"events_pending_idx"},
    "plate_snapshot (entry)": {
        "bookings_plate_idx", "claims_stay_plate_key", "vehicles_plate_normal_idx",
        "violations_open_plate_idx",
    },
    "admit": {"claims_spot_excl", "claims_stay_plate_key", "events_pkey", "parking_spots_pkey"},
    "dispatch_command": {"commands_live_idx"},
    "advance_command": {"commands_pkey"},
    "complete_passage": BOOKING,
    "plate_snapshot (exit)": {"claims_stay_plate_key", "payments_booking_idx", *BOOKING, *PRICE},
    "release": {"claims_pkey", "events_pkey", "payments_booking_idx", *BOOKING, *PRICE},
    "ask_payment": {"events_pkey"},
    "asked_payments": {"events_pending_idx", "audit_logs_correlation_idx", "claims_pkey"},
    "plate_snapshot (released)": {"decisions_plate_idx", *BOOKING},
    "pending_passages": {"decisions_plate_idx", *BOOKING},
    "cancel_admission": {"claims_pkey", "commands_live_idx", *BOOKING},
    "deny": {"events_pkey"},
    "accepted_commands": {"commands_live_idx"},
    "expire_commands": {"commands_live_idx"},
    "zone_count": {"claims_zone_idx"},
    "pass_freely (entry)": {"claims_stay_plate_key", "claims_spot_excl", *BOOKING},
    "pass_freely (exit)": {
        "claims_stay_plate_key", "claims_spotless_idx", "payments_booking_idx", *BOOKING, *PRICE,
    },
    "pass_freely (nobody)": {
        "claims_stay_plate_key", "claims_spotless_idx", "decisions_plate_idx",
    },
    "standing_faults": {"lane_notes_facility_idx"},
    "plate_snapshot (reservation)": {"claims_stay_plate_key", "vehicles_plate_normal_idx"},
    "admit (reservation)": {"claims_spot_excl", "claims_stay_plate_key", *BOOKING},
    "record_payment (stay)": {
        "claims_stay_plate_key", "payments_provider_txn_idx", *BOOKING, *PRICE,
    },
    "cancel_admission (reservation)": {"claims_pkey", "commands_live_idx", *BOOKING},
    "cancel_booking": {"claims_pkey", *BOOKING},
    "plate_snapshot (customer)": {"claims_stay_plate_key", "user_subscriptions_user_idx"},
    "admit (subscription)": {"claims_spot_excl", "user_subscriptions_pkey"},
    "release (subscription)": {"claims_pkey", *BOOKING, *PRICE},
    "free_spots": {"claims_spot_excl"},
    "reserve": {"claims_spot_excl", "vehicles_plate_normal_idx", *PRICE},
    "reserve (zone)": {"claims_spot_excl", "vehicles_plate_normal_idx", *PRICE},
    "reserve (spot)": {"claims_spot_excl", "parking_spots_pkey", *PRICE},
    "record_payment (ticket)": {"tickets_pkey", "payments_provider_txn_idx", *BOOKING},
    "record_payment (told again)": {"payments_provider_txn_idx"},
    "record_payment (plate)": {"payments_provider_txn_idx", *BOOKING},
    "refund": {"payments_pkey", "refunds_pkey"},
    "awaited_facilities": {"claims_reservation_time_idx"},
    "keep_reservations": {"claims_reservation_time_idx", "claims_pkey", *BOOKING},
}  # fmt: skip
# It reads whichever facilities have something to count, all of them; a note is written, not read.
WITHOUT_INDEX = {"count_changes", "note_lane"}


@pytest.mark.parametrize("watched", ["old"], indirect=True)
async def test_each_call_reads_by_the_indexes_that_are_meant_for_it(
    watched: tuple[Gate, Plans],
) -> None:
    """By their names: an index that nobody reads by any more would go unnoticed otherwise.

    At the site that the statistics know; where they know nothing, several serve as well.
    """
    gate, plans = watched
    connection = connection_of(gate)
    parents = {row["name"]: row["of"] for row in await connection.fetch(INDEXES)}
    row = await connection.fetchrow(CUSTOMER, gate.site.id, gate.site.zone)
    assert row is not None
    used: dict[str, set[str]] = {}
    now = datetime.now(UTC)
    for number in range(10, 13):  # some plans are made anew each time, some once for all
        plans.collected.clear()
        async for call in Visit(gate, Customer(**dict(row)), now, number).calls():
            names = (node.get("Index Name") for _, node in plans.nodes())
            used.setdefault(call, set()).update(parents[name] for name in names if name)
            plans.collected.clear()
    assert INTENDED.keys() | WITHOUT_INDEX == used.keys()
    assert {
        call: names - used[call] for call, names in INTENDED.items() if names - used[call]
    } == {}


async def test_a_wrong_plan_would_be_noticed(watched: tuple[Gate, Plans]) -> None:
    """The planted fault, for the judge: no index for a ticket's price, and no month named."""
    gate, plans = watched
    connection = connection_of(gate)
    await connection.fetch("SELECT FROM public.vehicles WHERE plate_number || '' = 'V1'")
    assert any("sequential scan of vehicles" in fault for fault in judged(plans))
    plans.collected.clear()
    await connection.fetch("SELECT FROM public.bookings WHERE id = $1", gate.site.id)
    assert any("months of bookings" in fault for fault in judged(plans))
