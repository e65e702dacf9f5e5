"""One facility as it stands now: its set-up, its people, who is inside and who is expected.

The loader's sessions run no triggers, so that what these would write (directory, claims, state of
the spots, counters) is made here; gate.verify_v1 says afterwards whether it is right.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.db import tables
from bench.db.shape import (
    BLOCK_MINUTES,
    CURRENCY,
    EARLY_MINUTES_MAX,
    PLANS,
    RULES,
    SPOTS,
    SPOTS_PER_ZONE,
    STAFF,
    STAY_MINUTES_EXPECTED,
    STRANGERS,
    USERS,
    VEHICLES,
    VIOLATIONS,
    ZONES,
    Kind,
    Platform,
    block_price_cents,
    owner_of,
    registered_plate,
    stranger_plate,
    ticket,
    uid,
)
from bench.db.tables import Rows

# Of the 50 spots of a zone.
STAYS_PER_ZONE = 30
RESERVATIONS_PER_ZONE = 5
MOTORCYCLE_BELOW, COMPACT_BELOW, STANDARD_BELOW, LARGE_BELOW = 3, 18, 42, 48
CHARGER_EVERY, CHARGER_AT = 10, 5
ACCESSIBLE = (20, 30)
MAINTENANCE = 40  # in every other zone

# Of the vehicles at home here, so many are inside, and others of them are expected.
REGISTERED_INSIDE = 120
OVERDUE_SHARE = 0.1
DUE_NOW_SHARE = 0.2
ELECTRIC_SHARE = 0.1
PERMIT_SHARE = 0.03
VEHICLE_TYPES = ("CAR",) * 7 + ("SUV",) * 2 + ("VAN",)
CITIES = 50
# Every fifth user subscribes: to entries, or to as many as wanted.
SUBSCRIBER_EVERY = 5
PLAN_ENTRIES = 10
ENTRIES_LEFT_MAX = 5  # lower than what is left of ten after an entry


@dataclass(frozen=True, slots=True)
class Holder:
    """A booking that holds a spot. `vehicle` is a registered one's number."""

    index: int
    spot: int
    kind: str
    begins: datetime
    ends: datetime
    plate: str
    vehicle: int | None
    holds_now: bool


@dataclass(frozen=True, slots=True)
class Inside:
    """A stay as the benchmark needs it: what may be asked for, and let out."""

    facility: int
    booking: str
    entry_at: datetime
    plate: str


def holders(platform: Platform, facility: int) -> Iterator[Holder]:
    """The stays and the reservations of a facility, the same at each call."""
    rng = random.Random(f"{platform.seed}/live/{facility}")
    at = platform.at
    vehicles = rng.sample(range(facility * VEHICLES, (facility + 1) * VEHICLES), VEHICLES)
    registered, expected = vehicles[:REGISTERED_INSIDE], vehicles[REGISTERED_INSIDE:]
    strangers = rng.sample(range(STRANGERS), SPOTS)
    index = 0
    for zone in range(ZONES):
        usable = [k for k in range(SPOTS_PER_ZONE) if not _out_of_service(zone, k)]
        taken = set(rng.sample(usable, STAYS_PER_ZONE))
        for spot in sorted(taken):
            if rng.random() < OVERDUE_SHARE:
                ago = rng.uniform(STAY_MINUTES_EXPECTED, 30 * 60)
            else:
                ago = rng.uniform(1, STAY_MINUTES_EXPECTED - 1)
            begins = at - timedelta(minutes=ago)
            vehicle = registered.pop() if registered and rng.random() < 0.5 else None
            yield Holder(
                index,
                zone * SPOTS_PER_ZONE + spot,
                "stay",
                begins,
                begins + timedelta(minutes=STAY_MINUTES_EXPECTED),
                _plate(facility, vehicle, strangers),
                vehicle,
                holds_now=True,
            )
            index += 1
        for spot in rng.sample(usable, RESERVATIONS_PER_ZONE):
            due = spot not in taken and rng.random() < DUE_NOW_SHARE
            begins = at + timedelta(minutes=10 if due else rng.uniform(6 * 60, 7 * 24 * 60))
            vehicle = expected.pop()
            yield Holder(
                index,
                zone * SPOTS_PER_ZONE + spot,
                "reservation",
                begins,
                begins + timedelta(minutes=rng.uniform(60, 600)),
                _plate(facility, vehicle, strangers),
                vehicle,
                holds_now=due,
            )
            index += 1


def inside(platform: Platform, facility: int) -> list[Inside]:
    """The stays that the loader left in a facility."""
    return [
        Inside(
            facility,
            uid(Kind.BOOKING, platform.live_number(facility, one.index)),
            one.begins,
            one.plate,
        )
        for one in holders(platform, facility)
        if one.kind == "stay"
    ]


