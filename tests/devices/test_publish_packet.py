"""The tolerant PUBLISH decoder: nothing that a publisher writes may stay unacknowledged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.devices.publish_packet import FramingError, PublishPacket, decode_publish
from tests.devices.wire import number, text

MAX = 1_000


def body(
    *, topic: bytes = b"in/a", mid: int = 7, properties: bytes = b"\0", payload: bytes = b"pay"
) -> bytes:
    return text(topic) + mid.to_bytes(2, "big") + properties + payload


def properties(*parts: bytes) -> bytes:
    joined = b"".join(parts)
    return number(len(joined)) + joined


USER = b"\x26"
FINE = [
    properties(),
    properties(b"\x01\x01"),
    properties(b"\x01\x00", b"\x02\0\0\0\x09"),
    properties(b"\x03" + text("application/json"), b"\x08" + text("answer/here")),
    properties(b"\x09" + text(b"\xff\xfe\x00")),
    properties(b"\x0b\x81\x01", b"\x0b\x02"),
    properties(USER + text("k") + text("v"), USER + text("k") + text("v")),
]
BROKEN = [
    (properties(b"\x01\xff"), "payload format"),
    (properties(USER + text("\ufeff") + text("v")), "U+FEFF"),
    (properties(USER + text("k") + text("a\0b")), "U+0000"),
    (properties(b"\x03" + text(b"\xff\xff")), "not UTF-8"),
    (properties(b"\x08" + text(b"\xed\xa0\x80")), "not UTF-8"),
    (properties(b"\x01\x00", b"\x01\x00"), "twice"),
    (properties(b"\x23\x00\x05"), "topic alias"),
    (properties(b"\x11\0\0\0\x01"), "does not belong"),
    (properties(b"\x7f"), "does not belong"),
    (properties(b"\x02\0\0"), "cut off"),
    (properties(b"\x26\x00\x09k"), "cut off"),
    (properties(b"\x0b\x80\x80\x80\x80\x01"), "four bytes"),
    (properties(b"\x0b\x80"), "cut off"),
]


@pytest.mark.parametrize("block", FINE)
def test_permitted_properties_are_passed_over(block: bytes) -> None:
    packet = decode_publish(0x32, body(properties=block), MAX)
    assert packet == PublishPacket("in/a", b"pay", 1, False, 7, None)


@pytest.mark.parametrize(("block", "defect"), BROKEN)
def test_broken_properties_leave_topic_id_and_payload(block: bytes, defect: str) -> None:
    packet = decode_publish(0x33, body(properties=block), MAX)
    assert packet.defect is not None
    assert defect in packet.defect
    assert (packet.topic, packet.payload, packet.mid, packet.retain) == ("in/a", b"pay", 7, True)


def test_qos_0_has_no_message_id() -> None:
    assert decode_publish(0x30, text("t") + b"\0payload", MAX) == PublishPacket(
        "t", b"payload", 0, False, 0, None
    )


def test_properties_longer_than_the_packet_are_taken_for_the_rest_of_it() -> None:
    packet = decode_publish(0x32, body(properties=b"\x7f"), MAX)
    assert packet.defect == "properties are longer than the packet"
    assert packet.payload == b""


def test_length_of_properties_that_never_ends() -> None:
    packet = decode_publish(0x32, body(properties=b"\xff\xff\xff\xff\xff"), MAX)
    assert packet.defect == "a variable byte integer is longer than four bytes"
    assert packet.payload.endswith(b"pay")


def test_topic_that_is_not_utf_8() -> None:
    packet = decode_publish(0x32, body(topic=b"in/\xff\xfe"), MAX)
    assert (packet.topic, packet.defect) == (r"in/\xff\xfe", "topic is not UTF-8")


def test_payload_is_cut_at_its_bound() -> None:
    packet = decode_publish(0x32, body(payload=b"x" * 1_001), MAX)
    assert (len(packet.payload), packet.defect) == (MAX, "payload of 1001 bytes, cut to 1000")


@pytest.mark.parametrize(
    ("command", "raw"),
    [
        (0x34, body()),
        (0x36, body()),
        (0x32, b""),
        (0x32, b"\0"),
        (0x32, b"\0\x09in"),
        (0x32, text("t") + b"\0"),
        (0x32, body(mid=0)),
    ],
)
def test_broken_framing_is_an_error(command: int, raw: bytes) -> None:
    with pytest.raises(FramingError):
        decode_publish(command, raw, MAX)


@given(st.sampled_from([0x30, 0x31, 0x32, 0x33, 0x3A, 0x3B]), st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_a_framing_error(command: int, raw: bytes) -> None:
    try:
        packet = decode_publish(command, raw, MAX)
    except FramingError:
        return
    assert (packet.mid > 0) == (packet.qos == 1)


@given(st.binary(max_size=100), st.binary(max_size=20), st.integers(1, 65_535))
def test_any_properties_leave_topic_id_and_payload(block: bytes, payload: bytes, mid: int) -> None:
    raw = body(mid=mid, properties=number(len(block)) + block, payload=payload)
    packet = decode_publish(0x32, raw, MAX)
    assert (packet.topic, packet.mid, packet.payload) == ("in/a", mid, payload)


def test_a_packet_full_of_properties_costs_linear_time() -> None:
    """paho's decoder copies the rest of the packet for each property: minutes for this one."""
    block = (USER + text("") + text("")) * 200_000
    raw = body(properties=number(len(block)) + block)
    assert decode_publish(0x32, raw, MAX).defect is None
