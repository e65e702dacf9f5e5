"""Payments of terminals, from the inbox to the answer: each is answered, and none counts twice."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

from gated.actors.payments import WHY
from gated.core.effects import Outcome
from gated.core.errors import StoreError
from gated.core.ids import EventId, FacilityId, Fence
from gated.core.reasons import GrantReason
from gated.core.site import LanePolicy, UnpaidExit
from gated.records import (
    EventStatus,
    PaymentOutcome,
    PaymentTaken,
    PaymentTakenAnswer,
)
from tests.actors.conftest import Events, Until
from tests.actors.support import Place
from tests.actors.test_facility import Running, stays, unsettled
from tests.fakes.store import Stay

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

# It would look by itself only when the test is long over.
WAITS = LanePolicy(unpaid_exit=UnpaidExit.WAIT, payment_look_seconds=9e6)


async def inside(place: Place, until: Until) -> Stay:
    """A vehicle comes in, and stays half an hour: that costs 2.50."""
    place.vehicle("entry")
    await until(lambda: place.opened("entry") == 1)
    place.passes("entry")
    await until(lambda: stays(place)[0].entry_known is not None)
    await asyncio.sleep(1800)
    return stays(place)[0]


def answers(place: Place) -> list[tuple[str | int, str]]:
    return [(payment, word) for payment, word, _ in place.shown.payments]


def words(log_events: Events) -> list[tuple[object, object]]:
    return [
        (one["event"], one["outcome"])
        for one in log_events
        if one["event"] in ("payment.taken", "payment.refused")
    ]


async def test_money_that_counts_is_answered_with_what_is_due(until: Until) -> None:
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
        place.pay(stay.ticket, "1.00", id="a", provider_txn_id="t1")
        await until(lambda: len(place.shown.payments) == 1)
        place.pay(stay.ticket, "1.50", id="b", provider_txn_id="t2")
        await until(lambda: len(place.shown.payments) == 2)
    (_, _, part), (_, _, rest) = place.shown.payments
    assert answers(place) == [("a", "part_paid"), ("b", "paid")]
    assert part is not None
    assert rest is not None
    assert (part.ticket, str(part.due), part.grace_until) == (stay.ticket, "1.50 EUR", None)
    assert (rest.ticket, str(rest.due)) == (stay.ticket, "0.00 EUR")
    assert rest.grace_until is not None


async def test_nothing_is_answered_before_it_is_committed(until: Until) -> None:
    """And while the database is away, the answer waits for it."""
    place = Place(policy=WAITS)
    away = False

    async def before(name: str) -> None:
        if away and name == "take_payment":
            raise StoreError("away", retryable=True)

    place.store.before = before
    async with Running(place):
        stay = await inside(place, until)
        place.vehicle("exit")
        await until(lambda: len(place.rows.asked) == 1)
        away = True
        place.pay(stay.ticket, "2.50", id=7)
        await until(lambda: len(unsettled(place)) == 2)
        await asyncio.sleep(60)
        place.pay(stay.ticket, "2.50", id=7)  # nobody answers: it asks once more
        await asyncio.sleep(60)
        assert (place.shown.payments, place.opened("exit")) == ([], 0)
        away = False
        await until(lambda: place.opened("exit") == 1)
        await until(lambda: answers(place) == [(7, "paid")])
    assert place.rows.paid == {stay.id: Decimal("2.50")}


async def test_an_answer_of_the_database_that_was_lost_is_found_out(until: Until) -> None:
    place = Place(policy=WAITS)
    take_payment = place.store.take_payment

    async def commits_and_breaks(
        facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> PaymentTakenAnswer:
        await take_payment(facility, fence, event, payment)
        place.store.take_payment = take_payment  # type: ignore[method-assign]
        raise StoreError("connection lost", retryable=True)

    async with Running(place):
        stay = await inside(place, until)
        place.store.take_payment = commits_and_breaks  # type: ignore[method-assign]
        place.pay(stay.ticket, "2.50", id=7)
        await until(lambda: answers(place) == [(7, "paid")])
    assert place.rows.paid == {stay.id: Decimal("2.50")}


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ({"ticket": "NOBODYS"}, "booking_unknown"),
        ({"currency": "SEK"}, "currency_mismatch"),
        ({"amount": "0"}, "amount_invalid"),
        ({"amount": "0.001"}, "amount_invalid"),
    ],
)
async def test_money_for_nothing_is_answered_by_name_and_opens_nothing(
    until: Until, log_events: Events, says: dict[str, str], error: str
) -> None:
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
        place.vehicle("exit")
        await until(lambda: len(place.rows.asked) == 1)
        said = {"ticket": stay.ticket, "amount": "2.50", "id": "a", **says}
        place.pay(**said)  # type: ignore[arg-type]
        await until(lambda: answers(place) == [("a", error)])
        await asyncio.sleep(10)
        assert (place.opened("exit"), place.rows.paid) == (0, {})
    assert words(log_events) == [("payment.refused", error)]
    event = next(e for e in place.rows.events.values() if e.row.kind == "payment")
    assert (event.status, event.outcome, event.error) == (
        EventStatus.DONE,
        Outcome.REFUSED,
        error,
    )


async def test_the_same_message_is_answered_again_and_counts_once(
    until: Until, log_events: Events
) -> None:
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
        for _ in range(2):
            place.pay(stay.ticket, "1.00", id=7)
            place.pay("NOBODYS", "1.00", id="x")
        await until(lambda: len(place.shown.payments) == 4)
    assert Counter(answers(place)) == {(7, "part_paid"): 2, ("x", "booking_unknown"): 2}
    assert place.rows.paid == {stay.id: Decimal("1.00")}
    assert sorted(words(log_events)) == [
        ("payment.refused", "booking_unknown"),
        ("payment.taken", "part_paid"),
    ]


async def test_the_same_payment_in_another_message_counts_once_and_says_so(
    until: Until, log_events: Events
) -> None:
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
        place.pay(stay.ticket, "1.00", id="a", provider_txn_id="t1")
        await until(lambda: len(place.shown.payments) == 1)
        place.pay(stay.ticket, "1.00", id="b", provider_txn_id="t1")
        await until(lambda: len(place.shown.payments) == 2)
    assert answers(place) == [("a", "part_paid"), ("b", "told_before")]
    assert place.rows.paid == {stay.id: Decimal("1.00")}
    assert words(log_events) == [
        ("payment.taken", "part_paid"),
        ("payment.taken", "told_before"),
    ]
    outcomes = [e.outcome for e in place.rows.events.values() if e.row.kind == "payment"]
    assert outcomes == [Outcome.DECIDED, Outcome.TOLD_BEFORE]


async def test_a_number_that_was_used_before_is_no_receipt_for_other_money(
    until: Until, log_events: Events
) -> None:
    """Two terminals of a facility that count alike: neither gets the other's answer."""
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
        place.pay(stay.ticket, "1.00", id=7, provider_txn_id="t1")
        await until(lambda: len(place.shown.payments) == 1)
        place.pay(stay.ticket, "1.00", id=7, provider_txn_id="t2")
        await until(lambda: len(place.shown.payments) == 2)
    assert answers(place) == [(7, "part_paid"), (7, "told_differently")]
    assert place.rows.paid == {stay.id: Decimal("1.00")}
    assert words(log_events)[1:] == [("payment.refused", "told_differently")]


