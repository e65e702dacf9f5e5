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
from typing import Any
from uuid import UUID

from gated.core.errors import DeliveryError
from gated.core.ids import Slug, command_number
from gated.demo.ledger import Ledger, Opened
from gated.devices.mqtt import BrokerSettings, Session
from gated.devices.mqtt_events import LinkEvent, LinkUp, Received
from gated.devices.topics import LaneLeaf, LaneTopic
from gated.ports import Clock
from gated.records import Publication

SEND_ATTEMPTS_MAX = 50


@dataclass(frozen=True, slots=True)
class Shared:
    """What the hardware of any family is built from."""

    facility: Slug
    lane: Slug
    broker: BrokerSettings
    ledger: Ledger
    clock: Clock
    rng: random.Random


class Hardware(ABC):
    """The devices of one lane behind one MQTT connection."""

    def __init__(self, shared: Shared) -> None:
        facility, lane = shared.facility, shared.lane
        self.facility = facility
        self.lane = lane
        self._ledger = shared.ledger
        self._clock = shared.clock
        self._rng = shared.rng
        self._answers: set[asyncio.Task[None]] = set()
        self._linked = asyncio.Event()
        self._answer: asyncio.Future[bool] | None = None
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
    async def read(self, plate: str, vehicle: str) -> None:
        """The camera reads a plate."""

    @abstractmethod
    async def contact(self, name: str, *, on: bool) -> None:
        """A loop changes."""

    @abstractmethod
    def obey(self, payload: dict[str, Any]) -> None:
        """The barrier is told something."""

    # What drivers do with it.

    async def linked(self) -> None:
        """Wait for the first connection."""
        await self._linked.wait()

    def expect_answer(self) -> asyncio.Future[bool]:
        """The next verdict at the lane: True for an arm that goes up, False for a denial."""
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

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
        """The arm goes up."""
        if self._ledger.first_open_monotonic is None:
            self._ledger.first_open_monotonic = self._clock.monotonic()
        self._ledger.opened.append(
            Opened(self.facility, self.lane, number, self._clock.now(), command, expires_at)
        )
        self._verdict(opened=True)

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
        elif not received.retain and payload.get("state") == "denied":
            self._verdict(opened=False)

    def _verdict(self, *, opened: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(opened)

    def _link_changed(self, event: LinkEvent) -> None:
        if isinstance(event, LinkUp):
            self._linked.set()


class NativeHardware(Hardware):
    """A programmable lane controller of contract v1: it checks id, fence and expiry itself."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
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

    async def read(self, plate: str, vehicle: str) -> None:
        confidence = round(self._rng.uniform(0.85, 0.99), 3)
        await self.send(
            self._message(LaneLeaf.PLATE, plate=plate, confidence=confidence, vehicle=vehicle)
        )

    async def contact(self, name: str, *, on: bool) -> None:
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
        answers = [self._message(LaneLeaf.ACK, command=str(command), ok=True)]
        if payload["do"] == "open":
            self.raised(command_number(command), command, expires_at)
            answers.append(self._message(LaneLeaf.BARRIER, state="opened", command=str(command)))
        self.spawn(answers)

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

    async def read(self, plate: str, vehicle: str) -> None:
        # The camera sees the vehicle, then knows which way it moves, and loses it in the end.
        if vehicle != self._vehicle:
            self._vehicle = vehicle
            self._car += 1
        first = self._clock.now()
        await self.send(self._plate_event(plate, "new", "unknown", first))
        await self.send(self._plate_event(plate, "update", "in", self._clock.now()))

    async def contact(self, name: str, *, on: bool) -> None:
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
