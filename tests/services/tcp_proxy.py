"""A TCP proxy that fails on demand, between a client and a server that both work."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

HOST = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, zero seconds: close sends RST
Mode = Literal["pass", "delay", "blackhole", "reset", "refuse"]


class TcpProxy:
    """What the network does now is `set`; it holds for open connections and for new ones.

    pass: bytes go through. delay: each piece waits first. blackhole: nothing goes through and
    nothing is closed; what was held back goes on when the mode changes, as TCP does when a network
    heals. reset: connections are cut with RST, new ones at once. refuse: cut, and no longer
    accepted. Apart from that, `lose_answers` cuts single connections at a chosen answer.
    """

    def __init__(self, upstream: tuple[str, int] | Path) -> None:
        self.host = HOST
        self._upstream = upstream
        self._mode: Mode = "pass"
        self._delay_seconds = 0.0
        self._to_lose: Callable[[bytes], bool] | None = None
        self._lose_count = 0
        self._open = asyncio.Event()
        self._links: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None
        # Bound and never listening: keeps the port ours while it refuses.
        self._holder = self._bound(0)
        self.port = int(self._holder.getsockname()[1])

    async def set(self, mode: Mode, *, delay_seconds: float = 0.0) -> None:
        self._mode = mode
        self._delay_seconds = delay_seconds if mode == "delay" else 0.0
        if mode == "refuse" and self._server:
            self._server.close()
            self._server = None
        if mode in {"reset", "refuse"}:
            await self._cut()  # first, or what a blackhole held back would go on
        if mode == "blackhole":
            self._open.clear()
        else:
            self._open.set()
        if mode != "refuse" and self._server is None:
            self._server = await asyncio.start_server(self._accepted, sock=self._bound(self.port))

    def lose_answers(self, which: Callable[[bytes], bool], count: int = 1) -> None:
        """Keep back the next `count` pieces from upstream that `which` picks; each costs its client
        the connection, by RST. The request has gone through: only the client does not know."""
        self._to_lose, self._lose_count = which, count

    @property
    def answers_to_lose(self) -> int:
        """How many of them have not come by yet."""
        return self._lose_count

    async def close(self) -> None:
        await self.set("refuse")
        self._holder.close()

    @staticmethod
    def _bound(port: int) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((HOST, port))
        return bound

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        writers = self._links[task] = [writer]
        try:
            if self._mode == "reset":
                return
            await self._open.wait()
            if isinstance(self._upstream, Path):
                far = await asyncio.open_unix_connection(self._upstream)
            else:
                far = await asyncio.open_connection(*self._upstream)
            writers.append(far[1])
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, far[1]))
                both.create_task(self._copy(far[0], writer, answers=True))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            del self._links[task]
            for one in writers:
                self._end(one)

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        while data := await source.read(65536):
            await asyncio.sleep(self._delay_seconds)
            await self._open.wait()
            if answers and self._lose_count and self._to_lose and self._to_lose(data):
                self._lose_count -= 1
                self._reset(sink)
                return
            sink.write(data)
            await sink.drain()
        await self._open.wait()
        if sink.can_write_eof():
            with suppress(OSError):
                sink.write_eof()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        if self._mode in {"reset", "refuse"}:
            self._reset(writer)
        else:
            writer.close()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        writer.transport.abort()

    async def _cut(self) -> None:
        for link in (links := list(self._links)):
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)


@asynccontextmanager
async def tcp_proxy(upstream: tuple[str, int] | Path) -> AsyncIterator[TcpProxy]:
    """A proxy in front of a port or of a Unix socket, in mode "pass", on a free port."""
    proxy = TcpProxy(upstream)
    await proxy.set("pass")
    try:
        yield proxy
    finally:
        await proxy.close()
