"""`make bench-db`: a platform of a chosen size, and what gated's statements cost on it.

`make bench-db ARGS="--scale 0.01 --count 2000 --contention-seconds 30 --report bench-db.json"`.
"""

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.db.contention import contend
from bench.db.load import load, must_be_consistent
from bench.db.operations import measure
from bench.db.report import Report, show_comparison, show_contention, show_operations, show_server
from bench.db.server import (
    Server,
    at_risk,
    bench_server,
    kept_platform,
    made_by_now,
    mark_whole,
    shown_settings,
    start_anew,
)
from bench.db.shape import FACILITIES_AT_SCALE_1, Platform
from gated.core.errors import GatedError
from gated.db.migrate import upgrade
from gated.telemetry import configure_logs

COUNTED = ("parking_spots", "vehicles", "bookings", "payments", "audit_logs", "gate.claims")


async def _platform(server: Server, wish: Report, console: Console) -> Platform:
    """The platform of this size: the one that lies there, else a new one."""
    now, made_by = datetime.now(UTC), made_by_now()
    kept = kept_platform(server.directory, wish.facilities, wish.seed, now, made_by)
    if kept is not None:
        console.print(f"[dim]the data of {kept.at:%Y-%m-%d %H:%M} UTC lie there[/dim]")
        await upgrade(server.owner_dsn)
        return kept
    await start_anew(server)
    platform = Platform(wish.facilities, wish.seed, now)
    wish.load_seconds = await load(server, platform, console)
    mark_whole(server.directory, platform, made_by)
    return platform


async def _run(server: Server, report: Report, seconds: float, console: Console) -> None:
    platform = await _platform(server, report, console)
    async with server.owner() as connection:
        report.postgresql = await connection.fetchval("SHOW server_version")
        report.settings = await shown_settings(connection)
        report.database_bytes = await connection.fetchval(
            "SELECT pg_database_size(current_database())"
        )
        for name in COUNTED:
            report.rows[name] = await connection.fetchval(f"SELECT count(*) FROM {name}")
        report.verify_seconds = await must_be_consistent(connection)
    report.load_average = os.getloadavg()[0]
    show_server(report, console)

    if report.count:
        report.figures = await measure(server, platform, report.count, report.seed)
        show_operations(report, console)
    if seconds:
        with at_risk(server.directory):
            report.floors, report.fights = await contend(
                server, platform, seconds, report.seed, console
            )
        show_contention(report, console)
    async with server.owner() as connection:
        await must_be_consistent(connection)


def main() -> None:
    """Load, measure, print the tables, write the JSON if asked to."""
    parser = argparse.ArgumentParser(prog="make bench-db", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.01, help="1: 500 facilities")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000, help="of each operation")
    parser.add_argument("--contention-seconds", type=float, default=30)
    parser.add_argument("--report", type=Path, help="the JSON to write")
    parser.add_argument("--compare", type=Path, help="the JSON of another run")
    parser.add_argument("--data", type=Path, help="where the cluster lies; default: a new place")
    parser.add_argument("--keep", action="store_true", help="leave the cluster for another run")
    wish = parser.parse_args()
    configure_logs("console", "error", sys.stdout)
    console = Console(width=None if sys.stdout.isatty() else 110)
    report = Report(
        scale=wish.scale,
        facilities=max(1, round(FACILITIES_AT_SCALE_1 * wish.scale)),
        seed=wish.seed,
        count=wish.count,
        cores=os.cpu_count() or 1,
    )
    try:
        with bench_server(wish.data, console, keep=wish.keep) as server:
            asyncio.run(_run(server, report, wish.contention_seconds, console))
    except GatedError as error:
        raise SystemExit(str(error)) from error
    if wish.report:
        report.write(wish.report)
    if wish.compare:
        show_comparison(report, wish.compare, console)


main()
