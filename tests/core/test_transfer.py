"""A lane between two zones of a facility: who is let on, and what is taken back."""

from dataclasses import replace

import pytest

from gated.core.access import judge_transfer
from gated.core.effects import (
    CancelMove,
    CompletePassage,
    Deny,
    Effect,
    Move,
    PassageKnown,
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.events import (
    CommandStatus,
    Moved,
    NoOpenStay,
    OpenStaysTaken,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.ids import ZoneId
from gated.core.phases import Grant, Opening
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.restore import restored
from gated.core.site import Admits, Direction, FullTransfer, LanePolicy, LaneSetup
from gated.core.snapshot import Group, OpenStay, PendingPassage, StayInside
from tests.core.support import (
    CAR,
    OPEN,
    OPEN_AGAIN,
    START,
    STAY,
    ZONE_A,
    ZONE_B,
    ZONE_C,
    Told,
    at,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
)

KNOWN = LanePolicy(admits=Admits.KNOWN)
OUTSIDE = open_stay(ZONE_A)
# HHAB1234 was read; this one is inside.
INSIDE = Plate("HHA81234")


def between(
    zones: tuple[ZoneId, ...] = (ZONE_B,), *, policy: LanePolicy | None = None
) -> LaneSetup:
    """From zone A into others."""
    lane = lane_of(Direction.TRANSFER, zones=zones, policy=policy)
    return replace(lane, from_zone=ZONE_A)


def standing(lane: LaneSetup | None = None) -> Told:
    """A vehicle stands at the lane, its plate is read, the facts are being gathered."""
    told = Told(lane or between())
    told.presence(True)
    told.read()
    return told


def moved(told: Told, zone: ZoneId = ZONE_B, *, again: bool = False) -> tuple[Effect, ...]:
    command = OPEN_AGAIN if again else OPEN
    return told.tell(Moved(told.deciding_cause, STAY, zone, "B-1", command))


def opened(lane: LaneSetup | None = None) -> Told:
    """It was let on, and has not passed yet."""
    told = standing(lane)
    told.gathered(facts(stay=OUTSIDE))
    moved(told)
    return told


def stay_of(group: Group) -> OpenStay:
    return replace(OUTSIDE, group=group)


@pytest.mark.parametrize(
    ("policy", "stay", "blocked", "verdict"),
    [
        (LanePolicy(), None, False, DenyReason.NO_ENTRY_FOUND),
        (LanePolicy(), open_stay(released=True), False, DenyReason.NO_ENTRY_FOUND),
        (LanePolicy(), stay_of(Group.TRANSIENT), False, GrantReason.STAY_OPEN),
        (LanePolicy(), stay_of(Group.TRANSIENT), True, GrantReason.STAY_OPEN),
        (KNOWN, stay_of(Group.TRANSIENT), False, DenyReason.NOT_PERMITTED),
        (KNOWN, stay_of(Group.PERMIT_HOLDER), False, GrantReason.STAY_OPEN),
        (KNOWN, stay_of(Group.RESERVATION), False, GrantReason.STAY_OPEN),
        (KNOWN, stay_of(Group.PERMIT_HOLDER), True, DenyReason.BLOCKED),
    ],
    ids=[
        "who is not inside",
        "who was let out",
        "anybody who is inside",
        "a blocked one, on what may be its way out",
        "a transient where the known may go",
        "a permit holder there",
        "a reservation there",
        "a blocked one gets no further there",
    ],
)
def test_who_may_go_on(
    policy: LanePolicy,
    stay: OpenStay | None,
    blocked: bool,
    verdict: GrantReason | DenyReason,
) -> None:
    assert judge_transfer(policy, facts(stay=stay, blocked=blocked)) is verdict


class TestIn:
    def test_the_stay_is_moved_and_the_passage_completes_it(self) -> None:
        told = standing()
        move = Move(
            cause_of(2), read_of(), OUTSIDE, ZONE_B, GrantReason.STAY_OPEN, at(5), matched=None
        )
        assert told.gathered(facts(stay=OUTSIDE)) == (move,)
        moved(told)
        grant = Grant(CAR, STAY, ZONE_B, OPEN, cause_of(2).event, moved=True)
        grant = replace(grant, read=read_of(), stood=told.state.stood)
        assert told.state.phase == Opening(grant)
        told.closing(True)
        told.presence(False)
        effects = told.closing(False)
        done = CompletePassage(STAY, PassageKnown.MEASURED, cause_of(2).event)
        assert done in effects

    def test_who_did_not_come_in_is_denied(self) -> None:
        told = standing()
        told.gathered(facts())
        assert told.near() == (Deny(cause_of(2), DenyReason.NO_ENTRY_FOUND, read_of(), show=True),)

    def test_a_stay_that_ended_meanwhile_is_no_stay(self) -> None:
        told = standing()
        told.gathered(facts(stay=OUTSIDE))
        effects = told.tell(NoOpenStay(told.deciding_cause))
        assert effects == (Deny(cause_of(2), DenyReason.NO_ENTRY_FOUND, read_of(), show=True),)

    def test_the_lanes_zones_are_tried_one_after_the_other(self) -> None:
        told = standing(between((ZONE_B, ZONE_C)))
        told.gathered(facts(stay=OUTSIDE))
        effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_B, ZoneRefusal.FULL))
        assert [effect.zone for effect in effects if isinstance(effect, Move)] == [ZONE_C]

    def test_who_has_a_spot_behind_the_lane_goes_to_it_though_the_zone_is_full(self) -> None:
        told = standing(between((ZONE_B, ZONE_C)))
        stay = open_stay(ZONE_C)
        [move] = told.gathered(facts(stay=stay, available={ZONE_B: 4, ZONE_C: 0}))
        assert isinstance(move, Move)
        assert move.zone == ZONE_C

    @pytest.mark.parametrize(
        ("refusal", "reason"),
        [
            (ZoneRefusal.FULL, DenyReason.FULL_FACILITY),
            (ZoneRefusal.GROUP_FULL, DenyReason.FULL_CLASS),
            (ZoneRefusal.FACILITY_GROUP_FULL, DenyReason.FULL_CLASS),
            (ZoneRefusal.GROUP_NOT_PERMITTED, DenyReason.NOT_PERMITTED),
            (ZoneRefusal.TOO_SMALL, DenyReason.VEHICLE_TOO_LARGE),
        ],
    )
    def test_a_zone_that_does_not_take_it_in(
        self, refusal: ZoneRefusal, reason: DenyReason
    ) -> None:
        told = standing()
        told.gathered(facts(stay=OUTSIDE))
        effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_B, refusal))
        assert effects == (Deny(cause_of(2), reason, read_of(), show=True),)

    def test_a_misread_plate_is_looked_for_among_those_inside(self) -> None:
        told = standing(between(policy=LanePolicy(match_distance_max=1)))
        assert kinds(told.gathered(facts())) == [TakeOpenStays.__name__]
        inside = StayInside(STAY, INSIDE, at(-3600), ZONE_A)
        effects = told.tell(OpenStaysTaken(told.deciding_cause, (inside,)))
        assert isinstance(effects[-1], TakeSnapshot)
        [move] = told.gathered(facts(INSIDE, stay=OUTSIDE))
        assert isinstance(move, Move)
        assert move.matched is not None
        assert move.matched.plate == INSIDE


