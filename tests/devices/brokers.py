"""Real brokers on ports of the loopback, and a proxy that can fail."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import iotcore
import pytest

_RUMQTTD = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v4.1]
name = "v4"
listen = "127.0.0.1:{port_v4}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
"""


class Rumqttd:
    """The broker of the embedded default; its sessions live in memory only."""

    name = "rumqttd"

    def __init__(self, folder: Path, port: int, port_v4: int) -> None:
        self.port = port
        path = folder / "rumqttd.toml"
        path.write_text(_RUMQTTD.format(port=port, port_v4=port_v4))
        self._broker = iotcore.Broker(config_path=str(path))

    def start(self) -> None:
        self._broker.start()

    def stop(self) -> None:
        self._broker.stop()


class Mosquitto:
    """Mosquitto with the given lines of configuration, its session store in the folder."""

    name = "mosquitto"

    def __init__(
        self, folder: Path, port: int, lines: Sequence[str] = ("allow_anonymous true",)
    ) -> None:
        self._program = mosquitto_program()
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "set_tcp_nodelay true",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "max_queued_messages 0",
                    *lines,
                    "",
                ]
            )
        )
        if os.geteuid() == 0:  # otherwise it drops to its own user, who cannot read the folder
            with self._config.open("a") as config:
                config.write("user root\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "mosquitto ended at once"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto does not listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(5)
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


Broker = Rumqttd | Mosquitto


def mosquitto_program() -> str:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        if os.environ.get("GATED_REQUIRE_SERVICES") == "1":
            pytest.fail("mosquitto is not installed")
        pytest.skip("mosquitto is not installed")
    return program


class Proxy:
    """A TCP proxy: `pass` forwards, `hole` takes bytes and forwards none, `reset` cuts off."""

    def __init__(self, port: int) -> None:
        self.mode: Literal["pass", "hole"] = "pass"
        self.port = 0
        self.connections = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pipes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        for source, sink in ((reader, there[1]), (there[0], writer)):
            self._pipes.add(asyncio.create_task(self._pipe(source, sink)))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                if self.mode == "pass":
                    sink.write(data)
                    await sink.drain()
        sink.transport.abort()
