"""The family axis: ALPV, I/O ports and the connection message of a camera's event bridge."""

from datetime import UTC, datetime, timedelta

import pytest

from gated.core.effects import Do
from gated.core.errors import CodecError, ConfigError
from gated.core.events import (
    DeviceOnlineChanged,
    Heading,
    InputChanged,
    InputName,
    PlateRead,
    PlateUnread,
    VehicleLost,
)
from gated.core.plates import Plate
from gated.devices.axis import AxisCodec
from gated.records import Decoded
from tests.codecs.support import AXIS_PREFIX, NOW, NOW_MS, axis, device, message
from tests.codecs.test_native import command

CODEC = AxisCodec()
EVENT = f"{AXIS_PREFIX}/event"
ALPV = f"{EVENT}/tns:axis/CameraApplicationPlatform/ALPV.AllPlates"
CAPTURE_MS = NOW_MS - 1500
SEEN = NOW - timedelta(milliseconds=1500)
SENT = NOW - timedelta(milliseconds=300)


def alpv(**data: object) -> dict[str, object]:
    """An event as the bridge sends it: all items strings, unless the test says otherwise."""
    return {
        "topic": "axis:CameraApplicationPlatform/ALPV.AllPlates",
        "timestamp": NOW_MS - 300,
        "message": {
            "source": {},
            "key": {},
            "data": {
                "carID": "4711",
                "carState": "new",
                "text": "KA ZE 2049",
                "capture_timestamp": str(CAPTURE_MS),
                "carMoveDirection": "unknown",
                "country": "DEU",
                "action": "No action",
                "listName": "",
                "roiID": "1",
                "lpImage": "/9j/4AAQ" * 200,
                **data,
            },
        },
    }


READ = PlateRead(
    plate=Plate("KAZE2049"), plate_raw="KA ZE 2049", vehicle_key="box:4711", device_at=SEEN
)


@pytest.mark.parametrize(
    ("data", "event", "key"),
    [
        ({}, READ, f"4711:new:{CAPTURE_MS}:unknown:KA ZE 2049"),
        (
            {"carState": "update", "carMoveDirection": "in", "text": "KA ZE 2O49"},
            PlateRead(
                Plate("KAZE2O49"),
                "KA ZE 2O49",
                vehicle_key="box:4711",
                heading=Heading.TOWARDS,
                device_at=SEEN,
            ),
            f"4711:update:{CAPTURE_MS}:in:KA ZE 2O49",
        ),
        (
            {"carState": "UPDATE", "carMoveDirection": "Out"},
            PlateRead(
                Plate("KAZE2049"),
                "KA ZE 2049",
                vehicle_key="box:4711",
                heading=Heading.AWAY,
                device_at=SEEN,
            ),
            f"4711:update:{CAPTURE_MS}:Out:KA ZE 2049",
        ),
        # numbers as numbers, and a confidence as the same engine's push has it
        (
            {"carID": 4711, "capture_timestamp": CAPTURE_MS, "plateConfidence": "0.737210"},
            PlateRead(Plate("KAZE2049"), "KA ZE 2049", 0.73721, (), "box:4711", device_at=SEEN),
            f"4711:new:{CAPTURE_MS}:unknown:KA ZE 2049",
        ),
        (
            {"text": 2049},
            PlateRead(Plate("2049"), "2049", None, (), "box:4711", device_at=SEEN),
            ...,
        ),
        ({"text": "unknown"}, PlateUnread("box:4711", SEEN), ...),
        ({"text": ""}, PlateUnread("box:4711", SEEN), ...),
        ({"text": None}, PlateUnread("box:4711", SEEN), ...),
        # LOST repeats the capture time of NEW: the bridge's clock says when it was lost
        (
            {"carState": "lost"},
            VehicleLost("box:4711", SENT),
            f"4711:lost:{CAPTURE_MS}:unknown:KA ZE 2049",
        ),
        # whatever is missing is missing
        ({"carMoveDirection": "sideways"}, READ, ...),
        (
            {"capture_timestamp": ""},
            PlateRead(Plate("KAZE2049"), "KA ZE 2049", None, (), "box:4711", device_at=SENT),
            f"4711:new:{NOW_MS - 300}:unknown:KA ZE 2049",
        ),
        (
            {"carID": ""},
            PlateRead(Plate("KAZE2049"), "KA ZE 2049", device_at=SEEN),
            None,
        ),
    ],
)
def test_an_event_of_the_plate_reader(data: dict[str, object], event: object, key: object) -> None:
    decoded = CODEC.decode(axis(), message(ALPV, alpv(**data)))
    assert decoded.events == (event,)
    if key is not ...:
        assert decoded.key == key
    assert decoded.device_at == getattr(event, "device_at", None)
    assert decoded.kind == ("lost" if isinstance(event, VehicleLost) else "plate")


