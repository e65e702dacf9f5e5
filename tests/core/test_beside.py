"""Where a driver is sent whose lane does not serve."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gated.core.beside import awaiting_elsewhere, lane_beside, neighbours, vacated
from gated.core.effects import Fault
from gated.core.ids import LaneId, Slug
from gated.core.lane import LaneState
from gated.core.opening import OpeningHours
from gated.core.phases import Closing, Deciding, Grant, Idle, Open, Opening, Passing
from gated.core.plates import Plate
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import LaneMode
from tests.core.support import (
    CAR,
    OPEN,
    OTHER_CAR,
    OTHER_STAY,
    START,
    STAY,
    ZONE_A,
    ZONE_B,
    ZONE_C,
    cause_of,
    lane_of,
    read_of,
)

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


# ── who drives there by himself ─────────────────────────────────────────────────────────────

GRANT = Grant(CAR, STAY, ZONE_A, OPEN, cause_of(1).event)
GONE = replace(SERVES, phase=Opening(GRANT))


def left_for(here: LaneSetup, there: LaneState, plate: Plate = CAR, **fields: Any) -> LaneId | None:
    """The entry that the plate has left, if it is here now."""
    other = lane(2, **fields)
    return vacated(
        here, plate, {here.id: here, other.id: other}, {here.id: SERVES, other.id: there}
    )


def test_an_entry_is_left_once_the_presence_loop_is_clear() -> None:
    assert left_for(lane(1), GONE) == lane(2).id
    assert left_for(lane(1), replace(GONE, phase=Open(GRANT))) == lane(2).id
    assert left_for(lane(1), replace(GONE, phase=Opening(replace(GRANT, command=None))))


@pytest.mark.parametrize(
    "there",
    [
        SERVES,
        replace(GONE, presence=True),
        replace(GONE, closing=True),
        replace(GONE, phase=Passing(GRANT)),
        replace(GONE, phase=Closing(STAY)),
        replace(GONE, phase=Opening(replace(GRANT, plate=OTHER_CAR))),
        replace(GONE, phase=Opening(replace(GRANT, plate=None))),
        replace(GONE, phase=Opening(replace(GRANT, zone=ZONE_B))),
    ],
)
def test_nobody_has_left_an_entry_that_does_not_show_it(there: LaneState) -> None:
    assert left_for(lane(1), there) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"presence_loop": False},
        {"closing_loop": False},
        {"direction": Direction.EXIT},
        {"direction": Direction.TRANSFER},
    ],
)
def test_nobody_has_left_a_lane_that_cannot_show_it(fields: dict[str, Any]) -> None:
    assert left_for(lane(1), GONE, **fields) is None


def test_an_entry_alone_takes_over() -> None:
    assert left_for(lane(1, Direction.EXIT), GONE) is None
    assert left_for(lane(1, Direction.TRANSFER), GONE) is None


def test_the_lanes_that_await_a_stay_let_in_elsewhere_are_told() -> None:
    here, there = lane(1), lane(2)
    deciding = Deciding(read_of(), cause_of(2), earlier=GRANT)
    for phase, told in (
        (Opening(GRANT), (there.id,)),
        (Passing(GRANT), (there.id,)),
        (deciding, (there.id,)),
        (replace(deciding, earlier=None), ()),
        (Opening(replace(GRANT, stay=OTHER_STAY)), ()),
        (Idle(), ()),
    ):
        states = {here.id: GONE, there.id: replace(SERVES, phase=phase)}
        assert awaiting_elsewhere(here, STAY, states) == told
