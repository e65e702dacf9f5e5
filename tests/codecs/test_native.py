"""The family native: contract v1 in, events out, and commands back."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

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
from gated.core.ids import CommandId, DeviceId, EventId, Fence, LaneId, Slug, StayId, command_number
from gated.core.money import Money
from gated.core.plates import Plate
from gated.devices.contract import CommandMessage
from gated.devices.native import NativeCodec, receipt
from gated.records import Command, Decoded, Publication
from tests.codecs.support import NOW, device, message, native

CODEC = NativeCodec()
LANE = "gated/v1/north/lane/in-1"
COMMAND = UUID("0195a3c2-7d10-7abc-8def-0123456789ab")
AT = datetime(2026, 3, 14, 9, 26, 51, 500000, tzinfo=UTC)
AT_TEXT = "2026-03-14T10:26:51.5+01:00"


@pytest.mark.parametrize(
    ("leaf", "payload", "kind", "event"),
    [
        (
            "plate",
            {
                "plate": "hh-xy 1234",
                "confidence": 0.93,
                "candidates": [
                    {"plate": "HH-XY 1Z34", "confidence": 0.4},
                    {"plate": "HHXY1834"},
                    {"plate": "--"},
                ],
                "vehicle": "car-17",
                "at": AT_TEXT,
            },
            "plate",
            PlateRead(
                Plate("HHXY1234"),
                "hh-xy 1234",
                0.93,
                (Candidate(Plate("HHXY1Z34"), 0.4), Candidate(Plate("HHXY1834"), None)),
                "car-17",
                device_at=AT,
            ),
        ),
        ("plate", {"plate": "B1"}, "plate", PlateRead(Plate("B1"), "B1")),
        ("plate", {"plate": "B1", "confidence": 0}, "plate", PlateRead(Plate("B1"), "B1", 0.0)),
        ("plate", {"plate": "B1", "confidence": None}, "plate", PlateRead(Plate("B1"), "B1")),
        (
            "plate",
            {"plate": "unknown", "vehicle": 9, "at": AT_TEXT},
            "plate",
            PlateUnread("9", AT),
        ),
        ("plate", {"plate": ""}, "plate", PlateUnread()),
        (
            "input/presence",
            {"on": True, "at": AT_TEXT},
            "input",
            InputChanged(InputName.PRESENCE, True, AT),
        ),
        ("input/closing", {"on": False}, "input", InputChanged(InputName.CLOSING, False)),
        ("input/button", {"on": True}, "input", InputChanged(InputName.BUTTON, True)),
        ("input/fire", {"on": True}, "input", InputChanged(InputName.FIRE, True)),
        (
            "barrier",
            {"state": "opened", "command": str(COMMAND), "at": AT_TEXT},
            "barrier",
            BarrierReported(BarrierState.OPENED, command_number(COMMAND), AT),
        ),
        ("barrier", {"state": "fault"}, "barrier", BarrierReported(BarrierState.FAULT)),
        (
            "ack",
            {"command": str(COMMAND), "ok": True},
            "ack",
            CommandAnswered(command_number(COMMAND), ok=True),
        ),
        (
            "ack",
            {"command": str(COMMAND), "ok": False, "error": "motor\x1b[31m hot"},
            "ack",
            CommandAnswered(command_number(COMMAND), ok=False, error="motor\\x1b[31m hot"),
        ),
        ("online", True, "online", DeviceOnlineChanged(True)),
        ("online", b" false\n", "online", DeviceOnlineChanged(False)),
    ],
)
def test_a_message_is_one_event(leaf: str, payload: object, kind: str, event: DeviceEvent) -> None:
    decoded = CODEC.decode(native(), message(f"{LANE}/{leaf}", payload))
    assert decoded == Decoded(kind, (event,), device_at=event.device_at)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"id": "e-1"}, "input/presence#e-1"),
        ({"id": 17}, "input/presence#17"),
        ({"id": "e-1", "boot": "b7", "seq": 3}, "input/presence#e-1"),
        ({"boot": "b7", "seq": 3}, "b7:3"),
        ({}, None),
    ],
)
def test_the_key_is_the_senders_own(said: dict[str, object], key: str | None) -> None:
    decoded = CODEC.decode(native(), message(f"{LANE}/input/presence", {"on": True, **said}))
    assert (decoded.key, decoded.boot, decoded.seq) == (key, said.get("boot"), said.get("seq"))


def test_ids_that_count_per_topic_stay_apart() -> None:
    keys = {
        CODEC.decode(native(), message(f"{LANE}/{leaf}", {"on": True, "id": 1})).key
        for leaf in ("input/presence", "input/closing")
    }
    assert len(keys) == 2


PLATE: dict[str, object] = {"plate": "B1"}


@pytest.mark.parametrize(
    ("leaf", "payload", "reason", "names"),
    [
        ("plate", b"", "not_json", "JSON"),
        ("plate", b'{"plate": "B1"', "not_json", "JSON"),
        ("plate", b"\xef\xbb\xbf" + b'{"plate":"B1"}', "not_json", "JSON"),
        ("plate", b'{"plate": "\\ud800"}', "not_json", "JSON"),
        ("plate", b'{"plate": "\xff"}', "not_json", "JSON"),
        ("plate", b"[" * 4000, "not_json", "recursion"),
        ("plate", b"[]", "bad_type", "object"),
        ("plate", b"null", "bad_type", "null"),
        ("plate", {**PLATE, "colour": "red"}, "unknown_field", "colour"),
        ("plate", {}, "missing_field", "plate"),
        ("plate", {"plate": 17}, "bad_type", "plate"),
        ("plate", {"plate": None}, "bad_type", "plate"),
        ("plate", {"plate": "A" * 300}, "bad_plate", "300 characters"),
        ("plate", {"plate": "AB\x0712"}, "bad_plate", "control"),
        ("plate", {"plate": "AB\u202e12"}, "bad_plate", "control"),
        ("plate", {**PLATE, "confidence": 1.01}, "bad_value", "confidence"),
        ("plate", {**PLATE, "confidence": -0.1}, "bad_value", "confidence"),
        ("plate", {**PLATE, "confidence": "0.9"}, "bad_type", "confidence"),
        ("plate", {**PLATE, "confidence": True}, "bad_type", "confidence"),
        ("plate", b'{"plate":"B1","confidence":NaN}', "bad_value", "confidence"),
        ("plate", b'{"plate":"B1","confidence":1e400}', "bad_value", "confidence"),
        ("plate", {**PLATE, "candidates": [{"plate": "?"}]}, "bad_plate", "candidates.0.plate"),
        ("plate", {**PLATE, "candidates": [{"plate": "A", "x": 1}]}, "unknown_field", "0.x"),
        ("plate", {**PLATE, "candidates": [{"plate": "A"}] * 17}, "bad_value", "candidates"),
        ("plate", {**PLATE, "at": "2026-03-14T10:26:51"}, "bad_time", "offset"),
        ("plate", {**PLATE, "at": "2026-03-14"}, "bad_time", "offset"),
        ("plate", {**PLATE, "at": "1773480411"}, "bad_time", "offset"),
        ("plate", {**PLATE, "at": 1773480411}, "bad_type", "offset"),
        ("plate", {**PLATE, "at": "2026-02-30T10:26:51Z"}, "bad_time", "at"),
        ("plate", {**PLATE, "at": "0001-01-01T00:00:00+14:00"}, "bad_time", "at"),
        ("plate", {**PLATE, "at": "1969-12-31T23:59:59Z"}, "bad_time", "1970"),
        ("plate", {**PLATE, "at": "2026-03-15T09:26:54Z"}, "future", "24 h"),
        ("plate", {**PLATE, "at": "9999-12-31T23:59:59-14:00"}, "bad_time", "at"),
        ("plate", {**PLATE, "vehicle": "a b"}, "bad_value", "vehicle"),
        ("plate", {**PLATE, "vehicle": ["a"]}, "bad_type", "vehicle"),
        ("plate", {**PLATE, "id": ""}, "bad_value", "id"),
        ("plate", {**PLATE, "id": "x" * 65}, "bad_value", "id"),
        ("plate", {**PLATE, "id": "\x00"}, "bad_value", "id"),
        ("plate", b'{"plate":"B1","id":' + b"9" * 4200 + b"}", "bad_value", "huge"),
        ("plate", {**PLATE, "boot": "b"}, "bad_value", "boot"),
        ("plate", {**PLATE, "boot": "b", "seq": -1}, "bad_value", "seq"),
        ("plate", {**PLATE, "boot": "b", "seq": 2**63}, "bad_value", "seq"),
        ("input/presence", {"on": 1}, "bad_type", "on"),
        ("input/presence", {"on": "true"}, "bad_type", "on"),
        ("barrier", {"state": "open"}, "bad_value", "state"),
        ("barrier", {"state": "opened", "command": "17"}, "bad_value", "command"),
        ("ack", {"ok": True}, "missing_field", "command"),
        ("ack", {"command": str(COMMAND), "ok": "yes"}, "bad_type", "ok"),
        ("online", b"1", "bad_type", "1"),
        ("online", b"online", "not_json", "JSON"),
        ("online", {"online": True}, "bad_type", "object"),
    ],
)
def test_what_breaks_the_contract_is_refused(
    leaf: str, payload: object, reason: str, names: str
) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode(native(), message(f"{LANE}/{leaf}", payload))
    assert caught.value.reason == reason
    assert names in str(caught.value)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_time_just_inside_a_day_is_taken() -> None:
    at = NOW + timedelta(hours=24)
    decoded = CODEC.decode(native(), message(f"{LANE}/plate", {**PLATE, "at": at.isoformat()}))
    assert decoded.device_at == at


@pytest.mark.parametrize(
    "topic",
    [
        "gated/v1/south/lane/in-1/plate",
        "gated/v1/north/lane/in-2/plate",
        "gated/v1/north/occupancy",
        f"{LANE}/command",
        f"{LANE}/receipt",
        f"{LANE}/state",
        f"{LANE}/plates",
        "",
    ],
)
def test_another_lanes_topic_or_our_own_is_refused(topic: str) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode(native(), message(topic, PLATE))
    assert caught.value.reason == "bad_topic"


def command(do: Do = Do.OPEN, price: Money | None = None) -> Command:
    return Command(
        id=CommandId(COMMAND),
        lane=LaneId(UUID(int=2)),
        device=DeviceId(UUID(int=1)),
        do=do,
        reason="transient",
        event=EventId(UUID(int=5)),
        fence=Fence(41),
        issued_at=AT,
        expires_at=AT + timedelta(seconds=3, microseconds=999),
        plate=Plate("HHXY1234"),
        stay=StayId(UUID(int=9)),
        price=price,
        text="Gute Fahrt\nbis bald",
    )


def test_a_command_carries_all_that_the_hardware_checks() -> None:
    sent = CODEC.encode(native(), command(price=Money(Decimal("12.5"), "EUR")))
    assert (sent.topic, sent.qos, sent.retain) == (f"{LANE}/command", 1, False)
    assert json.loads(sent.payload) == {
        "id": "0195a3c2-7d10-7abc-8def-0123456789ab",
        "do": "open",
        "reason": "transient",
        "plate": "HHXY1234",
        "stay": "00000000-0000-0000-0000-000000000009",
        "text": "Gute Fahrt\nbis bald",
        "amount": "12.50",
        "currency": "EUR",
        "fence": 41,
        "issued_at": "2026-03-14T09:26:51.500Z",
        # cut, never rounded up: an open must not outlive its row
        "expires_at": "2026-03-14T09:26:54.500Z",
    }


@pytest.mark.parametrize("do", list(Do))
def test_hardware_reads_every_command_back(do: Do) -> None:
    sent = CODEC.encode(native(), command(do, Money(Decimal(1200), "JPY")))
    read = CommandMessage.model_validate_json(sent.payload)
    assert (read.id, read.do, read.amount) == (COMMAND, do.value, Decimal(1200))
    assert read.text == "Gute Fahrt\nbis bald"
    assert json.loads(sent.payload)["amount"] == "1200"
    assert read.issued_at == AT
    answer = message(f"{LANE}/ack", {"command": str(read.id), "ok": True})
    assert CODEC.decode(native(), answer).events == (
        CommandAnswered(command_number(COMMAND), ok=True),
    )


def test_a_bare_command_leaves_out_what_it_has_not() -> None:
    bare = Command(
        CommandId(COMMAND), LaneId(UUID(int=2)), DeviceId(UUID(int=1)), Do.DENY, "full_zone",
        EventId(UUID(int=5)), Fence(1), AT, AT,
    )  # fmt: skip
    sent = json.loads(CODEC.encode(native(), bare).payload)
    assert set(sent) == {"id", "do", "reason", "fence", "issued_at", "expires_at"}


def test_a_vehicle_without_a_plate_gets_the_number_of_its_ticket() -> None:
    on_ticket = replace(command(Do.OPEN), plate=None, ticket="N-000417")
    sent = json.loads(CODEC.encode(native(), on_ticket).payload)
    assert sent["ticket"] == "N-000417"
    assert "plate" not in sent


def test_it_listens_to_what_devices_say_and_not_to_itself() -> None:
    assert set(CODEC.filters(native())) == {
        (f"{LANE}/{leaf}", 1)
        for leaf in (
            "plate",
            "input/presence",
            "input/closing",
            "input/button",
            "input/fire",
            "barrier",
            "ack",
            "online",
        )
    }


def test_the_family() -> None:
    assert CODEC.does == frozenset(Do)
    assert CODEC.stale_safe
    assert CODEC.inputs(native()) == {"presence", "closing"}
    assert CODEC.inputs(native(inputs=["fire"])) == {"fire"}
    assert CODEC.inputs(native(inputs=[])) == frozenset()


@pytest.mark.parametrize(
    ("options", "topic", "key"),
    [
        ({}, "gated/v1/north/lane/in-1", "box.topic"),
        ({"inputs": ["loop"]}, "", "box.options.inputs.0"),
        ({"inputs": "presence"}, "", "box.options.inputs"),
        ({"input": []}, "", "box.options.input"),
    ],
)
def test_a_wrong_setup_is_named(options: dict[str, object], topic: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CODEC.check(device("native", topic, **options))
    assert caught.value.key == key


def test_a_right_setup_passes() -> None:
    CODEC.check(native())
    CODEC.check(native(inputs=["presence", "fire"]))


def test_a_receipt_is_retained_and_says_how_far() -> None:
    assert receipt(Slug("north"), Slug("in-1"), "b7", 12) == Publication(
        f"{LANE}/receipt", b'{"boot":"b7","seq":12}', qos=1, retain=True
    )
