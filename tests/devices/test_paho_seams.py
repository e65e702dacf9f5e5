"""The private names of aiomqtt and paho that gated leans on: each still there, and still so.

When one of these fails after an upgrade, read the new source before changing the test.
"""

import asyncio
import inspect
import random
import socket
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

import gated
from gated.core.errors import DeliveryError
from gated.devices import paho_seams
from gated.devices.mqtt import LinkDown, LinkRefused, LinkUp
from tests.devices.brokers import Broker, Proxy
from tests.devices.driver import Driver, until
from tests.devices.test_publish_packet import BROKEN
from tests.devices.wire import CONNACK, FakeBroker, RawClient, number, packet, publish

Drive = Callable[..., Driver]


def test_versions_are_the_ones_that_were_read() -> None:
    assert {name: version(name) for name in paho_seams.VERSIONS} == paho_seams.VERSIONS


def test_only_two_modules_import_aiomqtt_or_paho() -> None:
    importers = {
        path.name
        for path in Path(gated.__file__).parent.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith(("import aiomqtt", "from aiomqtt", "import paho", "from paho"))
    }
    assert importers == {"paho_seams.py", "mqtt_link.py"}


async def test_private_names_are_there() -> None:
    client = aiomqtt.Client("127.0.0.1")
    paho = paho_seams.paho_of(client)
    assert isinstance(paho, PahoClient)
    assert all(hasattr(client, name) for name in paho_seams.PRIVATE_NAMES_AIOMQTT)
    assert all(hasattr(paho, name) for name in paho_seams.PRIVATE_NAMES_PAHO)
    assert client._disconnected.done() is False
    assert paho_seams.misc_task_of(client) is None


def test_paho_calls_the_names_that_are_replaced() -> None:
    """An instance attribute in place of a method works only while paho looks it up on self."""
    assert "self._create_socket()" in inspect.getsource(PahoClient.reconnect)
    assert "self._handle_publish()" in inspect.getsource(PahoClient._packet_handle)
    assert "except MalformedPacket" in inspect.getsource(PahoClient._packet_read)
    assert not hasattr(PahoClient, "__slots__")


def paho_client() -> PahoClient:
    return PahoClient(CallbackAPIVersion.VERSION2, protocol=5)  # type: ignore[arg-type]


def test_take_publishes_hands_over_the_raw_packet() -> None:
    paho, taken = paho_client(), list[tuple[int, bytes]]()
    paho_seams.take_publishes(paho, lambda command, body: taken.append((command, bytes(body))))
    here, there = socket.socketpair()
    with here, there:
        paho_seams.use_socket(paho, here)
        paho.connect("ignored", 1)
        there.sendall(CONNACK + publish("in/a", b"pay", mid=9))
        for _ in range(2):
            paho.loop_read()
        assert taken == [(0x32, b"\x00\x04in/a\x00\x09\x00pay")]
        assert paho.socket() is here
        paho_seams.close_socket(paho)
        assert here.fileno() == -1
        assert paho.socket() is None


def test_a_broken_stream_ends_the_connection() -> None:
    def refuse(command: int, body: bytearray) -> None:
        raise ValueError("broken")

    paho = paho_client()
    paho_seams.take_publishes(paho, refuse)
    here, there = socket.socketpair()
    with here, there:
        paho_seams.use_socket(paho, here)
        paho.connect("ignored", 1)
        there.sendall(CONNACK + publish("in/a", b"pay", mid=9))
        paho.loop_read()
        assert paho.loop_read() == MQTTErrorCode.MQTT_ERR_PROTOCOL
        assert paho.socket() is None


async def test_watch_callback_failure_hears_what_a_read_callback_raised() -> None:
    client, failures = aiomqtt.Client("127.0.0.1"), list[BaseException]()
    paho_seams.watch_callback_failure(client, failures.append)
    paho = paho_seams.paho_of(client)

    def explode() -> MQTTErrorCode:
        raise LookupError

    paho.loop_read = explode  # type: ignore[method-assign,assignment]
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        assert paho.on_socket_open is not None
        paho.on_socket_open(paho, None, here)
        there.sendall(b"x")
        await until(lambda: failures)
        asyncio.get_running_loop().remove_reader(here)
    assert isinstance(failures[0], LookupError)
    task = paho_seams.misc_task_of(client)
    assert task is not None
    await task


# ── a broker that misbehaves ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("block", "defect"), BROKEN)
async def test_no_properties_deafen_the_session(drive: Drive, block: bytes, defect: str) -> None:
    async with FakeBroker() as broker:
        listener = await drive(broker.port, "facility").up()
        broker.send(
            publish("in/a", b"pay", mid=1, properties=block[1:], properties_length=block[:1])
        )
        broker.send(publish("in/a", b"after", mid=2))
        await until(lambda: broker.acks() == [1, 2])
        first, second = listener.received
        assert (first.topic, first.payload) == ("in/a", b"pay")
        assert first.defect is not None
        assert defect in first.defect
        assert (second.payload, second.defect) == (b"after", None)
        assert listener.downs == []
        await listener.cancel()


