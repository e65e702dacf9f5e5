"""The family `axis`: AXIS License Plate Verifier (ALPV) by the camera's own MQTT event bridge.

Also the camera's I/O ports as contacts, and its connection message. It takes no commands: the
camera's outputs are reached by HTTP only. Shapes: docs/devices/axis.md, with their sources.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gated.core.effects import Do
from gated.core.errors import CodecError
from gated.core.events import (
    DeviceEvent,
    DeviceOnlineChanged,
    Heading,
    InputChanged,
    InputName,
    PlateRead,
    PlateUnread,
    VehicleLost,
)
from gated.core.site import DeviceSetup
from gated.devices.codec import (
    PAYLOAD_BYTES_MAX,
    DeviceOptions,
    Kind,
    Reason,
    capped,
    dated,
    epoch,
    escaped,
    excerpt,
    options_of,
    parse,
    plate_of,
    topic_prefix,
)
from gated.devices.tolerant import Flag, Foreign, Number, Share, Word
from gated.devices.topics import matches
from gated.devices.wiring import Contact, Wiring
from gated.records import Command, Decoded, Inbound, Publication

# Namespaces ("tns:axis", "onvif:") can be switched off in the camera, so only the tail counts;
# an event with a source ends in "/$source/<key>/<value>".
_ALPV = re.compile(r"(?:^|[/:])CameraApplicationPlatform/ALPV\.(\w+)(?:/\$source/.*)?$", re.DOTALL)
_PORT = re.compile(r"(?:^|[/:])IO/Port(?:/\$source/port/(\d{1,3}))?$")

# "in" is towards the camera. Which way that is for the car park is the lane's affair.
_HEADINGS = {"in": Heading.TOWARDS, "out": Heading.AWAY}


class AxisOptions(DeviceOptions):
    """`inputs`: I/O ports as contacts. `online_topic`: where the connection message is sent."""

    inputs: Wiring = Field(default_factory=dict)
    online_topic: Annotated[
        str | None, StringConstraints(pattern=r"^[^+#$/\x00-\x1f\x7f][^+#\x00-\x1f\x7f]*$")
    ] = None


class AlpvData(Foreign):
    """The event's items; all strings in the firmwares seen, and any of them may be missing."""

    text: str | int | None = None
    car: Word = Field(default=None, alias="carID")
    state: Word = Field(default=None, alias="carState")
    direction: Word = Field(default=None, alias="carMoveDirection")
    capture: Number = Field(default=None, alias="capture_timestamp")
    # Not in the event that the bridge forwards; in the same engine's push messages.
    confidence: Share = Field(default=None, alias="plateConfidence")
    # Only the stateful events (lists, regions of interest) have it: they are no reads.
    active: Word = None


class AlpvMessage(Foreign):
    """`message` of an ALPV event."""

    data: AlpvData = AlpvData()


class AlpvEvent(Foreign):
    """An ALPV event as the bridge publishes it; `timestamp` in ms."""

    timestamp: Number = None
    message: AlpvMessage


class PortSource(Foreign):
    """Which port: the topic says it as well, unless sources were left out of it."""

    port: Word = None


class PortData(Foreign):
    """A port's new state."""

    state: Flag


class PortMessage(Foreign):
    """`message` of an I/O port event."""

    source: PortSource = PortSource()
    data: PortData


class PortEvent(Foreign):
    """An I/O port event as the bridge publishes it; `timestamp` in ms."""

    timestamp: Number = None
    message: PortMessage


class ConnectionMessage(Foreign):
    """The camera's connect message and last will, as docs/devices/axis.md has them set."""

    connected: Flag