def add_facility(rows: Rows, platform: Platform, facility: int) -> None:
    """All rows of one facility but the bookings that are over."""
    _add_people(rows, platform, facility)
    live = list(holders(platform, facility))
    _add_places(rows, platform, facility, {one.spot: one for one in live if one.holds_now})
    _add_tariffs(rows, platform, facility)
    for holder in live:
        _add_holder(rows, platform, facility, holder)
    facility_id = uid(Kind.FACILITY, facility)
    for index in range(VIOLATIONS):
        rows.add(
            tables.VIOLATIONS,
            uid(Kind.VIOLATION, facility * VIOLATIONS + index),
            facility_id,
            "overstay",
            "25.00",
            "OPEN" if index % 2 else "PAID",
            platform.at - timedelta(days=index + 1),
            stranger_plate(facility * STRANGERS + index),
            CURRENCY,
        )


def _add_people(rows: Rows, platform: Platform, facility: int) -> None:
    since = platform.history_begins
    rng = random.Random(f"{platform.seed}/people/{facility}")
    for user in range(facility * USERS, (facility + 1) * USERS):
        user_id = uid(Kind.USER, user)
        email, phone = f"user{user}@bench.example", f"+49170{user:07d}"
        rows.add(tables.USERS, user_id, email, "CUSTOMER", phone, True, since)
        if user % SUBSCRIBER_EVERY == 0:
            plan = user // SUBSCRIBER_EVERY % PLANS
            rows.add(
                tables.SUBSCRIPTIONS,
                uid(Kind.SUBSCRIPTION, user),
                user_id,
                uid(Kind.PLAN, facility * PLANS + plan),
                platform.at - timedelta(days=20),
                platform.at + timedelta(days=10 + user % 300),
                rng.randint(1, ENTRIES_LEFT_MAX) if plan == 0 else None,
            )
    for vehicle in range(facility * VEHICLES, (facility + 1) * VEHICLES):
        rows.add(
            tables.VEHICLES,
            uid(Kind.VEHICLE, vehicle),
            uid(Kind.USER, owner_of(vehicle)),
            registered_plate(vehicle),
            rng.choice(VEHICLE_TYPES),
            True,
            rng.random() < ELECTRIC_SHARE,
            rng.random() < PERMIT_SHARE,
            since,
        )
    for member in range(STAFF):
        rows.add(
            tables.STAFF,
            uid(Kind.STAFF, facility * STAFF + member),
            uid(Kind.FACILITY, facility),
            uid(Kind.USER, facility * USERS + member),
            "{park,operate}" if member % 2 else "{operate}",
        )


def _add_places(rows: Rows, platform: Platform, facility: int, held: dict[int, Holder]) -> None:
    facility_id = uid(Kind.FACILITY, facility)
    entry, leave = uid(Kind.LANE, facility * 2), uid(Kind.LANE, facility * 2 + 1)
    available_everywhere = 0
    for zone in range(ZONES):
        zone_id = uid(Kind.ZONE, facility * ZONES + zone)
        code = "ABCDEFGHIJ"[zone]
        available = 0
        for k in range(SPOTS_PER_ZONE):
            spot = zone * SPOTS_PER_ZONE + k
            holder = held.get(spot)
            if _out_of_service(zone, k):
                status = "MAINTENANCE"
            elif holder is None:
                status = "AVAILABLE"
                available += 1
            else:
                status = "OCCUPIED" if holder.kind == "stay" else "RESERVED"
            rows.add(
                tables.SPOTS,
                uid(Kind.SPOT, facility * SPOTS + spot),
                zone_id,
                f"{code}-{k + 1}",
                _size(k),
                status,
                k % CHARGER_EVERY == CHARGER_AT,
                k in ACCESSIBLE,
                holder and uid(Kind.BOOKING, platform.live_number(facility, holder.index)),
            )
        rows.add(
            tables.ZONES, zone_id, facility_id, f"Level {code}", code, SPOTS_PER_ZONE, available
        )
        rows.add(tables.LANE_ZONES, entry, zone_id, zone)
        available_everywhere += available
    rows.add(
        tables.FACILITIES,
        facility_id,
        uid(Kind.USER, facility * USERS),
        f"Car park {facility}",
        f"City {facility % CITIES}",
        f"{48 + facility % 600 / 100:.6f}",
        f"{8 + facility % 500 / 100:.6f}",
        SPOTS,
        available_everywhere,
        platform.history_begins,
    )
    rows.add(
        tables.SETTINGS,
        facility_id,
        slug(facility),
        "Europe/Berlin",
        CURRENCY,
        STAY_MINUTES_EXPECTED,
        EARLY_MINUTES_MAX,
    )
    rows.add(tables.PENALTIES, facility_id, "overstay", "25.00")
    for number, (lane, name) in enumerate(((entry, "entry"), (leave, "exit"))):
        rows.add(tables.LANES, lane, facility_id, name, name)
        device = uid(Kind.DEVICE, facility * 2 + number)
        rows.add(tables.DEVICES, device, facility_id, lane, name, "native")


