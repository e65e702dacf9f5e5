"""The lanes beside a lane: where a driver is sent whom it cannot serve, or goes by himself."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from gated.core.effects import Fault
from gated.core.ids import LaneId, StayId
from gated.core.lane import LaneState
from gated.core.phases import Deciding, Open, Opening, grant_of
from gated.core.plates import Plate
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


def vacated(
    lane: LaneSetup,
    plate: Plate,
    lanes: Mapping[LaneId, LaneSetup],
    states: Mapping[LaneId, LaneState],
) -> LaneId | None:
    """The other entry that has let this plate in, and whose vehicle has backed out of it.

    Only where both loops say so: it stands neither before the arm nor under it, and has not passed.
    While it stands there, a vehicle with its plate at another lane is not the same one.
    """
    if lane.direction is not Direction.ENTRY:
        return None
    for other in lanes.values():
        state = states[other.id]
        if other.id == lane.id or other.direction is not Direction.ENTRY:
            continue
        if not (other.presence_loop and other.closing_loop) or state.presence or state.closing:
            continue
        match state.phase:
            case Opening(grant) | Open(grant) if grant.plate == plate and grant.zone in lane.zones:
                return other.id
            case _:
                pass
    return None


def awaiting_elsewhere(
    lane: LaneSetup, stay: StayId, states: Mapping[LaneId, LaneState]
) -> tuple[LaneId, ...]:
    """The other lanes that await the vehicle of this stay, which has been let in at this one."""

    def awaits(state: LaneState) -> bool:
        phase = state.phase
        grant = phase.earlier if isinstance(phase, Deciding) else grant_of(phase)
        return grant is not None and grant.stay == stay

    return tuple(other for other, state in states.items() if other != lane.id and awaits(state))


def _usable(lane: LaneSetup, state: LaneState, now: datetime) -> bool:
    is_open = lane.opening is None or lane.opening.is_open(now)
    return is_open and state.serves and _HINDERING.isdisjoint(state.faults)
