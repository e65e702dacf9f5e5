"""What stays owe whose vehicles left unpaid: who sees it, and how it is paid."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from gated.core.ids import StayId
from gated.core.money import Money
from gated.db.bookings import Payment, RefundOutcome
from gated.records import PaymentOutcome
from tests.db.desk import HOUR, PLATE, Desk
from tests.db.site import NOW

PAID_AT = NOW + 5 * HOUR


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def payment(amount: str, **changes: object) -> Payment:
    paid = Payment(uuid4(), Decimal(amount), "EUR", "CARD", PAID_AT)
    return replace(paid, **changes)  # type: ignore[arg-type]


async def owing(desk: Desk) -> tuple[StayId, str]:
    """A stay that left with 5 EUR unpaid, and its ticket."""
    stay = await desk.inside()
    await desk.leaves()
    return stay, (await desk.booking(stay))["ticket_number"]


async def test_a_debt_is_listed_with_what_was_paid_of_it(desk: Desk) -> None:
    stay, ticket = await owing(desk)
    (debt,) = await desk.store.debts(desk.id, NOW - HOUR)
    assert (debt.stay, debt.ticket, debt.plate) == (stay, ticket, PLATE)
    assert (debt.price, debt.paid, debt.due) == (eur("5"), eur("0"), eur("5"))
    answer = await desk.store.record_payment(desk.id, payment("2", ticket=ticket))
    assert (answer.outcome, answer.due) == (PaymentOutcome.PART_PAID, eur("3"))
    (debt,) = await desk.store.debts(desk.id, NOW - HOUR)
    assert (debt.paid, debt.due) == (eur("2"), eur("3"))


async def test_a_payment_for_an_ended_stay_counts_and_the_debt_is_gone(desk: Desk) -> None:
    stay, ticket = await owing(desk)
    paid = payment("5", ticket=ticket)
    answer = await desk.store.record_payment(desk.id, paid)
    assert (answer.outcome, answer.counted, answer.booking) == (PaymentOutcome.PAID, True, stay)
    assert (await desk.store.record_payment(desk.id, paid)).counted is False
    assert list(await desk.store.debts(desk.id, NOW - HOUR)) == []
    row = await desk.booking(stay)
    assert (row["final_price"], row["payment_id"]) == (5, paid.id)
    assert row["grace_until"] is None, "there is nobody to leave any more"


async def test_what_is_given_back_is_owed_again(desk: Desk) -> None:
    _, ticket = await owing(desk)
    paid = payment("5", ticket=ticket)
    await desk.store.record_payment(desk.id, paid)
    outcome = await desk.store.refund(
        desk.id, paid.id, uuid4(), Decimal(1), "charged back", PAID_AT
    )
    assert outcome is RefundOutcome.REFUNDED
    (debt,) = await desk.store.debts(desk.id, NOW - HOUR)
    assert debt.due == eur("1")


async def test_by_plate_the_stay_that_lasts_comes_before_the_debt(desk: Desk) -> None:
    old, _ = await owing(desk)
    new = await desk.inside(at=NOW + 3 * HOUR)
    answer = await desk.store.record_payment(desk.id, payment("2", plate="b-ab 123"))
    assert answer.booking == new
    await desk.leaves(at=NOW + 4 * HOUR)
    answer = await desk.store.record_payment(desk.id, payment("5", plate="b-ab 123"))
    assert (answer.booking, answer.outcome) == (old, PaymentOutcome.PAID), "the oldest debt"


async def test_who_owes_nothing_is_nobody_to_pay_for(desk: Desk) -> None:
    stay = await desk.inside()
    await desk.leaves(at=NOW)
    assert (await desk.booking(stay))["final_price"] == 0
    answer = await desk.store.record_payment(desk.id, payment("5", plate=PLATE))
    assert answer.outcome is PaymentOutcome.BOOKING_UNKNOWN


async def test_debts_are_those_of_the_facility_and_of_the_time_asked_for(desk: Desk) -> None:
    await owing(desk)
    other = await desk.bench.gate()
    assert list(await desk.store.debts(other.site.id, NOW - HOUR)) == []
    assert list(await desk.store.debts(desk.id, NOW + HOUR)) == []
    assert len(await desk.store.debts(desk.id, NOW - HOUR, limit=0)) == 0


async def test_the_back_office_reads_debts_by_the_view(desk: Desk) -> None:
    stay, _ = await owing(desk)
    for role in ("gated_reader", "gated_daemon"):
        async with desk.owner.transaction():
            await desk.owner.execute(f"SET LOCAL ROLE {role}")
            due = await desk.owner.fetchval(
                "SELECT due FROM gate.debts WHERE booking_id = $1", stay
            )
        assert due == 5
