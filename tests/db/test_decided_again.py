"""Deciding once more on a vehicle that was refused, without a new message, on every store."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gated.core.effects import PassageKnown
from gated.core.errors import StoreError
from gated.core.events import ZoneRefusal
from gated.core.ids import CommandId, EventId
from gated.core.reasons import DenyReason
from gated.records import AdmitOutcome, AdmitRequest, DenyRequest, MoveOutcome
from tests.db.site import NOW, Gate, make_site, nested
from tests.db.stores import Bench

LATER = NOW + timedelta(minutes=5)


async def refused(gate: Gate) -> DenyRequest:
    """A vehicle that was told that the car park is full."""
    denial = await gate.denial()
    assert await gate.store.deny(gate.site.id, gate.fence, denial)
    return denial


async def once_more(gate: Gate, denial: DenyRequest) -> AdmitRequest:
    """To let it in later by the read that there is of it, under an id that no message has."""
    entry = await gate.entry(at=LATER)
    event = EventId(uuid4())
    command = replace(entry.command, event=event)
    return replace(entry, event=event, command=command, again=denial.event)


async def unsettled(gate: Gate, *but: EventId) -> list[EventId]:
    rows = await gate.store.pending_events(gate.site.id, 99)
    return [row.id for row in rows if row.id not in but]


async def test_it_is_let_in_and_a_lost_answer_is_found_again(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    again = await once_more(gate, await refused(gate))
    first = await bench.store.admit(gate.site.id, gate.fence, again)
    assert (first.outcome, first.stay) == (AdmitOutcome.ADMITTED, again.stay)
    assert await bench.store.admit(gate.site.id, gate.fence, again) == first
    assert (await bench.store.zone_count(again.zone)).occupied == 1
    commands = await bench.store.accepted_commands(gate.site.id)
    assert [one.id for one in commands if one.event == again.event] == [again.command.id]


async def test_under_one_id_it_is_decided_once(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    denial = await refused(gate)
    again = await once_more(gate, denial)
    await bench.store.admit(gate.site.id, gate.fence, again)
    other = replace(again, command=replace(again.command, id=CommandId(uuid4())))
    answer = await bench.store.admit(gate.site.id, gate.fence, other)
    assert answer.outcome is AdmitOutcome.EVENT_DONE
    late = replace(denial, event=again.event, again=denial.event, command=None, at=LATER)
    assert not await bench.store.deny(gate.site.id, gate.fence, late)


async def test_a_zone_without_room_leaves_no_trace(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"]]))
    stay = await gate.admitted("OTHER1")
    again = await once_more(gate, await refused(gate))
    before = await unsettled(gate)
    full = await bench.store.admit(gate.site.id, gate.fence, again)
    assert full.outcome is AdmitOutcome.ZONE_FULL
    assert await unsettled(gate) == before
    await bench.store.cancel_admission(
        gate.site.id, gate.fence, stay, gate.site.entry, "no_passage", NOW, uuid4()
    )
    answer = await bench.store.admit(gate.site.id, gate.fence, again)
    assert answer.outcome is AdmitOutcome.ADMITTED


async def test_another_answer_is_recorded_once(bench: Bench) -> None:
    gate = await bench.gate()
    first = await refused(gate)
    command = first.command
    assert command is not None
    event = EventId(uuid4())
    later = replace(
        first,
        event=event,
        again=first.event,
        at=LATER,
        reason=DenyReason.CLOSED,
        command=replace(command, id=CommandId(uuid4()), event=event),
    )
    for _ in range(2):
        assert await bench.store.deny(gate.site.id, gate.fence, later)
    assert await unsettled(gate) == []
    assert len(await bench.store.accepted_commands(gate.site.id)) == 2


async def test_on_a_message_that_was_never_stored_nothing_is_decided(bench: Bench) -> None:
    gate = await bench.gate()
    again = replace(await once_more(gate, await refused(gate)), again=EventId(uuid4()))
    with pytest.raises(StoreError) as error:
        await bench.store.admit(gate.site.id, gate.fence, again)
    assert not error.value.retryable


async def test_between_zones_it_is_let_on(bench: Bench) -> None:
    gate = await bench.gate(nested(make_site([["O-1", "O-2"], ["I-1"]])))
    stays = [await gate.admitted(plate) for plate in ("OTHER1", "BAB123")]
    for stay in stays:
        await gate.store.complete_passage(
            gate.site.id, gate.fence, stay, gate.site.entry, PassageKnown.MEASURED, NOW, stay
        )
    first = await gate.move(stays[0], gate.site.inner, "OTHER1", lane=gate.site.inward, at=LATER)
    assert (await bench.store.move_stay(gate.site.id, gate.fence, first)).outcome == "moved"
    asked = await gate.move(stays[1], gate.site.inner, "BAB123", lane=gate.site.inward, at=LATER)
    event = EventId(uuid4())
    again = replace(
        asked, event=event, again=asked.event, command=replace(asked.command, event=event)
    )
    full = await bench.store.move_stay(gate.site.id, gate.fence, again)
    assert full.outcome is ZoneRefusal.FULL
    await bench.store.cancel_move(
        gate.site.id, gate.fence, stays[0], gate.site.inward, "no_passage", LATER, uuid4()
    )
    for _ in range(2):
        answer = await bench.store.move_stay(gate.site.id, gate.fence, again)
        assert (answer.outcome, answer.spot_number) == (MoveOutcome.MOVED, "I-1")


async def test_both_decisions_stand_each_with_its_message(postgres_bench: Bench) -> None:
    gate = await postgres_bench.gate()
    denial = await refused(gate)
    again = await once_more(gate, denial)
    await postgres_bench.store.admit(gate.site.id, gate.fence, again)
    told = await postgres_bench.owner_value(
        "SELECT array_agg(concat_ws(' ', d.decision, d.reason, e.kind, e.outcome)"
        " ORDER BY d.decided_at)"
        " FROM gate.decisions d JOIN gate.events e ON e.id = d.event_id"
        " WHERE d.event_id = ANY ($1::uuid[])",
        [denial.event, again.event],
    )
    assert told == [
        "deny full_facility plate decided",
        "grant transient again decided",
    ]
    same = await postgres_bench.owner_value(
        "SELECT count(DISTINCT payload) FROM gate.events WHERE id = ANY ($1::uuid[])",
        [denial.event, again.event],
    )
    assert same == 1