async def test_random_properties_do_not_deafen_the_session(drive: Drive) -> None:
    generator, count = random.Random(20_240_501), 500
    async with FakeBroker() as broker:
        listener = await drive(broker.port, "facility").up()
        for mid in range(1, count + 1):
            block = generator.randbytes(generator.randrange(1, 40))
            broker.send(publish("in/a", b"pay", mid=mid, properties=block))
        await until(lambda: len(broker.acks()) == count)
        assert broker.acks() == list(range(1, count + 1))
        assert listener.payloads == [b"pay"] * count
        assert sum(r.defect is not None for r in listener.received) > count / 2
        assert listener.downs == []
        await listener.cancel()


async def test_topics_that_are_not_utf_8_do_not_deafen_the_session(drive: Drive) -> None:
    async with FakeBroker() as broker:
        listener = await drive(broker.port, "facility").up()
        broker.send(publish(b"in/\xff", b"1", mid=1) + publish(b"", b"2", mid=2))
        await until(lambda: broker.acks() == [1, 2])
        assert [r.defect for r in listener.received] == ["topic is not UTF-8", "topic is empty"]
        await listener.cancel()


async def test_hostile_properties_through_a_real_broker(own_broker: Broker, drive: Drive) -> None:
    """What the broker lets through must reach us, be marked or not, and be acknowledged."""
    listener = await drive(own_broker.port, "facility").up()
    generator, passed = random.Random(5), list[bytes]()
    blocks = [block for block, _ in BROKEN]
    blocks += [
        number(len(raw)) + raw
        for raw in (
            b"\x26" + bytes([0, len(key)]) + key + bytes([0, len(value)]) + value
            for key, value in (
                (generator.randbytes(generator.randrange(4)), generator.randbytes(3))
                for _ in range(20)
            )
        )
    ]
    for index, block in enumerate(blocks):
        payload = b"%d" % index
        with RawClient(own_broker.port, "hostile") as hostile:
            if hostile.sends(
                publish("in/a", payload, mid=1, properties=block[1:], properties_length=block[:1])
            ):
                passed.append(payload)
    await listener.say("in/a", b"last")
    await until(lambda: b"last" in listener.payloads)
    assert listener.payloads == [*passed, b"last"]
    assert any(r.defect is not None for r in listener.received)
    assert listener.session.unacknowledged == 0
    assert listener.downs == []


async def test_acknowledgements_leave_in_order_on_the_wire(drive: Drive) -> None:
    async with FakeBroker() as broker:
        listener = await drive(broker.port, "facility", ack=False).up()
        for mid in (31, 7, 19, 4):
            broker.send(publish("in/a", b"%d" % mid, mid=mid))
        await until(lambda: len(listener.received) == 4)
        by_mid = {received.mid: received for received in listener.received}
        for mid in (4, 19, 31, 7):
            listener.session.acknowledge(by_mid[mid])
        await until(lambda: len(broker.acks()) == 4)
        assert broker.acks() == [31, 7, 19, 4]
        await listener.cancel()


async def test_disconnect_in_the_burst_of_the_connack_is_noticed(drive: Drive) -> None:
    async with FakeBroker(CONNACK + packet(0xE0, b"\x8b")) as broker:  # server shutting down
        listener = drive(broker.port, "facility")
        await until(lambda: listener.events)
        assert listener.events == [LinkRefused("Server shutting down")]
        broker.hello = CONNACK
        await listener.up()
        await listener.cancel()


async def test_closing_in_the_burst_of_the_connack_is_noticed(drive: Drive) -> None:
    async with FakeBroker() as broker:
        broker.on_packet = lambda first, body: CONNACK if broker.connections > 2 else None
        broker.hello = CONNACK + b"\xf0\x00"  # AUTH: unknown to paho, which drops the link
        listener = drive(broker.port, "facility")
        await until(lambda: listener.events)
        assert listener.events == [LinkRefused("Protocol error")]
        await listener.cancel()


async def test_takeover_that_the_broker_tells_of(drive: Drive) -> None:
    async with FakeBroker() as broker:
        listener = await drive(broker.port, "facility", reconnect_delay_seconds_max=0.5).up()
        clock = asyncio.get_running_loop()
        broker.send(packet(0xE0, b"\x8e"))
        await until(lambda: listener.downs)
        down_at = clock.time()
        assert listener.downs == [LinkDown(1, "Session taken over", taken_over=True)]
        await listener.up(2)
        assert clock.time() - down_at >= 0.25
        await listener.cancel()


