"""The lanes beside a lane: where a driver is sent whom it cannot serve."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from gated.core.effects import Fault
from gated.core.ids import LaneId
from gated.core.lane import LaneState
from gated.core.site import Direction, LaneSetup

# With one of these a lane is in service, and would all the same leave a driver standing.
_HINDERING = frozenset({Fault.ARM_NOT_CLOSED, Fault.CAMERA_SILENT, Fault.DEVICE_OFFLINE})


def neighbours(lane: LaneSetup, lanes: Iterable[LaneSetup]) -> tuple[LaneId, ...]:
    """The other lanes that lead the same way, in their order: from the same place, and for an entry
    or a transfer into one of the same zones. Each exit leads out of all zones."""

    def beside(other: LaneSetup) -> bool:
        same_way = (other.direction, other.from_zone) == (lane.direction, lane.from_zone)
        shares = lane.direction is Direction.EXIT or not set(lane.zones).isdisjoint(other.zones)
        return other.id != lane.id and same_way and shares

    return tuple(other.id for other in lanes if beside(other))


def lane_beside(
    lane: LaneSetup,
    lanes: Mapping[LaneId, LaneSetup],
    states: Mapping[LaneId, LaneState],
    now: datetime,
) -> LaneSetup | None:
    """The first neighbour that serves now, of a lane that does not; None where there is none.

    In an evacuation nobody is sent anywhere but out. Whom a neighbour admits may differ: it will
    say so itself.
    """
    if states[lane.id].serves or states[lane.id].evacuating:
        return None
    usable = (lanes[other] for other in lane.beside if _usable(lanes[other], states[other], now))
    return next(usable, None)


def _usable(lane: LaneSetup, state: LaneState, now: datetime) -> bool:
    is_open = lane.opening is None or lane.opening.is_open(now)
    return is_open and state.serves and _HINDERING.isdisjoint(state.faults)
