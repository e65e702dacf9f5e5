"""`gated site …`: facilities from their files, with the rights of the database's owner."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gated.cli.screen import screen
from gated.config import load_settings
from gated.core.errors import ConfigError, StoreError
from gated.db import site as stored_site
from gated.db.connect import connected
from gated.devices.families import families
from gated.site_plan import Change, describe
from gated.site_rules import SiteFile, load_site

app = typer.Typer(no_args_is_help=True, help="Set up facilities from files.")

_STYLES = {"add": "green", "change": "yellow", "remove": "red"}


@app.callback()
def _site() -> None:
    """Set up facilities from files."""


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The site file.", show_default=False)],
    plan: Annotated[bool, typer.Option("--plan", help="Show what would change, and stop.")] = False,
    dsn: Annotated[
        str | None,
        typer.Option(
            help="The database as its owner reaches it, postgresql://user@host/name. "
            "A password is better left to PGPASSWORD or ~/.pgpass.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            "-c",
            help="Without --dsn: take [database] dsn from this file.",
            envvar="GATED_CONFIG",
        ),
    ] = Path("config.toml"),
) -> None:
    """Bring a facility to its file: all of it or nothing. The second time changes nothing.

    Exit status 2 for a broken file, and for one that asks for what cannot be (a spot in use
    taken away, another currency); 1 when the database cannot be had or refuses.
    """
    try:
        site = load_site(file, families())
        address = dsn
        if address is None:
            address = load_settings(config, os.environ).database.dsn.get_secret_value()
        found = asyncio.run(_run(address, site, plan=plan))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except StoreError as error:
        typer.echo(f"gated site apply: {error}", err=True)
        raise typer.Exit(1) from None
    _print(site.site.facility.slug, found, plan=plan)


async def _run(dsn: str, site: SiteFile, *, plan: bool) -> list[Change]:
    console = Console(stderr=True)
    async with connected(dsn) as connection:
        if plan:
            return await stored_site.plan(connection, site)
        with console.status("applying") as status:  # shows itself on a terminal only
            return await stored_site.apply(
                connection, site, on_step=lambda step: status.update(f"applying: {step}")
            )


def _print(facility: str, found: Sequence[Change], *, plan: bool) -> None:
    console = screen()
    if not found:
        console.print(f"{facility}: nothing to change", markup=False)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for verb, kind, name, details in describe(found):
        # Text, because names from a file are no markup.
        table.add_row(Text(verb, style=_STYLES[verb]), Text(kind), Text(name), Text(details))
    console.print(table)
    done = "would change; nothing was done" if plan else "changed"
    console.print(f"{facility}: {len(found)} {done}", markup=False)
