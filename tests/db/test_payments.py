"""Payments and refunds: what counts, once; what is due after it; and the time to leave."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.errors import StoreError
from gated.core.ids import StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.db.bookings import (
    Actor,
    Payment,
    PaymentAnswer,
    RefundOutcome,
    ReserveRequest,
)
from gated.db.errors import translated
from gated.records import PaymentOutcome, ReleaseAnswer
from tests.db.site import (
    NOW,
    Gate,
    Tariff,
    by_blocks,
    drifts,
    end_tariffs,
    free_minutes,
    make_site,
    set_up,
    written,
)
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
GRACE = 15 * MINUTE
PAID, PART_PAID = PaymentOutcome.PAID, PaymentOutcome.PART_PAID
PLATE = "PAY123"


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def payment(amount: str = "2.50", at: datetime = NOW + 30 * MINUTE, **changes: Any) -> Payment:
    """A payment of the plate's."""
    told = Payment(uuid4(), Decimal(amount), "EUR", "CARD", at, plate=PLATE)
    return replace(told, **changes)


@dataclass(frozen=True, slots=True)
class Desk:
    """A stay that began at NOW and costs 2.50 for each hour; whoever pays for it, and leaves."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    stay: StayId

    async def pay(self, told: Payment | None = None, **changes: Any) -> PaymentAnswer:
        return await self.bench.postgres.record_payment(
            self.gate.site.id, told or payment(**changes)
        )

    async def refund(
        self, told: UUID, amount: str, at: datetime = NOW + 31 * MINUTE, **names: Any
    ) -> RefundOutcome:
        refund = names.pop("refund", uuid4())
        return await self.bench.postgres.refund(
            self.gate.site.id, told, refund, Decimal(amount), "mistake", at, **names
        )

    async def due(self, at: datetime) -> Money | None:
        """As the exit is told, for the price at which it would let the vehicle out."""
        snapshot = await self.gate.store.plate_snapshot(
            self.gate.site.id, Plate(PLATE), Direction.EXIT, at
        )
        return snapshot.due

    async def leave(self, at: datetime) -> ReleaseAnswer:
        departure = await self.gate.departure(self.stay, PLATE, at=at)
        return await self.gate.store.release(self.gate.site.id, self.gate.fence, departure)

    async def booking(self) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", self.stay)
        assert row is not None
        return row

    async def ticket(self) -> str:
        text: str = (await self.booking())["ticket_number"]
        return text

    async def written(self) -> dict[str, object]:
        return await written(self.owner, self.gate.site.id)


@pytest.fixture
async def desk(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Desk:
    gate = await postgres_bench.gate()
    return Desk(postgres_bench, owner_of, gate, await gate.admitted(PLATE))


async def reserved(desk: Desk, plate: str, hours: int = 1, length: int = 1) -> StayId:
    start = NOW + hours * HOUR
    request = ReserveRequest(StayId(uuid4()), start, start + length * HOUR, NOW, plate=plate)
    await desk.bench.postgres.reserve(desk.gate.site.id, request)
    return request.id


# ── what counts ─────────────────────────────────────────────────────────────────────────────


async def test_a_payment_of_what_is_due_lets_the_vehicle_leave(desk: Desk) -> None:
    told = payment()
    answer = await desk.pay(told)
    assert answer == PaymentAnswer(
        PAID,
        counted=True,
        booking=desk.stay,
        ticket=await desk.ticket(),
        paid=eur("2.50"),
        due=eur("0.00"),
        grace_until=told.at + GRACE,
    )
    row = await desk.booking()
    assert (row["payment_id"], row["paid_at"], row["grace_until"]) == (
        told.id,
        told.at,
        told.at + GRACE,
    )
    stored = await desk.owner.fetchrow("SELECT * FROM payments WHERE id = $1", told.id)
    assert stored is not None
    assert (stored["status"], stored["amount"], stored["currency"]) == (
        "COMPLETED",
        Decimal("2.50"),
        "EUR",
    )
    assert (stored["provider"], stored["created_at"]) == ("CARD", told.at)
    assert stored["booking_id"] == desk.stay


async def test_a_part_and_then_the_rest(desk: Desk) -> None:
    first, second = payment("1.00"), payment("1.50", at=NOW + 40 * MINUTE)
    answer = await desk.pay(first)
    assert (answer.outcome, answer.paid, answer.due) == (PART_PAID, eur("1.00"), eur("1.50"))
    assert answer.grace_until is None
    answer = await desk.pay(second)
    assert (answer.outcome, answer.paid, answer.due) == (PAID, eur("2.50"), eur("0.00"))
    assert answer.grace_until == second.at + GRACE
    assert (await desk.booking())["payment_id"] == second.id, "the last that counted"


async def test_too_much_leaves_nothing_due(desk: Desk) -> None:
    answer = await desk.pay(amount="99.00")
    assert (answer.outcome, answer.paid, answer.due) == (PAID, eur("99.00"), eur("0.00"))
    assert await desk.due(NOW + 3 * HOUR) == eur("0.00")


async def test_who_pays_may_be_somebody_else(desk: Desk) -> None:
    guest, host = await desk.bench.user(), await desk.bench.user()
    await desk.owner.execute("UPDATE bookings SET user_id = $2 WHERE id = $1", desk.stay, host)
    for user, expected in ((guest, guest), (None, host)):
        told = payment("0.10", user=user)
        await desk.pay(told)
        payer = await desk.owner.fetchval("SELECT user_id FROM payments WHERE id = $1", told.id)
        assert payer == expected


@pytest.mark.parametrize("provider", ["CARD", "CASH", "PAYPAL", "STRIPE", "ACCOUNT", "OTHER"])
async def test_each_way_to_pay_counts(desk: Desk, provider: str) -> None:
    assert (await desk.pay(provider=provider)).outcome is PAID


async def test_an_act_is_written_down_with_who_did_it(desk: Desk) -> None:
    clerk, correlation = await desk.bench.user(), uuid4()
    told = payment()
    await desk.bench.postgres.record_payment(
        desk.gate.site.id, told, correlation, Actor("desk", clerk)
    )
    refund = uuid4()
    await desk.bench.postgres.refund(
        desk.gate.site.id,
        told.id,
        refund,
        Decimal(1),
        "goodwill",
        told.at,
        actor=Actor("desk", clerk),
    )
    rows = await desk.owner.fetch(
        "SELECT action, actor, user_id, correlation_id, timestamp, details ->> 'amount' AS amount,"
        " details ->> 'booking' AS booking FROM audit_logs"
        " WHERE resource_type = 'payment' AND resource_id = $1 ORDER BY action",
        told.id,
    )
    booking = str(desk.stay)
    assert [tuple(row) for row in rows] == [
        ("payment.recorded", "desk", clerk, correlation, told.at, "2.50", booking),
        ("payment.refunded", "desk", clerk, refund, told.at, "1", booking),
    ]


async def test_without_a_word_it_was_the_operator(desk: Desk) -> None:
    told = payment()
    await desk.pay(told)
    row = await desk.owner.fetchrow(
        "SELECT actor, user_id, correlation_id FROM audit_logs WHERE resource_id = $1", told.id
    )
    assert row is not None
    assert tuple(row) == ("operator", None, told.id)


# ── what it is for ──────────────────────────────────────────────────────────────────────────


async def test_a_ticket_says_more_than_a_plate(desk: Desk) -> None:
    other = await desk.gate.admitted("OTHER1")
    answer = await desk.pay(ticket=await desk.ticket(), plate="OTHER1")
    assert answer.booking == desk.stay
    wrong = await desk.pay(ticket="NONE", plate=PLATE)
    assert wrong == PaymentAnswer(PaymentOutcome.BOOKING_UNKNOWN, counted=False)
    assert (await desk.pay(plate="o-ther 1")).booking == other, "however it is written"


async def test_a_plate_means_the_stay_before_the_next_reservation(desk: Desk) -> None:
    second, first = await reserved(desk, PLATE, 6), await reserved(desk, PLATE, 5)
    assert (await desk.pay()).booking == desk.stay
    await desk.leave(NOW + 31 * MINUTE)
    assert (await desk.pay()).booking == first
    await desk.bench.postgres.cancel_booking(desk.gate.site.id, first, "x", NOW)
    assert (await desk.pay()).booking == second


async def test_a_reservation_is_paid_for_what_it_is_thought_to_cost(desk: Desk) -> None:
    await reserved(desk, "LATER1", length=2)
    answer = await desk.pay(plate="LATER1", amount="3.00")
    assert (answer.outcome, answer.due) == (PART_PAID, eur("2.00"))
    answer = await desk.pay(plate="LATER1", amount="2.00")
    assert (answer.outcome, answer.due, answer.grace_until) == (PAID, eur("0.00"), None)


async def test_one_that_left_in_debt_can_still_pay(desk: Desk) -> None:
    released = await desk.leave(NOW + 2 * HOUR)
    assert (released.price, released.due) == (eur("5.00"), eur("5.00"))
    for amount, due in (("4.00", "1.00"), ("1.00", "0.00")):
        told = payment(amount, at=NOW + timedelta(days=3), ticket=await desk.ticket())
        answer = await desk.pay(told)
        assert (answer.due, answer.grace_until) == (eur(due), None)
        assert (await desk.booking())["payment_id"] == told.id
    assert (await desk.booking())["final_price"] == 5, "the price stays as it was frozen"


UNKNOWN, ENDED = PaymentOutcome.BOOKING_UNKNOWN, PaymentOutcome.BOOKING_ENDED


@pytest.mark.parametrize(
    "what",
    [
        "nothing named",
        "ticket unknown",
        "plate unknown",
        "plate of separators",
        "ticket of another facility",
        "plate at another facility",
        "cancelled",
        "no show",
        "backed out",
    ],
)
async def test_what_is_for_no_booking_does_not_count(desk: Desk, what: str) -> None:
    other = await desk.bench.gate()
    told, outcome = payment(plate=None), UNKNOWN
    match what:
        case "ticket unknown":
            told = payment(ticket="0000000", plate=None)
        case "plate unknown":
            told = payment(plate="NOBODY1")
        case "plate of separators":
            told = payment(plate="- -")
        case "ticket of another facility" | "plate at another facility":
            elsewhere = await other.admitted("THERE1")
            ticket = await desk.owner.fetchval(
                "SELECT ticket_number FROM bookings WHERE id = $1", elsewhere
            )
            by_ticket = what.startswith("ticket")
            told = payment(ticket=ticket if by_ticket else None, plate="THERE1")
        case "cancelled" | "no show":
            booking = await reserved(desk, "LATER1")
            ticket = await desk.owner.fetchval(
                "SELECT ticket_number FROM bookings WHERE id = $1", booking
            )
            if what == "cancelled":
                await desk.bench.postgres.cancel_booking(desk.gate.site.id, booking, "x", NOW)
            else:
                await desk.bench.postgres.keep_reservations(desk.gate.site.id, NOW + 9 * HOUR)
            told, outcome = payment(ticket=ticket), ENDED
        case "backed out":
            told, outcome = payment(ticket=await desk.ticket()), ENDED
            await desk.gate.store.cancel_admission(
                desk.gate.site.id,
                desk.gate.fence,
                desk.stay,
                desk.gate.site.entry,
                "x",
                NOW,
                uuid4(),
            )
        case _:
            assert what == "nothing named"
    before = await desk.written()
    answer = await desk.pay(told)
    assert replace(answer, booking=None) == PaymentAnswer(outcome, counted=False)
    assert (answer.booking is None) is (outcome is UNKNOWN), "which one it was, where it was ours"
    assert await desk.written() == before
    assert await desk.owner.fetchval("SELECT count(*) FROM payments WHERE id = $1", told.id) == 0


# ── what is refused ─────────────────────────────────────────────────────────────────────────

INVALID, MISMATCH = PaymentOutcome.AMOUNT_INVALID, PaymentOutcome.CURRENCY_MISMATCH


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"amount": "0"}, INVALID),
        ({"amount": "-2.50"}, INVALID),
        ({"amount": "2.505"}, INVALID),
        ({"amount": "10000000000"}, INVALID),
        ({"amount": "NaN"}, INVALID),
        ({"amount": "Infinity"}, INVALID),
        ({"currency": "USD"}, MISMATCH),
        ({"currency": "eur"}, MISMATCH),
        ({"currency": "EURO"}, MISMATCH),
        ({"currency": ""}, MISMATCH),
        ({"provider": "BARTER"}, PaymentOutcome.PROVIDER_UNKNOWN),
        ({"provider": "card"}, PaymentOutcome.PROVIDER_UNKNOWN),
        ({"provider": ""}, PaymentOutcome.PROVIDER_UNKNOWN),
    ],
    ids=str,
)
async def test_what_cannot_be_taken_is_refused_and_writes_nothing(
    desk: Desk, changes: dict[str, Any], outcome: PaymentOutcome
) -> None:
    before = await desk.written()
    answer = await desk.pay(**changes)
    assert (answer.outcome, answer.counted, answer.due) == (outcome, False, None)
    assert await desk.written() == before


@pytest.mark.parametrize(
    ("currency", "amount", "counts"),
    [
        ("JPY", "250", True),
        ("JPY", "250.0", True),
        ("JPY", "250.5", False),
        ("KWD", "0.125", True),
        ("KWD", "0.1255", False),
    ],
)
async def test_an_amount_is_as_fine_as_its_currency(
    postgres_bench: Bench, owner_of: asyncpg.Connection, currency: str, amount: str, counts: bool
) -> None:
    tariff = Tariff(config=by_blocks("300"))
    gate = await postgres_bench.gate(make_site([["1"]], currency=currency, tariffs=[tariff]))
    there = Desk(postgres_bench, owner_of, gate, await gate.admitted(PLATE))
    answer = await there.pay(amount=amount, currency=currency)
    assert answer.outcome is (PART_PAID if counts else INVALID)


async def test_a_provider_that_names_no_transaction_is_a_wrong_value(desk: Desk) -> None:
    """An empty name is no name: two payments with it would be one."""
    with pytest.raises(StoreError) as refusal:
        await desk.pay(txn="")
    assert not refusal.value.retryable


async def test_somebody_unknown_is_an_error_in_plain_words(desk: Desk) -> None:
    before = await desk.written()
    with pytest.raises(StoreError, match=r"^record_payment: unknown user$"):
        await desk.pay(user=uuid4())
    assert await desk.written() == before


async def test_a_booking_that_goes_meanwhile_is_an_error_in_plain_words(desk: Desk) -> None:
    """The web shop's own payment, for a booking that there is not."""
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refusal:
        await desk.owner.execute(
            "INSERT INTO payments (amount, currency, provider, booking_id)"
            " VALUES (1, 'EUR', 'CARD', $1)",
            uuid4(),
        )
    assert str(translated(refusal.value, "record_payment")) == "record_payment: unknown booking"


