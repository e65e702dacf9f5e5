"""Grant or deny: from the read alone, then from what is known of the plate."""

import pytest

from gated.core.access import entitlement, judge_age, judge_confidence, judge_entry, judge_exit
from gated.core.effects import DenyReason, GrantReason
from gated.core.site import Admits, LanePolicy, Unproven
from gated.core.snapshot import Entitlement, PlateSnapshot, Reservation, Right
from tests.core.support import STAY, SUBSCRIPTION, ZONE_B, cause_of, facts, open_stay, read_of

STRICT = LanePolicy(unrated_reads=Unproven.REFUSE, undated_reads=Unproven.REFUSE)
LENIENT = LanePolicy(unrated_reads=Unproven.ACCEPT, undated_reads=Unproven.ACCEPT)


@pytest.mark.parametrize(
    ("policy", "age", "reason"),
    [
        (STRICT, 0.0, None),
        (STRICT, 5.0, None),
        (STRICT, 5.001, DenyReason.READ_TOO_OLD),
        (STRICT, None, DenyReason.READ_UNDATED),
        (LENIENT, None, None),
        (LENIENT, 5.001, DenyReason.READ_TOO_OLD),
        (LanePolicy(event_age_seconds_max=60), 59.0, None),
    ],
)
def test_age(policy: LanePolicy, age: float | None, reason: DenyReason | None) -> None:
    assert judge_age(policy, cause_of(1, age=age)) is reason


@pytest.mark.parametrize(
    ("policy", "confidence", "reason"),
    [
        (STRICT, 1.0, None),
        (STRICT, 0.7, None),
        (STRICT, 0.699, DenyReason.READ_UNCERTAIN),
        (STRICT, None, DenyReason.READ_UNRATED),
        (LENIENT, None, None),
        (LENIENT, 0.0, DenyReason.READ_UNCERTAIN),
        (LanePolicy(read_confidence_min=0.0), 0.0, None),
    ],
)
def test_confidence(
    policy: LanePolicy, confidence: float | None, reason: DenyReason | None
) -> None:
    assert judge_confidence(policy, read_of(confidence=confidence)) is reason


@pytest.mark.parametrize("admits", Admits)
@pytest.mark.parametrize("vehicle", [True, False])
@pytest.mark.parametrize("blocked", [True, False])
def test_entry(admits: Admits, vehicle: bool, blocked: bool) -> None:
    verdict = judge_entry(LanePolicy(admits=admits), facts(vehicle=vehicle, blocked=blocked))
    if blocked:
        assert verdict is DenyReason.BLOCKED
    elif vehicle:
        assert verdict is GrantReason.REGISTERED
    elif admits is Admits.EVERYONE:
        assert verdict is GrantReason.TRANSIENT
    else:
        assert verdict is DenyReason.NOT_PERMITTED


RESERVATION = Reservation(STAY, ZONE_B)
RIGHTS: dict[str, tuple[PlateSnapshot, Entitlement | None]] = {
    "none": (facts(vehicle=True), None),
    "a reservation": (facts(reservation=RESERVATION), Entitlement(Right.RESERVATION, STAY)),
    "a subscription": (facts(subscription=True), Entitlement(Right.SUBSCRIPTION, SUBSCRIPTION)),
    "staff": (facts(staff=True), Entitlement(Right.STAFF)),
    "staff before an entry of a subscription": (
        facts(staff=True, subscription=True),
        Entitlement(Right.STAFF),
    ),
    "what was reserved before all": (
        facts(staff=True, subscription=True, reservation=RESERVATION),
        Entitlement(Right.RESERVATION, STAY),
    ),
}


@pytest.mark.parametrize("case", RIGHTS)
@pytest.mark.parametrize("admits", Admits)
def test_a_right_covers_the_stay_and_opens_lanes_of_the_known(admits: Admits, case: str) -> None:
    snapshot, right = RIGHTS[case]
    assert entitlement(snapshot) == right
    verdict = judge_entry(LanePolicy(admits=admits), snapshot)
    assert verdict == (right.right if right else GrantReason.REGISTERED)


@pytest.mark.parametrize("reservation", [None, RESERVATION])
def test_open_violations_deny_where_the_facility_says_so(reservation: Reservation | None) -> None:
    strict = facts(violations=1, violation_denies=True, reservation=reservation)
    assert judge_entry(LanePolicy(), strict) is DenyReason.VIOLATION_UNPAID
    for lenient in (facts(violations=3), facts(violation_denies=True)):
        assert judge_entry(LanePolicy(), lenient) is GrantReason.TRANSIENT


def test_that_the_plate_is_inside_is_left_to_the_database() -> None:
    assert judge_entry(LanePolicy(), facts(stay=open_stay())) is GrantReason.TRANSIENT


@pytest.mark.parametrize("blocked", [True, False])
def test_exit(blocked: bool) -> None:
    assert judge_exit(facts(blocked=blocked)) is DenyReason.NO_ENTRY_FOUND
    assert judge_exit(facts(blocked=blocked, stay=open_stay())) is GrantReason.STAY_OPEN
    again = facts(blocked=blocked, stay=open_stay(released=True))
    assert judge_exit(again) is GrantReason.EXIT_REPEATED
