"""What a lane knows when its daemon starts (again): a vehicle may be on its way through."""

from dataclasses import replace
from datetime import datetime

from gated.core.lane import Grant, LaneState
from gated.core.serving import Decision, await_passage
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import PendingPassage


def restored(
    lane: LaneSetup, pending: PendingPassage | None, presence: bool, now: datetime
) -> Decision:
    """The lane's first state. No command follows from it.

    The open command of a passage that was pending counts as of unknown fate: the loops or the
    passage timer settle it, and a fresh read of the same plate is decided anew.
    """
    state = replace(LaneState(since=now), presence=presence)
    if pending is None:
        return state, ()
    zone = pending.zone if lane.direction is Direction.ENTRY else None
    grant = Grant(pending.plate, pending.stay, zone, None, pending.event)
    return await_passage(lane, state, grant, now)
