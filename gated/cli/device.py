"""`gated device …`: what a device's messages mean to gated, tried out without a broker."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, assert_never
from uuid import UUID

import typer

from gated.core.errors import CodecError, ConfigError
from gated.core.events import (
    BarrierReported,
    CommandAnswered,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    PlateRead,
    PlateUnread,
    VehicleLost,
)
from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.site import DeviceSetup, Direction
from gated.devices.contract import rfc3339
from gated.devices.families import codec_for
from gated.devices.topics import LaneTopic, ReplyTopic, parse
from gated.records import Decoded, Inbound

app = typer.Typer(no_args_is_help=True, help="Device families: what their messages mean.")

# What a message is tried out with where no contact is named: the wiring of the guides.
_ASSUMED: Mapping[str, Mapping[str, object]] = {
    "axis": {"inputs": {"presence": 1, "closing": 2}},
    "shelly": {"inputs": {"presence": 0, "closing": 1}},
}


@app.callback()
def _device() -> None:
    """Device families: what their messages mean."""


@app.command()
def decode(
    family: Annotated[str, typer.Argument(help="native, axis or shelly.")],
    topic: Annotated[str, typer.Option(help="The topic that the message came on.")],
    device_topic: Annotated[
        str | None,
        typer.Option(help="The device's topic prefix; found in the topic if left out."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the device, as inputs.presence=0. Repeatable."),
    ] = None,
    received_at: Annotated[
        str | None, typer.Option(help="When it came, RFC 3339; now if left out.")
    ] = None,
) -> None:
    """Read a payload from standard input and print its events as JSON lines.

    A message that is refused is one line on standard error and exit status 1; a wrong family,
    option or topic prefix is exit status 2.
    """
    try:
        codec = codec_for(family)
        named = _options(option or [])
        assumed = {} if "inputs" in named else _ASSUMED.get(family, {})
        device = _setup(family, topic, device_topic, {**assumed, **named})
        codec.check(device)
        message = Inbound(topic, sys.stdin.buffer.read(), _instant(received_at))
    except ConfigError as error:
        typer.echo(f"gated device decode: {error}", err=True)
        raise typer.Exit(2) from None
    try:
        decoded = codec.decode(device, message)
    except CodecError as error:
        typer.echo(f"rejected: {error.reason}: {error}", err=True)
        raise typer.Exit(1) from None
    for event in decoded.events:
        typer.echo(json.dumps(record(decoded, event)))
    if not decoded.events:
        typer.echo(f"understood, and says nothing to a lane (kind {decoded.kind})", err=True)
    elif assumed and any(isinstance(event, InputChanged) for event in decoded.events):
        typer.echo(f"assumed: --option 'inputs={json.dumps(assumed['inputs'])}'", err=True)


def record(decoded: Decoded, event: DeviceEvent) -> dict[str, object]:
    """One event as a JSON object; every key is always there, null where nothing is stated."""
    return {
        "kind": str(decoded.kind),
        "key": decoded.key,
        **_fields(event),
        "device_at": None if event.device_at is None else event.device_at.isoformat(),
    }


def _fields(event: DeviceEvent) -> dict[str, object]:
    match event:
        case PlateRead():
            return {
                "event": "plate_read",
                "plate": event.plate.text,
                "plate_raw": event.plate_raw,
                "confidence": event.confidence,
                "candidates": [
                    {"plate": candidate.plate.text, "confidence": candidate.confidence}
                    for candidate in event.candidates
                ],
                "vehicle_key": event.vehicle_key,
                "heading": event.heading.value,
            }
        case PlateUnread():
            return {"event": "plate_unread", "vehicle_key": event.vehicle_key}
        case VehicleLost():
            return {"event": "vehicle_lost", "vehicle_key": event.vehicle_key}
        case InputChanged():
            return {"event": "input_changed", "name": event.name.value, "on": event.on}
        case BarrierReported():
            return {
                "event": "barrier_reported",
                "state": event.state.value,
                "command": event.command,
            }
        case CommandAnswered():
            return {
                "event": "command_answered",
                "command": event.command,
                "ok": event.ok,
                "error": event.error,
            }
        case DeviceOnlineChanged():
            return {"event": "device_online_changed", "online": event.online}
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a device of that topic would stand."""

    prefix: str = ""
    facility: Slug = field(default=Slug("facility"))
    lane: Slug = field(default=Slug("lane"))
    device: Slug = field(default=Slug("device"))


def _setup(
    family: str, topic: str, prefix: str | None, options: Mapping[str, object]
) -> DeviceSetup:
    place = _place(family, topic)
    return DeviceSetup(
        id=DeviceId(UUID(int=0)),
        slug=place.device,
        facility=place.facility,
        lane=LaneId(UUID(int=0)),
        lane_slug=place.lane,
        direction=Direction.ENTRY,
        family=family,
        topic=place.prefix if prefix is None else prefix,
        options=options,
    )


def _place(family: str, text: str) -> _Place:
    try:
        topic = parse(text)
    except CodecError:
        topic = None
    match topic:
        case LaneTopic():
            return _Place("", topic.facility, topic.lane)
        case ReplyTopic():  # the topic names everything but the prefix, which plays no part here
            return _Place(str(topic.device), topic.facility, topic.lane, topic.device)
        case _:
            return _Place(_prefix(family, text))


def _prefix(family: str, topic: str) -> str:
    match family:
        case "axis":
            return topic.partition("/$source/")[0].rpartition("/event/")[0]
        case "shelly":
            return topic.removesuffix("/events/rpc").removesuffix("/online")
        case _:
            return ""


def _options(texts: list[str]) -> dict[str, object]:
    options: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ConfigError(f"expected NAME=VALUE, got {text!r}", key="--option")
        *tables, last = name.split(".")
        table = options
        for step in tables:
            inner = table.setdefault(step, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"{step} is set to a value already", key="--option")
            table = inner
        try:
            table[last] = json.loads(value)
        except (ValueError, RecursionError):
            table[last] = value
    return options


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return rfc3339(text)
    except ValueError as error:
        raise ConfigError(f"{error}, got {text!r}", key="--received-at") from None
