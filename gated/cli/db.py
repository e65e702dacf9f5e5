"""`gated db …`: makes, upgrades and inspects the database, with the rights of its owner."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gated.core.errors import ConfigError, StoreError

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, help="The database: make, upgrade and inspect its schema.")

Dsn = Annotated[
    str | None,
    typer.Option(
        help="The database as its owner reaches it, postgresql://user@host/name. "
        "A password is better left to PGPASSWORD or ~/.pgpass.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(help="Without --dsn: take [database] dsn from this file.", show_default=False),
]


@app.callback()
def _db() -> None:
    """The database: make, upgrade and inspect its schema."""


@app.command()
def init(dsn: Dsn = None, config: Config = None) -> None:
    """Make the database if it is missing, then upgrade it. Running it again changes nothing.

    Exit status 2 for a wrong connection string and for a database that holds other tables of
    these names; 1 for a step that failed, which leaves nothing half-done.
    """
    from gated.db import migrate  # noqa: PLC0415  (asyncpg loads only when it is needed)

    address = _address("init", dsn, config)
    _run("init", migrate.init(address, on_step=typer.echo))


@app.command()
def upgrade(dsn: Dsn = None, config: Config = None) -> None:
    """Bring the database to this version's schema. Daemons may go on running meanwhile.

    Exit status 2 for a wrong connection string and for a database that is newer than this
    gated; 1 for a step that failed, which leaves nothing half-done.
    """
    from gated.db import migrate  # noqa: PLC0415

    address = _address("upgrade", dsn, config)
    done = _run("upgrade", migrate.upgrade(address, on_step=typer.echo))
    if not done:
        typer.echo("the schema was up to date")


@app.command()
def status(dsn: Dsn = None, config: Config = None) -> None:
    """Say what the database holds and what an upgrade would apply; change nothing.

    Exit status 0 when nothing is due, 1 when an upgrade is, 2 when it cannot be told.
    """
    from gated.db import migrate  # noqa: PLC0415

    address = _address("status", dsn, config)
    found = _run("status", migrate.status(address), failed=2)
    typer.echo(f"database {found.database} on PostgreSQL {found.server}")
    for migration in found.applied:
        typer.echo(f"  {migration.name}  applied {migration.applied_at:%Y-%m-%d %H:%M:%S} UTC")
    for name in found.pending:
        typer.echo(f"  {name}  due")
    if not found.current:
        typer.echo("an upgrade is due: gated db upgrade")
        raise typer.Exit(1)


@app.command()
def verify(
    facility: Annotated[
        str | None, typer.Option(help="This facility alone, by its slug.", show_default=False)
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what follows from something else.")
    ] = False,
    dsn: Dsn = None,
    config: Config = None,
) -> None:
    """Recount what is kept twice (counters, spots, claims, directory, entries, refunds).

    Daemons may go on running. With --repair claims are made those of the bookings, spots those of
    the claims, counters those of the spots, with an audit row per facility. Exit status 0 when all
    is true, 1 when something is not (or is left after a repair), 2 when it cannot be told.
    """
    from gated.cli import drift  # noqa: PLC0415

    address = _address("verify", dsn, config)
    found = _run("verify", drift.verified(address, facility), failed=2)
    if repair and found:
        found = _run("verify --repair", drift.repaired(address, found), failed=2)
    drift.show(found)
    if any(not one.mended for one in found):
        raise typer.Exit(1)


def _address(command: str, dsn: str | None, config: Path | None) -> str:
    if dsn is not None:
        return dsn
    if config is None:
        typer.echo(f"gated db {command}: name the database by --dsn or --config", err=True)
        raise typer.Exit(2)
    from gated.config import load_settings  # noqa: PLC0415

    try:
        return load_settings(config, os.environ).database.dsn.get_secret_value()
    except ConfigError as error:
        typer.echo(f"gated db {command}: {error}", err=True)
        raise typer.Exit(2) from None


def _run(command: str, work: Coroutine[Any, Any, Result], *, failed: int = 1) -> Result:
    try:
        return asyncio.run(work)
    except ConfigError as error:
        typer.echo(f"gated db {command}: {error}", err=True)
        raise typer.Exit(2) from None
    except StoreError as error:
        typer.echo(f"gated db {command}: {error}", err=True)
        raise typer.Exit(failed) from None