async def test_what_cannot_be_understood_is_answered_by_its_id(until: Until) -> None:
    """Each time that it is told: whoever hears nothing tells it again."""
    place = Place()
    async with Running(place):
        for _ in range(2):
            place.pay("T1", "two", id="x")
        place.pay("T1", "two", id="two words")
        await until(lambda: len(place.acknowledged) == 3)
        await asyncio.sleep(1)
    assert answers(place) == [("x", "bad_request")] * 2
    assert {e.status for e in place.rows.events.values()} == {EventStatus.QUARANTINED}


async def test_a_payment_that_the_database_cannot_take_is_answered_as_failed(
    until: Until, log_events: Events
) -> None:
    place = Place(policy=WAITS)
    broken = True

    async def before(name: str) -> None:
        if broken and name == "take_payment":
            raise StoreError("no pricing rule in force", retryable=False)

    place.store.before = before
    async with Running(place):
        stay = await inside(place, until)
        place.pay(stay.ticket, "1.00", id="a", provider_txn_id="t1")
        await until(lambda: answers(place) == [("a", "failed")])
        # Settled before it was answered: after a crash it would count for all that.
        assert unsettled(place) == []
        broken = False
        place.pay(stay.ticket, "1.00", id="a", provider_txn_id="t1")
        await until(lambda: answers(place)[1:] == [("a", "failed")])
        assert place.rows.paid == {}, "its machine has given it back"
        place.pay(stay.ticket, "1.00", id="b", provider_txn_id="t1")
        await until(lambda: answers(place)[2:] == [("b", "part_paid")])
    labels = {"facility": "north", "outcome": "failed"}
    registry = place.metrics.registry
    assert registry.get_sample_value("gated_payments_total", labels) == 1
    assert ("payment.refused", "failed") in words(log_events)
    failed = [one for one in log_events if one["event"] == "payment.failed"]
    assert [(one["ticket"], one["error"]) for one in failed] == [
        (stay.ticket, "no pricing rule in force")
    ]


