"""Decisions, on every store: each outcome, what stands afterwards, and the repeated call."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from gated.core.effects import Do, PassageKnown
from gated.core.errors import FencedOut, StoreError
from gated.core.events import CommandStatus
from gated.core.ids import CommandId, EventId, Fence, StayId
from gated.core.money import Money
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import AskedPayment, Matched, PendingPassage
from gated.core.wording import Wording
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    AskRequest,
    PaymentOutcome,
    PaymentTaken,
    PaymentTakenAnswer,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
    ZoneCount,
)
from tests.db.site import NOW, Gate, Tariff, make_site
from tests.db.stores import Bench

EUR = "EUR"
PLATE = Plate("BAB123")
HOUR = timedelta(hours=1)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), EUR)


# ── admissions ──────────────────────────────────────────────────────────────────────────────


async def test_a_vehicle_gets_the_lowest_free_spot_in_natural_order(bench: Bench) -> None:
    gate = await bench.gate(make_site([["A-10", "A-2", "A-1"]]))
    spots, left = [], []
    for plate in ("A1", "B1", "C1"):
        answer = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(plate))
        assert answer.outcome is AdmitOutcome.ADMITTED
        assert answer.ticket
        spots.append(answer.spot_number)
        left.append(answer.available)
    assert spots == ["A-1", "A-2", "A-10"]
    assert left == [2, 1, 0]


async def test_a_spot_given_back_is_the_lowest_again(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3"]]))
    first = await gate.admitted("A1")
    await gate.admitted("B1")
    await bench.store.release(gate.site.id, gate.fence, await gate.departure(first, "A1"))
    answer = await bench.store.admit(
        gate.site.id, gate.fence, await gate.entry("C1", at=NOW + 2 * HOUR)
    )
    assert answer.spot_number == "1"


async def test_an_admission_opens_a_stay_and_a_command(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry()
    answer = await bench.store.admit(gate.site.id, gate.fence, request)
    assert answer.stay == request.stay
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.ENTRY, NOW)
    stay = snapshot.open_stay
    assert stay is not None
    assert (stay.id, stay.entry_at, stay.zone) == (request.stay, NOW, request.zone)
    assert (stay.spot, stay.spot_number, stay.ticket) == (
        answer.spot,
        answer.spot_number,
        answer.ticket,
    )
    assert not stay.released
    assert snapshot.price is None, "an entry needs none"
    assert list(await bench.store.accepted_commands(gate.site.id)) == [request.command]
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []
    assert await bench.store.zone_count(request.zone) == ZoneCount(3, 1, 0)


async def test_a_full_zone_leaves_the_event_to_the_next_one(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"], ["2"]]))
    await gate.admitted("A1")
    request = await gate.entry("B1")
    full = await bench.store.admit(gate.site.id, gate.fence, request)
    assert (full.outcome, full.available, full.stay) == (AdmitOutcome.ZONE_FULL, 0, None)
    assert [row.id for row in await bench.store.pending_events(gate.site.id, 9)] == [request.event]
    second = replace(request, zone=gate.site.setup.zones[1].id)
    answer = await bench.store.admit(gate.site.id, gate.fence, second)
    assert (answer.outcome, answer.spot_number) == (AdmitOutcome.ADMITTED, "2")


async def test_a_vehicle_that_is_inside_does_not_come_in_again(bench: Bench) -> None:
    gate = await bench.gate()
    first = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, first)
    elsewhere = await gate.entry(lane=gate.site.entry_two)
    answer = await bench.store.admit(gate.site.id, gate.fence, elsewhere)
    assert (answer.outcome, answer.available) == (AdmitOutcome.ALREADY_INSIDE, 2)
    await bench.store.complete_passage(
        gate.site.id, gate.fence, first.stay, first.lane, PassageKnown.MEASURED, NOW, first.event
    )
    again = await gate.entry()
    answer = await bench.store.admit(gate.site.id, gate.fence, again)
    assert answer.outcome is AdmitOutcome.ALREADY_INSIDE
    pending = await bench.store.pending_events(gate.site.id, 9)
    assert [row.id for row in pending] == [elsewhere.event, again.event]
    assert len(await bench.store.accepted_commands(gate.site.id)) == 1


async def test_a_vehicle_that_still_stands_at_its_lane_keeps_its_stay(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"], ["3"]]))
    first = await gate.entry()
    stands = await bench.store.admit(gate.site.id, gate.fence, first)
    again = await gate.entry(zone=gate.site.setup.zones[1].id, at=NOW + timedelta(seconds=8))
    answer = await bench.store.admit(gate.site.id, gate.fence, again)
    assert answer == stands
    assert list(await bench.store.accepted_commands(gate.site.id)) == [
        first.command,
        replace(again.command, stay=first.stay),
    ]
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1
    assert await bench.store.admit(gate.site.id, gate.fence, again) == stands, "repeated"


# ── let in at one entry, and gone to another ────────────────────────────────────────────────


async def gone_elsewhere(
    bench: Bench, gate: Gate, *, seconds: float = 4
) -> tuple[AdmitRequest, AdmitRequest, AdmitAnswer]:
    """Let in at one entry and backed out of it: both requests, and the answer at the other."""
    first = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, first)
    second = await gate.entry(lane=gate.site.entry_two, at=NOW + timedelta(seconds=seconds))
    second = replace(second, vacated=first.lane)
    return first, second, await bench.store.admit(gate.site.id, gate.fence, second)


async def test_who_backed_out_of_one_entry_is_let_in_at_another_with_the_same_stay(
    bench: Bench,
) -> None:
    gate = await bench.gate()
    first, second, answer = await gone_elsewhere(bench, gate)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, first.stay)
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1
    # Nothing more goes to the lane that it has left.
    assert list(await bench.store.accepted_commands(gate.site.id)) == [
        replace(second.command, stay=first.stay)
    ]
    assert await bench.store.admit(gate.site.id, gate.fence, second) == answer, "repeated"
    (pending,) = await bench.store.pending_passages(gate.site.id, NOW - timedelta(hours=1))
    assert (pending.lane, pending.stay) == (second.lane, first.stay)


async def test_the_lane_that_it_has_left_neither_undoes_nor_completes_its_stay(
    bench: Bench,
) -> None:
    gate = await bench.gate()
    first, second, _ = await gone_elsewhere(bench, gate)
    later = NOW + timedelta(seconds=6)

    async def undone(request: AdmitRequest) -> int | None:
        return await bench.store.cancel_admission(
            gate.site.id, gate.fence, first.stay, request.lane, "no_passage", later, request.event
        )

    assert await undone(first) is None
    await bench.store.complete_passage(
        gate.site.id, gate.fence, first.stay, first.lane, PassageKnown.MEASURED, later, first.event
    )
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1
    # It stands at the second one still, and may turn back there.
    assert await undone(second) == 3
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 0


async def test_whose_passage_was_seen_is_not_let_in_at_another_entry(bench: Bench) -> None:
    gate = await bench.gate()
    first = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, first)
    await bench.store.complete_passage(
        gate.site.id, gate.fence, first.stay, first.lane, PassageKnown.MEASURED, NOW, first.event
    )
    elsewhere = replace(await gate.entry(lane=gate.site.entry_two), vacated=first.lane)
    answer = await bench.store.admit(gate.site.id, gate.fence, elsewhere)
    assert answer.outcome is AdmitOutcome.ALREADY_INSIDE


async def test_after_a_quarter_of_an_hour_it_is_not_the_same_vehicle_there_either(
    bench: Bench,
) -> None:
    gate = await bench.gate()
    *_, answer = await gone_elsewhere(bench, gate, seconds=15 * 60)
    assert answer.outcome is AdmitOutcome.ALREADY_INSIDE


async def test_after_a_quarter_of_an_hour_it_is_not_the_same_vehicle(bench: Bench) -> None:
    gate = await bench.gate()
    await gate.admitted()
    for minutes, outcome in ((14, AdmitOutcome.ADMITTED), (15, AdmitOutcome.ALREADY_INSIDE)):
        request = await gate.entry(at=NOW + timedelta(minutes=minutes))
        answer = await bench.store.admit(gate.site.id, gate.fence, request)
        assert answer.outcome is outcome


async def test_the_same_request_gets_the_same_answer(bench: Bench) -> None:
    """As after a lost answer: the second call finds what the first one did."""
    gate = await bench.gate()
    request = await gate.entry()
    first = await bench.store.admit(gate.site.id, gate.fence, request)
    assert await bench.store.admit(gate.site.id, gate.fence, request) == first
    assert (await bench.store.zone_count(request.zone)).occupied == 1
    assert len(await bench.store.accepted_commands(gate.site.id)) == 1


async def test_an_event_is_decided_once(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, request)
    replayed = replace(
        request,
        stay=StayId(uuid4()),
        command=replace(request.command, id=CommandId(uuid4())),
    )
    answer = await bench.store.admit(gate.site.id, gate.fence, replayed)
    assert (answer.outcome, answer.available) == (AdmitOutcome.EVENT_DONE, 2)
    assert answer.stay is None
    assert (await bench.store.zone_count(request.zone)).occupied == 1


async def test_an_event_that_was_never_stored_cannot_be_decided(bench: Bench) -> None:
    gate = await bench.gate()
    request = replace(await gate.entry(), event=EventId(uuid4()))
    with pytest.raises(StoreError) as refused:
        await bench.store.admit(gate.site.id, gate.fence, request)
    assert not refused.value.retryable


async def test_an_event_that_waited_for_weeks_can_be_decided(bench: Bench) -> None:
    gate = await bench.gate()
    request = replace(await gate.entry(at=NOW - timedelta(days=20)), at=NOW)
    answer = await bench.store.admit(gate.site.id, gate.fence, request)
    assert answer.outcome is AdmitOutcome.ADMITTED
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []


async def test_one_plate_may_stay_at_two_facilities(bench: Bench) -> None:
    one, two = await bench.gate(), await bench.gate()
    await one.admitted("SAME1")
    await two.admitted("SAME1")


# ── releases ────────────────────────────────────────────────────────────────────────────────


async def test_a_release_prices_the_stay_and_frees_its_spot(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    request = await gate.departure(stay)
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, request.at)
    assert snapshot.price == eur("5.00")
    answer = await bench.store.release(gate.site.id, gate.fence, request)
    assert answer == ReleaseAnswer(
        ReleaseOutcome.RELEASED, gate.site.zone, 3, "A-1", eur("5.00"), due=eur("5.00")
    )
    waiting = await bench.store.accepted_commands(gate.site.id)
    assert waiting[-1] == replace(request.command, price=eur("5.00"))
    assert await bench.store.zone_count(gate.site.zone) == ZoneCount(3, 0, 0)
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []
    assert await bench.store.release(gate.site.id, gate.fence, request) == answer, "repeated"


async def test_a_vehicle_that_still_stands_at_the_exit_pays_no_more(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    first = await gate.departure(stay, at=NOW + HOUR)
    answer = await bench.store.release(gate.site.id, gate.fence, first)
    assert answer.price == eur("2.50")
    later = NOW + HOUR + timedelta(minutes=14)
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, later)
    assert snapshot.open_stay is not None
    assert snapshot.open_stay.released
    assert snapshot.price == eur("2.50")
    again = await bench.store.release(
        gate.site.id, gate.fence, await gate.departure(stay, at=later)
    )
    assert again == answer
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 0
    entry = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.ENTRY, later)
    assert entry.open_stay is None, "for an entry it has left"


async def test_a_quarter_of_an_hour_after_its_release_a_stay_is_over(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    first = await gate.departure(stay, at=NOW + HOUR)
    await bench.store.release(gate.site.id, gate.fence, first)
    later = NOW + HOUR + timedelta(minutes=15)
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, later)
    assert (snapshot.open_stay, snapshot.price) == (None, None)
    request = await gate.departure(stay, at=later)
    answer = await bench.store.release(gate.site.id, gate.fence, request)
    assert answer == ReleaseAnswer(ReleaseOutcome.NO_OPEN_STAY)


async def test_a_stay_that_passed_is_over(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    first = await gate.departure(stay)
    await bench.store.release(gate.site.id, gate.fence, first)
    for _ in range(2):
        await bench.store.complete_passage(
            gate.site.id, gate.fence, stay, first.lane, PassageKnown.REPORTED, first.at, first.event
        )
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, first.at)
    assert snapshot.open_stay is None
    second = await gate.departure(stay)
    answer = await bench.store.release(gate.site.id, gate.fence, second)
    assert answer == ReleaseAnswer(ReleaseOutcome.NO_OPEN_STAY)
    assert [row.id for row in await bench.store.pending_events(gate.site.id, 9)] == [second.event]


async def test_an_exit_without_an_entry_is_no_open_stay(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.departure(StayId(uuid4()))
    answer = await bench.store.release(gate.site.id, gate.fence, request)
    assert answer == ReleaseAnswer(ReleaseOutcome.NO_OPEN_STAY)


async def test_another_facilitys_stay_is_no_open_stay(bench: Bench) -> None:
    here, there = await bench.gate(), await bench.gate()
    stay = await there.admitted()
    answer = await bench.store.release(here.site.id, here.fence, await here.departure(stay))
    assert answer.outcome is ReleaseOutcome.NO_OPEN_STAY


async def test_a_release_decided_before_is_not_done_again(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    request = await gate.departure(stay)
    await bench.store.release(gate.site.id, gate.fence, request)
    replayed = replace(request, command=replace(request.command, id=CommandId(uuid4())))
    answer = await bench.store.release(gate.site.id, gate.fence, replayed)
    assert answer == ReleaseAnswer(ReleaseOutcome.EVENT_DONE)


async def test_without_a_price_nobody_is_released(bench: Bench) -> None:
    tariff = Tariff(valid_from=NOW + HOUR)
    gate = await bench.gate(make_site(tariffs=[tariff]))
    stay = await gate.admitted()
    request = await gate.departure(stay, at=NOW + 2 * HOUR)
    with pytest.raises(StoreError, match="no pricing rule in force") as refused:
        await bench.store.release(gate.site.id, gate.fence, request)
    assert not refused.value.retryable
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1
    assert [row.id for row in await bench.store.pending_events(gate.site.id, 9)] == [request.event]
    with pytest.raises(StoreError, match="no pricing rule in force"):
        await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, request.at)


async def test_a_stay_cannot_end_before_it_began(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    request = await gate.departure(stay, at=NOW - timedelta(seconds=1))
    with pytest.raises(StoreError, match="negative"):
        await bench.store.release(gate.site.id, gate.fence, request)


# ── denials, passages, cancellations ────────────────────────────────────────────────────────


@pytest.mark.parametrize("show", [True, False])
async def test_a_denial_is_recorded_once(bench: Bench, show: bool) -> None:
    gate = await bench.gate()
    request = await gate.denial(show=show)
    for _ in range(2):  # the same call again finds itself
        assert await bench.store.deny(gate.site.id, gate.fence, request) is True
    waiting = await bench.store.accepted_commands(gate.site.id)
    assert list(waiting) == ([request.command] if show else []), "with its text"
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []
    other = replace(request, at=NOW + HOUR)
    assert await bench.store.deny(gate.site.id, gate.fence, other) is False


def question(gate: Gate, departure: ReleaseRequest, *, show: bool = True) -> AskRequest:
    """The driver at the exit is asked for what is due."""
    return AskRequest(
        event=departure.event,
        lane=departure.lane,
        stay=departure.stay,
        plate=departure.read.plate,
        due=Money(Decimal("5.00"), "EUR"),
        at=departure.at,
        command=replace(departure.command, id=CommandId(uuid4()), do=Do.DENY) if show else None,
    )


@pytest.mark.parametrize("show", [True, False])
async def test_who_is_asked_to_pay_is_still_to_be_decided_on(bench: Bench, show: bool) -> None:
    gate = await bench.gate()
    departure = await gate.departure(await gate.admitted())
    before = [command.id for command in await bench.store.accepted_commands(gate.site.id)]
    asked = question(gate, departure, show=show)
    assert await bench.store.ask_payment(gate.site.id, gate.fence, asked) is True
    if show:  # the same call again finds itself
        assert await bench.store.ask_payment(gate.site.id, gate.fence, asked) is True
    waiting = await bench.store.accepted_commands(gate.site.id)
    shown = [command for command in waiting if command.id not in before]
    assert [(one.do, one.stay) for one in shown] == ([(Do.DENY, departure.stay)] if show else [])
    assert [one.text for one in shown] == ([departure.command.text] if show else [])
    pending = await bench.store.pending_events(gate.site.id, 9)
    assert [row.id for row in pending] == [departure.event]
    released = await bench.store.release(gate.site.id, gate.fence, departure)
    assert released.outcome is ReleaseOutcome.RELEASED
    late = question(gate, departure)
    assert await bench.store.ask_payment(gate.site.id, gate.fence, late) is False


async def test_who_was_asked_to_pay_is_known_until_something_is_decided(bench: Bench) -> None:
    gate = await bench.gate()
    departure = await gate.departure(await gate.admitted())
    store, site, fence = bench.store, gate.site, gate.fence
    assert list(await store.asked_payments(site.id)) == []
    first = question(gate, departure)
    await store.ask_payment(site.id, fence, first)
    rest = Money(Decimal("1.50"), "EUR")
    later = replace(question(gate, departure), due=rest, at=first.at + timedelta(minutes=1))
    await store.ask_payment(site.id, fence, later)
    (stay,) = await store.open_stays(site.id)
    (asked,) = await store.asked_payments(site.id)
    assert asked == AskedPayment(departure.lane, departure.event, stay, rest, first.at)
    await store.release(site.id, fence, departure)
    assert list(await store.asked_payments(site.id)) == []


async def test_nor_is_anybody_whose_stay_has_ended_otherwise(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    departure = await gate.departure(stay)
    await bench.store.ask_payment(gate.site.id, gate.fence, question(gate, departure))
    other = await gate.departure(stay)
    await bench.store.release(gate.site.id, gate.fence, other)
    assert list(await bench.store.asked_payments(gate.site.id)) == []


async def test_the_question_is_in_the_audit_with_what_is_due(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    departure = await gate.departure(await gate.admitted())
    asked = question(gate, departure)
    await postgres_bench.store.ask_payment(gate.site.id, gate.fence, asked)
    details = await postgres_bench.owner_value(
        "SELECT details FROM audit_logs WHERE facility_id = $1 AND action = 'payment.asked'"
        " AND resource_id = $2 AND correlation_id = $3",
        *(gate.site.id, departure.stay, departure.event),
    )
    assert json.loads(details)["due"] == "5.00"
    command = await postgres_bench.owner_value(
        "SELECT price FROM gate.commands WHERE id = $1",
        asked.command.id if asked.command else None,
    )
    assert command == Decimal("5.00")


def terminal(ticket: str, **changes: Any) -> PaymentTaken:
    """A terminal says that 2.50 were paid."""
    told = PaymentTaken(
        1, "payment#1", uuid4(), Decimal("2.50"), "EUR", "CARD", f"txn-{uuid4()}", NOW, NOW, ticket
    )
    return replace(told, **changes)


async def test_a_terminals_payment_counts_once_and_settles_its_message(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    snapshot = await gate.store.plate_snapshot(
        gate.site.id, Plate("BAB123"), Direction.EXIT, NOW + HOUR
    )
    assert snapshot.open_stay is not None
    event = await gate.happened(gate.site.exit, NOW)
    told = terminal(snapshot.open_stay.ticket, at=NOW + HOUR)
    answer = await gate.store.take_payment(gate.site.id, gate.fence, event, told)
    assert answer == PaymentTakenAnswer(
        PaymentOutcome.PAID,
        snapshot.open_stay.ticket,
        Money(Decimal("0.00"), "EUR"),
        grace_until=told.at + timedelta(minutes=15),
    )
    again = await gate.store.take_payment(gate.site.id, gate.fence, event, told)
    assert again == answer
    assert list(await gate.store.pending_events(gate.site.id, 9)) == []
    departure = await gate.departure(stay, at=NOW + HOUR)
    released = await gate.store.release(gate.site.id, gate.fence, departure)
    assert released.due == Money(Decimal("0.00"), "EUR")


@pytest.mark.parametrize(("minutes", "due"), [(15, "0.00"), (16, "2.50")])
async def test_who_has_paid_has_a_grace_and_then_owes_the_difference(
    bench: Bench, minutes: int, due: str
) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    car = Plate("BAB123")
    snapshot = await gate.store.plate_snapshot(gate.site.id, car, Direction.EXIT, NOW + HOUR)
    assert snapshot.open_stay is not None
    event = await gate.happened(gate.site.exit, NOW)
    told = terminal(snapshot.open_stay.ticket, at=NOW + HOUR)
    await gate.store.take_payment(gate.site.id, gate.fence, event, told)
    at = NOW + HOUR + timedelta(minutes=minutes)
    snapshot = await gate.store.plate_snapshot(gate.site.id, car, Direction.EXIT, at)
    assert snapshot.due == Money(Decimal(due), "EUR")
    departure = await gate.departure(stay, at=at)
    released = await gate.store.release(gate.site.id, gate.fence, departure)
    assert released.due == Money(Decimal(due), "EUR")


async def test_money_in_another_currency_does_not_count(bench: Bench) -> None:
    gate = await bench.gate()
    await gate.admitted()
    car = Plate("BAB123")
    before = await gate.store.plate_snapshot(gate.site.id, car, Direction.EXIT, NOW + HOUR)
    assert before.open_stay is not None
    event = await gate.happened(gate.site.exit, NOW)
    told = terminal(before.open_stay.ticket, at=NOW + HOUR, currency="CHF")
    answer = await gate.store.take_payment(gate.site.id, gate.fence, event, told)
    assert answer.outcome is PaymentOutcome.CURRENCY_MISMATCH
    assert list(await gate.store.pending_events(gate.site.id, 9)) == []
    after = await gate.store.plate_snapshot(gate.site.id, car, Direction.EXIT, NOW + HOUR)
    assert after.due == before.due


async def test_money_for_nobody_is_kept_for_the_operator(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    event = await gate.happened(gate.site.exit, NOW)
    answer = await gate.store.take_payment(gate.site.id, gate.fence, event, terminal("NOWHERE"))
    assert answer == PaymentTakenAnswer(PaymentOutcome.BOOKING_UNKNOWN)
    assert list(await gate.store.pending_events(gate.site.id, 9)) == []
    kept = await postgres_bench.owner_value(
        "SELECT details FROM gate.reconciliations WHERE facility_id = $1", gate.site.id
    )
    assert (json.loads(kept)["outcome"], json.loads(kept)["amount"]) == ("booking_unknown", "2.50")
    with pytest.raises(FencedOut):
        await gate.store.take_payment(
            gate.site.id, Fence(gate.fence + 1), event, terminal("NOWHERE")
        )


async def test_a_denial_needs_no_plate(bench: Bench) -> None:
    gate = await bench.gate()
    request = replace(await gate.denial(show=False), read=None)
    assert await bench.store.deny(gate.site.id, gate.fence, request) is True


async def test_a_decided_event_is_not_denied(bench: Bench) -> None:
    gate = await bench.gate()
    entry = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, entry)
    request = replace(await gate.denial(show=False), event=entry.event)
    assert await bench.store.deny(gate.site.id, gate.fence, request) is False


async def test_a_cancelled_admission_gives_the_spot_back(bench: Bench) -> None:
    gate = await bench.gate()
    entry = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, entry)
    for _ in range(2):  # the same call again finds itself
        available = await bench.store.cancel_admission(
            gate.site.id, gate.fence, entry.stay, entry.lane, "backed out", NOW, entry.event
        )
        assert available == 3
    other = await bench.store.cancel_admission(
        gate.site.id, gate.fence, entry.stay, entry.lane, "no open", NOW + HOUR, uuid4()
    )
    assert other is None
    assert await bench.store.zone_count(gate.site.zone) == ZoneCount(3, 0, 0)
    snapshot = await bench.store.plate_snapshot(gate.site.id, PLATE, Direction.EXIT, NOW + HOUR)
    assert snapshot.open_stay is None
    again = await bench.store.admit(gate.site.id, gate.fence, await gate.entry())
    assert again.outcome is AdmitOutcome.ADMITTED


async def test_an_open_of_a_cancelled_admission_is_not_sent(bench: Bench) -> None:
    gate = await bench.gate()
    entry, other = await gate.entry(), await gate.entry("OTHER1")
    for request in (entry, other):
        await bench.store.admit(gate.site.id, gate.fence, request)
    await bench.store.cancel_admission(
        gate.site.id, gate.fence, entry.stay, entry.lane, "backed out", NOW, entry.event
    )
    assert list(await bench.store.accepted_commands(gate.site.id)) == [other.command]
    taken = await bench.store.dispatch_command(gate.site.id, gate.fence, entry.command.id, NOW)
    assert taken is CommandStatus.CANCELLED


async def test_an_entry_that_passed_cannot_be_cancelled(bench: Bench) -> None:
    gate = await bench.gate()
    entry = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, entry)
    await bench.store.complete_passage(
        gate.site.id, gate.fence, entry.stay, entry.lane, PassageKnown.ASSUMED, NOW, entry.event
    )
    available = await bench.store.cancel_admission(
        gate.site.id, gate.fence, entry.stay, entry.lane, "backed out", NOW, entry.event
    )
    assert available is None
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1


async def test_nothing_to_cancel(bench: Bench) -> None:
    gate = await bench.gate()
    nobody = StayId(uuid4())
    lane = gate.site.entry
    available = await bench.store.cancel_admission(
        gate.site.id, gate.fence, nobody, lane, "backed out", NOW, uuid4()
    )
    assert available is None
    await bench.store.complete_passage(
        gate.site.id, gate.fence, nobody, lane, PassageKnown.MEASURED, NOW, uuid4()
    )


# ── what a start has to know ────────────────────────────────────────────────────────────────


async def test_passages_under_way_are_remembered(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2", "3", "4"]]))
    store, site, fence = bench.store, gate.site, gate.fence
    gone = await gate.admitted("GONE1", at=NOW - HOUR)
    left = await gate.departure(gone, "GONE1", at=NOW)
    await store.release(site.id, fence, left)
    passed = await gate.entry("PASSED1", at=NOW + timedelta(seconds=1))
    await store.admit(site.id, fence, passed)
    await store.complete_passage(
        site.id, fence, passed.stay, passed.lane, PassageKnown.MEASURED, NOW, passed.event
    )
    first = await gate.entry("IN1", at=NOW + timedelta(seconds=2))
    await store.admit(site.id, fence, first)
    again = await gate.entry("IN1", at=NOW + timedelta(seconds=5))
    await store.admit(site.id, fence, again)
    expected_exit = PendingPassage(
        left.lane, gone, site.zone, Plate("GONE1"), left.command.id, left.event, left.at
    )
    expected_entry = PendingPassage(
        again.lane,
        first.stay,
        site.zone,
        Plate("IN1"),
        again.command.id,
        again.event,
        again.at,
    )
    pending = await store.pending_passages(site.id, NOW)
    assert list(pending) == [expected_exit, expected_entry]
    later = await store.pending_passages(site.id, NOW + timedelta(seconds=1))
    assert list(later) == [expected_entry]


async def test_a_facility_is_read_as_it_is_set_up(bench: Bench) -> None:
    gate = await bench.gate()
    assert gate.site.id in await bench.store.facility_ids()
    assert await bench.store.facility_setup(gate.site.id) == gate.site.setup


async def test_opening_hours_and_texts_are_read_as_they_are_stored(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    await postgres_bench.owner_value(
        "UPDATE gate.facility_settings SET opening = $2::text::jsonb, display = $3::text::jsonb"
        " WHERE facility_id = $1",
        gate.site.id,
        '{"hours": [{"from": "22:00", "until": "06:00"}], "exempt": ["staff"]}',
        '{"language": "de", "texts": {"de": {"closed": "Zu"}}}',
    )
    await postgres_bench.owner_value(
        "UPDATE gate.lanes SET opening = $2::text::jsonb"
        " WHERE facility_id = $1 AND slug = 'entry-2'",
        gate.site.id,
        '{"exempt": [], "closed": ["holiday"]}',
    )
    await postgres_bench.owner_value(
        "INSERT INTO gate.calendar_days (facility_id, day, kind)"
        " VALUES ($1, '2026-12-25', 'holiday'), ($1, '2026-12-25', 'market')",
        gate.site.id,
    )
    setup = await postgres_bench.store.facility_setup(gate.site.id)
    assert setup.wording == Wording("de", {"de": {"closed": "Zu"}})
    first, second, leaving = (lane.opening for lane in setup.lanes)
    assert first == OpeningHours(
        windows=(OpeningWindow(22 * 60, 30 * 60),),
        closed=frozenset(),
        exempt=frozenset({"staff"}),
        time_zone=setup.time_zone,
        calendar={date(2026, 12, 25): frozenset({"holiday", "market"})},
    )
    assert second == replace(first, exempt=frozenset(), closed=frozenset({"holiday"}))
    assert leaving is None, "who is inside may always leave"


async def test_a_facility_that_is_not_there_is_an_error(bench: Bench) -> None:
    other = make_site()
    with pytest.raises(StoreError, match="not set up") as refused:
        await bench.store.facility_setup(other.id)
    assert not refused.value.retryable


async def test_the_snapshot_knows_vehicles_and_free_spots(bench: Bench) -> None:
    gate = await bench.gate()
    plate = Plate(uuid4().hex[:12].upper())
    stranger = await bench.store.plate_snapshot(gate.site.id, plate, Direction.ENTRY, NOW)
    assert (stranger.vehicle, stranger.user, stranger.blocked) == (None, None, False)
    assert stranger.available == {zone.id: zone.capacity for zone in gate.site.setup.zones}
    vehicle = await bench.register(f"{plate.text[:3]}-{plate.text[3:]}".lower())
    known = await bench.store.plate_snapshot(gate.site.id, plate, Direction.ENTRY, NOW)
    assert (known.vehicle, known.blocked) == (vehicle.id, False)
    await bench.register(plate.text, blocked=True)
    blocked = await bench.store.plate_snapshot(gate.site.id, plate, Direction.EXIT, NOW)
    assert blocked.blocked
    assert blocked.price is None


async def test_those_inside_are_known_with_their_plates(bench: Bench) -> None:
    gate = await bench.gate()
    one, other = await gate.admitted("AAA111"), await gate.admitted("BBB222")
    inside = {stay.id: stay.plate for stay in await gate.store.open_stays(gate.site.id)}
    assert inside == {one: Plate("AAA111"), other: Plate("BBB222")}
    departure = await gate.departure(one, "AAA111")
    await gate.store.release(gate.site.id, gate.fence, departure)
    assert [stay.id for stay in await gate.store.open_stays(gate.site.id)] == [other]


async def test_why_a_read_was_taken_for_the_stays_stands_on_it(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    stay = await gate.admitted("HHA81234")
    departure = await gate.departure(stay, "HHAB1234")
    matched = Matched(Plate("HHA81234"), "confusable_one", 1, "4: B for 8")
    await gate.store.release(gate.site.id, gate.fence, replace(departure, matched=matched))
    kept = await postgres_bench.owner_value("SELECT exit_match FROM bookings WHERE id = $1", stay)
    assert json.loads(kept) == {
        "plate": "HHA81234",
        "reason": "confusable_one",
        "distance": 1,
        "detail": "4: B for 8",
    }