async def test_without_a_tariff_it_is_not_known_what_is_due(desk: Desk) -> None:
    await end_tariffs(desk.owner, desk.gate.site.id, NOW - HOUR)
    before = await desk.written()
    with pytest.raises(StoreError, match="no pricing rule in force") as refusal:
        await desk.pay()
    assert not refusal.value.retryable
    assert await desk.written() == before


# ── told twice ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["id", "transaction", "both"])
async def test_a_payment_told_twice_counts_once(desk: Desk, by: str) -> None:
    first = payment(txn=f"txn-{uuid4()}")
    again = {
        "id": replace(first, txn=None),
        "transaction": replace(first, id=uuid4()),
        "both": first,
    }[by]
    answer = await desk.pay(first)
    before = await desk.written()
    assert await desk.pay(again) == replace(answer, counted=False)
    assert await desk.written() == before
    assert (await desk.booking())["payment_id"] == first.id


async def test_told_again_it_says_where_it_stands_by_now(desk: Desk) -> None:
    first = payment("1.00")
    await desk.pay(first)
    await desk.pay(payment("1.50"))
    again = await desk.pay(first)
    assert (again.outcome, again.counted, again.paid) == (PAID, False, eur("2.50"))


DIFFERENTLY = PaymentOutcome.TOLD_DIFFERENTLY


