"""What covers a stay: a reservation, a subscription, the work there; and what speaks against it.

Each vehicle comes as an actor lets it come: what is known is gathered, a right chosen, and the
database asked, which alone can say whether the right still holds.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.access import entitlement
from gated.core.effects import PassageKnown
from gated.core.ids import LaneId, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Lapse, PlateSnapshot, Reservation, Right
from gated.db.bookings import Payment, Violation
from gated.records import AdmitAnswer, AdmitOutcome, AdmitRequest, PaymentOutcome, ReleaseAnswer
from tests.db.site import NOW, Gate, drifts, make_site, set_up, written
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
USED_UP, EXPIRED = AdmitOutcome.RIGHT_USED_UP, AdmitOutcome.RIGHT_EXPIRED


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with a vehicle."""

    bench: Bench
    gate: Gate
    user: UUID
    vehicle: UUID
    plate: str

    async def snapshot(
        self,
        at: datetime = NOW,
        direction: Direction = Direction.ENTRY,
        lanes: Sequence[LaneId] = (),
    ) -> PlateSnapshot:
        return await self.gate.store.plate_snapshot(
            self.gate.site.id, Plate(self.plate), direction, at, lanes
        )

    async def arrival(self, at: datetime = NOW, right: Entitlement | None = None) -> AdmitRequest:
        """A request to enter, with the right given or else the one that the snapshot shows."""
        right = right or entitlement(await self.snapshot(at))
        return await self.gate.entry(
            self.plate, at=at, vehicle=self.vehicle, user=self.user, entitlement=right
        )

    async def admit(self, request: AdmitRequest) -> AdmitAnswer:
        return await self.gate.store.admit(self.gate.site.id, self.gate.fence, request)

    async def arrive(self, at: datetime = NOW, right: Entitlement | None = None) -> StayId:
        answer = await self.admit(await self.arrival(at, right))
        assert answer.outcome is AdmitOutcome.ADMITTED
        assert answer.stay is not None
        return answer.stay

    async def leave(self, stay: StayId, at: datetime = NOW + 2 * HOUR) -> ReleaseAnswer:
        departure = await self.gate.departure(stay, self.plate, at=at)
        return await self.gate.store.release(self.gate.site.id, self.gate.fence, departure)

    async def back_out(self, stay: StayId, at: datetime = NOW) -> None:
        available = await self.gate.store.cancel_admission(
            self.gate.site.id, self.gate.fence, stay, self.gate.site.entry, "no", at, uuid4()
        )
        assert available is not None

    async def subscribe(self, entries: int | None, **when: datetime) -> UUID:
        return await self.bench.subscribe(self.gate, self.user, entries, **when)

    async def left(self, subscription: UUID) -> int | None:
        return await self.bench.entries_left(self.gate, subscription)


async def somebody(bench: Bench, gate: Gate | None = None, user: UUID | None = None) -> Owner:
    gate = gate or await bench.gate()
    user = user or await bench.user()
    plate = uuid4().hex[:12].upper()
    vehicle = await bench.register(plate, user=user)
    return Owner(bench, gate, user, vehicle.id, plate)


@pytest.fixture
async def resident(bench: Bench) -> Owner:
    """On each kind of store."""
    return await somebody(bench)


@pytest.fixture
async def known(postgres_bench: Bench) -> Owner:
    """On PostgreSQL alone: what the actors never see is looked at."""
    return await somebody(postgres_bench)


async def booking(owner: asyncpg.Connection, stay: StayId) -> asyncpg.Record:
    row = await owner.fetchrow("SELECT * FROM bookings WHERE id = $1", stay)
    assert row is not None
    return row


# ── subscriptions ───────────────────────────────────────────────────────────────────────────


async def test_an_entry_is_taken_once_for_a_stay(resident: Owner) -> None:
    subscription = await resident.subscribe(3)
    assert (await resident.snapshot()).subscription == subscription
    stay = await resident.arrive()
    assert await resident.left(subscription) == 2
    await resident.leave(stay)
    assert await resident.left(subscription) == 2, "leaving gives nothing back"
    await resident.arrive(NOW + 3 * HOUR)
    assert await resident.left(subscription) == 1


