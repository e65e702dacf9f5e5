"""An exit lane: whoever is inside is let out, at the price of the moment."""

import pytest

from gated.core.effects import Deny, Notice, Release, ResumeStay
from gated.core.events import CommandStatus, NoOpenStay, TimerName
from gated.core.phases import Grant, Opening, grant_of
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, Direction, LanePolicy
from gated.core.snapshot import PlateSnapshot
from tests.core.support import (
    CAR,
    OPEN,
    OTHER_STAY,
    STAY,
    Told,
    at,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
)


def deciding(policy: LanePolicy | None = None) -> Told:
    told = Told(lane_of(Direction.EXIT, zones=(), policy=policy))
    told.presence(True)
    told.read()
    return told


def opening() -> Told:
    told = deciding()
    told.gathered(facts(stay=open_stay()))
    told.released()
    return told


EXITS: dict[str, tuple[PlateSnapshot, GrantReason | DenyReason]] = {
    "with a stay": (facts(stay=open_stay()), GrantReason.STAY_OPEN),
    "released before and not seen passing": (
        facts(stay=open_stay(released=True)),
        GrantReason.EXIT_REPEATED,
    ),
    "blocked, but inside": (facts(stay=open_stay(), blocked=True), GrantReason.STAY_OPEN),
    "without an entry": (facts(), DenyReason.NO_ENTRY_FOUND),
    "registered, without an entry": (facts(vehicle=True), DenyReason.NO_ENTRY_FOUND),
}


@pytest.mark.parametrize("case", EXITS)
def test_exit(case: str) -> None:
    snapshot, verdict = EXITS[case]
    told = deciding(LanePolicy(admits=Admits.KNOWN))  # whom it admits does not matter here
    effects = told.gathered(snapshot)
    if isinstance(verdict, DenyReason):
        assert kinds(effects) == ["TakeOpenStays"]
        assert told.near() == (Deny(cause_of(2), verdict, read_of(), show=True),)
        assert told.denied == CAR
    else:
        assert snapshot.open_stay is not None
        assert effects == (Release(cause_of(2), read_of(), snapshot.open_stay, verdict, at(5)),)


def test_a_release_is_awaited_like_an_admission() -> None:
    told = opening()
    grant = Grant(CAR, STAY, None, OPEN, cause_of(2).event, read=read_of(), stood=told.state.stood)
    assert told.state.phase == Opening(grant)


def test_a_stay_that_somebody_else_ended_is_denied() -> None:
    told = deciding()
    told.gathered(facts(stay=open_stay()))
    effects = told.tell(NoOpenStay(told.deciding_cause))
    assert effects == (Deny(cause_of(2), DenyReason.NO_ENTRY_FOUND, read_of(), show=True),)


def test_facts_that_come_too_late_open_nothing() -> None:
    told = deciding()
    told.wait(5.1)
    effects = told.gathered(facts(stay=open_stay()))
    assert effects == (Deny(cause_of(2), DenyReason.READ_TOO_OLD, read_of(), show=True),)


@pytest.mark.parametrize("status", [CommandStatus.FAILED, CommandStatus.EXPIRED])
def test_an_exit_that_did_not_open_is_told_and_may_be_asked_for_again(
    status: CommandStatus,
) -> None:
    told = opening()
    effects = told.ended(status)
    reason = f"command_{status}"
    assert effects[-2:] == (
        ResumeStay(STAY, reason, cause_of(2).event),
        Notice("exit_not_passed", None, reason),
    )
    assert told.at_rest
    assert kinds(told.read()) == ["TakeSnapshot"]


def test_at_an_exit_whose_command_has_an_unknown_fate_the_stay_goes_on_when_nobody_came() -> None:
    told = opening()
    assert told.ended(CommandStatus.UNKNOWN) == ()
    told.presence(False)
    told.wait(6)
    effects = told.timer(TimerName.PASSAGE)
    assert ResumeStay(STAY, "no_passage", cause_of(2).event) in effects


def test_a_stay_that_was_let_out_in_place_of_another_goes_on() -> None:
    told = opening()
    told.ended(CommandStatus.UNKNOWN)
    told.wait(4)
    told.read()
    told.gathered(facts(stay=open_stay(stay=OTHER_STAY)))
    effects = told.released(stay=OTHER_STAY)
    assert effects[:2] == (
        ResumeStay(STAY, "granted_anew", cause_of(2).event),
        Notice("exit_not_passed", None, "granted_anew"),
    )
    grant = Grant(
        CAR, OTHER_STAY, None, OPEN, cause_of(3).event, read=read_of(), stood=told.state.stood
    )
    assert grant_of(told.state.phase) == grant


def test_after_a_back_out_at_an_exit_the_stay_goes_on() -> None:
    told = opening()
    told.presence(False)
    told.wait(6)
    effects = told.timer(TimerName.PASSAGE)
    assert kinds(effects) == ["StopTimer", "ResumeStay", "Notice"]
    assert effects[1] == ResumeStay(STAY, "no_passage", cause_of(2).event)
    assert told.at_rest
