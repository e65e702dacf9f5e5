"""`gated lane` and `gated facility` without a daemon: wrong calls, no broker, silence."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import typer
from typer.testing import CliRunner, Result

from gated.cli.lane import facility, lane
from gated.core.errors import ConfigError
from tests.services.brokers import BrokerHandle
from tests.services.clients import Client

app = typer.Typer()
app.command()(lane)
app.command()(facility)


@pytest.fixture
def config(tmp_path: Path, broker: BrokerHandle) -> Path:
    """The broker alone: an operator's machine knows no database."""
    file = tmp_path / "config.toml"
    file.write_text(f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\n')
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("lane", "north", "in-1", "open"), "--as"),
        (("lane", "north", "in-1", "open", "--as", "ada"), "--reason"),
        (("lane", "north", "in-1", "open", "--as", "ada", "-r", " "), "--reason"),
        (
            ("lane", "north", "in-1", "open", "--as", "ada", "-r", "x" * 501),
            "--reason: expected at most 500 characters, got 501",
        ),
        (
            ("lane", "north", "In 1", "open", "--as", "ada", "-r", "x"),
            'LANE: expected a slug of a-z, 0-9 and -, got "In 1"',
        ),
        (
            ("lane", "North", "in-1", "open", "--as", "ada", "-r", "x"),
            'FACILITY: expected a slug of a-z, 0-9 and -, got "North"',
        ),
        (
            ("lane", "north", "in-1", "open", "--as", "a/da", "-r", "x"),
            '--as: expected a name of at most 64 letters, digits, . _ @ and -, got "a/da"',
        ),
        (
            ("lane", "north", "in-1", "open", "--as", "ada", "-r", "x", "--id", "a b"),
            "--id: expected",
        ),
        (("lane", "no/rth"), 'FACILITY: expected a slug of a-z, 0-9 and -, got "no/rth"'),
        (("facility", "north", "pay", "--as", "ada", "-r", "x", "--amount", "1,5"), "--amount"),
        (("facility", "north", "pay", "--as", "ada", "-r", "x", "--amount", "-1"), "--amount"),
        (
            ("facility", "north", "pay", "--as", "ada", "-r", "x", "--currency", "eu"),
            '--currency: expected an ISO 4217 code such as EUR, got "eu"',
        ),
    ],
)
def test_a_wrong_call_is_told_by_its_argument(
    config: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(*arguments, "--config", config)
    assert isinstance(result.exception, ConfigError)  # gated.cli.main makes it status 2
    assert complaint in str(result.exception)


def test_a_broker_that_is_away_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[mqtt]\nhost = "127.0.0.1"\nport = 1\n')
    for arguments in (
        ("lane", "north", "in-1", "open", "--as", "ada", "-r", "x"),
        ("lane", "north"),
    ):
        result = run(*arguments, "--config", file)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("broker 127.0.0.1:1: ")


def test_silence_is_no_answer(config: Path) -> None:
    result = run(
        "lane", "north", "in-1", "open", "--as", "ada", "-r", "x",
        "--timeout", "0.2", "--config", config,
    )  # fmt: skip
    assert result.exit_code == 3
    assert "no answer in 0.2 s, and no daemon works for the facility" in result.stderr
    assert "not known" in result.stderr


def test_a_facility_that_nobody_knows_has_no_lanes(config: Path) -> None:
    result = run("lane", "north", "--config", config)
    assert result.exit_code == 1
    assert "the broker knows of no lane of north" in result.stderr


@asynccontextmanager
async def desk(broker: BrokerHandle, answers: list[dict[str, Any]]) -> AsyncIterator[list[Any]]:
    """Answers each request of Ada's with these, in place of a daemon; what was asked."""
    asked: list[Any] = []
    async with Client(
        broker.host, broker.port_v311, protocol=aiomqtt.ProtocolVersion.V311, identifier="desk"
    ) as client:
        await client.subscribe("gated/v1/north/operator/+/request", qos=1)

        async def serve() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                request = json.loads(message.payload)
                asked.append((message.topic.value, message.retain, request))
                for answer in answers:
                    said = {"id": request["id"], **answer}
                    await client.publish("gated/v1/north/operator/ada/answer", json.dumps(said))

        serving = asyncio.create_task(serve())
        try:
            yield asked
        finally:
            serving.cancel()
            await asyncio.wait({serving})


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ([{"ok": True}], 0, "done: in-1 close\n"),
        # What belongs to another request, or cannot be read, is nobody's answer.
        ([{"id": "other", "ok": False}, {"ok": "yes"}, {"ok": True}], 0, "done: in-1 close\n"),
        # A newer daemon may say more.
        ([{"ok": True, "detail": "at once", "more": 1}], 0, "done: in-1 close: at once\n"),
        ([{"ok": False, "error": "not_permitted"}], 1, "refused: in-1 close: not_permitted\n"),
    ],
)
async def test_the_answer_is_the_one_to_this_request(
    broker: BrokerHandle, config: Path, answers: list[dict[str, Any]], status: int, said: str
) -> None:
    async with desk(broker, answers) as asked:
        result = await asyncio.to_thread(
            run, "lane", "north", "in-1", "close", "--as", "ada", "--reason", "ice",
            "--config", config,
        )  # fmt: skip
    assert (result.exit_code, result.output) == (status, said)
    ((topic, retained, request),) = asked
    assert (topic, retained) == ("gated/v1/north/operator/ada/request", False)
    assert {key: request[key] for key in ("do", "lane", "reason")} == {
        "do": "lane_close",
        "lane": "in-1",
        "reason": "ice",
    }
    assert set(request) == {"id", "do", "lane", "reason", "at"}


