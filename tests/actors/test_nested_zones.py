"""A zone within another: vehicles go in and come out again, turn back, find it full, and the signs
say so. The facility is entered through the outer zone alone."""

import asyncio

import pytest

from gated.core.effects import DenyReason, PassageKnown
from gated.core.plates import Plate
from gated.core.signs import Sign
from gated.core.site import FullTransfer, LanePolicy
from gated.core.snapshot import Group
from tests.actors.conftest import Until
from tests.actors.support import CAR, INNER, OTHER_CAR, ZONE, Place
from tests.actors.test_facility import Running, stays
from tests.fakes.store import FakeLimit, Stay

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


async def drives(place: Place, until: Until, lane: str, plate: Plate = CAR) -> Stay:
    """It is let through the lane and passes; its stay."""
    opened = place.opened(lane)
    place.vehicle(lane, plate)
    await until(lambda: place.opened(lane) == opened + 1)
    await asyncio.sleep(2)
    place.passes(lane)
    await asyncio.sleep(20)
    return next(stay for stay in stays(place) if stay.plate == plate)


def denials(place: Place) -> list[object]:
    return [row.reason for row in place.rows.decisions.values() if row.stay is None]


def occupied(place: Place) -> dict[str, int]:
    """What the zones last told of themselves."""
    last = dict(
        zip([zone for zone, _ in place.shown.signs if zone], place.shown.zones, strict=True)
    )
    return {str(zone): count.occupied for zone, count in last.items()}


async def test_a_visit_of_the_inner_zone(until: Until) -> None:
    place = Place(inner=("Y-1",))
    async with Running(place):
        stay = await drives(place, until, "entry")
        assert (stay.zone, stay.spot_number) == (ZONE, "1")
        await drives(place, until, "inward")
        assert (stay.zone, stay.spot_number) == (INNER, "Y-1")
        await until(lambda: occupied(place) == {"deck": 0, "yard": 1})
        assert place.shown.sign("yard") == Sign(True, frozenset(Group))
        assert place.shown.sign(None) == Sign(), "there is room where one comes in"
        await drives(place, until, "outward")
        assert stay.zone == ZONE
        await until(lambda: occupied(place) == {"deck": 1, "yard": 0})
        assert place.shown.sign("yard") == Sign()
        await drives(place, until, "exit")
    assert stay.status == "COMPLETED"
    assert [part.zone for part in stay.segments] == [ZONE, INNER, ZONE]
    assert [part.known for part in stay.segments] == [PassageKnown.MEASURED] * 3


async def test_who_turns_back_before_the_barrier_is_where_it_was(until: Until) -> None:
    place = Place(inner=("Y-1",))
    async with Running(place):
        stay = await drives(place, until, "entry")
        place.vehicle("inward")
        await until(lambda: place.opened("inward") == 1)
        assert stay.zone == INNER
        place.say("inward", f"presence off at={place.clock.monotonic()} id=off")
        await until(lambda: stay.zone == ZONE)
        await until(lambda: occupied(place) == {"deck": 1, "yard": 0})
        await drives(place, until, "exit")
    assert stay.status == "COMPLETED"
    assert [part.zone for part in stay.segments] == [ZONE]
    assert len(place.rows.free[INNER]) == 1


async def test_the_inner_zone_is_full_while_the_outer_one_is_not(until: Until) -> None:
    place = Place(spots=("1", "2", "3"), inner=("Y-1",))
    async with Running(place):
        await drives(place, until, "entry")
        await drives(place, until, "inward")
        other = await drives(place, until, "entry", OTHER_CAR)
        place.vehicle("inward", OTHER_CAR)
        await until(lambda: denials(place) == [DenyReason.FULL_ZONE])
        assert other.zone == ZONE
        assert place.shown.sign("deck") == Sign()


async def test_a_stranger_at_the_inner_lane_did_not_come_in(until: Until) -> None:
    place = Place(inner=("Y-1",))
    async with Running(place):
        place.vehicle("inward")
        await until(lambda: denials(place) == [DenyReason.NO_ENTRY_FOUND])
    assert place.opened("inward") == 0


async def test_transients_may_not_go_in_where_permit_holders_may(until: Until) -> None:
    place = Place(inner=("Y-1", "Y-2"))
    place.rows.limits.append(FakeLimit(INNER, Group.TRANSIENT, 0))
    async with Running(place):
        stay = await drives(place, until, "entry")
        await until(lambda: place.shown.sign("yard") == Sign(False, frozenset({Group.TRANSIENT})))
        place.vehicle("inward")
        await until(lambda: denials(place) == [DenyReason.NOT_PERMITTED])
        assert place.opened("inward") == 0
        # It was taken for a stranger's.
        stay.group = Group.PERMIT_HOLDER
        place.say("inward", f"presence off at={place.clock.monotonic()} id=off")
        await asyncio.sleep(30)
        await drives(place, until, "inward")
        assert stay.zone == INNER


async def test_nobody_is_kept_in_when_the_way_out_is_full(until: Until) -> None:
    place = Place(spots=("1",), inner=("Y-1",), policy=LanePolicy(full_transfer=FullTransfer.OPEN))
    async with Running(place):
        stay = await drives(place, until, "entry")
        await drives(place, until, "inward")
        await drives(place, until, "entry", OTHER_CAR)
        await drives(place, until, "outward")
        assert place.rows.reconciled == [("over_capacity", stay.id)]
        await drives(place, until, "exit")
    assert stay.status == "COMPLETED"
    assert len(place.rows.free[INNER]) == 1
