"""Notes of lanes: kept once, on every store, and forgotten by age."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gated.core.errors import FencedOut
from gated.core.ids import EventId, Fence
from gated.records import LaneNote
from tests.db.desk import Desk
from tests.db.site import NOW, Gate
from tests.db.stores import Bench

YEAR = timedelta(days=365)


def note(gate: Gate, **changes: object) -> LaneNote:
    event = EventId(uuid4())
    made = LaneNote(uuid4(), gate.site.entry, NOW, "arm_stuck", "not open within 8 s", event)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_note_may_be_told_twice(bench: Bench) -> None:
    gate = await bench.gate()
    one = note(gate)
    for told in (one, replace(one, detail="again")):
        await bench.store.note_lane(gate.site.id, gate.fence, told)


async def test_an_old_fence_notes_nothing(bench: Bench) -> None:
    gate = await bench.gate()
    with pytest.raises(FencedOut):
        await bench.store.note_lane(gate.site.id, Fence(gate.fence + 1), note(gate))


async def test_the_first_telling_is_kept(desk: Desk) -> None:
    one = note(desk.gate, detail="a \x00 character")
    for told in (one, replace(one, name="arm_moved")):
        await desk.store.note_lane(desk.id, desk.gate.fence, told)
    (row,) = await desk.owner.fetch("SELECT * FROM gate.lane_notes WHERE facility_id = $1", desk.id)
    assert (row["id"], row["lane_id"], row["at"]) == (one.id, one.lane, NOW)
    assert (row["name"], row["detail"]) == ("arm_stuck", "a \ufffd character")
    assert (row["event_id"], row["correlation_id"]) == (one.event, one.event)


async def test_old_notes_and_passages_are_forgotten_in_batches(desk: Desk) -> None:
    for age in (timedelta(days=500), timedelta()):
        at = NOW - age
        await desk.store.note_lane(desk.id, desk.gate.fence, note(desk.gate, at=at))
        await desk.owner.execute(
            "INSERT INTO gate.free_passages (id, facility_id, lane_id, direction, kind, passed_at)"
            " VALUES (gen_random_uuid(), $1, $2, 'entry', 'held', $3)",
            desk.id,
            desk.site.entry,
            at,
        )
    assert await desk.store.purge_lane_notes(NOW - YEAR) == 1
    assert await desk.store.purge_lane_notes(NOW - YEAR) == 0
    assert await desk.store.purge_free_passages(NOW - YEAR) == 1
    assert await desk.store.purge_free_passages(NOW - YEAR) == 0
    for table in ("lane_notes", "free_passages"):
        left = await desk.owner.fetchval(
            f"SELECT count(*) FROM gate.{table} WHERE facility_id = $1", desk.id
        )
        assert left == 1
