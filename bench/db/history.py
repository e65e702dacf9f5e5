"""Bookings that are over, with their tickets, payments and audit rows: the bulk of the platform.

Written for speed, since ten million pass here: one loop that makes lines. The stays of a spot
follow each other without overlap.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from bench.db.shape import (
    BLOCK_MINUTES,
    BOOKINGS_PER_AUDIT_ROW,
    CURRENCY,
    RULES,
    SPOTS,
    SPOTS_PER_ZONE,
    STRANGERS,
    VEHICLES,
    ZONES,
    Kind,
    Platform,
    block_price_cents,
    booking_number,
    month_bookings,
    owner_of,
    registered_plate,
    stranger_plate,
    ticket,
    uid,
)
from bench.db.tables import AUDIT, BOOKINGS, NULL, PAYMENTS, TICKETS, Rows

STAY_MINUTES_MIN = 15
STAY_MINUTES_MAX = 1200
RESERVED_AHEAD_MINUTES = 1440
# A month's bookings of one spot: the first begins in its first half, the next in the second.
HALVES = 2

REGISTERED_SHARE = 0.4
HOME_SHARE = 0.7
CANCELLED_SHARE = 0.04
NO_SHOW_SHARE = 0.08  # counted with the cancelled ones
RESERVED_SHARE = 0.25  # counted with both

PROVIDERS = ("CARD",) * 6 + ("CASH",) * 2 + ("PAYPAL", "STRIPE")


@lru_cache(maxsize=2)
def _minutes(platform: Platform, month: int) -> tuple[list[str], list[str]]:
    """The minutes of a month and of a day after it, up to their seconds: for SQL and for JSON."""
    first = platform.month_begins(month)
    minute = timedelta(minutes=1)
    texts = [
        (first + minute * passed).isoformat()[:17]
        for passed in range(platform.month_minutes + STAY_MINUTES_MAX + 1)
    ]
    return [text.replace("T", " ") for text in texts], texts


def add_month(rows: Rows, platform: Platform, month: int, facility: int) -> None:
    """The bookings of one facility that began in one of the 24 months."""
    rng = random.Random(f"{platform.seed}/{month}/{facility}").random
    minutes, minutes_json = _minutes(platform, month)
    first_minute = month * platform.month_minutes
    half = platform.month_minutes // HALVES
    room = half - STAY_MINUTES_MAX
    facility_id = uid(Kind.FACILITY, facility)
    entry, leave = uid(Kind.LANE, facility * 2), uid(Kind.LANE, facility * 2 + 1)
    spots = [uid(Kind.SPOT, facility * SPOTS + index) for index in range(SPOTS)]
    rules = [uid(Kind.RULE, facility * RULES + index) for index in range(RULES)]
    number = booking_number(platform.facilities, facility, month, 0)
    bookings, tickets, payments, audit = [], [], [], []

    for index in range(len(month_bookings(month))):
        spot_index = (index * 37 + month * 11) % SPOTS
        begins = index // SPOTS * half + int(rng() * room)
        length = STAY_MINUTES_MIN + int(rng() ** 2 * (STAY_MINUTES_MAX - STAY_MINUTES_MIN))
        second = f"{number % 60:02d}+00"
        begin, end = minutes[begins] + second, minutes[begins + length] + second
        ordered = minutes[max(0, begins - RESERVED_AHEAD_MINUTES)] + second

        user_id, vehicle_id, plate = _who(platform, facility, rng)
        booking, payment = uid(Kind.BOOKING, number), uid(Kind.PAYMENT, number)
        number_text = ticket(number)
        rule = min((first_minute + begins) // platform.rule_minutes, RULES - 1)
        unit = block_price_cents(facility, rule)
        blocks = -(-length // BLOCK_MINUTES)
        price = f"{blocks * unit // 100}.{blocks * unit % 100:02d}"
        provider = PROVIDERS[number % len(PROVIDERS)]
        kind = rng()
        paid = "FAILED" if kind < NO_SHOW_SHARE else "COMPLETED"
        head = f"{booking}\t{user_id}\t{vehicle_id}\t{spots[spot_index]}\t{facility_id}"
        if kind < NO_SHOW_SHARE:
            status, reason = (
                ("CANCELLED", "plans changed") if kind < CANCELLED_SHARE else ("NO_SHOW", NULL)
            )
            bookings.append(
                f"{head}\t{number_text}\tRESERVATION\t{status}\t{begin}\t{end}\t\\N\t{price}\t\\N"
                f"\t\\N\t{plate}\t{plate}\t{CURRENCY}\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t{reason}"
                f"\t{ordered}\t{begin}\t{end}\tCOMPACT\t\\N\t\\N"
            )
        else:
            line = (
                f'[{{"kind": "block", "rule": "{rules[rule]}", "name": "Tariff {rule}"'
                f', "from": "{minutes_json[begins]}{number % 60:02d}.000000Z"'
                f', "to": "{minutes_json[begins + length]}{number % 60:02d}.000000Z"'
                f', "minutes": {BLOCK_MINUTES}, "blocks": {blocks}'
                f', "unit_price": "{unit / 100:.2f}", "amount": "{price}"}}]'
            )
            if kind < RESERVED_SHARE:
                booked, period, right = "RESERVATION", f"{begin}\t{end}\tCOMPACT", "reservation"
            else:
                booked, period, right, ordered = "WALK_IN", "\\N\t\\N\t\\N", NULL, begin
            bookings.append(
                f"{head}\t{number_text}\t{booked}\tCOMPLETED\t{begin}\t{end}\t{end}\t{price}"
                f"\t{price}\t{payment}\t{plate}\t{plate}\t{CURRENCY}\t{rules[rule]}\t{line}\t{entry}"
                f"\t{leave}\tmeasured\tmeasured\t\\N\t{ordered}\t{period}\t{right}\t\\N"
            )
        tickets.append(f"{number_text}\t{booking}\t{begin}")
        transaction = NULL if provider == "CASH" else f"txn_{payment[:24]}"
        payments.append(
            f"{payment}\t{user_id}\t{price}\t{CURRENCY}\t{provider}\t{paid}\t{transaction}"
            f"\t{end}\t{booking}"
        )
        if number % BOOKINGS_PER_AUDIT_ROW == 0:
            action, at = ("stay.admitted", begin) if number % 4 else ("stay.released", end)
            audit.append(
                f"{uid(Kind.AUDIT, number)}\t{action}\tbooking\t{booking}\t{at}\t{facility_id}"
                f"\tgated\t{uid(Kind.EVENT, number)}\t"
                f'{{"lane": "{entry}", "zone": "{_zone(facility, spot_index)}"'
                f', "spot": "{spots[spot_index]}", "reason": "transient", "fence": 1}}'
            )
        number += 1
    rows.extend(BOOKINGS, bookings)
    rows.extend(TICKETS, tickets)
    rows.extend(PAYMENTS, payments)
    rows.extend(AUDIT, audit)


def _who(platform: Platform, facility: int, rng: Callable[[], float]) -> tuple[str, str, str]:
    """User, vehicle and plate: of those at home here, of any, or a stranger's."""
    if rng() >= REGISTERED_SHARE:
        return NULL, NULL, stranger_plate(facility * STRANGERS + int(rng() * STRANGERS))
    if rng() < HOME_SHARE:
        vehicle = facility * VEHICLES + int(rng() * VEHICLES)
    else:
        vehicle = int(rng() * platform.vehicles)
    owner = uid(Kind.USER, owner_of(vehicle))
    return owner, uid(Kind.VEHICLE, vehicle), registered_plate(vehicle)


def _zone(facility: int, spot_index: int) -> str:
    return uid(Kind.ZONE, facility * ZONES + spot_index // SPOTS_PER_ZONE)
