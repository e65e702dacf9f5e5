"""An entry lane, from the first read to the grant or the denial."""

from dataclasses import replace

import pytest

from gated.core.access import entitlement
from gated.core.effects import (
    Admit,
    Deny,
    Notice,
    Outcome,
    Settle,
    StartTimer,
    StopTimer,
    TakeSnapshot,
)
from gated.core.events import (
    AlreadyInside,
    DecidedBefore,
    DecisionFailed,
    RightGone,
    TimerFired,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.phases import Approached, Deciding, Grant, Opening
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, LanePolicy
from gated.core.snapshot import Entitlement, PlateSnapshot, Reservation, Right
from tests.core.support import (
    CAR,
    OPEN,
    OTHER_CAR,
    STAY,
    ZONE_A,
    ZONE_B,
    ZONE_C,
    Told,
    at,
    cause_of,
    facts,
    kinds,
    lane_of,
    open_stay,
    read_of,
    started,
)


def deciding(told: Told) -> Told:
    """A vehicle stands on the loop, its plate is read, the facts are being gathered."""
    told.presence(True)
    told.read()
    return told


class TestApproach:
    def test_a_vehicle_on_the_loop_is_decided_on_at_once(self) -> None:
        told = Told()
        told.presence(True)
        assert told.read() == (TakeSnapshot(cause_of(2), CAR),)
        assert told.state.phase == Deciding(read_of(), cause_of(2))

    def test_a_read_before_the_loop_waits_for_the_vehicle(self) -> None:
        told = Told()
        assert told.read() == (StartTimer(TimerName.PRESENCE, 1, 15.0),)
        assert told.state.phase == Approached(read_of(), cause_of(1))
        told.wait(4)
        assert kinds(told.presence(True)) == ["StopTimer", "TakeSnapshot", "Settle"]
        assert told.phase == "Deciding"

    def test_without_a_presence_loop_nobody_waits_for_one(self) -> None:
        told = Told(lane_of(presence_loop=False))
        assert kinds(told.read()) == ["TakeSnapshot"]

    def test_who_never_reaches_the_loop_is_denied_unseen(self) -> None:
        told = Told()
        told.read()
        told.wait(15)
        denial = Deny(cause_of(1), DenyReason.NO_PRESENCE, read_of(), show=False)
        assert told.timer(TimerName.PRESENCE) == (denial,)
        assert told.at_rest

    def test_a_corrected_text_replaces_the_first_and_keeps_its_timer(self) -> None:
        told = Told()
        told.read(CAR, key="7")
        effects = told.read(OTHER_CAR, key="7")
        assert effects == (Settle(cause_of(1), Outcome.SUPERSEDED),)
        assert told.state.phase == Approached(read_of(OTHER_CAR, key="7"), cause_of(2))
        told.presence(True)
        assert told.effects[-2] == TakeSnapshot(cause_of(2), OTHER_CAR)

    def test_another_vehicle_replaces_the_first_with_a_timer_of_its_own(self) -> None:
        told = Told()
        told.read(CAR, key="7")
        assert told.read(OTHER_CAR, key="8") == (
            Settle(cause_of(1), Outcome.SUPERSEDED),
            StopTimer(TimerName.PRESENCE),
            StartTimer(TimerName.PRESENCE, 2, 15.0),
        )

    def test_a_late_presence_report_is_no_evidence(self) -> None:
        told = Told()
        told.read()
        assert kinds(told.presence(True, age=30)) == ["Settle"]
        assert told.phase == "Approached"
        assert told.state.presence
        # The loop is known to be occupied all the same: the next fresh read is enough.
        assert kinds(told.read(key="9")) == ["Settle", "StopTimer", "TakeSnapshot"]

    def test_the_timer_of_an_earlier_read_does_not_end_the_wait_of_a_later(self) -> None:
        told = Told()
        told.read(CAR)
        token = told.state.timer_token
        told.read(OTHER_CAR)
        assert token != told.state.timer_token
        before = told.state
        assert told.tell(TimerFired(TimerName.PRESENCE, token)) == ()
        assert told.state == before


ENTRIES: dict[str, tuple[LanePolicy, PlateSnapshot, GrantReason | DenyReason]] = {
    "a stranger": (LanePolicy(), facts(), GrantReason.TRANSIENT),
    "a registered vehicle": (LanePolicy(), facts(vehicle=True), GrantReason.REGISTERED),
    "a stranger where only the known may enter": (
        LanePolicy(admits=Admits.KNOWN),
        facts(),
        DenyReason.NOT_PERMITTED,
    ),
    "a registered vehicle where only the known may enter": (
        LanePolicy(admits=Admits.KNOWN),
        facts(vehicle=True),
        GrantReason.REGISTERED,
    ),
    "a blocked stranger": (LanePolicy(), facts(blocked=True), DenyReason.BLOCKED),
    "a blocked registered vehicle": (
        LanePolicy(),
        facts(vehicle=True, blocked=True),
        DenyReason.BLOCKED,
    ),
    "a vehicle with a subscription": (
        LanePolicy(admits=Admits.KNOWN),
        facts(subscription=True),
        GrantReason.SUBSCRIPTION,
    ),
    "one with open violations": (
        LanePolicy(),
        facts(vehicle=True, violations=1, violation_denies=True),
        DenyReason.VIOLATION_UNPAID,
    ),
    "nothing free anywhere": (LanePolicy(), facts(available={ZONE_A: 0}), DenyReason.FULL_FACILITY),
}


class TestVerdict:
    @pytest.mark.parametrize("case", ENTRIES)
    def test_entry(self, case: str) -> None:
        policy, snapshot, verdict = ENTRIES[case]
        told = deciding(Told(lane_of(policy=policy)))
        effects = told.gathered(snapshot)
        if isinstance(verdict, DenyReason):
            assert effects == (Deny(cause_of(2), verdict, read_of(), show=True),)
            assert told.denied == CAR
        else:
            admit = Admit(
                cause=cause_of(2),
                read=read_of(),
                zone=ZONE_A,
                reason=verdict,
                vehicle=snapshot.vehicle,
                user=snapshot.user,
                entitlement=entitlement(snapshot),
                valid_until=at(5),
            )
            assert effects == (admit,)
            assert told.phase == "Deciding"

    def test_the_grant_waits_for_the_passage(self) -> None:
        told = deciding(Told())
        told.gathered()
        assert told.admitted() == (StartTimer(TimerName.PASSAGE, told.state.timer_token, 60.0),)
        grant = Grant(CAR, STAY, ZONE_A, OPEN, cause_of(2).event)
        grant = replace(grant, read=read_of(), stood=told.state.stood)
        assert told.state.phase == Opening(grant)

    def test_who_left_the_loop_meanwhile_gets_the_back_out_time(self) -> None:
        told = deciding(Told())
        told.gathered()
        told.presence(False)
        assert started(told.admitted()) == {TimerName.PASSAGE: 6.0}

    def test_a_full_zone_leads_to_the_next_and_the_last_to_full(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
        effects = told.gathered()
        for zone in (ZONE_A, ZONE_B):
            (admit,) = effects
            assert isinstance(admit, Admit)
            assert admit.zone == zone
            effects = told.tell(ZoneRefused(told.deciding_cause, zone, ZoneRefusal.FULL))
        assert effects == (Deny(cause_of(2), DenyReason.FULL_FACILITY, read_of(), show=True),)
        assert told.denied == CAR

    def test_zones_that_the_snapshot_calls_empty_are_not_asked(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B, ZONE_C))))
        told.gathered(facts(available={ZONE_A: 0, ZONE_C: 2}))
        assert told.effects[-1].zone == ZONE_B  # type: ignore[union-attr]
        told.tell(ZoneRefused(told.deciding_cause, ZONE_B, ZoneRefusal.FULL))
        assert told.effects[-1].zone == ZONE_C  # type: ignore[union-attr]

    def test_a_vehicle_that_holds_a_spot_is_offered_that_zone_first(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
        told.gathered(facts(stay=open_stay(ZONE_B), available={ZONE_A: 5, ZONE_B: 0}))
        assert told.effects[-1].zone == ZONE_B  # type: ignore[union-attr]

    def test_a_reservation_is_offered_its_own_zone_first(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
        told.gathered(facts(reservation=Reservation(STAY, ZONE_B), available={ZONE_B: 0}))
        admit = told.effects[-1]
        assert isinstance(admit, Admit)
        assert (admit.zone, admit.entitlement) == (ZONE_B, Entitlement(Right.RESERVATION, STAY))

    @pytest.mark.parametrize("other", sorted(set(ZoneRefusal) - {ZoneRefusal.TOO_SMALL}))
    def test_too_large_is_who_fits_nowhere(self, other: ZoneRefusal) -> None:
        for second, reason in (
            (ZoneRefusal.TOO_SMALL, DenyReason.VEHICLE_TOO_LARGE),
            (other, DenyReason.FULL_CLASS),
        ):
            told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
            told.gathered()
            told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.TOO_SMALL))
            effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_B, second))
            assert effects == (Deny(cause_of(2), reason, read_of(), show=True),)

    def test_a_right_that_went_meanwhile_is_decided_on_anew(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
        told.gathered(facts(subscription=True))
        told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.TOO_SMALL))
        effects = told.tell(RightGone(told.deciding_cause, "right_used_up"))
        gone = Notice("right_gone", cause_of(2), "right_used_up")
        assert effects == (gone, TakeSnapshot(cause_of(2), CAR))
        told.gathered(facts())
        admit = told.effects[-1]
        assert isinstance(admit, Admit)
        assert (admit.zone, admit.entitlement) == (ZONE_A, None)
        told.wait(5.1)
        effects = told.tell(RightGone(told.deciding_cause, "right_used_up"))
        effects = told.gathered(facts(subscription=True))
        assert effects == (Deny(cause_of(2), DenyReason.READ_TOO_OLD, read_of(), show=True),)

    def test_who_is_inside_already_is_denied(self) -> None:
        told = deciding(Told())
        told.gathered(facts(stay=open_stay()))
        effects = told.tell(AlreadyInside(told.deciding_cause))
        assert effects == (Deny(cause_of(2), DenyReason.ALREADY_INSIDE, read_of(), show=True),)

    def test_full_is_told_of_what_the_lane_leads_to(self) -> None:
        told = deciding(Told())
        effects = told.gathered(facts(available={ZONE_A: 0, ZONE_B: 4}))
        assert effects == (Deny(cause_of(2), DenyReason.FULL_ZONE, read_of(), show=True),)

    def test_closed_zones_are_closed_and_not_full(self) -> None:
        told = deciding(Told())
        told.gathered()
        effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.CLOSED))
        assert effects == (Deny(cause_of(2), DenyReason.CLOSED, read_of(), show=True),)

    def test_a_closed_hour_is_looked_at_when_the_facts_are_there(self) -> None:
        # 07:30 UTC is half past nine in Berlin, where it opens at ten.
        hours = OpeningHours((OpeningWindow(600, 1320),), frozenset(), frozenset(), "Europe/Berlin")
        told = deciding(Told(lane_of(opening=hours)))
        effects = told.gathered()
        reason = DenyReason.OUTSIDE_OPENING_HOURS
        assert effects == (Deny(cause_of(2), reason, read_of(), show=True),)
        told = deciding(Told(lane_of(opening=replace(hours, time_zone="Asia/Seoul"))))
        (admit,) = told.gathered()
        assert isinstance(admit, Admit)

    def test_a_replayed_event_changes_nothing(self) -> None:
        told = deciding(Told())
        told.gathered()
        assert told.tell(DecidedBefore(told.deciding_cause)) == ()
        assert told.at_rest

    def test_a_failure_is_told_and_the_next_read_is_a_new_one(self) -> None:
        told = deciding(Told())
        failed = told.tell(DecisionFailed(told.deciding_cause, "away"))
        assert failed == (
            Notice("decision_failed", cause_of(2), "away"),
            Settle(cause_of(2), Outcome.FAILED),
        )
        assert told.at_rest
        assert kinds(told.read()) == ["TakeSnapshot"]

    def test_an_answer_for_another_cause_is_told_and_ignored(self) -> None:
        told = deciding(Told())
        before = told.state
        stray = DecisionFailed(cause_of(99), "late")
        assert told.tell(stray) == (Notice("answer_unexpected", cause_of(99), "DecisionFailed"),)
        assert told.state == before


class TestSlowAnswers:
    """A read is evidence for `event_age_seconds_max`; a database that was away opens nothing."""

    def test_facts_that_come_too_late_open_nothing(self) -> None:
        told = deciding(Told())
        told.wait(5.1)
        effects = told.gathered()
        assert effects == (Deny(cause_of(2), DenyReason.READ_TOO_OLD, read_of(), show=True),)

    def test_nor_does_the_second_zone_after_a_slow_first(self) -> None:
        told = deciding(Told(lane_of(zones=(ZONE_A, ZONE_B))))
        told.wait(3)
        told.gathered()
        told.wait(3)
        effects = told.tell(ZoneRefused(told.deciding_cause, ZONE_A, ZoneRefusal.FULL))
        assert effects == (Deny(cause_of(2), DenyReason.READ_TOO_OLD, read_of(), show=True),)

    def test_the_transaction_is_told_until_when_it_may_begin(self) -> None:
        told = Told()
        told.read()
        told.wait(10)
        told.presence(True)  # the loop is the fresh evidence, not the read before it
        told.wait(1)
        told.gathered()
        assert told.effects[-1].valid_until == at(15)  # type: ignore[union-attr]