async def test_who_names_no_stay_is_shown_those_that_it_may_be(
    broker: BrokerHandle, config: Path
) -> None:
    stays = [
        {
            "stay": f"00000000-0000-0000-0000-00000000000{number}",
            "plate": plate,
            "entered_at": "2026-03-14T09:31:07.410Z",
            "distance": distance,
            "reason": reason,
        }
        for number, plate, distance, reason in (
            (1, "HHA81234", 1, "confusable_one"),
            (2, "HHABI284", 3, "several"),
        )
    ]
    refused = {"ok": False, "error": "stay_missing", "detail": "name the stay", "stays": stays}
    async with desk(broker, [refused]) as asked:
        result = await asyncio.to_thread(
            run, "lane", "north", "out-1", "match", "--as", "ada", "--reason", "mud",
            "--config", config,
        )  # fmt: skip
    assert result.exit_code == 1
    assert result.stderr == "refused: out-1 match: stay_missing: name the stay\n"
    heading, *rows = [line.split() for line in result.stdout.splitlines()]
    assert heading == ["plate", "in", "since", "reason", "distance", "stay"]
    assert [(row[0], *row[4:]) for row in rows] == [
        (stay["plate"], stay["reason"], str(stay["distance"]), stay["stay"]) for stay in stays
    ]
    ((_, _, request),) = asked
    assert set(request) == {"id", "do", "lane", "reason", "at"}


async def test_on_a_terminal_the_stay_to_match_is_whole(
    broker: BrokerHandle, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 columns: `--stay` needs all of it."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")
    stay = {
        "stay": "04ba1a88-bd09-4e9d-b000-000000000001",
        "plate": "HHA81234",
        "entered_at": "2026-03-14T09:31:07.410Z",
        "distance": 2,
        "reason": "confusable_two",
    }
    refused = {"ok": False, "error": "stay_missing", "detail": "name the stay", "stays": [stay]}
    async with desk(broker, [refused]):
        result = await asyncio.to_thread(
            run, "lane", "north", "out-1", "match", "--as", "ada", "--reason", "mud",
            "--config", config,
        )  # fmt: skip
    _, row, below = result.stdout.splitlines()
    assert row.split()[0] == "HHA81234"
    assert below == f"  stay {stay['stay']}"


async def test_a_lane_that_is_none_is_told_with_those_that_are(
    broker: BrokerHandle, config: Path
) -> None:
    async with aiomqtt.Client(
        broker.host, broker.port_v311, protocol=aiomqtt.ProtocolVersion.V311, identifier="daemon"
    ) as client:
        topic = "gated/v1/north/lane/in-1/state"
        state = {"state": "idle", "since": "2026-03-14T09:31:07.410Z"}
        await client.publish(topic, json.dumps(state), qos=1, retain=True)
        result = await asyncio.to_thread(run, "lane", "north", "in-9", "--config", config)
        await client.publish(topic, b"", retain=True)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "the broker knows of no lane in-9 of north: there is in-1"
    )


async def test_what_the_lanes_do_is_shown_with_their_mode_faults_and_calls(
    broker: BrokerHandle, config: Path
) -> None:
    since = "2026-03-14T09:31:07.410Z"
    states = {
        "in-1": {
            "state": "out_of_service",
            "since": since,
            "mode": "in_service",
            "faults": ["arm_stuck", "device_offline"],
        },
        "in-2": {"state": "closed", "since": since, "mode": "closed", "faults": [], "call": None},
        "in-3": {
            "state": "denied",
            "since": since,
            "mode": "in_service",
            "faults": [],
            "call": {"why": "plate_unread", "since": since},
        },
        # As an older daemon told it.
        "out-1": {"state": "idle", "since": since},
    }
    async with Client(
        broker.host, broker.port_v311, protocol=aiomqtt.ProtocolVersion.V311, identifier="daemon"
    ) as client:
        for lane_slug, state in states.items():
            topic = f"gated/v1/north/lane/{lane_slug}/state"
            await client.publish(topic, json.dumps(state), qos=1, retain=True)
        result = await asyncio.to_thread(run, "lane", "north", "--config", config)
        for lane_slug in states:
            await client.publish(f"gated/v1/north/lane/{lane_slug}/state", b"", retain=True)
    heading, *rows = [line.split() for line in result.stdout.splitlines()]
    assert heading == ["lane", "state", "since", "mode", "faults", "call"]
    at = tuple(rows[0][2:5])
    assert [(row[0], row[1], *row[5:]) for row in rows] == [
        ("in-1", "out_of_service", "in_service", "arm_stuck,", "device_offline"),
        ("in-2", "closed", "closed"),
        ("in-3", "denied", "in_service", "plate_unread", "since", *at),
        ("out-1", "idle", "in_service"),
    ]
