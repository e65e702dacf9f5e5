"""Simulated drivers: who comes, when, and what each has in mind."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

from gated.demo.ledger import Car, Ledger
from gated.demo.manoeuvres import RESERVED_SECONDS, CarPark, Manoeuvres, Pace
from gated.demo.misreading import misread, places_misread

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
# How long those of the cast stay, who are to be seen leaving in a demo of some seconds.
CAST_STAY_SECONDS = 1.5


class Role(Enum):
    """What a driver has in mind, or what happens to him."""

    VISITS = auto()
    IS_BLOCKED = auto()
    WAS_NEVER_SEEN = auto()
    HAS_A_CLONE = auto()
    BACKS_OUT = auto()
    IS_FOLLOWED_IN = auto()
    IS_FOLLOWED_OUT = auto()
    IS_MISREAD_AT_ENTRY = auto()
    IS_MISREAD_AT_EXIT = auto()
    IS_MISREAD_TWICE = auto()
    IS_UNREAD = auto()
    PAYS_LATE = auto()
    PAYS_A_PART = auto()
    BACKS_OFF_UNPAID = auto()
    MEETS_A_SLOW_ARM = auto()
    MEETS_A_STUCK_ARM = auto()
    LEAVES_A_STUCK_LOOP = auto()
    OVERSTAYS = auto()


# How likely the roles are, of 100, once the cast has played; the rest visits.
CHANCES = {
    Role.IS_BLOCKED: 5,
    Role.WAS_NEVER_SEEN: 4,
    Role.HAS_A_CLONE: 5,
    Role.BACKS_OUT: 4,
    Role.IS_FOLLOWED_IN: 3,
    Role.IS_FOLLOWED_OUT: 2,
    Role.IS_UNREAD: 3,
    Role.PAYS_LATE: 4,
    Role.PAYS_A_PART: 3,
    Role.BACKS_OFF_UNPAID: 2,
    Role.MEETS_A_SLOW_ARM: 2,
    Role.MEETS_A_STUCK_ARM: 1,
    Role.LEAVES_A_STUCK_LOOP: 1,
    Role.OVERSTAYS: 2,
}
AT_A_PAY_EXIT = frozenset(
    {Role.IS_FOLLOWED_OUT, Role.PAYS_LATE, Role.PAYS_A_PART, Role.BACKS_OFF_UNPAID}
)
AT_AN_ARM = frozenset({Role.MEETS_A_SLOW_ARM, Role.MEETS_A_STUCK_ARM})


class Traffic:
    """Vehicles arriving at one facility until told to stop.

    The `cast` comes first, so that a demo of any length shows some of each.
    """

    def __init__(
        self,
        park: CarPark,
        cast: Sequence[Role],
        *,
        pace: Pace,
        ledger: Ledger,
        rng: random.Random,
    ) -> None:
        self._park = park
        self._pace = pace
        self._ledger = ledger
        self._rng = rng
        self._cast = deque(cast)
        self._manoeuvres = Manoeuvres(park, pace=pace, ledger=ledger, rng=rng)
        self._has_arm = any(one.arm is not None for one in park.entries)
        self._closing_time = asyncio.Event()

    def close(self) -> None:
        """No more arrivals; whoever stands at a barrier finishes, the others stay inside."""
        self._closing_time.set()

    async def run(self) -> None:
        """Until closed, and every vehicle at a barrier has gone through or away."""
        async with asyncio.TaskGroup() as vehicles:
            while not self._closing_time.is_set():
                seconds = self._rng.expovariate(1 / self._pace.arrival_seconds)
                if self._cast:
                    seconds = min(seconds, self._pace.arrival_seconds)
                vehicles.create_task(self._visit(), name=f"driver/{self._park.slug}")
                await self._unless_closed(seconds / self._pace.speed)

    async def _visit(self) -> None:
        is_cast = bool(self._cast)
        role = self._cast.popleft() if is_cast else self._role()
        car, do = self._car(role), self._manoeuvres
        match role:
            case Role.IS_BLOCKED | Role.HAS_A_CLONE:
                await do.enter(car)
            case Role.WAS_NEVER_SEEN:
                await do.leave_unseen(car.plate)
            case Role.BACKS_OUT:
                await do.back_out(car)
            case Role.IS_FOLLOWED_IN:
                await self._be_followed_in(car, is_cast=is_cast)
            case Role.IS_FOLLOWED_OUT:
                await self._be_followed_out(car, is_cast=is_cast)
            case Role.OVERSTAYS:
                await self._overstay(car)
            case _:
                await self._whole_visit(car, role, is_cast=is_cast)

    async def _be_followed_in(self, car: Car, *, is_cast: bool) -> None:
        follower = Car(self._new_plate())
        if await self._manoeuvres.enter(car, follower=follower):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._stay_and_leave(car, Role.VISITS, is_cast=False))
                both.create_task(self._stay_and_leave(follower, Role.VISITS, is_cast=is_cast))

    async def _be_followed_out(self, car: Car, *, is_cast: bool) -> None:
        do, follower = self._manoeuvres, Car(self._new_plate())
        if not await do.enter(car):
            return
        if await do.enter(follower) and await self._stay(is_cast=is_cast):
            await do.leave_followed(car, follower)

    async def _overstay(self, car: Car) -> None:
        if await self._manoeuvres.enter_reserved(car):
            # Past closing time, too: it leaves when its own time has been over for a while.
            await asyncio.sleep(RESERVED_SECONDS + 0.5)
            await self._manoeuvres.leave(car)

    async def _whole_visit(self, car: Car, role: Role, *, is_cast: bool) -> None:
        if self._ledger.is_inside(self._park.slug, car.plate):
            return  # the registered ones have one car each
        if await self._enter(car, role):
            await self._stay_and_leave(car, role, is_cast=is_cast)

    async def _enter(self, car: Car, role: Role) -> bool:
        match role:
            case Role.IS_UNREAD:
                return await self._manoeuvres.enter_unread(car)
            case Role.MEETS_A_SLOW_ARM:
                return await self._manoeuvres.enter_by_stuck_arm(car, times=1)
            case Role.MEETS_A_STUCK_ARM:
                return await self._manoeuvres.enter_by_stuck_arm(car, times=10)
            case Role.LEAVES_A_STUCK_LOOP:
                return await self._manoeuvres.enter_by_stuck_loop(car)
            case Role.IS_MISREAD_AT_ENTRY | Role.IS_MISREAD_TWICE:
                return await self._manoeuvres.enter(car, text=misread(car.plate, self._rng))
            case _:
                return await self._manoeuvres.enter(car)

    async def _stay_and_leave(self, car: Car, role: Role, *, is_cast: bool) -> None:
        if not await self._stay(is_cast=is_cast):
            return
        match role:
            case Role.IS_MISREAD_AT_EXIT:
                await self._manoeuvres.leave(car, text=misread(car.plate, self._rng))
            case Role.IS_MISREAD_TWICE:
                await self._manoeuvres.leave(car, text=self._misread_elsewhere(car))
            case Role.PAYS_LATE | Role.PAYS_A_PART:
                late, part = role is Role.PAYS_LATE, role is Role.PAYS_A_PART
                await self._manoeuvres.leave_paying(car, late=late, part=part)
            case Role.BACKS_OFF_UNPAID:
                await self._manoeuvres.leave_after_backing_off(car)
            case _:
                await self._manoeuvres.leave(car)

    async def _stay(self, *, is_cast: bool) -> bool:
        """Whether it leaves while the demo lasts."""
        mean = self._pace.stay_seconds
        seconds = CAST_STAY_SECONDS if is_cast else self._rng.expovariate(1 / mean)
        await self._unless_closed(seconds / self._pace.speed)
        return not self._closing_time.is_set()

    async def _unless_closed(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing_time.wait()
        except TimeoutError:
            return

    def _role(self) -> Role:
        chance = self._rng.randrange(100)
        for role, share in CHANCES.items():
            if chance < share:
                return role if self._can_be_played(role) else Role.VISITS
            chance -= share
        return Role.VISITS

    def _can_be_played(self, role: Role) -> bool:
        if role in AT_A_PAY_EXIT:
            return bool(self._park.pay_exits)
        if role in AT_AN_ARM:
            return self._has_arm
        if role is Role.OVERSTAYS:
            return self._park.lists_overstay
        return role is not Role.HAS_A_CLONE or any(self._ledger.stays(self._park.slug))

    def _car(self, role: Role) -> Car:
        match role:
            case Role.IS_BLOCKED:
                return Car(self._rng.choice(self._park.blocked))
            case Role.HAS_A_CLONE:
                inside = self._ledger.stays(self._park.slug)
                return Car(self._rng.choice(sorted(plate for plate in inside if plate)))
            case Role.VISITS if self._rng.random() < 0.3:
                return Car(self._rng.choice(self._park.registered))
            case Role.IS_MISREAD_TWICE:
                return Car(self._new_plate(places=2))
            case _:
                return Car(self._new_plate())

    def _new_plate(self, places: int = 1) -> str:
        """A stranger's, with so many characters in it at least that a camera may misread."""
        while True:
            letters = "".join(self._rng.choice(LETTERS) for _ in range(4))
            plate = f"{letters}{self._rng.randrange(10, 9999)}"
            if len(places_misread(plate)) >= places:
                return plate

    def _misread_elsewhere(self, car: Car) -> str:
        """Misread at another place than at the entry: that no machine can match any more."""
        while True:
            text = misread(car.plate, self._rng)
            pairs = zip(text, car.recorded or car.plate, strict=True)
            if sum(one != other for one, other in pairs) > 1:
                return text
