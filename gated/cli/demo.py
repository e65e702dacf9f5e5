"""`gated demo`: everything at once, from wheels, with simulated hardware."""

import io
import random
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gated.cli.loop import run_until_complete
from gated.demo.play import Wish, play, stage
from gated.demo.show import show, write
from gated.telemetry import configure_logs

# What a shell reports for a command that ended by Ctrl-C.
INTERRUPTED = 130


def demo(
    seconds: Annotated[float, typer.Option(help="How long vehicles arrive.", min=1, max=3600)] = 30,
    seed: Annotated[
        int | None, typer.Option(help="Repeats the traffic of an earlier demo.", show_default="new")
    ] = None,
    speed: Annotated[float, typer.Option(help="2 means twice the traffic.", min=0.1, max=20)] = 1,
    misread_rate: Annotated[
        float,
        typer.Option(
            help="The share of plates that cameras misread: 0.02 are 2 of 100.", min=0, max=1
        ),
    ] = 0.02,
    report: Annotated[
        Path | None, typer.Option(help="Also write the summary as JSON to this file.")
    ] = None,
) -> None:
    """Run three car parks with simulated cameras and barriers, and recount everything."""
    began = time.monotonic()
    if report is not None:
        _check_writable(report)
    # The daemon writes to the same place: line by line, so that the order stays right.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    console = Console()
    configure_logs("console", "error", sys.stdout)
    seed = random.randrange(10_000) if seed is None else seed
    wish = Wish(seconds, seed, speed, misread_rate)
    # A shell that starts us in the background passes on "ignore Ctrl-C"; and a `kill` should
    # leave as little behind as Ctrl-C does.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with stage(console) as services:
            outcome = run_until_complete(play(wish, services, console, began))
    except KeyboardInterrupt:
        console.print("[dim]interrupted; everything that was started has ended[/dim]")
        raise typer.Exit(INTERRUPTED) from None
    show(outcome, console)
    if report is not None:
        write(outcome, report)
        console.print(f"[dim]written to {report}[/dim]")
    raise typer.Exit(0 if outcome.sound else 1)


def _check_writable(report: Path) -> None:
    """Find out before the demo, not after it."""
    try:
        with report.open("a"):
            return
    except OSError as error:
        reason = error.strerror or str(error)
        raise typer.BadParameter(f"{report}: {reason}", param_hint="--report") from error