@dataclass(frozen=True, slots=True)
class AxisCodec:
    """ALPV over MQTT. `payload_bytes_max` bounds what a parser gets to see."""

    payload_bytes_max: int = PAYLOAD_BYTES_MAX

    family: Literal["axis"] = "axis"
    does: frozenset[Do] = frozenset()
    stale_safe: bool = False

    def repeatable(self, device: DeviceSetup) -> bool:  # noqa: ARG002 - the same for all
        """It opens nothing."""
        return False

    def check(self, device: DeviceSetup) -> None:
        """Raises ConfigError for a topic that is no prefix, and for options it has not."""
        topic_prefix(device)
        options_of(AxisOptions, device)

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        """The contacts that the options wire to I/O ports."""
        return frozenset(options_of(AxisOptions, device).inputs)

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        """All events of the camera, and its connection message where that is sent elsewhere."""
        events = f"{device.topic}/event/#"
        online = self._online_topic(device, options_of(AxisOptions, device))
        # An overlapping subscription would have the broker deliver the message twice.
        return ((events, 1),) if matches(events, online) else ((events, 1), (online, 1))

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        """The events of a camera's message. Raises CodecError.

        What the camera tells about anything else is understood and says nothing.
        """
        options = options_of(AxisOptions, device)
        capped(message.payload, self.payload_bytes_max)
        if message.topic == self._online_topic(device, options):
            said = parse(ConnectionMessage, message.payload, self.payload_bytes_max)
            return Decoded(Kind.ONLINE, (DeviceOnlineChanged(said.connected),))
        prefix, _, tail = message.topic.partition(f"{device.topic}/event/")
        if prefix or not tail:
            raise CodecError(
                Reason.BAD_TOPIC,
                f"expected a topic under {device.topic}/event/, got {escaped(message.topic, 120)}",
            )
        if alpv := _ALPV.search(tail):
            return self._vehicle(device, message, alpv[1])
        if options.inputs and (port := _PORT.search(tail)):
            return self._port(options.inputs, message, port[1])
        return Decoded(Kind.OTHER, ())

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        """Raises CodecError: a camera opens nothing."""
        raise CodecError(
            Reason.UNSUPPORTED, f"the family axis has no command {command.do} ({device.slug})"
        )

    def _online_topic(self, device: DeviceSetup, options: AxisOptions) -> str:
        return options.online_topic or f"{device.topic}/event/connection"

    def _vehicle(self, device: DeviceSetup, message: Inbound, word: str) -> Decoded:
        event = parse(AlpvEvent, message.payload, self.payload_bytes_max)
        data = event.message.data
        state = _state(data, word)
        if state is None:
            return Decoded(Kind.OTHER, ())
        received_at = message.received_at
        sent_at = _instant(event.timestamp, "timestamp", received_at)
        seen_at = _instant(data.capture, "message.data.capture_timestamp", received_at)
        text = "" if data.text is None else str(data.text)
        # NEW and LOST of a car share their capture time, so the state is part of the key. The
        # event's name is not: a camera may forward one read as AllPlates and as Update.
        key = None
        clock = data.capture if data.capture is not None else event.timestamp
        if data.car is not None and clock is not None:
            key = f"{data.car}:{state}:{clock}:{data.direction or ''}:{escaped(text, 64)}"
        # The car's number starts anew in each camera, and a lane may have two.
        vehicle = None if data.car is None else f"{device.slug}:{data.car}"
        if state == "lost":
            at = sent_at or seen_at
            lost: tuple[DeviceEvent, ...] = () if vehicle is None else (VehicleLost(vehicle, at),)
            return Decoded(Kind.LOST, lost, key, at)
        # A camera that buffers sends old reads with new bridge times: the capture counts.
        at = seen_at or sent_at
        plate = plate_of(text, "message.data.text")
        if plate is None:
            return Decoded(Kind.PLATE, (PlateUnread(vehicle, at),), key, at)
        read = PlateRead(
            plate=plate,
            plate_raw=text,
            confidence=data.confidence,
            vehicle_key=vehicle,
            heading=_HEADINGS.get((data.direction or "").lower(), Heading.UNKNOWN),
            device_at=at,
        )
        return Decoded(Kind.PLATE, (read,), key, at)

    def _port(
        self, wired: dict[InputName, Contact], message: Inbound, in_topic: str | None
    ) -> Decoded:
        event = parse(PortEvent, message.payload, self.payload_bytes_max)
        # The broker's ACL vouches for the topic, nobody for the payload.
        port = in_topic or event.message.source.port
        if port is None:
            raise CodecError(Reason.MISSING_FIELD, "message.source.port: expected a port number")
        at = _instant(event.timestamp, "timestamp", message.received_at)
        state = event.message.data.state
        changed = tuple(
            InputChanged(name, state != contact.inverted, at)
            for name, contact in wired.items()
            if str(contact.number) == port
        )
        key = None if at is None else f"port:{escaped(port)}:{event.timestamp}:{int(state)}"
        return Decoded(Kind.INPUT if changed else Kind.OTHER, changed, key, at)


def _state(data: AlpvData, word: str) -> Literal["new", "update", "lost"] | None:
    """What the event says of its vehicle; None for events that are no observation of one."""
    if data.active is not None:
        return None
    said = data.state.lower() if data.state else word.lower()
    match said:
        case "new" | "update" | "lost":
            return said
        case "allplates":
            return "new" if data.text else None
        case _ if data.state:
            raise CodecError(
                Reason.BAD_VALUE,
                f"message.data.carState: expected new, update or lost, got {excerpt(data.state)}",
            )
        case _:
            return None


def _instant(milliseconds: float | None, field: str, received_at: datetime) -> datetime | None:
    if milliseconds is None:
        return None
    return dated(epoch(milliseconds, 1000, field), received_at, field)
