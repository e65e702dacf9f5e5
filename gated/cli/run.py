"""`gated run`: the daemon."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gated.app import run_daemon
from gated.config import load_settings
from gated.telemetry import configure_logs


def run(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration file.", show_default=True)
    ] = Path("config.toml"),
) -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    settings = load_settings(config, os.environ)
    configure_logs(settings.log.format, settings.log.level, sys.stdout)
    if sys.platform == "win32":
        status = asyncio.run(run_daemon(settings))
    else:
        import uvloop  # noqa: PLC0415 - not built for Windows

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            status = runner.run(run_daemon(settings))
    raise typer.Exit(status)
