"""MQTT 5 by hand: a bare client to send what no library would, and a broker that misbehaves."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

CONNACK = bytes([0x20, 3, 0, 0, 0])


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + number(len(body)) + body


def publish(
    topic: str | bytes,
    payload: bytes,
    *,
    mid: int = 0,
    properties: bytes = b"",
    properties_length: bytes | None = None,
) -> bytes:
    """A PUBLISH, at QoS 1 where there is a message id; `properties` go in as they are."""
    length = number(len(properties)) if properties_length is None else properties_length
    middle = mid.to_bytes(2, "big") if mid else b""
    return packet(0x32 if mid else 0x30, text(topic) + middle + length + properties + payload)


def connect(client_id: str) -> bytes:
    return packet(0x10, text("MQTT") + bytes([5, 2, 0, 60, 0]) + text(client_id))


class RawClient:
    """Connects, sends bytes, and says whether the broker kept the connection."""

    def __init__(self, port: int, client_id: str) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.sendall(connect(client_id))
        assert self._read()[0] == 0x20

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def sends(self, data: bytes) -> bool:
        """Send a QoS 1 PUBLISH; True if the broker answered with PUBACK."""
        try:
            self._sock.sendall(data)
            return self._read()[0] == 0x40
        except (OSError, EOFError):
            return False

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _read(self) -> tuple[int, bytes]:
        first, length = self._exactly(2)
        return first, self._exactly(length)


class FakeBroker:
    """Answers CONNECT by `hello` and SUBSCRIBE by success, and notes every packet it gets."""

    def __init__(self, hello: bytes = CONNACK) -> None:
        self.hello = hello
        self.port = 0
        self.packets: list[tuple[int, bytes]] = []
        self.connections = 0
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_packet: Callable[[int, bytes], bytes | None] = lambda first, body: None

    async def __aenter__(self) -> "FakeBroker":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    def acks(self) -> list[int]:
        """The message ids of the PUBACKs received, in order."""
        return [int.from_bytes(body[:2], "big") for first, body in self.packets if first == 0x40]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    first = (await reader.readexactly(1))[0]
                    length, shift = 0, 0
                    while True:
                        digit = (await reader.readexactly(1))[0]
                        length |= (digit & 0x7F) << shift
                        shift += 7
                        if digit < 0x80:
                            break
                    body = await reader.readexactly(length)
                    self.packets.append((first, body))
                    writer.write(self._answer(first, body))
        finally:
            writer.transport.abort()

    def _answer(self, first: int, body: bytes) -> bytes:
        if (answer := self.on_packet(first, body)) is not None:
            return answer
        match first & 0xF0:
            case 0x10:
                return self.hello
            case 0x80:
                return packet(0x90, body[:2] + b"\x00" + bytes(_filters_count(body)))
            case 0x30 if first & 0x06:
                topic_end = 2 + int.from_bytes(body[:2], "big")
                return packet(0x40, body[topic_end : topic_end + 2])
            case 0x30:
                return packet(first, body)  # the heartbeat comes back
            case 0xC0:
                return packet(0xD0, b"")
            case _:
                return b""


def _filters_count(subscribe: bytes) -> int:
    at, count = 3, 0  # message id and an empty list of properties
    while at < len(subscribe):
        at += 2 + int.from_bytes(subscribe[at : at + 2], "big") + 1
        count += 1
    return count
