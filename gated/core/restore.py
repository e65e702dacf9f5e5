"""What a lane knows when its daemon starts (again): a vehicle may be on its way through."""

from dataclasses import replace
from datetime import datetime

from gated.core.events import TimerName
from gated.core.lane import LaneState
from gated.core.phases import Grant, Opening
from gated.core.rest import Decision, resting, start_timer
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import AskedPayment, LaneMode, PendingPassage


def restored(
    lane: LaneSetup,
    pending: PendingPassage | None,
    now: datetime,
    mode: LaneMode = LaneMode.IN_SERVICE,
    *,
    evacuating: bool = False,
    asked: AskedPayment | None = None,
) -> Decision:
    """The lane's first state. No command follows from it.

    The open command of a passage that was pending counts as of unknown fate: the loops or the
    passage timer settle it, and a fresh read of the same plate is decided anew. Where vehicles
    stand is told by the loops' last reports, which the inbox delivers again: a closing loop
    that came on since the grant means that the vehicle is on its way through. Who was asked to pay
    is asked still once its read is delivered again, see `gated.core.recalled`.
    """
    state = LaneState(since=now, mode=mode, evacuating=evacuating)
    if pending is None:
        return resting(lane, replace(state, asked=asked), now)
    if pending.command is not None:
        state = state.with_open(pending.command)
    grant = Grant(
        pending.plate,
        pending.stay,
        None if lane.direction is Direction.EXIT else pending.zone,
        None,
        pending.event,
        at=pending.granted_at,
        moved=lane.direction is Direction.TRANSFER,
    )
    # The full time, whatever the presence loop is thought to say: nobody watched it meanwhile,
    # and what the devices reported is still on its way from the broker.
    state, timer = start_timer(state, TimerName.PASSAGE, lane.policy.passage_seconds_max)
    return state.enter(Opening(grant), now), (timer,)
