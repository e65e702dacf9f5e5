"""A vehicle that stands refused is decided on once more when the reason may have ended."""

from uuid import UUID

import pytest

from gated.core.effects import (
    Admit,
    CancelAdmission,
    Deny,
    Effect,
    Fault,
    Notice,
    Outcome,
    SendCommand,
    Settle,
    TakeSnapshot,
)
from gated.core.events import (
    BarrierState,
    ChangeTold,
    DecisionFailed,
    EvacuationChanged,
    InputChanged,
    InputName,
    Operated,
    OperateOutcome,
    OperatorDo,
    PlateUnread,
    Request,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.ids import EventId
from gated.core.lane import Call
from gated.core.phases import Deciding, Denied, LetThrough
from gated.core.reasons import FULL, MAY_END, CallReason, DenyReason
from gated.core.site import ButtonTicket, LanePolicy
from gated.core.snapshot import PlateSnapshot
from tests.core.support import CAR, OTHER_CAR, ZONE_A, ZONE_B, Told, facts, kinds, lane_of, read_of

NO_ROOM = {ZONE_A: 0, ZONE_B: 0}
ROOM = {ZONE_A: 1, ZONE_B: 0}
LOOKS = [EventId(UUID(int=number)) for number in range(0x100, 0x110)]


def full(lane: Told | None = None) -> Told:
    """A vehicle that was read once and told that the car park is full."""
    told = lane or Told()
    if told.lane.presence_loop:
        told.presence(True)
    told.read()
    told.gathered(facts(available=NO_ROOM))
    assert told.denied == CAR
    return told.wait(60) if told.lane.presence_loop else told


def changed(told: Told, look: int = 0) -> tuple[Effect, ...]:
    return told.tell(ChangeTold(LOOKS[look]))


def looked(told: Told, snapshot: PlateSnapshot, look: int = 0) -> tuple[Effect, ...]:
    """A change, and the facts as they are by then."""
    assert kinds(changed(told, look)) == ["TakeSnapshot"]
    return told.gathered(snapshot)


def test_it_is_looked_under_an_id_of_its_own_by_the_read_that_there_is() -> None:
    told = full()
    (taken,) = changed(told)
    assert isinstance(taken, TakeSnapshot)
    assert (taken.cause.event, taken.plate) == (LOOKS[0], CAR)
    assert (taken.cause.received_at, taken.cause.age_seconds) == (told.now, 0.0)
    assert taken.cause.again == told.last.event


def test_with_room_by_now_it_is_let_in() -> None:
    told = full()
    (admit,) = looked(told, facts(available=ROOM))
    assert isinstance(admit, Admit)
    assert (admit.zone, admit.read, admit.cause.event) == (ZONE_A, read_of(), LOOKS[0])
    told.admitted()
    assert told.phase == "Opening"
    told.closing(True)
    assert "CompletePassage" in kinds(told.closing(False))


def test_the_same_answer_is_told_to_nobody() -> None:
    told = full()
    before = told.state
    for look in range(5):
        assert looked(told, facts(available=NO_ROOM), look) == ()
        assert (told.state.phase, told.state.since) == (before.phase, before.since)


def test_nor_is_that_it_is_full_in_another_way() -> None:
    told = full(Told(lane_of(zones=(ZONE_A,))))
    assert looked(told, facts(available={ZONE_A: 0, ZONE_B: 3})) == ()
    changed(told, 1)
    told.gathered(facts(available=ROOM))
    assert told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.SIZE_TAKEN)) == ()
    assert told.denied == CAR


def test_who_finds_the_spot_taken_by_another_waits_on() -> None:
    told = full()
    looked(told, facts(available=ROOM))
    assert told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL)) == ()
    assert kinds(looked(told, facts(available=ROOM), 1)) == ["Admit"]


def test_another_answer_is_told_and_the_next_look_is_still_by_the_first_read() -> None:
    told = full(Told(lane_of(zones=(ZONE_A,))))
    read = told.last.event
    changed(told)
    told.gathered(facts(available=ROOM))
    (denial,) = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.CLOSED))
    assert isinstance(denial, Deny)
    assert (denial.reason, denial.show, denial.cause.event) == (DenyReason.CLOSED, True, LOOKS[0])
    (taken,) = changed(told, 1)
    assert isinstance(taken, TakeSnapshot)
    assert taken.cause.again == read


def test_an_answer_that_nothing_ends_is_the_last_one() -> None:
    told = full()
    assert kinds(looked(told, facts(blocked=True))) == ["Deny"]
    assert changed(told, 1) == ()


def test_what_changes_during_a_decision_is_looked_at_after_it() -> None:
    told = Told()
    told.presence(True)
    told.read()
    assert changed(told) == ()
    assert kinds(told.gathered(facts(available=NO_ROOM))) == ["Deny", "TakeSnapshot"]
    assert kinds(told.gathered(facts(available=ROOM))) == ["Admit"]


