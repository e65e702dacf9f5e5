"""From the grant to the passage: loops, the arm's reports, the fate of the command, the timer."""

from dataclasses import replace

import pytest

from gated.core.effects import (
    CancelAdmission,
    CompletePassage,
    Deny,
    Effect,
    Fault,
    NoteCommand,
    NoteFault,
    Notice,
    Outcome,
    PassageKnown,
    Settle,
    StartTimer,
    StopTimer,
)
from gated.core.events import (
    BarrierState,
    CommandStatus,
    DecisionFailed,
    DeviceOnlineChanged,
    TimerFired,
    TimerName,
    VehicleLost,
)
from gated.core.phases import Grant, Opening
from gated.core.reasons import DenyReason
from tests.core.support import (
    CAR,
    OPEN,
    OPEN_AGAIN,
    OTHER_CAR,
    OTHER_STAY,
    STAY,
    ZONE_A,
    Told,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
    started,
)

STOP = StopTimer(TimerName.PASSAGE)
EVENT = cause_of(2).event
GRANT = Grant(CAR, STAY, ZONE_A, OPEN, EVENT, read=read_of(), stood=cause_of(1).event)
DEAD = replace(GRANT, command=None)


def opening(*, presence_loop: bool = True, closing_loop: bool = True) -> Told:
    """Granted at `START` on the inbox row 2; the vehicle stands before the arm."""
    told = Told(lane_of(presence_loop=presence_loop, closing_loop=closing_loop))
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    assert told.phase == "Opening"
    return told


def passing() -> Told:
    told = opening()
    told.closing(True)
    assert told.phase == "Passing"
    return told


def completed(known: PassageKnown) -> tuple[Effect, ...]:
    return (STOP, CompletePassage(STAY, known, EVENT))


def cancelled(reason: str) -> tuple[Effect, ...]:
    return (STOP, CancelAdmission(STAY, ZONE_A, reason, EVENT))


class TestLoops:
    def test_a_passage(self) -> None:
        told = opening()
        told.arm(BarrierState.OPENED)
        told.presence(False)
        assert started(told.closing(True)) == {TimerName.PASSAGE: 60.0}
        assert told.phase == "Passing"
        effects = told.closing(False)
        assert effects[:-1] == completed(PassageKnown.MEASURED)
        assert told.at_rest

    def test_a_long_vehicle_on_both_loops_is_one_passage(self) -> None:
        told = passing()
        told.presence(False)
        assert told.phase == "Passing"
        assert told.closing(False)[:-1] == completed(PassageKnown.MEASURED)

    def test_the_closing_loop_still_clear_is_no_passage(self) -> None:
        told = opening()
        told.closing(False)
        assert told.state.phase == Opening(GRANT)

    def test_a_back_out_undoes_the_admission(self) -> None:
        told = opening()
        assert started(told.presence(False)) == {TimerName.PASSAGE: 6.0}
        told.wait(6)
        assert told.timer(TimerName.PASSAGE) == cancelled("no_passage")
        assert told.at_rest
        assert kinds(told.read()) == ["StartTimer"]  # it comes back: a new approach

    def test_rolling_back_onto_the_loop_gives_the_full_time_again(self) -> None:
        told = opening()
        told.presence(False)
        assert started(told.presence(True)) == {TimerName.PASSAGE: 60.0}

    def test_a_box_that_repeats_its_contacts_does_not_keep_the_timer_from_running_out(
        self,
    ) -> None:
        told = opening()
        told.presence(False)
        told.wait(5)
        assert started(told.presence(False)) == {}

    def test_without_a_closing_loop_leaving_the_presence_loop_is_taken_for_passing(self) -> None:
        told = opening(closing_loop=False)
        assert told.presence(False)[:-1] == completed(PassageKnown.ASSUMED)
        assert told.at_rest

    def test_without_any_loop_the_timer_is_taken_for_passing(self) -> None:
        told = Told(lane_of(presence_loop=False, closing_loop=False))
        told.read()
        told.gathered()
        told.admitted()
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == (
            STOP,
            CompletePassage(STAY, PassageKnown.ASSUMED, cause_of(1).event),
        )

    def test_with_the_closing_loop_alone_nothing_seen_is_no_passage(self) -> None:
        told = opening(presence_loop=False)
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == cancelled("no_passage")

    def test_a_late_report_of_the_closing_loop_still_counts(self) -> None:
        told = opening()
        told.closing(True, age=400)
        told.closing(False, age=390)
        assert CompletePassage(STAY, PassageKnown.MEASURED, EVENT) in told.effects

    @pytest.mark.parametrize("phase", ["Idle", "Approached", "Deciding", "Denied"])
    def test_a_passage_nobody_was_granted_is_told(self, phase: str) -> None:
        told = Told()
        if phase == "Approached":
            told.read()
        if phase in {"Deciding", "Denied"}:
            told.presence(True)
            told.read()
        if phase == "Denied":
            told.gathered(facts(blocked=True))
        assert told.phase == phase
        before = told.state.phase
        (notice, *_) = told.closing(True)
        assert isinstance(notice, Notice)
        assert (notice.name, notice.cause) == ("passage_without_grant", cause_of(told.events))
        assert type(told.state.phase) is type(before)


