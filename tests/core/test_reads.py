"""Which reads count: late, undated, uncertain, folded, of the vehicle behind."""

import pytest

from gated.core.effects import Deny, Notice, Outcome, Settle, StartTimer, TakeSnapshot
from gated.core.events import CommandStatus, TimerName
from gated.core.phases import Approached, Denied
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.site import LanePolicy, Unproven
from tests.core.support import (
    CAR,
    CORRECTED,
    OTHER_CAR,
    START,
    Told,
    cause_of,
    facts,
    kinds,
    lane_of,
    read_of,
)

POLICY = LanePolicy()


def served() -> Told:
    """A vehicle was granted passage and stands before the open arm."""
    told = Told()
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    return told


def denied(*, key: str | None = None) -> Told:
    """A blocked vehicle stands on the loop."""
    told = Told()
    told.presence(True)
    told.read(CAR, key=key)
    told.gathered(facts(blocked=True))
    assert told.phase == "Denied"
    return told


AGES: dict[str, tuple[LanePolicy, float | None, DenyReason | None]] = {
    "fresh": (POLICY, 0.2, None),
    "as old as allowed": (POLICY, 5.0, None),
    "too old": (POLICY, 5.01, DenyReason.READ_TOO_OLD),
    "undated, refused": (POLICY, None, DenyReason.READ_UNDATED),
    "undated, accepted": (LanePolicy(undated_reads=Unproven.ACCEPT), None, None),
}
CONFIDENCES: dict[str, tuple[LanePolicy, float | None, DenyReason | None]] = {
    "sure": (POLICY, 0.9, None),
    "as sure as demanded": (POLICY, 0.7, None),
    "not sure enough": (POLICY, 0.69, DenyReason.READ_UNCERTAIN),
    "zero": (POLICY, 0.0, DenyReason.READ_UNCERTAIN),
    "not stated, accepted": (POLICY, None, None),
    "not stated, refused": (
        LanePolicy(unrated_reads=Unproven.REFUSE),
        None,
        DenyReason.READ_UNRATED,
    ),
}


class TestAge:
    @pytest.mark.parametrize("case", AGES)
    def test_at_an_idle_lane(self, case: str) -> None:
        policy, age, reason = AGES[case]
        told = Told(lane_of(policy=policy))
        told.presence(True, age=0.0)
        before = told.state.phase
        effects = told.read(age=age)
        if reason is None:
            assert kinds(effects) == ["TakeSnapshot"]
        else:
            assert effects == (Deny(cause_of(2, age=age), reason, read_of(), show=False),)
            assert told.state.phase == before

    def test_a_late_read_is_recorded_beside_whoever_is_served(self) -> None:
        told = served()
        before = told.state.phase
        assert kinds(told.read(OTHER_CAR, age=60)) == ["Deny"]
        assert told.state.phase == before
        assert told.state.waiting is None


class TestConfidence:
    @pytest.mark.parametrize("case", CONFIDENCES)
    def test_at_an_idle_lane(self, case: str) -> None:
        policy, confidence, reason = CONFIDENCES[case]
        told = Told(lane_of(policy=policy))
        told.presence(True)
        effects = told.read(confidence=confidence)
        if reason is None:
            assert kinds(effects) == ["TakeSnapshot"]
        else:
            read = read_of(confidence=confidence)
            assert effects == (Deny(cause_of(2), reason, read, show=True),)
            assert told.denied == CAR

    def test_a_vehicle_still_far_off_is_not_told(self) -> None:
        told = Told()
        assert told.read(confidence=0.2) == (
            Deny(cause_of(1), DenyReason.READ_UNCERTAIN, read_of(confidence=0.2), show=False),
        )
        assert told.at_rest

    def test_who_is_served_is_not_disturbed(self) -> None:
        told = served()
        before = told.state.phase
        effects = told.read(OTHER_CAR, confidence=0.2)
        assert effects[0].show is False  # type: ignore[union-attr]
        assert told.state.phase == before

    def test_a_burst_of_uncertain_reads_is_told_once(self) -> None:
        told = Told()
        told.presence(True)
        told.read(confidence=0.2)
        assert told.read(confidence=0.3) == (Settle(cause_of(3), Outcome.FOLDED),)
        told.wait(11)
        assert kinds(told.read(confidence=0.2)) == ["Deny"]

    def test_a_surer_read_after_an_uncertain_one_is_decided(self) -> None:
        told = Told()
        told.presence(True)
        told.read(confidence=0.2)
        assert kinds(told.read(confidence=0.9)) == ["TakeSnapshot"]


