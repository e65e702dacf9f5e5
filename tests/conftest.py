"""Fixtures shared by all suites: real servers, started when a test first asks for one.

`@pytest.mark.every_postgres` runs a test on the wheel's PostgreSQL and on the system's, else the
wheel's is used; `@pytest.mark.every_broker` does the same for rumqttd and Mosquitto.

`pytest --pooled` runs the database suites through pgBouncer in transaction mode, on one server.
`@pytest.mark.direct("why")` leaves a test out of that: behind a pooler it makes no sense.

`pytest -n auto --dist worksteal` (that is `make test`) runs them in as many workers as this machine
has room for. Each worker has servers of its own, so a test may stop and kill them.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Literal

import asyncpg
import hypothesis
import pytest

from gated.embedded.account import open_to, unprivileged_account
from tests.services.brokers import BrokerHandle, mosquitto_broker, rumqttd_broker
from tests.services.databases import Database, Databases
from tests.services.pgbouncer import PgBouncer, pgbouncer_server
from tests.services.postgres import PostgresServer, embedded_server, system_server
from tests.services.tcp_proxy import TcpProxy
from tests.services.tcp_proxy import tcp_proxy as open_tcp_proxy
from tests.sharing_out import long_ones_first

KINDS: dict[str, tuple[str, Literal["session", "function"], tuple[str, ...]]] = {
    "postgres": ("every_postgres", "session", ("embedded", "system")),
    "broker": ("every_broker", "function", ("rumqttd", "mosquitto")),
}


# Stores that a pooled run need not see: the pooled one is what "embedded" becomes.
STORES_UNPOOLED = {"memory", "pgbouncer", "system"}

DATABASE_SUITES = Path(__file__).parent / "db"

# A worker, its servers, and their files if these are in memory: half of it was seen.
WORKER_BYTES_MAX = 2 * 2**30


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pooled",
        action="store_true",
        help="reach the databases of tests through pgBouncer, in transaction mode",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "direct(why): makes no sense through pgBouncer (--pooled)")
    # How long an example takes says more about what else runs here than about the example.
    hypothesis.settings.register_profile(
        "shared_machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("shared_machine")
    # looptime 0.9 asks the policy for the event loop of every test, and the policy makes one
    # for a plain test that comes before any other, which nobody closes. "None" stops it.
    asyncio.set_event_loop(None)
    if config.getoption("pooled"):
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            config.args = [str(DATABASE_SUITES)]
        # A prepared statement stays with a connection of the server; the next one has it not.
        setattr(asyncpg, "connect", partial(asyncpg.connect, statement_cache_size=0))  # noqa: B010


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, (marker, scope, kinds) in KINDS.items():
        if fixture in metafunc.fixturenames:
            every = metafunc.definition.get_closest_marker(marker)
            chosen = kinds if every and not metafunc.config.getoption("pooled") else kinds[:1]
            metafunc.parametrize(fixture, chosen, indirect=True, scope=scope)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker for each processor, as far as there is memory; with one, nothing is shared out."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    count = min(_processors(), _memory_bytes() // WORKER_BYTES_MAX)
    return count if count > 1 else 0


def _processors() -> int:
    """Those that this process may use, where the system tells; a container often has but a few."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("pooled"):
        left_out = [item for item in items if _is_direct(item)]
        items[:] = [item for item in items if not _is_direct(item)]
        config.hook.pytest_deselected(items=left_out)
    if workers := _workers():
        items[:] = long_ones_first(items, workers, _seconds_max)


def _workers() -> int:
    """How many share the tests, in one of them; else 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))


def _seconds_max(item: pytest.Item) -> float:
    """The time-out that the test asks for."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


def _is_direct(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    store = callspec and callspec.params.get("bench")
    return (
        store in STORES_UNPOOLED
        or item.get_closest_marker("direct") is not None
        or not item.path.is_relative_to(DATABASE_SUITES)
    )


@pytest.fixture(scope="session")
def services_directory() -> Iterator[Path]:
    """Not pytest's own temporary directory: that one is closed to the user that servers run as."""
    directory = Path(tempfile.mkdtemp(prefix="gated-tests-", dir=_memory()))
    open_to(directory, unprivileged_account())
    yield directory
    shutil.rmtree(directory)


def _memory() -> Path | None:
    """Where Linux keeps files in memory, if there is room and programs may be started there.

    Hundreds of databases are made and dropped, each of some eight hundred files: on a disk that
    takes most of the suite's time.
    """
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return None
    needed = WORKER_BYTES_MAX * max(_workers(), 1)
    return memory if shutil.disk_usage(memory).free > needed else None


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
def databases_of(
    request: pytest.FixtureRequest, services_directory: Path
) -> Iterator[Callable[[PostgresServer], Databases]]:
    """The databases of a server. They outlive a change to another server, as their templates do."""
    made: dict[str, Databases] = {}
    with ExitStack() as stack:

        def databases(server: PostgresServer) -> Databases:
            if server.name not in made:
                pooler = None
                if request.config.getoption("pooled"):
                    directory = services_directory / f"pooler-{server.name}"
                    pooler = stack.enter_context(pgbouncer_server(server, directory))
                made[server.name] = Databases(server, pooler)
            return made[server.name]

        yield databases


@pytest.fixture(scope="session")
def databases(
    postgres: PostgresServer, databases_of: Callable[[PostgresServer], Databases]
) -> Databases:
    return databases_of(postgres)


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
