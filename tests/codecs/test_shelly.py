"""The family shelly: notifications in, a pulse out, its answer back."""

import json
from datetime import UTC, datetime

import pytest

from gated.core.effects import Do
from gated.core.errors import CodecError, ConfigError
from gated.core.events import CommandAnswered, DeviceOnlineChanged, InputChanged, InputName
from gated.core.ids import command_number
from gated.devices.shelly import ShellyCodec
from gated.records import Decoded
from tests.codecs.support import NOW, SHELLY_PREFIX, device, message, shelly
from tests.codecs.test_native import COMMAND, command

CODEC = ShellyCodec()
EVENTS = f"{SHELLY_PREFIX}/events/rpc"
SOURCE = "gated/v1/north/lane/in-1/device/box"
WIRED: dict[str, object] = {"presence": 0, "closing": {"id": 1, "inverted": True}}
TS = 1773480411.53
AT = datetime(2026, 3, 14, 9, 26, 51, 530000, tzinfo=UTC)


def notify(params: dict[str, object], method: str = "NotifyStatus") -> dict[str, object]:
    return {
        "src": SHELLY_PREFIX,
        "dst": f"{SHELLY_PREFIX}/events",
        "method": method,
        "params": {"ts": TS, **params},
    }


ON = InputChanged(InputName.PRESENCE, True, AT)


@pytest.mark.parametrize(
    ("payload", "events", "key"),
    [
        (notify({"input:0": {"id": 0, "state": True}}), (ON,), f"NotifyStatus:{TS}:presence=1"),
        (
            notify({"input:1": {"id": 1, "state": True}}),
            (InputChanged(InputName.CLOSING, False, AT),),
            f"NotifyStatus:{TS}:closing=0",
        ),
        (
            notify({
                "input:1": {"state": False},
                "input:0": {"state": True},
                "switch:0": {"output": False},
                "sys": {"uptime": 12},
            }, "NotifyFullStatus"),
            (ON, InputChanged(InputName.CLOSING, True, AT)),
            f"NotifyFullStatus:{TS}:presence=1,closing=1",
        ),
        # before it knows the time it states none
        (
            notify({"ts": None, "input:0": {"state": False}}),
            (InputChanged(InputName.PRESENCE, False),),
            None,
        ),
        (
            {"method": "NotifyStatus", "params": {"input:0": {"state": True}}},
            (InputChanged(InputName.PRESENCE, True),),
            None,
        ),
    ],
)  # fmt: skip
def test_a_changed_input_is_a_contact(
    payload: object, events: tuple[InputChanged, ...], key: str | None
) -> None:
    decoded = CODEC.decode(shelly(inputs=WIRED), message(EVENTS, payload))
    assert decoded == Decoded("input", events, key, events[0].device_at)


@pytest.mark.parametrize(
    "payload",
    [
        notify({"switch:0": {"id": 0, "output": True, "source": "MQTT"}}),
        notify({"input:2": {"id": 2, "state": True}}),
        notify({"input:0": {"id": 0, "state": None}}),
        notify({"input:0": {"id": 0, "xpercent": 3}}),
        notify({"input:0": None}),
        notify({"events": [{"component": "input:0", "event": "single_push"}]}, "NotifyEvent"),
        {"method": "NotifyStatus"},
        {"method": "NotifySomethingNew", "params": {"ts": 1e300}},
    ],
)
def test_other_notifications_are_understood_and_say_nothing(payload: object) -> None:
    decoded = CODEC.decode(shelly(inputs=WIRED), message(EVENTS, payload))
    assert (decoded.kind, decoded.events) == ("other", ())


def test_a_bounce_within_the_clocks_tick_has_two_keys() -> None:
    keys = {
        CODEC.decode(
            shelly(inputs=WIRED), message(EVENTS, notify({"input:0": {"state": state}}))
        ).key
        for state in (True, False)
    }
    assert len(keys) == 2


@pytest.mark.parametrize(("payload", "online"), [(b"true", True), (b"false", False)])
def test_the_last_will(payload: bytes, online: bool) -> None:
    decoded = CODEC.decode(shelly(), message(f"{SHELLY_PREFIX}/online", payload))
    assert decoded == Decoded("online", (DeviceOnlineChanged(online),))


def test_an_open_is_a_pulse_that_the_device_times() -> None:
    sent = CODEC.encode(shelly(switch=2, pulse_seconds=0.5), command(Do.OPEN))
    assert (sent.topic, sent.qos, sent.retain) == (f"{SHELLY_PREFIX}/rpc", 1, False)
    assert json.loads(sent.payload) == {
        "id": command_number(COMMAND),
        "src": SOURCE,
        "method": "Switch.Set",
        "params": {"id": 2, "on": True, "toggle_after": 0.5},
    }


