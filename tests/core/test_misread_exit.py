"""A plate at the exit that nobody came in with: taken for another one where that is sure enough."""

from uuid import UUID

import pytest

from gated.core.effects import (
    Deny,
    FreeKind,
    Notice,
    PassFreely,
    Release,
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.events import DecisionFailed, EvacuationChanged, OpenStaysTaken, TimerName
from gated.core.ids import StayId
from gated.core.phases import Denied, Opening
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Direction, LanePolicy, UnpaidExit
from gated.core.snapshot import Matched, StayInside
from tests.core.support import (
    CAR,
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

READ = cause_of(2)
# HHAB1234 was read; this one is inside.
INSIDE = Plate("HHA81234")
MATCHED = Matched(INSIDE, "confusable_one", 1, "4: B for 8")


def inside(plate: Plate = INSIDE, stay: StayId = STAY) -> StayInside:
    return StayInside(stay, plate, at(-3600))


def unknown(**policy: object) -> Told:
    """A plate was read that has no stay."""
    told = Told(
        lane_of(
            Direction.EXIT,
            zones=(),
            policy=LanePolicy(**{"match_distance_max": 1, **policy}),  # type: ignore[arg-type]
        )
    )
    told.presence(True)
    told.read()
    told.gathered(facts())
    return told


def test_who_is_here_is_asked_first() -> None:
    told = unknown()
    assert told.effects[-1] == TakeOpenStays(READ)


def test_where_only_exact_matches_open_the_operator_is_shown_what_is_near() -> None:
    told = unknown(match_distance_max=0)
    effects = told.near(inside())
    assert kinds(effects) == ["Notice", "Deny"]
    assert isinstance(told.state.phase, Denied)
    assert [near.stay for near in told.state.phase.near] == [inside()]


def test_of_who_is_near_the_three_best_are_kept() -> None:
    told = unknown()
    ids = [StayId(UUID(int=number)) for number in range(1, 6)]
    plates = ["HHXX1234", "HHAB12S4", "HHAB1Z34", "HHAB123", "MXY77"]
    told.near(*(inside(Plate(plate), stay) for plate, stay in zip(plates, ids, strict=True)))
    assert isinstance(told.state.phase, Denied)
    shown = [near.stay.plate.text for near in told.state.phase.near]
    assert shown == ["HHAB1Z34", "HHAB123", "HHAB12S4"]


def test_nobody_is_looked_for_where_the_arm_stands_open() -> None:
    told = Told(lane_of(Direction.EXIT, zones=()))
    told.presence(True)
    told.read()
    told.tell(EvacuationChanged(told.cause(), on=True))
    assert kinds(told.gathered(facts())) == ["Deny"]


def test_one_that_is_sure_enough_leaves_by_its_own_stay() -> None:
    told = unknown()
    effects = told.tell(OpenStaysTaken(READ, (inside(),)))
    assert effects == (TakeSnapshot(READ, INSIDE),)
    (release,) = told.gathered(facts(INSIDE, stay=open_stay()))
    assert release == Release(
        READ, read_of(), open_stay(), GrantReason.STAY_OPEN, at(5), matched=MATCHED
    )
    told.released()
    assert isinstance(told.state.phase, Opening)
    # Its own plate as it is read belongs to the vehicle that is being served.
    assert kinds(told.read()) == ["Settle"]


def test_it_is_asked_to_pay_like_everybody() -> None:
    told = unknown(unpaid_exit=UnpaidExit.WAIT)
    told.tell(OpenStaysTaken(READ, (inside(),)))
    told.gathered(facts(INSIDE, stay=open_stay(), due="2.50"))
    assert told.phase == "AwaitingPayment"
    told.wait(2)
    (_, look) = told.timer(TimerName.PAYMENT)
    assert look == TakeSnapshot(READ, INSIDE)
    (release,) = told.gathered(facts(INSIDE, stay=open_stay(), due="0.00"))
    assert isinstance(release, Release)
    assert release.matched == MATCHED


@pytest.mark.parametrize(
    ("stays", "told_to_operator"),
    [
        ((), None),
        ((inside(Plate("MXY77")),), None),
        # Two that are equally near, and one that is too far: people decide.
        (
            (inside(), inside(Plate("HH4B1234"), OTHER_STAY)),
            "HHA81234 (confusable_one), HH4B1234 (substituted_one)",
        ),
        ((inside(Plate("HHA81284")),), "HHA81284 (several)"),
    ],
)
def test_what_is_not_sure_is_denied_and_shown_to_the_operator(
    stays: tuple[StayInside, ...], told_to_operator: str | None
) -> None:
    told = unknown()
    effects = told.tell(OpenStaysTaken(READ, stays))
    assert Deny(READ, DenyReason.NO_ENTRY_FOUND, read_of(), show=True) in effects
    assert told.denied == CAR
    notices = [effect.detail for effect in effects if isinstance(effect, Notice)]
    assert notices == ([told_to_operator] if told_to_operator else [])


def test_a_stay_that_ended_meanwhile_is_denied() -> None:
    told = unknown()
    told.tell(OpenStaysTaken(READ, (inside(),)))
    effects = told.gathered(facts(INSIDE))
    assert effects == (Deny(READ, DenyReason.NO_ENTRY_FOUND, read_of(), show=True),)


def test_without_an_answer_nothing_is_decided() -> None:
    told = unknown()
    effects = told.tell(DecisionFailed(READ, "away"))
    assert kinds(effects) == ["Notice", "Settle"]
    assert told.at_rest


def test_whoever_is_through_before_it_is_matched_is_not_looked_for_any_more() -> None:
    told = unknown()
    told.closing(True)
    told.presence(False)
    assert "TakeSnapshot" not in kinds(told.near(inside()))
    assert told.at_rest
    (passed,) = (one for one in told.closing(False) if isinstance(one, PassFreely))
    assert passed.kind is FreeKind.UNEXPLAINED
