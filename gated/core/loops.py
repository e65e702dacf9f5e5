"""What the loops ask for, phase by phase."""

from dataclasses import replace
from datetime import datetime, timedelta

from gated.core.access import judge_age
from gated.core.crossing import (
    begin_crossing,
    end_crossing,
    is_crossed,
    is_on_both,
    is_trailer,
    is_under,
    known_as,
    rolled_back,
    stands_still,
    unknown_follower,
    with_follower,
    with_trailer,
)
from gated.core.effects import (
    Do,
    FreeKind,
    Notice,
    Outcome,
    PassageKnown,
    PassFreely,
    SendCommand,
    Settle,
)
from gated.core.events import BarrierState, TimerName
from gated.core.gathering import begin_surely
from gated.core.judging import wait_for_payment
from gated.core.lane import Crossing, LaneState, Passed
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Deciding,
    Denied,
    Grant,
    Held,
    LetThrough,
    Open,
    Opening,
    Passing,
    grant_of,
)
from gated.core.rest import Decision, Turn, open_held, resting, start_timer, stopped, why_held
from gated.core.serving import (
    await_still,
    begin_again,
    complete,
    finish,
    go_unpaid,
    has_taken_place,
    is_next_let_through,
    pass_through,
    turn_back,
    waited_too_long,
)
from gated.core.site import LaneSetup

# One that turns back and the next one that takes its place need so long at least. A loop that is
# clear for less: a high chassis, a driver who rolls, or one who is on his way to the closing loop.
PLACE_CHANGE_SECONDS = 2.0

# ── the presence loop ──────────────────────────────────────────────────────────────────────


def stood_at_rest(turn: Turn) -> Decision:
    """Somebody drove onto the loop of a lane at rest."""
    # Late, as after a start, it opens nothing either: but whoever stands there unread gets help.
    return resting(turn.lane, turn.state, turn.now)


def stood_approached(turn: Turn) -> Decision:
    """The vehicle that was read has arrived."""
    phase = turn.state.phase
    assert isinstance(phase, Approached)
    if not _fresh(turn):
        return turn.stay()
    return begin_surely(turn.lane, turn.state, phase.cause, phase.read, turn.now)


def moved_before_arm(turn: Turn) -> Decision:
    """The presence loop changed while the vehicle may pass: it comes back, or leaves it."""
    lane, state, now = turn.lane, turn.state, turn.now
    phase = state.phase
    assert isinstance(phase, Opening | Open)
    if not turn.changed:
        # A box that repeats its contacts must not keep the timer from running out.
        return turn.stay()
    grant = phase.grant
    if not state.presence and state.closing and unknown_follower(state) is not None:
        # It was under the arm already when it was decided on.
        return pass_through(lane, replace(state, crossing=None), grant, now)
    if not state.presence and not lane.closing_loop and not isinstance(phase, Open):
        return complete(lane, state, grant, PassageKnown.ASSUMED, now)
    if state.presence and lane.closing_loop and _may_be_another(state, now):
        grant = replace(grant, anew=state.stood)
        phase = replace(phase, grant=grant)
        if not state.closing and has_taken_place(lane, state, grant):
            return turn_back(lane, state, grant, now)
    dead = grant.command is None
    if state.presence and _fresh(turn) and dead and state.waiting is not None:
        read, cause = state.waiting
        if read.plate == grant.plate and not waited_too_long(lane, cause, now):
            # It had backed off, was read again meanwhile, and is back.
            return begin_again(replace(state, waiting=None), grant, cause, read, now)
    return await_still(lane, state, phase, now)


def _may_be_another(state: LaneState, now: datetime) -> bool:
    """Whether the presence loop, on anew, was clear for so long that it need not be the same."""
    left_at = state.presence_left_at
    return left_at is not None and now - left_at >= timedelta(seconds=PLACE_CHANGE_SECONDS)


def left_unpaid(turn: Turn) -> Decision:
    """Whoever was asked to pay has backed off, or is under the arm in another's opening."""
    phase, state = turn.state.phase, turn.state
    assert isinstance(phase, AwaitingPayment)
    if not turn.changed and turn.lane.presence_loop:
        return turn.stay()
    if turn.changed:
        state = with_follower(state, known_as(phase.read, phase.matched))
    gone = state is not turn.state or is_under(state, phase.read)
    if not gone and not phase.recalled and turn.lane.presence_loop:
        # A loop flickers, and drivers roll to and fro who look for their card.
        return wait_for_payment(turn.lane, state, phase, turn.now)
    return go_unpaid(turn.lane, state, phase, turn.now)


