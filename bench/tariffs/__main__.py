"""`make bench-tariffs ARGS="--count 1000 --seconds 10 --report bench-tariffs.json"`."""

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, timed
from bench.tariffs.rules import BANDS, BLOCKS, CAPS, add_facility
from gated.db.connect import connected
from gated.db.migrate import init
from gated.demo.play import DAEMON_ROLE, stage
from gated.telemetry import configure_logs

DATABASE = "gated_bench_tariffs"
PRICE = "SELECT amount, lines FROM gate.price_stay_v1($1, $2, $3)"
QUOTE = "SELECT amount, lines FROM gate.quote_v1($1, $2, $3)"
PIECES = """
SELECT count(*) FROM pricing_rules r, gate.band_pieces_v1(
    r.facility_id, 'Europe/Berlin', r.config -> 'bands', $2, $3)
WHERE r.facility_id = $1 AND r.priority = 0
"""
ENTRY = datetime(2026, 3, 3, 8, 20, tzinfo=UTC)
LENGTHS: Mapping[str, timedelta] = {
    "two hours": timedelta(hours=2),
    "a day": timedelta(days=1),
    "a week": timedelta(days=7),
    "a month": timedelta(days=30),
    "a year": timedelta(days=365),
    "three years": timedelta(days=3 * 365),
}
# The 99th percentile that we want, in ms, and the quotes a second.
P99_GOALS = {"two hours": 5, "a day": 5, "a year": 20}
QUOTES_PER_SECOND_MIN = 1000
# Long stays are asked for less often: they take longer.
LONG, LONG_SHARE = timedelta(days=30), 10


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of stay: how many pieces it is cut into, and the times of its price."""

    tariff: str
    length: str
    pieces: int
    figure: Figure


async def _rows(dsn: str, facilities: Mapping[str, uuid.UUID], count: int) -> list[Row]:
    async with connected(dsn) as connection:
        rows = [
            Row(
                "", "", 0, await timed("SELECT 1", count, lambda _: connection.fetchval("SELECT 1"))
            )
        ]
        for tariff, facility in facilities.items():
            for name, length in LENGTHS.items():
                times = count // LONG_SHARE if length > LONG else count

                async def price(
                    index: int, facility: uuid.UUID = facility, length: timedelta = length
                ) -> None:
                    entry = ENTRY + index * timedelta(minutes=7)
                    await connection.fetchrow(PRICE, facility, entry, entry + length)

                pieces = 1
                if "bands" in tariff:
                    pieces = await connection.fetchval(PIECES, facility, ENTRY, ENTRY + length)
                rows.append(Row(tariff, name, pieces, await timed(name, times, price)))
    return rows


async def _quotes_per_second(dsn: str, facility: uuid.UUID, clients: int, seconds: float) -> float:
    """Of clients that ask without a pause, each on a connection of its own."""
    until = time.perf_counter() + seconds

    async def ask(number: int) -> int:
        asked = 0
        async with connected(dsn) as connection:
            while time.perf_counter() < until:
                entry = ENTRY + (asked % 5000) * timedelta(minutes=7, seconds=number)
                await connection.fetchrow(QUOTE, facility, entry, entry + timedelta(hours=2))
                asked += 1
        return asked

    return sum(await asyncio.gather(*(ask(number) for number in range(clients)))) / seconds


def _show(rows: list[Row], console: Console) -> None:
    floor = rows[0].figure.median_ms
    console.print(f"SELECT 1: {floor:.3f} ms")
    table = Table(title="The price of a stay, with its lines")
    table.add_column("tariff", no_wrap=True)
    table.add_column("stay", no_wrap=True)
    for heading in ("pieces", "median ms", "p99 ms", "goal", "times SELECT 1", "us a piece"):
        table.add_column(heading, justify="right")
    for row in rows[1:]:
        goal = P99_GOALS.get(row.length)
        p99 = f"{row.figure.p99_ms:.2f}"
        table.add_row(
            row.tariff,
            row.length,
            str(row.pieces),
            f"{row.figure.median_ms:.2f}",
            f"[red]{p99}[/red]" if goal and row.figure.p99_ms >= goal else p99,
            f"< {goal}" if goal else "",
            f"{row.figure.median_ms / floor:.1f}",
            f"{row.figure.median_ms * 1000 / row.pieces:.0f}",
        )
    console.print(table)


async def _measure(dsn: str, owner: str, wish: argparse.Namespace, console: Console) -> None:
    await init(owner)
    async with connected(owner) as connection:
        facilities = {
            "bands": await add_facility(connection, "bands", "BAND", BANDS, wish.rules),
            "bands and caps": await add_facility(
                connection, "capped", "BAND", {**BANDS, **CAPS}, wish.rules
            ),
            "blocks": await add_facility(connection, "blocks", "BLOCK", BLOCKS, wish.rules),
        }
        await connection.execute("VACUUM ANALYZE")
    rows = await _rows(dsn, facilities, wish.count)
    _show(rows, console)
    first = next(iter(facilities.values()))
    quotes = await _quotes_per_second(dsn, first, wish.clients, wish.seconds)
    shown = f"{quotes:,.0f} quotes a second"
    missed = quotes < QUOTES_PER_SECOND_MIN
    console.print(
        f"{wish.clients} clients, two hours, {wish.rules} rules:"
        f" {f'[red]{shown}[/red]' if missed else shown} (goal {QUOTES_PER_SECOND_MIN:,})"
    )
    if wish.report:
        body = {"rows": [asdict(row) for row in rows], "quotes_per_second": quotes}
        wish.report.write_text(json.dumps(body, indent=2) + "\n")


def main() -> None:
    """Measure, print the table, write the JSON if asked to."""
    parser = argparse.ArgumentParser(prog="make bench-tariffs", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="prices of each kind")
    parser.add_argument("--rules", type=int, default=100, help="of a facility")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--report", type=Path)
    wish = parser.parse_args()
    configure_logs("console", "error", sys.stdout)
    console = Console()
    with stage(console) as services:
        asyncio.run(
            _measure(
                services.postgres.dsn_for(DATABASE, user=DAEMON_ROLE),
                services.postgres.dsn_for(DATABASE),
                wish,
                console,
            )
        )


main()