def test_a_storm_of_changes_is_one_more_look() -> None:
    told = full()
    changed(told)
    for look in range(1, 10):
        assert changed(told, look) == ()
    (taken,) = told.gathered(facts(available=NO_ROOM))
    assert isinstance(taken, TakeSnapshot)
    assert taken.cause.event == LOOKS[9]
    assert told.gathered(facts(available=NO_ROOM)) == ()


def test_who_leaves_during_the_look_is_told_nothing() -> None:
    told = full()
    changed(told)
    told.presence(False)
    assert told.gathered(facts(available=ROOM)) == ()
    assert told.phase == "Idle"


def test_nor_is_who_comes_in_its_place() -> None:
    told = full()
    changed(told)
    told.presence(False)
    told.presence(True)
    assert "Admit" not in kinds(told.gathered(facts(available=ROOM)))
    assert changed(told, 1) == ()


def test_who_leaves_when_it_is_let_in_gives_the_spot_back() -> None:
    told = full()
    looked(told, facts(available=ROOM))
    told.presence(False)
    told.admitted()
    told.wait(6)
    (cancelled,) = (
        effect for effect in told.timer(TimerName.PASSAGE) if isinstance(effect, CancelAdmission)
    )
    assert cancelled.correlation == LOOKS[0]


def test_with_somebody_under_the_arm_nothing_is_opened() -> None:
    told = full()
    told.closing(True)
    assert changed(told) == ()
    told.closing(False)
    assert kinds(changed(told, 1)) == ["TakeSnapshot"], "it had rolled back"


def test_who_drives_through_during_the_look_has_passed_without_a_grant() -> None:
    told = full()
    changed(told)
    told.closing(True)
    assert told.gathered(facts(available=ROOM)) == ()
    told.presence(False)
    assert "PassFreely" in kinds(told.closing(False))


def test_who_is_read_during_the_look_is_served_after_it() -> None:
    told = full()
    changed(told)
    told.read(OTHER_CAR)
    (taken,) = told.gathered(facts(available=NO_ROOM))
    assert isinstance(taken, TakeSnapshot)
    assert (taken.plate, taken.cause.again) == (OTHER_CAR, None)


def test_who_is_read_again_during_the_look_is_answered_as_ever() -> None:
    told = full()
    changed(told)
    assert told.read() == ()
    (taken,) = told.gathered(facts(available=NO_ROOM))
    assert isinstance(taken, TakeSnapshot)
    assert (taken.cause, taken.plate) == (told.last, CAR)
    (denial,) = told.gathered(facts(available=NO_ROOM))
    assert isinstance(denial, Deny)
    assert denial.cause == told.last


def test_and_opened_for_once_if_it_is_let_in() -> None:
    told = full()
    changed(told)
    told.read()
    read = told.last
    told.gathered(facts(available=ROOM))
    told.admitted()
    assert told.phase == "Opening"
    told.closing(True)
    told.presence(False)
    effects = told.closing(False)
    assert "TakeSnapshot" not in kinds(effects)
    assert Settle(read, Outcome.FOLDED) in effects


def test_a_lane_that_is_closed_during_the_look_grants_nothing() -> None:
    told = full()
    changed(told)
    _operated(told, OperatorDo.LANE_CLOSE)
    assert told.gathered(facts(available=ROOM)) == ()
    assert told.phase == "Closed"


def test_nor_does_one_that_is_shut_by_an_evacuation() -> None:
    told = full()
    changed(told)
    told.tell(EvacuationChanged(told.cause(), on=True))
    assert "Admit" not in kinds(told.gathered(facts(available=ROOM)))
    assert told.phase == "Closed"


def test_what_is_granted_while_the_evacuation_begins_is_taken_back() -> None:
    told = full()
    looked(told, facts(available=ROOM))
    told.tell(EvacuationChanged(told.cause(), on=True))
    effects = told.admitted()
    assert {CancelAdmission, SendCommand} <= {type(effect) for effect in effects}
    assert told.phase == "Closed"


def test_who_is_refused_by_a_lane_out_of_service_is_looked_at_when_that_obeys_again() -> None:
    told = Told(lane_of(arm_switch=True))
    told.presence(True)
    told.arm(BarrierState.FAULT)
    (denial,) = (one for one in told.read() if isinstance(one, Deny))
    assert denial.reason is DenyReason.OUT_OF_SERVICE
    read = told.last.event
    told.arm(BarrierState.CLOSED)
    assert told.denied == CAR
    (taken,) = changed(told)
    assert isinstance(taken, TakeSnapshot)
    assert taken.cause.again == read


def test_not_so_one_that_left_meanwhile_or_was_read_before_it_arrived() -> None:
    told = Told()
    _operated(told, OperatorDo.LANE_CLOSE)
    told.read()
    told.presence(True)
    _operated(told, OperatorDo.LANE_OPEN)
    assert told.phase == "Occupied"
    _operated(told, OperatorDo.LANE_CLOSE)
    told.read(OTHER_CAR)
    told.presence(False)
    _operated(told, OperatorDo.LANE_OPEN)
    assert told.phase == "Idle"


