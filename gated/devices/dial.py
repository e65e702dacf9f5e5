"""How to reach the broker, and how to part: its settings, an open socket, TLS included.

Everything runs on the event loop and can be cancelled at any await; aiomqtt 2.5.1 would connect
in an executor thread, which a cancelled task leaves behind. MQTT itself is left to others.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

# Less than whoever closes a link waits in all.
_BROKER_CLOSES_SECONDS_MAX = 0.5


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """PEM files. `ca_file` None means the system's authorities; `verify` False trusts anyone."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and how patient we are with it.

    `session_expiry_seconds`: how long the broker keeps queueing for us while we are away.
    `heartbeat_seconds`: a link on which two own beats in a row stay unheard is rebuilt.
    `reconnect_delay_seconds_max`: ceiling of the exponential back-off (full jitter, from 0.1 s).
    `receive_maximum`: unacknowledged messages that we ask the broker to stop at.
    `unacknowledged_max`: unacknowledged messages at which we stop taking more in, for brokers
    that do not keep to `receive_maximum`; must be the larger of the two.
    `payload_bytes_max`: longer payloads are cut there and handed on as defective.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    tls: TlsSettings | None = None
    keepalive_seconds: int = 5
    session_expiry_seconds: int = 86_400
    connect_timeout_seconds: float = 5.0
    publish_timeout_seconds: float = 2.0
    heartbeat_seconds: float = 5.0
    reconnect_delay_seconds_max: float = 5.0
    receive_maximum: int = 100
    unacknowledged_max: int = 1_000
    payload_bytes_max: int = 65_536

    def __post_init__(self) -> None:
        if self.unacknowledged_max < self.receive_maximum:
            raise ValueError("unacknowledged_max is below receive_maximum")
        if self.keepalive_seconds < 1 or self.heartbeat_seconds <= 0:
            raise ValueError("keepalive and heartbeat must be above 0: a dead link must be seen")

    @property
    def place(self) -> str:
        """`host:port`, for logs."""
        return f"{self.host}:{self.port}"


async def dial(settings: BrokerSettings) -> socket.socket:
    """Open a non-blocking socket to the broker, the TLS handshake done.

    TCP_NODELAY is set: without it every exchange with a broker that delays its ACKs costs 44 ms.
    Raises OSError (ssl.SSLError is one). Has no deadline of its own.
    """
    # Loading the authorities reads files: not on the event loop.
    context = await asyncio.to_thread(_tls_context, settings.tls) if settings.tls else None
    sock = await _connect(settings.host, settings.port)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is None:
            return sock
        tls_sock = context.wrap_socket(
            sock, do_handshake_on_connect=False, server_hostname=settings.host
        )
        sock = tls_sock  # the plain one is detached now
        await _handshake(tls_sock)
    except BaseException:
        sock.close()
        raise
    return tls_sock


async def hang_up(sock: socket.socket) -> None:
    """Close a socket whose last bytes must arrive: ends when the broker has closed as well.

    A plain close() with bytes unread resets the connection, and the broker then loses what it
    has not read yet: the last acknowledgements, and the DISCONNECT that keeps the will back.

    The broker closes first: after DISCONNECT it has to. rumqttd 0.20, when its peer is faster, ends
    the connection twice, and the second time it ends whoever has connected since (seen here).
    """
    with sock, contextlib.suppress(OSError):
        sock.setblocking(False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BROKER_CLOSES_SECONDS_MAX):
                await _read_out(sock)
                return
        sock.shutdown(socket.SHUT_WR)
        await _read_out(sock)


async def _read_out(sock: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(sock, 65_536):
        pass


async def _connect(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:  # an address needs no resolver, hence no thread
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _tls_context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context


async def _handshake(sock: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, loop.add_reader, loop.remove_reader)
        except ssl.SSLWantWriteError:
            await _ready(sock, loop.add_writer, loop.remove_writer)
        else:
            return


async def _ready(
    sock: socket.socket,
    add: Callable[[int, Callable[[], None]], None],
    remove: Callable[[int], bool],
) -> None:
    ready = asyncio.Event()
    descriptor = sock.fileno()
    add(descriptor, ready.set)
    with contextlib.ExitStack() as stack:
        stack.callback(remove, descriptor)
        await ready.wait()
