"""What a lane knows when its daemon starts (again): a vehicle may be on its way through."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from gated.core.effects import Fault
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
    faults: Mapping[Fault, datetime] | None = None,
) -> Decision:
    """The lane's first state. No command follows from it.

    The open command of a passage that was pending counts as of unknown fate: the loops or the
    passage timer settle it, and a fresh read of the same plate is decided anew. Where vehicles
    stand is told by the loops' last reports, which the inbox delivers again: a closing loop
    that came on since the grant means that the vehicle is on its way through. Who was asked to pay
    is asked still once its read is delivered again, see `gated.core.recalled`. `faults` are those
    that stood, by the time at which they were raised.
    """
    stood = tuple((fault, at) for fault, at in (faults or {}).items() if _stands(lane, fault))
    state = LaneState(
        since=now,
        mode=mode,
        evacuating=evacuating,
        faults=frozenset(fault for fault, _ in stood),
        faults_before=stood,
        arm_unsaid=Fault.ARM_STUCK in dict(stood),
    )
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


def _stands(lane: LaneSetup, fault: Fault) -> bool:
    """Whether the fault stood at a restart stands after it: if the lane has, by now, what would
    show the contrary.

    An arm that did not obey must not serve unseen, whatever the lane has: an operator may say that
    it does. Which of the lane's devices was gone nobody has noted, and each is soon heard of, or
    missed, anew.
    """
    match fault:
        case Fault.ARM_STUCK | Fault.CAMERA_SILENT:
            return True
        case Fault.ARM_FORCED | Fault.ARM_NOT_CLOSED:
            return lane.arm_switch
        case Fault.PRESENCE_LOOP_STUCK:
            return lane.presence_loop
        case Fault.CLOSING_LOOP_STUCK | Fault.CLOSING_LOOP_SILENT:
            return lane.closing_loop
        case Fault.DEVICE_OFFLINE:
            return False
        case _:
            assert_never(fault)
