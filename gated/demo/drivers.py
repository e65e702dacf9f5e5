"""Simulated drivers: who comes, when, and how they behave at the barrier."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from gated.demo.hardware import Hardware
from gated.demo.ledger import Ledger

PATIENCE_SECONDS = 5.0
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


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
    """One facility as drivers see it: its lanes, and who may be turned away."""

    slug: str
    entries: Sequence[Hardware]
    exits: Sequence[Hardware]
    registered: Sequence[str]
    blocked: Sequence[str]
    backout_seconds: float
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def lane_lock(self, hardware: Hardware) -> asyncio.Lock:
        """One vehicle at a time stands at a barrier."""
        return self.locks.setdefault(hardware.lane, asyncio.Lock())


class Traffic:
    """Vehicles arriving at one facility until told to stop."""

    def __init__(self, park: CarPark, *, pace: Pace, ledger: Ledger, rng: random.Random) -> None:
        self._park = park
        self._pace = pace
        self._ledger = ledger
        self._rng = rng
        self._vehicles = 0
        self._closing_time = asyncio.Event()

    def close(self) -> None:
        """No more arrivals; whoever stands at a barrier finishes, the others stay inside."""
        self._closing_time.set()

    async def run(self) -> None:
        """Until closed, and every vehicle at a barrier has gone through or away."""
        async with asyncio.TaskGroup() as vehicles:
            while not self._closing_time.is_set():
                vehicles.create_task(self._visit(), name=f"driver/{self._park.slug}")
                wait = self._rng.expovariate(1 / self._pace.arrival_seconds) / self._pace.speed
                await self._unless_closed(wait)

    async def _visit(self) -> None:
        chance = self._rng.random()
        if chance < 0.05:
            plate = self._rng.choice(self._park.blocked)
            await self._enter(plate)
        elif chance < 0.09:
            await self._leave(self._new_plate())  # came in behind a lorry, nobody saw it
        elif chance < 0.14 and self._ledger.inside[self._park.slug]:
            cloned = self._rng.choice(sorted(self._ledger.inside[self._park.slug]))
            await self._enter(cloned)
        elif chance < 0.18:
            await self._enter(self._new_plate(), backs_out=True)
        else:
            await self._whole_visit(self._welcome_plate())

    async def _whole_visit(self, plate: str) -> None:
        if plate in self._ledger.inside[self._park.slug] or not await self._enter(plate):
            return
        await self._unless_closed(
            self._rng.expovariate(1 / self._pace.stay_seconds) / self._pace.speed
        )
        if not self._closing_time.is_set():
            await self._leave(plate)

    async def _enter(self, plate: str, *, backs_out: bool = False) -> bool:
        hardware = self._rng.choice(self._park.entries)
        async with self._park.lane_lock(hardware):
            if not await self._ask(hardware, plate):
                return False
            if backs_out:
                await hardware.contact("presence", on=False)
                # The next vehicle comes only when this one has been given up.
                await asyncio.sleep(self._park.backout_seconds + 0.5)
                self._ledger.outcomes["backed_out"] += 1
                return False
            await self._pass(hardware)
            self._ledger.entered(self._park.slug, plate)
            return True

    async def _leave(self, plate: str) -> None:
        hardware = self._rng.choice(self._park.exits)
        async with self._park.lane_lock(hardware):
            if await self._ask(hardware, plate):
                await self._pass(hardware)
                self._ledger.left(self._park.slug, plate)

    async def _ask(self, hardware: Hardware, plate: str) -> bool:
        """Drive up, be read, and wait for the arm or the red light."""
        self._vehicles += 1
        vehicle = f"{hardware.lane}-{self._vehicles}"
        answer = hardware.expect_answer()
        await hardware.read(plate, vehicle)
        if self._rng.random() < 0.1:
            await hardware.read(plate, vehicle)  # cameras repeat themselves
        await self._pace.roll(self._rng)
        await hardware.contact("presence", on=True)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                opened = await answer
        except TimeoutError:
            self._ledger.outcomes["not_answered"] += 1
            opened = False
        if not opened:
            self._ledger.outcomes["turned_away"] += 1
            await hardware.contact("presence", on=False)
            await self._pace.roll(self._rng)
        return opened

    async def _pass(self, hardware: Hardware) -> None:
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=True)
        await hardware.contact("presence", on=False)
        await self._pace.roll(self._rng)
        await hardware.contact("closing", on=False)

    async def _unless_closed(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing_time.wait()
        except TimeoutError:
            return

    def _welcome_plate(self) -> str:
        if self._rng.random() < 0.3:
            return self._rng.choice(self._park.registered)
        return self._new_plate()

    def _new_plate(self) -> str:
        letters = "".join(self._rng.choice(LETTERS) for _ in range(4))
        return f"{letters}{self._rng.randrange(10, 9999)}"