def left_undecided(turn: Turn) -> Decision:
    """Whoever is decided on has left the presence loop: under the arm in another's opening? Or
    over the closing loop, which it was on when the lane began to look whether it has paid."""
    phase, state, cause = turn.state.phase, turn.state, turn.cause
    assert isinstance(phase, Deciding)
    if not turn.changed or phase.read is None or phase.earlier is not None:
        return turn.stay()
    state = with_follower(state, known_as(phase.read, phase.matched))
    unpaid = phase.asked is not None and is_under(state, phase.read)
    if state is turn.state and not unpaid:
        return turn.stay()
    return replace(state, phase=replace(phase, crossed=cause)), ()


def left(turn: Turn) -> Decision:
    """The vehicle has left the lane's front."""
    phase, state = turn.state.phase, turn.state
    if turn.changed and isinstance(phase, Denied) and not phase.unsure:
        state = with_follower(state, phase.read)
    state, effects = finish(turn.lane, state, turn.now)
    return state, (*stopped(phase), *effects)


def left_let_through(turn: Turn) -> Decision:
    """Whoever was let through has left the presence loop: where no loop follows, it is through."""
    if not turn.lane.closing_loop:
        return _through_by_hand(turn, PassageKnown.ASSUMED)
    state, phase = turn.state, turn.state.phase
    assert isinstance(phase, LetThrough)
    if not turn.changed or state.crossing is not None:
        return turn.stay()
    return replace(state, phase=replace(phase, left_at=turn.now)), ()


def stood_let_through(turn: Turn) -> Decision:
    """Somebody drives onto the presence loop of a lane that was opened by hand, and nobody is
    under the arm: whoever it was opened for, or the next one where that has turned back."""
    lane, state, phase = turn.lane, turn.state, turn.state.phase
    assert isinstance(phase, LetThrough)
    if not turn.changed or phase.left_at is None or state.crossing is not None:
        return turn.stay()
    if turn.now - phase.left_at > timedelta(seconds=lane.policy.backout_seconds_max):
        state, effects = finish(lane, state, turn.now)
        return state, (*stopped(phase), Notice("nobody_passed"), *effects)
    phase = replace(phase, left_at=None, again=True)
    if state.waiting is None:
        return replace(state, phase=phase), ()
    read, cause = state.waiting
    if not is_next_let_through(phase, read):
        return replace(state, phase=phase), ()
    # It was read before it came onto the loop.
    state = replace(state, waiting=None, phase=replace(phase, read=read, unread=False))
    return state.remember(read, turn.now), (Settle(cause, Outcome.NOTED),)


def _fresh(turn: Turn) -> bool:
    # A late report sets what is known of the loop; it is no evidence that somebody is there now.
    assert turn.cause is not None
    return judge_age(turn.lane.policy, turn.cause) is None


# ── the closing loop ───────────────────────────────────────────────────────────────────────

# Reports of any age: a late one still tells who passed, and a device whose clock is wrong must
# not have its vehicles taken for backed out.


def reached(turn: Turn) -> Decision:
    """The vehicle that may pass is on the closing loop, unless that came on before its grant."""
    grant = grant_of(turn.state.phase)
    assert grant is not None
    assert turn.cause is not None
    if not grant.precedes(turn.cause):
        # On since before the grant: the last vehicle, or a loop that is stuck.
        return turn.stay()
    if is_trailer(turn.lane, turn.state, turn.now):
        return with_trailer(turn.state), ()
    state, effects = pass_through(turn.lane, turn.state, grant, turn.now)
    return state, (*_under_the_arm(turn, grant), *effects)


def _under_the_arm(turn: Turn, grant: Grant) -> tuple[Notice, ...]:
    """Whether the arm contradicts: it was up for this vehicle, came down, and has not told since
    that it went up again."""
    down = turn.lane.arm_switch and turn.state.arm is BarrierState.CLOSED
    return (Notice("arm_down_on_vehicle", turn.cause),) if down and grant.came_down else ()


def reached_undecided(turn: Turn) -> Decision:
    """Somebody is on the closing loop while the vehicle before it is being decided on."""
    state, cause = turn.state, turn.cause
    phase = state.phase
    assert isinstance(phase, Deciding)
    assert cause is not None
    if phase.crossed is not None or (
        phase.earlier is not None and not phase.earlier.precedes(cause)
    ):
        return turn.stay()
    if phase.earlier is not None:
        told = _under_the_arm(turn, phase.earlier)
        return replace(state, phase=replace(phase, crossed=cause)), told
    read = known_as(phase.read, phase.matched) if phase.read is not None else None
    state, effects = begin_crossing(turn.lane, state, cause, read, turn.now)
    if is_crossed(state):
        state = replace(state, phase=replace(phase, crossed=cause))
    return state, effects


