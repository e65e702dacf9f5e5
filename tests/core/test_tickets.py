"""Vehicles that nobody can read: told so, somebody is called, and the button may give a ticket."""

import pytest

from gated.core.effects import (
    Admit,
    CancelAdmission,
    CompletePassage,
    Deny,
    Do,
    Effect,
    Notice,
    Operate,
    Outcome,
    Release,
    SendCommand,
    Settle,
    TakeSnapshot,
)
from gated.core.events import (
    CommandStatus,
    DecisionFailed,
    InputChanged,
    InputName,
    Operated,
    OperateOutcome,
    OperatorDo,
    Request,
    Requested,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.opening import OpeningHours
from gated.core.phases import Deciding, Denied, Idle, Opening
from gated.core.reasons import DenyReason, GrantReason
from gated.core.restore import restored
from gated.core.site import Admits, ButtonTicket, Direction, LanePolicy
from gated.core.snapshot import PendingPassage
from tests.core.support import (
    CAR,
    OPEN,
    OPEN_AGAIN,
    OTHER_CAR,
    STAY,
    ZONE_A,
    Told,
    acts,
    cause_of,
    facts,
    lane_of,
    open_stay,
    read_of,
)

POLICY = LanePolicy(button_ticket=ButtonTicket.ADMIT)


def lane(
    policy: LanePolicy = POLICY, *, loop: bool = True, direction: Direction = Direction.ENTRY
) -> Told:
    return Told(lane_of(direction, policy=policy, presence_loop=loop))


def unread(policy: LanePolicy = POLICY, *, loop: bool = True) -> Told:
    """A vehicle that nobody can read, at the barrier of an entry."""
    told = lane(policy, loop=loop)
    if loop:
        told.presence(True)
    told.unread()
    return told


def press(told: Told, *, on: bool = True, age: float | None = 0.1) -> tuple[Effect, ...]:
    return told.report(InputChanged(InputName.BUTTON, on), age=age)


def ignored(told: Told, why: str) -> tuple[Effect, ...]:
    return (Notice("button_ignored", told.last, why), Settle(told.last, Outcome.NOTED))


def on_ticket(policy: LanePolicy = POLICY, *, loop: bool = True) -> Told:
    """One that was admitted on a ticket and has not moved yet."""
    told = unread(policy, loop=loop)
    press(told)
    told.gathered(facts(None))
    told.admitted()
    return told


class TestUnread:
    def test_it_is_told_and_somebody_is_called(self) -> None:
        told = lane()
        told.presence(True)
        assert told.unread()[-3:-1] == (
            Deny(told.last, DenyReason.PLATE_UNREAD, None, show=True),
            Notice("intercom_call", told.last, "plate_unread"),
        )
        assert told.state.phase == Denied(None, DenyReason.PLATE_UNREAD)

    def test_once_for_each_vehicle(self) -> None:
        told = unread()
        again = told.unread()
        assert again == (Deny(told.last, DenyReason.PLATE_UNREAD, None, show=False),)
        told.presence(False)
        told.presence(True)
        assert acts(told.unread()) == ["Deny", "Notice"]

    def test_so_it_is_if_no_camera_says_anything(self) -> None:
        told = lane()
        told.presence(True)
        arrived = told.last.event
        effects = told.wait(10).timer(TimerName.READ)
        assert effects[:2] == (
            SendCommand(arrived, Do.DENY, "plate_unread"),
            Notice("intercom_call", None, "plate_unread"),
        )
        assert acts(press(told)) == ["TakeSnapshot"]

    def test_a_read_that_comes_after_all_is_decided(self) -> None:
        assert acts(unread().read()) == ["TakeSnapshot"]


class TestTicket:
    def test_the_button_asks_for_the_facts_of_the_facility(self) -> None:
        told = unread()
        assert press(told)[-1] == TakeSnapshot(told.last, None)
        assert told.state.phase == Deciding(None, told.last)

    def test_it_is_admitted_without_a_plate(self) -> None:
        told = unread()
        press(told)
        (admit,) = told.gathered(facts(None))
        assert isinstance(admit, Admit)
        assert (admit.read, admit.reason, admit.zone) == (None, GrantReason.TICKET, ZONE_A)
        assert (admit.vehicle, admit.user, admit.entitlement, admit.again) == (None,) * 4
        assert acts(told.admitted()) == []
        assert isinstance(told.state.phase, Opening)
        assert told.state.phase.grant.plate is None

    def test_it_passes(self) -> None:
        told = on_ticket()
        told.closing(True)
        told.presence(False)
        effects = told.closing(False)
        assert acts(effects) == ["CompletePassage", "Settle"]
        assert any(isinstance(each, CompletePassage) and each.stay == STAY for each in effects)
        assert told.state.phase == Idle()

    def test_it_backs_out(self) -> None:
        told = on_ticket()
        told.presence(False)
        effects = told.wait(6).timer(TimerName.PASSAGE)
        assert any(isinstance(each, CancelAdmission) and each.stay == STAY for each in effects)
        assert told.state.phase == Idle()

    def test_so_is_one_that_was_not_read_surely(self) -> None:
        told = lane()
        told.presence(True)
        told.read(confidence=0.2)
        assert acts(press(told)) == ["TakeSnapshot"]

    def test_letting_the_button_go_says_nothing(self) -> None:
        told = unread()
        assert press(told, on=False) == (Settle(told.last, Outcome.NOTED),)


class TestNeverTwo:
    @pytest.mark.parametrize("phase", ["Deciding", "Admitting", "Opening", "Passing"])
    def test_a_second_press_does_nothing(self, phase: str) -> None:
        told = unread()
        press(told)
        if phase != "Deciding":
            told.gathered(facts(None))
        if phase in ("Opening", "Passing"):
            told.admitted()
        if phase == "Passing":
            told.closing(True)
        before = told.state.phase
        assert press(told) == ignored(told, "being_served")
        assert told.state.phase == before

    @pytest.mark.parametrize("status", [CommandStatus.UNKNOWN])
    def test_after_an_opening_that_may_have_failed_it_is_the_same_ticket(
        self, status: CommandStatus
    ) -> None:
        told = on_ticket()
        told.ended(status)
        assert acts(press(told)) == ["TakeSnapshot"]
        (admit,) = told.gathered(facts(None))
        assert isinstance(admit, Admit)
        assert admit.again == STAY
        told.admitted(command=OPEN_AGAIN)
        assert isinstance(told.state.phase, Opening)
        assert (told.state.phase.grant.stay, told.state.phase.grant.command) == (STAY, OPEN_AGAIN)

    def test_after_one_that_surely_failed_the_ticket_is_undone_and_it_may_ask_again(self) -> None:
        told = on_ticket()
        assert "CancelAdmission" in acts(told.ended(CommandStatus.FAILED))
        assert press(told) == ignored(told, "not_yet")
        told.unread()
        assert acts(press(told)) == ["TakeSnapshot"]

    def test_a_read_of_a_vehicle_that_has_its_ticket_already(self) -> None:
        told = unread()
        press(told)
        assert told.read() == (Settle(told.last, Outcome.FOLDED),)
        told.gathered(facts(None))
        told.admitted()
        assert told.read() == (Settle(told.last, Outcome.FOLDED),)
        assert told.state.waiting is None
        told.closing(True)
        assert told.read(OTHER_CAR) == ()
        assert told.state.waiting is not None


class TestNotGiven:
    def test_nobody_on_the_loop(self) -> None:
        told = lane()
        press(told)
        assert told.effects[-2:] == list(ignored(told, "nobody_there"))

    def test_nobody_has_tried_to_read_it_yet(self) -> None:
        told = lane()
        told.presence(True)
        assert press(told) == ignored(told, "not_yet")

    def test_a_press_that_comes_late(self) -> None:
        told = unread()
        assert press(told, age=60) == ignored(told, "too_late")
        assert press(told, age=None) == ignored(told, "too_late")

    def test_full(self) -> None:
        told = unread()
        press(told)
        told.gathered(facts(None))
        effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL))
        assert effects[0] == Deny(told.last, DenyReason.FULL_FACILITY, None, show=True)
        assert told.state.phase == Denied(None, DenyReason.FULL_FACILITY)
        assert acts(press(told)) == ["TakeSnapshot"]

    def test_outside_the_opening_hours(self) -> None:
        never = OpeningHours((), frozenset(), frozenset(), "UTC")
        told = Told(lane_of(policy=POLICY, opening=never))
        told.presence(True)
        told.unread()
        press(told)
        effects = told.gathered(facts(None))
        assert effects[0] == Deny(told.last, DenyReason.OUTSIDE_OPENING_HOURS, None, show=True)

    def test_an_entry_for_known_vehicles(self) -> None:
        told = unread(LanePolicy(button_ticket=ButtonTicket.ADMIT, admits=Admits.KNOWN))
        press(told)
        effects = told.gathered(facts(None))
        assert effects[0] == Deny(told.last, DenyReason.NOT_PERMITTED, None, show=True)

    def test_where_no_tickets_are_offered_the_button_calls_somebody(self) -> None:
        told = unread(LanePolicy())
        assert press(told) == (
            Notice("intercom_call", told.last, "button"),
            Settle(told.last, Outcome.NOTED),
        )
        assert told.state.phase == Denied(None, DenyReason.PLATE_UNREAD)

    def test_at_an_exit_it_calls_somebody(self) -> None:
        told = lane(direction=Direction.EXIT)
        told.presence(True)
        told.unread()
        assert acts(press(told)) == ["Notice", "Settle"]

    def test_who_was_refused_for_another_reason_may_only_call(self) -> None:
        told = lane()
        told.presence(True)
        told.read(CAR)
        told.gathered(facts(blocked=True))
        assert press(told) == (
            Notice("intercom_call", told.last, "button"),
            Settle(told.last, Outcome.NOTED),
        )

    def test_the_database_is_away(self) -> None:
        told = unread()
        press(told)
        effects = told.tell(DecisionFailed(told.deciding_cause, "away"))
        assert effects[:2] == (
            Notice("decision_failed", told.last, "away"),
            Settle(told.last, Outcome.FAILED),
        )
        assert told.at_rest


