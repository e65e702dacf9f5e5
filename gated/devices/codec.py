"""What every codec shares: the byte cap, strict JSON, the closed list of refusals, times.

The families stand in `gated.devices.families`; what their words mean, in each family's module.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gated.core.errors import CodecError, ConfigError
from gated.core.plates import Plate, normalise
from gated.core.site import DeviceSetup

PAYLOAD_BYTES_MAX = 8 * 1024
FUTURE_MAX = timedelta(hours=24)
_EXCERPT_LENGTH_MAX = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value")


class Reason(StrEnum):
    """Why a message is refused. Stable words: they stand in metrics and records.

    `unsupported` is the only one of the way out: the family has no such command.
    """

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_VALUE = "bad_value"
    BAD_PLATE = "bad_plate"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    BAD_TOPIC = "bad_topic"
    UNSUPPORTED = "unsupported"


class Kind(StrEnum):
    """What sort of message it was, for records and metrics."""

    PLATE = "plate"
    LOST = "lost"
    INPUT = "input"
    BARRIER = "barrier"
    ACK = "ack"
    ONLINE = "online"
    OTHER = "other"


def parse(model: type[Model], payload: bytes, payload_bytes_max: int) -> Model:
    """The payload as `model`. Raises CodecError; nothing of it outlives the cap or the parser."""
    capped(payload, payload_bytes_max)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise refusal(error) from None


def parse_value(adapter: TypeAdapter[Value], payload: bytes, payload_bytes_max: int) -> Value:
    """As `parse`, for payloads that are no object."""
    capped(payload, payload_bytes_max)
    try:
        return adapter.validate_json(payload)
    except ValidationError as error:
        raise refusal(error) from None


def capped(payload: bytes, payload_bytes_max: int) -> None:
    """Raises CodecError before any parser sees what is too large for it."""
    if len(payload) > payload_bytes_max:
        raise CodecError(
            Reason.TOO_LARGE, f"a payload of {len(payload)} bytes, at most {payload_bytes_max}"
        )


def refusal(error: ValidationError) -> CodecError:
    """The first complaint as a CodecError: its place, what was expected, a short excerpt."""
    details = error.errors(include_url=False, include_context=False)
    first = details[0]
    where = place(first)
    wanted = "no such field" if first["type"] == "extra_forbidden" else escaped(first["msg"], 200)
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    reason = _reason(first["type"])
    match reason:
        case Reason.NOT_JSON | Reason.UNKNOWN_FIELD | Reason.MISSING_FIELD:
            got = ""
        case _:
            got = f", got {excerpt(first['input'])}"
    return CodecError(reason, f"{where}: {wanted}{got}{more}" if where else f"{wanted}{got}{more}")


def place(error: ErrorDetails) -> str:
    """The dotted path of what is wrong, as "message.data.text"; escaped, for keys are hostile."""
    return ".".join(escaped(str(part), 40) for part in error["loc"] if part != "[key]")


def excerpt(value: object) -> str:
    """A value as a log may show it: one line, ASCII, short."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a huge number"  # repr() refuses more than 4,300 digits
    text = f"'{escaped(value)}'" if isinstance(value, str) else escaped(repr(value))
    return {"None": "null", "True": "true", "False": "false"}.get(text, text)


def escaped(text: str, length_max: int = _EXCERPT_LENGTH_MAX) -> str:
    """Without control, bidirectional or other non-ASCII characters, and cut."""
    plain = text[: length_max + 1].encode("unicode_escape").decode("ascii")
    return plain if len(plain) <= length_max else plain[:length_max] + "..."


def dated(at: datetime, received_at: datetime, field: str) -> datetime:
    """A device's time, in UTC, once it is credible enough to be recorded.

    Raises CodecError for a time before 1970 or more than 24 h after `received_at`. Anything
    in between is a lying clock at worst, whose skew is estimated elsewhere.
    """
    if at - received_at > FUTURE_MAX:
        hours = (at - received_at) // timedelta(hours=1)
        raise CodecError(
            Reason.FUTURE, f"{field}: expected at most 24 h after receipt, got {hours} h"
        )
    if at < _EPOCH:
        raise CodecError(Reason.BAD_TIME, f"{field}: expected a time since 1970")
    return at.astimezone(UTC)


def epoch(seconds: float, divisor: int, field: str) -> datetime:
    """The time of a count since 1970 in 1/`divisor` s. Raises CodecError when there is none."""
    try:
        whole, rest = divmod(seconds, divisor)
        return _EPOCH + timedelta(seconds=whole, microseconds=round(rest * 1_000_000 / divisor))
    except (OverflowError, ValueError):
        raise CodecError(
            Reason.BAD_TIME, f"{field}: expected a time since 1970, got {excerpt(seconds)}"
        ) from None


def plate_of(raw: str, field: str) -> Plate | None:
    """As `normalise`, with the field in the message: a plate's text itself stays out of it."""
    try:
        return normalise(raw)
    except CodecError as error:
        raise CodecError(error.reason, f"{field}: {error}") from None


class DeviceOptions(BaseModel):
    """What every family's options have. `heartbeat_seconds`: the device says something at least so
    often, so that its silence means that it is gone; None: it may be silent for ever."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    heartbeat_seconds: float | None = Field(default=None, ge=1, le=86_400)


class _Heartbeat(DeviceOptions):
    model_config = ConfigDict(extra="ignore")


def heartbeat_seconds(device: DeviceSetup) -> float | None:
    """How often a device speaks at least, of any family. Raises ConfigError, naming the key."""
    return options_of(_Heartbeat, device).heartbeat_seconds


def options_of(model: type[Model], device: DeviceSetup) -> Model:
    """The device's options as its family reads them. Raises ConfigError, naming the key."""
    if not isinstance(device.options, Mapping):
        raise ConfigError(
            f"expected an object, got {excerpt(device.options)}", key=f"{device.slug}.options"
        )
    try:
        return model.model_validate(dict(device.options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        known = ", ".join(model.model_fields) or "none"
        wanted = (
            f"no such option of the family {device.family}, which has: {known}"
            if first["type"] == "extra_forbidden" and len(first["loc"]) == 1
            else f"{escaped(first['msg'], 200)}, got {excerpt(first['input'])}"
        )
        raise ConfigError(wanted, key=f"{device.slug}.options.{place(first)}") from None


def topic_prefix(device: DeviceSetup) -> str:
    """The device's own topic prefix. Raises ConfigError where a subscription would go astray."""
    prefix = device.topic
    if not prefix or prefix.startswith(("/", "$")) or prefix.endswith("/"):
        raise ConfigError(
            f"the family {device.family} needs the device's own topic prefix, without a slash"
            f" at either end, got {excerpt(prefix)}",
            key=f"{device.slug}.topic",
        )
    if any(character in "+#" or not character.isprintable() for character in prefix):
        raise ConfigError(
            f"a topic prefix without wildcards or control characters, got {excerpt(prefix)}",
            key=f"{device.slug}.topic",
        )
    return prefix


def _reason(kind: str) -> Reason:
    match kind:
        case "bad_time":
            return Reason.BAD_TIME
        case "json_invalid":
            return Reason.NOT_JSON
        case "extra_forbidden":
            return Reason.UNKNOWN_FIELD
        case "missing":
            return Reason.MISSING_FIELD
        case _ if kind.endswith("_type"):
            return Reason.BAD_TYPE
        case _:
            return Reason.BAD_VALUE
