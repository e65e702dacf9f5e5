"""The family `shelly`: Gen2+ relays by RPC over MQTT; the pulse is timed in the device.

Its inputs are the lane's contacts. A Shelly checks neither expiry nor fence, so a lane with
one is best effort. Shapes: docs/devices/shelly.md, with their sources.
"""

import json
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field, TypeAdapter

from gated.core.effects import Do
from gated.core.errors import CodecError
from gated.core.events import CommandAnswered, DeviceOnlineChanged, InputChanged
from gated.core.ids import command_number
from gated.core.site import DeviceSetup
from gated.devices.codec import (
    PAYLOAD_BYTES_MAX,
    DeviceOptions,
    Kind,
    Reason,
    dated,
    epoch,
    escaped,
    excerpt,
    options_of,
    parse,
    parse_value,
    topic_prefix,
)
from gated.devices.tolerant import Foreign
from gated.devices.topics import ReplyTopic
from gated.devices.wiring import Wiring
from gated.records import Command, Decoded, Inbound, Publication

_ONLINE: TypeAdapter[bool] = TypeAdapter(bool, config=ConfigDict(strict=True))
_STATUSES = frozenset({"NotifyStatus", "NotifyFullStatus"})


class ShellyOptions(DeviceOptions):
    """`switch`: the relay's id. `pulse_seconds`: how long it stays on. `inputs`: contacts.
    `open_repeatable`: the relay is wired to an input that opens and does nothing else."""

    switch: int = Field(default=0, ge=0, le=255)
    # The ceiling catches milliseconds: a relay that stays on holds the barrier open.
    pulse_seconds: float = Field(default=1.0, gt=0, le=60)
    inputs: Wiring = Field(default_factory=dict)
    open_repeatable: bool = False


class NotifyParams(Foreign):
    """`ts` in s, null before the device knows the time; the components stand beside it."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, allow_inf_nan=False)

    ts: float | None = None


class Notify(Foreign):
    """A notification frame. A NotifyStatus says only what changed."""

    method: str
    params: NotifyParams = NotifyParams()


class RpcError(Foreign):
    """Why a call was refused."""

    code: int
    message: str = ""


class RpcReply(Foreign):
    """The answer to a call of ours; `id` is the call's."""

    id: int = Field(ge=0, le=0x7FFF_FFFF)
    result: object = None
    error: RpcError | None = None


@dataclass(frozen=True, slots=True)
class ShellyCodec:
    """Shelly Gen2+. `payload_bytes_max` bounds what a parser gets to see."""

    payload_bytes_max: int = PAYLOAD_BYTES_MAX

    family: Literal["shelly"] = "shelly"
    # Hold and release could be an ON and an OFF: a lost OFF would keep the arm up for good.
    does: frozenset[Do] = frozenset({Do.OPEN})
    stale_safe: bool = False

    def repeatable(self, device: DeviceSetup) -> bool:
        """As its wiring is: a pulse on a step-by-step input would stop or close the arm."""
        return options_of(ShellyOptions, device).open_repeatable

    def check(self, device: DeviceSetup) -> None:
        """Raises ConfigError for a topic that is no prefix, and for options it has not."""
        topic_prefix(device)
        options_of(ShellyOptions, device)

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        """The contacts that the options wire to inputs."""
        return frozenset(options_of(ShellyOptions, device).inputs)

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        """Notifications, the last will, and the answers to our own calls."""
        topics = (f"{device.topic}/events/rpc", f"{device.topic}/online", str(_reply(device)))
        return tuple((topic, 1) for topic in topics)

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        """The events of a notification, a last will or an answer. Raises CodecError."""
        if message.topic == f"{device.topic}/events/rpc":
            return self._notification(device, message)
        if message.topic == f"{device.topic}/online":
            online = parse_value(_ONLINE, message.payload, self.payload_bytes_max)
            return Decoded(Kind.ONLINE, (DeviceOnlineChanged(online),))
        if message.topic == str(_reply(device)):
            return self._answer(message)
        raise CodecError(
            Reason.BAD_TOPIC,
            f"expected events/rpc or online under {device.topic}, or the reply topic,"
            f" got {escaped(message.topic, 120)}",
        )

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        """A pulse of the relay. Raises CodecError for anything but an open."""
        if command.do not in self.does:
            raise CodecError(
                Reason.UNSUPPORTED, f"the family shelly has no command {command.do} ({device.slug})"
            )
        options = options_of(ShellyOptions, device)
        call = {
            "id": command_number(command.id),
            "src": _reply(device).source,
            "method": "Switch.Set",
            "params": {"id": options.switch, "on": True, "toggle_after": options.pulse_seconds},
        }
        return Publication(f"{device.topic}/rpc", json.dumps(call, separators=(",", ":")).encode())

    def _notification(self, device: DeviceSetup, message: Inbound) -> Decoded:
        frame = parse(Notify, message.payload, self.payload_bytes_max)
        if frame.method not in _STATUSES:
            return Decoded(Kind.OTHER, ())
        ts = frame.params.ts
        field = "params.ts"
        at = None if ts is None else dated(epoch(ts, 1, field), message.received_at, field)
        components = frame.params.model_extra or {}
        changed = tuple(
            InputChanged(name, state != contact.inverted, at)
            for name, contact in options_of(ShellyOptions, device).inputs.items()
            if (state := _state(components, f"input:{contact.number}")) is not None
        )
        if not changed:
            return Decoded(Kind.OTHER, (), None, at)
        # A Shelly numbers nothing. Its clock, in 10 ms, and what changed are the same when a
        # message comes again, and differ from the next change of the same contact.
        words = ",".join(f"{change.name}={int(change.on)}" for change in changed)
        key = None if ts is None else f"{frame.method}:{ts}:{words}"
        return Decoded(Kind.INPUT, changed, key, at)

    def _answer(self, message: Inbound) -> Decoded:
        reply = parse(RpcReply, message.payload, self.payload_bytes_max)
        if reply.error is not None:
            error = f"{reply.error.code}: {escaped(reply.error.message, 200)}"
            return Decoded(Kind.ACK, (CommandAnswered(reply.id, ok=False, error=error),))
        if "result" not in reply.model_fields_set:
            raise CodecError(Reason.MISSING_FIELD, "result: expected a result or an error")
        return Decoded(Kind.ACK, (CommandAnswered(reply.id, ok=True),))


def _reply(device: DeviceSetup) -> ReplyTopic:
    return ReplyTopic(device.facility, device.lane_slug, device.slug)


def _state(components: dict[str, object], component: str) -> bool | None:
    """The contact's state; None where the message does not say it (a push button has none)."""
    status = components.get(component)
    if status is None:
        return None
    if not isinstance(status, dict):
        raise CodecError(
            Reason.BAD_TYPE, f"params.{component}: expected an object, got {excerpt(status)}"
        )
    match status.get("state"):
        case bool() | None as state:
            return state
        case other:
            raise CodecError(
                Reason.BAD_TYPE,
                f"params.{component}.state: expected true, false or null, got {excerpt(other)}",
            )
