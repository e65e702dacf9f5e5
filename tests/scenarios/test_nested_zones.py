"""A zone within another: vehicles go in and come out again, turn back, find it full, and the signs
say so. The facility is entered through the outer zone alone.

Limits by time, and moves in the database: tests/db/test_limits.py, tests/db/test_moves.py.
"""

import asyncio

import pytest

from gated.core.effects import PassageKnown
from gated.core.signs import Sign
from gated.core.site import FullTransfer, LanePolicy
from gated.core.snapshot import Group
from tests.actors.conftest import Until
from tests.actors.support import INNER, OTHER_CAR, ZONE
from tests.fakes.store import FakeLimit
from tests.scenarios.story import Story, told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

NOBODY_KEPT_IN = LanePolicy(full_transfer=FullTransfer.OPEN)


def occupied(story: Story) -> dict[str, int]:
    """What the zones last told of themselves."""
    shown = story.place.shown
    last = dict(zip([zone for zone, _ in shown.signs if zone], shown.zones, strict=True))
    return {str(zone): count.occupied for zone, count in last.items()}


async def test_a_visit_of_the_inner_zone(until: Until) -> None:
    async with told(until, spots=("1", "2"), inner=("Y-1",)) as story:
        shown = story.place.shown
        stay = await story.passes("entry")
        assert (stay.zone, stay.spot_number) == (ZONE, "1")
        await story.passes("inward")
        assert (stay.zone, stay.spot_number) == (INNER, "Y-1")
        await until(lambda: occupied(story) == {"deck": 0, "yard": 1})
        assert shown.sign("yard") == Sign(True, frozenset(Group))
        assert shown.sign(None) == Sign(), "there is room where one comes in"
        await story.passes("outward")
        assert stay.zone == ZONE
        await until(lambda: occupied(story) == {"deck": 1, "yard": 0})
        assert shown.sign("yard") == Sign()
        await story.passes("exit")
        assert stay.status == "COMPLETED"
        assert [part.zone for part in stay.segments] == [ZONE, INNER, ZONE]
        assert [part.known for part in stay.segments] == [PassageKnown.MEASURED] * 3


async def test_who_turns_back_before_the_barrier_is_where_it_was(until: Until) -> None:
    async with told(until, inner=("Y-1",)) as story:
        stay = await story.passes("entry")
        story.drives_up("inward")
        await story.opens("inward")
        assert stay.zone == INNER
        story.backs_off("inward")
        await until(lambda: stay.zone == ZONE)
        await until(lambda: occupied(story) == {"deck": 1, "yard": 0})
        await story.passes("exit")
        assert stay.status == "COMPLETED"
        assert [part.zone for part in stay.segments] == [ZONE]
        assert len(story.place.rows.free[INNER]) == 1


async def test_the_inner_zone_is_full_while_the_outer_one_is_not(until: Until) -> None:
    async with told(until, inner=("Y-1",)) as story:
        await story.passes("entry")
        await story.passes("inward")
        other = await story.passes("entry", OTHER_CAR)
        story.drives_up("inward", OTHER_CAR)
        await until(lambda: story.refusals() == ["full_zone"])
        assert other.zone == ZONE
        assert story.place.shown.sign("deck") == Sign()


async def test_both_are_full_at_different_times_and_the_signs_say_so(until: Until) -> None:
    async with told(until, spots=("1",), inner=("Y-1",)) as story:
        shown, full = story.place.shown, Sign(True, frozenset(Group))
        await story.passes("entry")
        await until(lambda: shown.sign("deck") == full)
        assert shown.sign("yard") == Sign()
        await story.passes("inward")
        await until(lambda: shown.sign("yard") == full)
        assert shown.sign("deck") == Sign()
        await story.passes("entry", OTHER_CAR)
        await until(lambda: (shown.sign("deck"), shown.sign(None)) == (full, full))


async def test_a_stranger_at_the_inner_lane_did_not_come_in(until: Until) -> None:
    async with told(until, inner=("Y-1",)) as story:
        story.drives_up("inward")
        await until(lambda: story.refusals() == ["no_entry_found"])
        await asyncio.sleep(30)
        assert story.opened("inward") == 0


async def test_transients_may_not_go_in_where_permit_holders_may(until: Until) -> None:
    async with told(until, inner=("Y-1", "Y-2")) as story:
        story.place.rows.limits.append(FakeLimit(INNER, Group.TRANSIENT, 0))
        stay = await story.passes("entry")
        no_transients = Sign(False, frozenset({Group.TRANSIENT}))
        await until(lambda: story.place.shown.sign("yard") == no_transients)
        story.drives_up("inward")
        await until(lambda: story.refusals() == ["not_permitted"])
        assert story.opened("inward") == 0
        # It was taken for a stranger's.
        stay.group = Group.PERMIT_HOLDER
        story.backs_off("inward")
        await asyncio.sleep(30)
        await story.passes("inward")
        assert stay.zone == INNER


async def test_nobody_is_kept_in_when_the_way_out_is_full(until: Until) -> None:
    async with told(until, spots=("1",), inner=("Y-1",), policy=NOBODY_KEPT_IN) as story:
        stay = await story.passes("entry")
        await story.passes("inward")
        await story.passes("entry", OTHER_CAR)
        await story.passes("outward")
        assert story.place.rows.reconciled == [("over_capacity", stay.id)]
        await story.passes("exit")
        assert stay.status == "COMPLETED"
        assert story.inside == [OTHER_CAR]
        assert len(story.place.rows.free[INNER]) == 1