async def test_the_same_request_takes_no_second_entry(resident: Owner) -> None:
    subscription = await resident.subscribe(3)
    request = await resident.arrival()
    first = await resident.admit(request)
    assert await resident.admit(request) == first
    assert await resident.left(subscription) == 2


async def test_a_vehicle_that_still_stands_at_its_lane_takes_no_second_entry(
    resident: Owner,
) -> None:
    subscription = await resident.subscribe(3)
    stay = await resident.arrive()
    assert await resident.arrive(NOW + timedelta(seconds=8)) == stay
    assert await resident.left(subscription) == 2


async def test_one_that_backs_out_gets_its_entry_back(resident: Owner) -> None:
    subscription = await resident.subscribe(1)
    correlation, store, gate = uuid4(), resident.gate.store, resident.gate
    stay = await resident.arrive()
    assert await resident.left(subscription) == 0
    for _ in range(2):  # the same call again finds itself
        await store.cancel_admission(
            gate.site.id, gate.fence, stay, gate.site.entry, "no", NOW, correlation
        )
        assert await resident.left(subscription) == 1
    await resident.arrive(NOW + HOUR)
    assert await resident.left(subscription) == 0


async def test_an_unlimited_subscription_has_nothing_to_take(resident: Owner) -> None:
    subscription = await resident.subscribe(None)
    stay = await resident.arrive()
    assert await resident.left(subscription) is None
    await resident.back_out(stay)
    assert await resident.left(subscription) is None
    await resident.leave(await resident.arrive(NOW + HOUR), NOW + 2 * HOUR)
    assert await resident.left(subscription) is None


async def test_a_subscription_that_is_used_up_is_not_shown(resident: Owner) -> None:
    await resident.subscribe(0)
    assert (await resident.snapshot()).subscription is None


async def test_a_subscription_is_valid_up_to_its_end(resident: Owner) -> None:
    subscription = await resident.subscribe(3, until=NOW + HOUR)
    last = NOW + HOUR - timedelta(microseconds=1)
    assert (await resident.snapshot(last)).subscription == subscription
    assert (await resident.snapshot(NOW + HOUR)).subscription is None


async def test_who_was_faster_leaves_no_entry(resident: Owner) -> None:
    """What the snapshot showed is gone by the time that it is to be taken."""
    subscription = await resident.subscribe(1)
    request = await resident.arrival()
    rival = await somebody(resident.bench, resident.gate, resident.user)
    await rival.arrive()
    before = await resident.gate.store.zone_count(resident.gate.site.zone)
    answer = await resident.admit(request)
    assert (answer.outcome, answer.stay, answer.spot) == (USED_UP, None, None)
    assert await resident.left(subscription) == 0
    assert await resident.gate.store.zone_count(resident.gate.site.zone) == before
    pending = await resident.gate.store.pending_events(resident.gate.site.id, 9)
    assert [row.id for row in pending] == [request.event], "it can come without"


async def test_a_subscription_that_ended_meanwhile_is_refused(resident: Owner) -> None:
    subscription = await resident.subscribe(3, until=NOW + HOUR)
    right = Entitlement(Right.SUBSCRIPTION, subscription)
    answer = await resident.admit(await resident.arrival(NOW + HOUR, right))
    assert (answer.outcome, answer.stay) == (EXPIRED, None)
    assert await resident.left(subscription) == 3


async def test_a_subscribers_stay_costs_nothing(resident: Owner) -> None:
    await resident.subscribe(3)
    answer = await resident.leave(await resident.arrive())
    assert (answer.price, answer.due) == (eur("0.00"), eur("0.00"))


# ── the right of a stay that is taken up again ──────────────────────────────────────────────


