"""The life of the link: coming up, being lost, coming back, parting."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from gated.core.errors import DeliveryError
from gated.devices import paho_seams
from gated.devices.mqtt import (
    LinkDown,
    LinkRefused,
    LinkUp,
    Publication,
    RivalSeen,
    Session,
)
from tests.devices.brokers import Broker, Mosquitto, Proxy, Rumqttd
from tests.devices.driver import Driver, until

Drive = Callable[..., Driver]
StartMosquitto = Callable[..., Mosquitto]


def socket_of(session: Session) -> socket.socket:
    assert session._link is not None
    sock = paho_seams.paho_of(session._link._client).socket()
    assert isinstance(sock, socket.socket)
    return sock


async def test_tcp_nodelay_is_set(own_broker: Broker, drive: Drive) -> None:
    listener = await drive(own_broker.port, "facility").up()
    sock = socket_of(listener.session)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_broker_absent_at_start_is_told_once_and_retried(
    rumqttd: Rumqttd, drive: Drive
) -> None:
    rumqttd.stop()
    listener = drive(rumqttd.port, "facility", reconnect_delay_seconds_max=0.02)
    await until(lambda: listener.session._links > 20)
    assert not listener.session.connected
    assert len(listener.events) == 1
    assert isinstance(listener.events[0], LinkRefused)
    rumqttd.start()
    await listener.up()
    assert [type(event) for event in listener.events] == [LinkRefused, LinkUp]


async def test_reconnects_when_the_broker_restarts(own_broker: Broker, drive: Drive) -> None:
    listener = await drive(own_broker.port, "facility").up()
    assert listener.ups[0] == LinkUp(1, session_present=False, session_lost=False)
    own_broker.stop()
    await until(lambda: listener.downs)
    own_broker.start()
    await listener.up(2)
    kept = isinstance(own_broker, Mosquitto)  # rumqttd forgets its sessions: that is an alarm
    assert (listener.ups[1].session_present, listener.ups[1].session_lost) == (kept, not kept)
    await listener.say("in/a", b"1")
    await until(lambda: listener.payloads == [b"1"])


async def test_heartbeat_sees_a_black_hole(own_broker: Broker, drive: Drive) -> None:
    async with Proxy(own_broker.port) as proxy:
        listener = await drive(
            proxy.port, "facility", heartbeat_seconds=0.1, keepalive_seconds=60
        ).up()
        await asyncio.sleep(0.5)  # five beats: a link that answers must not be dropped
        assert listener.downs == []
        proxy.mode = "hole"
        await until(lambda: listener.downs)
        assert listener.downs == [LinkDown(1, "2 heartbeats missed", taken_over=False)]
        with pytest.raises(DeliveryError, match="not connected"):
            await listener.say("out/a", b"x")
        proxy.mode = "pass"
        await listener.up(2)
        await listener.cancel()


async def test_heartbeat_sees_a_stopped_broker(
    start_mosquitto: StartMosquitto, drive: Drive
) -> None:
    broker = start_mosquitto()
    listener = await drive(
        broker.port, "facility", heartbeat_seconds=0.1, connect_timeout_seconds=0.3
    ).up()
    await until(lambda: listener.session._beat_heard)  # or it might not be permitted
    broker.signal(signal.SIGSTOP)
    try:
        await until(lambda: any(isinstance(e, LinkRefused) for e in listener.events))
        assert listener.downs[0].reason == "2 heartbeats missed"
        assert listener.events[-1] == LinkRefused("no answer in 0.3 s")
    finally:
        broker.signal(signal.SIGCONT)
    await listener.up(2)


async def test_a_forbidden_heartbeat_names_its_topic(
    start_mosquitto: StartMosquitto, tmp_path: Path, drive: Drive
) -> None:
    """Mosquitto filters at delivery: neither SUBACK nor a QoS 0 publish tells."""
    (tmp_path / "acl").write_text("topic readwrite in/#\ntopic write beat/#\n")
    broker = start_mosquitto("allow_anonymous true", f"acl_file {tmp_path}/acl")
    listener = await drive(broker.port, "facility", heartbeat_seconds=0.05).up()
    await until(lambda: listener.downs)
    assert listener.downs[0].reason == "2 heartbeats missed; or beat/facility is not permitted"


async def test_heartbeats_are_not_handed_out(own_broker: Broker, drive: Drive) -> None:
    listener = await drive(
        own_broker.port, "facility", heartbeat_seconds=0.02, filters=[("#", 1)]
    ).up()
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    await speaker.say("beat/facility", b"forged, and to be acknowledged all the same")
    await speaker.say("in/a", b"1")
    await until(lambda: b"1" in listener.payloads)
    assert {r.topic for r in listener.received} <= {"in/a", "beat/speaker"}
    assert listener.session.unacknowledged == 0
    assert listener.downs == []


async def test_two_under_one_id_do_not_flap(own_broker: Broker, drive: Drive) -> None:
    """Both brokers only close the connection of the one that was there before."""
    ours = drive(own_broker.port, "facility", reconnect_delay_seconds_max=1.0)
    theirs = drive(own_broker.port, "facility", seed=2, reconnect_delay_seconds_max=1.0)
    await until(lambda: len(ours.ups) + len(theirs.ups) > 8)
    seen = len(ours.ups) + len(theirs.ups)
    await asyncio.sleep(2.0)  # the observation; without back-off it would be a thousand
    assert len(ours.ups) + len(theirs.ups) - seen <= 12


async def test_a_rival_under_our_id_is_told_on_coming_back(
    start_mosquitto: StartMosquitto, drive: Drive
) -> None:
    """rumqttd sends no retained messages for a subscription that the session had before."""
    broker = start_mosquitto()
    ours = await drive(broker.port, "facility").up()
    await until(lambda: ours.session._marked)
    await drive(broker.port, "facility", seed=2, reconnect_delay_seconds_max=60.0).up()
    await until(lambda: RivalSeen(len(ours.ups)) in ours.events)


async def test_coming_back_to_our_own_mark_is_no_alarm(own_broker: Broker, drive: Drive) -> None:
    predecessor = await drive(own_broker.port, "facility", seed=2).up()
    await until(lambda: predecessor.session._marked)
    await predecessor.cancel()
    async with Proxy(own_broker.port) as proxy:
        daemon = await drive(proxy.port, "facility").up()
        for links in (2, 3):
            await until(lambda: daemon.session._beat_heard)
            proxy.reset()
            await daemon.up(links)
        await until(lambda: daemon.session._beat_heard)
        assert {type(event) for event in daemon.events} == {LinkUp, LinkDown}
        await daemon.cancel()


async def test_takeover_cuts_the_old_owner_off(own_broker: Broker, drive: Drive) -> None:
    speaker = await drive(own_broker.port, "speaker", filters=[]).up()
    old = await drive(own_broker.port, "facility", ack=False, reconnect_delay_seconds_max=30).up()
    await speaker.say("in/a", b"1", b"2")
    await until(lambda: len(old.received) == 2)
    new = await drive(own_broker.port, "facility").up()
    await until(lambda: len(new.received) == 2)
    await until(lambda: old.downs)
    await old.cancel()
    assert new.payloads == [b"1", b"2"]
    assert new.ups[0].session_present


WILL = Publication("in/daemon", b"offline", retain=True)
BIRTH = Publication("in/daemon", b"online", retain=True)


async def test_birth_then_last_will_when_cancelled(own_broker: Broker, drive: Drive) -> None:
    watcher = await drive(own_broker.port, "watcher").up()
    daemon = await drive(own_broker.port, "facility", filters=[], will=WILL, birth=BIRTH).up()
    await until(lambda: watcher.payloads == [b"online"])
    await daemon.cancel()
    await until(lambda: watcher.payloads == [b"online", b"offline"])


async def test_farewell_speaks_once_and_keeps_the_session(own_broker: Broker, drive: Drive) -> None:
    watcher = await drive(own_broker.port, "watcher").up()
    daemon = await drive(own_broker.port, "facility", will=WILL, birth=BIRTH, ack=False).up()
    await until(lambda: watcher.payloads == [b"online"])
    await daemon.session.farewell(Publication("in/daemon", b"goodbye", retain=True))
    await asyncio.wait_for(daemon.task, 10)
    assert daemon.downs == [LinkDown(1, "farewell", taken_over=False)]
    await watcher.say("in/other", b"later")
    await until(lambda: watcher.payloads == [b"online", b"goodbye", b"later"])
    again = await drive(own_broker.port, "facility").up()
    assert again.ups[0].session_present
    await until(lambda: b"later" in again.payloads)


async def test_farewell_into_a_hole_is_bounded(own_broker: Broker, drive: Drive) -> None:
    async with Proxy(own_broker.port) as proxy:
        daemon = await drive(proxy.port, "facility", will=WILL, publish_timeout_seconds=0.2).up()
        proxy.mode = "hole"
        async with asyncio.timeout(2.5):  # with the usual time-out it would be three
            await daemon.session.farewell()
            await daemon.task


@pytest.mark.parametrize("mode", ["pass", "hole"])
async def test_a_cancelled_run_leaves_nothing_behind(
    own_broker: Broker, drive: Drive, mode: str
) -> None:
    async with Proxy(own_broker.port) as proxy:
        tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
        daemon = await drive(proxy.port, "facility", will=WILL, birth=BIRTH).up()
        link, sock = daemon.session._link, socket_of(daemon.session)
        assert link is not None
        proxy.mode = mode  # type: ignore[assignment]
        async with asyncio.timeout(1.0):
            await daemon.cancel()
        assert sock.fileno() == -1
        assert paho_seams.paho_of(link._client).socket() is None
        ours = {task for task in asyncio.all_tasks() - tasks if not _of_the_proxy(task)}
        assert ours == set()
        assert set(threading.enumerate()) == threads


def _of_the_proxy(task: asyncio.Task[object]) -> bool:
    return "Proxy" in repr(task.get_coro())


async def test_cancelled_while_connecting_leaves_nothing_behind(drive: Drive) -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        assert await reader.read(1)
        await reader.read()
        closed.set()
        writer.transport.abort()

    connected, closed = asyncio.Event(), asyncio.Event()
    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    daemon = drive(server.sockets[0].getsockname()[1], "facility")
    await connected.wait()
    await daemon.cancel()
    await asyncio.wait_for(closed.wait(), 10)
    left = {t for t in asyncio.all_tasks() - tasks if "never_answer" not in repr(t.get_coro())}
    assert left == set()
    assert set(threading.enumerate()) == threads
    server.close()


def test_works_on_uvloop(rumqttd: Rumqttd) -> None:
    async def main() -> None:
        driver = await Driver(rumqttd.port, "facility", heartbeat_seconds=0.05).up()
        await driver.say("in/a", *(b"%d" % n for n in range(20)))
        await until(lambda: len(driver.received) == 20)
        rumqttd.stop()
        await until(lambda: driver.downs)
        rumqttd.start()
        await driver.up(2)
        await driver.session.farewell()
        await driver.task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
