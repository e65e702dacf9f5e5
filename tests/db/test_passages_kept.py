"""What a passage without a grant leaves in the database: stays, spots, debts, offences, audit."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.ids import StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import ReserveOutcome, ReserveRequest
from gated.records import FreeOutcome
from tests.db.desk import HOUR, MINUTE, PLATE, Desk
from tests.db.site import NOW, end_tariffs

ENTRY_OFFENCES = [FreeKind.TAILGATING, FreeKind.FORCED_BARRIER]


# ── what is kept ────────────────────────────────────────────────────────────────────────────


async def test_each_passage_is_kept_and_audited_with_user_and_reason(desk: Desk) -> None:
    user, after = await desk.bench.user(), await desk.inside("A1")
    told = desk.passage(FreeKind.OPERATOR, after=after, user=user, reason="delivery")
    await desk.tell(told)
    row = await desk.owner.fetchrow("SELECT * FROM gate.free_passages WHERE id = $1", told.passage)
    assert row is not None
    assert (row["kind"], row["direction"], row["passed_at"]) == ("operator", "entry", NOW)
    assert (row["plate"], row["plate_raw"]) == (PLATE, f"{PLATE} raw")
    assert (row["after_stay"], row["user_id"], row["reason"]) == (after, user, "delivery")
    assert (row["outcome"], row["stay_id"], row["due"]) == ("stay_opened", told.stay, None)
    (audit,) = await desk.audits("passage.ungranted")
    assert (audit["actor"], audit["user_id"]) == ("operator", user)
    assert (audit["resource_id"], audit["correlation_id"]) == (told.stay, told.passage)
    assert audit["details"]["reason"] == "delivery"
    assert (await desk.booking(told.stay))["entry_known"] == "measured"
    assert await desk.agrees()


@pytest.mark.parametrize("known", [PassageKnown.MEASURED, PassageKnown.ASSUMED])
async def test_how_it_was_known_is_kept_of_both_ends(desk: Desk, known: PassageKnown) -> None:
    stay = (await desk.enters(known=known)).stay
    assert (await desk.booking(stay))["entry_known"] == known
    await desk.leaves(known=known)
    assert (await desk.booking(stay))["exit_known"] == known


async def test_what_nobody_did_is_audited_as_gateds(desk: Desk) -> None:
    await desk.leaves(plate=None)
    (audit,) = await desk.audits("passage.ungranted")
    assert (audit["actor"], audit["user_id"]) == ("gated", None)
    assert (audit["resource_type"], audit["resource_id"]) == ("lane", desk.site.exit)


async def test_a_passage_told_twice_leaves_one_of_each(desk: Desk) -> None:
    told = desk.passage(FreeKind.TAILGATING, plate=None)
    for _ in range(2):
        await desk.tell(told)
    assert len(await desk.violations()) == len(await desk.audits("passage.ungranted")) == 1


# ── entries ─────────────────────────────────────────────────────────────────────────────────


async def test_a_vehicle_too_many_waits_for_the_operator_with_its_particulars(small: Desk) -> None:
    await small.inside("A1")
    answer = await small.enters(plate=None)
    ((kind, details),) = await small.waiting()
    assert (kind, details["stay"], details["passed"]) == ("over_capacity", str(answer.stay), "held")
    assert details["zone"] == str(small.site.zone)
    assert await small.agrees()
    counted = await small.owner.fetchval(
        "SELECT available_spots FROM zones WHERE id = $1", small.site.zone
    )
    assert counted == 0


async def test_the_spot_that_comes_free_goes_to_who_has_none(small: Desk) -> None:
    first = await small.inside("A1")
    second = (await small.enters()).stay
    await small.store.release(small.id, small.gate.fence, await small.gate.departure(first, "A1"))
    row = await small.booking(second)
    assert (row["spot_id"] is not None, row["zone_id"]) == (True, None)
    assert await small.waiting() == [], "settled with it"
    (audit,) = await small.audits("stay.seated")
    assert audit["resource_id"] == second
    count = await small.store.zone_count(small.site.zone)
    assert (count.occupied, count.available) == (1, 0)
    assert await small.agrees()


async def test_who_waits_longest_is_seated_first_and_a_passage_out_seats_too(small: Desk) -> None:
    await small.inside("A1")
    stays = [(await small.enters(plate=f"W{n}", at=NOW + n * MINUTE)).stay for n in range(3)]
    await small.leaves(plate="A1")
    seated = [(await small.booking(stay))["spot_id"] is not None for stay in stays]
    assert seated == [True, False, False]
    assert await small.agrees()


async def test_housekeeping_seats_who_came_when_a_spot_was_out_of_service(small: Desk) -> None:
    state = "UPDATE parking_spots SET status = $2::text::spot_status WHERE zone_id = $1"
    await small.owner.execute(state, small.site.zone, "MAINTENANCE")
    stay = (await small.enters()).stay
    assert small.id in await small.store.spotless_facilities()
    assert await small.store.seat_stays(small.id, NOW + MINUTE) == 0
    await small.owner.execute(state, small.site.zone, "AVAILABLE")
    assert await small.store.seat_stays(small.id, NOW + MINUTE) == 1
    assert small.id not in await small.store.spotless_facilities()
    assert (await small.booking(stay))["spot_id"] is not None
    assert await small.agrees()


async def test_a_spot_that_is_reserved_is_not_given_to_who_has_none(small: Desk) -> None:
    request = ReserveRequest(
        StayId(uuid4()), NOW + HOUR, NOW + 3 * HOUR, at=NOW, plate="RES1", zone=small.site.zone
    )
    assert (await small.store.reserve(small.id, request)).outcome is ReserveOutcome.RESERVED
    stay = (await small.enters(at=NOW + MINUTE)).stay
    assert (await small.booking(stay))["spot_id"] is None
    assert await small.store.seat_stays(small.id, NOW + 2 * MINUTE) == 0
    assert await small.agrees()


async def test_a_stay_without_a_spot_ends_and_asks_nobody_any_more(small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters()).stay
    assert (await small.leaves()).stay == stay
    assert await small.waiting() == []
    assert await small.agrees()


async def test_an_expected_vehicle_comes_on_its_reservation(desk: Desk) -> None:
    booking = await desk.bench.reserve(desk.gate, PLATE)
    answer = await desk.enters()
    assert answer.stay == booking
    row = await desk.booking(booking)
    assert (row["status"], row["entitlement"]) == ("ACTIVE", "reservation")
    assert row["entry_known"] == "measured"


async def test_a_subscriber_parks_on_the_subscription(desk: Desk) -> None:
    user, plate = await desk.bench.user(), uuid4().hex[:9].upper()
    await desk.bench.register(plate, user=user)
    ten = await desk.bench.subscribe(desk.gate, user, 10)
    answer = await desk.enters(plate=plate)
    assert await desk.bench.entries_left(desk.gate, ten) == 9
    assert (await desk.leaves(plate=plate)).due == Money(Decimal(0), "EUR")
    assert (await desk.booking(answer.stay))["user_subscription_id"] == ten


async def test_also_without_a_spot_a_subscriber_parks_on_the_subscription(small: Desk) -> None:
    await small.inside("A1")
    user, plate = await small.bench.user(), uuid4().hex[:9].upper()
    await small.bench.register(plate, user=user)
    ten = await small.bench.subscribe(small.gate, user, 10)
    await small.enters(plate=plate)
    assert await small.bench.entries_left(small.gate, ten) == 9
    assert (await small.leaves(plate=plate)).due == Money(Decimal(0), "EUR")
    assert await small.agrees()


async def test_a_plate_that_is_inside_already_is_left_to_the_operator(desk: Desk) -> None:
    stay = await desk.inside()
    answer = await desk.enters(at=NOW + HOUR)
    assert (answer.outcome, answer.stay) == (FreeOutcome.ALREADY_INSIDE, stay)
    ((kind, details),) = await desk.waiting()
    assert (kind, details["stay"], details["plate"]) == ("already_inside", str(stay), PLATE)


# ── exits ───────────────────────────────────────────────────────────────────────────────────


async def test_a_stay_that_left_unpaid_keeps_its_price_and_lines(desk: Desk) -> None:
    stay = await desk.inside()
    await desk.leaves()
    row = await desk.booking(stay)
    assert (row["status"], row["final_price"], row["exit_known"]) == ("COMPLETED", 5, "measured")
    assert (row["exit_lane_id"], row["actual_exit"]) == (desk.site.exit, NOW + 61 * MINUTE)
    assert sum(Decimal(line["amount"]) for line in await desk.lines(stay)) == 5
    assert row["pricing_rule_id"] is not None
    assert await desk.agrees()


async def test_an_evacuation_says_in_its_lines_why_it_costs_nothing(desk: Desk) -> None:
    stay = await desk.inside()
    await desk.leaves(FreeKind.EVACUATION)
    lines = await desk.lines(stay)
    last = lines[-1]
    assert (last["kind"], last["by"]) == ("covered", "evacuation")
    assert Decimal(last["amount"]) == -5
    assert sum(Decimal(line["amount"]) for line in lines) == 0
    assert (await desk.booking(stay))["final_price"] == 0
    assert await desk.store.debts(desk.id, NOW - HOUR) == []


@pytest.mark.parametrize("kind", [FreeKind.HELD, FreeKind.EVACUATION])
async def test_a_price_that_cannot_be_told_keeps_nobody_inside(desk: Desk, kind: FreeKind) -> None:
    stay = await desk.inside()
    await end_tariffs(desk.owner, desk.id, NOW - HOUR)
    answer = await desk.leaves(kind)
    row = await desk.booking(stay)
    assert (answer.stay, row["status"]) == (stay, "COMPLETED")
    if kind is FreeKind.HELD:
        assert (answer.due, row["final_price"]) == (None, None)
        ((waits, details),) = await desk.waiting()
        assert (waits, details["stay"]) == ("price_unknown", str(stay))
        assert "no pricing rule" in details["error"]
    else:
        assert (answer.due, row["final_price"]) == (Money(Decimal(0), "EUR"), 0)
        assert await desk.waiting() == []
    assert await desk.agrees()


async def test_an_exit_of_nobody_is_left_to_the_operator(desk: Desk) -> None:
    after = await desk.inside("A1")
    await desk.leaves(FreeKind.TAILGATING, plate="STRANGER", after=after)
    ((kind, details),) = await desk.waiting()
    assert (kind, details["after"], details["plate"]) == ("exit_unmatched", str(after), "STRANGER")
    assert details["passed"] == "tailgating"


# ── offences ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ENTRY_OFFENCES)
async def test_an_offence_at_an_entrance_is_opened_once_with_its_evidence(
    desk: Desk, kind: FreeKind
) -> None:
    await desk.punish(kind.value, "25")
    after = await desk.inside("A1")
    told = desk.passage(kind, after=after)
    for _ in range(2):
        await desk.tell(told)
    (row,) = await desk.violations()
    assert (row["kind"], row["penalty"], row["plate"]) == (kind.value, 25, PLATE)
    assert (row["stay"], row["at"]) == (told.stay, NOW)
    assert row["evidence"] == {
        "passage": str(told.passage),
        "lane": str(desk.site.entry),
        "direction": "entry",
        "after": str(after),
        "passed_at": row["evidence"]["passed_at"],
    }


async def test_a_stranger_in_the_opening_of_another_is_an_offence_without_a_name(
    desk: Desk,
) -> None:
    await desk.leaves(FreeKind.TAILGATING, plate=None, after=await desk.inside())
    (row,) = await desk.violations()
    assert (row["kind"], row["penalty"], row["plate"], row["stay"]) == ("tailgating", 0, None, None)


async def test_leaving_without_payment_is_an_offence_with_what_is_due(desk: Desk) -> None:
    await desk.punish("exit_without_payment", "40")
    stay = await desk.inside()
    await desk.leaves(FreeKind.EXIT_WITHOUT_PAYMENT)
    (row,) = await desk.violations()
    assert (row["kind"], row["penalty"], row["stay"]) == ("exit_without_payment", 40, stay)
    assert Decimal(row["evidence"]["due"]) == 5


async def test_where_nothing_was_due_nobody_left_without_paying(desk: Desk) -> None:
    stay = await desk.inside()
    await desk.leaves(FreeKind.EXIT_WITHOUT_PAYMENT, at=NOW)
    assert (await desk.booking(stay))["final_price"] == 0
    assert await desk.violations() == []


@pytest.mark.parametrize(
    ("kind", "offences"), [(FreeKind.HELD, ["overstay"]), (FreeKind.EVACUATION, [])]
)
async def test_a_reservation_that_ended_meanwhile_is_overstayed(
    desk: Desk, kind: FreeKind, offences: list[str]
) -> None:
    await desk.punish("overstay", "30")
    await desk.bench.reserve(desk.gate, PLATE, NOW, NOW + HOUR)
    await desk.enters()
    await desk.leaves(kind, at=NOW + 2 * HOUR)
    assert [row["kind"] for row in await desk.violations()] == offences


async def test_holding_open_is_no_offence_of_the_driver(desk: Desk) -> None:
    await desk.inside()
    for kind in (FreeKind.HELD, FreeKind.OPERATOR, FreeKind.EVACUATION):
        await desk.leaves(kind)
    assert await desk.violations() == []


# ── races ───────────────────────────────────────────────────────────────────────────────────


async def test_of_two_calls_with_one_passage_one_counts(desk: Desk) -> None:
    stay = await desk.inside()
    told = desk.passage(FreeKind.TAILGATING, lane=desk.site.exit, at=NOW + 61 * MINUTE)
    answers = await asyncio.gather(*(desk.tell(told) for _ in range(6)))
    assert sorted(one.outcome for one in answers) == [
        *[FreeOutcome.DONE_BEFORE] * 5,
        FreeOutcome.STAY_ENDED,
    ]
    assert {(one.stay, one.due) for one in answers} == {(stay, Money(Decimal(5), "EUR"))}
    assert len(await desk.violations()) == 1


async def test_one_plate_through_two_lanes_at_once_has_one_stay(desk: Desk) -> None:
    answers = await asyncio.gather(
        *(
            desk.enters(lane=lane, plate=PLATE)
            for lane in (desk.site.entry, desk.site.entry_two) * 3
        )
    )
    outcomes = [one.outcome for one in answers]
    assert outcomes.count(FreeOutcome.STAY_OPENED) == 1
    assert outcomes.count(FreeOutcome.ALREADY_INSIDE) == 5
    assert len({one.stay for one in answers}) == 1
    assert await desk.agrees()


async def test_one_stay_ends_once_whoever_sees_it_leave(desk: Desk) -> None:
    stay = await desk.inside()
    release = await desk.gate.departure(stay)
    free, granted = await asyncio.gather(
        desk.leaves(), desk.store.release(desk.id, desk.gate.fence, release)
    )
    row = await desk.booking(stay)
    assert (row["status"], row["final_price"]) == ("COMPLETED", 5)
    assert free.outcome in (FreeOutcome.STAY_ENDED, FreeOutcome.NOBODY_KNOWN)
    assert granted.outcome in ("released", "no_open_stay")
    assert await desk.agrees()


async def test_many_vehicles_through_held_lanes_lose_no_spot(desk: Desk) -> None:
    """Four spots, twelve vehicles, in and out at once: each spot with one of them, nobody lost."""
    plates = [f"R{n}" for n in range(12)]
    await asyncio.gather(*(desk.enters(plate=plate) for plate in plates))
    held = "SELECT count(spot_id), count(*) FROM gate.claims WHERE facility_id = $1"
    assert tuple(await desk.owner.fetchrow(held, desk.id) or ()) == (4, 12)
    await asyncio.gather(*(desk.leaves(plate=plate) for plate in plates[:8]))
    await desk.store.seat_stays(desk.id, NOW + 2 * HOUR)
    assert tuple(await desk.owner.fetchrow(held, desk.id) or ()) == (4, 4)
    assert await desk.waiting() == []
    assert await desk.agrees()


async def test_the_snapshot_at_the_entrance_sees_a_stay_without_a_spot(small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters()).stay
    request = await small.gate.entry(at=NOW + HOUR, entitlement=Entitlement(Right.STAFF))
    answer = await small.store.admit(small.id, small.gate.fence, request)
    assert answer.outcome == "already_inside"
    paid = await small.owner.fetchval(
        "SELECT gate.booking_to_pay_v1($1, NULL, $2)", small.id, Plate(PLATE).text
    )
    assert paid == stay


# ── what is kept twice ──────────────────────────────────────────────────────────────────────


async def test_the_claim_of_a_stay_without_a_spot_is_missed_and_mended(small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters()).stay
    await small.owner.execute("DELETE FROM gate.claims WHERE booking_id = $1", stay)
    assert not await small.agrees()
    found = await small.owner.fetch(
        "SELECT subject, mended FROM gate.repair_v1($1, $2, 'operator test')", small.id, NOW
    )
    assert [tuple(row) for row in found] == [(stay, True)]
    assert await small.agrees()
    assert (await small.leaves()).stay == stay


async def test_whoever_moves_a_stay_to_another_zone_moves_its_claim(desk: Desk) -> None:
    await desk.owner.execute(
        "UPDATE parking_spots s SET status = 'MAINTENANCE' FROM zones z"
        " WHERE z.id = s.zone_id AND z.facility_id = $1",
        desk.id,
    )
    stay = (await desk.enters()).stay
    other = desk.site.setup.zones[1].id
    await desk.owner.execute("UPDATE bookings SET zone_id = $2 WHERE id = $1", stay, other)
    assert (await desk.store.zone_count(other)).occupied == 1
    assert await desk.agrees()


async def test_a_zone_of_another_facility_is_refused(desk: Desk, small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters()).stay
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await small.owner.execute(
            "UPDATE bookings SET zone_id = $2 WHERE id = $1", stay, desk.site.zone
        )
    assert refused.value.constraint_name == "bookings_zone_check"
