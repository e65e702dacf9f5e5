"""Publishing over the MQTT session: what is certain, and what is not."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gated.core.errors import DeliveryError
from tests.devices.brokers import Broker, Mosquitto, Proxy, Rumqttd
from tests.devices.driver import Driver, until

Drive = Callable[..., Driver]
StartMosquitto = Callable[..., Mosquitto]


async def test_publish_without_a_link_certainly_did_not_leave(
    silent_port: int, drive: Drive
) -> None:
    speaker = drive(silent_port, "speaker")
    with pytest.raises(DeliveryError, match="not connected") as caught:
        await speaker.say("out/a", b"open")
    assert not caught.value.uncertain


async def test_publish_into_a_hole_is_uncertain(own_broker: Broker, drive: Drive) -> None:
    async with Proxy(own_broker.port) as proxy:
        speaker = await drive(proxy.port, "speaker", publish_timeout_seconds=0.1).up()
        proxy.mode = "hole"
        with pytest.raises(DeliveryError, match="broker's answer") as caught:
            await speaker.say("out/a", b"open")
        assert caught.value.uncertain
        await speaker.cancel()


async def test_publish_whose_link_is_lost_is_uncertain_and_never_sent_again(
    own_broker: Broker, drive: Drive
) -> None:
    listener = await drive(own_broker.port, "listener").up()
    async with Proxy(own_broker.port) as proxy:
        speaker = await drive(proxy.port, "speaker").up()
        proxy.mode = "hole"
        publishing = asyncio.create_task(speaker.say("in/a", b"open"))
        await until(lambda: speaker.session._link._outgoing._unanswered)  # type: ignore[union-attr]
        proxy.mode = "pass"
        proxy.reset()
        with pytest.raises(DeliveryError, match="link was lost") as caught:
            await publishing
        assert caught.value.uncertain
        await speaker.up(2)
        await speaker.say("in/a", b"fresh")
        await until(lambda: listener.received)
        assert listener.payloads == [b"fresh"]
        await speaker.cancel()


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "\ud800"])
async def test_impossible_topics_never_reach_the_wire(
    rumqttd: Rumqttd, drive: Drive, topic: str
) -> None:
    speaker = await drive(rumqttd.port, "speaker").up()
    with pytest.raises(DeliveryError) as caught:
        await speaker.say(topic, b"x")
    assert not caught.value.uncertain
    await speaker.say("out/a", b"the link still stands")
    assert speaker.downs == []


async def test_many_publishes_at_once_stay_inside_the_brokers_window(
    own_broker: Broker, drive: Drive
) -> None:
    """Mosquitto announces a receive maximum of 20, and cuts off who exceeds it."""
    listener = await drive(own_broker.port, "listener").up()
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    await asyncio.gather(*(speaker.say("in/a", b"%d" % n) for n in range(200)))
    await until(lambda: len(listener.received) == 200)
    assert listener.payloads == [b"%d" % n for n in range(200)]
    assert speaker.downs == []


async def test_publish_that_the_broker_refuses(
    start_mosquitto: StartMosquitto, tmp_path: Path, drive: Drive
) -> None:
    (tmp_path / "acl").write_text("topic readwrite in/#\ntopic readwrite beat/#\n")
    broker = start_mosquitto("allow_anonymous true", f"acl_file {tmp_path}/acl")
    speaker = await drive(broker.port, "speaker").up()
    with pytest.raises(DeliveryError, match="Not authorized") as caught:
        await speaker.say("forbidden", b"open")
    assert not caught.value.uncertain
    assert "0x87" in str(caught.value)
    # Mosquitto 2.0.11 answers, and then closes the connection all the same.
    await speaker.up(2)
    await speaker.say("in/a", b"allowed")