class TestUnread:
    def test_a_vehicle_at_the_barrier_is_told(self) -> None:
        told = Told()
        told.presence(True)
        assert told.unread()[:2] == (
            Deny(cause_of(2), DenyReason.PLATE_UNREAD, None, show=True),
            Notice("intercom_call", cause_of(2), DenyReason.PLATE_UNREAD),
        )
        assert told.state.phase == Denied(None, DenyReason.PLATE_UNREAD)
        assert kinds(told.read()) == ["StopTimer", "TakeSnapshot"]

    @pytest.mark.parametrize("age", [30.0, None])
    def test_a_late_one_is_recorded_only(self, age: float | None) -> None:
        told = Told()
        told.presence(True)
        effects = told.unread(age=age)
        assert effects[0].show is False  # type: ignore[union-attr]
        assert told.at_rest

    def test_one_still_far_off_is_recorded_only(self) -> None:
        told = Told()
        assert told.unread()[0].show is False  # type: ignore[union-attr]
        assert told.at_rest

    def test_one_beside_a_served_vehicle_is_recorded_only(self) -> None:
        told = served()
        assert told.unread()[0].show is False  # type: ignore[union-attr]
        assert told.phase == "Opening"


class TestFolding:
    def test_the_vehicle_that_is_being_decided_on(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        assert told.read() == (Settle(cause_of(3), Outcome.FOLDED),)

    def test_the_vehicle_that_is_being_served_however_long_it_takes(self) -> None:
        told = served()
        told.wait(55)
        assert told.read(key="other") == (Settle(told.last, Outcome.FOLDED),)
        assert told.state.waiting is None

    def test_the_rear_plate_after_the_passage(self) -> None:
        told = served()
        told.wait(20)
        told.closing(True)
        told.wait(5)
        told.closing(False)
        told.wait(5)
        assert told.read() == (Settle(told.last, Outcome.FOLDED),)
        told.wait(10.1)
        assert kinds(told.read()) == ["TakeSnapshot"]

    def test_the_key_counts_longer_than_the_window(self) -> None:
        told = Told(lane_of(presence_loop=False))
        told.read(key="7")
        told.gathered()
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.wait(300)
        assert told.read(key="7") == (Settle(told.last, Outcome.FOLDED),)
        told.wait(301)
        assert kinds(told.read(key="7")) == ["TakeSnapshot"]

    @pytest.mark.parametrize("key", [None, "7"])
    def test_a_denied_one_that_still_waits_is_judged_again_a_while_after_its_denial(
        self, key: str | None
    ) -> None:
        told = Told()
        told.presence(True)
        told.read(key=key)
        told.wait(4)
        told.gathered(facts(blocked=True))
        told.wait(10)
        assert told.read(key=key) == (Settle(told.last, Outcome.FOLDED),)
        told.wait(0.1)
        assert kinds(told.read(key=key)) == ["TakeSnapshot"]
        told.gathered()
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.wait(300)
        assert kinds(told.read(key=key)) == (["Settle"] if key else ["TakeSnapshot"])

    def test_a_denial_does_not_forget_the_key_of_an_earlier_passage(self) -> None:
        told = Told(lane_of(presence_loop=False))
        told.read(key="7")
        told.gathered()
        told.admitted()
        told.closing(True)
        told.closing(False)
        told.read(key="8")
        told.gathered(facts(blocked=True))
        told.wait(60)
        assert told.read(key="7") == (Settle(told.last, Outcome.FOLDED),)

    def test_another_key_is_another_visit_of_the_same_plate(self) -> None:
        told = denied(key="7")
        assert kinds(told.read(key="8")) == ["TakeSnapshot"]

    @pytest.mark.parametrize("phase", ["Deciding", "Opening", "Passing"])
    def test_a_corrected_text_of_a_vehicle_that_is_served(self, phase: str) -> None:
        told = Told()
        told.presence(True)
        told.read(CAR, key="7")
        if phase != "Deciding":
            told.gathered()
            told.admitted()
        if phase == "Passing":
            told.closing(True)
        assert told.phase == phase
        folded = told.read(CORRECTED, key="7")
        assert folded == (Settle(cause_of(told.events), Outcome.FOLDED),)

    def test_a_corrected_text_of_a_vehicle_that_has_passed_is_no_second_vehicle(self) -> None:
        told = Told(lane_of(presence_loop=False))
        told.read(CAR, key="7")
        told.gathered()
        told.admitted()
        told.closing(True)
        told.closing(False)
        assert told.read(CORRECTED, key="7") == (Settle(cause_of(4), Outcome.FOLDED),)

    def test_a_corrected_text_after_a_denial_gets_its_own_answer(self) -> None:
        told = denied(key="7")
        assert told.read(CORRECTED, key="7") == (TakeSnapshot(cause_of(3), CORRECTED),)


class TestVehicleBehind:
    def test_it_waits_and_is_served_after_the_passage(self) -> None:
        told = served()
        told.wait(2)
        assert told.read(OTHER_CAR) == ()
        assert told.state.waiting == (read_of(OTHER_CAR), told.last)
        told.presence(False)
        told.closing(True)
        told.presence(True)
        told.wait(3)
        effects = told.closing(False)
        assert kinds(effects) == ["StopTimer", "CompletePassage", "TakeSnapshot", "Settle"]
        assert told.deciding_cause.event == cause_of(3).event

    def test_it_is_awaited_at_the_loop_if_it_is_not_there_yet(self) -> None:
        told = served()
        told.read(OTHER_CAR)
        told.presence(False)
        told.closing(True)
        effects = told.closing(False)
        assert kinds(effects) == ["StopTimer", "CompletePassage", "StartTimer", "Settle"]
        assert told.state.phase == Approached(read_of(OTHER_CAR), cause_of(3))

    def test_a_newer_read_takes_its_place(self) -> None:
        told = served()
        told.read(OTHER_CAR)
        third = Plate("KXY9")
        assert told.read(third) == (Settle(cause_of(3), Outcome.SUPERSEDED),)
        assert told.state.waiting == (read_of(third), cause_of(4))

    def test_the_one_before_it_misread_is_folded(self) -> None:
        told = served()
        assert told.read(CORRECTED) == (Settle(cause_of(3), Outcome.FOLDED),)
        told.closing(True)
        told.presence(False)
        assert told.read(CORRECTED) == (Settle(told.last, Outcome.FOLDED),)
        told.presence(True)  # the next one, unread
        told.closing(False)
        assert told.phase == "Occupied"

    def test_also_if_it_is_misread_while_it_is_decided_on(self) -> None:
        told = Told()
        told.presence(True)
        told.read()
        assert told.read(CORRECTED) == ()
        told.gathered()
        assert Settle(cause_of(3), Outcome.FOLDED) in told.admitted()
        assert told.state.waiting is None

    def test_also_without_a_presence_loop_in_the_time_of_one_vehicle(self) -> None:
        told = Told(lane_of(presence_loop=False))
        told.read()
        told.gathered()
        told.admitted()
        told.wait(9)
        assert told.read(CORRECTED) == (Settle(told.last, Outcome.FOLDED),)
        told.wait(2)
        assert told.read(CORRECTED) == ()

    def test_one_that_has_come_onto_the_presence_loop_since_is_another(self) -> None:
        told = served()
        told.closing(True)
        told.presence(False)
        told.presence(True)
        assert told.read(CORRECTED) == ()

    def test_so_is_one_that_the_camera_tells_apart(self) -> None:
        told = Told()
        told.presence(True)
        told.read(key="7")
        told.gathered()
        told.admitted()
        assert told.read(CORRECTED, key="8") == ()

    def test_it_is_given_up_when_its_read_is_too_old(self) -> None:
        told = served()
        told.read(OTHER_CAR)
        told.wait(15.1)
        told.closing(True)
        effects = told.closing(False)
        assert effects[-2] == Settle(cause_of(3), Outcome.SUPERSEDED)
        assert told.at_rest
        assert told.state.waiting is None

    @pytest.mark.parametrize(
        ("age", "waited", "settled"),
        [(0.1, 4.8, False), (0.1, 5.1, True), (3.0, 1.9, False), (3.0, 2.1, True)],
    )
    def test_without_a_presence_loop_its_read_must_still_be_fresh(
        self, age: float, waited: float, settled: bool
    ) -> None:
        """Nothing else proves that it stands there."""
        told = Told(lane_of(presence_loop=False))
        told.read()
        told.gathered()
        told.admitted()
        told.read(OTHER_CAR, age=age)
        told.wait(waited)
        told.closing(True)
        effects = told.closing(False)
        if settled:
            assert effects[-2] == Settle(cause_of(2, age=age), Outcome.SUPERSEDED)
            assert told.at_rest
        else:
            assert kinds(effects)[-2:] == ["TakeSnapshot", "Settle"]

    def test_a_denial_serves_it_at_once(self) -> None:
        """Or the correction of a denied text would be lost for having come a moment too early."""
        told = Told()
        told.presence(True)
        told.read(CAR)
        told.read(CORRECTED)
        effects = told.gathered(facts(blocked=True))
        assert effects == (
            Deny(cause_of(2), DenyReason.BLOCKED, read_of(), show=True),
            TakeSnapshot(cause_of(3), CORRECTED),
        )
        assert told.phase == "Deciding"

    def test_a_denial_of_a_vehicle_that_is_gone_serves_it_too(self) -> None:
        told = Told()
        told.presence(True)
        told.read(CAR)
        told.presence(False)
        told.read(OTHER_CAR)
        effects = told.gathered(facts(blocked=True))
        assert kinds(effects) == ["Deny", "StartTimer"]
        assert told.state.phase == Approached(read_of(OTHER_CAR), cause_of(4))

    @pytest.mark.parametrize("status", [CommandStatus.FAILED, CommandStatus.EXPIRED])
    def test_it_is_served_when_the_one_before_it_could_not_pass(
        self, status: CommandStatus
    ) -> None:
        told = served()
        told.read(OTHER_CAR)
        effects = told.ended(status)
        assert kinds(effects) == ["StopTimer", "CancelAdmission", "TakeSnapshot"]

    def test_its_presence_timer_outlives_the_end_of_the_passage_timer(self) -> None:
        told = served()
        told.read(OTHER_CAR)
        told.presence(False)
        told.wait(6)
        effects = told.timer(TimerName.PASSAGE)
        assert kinds(effects) == ["StopTimer", "CancelAdmission", "StartTimer"]
        assert effects[-1] == StartTimer(TimerName.PRESENCE, told.state.timer_token, 15.0)
        told.wait(15)
        assert kinds(told.timer(TimerName.PRESENCE)) == ["Deny"]
        assert told.at_rest


def test_a_denied_vehicle_that_drives_away_leaves_the_lane_idle() -> None:
    told = denied()
    told.presence(False)
    assert told.at_rest


def test_a_denied_vehicle_that_has_gone_already_leaves_the_lane_idle() -> None:
    told = Told()
    told.presence(True)
    told.read()
    told.presence(False)
    told.gathered(facts(blocked=True))
    assert told.at_rest


def test_without_a_presence_loop_the_lane_stays_denied_until_the_next_read() -> None:
    told = Told(lane_of(presence_loop=False))
    told.read()
    told.gathered(facts(blocked=True))
    assert told.denied == CAR
    told.wait(3600)
    assert kinds(told.read(OTHER_CAR)) == ["TakeSnapshot"]
    assert told.state.since > START
