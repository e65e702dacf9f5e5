"""The hardware of the lanes as seen from the broker: MQTT 3.1.1, payloads as the vendors send them.

Each message is written out here, and nothing of it comes from gated: what a camera or a relay
says is no business of the daemon's own models.
"""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiomqtt

from gated.devices.topics import matches
from tests.e2e.waiting import eventually
from tests.services.brokers import BrokerHandle
from tests.services.clients import Client

# Vehicles, messages and connections of one test run are never called alike.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    retain: bool

    @property
    def body(self) -> dict[str, Any]:
        """The payload as a JSON object."""
        said = json.loads(self.payload)
        assert isinstance(said, dict), said
        return said


class Wire:
    """A connection to the broker that speaks for all devices of a test, and hears everything."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[Heard] = []

    async def send(self, topic: str, payload: bytes | object, *, retain: bool = False) -> None:
        """Publish at QoS 1; returns when the broker has it. What is not bytes becomes JSON."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self._client.publish(topic, data, qos=1, retain=retain)

    def on(self, topic_filter: str) -> list[Heard]:
        """What came so far on these topics."""
        return [heard for heard in self.heard if matches(topic_filter, heard.topic)]

    async def message(
        self,
        topic_filter: str,
        wanted: Callable[[Heard], bool] = lambda _: True,
        *,
        after: int = 0,
    ) -> Heard:
        """Wait for a message; the one behind the first `after` that match."""

        def look() -> Heard | None:
            found = [heard for heard in self.on(topic_filter) if wanted(heard)]
            return found[after] if len(found) > after else None

        return await eventually(
            look, f"a message on {topic_filter}", otherwise=lambda: self.on(topic_filter)[-3:]
        )

    async def listen(self) -> None:
        """Keep what comes, until the connection or the task ends."""
        with suppress(aiomqtt.MqttError):
            async for message in self._client.messages:
                topic = message.topic.value
                if not topic.endswith("/heartbeat"):
                    assert isinstance(message.payload, bytes)
                    self.heard.append(Heard(topic, message.payload, message.retain))


@asynccontextmanager
async def wire(broker: BrokerHandle) -> AsyncIterator[Wire]:
    """A connection for the block; one that the broker has ended meanwhile ends quietly."""
    client = Client(
        broker.host,
        broker.port_v311,
        protocol=aiomqtt.ProtocolVersion.V311,
        identifier=f"devices-{next(_numbers)}",
        max_queued_incoming_messages=0,
        # Or each message waits 40 ms for the broker's TCP acknowledgement of the one before.
        socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
    )
    await client.__aenter__()
    try:
        await client.subscribe("#", qos=1)
        connection = Wire(client)
        listener = asyncio.create_task(connection.listen())
        try:
            yield connection
        finally:
            listener.cancel()
            await asyncio.wait({listener})
    finally:
        with suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)


def commands(connection: Wire) -> list[Heard]:
    """All that gated has told any barrier on this connection."""
    return [*connection.on("+/rpc"), *connection.on("gated/v1/+/lane/+/command")]


async def in_answer(connection: Wire, facility: str, user: str, request: object) -> dict[str, Any]:
    """Wait for the answer to an operator's request of that id; it is no state to be kept."""
    topic = f"gated/v1/{facility}/operator/{user}/answer"
    heard = await connection.message(topic, lambda one: one.body["id"] == request)
    assert not heard.retain
    return heard.body


async def receipt(
    connection: Wire, facility: str, payment: object, *, after: int = 0
) -> dict[str, Any]:
    """Wait for the answer to a payment of that id; the one behind the first `after` of them."""
    topic = f"gated/v1/{facility}/payment/answer"
    heard = await connection.message(topic, lambda one: one.body["id"] == payment, after=after)
    assert not heard.retain
    return heard.body


class Lane(Protocol):
    """What stands at a lane, whoever built it."""

    slug: str

    async def read(
        self, plate: str, *, vehicle: int | None = None, at: datetime | None = None
    ) -> None:
        """The camera reads a plate."""

    async def contact(self, name: str, *, on: bool, at: datetime | None = None) -> None:
        """The loop "presence" or "closing" changes."""

    async def opened(self) -> dict[str, Any]:
        """Wait for the next open command, do it and answer it as the hardware would."""


async def pass_through(lane: Lane, plate: str) -> dict[str, Any]:
    """A vehicle drives up, is let through and leaves the lane; the open command."""
    await lane.contact("presence", on=True)
    await lane.read(plate)
    command = await lane.opened()
    await go_on(lane)
    return command


async def go_on(lane: Lane) -> None:
    """The vehicle passes under the arm."""
    await lane.contact("closing", on=True)
    await lane.contact("presence", on=False)
    await lane.contact("closing", on=False)