@pytest.mark.parametrize(
    "tail",
    [
        "tns:axis/CameraApplicationPlatform/ALPV.AllPlates",
        "tnsaxis:CameraApplicationPlatform/ALPV.AllPlates",
        "axis:CameraApplicationPlatform/ALPV.AllPlates",
        "CameraApplicationPlatform/ALPV.AllPlates",
        "CameraApplicationPlatform/ALPV.New",
        "axis:CameraApplicationPlatform/ALPV.AllPlates/$source/roi/1",
    ],
)
def test_namespaces_and_sources_do_not_matter(tail: str) -> None:
    assert CODEC.decode(axis(), message(f"{EVENT}/{tail}", alpv())).events == (READ,)


def test_one_read_under_two_events_has_one_key() -> None:
    both = [
        CODEC.decode(axis(), message(f"{EVENT}/CameraApplicationPlatform/ALPV.{name}", alpv()))
        for name in ("AllPlates", "New")
    ]
    assert both[0] == both[1]


def test_the_life_of_one_car_has_a_key_for_each_message() -> None:
    life = [
        alpv(),
        alpv(carState="update", capture_timestamp=str(CAPTURE_MS + 300), carMoveDirection="in"),
        alpv(carState="update", capture_timestamp=str(CAPTURE_MS + 600), text="KA ZE 2O49"),
        alpv(carState="lost"),
    ]
    decoded = [CODEC.decode(axis(), message(ALPV, payload)) for payload in life]
    again = [CODEC.decode(axis(), message(ALPV, payload)) for payload in life]
    assert decoded == again
    assert len({each.key for each in decoded}) == len(life)


def test_an_event_without_a_state_is_read_by_its_name() -> None:
    topic = f"{EVENT}/CameraApplicationPlatform/ALPV."
    assert CODEC.decode(axis(), message(f"{topic}New", alpv(carState=""))).events == (READ,)
    assert CODEC.decode(axis(), message(f"{topic}AllPlates", alpv(carState=None))).events == (READ,)
    assert CODEC.decode(axis(), message(f"{topic}Lost", alpv(carState=None))).events == (
        VehicleLost("box:4711", SENT),
    )
    assert CODEC.decode(axis(), message(f"{topic}Lost", {"message": {"data": {}}})).events == ()


@pytest.mark.parametrize(
    ("tail", "payload"),
    [
        # stateful events of lists and regions carry the plate too, and are no reads
        ("CameraApplicationPlatform/ALPV.PlateIN", alpv(active="1")),
        ("CameraApplicationPlatform/ALPV.PlateIN", alpv(active="0", carState=None)),
        ("CameraApplicationPlatform/ALPV.Whitelist", alpv(carState=None)),
        ("CameraApplicationPlatform/ALPV.AllPlates", {"message": {}}),
        (
            "axis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
            {"timestamp": NOW_MS, "message": {"data": {"reason": "car"}}},
        ),
        (
            "onvif:Device/axis:IO/VirtualInput/$source/port/1",
            {"message": {"data": {"active": "1"}}},
        ),
        ("onvif:Device/axis:IO/Port/$source/port/1", {"message": {"data": {"state": "1"}}}),
        ("onvif:Monitoring/ProcessorUsage", b"not even JSON"),
    ],
)
def test_other_events_are_understood_and_say_nothing(tail: str, payload: object) -> None:
    decoded = CODEC.decode(axis(), message(f"{EVENT}/{tail}", payload))
    assert (decoded.kind, decoded.events) == ("other", ())


