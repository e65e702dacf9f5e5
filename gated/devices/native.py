"""The family `native`: gated's own contract v1, for hardware that can be programmed.

One native device per lane, since its topics follow from facility and lane. Such hardware
checks id, fence and expiry of a command itself. Deciding what a message means is the lane's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from pydantic import ConfigDict, Field, TypeAdapter

from gated.core.effects import Do
from gated.core.errors import CodecError, ConfigError
from gated.core.events import (
    BarrierReported,
    BarrierState,
    Candidate,
    CommandAnswered,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    PlateRead,
    PlateUnread,
)
from gated.core.ids import Slug, command_number
from gated.core.site import DeviceSetup
from gated.devices.codec import (
    PAYLOAD_BYTES_MAX,
    DeviceOptions,
    Kind,
    Reason,
    dated,
    escaped,
    options_of,
    parse,
    parse_value,
    plate_of,
)
from gated.devices.contract import (
    AckMessage,
    BarrierMessage,
    CommandMessage,
    InputMessage,
    Inward,
    PlateMessage,
    ReceiptMessage,
)
from gated.devices.topics import LaneLeaf, LaneTopic
from gated.devices.topics import parse as parse_topic
from gated.records import Command, Decoded, Inbound, Publication

_ONLINE: TypeAdapter[bool] = TypeAdapter(bool, config=ConfigDict(strict=True))
_OUTWARD = frozenset({LaneLeaf.COMMAND, LaneLeaf.RECEIPT, LaneLeaf.STATE})


class NativeOptions(DeviceOptions):
    """`inputs`: the contacts that are wired; a lane waits for no contact that is not. `arm` among
    them: the limit switches, so that each move of the arm is told on the topic `barrier`."""

    inputs: list[Literal["presence", "closing", "button", "fire", "arm"]] = Field(
        default=["presence", "closing"]
    )


@dataclass(frozen=True, slots=True)
class NativeCodec:
    """Contract v1. `payload_bytes_max` bounds what a parser gets to see."""

    payload_bytes_max: int = PAYLOAD_BYTES_MAX

    family: Literal["native"] = "native"
    does: frozenset[Do] = frozenset(Do)
    stale_safe: bool = True

    def repeatable(self, device: DeviceSetup) -> bool:  # noqa: ARG002 - the same for all
        """The contract's `open` says what is to be, not what is to change."""
        return True

    def check(self, device: DeviceSetup) -> None:
        """Raises ConfigError for options it has not, and for a topic: it follows from the lane."""
        if device.topic:
            raise ConfigError(
                "the family native has no topic of its own: facility and lane name it",
                key=f"{device.slug}.topic",
            )
        options_of(NativeOptions, device)

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        """The contacts that the options name; presence and closing loop if they name none."""
        return frozenset(options_of(NativeOptions, device).inputs)

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        """All that devices publish under the lane: a fire contact is heard even if not listed."""
        return tuple((str(_topic(device, leaf)), 1) for leaf in LaneLeaf if leaf not in _OUTWARD)

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        """The events of a message on one of the lane's topics. Raises CodecError."""
        leaf = self._leaf(device, message.topic)
        match leaf:
            case LaneLeaf.PLATE:
                plate = parse(PlateMessage, message.payload, self.payload_bytes_max)
                at = _at(plate, message)
                return _decoded(Kind.PLATE, leaf, plate, _read(plate, at), at)
            case LaneLeaf.PRESENCE | LaneLeaf.CLOSING | LaneLeaf.BUTTON | LaneLeaf.FIRE:
                contact = parse(InputMessage, message.payload, self.payload_bytes_max)
                at = _at(contact, message)
                name = InputName(leaf.value.rpartition("/")[2])
                return _decoded(Kind.INPUT, leaf, contact, InputChanged(name, contact.on, at), at)
            case LaneLeaf.BARRIER:
                arm = parse(BarrierMessage, message.payload, self.payload_bytes_max)
                at = _at(arm, message)
                number = None if arm.command is None else command_number(arm.command)
                reported = BarrierReported(BarrierState(arm.state), number, at)
                return _decoded(Kind.BARRIER, leaf, arm, reported, at)
            case LaneLeaf.ACK:
                ack = parse(AckMessage, message.payload, self.payload_bytes_max)
                at = _at(ack, message)
                error = None if ack.error is None else escaped(ack.error, 200)
                answered = CommandAnswered(command_number(ack.command), ack.ok, error, at)
                return _decoded(Kind.ACK, leaf, ack, answered, at)
            case LaneLeaf.ONLINE:
                online = parse_value(_ONLINE, message.payload, self.payload_bytes_max)
                return Decoded(Kind.ONLINE, (DeviceOnlineChanged(online),))
            case LaneLeaf.COMMAND | LaneLeaf.RECEIPT | LaneLeaf.STATE:
                raise CodecError(Reason.BAD_TOPIC, f"{leaf} is what gated publishes itself")
            case _:
                assert_never(leaf)

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        """The command as contract v1 has it, not retained."""
        payload = CommandMessage(
            id=command.id,
            do=command.do.value,
            reason=command.reason,
            plate=None if command.plate is None else command.plate.text,
            stay=command.stay,
            text=command.text,
            ticket=command.ticket or None,
            amount=None if command.price is None else command.price.amount,
            currency=None if command.price is None else command.price.currency,
            fence=command.fence,
            issued_at=command.issued_at,
            expires_at=command.expires_at,
        )
        return Publication(
            str(_topic(device, LaneLeaf.COMMAND)),
            payload.model_dump_json(exclude_none=True).encode(),
        )

    def _leaf(self, device: DeviceSetup, text: str) -> LaneLeaf:
        topic = parse_topic(text)
        if not isinstance(topic, LaneTopic) or topic != _topic(device, topic.leaf):
            raise CodecError(
                Reason.BAD_TOPIC,
                f"expected a topic of {device.facility}, lane {device.lane_slug},"
                f" got {escaped(text, 120)}",
            )
        return topic.leaf