def test_its_answer_comes_back_to_the_command() -> None:
    call = json.loads(CODEC.encode(shelly(), command(Do.OPEN)).payload)
    topic = f"{call['src']}/rpc"
    assert (topic, 1) in CODEC.filters(shelly())
    frame = {"id": call["id"], "src": SHELLY_PREFIX, "dst": call["src"]}
    done = CODEC.decode(shelly(), message(topic, {**frame, "result": {"was_on": False}}))
    assert done == Decoded("ack", (CommandAnswered(command_number(COMMAND), ok=True),))
    refused = {**frame, "error": {"code": -105, "message": "Argument 'id', value 9 not found!"}}
    assert CODEC.decode(shelly(), message(topic, refused)) == Decoded(
        "ack",
        (
            CommandAnswered(
                command_number(COMMAND), ok=False, error="-105: Argument 'id', value 9 not found!"
            ),
        ),
    )


@pytest.mark.parametrize("do", sorted(set(Do) - {Do.OPEN}))
def test_it_does_nothing_but_open(do: Do) -> None:
    assert CODEC.does == {Do.OPEN}
    with pytest.raises(CodecError) as caught:
        CODEC.encode(shelly(), command(do))
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "names"),
    [
        (EVENTS, b"{" * 5000, "not_json", "JSON"),
        (EVENTS, b"x" * 8193, "too_large", "8193"),
        (EVENTS, {"params": {}}, "missing_field", "method"),
        (EVENTS, notify({"ts": "1773480411"}), "bad_type", "params.ts"),
        (EVENTS, b'{"method":"NotifyStatus","params":{"ts":1e400}}', "bad_value", "params.ts"),
        (EVENTS, notify({"ts": 1e300}), "bad_time", "params.ts"),
        (EVENTS, notify({"ts": NOW.timestamp() + 86_401}), "future", "params.ts"),
        (EVENTS, notify({"input:0": {"state": 1}}), "bad_type", "params.input:0.state"),
        (EVENTS, notify({"input:0": {"state": "on"}}), "bad_type", "params.input:0.state"),
        (EVENTS, notify({"input:0": True}), "bad_type", "params.input:0"),
        (f"{SHELLY_PREFIX}/online", b"True", "not_json", "JSON"),
        (f"{SHELLY_PREFIX}/online", b'"true"', "bad_type", "boolean"),
        (f"{SOURCE}/rpc", {"result": {}}, "missing_field", "id"),
        (f"{SOURCE}/rpc", {"id": 1}, "missing_field", "result"),
        (f"{SOURCE}/rpc", {"id": "1", "result": {}}, "bad_type", "id"),
        (f"{SOURCE}/rpc", {"id": 2**31, "result": {}}, "bad_value", "id"),
        (f"{SOURCE}/rpc", {"id": 1, "error": "no"}, "bad_type", "error"),
        (f"{SHELLY_PREFIX}/status/switch:0", {}, "bad_topic", "events/rpc"),
        ("shellyplus1-other/events/rpc", notify({}), "bad_topic", "events/rpc"),
        ("gated/v1/north/lane/in-1/device/other/rpc", {"id": 1}, "bad_topic", "reply"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    topic: str, payload: object, reason: str, names: str
) -> None:
    with pytest.raises(CodecError) as caught:
        CODEC.decode(shelly(inputs=WIRED), message(topic, payload))
    assert caught.value.reason == reason
    assert names in str(caught.value)


def test_it_listens_to_three_topics() -> None:
    assert CODEC.filters(shelly()) == (
        (EVENTS, 1),
        (f"{SHELLY_PREFIX}/online", 1),
        (f"{SOURCE}/rpc", 1),
    )
    assert not CODEC.stale_safe
    assert CODEC.inputs(shelly(inputs=WIRED)) == {"presence", "closing"}
    assert CODEC.inputs(shelly()) == frozenset()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"pulse_seconds": 0}, "pulse_seconds"),
        ({"pulse_seconds": -1.0}, "pulse_seconds"),
        ({"pulse_seconds": 1000}, "pulse_seconds"),
        ({"pulse_seconds": float("inf")}, "pulse_seconds"),
        ({"pulse_seconds": "1"}, "pulse_seconds"),
        ({"switch": -1}, "switch"),
        ({"switch": True}, "switch"),
        ({"pulse_second": 1}, "pulse_second"),
        ({"inputs": {"presence": 0, "closing": 0}}, "inputs"),
        ({"inputs": {"presence": {"id": 0, "invert": True}}}, "inputs.presence.invert"),
        ({"inputs": {"presence": {}}}, "inputs.presence.id"),
    ],
)
def test_a_wrong_setup_is_named(options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CODEC.check(device("shelly", SHELLY_PREFIX, **options))
    assert caught.value.key == f"box.options.{key}"


def test_a_right_setup_passes() -> None:
    CODEC.check(shelly())
    CODEC.check(shelly(switch=1, pulse_seconds=2, inputs=WIRED))
