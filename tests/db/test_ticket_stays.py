"""Stays without a plate, on every store: a vehicle that comes in on a ticket, and never on two."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg

from gated.core.effects import PassageKnown
from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import CommandId
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.records import (
    AdmitOutcome,
    PaymentOutcome,
    PaymentTaken,
    ReleaseOutcome,
)
from tests.db.site import NOW, drifts, make_site
from tests.db.stores import Bench
from tests.db.test_operations import booth_of

SOON = NOW + timedelta(seconds=8)


async def test_a_vehicle_without_a_plate_gets_a_stay_a_spot_and_a_ticket(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    request = await gate.entry(None)
    answer = await bench.store.admit(gate.site.id, gate.fence, request)
    assert (answer.outcome, answer.stay, answer.available) == (
        AdmitOutcome.ADMITTED,
        request.stay,
        1,
    )
    assert answer.ticket
    (command,) = await bench.store.accepted_commands(gate.site.id)
    assert (command.plate, command.stay, command.ticket) == (None, request.stay, answer.ticket)
    # It is nobody whom a read could be matched with.
    assert list(await bench.store.open_stays(gate.site.id)) == []


async def test_two_vehicles_without_a_plate_are_two(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    first = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(None))
    second = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(None))
    assert first.stay != second.stay
    assert first.ticket != second.ticket
    third = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(None))
    assert (third.outcome, third.stay) == (AdmitOutcome.ZONE_FULL, None)


async def test_a_vehicle_that_still_stands_there_keeps_its_ticket(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"], ["3"]]))
    first = await gate.entry(None)
    stands = await bench.store.admit(gate.site.id, gate.fence, first)
    again = await gate.entry(None, zone=gate.site.setup.zones[1].id, at=SOON, again=first.stay)
    assert await bench.store.admit(gate.site.id, gate.fence, again) == stands
    commands = await bench.store.accepted_commands(gate.site.id)
    assert [one.ticket for one in commands] == [stands.ticket] * 2


async def test_the_same_request_gets_the_same_ticket(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry(None)
    first = await bench.store.admit(gate.site.id, gate.fence, request)
    assert await bench.store.admit(gate.site.id, gate.fence, request) == first
    other = replace(request, command=replace(request.command, id=CommandId(uuid4())))
    answer = await bench.store.admit(gate.site.id, gate.fence, other)
    assert answer.outcome is AdmitOutcome.EVENT_DONE


async def test_a_ticket_that_is_in_or_was_undone_is_not_let_in_again(bench: Bench) -> None:
    gate = await bench.gate()
    came = await gate.entry(None)
    await bench.store.admit(gate.site.id, gate.fence, came)
    await bench.store.complete_passage(
        gate.site.id, gate.fence, came.stay, came.lane, PassageKnown.MEASURED, NOW, came.event
    )
    gone = await gate.entry(None)
    await bench.store.admit(gate.site.id, gate.fence, gone)
    await bench.store.cancel_admission(
        gate.site.id, gate.fence, gone.stay, gone.lane, "backed_out", SOON, gone.event
    )
    for stay in (came.stay, gone.stay):
        again = await gate.entry(None, at=SOON, again=stay)
        answer = await bench.store.admit(gate.site.id, gate.fence, again)
        assert answer.outcome is AdmitOutcome.ALREADY_INSIDE
        assert again.event in [one.id for one in await bench.store.pending_events(gate.site.id, 9)]


async def test_a_ticket_on_its_way_in_is_awaited_after_a_restart(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry(None)
    await bench.store.admit(gate.site.id, gate.fence, request)
    (passage,) = await bench.store.pending_passages(gate.site.id, NOW - timedelta(minutes=1))
    assert (passage.stay, passage.plate, passage.lane) == (request.stay, None, request.lane)


async def test_a_ticket_is_paid_for_by_its_number_and_released(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry(None)
    answer = await bench.store.admit(gate.site.id, gate.fence, request)
    later = NOW + timedelta(minutes=30)
    event = await gate.happened(gate.site.exit, later)
    payment = PaymentTaken(
        1, "1", uuid4(), Decimal("2.50"), "EUR", "CARD", str(uuid4()), later, later, answer.ticket
    )
    paid = await bench.store.take_payment(gate.site.id, gate.fence, event, payment)
    assert (paid.outcome, paid.ticket) == (PaymentOutcome.PAID, answer.ticket)
    departure = await gate.departure(request.stay, at=later)
    released = await bench.store.release(gate.site.id, gate.fence, departure)
    assert released.outcome is ReleaseOutcome.RELEASED
    assert released.due is not None
    assert released.due.amount == 0


async def test_the_books_are_right_about_tickets(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate()
    request = await gate.entry(None)
    answer = await postgres_bench.store.admit(gate.site.id, gate.fence, request)
    assert await drifts(owner_of, gate.site.id) == []
    row = await owner_of.fetchrow(
        "SELECT b.plate_number, b.plate_raw, b.ticket_number, b.booking_type::text, b.vehicle_id,"
        " c.plate, d.plate, d.reason FROM bookings b JOIN gate.claims c ON c.booking_id = b.id"
        " JOIN gate.decisions d ON d.stay_id = b.id WHERE b.id = $1",
        request.stay,
    )
    assert row is not None
    assert tuple(row) == (None, None, answer.ticket, "WALK_IN", None, None, None, "ticket")


async def test_an_operator_says_at_the_exit_whose_ticket_it_is(bench: Bench) -> None:
    booth = await booth_of(bench, "match")
    gate, read = booth.gate, Plate("BAB123")
    request = await gate.entry(None)
    admitted = await bench.store.admit(gate.site.id, gate.fence, request)
    asked, answer = await booth.match(ticket=admitted.ticket, read=read)
    assert (answer.outcome, answer.stay, answer.plate) == (
        OperateOutcome.DONE,
        request.stay,
        read,
    )
    assert await bench.store.match_stay(*booth.key, asked) == answer
    found = await bench.store.plate_snapshot(gate.site.id, read, Direction.EXIT, asked.at)
    assert found.open_stay is not None
    assert (found.open_stay.id, found.open_stay.ticket) == (request.stay, admitted.ticket)


async def test_opened_for_a_ticket_it_gets_what_was_read_and_says_so_again(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    gate, read = booth.gate, Plate("BAB123")
    request = await gate.entry(None)
    admitted = await bench.store.admit(gate.site.id, gate.fence, request)
    asked = await booth.asked(OperatorDo.OPEN, ticket=admitted.ticket)
    unread = await bench.store.operate(*booth.key, asked)
    assert (unread.outcome, unread.plate) == (OperateOutcome.PLATE_UNKNOWN, None)
    asked = await booth.asked(OperatorDo.OPEN, ticket=admitted.ticket, read=read)
    answer = await bench.store.operate(*booth.key, asked)
    assert (answer.outcome, answer.plate) == (OperateOutcome.DONE, read)
    assert await bench.store.operate(*booth.key, asked) == answer
    found = await bench.store.plate_snapshot(gate.site.id, read, Direction.EXIT, asked.at)
    assert found.open_stay is not None
    assert found.open_stay.ticket == admitted.ticket


async def test_a_ticket_gets_no_plate_that_is_inside_already(bench: Bench) -> None:
    booth = await booth_of(bench, "match")
    gate, read = booth.gate, Plate("BAB123")
    await gate.admitted("BAB123")
    request = await gate.entry(None)
    await bench.store.admit(gate.site.id, gate.fence, request)
    _, answer = await booth.match(stay=request.stay, read=read)
    assert (answer.outcome, answer.plate) == (OperateOutcome.PLATE_UNKNOWN, None)