class TestOut:
    """Where the way out of a zone leads through another, nobody is kept in because that is full."""

    OPENS = LanePolicy(full_transfer=FullTransfer.OPEN)

    @pytest.mark.parametrize("available", [{ZONE_B: 0}, None], ids=["counted full", "refused"])
    def test_it_is_let_on_anyway(self, available: dict[ZoneId, int] | None) -> None:
        told = standing(between(policy=self.OPENS))
        effects = told.gathered(facts(stay=OUTSIDE, available=available))
        if available is None:
            refused = ZoneRefused(told.deciding_cause, ZONE_B, ZoneRefusal.FULL)
            effects = told.tell(refused)
        [move] = effects
        assert isinstance(move, Move)
        assert (move.zone, move.anyway) == (ZONE_B, True)

    def test_who_is_not_inside_is_not(self) -> None:
        told = standing(between(policy=self.OPENS))
        told.gathered(facts())
        assert kinds(told.near()) == ["Deny"]


class TestBack:
    def test_who_backs_out_is_moved_back(self) -> None:
        told = opened()
        told.wait(1)
        told.presence(False)
        told.wait(6)
        effects = told.timer(TimerName.PASSAGE)
        undone = CancelMove(STAY, ZONE_B, "no_passage", cause_of(2).event)
        assert undone in effects
        assert told.phase == "Idle"

    @pytest.mark.parametrize("status", [CommandStatus.EXPIRED, CommandStatus.FAILED])
    def test_an_arm_that_did_not_open_moved_nobody(self, status: CommandStatus) -> None:
        told = opened()
        effects = told.ended(status)
        assert [each.zone for each in effects if isinstance(each, CancelMove)] == [ZONE_B]

    def test_after_a_restart_it_is_awaited_and_can_be_taken_back(self) -> None:
        pending = PendingPassage(
            between().id, STAY, ZONE_B, CAR, OPEN, cause_of(1).event, granted_at=at(-20)
        )
        state, _ = restored(between(), pending, START)
        told = Told(between(), state, events=10)
        told.wait(60)
        undone = CancelMove(STAY, ZONE_B, "no_passage", cause_of(1).event)
        assert undone in told.timer(TimerName.PASSAGE)
