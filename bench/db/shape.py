"""How large the platform is, and the names that everything in it has: ids, plates, tickets.

All of it follows from a number, so that two processes that never meet speak of the same row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

# Of one facility. A scale changes the number of facilities and nothing else.
FACILITIES_AT_SCALE_1 = 500
ZONES = 10
SPOTS_PER_ZONE = 50
SPOTS = ZONES * SPOTS_PER_ZONE
USERS = 200
VEHICLES = 300
BOOKINGS = 20_000
BOOKINGS_PER_AUDIT_ROW = 2
STRANGERS = 10_000
RULES = 10
PLANS = 3
STAFF = 5
VIOLATIONS = 20
# Bookings that hold a spot: stays and reservations. Numbers for more than there can be.
LIVE_MAX = SPOTS * 2

HISTORY_MONTHS = 24
# The youngest booking that is over is older than the oldest that is not.
HISTORY_END = timedelta(days=2)

STAY_MINUTES_EXPECTED = 240
EARLY_MINUTES_MAX = 30
BLOCK_MINUTES = 30
CURRENCY = "EUR"

_TICKET_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
_TRIPLETS = [
    a + b + c
    for a in _TICKET_SYMBOLS[:32]
    for b in _TICKET_SYMBOLS[:32]
    for c in _TICKET_SYMBOLS[:32]
]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Odd, hence a bijection of the numbers of 128 bits: no two ids are equal, and neighbours in
# number lie far apart in every index, as random ids do.
_ID_MULTIPLIER = 0x9E3779B97F4A7C15F39CC0605CEDC835
_ID_MASK = (1 << 128) - 1
_PLATE_MULTIPLIER = 7919


class Kind(IntEnum):
    """What an id is of."""

    USER = 1
    VEHICLE = 2
    FACILITY = 3
    ZONE = 4
    SPOT = 5
    LANE = 6
    DEVICE = 7
    RULE = 8
    PLAN = 9
    SUBSCRIPTION = 10
    STAFF = 11
    VIOLATION = 12
    BOOKING = 13
    PAYMENT = 14
    AUDIT = 15
    EVENT = 16


def uid(kind: int, number: int) -> str:
    """The id of the row with this number, as 32 hexadecimal digits."""
    return f"{(number << 8 | kind) * _ID_MULTIPLIER & _ID_MASK:032x}"


def owner_of(vehicle: int) -> int:
    """The number of a registered vehicle's user, who has one or two."""
    return vehicle * USERS // VEHICLES


def registered_plate(vehicle: int) -> str:
    """The plate of a registered vehicle, in normal form."""
    mixed = vehicle * _PLATE_MULTIPLIER % (26**3 * 1000)
    letters, digits = divmod(mixed, 1000)
    first, rest = divmod(letters, 26**2)
    second, third = divmod(rest, 26)
    return f"{_LETTERS[first]}{_LETTERS[second]}{_LETTERS[third]}{digits:03d}"


def stranger_plate(stranger: int) -> str:
    """The plate of a vehicle that nobody registered, in normal form."""
    return f"{stranger * _PLATE_MULTIPLIER % 100_000_000:08d}S"


def ticket(number: int) -> str:
    """What gate.ticket_text_v1 makes of a number below 32⁶, without its loop."""
    return _TRIPLETS[number >> 15] + _TRIPLETS[number & 32767] + _TICKET_SYMBOLS[number % 37]


@dataclass(frozen=True, slots=True)
class Platform:
    """One synthetic platform: the same three values make the same rows.

    `at` is the instant at which it is seen: history lies before it, reservations after it.
    """

    facilities: int
    seed: int
    at: datetime

    @property
    def users(self) -> int:
        return self.facilities * USERS

    @property
    def vehicles(self) -> int:
        return self.facilities * VEHICLES

    @property
    def strangers(self) -> int:
        return self.facilities * STRANGERS

    @property
    def bookings_past(self) -> int:
        return self.facilities * BOOKINGS

    @property
    def history_begins(self) -> datetime:
        """24 months of 30.44 days before `at`."""
        return (self.at - timedelta(days=30.44 * HISTORY_MONTHS)).replace(second=0, microsecond=0)

    @property
    def month_minutes(self) -> int:
        """The length of each of the 24 equal parts of the history."""
        return int((self.at - HISTORY_END - self.history_begins).total_seconds()) // (
            60 * HISTORY_MONTHS
        )

    def month_begins(self, month: int) -> datetime:
        return self.history_begins + timedelta(minutes=month * self.month_minutes)

    @property
    def rule_minutes(self) -> int:
        """How long each version of a tariff was in force; the last one still is."""
        return HISTORY_MONTHS * self.month_minutes // RULES

    def rule_begins(self, rule: int) -> datetime:
        return self.history_begins + timedelta(minutes=rule * self.rule_minutes)

    def live_number(self, facility: int, index: int) -> int:
        """The number of a booking that holds a spot: after all that are over."""
        return self.bookings_past + facility * LIVE_MAX + index

    @property
    def tickets_given(self) -> int:
        """No ticket has a larger number."""
        return self.bookings_past + self.facilities * LIVE_MAX


def month_bookings(month: int) -> range:
    """Which of a facility's past bookings began in this month."""
    return range(BOOKINGS * month // HISTORY_MONTHS, BOOKINGS * (month + 1) // HISTORY_MONTHS)


def booking_number(facilities: int, facility: int, month: int, index: int) -> int:
    """Numbers grow with the months, as those of tickets do."""
    months = month_bookings(month)
    return months.start * facilities + facility * len(months) + index


def block_price_cents(facility: int, rule: int) -> int:
    """What a version of a facility's tariff takes for a block."""
    return 100 + facility % 8 * 25 + rule * 10
