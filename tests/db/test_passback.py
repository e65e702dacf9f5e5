"""Anti-passback: a plate that is inside already, where that is hard, soft, or was reset."""

import asyncio
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from gated.core.ids import StayId
from gated.core.money import Money
from gated.core.reasons import DenyReason
from gated.db.bookings import Actor
from gated.db.review import ResetOutcome
from gated.records import AdmitAnswer, AdmitOutcome, FreeOutcome
from tests.db.desk import HOUR, MINUTE, PLATE, Desk
from tests.db.site import NOW, set_up, written

LATER = NOW + 10 * HOUR
OPERATOR = Actor("operator test")


async def returns(desk: Desk, at: datetime = LATER) -> tuple[AdmitAnswer, StayId]:
    """The plate at the entrance again, and the id of the stay that it asks for."""
    request = await desk.gate.entry(at=at)
    return await desk.store.admit(desk.id, desk.gate.fence, request), request.stay


async def is_denied(desk: Desk, at: datetime = LATER) -> None:
    """What the core makes of `already_inside`."""
    denial = await desk.gate.denial(DenyReason.ALREADY_INSIDE, at=at)
    assert await desk.store.deny(desk.id, desk.gate.fence, denial)


async def soften(desk: Desk) -> None:
    await set_up(desk.owner, desk.id, anti_passback="soft")


# ── hard ────────────────────────────────────────────────────────────────────────────────────


async def test_hard_refuses_and_the_stay_stands(desk: Desk) -> None:
    stay = await desk.inside()
    answer, _ = await returns(desk)
    assert answer.outcome is AdmitOutcome.ALREADY_INSIDE
    assert (await desk.booking(stay))["status"] == "ACTIVE"


async def test_hard_punishes_once_where_a_penalty_is_listed(desk: Desk) -> None:
    await desk.punish("passback", "15")
    stay = await desk.inside()
    for minutes in (0, 1, 14):
        await is_denied(desk, LATER + minutes * MINUTE)
    (row,) = await desk.violations()
    assert (row["kind"], row["penalty"], row["plate"]) == ("passback", 15, PLATE)
    assert (row["stay"], row["at"]) == (stay, LATER)
    assert row["evidence"]["lane"] == str(desk.site.entry)
    await is_denied(desk, LATER + 20 * MINUTE)
    assert len(await desk.violations()) == 2, "another attempt"


async def test_hard_without_a_penalty_is_a_denial_and_no_more(desk: Desk) -> None:
    await desk.inside()
    await is_denied(desk)
    assert await desk.violations() == []


async def test_other_denials_are_no_passback(desk: Desk) -> None:
    await desk.punish("passback", "15")
    await desk.inside()
    denial = await desk.gate.denial(DenyReason.FULL_FACILITY, at=LATER)
    await desk.store.deny(desk.id, desk.gate.fence, denial)
    assert await desk.violations() == []


async def test_a_vehicle_that_stands_there_again_is_no_passback(desk: Desk) -> None:
    await soften(desk)
    stay = await desk.gate.admitted()
    answer, _ = await returns(desk, NOW + MINUTE)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, stay)
    assert await desk.violations() == []
    assert await desk.waiting() == []


# ── soft ────────────────────────────────────────────────────────────────────────────────────


async def test_soft_ends_the_old_stay_and_opens_the_new_one(desk: Desk) -> None:
    await soften(desk)
    await desk.punish("passback", "15")
    old = await desk.inside()
    answer, new = await returns(desk)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, new)
    row = await desk.booking(old)
    assert (row["status"], row["exit_known"], row["exit_lane_id"]) == ("COMPLETED", "assumed", None)
    (offence,) = await desk.violations()
    assert (offence["kind"], offence["penalty"], offence["stay"]) == ("passback", 15, old)
    (audit,) = await desk.audits("stay.left_unseen")
    assert (audit["resource_id"], audit["details"]["way"]) == (old, "soft")
    assert (await desk.store.zone_count(desk.site.zone)).occupied == 1
    assert await desk.agrees()


async def test_what_nobody_saw_is_not_charged_and_the_operator_is_told(desk: Desk) -> None:
    await soften(desk)
    old = await desk.inside()
    await returns(desk)
    row = await desk.booking(old)
    assert (row["actual_exit"], row["final_price"]) == (NOW, 0)
    ((kind, details),) = await desk.waiting()
    assert (kind, details["stay"], details["seen"]) == ("passback", str(old), "entry")
    assert Decimal(str(details["price_until_return"])) == 25


async def test_it_is_charged_up_to_the_last_read_at_an_exit(desk: Desk) -> None:
    await soften(desk)
    old = await desk.inside()
    await desk.owner.execute(
        "INSERT INTO gate.decisions (id, facility_id, lane_id, event_id, decision, reason, plate,"
        " received_at, decided_at) SELECT id, $1, lane, id, 'deny', 'payment_due', $3, at, at"
        " FROM (VALUES (gen_random_uuid(), $2::uuid, $4::timestamptz),"
        "  (gen_random_uuid(), $5::uuid, $6::timestamptz)) AS d (id, lane, at)",
        desk.id,
        desk.site.exit,
        PLATE,
        NOW + 90 * MINUTE,
        desk.site.entry,
        NOW + 5 * HOUR,
    )
    await returns(desk)
    row = await desk.booking(old)
    assert (row["actual_exit"], row["final_price"]) == (NOW + 90 * MINUTE, 5)
    (debt,) = await desk.store.debts(desk.id, NOW - HOUR)
    assert (debt.stay, debt.due) == (old, Money(Decimal(5), "EUR"))