class TestStuckSensors:
    def test_a_closing_loop_that_stays_on_ends_the_passage_by_assumption(self) -> None:
        told = passing()
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == (
            Notice("closing_loop_stuck"),
            NoteFault(Fault.CLOSING_LOOP_STUCK, on=True, at=told.now),
            *completed(PassageKnown.ASSUMED),
        )

    def test_a_closing_loop_stuck_since_before_does_not_undo_admissions(self) -> None:
        told = Told()
        told.closing(True)
        told.presence(True)
        told.read()
        told.gathered()
        told.admitted()
        told.presence(False)
        told.wait(6)
        effects = told.timer(TimerName.PASSAGE)
        assert kinds(effects) == ["Notice", "NoteFault", "StopTimer", "CompletePassage"]

    def test_a_vehicle_that_does_not_move_gets_its_time_twice(self) -> None:
        told = opening()
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == (
            Notice("vehicle_not_moving"),
            StartTimer(TimerName.PASSAGE, told.state.timer_token, 60.0),
        )
        assert told.state.phase == Opening(replace(DEAD, overdue=True))
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == cancelled("no_passage")

    def test_and_is_opened_for_again_upon_a_fresh_read(self) -> None:
        told = opening()
        told.wait(60)
        told.timer(TimerName.PASSAGE)
        assert kinds(told.read()) == ["StopTimer", "TakeSnapshot"]

    def test_a_presence_loop_stuck_on_without_a_closing_loop(self) -> None:
        told = opening(closing_loop=False)
        told.wait(60)
        told.timer(TimerName.PASSAGE)
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == cancelled("no_passage")

    def test_the_closing_loop_without_the_presence_loop_ever_going_off(self) -> None:
        told = passing()
        assert told.closing(False)[:-1] == completed(PassageKnown.MEASURED)
        assert told.state.presence


class TestTimers:
    def test_an_earlier_timer_is_not_mistaken_for_the_running_one(self) -> None:
        told = opening()
        stale = told.state.timer_token
        told.presence(False)
        assert told.tell(TimerFired(TimerName.PASSAGE, stale)) == ()
        assert told.phase == "Opening"

    @pytest.mark.parametrize("name", TimerName)
    def test_a_timer_of_a_lane_that_is_idle_does_nothing(self, name: TimerName) -> None:
        told = Told()
        before = told.state
        assert told.timer(name) == ()
        assert told.state == before

    def test_a_timer_of_the_other_name_does_nothing(self) -> None:
        told = opening()
        before = told.state
        assert told.timer(TimerName.PRESENCE) == ()
        assert told.state == before