def receipt(facility: Slug, lane: Slug, boot: str, seq: int) -> Publication:
    """Tells the sender, retained, that all up to this number is in the inbox."""
    payload = ReceiptMessage(boot=boot, seq=seq)
    return Publication(
        str(LaneTopic(facility, lane, LaneLeaf.RECEIPT)),
        payload.model_dump_json().encode(),
        retain=True,
    )


def _topic(device: DeviceSetup, leaf: LaneLeaf) -> LaneTopic:
    return LaneTopic(device.facility, device.lane_slug, leaf)


def _at(said: Inward, message: Inbound) -> datetime | None:
    return None if said.at is None else dated(said.at, message.received_at, "at")


def _decoded(
    kind: Kind, leaf: LaneLeaf, said: Inward, event: DeviceEvent, at: datetime | None
) -> Decoded:
    return Decoded(kind, (event,), _key(leaf, said), at, said.boot, said.seq)


def _key(leaf: LaneLeaf, said: Inward) -> str | None:
    # A sender's ids may count per topic: the leaf keeps plate 7 and presence 7 apart.
    if said.id is not None:
        return f"{leaf}#{said.id}"
    if said.boot is not None:
        return f"{said.boot}:{said.seq}"
    return None


def _read(said: PlateMessage, at: datetime | None) -> PlateRead | PlateUnread:
    vehicle = None if said.vehicle is None else str(said.vehicle)
    plate = plate_of(said.plate, "plate")
    candidates = tuple(
        Candidate(second, candidate.confidence)
        for index, candidate in enumerate(said.candidates)
        if (second := plate_of(candidate.plate, f"candidates.{index}.plate")) is not None
    )
    if plate is None:
        return PlateUnread(vehicle, at)
    return PlateRead(
        plate=plate,
        plate_raw=said.plate,
        confidence=said.confidence,
        candidates=candidates,
        vehicle_key=vehicle,
        device_at=at,
    )