@pytest.mark.parametrize("right", list(Right))
async def test_the_right_that_its_stay_was_given_is_its_own_until_it_has_passed(
    resident: Owner, right: Right
) -> None:
    bench, gate = resident.bench, resident.gate
    await bench.ask_for_rights(gate)
    match right:
        case Right.SUBSCRIPTION:
            given = Entitlement(right, await resident.subscribe(1))
        case Right.RESERVATION:
            held = await bench.reserve(gate, resident.plate, NOW, NOW + 8 * HOUR)
            given = Entitlement(right, held)
        case Right.STAFF:
            await bench.employ(gate, resident.user, "park")
            given = Entitlement(right)
    stay = await resident.arrive()
    soon, here = NOW + timedelta(seconds=5), gate.site.entry
    if right is not Right.STAFF:
        # It may have others as well: this stay goes by its own.
        await bench.employ(gate, resident.user, "park")

    async def now(at: datetime = soon, *lanes: LaneId) -> Entitlement | None:
        return entitlement(await resident.snapshot(at, lanes=lanes))

    assert await now(soon, gate.site.entry_two, here) == given
    assert (await resident.snapshot(soon, lanes=[here])).lapsed is None
    by_itself = Entitlement(Right.STAFF)
    assert await now() == by_itself
    assert await now(soon, gate.site.entry_two) == by_itself, "it stands at the first one still"
    assert await now(NOW + timedelta(minutes=15), here) == by_itself, "too long ago"
    await gate.store.complete_passage(
        gate.site.id, gate.fence, stay, here, PassageKnown.MEASURED, soon, uuid4()
    )
    assert await now(soon, here) == by_itself, "inside: it has used it"


async def test_one_entry_is_enough_for_two_lanes(resident: Owner) -> None:
    gate = resident.gate
    await resident.bench.ask_for_rights(gate)
    subscription = await resident.subscribe(1)
    stay = await resident.arrive()
    soon = NOW + timedelta(seconds=5)
    assert (await resident.snapshot(soon)).lapsed is Lapse.USED_UP
    seen = await resident.snapshot(soon, lanes=[gate.site.entry_two, gate.site.entry])
    request = await gate.entry(
        resident.plate, lane=gate.site.entry_two, at=soon, vehicle=resident.vehicle,
        user=resident.user, entitlement=entitlement(seen),
    )  # fmt: skip
    answer = await resident.admit(replace(request, vacated=gate.site.entry))
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, stay)
    assert await resident.left(subscription) == 0
    await gate.store.cancel_admission(
        gate.site.id, gate.fence, stay, gate.site.entry_two, "no", soon, uuid4()
    )
    assert await resident.left(subscription) == 1


# ── rights that are there and do not hold ───────────────────────────────────────────────────


async def test_where_no_lane_asks_for_a_right_there_is_nothing_to_tell(resident: Owner) -> None:
    await resident.subscribe(0)
    assert (await resident.snapshot()).lapsed is None


async def test_of_nobodys_right_there_is_nothing_to_tell(resident: Owner) -> None:
    await resident.bench.ask_for_rights(resident.gate)
    assert (await resident.snapshot()).lapsed is None
    await resident.subscribe(3)
    await resident.subscribe(0)
    assert (await resident.snapshot()).lapsed is None, "one of them holds"


async def test_why_a_subscription_does_not_hold(resident: Owner) -> None:
    await resident.bench.ask_for_rights(resident.gate)
    await resident.subscribe(3, since=NOW - DAY, until=NOW - HOUR)
    assert (await resident.snapshot()).lapsed is Lapse.EXPIRED
    assert (await resident.snapshot(direction=Direction.EXIT)).lapsed is None
    await resident.subscribe(3, since=NOW + HOUR, until=NOW + DAY)
    assert (await resident.snapshot()).lapsed is Lapse.NOT_DUE
    await resident.subscribe(0)
    assert (await resident.snapshot()).lapsed is Lapse.USED_UP
    assert (await resident.snapshot(NOW + 2 * DAY)).lapsed is Lapse.EXPIRED
    rival = await somebody(resident.bench, resident.gate)
    assert (await rival.snapshot()).lapsed is None


async def test_why_a_reservation_does_not_hold(resident: Owner) -> None:
    await resident.bench.ask_for_rights(resident.gate)
    await resident.bench.reserve(resident.gate, resident.plate, NOW + 2 * HOUR, NOW + 4 * HOUR)
    assert (await resident.snapshot(NOW - 2 * DAY)).lapsed is None, "far from its time"
    assert (await resident.snapshot()).lapsed is Lapse.NOT_DUE
    due = await resident.snapshot(NOW + 2 * HOUR)
    assert (due.reservation is not None, due.lapsed) == (True, None)
    assert (await resident.snapshot(NOW + 4 * HOUR)).lapsed is Lapse.EXPIRED


