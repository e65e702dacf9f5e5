"""MQTT clients that leave a broker as it can bear: see `gated.devices.dial.hang_up`."""

import asyncio
import os
import socket
from contextlib import suppress
from types import TracebackType

import aiomqtt

from gated.devices.dial import hang_up
from gated.devices.paho_seams import paho_of

LEAVE_SECONDS_MAX = 5.0


class Client(aiomqtt.Client):
    """aiomqtt's, but that it lets the broker close the connection first."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        sock = paho_of(self).socket()
        # paho closes its own as soon as DISCONNECT is written.
        kept = socket.socket(fileno=os.dup(sock.fileno())) if sock is not None else None
        try:
            await super().__aexit__(exc_type, exc, tb)
        finally:
            if kept is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LEAVE_SECONDS_MAX):
                        await hang_up(kept)
