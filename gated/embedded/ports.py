"""Ports of the loopback that stay ours, also while the server that answers there is down."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

HOST = "127.0.0.1"


@contextmanager
def held_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody else is given for the duration of the block. Nobody answers there at first.

    Whoever asks for any free port, or connects from one, could otherwise get it between our choice
    and the start of our server, or while that restarts. A socket that is bound and never listens
    keeps the port. A server that names it may listen there all the same if it sets SO_REUSEADDR, as
    rumqttd, Mosquitto and asyncio do (seen on Linux 6.18). Other systems refuse that second bind:
    there the ports are free ones at the start of the block, and no more.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((HOST, 0))
        ports = [int(one.getsockname()[1]) for one in sockets]
        if sys.platform != "linux":
            held.close()
        yield ports
