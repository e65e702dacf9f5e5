"""Reads that are gathered: a vehicle that is not read surely, from the first one to the verdict."""

import pytest

from gated.core.effects import Deny, Effect, Outcome, Settle, StartTimer, TakeSnapshot
from gated.core.events import Candidate, PlateRead, TimerName
from gated.core.phases import Denied, Gathering, Idle
from gated.core.plate_classes import Country
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.site import LanePolicy, Unproven
from tests.core.support import (
    CAR,
    CORRECTED,
    OTHER_CAR,
    Told,
    acts,
    cause_of,
    lane_of,
    read_of,
    started,
)

POLICY = LanePolicy(consensus_reads_min=2, read_confidence_sure=0.9)


def there(policy: LanePolicy = POLICY, *, loop: bool = True) -> Told:
    """A vehicle at the barrier."""
    told = Told(lane_of(policy=policy, presence_loop=loop))
    if loop:
        told.presence(True)
    return told


def outcomes(effects: tuple[Effect, ...]) -> dict[int, object]:
    """By the number of the message what became of it."""
    return {
        each.cause.event.int: each.outcome if isinstance(each, Settle) else each.reason
        for each in effects
        if isinstance(each, Settle | Deny)
    }


def test_a_sure_read_is_not_kept_waiting() -> None:
    assert acts(there().read(confidence=0.95)) == ["TakeSnapshot"]


def test_by_default_each_read_is_judged_by_itself() -> None:
    assert acts(there(LanePolicy()).read(confidence=0.71)) == ["TakeSnapshot"]
    assert acts(there(LanePolicy()).read(confidence=0.6)) == ["Deny"]


def test_an_unsure_one_waits_no_longer_than_the_policy_says() -> None:
    told = there()
    assert started(told.read(confidence=0.8)) == {TimerName.CONSENSUS: 1.0}
    assert told.phase == "Gathering"
    effects = told.wait(1.0).timer(TimerName.CONSENSUS)
    assert acts(effects) == ["TakeSnapshot"]


def test_the_time_is_not_begun_anew_by_another_read() -> None:
    told = there()
    token = told.read(confidence=0.5)[-1]
    told.wait(0.5)
    assert told.read(CORRECTED, confidence=0.5) == ()
    assert token == StartTimer(TimerName.CONSENSUS, told.state.timer_token, 1.0)


def test_two_that_agree_are_decided_at_once() -> None:
    told = there()
    told.read(confidence=0.6)
    effects = told.read(confidence=0.6)
    assert acts(effects) == ["Settle", "TakeSnapshot"]
    assert outcomes(effects) == {2: Outcome.SUPERSEDED}
    assert told.deciding_cause.event.int == 3


def test_the_majority_is_decided_on_and_knows_the_rest() -> None:
    told = there()
    told.read(CORRECTED, confidence=0.6)
    told.read(confidence=0.65)
    effects = told.read(confidence=0.65)
    assert TakeSnapshot(told.deciding_cause, CAR) in effects
    assert outcomes(effects) == {2: Outcome.SUPERSEDED, 3: Outcome.SUPERSEDED}
    read = told.state.phase.read  # type: ignore[union-attr]
    assert read is not None
    assert read.candidates == (Candidate(CORRECTED, 0.6),)


def test_a_sure_read_ends_the_waiting() -> None:
    told = there()
    told.read(CORRECTED, confidence=0.8)
    effects = told.read(confidence=0.95)
    assert effects[-1] == TakeSnapshot(told.deciding_cause, CAR)
    assert outcomes(effects) == {2: Outcome.SUPERSEDED}


def test_a_vehicle_that_cannot_be_read_surely_is_told() -> None:
    told = there()
    told.read(confidence=0.3)
    told.read(CORRECTED, confidence=0.3)
    effects = told.wait(1).timer(TimerName.CONSENSUS)
    assert effects == (
        Settle(cause_of(2), Outcome.SUPERSEDED),
        Deny(cause_of(3), DenyReason.READ_UNCERTAIN, read_of(CORRECTED, confidence=0.3), show=True),
    )
    assert told.state.phase == Denied(read_of(CORRECTED, confidence=0.3), DenyReason.READ_UNCERTAIN)


def test_contradicting_reads_that_are_sure_enough_each_open_nothing() -> None:
    told = there()
    told.read(confidence=0.8)
    told.read(CORRECTED, confidence=0.8)
    effects = told.wait(1).timer(TimerName.CONSENSUS)
    assert acts(effects) == ["Settle", "Deny"]


def test_it_is_told_once_in_a_while_however_often_it_is_read() -> None:
    told = there()
    shown = []
    for _ in range(8):
        told.read(confidence=0.3)
        effects = told.wait(2).timer(TimerName.CONSENSUS)
        shown.append(effects[-1].show)  # type: ignore[union-attr]
    assert shown == [True, False, False, False, False, False, True, False]


def test_reads_after_a_refusal_may_still_agree() -> None:
    told = there()
    told.read(confidence=0.3)
    told.wait(1).timer(TimerName.CONSENSUS)
    told.wait(1).read(confidence=0.65)
    assert acts(told.read(confidence=0.65)) == ["Settle", "TakeSnapshot"]