@pytest.mark.parametrize(
    "changes",
    [
        {"plate": "OTHER1"},
        {"plate": "NOBODY1"},
        {"ticket": "0000000"},
        {"amount": Decimal("1.25")},
        {"currency": "USD"},
    ],
    ids=str,
)
@pytest.mark.parametrize("by", ["id", "transaction"])
async def test_told_again_as_something_else_it_is_refused_and_stays_where_it_is(
    desk: Desk, changes: dict[str, Any], by: str
) -> None:
    await desk.gate.admitted("OTHER1")
    first = payment(txn=f"txn-{uuid4()}")
    await desk.pay(first)
    before = await desk.written()
    again = replace(first, id=uuid4()) if by == "transaction" else replace(first, txn=None)
    assert await desk.pay(replace(again, **changes)) == PaymentAnswer(DIFFERENTLY, counted=False)
    assert await desk.written() == before
    booking = "SELECT booking_id FROM payments WHERE id = $1"
    assert await desk.owner.fetchval(booking, first.id) == desk.stay


async def test_a_number_that_is_used_again_for_another_transaction_is_refused(desk: Desk) -> None:
    """Or the second payment would pass for the first, and its money for counted."""
    first = payment("1.00", txn=f"txn-{uuid4()}")
    await desk.pay(first)
    answer = await desk.pay(replace(first, txn=f"txn-{uuid4()}"))
    assert answer == PaymentAnswer(DIFFERENTLY, counted=False)
    assert await desk.due(first.at) == eur("1.50")


