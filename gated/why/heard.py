"""What a stored message said, read again by the codec of its device as it is set up today."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never
from uuid import UUID

from gated.core.errors import CodecError, ConfigError
from gated.core.events import (
    BarrierReported,
    BarrierState,
    CommandAnswered,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    PlateRead,
    PlateUnread,
    VehicleLost,
)
from gated.core.site import DeviceSetup
from gated.db.why_rows import Message
from gated.devices.families import codec_for
from gated.records import Inbound
from gated.why.words import BECAME, plain, words

_LOOPS = {InputName.PRESENCE: "presence loop", InputName.CLOSING: "closing loop"}
_ARM = {
    BarrierState.OPENED: "the arm is up",
    BarrierState.CLOSED: "the arm is down",
    BarrierState.MOVING: "the arm moves",
    BarrierState.FAULT: "the arm reports a fault",
}
# The kind of a plate read, and what became of a message that must not have.
READ = "plate"
# The kind of a message by which an operator asks for something.
OPERATOR = "operator"
# The kind of a message by which a terminal tells of a payment.
PAYMENT = "payment"
_FAILED = frozenset({"failed", "unexpected"})
# Said by the lane's state and by the command's life already.
_UNREMARKABLE = frozenset({"decided", "noted"})


@dataclass(frozen=True)
class Heard:
    """A message with what it said. Nothing, where today's set-up cannot read it any more."""

    message: Message
    events: tuple[DeviceEvent, ...]
    device: str

    @cached_property
    def read(self) -> PlateRead | None:
        """The plate read in it, if it is one."""
        return next((one for one in self.events if isinstance(one, PlateRead)), None)

    def names(self, plate: str | None) -> bool:
        """Whether it is a read of this plate, or of one that may be this plate."""
        if self.read is None or plate is None:
            return False
        seen = {self.read.plate.text, *(one.plate.text for one in self.read.candidates)}
        return plate in seen

    @property
    def failed(self) -> bool:
        """Whether it should have led to something, and did not."""
        return self.message.outcome in _FAILED

    @property
    def answers(self) -> int | None:
        """The number of the command that it is about, if it names one."""
        for one in self.events:
            if isinstance(one, CommandAnswered | BarrierReported):
                return one.command
        return None

    @property
    def taken(self) -> bool:
        """Whether it says no more than that a command was taken, or done."""
        return all(
            (isinstance(one, CommandAnswered) and one.ok)
            or (isinstance(one, BarrierReported) and one.state is BarrierState.OPENED)
            for one in self.events
        )

    def words(self) -> str:
        """What it said, and what became of it where that is not what one expects."""
        message = self.message
        if message.kind == OPERATOR:
            said = _requested(message)
        elif message.kind == PAYMENT:
            said = _paid(message)
        elif message.error is not None:
            said = plain(message.error)
        elif self.events:
            said = "; ".join(_said(one, self.device) for one in self.events)
        else:
            said = f"a message of kind {plain(message.kind)}"
        became = message.outcome or message.status
        return said if became in _UNREMARKABLE else f"{said}: {words(BECAME, became)}"


def heard(message: Message, devices: Mapping[UUID, DeviceSetup]) -> Heard:
    """The message as its device's codec understands it today."""
    device = devices.get(message.device) if message.device is not None else None
    name = device.slug if device is not None else "a device"
    if device is None or message.error is not None:
        return Heard(message, (), name)
    inbound = Inbound(message.topic, message.payload, message.received_at)
    try:
        events = codec_for(device.family).decode(device, inbound).events
    except (CodecError, ConfigError):
        events = ()
    return Heard(message, events, name)


def _requested(message: Message) -> str:
    """Who asks for what, and why, as the operator's message says it: `gated.devices.operators`."""
    _, _, user = message.topic.removesuffix("/request").rpartition("/")
    said = _object(message)
    asked = " ".join(str(said[key]) for key in ("do", "lane") if said.get(key)) or "nothing known"
    why = f": {plain(str(said['reason']))}" if said.get("reason") else ""
    return f"operator {plain(user)} asks for {plain(asked)}{why}"


def _paid(message: Message) -> str:
    """What was paid for what, as the terminal says it, and why it did not count."""
    said = _object(message)
    money = " ".join(str(said[key]) for key in ("amount", "currency") if said.get(key)) or "nothing"
    what = next((f" for {key} {said[key]}" for key in ("ticket", "plate") if said.get(key)), "")
    why = "" if message.error is None else f": {plain(message.error)}"
    return f"a terminal tells of {plain(money + what)} that was paid{why}"


def _object(message: Message) -> dict[str, object]:
    try:
        said = json.loads(message.payload)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def confidence(value: float | None) -> str:
    """`confidence 0.94`; that none was stated is not zero."""
    return "no confidence stated" if value is None else f"confidence {value:.2f}"


def _said(event: DeviceEvent, device: str) -> str:
    match event:
        case PlateRead():
            return f"read {plain(event.plate.text)}, {confidence(event.confidence)}"
        case PlateUnread():
            return "a vehicle whose plate cannot be read"
        case VehicleLost():
            return "the camera no longer sees the vehicle"
        case InputChanged(name, on):
            return f"{_LOOPS.get(name, name.value)} {'on' if on else 'off'}"
        case BarrierReported(state):
            return _ARM[state]
        case CommandAnswered(_, ok, error):
            return "command taken" if ok else f"command refused: {plain(error or 'no reason')}"
        case DeviceOnlineChanged(online):
            return f"{device} is {'there' if online else 'gone'}"
        case _:
            assert_never(event)
