"""What the hardware answers to commands, in time, late, or to a denial."""

from collections.abc import Callable
from uuid import UUID

import pytest

from gated.core.effects import CancelAdmission, NoteCommand, Notice, Outcome, Settle
from gated.core.events import BarrierState, CommandStatus, DenialShown
from gated.core.ids import CommandId, command_number
from gated.core.lane import SENT_COUNT_MAX
from gated.core.phases import Opening
from tests.core.support import OPEN, OPEN_AGAIN, Told, kinds

ACKNOWLEDGED = NoteCommand(OPEN, CommandStatus.ACKNOWLEDGED, None)
CONFIRMED = NoteCommand(OPEN, CommandStatus.CONFIRMED, None)
REFUSED = NoteCommand(OPEN, CommandStatus.FAILED, "stuck")


def granted() -> Told:
    """A vehicle on the loop, its open command on the way."""
    told = Told()
    told.presence(True)
    told.read()
    told.gathered()
    told.admitted()
    return told


def gone() -> Told:
    """The same, passed already."""
    told = granted()
    told.closing(True)
    told.presence(False)
    told.closing(False)
    assert told.at_rest
    return told


def denied() -> Told:
    """A denial that the display is told of."""
    told = Told()
    told.presence(True)
    told.unread()
    told.tell(DenialShown(told.last, OPEN))
    return told


@pytest.mark.parametrize("told", [granted(), gone(), denied()], ids=["waiting", "gone", "denied"])
def test_an_acknowledgement_is_noted_whenever_it_comes(told: Told) -> None:
    phase = told.state.phase
    assert told.answered(OPEN, ok=True) == (ACKNOWLEDGED, Settle(told.last, Outcome.NOTED))
    assert told.state.phase == phase


def test_an_arm_that_rose_is_noted_even_after_the_passage() -> None:
    told = gone()
    assert told.arm(BarrierState.OPENED, command_number(OPEN))[0] == CONFIRMED


def test_an_arm_that_names_no_command_answers_the_one_under_way() -> None:
    assert granted().arm(BarrierState.OPENED)[0] == CONFIRMED
    told = gone()
    assert told.arm(BarrierState.OPENED)[0] == Notice("opened_without_grant", told.last)


def test_a_refused_open_undoes_the_admission() -> None:
    told = granted()
    effects = told.answered(OPEN, ok=False)
    assert effects[0] == REFUSED
    assert kinds(effects).count("CancelAdmission") == 1
    assert told.at_rest


def assert_only_told(told: Told) -> None:
    """A refusal that contradicts what is known: told, and nothing follows from it."""
    phase = told.state.phase
    assert told.answered(OPEN, ok=False) == (
        Notice("command_refused", told.last, "stuck"),
        Settle(told.last, Outcome.NOTED),
    )
    assert told.state.phase == phase


@pytest.mark.parametrize("acknowledged", [True, False], ids=["acknowledged", "opened"])
@pytest.mark.parametrize("told", [granted, gone])
def test_a_refusal_of_what_the_hardware_took_undoes_nothing(
    told: Callable[[], Told], acknowledged: bool
) -> None:
    """A command that is delivered twice is answered twice: the second time, heard before."""
    lane = told()
    if acknowledged:
        lane.answered(OPEN, ok=True)
    else:
        lane.arm(BarrierState.OPENED, command_number(OPEN))
    assert_only_told(lane)


def test_a_refusal_after_the_arm_opened_without_a_number_undoes_nothing() -> None:
    told = granted()
    told.arm(BarrierState.OPENED)
    assert_only_told(told)


def test_a_refusal_undoes_nothing_when_the_fate_of_what_was_taken_is_unknown() -> None:
    told = granted()
    told.answered(OPEN, ok=True)
    told.ended(CommandStatus.UNKNOWN)
    assert_only_told(told)


@pytest.mark.parametrize("status", [CommandStatus.EXPIRED, CommandStatus.FAILED])
def test_what_the_hardware_took_can_no_longer_come_to_nothing(status: CommandStatus) -> None:
    told = granted()
    told.answered(OPEN, ok=True)
    assert told.ended(status) == ()
    assert told.phase == "Opening"


def test_a_refusal_while_the_vehicle_passes_undoes_nothing() -> None:
    told = granted()
    told.closing(True)
    assert told.phase == "Passing"
    assert_only_told(told)
    assert kinds(told.closing(False))[:2] == ["StopTimer", "CompletePassage"]


def test_the_refusal_of_another_command_still_counts() -> None:
    told = denied()
    told.answered(OPEN, ok=True)
    told.tell(DenialShown(told.last, OPEN_AGAIN))
    note = NoteCommand(OPEN_AGAIN, CommandStatus.FAILED, "stuck")
    assert told.answered(OPEN_AGAIN, ok=False)[0] == note


@pytest.mark.parametrize("told", [gone(), denied()], ids=["gone", "denied"])
def test_a_refusal_that_changes_nothing_is_noted_and_told(told: Told) -> None:
    phase = told.state.phase
    effects = told.answered(OPEN, ok=False)
    assert effects[:2] == (REFUSED, Notice("command_refused", told.last, "stuck"))
    assert not any(isinstance(effect, CancelAdmission) for effect in effects)
    assert told.state.phase == phase


def test_an_answer_to_a_command_that_nobody_sent_means_nothing() -> None:
    told = granted()
    assert told.answered(OPEN_AGAIN, ok=False) == (Settle(told.last, Outcome.NOTED),)
    assert isinstance(told.state.phase, Opening)


def test_old_commands_are_forgotten() -> None:
    told = denied()
    for number in range(SENT_COUNT_MAX):
        told.tell(DenialShown(told.last, CommandId(UUID(int=0xF00 + number))))
    assert len(told.state.sent) == SENT_COUNT_MAX
    assert told.answered(OPEN, ok=True) == (Settle(told.last, Outcome.NOTED),)
