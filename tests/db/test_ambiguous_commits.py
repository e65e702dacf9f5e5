"""The connection breaks between the commit and its answer: the caller cannot know, and asks again.

`Forgetful` of test_store_faults imitates that within the process. Here a network does it: the
server has committed and says so, and the client sees a reset instead.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.ids import StayId
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import Payment, ReserveOutcome, ReserveRequest
from gated.db.errors import FAILURES
from gated.db.pool import Connection, Database, DatabaseSettings, open_database
from gated.db.store import PostgresStore
from gated.records import (
    AdmitOutcome,
    AdmitRequest,
    PaymentOutcome,
    PaymentTaken,
    ReleaseOutcome,
)
from tests.db.site import NOW, Gate, drifts, make_site
from tests.db.stores import Bench
from tests.services.databases import Database as OneDatabase
from tests.services.tcp_proxy import TcpProxy

Answer = TypeVar("Answer")
ProxyTo = Callable[[tuple[str, int] | Path], AbstractAsyncContextManager[TcpProxy]]

SEED, LOST_MIN = 20, 100
ENTRIES = 1000

# Whether what was asked for is in the database, by the id that the caller drew.
THERE = {
    "reserve": "SELECT status = 'CONFIRMED' FROM bookings WHERE id = $1",
    "record_payment": "SELECT status = 'COMPLETED' FROM payments WHERE id = $1",
    "take_payment": "SELECT status = 'COMPLETED' FROM payments WHERE id = $1",
    "admit": "SELECT status = 'ACTIVE' FROM bookings WHERE id = $1",
    "release": "SELECT status = 'COMPLETED' FROM bookings WHERE id = $1",
    "cancel_admission": "SELECT status = 'CANCELLED' FROM bookings WHERE id = $1",
}
WRITTEN = """
SELECT
    (SELECT count(*) FROM bookings WHERE facility_id = $1) AS bookings,
    (SELECT count(*) FROM bookings WHERE facility_id = $1 AND status = 'ACTIVE') AS inside,
    (SELECT count(*) FROM gate.claims WHERE facility_id = $1 AND kind = 'stay') AS stays,
    (SELECT count(*) FROM gate.claims WHERE facility_id = $1 AND kind = 'reservation')
        AS reservations,
    (SELECT count(*) FROM payments) AS payments,
    (SELECT sum(amount) FROM payments) AS money,
    (SELECT count(*) FROM gate.decisions WHERE facility_id = $1) AS decisions,
    (SELECT count(*) FROM gate.commands WHERE facility_id = $1) AS commands,
    (SELECT sum(entries_remaining) FROM user_subscriptions) AS entries,
    (SELECT count(*) FROM audit_logs WHERE facility_id = $1) AS audits
