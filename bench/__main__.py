"""`make bench`: the statements of one vehicle's way, and an idle daemon.

`make bench ARGS="--count 2000 --idle-seconds 20 --report bench.json"`.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.decisions import measure
from bench.figures import Figure, show
from bench.idle import Idle, watch
from gated.db.connect import connected
from gated.db.migrate import init
from gated.db.site import apply
from gated.demo.play import DAEMON_ROLE, Stage, daemon, set_up, sites, stage
from gated.devices.families import CODECS
from gated.site_rules import load_site
from gated.telemetry import configure_logs

SITE = Path(__file__).with_name("site.toml")
DATABASE = "gated_bench"


async def _decisions(services: Stage, count: int) -> list[Figure]:
    owner = services.postgres.dsn_for(DATABASE)
    await init(owner)
    async with connected(owner) as connection:
        await apply(connection, load_site(SITE, CODECS))
    return await measure(services.postgres.dsn_for(DATABASE, user=DAEMON_ROLE), owner, count=count)


async def _idle(services: Stage, seconds: float) -> Idle:
    await set_up(services, sites())
    async with daemon(services) as running:
        return await watch(running.pid, seconds)


def main() -> None:
    """Measure, print the table, write the JSON if asked to."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="vehicles (at most 18000)")
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--report", type=Path)
    wish = parser.parse_args()
    configure_logs("console", "error", sys.stdout)
    console = Console()
    with stage(console) as services:
        figures = asyncio.run(_decisions(services, wish.count))
        show(figures, console)
        idle = asyncio.run(_idle(services, wish.idle_seconds))
        console.print(
            f"idle daemon, three facilities, watched for {idle.seconds:.0f} s:"
            f" {idle.memory_mib:.0f} MiB resident, {idle.core_percent:.1f} % of a core"
        )
    if wish.report:
        body = {"figures": [asdict(figure) for figure in figures], "idle": asdict(idle)}
        wish.report.write_text(json.dumps(body, indent=2) + "\n")


main()