async def test_told_again_by_the_ticket_or_by_the_plate_it_is_the_same(desk: Desk) -> None:
    first = payment(txn=f"txn-{uuid4()}")
    answer = await desk.pay(first)
    for names in ({"ticket": await desk.ticket(), "plate": None}, {"plate": "pay 123"}):
        again = await desk.pay(replace(first, id=uuid4(), **names))
        assert again == replace(answer, counted=False)


async def test_told_again_when_its_vehicle_has_left_it_still_counts(desk: Desk) -> None:
    first = payment(txn=f"txn-{uuid4()}")
    await desk.pay(first)
    await desk.leave(NOW + 31 * MINUTE)
    again = await desk.pay(replace(first, id=uuid4()))
    assert (again.outcome, again.counted, again.booking) == (PAID, False, desk.stay)


async def test_told_again_when_its_booking_was_cancelled_it_still_counts(desk: Desk) -> None:
    """It is there to be given back; who told of it must not give it back as well."""
    booking = await reserved(desk, "LATER1", length=2)
    first = payment("3.00", plate="LATER1", txn=f"txn-{uuid4()}")
    await desk.pay(first)
    await desk.bench.postgres.cancel_booking(desk.gate.site.id, booking, "x", NOW)
    again = await desk.pay(replace(first, id=uuid4()))
    assert (again.outcome, again.counted) == (PAID, False)
    assert (again.paid, again.due) == (eur("3.00"), eur("0.00"))
    other = await desk.pay(payment("3.00", ticket=again.ticket, plate=None))
    assert (other.outcome, other.counted) == (ENDED, False)


