"""Decodes one MQTT 5 PUBLISH packet such that nothing a publisher writes can cut the link.

A strict decoder that gives up on a packet never acknowledges it, so the broker sends it again at
every reconnect and the client is deaf for good. Here a packet with broken properties or a broken
topic still yields topic, message id and payload, marked with a `defect`, and can be quarantined
and acknowledged. Sockets, callbacks and acknowledging are left to others.
"""

from dataclasses import dataclass

_PAYLOAD_FORMAT = 1
_TOPIC_ALIAS = 35

# The properties that MQTT 5 (section 3.3.2.3) permits in PUBLISH, by the shape of their value.
_FIXED_LENGTHS = {_PAYLOAD_FORMAT: 1, 2: 4, _TOPIC_ALIAS: 2}
_STRING_COUNTS = {3: 1, 8: 1, 38: 2}
_CORRELATION_DATA = 9
_SUBSCRIPTION_IDENTIFIER = 11
_REPEATABLE = frozenset({_SUBSCRIPTION_IDENTIFIER, 38})


class FramingError(ValueError):
    """The packet has no topic or no message id: the stream itself cannot be trusted any more."""


class _PropertyError(ValueError):
    """A property is not what MQTT 5 permits."""


@dataclass(frozen=True, slots=True)
class PublishPacket:
    """What a PUBLISH carried; `mid` is 0 at QoS 0, `defect` says what was broken, if anything."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    defect: str | None


def decode_publish(command: int, body: bytes | bytearray, payload_bytes_max: int) -> PublishPacket:
    """Decode a PUBLISH from its first byte and everything after the remaining length.

    A payload over `payload_bytes_max` bytes is cut there and marked: it will be refused anyhow,
    and a bound on the number of messages held is a bound on memory only if each is bounded.
    Linear in the size of the packet. Raises `FramingError` where no acknowledgement is possible.
    """
    qos = command >> 1 & 3
    if qos > 1:
        # We subscribe at QoS 0 and 1 only: the state of a half-done QoS 2 exchange would have
        # to outlive the connection, and the client object does not.
        raise FramingError(f"PUBLISH at QoS {qos}, which was not subscribed")
    topic_end = 2 + int.from_bytes(body[:2], "big")
    at = topic_end + (2 if qos else 0)
    if len(body) < max(at, 2):
        raise FramingError("PUBLISH ends inside its topic or message id")
    mid = int.from_bytes(body[topic_end:at], "big")
    if qos and not mid:
        raise FramingError("PUBLISH with message id 0")
    defects = []
    topic_bytes = bytes(body[2:topic_end])
    try:
        topic = topic_bytes.decode("utf-8")
    except UnicodeDecodeError:
        topic = topic_bytes.decode("utf-8", "backslashreplace")
        defects.append("topic is not UTF-8")
    if not topic:
        defects.append("topic is empty")
    try:
        at = _check_properties(body, at)
    except _PropertyError as error:
        defects.append(str(error))
        at = _properties_end(body, at)
    payload = bytes(body[at : at + payload_bytes_max])
    if len(body) - at > payload_bytes_max:
        defects.append(f"payload of {len(body) - at} bytes, cut to {payload_bytes_max}")
    return PublishPacket(topic, payload, qos, bool(command & 1), mid, "; ".join(defects) or None)


def _properties_end(body: bytes | bytearray, at: int) -> int:
    """Where the payload starts; if even the length of the properties is broken, right here."""
    try:
        length, start = _variable_integer(body, at, len(body))
    except _PropertyError:
        return at
    return min(start + length, len(body))


def _check_properties(body: bytes | bytearray, at: int) -> int:
    """Walk the properties, keep none (gated reads none); returns where they end."""
    length, at = _variable_integer(body, at, len(body))
    end = at + length
    if end > len(body):
        raise _PropertyError("properties are longer than the packet")
    seen = set()
    while at < end:
        identifier, at = _variable_integer(body, at, end)
        if identifier in seen and identifier not in _REPEATABLE:
            raise _PropertyError(f"property {identifier} occurs twice")
        seen.add(identifier)
        at = _check_property(body, identifier, at, end)
    return end


def _check_property(body: bytes | bytearray, identifier: int, at: int, end: int) -> int:
    if identifier in _FIXED_LENGTHS:
        after = at + _FIXED_LENGTHS[identifier]
        if after > end:
            raise _PropertyError(f"property {identifier} is cut off")
        if identifier == _PAYLOAD_FORMAT and body[at] > 1:
            raise _PropertyError(f"payload format is {body[at]}, not 0 or 1")
        if identifier == _TOPIC_ALIAS:
            raise _PropertyError("topic alias, which was not offered")
        return after
    if identifier in _STRING_COUNTS:
        for _ in range(_STRING_COUNTS[identifier]):
            at = _check_string(body, identifier, at, end)
        return at
    if identifier == _CORRELATION_DATA:
        return _counted_end(body, identifier, at, end)
    if identifier == _SUBSCRIPTION_IDENTIFIER:
        return _variable_integer(body, at, end)[1]
    raise _PropertyError(f"property {identifier} does not belong in PUBLISH")


def _check_string(body: bytes | bytearray, identifier: int, at: int, end: int) -> int:
    after = _counted_end(body, identifier, at, end)
    try:
        text = bytes(body[at + 2 : after]).decode("utf-8")
    except UnicodeDecodeError:
        raise _PropertyError(f"property {identifier} is not UTF-8") from None
    # MQTT 5 forbids U+0000. It permits U+FEFF, at which client libraries choke all the same
    # (paho-mqtt 2.2.0 does): nothing that means well sends it.
    if "\0" in text or "\ufeff" in text:
        raise _PropertyError(f"property {identifier} holds U+0000 or U+FEFF")
    return after


def _counted_end(body: bytes | bytearray, identifier: int, at: int, end: int) -> int:
    """Where a value ends that starts with its length in two bytes."""
    after = at + 2 + int.from_bytes(body[at : at + 2], "big")
    if at + 2 > end or after > end:
        raise _PropertyError(f"property {identifier} is cut off")
    return after


def _variable_integer(body: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
    """Decode a variable byte integer (MQTT 5, section 1.5.5); returns it and where it ends."""
    value = 0
    for index in range(4):
        if at + index >= end:
            raise _PropertyError("a variable byte integer is cut off")
        byte = body[at + index]
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return value, at + index + 1
    raise _PropertyError("a variable byte integer is longer than four bytes")