async def test_a_reservation_that_was_used_is_used_up(resident: Owner) -> None:
    await resident.bench.ask_for_rights(resident.gate)
    await resident.bench.reserve(resident.gate, resident.plate, NOW, NOW + 8 * HOUR)
    stay = await resident.arrive()
    await resident.leave(stay, NOW + HOUR)
    assert (await resident.snapshot(NOW + 2 * HOUR)).lapsed is Lapse.USED_UP
    assert (await resident.snapshot(NOW + 2 * DAY)).lapsed is None, "that was days ago"


async def test_a_walk_in_stay_was_no_right(resident: Owner) -> None:
    await resident.bench.ask_for_rights(resident.gate)
    stay = await resident.arrive()
    await resident.leave(stay, NOW + HOUR)
    assert (await resident.snapshot(NOW + 2 * HOUR)).lapsed is None


async def test_who_did_not_come_in_time_has_no_right_any_more(known: Owner) -> None:
    await known.bench.ask_for_rights(known.gate)
    stay = await known.bench.reserve(known.gate, known.plate, NOW, NOW + 2 * HOUR)
    becomes = "UPDATE bookings SET status = $2::text::booking_status WHERE id = $1"
    await known.bench.owner_value(becomes, stay, "NO_SHOW")
    assert (await known.snapshot(NOW + HOUR)).lapsed is Lapse.EXPIRED
    await known.bench.owner_value(becomes, stay, "CANCELLED")
    assert (await known.snapshot(NOW + HOUR)).lapsed is None, "it was given back"


async def test_a_closed_account_has_no_right_to_tell_of(known: Owner) -> None:
    await known.bench.ask_for_rights(known.gate)
    await known.subscribe(0)
    await known.bench.owner_value("UPDATE users SET is_active = false WHERE id = $1", known.user)
    assert (await known.snapshot()).lapsed is None


# ── subscriptions: what only the database shows ─────────────────────────────────────────────


@pytest.mark.parametrize("what", ["used up", "expired", "not begun", "somebody else's",
                                  "of another facility", "unknown"])  # fmt: skip
async def test_a_right_that_is_refused_writes_nothing(
    known: Owner, owner_of: asyncpg.Connection, what: str
) -> None:
    outcome = EXPIRED
    match what:
        case "used up":
            subscription, outcome = await known.subscribe(0), USED_UP
        case "expired":
            subscription = await known.subscribe(1, until=NOW)
        case "not begun":
            subscription = await known.subscribe(1, since=NOW + timedelta(microseconds=1))
        case "somebody else's":
            subscription = await (await somebody(known.bench, known.gate)).subscribe(1)
        case "of another facility":
            elsewhere = await somebody(known.bench, user=known.user)
            subscription = await elsewhere.subscribe(1)
        case _:
            subscription = uuid4()
    request = await known.arrival(right=Entitlement(Right.SUBSCRIPTION, subscription))
    assert (await known.snapshot()).subscription is None
    before = await written(owner_of, known.gate.site.id)
    answer = await known.admit(request)
    assert (answer.outcome, answer.stay) == (outcome, None)
    assert await written(owner_of, known.gate.site.id) == before


async def test_without_a_spot_no_entry_is_taken(postgres_bench: Bench) -> None:
    resident = await somebody(postgres_bench, await postgres_bench.gate(make_site([["1"]])))
    subscription = await resident.subscribe(1)
    await resident.gate.admitted("FIRST1")
    answer = await resident.admit(await resident.arrival())
    assert answer.outcome is AdmitOutcome.ZONE_FULL
    assert await resident.left(subscription) == 1


