"""Grant or deny: from the read alone, then from what is known of the plate."""

import pytest

from gated.core.access import (
    entitlement,
    judge_age,
    judge_confidence,
    judge_entry,
    judge_exit,
    judge_full,
)
from gated.core.events import ZoneRefusal
from gated.core.ids import ZoneId
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, LanePolicy, Unproven
from gated.core.snapshot import Entitlement, Lapse, PlateSnapshot, Reservation, Right
from tests.core.support import (
    STAY,
    SUBSCRIPTION,
    ZONE_A,
    ZONE_B,
    ZONE_C,
    cause_of,
    facts,
    open_stay,
    read_of,
)

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
    elif vehicle and admits is not Admits.ENTITLED:
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
    without = DenyReason.NOT_PERMITTED if admits is Admits.ENTITLED else GrantReason.REGISTERED
    assert verdict == (right.right if right else without)


@pytest.mark.parametrize("lapse", Lapse)
def test_a_right_that_lapsed_is_told_where_nothing_but_a_right_would_open(lapse: Lapse) -> None:
    def verdict(admits: Admits, *, vehicle: bool = False, blocked: bool = False) -> str:
        snapshot = facts(vehicle=vehicle, lapsed=lapse, blocked=blocked)
        return judge_entry(LanePolicy(admits=admits), snapshot)

    for vehicle in (False, True):
        assert verdict(Admits.ENTITLED, vehicle=vehicle) is DenyReason(lapse)
    assert verdict(Admits.KNOWN) is DenyReason(lapse)
    assert verdict(Admits.KNOWN, vehicle=True) is GrantReason.REGISTERED
    assert verdict(Admits.EVERYONE) is GrantReason.TRANSIENT
    assert verdict(Admits.ENTITLED, blocked=True) is DenyReason.BLOCKED


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


# ── opening hours ───────────────────────────────────────────────────────────────────────────

# The facts are of 07:30.
SHUT = OpeningHours((OpeningWindow(8 * 60, 22 * 60),), frozenset(), frozenset(), "UTC")
OPEN = OpeningHours((OpeningWindow(6 * 60, 22 * 60),), frozenset(), frozenset(), "UTC")


@pytest.mark.parametrize("case", [case for case in RIGHTS if case != "none"])
def test_outside_the_opening_hours_only_the_exempt_come_in(case: str) -> None:
    snapshot, right = RIGHTS[case]
    assert right is not None
    policy = LanePolicy()
    granted = GrantReason(right.right)
    assert judge_entry(policy, snapshot, OPEN) is granted
    assert judge_entry(policy, snapshot, SHUT) is DenyReason.OUTSIDE_OPENING_HOURS
    for word in ("registered", "reservation", "staff", "subscription"):
        exempting = OpeningHours(SHUT.windows, frozenset(), frozenset({word}), "UTC")
        expected = granted if word == granted else DenyReason.OUTSIDE_OPENING_HOURS
        assert judge_entry(policy, snapshot, exempting) is expected


@pytest.mark.parametrize("vehicle", [True, False])
def test_strangers_and_registered_vehicles_keep_to_the_opening_hours(vehicle: bool) -> None:
    snapshot = facts(vehicle=vehicle)
    granted = GrantReason.REGISTERED if vehicle else GrantReason.TRANSIENT
    assert judge_entry(LanePolicy(), snapshot, OPEN) is granted
    assert judge_entry(LanePolicy(), snapshot, SHUT) is DenyReason.OUTSIDE_OPENING_HOURS


def test_what_denies_at_any_hour_is_told_before_the_hour() -> None:
    assert judge_entry(LanePolicy(), facts(blocked=True), SHUT) is DenyReason.BLOCKED
    stranger = judge_entry(LanePolicy(admits=Admits.KNOWN), facts(), SHUT)
    assert stranger is DenyReason.NOT_PERMITTED


def test_who_was_let_in_before_closing_and_still_stands_there_is_left_to_the_database() -> None:
    assert judge_entry(LanePolicy(), facts(stay=open_stay()), SHUT) is GrantReason.TRANSIENT


# ── full ────────────────────────────────────────────────────────────────────────────────────

FULL, CLOSED, TOO_SMALL = ZoneRefusal.FULL, ZoneRefusal.CLOSED, ZoneRefusal.TOO_SMALL
KEPT = (
    ZoneRefusal.SIZE_TAKEN,
    ZoneRefusal.CHARGERS_KEPT,
    ZoneRefusal.ACCESSIBLE_KEPT,
    ZoneRefusal.RESERVED,
)
# Zones of the lane, what they answered, what the snapshot counted (zones it lacks are tried).
FULLS: dict[
    str, tuple[tuple[ZoneId, ...], tuple[ZoneRefusal, ...], dict[ZoneId, int] | None, DenyReason]
] = {
    "the only zone": ((ZONE_A,), (FULL,), {ZONE_A: 1}, DenyReason.FULL_FACILITY),
    "the only zone, not even tried": ((ZONE_A,), (), {ZONE_A: 0}, DenyReason.FULL_FACILITY),
    "all of several": (
        (ZONE_A, ZONE_B), (FULL,), {ZONE_A: 0, ZONE_B: 1}, DenyReason.FULL_FACILITY,
    ),
    "nothing was counted": ((ZONE_A, ZONE_B), (FULL, FULL), None, DenyReason.FULL_FACILITY),
    "its zones, while another has spots": (
        (ZONE_A, ZONE_B), (FULL,), {ZONE_A: 0, ZONE_B: 1, ZONE_C: 3}, DenyReason.FULL_ZONE,
    ),
    "one of them out of service": (
        (ZONE_A, ZONE_B), (FULL, CLOSED), {ZONE_A: 1}, DenyReason.FULL_FACILITY,
    ),
    "all of them out of service": (
        (ZONE_A, ZONE_B), (CLOSED, CLOSED), {ZONE_C: 5}, DenyReason.CLOSED,
    ),
    "one is full, one out of service, neither tried": (
        (ZONE_A, ZONE_B), (CLOSED,), {ZONE_A: 0}, DenyReason.FULL_FACILITY,
    ),
    "none is large enough": (
        (ZONE_A, ZONE_B), (TOO_SMALL, TOO_SMALL), {ZONE_A: 9, ZONE_B: 9},
        DenyReason.VEHICLE_TOO_LARGE,
    ),
    "one is too small, the other may not be, and is full": (
        (ZONE_A, ZONE_B), (TOO_SMALL,), {ZONE_A: 9, ZONE_B: 0}, DenyReason.FULL_CLASS,
    ),
    **{
        f"spots of another kind, {refusal}": (
            (ZONE_A, ZONE_B), (FULL, refusal), {ZONE_A: 1, ZONE_B: 9, ZONE_C: 9},
            DenyReason.FULL_CLASS,
        )
        for refusal in KEPT
    },
    "one too small, the other's large ones taken": (
        (ZONE_A, ZONE_B), (TOO_SMALL, ZoneRefusal.SIZE_TAKEN), {ZONE_A: 9, ZONE_B: 9},
        DenyReason.FULL_CLASS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FULLS)
def test_full_says_of_what(case: str) -> None:
    zones, refusals, available, reason = FULLS[case]
    assert judge_full(zones, refusals, available) is reason
