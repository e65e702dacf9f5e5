"""`gated run`: the daemon."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gated.app import run_daemon
from gated.cli.loop import run_until_complete
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
    status = run_until_complete(run_daemon(settings))
    raise typer.Exit(status)