async def test_the_last_entry_is_taken_by_one_of_two(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    """Two vehicles of one owner, at two lanes, with one entry left between them."""
    subscription = await known.subscribe(1)
    second = await somebody(known.bench, known.gate, known.user)
    for turn in range(25):
        at = NOW + turn * timedelta(minutes=1)
        requests = [await one.arrival(at) for one in (known, second)]
        assert [request.entitlement for request in requests] == [
            Entitlement(Right.SUBSCRIPTION, subscription)
        ] * 2
        answers = await asyncio.gather(*(known.admit(request) for request in requests))
        assert sorted(answer.outcome for answer in answers) == [AdmitOutcome.ADMITTED, USED_UP]
        assert await known.left(subscription) == 0
        won = next(answer.stay for answer in answers if answer.stay)
        await known.back_out(won, at)
        assert await known.left(subscription) == 1
    assert await drifts(owner_of, known.gate.site.id) == []


async def test_many_at_once_take_no_more_entries_than_there_are(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([[str(number) for number in range(20)]]))
    first = await somebody(postgres_bench, gate)
    subscription = await first.subscribe(5)
    family = [first, *[await somebody(postgres_bench, gate, first.user) for _ in range(11)]]
    requests = [await one.arrival() for one in family]
    answers = await asyncio.gather(*(first.admit(request) for request in requests))
    assert Counter(answer.outcome for answer in answers) == {AdmitOutcome.ADMITTED: 5, USED_UP: 7}
    assert await first.left(subscription) == 0
    assert await drifts(owner_of, gate.site.id) == []


async def test_the_subscription_that_is_shown_is_the_one_that_costs_least(known: Owner) -> None:
    """An unlimited one is used first, else the one that ends first; a used up one never."""
    await known.subscribe(0, until=NOW + HOUR)
    late = await known.subscribe(1, until=NOW + 3 * DAY)
    assert (await known.snapshot()).subscription == late
    early = await known.subscribe(1, until=NOW + 2 * DAY)
    assert (await known.snapshot()).subscription == early
    unlimited = await known.subscribe(None, until=NOW + 9 * DAY)
    assert (await known.snapshot()).subscription == unlimited
    elsewhere = await somebody(known.bench, user=known.user)
    assert (await elsewhere.snapshot()).subscription is None
    assert (await known.snapshot(direction=Direction.EXIT)).subscription is None


@pytest.mark.parametrize("sold", [True, False])
async def test_a_subscription_that_is_sold_no_more_still_holds(
    known: Owner, owner_of: asyncpg.Connection, sold: bool
) -> None:
    subscription = await known.subscribe(1)
    await owner_of.execute(
        "UPDATE subscriptions SET is_active = $2 WHERE facility_id = $1", known.gate.site.id, sold
    )
    assert (await known.snapshot()).subscription == subscription
    await known.arrive()


async def test_a_closed_account_has_no_rights(known: Owner, owner_of: asyncpg.Connection) -> None:
    subscription = await known.subscribe(1)
    assert (await known.snapshot()).subscription == subscription
    await owner_of.execute("UPDATE users SET is_active = false WHERE id = $1", known.user)
    assert (await known.snapshot()).subscription is None
    # Closed between the look and the claim.
    request = await known.gate.entry(
        known.plate,
        vehicle=known.vehicle,
        user=known.user,
        entitlement=Entitlement(Right.SUBSCRIPTION, subscription),
    )
    answer = await known.gate.store.admit(known.gate.site.id, known.gate.fence, request)
    assert answer.outcome is AdmitOutcome.RIGHT_EXPIRED


# ── what is recorded ────────────────────────────────────────────────────────────────────────


async def test_a_subscription_is_recorded_on_the_stay(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    subscription = await known.subscribe(2)
    stay = await known.arrive()
    row = await booking(owner_of, stay)
    assert (row["booking_type"], row["entitlement"], row["user_subscription_id"]) == (
        "SUBSCRIPTION",
        "subscription",
        subscription,
    )
    assert (row["user_id"], row["vehicle_id"]) == (known.user, known.vehicle)
    await known.back_out(stay)
    row = await booking(owner_of, stay)
    assert (row["status"], row["cancel_reason"]) == ("CANCELLED", "no")
    assert (row["entitlement"], row["user_subscription_id"]) == (None, None)
    assert await drifts(owner_of, known.gate.site.id) == []


async def test_work_there_is_recorded_on_the_stay(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    await known.bench.employ(known.gate, known.user, "park")
    stay = await known.arrive()
    row = await booking(owner_of, stay)
    assert (row["booking_type"], row["entitlement"]) == ("WALK_IN", "staff")
    await known.back_out(stay)
    row = await booking(owner_of, stay)
    assert (row["status"], row["entitlement"]) == ("CANCELLED", "staff")


async def test_a_reservation_is_recorded_on_the_stay(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    reserved = await known.bench.reserve(known.gate, known.plate)
    stay = await known.arrive()
    assert stay == reserved
    row = await booking(owner_of, stay)
    assert (row["booking_type"], row["entitlement"]) == ("RESERVATION", "reservation")


async def test_a_stranger_has_no_right(known: Owner, owner_of: asyncpg.Connection) -> None:
    stay = await known.arrive()
    row = await booking(owner_of, stay)
    assert (row["booking_type"], row["entitlement"], row["currency"]) == ("WALK_IN", None, "EUR")
    answer = await known.leave(stay)
    assert answer.price == answer.due == eur("5.00")


@pytest.mark.parametrize("right", ["subscription", "staff"])
async def test_a_covered_price_says_by_what(
    known: Owner, owner_of: asyncpg.Connection, right: str
) -> None:
    """The lines still tell what the time would have cost, and sum to nothing."""
    if right == "staff":
        await known.bench.employ(known.gate, known.user, "park")
    else:
        await known.subscribe(1)
    stay = await known.arrive()
    at_exit = await known.snapshot(NOW + 2 * HOUR, Direction.EXIT)
    assert (at_exit.price, at_exit.due) == (eur("0.00"), eur("0.00"))
    await known.leave(stay)
    row = await booking(owner_of, stay)
    assert row["final_price"] == 0
    lines = await owner_of.fetch(
        "SELECT l ->> 'kind' AS kind, l ->> 'amount' AS amount, l ->> 'by' AS by"
        " FROM bookings b, jsonb_array_elements(b.price_lines) l WHERE b.id = $1",
        stay,
    )
    assert [tuple(line) for line in lines] == [
        ("block", "5.00", None),
        ("covered", "-5.00", right),
    ]


# ── work there ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("right", ["subscription", "staff"])
async def test_a_right_that_comes_later_covers_the_stay_from_its_beginning(
    known: Owner, owner_of: asyncpg.Connection, right: str
) -> None:
    stay = await known.arrive()
    at = NOW + 2 * HOUR
    # Bought, and not put on any stay: what goes on is none of its business.
    subscription = await known.subscribe(None)
    assert (await known.snapshot(at, Direction.EXIT)).due == eur("5.00")
    await owner_of.execute(
        "UPDATE bookings SET entitlement = $2, user_subscription_id = $3 WHERE id = $1",
        stay,
        right,
        subscription if right == "subscription" else None,
    )
    assert (await known.snapshot(at, Direction.EXIT)).due == eur("0.00")
    answer = await known.leave(stay, at)
    assert (answer.price, answer.due) == (eur("0.00"), eur("0.00"))


async def test_staff_who_may_park_park_for_nothing(resident: Owner) -> None:
    await resident.bench.employ(resident.gate, resident.user, "park", "operate")
    snapshot = await resident.snapshot()
    assert snapshot.staff
    assert entitlement(snapshot) == Entitlement(Right.STAFF)
    answer = await resident.leave(await resident.arrive())
    assert answer.price == eur("0.00")


async def test_staff_need_the_permission(resident: Owner) -> None:
    await resident.bench.employ(resident.gate, resident.user, "operate", "parking")
    assert not (await resident.snapshot()).staff
    elsewhere = await somebody(resident.bench, user=resident.user)
    await resident.bench.employ(elsewhere.gate, resident.user, "park")
    assert not (await resident.snapshot()).staff, "not here"
    assert (await elsewhere.snapshot()).staff


async def test_what_takes_nothing_comes_before_an_entry(resident: Owner) -> None:
    subscription = await resident.subscribe(1)
    await resident.bench.employ(resident.gate, resident.user, "park")
    await resident.arrive()
    assert await resident.left(subscription) == 1


# ── reservations ────────────────────────────────────────────────────────────────────────────


async def test_a_reservation_comes_before_every_other_right(resident: Owner) -> None:
    subscription = await resident.subscribe(1)
    await resident.bench.employ(resident.gate, resident.user, "park")
    reserved = await resident.bench.reserve(resident.gate, resident.plate)
    snapshot = await resident.snapshot()
    assert snapshot.reservation == Reservation(reserved, resident.gate.site.zone)
    request = await resident.arrival()
    answer = await resident.admit(request)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, reserved)
    assert await resident.admit(request) == answer, "repeated"
    assert await resident.left(subscription) == 1


async def test_a_reservation_is_used_once(resident: Owner) -> None:
    reserved = await resident.bench.reserve(resident.gate, resident.plate)
    await resident.leave(await resident.arrive(), NOW + HOUR)
    right = Entitlement(Right.RESERVATION, reserved)
    answer = await resident.admit(await resident.arrival(NOW + HOUR, right))
    assert answer.outcome is AdmitOutcome.BOOKING_NOT_OPEN


async def test_a_reservation_waits_again_for_one_that_backs_out(resident: Owner) -> None:
    reserved = await resident.bench.reserve(resident.gate, resident.plate)
    for turn in range(2):
        at = NOW + turn * timedelta(minutes=1)
        assert await resident.arrive(at) == reserved
        await resident.back_out(reserved, at)
        assert (await resident.snapshot(at)).reservation is not None


@pytest.mark.parametrize("at", [NOW + HOUR - timedelta(minutes=31), NOW + 2 * HOUR])
async def test_too_early_and_too_late_are_not_due(resident: Owner, at: datetime) -> None:
    reserved = await resident.bench.reserve(
        resident.gate, resident.plate, NOW + HOUR, NOW + 2 * HOUR
    )
    assert (await resident.snapshot(at)).reservation is None
    right = Entitlement(Right.RESERVATION, reserved)
    answer = await resident.admit(await resident.arrival(at, right))
    assert answer.outcome is AdmitOutcome.BOOKING_NOT_DUE


async def test_a_reservation_as_such_is_not_paid(resident: Owner) -> None:
    await resident.bench.reserve(resident.gate, resident.plate)
    answer = await resident.leave(await resident.arrive(), NOW + HOUR)
    assert answer.price == answer.due == eur("2.50")


@pytest.mark.parametrize(
    ("paid", "due"),
    [("0.01", "7.49"), ("5.00", "2.50"), ("7.49", "0.01"), ("7.50", "0.00"), ("20.00", "0.00")],
)
async def test_what_was_paid_beforehand_is_taken_off(
    known: Owner, owner_of: asyncpg.Connection, paid: str, due: str
) -> None:
    """Never below nothing: what was paid too much is not paid out at the barrier."""
    reserved = await known.bench.reserve(known.gate, known.plate)
    answer = await known.bench.postgres.record_payment(
        known.gate.site.id,
        Payment(uuid4(), Decimal(paid), "EUR", "CARD", NOW - DAY, plate=known.plate),
    )
    assert answer.booking == reserved
    assert answer.outcome in {PaymentOutcome.PAID, PaymentOutcome.PART_PAID}
    assert answer.grace_until is None, "nobody has to leave yet"
    await known.arrive()
    exit_at = NOW + 2 * HOUR + timedelta(minutes=1)
    snapshot = await known.snapshot(exit_at, Direction.EXIT)
    assert (snapshot.price, snapshot.due) == (eur("7.50"), eur(due))
    released = await known.leave(reserved, exit_at)
    assert (released.price, released.due) == (eur("7.50"), eur(due))
    again = await known.snapshot(exit_at, Direction.EXIT)
    assert again.open_stay is not None
    assert (again.open_stay.released, again.due) == (True, eur(due))
    assert await drifts(owner_of, known.gate.site.id) == []


async def test_a_subscriber_who_has_paid_owes_nothing(known: Owner) -> None:
    await known.subscribe(1)
    stay = await known.arrive()
    await known.bench.postgres.record_payment(
        known.gate.site.id,
        Payment(uuid4(), Decimal(3), "EUR", "CARD", NOW + HOUR, plate=known.plate),
    )
    answer = await known.leave(stay)
    assert (answer.price, answer.due) == (eur("0.00"), eur("0.00"))


# ── what speaks against it ──────────────────────────────────────────────────────────────────


async def offend(known: Owner, *, gate: Gate | None = None, by: str = "plate") -> UUID:
    offence = Violation(
        uuid4(),
        "parked on two spots",
        NOW - DAY,
        {},
        plate=known.plate.lower() if by == "plate" else None,
        vehicle=known.vehicle if by == "vehicle" else None,
        user=known.user if by == "user" else None,
    )
    await known.bench.postgres.open_violation((gate or known.gate).site.id, offence)
    return offence.id


async def test_open_violations_are_counted_by_plate_and_by_vehicle(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    assert (await known.snapshot()).violations_open == 0
    first = await offend(known)
    await offend(known, by="vehicle")
    await offend(known, by="user")
    await offend(known, gate=await known.bench.gate())
    assert (await known.snapshot()).violations_open == 2, "of this vehicle, here"
    for status, count in (("DISPUTED", 1), ("PAID", 1), ("WAIVED", 1), ("OPEN", 2)):
        await owner_of.execute(
            "UPDATE violations SET status = $2::text::violation_status WHERE id = $1", first, status
        )
        assert (await known.snapshot()).violations_open == count, status
    assert (await known.snapshot(direction=Direction.EXIT)).violations_open == 0


async def test_a_strangers_violations_are_counted_by_its_plate(known: Owner) -> None:
    stranger = Owner(known.bench, known.gate, known.user, known.vehicle, uuid4().hex[:9].upper())
    await offend(stranger)
    assert (await stranger.snapshot()).violations_open == 1
    assert (await known.snapshot()).violations_open == 0


async def test_whether_a_violation_denies_is_the_facilitys_choice(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    assert not (await known.snapshot()).violation_denies
    await set_up(owner_of, known.gate.site.id, open_violation_denies=True)
    assert (await known.snapshot()).violation_denies
    assert not (await known.snapshot(direction=Direction.EXIT)).violation_denies


async def test_a_blocked_plate_is_blocked_whoever_owns_it(resident: Owner) -> None:
    assert not (await resident.snapshot()).blocked
    await resident.bench.register(resident.plate, blocked=True)
    for direction in Direction:
        snapshot = await resident.snapshot(direction=direction)
        assert snapshot.blocked
        assert (snapshot.vehicle, snapshot.user) == (resident.vehicle, resident.user)


async def test_a_vehicle_no_longer_in_use_blocks_and_owns_nothing(
    known: Owner, owner_of: asyncpg.Connection
) -> None:
    await known.subscribe(1)
    await owner_of.execute(
        "UPDATE vehicles SET is_active = false, is_blocked = true WHERE id = $1", known.vehicle
    )
    snapshot = await known.snapshot()
    assert (snapshot.vehicle, snapshot.user, snapshot.subscription) == (None, None, None)
    assert not snapshot.blocked


@pytest.mark.parametrize("right", [Right.SUBSCRIPTION, Right.RESERVATION])
async def test_a_stay_that_has_passed_keeps_its_right(
    known: Owner, owner_of: asyncpg.Connection, right: Right
) -> None:
    """There is nothing to give back once the vehicle is inside."""
    subscription = await known.subscribe(1)
    if right is Right.RESERVATION:
        await known.bench.reserve(known.gate, known.plate)
    stay = await known.arrive()
    gate, store = known.gate, known.gate.store
    await store.complete_passage(
        gate.site.id, gate.fence, stay, gate.site.entry, PassageKnown.MEASURED, NOW, uuid4()
    )
    cancelled = await store.cancel_admission(
        gate.site.id, gate.fence, stay, gate.site.entry, "no", NOW, uuid4()
    )
    assert cancelled is None
    assert await known.left(subscription) == (0 if right is Right.SUBSCRIPTION else 1)
    assert (await booking(owner_of, stay))["status"] == "ACTIVE"
