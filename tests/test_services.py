"""The servers that other suites build on: each answers, and none remembers another test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import asyncpg
import pytest

from tests.services.brokers import BrokerHandle, mosquitto_broker, rumqttd_broker
from tests.services.clients import Client
from tests.services.databases import Database
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer
from tests.services.tcp_proxy import TcpProxy, tcp_proxy

V5 = aiomqtt.ProtocolVersion.V5
V311 = aiomqtt.ProtocolVersion.V311
BYTES_LARGE = 10_000_000


@asynccontextmanager
async def connected(dsn: str, *, pooled: bool = False) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, statement_cache_size=0 if pooled else 100)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.every_postgres
async def test_postgres_answers(postgres: PostgresServer) -> None:
    async with connected(postgres.dsn) as connection:
        version = await connection.fetchval("SHOW server_version_num")
        assert int(version) // 10_000 >= (18 if postgres.name == "embedded" else 15)
        assert await connection.fetchval("SHOW TimeZone") == "UTC"
        assert await connection.fetchval("SELECT lower('ÄÖÜ')") == "äöü"


@pytest.mark.every_postgres
async def test_a_postgres_that_was_killed_starts_again_with_its_data(database: Database) -> None:
    async with connected(database.dsn) as connection:
        await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
    database.server.kill()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(database.dsn)
    database.server.start()
    async with connected(database.dsn) as connection:
        assert await connection.fetchval("SELECT id FROM kept") == 7


@pytest.mark.every_postgres
async def test_two_databases_are_independent(
    database: Database, new_database: Callable[[], Database]
) -> None:
    other = new_database()
    assert other.dsn != database.dsn
    async with connected(database.dsn) as one, connected(other.dsn) as two:
        await one.execute("CREATE TABLE only_here (id int)")
        assert await one.fetchval("SELECT to_regclass('public.only_here')::text") == "only_here"
        assert await two.fetchval("SELECT to_regclass('public.only_here')::text") is None


async def test_a_database_opens_for_any_role(database: Database) -> None:
    async with connected(database.dsn) as owner:
        await owner.execute("CREATE ROLE services_guest LOGIN")
        try:
            async with connected(database.dsn_as("services_guest")) as guest:
                assert await guest.fetchval("SELECT current_user") == "services_guest"
        finally:
            await owner.execute("DROP ROLE services_guest")


@pytest.mark.every_postgres
async def test_pgbouncer_pools_by_transaction(pgbouncer: PgBouncer, database: Database) -> None:
    dsn = pgbouncer.dsn(database.name)
    async with (
        connected(dsn, pooled=True) as one,
        connected(dsn, pooled=True) as two,
    ):
        # The clients take turns on one server connection: that is transaction mode.
        first = await one.fetchval("SELECT pg_backend_pid()")
        second = await two.fetchval("SELECT pg_backend_pid()")
        assert first == second
        async with one.transaction():
            held = await one.fetchval("SELECT pg_backend_pid()")
            assert await two.fetchval("SELECT pg_backend_pid()") != held


async def test_pgbouncer_lets_every_role_in(pgbouncer: PgBouncer, database: Database) -> None:
    async with connected(database.dsn) as owner:
        await owner.execute("CREATE ROLE services_pooled LOGIN")
        try:
            dsn = pgbouncer.dsn(database.name, "services_pooled")
            async with connected(dsn, pooled=True) as guest:
                assert await guest.fetchval("SELECT current_user") == "services_pooled"
        finally:
            await owner.execute("DROP ROLE services_pooled")


def client(
    broker: BrokerHandle, version: aiomqtt.ProtocolVersion, will: aiomqtt.Will | None = None
) -> Client:
    port = broker.port if version == V5 else broker.port_v311
    return Client(broker.host, port, protocol=version, will=will)


async def next_message(subscriber: aiomqtt.Client) -> aiomqtt.Message:
    async with asyncio.timeout(10):
        return await anext(aiter(subscriber.messages))


@pytest.mark.every_broker
@pytest.mark.parametrize("receives", [V5, V311])
@pytest.mark.parametrize("sends", [V5, V311])
class TestBroker:
    async def test_routes(
        self,
        broker: BrokerHandle,
        sends: aiomqtt.ProtocolVersion,
        receives: aiomqtt.ProtocolVersion,
    ) -> None:
        async with client(broker, receives) as subscriber, client(broker, sends) as publisher:
            await subscriber.subscribe("gated/+/plate", qos=1)
            await publisher.publish("gated/a/plate", b"read", qos=1)
            message = await next_message(subscriber)
            assert (str(message.topic), message.payload) == ("gated/a/plate", b"read")
            assert (message.qos, message.retain) == (1, False)

    async def test_keeps_retained_messages(
        self,
        broker: BrokerHandle,
        sends: aiomqtt.ProtocolVersion,
        receives: aiomqtt.ProtocolVersion,
    ) -> None:
        async with client(broker, sends) as publisher:
            await publisher.publish("gated/a/online", b"true", qos=1, retain=True)
        async with client(broker, receives) as subscriber:
            await subscriber.subscribe("gated/a/#", qos=1)
            message = await next_message(subscriber)
            assert (message.payload, message.retain) == (b"true", True)

    async def test_sends_the_last_will(
        self,
        broker: BrokerHandle,
        sends: aiomqtt.ProtocolVersion,
        receives: aiomqtt.ProtocolVersion,
    ) -> None:
        will = aiomqtt.Will("gated/a/online", b"false", qos=1, retain=True)
        async with client(broker, receives) as subscriber:
            await subscriber.subscribe("gated/a/online", qos=1)
            port = broker.port if sends == V5 else broker.port_v311
            async with tcp_proxy((broker.host, port)) as network:
                device = Client(network.host, network.port, protocol=sends, will=will)
                with suppress(aiomqtt.MqttError):
                    async with device:
                        await network.set("reset")
                        await next_message(device)
            assert (await next_message(subscriber)).payload == b"false"
        async with client(broker, receives) as late:
            await late.subscribe("gated/a/online", qos=1)
            message = await next_message(late)
            assert (message.payload, message.retain) == (b"false", True)

    async def test_passes_a_large_payload(
        self,
        broker: BrokerHandle,
        sends: aiomqtt.ProtocolVersion,
        receives: aiomqtt.ProtocolVersion,
    ) -> None:
        async with client(broker, receives) as subscriber, client(broker, sends) as publisher:
            await subscriber.subscribe("gated/a/image", qos=1)
            await publisher.publish("gated/a/image", bytes(BYTES_LARGE), qos=1, timeout=30)
            assert len((await next_message(subscriber)).payload) == BYTES_LARGE


@pytest.mark.every_broker
@pytest.mark.parametrize("end", [BrokerHandle.stop, BrokerHandle.kill])
async def test_a_broker_comes_back_on_its_ports(
    broker: BrokerHandle, end: Callable[[BrokerHandle], None]
) -> None:
    pid = broker.pid
    end(broker)
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, V5):
            pass
    broker.start()
    assert broker.pid != pid
    for version in (V5, V311):
        async with client(broker, version) as again:
            await again.publish("gated/a", b"", qos=1)


@pytest.mark.every_broker
@pytest.mark.parametrize("round_number", [1, 2])
async def test_a_broker_starts_without_memories(broker: BrokerHandle, round_number: int) -> None:
    async with client(broker, V5) as one:
        await one.subscribe("gated/#", qos=1)
        await one.publish("gated/other", str(round_number), qos=1)
        message = await next_message(one)
        assert (message.payload, message.retain) == (str(round_number).encode(), False)
        await one.publish("gated/left/behind", b"", qos=1, retain=True)
        await one.publish("gated/left/behind", b"old", qos=1, retain=True)


async def test_a_mosquitto_with_persistence_remembers(services_directory: Path) -> None:
    with mosquitto_broker(services_directory / "persistent", persistence=True) as broker:
        async with client(broker, V311) as one:
            await one.publish("gated/a/online", b"true", qos=1, retain=True)
        broker.restart()
        async with client(broker, V311) as two:
            await two.subscribe("gated/a/online", qos=1)
            assert (await next_message(two)).payload == b"true"


@pytest.mark.parametrize("version", [V5, V311])
async def test_a_frozen_broker_answers_nothing(
    broker: BrokerHandle, version: aiomqtt.ProtocolVersion
) -> None:
    async with client(broker, version) as one:
        broker.freeze()
        try:
            with pytest.raises(aiomqtt.MqttError, match="timed out"):
                await one.publish("gated/a", b"", qos=1, timeout=0.2)
        finally:
            broker.thaw()
        await one.publish("gated/a", b"", qos=1)


def test_brokers_run_side_by_side(services_directory: Path) -> None:
    with (
        rumqttd_broker(services_directory / "left") as left,
        rumqttd_broker(services_directory / "right") as right,
    ):
        assert not {left.port, left.port_v311} & {right.port, right.port_v311}


@asynccontextmanager
async def echo_server() -> AsyncIterator[tuple[str, int]]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()


async def exchange(
    link: tuple[asyncio.StreamReader, asyncio.StreamWriter], seconds_max: float = 10.0
) -> float:
    """Send a few bytes and wait for them to come back; the seconds that it took."""
    reader, writer = link
    began = time.monotonic()
    writer.write(b"ping")
    async with asyncio.timeout(seconds_max):
        assert await reader.readexactly(4) == b"ping"
    return time.monotonic() - began


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    async with echo_server() as upstream, tcp_proxy(upstream) as made:
        yield made


@pytest.fixture
async def link(
    proxy: TcpProxy,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    await exchange((reader, writer))
    yield reader, writer
    writer.transport.abort()


Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def test_proxy_delays(proxy: TcpProxy, link: Link) -> None:
    await proxy.set("delay", delay_seconds=0.25)
    assert await exchange(link) >= 0.5  # once each way
    await proxy.set("pass")
    assert await exchange(link) < 0.5


async def test_proxy_swallows_and_heals(proxy: TcpProxy, link: Link) -> None:
    await proxy.set("blackhole")
    with pytest.raises(TimeoutError):
        await exchange(link, seconds_max=0.1)
    late = await asyncio.open_connection(proxy.host, proxy.port)
    with pytest.raises(TimeoutError):
        await exchange(late, seconds_max=0.1)
    await proxy.set("pass")
    for healed in (link, late):
        async with asyncio.timeout(10):
            assert await healed[0].readexactly(4) == b"ping"
    late[1].transport.abort()


async def test_proxy_resets(proxy: TcpProxy, link: Link) -> None:
    await proxy.set("reset")
    with pytest.raises(ConnectionResetError):
        await exchange(link)
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    with pytest.raises(ConnectionResetError):
        await exchange((reader, writer))
    writer.transport.abort()


async def test_proxy_refuses_and_returns(proxy: TcpProxy, link: Link) -> None:
    await proxy.set("refuse")
    with pytest.raises(ConnectionResetError):
        await exchange(link)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(proxy.host, proxy.port)
    await proxy.set("pass")
    again = await asyncio.open_connection(proxy.host, proxy.port)
    await exchange(again)
    again[1].transport.abort()


async def test_proxy_stands_before_a_postgres(postgres: PostgresServer) -> None:
    async with (
        tcp_proxy(postgres.socket_directory / ".s.PGSQL.5432") as proxy,
        connected(f"postgresql://postgres@{proxy.host}:{proxy.port}/postgres") as connection,
    ):
        assert await connection.fetchval("SELECT 1") == 1
        await proxy.set("reset")
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.fetchval("SELECT 1")
