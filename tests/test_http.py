"""The monitoring server over real sockets: its three pages, its address, and its end."""

import asyncio
import threading
import time
from collections.abc import Mapping

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gated.core.errors import ConfigError
from gated.core.ids import Slug
from gated.http import LOOPBACK, SHUTDOWN_SECONDS_MAX, Address, serve
from gated.telemetry import Metrics


class Parts:
    """A daemon's readiness, as a test wants it."""

    def __init__(self, parts: Mapping[str, str | None] | None = None) -> None:
        self.parts = parts or {}

    def __call__(self) -> Mapping[str, str | None]:
        return self.parts


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1.2.3")


async def get(url: str, **headers: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def test_metrics_are_negotiated_and_brought_up_to_date(metrics: Metrics) -> None:
    metrics.before_scrape(lambda: metrics.mqtt_reconnected(Slug("north")))
    async with serve(LOOPBACK, 0, metrics, Parts()) as address:
        status, kind, body = await get(f"{address.url}/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        counts = {one.name: one for one in parse_text(body)}
        assert counts["gated_mqtt_reconnects"].samples[0].value == 1
        status, kind, body = await get(
            f"{address.url}/metrics", Accept="application/openmetrics-text;version=1.0.0"
        )
        assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
        counts = {one.name: one for one in parse_openmetrics(body)}  # type: ignore[no-untyped-call]
        assert counts["gated_mqtt_reconnects"].samples[0].value == 2


async def test_health_is_an_event_loop_that_turns(metrics: Metrics) -> None:
    async with serve(LOOPBACK, 0, metrics, Parts({"database": "away"})) as address:
        assert (await get(f"{address.url}/healthz"))[::2] == (200, "ok\n")


async def test_readiness_names_what_is_missing(metrics: Metrics) -> None:
    parts = Parts()
    async with serve(LOOPBACK, 0, metrics, parts) as address:
        url = f"{address.url}/readyz"
        assert (await get(url))[2] == '{"ready": true, "waiting": []}'
        parts.parts = {
            "mqtt/north": "no link",
            "mqtt/south": None,
            "database": "postgresql://gated:hunter2@db refused",
        }
        status, kind, body = await get(url)
        assert (status, kind) == (503, "application/json; charset=utf-8")
        assert body == (
            '{"ready": false, "waiting": [{"part": "mqtt/north", "reason": "no link"}, '
            '{"part": "database", "reason": "postgresql://gated:***@db refused"}]}'
        )
        parts.parts = {"mqtt/north": None, "database": None}
        assert (await get(url))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/metrics", 405), ("HEAD", "/healthz", 200)],
)
async def test_there_is_nothing_else(metrics: Metrics, method: str, path: str, status: int) -> None:
    async with (
        serve(LOOPBACK, 0, metrics, Parts()) as address,
        aiohttp.ClientSession() as client,
        client.request(method, address.url + path) as response,
    ):
        assert response.status == status


async def test_requests_are_not_logged(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="aiohttp")
    async with serve(LOOPBACK, 0, metrics, Parts()) as address:
        await get(f"{address.url}/healthz")
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []


async def test_a_taken_port_names_the_key(metrics: Metrics) -> None:
    async with serve(LOOPBACK, 0, metrics, Parts()) as address:
        with pytest.raises(ConfigError) as caught:
            async with serve(LOOPBACK, address.port, metrics, Parts()):
                pytest.fail("two servers on one port")
        assert caught.value.key == "http.port"
        assert str(address.port) in str(caught.value)
        assert (await get(f"{address.url}/healthz"))[0] == 200


async def test_an_unknown_host_names_the_key(metrics: Metrics) -> None:
    with pytest.raises(ConfigError) as caught:
        async with serve("no such host", 0, metrics, Parts()):
            pytest.fail("a server nowhere")
    assert caught.value.key == "http.host"


async def _refused(address: Address) -> bool:
    try:
        await asyncio.open_connection(*address)
    except ConnectionRefusedError:
        return True
    return False


async def test_the_end_does_not_wait_for_clients(metrics: Metrics) -> None:
    async with serve(LOOPBACK, 0, metrics, Parts()) as address:
        silent = await asyncio.open_connection(*address)
        halfway = await asyncio.open_connection(*address)
        halfway[1].write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        idle = await asyncio.open_connection(*address)
        idle[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in await idle[0].readline()
        started = time.monotonic()
    assert time.monotonic() - started < 1.5 * SHUTDOWN_SECONDS_MAX
    assert await _refused(address)
    for _, writer in (silent, halfway, idle):
        writer.close()


async def test_the_end_does_not_wait_for_a_scrape_that_hangs() -> None:
    asked, released = asyncio.Event(), threading.Event()

    class Hanging(Metrics):
        def encode(self, accept: str = "") -> tuple[bytes, str]:
            released.wait(30)
            return super().encode(accept)

    metrics = Hanging(version="1.2.3")
    metrics.before_scrape(asked.set)
    try:
        async with serve(LOOPBACK, 0, metrics, Parts()) as address:
            scrape = asyncio.create_task(get(f"{address.url}/metrics"))
            await asked.wait()
            started = time.monotonic()
        assert time.monotonic() - started < 1.5 * SHUTDOWN_SECONDS_MAX
        with pytest.raises(aiohttp.ClientError):
            await scrape
    finally:
        released.set()


async def test_the_end_comes_when_the_block_fails_too(metrics: Metrics) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        async with serve(LOOPBACK, 0, metrics, Parts()) as address:
            raise RuntimeError("inside")
    assert await _refused(address)


async def test_a_scrape_under_way_is_answered_before_the_end(metrics: Metrics) -> None:
    asked = asyncio.Event()
    metrics.before_scrape(asked.set)
    async with serve(LOOPBACK, 0, metrics, Parts()) as address:
        scrape = asyncio.create_task(get(f"{address.url}/metrics"))
        await asked.wait()
    assert (await scrape)[0] == 200


def test_an_address_makes_a_url() -> None:
    assert Address("::1", 9464).url == "http://[::1]:9464"
