"""Notes of lanes: kept once, on every store, and forgotten by age."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gated.core.effects import Fault
from gated.core.errors import FencedOut
from gated.core.ids import EventId, Fence
from gated.records import LaneNote, StandingFault
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


def said(gate: Gate, fault: str, what: str, minutes: int, **changes: object) -> LaneNote:
    """That a fault began, or ended, so many minutes after the beginning."""
    at = NOW + timedelta(minutes=minutes)
    return note(gate, name=f"fault_{what}", detail=fault, at=at, **changes)


async def test_faults_that_have_not_ended_are_known(bench: Bench) -> None:
    gate = await bench.gate()
    entry, exit_ = gate.site.entry, gate.site.exit
    for one in (
        said(gate, "arm_stuck", "raised", 0),
        said(gate, "arm_stuck", "cleared", 1),
        said(gate, "arm_stuck", "raised", 2),
        said(gate, "camera_silent", "raised", 3),
        said(gate, "camera_silent", "cleared", 4),
        said(gate, "arm_forced", "cleared", 5),
        # It ended, and began anew, with one message.
        said(gate, "arm_forced", "raised", 5),
        said(gate, "camera_silent", "raised", 6, lane=exit_),
        said(gate, "arm_bent", "raised", 7),
        note(gate, name="arm_not_opened", detail="arm_not_closed"),
    ):
        await bench.store.note_lane(gate.site.id, gate.fence, one)
    standing = await bench.store.standing_faults(gate.site.id)
    assert list(standing) == [
        StandingFault(entry, Fault.ARM_STUCK, NOW + timedelta(minutes=2)),
        StandingFault(entry, Fault.ARM_FORCED, NOW + timedelta(minutes=5)),
        StandingFault(exit_, Fault.CAMERA_SILENT, NOW + timedelta(minutes=6)),
    ]
    other = await bench.gate()
    assert list(await bench.store.standing_faults(other.site.id)) == []


async def test_a_fault_that_has_not_ended_is_not_forgotten(desk: Desk) -> None:
    gate, longer_ago = desk.gate, -round(1.5 * YEAR / timedelta(minutes=1))
    for one in (
        said(gate, "arm_stuck", "raised", longer_ago),
        said(gate, "camera_silent", "raised", longer_ago + 1),
        said(gate, "camera_silent", "cleared", longer_ago + 2),
    ):
        await desk.store.note_lane(desk.id, gate.fence, one)
    assert await desk.store.purge_lane_notes(NOW - YEAR) == 2
    (standing,) = await desk.store.standing_faults(desk.id)
    assert standing.fault is Fault.ARM_STUCK
    over = said(gate, "arm_stuck", "cleared", longer_ago + 3)
    await desk.store.note_lane(desk.id, gate.fence, over)
    assert await desk.store.purge_lane_notes(NOW - YEAR) == 2


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
