"""Every private name of aiomqtt 2.5.1 and paho-mqtt 2.2.0 that gated touches, and why.

Each function is one such seam; a contract test per name fails when a new version moves it.
What is done with them is `gated.devices.mqtt_link`'s affair.
"""

import asyncio
import socket
from collections.abc import Callable

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

VERSIONS = {"aiomqtt": "2.5.1", "paho-mqtt": "2.2.0"}

PRIVATE_NAMES_AIOMQTT = ("_client", "_disconnected", "_misc_task")
PRIVATE_NAMES_PAHO = ("_create_socket", "_handle_publish", "_in_packet", "_sock_close")


def paho_of(client: aiomqtt.Client) -> PahoClient:
    """The paho client inside: manual acknowledgement and reason codes are reached only there."""
    return client._client  # noqa: SLF001


def watch_callback_failure(client: aiomqtt.Client, failed: Callable[[BaseException], None]) -> None:
    """Call `failed` with what a read callback raised.

    aiomqtt catches everything that paho's `loop_read` raises and stores it in this future, for
    its message iterator, which gated does not use; the socket stays open and registered.
    """

    def done(future: asyncio.Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            failed(error)

    client._disconnected.add_done_callback(done)  # noqa: SLF001


def misc_task_of(client: aiomqtt.Client) -> asyncio.Task[None] | None:
    """The task that drives paho's keepalive: to be awaited, so that closing leaves none behind."""
    return client._misc_task  # noqa: SLF001


def use_socket(paho: PahoClient, sock: socket.socket) -> None:
    """Let paho's next `connect()` use this open socket instead of a blocking dial of its own."""
    paho._create_socket = lambda: sock  # type: ignore[method-assign]  # noqa: SLF001


def close_socket(paho: PahoClient) -> None:
    """Close the connection at once, without DISCONNECT, and take it off the event loop."""
    paho._sock_close()  # noqa: SLF001


def take_publishes(paho: PahoClient, take: Callable[[int, bytearray], None]) -> None:
    """Hand each PUBLISH, undecoded, to `take`: its first byte and what follows the length.

    paho's own decoder drops the connection on properties that it dislikes (U+FEFF in a string,
    a payload format of 0xFF), before any callback, so such a message would never be
    acknowledged and would come back at every reconnect. `take` raises ValueError where the
    stream itself is broken; that does end the connection.
    """

    def handle() -> MQTTErrorCode:
        packet = paho._in_packet  # noqa: SLF001
        try:
            take(packet["command"], packet["packet"])
        except ValueError as error:
            raise MalformedPacket(str(error)) from error
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    paho._handle_publish = handle  # type: ignore[method-assign]  # noqa: SLF001