async def test_told_again_at_another_facility_it_does_not_count_there(desk: Desk) -> None:
    other = await desk.bench.gate()
    await other.admitted(PLATE)
    first = payment(txn=f"txn-{uuid4()}")
    await desk.pay(first)
    for again in (first, replace(first, id=uuid4())):
        answer = await desk.bench.postgres.record_payment(other.site.id, again)
        assert answer == PaymentAnswer(DIFFERENTLY, counted=False)


async def test_a_payment_under_way_is_for_the_stay_that_it_was_begun_for(desk: Desk) -> None:
    await desk.gate.admitted("OTHER1")
    begun = payment(txn=f"txn-{uuid4()}")
    await desk.owner.execute(
        "INSERT INTO payments (id, amount, currency, provider, provider_txn_id, booking_id)"
        " VALUES ($1, 9, 'EUR', 'CARD', $2, $3)",
        begun.id,
        begun.txn,
        desk.stay,
    )
    answer = await desk.pay(replace(begun, plate="OTHER1"))
    assert answer == PaymentAnswer(DIFFERENTLY, counted=False)
    assert (await desk.pay(begun)).counted


async def test_the_same_transaction_of_another_provider_is_another_payment(desk: Desk) -> None:
    txn = f"txn-{uuid4()}"
    for provider in ("CARD", "PAYPAL"):
        answer = await desk.pay(amount="1.00", txn=txn, provider=provider)
        assert answer.counted


async def test_two_payments_without_a_transaction_are_two(desk: Desk) -> None:
    for _ in range(2):
        assert (await desk.pay(amount="1.00", provider="CASH")).counted
    assert (await desk.pay(amount="0.50")).paid == eur("2.50")