@dataclass(slots=True)
class AxisShelly:
    """An Axis camera with the License Plate Verifier, and a Shelly relay with the loops."""

    wire: Wire
    slug: str
    camera: str
    relay: str
    done: int = 0

    async def read(
        self, plate: str, *, vehicle: int | None = None, at: datetime | None = None
    ) -> None:
        """The camera sees a vehicle, and an instant later which way it moves."""
        if vehicle is None:
            vehicle = 7000 + next(_numbers)
        at = at or datetime.now(UTC)
        await self.plate_event(plate, vehicle, "new", "unknown", at)
        await self.plate_event(plate, vehicle, "update", "in", at + timedelta(milliseconds=1))

    async def plate_event(
        self, plate: str, vehicle: int, state: str, direction: str, at: datetime
    ) -> None:
        """One event of the camera's event bridge."""
        milliseconds = int(at.timestamp() * 1000)
        await self.wire.send(
            f"{self.camera}/event/tns:axis/CameraApplicationPlatform/ALPV.AllPlates",
            {
                "topic": "axis:CameraApplicationPlatform/ALPV.AllPlates",
                "timestamp": milliseconds + 40,
                "serial": self.camera.rpartition("/")[2],
                "message": {
                    "source": {},
                    "key": {},
                    "data": {
                        "action": "No action",
                        "capture_timestamp": str(milliseconds),
                        "carID": str(vehicle),
                        "carMoveDirection": direction,
                        "carState": state,
                        "consumedTime": "96",
                        "country": "DEU",
                        "frame_timestamp": str(milliseconds // 1000),
                        "height": "31",
                        "left": "640",
                        "listName": "",
                        "text": plate,
                        "top": "480",
                        "width": "139",
                    },
                },
            },
        )

    async def contact(self, name: str, *, on: bool, at: datetime | None = None) -> None:
        """An input of the relay changes."""
        number = {"presence": 0, "closing": 1}[name]
        await self._notify(f"input:{number}", {"id": number, "state": on}, at)

    async def opened(self) -> dict[str, Any]:
        """Wait for the next pulse; the relay answers it and says that it switches."""
        call = (await self.wire.message(f"{self.relay}/rpc", after=self.done)).body
        self.done += 1
        await self.answer(call)
        return call

    async def answer(self, call: dict[str, Any], error: dict[str, Any] | None = None) -> None:
        """The relay's reply to a call."""
        said = {"error": error} if error else {"result": {"was_on": False}}
        reply = {"id": call["id"], "src": self.relay, "dst": call["src"], **said}
        await self.wire.send(f"{call['src']}/rpc", reply)
        if error is None:
            output = {"id": call["params"]["id"], "output": True, "source": "MQTT"}
            await self._notify(f"switch:{output['id']}", output, None)

    async def _notify(self, component: str, status: dict[str, Any], at: datetime | None) -> None:
        instant = (at or datetime.now(UTC)).timestamp()
        await self.wire.send(
            f"{self.relay}/events/rpc",
            {
                "src": self.relay,
                "dst": f"{self.relay}/events",
                "method": "NotifyStatus",
                "params": {"ts": round(instant, 2), component: status},
            },
        )


@dataclass(slots=True)
class Native:
    """A lane controller that speaks gated's own contract."""

    wire: Wire
    facility: str
    slug: str
    done: int = 0
    denied: int = 0

    def topic(self, leaf: str) -> str:
        return f"gated/v1/{self.facility}/lane/{self.slug}/{leaf}"

    async def read(
        self, plate: str, *, vehicle: int | None = None, at: datetime | None = None
    ) -> None:
        named = {} if vehicle is None else {"vehicle": vehicle}
        await self.say("plate", at=at, plate=plate, confidence=0.94, **named)

    async def contact(self, name: str, *, on: bool, at: datetime | None = None) -> None:
        await self.say(f"input/{name}", at=at, on=on)

    async def say(self, leaf: str, *, at: datetime | None = None, **fields: object) -> None:
        """A message with the controller's own id and time."""
        body = {"id": f"c{next(_numbers)}", "at": stamp(at), **fields}
        await self.wire.send(self.topic(leaf), body)

    async def opened(self) -> dict[str, Any]:
        """Wait for the next open; the controller takes it, and its limit switch reports."""
        command = await self._command("open", self.done)
        self.done += 1
        await self.say("ack", command=command["id"], ok=True)
        await self.say("barrier", command=command["id"], state="opened")
        return command

    async def refused(self) -> dict[str, Any]:
        """Wait for the next deny; the controller shows it."""
        command = await self._command("deny", self.denied)
        self.denied += 1
        await self.say("ack", command=command["id"], ok=True)
        return command

    async def _command(self, do: str, after: int) -> dict[str, Any]:
        heard = await self.wire.message(
            self.topic("command"), lambda heard: heard.body["do"] == do, after=after
        )
        assert not heard.retain
        return heard.body


def stamp(at: datetime | None = None) -> str:
    """RFC 3339, as a controller writes it."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
