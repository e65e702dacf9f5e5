"""pgBouncer in transaction mode, on a Unix socket, in front of one of our servers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from urllib.parse import quote, urlencode

from gated.embedded.account import open_to, unprivileged_account
from gated.embedded.process import GuardedProcess, log_tail, start_guarded
from tests.services.postgres import PostgresServer
from tests.services.presence import program
from tests.services.processes import wait_until

PORT = 6432  # names the socket file; nothing listens on TCP

# auth_query looks up roles that are not in the file, so that every role of the server may come in.
CONFIGURATION = """\
[databases]
* = host={upstream} port=5432 auth_user=postgres

[pgbouncer]
pool_mode = transaction
listen_addr =
listen_port = {port}
unix_socket_dir = {directory}
auth_type = trust
auth_file = {directory}/users.txt
auth_query = SELECT rolname, NULL::text FROM pg_roles WHERE rolname = $1
default_pool_size = 20
max_client_conn = 500
# asyncpg sets these at start-up; a pooler can only keep or ignore them
ignore_startup_parameters = extra_float_digits
server_reset_query =
"""


@dataclass(frozen=True, slots=True)
class PgBouncer:
    server: PostgresServer
    socket_directory: Path
    process: GuardedProcess

    @property
    def socket(self) -> Path:
        return self.socket_directory / f".s.PGSQL.{PORT}"

    def dsn(self, database: str, role: str = "postgres") -> str:
        where = urlencode({"host": str(self.socket_directory), "port": PORT})
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?{where}"


@contextmanager
def pgbouncer_server(server: PostgresServer, directory: Path) -> Iterator[PgBouncer]:
    bouncer = program("pgbouncer")
    account = unprivileged_account()
    directory.mkdir(parents=True, exist_ok=True)
    open_to(directory, account)
    sockets = directory / "s"
    sockets.mkdir()
    if account:
        os.chown(sockets, account.uid, account.gid)
    (sockets / "users.txt").write_text('"postgres" ""\n')
    configuration = sockets / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(upstream=server.socket_directory, port=PORT, directory=sockets)
    )
    log = directory / "pgbouncer.log"
    process = start_guarded(
        [bouncer, configuration],
        directory=sockets,
        log=log,
        stops=((Signals.SIGTERM, 5.0),),  # immediate shutdown
        account=account,
    )
    with process:

        def listening() -> bool:
            assert process.running(), log_tail(log)
            return (sockets / f".s.PGSQL.{PORT}").exists()

        wait_until(listening, "pgBouncer listens")
        yield PgBouncer(server, sockets, process)
