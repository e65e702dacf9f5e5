"""Fixtures shared by all suites: real servers, started when a test first asks for one.

`@pytest.mark.every_postgres` runs a test on the wheel's PostgreSQL and on the system's, else the
wheel's is used; `@pytest.mark.every_broker` does the same for rumqttd and Mosquitto.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

import pytest

from gated.embedded.account import open_to, unprivileged_account
from tests.services.brokers import BrokerHandle, mosquitto_broker, rumqttd_broker
from tests.services.databases import Database, Databases
from tests.services.pgbouncer import PgBouncer, pgbouncer_server
from tests.services.postgres import PostgresServer, embedded_server, system_server
from tests.services.tcp_proxy import TcpProxy
from tests.services.tcp_proxy import tcp_proxy as open_tcp_proxy

KINDS: dict[str, tuple[str, Literal["session", "function"], tuple[str, ...]]] = {
    "postgres": ("every_postgres", "session", ("embedded", "system")),
    "broker": ("every_broker", "function", ("rumqttd", "mosquitto")),
}


def pytest_configure() -> None:
    # looptime 0.9 asks the policy for the event loop of every test, and the policy makes one
    # for a plain test that comes before any other, which nobody closes. "None" stops it.
    asyncio.set_event_loop(None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, (marker, scope, kinds) in KINDS.items():
        if fixture in metafunc.fixturenames:
            chosen = kinds if metafunc.definition.get_closest_marker(marker) else kinds[:1]
            metafunc.parametrize(fixture, chosen, indirect=True, scope=scope)


@pytest.fixture(scope="session")
def services_directory() -> Iterator[Path]:
    """Not pytest's own temporary directory: that one is closed to the user that servers run as."""
    directory = Path(tempfile.mkdtemp(prefix="gated-tests-"))
    open_to(directory, unprivileged_account())
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_embedded(services_directory: Path) -> Iterator[PostgresServer]:
    with embedded_server(services_directory / "embedded") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_system(services_directory: Path) -> Iterator[PostgresServer]:
    with system_server(services_directory / "system") as server:
        yield server


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> PostgresServer:
    """A server of the kind that the test asks for, shared with the other tests."""
    server = request.getfixturevalue(f"postgres_{request.param}")
    assert isinstance(server, PostgresServer)
    return server


@pytest.fixture(scope="session")
def databases_by_server() -> dict[str, Databases]:
    """Outlives a change from one server to the other, as their templates do."""
    return {}


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer, databases_by_server: dict[str, Databases]) -> Databases:
    return databases_by_server.setdefault(postgres.name, Databases(postgres))


@pytest.fixture
def new_database(
    postgres: PostgresServer, databases: Databases
) -> Iterator[Callable[[], Database]]:
    """Makes further databases with gated's schema, for tests that need more than one."""
    made: list[Database] = []

    def make() -> Database:
        made.append(databases.clone())
        return made[-1]

    postgres.start()
    yield make
    postgres.start()
    for database in made:
        databases.drop(database)


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Database:
    """A database with gated's schema and nothing in it, for this test alone."""
    return new_database()


@pytest.fixture(scope="session")
def pgbouncer(postgres: PostgresServer, services_directory: Path) -> Iterator[PgBouncer]:
    """Transaction pooling in front of `postgres`, for each of its databases and roles."""
    directory = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir=services_directory))
    with pgbouncer_server(postgres, directory) as bouncer:
        yield bouncer


@pytest.fixture
def broker(request: pytest.FixtureRequest, services_directory: Path) -> Iterator[BrokerHandle]:
    """A broker of the kind that the test asks for, and for it alone: it starts without memories."""
    start = {"rumqttd": rumqttd_broker, "mosquitto": mosquitto_broker}[request.param]
    directory = Path(tempfile.mkdtemp(prefix=f"{request.param}-", dir=services_directory))
    with start(directory) as broker:
        yield broker


@pytest.fixture
def tcp_proxy() -> Callable[[tuple[str, int] | Path], AbstractAsyncContextManager[TcpProxy]]:
    return open_tcp_proxy