async def test_money_that_counted_is_not_answered_as_failed(until: Until) -> None:
    """The first answer of the database was lost; when asked again it can do nothing any more."""
    place = Place(policy=WAITS)
    take_payment, calls = place.store.take_payment, 0

    async def commits_and_breaks(
        facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> PaymentTakenAnswer:
        nonlocal calls
        calls += 1
        if calls == 1:
            await take_payment(facility, fence, event, payment)
        raise StoreError("connection lost", retryable=calls == 1)

    async with Running(place):
        stay = await inside(place, until)
        place.store.take_payment = commits_and_breaks  # type: ignore[method-assign]
        place.vehicle("exit")
        await until(lambda: len(place.rows.asked) == 1)
        place.pay(stay.ticket, "2.50", id=7)
        await until(lambda: answers(place) == [(7, "paid")])
        await until(lambda: place.opened("exit") == 1)
    assert place.rows.paid == {stay.id: Decimal("2.50")}


async def test_what_a_crash_left_behind_counts_and_is_answered(until: Until) -> None:
    place = Place(policy=WAITS)
    async with Running(place):
        stay = await inside(place, until)
    row = place.payment_row(stay.ticket)
    await place.store.append_events(place.setup.id, place.fence, [row])
    later = Place(store=place.store, rows=place.rows, policy=WAITS)
    async with Running(later):
        await until(lambda: answers(later) == [(f"pay-{stay.ticket}", "part_paid")])
        # Of what was committed and not answered before a crash, its terminal asks once more.
        await until(lambda: unsettled(later) == [])
        later.pay(stay.ticket, "1.00", id=stay.ticket, provider_txn_id=f"txn-{stay.ticket}")
        await until(lambda: len(later.shown.payments) == 2)
    assert place.rows.paid == {stay.id: Decimal("1.00")}


def break_once(place: Place, name: str) -> None:
    """The next call of it fails for no reason that is known, and takes the facility down."""
    call = getattr(place.store, name)

    async def breaks(*arguments: object) -> object:
        setattr(place.store, name, call)
        raise ValueError("a bug")

    setattr(place.store, name, breaks)


async def test_who_is_asked_when_the_facility_breaks_down_may_pay_afterwards(until: Until) -> None:
    place = Place(policy=WAITS)
    async with Running(place) as running:
        stay = await inside(place, until)
        place.vehicle("exit")
        await until(lambda: place.shown.lanes[-1] == ("exit", "awaiting_payment"))
        await asyncio.sleep(60)
        break_once(place, "note_lane")
        place.say("exit", f"button on at={place.clock.monotonic()} id=help")
        await until(lambda: running.restarts["facility/north"] == 1)
        await until(lambda: place.shown.lanes[-1] == ("exit", "awaiting_payment"))
        await asyncio.sleep(60)
        assert place.opened("exit") == 0
        place.pay(stay.ticket, "5.00")
        await until(lambda: place.opened("exit") == 1)
    (_, decision) = place.rows.decisions.values()
    assert (decision.reason, decision.stay) == (GrantReason.STAY_OPEN, stay.id)


async def test_money_that_a_crash_left_behind_opens(until: Until) -> None:
    """Stored, and not counted: it is told of after the restart, and opens by that."""
    place = Place(policy=WAITS)
    async with Running(place) as running:
        stay = await inside(place, until)
        place.vehicle("exit")
        await until(lambda: place.shown.lanes[-1] == ("exit", "awaiting_payment"))
        break_once(place, "take_payment")
        place.pay(stay.ticket, "5.00")
        await until(lambda: place.opened("exit") == 1)
        assert running.restarts["facility/north"] == 1


async def test_a_retained_payment_is_dropped_and_not_answered() -> None:
    place = Place()
    async with Running(place):
        place.pay("T1", "1.00", retain=True)
        place.pay("T1", "two", retain=True)
        await asyncio.sleep(1)
    assert place.shown.payments == []
    assert {event.status for event in place.rows.events.values()} == {
        EventStatus.DROPPED,
        EventStatus.QUARANTINED,
    }


@pytest.mark.parametrize("word", list(PaymentOutcome))
def test_money_counts_or_it_has_a_reason(word: PaymentOutcome) -> None:
    assert (word in WHY) is not word.counted
