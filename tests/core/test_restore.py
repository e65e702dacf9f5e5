"""A lane after a restart: a passage under way is awaited, and nothing is commanded."""

from dataclasses import replace
from uuid import UUID

import pytest

from gated.core.effects import (
    CancelAdmission,
    CompletePassage,
    Deny,
    Fault,
    NoteCommand,
    NoteFault,
    Notice,
    PassageKnown,
    ResumeStay,
)
from gated.core.events import (
    BarrierReported,
    BarrierState,
    CommandStatus,
    DeviceEvent,
    DeviceFreshnessChanged,
    InputChanged,
    InputName,
    Reported,
    TimerName,
)
from gated.core.ids import CommandId, DeviceId, command_number
from gated.core.phases import Grant, Idle, Opening
from gated.core.reasons import DenyReason
from gated.core.restore import restored
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import PendingPassage
from tests.core.support import (
    CAR,
    OPEN,
    START,
    STAY,
    ZONE_A,
    Told,
    acts,
    at,
    cause_of,
    lane_of,
    read_of,
    started,
)

PENDING = PendingPassage(
    lane=lane_of().id,
    stay=STAY,
    zone=ZONE_A,
    plate=CAR,
    command=CommandId(OPEN),
    event=cause_of(1).event,
    granted_at=at(-20),
)


def restarted(direction: Direction = Direction.ENTRY, *, presence: bool = False) -> Told:
    lane = lane_of(direction)
    state, effects = restored(lane, PENDING, START)
    state = replace(state, presence=presence)
    assert started(effects) == {TimerName.PASSAGE: 60.0}
    assert len(effects) == 1
    return Told(lane, state, events=10)


def test_a_lane_without_a_passage_is_idle() -> None:
    state, effects = restored(lane_of(), None, START)
    assert (state.phase, state.presence, effects) == (Idle(), False, ())


def test_a_late_answer_of_the_hardware_still_counts() -> None:
    told = restarted()
    assert NoteCommand(OPEN, CommandStatus.CONFIRMED, None) in told.arm(
        BarrierState.OPENED, command_number(OPEN)
    )


@pytest.mark.parametrize(("direction", "zone"), [(Direction.ENTRY, ZONE_A), (Direction.EXIT, None)])
def test_a_passage_under_way_is_awaited_with_a_command_of_unknown_fate(
    direction: Direction, zone: object
) -> None:
    told = restarted(direction)
    assert isinstance(told.state.phase, Opening)
    grant = told.state.phase.grant
    assert (grant.zone, grant.command, grant.stay) == (zone, None, STAY)


def test_the_closing_loop_completes_it() -> None:
    told = restarted()
    told.closing(True, age=15)  # while nobody listened
    told.closing(False, age=13)
    done = CompletePassage(STAY, PassageKnown.MEASURED, cause_of(1).event)
    assert done in told.effects


class TestFaults:
    """What was wrong with the hardware is so still, until that shows the contrary."""

    @staticmethod
    def restarted(*faults: Fault, lane: LaneSetup | None = None) -> Told:
        lane = lane or lane_of(arm_switch=True)
        state, effects = restored(lane, None, START, faults=dict.fromkeys(faults, at(-60)))
        assert acts(effects) == [], "nothing is commanded, and nothing noted once more"
        return Told(lane, state)

    @pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.DEVICE_OFFLINE}))
    def test_it_stands(self, fault: Fault) -> None:
        assert self.restarted(fault).state.faults == {fault}

    def test_which_device_was_gone_is_found_out_anew(self) -> None:
        told = self.restarted(Fault.DEVICE_OFFLINE)
        assert told.state.faults == set()
        told.tell(DeviceFreshnessChanged(DeviceId(UUID(int=1)), fresh=False))
        assert told.state.faults == {Fault.DEVICE_OFFLINE}

    def test_of_hardware_that_was_taken_away_nothing_is_wrong(self) -> None:
        bare = lane_of(presence_loop=False, closing_loop=False)
        told = self.restarted(*Fault, lane=bare)
        assert told.state.faults == {Fault.ARM_STUCK, Fault.CAMERA_SILENT}

    def test_a_lane_whose_arm_did_not_obey_is_out_of_service(self) -> None:
        told = self.restarted(Fault.ARM_STUCK)
        assert told.phase == "OutOfService"
        told.presence(True)
        (denial,) = (one for one in told.read() if isinstance(one, Deny))
        assert denial.reason is DenyReason.OUT_OF_SERVICE

    @pytest.mark.parametrize("first", [BarrierState.OPENED, BarrierState.CLOSED])
    def test_the_first_word_of_the_arm_is_where_it_is_and_the_second_a_move(
        self, first: BarrierState
    ) -> None:
        told = self.restarted(Fault.ARM_STUCK)
        second = BarrierState.CLOSED if first is BarrierState.OPENED else BarrierState.OPENED
        for _ in range(2):
            assert acts(told.arm(first)) == ["Settle"]
            assert told.phase == "OutOfService"
        effects = told.arm(second)
        assert NoteFault(Fault.ARM_STUCK, False, told.now, told.last) in effects
        assert told.at_rest

    def test_whoever_is_awaited_may_pass_before_the_lane_is_out_of_service(self) -> None:
        lane = lane_of(arm_switch=True)
        state, _ = restored(lane, PENDING, START, faults={Fault.ARM_STUCK: at(-60)})
        told = Told(lane, state, events=10)
        assert told.phase == "Opening"
        told.closing(True)
        told.closing(False)
        assert CompletePassage(STAY, PassageKnown.MEASURED, cause_of(1).event) in told.effects
        assert told.phase == "OutOfService"

    @pytest.mark.parametrize(
        ("fault", "shown"),
        [
            (Fault.PRESENCE_LOOP_STUCK, InputChanged(InputName.PRESENCE, False)),
            (Fault.CLOSING_LOOP_STUCK, InputChanged(InputName.CLOSING, False)),
            (Fault.CLOSING_LOOP_SILENT, InputChanged(InputName.CLOSING, False)),
            (Fault.ARM_FORCED, BarrierReported(BarrierState.CLOSED)),
            (Fault.ARM_NOT_CLOSED, BarrierReported(BarrierState.CLOSED)),
            (Fault.CAMERA_SILENT, read_of()),
        ],
    )
    def test_what_was_said_before_it_was_raised_and_comes_again_disproves_nothing(
        self, fault: Fault, shown: DeviceEvent
    ) -> None:
        told = self.restarted(fault)
        told.tell(Reported(cause_of(5, -61, age=61), shown))
        assert told.state.faults == {fault}
        told.tell(Reported(cause_of(6, -59, age=59), shown))
        assert told.state.faults == set()


