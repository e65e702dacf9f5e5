"""The inbox, on every store: each message once, in order, and never lost to its own text."""

from dataclasses import replace
from datetime import timedelta

from gated.core.effects import Outcome
from gated.core.ids import EventId
from gated.records import EventStatus
from tests.db.site import NOW, message
from tests.db.stores import Bench


async def test_messages_come_back_as_they_were_in_the_order_of_arrival(bench: Bench) -> None:
    gate = await bench.gate()
    rows = [message(gate.site, gate.site.entry, key=f"k{number}") for number in range(20)]
    later = [message(gate.site, gate.site.exit, at=NOW - timedelta(days=20)), *rows[:1]]
    new = await bench.store.append_events(gate.site.id, gate.fence, rows)
    assert list(new) == [True] * 20
    assert list(await bench.store.append_events(gate.site.id, gate.fence, later)) == [True, True]
    pending = await bench.store.pending_events(gate.site.id, 100)
    assert list(pending) == [*rows, later[0]]
    assert list(await bench.store.pending_events(gate.site.id, 3)) == rows[:3]


async def test_a_known_message_is_not_stored_again(bench: Bench) -> None:
    gate = await bench.gate()
    first = message(gate.site, gate.site.entry, key="same")
    again = message(gate.site, gate.site.entry, key="same", at=NOW - timedelta(days=20))
    other_device = message(gate.site, gate.site.exit, key="same")
    batch = [first, again, other_device]
    assert list(await bench.store.append_events(gate.site.id, gate.fence, batch)) == [
        True,
        False,
        True,
    ]
    later = message(gate.site, gate.site.entry, key="same")
    assert list(await bench.store.append_events(gate.site.id, gate.fence, [later])) == [False]
    assert list(await bench.store.pending_events(gate.site.id, 9)) == [first, other_device]


async def test_a_batch_that_is_repeated_gets_the_same_answer(bench: Bench) -> None:
    """As after a lost answer: the rows are ours, and ours to hand on."""
    gate = await bench.gate()
    known = message(gate.site, gate.site.entry, key="known")
    await bench.store.append_events(gate.site.id, gate.fence, [known])
    batch = [message(gate.site, gate.site.entry, key=key) for key in ("a", "known", "b")]
    for _ in range(2):
        new = await bench.store.append_events(gate.site.id, gate.fence, batch)
        assert list(new) == [True, False, True]
    assert len(await bench.store.pending_events(gate.site.id, 9)) == 3


async def test_an_empty_batch_is_nothing(bench: Bench) -> None:
    gate = await bench.gate()
    assert list(await bench.store.append_events(gate.site.id, gate.fence, [])) == []
    await bench.store.settle_events(gate.site.id, gate.fence, [])


async def test_quarantined_and_dropped_messages_are_kept_and_not_handed_out(bench: Bench) -> None:
    gate = await bench.gate()
    rows = [
        replace(
            message(gate.site, gate.site.entry),
            status=status,
            error="bad \ud800 text\x00",
            topic="a\x00b",
            key=f"{status}\x00",
            device=None,
            lane=None,
        )
        for status in (EventStatus.QUARANTINED, EventStatus.DROPPED)
    ]
    assert list(await bench.store.append_events(gate.site.id, gate.fence, rows)) == [True, True]
    assert list(await bench.store.append_events(gate.site.id, gate.fence, rows)) == [True, True]
    assert list(await bench.store.pending_events(gate.site.id, 9)) == []


async def test_settled_messages_are_done(bench: Bench) -> None:
    gate = await bench.gate()
    old = message(gate.site, gate.site.entry, at=NOW - timedelta(days=20))
    new = message(gate.site, gate.site.entry)
    rest = message(gate.site, gate.site.entry)
    await bench.store.append_events(gate.site.id, gate.fence, [old, new, rest])
    outcomes: list[tuple[EventId, Outcome]] = [(old.id, Outcome.FOLDED), (new.id, Outcome.NOTED)]
    for _ in range(2):
        await bench.store.settle_events(gate.site.id, gate.fence, outcomes)
    assert list(await bench.store.pending_events(gate.site.id, 9)) == [rest]


async def test_another_facilitys_messages_are_not_touched(bench: Bench) -> None:
    gate, other = await bench.gate(), await bench.gate()
    row = message(other.site, other.site.entry)
    await bench.store.append_events(other.site.id, other.fence, [row])
    await bench.store.settle_events(gate.site.id, gate.fence, [(row.id, Outcome.NOTED)])
    assert list(await bench.store.pending_events(other.site.id, 9)) == [row]


async def test_the_last_settled_contacts_of_each_lane_are_found_again(bench: Bench) -> None:
    gate = await bench.gate()
    lanes = (gate.site.entry, gate.site.exit)
    rows = [
        replace(
            message(gate.site, lanes[number % 2], at=NOW + timedelta(seconds=number)), kind="input"
        )
        for number in range(10)
    ]
    plate = message(gate.site, gate.site.entry, at=NOW + timedelta(seconds=10))
    unsettled = replace(message(gate.site, gate.site.entry, at=plate.received_at), kind="input")
    await bench.store.append_events(gate.site.id, gate.fence, [*rows, plate, unsettled])
    settled = [(row.id, Outcome.NOTED) for row in (*rows, plate)]
    await bench.store.settle_events(gate.site.id, gate.fence, settled)

    recent = await bench.store.recent_inputs(gate.site.id, NOW, 2)
    assert [row.id for row in recent] == [row.id for row in rows[6:]]
    since = rows[8].received_at
    recent = await bench.store.recent_inputs(gate.site.id, since, 9)
    assert [row.id for row in recent] == [row.id for row in rows[8:]]
    assert [row.payload for row in recent] == [row.payload for row in rows[8:]]
