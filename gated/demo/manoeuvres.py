"""What drivers do at a barrier: drive up, wait, pass, back off, follow another, call for help.

Each manoeuvre ends with the lane free and the ledger knowing what really happened.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gated.core.ids import Slug
from gated.core.money import Money
from gated.core.reasons import GrantReason
from gated.demo.hardware import Hardware, Light, Sign
from gated.demo.ledger import Car, Ledger
from gated.demo.people import People
from gated.demo.shop import Shop

PATIENCE_SECONDS = 10.0
# The next vehicle comes only when this one has been given up, and the arm is down.
AFTER_BACKOUT_SECONDS = 1.0
FOLLOWING_SECONDS = 0.05
MENDING_SECONDS = 1.5
LATE_SECONDS = 1.5
RESERVED_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in real seconds, at speed 1."""

    speed: float
    arrival_seconds: float = 1.2
    stay_seconds: float = 12.0
    roll_seconds: float = 0.25

    async def roll(self, rng: random.Random) -> None:
        """A vehicle rolls a car's length."""
        await asyncio.sleep(self.roll_seconds * rng.uniform(0.6, 1.4) / self.speed)


@dataclass(slots=True)
class CarPark:
    """One facility as drivers see it: its lanes, its people, and who may be turned away.

    `price` is that of any stay, where there is one price. `loop_seconds`: after so long a loop
    that somebody stands on unread is noticed. `lists_overstay`: outstaying costs something.
    """

    slug: Slug
    entries: Sequence[Hardware]
    exits: Sequence[Hardware]
    pay_exits: Sequence[Hardware]
    people: People
    shop: Shop
    registered: Sequence[str]
    blocked: Sequence[str]
    backout_seconds: float
    loop_seconds: float
    price: Money | None
    lists_overstay: bool
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def lane_lock(self, hardware: Hardware) -> asyncio.Lock:
        """One vehicle at a time stands at a barrier."""
        return self.locks.setdefault(hardware.lane, asyncio.Lock())