PORT = "onvif:Device/axis:IO/Port"
LOOP: dict[str, object] = {"presence": 1, "closing": {"port": 2, "inverted": True}}


def port(state: object, number: object = "1") -> dict[str, object]:
    return {
        "topic": "onvif:Device/axis:IO/Port",
        "timestamp": NOW_MS - 300,
        "message": {"source": {"port": number}, "key": {}, "data": {"state": state}},
    }


@pytest.mark.parametrize(
    ("tail", "payload", "event"),
    [
        (f"{PORT}/$source/port/1", port("1"), InputChanged(InputName.PRESENCE, True, SENT)),
        (f"{PORT}/$source/port/1", port("0"), InputChanged(InputName.PRESENCE, False, SENT)),
        (f"{PORT}/$source/port/1", port(True), InputChanged(InputName.PRESENCE, True, SENT)),
        (f"{PORT}/$source/port/2", port("1", 2), InputChanged(InputName.CLOSING, False, SENT)),
        (f"{PORT}/$source/port/2", port(0, 2), InputChanged(InputName.CLOSING, True, SENT)),
        ("Device/IO/Port", port("1"), InputChanged(InputName.PRESENCE, True, SENT)),
        # the ACL vouches for the topic, not for the payload
        (f"{PORT}/$source/port/2", port("1", "1"), InputChanged(InputName.CLOSING, False, SENT)),
    ],
)
def test_a_port_is_a_contact(tail: str, payload: object, event: InputChanged) -> None:
    decoded = CODEC.decode(axis(inputs=LOOP), message(f"{EVENT}/{tail}", payload))
    assert (decoded.kind, decoded.events) == ("input", (event,))
    assert decoded.key is not None


def test_a_port_without_a_name_says_nothing() -> None:
    decoded = CODEC.decode(axis(inputs=LOOP), message(f"{EVENT}/{PORT}/$source/port/3", port("1")))
    assert decoded.events == ()


