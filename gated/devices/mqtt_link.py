"""One connection to the broker, used once: a reconnect is a new `Link` with the next number.

A paho client that is connected again keeps its message ids and sends its old, unacknowledged
publishes again: an old "open" would leave late. So nothing here survives a connection. When to
connect, what to acknowledge and what a message means is `gated.devices.mqtt`'s affair.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gated.core.errors import DeliveryError, GatedError
from gated.devices import paho_seams
from gated.devices.dial import BrokerSettings, dial, hang_up
from gated.devices.outgoing import Outgoing
from gated.devices.publish_packet import PublishPacket, decode_publish
from gated.records import Publication

_SESSION_TAKEN_OVER = 0x8E
_DISCONNECT_SECONDS_MAX = 1.0


class RefusedError(GatedError):
    """The broker could not be reached, or would not have us."""


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """Why a link ended.

    `polite`: we end it ourselves, by DISCONNECT, so that the broker keeps the last will back.
    `fault`: an exception out of the message callback, a bug of ours.
    """

    reason: str
    taken_over: bool = False
    polite: bool = False
    fault: Exception | None = None


class Link:
    """One connection of one client id, from dialling to closing.

    `ended` is set exactly once, whatever ends the link first. `on_packet` is called for each
    PUBLISH, in order of arrival, from the reader callback: it must be quick and must not raise.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        number: int,
        will: Publication | None,
        on_packet: Callable[[PublishPacket], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.session_present = False
        self.ended: asyncio.Future[LinkEnd] = loop.create_future()
        self._settings = settings
        self._on_packet = on_packet
        self._accepted: asyncio.Future[None] = loop.create_future()
        self._outgoing = Outgoing(self._send)
        self._complaints = _Complaints()
        self._client = aiomqtt.Client(
            settings.host,
            settings.port,
            identifier=client_id,
            username=settings.username,
            password=settings.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            logger=self._complaints,
        )
        paho_seams.watch_callback_failure(self._client, self._callback_failed)
        self._paho = self._prepared(paho_seams.paho_of(self._client))

    def _prepared(self, paho: PahoClient) -> PahoClient:
        loop = asyncio.get_running_loop()

        def on_socket_register_write(_client: PahoClient, _data: object, sock: Any) -> None:
            # aiomqtt registers a loop iteration later: one more wake-up per publish, and by
            # then the descriptor may be closed, or be another connection's.
            try:
                loop.add_writer(sock.fileno(), self._write)
            except RuntimeError:
                self._unwatched(sock)

        opened = paho.on_socket_open
        assert opened is not None

        def on_socket_open(client: PahoClient, data: object, sock: Any) -> None:
            opened(client, data, sock)
            loop.call_soon(self._watch, sock)  # aiomqtt registers its reader the same way, before

        paho.on_socket_open = on_socket_open
        paho.on_connect = self._on_connect
        paho.on_disconnect = self._on_disconnect
        paho.on_publish = self._on_publish
        paho.on_socket_register_write = on_socket_register_write
        paho.manual_ack_set(True)
        # No limit in paho, which would queue what exceeds it: `Outgoing` keeps the window.
        paho.max_inflight_messages_set(0)
        paho_seams.take_publishes(paho, self._take_publish)
        return paho

    async def open(self, filters: Sequence[tuple[str, int]]) -> None:
        """Connect and subscribe. Raises RefusedError; the link must be closed in any case."""
        settings = self._settings
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_expiry_seconds
        properties.ReceiveMaximum = settings.receive_maximum
        try:
            async with asyncio.timeout(settings.connect_timeout_seconds):
                paho_seams.use_socket(self._paho, await dial(settings))
                self._paho.connect(
                    settings.host,
                    settings.port,
                    settings.keepalive_seconds,
                    clean_start=False,
                    properties=properties,
                )
                await self._unless_ended(self._accepted)
                await self._subscribe(filters)
        except TimeoutError:
            raise RefusedError(f"no answer in {settings.connect_timeout_seconds:g} s") from None
        except ssl.SSLError as error:
            raise RefusedError(f"TLS: {error}") from error
        except OSError as error:
            raise RefusedError(str(error) or type(error).__name__) from error

    async def _subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        # Retained messages come at every connect, marked as retained; a live message that its
        # sender wished retained comes unmarked (retainAsPublished False), so it is a trigger.
        wanted = [(topic, SubscribeOptions(qos=qos)) for topic, qos in filters]
        subscribing: Coroutine[Any, Any, Any] = self._client.subscribe(wanted)
        try:
            codes = await self._unless_ended(subscribing)
        except aiomqtt.MqttError as error:
            raise RefusedError(f"cannot subscribe: {error}") from error
        for (topic, _), code in zip(filters, codes, strict=True):
            if code.is_failure:
                raise RefusedError(f"subscription to {topic} refused: {code}")

    async def _unless_ended(self, awaited: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> Any:
        task = asyncio.ensure_future(awaited)
        try:
            await asyncio.wait({task, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        # A CONNACK and a disconnect may arrive in one burst, so `ended` has the last word:
        # aiomqtt 2.5.1 loses that disconnect.
        if self.ended.done():
            raise RefusedError(self.ended.result().reason)
        return task.result()

    async def publish(self, publication: Publication, timeout_seconds: float) -> None:
        """Publish, and at QoS 1 wait for the broker's answer. Raises DeliveryError."""
        await self._outgoing.publish(publication, timeout_seconds)

    def publish_soon(self, publication: Publication) -> None:
        """Hand a QoS 0 message to the socket and wait for nothing. Raises DeliveryError."""
        self._outgoing.publish_soon(publication)

    def acknowledge(self, mid: int) -> None:
        """Send the PUBACK for a QoS 1 message of this link. The order is the caller's affair."""
        self._paho.ack(mid, 1)

    def end(self, end: LinkEnd) -> None:
        """Declare the link over, if it is not yet; whoever watches `ended` closes it."""
        if self.ended.done():
            return
        self.ended.set_result(end)
        self._outgoing.lose(end.reason)

    async def close(self, *, farewell: bool) -> None:
        """Close; with `farewell` by DISCONNECT, so that the broker keeps the last will back.

        Takes at most a second, and that only with a farewell on a link that does not drain.
        """
        try:
            if farewell and self._paho.is_connected():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_DISCONNECT_SECONDS_MAX):
                        await self._disconnect()
        finally:
            paho_seams.close_socket(self._paho)
            self.end(LinkEnd("farewell" if farewell else "closed"))
            if (task := paho_seams.misc_task_of(self._client)) is not None:
                task.cancel()
                await asyncio.wait({task})

    async def _disconnect(self) -> None:
        written: asyncio.Future[socket.socket | None] = asyncio.get_running_loop().create_future()

        def on_disconnect(paho: PahoClient, *_: object) -> None:
            # DISCONNECT is written, and paho closes its socket as soon as this returns: a
            # second descriptor keeps the connection from being reset by that.
            sock = paho.socket()
            if not written.done():
                written.set_result(socket.socket(fileno=os.dup(sock.fileno())) if sock else None)

        self._paho.on_disconnect = on_disconnect
        self._paho.disconnect()
        try:
            await written
        finally:
            sock = written.result() if written.done() and not written.cancelled() else None
            if sock is not None:
                await hang_up(sock)

    # ── callbacks, all on the event loop's thread ───────────────────────────────────────────

    def _on_connect(
        self,
        _client: PahoClient,
        _data: object,
        flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._accepted.done():
            return
        if code.is_failure:
            self.end(LinkEnd(str(code)))
            return
        self.session_present = bool(flags.session_present)
        self._outgoing.limit(getattr(properties, "ReceiveMaximum", None))
        self._accepted.set_result(None)

    def _on_disconnect(
        self,
        _client: PahoClient,
        _data: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.end(LinkEnd(str(code), taken_over=code.value == _SESSION_TAKEN_OVER))
        elif code.getName() == "Unspecified error":  # paho's name for a lost connection
            self.end(LinkEnd(self._complaints.last or "closed by the broker"))
        else:
            self.end(LinkEnd(str(code)))

    def _on_publish(
        self,
        _client: PahoClient,
        _data: object,
        mid: int,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._outgoing.answered(mid, f"{code} (0x{code.value:02X})" if code.is_failure else None)

    def _take_publish(self, command: int, body: bytearray) -> None:
        packet = decode_publish(command, body, self._settings.payload_bytes_max)
        try:
            self._on_packet(packet)
        except Exception as error:  # out of a callback there is no caller: hand it to the owner
            self.end(LinkEnd(f"{type(error).__name__} while taking a message", fault=error))
            paho_seams.close_socket(self._paho)  # else it would be read, and raise, once more
            raise

    def _watch(self, sock: socket.socket) -> None:
        """Call `_read` when something has arrived. Run again after each read, for uvloop's sake.

        A connection that was reset behind its last data is read from once more by uvloop 0.23,
        which then drops the descriptor without a word: paho has taken one packet by then and has
        not seen the error, and the link would be deaf until the heartbeat is missed.
        """
        if self._paho.socket() is not sock or self.ended.done():
            return
        try:
            asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)
        except RuntimeError:
            self._unwatched(sock)

    def _read(self, sock: socket.socket) -> None:
        try:
            self._paho.loop_read()
            # What TLS has decrypted already makes no descriptor readable.
            while self._paho.socket() is sock and getattr(sock, "pending", int)() > 0:
                self._paho.loop_read()
        except Exception as error:  # noqa: BLE001 - out of a callback there is no caller
            self._callback_failed(error)
        else:
            asyncio.get_running_loop().call_soon(self._watch, sock)

    def _unwatched(self, sock: socket.socket) -> None:
        """The event loop has given the descriptor up: the connection is lost."""
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.end(LinkEnd(os.strerror(error) if error else "connection lost"))

    def _callback_failed(self, error: BaseException) -> None:
        self.end(LinkEnd(f"{type(error).__name__} while reading"))

    def _send(self, publication: Publication) -> int:
        if self.ended.done():
            raise DeliveryError(f"no link: {self.ended.result().reason}", uncertain=False)
        topic = publication.topic
        if not topic or "\0" in topic:  # paho would send it, and the broker cut the link
            raise DeliveryError(f"{topic!r} is no topic", uncertain=False)
        try:
            info = self._paho.publish(
                topic, publication.payload, publication.qos, publication.retain
            )
        except ValueError as error:  # a wildcard, a lone surrogate
            raise DeliveryError(f"cannot be published: {error}", uncertain=False) from error
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise DeliveryError(f"not sent: {info.rc.name}", uncertain=False)
        return info.mid

    def _write(self) -> None:
        try:
            self._paho.loop_write()
        except BaseException:
            paho_seams.close_socket(self._paho)  # else the writer would spin
            self.end(LinkEnd("failed while writing"))
            raise


class _Complaints(logging.Logger):
    """Keeps what paho complained of last: the cause of a loss is only logged. Passes on nothing."""

    def __init__(self) -> None:
        super().__init__(__name__, logging.WARNING)
        self.last = ""

    def handle(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
