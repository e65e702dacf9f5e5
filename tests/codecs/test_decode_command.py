"""`gated device decode`: a payload on standard input, events as JSON lines, or one refusal."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from gated.cli.device import app

PLATE = "gated/v1/north/lane/in-1/plate"


def decode(*arguments: str, payload: bytes = b"{}") -> Result:
    return CliRunner().invoke(app, ["decode", *arguments], input=payload)


@pytest.mark.parametrize(
    ("arguments", "payload", "lines"),
    [
        (
            ("native", "--topic", PLATE),
            b"""{"id": 7, "plate": "ka-ze 2049", "confidence": 0.9, "vehicle": "v1",
                 "candidates": [{"plate": "KAZE2O49"}], "at": "2026-03-14T10:26:51+01:00"}""",
            [
                {
                    "kind": "plate",
                    "key": "plate#7",
                    "event": "plate_read",
                    "plate": "KAZE2049",
                    "plate_raw": "ka-ze 2049",
                    "confidence": 0.9,
                    "candidates": [{"plate": "KAZE2O49", "confidence": None}],
                    "vehicle_key": "v1",
                    "heading": "unknown",
                    "device_at": "2026-03-14T09:26:51+00:00",
                }
            ],
        ),
        (
            ("native", "--topic", PLATE),
            b'{"plate":"unknown"}\n',
            [
                {
                    "kind": "plate",
                    "key": None,
                    "event": "plate_unread",
                    "vehicle_key": None,
                    "device_at": None,
                }
            ],
        ),
        (
            ("native", "--topic", "gated/v1/north/lane/in-1/barrier"),
            b'{"state":"moving"}',
            [
                {
                    "kind": "barrier",
                    "key": None,
                    "event": "barrier_reported",
                    "state": "moving",
                    "command": None,
                    "device_at": None,
                }
            ],
        ),
        (
            (
                "axis",
                "--topic",
                "site/cam/event/tns:axis/CameraApplicationPlatform/ALPV.AllPlates/$source/roi/1",
                "--received-at",
                "2026-03-14T09:26:53Z",
            ),
            b'{"timestamp":1773480412000,"message":{"data":{"carID":"4","carState":"lost"}}}',
            [
                {
                    "kind": "lost",
                    "key": "4:lost:1773480412000::",
                    "event": "vehicle_lost",
                    "vehicle_key": "device:4",
                    "device_at": "2026-03-14T09:26:52+00:00",
                }
            ],
        ),
        (
            ("shelly", "--topic", "shellyplus1-a0b1c2d3e4f5/events/rpc"),
            b'{"method":"NotifyStatus","params":{"input:0":{"state":true},"input:1":{"state":false}}}',
            [
                {
                    "kind": "input",
                    "key": None,
                    "event": "input_changed",
                    "name": name,
                    "on": on,
                    "device_at": None,
                }
                for name, on in (("presence", True), ("closing", False))
            ],
        ),
        (
            ("shelly", "--topic", "gated/v1/north/lane/in-1/device/box/rpc"),
            b'{"id":7,"error":{"code":-1,"message":"no"}}',
            [
                {
                    "kind": "ack",
                    "key": None,
                    "event": "command_answered",
                    "command": 7,
                    "ok": False,
                    "error": "-1: no",
                    "device_at": None,
                }
            ],
        ),
        (
            ("shelly", "--topic", "a/b/online"),
            b"true",
            [
                {
                    "kind": "online",
                    "key": None,
                    "event": "device_online_changed",
                    "online": True,
                    "device_at": None,
                }
            ],
        ),
    ],
)
def test_family_and_topic_are_enough(
    arguments: tuple[str, ...], payload: bytes, lines: list[dict[str, object]]
) -> None:
    result = decode(*arguments, payload=payload)
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in result.stdout.splitlines()] == lines


def test_options_name_the_wiring_and_the_prefix() -> None:
    payload = b'{"method":"NotifyStatus","params":{"input:3":{"state":true}}}'
    result = decode(
        *("shelly", "--topic", "odd/events/rpc", "--device-topic", "odd"),
        *("--option", "inputs.closing.id=3", "--option", "inputs.closing.inverted=true"),
        payload=payload,
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["name"] == "closing"
    assert json.loads(result.stdout)["on"] is False
    assert not result.stderr


def test_an_assumed_wiring_is_said() -> None:
    payload = b'{"method":"NotifyStatus","params":{"input:0":{"state":true}}}'
    result = decode("shelly", "--topic", "x/events/rpc", payload=payload)
    assert "assumed: --option" in result.stderr


def test_a_message_that_says_nothing_prints_no_line() -> None:
    result = decode("axis", "--topic", "x/event/onvif:Monitoring/ProcessorUsage")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "says nothing" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "payload", "said"),
    [
        (("native", "--topic", PLATE), b"no", "rejected: not_json: "),
        (("native", "--topic", PLATE), b'{"plate":1}', "rejected: bad_type: plate: "),
        (("native", "--topic", "some/topic"), b"{}", "rejected: bad_topic: "),
        (("native", "--topic", PLATE), b" " * 10_000_000, "rejected: too_large: "),
        (
            ("native", "--topic", PLATE, "--received-at", "2020-01-01T00:00:00Z"),
            b'{"plate":"B1","at":"2026-03-14T10:26:51Z"}',
            "rejected: future: at: ",
        ),
    ],
)
def test_a_refusal_is_one_line_and_status_1(
    arguments: tuple[str, ...], payload: bytes, said: str
) -> None:
    result = decode(*arguments, payload=payload)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nativ", "--topic", PLATE), "did you mean native"),
        (("axis", "--topic", "some/topic"), "topic prefix"),
        (("shelly", "--topic", "x/online", "--option", "pulse_second=3"), "pulse_seconds"),
        (("shelly", "--topic", "x/online", "--option", "pulse_seconds"), "NAME=VALUE"),
        (
            ("shelly", "--topic", "x/online", "--option", "a=1", "--option", "a.b=1"),
            "a is set to a value",
        ),
        (("native", "--topic", PLATE, "--received-at", "yesterday"), "RFC 3339"),
        (("native",), "--topic"),
    ],
)
def test_a_wrong_call_is_status_2(arguments: tuple[str, ...], said: str) -> None:
    result = decode(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_as_a_process_with_bytes_that_are_no_text() -> None:
    call = "from gated.cli.device import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", call, "decode", "native", "--topic", PLATE],
        input=b"\xff\xfe\x00",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"rejected: not_json: ")
