"""Repeated timing of one coroutine, and the table of results beside their floor."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

# One in so many is run beforehand and not counted.
WARM_UP_SHARE = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """Median and 99th percentile of one operation, in milliseconds."""

    name: str
    median_ms: float
    p99_ms: float
    floor: str | None = None


async def timed(
    name: str, count: int, work: Callable[[int], Awaitable[object]], *, floor: str | None = None
) -> Figure:
    """Time `work(0) … work(count - 1)` one after the other, after some to warm up."""
    warm_up = count // WARM_UP_SHARE
    seconds: list[float] = []
    for index in range(count + warm_up):
        began = time.perf_counter()
        await work(index)
        if index >= warm_up:
            seconds.append(time.perf_counter() - began)
    return figure(name, seconds, floor)


def figure(name: str, seconds: Sequence[float], floor: str | None = None) -> Figure:
    """What single times come to; two at least."""
    return Figure(name, median(seconds) * 1000, quantiles(seconds, n=100)[98] * 1000, floor)


def show(figures: list[Figure], console: Console) -> None:
    """The figures as a table, each with the ratio of its median to its floor's."""
    medians = {figure.name: figure.median_ms for figure in figures}
    table = Table(title="One after the other, on one connection where not said otherwise")
    for heading in ("operation", "median ms", "p99 ms", "floor", "times the floor"):
        table.add_column(heading, justify="left" if heading in {"operation", "floor"} else "right")
    for figure in figures:
        ratio = f"{figure.median_ms / medians[figure.floor]:.1f}" if figure.floor else ""
        table.add_row(
            figure.name,
            f"{figure.median_ms:.3f}",
            f"{figure.p99_ms:.3f}",
            figure.floor or "",
            ratio,
        )
    console.print(table)