def _add_tariffs(rows: Rows, platform: Platform, facility: int) -> None:
    facility_id = uid(Kind.FACILITY, facility)
    for rule in range(RULES):
        cents = block_price_cents(facility, rule)
        rows.add(
            tables.RULES,
            uid(Kind.RULE, facility * RULES + rule),
            facility_id,
            f"Tariff {rule}",
            "BLOCK",
            f'{{"steps": [{{"minutes": {BLOCK_MINUTES}, "price": "{cents / 100:.2f}"}}]'
            ', "limit_reading": "inclusive", "zero_stay": "free", "new_day": "continue"'
            ', "second_visit": "separate"}',
            0,
            platform.rule_begins(rule),
            platform.rule_begins(rule + 1) if rule + 1 < RULES else None,
        )
    for plan, (name, price, days, entries) in enumerate(
        (("Ten entries", 60, 365, PLAN_ENTRIES), ("Month", 90, 31, None), ("Year", 900, 365, None))
    ):
        plan_id = uid(Kind.PLAN, facility * PLANS + plan)
        rows.add(tables.PLANS, plan_id, facility_id, name, price, days, entries)


def _add_holder(rows: Rows, platform: Platform, facility: int, holder: Holder) -> None:
    number = platform.live_number(facility, holder.index)
    booking, number_text = uid(Kind.BOOKING, number), ticket(number)
    facility_id = uid(Kind.FACILITY, facility)
    spot = uid(Kind.SPOT, facility * SPOTS + holder.spot)
    stays = holder.kind == "stay"
    owner = None if holder.vehicle is None else owner_of(holder.vehicle)
    subscribed = stays and owner is not None and owner % SUBSCRIBER_EVERY == 0
    rows.add(
        tables.BOOKINGS,
        booking,
        None if owner is None else uid(Kind.USER, owner),
        None if holder.vehicle is None else uid(Kind.VEHICLE, holder.vehicle),
        spot,
        facility_id,
        number_text,
        "SUBSCRIPTION" if subscribed else "WALK_IN" if stays else "RESERVATION",
        "ACTIVE" if stays else "CONFIRMED",
        holder.begins,
        holder.ends,
        *(None,) * 4,
        holder.plate,
        holder.plate,
        CURRENCY,
        uid(Kind.RULE, facility * RULES + RULES - 1) if stays else None,
        None,
        uid(Kind.LANE, facility * 2) if stays else None,
        None,
        "measured" if stays else None,
        None,
        None,
        holder.begins if stays else platform.at - timedelta(days=1),
        None if stays else holder.begins,
        None if stays else holder.ends,
        None if stays else "COMPACT",
        "subscription" if subscribed else None,
        uid(Kind.SUBSCRIPTION, owner) if subscribed and owner is not None else None,
    )
    rows.add(tables.TICKETS, number_text, booking, holder.begins)
    rows.add(
        tables.CLAIMS,
        booking,
        facility_id,
        uid(Kind.ZONE, facility * ZONES + holder.spot // SPOTS_PER_ZONE),
        spot,
        holder.begins,
        holder.kind,
        holder.plate,
        f'["{holder.begins}","{holder.ends}")',
        "reservation" if not stays else "transient" if owner is None else "permit_holder",
    )


def slug(facility: int) -> str:
    return f"bench-{facility:04d}"


def _plate(facility: int, vehicle: int | None, strangers: list[int]) -> str:
    """A stranger's is used up, so that nobody is inside twice."""
    if vehicle is not None:
        return registered_plate(vehicle)
    return stranger_plate(facility * STRANGERS + strangers.pop())


def _out_of_service(zone: int, k: int) -> bool:
    return zone % 2 == 1 and k == MAINTENANCE


def _size(k: int) -> str:
    for below, size in (
        (MOTORCYCLE_BELOW, "MOTORCYCLE"),
        (COMPACT_BELOW, "COMPACT"),
        (STANDARD_BELOW, "STANDARD"),
        (LARGE_BELOW, "LARGE"),
    ):
        if k < below:
            return size
    return "OVERSIZED"