class TestWithoutAPresenceLoop:
    def test_a_vehicle_that_was_seen_a_moment_ago(self) -> None:
        told = unread(loop=False)
        told.wait(60)
        assert acts(press(told)) == ["TakeSnapshot"]

    def test_one_that_was_seen_long_ago_has_gone(self) -> None:
        told = unread(loop=False)
        told.wait(60.1)
        assert acts(press(told)) == ["Notice", "Settle"]


def test_a_ticket_on_its_way_in_is_awaited_after_a_restart() -> None:
    told = lane()
    passage = PendingPassage(told.lane.id, STAY, ZONE_A, None, OPEN, cause_of(3).event, told.now)
    told.state, effects = restored(told.lane, passage, told.now)
    assert acts(effects) == []
    told.presence(True)
    press(told)
    (admit,) = told.gathered(facts(None))
    assert isinstance(admit, Admit)
    assert (admit.read, admit.again) == (None, STAY)


def test_at_the_exit_an_operator_says_whose_ticket_it_is() -> None:
    told = lane(direction=Direction.EXIT)
    told.presence(True)
    told.read()
    told.gathered(facts())
    told.near()
    asked = told.cause()
    request = Request("1", "olga", OperatorDo.MATCH, "shows its ticket", ticket="T000001")
    assert told.tell(Requested(asked, request)) == (Operate(asked, request, None, read_of()),)
    effects = told.tell(Operated(asked, request, OperateOutcome.DONE, None, plate=CAR))
    assert effects == (TakeSnapshot(asked, CAR),)
    (release,) = told.gathered(facts(stay=open_stay()))
    assert isinstance(release, Release)
    assert (release.stay.id, release.read) == (STAY, read_of())
    assert release.matched is not None
    assert (release.matched.plate, release.matched.reason) == (CAR, "operator")
