"""The day for people: a line while it goes on, then a picture, the account and what went wrong."""

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.sim.auditor import Look
from tests.sim.day import Day
from tests.sim.drivers import Traffic

FINDINGS_SHOWN_MAX = 20
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ROWS, _COLUMNS_PER_HOUR = 10, 3


class ProgressLine:
    """Where the day is, and how fast it goes."""

    def __init__(self, console: Console, vehicles: int) -> None:
        self._console = console
        self._vehicles = vehicles
        self._started = time.monotonic()

    def __call__(self, traffic: Traffic, now: datetime) -> None:
        seconds = time.monotonic() - self._started
        done = traffic.finished
        line = (
            f"{now:%H:%M}  {done:6} of {self._vehicles} visits  {done / seconds:6.0f} per second"
            f"  {len(traffic.ledger.inside()):5} inside"
        )
        if self._console.is_terminal:
            self._console.print(line, end="\r", highlight=False)
        elif now.minute == 0 and now.hour % 3 == 0:
            self._console.print(line, highlight=False)


def show(day: Day, console: Console) -> None:
    """The picture, the account, the twists, the findings."""
    auditor, traffic = day.auditor, day.traffic
    console.print()
    console.print(picture(day.curve, auditor.looks))
    console.print()
    account = Table(box=None, pad_edge=False)
    account.add_column("")
    for name in ("ledger", "database"):
        account.add_column(name, justify="right")
    account.add_column("")
    for total in auditor.totals:
        account.add_row(
            total.name, _amount(total.ledger), _amount(total.database), _mark(ok=total.agrees)
        )
    console.print(account)
    console.print()
    for name, count in [*traffic.outcomes.most_common(), *traffic.operator.cases.most_common()]:
        console.print(f"{count:7,}  {name}", highlight=False)
    console.print()
    console.print(
        f"{day.wish.vehicles:,} visits in {day.seconds:.1f} s: "
        f"{day.wish.vehicles / day.seconds:.0f} per second; seed {day.wish.seed}",
        highlight=False,
    )
    for finding in auditor.findings[:FINDINGS_SHOWN_MAX]:
        console.print(Text(f"✗ {finding}", style="red"))
    if len(auditor.findings) > FINDINGS_SHOWN_MAX:
        console.print(f"… and {len(auditor.findings) - FINDINGS_SHOWN_MAX} more")


def picture(curve: Sequence[tuple[datetime, int]], looks: Sequence[Look]) -> Text:
    """How many were inside over the day; below, the instants at which the auditor looked."""
    if not curve or not looks:
        return Text("nothing was seen")
    midnight = curve[0][0].replace(hour=0, minute=0, second=0, microsecond=0)

    def column(at: datetime) -> int:
        return int((at - midnight).total_seconds() / 3600 * _COLUMNS_PER_HOUR)

    columns = 24 * _COLUMNS_PER_HOUR
    inside = [0] * columns
    for at, count in curve:
        if column(at) < columns:
            inside[column(at)] = max(inside[column(at)], count)
    capacity = looks[0].capacity
    top = max(capacity, *inside)
    text = Text()
    for row in reversed(range(_ROWS)):
        edge = {_ROWS - 1: f"{top:,}", 0: "0"}.get(row, "")
        text.append(f"{edge:>7} ", style="dim")
        for count in inside:
            eighths = round(count / top * _ROWS * 8) - row * 8
            text.append(_BLOCKS[min(max(eighths, 0), 8)], style="cyan")
        text.append("\n")
    marks = [" "] * columns
    wrong = {column(look.at) for look in looks if not look.agrees}
    for look in looks:
        if column(look.at) < columns:
            marks[column(look.at)] = "✗" if column(look.at) in wrong else "✓"
    text.append(" " * 8)
    for mark in marks:
        text.append(mark, style="red" if mark == "✗" else "green")
    hours = "".join(f"{hour:<{3 * _COLUMNS_PER_HOUR}}" for hour in range(0, 24, 3))
    text.append(f"\n{'':8}{hours}\n", style="dim")
    text.append(f"{'':8}vehicles inside, of {capacity:,} spots; ✓ the auditor counted as many")
    return text


def _amount(value: Decimal | int) -> str:
    # Whatever is finer than a cent would show.
    return f"{value:,}" if isinstance(value, int) else f"{value.normalize():,.2f}"


def _mark(*, ok: bool) -> Text:
    return Text("✓", style="green") if ok else Text("✗", style="red")