@pytest.mark.parametrize("same", ["id", "transaction"])
async def test_a_payment_told_many_times_at_once_counts_once(desk: Desk, same: str) -> None:
    first = payment(txn=f"txn-{uuid4()}")
    told = [first if same == "id" else replace(first, id=uuid4()) for _ in range(8)]
    answers = await asyncio.gather(*(desk.pay(one) for one in told))
    assert Counter(answer.counted for answer in answers) == {True: 1, False: 7}
    assert {(answer.outcome, answer.paid) for answer in answers} == {(PAID, eur("2.50"))}
    assert (await desk.written())["audits"] == 2, "the admission and one payment"


async def test_different_payments_at_once_all_count(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.pay(amount="0.25") for _ in range(10)))
    assert all(answer.counted for answer in answers)
    assert Counter(answer.outcome for answer in answers) == {PART_PAID: 9, PAID: 1}
    assert {answer.paid for answer in answers} == {eur(f"{n * 25 / 100:.2f}") for n in range(1, 11)}


@pytest.mark.parametrize("status", ["PENDING", "FAILED"])
@pytest.mark.parametrize("known", ["by id", "by transaction", "by id, for no booking"])
async def test_a_payment_under_way_is_completed_by_what_tells_of_it(
    desk: Desk, status: str, known: str
) -> None:
    """The web shop writes a payment down when it begins; the money comes later, and counts."""
    begun = payment(txn=f"txn-{uuid4()}")
    await desk.owner.execute(
        "INSERT INTO payments (id, amount, currency, provider, status, provider_txn_id, booking_id)"
        " VALUES ($1, 9, 'USD', 'CARD', $2::text::payment_status, $3, $4)",
        begun.id,
        status,
        begun.txn,
        None if known.endswith("no booking") else desk.stay,
    )
    assert await desk.due(begun.at) == eur("2.50")
    told = replace(begun, id=uuid4()) if known == "by transaction" else replace(begun, txn=None)
    answer = await desk.pay(told)
    assert (answer.outcome, answer.counted, answer.paid) == (PAID, True, eur("2.50"))
    assert answer.grace_until == told.at + GRACE
    assert (await desk.booking())["payment_id"] == begun.id
    stored = await desk.owner.fetchrow(
        "SELECT status::text, amount, currency, provider_txn_id FROM payments WHERE id = $1",
        begun.id,
    )
    assert stored is not None
    assert tuple(stored) == ("COMPLETED", Decimal("2.50"), "EUR", begun.txn)
    before = await desk.written()
    assert await desk.pay(told) == replace(answer, counted=False)
    assert await desk.written() == before


# ── the time to leave ───────────────────────────────────────────────────────────────────────


async def test_within_the_grace_nothing_more_is_due(desk: Desk) -> None:
    """Paid in the last minute of the first hour: the second one is not begun until it is over."""
    paid_at = NOW + 59 * MINUTE
    answer = await desk.pay(at=paid_at)
    assert answer.grace_until == paid_at + GRACE
    assert await desk.due(paid_at + GRACE) == eur("0.00")
    released = await desk.leave(paid_at + GRACE)
    assert (released.price, released.due) == (eur("2.50"), eur("0.00"))


async def test_a_second_after_the_grace_the_difference_is_due(desk: Desk) -> None:
    paid_at = NOW + 59 * MINUTE
    await desk.pay(at=paid_at)
    late = paid_at + GRACE + SECOND
    assert await desk.due(late) == eur("2.50"), "the time counts from the entry, less what is paid"
    released = await desk.leave(late)
    assert (released.price, released.due) == (eur("5.00"), eur("2.50"))


async def test_after_the_grace_another_payment_gives_another(desk: Desk) -> None:
    await desk.pay(at=NOW + 59 * MINUTE)
    again = NOW + 59 * MINUTE + GRACE + SECOND
    answer = await desk.pay(at=again)
    assert (answer.outcome, answer.grace_until) == (PAID, again + GRACE)
    assert await desk.due(again + GRACE) == eur("0.00")


@pytest.mark.parametrize("at", [NOW + 40 * MINUTE, NOW + 50 * MINUTE], ids=["within", "after"])
async def test_a_payment_of_nothing_due_does_not_prolong_the_grace(
    desk: Desk, at: datetime
) -> None:
    first = await desk.pay()
    answer = await desk.pay(amount="0.01", at=at)
    assert (answer.outcome, answer.counted) == (PAID, True)
    assert answer.grace_until == first.grace_until