"""


BOUND, READY = b"2\x00\x00\x00\x04", b"Z\x00\x00\x00\x05I"


def answered(piece: bytes) -> bool:
    """The whole answer to a statement in a transaction of its own: from "bound", at its head, to
    "ready for the next, and no transaction is open". So it is committed."""
    return BOUND in piece[:10] and piece.endswith(READY)


class Witness(Database):
    """Looks, at each error that the client sees, whether what it asked for is there."""

    looks: Callable[[], Awaitable[bool]]

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        super().__init__(pool, seconds_max=10, rng=random.Random(SEED))
        self.seen: list[bool] = []

    async def _attempt(
        self, run: Callable[[Connection], Awaitable[Answer]], seconds: float
    ) -> Answer:
        try:
            return await super()._attempt(run, seconds)
        except FAILURES:
            self.seen.append(await self.looks())
            raise


@dataclass(slots=True)
class Day:
    """A facility behind a network that loses answers, and what should have come of it all."""

    gate: Gate
    witness: Witness
    proxy: TcpProxy
    owner: asyncpg.Connection
    user: UUID
    subscription: UUID
    rng: random.Random
    inside: list[tuple[StayId, str]] = field(default_factory=list)
    reserved: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    @property
    def store(self) -> PostgresStore:
        assert isinstance(self.gate.store, PostgresStore)
        return self.gate.store

    async def loses(self, what: str, id_: UUID, call: Awaitable[Answer]) -> Answer:
        """Make the call while its answers get lost, once or several times; it gets the last."""

        async def there() -> bool:
            return bool(await self.owner.fetchval(THERE[what], id_))

        assert not await there()
        self.witness.looks = there
        count = self.rng.choice([1, 1, 2, 3])
        self.proxy.lose_answers(answered, count)
        answer = await call
        assert self.proxy.answers_to_lose == 0
        self.done[what] += 1
        self.done["lost"] += count
        return answer

    async def entry(self, at: datetime) -> AdmitRequest:
        request = await self.gate.entry(f"P{self.done.total()}", at=at, user=self.user)
        if self.rng.random() < 0.5:
            return request
        self.done["entries"] += 1
        right = Entitlement(Right.SUBSCRIPTION, self.subscription)
        return replace(request, entitlement=right)

    async def reserve(self, at: datetime) -> None:
        plate = f"R{self.done.total()}"
        request = ReserveRequest(StayId(uuid4()), at, at + timedelta(days=9), at, plate)
        answer = await self.loses(
            "reserve", request.id, self.store.reserve(self.gate.site.id, request)
        )
        assert answer.outcome is ReserveOutcome.RESERVED
        self.reserved.append(answer.ticket)

    async def record_payment(self, at: datetime) -> None:
        ticket = self.rng.choice(self.reserved)
        payment = Payment(uuid4(), Decimal(1), "EUR", "CARD", at, ticket, txn=str(uuid4()))
        answer = await self.loses(
            "record_payment", payment.id, self.store.record_payment(self.gate.site.id, payment)
        )
        # The last of several calls says it: this payment was counted before, and by now it stands.
        assert (answer.outcome, answer.counted) == (PaymentOutcome.PART_PAID, False)

    async def take_payment(self, at: datetime) -> None:
        ticket, id_ = self.rng.choice(self.reserved), uuid4()
        told = PaymentTaken(
            1, str(id_), id_, Decimal(1), "EUR", "CARD", str(uuid4()), at, at, ticket=ticket
        )
        site, fence = self.gate.site, self.gate.fence
        event = await self.gate.happened(site.exit, at)
        answer = await self.loses(
            "take_payment", id_, self.store.take_payment(site.id, fence, event, told)
        )
        # Whoever waits at the barrier is told of the money, though its first answer was lost.
        assert (answer.outcome, answer.ticket) == (PaymentOutcome.PART_PAID, ticket)
        assert answer.outcome.counted

    async def admit(self, at: datetime) -> None:
        request = await self.entry(at)
        answer = await self.loses(
            "admit", request.stay, self.store.admit(self.gate.site.id, self.gate.fence, request)
        )
        assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, request.stay)
        assert request.read is not None
        self.inside.append((request.stay, request.read.plate.text))

    async def release(self, at: datetime) -> None:
        stay, plate = self.inside.pop(self.rng.randrange(len(self.inside)))
        request = await self.gate.departure(stay, plate, at=at)
        answer = await self.loses(
            "release", stay, self.store.release(self.gate.site.id, self.gate.fence, request)
        )
        assert answer.outcome is ReleaseOutcome.RELEASED
        assert answer.price is not None

    async def cancel_admission(self, at: datetime) -> None:
        """Of a vehicle that came in undisturbed just now."""
        entries, site, fence = self.done["entries"], self.gate.site, self.gate.fence
        request = await self.entry(at)
        admitted = await self.store.admit(site.id, fence, request)
        available = await self.loses(
            "cancel_admission",
            request.stay,
            self.store.cancel_admission(
                site.id, fence, request.stay, request.lane, "backed out", at, request.event
            ),
        )
        assert available == admitted.available + 1
        self.done["entries"] = entries


@pytest.fixture
async def day(fresh_bench: Bench, database: OneDatabase, tcp_proxy: ProxyTo) -> AsyncIterator[Day]:
    gate = await fresh_bench.gate(make_site([[str(number) for number in range(100)]]))
    user = await fresh_bench.user()
    subscription = await fresh_bench.subscribe(gate, user, ENTRIES)
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        async with tcp_proxy(database.socket) as proxy:
            dsn = f"postgresql://gated_daemon@{proxy.host}:{proxy.port}/{database.name}"
            async with open_database(DatabaseSettings(dsn), random.Random(SEED)) as opened:
                witness = Witness(opened._pool)
                gate = replace(gate, store=PostgresStore(witness))
                yield Day(gate, witness, proxy, owner, user, subscription, random.Random(SEED))
    finally:
        await owner.close()


async def test_a_hundred_answers_are_lost_and_nothing_else(day: Day) -> None:
    print(f"seed {SEED}")
    turn = 0
    while day.done["lost"] < LOST_MIN:
        for act in (
            day.reserve,
            day.record_payment,
            day.take_payment,
            day.admit,
            day.release,
            day.cancel_admission,
        ):
            await act(NOW + timedelta(seconds=turn))
            turn += 1
    lost, done = day.done["lost"], day.done
    # Each error that the client saw came after the commit, and none for another reason.
    assert day.witness.seen == [True] * lost

    written = await day.owner.fetchrow(WRITTEN, day.gate.site.id)
    assert written is not None
    assert dict(written) == {
        "bookings": done["reserve"] + done["admit"] + done["cancel_admission"],
        "inside": len(day.inside),
        "stays": len(day.inside),
        "reservations": done["reserve"],
        "payments": done["record_payment"] + done["take_payment"],
        "money": done["record_payment"] + done["take_payment"],
        "decisions": done["admit"] + done["release"] + done["cancel_admission"],
        "commands": done["admit"] + done["release"] + done["cancel_admission"],
        "entries": ENTRIES - done["entries"],
        # Reserved, paid, admitted, released; admitted, its command cancelled, cancelled.
        "audits": turn + 2 * done["cancel_admission"],
    }
    await day.owner.execute("SELECT gate.count_all_changes_v1()")
    assert await drifts(day.owner, day.gate.site.id) == []
