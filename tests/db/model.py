"""What a car park is, as one dictionary of bookings: the oracle of `tests.db.test_stateful`.

Written from what the stored functions promise, not from how they do it: it has no claims, no
counters and no locks, and looks through all bookings each time it is asked. One zone's spots are
all of one kind, in the order in which they are filled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from gated.core.ids import LaneId, StayId
from gated.core.snapshot import Right

EARLY = timedelta(minutes=30)
SAME_VEHICLE = timedelta(minutes=15)
GRACE = timedelta(minutes=15)
# Short, so that another one begins within the grace.
BLOCK = timedelta(minutes=10)
BLOCK_PRICE = Decimal("0.60")
NOTHING = Decimal(0)

Period = tuple[datetime, datetime]


class Is(StrEnum):
    """Where a booking stands, in the words of `bookings.status`."""

    EXPECTED = "CONFIRMED"
    INSIDE = "ACTIVE"
    GONE = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"


@dataclass(slots=True)
class Booking:
    """`start` and `until`: the time it was promised or is thought to take; `start` is real once
    the vehicle is inside. `reserved`: what was asked for beforehand."""

    id: StayId
    name: str
    plate: str
    spot: str
    start: datetime
    until: datetime
    now: Is
    reserved: Period | None = None
    right: Right | None = None
    lane: LaneId | None = None
    seen_in: bool = False
    seen_out: bool = False
    overstayed: bool = False
    left: datetime | None = None
    price: Decimal | None = None
    grace: Period | None = None
    payments: list["Paid"] = field(default_factory=list)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"{self.name}: {self.plate} on {self.spot}, {self.now}")

    @property
    def paid(self) -> Decimal:
        return sum((one.amount - one.refunded for one in self.payments), NOTHING)


@dataclass(slots=True)
class Paid:
    """A payment that counted."""

    name: str
    booking: Booking
    amount: Decimal
    refunded: Decimal = NOTHING

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"{self.name} of {self.amount} for {self.booking.name}")


def priced(start: datetime, end: datetime) -> Decimal:
    """A block that has begun is charged."""
    return -(-(end - start) // BLOCK) * BLOCK_PRICE


def first(bookings: Iterable[Booking]) -> list[Booking]:
    """The one that begins first; several where they begin at once, and any of them will do."""
    found = list(bookings)
    return [one for one in found if one.start == min(other.start for other in found)]


def overlap(one: Period, other: Period) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@dataclass(slots=True)
class CarPark:
    """The facility, with its clock. Methods that do something answer what should be answered."""

    zones: Mapping[str, Sequence[str]]
    at: datetime
    # How long a walk-in is thought to stay; how long a reserved spot is kept, None: to its end.
    stay: timedelta
    late: timedelta | None
    # Of the one subscription: what is left (None: without end), and when it ends.
    entries: int | None
    expires: datetime
    bookings: dict[StayId, Booking] = field(default_factory=dict)
    out_of_service: set[str] = field(default_factory=set)
    held: dict[str, Booking] = field(default_factory=dict)
    overstays: int = 0

    # ── who is where ────────────────────────────────────────────────────────────────────────

    def all(self, now: Is, spot: str | None = None) -> Iterator[Booking]:
        for booking in self.bookings.values():
            if booking.now is now and spot in {None, booking.spot}:
                yield booking

    def inside(self, plate: str) -> Booking | None:
        return next((one for one in self.all(Is.INSIDE) if one.plate == plate), None)

    def stands_on(self, spot: str) -> Booking | None:
        return next(self.all(Is.INSIDE, spot), None)

    def state(self, spot: str) -> str:
        if spot in self.out_of_service:
            return "MAINTENANCE"
        if self.stands_on(spot):
            return "OCCUPIED"
        return "RESERVED" if spot in self.held else "AVAILABLE"

    def available(self, zone: str) -> int:
        return sum(self.state(spot) == "AVAILABLE" for spot in self.zones[zone])

    def zone_of(self, spot: str) -> str:
        return next(zone for zone, spots in self.zones.items() if spot in spots)

    def promised(self, spot: str, period: Period, but: Booking | None = None) -> bool:
        """Whether somebody else has the spot at some time of the period."""
        return any(
            overlap(period, (one.start, one.until))
            for now in (Is.EXPECTED, Is.INSIDE)
            for one in self.all(now, spot)
            if one is not but
        )

    # ── entries ─────────────────────────────────────────────────────────────────────────────

    def still_at(self, plate: str, lane: LaneId) -> Booking | None:
        """The stay of a vehicle that was let in through the lane just now and waits there yet."""
        stay = self.inside(plate)
        if stay and stay.lane == lane and not stay.seen_in and stay.start > self.at - SAME_VEHICLE:
            return stay
        return None

    def walk_in(
        self, new: StayId, plate: str, lane: LaneId, zone: str, subscribed: bool
    ) -> tuple[str, Booking | None]:
        if self.inside(plate):
            stay = self.still_at(plate, lane)
            return "admitted" if stay else "already_inside", stay
        spot = self._to_stand_on(zone, self.at + self.stay)
        if spot is None:
            return self._why_none(zone), None
        if subscribed:
            if self.at >= self.expires:
                return "right_expired", None
            if self.entries == 0:
                return "right_used_up", None
            if self.entries is not None:
                self.entries -= 1
        stay = Booking(
            new, f"stay {len(self.bookings)}", plate, spot, self.at, self.at + self.stay, Is.INSIDE,
            right=Right.SUBSCRIPTION if subscribed else None, lane=lane,
        )  # fmt: skip
        self.bookings[new] = stay
        return "admitted", stay

    def come(self, booking: Booking, lane: LaneId, zone: str) -> tuple[str, Booking | None]:
        """The holder of a reservation, if it is one, stands at an entrance."""
        if self.inside(booking.plate):
            stay = self.still_at(booking.plate, lane)
            return "admitted" if stay else "already_inside", stay
        if booking.now is not Is.EXPECTED:
            return "booking_not_open", None
        if not self.due(booking):
            return "booking_not_due", None
        state, held = self.state(booking.spot), self.held.get(booking.spot)
        own = booking.spot in self.zones[zone] and (
            state == "AVAILABLE" or (state == "RESERVED" and held is booking)
        )
        if own and not self.promised(booking.spot, (self.at, booking.until), booking):
            spot: str | None = booking.spot
        else:
            spot = self._to_stand_on(zone, booking.until)
        if spot is None:
            return self._why_none(zone), None
        self._let_go(booking)
        booking.spot, booking.start, booking.lane = spot, self.at, lane
        booking.now, booking.right = Is.INSIDE, Right.RESERVATION
        return "admitted", booking

    def back_out(self, stay: Booking) -> int | None:
        """The vehicle never came in. Answers what its zone has free then; None: it did, or left."""
        if stay.now is not Is.INSIDE or stay.seen_in:
            return None
        if stay.right is Right.RESERVATION:
            assert stay.reserved
            stay.now, stay.right, stay.lane = Is.EXPECTED, None, None
            stay.start = max(stay.start, stay.reserved[0])
        else:
            stay.now = Is.CANCELLED
            if stay.right is Right.SUBSCRIPTION:
                stay.right = None
                if self.entries is not None:
                    self.entries += 1
        return self.available(self.zone_of(stay.spot))

    def pass_entry(self, stay: Booking) -> None:
        stay.seen_in = stay.seen_in or stay.now in {Is.INSIDE, Is.GONE}

    def pass_exit(self, stay: Booking) -> None:
        stay.seen_out = stay.seen_out or stay.now is Is.GONE

    def _to_stand_on(self, zone: str, until: datetime) -> str | None:
        return next(
            (
                spot
                for spot in self.zones[zone]
                if self.state(spot) == "AVAILABLE" and not self.promised(spot, (self.at, until))
            ),
            None,
        )

    def _why_none(self, zone: str) -> str:
        empty = any(self.state(spot) in {"AVAILABLE", "RESERVED"} for spot in self.zones[zone])
        return "zone_reserved" if empty else "zone_full"

    # ── exits ───────────────────────────────────────────────────────────────────────────────

    def leave(self, stay: Booking) -> str:
        if stay.now is Is.GONE:
            assert stay.left
            waits = not stay.seen_out and stay.left > self.at - SAME_VEHICLE
            return "released" if waits else "no_open_stay"
        if stay.now is not Is.INSIDE:
            return "no_open_stay"
        stay.price, stay.left, stay.now = self.price(stay), self.at, Is.GONE
        if stay.reserved and self.at > stay.reserved[1] and not stay.overstayed:
            stay.overstayed = True
            self.overstays += 1
        return "released"

    def place_again(self, stay: Booking) -> str | None:
        """The spot that it would have if it turned back at the exit: its own if that can be had."""
        until = stay.until if stay.until > self.at else self.at + self.stay
        wanted = [(stay.spot, stay.until)]
        wanted += [(spot, until) for spot in self.zones[self.zone_of(stay.spot)]]
        return next(
            (
                spot
                for spot, end in wanted
                if self.state(spot) == "AVAILABLE" and not self.promised(spot, (stay.start, end))
            ),
            None,
        )

    def turn_back(self, stay: Booking) -> str | None:
        """It was let out and never left. Answers the zone it is in again; None: it left, or was
        never let out."""
        spot = self.place_again(stay)
        if stay.now is not Is.GONE or stay.seen_out or self.inside(stay.plate):
            return None
        assert spot is not None
        stay.now, stay.spot, stay.left, stay.price = Is.INSIDE, spot, None, None
        return self.zone_of(spot)

    def waits_to_leave(self, plate: str) -> list[Booking]:
        """Who was let out just now and not seen passing: the last of the plate."""
        waits = [
            one
            for one in self.all(Is.GONE)
            if one.plate == plate and one.left and not one.seen_out
            and one.left > self.at - SAME_VEHICLE
        ]  # fmt: skip
        return [one for one in waits if one.left == max(other.left or self.at for other in waits)]

    # ── money ───────────────────────────────────────────────────────────────────────────────

    def price(self, booking: Booking) -> Decimal:
        """Frozen once it left; estimated before it came; else what it costs by now."""
        if booking.price is not None:
            return booking.price
        if booking.now is not Is.INSIDE:
            return priced(*booking.reserved) if booking.reserved else NOTHING
        if booking.right is Right.SUBSCRIPTION:
            return NOTHING
        end = booking.grace[0] if booking.grace and self.at <= booking.grace[1] else self.at
        return priced(booking.start, max(end, booking.start))

    def owed(self, booking: Booking) -> Decimal:
        return max(self.price(booking) - booking.paid, NOTHING)

    def payable(self, plate: str) -> list[Booking]:
        """What a payment for a plate may be for: its stay, else its next reservation."""
        stay = self.inside(plate)
        return [stay] if stay else first(one for one in self.all(Is.EXPECTED) if one.plate == plate)

    def pay(self, booking: Booking, amount: Decimal, name: str) -> tuple[str, Paid | None]:
        if booking.now in {Is.CANCELLED, Is.NO_SHOW}:
            return "booking_ended", None
        before = self.owed(booking)
        paid = Paid(name, booking, amount)
        booking.payments.append(paid)
        if booking.now is Is.INSIDE and before and not self.owed(booking):
            booking.grace = (self.at, self.at + GRACE)
        return self.paid_up(booking), paid

    def paid_up(self, booking: Booking) -> str:
        if booking.now in {Is.CANCELLED, Is.NO_SHOW}:
            return "paid"  # what counted before stands, and nothing is due any more
        return "part_paid" if self.owed(booking) else "paid"

    def give_back(self, paid: Paid, amount: Decimal) -> str:
        if amount > paid.amount - paid.refunded:
            return "amount_invalid"
        paid.refunded += amount
        if paid.booking.now is Is.INSIDE and self.owed(paid.booking):
            paid.booking.grace = None
        return "refunded"

    # ── reservations ────────────────────────────────────────────────────────────────────────

    def due(self, booking: Booking) -> bool:
        return booking.start - EARLY <= self.at < self.kept_until(booking)

    def kept_until(self, booking: Booking) -> datetime:
        late = booking.until if self.late is None else booking.start + self.late
        return min(booking.until, late)

    def free(self, zone: str, period: Period) -> list[str]:
        """Spots of the zone that could be reserved for the period."""
        return [spot for spot in self.zones[zone] if self._free(spot, period)]

    def reserve(
        self, new: StayId, plate: str, period: Period, zone: str | None, spot: str | None
    ) -> tuple[str, Booking | None]:
        if period[1] <= self.at:
            return "period_invalid", None
        if spot is not None:
            if zone is not None and spot not in self.zones[zone]:
                return "spot_unknown", None
            if spot in self.out_of_service:
                return "spot_out_of_service", None
            if not self._free(spot, period):
                return "spot_taken", None
        else:
            zones = self.zones if zone is None else [zone]
            spot = next((one for name in zones for one in self.free(name, period)), None)
            if spot is None:
                return "no_spot", None
        booking = Booking(
            new, f"reservation {len(self.bookings)}", plate, spot, *period, Is.EXPECTED, period
        )
        self.bookings[new] = booking
        return "reserved", booking

    def cancel(self, booking: Booking) -> str:
        if booking.now is Is.EXPECTED:
            self._let_go(booking)
            booking.now = Is.CANCELLED
        match booking.now:
            case Is.CANCELLED:
                return "cancelled"
            case Is.INSIDE:
                return "booking_active"
            case _:
                return "booking_ended"

    def keep(self) -> tuple[int, int]:
        """Who did not come in time is a no-show; what is needed soon is held."""
        missed = [one for one in self.all(Is.EXPECTED) if self.kept_until(one) <= self.at]
        for booking in missed:
            self._let_go(booking)
            booking.now = Is.NO_SHOW
        held = 0
        for booking in sorted(self.all(Is.EXPECTED), key=lambda one: one.start):
            soon = booking.start <= self.at + EARLY
            if soon and self.state(booking.spot) == "AVAILABLE":
                self.held[booking.spot] = booking
                held += 1
        return len(missed), held

    def reserved(self, plate: str) -> list[Booking]:
        """What an entrance may be told of: the reservation that the plate may come with now."""
        return first(one for one in self.all(Is.EXPECTED) if one.plate == plate and self.due(one))

    def _free(self, spot: str, period: Period) -> bool:
        """One that stays longer than was thought is thought to stay as long again."""
        stays = self.stands_on(spot)
        over = stays is not None and stays.until <= self.at and period[0] < self.at + self.stay
        free = spot not in self.out_of_service and not over and not self.promised(spot, period)
        return free and self.at < period[1]

    def _let_go(self, booking: Booking) -> None:
        """What was held for it is not any more."""
        if self.held.get(booking.spot) is booking:
            del self.held[booking.spot]