async def test_within_the_free_minutes_there_is_nothing_to_be_gained(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    config = by_blocks(**free_minutes("threshold"))
    gate = await postgres_bench.gate(make_site(tariffs=[Tariff(config=config, free_minutes=10)]))
    there = Desk(postgres_bench, owner_of, gate, await gate.admitted(PLATE))
    answer = await there.pay(amount="0.01", at=NOW + 10 * MINUTE)
    assert (answer.outcome, answer.grace_until) == (PAID, None)
    assert await there.due(NOW + 11 * MINUTE) == eur("2.49")


async def test_the_grace_is_as_long_as_the_facility_says(desk: Desk) -> None:
    await set_up(desk.owner, desk.gate.site.id, grace_minutes_exit=0)
    paid_at = NOW + HOUR
    answer = await desk.pay(at=paid_at)
    assert answer.grace_until == paid_at
    assert await desk.due(paid_at) == eur("0.00")
    assert await desk.due(paid_at + SECOND) == eur("2.50")


async def test_a_payment_dated_before_the_entry_counts_from_the_entry(desk: Desk) -> None:
    """A clock that lies: a stay of no length costs nothing, so no grace begins."""
    answer = await desk.pay(at=NOW - HOUR)
    assert (answer.outcome, answer.counted, answer.grace_until) == (PAID, True, None)
    assert await desk.due(NOW + HOUR) == eur("0.00")


async def test_what_a_stay_costs_is_told_of_the_facilitys_own_alone(desk: Desk) -> None:
    """As the web shop asks, which calls the function by itself."""
    other = await desk.bench.gate()
    quote = (
        "SELECT amount::text || ' ' || due::text"
        " FROM gate.charge_stay_v1($1, $2, $3, $3::timestamptz + interval '90 minutes')"
    )
    await desk.pay(amount="1.00")
    assert await desk.owner.fetchval(quote, desk.gate.site.id, desk.stay, NOW) == "5.00 4.0000"
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await desk.owner.fetchval(quote, other.site.id, desk.stay, NOW)
    assert str(translated(refusal.value, "quote")).startswith("quote: unknown booking: ")


# ── refunds ─────────────────────────────────────────────────────────────────────────────────


async def test_a_part_is_given_back_and_then_the_rest(desk: Desk) -> None:
    told = payment()
    await desk.pay(told)
    for amount, refunded, status in (("1.00", "1.00", "COMPLETED"), ("1.50", "2.50", "REFUNDED")):
        assert await desk.refund(told.id, amount) is RefundOutcome.REFUNDED
        row = await desk.owner.fetchrow(
            "SELECT status::text, refunded FROM payments WHERE id = $1", told.id
        )
        assert row is not None
        assert tuple(row) == (status, Decimal(refunded))
    before = await desk.written()
    assert await desk.refund(told.id, "0.01") is RefundOutcome.AMOUNT_INVALID, "nothing is left"
    assert await desk.written() == before
    assert await desk.due(NOW + 31 * MINUTE) == eur("2.50")
    assert await drifts(desk.owner, desk.gate.site.id) == []


@pytest.mark.parametrize("amount", ["2.51", "0", "-1", "0.001", "NaN", "Infinity"])
async def test_an_amount_that_cannot_be_given_back(desk: Desk, amount: str) -> None:
    told = payment()
    await desk.pay(told)
    before = await desk.written()
    assert await desk.refund(told.id, amount) is RefundOutcome.AMOUNT_INVALID
    assert await desk.written() == before


@pytest.mark.parametrize("by", ["id", "transaction", "both"])
async def test_a_refund_told_twice_counts_once(desk: Desk, by: str) -> None:
    told, refund, txn = payment(), uuid4(), f"re-{uuid4()}"
    await desk.pay(told)
    await desk.refund(told.id, "1.00", refund=refund, txn=txn)
    before = await desk.written()
    again = await desk.refund(
        told.id,
        "1.00",
        refund=uuid4() if by == "transaction" else refund,
        txn=None if by == "id" else txn,
    )
    assert again is RefundOutcome.REFUNDED
    assert await desk.written() == before


async def test_a_refund_told_many_times_at_once_counts_once(desk: Desk) -> None:
    told, refund = payment(), uuid4()
    await desk.pay(told)
    outcomes = await asyncio.gather(
        *(desk.refund(told.id, "1.00", refund=refund) for _ in range(8))
    )
    assert set(outcomes) == {RefundOutcome.REFUNDED}
    assert await desk.due(NOW + 31 * MINUTE) == eur("1.00")


async def test_refunds_at_once_give_back_no_more_than_was_paid(desk: Desk) -> None:
    told = payment()
    await desk.pay(told)
    outcomes = await asyncio.gather(*(desk.refund(told.id, "1.00") for _ in range(8)))
    assert Counter(outcomes) == {RefundOutcome.REFUNDED: 2, RefundOutcome.AMOUNT_INVALID: 6}
    assert await drifts(desk.owner, desk.gate.site.id) == []


async def test_a_refund_within_the_grace_ends_it(desk: Desk) -> None:
    paid_at = NOW + 59 * MINUTE
    told = payment(at=paid_at)
    await desk.pay(told)
    later = paid_at + 2 * MINUTE
    await desk.refund(told.id, "0.50", at=later)
    row = await desk.booking()
    assert (row["paid_at"], row["grace_until"]) == (None, None)
    assert await desk.due(later) == eur("3.00"), "the second hour has begun"
    answer = await desk.pay(amount="3.00", at=later)
    assert (answer.outcome, answer.grace_until) == (PAID, later + GRACE)


async def test_a_refund_of_what_was_paid_too_much_leaves_the_grace(desk: Desk) -> None:
    told = payment("3.00")
    first = await desk.pay(told)
    await desk.refund(told.id, "0.50")
    assert (await desk.booking())["grace_until"] == first.grace_until
    assert await desk.due(told.at + GRACE) == eur("0.00")


async def test_after_the_stay_a_refund_makes_a_debt(desk: Desk) -> None:
    told = payment()
    await desk.pay(told)
    await desk.leave(NOW + 40 * MINUTE)
    assert await desk.refund(told.id, "2.00", at=NOW + 2 * HOUR) is RefundOutcome.REFUNDED
    answer = await desk.pay(amount="2.00", at=NOW + 3 * HOUR, ticket=await desk.ticket())
    assert (answer.outcome, answer.paid, answer.due) == (PAID, eur("2.50"), eur("0.00"))


async def test_what_was_paid_for_a_cancelled_reservation_can_be_given_back(desk: Desk) -> None:
    booking = await reserved(desk, "LATER1")
    told = payment(plate="LATER1")
    assert (await desk.pay(told)).booking == booking
    await desk.bench.postgres.cancel_booking(desk.gate.site.id, booking, "x", NOW)
    assert await desk.refund(told.id, "2.50") is RefundOutcome.REFUNDED


@pytest.mark.parametrize(
    "what", ["unknown", "of another facility", "pending", "failed", "of no booking"]
)
async def test_what_was_not_paid_here_is_not_given_back(desk: Desk, what: str) -> None:
    told, facility = payment(), desk.gate.site.id
    match what:
        case "of another facility":
            await desk.pay(told)
            facility = (await desk.bench.gate()).site.id
        case "pending" | "failed":
            await desk.owner.execute(
                "INSERT INTO payments (id, amount, currency, provider, status, booking_id)"
                " VALUES ($1, 9, 'EUR', 'CARD', $2::text::payment_status, $3)",
                told.id,
                what.upper(),
                desk.stay,
            )
        case "of no booking":
            await desk.owner.execute(
                "INSERT INTO payments (id, amount, currency, provider, status)"
                " VALUES ($1, 9, 'EUR', 'CARD', 'COMPLETED')",
                told.id,
            )
        case _:
            assert what == "unknown"
    before = await desk.written()
    outcome = await desk.bench.postgres.refund(facility, told.id, uuid4(), Decimal(1), "x", NOW)
    assert outcome is RefundOutcome.PAYMENT_UNKNOWN
    assert await desk.written() == before


async def test_a_payment_and_its_refund_at_once_leave_one_truth(desk: Desk) -> None:
    """Whichever comes first, what is due is what was paid less what was given back."""
    told = payment()
    await desk.pay(told)
    answers = await asyncio.gather(desk.pay(amount="1.00"), desk.refund(told.id, "1.00"))
    assert answers[1] is RefundOutcome.REFUNDED
    assert await desk.due(NOW + 31 * MINUTE) == eur("0.00")
