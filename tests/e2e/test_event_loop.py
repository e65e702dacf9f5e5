"""The MQTT session on uvloop, which the daemon runs on and no other suite does."""

import asyncio
import os
import random
import socket
import struct

import uvloop

from gated.app import SystemClock
from gated.devices.mqtt import BrokerSettings, LinkDown, LinkEvent, Received, Session

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
MESSAGES = 5


def test_a_reset_behind_the_last_data_is_noticed() -> None:
    """The kernel tells of data and reset at once; uvloop then lets paho read one packet only."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        down, received = runner.run(_told_when_reset())
    assert down.reason == "Connection reset by peer"
    assert received
    assert received[0].payload == b"1"


async def _told_when_reset() -> tuple[LinkDown, list[Received]]:
    loop = asyncio.get_running_loop()
    down: asyncio.Future[LinkDown] = loop.create_future()
    received: list[Received] = []

    def on_link(event: LinkEvent) -> None:
        if isinstance(event, LinkDown) and not down.done():
            down.set_result(event)

    server = await asyncio.start_server(_broker_that_resets, "127.0.0.1", 0)
    session = Session(
        BrokerSettings("127.0.0.1", server.sockets[0].getsockname()[1], heartbeat_seconds=60),
        client_id="gated-test",
        filters=[("a/b", 1)],
        will=None,
        birth=None,
        on_received=received.append,
        on_link=on_link,
        clock=SystemClock(),
        random=random.Random(1),
        heartbeat_topic="gated-test/heartbeat",
    )
    running = asyncio.create_task(session.run())
    try:
        return await asyncio.wait_for(down, 10), received
    finally:
        running.cancel()
        await asyncio.wait({running})
        server.close()
        await server.wait_closed()


async def _broker_that_resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the client in, and then dies with messages on the way."""
    await _packet(reader)  # CONNECT
    writer.write(bytes([0x20, 3, 0, 0, 0]))
    subscribe = await _packet(reader)
    writer.write(bytes([0x90, 5, *subscribe[:2], 0, 1, 0]))
    await _packet(reader)  # the first heartbeat: the client is up
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as connection:
        # One call, and the reset right behind it: the client's loop cannot run in between.
        connection.send(b"".join(_publish(number) for number in range(1, MESSAGES + 1)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """The body of the next packet; all of them are shorter than 128 bytes here."""
    _, length = await reader.readexactly(2)
    return await reader.readexactly(length)


def _publish(number: int) -> bytes:
    """A QoS 1 PUBLISH of MQTT 5 on a/b without properties."""
    body = struct.pack(">H", 3) + b"a/b" + struct.pack(">H", number) + b"\0" + b"%d" % number
    return bytes([0x32, len(body)]) + body
