"""`gated check`: configuration, database, broker and facilities, without side effects."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gated.checks import Finding, State, findings
from gated.config import load_settings
from gated.core.errors import ConfigError
from gated.devices.families import families
from gated.site_rules import load_site

_STYLES = {State.OK: "green", State.NOTE: "yellow", State.FAILED: "bold red"}


def check(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration file.", envvar="GATED_CONFIG")
    ] = Path("config.toml"),
    site: Annotated[
        Path | None,
        typer.Option(help="Also check a site file, and whether it is applied."),
    ] = None,
) -> None:
    """Check configuration, database, broker and facilities; change nothing.

    One line per check. Exit status 0 when all is well, 1 when something failed, 2 when a file
    is broken.
    """
    try:
        settings = load_settings(config, os.environ)
        codecs = families(settings.mqtt.payload_bytes_max)
        file = None if site is None else load_site(site, codecs)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None

    console = Console(highlight=False, soft_wrap=True)
    _print(console, Finding(State.OK, "configuration", str(config)))
    if file is not None:
        _print(console, Finding(State.OK, "site file", file.document.name))

    async def run() -> bool:
        failed = False
        async for finding in findings(settings, codecs, file):
            _print(console, finding)
            failed = failed or finding.state is State.FAILED
        return failed

    if asyncio.run(run()):
        raise typer.Exit(1)


def _print(console: Console, finding: Finding) -> None:
    state = Text(f"{finding.state:<7}", style=_STYLES[finding.state])
    console.print(Text.assemble(state, f"{finding.check}: {finding.text}"))