class Manoeuvres:
    """At the lanes of one facility. An entry answers whether the vehicle is inside."""

    def __init__(self, park: CarPark, *, pace: Pace, ledger: Ledger, rng: random.Random) -> None:
        self._park = park
        self._pace = pace
        self._ledger = ledger
        self._rng = rng
        self._vehicles = 0

    # ── in ──────────────────────────────────────────────────────────────────────────────────

    async def enter(
        self, car: Car, *, text: str | None = None, follower: Car | None = None
    ) -> bool:
        """As one should; read as `text`. A `follower` comes in behind it in the same opening."""
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            car.recorded, sign = await self._ask(hardware, car.plate, text)
            if sign is None or sign.light is not Light.OPENED:
                await self._turn_away(hardware)
                return False
            await self._enter(hardware, car, follower)
            return True

    async def enter_reserved(self, car: Car) -> bool:
        """By a reservation that begins now and ends soon. The driver outstays it."""
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            await self._park.shop.reserve(self._park.slug, car.plate, RESERVED_SECONDS)
            car.recorded, sign = await self._ask(hardware, car.plate)
            if sign is None or sign.light is not Light.OPENED:
                await self._turn_away(hardware)
                return False
            await self._enter(hardware, car, None)
            # Where the camera misread the plate, or everything took too long, it is a stranger.
            if sign.reason == GrantReason.RESERVATION:
                self._ledger.violations["overstay"] += 1
                self._ledger.outcomes["overstayed"] += 1
            return True

    async def enter_unread(self, car: Car) -> bool:
        """The camera cannot read the plate, or says nothing: the operator opens by hand."""
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            hardware.look_up()
            await hardware.contact("presence", on=True)
            if self._rng.random() < 0.5:
                await hardware.see_no_plate(self._vehicle(hardware))
            sign = await self._sign(hardware)
            if sign is None or not await self._opened_by_hand(hardware, "plate not readable"):
                await self._turn_away(hardware)
                return False
            self._ledger.outcomes["unread_let_in"] += 1
            await self._enter(hardware, car, None)
            return True

    async def back_out(self, car: Car) -> None:
        """It is let in, and reverses."""
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            _, sign = await self._ask(hardware, car.plate)
            if sign is None or sign.light is not Light.OPENED:
                await self._turn_away(hardware)
                return
            await hardware.contact("presence", on=False)
            await asyncio.sleep(self._park.backout_seconds + AFTER_BACKOUT_SECONDS)
            self._ledger.outcomes["backed_out"] += 1

    async def enter_by_stuck_arm(self, car: Car, *, times: int) -> bool:
        """The arm does not go up at first: told again it does, or somebody has to mend it."""
        hardware = self._rng.choice([one for one in self._park.entries if one.arm is not None])
        async with self._park.lane_lock(hardware):
            assert hardware.arm is not None
            hardware.arm.jam(times)
            car.recorded, sign = await self._ask(hardware, car.plate)
            opened = sign is not None and sign.light is Light.OPENED
            if opened:
                await self._enter(hardware, car, None)
            else:
                await self._turn_away(hardware)
            await asyncio.sleep(MENDING_SECONDS)
            if not opened:
                hardware.arm.mend()
            hardware.arm.jam(0)
            await asyncio.sleep(MENDING_SECONDS)
            return opened

    async def enter_by_stuck_loop(self, car: Car) -> bool:
        """The loop before the arm goes on telling that somebody stands there."""
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            car.recorded, sign = await self._ask(hardware, car.plate)
            if sign is None or sign.light is not Light.OPENED:
                await self._turn_away(hardware)
                return False
            hardware.stick("presence")
            await self._enter(hardware, car, None)
            self._ledger.outcomes["loop_stuck"] += 1
            await asyncio.sleep(self._park.loop_seconds)
            await hardware.unstick("presence")
            return True

    # ── out ─────────────────────────────────────────────────────────────────────────────────

    async def leave(self, car: Car, *, text: str | None = None) -> None:
        """By any exit, in whatever way that one asks for its money; read as `text`."""
        hardware = self._rng.choice(self._park.exits)
        async with self._park.lane_lock(hardware):
            text, sign = await self._ask(hardware, car.plate, text)
            await self._go_on(hardware, car, text, sign)

    async def leave_unseen(self, plate: str) -> None:
        """It came in behind a lorry, and nobody saw it: nobody opens for it either."""
        hardware = self._rng.choice(self._park.exits)
        async with self._park.lane_lock(hardware):
            _, sign = await self._ask(hardware, plate)
            if sign is not None and sign.light is Light.OPENED:
                await self._pass(hardware)
            else:
                await self._turn_away(hardware)

    async def leave_paying(self, car: Car, *, late: bool = False, part: bool = False) -> None:
        """By an exit that waits for the money: at once, late, or a part of it first."""
        hardware = self._rng.choice(self._park.pay_exits)
        async with self._park.lane_lock(hardware):
            text, sign = await self._ask(hardware, car.plate)
            await self._go_on(hardware, car, text, sign, late=late, part=part)

    async def leave_after_backing_off(self, car: Car) -> None:
        """It is asked to pay at the exit, backs off, pays at the machine and comes again."""
        hardware = self._rng.choice(self._park.pay_exits)
        async with self._park.lane_lock(hardware):
            text, sign = await self._ask(hardware, car.plate)
            if sign is None or sign.due is None:
                await self._go_on(hardware, car, text, sign)
                return
            await hardware.contact("presence", on=False)
            self._ledger.outcomes["backed_off_unpaid"] += 1
        await self._park.people.pay(car, sign.due.amount)
        # Sooner than that the lane takes it for the one that it asked, however it is read then.
        await asyncio.sleep(self._park.backout_seconds + AFTER_BACKOUT_SECONDS)
        await self.leave_paying(car)

    async def leave_followed(self, car: Car, follower: Car) -> None:
        """It pays at the exit, and another one drives out in the same opening without."""
        hardware = self._rng.choice(self._park.pay_exits)
        async with self._park.lane_lock(hardware):
            text, sign = await self._ask(hardware, car.plate)
            sign = await self._settled(hardware, car, text, sign)
            if sign is None or sign.light is not Light.OPENED:
                await self._turn_away(hardware)
                return
            await self._pace.roll(self._rng)
            await hardware.contact("closing", on=True)
            await hardware.contact("presence", on=False)
            # The camera is quick enough for the one behind: so it is known who owes.
            await hardware.see(follower.recorded or follower.plate, self._vehicle(hardware))
            await hardware.contact("presence", on=True)
            await self._pace.roll(self._rng)
            await hardware.contact("closing", on=False)
            self._ledger.left(self._park.slug, car, self._park.price)
            await self._follow(hardware)
            self._ledger.left(self._park.slug, follower, self._park.price)
            self._ledger.outcomes["tailgated_out"] += 1

    # ── the parts of it ─────────────────────────────────────────────────────────────────────

    async def _enter(self, hardware: Hardware, car: Car, follower: Car | None) -> None:
        if follower is None:
            await self._pass(hardware)
            self._ledger.entered(self._park.slug, car)
            return
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=True)
        await hardware.contact("presence", on=False)
        # So close behind that the camera sees no plate.
        await hardware.contact("presence", on=True)
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=False)
        self._ledger.entered(self._park.slug, car)
        await self._follow(hardware)
        self._ledger.entered(self._park.slug, follower)
        self._ledger.outcomes["tailgated_in"] += 1

    async def _follow(self, hardware: Hardware) -> None:
        await asyncio.sleep(FOLLOWING_SECONDS)
        await hardware.contact("closing", on=True)
        await hardware.contact("presence", on=False)
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=False)
        self._ledger.violations["tailgating"] += 1

    async def _go_on(
        self,
        hardware: Hardware,
        car: Car,
        text: str,
        sign: Sign | None,
        *,
        late: bool = False,
        part: bool = False,
    ) -> None:
        sign = await self._settled(hardware, car, text, sign, late=late, part=part)
        if sign is not None and sign.light is Light.OPENED:
            await self._pass(hardware)
            self._ledger.left(self._park.slug, car, self._park.price)
        elif sign is not None and await self._opened_by_hand(hardware, "no entry found"):
            await self._pass(hardware)
            self._ledger.left_unknown(self._park.slug, car)
        else:
            await self._turn_away(hardware)

    async def _settled(
        self,
        hardware: Hardware,
        car: Car,
        text: str,
        sign: Sign | None,
        *,
        late: bool = False,
        part: bool = False,
    ) -> Sign | None:
        """What the lane shows once a misread plate is matched, and what was due is paid."""
        by_hand = False
        if sign is not None and sign.light is Light.DENIED and car.recorded is not None:
            reason = "plate misread"
            by_hand = await self._park.people.match(hardware.lane, car.recorded, reason)
            sign = await self._sign(hardware) if by_hand else sign
        if by_hand:
            self._ledger.outcomes["matched_by_hand"] += 1
        elif text != car.recorded and sign is not None and sign.light is not Light.DENIED:
            self._ledger.outcomes["misread_matched"] += 1
        if sign is not None and sign.due is not None:
            return await self._pay(hardware, car, sign.due, late=late, part=part)
        return sign

    async def _pay(
        self, hardware: Hardware, car: Car, due: Money, *, late: bool, part: bool
    ) -> Sign | None:
        amount = due.amount
        await asyncio.sleep(LATE_SECONDS if late else self._pace.roll_seconds / self._pace.speed)
        if part:
            first = (amount / 3).quantize(Decimal(1))
            await self._park.people.pay(car, first)
            self._ledger.outcomes["paid_a_part"] += 1
            asked = await self._sign(hardware)
            if asked is None or asked.due is None:
                return asked
            amount = asked.due.amount
            await self._pace.roll(self._rng)
        await self._park.people.pay(car, amount)
        self._ledger.outcomes["paid_late" if late else "paid_at_exit"] += 1
        return await self._sign(hardware)

    async def _opened_by_hand(self, hardware: Hardware, reason: str) -> bool:
        self._ledger.outcomes["called_for_help"] += 1
        if not await self._park.people.open(hardware.lane, reason):
            return False
        sign = await self._sign(hardware)
        return sign is not None and sign.light is Light.OPENED

    async def _ask(
        self, hardware: Hardware, plate: str, text: str | None = None
    ) -> tuple[str, Sign | None]:
        """Drive up, be read, and wait for what the lane shows; and what the camera read."""
        vehicle = self._vehicle(hardware)
        hardware.look_up()
        text = await hardware.read(plate, vehicle, text=text)
        if self._rng.random() < 0.1:
            await hardware.see(text, vehicle)  # cameras repeat themselves
        await self._pace.roll(self._rng)
        await hardware.contact("presence", on=True)
        return text, await self._sign(hardware)

    async def _sign(self, hardware: Hardware) -> Sign | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await hardware.sign()
        except TimeoutError:
            self._ledger.outcomes["not_answered"] += 1
            return None

    async def _turn_away(self, hardware: Hardware) -> None:
        self._ledger.outcomes["turned_away"] += 1
        await hardware.contact("presence", on=False)
        await self._pace.roll(self._rng)

    async def _pass(self, hardware: Hardware) -> None:
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=True)
        await hardware.contact("presence", on=False)
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=False)

    def _vehicle(self, hardware: Hardware) -> str:
        self._vehicles += 1
        return f"{hardware.lane}-{self._vehicles}"
