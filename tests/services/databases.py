"""One database per test: cloned from a template that holds gated's schema.

In a pooled run (`--pooled`) the tests reach their databases through pgBouncer alone.
"""

import asyncio
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg

from gated.db.migrate import upgrade
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer

Result = TypeVar("Result")
TEMPLATE = "gated_template"


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test, on `server`, and in a pooled run behind `pooler`."""

    server: PostgresServer
    name: str
    pooler: PgBouncer | None = None

    @property
    def dsn(self) -> str:
        """As the owner of everything, a superuser."""
        return self.dsn_as("postgres")

    def dsn_as(self, role: str) -> str:
        if self.pooler is not None:
            return self.pooler.dsn(self.name, role)
        return self.server.dsn_for(self.name, role)

    @property
    def socket(self) -> Path:
        """Where it is listened for it, to put something in between."""
        return self.server.socket if self.pooler is None else self.pooler.socket


class Databases:
    """Clones and drops databases of one server; the template is built when first needed."""

    def __init__(self, server: PostgresServer, pooler: PgBouncer | None = None) -> None:
        self._server = server
        self._pooler = pooler
        self._built = False

    def build(self) -> None:
        if not self._built:
            run_apart(self._build())
            self._built = True

    def clone(self) -> Database:
        self.build()
        name = f"test_{uuid.uuid4().hex}"
        run_apart(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"'))
        return Database(self._server, name, self._pooler)

    def drop(self, database: Database) -> None:
        run_apart(self._execute(f'DROP DATABASE "{database.name}" WITH (FORCE)'))

    async def _build(self) -> None:
        await self._execute(f'CREATE DATABASE "{TEMPLATE}"')
        await upgrade(self._server.dsn_for(TEMPLATE))
        # Any connection to the template, a late autovacuum apart, would make the next clone fail.
        await self._execute(f'ALTER DATABASE "{TEMPLATE}" ALLOW_CONNECTIONS false')

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def run_apart(work: Coroutine[None, None, Result]) -> Result:
    """Run `work` on an event loop in a thread of its own: the test's loop is not ours to use."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
