"""Whatever happens at a car park, in whatever order: the database says what a dictionary says.

The rules are random; `tests.db.model` predicts each answer. After each step all bookings, claims,
spots and counters are held against the model, and at the end what is kept twice against itself.
Each call may be made a second time, as after a lost answer.
"""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random as Chance
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gated.core.effects import PassageKnown
from gated.core.ids import StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import Payment, ReserveRequest
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.records import AdmitRequest
from tests.db.model import BLOCK, BLOCK_PRICE, Booking, CarPark, Is, Paid, Period
from tests.db.site import NOW, Gate, Tariff, by_blocks, drifts, make_site, set_up, write_site
from tests.db.stores import HOLDER
from tests.services.databases import Database

Answer = TypeVar("Answer")

EXAMPLES, STEPS = 150, 30
RATE = by_blocks(str(BLOCK_PRICE), BLOCK // timedelta(minutes=1))
HOUR = timedelta(hours=1)
# The next month begins in six hours: bookings move from one partition to another.
MONTH_END = (NOW + timedelta(days=20)).replace(day=1, hour=0) - 6 * HOUR
SUBSCRIBERS, STRANGERS = ("AA11", "BB22"), ("CC33", "DD44", "EE55")
ZONES = ("A", "B")
SPOTS = {"A": ("A-1", "A-2", "A-10"), "B": ("B-1",)}

# As a careful back office does it: a spot that somebody stands on, or that is held, is not free.
IN_SERVICE = """
UPDATE parking_spots s SET status = CASE
    WHEN s.current_booking IS NULL THEN 'AVAILABLE'
    WHEN EXISTS (SELECT FROM bookings b WHERE b.id = s.current_booking AND b.status = 'ACTIVE')
        THEN 'OCCUPIED' ELSE 'RESERVED' END::spot_status
WHERE s.id = $1
"""
OUT_OF_SERVICE = "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE id = $1"

BOOKINGS = """
SELECT b.id, b.status::text AS status, s.spot_number AS spot, b.plate_number AS plate,
    b.entry_time AS start, b.expected_exit AS until, b.entry_known IS NOT NULL AS seen_in,
    b.exit_known IS NOT NULL AS seen_out, b.actual_exit AS left, b.final_price AS price,
    b.entitlement AS right, c.kind AS claim, lower(c.during) AS claimed_from,
    upper(c.during) AS claimed_until,
    coalesce((SELECT sum(p.amount - p.refunded) FROM payments p WHERE p.booking_id = b.id), 0)
        AS paid, b.paid_at, b.grace_until
FROM bookings b JOIN parking_spots s ON s.id = b.spot_id
LEFT JOIN gate.claims c ON c.booking_id = b.id
WHERE b.facility_id = $1
"""
PLACES = """
SELECT array_agg(s.spot_number || ' ' || s.status ORDER BY s.spot_order),
    (z.available_spots, z.total_spots, f.available_spots),
    (SELECT entries_remaining FROM user_subscriptions WHERE id = $2),
    (SELECT count(*) FROM violations WHERE facility_id = f.id)
FROM facilities f JOIN zones z ON z.facility_id = f.id JOIN parking_spots s ON s.zone_id = z.id
WHERE f.id = $1 GROUP BY z.id, f.id ORDER BY z.code
"""
SPOT_IDS = """
SELECT s.spot_number, s.id FROM parking_spots s JOIN zones z ON z.id = s.zone_id
WHERE z.facility_id = $1
"""
SUBSCRIBE = """
WITH earlier AS (
    UPDATE vehicles SET is_active = false
), someone AS (
    INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.com') RETURNING id
), theirs AS (
    INSERT INTO vehicles (user_id, plate_number)
    SELECT id, unnest($2::text[]) FROM someone
), offer AS (
    INSERT INTO subscriptions (facility_id, name, price, duration_days, entry_count)
    VALUES ($1, 'Commuter', 50, 30, $3) RETURNING id
)
INSERT INTO user_subscriptions
    (user_id, subscription_id, activated_at, expires_at, entries_remaining)
SELECT someone.id, offer.id, $4::timestamptz - interval '1 day', $5, $3 FROM someone, offer
RETURNING user_id, id
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all examples share: a loop of their own, as a machine knows no `await`; the daemon's
    store and the owner's connection."""

    loop: asyncio.Runner
    store: PostgresStore
    owner: asyncpg.Connection
    dsn: str


@pytest.fixture
def ground(database: Database) -> Iterator[Ground]:
    settings = DatabaseSettings(database.dsn_as("gated_daemon"), command_timeout_seconds=10)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as loop:
        stack = AsyncExitStack()
        try:
            store = loop.run(stack.enter_async_context(open_store(settings, rng=random.Random(1))))
            owner = loop.run(asyncpg.connect(database.dsn))
            stack.push_async_callback(owner.close)
            yield Ground(loop, store, owner, database.dsn)
        finally:
            loop.run(stack.aclose())


# What happens, the more often the more it takes for something interesting to come of it.
ACTS = {
    "comes": 4, "comes_with_its_reservation": 4, "is_seen": 1, "leaves": 3, "backs_out": 2,
    "turns_back": 2,
    "pays": 3, "gets_money_back": 2, "pays_again": 1, "reserves": 4, "reserves_again": 1,
    "cancels": 1, "housekeeping": 1, "maintenance": 1, "looks": 2,
}  # fmt: skip
PLATES = SUBSCRIBERS + STRANGERS
ALL_SPOTS = [spot for zone in ZONES for spot in SPOTS[zone]]
HOURS = [0.0, 0.0, -0.5, 0.25, 0.5, 0.5, 1.0, 1.5, 2.0, 4.0]
LENGTHS = [0.25, 0.5, 1.0, 2.0, 4.0]
# How many minutes have passed when it happens.
LATER = [0] * 8 + [1, 5, 5, 10, 14, 15, 16, 20, 31, 60, 61, 150]
# When a vehicle with a reservation comes, from the time reserved.
PUNCTUAL = [-31, -30, -10, 0, 10, 19, 20, 45]
# When one leaves that looks at its watch, from the end of its time.
OVERDUE = [-1, 0, 1, 10]
RARELY = [False, False, False, True]
EITHER = [False, True]
SUMS = [Decimal("0.60"), Decimal(3), Decimal(9)]


class AnyDay(RuleBasedStateMachine):
    """One car park, from the last evening of a month on."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground, self.store = ground, ground.store
        self.told: dict[str, Payment] = {}

    @initialize(
        stay=st.sampled_from([HOUR, 4 * HOUR]),
        late=st.sampled_from([None, timedelta(minutes=20)]),
        entries=st.sampled_from([None, 1, 2]),
        expires=st.sampled_from([HOUR, timedelta(days=20)]),
    )
    def open(
        self, stay: timedelta, late: timedelta | None, entries: int | None, expires: timedelta
    ) -> None:
        self.park = CarPark(SPOTS, MONTH_END, stay, late, entries, MONTH_END + expires)
        self._run(self._open())

    async def _open(self) -> None:
        site = make_site([SPOTS[zone] for zone in ZONES], tariffs=[Tariff(config=RATE)])
        owner = self.ground.owner
        await write_site(self.ground.dsn, site)
        await set_up(
            owner,
            site.id,
            stay_minutes_expected=self.park.stay // timedelta(minutes=1),
            late_minutes_max=self.park.late and self.park.late // timedelta(minutes=1),
        )
        await owner.execute("INSERT INTO gate.penalties VALUES ($1, 'overstay', 20)", site.id)
        row = await owner.fetchrow(
            SUBSCRIBE, site.id, SUBSCRIBERS, self.park.entries, MONTH_END, self.park.expires
        )
        assert row is not None
        self.user, self.subscription = row
        rows = await owner.fetch(SPOT_IDS, site.id)
        self.spots = {row["spot_number"]: row["id"] for row in rows}
        lease = await self.store.acquire_lease(site.id, HOLDER, 3600)
        assert lease is not None
        self.gate, self.site, self.fence = Gate(self.store, site, lease[0]), site, lease[0]

    @rule(seed=st.integers(0, 2**32))
    def something_happens(self, seed: int) -> None:
        """What it is says the seed: Hypothesis tries seeds, and leaves out what a failure does not
        need. Left to choose each detail, it would rather repeat itself than try all of them, and
        what needs several things to have happened would seldom come about."""
        chance = Chance(seed)
        minutes, act = chance.choice(LATER), chance.choices([*ACTS], [*ACTS.values()])[0]
        self._wait(chance, self.park.at + timedelta(minutes=minutes))
        note(f"{self.park.at:%d %H:%M} {act}")
        getattr(self, f"_{act}")(chance)

    # ── at the lanes ────────────────────────────────────────────────────────────────────────

    def _comes(self, chance: Chance) -> None:
        """A stranger, or somebody with a subscription."""
        plate, zone, subscribed = chance.choice(PLATES), chance.choice(ZONES), chance.choice(RARELY)
        subscribed = subscribed or plate in SUBSCRIBERS
        right = Entitlement(Right.SUBSCRIPTION, self.subscription) if subscribed else None
        request = self._entry(chance, plate, zone, right)
        outcome, stay = self.park.walk_in(request.stay, plate, request.lane, zone, subscribed)
        self._is_answered(chance, request, zone, outcome, stay)

    def _comes_with_its_reservation(self, chance: Chance) -> None:
        booking = self._any(chance, Is.EXPECTED)
        if booking is None:
            return
        self._wait(chance, booking.start + timedelta(minutes=chance.choice(PUNCTUAL)))
        zone = chance.choice(ZONES) if chance.choice(EITHER) else self.park.zone_of(booking.spot)
        right = Entitlement(Right.RESERVATION, booking.id)
        request = self._entry(chance, booking.plate, zone, right)
        outcome, stay = self.park.come(booking, request.lane, zone)
        self._is_answered(chance, request, zone, outcome, stay)

    def _entry(
        self, chance: Chance, plate: str, zone: str, right: Entitlement | None
    ) -> AdmitRequest:
        lane = self.site.entry_two if chance.choice(RARELY) else self.site.entry
        return self._run(
            self.gate.entry(
                plate,
                lane=lane,
                zone=self._zone(zone),
                at=self.park.at,
                user=self.user,
                entitlement=right,
            )
        )

    def _is_answered(
        self,
        chance: Chance,
        request: AdmitRequest,
        zone: str,
        outcome: str,
        stay: Booking | None,
    ) -> None:
        if stay is not None:
            zone = self.park.zone_of(stay.spot)
        for _ in once_or_twice(chance):
            answer = self._run(self.store.admit(self.site.id, self.fence, request))
            assert answer.outcome == outcome
            assert answer.available == self.park.available(zone)
            assert answer.stay == (stay and stay.id)
            assert answer.spot_number == (stay.spot if stay else "")

    def _is_seen(self, chance: Chance) -> None:
        """It passes the entrance that it was let in by, or the exit."""
        stay, out = self._any(chance, Is.INSIDE, Is.GONE), chance.choice(EITHER)
        if stay is None:
            return
        lane = self.site.exit if out else stay.lane or self.site.entry
        known, correlation = PassageKnown.MEASURED, uuid4()
        for _ in once_or_twice(chance):
            self._run(
                self.store.complete_passage(
                    self.site.id, self.fence, stay.id, lane, known, self.park.at, correlation
                )
            )
        if out:
            self.park.pass_exit(stay)
        else:
            self.park.pass_entry(stay)

    def _leaves(self, chance: Chance) -> None:
        stay = self._any(chance, Is.INSIDE, *([Is.GONE] if chance.choice(RARELY) else []))
        if stay is None:
            return
        if chance.choice(RARELY):
            self._wait(chance, stay.until + timedelta(minutes=chance.choice(OVERDUE)))
        request = self._run(self.gate.departure(stay.id, stay.plate, at=self.park.at))
        outcome = self.park.leave(stay)
        for _ in once_or_twice(chance):
            answer = self._run(self.store.release(self.site.id, self.fence, request))
            assert answer.outcome == outcome
            if outcome == "released":
                assert amount(answer.price) == stay.price
                assert amount(answer.due) == self.park.owed(stay)
                assert answer.available == self.park.available(self.park.zone_of(stay.spot))
                assert answer.spot_number == stay.spot

    def _backs_out(self, chance: Chance) -> None:
        stay, correlation = self._any(chance, Is.INSIDE), uuid4()
        if stay is None:
            return
        lane = stay.lane or self.site.entry
        available = self.park.back_out(stay)
        for _ in once_or_twice(chance):
            answer = self._run(
                self.store.cancel_admission(
                    self.site.id, self.fence, stay.id, lane, "x", self.park.at, correlation
                )
            )
            assert answer == available

    def _turns_back(self, chance: Chance) -> None:
        """At the exit that let it out. Who would be left without a spot drives on all the same."""
        stay, correlation = self._any(chance, Is.GONE), uuid4()
        if stay is None or self.park.place_again(stay) is None:
            return
        zone = self.park.turn_back(stay)
        for _ in once_or_twice(chance):
            answer = self._run(
                self.store.resume_stay(
                    self.site.id, self.fence, stay.id, self.site.exit, "x", self.park.at,
                    correlation,
                )
            )  # fmt: skip
            assert answer == (zone and self._zone(zone))

    # ── money ───────────────────────────────────────────────────────────────────────────────

    def _pays(self, chance: Chance) -> None:
        """With a ticket, or for a plate; what is due, or something else."""
        plate, ticket = chance.choice(PLATES), None
        may_be = self.park.payable(plate)
        if booking := self._any(chance, Is.INSIDE, Is.EXPECTED, Is.GONE):
            may_be = [booking]
            [row] = self._ask("SELECT ticket_number FROM bookings WHERE id = $1", booking.id)
            ticket = row["ticket_number"]
        due = self.park.owed(may_be[0]) if may_be else Decimal(0)
        paid = chance.choice(SUMS) if chance.choice(RARELY) or not due else due
        told = Payment(uuid4(), paid, "EUR", "CARD", self.park.at, ticket, plate, txn=str(uuid4()))
        answer = self._run(self.store.record_payment(self.site.id, told))
        if not may_be:
            assert answer.outcome == "booking_unknown"
            return
        booking = next((one for one in may_be if one.id == answer.booking), may_be[0])
        outcome, counted = self.park.pay(booking, paid, f"payment {len(self.told)}")
        assert (answer.outcome, answer.counted) == (outcome, counted is not None)
        if counted is not None:
            assert amount(answer.paid) == booking.paid
            assert amount(answer.due) == self.park.owed(booking)
            self.told[counted.name] = told

    def _pays_again(self, chance: Chance) -> None:
        """The provider tells of a payment again: with the same id, or known by its own alone."""
        paid = self._any_paid(chance)
        if paid is None:
            return
        told = replace(self.told[paid.name], at=self.park.at)
        told = replace(told, id=uuid4()) if chance.choice(EITHER) else replace(told, txn=None)
        answer = self._run(self.store.record_payment(self.site.id, told))
        assert (answer.outcome, answer.counted) == (self.park.paid_up(paid.booking), False)

    def _gets_money_back(self, chance: Chance) -> None:
        paid, refund, back = self._any_paid(chance), uuid4(), chance.choice(SUMS)
        if paid is None:
            return
        payment, outcome = self.told[paid.name].id, self.park.give_back(paid, back)
        for _ in once_or_twice(chance):
            answer = self._run(
                self.store.refund(self.site.id, payment, refund, back, "x", self.park.at)
            )
            assert answer == outcome

    # ── beforehand ──────────────────────────────────────────────────────────────────────────

    def _reserves(self, chance: Chance) -> None:
        plate, period = chance.choice(PLATES), self._period(chance)
        zone = chance.choice(ZONES) if chance.choice(RARELY) else None
        spot = chance.choice(ALL_SPOTS) if chance.choice(RARELY) else None
        # Often right behind somebody else.
        if chance.choice(EITHER) and (other := self._any(chance, Is.EXPECTED)):
            zone, spot, period = None, other.spot, (other.until, other.until + HOUR)
        request = ReserveRequest(
            StayId(uuid4()),
            *period,
            at=self.park.at,
            plate=plate,
            zone=None if zone is None else self._zone(zone),
            spot=None if spot is None else self.spots[spot],
        )
        outcome, booking = self.park.reserve(request.id, plate, period, zone, spot)
        for _ in once_or_twice(chance):
            answer = self._run(self.store.reserve(self.site.id, request))
            assert answer.outcome == outcome
            assert answer.spot_number == (booking.spot if booking else "")
            assert amount(answer.estimate) == (booking and self.park.price(booking))

    def _reserves_again(self, chance: Chance) -> None:
        """The shop repeats a request whose answer it has forgotten, however long ago."""
        booking = self._any(chance, *Is)
        if booking is not None:
            request = ReserveRequest(
                booking.id, booking.start, booking.until, self.park.at, booking.plate
            )
            answer = self._run(self.store.reserve(self.site.id, request))
            stands = booking.now in {Is.EXPECTED, Is.INSIDE}
            assert answer.outcome == ("reserved" if stands else "booking_ended")

    def _cancels(self, chance: Chance) -> None:
        booking = self._any(chance, Is.EXPECTED)
        if booking is not None:
            outcome = self.park.cancel(booking)
            for _ in once_or_twice(chance):
                answer = self._run(
                    self.store.cancel_booking(self.site.id, booking.id, "x", self.park.at)
                )
                assert answer == outcome

    # ── the house ───────────────────────────────────────────────────────────────────────────

    def _housekeeping(self, _: Chance) -> None:
        kept = self._run(self.store.keep_reservations(self.site.id, self.park.at))
        assert kept == self.park.keep()

    def _maintenance(self, chance: Chance) -> None:
        """A spot goes out of service, or comes back."""
        spot = chance.choice(ALL_SPOTS)
        out = spot not in self.park.out_of_service
        self._ask(OUT_OF_SERVICE if out else IN_SERVICE, self.spots[spot])
        self.park.out_of_service ^= {spot}

    def _looks(self, chance: Chance) -> None:
        """An entrance and an exit that read a plate, and the web shop."""
        site, at, park = self.site.id, self.park.at, self.park
        booking, period = self._any(chance, Is.EXPECTED, Is.GONE), self._period(chance)
        plate = booking.plate if booking else chance.choice(PLATES)
        inside, reserved = park.inside(plate), [one.id for one in park.reserved(plate)]

        seen = self._run(self.store.plate_snapshot(site, Plate(plate), Direction.ENTRY, at))
        assert (seen.open_stay and seen.open_stay.id) == (inside and inside.id)
        assert seen.reservation.id in reserved if seen.reservation else not reserved
        subscribed = plate in SUBSCRIBERS and at < park.expires and park.entries != 0
        assert seen.subscription == (self.subscription if subscribed else None)
        assert seen.available == {self._zone(zone): park.available(zone) for zone in ZONES}

        seen = self._run(self.store.plate_snapshot(site, Plate(plate), Direction.EXIT, at))
        stays = [inside] if inside else park.waits_to_leave(plate)
        if seen.open_stay is None:
            assert not stays
        else:
            [stay] = [one for one in stays if one.id == seen.open_stay.id]
            assert seen.open_stay.released == (inside is None)
            assert amount(seen.price) == park.price(stay)
            assert amount(seen.due) == park.owed(stay)

        offered = self._run(self.store.free_spots(site, *period, at))
        free = {self._zone(zone): len(park.free(zone, period)) for zone in ZONES}
        assert {one.zone: one.free for one in offered} == {k: v for k, v in free.items() if v}

    # ── what must always hold ───────────────────────────────────────────────────────────────

    @invariant()
    def the_database_says_the_same(self) -> None:
        self._run(self._compare())

    async def _compare(self) -> None:
        site, park, owner = self.site.id, self.park, self.ground.owner
        await owner.execute("SELECT gate.count_all_changes_v1()")
        assert {row["id"]: dict(row) for row in await owner.fetch(BOOKINGS, site)} == {
            booking.id: stored(booking) for booking in park.bookings.values()
        }
        free = {zone: park.available(zone) for zone in ZONES}
        assert [tuple(row) for row in await owner.fetch(PLACES, site, self.subscription)] == [
            (
                [f"{spot} {park.state(spot)}" for spot in SPOTS[zone]],
                (free[zone], len(SPOTS[zone]), sum(free.values())),
                park.entries,
                park.overstays,
            )
            for zone in ZONES
        ]

    def teardown(self) -> None:
        if hasattr(self, "gate"):
            assert self._run(drifts(self.ground.owner, self.site.id)) == []

    # ── helpers ─────────────────────────────────────────────────────────────────────────────

    def _run(self, work: Coroutine[None, None, Answer]) -> Answer:
        return self.ground.loop.run(work)

    def _ask(self, statement: str, *args: object) -> list[asyncpg.Record]:
        return self._run(self.ground.owner.fetch(statement, *args))

    def _wait(self, chance: Chance, until: datetime) -> None:
        """Let time pass. The daemon mostly keeps house meanwhile."""
        if until > self.park.at:
            self.park.at = until
            if not chance.choice(RARELY):
                self._housekeeping(chance)

    def _any(self, chance: Chance, *rather: Is) -> Booking | None:
        """A booking that stands so, rarely any; None where there is none."""
        any_of_them = chance.choice(RARELY)
        found = [one for one in self.park.bookings.values() if any_of_them or one.now in rather]
        return chance.choice(found) if found else None

    def _any_paid(self, chance: Chance) -> Paid | None:
        found = [one for booking in self.park.bookings.values() for one in booking.payments]
        return chance.choice(found) if found else None

    def _zone(self, zone: str) -> ZoneId:
        return self.site.setup.zones[ZONES.index(zone)].id

    def _period(self, chance: Chance) -> Period:
        start = self.park.at + chance.choice(HOURS) * HOUR
        return start, start + chance.choice(LENGTHS) * HOUR


def once_or_twice(chance: Chance) -> range:
    """Some calls are made again, as after a lost answer, and change nothing then."""
    return range(2 if chance.choice(RARELY) else 1)


def amount(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount


def stored(booking: Booking) -> dict[str, object]:
    """The row of the booking, and of its claim, as they should be."""
    claimed = {Is.EXPECTED: "reservation", Is.INSIDE: "stay"}.get(booking.now)
    paid_at, grace_until = booking.grace or (None, None)
    return {
        "id": booking.id,
        "status": booking.now,
        "spot": booking.spot,
        "plate": booking.plate,
        "start": booking.start,
        "until": booking.until,
        "seen_in": booking.seen_in,
        "seen_out": booking.seen_out,
        "left": booking.left,
        "price": booking.price,
        "right": booking.right,
        "claim": claimed,
        "claimed_from": booking.start if claimed else None,
        "claimed_until": booking.until if claimed else None,
        "paid": booking.paid,
        "paid_at": paid_at,
        "grace_until": grace_until,
    }


@pytest.mark.direct("makes one call after the other: there is nothing for a pooler to mix up")
@pytest.mark.timeout(360)  # a failure is made smaller for some minutes
def test_any_order_of_events_leaves_what_was_predicted(ground: Ground) -> None:
    machine: Any = partial(AnyDay, ground)  # a factory will do, whatever its stub says
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            # The same examples each time: whoever changes something else is not surprised. For a
            # search, take this out and raise EXAMPLES.
            derandomize=True,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert ground.loop.run(ground.owner.fetch("SELECT * FROM gate.verify_v1()")) == []