def closing_at(told: Told, seconds: float, *, on: bool) -> None:
    """The closing loop's word that arrived then: before the restart it is handed over again."""
    told.events += 1
    cause = cause_of(told.events, seconds, age=max(-seconds, 0.1))
    told.tell(Reported(cause, InputChanged(InputName.CLOSING, on)))


@pytest.mark.parametrize(
    ("on_at", "off_at"), [(-10, 2), (-10, -8), (2, 4)], ids=["across", "before", "after"]
)
@pytest.mark.parametrize("direction", Direction)
def test_a_restart_does_not_lose_a_passage_on_the_closing_loop(
    direction: Direction, on_at: float, off_at: float
) -> None:
    told = restarted(direction, presence=True)
    closing_at(told, on_at, on=True)
    assert told.phase == "Passing"
    closing_at(told, off_at, on=False)
    assert CompletePassage(STAY, PassageKnown.MEASURED, cause_of(1).event) in told.effects
    assert told.at_rest


def test_the_last_vehicle_on_the_closing_loop_is_not_taken_for_the_granted_one() -> None:
    told = restarted()
    closing_at(told, -25, on=True)  # granted 20 s ago
    assert told.phase == "Opening"
    closing_at(told, 2, on=False)
    assert told.phase == "Opening"
    closing_at(told, 3, on=True)
    closing_at(told, 4, on=False)
    assert CompletePassage(STAY, PassageKnown.MEASURED, cause_of(1).event) in told.effects


def test_a_closing_loop_stuck_since_before_the_grant_does_not_undo_it() -> None:
    told = restarted()
    closing_at(told, -25, on=True)
    told.wait(60)
    effects = told.timer(TimerName.PASSAGE)
    assert effects[0] == Notice("closing_loop_stuck")
    assert CompletePassage(STAY, PassageKnown.ASSUMED, cause_of(1).event) in effects


def test_one_stuck_since_before_is_no_passage_while_it_is_decided_anew() -> None:
    told = restarted(presence=True)
    told.read()
    closing_at(told, -25, on=True)
    told.gathered()
    told.admitted()
    assert told.phase == "Opening"


def test_nothing_seen_undoes_an_admission() -> None:
    told = restarted()
    told.wait(60)
    effects = told.timer(TimerName.PASSAGE)
    assert effects[1] == CancelAdmission(STAY, ZONE_A, "no_passage", cause_of(1).event)


def test_nothing_seen_lets_the_stay_go_on_at_an_exit() -> None:
    told = restarted(Direction.EXIT)
    told.wait(60)
    assert told.timer(TimerName.PASSAGE)[1:3] == (
        ResumeStay(STAY, "no_passage", cause_of(1).event),
        Notice("exit_not_passed", None, "no_passage"),
    )


def test_the_vehicle_still_there_is_decided_on_anew_upon_a_fresh_read() -> None:
    told = restarted(presence=True)
    told.read()
    assert told.phase == "Deciding"
    told.gathered()
    told.admitted()
    grant = Grant(CAR, STAY, ZONE_A, OPEN, cause_of(11).event)
    grant = replace(grant, read=read_of(), stood=told.state.stood)
    assert told.state.phase == Opening(grant)


def test_a_replayed_read_is_too_old_to_open() -> None:
    told = restarted(presence=True)
    told.read(age=20)
    assert told.phase == "Opening"


def test_who_comes_back_is_decided_on_by_a_read_that_is_no_older_than_any_that_waits() -> None:
    for seconds, begins in ((15, True), (16, False)):
        told = restarted()
        told.read()
        told.wait(seconds)
        told.presence(True)
        assert (told.phase == "Deciding") is begins
    # A read of now decides, whatever waited.
    told.read()
    assert told.phase == "Deciding"
