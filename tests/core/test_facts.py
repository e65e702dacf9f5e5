"""What a verdict rests on goes with it, small, and of nobody but the vehicle itself."""

import json
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from gated.core.effects import Admit, Deny, Release
from gated.core.events import ZoneRefusal, ZoneRefused
from gated.core.facts import Facts, Refused, record
from gated.core.money import Money
from gated.core.reasons import DenyReason
from gated.core.site import Admits, Direction, LanePolicy, UnpaidExit
from gated.core.snapshot import Lapse, Reservation
from tests.core.support import (
    CAR,
    OTHER_CAR,
    STAY,
    ZONE_A,
    ZONE_B,
    ZONE_C,
    Told,
    at,
    cause_of,
    facts,
    lane_of,
    open_stay,
    read_of,
)

A, B = str(ZONE_A), str(ZONE_B)


def deciding(told: Told) -> Told:
    told.presence(True)
    told.read()
    return told


def test_a_grant_carries_what_was_known_and_which_zones_refused_before() -> None:
    told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
    snapshot = facts(available={ZONE_A: 2, ZONE_B: 1, ZONE_C: 7})
    (first,) = told.gathered(snapshot)
    assert isinstance(first, Admit)
    assert first.facts == Facts(snapshot)
    (second,) = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.RESERVED))
    assert isinstance(second, Admit)
    assert second.facts == Facts(snapshot, (Refused(ZONE_A, ZoneRefusal.RESERVED),))
    assert record(told.lane, second.cause, second.facts) == {
        "rule": {"admits": "everyone"},
        "known": {},
        "free": {A: 2, B: 1},
        "free_elsewhere": 7,
        "refused": [{"zone": A, "refusal": "zone_reserved"}],
    }


def test_a_denial_carries_why_each_zone_refused() -> None:
    told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
    told.gathered()
    told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL))
    (denial,) = told.tell(ZoneRefused(told.deciding_cause, ZONE_B, ZoneRefusal.TOO_SMALL))
    assert isinstance(denial, Deny)
    assert denial.facts is not None
    assert denial.facts.refused == (
        Refused(ZONE_A, ZoneRefusal.FULL),
        Refused(ZONE_B, ZoneRefusal.TOO_SMALL),
    )


def test_an_exit_carries_the_stay_and_its_money() -> None:
    told = deciding(Told(lane_of(Direction.EXIT)))
    (release,) = told.gathered(facts(stay=open_stay(), due="1.00", available={ZONE_A: 3}))
    assert isinstance(release, Release)
    assert record(told.lane, release.cause, release.facts) == {
        "rule": {"unpaid_exit": "open"},
        "known": {
            "stay": {"id": str(STAY), "zone": A, "since": at(-3600).isoformat(), "released": False},
            "price": {"amount": "2.50", "currency": "EUR"},
            "due": {"amount": "1.00", "currency": "EUR"},
        },
    }


def test_rights_and_what_speaks_against_them_are_kept_by_their_ids() -> None:
    booking = Reservation(STAY, ZONE_A)
    snapshot = facts(
        vehicle=True,
        blocked=True,
        reservation=booking,
        subscription=True,
        staff=True,
        violations=2,
        violation_denies=True,
        lapsed=Lapse.USED_UP,
    )
    lane = lane_of(policy=LanePolicy(admits=Admits.ENTITLED))
    kept = record(lane, cause_of(1), Facts(snapshot), DenyReason.BLOCKED)
    assert kept == {
        "rule": {"admits": "entitled"},
        "known": {
            "vehicle": str(UUID(int=0xCA4)),
            "user": str(UUID(int=0x05E4)),
            "blocked": True,
            "reservation": str(STAY),
            "subscription": str(UUID(int=0x5B)),
            "staff": True,
            "lapsed": "right_used_up",
            "violations": 2,
            "violations_deny": True,
        },
    }


def test_what_a_read_lacked_is_kept_with_the_limit() -> None:
    lane = lane_of(policy=LanePolicy(event_age_seconds_max=10.0, read_confidence_min=0.8))
    late, early = cause_of(1, age=61.2503), cause_of(1, age=0.5)
    old, unsure = DenyReason.READ_TOO_OLD, DenyReason.READ_UNCERTAIN
    aged = {"event_age_seconds_max": 10.0, "age_seconds": 61.25}
    assert record(lane, late, None, old) == {"rule": aged}
    # It came in time, and waited too long here.
    assert record(lane, early, Facts(), old) == {"rule": {"event_age_seconds_max": 10.0}}
    assert record(lane, early, None, unsure) == {"rule": {"read_confidence_min": 0.8}}
    assert record(lane, early, None, DenyReason.PLATE_UNREAD) == {}


def test_it_is_small_and_names_no_plate() -> None:
    snapshot = replace(
        facts(OTHER_CAR, vehicle=True, stay=open_stay(), reservation=Reservation(STAY, ZONE_A)),
        due=Money(Decimal("2.50"), "EUR"),
        available={ZONE_A: 100, **dict.fromkeys((ZONE_B, ZONE_C), 10)},
    )
    refused = tuple(Refused(ZONE_A, refusal) for refusal in ZoneRefusal)
    for lane in (
        lane_of(),
        lane_of(Direction.EXIT, policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT)),
    ):
        text = json.dumps(record(lane, cause_of(1), Facts(snapshot, refused)))
        assert len(text) < 2000
        assert OTHER_CAR.text not in text
        assert CAR.text not in text


def test_facts_are_no_part_of_what_is_to_be_done() -> None:
    bare = Deny(cause_of(1), DenyReason.BLOCKED, read_of(), show=True)
    assert replace(bare, facts=Facts()) == bare