class TestCommand:
    @pytest.mark.parametrize("status", [CommandStatus.FAILED, CommandStatus.EXPIRED])
    def test_one_that_will_not_open_undoes_the_admission(self, status: CommandStatus) -> None:
        told = opening()
        assert told.ended(status) == cancelled(f"command_{status}")
        assert told.at_rest
        assert kinds(told.read()) == ["TakeSnapshot"]

    def test_one_of_unknown_fate_leaves_it_to_the_loops(self) -> None:
        told = opening()
        assert told.ended(CommandStatus.UNKNOWN) == ()
        assert told.state.phase == Opening(DEAD)
        told.closing(True)
        told.closing(False)
        assert CompletePassage(STAY, PassageKnown.MEASURED, EVENT) in told.effects

    def test_one_of_unknown_fate_and_nothing_seen_undoes_the_admission(self) -> None:
        told = opening()
        told.ended(CommandStatus.UNKNOWN)
        told.wait(60)
        assert told.timer(TimerName.PASSAGE) == cancelled("no_passage")

    def test_the_end_of_another_command_is_nothing_to_the_lane(self) -> None:
        told = opening()
        before = told.state
        assert told.ended(CommandStatus.FAILED, OPEN_AGAIN) == ()
        assert told.state == before

    def test_its_end_does_not_interrupt_a_passage(self) -> None:
        told = passing()
        assert told.ended(CommandStatus.UNKNOWN) == ()
        assert told.closing(False)[:-1] == completed(PassageKnown.MEASURED)

    def test_its_end_may_be_known_before_its_grant(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        told.gathered()
        assert told.ended(CommandStatus.EXPIRED) == ()
        effects = told.admitted()
        assert effects[1:] == cancelled("command_expired")
        assert told.at_rest

    def test_the_hardware_takes_it(self) -> None:
        told = opening()
        note = NoteCommand(OPEN, CommandStatus.ACKNOWLEDGED, None)
        assert told.answered(OPEN, ok=True)[0] == note
        assert told.state.phase == Opening(GRANT)

    def test_the_hardware_refuses_it(self) -> None:
        told = opening()
        assert told.answered(OPEN, ok=False) == (
            NoteCommand(OPEN, CommandStatus.FAILED, "stuck"),
            Notice("command_refused", cause_of(3), "stuck"),
            *cancelled("command_failed"),
            Settle(cause_of(3), Outcome.NOTED),
        )

    def test_the_answer_to_another_command_is_not_taken_for_it(self) -> None:
        told = opening()
        assert kinds(told.answered(OPEN_AGAIN, ok=False)) == ["Settle"]
        assert told.state.phase == Opening(GRANT)

    @pytest.mark.parametrize("number", [None, OPEN.int & 0x7FFFFFFF])
    def test_only_the_arm_confirms_it(self, number: int | None) -> None:
        told = opening()
        effects = told.arm(BarrierState.OPENED, number)
        assert effects[0] == NoteCommand(OPEN, CommandStatus.CONFIRMED, None)

    def test_an_arm_that_opened_for_another_command_does_not_confirm_it(self) -> None:
        told = opening()
        assert kinds(told.arm(BarrierState.OPENED, 7)) == ["Settle"]

    def test_an_arm_that_opens_unasked_is_told(self) -> None:
        told = Told()
        assert told.arm(BarrierState.OPENED)[0] == Notice("opened_without_grant", cause_of(1))

    @pytest.mark.parametrize("state", [BarrierState.CLOSED, BarrierState.MOVING])
    def test_what_else_the_arm_does_is_noted(self, state: BarrierState) -> None:
        told = opening()
        assert kinds(told.arm(state)) == ["Settle"]

    def test_a_fault_of_the_arm_is_told(self) -> None:
        told = opening()
        assert told.arm(BarrierState.FAULT)[0] == Notice("barrier_fault", cause_of(3))


class TestDecidedAnew:
    """The open command is dead and the vehicle is read again: the grant may be replaced."""

    @staticmethod
    def deciding_anew() -> Told:
        told = opening()
        told.ended(CommandStatus.UNKNOWN)
        told.wait(4)
        assert kinds(told.read()) == ["StopTimer", "TakeSnapshot"]
        return told

    def test_a_new_grant_takes_the_place_of_the_old(self) -> None:
        told = self.deciding_anew()
        told.gathered(facts(stay=open_stay()))
        effects = told.admitted(command=OPEN_AGAIN)
        assert started(effects) == {TimerName.PASSAGE: 60.0}
        assert kinds(effects) == ["StartTimer"]
        assert told.state.phase == Opening(
            replace(GRANT, command=OPEN_AGAIN, correlation=cause_of(3).event)
        )

    def test_a_grant_of_another_stay_leaves_no_orphan(self) -> None:
        told = self.deciding_anew()
        told.gathered()
        effects = told.admitted(stay=OTHER_STAY, command=OPEN_AGAIN)
        assert effects[0] == CancelAdmission(STAY, ZONE_A, "granted_anew", EVENT)

    def test_a_denial_leaves_the_old_grant_to_the_loops(self) -> None:
        told = self.deciding_anew()
        effects = told.gathered(facts(blocked=True))
        assert kinds(effects) == ["Deny", "StartTimer"]
        assert told.state.phase == Opening(DEAD)

    def test_a_failure_leaves_the_old_grant_to_the_loops(self) -> None:
        told = self.deciding_anew()
        effects = told.tell(DecisionFailed(told.deciding_cause, "away"))
        assert kinds(effects) == ["Notice", "Settle", "StartTimer"]
        assert told.state.phase == Opening(DEAD)
        assert kinds(told.read()) == ["StopTimer", "TakeSnapshot"]

    def test_who_drives_through_meanwhile_is_counted_once(self) -> None:
        told = self.deciding_anew()
        assert kinds(told.closing(True)) == ["Settle"]
        told.gathered(facts(stay=open_stay()))
        told.admitted(command=OPEN_AGAIN)
        assert told.phase == "Passing"
        effects = told.closing(False)
        assert effects[1] == CompletePassage(STAY, PassageKnown.MEASURED, cause_of(3).event)

    def test_who_is_through_before_the_answer_is_counted_with_it(self) -> None:
        told = self.deciding_anew()
        told.closing(True)
        assert kinds(told.closing(False)) == ["Settle"]
        effects = told.gathered(facts(blocked=True))
        assert isinstance(effects[0], Deny)
        assert effects[1:] == completed(PassageKnown.MEASURED)

    def test_one_that_backed_off_is_decided_on_when_it_is_back(self) -> None:
        told = opening()
        told.ended(CommandStatus.UNKNOWN)
        told.presence(False)
        assert told.read() == ()  # it is not on the loop: its read waits
        assert kinds(told.presence(True)) == ["StopTimer", "TakeSnapshot", "Settle"]
        assert told.state.waiting is None

    def test_one_that_backed_off_for_good_is_given_up_and_its_read_with_it(self) -> None:
        told = opening()
        told.ended(CommandStatus.UNKNOWN)
        told.presence(False)
        told.read()
        told.wait(6)
        effects = told.timer(TimerName.PASSAGE)
        assert kinds(effects) == ["StopTimer", "CancelAdmission", "StartTimer"]
        told.wait(15)
        denial = told.timer(TimerName.PRESENCE)[0]
        assert isinstance(denial, Deny)
        assert denial.reason is DenyReason.NO_PRESENCE

    def test_a_waiting_read_of_a_vehicle_that_passed_after_all_is_folded(self) -> None:
        told = opening()
        told.ended(CommandStatus.UNKNOWN)
        told.presence(False)
        told.read()
        told.closing(True)
        effects = told.closing(False)
        assert effects[-2] == Settle(cause_of(4), Outcome.FOLDED)
        assert told.at_rest


class TestOtherReports:
    def test_a_vehicle_out_of_sight_says_nothing_about_its_passage(self) -> None:
        told = opening()
        assert told.report(VehicleLost("7")) == (Settle(cause_of(3), Outcome.NOTED),)
        assert told.state.phase == Opening(GRANT)

    def test_liveness_is_noted(self) -> None:
        told = Told()
        assert kinds(told.report(DeviceOnlineChanged(online=False))) == ["Settle"]


def test_another_vehicle_on_the_loop_of_a_denied_one_is_decided_on() -> None:
    told = Told()
    told.presence(True)
    told.read()
    told.gathered(facts(blocked=True))
    assert told.denied == CAR
    assert kinds(told.read(OTHER_CAR)) == ["TakeSnapshot"]
