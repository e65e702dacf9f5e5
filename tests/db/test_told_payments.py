"""Payments of terminals, on every store: what a message comes to, told once, twice, differently."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import Outcome
from gated.core.errors import FencedOut, StoreError
from gated.core.ids import EventId, Fence
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.records import PaymentOutcome, PaymentTaken, PaymentTakenAnswer
from tests.db.scene import WAITS
from tests.db.site import NOW, Gate, Tariff, end_tariffs, message, write_tariff
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked

PLATE = "PAY123"
AT = NOW + timedelta(minutes=30)
GRACE = timedelta(minutes=15)
BEFORE, DIFFERENTLY = PaymentOutcome.TOLD_BEFORE, PaymentOutcome.TOLD_DIFFERENTLY


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def told(**changes: Any) -> PaymentTaken:
    """A terminal says that all of 2.50 was paid for the plate."""
    number = str(uuid4())
    first = PaymentTaken(
        message=number,
        key=f"payment#{number}",
        id=uuid4(),
        amount=Decimal("2.50"),
        currency="EUR",
        provider="CARD",
        txn=f"txn-{number}",
        at=AT,
        device_at=AT,
        plate=PLATE,
    )
    return replace(first, **changes)


def once_more(payment: PaymentTaken, **changes: Any) -> PaymentTaken:
    """The same payment in another message."""
    other = told()
    return replace(payment, message=other.message, key=other.key, id=other.id, **changes)


@dataclass(frozen=True, slots=True)
class Till:
    """A stay that costs 2.50 in its first hour, and terminals that tell of payments for it."""

    bench: Bench
    gate: Gate

    async def stored(self, payment: PaymentTaken) -> EventId:
        row = replace(message(self.gate.site, self.gate.site.exit, at=AT), device=None)
        row = replace(row, lane=None, key=payment.key, kind="payment")
        assert list(
            await self.bench.store.append_events(self.gate.site.id, self.gate.fence, [row])
        ) == [True]
        return row.id

    async def take(self, payment: PaymentTaken, event: EventId | None = None) -> PaymentTakenAnswer:
        event = event or await self.stored(payment)
        return await self.bench.store.take_payment(
            self.gate.site.id, self.gate.fence, event, payment
        )

    async def again(self, payment: PaymentTaken) -> PaymentTakenAnswer | None:
        return await self.bench.store.payment_again(self.gate.site.id, self.gate.fence, payment)

    async def settle(self, event: EventId, outcome: Outcome) -> None:
        await self.bench.store.settle_events(self.gate.site.id, self.gate.fence, [(event, outcome)])

    async def due(self, plate: str = PLATE) -> Money | None:
        snapshot = await self.bench.store.plate_snapshot(
            self.gate.site.id, Plate(plate), Direction.EXIT, AT
        )
        return snapshot.due

    async def pending(self) -> int:
        return len(await self.bench.store.pending_events(self.gate.site.id, 9))


async def till_of(bench: Bench) -> Till:
    gate = await bench.gate()
    await gate.admitted(PLATE)
    return Till(bench, gate)


@pytest.fixture
async def till(bench: Bench) -> Till:
    return await till_of(bench)


@dataclass(frozen=True, slots=True)
class Books:
    """A till on PostgreSQL, and what its owner sees."""

    till: Till
    owner: asyncpg.Connection

    async def became(self, event: EventId) -> tuple[str, str | None, str | None]:
        row = await self.owner.fetchrow(
            "SELECT status, outcome, error FROM gate.events WHERE id = $1", event
        )
        assert row is not None
        return row["status"], row["outcome"], row["error"]

    async def cases(self) -> list[str]:
        rows = await self.owner.fetch(
            "SELECT details FROM gate.reconciliations"
            " WHERE facility_id = $1 AND kind = 'payment_refused' ORDER BY created_at",
            self.till.gate.site.id,
        )
        return [json.loads(row["details"])["outcome"] for row in rows]

    async def counted(self, txn: str) -> int:
        count: int = await self.owner.fetchval(
            "SELECT count(*) FROM payments WHERE provider_txn_id = $1", txn
        )
        return count


@pytest.fixture
async def books(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Books:
    return Books(await till_of(postgres_bench), owner_of)


# ── the same payment in another message ─────────────────────────────────────────────────────


async def test_told_by_another_message_it_counts_once_and_says_so(till: Till) -> None:
    first = told()
    paid = await till.take(first)
    assert paid == PaymentTakenAnswer(
        PaymentOutcome.PAID, paid.ticket, eur("0.00"), grace_until=AT + GRACE
    )
    again = once_more(first)
    event = await till.stored(again)
    for _ in range(2):  # the same call finds itself
        assert await till.take(again, event) == replace(paid, outcome=BEFORE)
    assert await till.take(once_more(first, plate=None, ticket=paid.ticket)) == replace(
        paid, outcome=BEFORE
    )
    assert await till.due() == eur("0.00")
    assert await till.pending() == 0


async def test_a_part_told_again_says_what_is_due_by_now(till: Till) -> None:
    first = told(amount=Decimal("1.00"))
    part = await till.take(first)
    assert (part.outcome, part.due, part.grace_until) == (
        PaymentOutcome.PART_PAID,
        eur("1.50"),
        None,
    )
    again = await till.take(once_more(first))
    assert (again.outcome, again.due) == (BEFORE, eur("1.50"))
    rest = await till.take(told(amount=Decimal("1.50")))
    assert (rest.outcome, rest.due) == (PaymentOutcome.PAID, eur("0.00"))
    again = await till.take(once_more(first))
    assert (again.outcome, again.due, again.grace_until) == (BEFORE, eur("0.00"), AT + GRACE)


@pytest.mark.parametrize(
    "changes",
    [
        {"plate": "OTHER1"},
        {"plate": "NOBODY1"},
        {"plate": None, "ticket": "NONE"},
        {"amount": Decimal("1.25")},
        {"currency": "CHF"},
    ],
    ids=str,
)
async def test_the_same_transaction_for_something_else_is_refused(
    till: Till, changes: dict[str, Any]
) -> None:
    await till.gate.admitted("OTHER1")
    first = told()
    await till.take(first)
    again = once_more(first, **changes)
    event = await till.stored(again)
    for _ in range(2):
        assert await till.take(again, event) == PaymentTakenAnswer(DIFFERENTLY)
    assert await till.due("OTHER1") == eur("2.50"), "nothing of it is paid"
    assert await till.pending() == 0


async def test_the_same_transaction_of_another_provider_is_another_payment(till: Till) -> None:
    first = told(amount=Decimal("1.00"))
    await till.take(first)
    other = await till.take(once_more(first, provider="PAYPAL"))
    assert (other.outcome, other.due) == (PaymentOutcome.PART_PAID, eur("0.50"))


# ── the same message once more ──────────────────────────────────────────────────────────────


async def test_the_same_message_says_what_it_came_to(till: Till) -> None:
    first, nobodys = told(), told(plate="NOBODY1")
    assert await till.again(first) is None, "nobody knows it"
    event = await till.stored(first)
    assert await till.again(first) is None, "not decided yet"
    paid = await till.take(first, event)
    assert await till.again(first) == paid
    second = once_more(first)
    await till.take(second)
    assert await till.again(second) == replace(paid, outcome=BEFORE)
    refused = await till.take(nobodys)
    assert refused == PaymentTakenAnswer(PaymentOutcome.BOOKING_UNKNOWN)
    await till.gate.admitted("NOBODY1")
    assert await till.again(nobodys) == refused, "what was answered stands"
    assert await till.due("NOBODY1") == eur("2.50")


async def test_what_cannot_be_counted_is_given_up_once_and_for_good(till: Till) -> None:
    first, store, gate = told(), till.bench.store, till.gate
    event = await till.stored(first)
    key = gate.site.id, gate.fence, event, first
    assert [await store.give_up_payment(*key) for _ in range(2)] == [True, False]
    assert await till.pending() == 0
    failed = PaymentTakenAnswer(PaymentOutcome.FAILED)
    assert await till.take(first, event) == await till.again(first) == failed
    assert await till.due() == eur("2.50")
    counted = told()
    taken = await till.stored(counted)
    paid = await till.take(counted, taken)
    assert not await store.give_up_payment(gate.site.id, gate.fence, taken, counted)
    assert (await till.again(counted), paid.outcome) == (paid, PaymentOutcome.PAID)
    with pytest.raises(FencedOut):
        await store.give_up_payment(gate.site.id, Fence(gate.fence - 1), event, first)


async def test_money_that_was_given_up_waits_for_people_until_it_counts(books: Books) -> None:
    till, first = books.till, told()
    event = await till.stored(first)
    await end_tariffs(books.owner, till.gate.site.id, NOW - timedelta(hours=1))
    with pytest.raises(StoreError, match="no pricing rule in force"):
        await till.take(first, event)
    await till.bench.store.give_up_payment(till.gate.site.id, till.gate.fence, event, first)
    assert await books.became(event) == ("done", "failed", None)
    (case,) = await till.bench.postgres.reconciliations(till.gate.site.id)
    stay = await books.owner.fetchrow(
        "SELECT id::text, ticket_number FROM bookings WHERE facility_id = $1", till.gate.site.id
    )
    assert stay is not None
    assert (case.kind, case.ticket) == ("payment_refused", stay["ticket_number"])
    told_of = {key: case.details[key] for key in ("outcome", "stay", "amount", "txn", "event")}
    assert told_of == {
        "outcome": "failed",
        "stay": stay["id"],
        "amount": "2.50",
        "txn": first.txn,
        "event": str(event),
    }
    # Other money settles nothing; the same transaction does, once a tariff is there.
    tariff = Tariff(valid_from=NOW - timedelta(hours=1))
    await write_tariff(books.owner, till.gate.site.id, tariff)
    await till.take(told(amount=Decimal("1.00")))
    assert len(await till.bench.postgres.reconciliations(till.gate.site.id)) == 1
    again = await till.take(once_more(first, amount=Decimal("1.50")))
    assert again.outcome is PaymentOutcome.PAID
    assert await till.bench.postgres.reconciliations(till.gate.site.id) == []
    resolved = await books.owner.fetchval(
        "SELECT details ->> 'reason' FROM audit_logs"
        " WHERE action = 'reconciliation.resolved' AND facility_id = $1",
        till.gate.site.id,
    )
    assert resolved == "told again by another message, and counted"


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome.FAILED, PaymentOutcome.FAILED),
        (Outcome.UNEXPECTED, PaymentOutcome.EVENT_DONE),
    ],
)
async def test_a_message_that_was_given_up_counts_no_more(
    till: Till, outcome: Outcome, answer: PaymentOutcome
) -> None:
    first = told()
    event = await till.stored(first)
    await till.settle(event, outcome)
    assert await till.take(first, event) == PaymentTakenAnswer(answer)
    assert await till.again(first) == PaymentTakenAnswer(answer)
    assert await till.due() == eur("2.50")


async def test_a_number_that_was_used_before_is_no_receipt_for_other_money(till: Till) -> None:
    """Two terminals that count alike, or one that starts anew: the inbox takes it for known."""
    first = told(amount=Decimal("1.00"))
    await till.take(first)
    other = replace(first, txn="another")
    for _ in range(2):
        assert await till.again(other) == PaymentTakenAnswer(DIFFERENTLY)
    assert await till.due() == eur("1.50")


# ── what is written ─────────────────────────────────────────────────────────────────────────


async def test_each_message_is_settled_with_what_it_came_to(books: Books) -> None:
    till, first = books.till, told()
    messages = [
        (first, ("done", "decided", None)),
        (once_more(first), ("done", "told_before", None)),
        (once_more(first, amount=Decimal(1)), ("done", "refused", "told_differently")),
        (told(currency="CHF"), ("done", "refused", "currency_mismatch")),
        (told(plate="NOBODY1"), ("done", "refused", "booking_unknown")),
    ]
    for payment, became in messages:
        event = await till.stored(payment)
        await till.take(payment, event)
        assert await books.became(event) == became
    assert await books.counted(first.txn) == 1
    assert await books.cases() == ["told_differently", "currency_mismatch", "booking_unknown"]


async def test_other_money_under_a_number_used_before_waits_for_the_operator_once(
    books: Books,
) -> None:
    first = told()
    await books.till.take(first)
    for txn in ("one", "one", "two"):
        await books.till.again(replace(first, txn=txn))
    assert await books.cases() == ["told_differently"] * 2
    actions = await books.owner.fetch(
        "SELECT action FROM audit_logs WHERE resource_id = $1 ORDER BY action", first.id
    )
    assert [row["action"] for row in actions] == ["payment.recorded"] + ["payment.refused"] * 2


async def test_a_payment_that_many_messages_tell_of_at_once_counts_once(books: Books) -> None:
    till, first = books.till, told()
    tellings = [once_more(first) for _ in range(8)]
    events = [await till.stored(one) for one in tellings]
    answers = await asyncio.gather(*map(till.take, tellings, events))
    assert Counter(answer.outcome for answer in answers) == {PaymentOutcome.PAID: 1, BEFORE: 7}
    assert {answer.due for answer in answers} == {eur("0.00")}
    outcomes = Counter([(await books.became(event))[1] for event in events])
    assert outcomes == {"decided": 1, "told_before": 7}
    assert await books.counted(first.txn) == 1
    assert await books.cases() == []


async def test_of_a_payment_that_is_told_for_two_stays_at_once_one_counts(books: Books) -> None:
    """Neither knows of the other when it looks; the transaction's own number is the judge."""
    till = books.till
    await till.gate.admitted("OTHER1")
    first = told()
    tellings = [once_more(first, plate=plate) for plate in (PLATE, "OTHER1")]
    events = [await till.stored(one) for one in tellings]

    async def both_wait() -> bool:
        await books.owner.execute("SELECT pg_stat_clear_snapshot()")
        waiting: int = await books.owner.fetchval(WAITS.format("take_payment"))
        return waiting == len(tellings)

    async with books.owner.transaction():
        await books.owner.execute(
            "SELECT FROM bookings WHERE facility_id = $1 FOR UPDATE", till.gate.site.id
        )
        asked = asyncio.gather(*map(till.take, tellings, events))
        await eventually_asked(both_wait, "both wait for their booking")
    answers = await asked
    assert {answer.outcome for answer in answers} == {PaymentOutcome.PAID, DIFFERENTLY}
    assert {await till.due(PLATE), await till.due("OTHER1")} == {eur("0.00"), eur("2.50")}
    assert await books.cases() == ["told_differently"]
