"""The MQTT session against real brokers: delivery and acknowledgement."""

from collections.abc import Callable
from random import Random

import pytest

from gated.devices.mqtt import (
    Received,
)
from tests.devices.brokers import Broker, Mosquitto, Proxy
from tests.devices.driver import Driver, until

Drive = Callable[..., Driver]
StartMosquitto = Callable[..., Mosquitto]


async def test_receives_and_publishes(own_broker: Broker, drive: Drive) -> None:
    listener = await drive(own_broker.port, "listener").up()
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    await speaker.say("in/a", b"1", b"2", b"3")
    await until(lambda: len(listener.received) == 3)
    assert listener.payloads == [b"1", b"2", b"3"]
    assert {(r.topic, r.qos, r.retain, r.defect) for r in listener.received} == {
        ("in/a", 1, False, None)
    }
    assert all(r.received_at.tzinfo is not None for r in listener.received)


async def test_what_is_not_acknowledged_comes_again_on_the_next_link(
    own_broker: Broker, drive: Drive
) -> None:
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    first = await drive(own_broker.port, "facility", ack=False).up()
    await speaker.say("in/a", b"1", b"2", b"3", b"4")
    await until(lambda: len(first.received) == 4)
    first.session.acknowledge(first.received[0])
    first.session.acknowledge(first.received[2])  # waits for the second: must not leave
    await until(lambda: first.session.unacknowledged == 3)
    await speaker.say("out/a", b"a round trip, so that the broker has the acknowledgement")
    await first.cancel()
    await speaker.say("in/a", b"5")
    second = await drive(own_broker.port, "facility").up()
    assert second.ups[0].session_present
    await until(lambda: len(second.received) == 4)
    assert second.payloads == [b"2", b"3", b"4", b"5"]


async def test_acknowledged_messages_do_not_come_again(own_broker: Broker, drive: Drive) -> None:
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    first = await drive(own_broker.port, "facility").up()
    await speaker.say("in/a", *(b"%d" % n for n in range(50)))
    await until(lambda: len(first.received) == 50)
    assert first.session.unacknowledged == 0
    await first.session.farewell()
    await first.task
    await speaker.say("in/a", b"last")
    second = await drive(own_broker.port, "facility").up()
    await until(lambda: b"last" in second.payloads)
    assert second.payloads == [b"last"]


async def test_acknowledgements_given_in_any_order_leave_in_order(
    own_broker: Broker, drive: Drive
) -> None:
    """rumqttd cuts a client off that acknowledges out of order."""
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    listener = await drive(own_broker.port, "facility", ack=False).up()
    await speaker.say("in/a", *(b"%d" % n for n in range(30)))
    await until(lambda: len(listener.received) == 30)
    shuffled = listener.received.copy()
    Random(7).shuffle(shuffled)
    for received in shuffled:
        listener.session.acknowledge(received)
    assert listener.session.unacknowledged == 0
    await speaker.say("in/a", b"after")
    await until(lambda: b"after" in listener.payloads)
    assert listener.downs == []


async def test_acknowledgement_of_an_older_link_is_dropped_and_counted(
    own_broker: Broker, drive: Drive
) -> None:
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    async with Proxy(own_broker.port) as proxy:
        listener = await drive(proxy.port, "facility", ack=False).up()
        await speaker.say("in/a", b"1", b"2")
        await until(lambda: len(listener.received) == 2)
        old = listener.received.copy()
        proxy.reset()
        await listener.up(2)
        await until(lambda: len(listener.received) == 4)
        assert listener.payloads == [b"1", b"2", b"1", b"2"]
        for received in old:
            listener.session.acknowledge(received)
        assert listener.session.acks_stale == 2
        assert listener.session.unacknowledged == 2
        await listener.cancel()


async def test_qos_0_needs_no_acknowledgement(own_broker: Broker, drive: Drive) -> None:
    listener = await drive(own_broker.port, "facility", filters=[("in/#", 0)]).up()
    await listener.say("in/a", b"1")
    await until(lambda: listener.received)
    assert (listener.received[0].qos, listener.session.unacknowledged) == (0, 0)
    assert listener.session.acks_stale == 0


async def test_retained_replay_is_marked_and_a_live_message_is_not(
    own_broker: Broker, drive: Drive
) -> None:
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    await speaker.say("in/state", b"old", retain=True)
    listener = await drive(own_broker.port, "facility").up()
    await until(lambda: listener.received)
    await speaker.say("in/state", b"new", retain=True)
    await until(lambda: len(listener.received) == 2)
    assert [(r.payload, r.retain) for r in listener.received] == [(b"old", True), (b"new", False)]


async def test_bound_on_unacknowledged_messages_loses_and_reorders_nothing(
    own_broker: Broker, drive: Drive
) -> None:
    """Neither rumqttd nor Mosquitto 2.0.11 keep to the receive maximum asked for."""
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    listener = await drive(
        own_broker.port, "facility", ack=False, unacknowledged_max=10, receive_maximum=10
    ).up()
    await speaker.say("in/a", *(b"%d" % n for n in range(60)))
    await until(lambda: listener.session.unacknowledged == 10)
    settled: list[Received] = []
    while len(settled) < 60:
        await until(lambda: len(listener.received) > len(settled))
        assert listener.session.unacknowledged <= 10
        for received in listener.received[len(settled) :]:
            listener.session.acknowledge(received)
            settled.append(received)
    assert listener.payloads == [b"%d" % n for n in range(60)]
    assert listener.session.acks_stale == 0
    assert not any(down.taken_over for down in listener.downs)


async def test_a_message_that_is_too_long_is_cut_and_marked(
    own_broker: Broker, drive: Drive
) -> None:
    listener = await drive(own_broker.port, "facility", payload_bytes_max=100).up()
    await listener.say("in/a", b"x" * 101, b"y" * 100)
    await until(lambda: len(listener.received) == 2)
    assert [(len(r.payload), r.defect) for r in listener.received] == [
        (100, "payload of 101 bytes, cut to 100"),
        (100, None),
    ]


async def test_an_exception_from_the_callback_ends_run_and_acknowledges_nothing(
    own_broker: Broker, drive: Drive
) -> None:
    def explode(_: object) -> None:
        raise LookupError("bug")

    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    listener = await drive(own_broker.port, "facility", on_received=explode).up()
    await speaker.say("in/a", b"1")
    with pytest.raises(LookupError, match="bug"):
        await listener.task
    again = await drive(own_broker.port, "facility").up()
    await until(lambda: again.payloads == [b"1"])


async def test_qos_2_subscriptions_are_refused() -> None:
    with pytest.raises(ValueError, match="QoS 0 or 1"):
        Driver(1, "facility", filters=[("in/#", 2)])
