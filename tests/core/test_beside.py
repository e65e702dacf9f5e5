"""Where a driver is sent whose lane does not serve."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gated.core.beside import lane_beside, neighbours
from gated.core.effects import Fault
from gated.core.ids import LaneId, Slug
from gated.core.lane import LaneState
from gated.core.opening import OpeningHours
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import LaneMode
from tests.core.support import START, ZONE_A, ZONE_B, ZONE_C, lane_of

NEVER = OpeningHours((), frozenset(), frozenset(), "Europe/Berlin")


def lane(number: int, direction: Direction = Direction.ENTRY, **fields: Any) -> LaneSetup:
    return replace(
        lane_of(direction), id=LaneId(UUID(int=number)), slug=Slug(f"l-{number}"), **fields
    )


def names(one: LaneSetup, *others: LaneSetup) -> list[int]:
    return [other.int for other in neighbours(one, (one, *others))]


def test_neighbours_lead_the_same_way_into_a_zone_that_both_have() -> None:
    one = lane(1, zones=(ZONE_A, ZONE_B))
    others = (
        lane(2, zones=(ZONE_B, ZONE_C)),
        lane(3, zones=(ZONE_C,)),
        lane(4, Direction.EXIT, zones=()),
        lane(5, zones=(ZONE_A,)),
        lane(6, Direction.TRANSFER, zones=(ZONE_A,), from_zone=ZONE_C),
    )
    assert names(one, *others) == [2, 5]


def test_each_exit_leads_out_of_all_zones() -> None:
    out = Direction.EXIT
    assert names(lane(1, out, zones=()), lane(2, out, zones=()), lane(3)) == [2]


def test_a_transfer_has_those_beside_it_that_come_from_the_same_zone() -> None:
    def transfer(number: int, from_zone: object) -> LaneSetup:
        return lane(number, Direction.TRANSFER, zones=(ZONE_A,), from_zone=from_zone)

    assert names(transfer(1, ZONE_C), transfer(2, ZONE_B), transfer(3, ZONE_C)) == [3]


SERVES = LaneState(since=START)
BROKEN = replace(SERVES, faults=frozenset({Fault.ARM_STUCK}))


def beside(
    own: LaneState, other: LaneState, *, third: LaneState = BROKEN, **fields: Any
) -> str | None:
    """Who is offered at the first of three lanes."""
    lanes = {one.id: one for one in (lane(1), lane(2, **fields), lane(3))}
    first, second, last = lanes
    lanes[first] = replace(lanes[first], beside=(second, last))
    states = {first: own, second: other, last: third}
    found = lane_beside(lanes[first], lanes, states, START)
    return None if found is None else found.slug


CLOSED = replace(SERVES, mode=LaneMode.CLOSED)


def test_the_first_that_serves_is_offered() -> None:
    assert beside(BROKEN, SERVES) == "l-2"
    assert beside(CLOSED, SERVES, third=SERVES) == "l-2"
    assert beside(CLOSED, CLOSED, third=SERVES) == "l-3"


def test_a_lane_that_serves_offers_no_other() -> None:
    assert beside(SERVES, SERVES) is None


@pytest.mark.parametrize(
    "other",
    [
        BROKEN,
        CLOSED,
        replace(SERVES, mode=LaneMode.HELD),
        replace(SERVES, evacuating=True),
        *(
            replace(SERVES, faults=frozenset({fault}))
            for fault in (Fault.ARM_NOT_CLOSED, Fault.CAMERA_SILENT, Fault.DEVICE_OFFLINE)
        ),
    ],
)
def test_who_would_leave_a_driver_standing_is_not_offered(other: LaneState) -> None:
    assert beside(BROKEN, other) is None


def test_an_entry_outside_its_hours_is_not_offered() -> None:
    assert beside(BROKEN, SERVES, opening=NEVER) is None


def test_in_an_evacuation_nobody_is_sent_to_another_entry() -> None:
    assert beside(replace(BROKEN, evacuating=True), SERVES) is None
