"""`make day`: a whole day of one facility, and the auditor's word on it.

`make day ARGS="--seed 7 --vehicles 10000"`.
"""

import argparse
import asyncio
import sys
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

from rich.console import Console

from gated.db.migrate import init
from gated.demo.play import DAEMON_ROLE
from gated.telemetry import configure_logs
from tests.sim.day import Wish, simulate
from tests.sim.floor import floor_seconds
from tests.sim.server import day_server
from tests.sim.show import ProgressLine, show

DATABASE = "gated_day"


def main() -> int:
    """Live through the day, show it; 1 if the auditor found something."""
    parser = argparse.ArgumentParser(prog="make day", description=__doc__)
    parser.add_argument("--vehicles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=3, help="to PostgreSQL")
    asked = parser.parse_args()
    # Only what nobody caused on purpose: misread plates and strangers warn all day.
    configure_logs("console", "error", sys.stdout)
    console = Console()
    console.print(f"[dim]seed {asked.seed}[/dim]")
    with day_server() as server:
        owner = server.dsn_for(DATABASE)
        asyncio.run(init(owner))
        wish = Wish(
            asked.vehicles,
            asked.seed,
            owner,
            server.dsn_for(DATABASE, DAEMON_ROLE),
            asked.connections,
        )
        day = simulate(wish, ProgressLine(console, asked.vehicles))
        floor = floor_seconds(owner, day.calls, asked.connections)
    ours, theirs = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    show(day, console)
    console.print(
        f"as many calls as it made, {day.calls:,}, as bare INSERTs: {floor:.1f} s;"
        f" the day took {day.seconds / floor:.1f} times as long",
        highlight=False,
    )
    console.print(
        f"CPU: {ours.ru_utime + ours.ru_stime:.1f} s Python,"
        f" {theirs.ru_utime + theirs.ru_stime:.1f} s PostgreSQL, from its start",
        highlight=False,
    )
    return 1 if day.auditor.findings else 0


sys.exit(main())
