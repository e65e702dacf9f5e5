"""Whatever arrives, a codec answers or refuses, within the cap and in no time."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.errors import CodecError
from gated.core.site import DeviceSetup
from gated.devices.codec import Reason
from gated.devices.families import CODECS, families
from gated.records import Decoded
from tests.codecs.support import AXIS_PREFIX, SHELLY_PREFIX, axis, message, native, shelly

WIRED: dict[str, object] = {"presence": 1, "closing": 2}
LANE = "gated/v1/north/lane/in-1"
PLACES: list[tuple[DeviceSetup, str]] = [
    (native(), f"{LANE}/plate"),
    (native(), f"{LANE}/input/presence"),
    (native(), f"{LANE}/barrier"),
    (native(), f"{LANE}/ack"),
    (native(), f"{LANE}/online"),
    (axis(), f"{AXIS_PREFIX}/event/axis:CameraApplicationPlatform/ALPV.AllPlates"),
    (axis(inputs=WIRED), f"{AXIS_PREFIX}/event/Device/IO/Port/$source/port/1"),
    (axis(inputs=WIRED), f"{AXIS_PREFIX}/event/Device/IO/Port"),
    (axis(), f"{AXIS_PREFIX}/event/connection"),
    (shelly(inputs=WIRED), f"{SHELLY_PREFIX}/events/rpc"),
    (shelly(), f"{SHELLY_PREFIX}/online"),
    (shelly(), f"{LANE}/device/box/rpc"),
]
IDS = [f"{device.family}:{topic.rpartition('/')[2]}" for device, topic in PLACES]

# The words that the families look for, so that random JSON reaches the code behind them.
WORDS = st.sampled_from(
    [
        *("plate", "confidence", "candidates", "vehicle", "id", "boot", "seq", "at", "on"),
        *("state", "command", "ok", "error", "connected", "timestamp", "message", "data"),
        *("source", "port", "text", "carID", "carState", "capture_timestamp", "carMoveDirection"),
        *("plateConfidence", "active", "method", "params", "ts", "input:1", "input:2", "switch:0"),
        *("result", "code", "NotifyStatus", "NotifyFullStatus", "new", "update", "lost", "opened"),
        *("2026-03-14T09:26:51Z", "1773480411000", "KA-ZE-2049"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30)
    | st.floats()
    | st.text(max_size=20)
    | WORDS
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner),
    max_leaves=12,
)
GOOD: dict[str, dict[str, object]] = {
    "plate": {"plate": "KA-ZE 2049", "confidence": 0.9, "at": "2026-03-14T09:26:51Z"},
    "presence": {"on": True},
    "barrier": {"state": "opened"},
    "ack": {"command": "0195a3c2-7d10-7abc-8def-0123456789ab", "ok": True},
    "ALPV.AllPlates": {
        "timestamp": 1773480411000,
        "message": {"data": {"text": "KA ZE 2049", "carID": "4", "carState": "new"}},
    },
    "1": {"timestamp": 1773480411000, "message": {"data": {"state": "1"}}},
    "Port": {"message": {"source": {"port": "1"}, "data": {"state": "1"}}},
    "connection": {"connected": True},
    "rpc": {
        "method": "NotifyStatus",
        "params": {"ts": 1773480411.5, "input:1": {"state": True}},
        "id": 7,
        "result": {"was_on": False},
    },
}


def attempt(device: DeviceSetup, topic: str, payload: bytes) -> Decoded | CodecError:
    """Any other exception than CodecError fails the test that calls this."""
    try:
        return CODECS[device.family].decode(device, message(topic, payload))
    except CodecError as error:
        refusal = error
    assert refusal.reason in set(Reason) - {Reason.UNSUPPORTED}
    assert str(refusal).isascii()
    assert str(refusal).isprintable()
    assert len(str(refusal)) < 500
    return refusal


@given(st.binary(max_size=200), st.sampled_from(PLACES))
def test_any_bytes(payload: bytes, place: tuple[DeviceSetup, str]) -> None:
    attempt(*place, payload)


@given(TREES, st.sampled_from(PLACES))
def test_any_json(tree: object, place: tuple[DeviceSetup, str]) -> None:
    attempt(*place, json.dumps(tree).encode())


@given(st.data(), st.sampled_from(PLACES))
def test_a_good_message_with_one_part_replaced(
    data: st.DataObject, place: tuple[DeviceSetup, str]
) -> None:
    device, topic = place
    tree = json.loads(json.dumps(GOOD.get(topic.rpartition("/")[2], {})))
    table = tree
    while True:
        key = data.draw(st.sampled_from(sorted(table)) if table else WORDS)
        if not isinstance(table.get(key), dict) or data.draw(st.booleans()):
            break
        table = table[key]
    table[key] = data.draw(TREES)
    attempt(device, topic, json.dumps(tree).encode())


@given(st.text(max_size=40), st.sampled_from(sorted(CODECS)))
def test_any_topic(topic: str, family: str) -> None:
    device = {"native": native(), "axis": axis(), "shelly": shelly()}[family]
    attempt(device, topic, b"{}")


@pytest.mark.parametrize(("device", "topic"), PLACES, ids=IDS)
def test_a_good_message_cut_anywhere_is_no_json(device: DeviceSetup, topic: str) -> None:
    whole = json.dumps(GOOD.get(topic.rpartition("/")[2], True)).encode()
    assert isinstance(attempt(device, topic, whole), Decoded)
    for length in range(len(whole)):
        answer = attempt(device, topic, whole[:length])
        assert isinstance(answer, CodecError)
        assert answer.reason == "not_json"


@pytest.mark.parametrize(("device", "topic"), PLACES, ids=IDS)
@pytest.mark.parametrize(
    ("payload", "reasons"),
    [
        (b"[" * 8192, {"not_json"}),
        (b'{"plate":' * 800, {"not_json"}),
        (b"\xef\xbb\xbf{}", {"not_json"}),
        (b"\xff\xfe{\x00}\x00", {"not_json"}),
        (b'"\\ud800"', {"not_json"}),
        (b'"\xed\xa0\x80"', {"not_json"}),
        (b"{} {}", {"not_json"}),
        (b"{'a': 1}", {"not_json"}),
        (b"{,}", {"not_json"}),
        (b"9" * 4400, {"not_json"}),
        (b"9" * 4300, {"not_json", "bad_type"}),
        (b"NaN", {"not_json", "bad_type"}),
        (b"-1e400", {"not_json", "bad_type"}),
        (b"\x00", {"not_json"}),
    ],
)
def test_what_parsers_stumble_over(
    device: DeviceSetup, topic: str, payload: bytes, reasons: set[str]
) -> None:
    answer = attempt(device, topic, payload)
    assert isinstance(answer, CodecError)
    assert answer.reason in reasons


@pytest.mark.parametrize(("device", "topic"), PLACES, ids=IDS)
def test_too_much_is_refused_unparsed(device: DeviceSetup, topic: str) -> None:
    keys = b"{" + b",".join(b'"k%d":0' % number for number in range(20_000)) + b"}"
    for payload in (b" " * 10_000_000, keys, b" " * 8193):
        begun = time.thread_time()
        answer = attempt(device, topic, payload)
        # Far above what it takes, far below what parsing the ten megabytes would; of our own time.
        assert time.thread_time() - begun < 0.05
        assert isinstance(answer, CodecError)
        assert answer.reason == "too_large"


def test_the_cap_is_the_callers() -> None:
    tight = families(payload_bytes_max=16)
    with pytest.raises(CodecError) as caught:
        tight["native"].decode(native(), message(f"{LANE}/plate", {"plate": "KAZE2049"}))
    assert caught.value.reason == "too_large"
    wide = families(payload_bytes_max=100_000)
    padded = json.dumps({"plate": "KAZE2049"}).encode() + b" " * 50_000
    assert wide["native"].decode(native(), message(f"{LANE}/plate", padded)).events


def test_a_thousand_unknown_fields_are_one_short_line() -> None:
    fields = {f"k{number}": 0 for number in range(700)}
    answer = attempt(native(), f"{LANE}/plate", json.dumps(fields, separators=(",", ":")).encode())
    assert isinstance(answer, CodecError)
    assert len(str(answer)) < 80


def test_a_field_name_cannot_paint_the_terminal() -> None:
    answer = attempt(native(), f"{LANE}/plate", b'{"plate":"B1","\\u001b[2J\\u202e":1}')
    assert isinstance(answer, CodecError)
    assert "\\x1b[2J\\u202e" in str(answer)
