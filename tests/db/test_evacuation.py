"""After an evacuation: when it was, who left uncounted, and how these stays are settled."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from gated.core.effects import FreeKind
from gated.core.ids import StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import FacilityMode
from gated.db.bookings import Actor, Payment
from gated.db.review import Evacuation, SettleOutcome
from gated.operations import ModeRequest
from gated.records import FreeOutcome, ReleaseOutcome
from tests.db.desk import HOUR, MINUTE, PLATE, Desk
from tests.db.site import NOW

BEGAN, ENDED, NOW_IS = NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 6 * HOUR
OPERATOR = Actor("operator test")


async def act(desk: Desk, mode: FacilityMode, at: datetime) -> bool:
    """As the fire input does, and who ends it; whether that changed anything."""
    event = await desk.gate.happened(desk.site.entry, at)
    asked = ModeRequest(event, mode, None, "fire input", at)
    return (await desk.store.set_facility_mode(desk.id, desk.gate.fence, asked)).changed


async def evacuated(desk: Desk, began: datetime = BEGAN, ended: datetime = ENDED) -> None:
    await act(desk, FacilityMode.EVACUATION, began)
    await act(desk, FacilityMode.NORMAL, ended)


async def settle(
    desk: Desk, stay: StayId, *, charged: bool = False, reason: str = "seen driving off"
) -> tuple[SettleOutcome, Money | None]:
    return await desk.store.settle_unseen(
        desk.id, stay, BEGAN, reason, NOW_IS, OPERATOR, charged=charged
    )


# ── when it was ─────────────────────────────────────────────────────────────────────────────


async def test_the_last_evacuation_is_on_record(desk: Desk) -> None:
    assert await desk.store.evacuation(desk.id, NOW_IS) is None
    await evacuated(desk, NOW - HOUR, NOW)
    assert await act(desk, FacilityMode.EVACUATION, BEGAN)
    assert await desk.store.evacuation(desk.id, NOW_IS) == Evacuation(BEGAN, None)
    assert not await act(desk, FacilityMode.EVACUATION, BEGAN + MINUTE)
    assert await act(desk, FacilityMode.NORMAL, ENDED)
    assert not await act(desk, FacilityMode.NORMAL, ENDED + MINUTE)
    assert await desk.store.evacuation(desk.id, NOW_IS) == Evacuation(BEGAN, ENDED)
    assert await desk.store.evacuation(desk.id, BEGAN - MINUTE) == Evacuation(NOW - HOUR, NOW)


async def test_one_that_begins_again_at_the_moment_at_which_it_ends_goes_on(desk: Desk) -> None:
    await evacuated(desk)
    await act(desk, FacilityMode.EVACUATION, ENDED)
    await act(desk, FacilityMode.NORMAL, ENDED)
    await act(desk, FacilityMode.EVACUATION, ENDED)
    assert await desk.store.evacuation(desk.id, NOW_IS) == Evacuation(ENDED, None)


async def test_that_of_another_facility_is_none_here(desk: Desk) -> None:
    await act(desk, FacilityMode.EVACUATION, BEGAN)
    other = await desk.bench.gate()
    assert await desk.store.evacuation(other.site.id, NOW_IS) is None


# ── who left uncounted ──────────────────────────────────────────────────────────────────────


async def test_who_was_inside_and_was_not_seen_since_is_listed_with_evidence(desk: Desk) -> None:
    stay = await desk.inside()
    (found,) = await desk.store.unseen_stays(desk.id, BEGAN)
    row = await desk.booking(stay)
    assert (found.stay, found.ticket, found.plate) == (stay, row["ticket_number"], PLATE)
    assert (found.entry_at, found.entry_lane) == (NOW, "entry-1")
    assert (found.zone, found.spot) == ("zone-0", "A-1")
    assert (found.seen_at, found.seen, found.seen_lane) == (NOW, "entry", "entry-1")


async def test_who_was_counted_leaving_or_came_later_is_not(desk: Desk) -> None:
    await desk.inside()
    await desk.leaves(FreeKind.EVACUATION, at=BEGAN + MINUTE)
    await desk.inside("LATE1", at=ENDED)
    assert list(await desk.store.unseen_stays(desk.id, BEGAN)) == []


async def test_who_was_read_at_an_exit_since_is_inside(desk: Desk) -> None:
    stay = await desk.inside()
    await _read(desk, desk.site.exit, ENDED)
    assert list(await desk.store.unseen_stays(desk.id, BEGAN)) == []
    assert (await settle(desk, stay))[0] is SettleOutcome.SEEN_SINCE
    assert (await desk.booking(stay))["status"] == "ACTIVE"


async def test_who_was_read_at_an_entrance_since_has_left_and_the_read_is_evidence(
    desk: Desk,
) -> None:
    stay = await desk.inside()
    await _read(desk, desk.site.entry_two, ENDED)
    (found,) = await desk.store.unseen_stays(desk.id, BEGAN)
    assert (found.stay, found.seen, found.seen_lane) == (stay, "read", "entry-2")
    assert found.seen_at == ENDED


async def test_vehicles_without_plate_or_spot_are_listed_too(small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters(plate=None, at=NOW + MINUTE)).stay
    found = await small.store.unseen_stays(small.id, BEGAN)
    assert [(one.stay, one.plate, one.spot, one.zone) for one in found][1:] == [
        (stay, None, None, "zone-0")
    ]


# ── how it is settled ───────────────────────────────────────────────────────────────────────


async def test_a_settled_stay_ended_when_it_began_and_costs_nothing(desk: Desk) -> None:
    stay = await desk.inside()
    assert await settle(desk, stay) == (SettleOutcome.SETTLED, Money(Decimal(0), "EUR"))
    row = await desk.booking(stay)
    assert (row["status"], row["actual_exit"], row["exit_known"]) == ("COMPLETED", BEGAN, "assumed")
    assert row["final_price"] == 0
    last = (await desk.lines(stay))[-1]
    assert (last["kind"], last["by"]) == ("covered", "evacuation")
    assert Decimal(last["amount"]) == -5
    (audit,) = await desk.audits("stay.settled")
    assert (audit["actor"], audit["resource_id"]) == ("operator test", stay)
    assert (audit["timestamp"], audit["details"]["reason"]) == (NOW_IS, "seen driving off")
    assert await desk.agrees()


async def test_where_the_facility_charges_it_is_the_time_up_to_the_begin(desk: Desk) -> None:
    stay = await desk.inside()
    assert await settle(desk, stay, charged=True) == (
        SettleOutcome.SETTLED,
        Money(Decimal(5), "EUR"),
    )
    assert (await desk.booking(stay))["final_price"] == 5
    assert len(await desk.store.debts(desk.id, NOW - HOUR)) == 1


async def test_it_is_settled_once(desk: Desk) -> None:
    stay = await desk.inside()
    await settle(desk, stay)
    assert (await settle(desk, stay))[0] is SettleOutcome.BOOKING_ENDED
    assert len(await desk.audits("stay.settled")) == 1


@pytest.mark.parametrize("reason", ["", " "])
async def test_nobody_settles_without_a_reason(desk: Desk, reason: str) -> None:
    stay = await desk.inside()
    assert (await settle(desk, stay, reason=reason))[0] is SettleOutcome.REASON_MISSING
    assert (await desk.booking(stay))["status"] == "ACTIVE"


async def test_only_what_was_inside_here_is_settled(desk: Desk) -> None:
    assert (await settle(desk, StayId(uuid4())))[0] is SettleOutcome.BOOKING_UNKNOWN
    late = await desk.inside("LATE1", at=ENDED)
    assert (await settle(desk, late))[0] is SettleOutcome.CAME_LATER
    other = await desk.bench.gate()
    stay = await desk.inside()
    outcome, _ = await desk.store.settle_unseen(
        other.site.id, stay, BEGAN, "seen", NOW_IS, OPERATOR
    )
    assert outcome is SettleOutcome.BOOKING_UNKNOWN


async def _read(desk: Desk, lane: object, at: datetime) -> None:
    await desk.owner.execute(
        "INSERT INTO gate.decisions (id, facility_id, lane_id, event_id, decision, reason, plate,"
        " received_at, decided_at)"
        " VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), 'deny', 'payment_due', $3, $4, $4)",
        desk.id,
        lane,
        PLATE,
        at,
    )


# ── and if it was there all the time ────────────────────────────────────────────────────────


async def test_a_settled_vehicle_that_turns_up_is_let_out_at_the_price_of_its_stay(
    desk: Desk,
) -> None:
    stay = await desk.inside()
    await settle(desk, stay)
    at = NOW_IS + HOUR
    snapshot = await desk.store.plate_snapshot(desk.id, Plate(PLATE), Direction.EXIT, at)
    assert snapshot.open_stay is not None
    assert (snapshot.open_stay.id, snapshot.due) == (stay, Money(Decimal("17.50"), "EUR"))
    departure = await desk.gate.departure(stay, at=at)
    answer = await desk.store.release(desk.id, desk.gate.fence, departure)
    assert (answer.outcome, answer.price) == (
        ReleaseOutcome.RELEASED,
        Money(Decimal("17.50"), "EUR"),
    )
    assert await desk.agrees()


async def test_also_where_nobody_asked_it_to_pay(desk: Desk) -> None:
    stay = await desk.inside()
    await settle(desk, stay)
    answer = await desk.leaves(at=NOW_IS + HOUR)
    assert answer.stay == stay
    assert answer.due == Money(Decimal("17.50"), "EUR")
    row = await desk.booking(stay)
    assert (row["actual_exit"], row["exit_known"]) == (NOW_IS + HOUR, "measured")
    assert row["closed_reason"] is None
    again = await desk.leaves(at=NOW_IS + 2 * HOUR)
    assert again.outcome is FreeOutcome.NOBODY_KNOWN, "it has left for good"
    assert await desk.agrees()


# ── what it costs those who stay ────────────────────────────────────────────────────────────


async def charged(desk: Desk, stay: StayId, at: datetime) -> tuple[Decimal, Decimal]:
    """What it costs at that time, and what of it is due."""
    row = await desk.owner.fetchrow(
        "SELECT c.amount, c.due FROM bookings b, gate.charge_stay_v1($1, b.id, b.entry_time, $3) c"
        " WHERE b.id = $2",
        desk.id,
        stay,
        at,
    )
    assert row is not None
    return row["amount"], row["due"]


async def test_time_stands_still_while_it_lasts(desk: Desk) -> None:
    stay = await desk.inside()
    before, _ = await charged(desk, stay, BEGAN)
    without_it, _ = await charged(desk, stay, NOW_IS - HOUR)
    assert before < without_it
    await act(desk, FacilityMode.EVACUATION, BEGAN)
    assert (await charged(desk, stay, BEGAN + 59 * MINUTE))[0] == before
    await act(desk, FacilityMode.NORMAL, ENDED)
    assert (await charged(desk, stay, ENDED))[0] == before
    assert (await charged(desk, stay, NOW_IS))[0] == without_it


async def test_the_price_says_how_long_it_was(desk: Desk) -> None:
    stay = await desk.inside()
    await evacuated(desk)
    price, _ = await charged(desk, stay, NOW_IS)
    await desk.leaves(at=NOW_IS)
    lines = await desk.lines(stay)
    assert lines[-1] == {"kind": "evacuated", "seconds": 3600, "amount": "0.00"}
    assert sum(Decimal(line["amount"]) for line in lines) == price
    assert (await desk.booking(stay))["final_price"] == price


async def test_who_came_during_it_or_later_pays_for_the_rest(desk: Desk) -> None:
    # As it may be on a transfer lane, or by hand.
    await evacuated(desk)
    during = await desk.inside("AA1", at=BEGAN + 30 * MINUTE)
    later = await desk.inside("BB2", at=ENDED)
    assert await charged(desk, during, ENDED + HOUR) == await charged(desk, later, ENDED + HOUR)


async def test_each_one_counts_once(desk: Desk) -> None:
    stay = await desk.inside()
    expected, _ = await charged(desk, stay, NOW + 3 * HOUR)
    for hour in (1, 3):
        await evacuated(desk, NOW + hour * HOUR, NOW + (hour + 1) * HOUR)
    assert (await charged(desk, stay, NOW + 5 * HOUR))[0] == expected


async def test_the_grace_of_who_has_paid_stands_still_too(desk: Desk) -> None:
    stay = await desk.inside()
    at = BEGAN - 5 * MINUTE
    price, _ = await charged(desk, stay, at)
    paid = Payment(uuid4(), price, "EUR", "CARD", at, plate=PLATE)
    assert (await desk.store.record_payment(desk.id, paid)).counted
    await evacuated(desk)
    assert await charged(desk, stay, ENDED + 9 * MINUTE) == (price, Decimal(0)), (
        "of its 15, 14 are over"
    )
    assert (await charged(desk, stay, ENDED + 4 * HOUR))[1] > 0


async def test_a_reservation_is_not_overstayed_by_it(desk: Desk) -> None:
    await desk.punish("overstay", "30")
    stay = await desk.inside()
    await desk.owner.execute(
        "UPDATE bookings SET reserved_from = $2, reserved_until = $3 WHERE id = $1",
        stay,
        NOW,
        BEGAN + MINUTE,
    )
    await evacuated(desk)
    await desk.leaves(at=ENDED + MINUTE)
    assert await desk.violations() == []
