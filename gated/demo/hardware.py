"""Simulated cameras, loops and barriers, speaking MQTT as the real ones do.

They know nothing of gated but its topics: what they are told goes into the ledger, and what
they refuse (expired, fenced, heard before) they refuse as programmable hardware should.
"""

import asyncio
import json
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any
from uuid import UUID

from gated.core.errors import DeliveryError
from gated.core.ids import Slug, command_number
from gated.core.money import Money
from gated.demo.arm import Arm, Position
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


class NativeHardware(Hardware):
    """A programmable lane controller of contract v1: it checks id, fence and expiry itself.

    With `switches` it tells how its arm moves.
    """

    def __init__(self, shared: Shared, *, switches: bool = False) -> None:
        super().__init__(shared)
        self.arm = Arm(self._arm_moved) if switches else None
        self._boot = f"{self._rng.getrandbits(32):08x}"
        self._seq = 0
        self._fence = 0
        self._heard: set[UUID] = set()

    @property
    def command_topic(self) -> str:
        return self._lane_topic(LaneLeaf.COMMAND)

    def online(self, *, present: bool) -> Publication:
        return Publication(
            self._lane_topic(LaneLeaf.ONLINE), json.dumps(present).encode(), retain=True
        )

    async def see(self, text: str, vehicle: str) -> None:
        confidence = round(self._rng.uniform(0.85, 0.99), 3)
        await self.send(
            self._message(LaneLeaf.PLATE, plate=text, confidence=confidence, vehicle=vehicle)
        )

    async def see_no_plate(self, vehicle: str) -> None:
        await self.send(self._message(LaneLeaf.PLATE, plate="unknown", vehicle=vehicle))

    async def tell_loop(self, name: str, *, on: bool) -> None:
        leaf = {"presence": LaneLeaf.PRESENCE, "closing": LaneLeaf.CLOSING}[name]
        await self.send(self._message(leaf, on=on))

    def obey(self, payload: dict[str, Any]) -> None:
        command, expires_at = UUID(payload["id"]), _instant(payload["expires_at"])
        error = None
        if command in self._heard:
            error = "heard before"
        elif payload["fence"] < self._fence:
            error = "fence is old"
        elif self._clock.now() >= expires_at:
            error = "expired"
        self._fence = max(self._fence, payload["fence"])
        self._heard.add(command)
        if error is not None:
            self._ledger.refused_by_hardware.append(error)
            self.spawn([self._message(LaneLeaf.ACK, command=str(command), ok=False, error=error)])
            return
        self.spawn([self._message(LaneLeaf.ACK, command=str(command), ok=True)])
        if payload["do"] == "open":
            self._reason = payload["reason"]
            self._open(command, expires_at)
        elif "amount" in payload:
            due = Money(Decimal(payload["amount"]), payload["currency"])
            self.show(Sign(Light.ASKED, due))

    def _open(self, command: UUID, expires_at: datetime) -> None:
        if self.arm is not None and not self.arm.go_up(str(command)):
            self._ledger.outcomes["arm_did_not_move"] += 1
            return
        self.raised(command_number(command), command, expires_at)
        if self.arm is None:
            self._arm_moved(Position.OPENED, str(command))

    def _arm_moved(self, position: Position, command: str | None) -> None:
        fields = {} if command is None else {"command": command}
        self.spawn([self._message(LaneLeaf.BARRIER, state=position.value, **fields)])
        if self.arm is not None and command is not None:
            self.show(Sign(Light.OPENED, reason=self._reason))

    def _message(self, leaf: LaneLeaf, **fields: object) -> Publication:
        self._seq += 1
        body = {"boot": self._boot, "seq": self._seq, "at": _text(self._clock.now()), **fields}
        return Publication(self._lane_topic(leaf), json.dumps(body).encode())


class AxisShellyHardware(Hardware):
    """An Axis camera with License Plate Verifier, and a Shelly relay whose inputs are the loops."""

    def __init__(self, shared: Shared, *, camera: str, relay: str) -> None:
        self._camera = camera
        self._relay = relay
        super().__init__(shared)
        self._car = self._rng.randrange(1000, 9000)
        self._vehicle = ""

    @property
    def command_topic(self) -> str:
        return f"{self._relay}/rpc"

    def online(self, *, present: bool) -> Publication:
        return Publication(f"{self._relay}/online", json.dumps(present).encode(), retain=True)

    async def see(self, text: str, vehicle: str) -> None:
        # The camera sees the vehicle, then knows which way it moves, and loses it in the end.
        if vehicle != self._vehicle:
            self._vehicle = vehicle
            self._car += 1
        first = self._clock.now()
        await self.send(self._plate_event(text, "new", "unknown", first))
        await self.send(self._plate_event(text, "update", "in", self._clock.now()))

    async def see_no_plate(self, vehicle: str) -> None:
        # It tells of plates alone.
        self._vehicle = vehicle

    async def tell_loop(self, name: str, *, on: bool) -> None:
        number = {"presence": 0, "closing": 1}[name]
        await self._notify({f"input:{number}": {"id": number, "state": on}})

    def obey(self, payload: dict[str, Any]) -> None:
        self.raised(payload["id"], None, None)
        reply = {
            "id": payload["id"],
            "src": self._relay,
            "dst": payload["src"],
            "result": {"was_on": False},
        }
        self.spawn([Publication(f"{payload['src']}/rpc", json.dumps(reply).encode())])

    async def _notify(self, status: dict[str, object]) -> None:
        body = {
            "src": self._relay,
            "dst": f"{self._relay}/events",
            "method": "NotifyStatus",
            "params": {"ts": self._clock.now().timestamp(), **status},
        }
        await self.send(Publication(f"{self._relay}/events/rpc", json.dumps(body).encode()))

    def _plate_event(self, plate: str, car_state: str, moves: str, at: datetime) -> Publication:
        milliseconds = int(at.timestamp() * 1000)
        topic = "tns:axis/CameraApplicationPlatform/ALPV.AllPlates"
        body = {
            "topic": "axis:CameraApplicationPlatform/ALPV.AllPlates",
            "timestamp": milliseconds,
            "message": {
                "source": {},
                "key": {},
                "data": {
                    "text": f"{plate[:2]} {plate[2:]}",
                    "carID": str(self._car),
                    "carState": car_state,
                    "carMoveDirection": moves,
                    "capture_timestamp": str(milliseconds),
                    "country": "DEU",
                },
            },
        }
        return Publication(f"{self._camera}/event/{topic}", json.dumps(body).encode())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