def crossed(turn: Turn) -> Decision:
    """Somebody is on the closing loop whom nobody granted passage."""
    assert turn.cause is not None
    phase = turn.state.phase
    read = phase.read if isinstance(phase, Denied) else None
    state, effects = begin_crossing(turn.lane, turn.state, turn.cause, read, turn.now)
    return state, effects


def crossed_unpaid(turn: Turn) -> Decision:
    """Whoever was asked to pay drives out, or somebody does in its place. While it is on the
    presence loop too, it may only be rolling, and may pay yet."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    assert turn.cause is not None
    read = known_as(phase.read, phase.matched)
    state, noticed = begin_crossing(turn.lane, turn.state, turn.cause, read, turn.now)
    if not is_crossed(state) or (is_on_both(state) and not phase.recalled):
        return state, noticed
    state, effects = go_unpaid(turn.lane, state, phase, turn.now)
    return state, (*noticed, *effects)


def cleared_unpaid(turn: Turn) -> Decision:
    """The closing loop is clear. If it was the one that was asked to pay, it is back and may pay
    yet; or it is through, with another one close behind."""
    phase = turn.state.phase
    assert isinstance(phase, AwaitingPayment)
    assert turn.cause is not None
    own = is_under(turn.state, phase.read)
    state, effects = end_crossing(turn.state, turn.cause)
    if not own:
        return state, effects
    if any(isinstance(effect, PassFreely) for effect in effects):
        state, left = go_unpaid(turn.lane, state, phase, turn.now)
        return state, (*effects, *left)
    return replace(state, phase=rolled_back(state, phase, turn.now)), effects


def reached_held(turn: Turn) -> Decision:
    """Somebody drives through a lane whose arm stays up: the one that was read, if it is recent."""
    phase, state, lane = turn.state.phase, turn.state, turn.lane
    assert isinstance(phase, Held)
    read = None if _turned_back(lane, state, phase, turn.now) else phase.read
    return replace(state, phase=Held(), crossing=Crossing(_kind_held(state), read)), ()


def stood_held(turn: Turn) -> Decision:
    """Somebody comes to a lane that is held open. If the arm is down all the same, it is asked
    once more: there is a vehicle now that it is to go up for. An arm that cannot be told to stay
    up is opened for each."""
    state, lane, cause = turn.state, turn.lane, turn.cause
    assert cause is not None
    phase = state.phase
    assert isinstance(phase, Held)
    if not turn.changed or not _fresh(turn):
        return turn.stay()
    if _turned_back(lane, state, phase, turn.now):
        state = replace(state, phase=Held())
    if not lane.holds:
        return state, open_held(lane, state, cause.event)
    time_up = turn.now - state.since >= timedelta(seconds=lane.policy.open_seconds_max)
    if not lane.arm_switch or state.arm is not BarrierState.CLOSED or not time_up:
        return state, ()
    return state, (SendCommand(cause.event, Do.HOLD, why_held(state)),)


def _turned_back(lane: LaneSetup, state: LaneState, phase: Held, now: datetime) -> bool:
    """Whether the one that was read left the presence loop so long ago that it is no passage."""
    if phase.read is None or state.presence_left_at is None:
        return False
    plate, left_at = phase.read.plate, state.presence_left_at
    read_at = max((seen.at for seen in state.seen if seen.plate == plate), default=state.since)
    gone = timedelta(seconds=lane.policy.backout_seconds_max)
    return read_at <= left_at < now - gone


def reached_let_through(turn: Turn) -> Decision:
    """Whoever was let through is on the closing loop."""
    phase, state = turn.state.phase, turn.state
    assert isinstance(phase, LetThrough)
    if is_trailer(turn.lane, state, turn.now):
        return with_trailer(state), ()
    crossing = Crossing(FreeKind.OPERATOR, phase.read, request=phase.request)
    state, timer = start_timer(state, TimerName.PASSAGE, turn.lane.policy.passage_seconds_max)
    return replace(state, crossing=crossing), (timer,)


def cleared_undecided(turn: Turn) -> Decision:
    """The closing loop is clear while somebody is being decided on."""
    state, phase, crossing = turn.state, turn.state.phase, turn.state.crossing
    assert isinstance(phase, Deciding)
    assert turn.cause is not None
    if crossing is None:
        return turn.stay()
    own = phase.crossed is not None or (phase.read is not None and is_under(state, phase.read))
    if not own:
        return end_crossing(state, turn.cause)
    asked = phase.asked
    if stands_still(state, crossing) and not crossing.followed:
        # It rolled back and stands there: it is decided on as if it had not moved.
        asked = rolled_back(state, asked, turn.now) if asked is not None else None
        phase = replace(phase, crossed=None, asked=asked)
        state = replace(state, crossing=None, phase=phase)
        return state, (Notice("rolled_back", turn.cause, crossing.kind),)
    if asked is not None and phase.crossed is None:
        # It was on the closing loop when the lane began to look whether it has paid.
        return replace(state, phase=replace(phase, crossed=turn.cause)), ()
    return turn.stay()


def cleared_granted(turn: Turn) -> Decision:
    """The closing loop is clear while a vehicle is awaited there: mostly another one left it."""
    grant, state = grant_of(turn.state.phase), turn.state
    assert grant is not None
    assert turn.cause is not None
    if state.closing_again and turn.lane.presence_loop and not state.presence:
        # It came on for this one: that it had been clear before was lost.
        state = replace(state, closing_again=False)
        return complete(turn.lane, state, grant, PassageKnown.MEASURED, turn.now)
    return end_crossing(replace(state, closing_again=False), turn.cause)


def cleared_approached(turn: Turn) -> Decision:
    """Whoever crossed without a grant is through, and somebody was read meanwhile that nobody has
    seen arriving: it was that one, if nobody else stood at the barrier."""
    phase, state, cause = turn.state.phase, turn.state, turn.cause
    assert isinstance(phase, Approached)
    assert cause is not None
    crossing = unknown_follower(state)
    if crossing is None or state.presence:
        return end_crossing(state, cause)
    state = replace(state, crossing=replace(crossing, read=phase.read))
    state, through = end_crossing(state.passed(phase.read.plate, turn.now), cause)
    state, effects = finish(turn.lane, state, turn.now)
    noted = Settle(phase.cause, Outcome.NOTED)
    return state, (*stopped(phase), noted, *through, *effects)


def cleared(turn: Turn) -> Decision:
    """Whoever crossed without a grant is through."""
    assert turn.cause is not None
    return end_crossing(turn.state, turn.cause)


def passed(turn: Turn) -> Decision:
    """The vehicle that may pass has cleared the closing loop."""
    phase = turn.state.phase
    assert isinstance(phase, Passing)
    return complete(turn.lane, turn.state, phase.grant, PassageKnown.MEASURED, turn.now)


def passed_by_hand(turn: Turn) -> Decision:
    """Whoever was let through has cleared the closing loop."""
    crossing, cause = turn.state.crossing, turn.cause
    assert cause is not None
    if crossing is not None and crossing.request is None:
        # Not the one that was let through, but one that was under the arm before.
        return end_crossing(turn.state, cause)
    return _through_by_hand(turn, PassageKnown.MEASURED)


def passed_held(turn: Turn) -> Decision:
    """Somebody went through a lane whose arm stays up."""
    state, phase = turn.state, turn.state.phase
    assert isinstance(phase, Held)
    assert turn.cause is not None
    # The arm comes down behind it, if it cannot be told to stay up; the next one has closed up.
    opened = open_held(turn.lane, state, turn.cause.event) if state.presence else ()
    crossing = state.crossing or Crossing(_kind_held(state))
    if crossing.trailer:
        state, told = end_crossing(state, turn.cause)
        return state, (*opened, *told)
    if stands_still(state, crossing) and not crossing.followed:
        # It came onto the loop before the lane was held, and rolled back.
        notice = Notice("rolled_back", turn.cause, crossing.kind)
        there = Held(phase.read or crossing.read)
        return replace(state, crossing=None, phase=there), (*opened, notice)
    if crossing.request is None and not crossing.followed:
        # Whatever it was about to do: the arm has been ordered up for it since.
        crossing = replace(crossing, kind=_kind_held(state))
    if crossing.read is None:
        # It was read on its way through, if at all.
        crossing = replace(crossing, read=phase.read)
        state = replace(state, phase=Held())
    free = PassFreely(turn.cause, crossing.kind, crossing.read, crossing.after, crossing.request)
    if crossing.read is not None:
        state = state.passed(crossing.read.plate, turn.now)
    return replace(state, crossing=None), (*opened, free)


def _kind_held(state: LaneState) -> FreeKind:
    return FreeKind.EVACUATION if state.evacuating else FreeKind.HELD


def _through_by_hand(turn: Turn, known: PassageKnown) -> Decision:
    phase, cause = turn.state.phase, turn.cause
    assert isinstance(phase, LetThrough)
    assert cause is not None
    through = PassFreely(cause, FreeKind.OPERATOR, phase.read, None, phase.request, known)
    state = replace(turn.state, crossing=None, passed_last=Passed(None, turn.now))
    state, effects = finish(turn.lane, state.with_cleared(turn.now), turn.now)
    return state, (*stopped(phase), through, *effects)