def test_a_vehicle_that_drives_off_is_recorded_and_forgotten() -> None:
    told = there()
    told.read(confidence=0.5)
    effects = told.presence(False)
    assert acts(effects) == ["Deny", "Settle"]
    assert outcomes(effects) == {2: DenyReason.READ_UNCERTAIN, 3: Outcome.NOTED}
    assert told.state.phase == Idle()
    assert told.timer(TimerName.CONSENSUS) == ()


def test_another_vehicles_unsure_read_does_not_count() -> None:
    told = there()
    told.read(confidence=0.6, key="7")
    effects = told.read(confidence=0.6, key="8")
    assert outcomes(effects) == {3: DenyReason.READ_UNCERTAIN}
    assert effects[0].show is False  # type: ignore[union-attr]
    unlike = told.read(OTHER_CAR, confidence=0.6)
    assert outcomes(unlike) == {4: DenyReason.READ_UNCERTAIN}
    assert told.phase == "Gathering"


def test_the_devices_key_joins_reads_that_are_not_alike() -> None:
    told = there()
    told.read(OTHER_CAR, confidence=0.3, key="7")
    told.read(confidence=0.65, key="7")
    assert acts(told.read(confidence=0.65, key="7"))[-1] == "TakeSnapshot"


def test_a_read_without_a_confidence_is_for_another_policy() -> None:
    told = there()
    assert acts(told.read(confidence=None)) == ["TakeSnapshot"]
    strict = there(LanePolicy(consensus_reads_min=2, unrated_reads=Unproven.REFUSE))
    strict.read(confidence=0.5)
    effects = strict.read(confidence=None)
    assert outcomes(effects) == {3: DenyReason.READ_UNRATED}
    assert strict.phase == "Gathering"


def test_more_reads_than_are_kept_are_settled() -> None:
    told = there(LanePolicy(consensus_reads_min=5))
    effects: list[Effect] = []
    for number in range(20):
        effects += told.read(Plate(f"HHAB{1000 + number}"), confidence=0.1, key="7")
    effects += told.wait(1).timer(TimerName.CONSENSUS)
    settled = outcomes(tuple(effects))
    assert len(settled) == 20
    assert list(settled.values()).count(Outcome.FOLDED) == 12


def test_far_from_the_barrier_nothing_is_gathered() -> None:
    told = Told(lane_of(policy=POLICY))
    assert acts(told.read(confidence=0.5)) == ["Deny"]
    assert acts(told.read(confidence=0.8)) == []
    assert told.phase == "Approached"


def test_it_is_gathered_when_it_reaches_the_barrier() -> None:
    told = Told(lane_of(policy=POLICY))
    told.read(confidence=0.8)
    assert acts(told.presence(True)) == ["Settle"]
    assert told.phase == "Gathering"
    assert acts(told.read(confidence=0.8))[-1] == "TakeSnapshot"


def test_without_a_presence_loop_the_read_itself_is_the_evidence() -> None:
    told = there(loop=False)
    told.read(confidence=0.5)
    assert isinstance(told.state.phase, Gathering)
    assert acts(told.wait(1).timer(TimerName.CONSENSUS)) == ["Deny"]


def test_a_plate_of_no_expected_country_is_waited_for_and_not_refused() -> None:
    policy = LanePolicy(consensus_reads_min=2, plate_countries=(Country.DE,))
    told = there(policy)
    dutch = Plate("1ABC23")
    assert acts(told.read(dutch, confidence=0.99)) == []
    effects = told.wait(1).timer(TimerName.CONSENSUS)
    assert effects[-1] == TakeSnapshot(told.deciding_cause, dutch)


def test_a_misfit_is_read_as_what_the_camera_says_it_may_be() -> None:
    policy = LanePolicy(consensus_reads_min=2, plate_countries=(Country.DE,))
    told = there(policy)
    misfit = PlateRead(Plate("HHAB1O34"), "HH AB-1O34", 0.95, (Candidate(Plate("HHAB1034"), 0.6),))
    told.report(misfit)
    effects = told.wait(1).timer(TimerName.CONSENSUS)
    assert effects[-1] == TakeSnapshot(told.deciding_cause, Plate("HHAB1034"))
    read = told.state.phase.read  # type: ignore[union-attr]
    assert read is not None
    assert read.plate_raw == "HH AB-1O34"
    assert Candidate(Plate("HHAB1O34"), 0.95) in read.candidates


@pytest.mark.parametrize("over", [True, False])
def test_the_rear_plate_of_who_has_passed_is_no_new_vehicle(over: bool) -> None:
    told = there(LanePolicy(consensus_reads_min=2, fold_seconds=60, read_confidence_min=0.5))
    told.read()
    told.gathered()
    told.admitted()
    told.closing(True)
    told.closing(False)
    told.read(CORRECTED, confidence=0.4)
    if over:
        assert acts(told.read(confidence=0.4)) == ["Settle"]
    else:
        assert acts(told.wait(1).timer(TimerName.CONSENSUS)) == ["Deny"]
