"""The ACL of docs/operators.md on a real Mosquitto: each operator asks under his own name alone."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gated.core.errors import DeliveryError
from gated.core.ids import Slug
from gated.devices.asking import ask, look
from gated.devices.contract import OperatorAnswer, OperatorRequest
from gated.devices.mqtt import BrokerSettings
from gated.devices.mqtt_link import Link
from tests.devices.brokers import Mosquitto, mosquitto_program
from tests.devices.driver import until
from tests.services.clients import Client

StartMosquitto = Callable[..., Mosquitto]

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
NORTH = Slug("north")
OPEN = OperatorRequest(id="1", do="open", lane="in-1", reason="delivery")


def documented() -> list[str]:
    """The lines of the page's ACL: for operators, and what it adds for the daemon's own user."""
    (block,) = [part for part in PAGE.read_text().split("```") if "\npattern " in part]
    lines = [line for line in block.splitlines() if line]
    assert all(line.startswith("pattern ") for line in lines)
    return lines


@pytest.fixture
def guarded(tmp_path: Path, start_mosquitto: StartMosquitto) -> Mosquitto:
    mosquitto_program()
    passwords, acl = tmp_path / "passwords", tmp_path / "acl"
    passwords.touch()
    for user in ("gated", "ada", "eve"):
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, user], check=True)
    acl.write_text("\n".join(["user gated", "topic readwrite gated/v1/#", "", *documented(), ""]))
    for file in (passwords, acl):
        file.chmod(0o644)
    return start_mosquitto("allow_anonymous false", f"password_file {passwords}", f"acl_file {acl}")


def as_user(broker: Mosquitto, user: str) -> BrokerSettings:
    return BrokerSettings("127.0.0.1", broker.port, username=user, password=user)


@asynccontextmanager
async def daemon(broker: Mosquitto) -> AsyncIterator[list[str]]:
    """Answers every request, as the daemon's user; the topics that requests came on."""
    heard: list[str] = []
    async with Client(
        "127.0.0.1", broker.port, username="gated", password="gated", identifier="gated-north"
    ) as client:
        await client.subscribe("gated/v1/+/operator/+/request", qos=1)
        state = {"state": "idle", "since": "2026-05-04T07:30:00Z"}
        await client.publish("gated/v1/north/lane/in-1/state", json.dumps(state), 1, retain=True)

        async def serve() -> None:
            async for message in client.messages:
                heard.append(message.topic.value)
                answer = message.topic.value.replace("/request", "/answer")
                await client.publish(answer, b'{"id": "1", "ok": true}', 1)

        serving = asyncio.create_task(serve())
        try:
            yield heard
        finally:
            serving.cancel()
            await asyncio.wait({serving})


async def asked(broker: Mosquitto, user: str, under: str) -> OperatorAnswer:
    return await ask(
        as_user(broker, user), NORTH, under, OPEN, client_id=f"desk-{user}", seconds_max=5
    )


async def test_an_operator_asks_and_sees_under_his_own_name(guarded: Mosquitto) -> None:
    async with daemon(guarded) as heard:
        assert (await asked(guarded, "ada", "ada")).ok
        shown = await look(as_user(guarded, "ada"), NORTH, client_id="desk-ada")
        assert {lane: state.state for lane, state in shown.lanes.items()} == {"in-1": "idle"}
    assert heard == ["gated/v1/north/operator/ada/request"]


async def test_nobody_asks_or_listens_under_another_name(guarded: Mosquitto) -> None:
    overheard: list[str] = []
    link = Link(
        as_user(guarded, "eve"),
        client_id="eve",
        number=1,
        will=None,
        on_packet=lambda packet: overheard.append(packet.topic),
    )
    async with daemon(guarded) as heard:
        try:
            # Mosquitto grants the subscription, and then delivers nothing that may not be read.
            await link.open([("gated/v1/north/operator/+/answer", 0)])
            with pytest.raises(DeliveryError, match="Not authorized"):
                await asked(guarded, "eve", "ada")
            assert (await asked(guarded, "ada", "ada")).ok
            assert (await asked(guarded, "eve", "eve")).ok
            await until(lambda: bool(overheard))
        finally:
            await link.close(farewell=True)
    assert overheard == ["gated/v1/north/operator/eve/answer"]
    assert heard == [f"gated/v1/north/operator/{user}/request" for user in ("ada", "eve")]