async def test_where_no_spot_is_left_the_old_stay_stands(desk: Desk) -> None:
    """Its own spot comes free with it, so that the zone is full only for another."""
    await soften(desk)
    old = await desk.inside()
    zone = desk.site.setup.zones[1].id
    await desk.owner.execute(
        "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE zone_id = $1", zone
    )
    request = await desk.gate.entry(at=LATER, zone=zone)
    before = await written(desk.owner, desk.id)
    answer = await desk.store.admit(desk.id, desk.gate.fence, request)
    assert answer.outcome is AdmitOutcome.ZONE_FULL
    assert await written(desk.owner, desk.id) == before
    assert (await desk.booking(old))["status"] == "ACTIVE"
    assert await desk.waiting() == []


async def test_the_vehicle_gets_the_spot_that_it_had_where_that_is_the_only_one(
    small: Desk,
) -> None:
    await soften(small)
    await small.inside()
    answer, _ = await returns(small)
    assert (answer.outcome, answer.spot_number) == (AdmitOutcome.ADMITTED, "1")
    assert await small.agrees()


async def test_a_repeated_call_finds_the_first(desk: Desk) -> None:
    await soften(desk)
    await desk.inside()
    request = await desk.gate.entry(at=LATER)
    first = await desk.store.admit(desk.id, desk.gate.fence, request)
    assert await desk.store.admit(desk.id, desk.gate.fence, request) == first
    assert len(await desk.violations()) == len(await desk.waiting()) == 1


async def test_of_two_entrances_at_once_one_ends_the_old_stay(desk: Desk) -> None:
    await soften(desk)
    old = await desk.inside()
    requests = [
        await desk.gate.entry(at=LATER, lane=lane)
        for lane in (desk.site.entry, desk.site.entry_two)
    ]
    answers = await asyncio.gather(
        *(desk.store.admit(desk.id, desk.gate.fence, request) for request in requests)
    )
    assert AdmitOutcome.ADMITTED in {answer.outcome for answer in answers}
    assert (await desk.booking(old))["status"] == "COMPLETED"
    inside = await desk.store.open_stays(desk.id)
    assert len(inside) == 1
    assert await desk.agrees()


async def test_through_a_held_lane_it_is_the_same(desk: Desk) -> None:
    await soften(desk)
    old = await desk.inside()
    told = desk.passage(at=LATER)
    answer = await desk.tell(told)
    assert (answer.outcome, answer.stay) == (FreeOutcome.STAY_OPENED, told.stay)
    assert (await desk.booking(old))["status"] == "COMPLETED"
    assert [kind for kind, _ in await desk.waiting()] == ["passback"]
    assert await desk.agrees()


# ── reset ───────────────────────────────────────────────────────────────────────────────────


async def test_after_a_reset_who_was_inside_may_come_in_again_without_an_offence(
    desk: Desk,
) -> None:
    await desk.punish("passback", "15")
    old = await desk.inside()
    clerk = await desk.bench.user()
    outcome = await desk.store.reset_passback(
        desk.id, NOW + HOUR, "power failure", Actor("operator test", clerk)
    )
    assert outcome is ResetOutcome.RESET
    answer, new = await returns(desk)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, new)
    assert (await desk.booking(old))["status"] == "COMPLETED"
    assert await desk.violations() == []
    assert await desk.waiting() == []
    (audit,) = await desk.audits("passback.reset")
    assert (audit["actor"], audit["user_id"]) == ("operator test", clerk)
    assert audit["details"] == {"reason": "power failure"}
    (ended,) = await desk.audits("stay.left_unseen")
    assert ended["details"]["way"] == "reset"


async def test_a_stay_that_began_after_the_reset_refuses_as_before(desk: Desk) -> None:
    await desk.store.reset_passback(desk.id, NOW - HOUR, "power failure", OPERATOR)
    await desk.inside()
    answer, _ = await returns(desk)
    assert answer.outcome is AdmitOutcome.ALREADY_INSIDE


async def test_a_reset_never_goes_back_in_time(desk: Desk) -> None:
    await desk.inside()
    await desk.store.reset_passback(desk.id, NOW + HOUR, "power failure", OPERATOR)
    await desk.store.reset_passback(desk.id, NOW - HOUR, "a slow clock", OPERATOR)
    answer, _ = await returns(desk)
    assert answer.outcome is AdmitOutcome.ADMITTED


@pytest.mark.parametrize("reason", ["", "  "])
async def test_nobody_resets_without_a_reason(desk: Desk, reason: str) -> None:
    outcome = await desk.store.reset_passback(desk.id, NOW, reason, OPERATOR)
    assert outcome is ResetOutcome.REASON_MISSING
    assert await desk.audits("passback.reset") == []


async def test_a_facility_that_is_not_there_has_nothing_to_reset(desk: Desk) -> None:
    outcome = await desk.store.reset_passback(uuid4(), NOW, "power failure", OPERATOR)  # type: ignore[arg-type]
    assert outcome is ResetOutcome.FACILITY_UNKNOWN
