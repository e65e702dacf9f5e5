"""Simulated cameras, loops and barriers, speaking MQTT as the real ones do.

They know nothing of gated but its topics: what they are told goes into the ledger, and what
they refuse (expired, fenced, heard before) they refuse as programmable hardware should.
"""

import asyncio
import json
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from gated.core.errors import DeliveryError
from gated.core.ids import Slug
from gated.core.money import Money
from gated.demo.arm import Arm
from gated.demo.ledger import Ledger, Opened
from gated.demo.misreading import misread
from gated.devices.mqtt import BrokerSettings, Session
from gated.devices.mqtt_events import LinkEvent, LinkUp, Received
from gated.devices.topics import LaneLeaf, LaneTopic
from gated.ports import Clock
from gated.records import Publication

SEND_ATTEMPTS_MAX = 50

# The words of the topic `state` for a lane that shows the red light to whoever stands there.
_REFUSING = frozenset({"denied", "out_of_service"})


class Light(Enum):
    """What a driver sees at the barrier."""

    OPENED = auto()
    DENIED = auto()
    ASKED = auto()


@dataclass(frozen=True, slots=True)
class Sign:
    """An answer at the lane; `due` with the demand to pay, `reason` where the hardware is told."""

    light: Light
    due: Money | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the hardware of any family is built from. `misread_rate`: of 1, so many reads."""

    facility: Slug
    lane: Slug
    broker: BrokerSettings
    ledger: Ledger
    clock: Clock
    rng: random.Random
    misread_rate: float = 0.0


class Hardware(ABC):
    """The devices of one lane behind one MQTT connection. `arm` where its switches are wired."""

    arm: Arm | None = None

    def __init__(self, shared: Shared) -> None:
        facility, lane = shared.facility, shared.lane
        self.facility = facility
        self.lane = lane
        self._ledger = shared.ledger
        self._clock = shared.clock
        self._rng = shared.rng
        self._answers: set[asyncio.Task[None]] = set()
        self._linked = asyncio.Event()
        self._signs: asyncio.Queue[Sign] = asyncio.Queue()
        self._misread_rate = shared.misread_rate
        self._loops = dict.fromkeys(("presence", "closing"), False)
        self._stuck: set[str] = set()
        self._reason = ""
        self.session = Session(
            shared.broker,
            client_id=f"hardware-{facility}-{lane}",
            filters=[(self.command_topic, 1), (self._lane_topic(LaneLeaf.STATE), 1)],
            will=self.online(present=False),
            birth=self.online(present=True),
            on_received=self._received,
            on_link=self._link_changed,
            clock=shared.clock,
            random=shared.rng,
            heartbeat_topic=f"hardware/{facility}/{lane}/heartbeat",
        )

    # What a family has to say.

    @property
    @abstractmethod
    def command_topic(self) -> str:
        """Where the barrier hears."""

    @abstractmethod
    def online(self, *, present: bool) -> Publication:
        """The liveness message, and with False the last will."""

    @abstractmethod
    async def see(self, text: str, vehicle: str) -> None:
        """The camera tells this text of a vehicle."""

    @abstractmethod
    async def see_no_plate(self, vehicle: str) -> None:
        """The camera sees a vehicle and no plate; many say nothing at all then."""

    @abstractmethod
    async def tell_loop(self, name: str, *, on: bool) -> None:
        """A loop's contact changes."""

    @abstractmethod
    def obey(self, payload: dict[str, Any]) -> None:
        """The barrier is told something."""

    # What drivers do with it.

    async def linked(self) -> None:
        """Wait for the first connection."""
        await self._linked.wait()

    async def read(self, plate: str, vehicle: str, *, text: str | None = None) -> str:
        """The camera reads a plate, at times wrong, or as this text. Answers what it read."""
        if text is None:
            is_wrong = self._rng.random() < self._misread_rate
            text = misread(plate, self._rng) if is_wrong else plate
        if text != plate:
            self._ledger.outcomes["misread"] += 1
        await self.see(text, vehicle)
        return text

    async def contact(self, name: str, *, on: bool) -> None:
        """A loop changes: it tells so, unless it is stuck."""
        self._loops[name] = on
        if self.arm is not None:
            self._move_with(self.arm, name, on=on)
        if name not in self._stuck:
            await self.tell_loop(name, on=on)

    def stick(self, name: str) -> None:
        """The loop goes on telling what it tells now."""
        self._stuck.add(name)

    async def unstick(self, name: str) -> None:
        """The loop tells the truth again."""
        self._stuck.discard(name)
        await self.tell_loop(name, on=self._loops[name])

    def look_up(self) -> None:
        """A driver arrives: what the lane showed to others does not concern him."""
        self._signs = asyncio.Queue()

    async def sign(self) -> Sign:
        """What the lane shows next."""
        return await self._signs.get()

    # Shared.

    async def send(self, publication: Publication) -> None:
        """Publish; again after a lost link, as a device that keeps its events does."""
        for _ in range(SEND_ATTEMPTS_MAX):
            try:
                await self.session.publish(publication)
            except DeliveryError:
                await asyncio.sleep(0.1)
            else:
                return

    def raised(self, number: int, command: UUID | None, expires_at: datetime | None) -> None:
        """The arm goes up; without limit switches it is up at once as far as anybody knows."""
        if self._ledger.first_open_monotonic is None:
            self._ledger.first_open_monotonic = self._clock.monotonic()
        self._ledger.opened.append(
            Opened(self.facility, self.lane, number, self._clock.now(), command, expires_at)
        )
        if self.arm is None:
            self.show(Sign(Light.OPENED, reason=self._reason))

    def show(self, sign: Sign) -> None:
        """The driver sees it."""
        self._signs.put_nowait(sign)

    def spawn(self, publications: list[Publication]) -> None:
        """Answer from the callback that was told."""
        task = asyncio.get_running_loop().create_task(self._send_all(publications))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _send_all(self, publications: list[Publication]) -> None:
        for publication in publications:
            await self.send(publication)

    def _lane_topic(self, leaf: LaneLeaf) -> str:
        return str(LaneTopic(self.facility, self.lane, leaf))

    def _received(self, received: Received) -> None:
        self.session.acknowledge(received)
        payload = json.loads(received.payload)
        if received.topic == self.command_topic:
            self.obey(payload)
        elif not received.retain and payload.get("state") in _REFUSING:
            self.show(Sign(Light.DENIED))

    def _move_with(self, arm: Arm, name: str, *, on: bool) -> None:
        if name == "closing" and on:
            arm.vehicle_under()
        elif not on and not self._loops["closing"]:
            arm.vehicle_gone(passed=name == "closing")

    def _link_changed(self, event: LinkEvent) -> None:
        if isinstance(event, LinkUp):
            self._linked.set()
