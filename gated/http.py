"""The small HTTP server for monitoring: /metrics, /healthz and /readyz.

It knows nothing of the daemon's parts: whoever starts it says how to ask for their readiness.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog
from aiohttp import web

from gated.core.errors import ConfigError
from gated.telemetry import Metrics
from gated.telemetry.redact import text

# A scrape takes milliseconds: whoever still hangs on then is not worth the wait.
SHUTDOWN_SECONDS_MAX = 1.0
KEEPALIVE_SECONDS = 75.0
LOOPBACK = "127.0.0.1"

Readiness = Callable[[], Mapping[str, str | None]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Address(NamedTuple):
    """Where the server listens: the port is the real one, also when 0 was asked for."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The root of the server's pages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def serve(
    host: str, port: int, metrics: Metrics, readiness: Readiness
) -> AsyncIterator[Address]:
    """Serve until the block ends, then close within seconds whatever clients do.

    `readiness` names the parts that this daemon owns, each with None if it is ready, else with
    the reason why not. Raises ConfigError (`http.host`, `http.port`) if it cannot listen there.
    """
    runner = web.AppRunner(
        _application(metrics, readiness),
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        # aiohttp 3.14 waits this long twice: for the handler, then for its cancellation.
        shutdown_timeout=SHUTDOWN_SECONDS_MAX / 2,
    )
    await runner.setup()
    try:
        address = await _listen(runner, host, port)
        yield address
    finally:
        try:
            await asyncio.wait_for(runner.cleanup(), 2 * SHUTDOWN_SECONDS_MAX)
        except TimeoutError:
            _log.warning("http.stop_overdue", seconds=2 * SHUTDOWN_SECONDS_MAX)


async def _listen(runner: web.AppRunner, host: str, port: int) -> Address:
    try:
        await web.TCPSite(runner, host, port).start()
    except socket.gaierror as error:
        raise ConfigError(f"{host} is not known: {error.strerror}", key="http.host") from error
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}, port {port}: {error.strerror}", key="http.port"
        ) from error
    bound_host, bound_port, *_ = runner.addresses[0]
    return Address(bound_host, bound_port)


def _application(metrics: Metrics, readiness: Readiness) -> web.Application:
    async def scrape(request: web.Request) -> web.Response:
        metrics.refresh()
        accept = request.headers.get("Accept", "")
        body, content_type = await asyncio.to_thread(metrics.encode, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(_request: web.Request) -> web.Response:
        # That this is answered at all is the news: the event loop turns.
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        waiting = [
            {"part": part, "reason": text(reason)}
            for part, reason in readiness().items()
            if reason is not None
        ]
        return web.json_response(
            {"ready": not waiting, "waiting": waiting}, status=503 if waiting else 200
        )

    application = web.Application()
    application.router.add_get("/metrics", scrape)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    return application