def test_a_read_that_is_not_sure_is_no_ground_to_look_again() -> None:
    told = Told(lane_of(policy=LanePolicy(consensus_reads_min=2, read_confidence_sure=0.98)))
    _operated(told, OperatorDo.LANE_CLOSE)
    told.presence(True)
    told.read(confidence=0.9)
    _operated(told, OperatorDo.LANE_OPEN)
    assert told.phase == "Occupied"


def test_opened_by_hand_during_the_look_it_is_let_through() -> None:
    told = full()
    changed(told)
    _operated(told, OperatorDo.OPEN)
    assert "Deny" not in kinds(told.gathered(facts(available=NO_ROOM)))
    phase = told.state.phase
    assert isinstance(phase, LetThrough)
    assert phase.read == read_of()


def test_a_look_that_fails_changes_nothing() -> None:
    told = full()
    before = told.state.phase
    changed(told)
    effects = told.tell(DecisionFailed(told.deciding_cause, "away"))
    assert [type(effect) for effect in effects] == [Notice]
    assert told.state.phase == before


def test_a_driver_who_wants_a_person_meanwhile_gets_one() -> None:
    told = full()
    changed(told)
    _press(told)
    assert told.state.call == Call(CallReason.BUTTON, told.now)


def test_without_a_loop_only_a_young_read_says_that_it_is_there() -> None:
    told = full(Told(lane_of(presence_loop=False)))
    told.wait(4)
    assert looked(told, facts(available=NO_ROOM)) == ()
    told.wait(1)
    assert changed(told, 1) == ()


def test_a_poor_read_makes_nobody_doubt_who_stands_there() -> None:
    told = full()
    assert told.read(confidence=0.2) == (Settle(told.last, Outcome.FOLDED),)
    (denial,) = told.read(OTHER_CAR, confidence=0.2)
    assert isinstance(denial, Deny)
    assert (denial.reason, denial.show) == (DenyReason.READ_UNCERTAIN, False)
    assert kinds(changed(told)) == ["TakeSnapshot"]


def test_nor_does_a_loop_that_is_stuck_prove_more_than_a_young_read() -> None:
    told = Told()
    told.presence(True)
    told.timer(TimerName.READ)
    told.wait(900).timer(TimerName.LOOP)
    assert Fault.PRESENCE_LOOP_STUCK in told.state.faults
    told.read()
    told.gathered(facts(available=NO_ROOM))
    assert kinds(changed(told)) == ["TakeSnapshot"]
    told.gathered(facts(available=NO_ROOM))
    told.wait(60)
    assert changed(told, 1) == ()


CAREFUL = LanePolicy(consensus_reads_min=2, read_confidence_sure=0.94)


def test_unsure_reads_that_agree_on_nothing_change_nothing() -> None:
    told = full(Told(lane_of(policy=CAREFUL)))
    before = told.state
    told.read(OTHER_CAR, confidence=0.5)
    assert told.phase == "Gathering"
    (denial,) = told.timer(TimerName.CONSENSUS)
    assert isinstance(denial, Deny)
    assert (denial.reason, denial.show) == (DenyReason.READ_UNCERTAIN, False)
    assert (told.state.phase, told.state.since) == (before.phase, before.since)
    assert kinds(changed(told)) == ["TakeSnapshot"]


def test_but_those_that_agree_say_who_it_is() -> None:
    told = full(Told(lane_of(policy=CAREFUL)))
    told.read(OTHER_CAR, confidence=0.8)
    (taken,) = (
        one for one in told.read(OTHER_CAR, confidence=0.8) if isinstance(one, TakeSnapshot)
    )
    assert (taken.plate, taken.cause.again) == (OTHER_CAR, None)


def test_who_leaves_while_they_are_gathered_is_gone() -> None:
    told = full(Told(lane_of(policy=CAREFUL)))
    told.read(OTHER_CAR, confidence=0.8)
    told.presence(False)
    assert told.phase == "Idle"


def test_who_asks_for_a_ticket_presses_the_button_again() -> None:
    told = Told(lane_of(policy=LanePolicy(button_ticket=ButtonTicket.ADMIT)))
    told.presence(True)
    told.report(PlateUnread())
    _press(told)
    told.gathered(facts(None, available=NO_ROOM))
    assert changed(told) == ()
    assert "TakeSnapshot" in kinds(_press(told))


@pytest.mark.parametrize("reason", sorted(set(DenyReason) - MAY_END))
def test_nothing_is_looked_at_for_a_reason_that_does_not_end(reason: DenyReason) -> None:
    assert reason not in FULL
    told = Told()
    told.presence(True)
    told.state = told.state.enter(Denied(read_of(), reason), told.now)
    before = told.state
    assert changed(told) == ()
    assert told.state == before


def test_nobody_who_was_never_refused_is_looked_at() -> None:
    told = Told()
    assert changed(told) == ()
    told.presence(True)
    assert changed(told, 1) == ()
    assert not isinstance(told.state.phase, Deciding)


def _press(told: Told) -> tuple[Effect, ...]:
    return told.report(InputChanged(InputName.BUTTON, on=True))


def _operated(told: Told, do: OperatorDo) -> None:
    request = Request("1", "olga", do, "because")
    told.tell(Operated(told.cause(), request, OperateOutcome.DONE, None))