async def test_takeover_in_the_burst_of_the_connack_is_told(drive: Drive) -> None:
    async with FakeBroker(CONNACK + packet(0xE0, b"\x8e")) as broker:
        listener = drive(broker.port, "facility")
        await until(lambda: listener.events)
        assert listener.events == [LinkDown(1, "Session taken over", taken_over=True)]
        await listener.cancel()


async def test_session_forgotten_by_the_broker_is_told(drive: Drive) -> None:
    async with FakeBroker(bytes([0x20, 3, 1, 0, 0])) as broker, Proxy(broker.port) as proxy:
        listener = await drive(proxy.port, "facility").up()
        broker.hello = CONNACK
        proxy.reset()
        await listener.up(2)
        assert listener.ups == [
            LinkUp(1, session_present=True, session_lost=False),
            LinkUp(2, session_present=False, session_lost=True),
        ]
        await listener.cancel()


async def test_messages_before_suback_come_after_link_up(drive: Drive) -> None:
    order: list[str] = []
    async with FakeBroker(CONNACK + publish("in/a", b"early", mid=1)) as broker:
        listener = drive(broker.port, "facility", on_received=lambda r: order.append("message"))
        listener.session._on_link = lambda event: order.append(type(event).__name__)
        await until(lambda: broker.acks() == [1])
        assert order == ["LinkUp", "message"]
        await listener.cancel()


async def test_refused_subscription_is_a_refusal(drive: Drive) -> None:
    async with FakeBroker() as broker:
        broker.on_packet = lambda first, body: (
            packet(0x90, body[:2] + b"\x00\x87\x00") if first == 0x82 else None
        )
        listener = drive(broker.port, "facility")
        await until(lambda: listener.events)
        assert listener.events == [LinkRefused("subscription to in/# refused: Not authorized")]
        await listener.cancel()


async def test_publish_waits_for_room_in_the_window_and_is_not_sent_late(drive: Drive) -> None:
    window_of_one = bytes([0x20, 6, 0, 0, 3, 0x21, 0, 1])
    async with FakeBroker(window_of_one) as broker:
        speaker = await drive(broker.port, "facility", publish_timeout_seconds=0.1).up()
        broker.on_packet = lambda first, body: b"" if first == 0x32 else None
        with pytest.raises(DeliveryError, match="answer") as first:
            await speaker.say("out/a", b"first")
        with pytest.raises(DeliveryError, match="room") as second:
            await speaker.say("out/a", b"second")
        assert (first.value.uncertain, second.value.uncertain) == (True, False)
        mid = next(body[7:9] for kind, body in broker.packets if kind == 0x32)
        broker.on_packet = lambda first, body: None
        broker.send(packet(0x40, mid))
        await until(lambda: not speaker.session._link._outgoing._unanswered)  # type: ignore[union-attr]
        await speaker.say("out/a", b"third")
        sent = [body for kind, body in broker.packets if kind == 0x32]
        assert [body[10:] for body in sent] == [b"first", b"third"]
        await speaker.cancel()


async def test_who_waits_for_room_learns_of_the_end(drive: Drive) -> None:
    window_of_one = bytes([0x20, 6, 0, 0, 3, 0x21, 0, 1])
    async with FakeBroker(window_of_one) as broker, Proxy(broker.port) as proxy:
        speaker = await drive(proxy.port, "facility", publish_timeout_seconds=5.0).up()
        broker.on_packet = lambda first, body: b"" if first == 0x32 else None
        says = [asyncio.create_task(speaker.say("out/a", b"%d" % n)) for n in range(4)]
        await until(lambda: 0x32 in [kind for kind, _ in broker.packets])
        proxy.reset()
        async with asyncio.timeout(1):
            failures = await asyncio.gather(*says, return_exceptions=True)
        assert [getattr(failure, "uncertain", None) for failure in failures] == [
            True,
            False,
            False,
            False,
        ]
        await speaker.cancel()


async def test_bound_sets_messages_aside_and_fetches_them_by_a_new_link(drive: Drive) -> None:
    async with FakeBroker() as broker:
        listener = await drive(
            broker.port, "facility", ack=False, unacknowledged_max=2, receive_maximum=2
        ).up()
        for mid in range(1, 6):
            broker.send(publish("in/a", b"%d" % mid, mid=mid))
        broker.send(publish("in/a", b"at QoS 0"))
        await until(lambda: b"at QoS 0" in listener.payloads)
        assert listener.payloads == [b"1", b"2", b"at QoS 0"]
        await listener.say("out/a", b"commands still leave")
        for received in listener.received[:2]:
            listener.session.acknowledge(received)
        await listener.up(2)
        assert broker.acks() == [1, 2]
        assert 0xE0 in [kind for kind, _ in broker.packets]  # DISCONNECT: no last will
        assert listener.downs == [LinkDown(1, "rebuilt to fetch the backlog", taken_over=False)]
        await listener.cancel()