@pytest.mark.parametrize("said", [True, False, "true", "false", "1", 0])
def test_the_connection_message(said: object) -> None:
    online = str(said).lower() in {"true", "1"}
    for setup, topic in [
        (axis(), f"{EVENT}/connection"),
        (axis(online_topic="cams/1/lwt"), "cams/1/lwt"),
    ]:
        payload = {"connected": said, "description": "whatever"}
        assert CODEC.decode(setup, message(topic, payload)) == Decoded(
            "online", (DeviceOnlineChanged(online),)
        )


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "names"),
    [
        (ALPV, b"x" * 8193, "too_large", "8193"),
        (ALPV, b'{"message": {"data"', "not_json", "JSON"),
        (ALPV, {}, "missing_field", "message"),
        (ALPV, {"message": []}, "bad_type", "message"),
        (ALPV, alpv(text="A" * 300), "bad_plate", "message.data.text"),
        (ALPV, alpv(text="AB\n12"), "bad_plate", "message.data.text"),
        (ALPV, alpv(text=["AB12"]), "bad_type", "message.data.text"),
        (ALPV, alpv(carState="parked"), "bad_value", "carState"),
        (ALPV, alpv(carID="\x00"), "bad_value", "carID"),
        (ALPV, alpv(carID=1.5), "bad_type", "carID"),
        (ALPV, alpv(capture_timestamp="soon"), "bad_value", "capture_timestamp"),
        (ALPV, alpv(capture_timestamp="9" * 19), "bad_time", "capture_timestamp"),
        (ALPV, alpv(capture_timestamp=NOW_MS + 86_400_001), "future", "capture_timestamp"),
        (ALPV, alpv(plateConfidence="73.7"), "bad_value", "plateConfidence"),
        (f"{EVENT}/connection", b"online", "not_json", "JSON"),
        (f"{EVENT}/connection", {"connected": "maybe"}, "bad_type", "connected"),
        (f"{EVENT}/connection", {}, "missing_field", "connected"),
        (f"{EVENT}/{PORT}/$source/port/1", port("2"), "bad_type", "state"),
        (f"{EVENT}/{PORT}", port("1", None), "missing_field", "port"),
        ("axis/OTHER/event/CameraApplicationPlatform/ALPV.New", alpv(), "bad_topic", "under"),
        (f"x/{ALPV}", alpv(), "bad_topic", "under"),
        (AXIS_PREFIX, alpv(), "bad_topic", "under"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    topic: str, payload: object, reason: str, names: str
) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode(axis(inputs=LOOP), message(topic, payload))
    assert caught.value.reason == reason
    assert names in str(caught.value)


def test_a_late_read_keeps_its_own_time() -> None:
    buffered = alpv(capture_timestamp=str(NOW_MS - 3_600_000))
    assert CODEC.decode(axis(), message(ALPV, buffered)).device_at == NOW - timedelta(hours=1)


def test_a_camera_without_a_clock_is_recorded_as_it_says() -> None:
    assert CODEC.decode(axis(), message(ALPV, alpv(capture_timestamp="12000"))).device_at == (
        datetime(1970, 1, 1, 0, 0, 12, tzinfo=UTC)
    )


def test_it_subscribes_once_to_each_message() -> None:
    events = (f"{EVENT}/#", 1)
    assert CODEC.filters(axis()) == (events,)
    assert CODEC.filters(axis(online_topic=f"{EVENT}/alive")) == (events,)
    assert CODEC.filters(axis(online_topic="cams/1/lwt")) == (events, ("cams/1/lwt", 1))


def test_a_camera_opens_nothing() -> None:
    assert CODEC.does == frozenset()
    assert not CODEC.stale_safe
    with pytest.raises(CodecError) as caught:
        CODEC.encode(axis(), command(Do.OPEN))
    assert caught.value.reason == "unsupported"


def test_its_contacts_are_those_of_the_options() -> None:
    assert CODEC.inputs(axis()) == frozenset()
    assert CODEC.inputs(axis(inputs=LOOP)) == {"presence", "closing"}


@pytest.mark.parametrize(
    ("topic", "options", "key"),
    [
        ("", {}, "box.topic"),
        ("axis/+", {}, "box.topic"),
        ("axis/x/", {}, "box.topic"),
        ("/axis", {}, "box.topic"),
        ("$SYS/x", {}, "box.topic"),
        ("a\nb", {}, "box.topic"),
        ("axis/x", {"online_topic": "a/#"}, "box.options.online_topic"),
        ("axis/x", {"online_topic": ""}, "box.options.online_topic"),
        ("axis/x", {"onlinetopic": "a"}, "box.options.onlinetopic"),
        ("axis/x", {"inputs": {"presence": "1"}}, "box.options.inputs.presence.id"),
        ("axis/x", {"inputs": {"loop": 1}}, "box.options.inputs.loop"),
        ("axis/x", {"inputs": {"presence": 1, "closing": 1}}, "box.options.inputs"),
    ],
)
def test_a_wrong_setup_is_named(topic: str, options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CODEC.check(device("axis", topic, **options))
    assert caught.value.key == key


def test_a_right_setup_passes() -> None:
    CODEC.check(axis())
    CODEC.check(axis(inputs=LOOP, online_topic="cams/1/lwt"))
