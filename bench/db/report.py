"""What was measured: as tables, as JSON, and beside another report."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.db.contention import Fight, Floors
from bench.figures import Figure

# Above this share of a core, a client process may be what the others wait for.
CLIENT_CORES_MAX = 0.9
# What we want besides the percentiles: a hundred times the data must not show in a median, and
# clients that fight commit at least this share of what as many clients commit that do not.
SCALE_RATIO_MAX = 1.3
CONTENTION_SHARE_MIN = 0.5
# What each operation is set beside.
FLOORS = ("SELECT 1", "one INSERT")


@dataclass(frozen=True, slots=True)
class Goal:
    """What the overview asks of an operation, and what we want of its 99th percentile."""

    overview_ms: float | None
    p99_ms: float


GOALS: Mapping[str, Goal] = {
    "availability": Goal(50, 5),
    "reservation": Goal(200, 10),
    "price of a stay": Goal(100, 5),
    "snapshot at entry, registered": Goal(None, 3),
    "snapshot at entry, stranger": Goal(None, 3),
    "snapshot at exit": Goal(None, 3),
    "admission, stranger": Goal(None, 10),
    "admission, reserved": Goal(None, 10),
}


@dataclass(slots=True)
class Report:
    """One run. `rows` and `bytes` are those of the database, `load_seconds` None for kept data."""

    scale: float
    facilities: int
    seed: int
    count: int
    postgresql: str = ""
    cores: int = 0
    # Before measuring: what others do on the machine shows in every 99th percentile.
    load_average: float = 0.0
    settings: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    database_bytes: int = 0
    load_seconds: float | None = None
    verify_seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    floors: Floors | None = None
    fights: list[Fight] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """As JSON; each figure with its ratio and goals."""
        medians = {one.name: one.median_ms for one in self.figures}
        body = asdict(self)
        for row, one in zip(body["figures"], self.figures, strict=True):
            goal = GOALS.get(one.name)
            row["ratios"] = {floor: one.median_ms / medians[floor] for floor in FLOORS}
            row["overview_ms"] = goal.overview_ms if goal else None
            row["goal_p99_ms"] = goal.p99_ms if goal else None
        for row, fight in zip(body["fights"], self.fights, strict=True):
            row["commits_per_second"] = fight.commits_per_second
            if self.floors:
                row["ratio"] = fight.commits_per_second / self.floors.commits_per_second
        path.write_text(json.dumps(body, indent=2) + "\n")


def show_server(report: Report, console: Console) -> None:
    """What the figures were measured on."""
    settings = ", ".join(f"{name} = {value}" for name, value in report.settings.items())
    console.print(f"[dim]PostgreSQL {report.postgresql}, {report.cores} cores: {settings}[/dim]")
    rows = ", ".join(f"{count:,} {name}" for name, count in report.rows.items())
    console.print(
        f"scale {report.scale:g}: {report.facilities} facilities, {rows};"
        f" {report.database_bytes / 2**30:.1f} GiB"
        + (f", loaded in {report.load_seconds:.0f} s" if report.load_seconds else "")
        + f", verified in {report.verify_seconds:.1f} s; load average {report.load_average:.1f}"
    )


def show_operations(report: Report, console: Console) -> None:
    """The operations beside their goals and floors."""
    medians = {one.name: one.median_ms for one in report.figures}
    table = Table(
        title=f"One after the other, {report.count} times each; no statement stays prepared"
    )
    table.add_column("operation")
    for heading in ("median ms", "p99 ms", "goal p99", "overview"):
        table.add_column(heading, justify="right")
    for floor in FLOORS:
        table.add_column(f"times {floor}", justify="right")
    for one in report.figures:
        goal = GOALS.get(one.name)
        missed = goal is not None and one.p99_ms >= goal.p99_ms
        table.add_row(
            one.name,
            f"{one.median_ms:.3f}",
            _marked(f"{one.p99_ms:.3f}", missed=missed),
            f"< {goal.p99_ms:g}" if goal else "",
            f"{goal.overview_ms:g}" if goal and goal.overview_ms else "",
            *(f"{one.median_ms / medians[floor]:.1f}" for floor in FLOORS),
        )
    console.print(table)


def show_contention(report: Report, console: Console) -> None:
    """The fights for the last spots beside the bare commits of as many clients."""
    assert report.floors is not None
    floors = report.floors
    console.print(
        f"{floors.clients} clients in {floors.processes} processes: SELECT 1"
        f" {floors.round_trips_per_second:,.0f} a second, one INSERT"
        f" {floors.commits_per_second:,.0f} a second (client processes"
        f" {floors.client_cores_select:.2f} and {floors.client_cores_insert:.2f} of a core at most)"
    )
    table = Table(title="The last spots of one facility")
    table.add_column("")
    for fight in report.fights:
        table.add_column(fight.counters, justify="right")
    for name, cells in _contention_rows(report.fights, floors):
        table.add_row(name, *cells)
    console.print(table)
    busiest = [floors.client_cores_select, floors.client_cores_insert]
    if max(*busiest, *(fight.client_cores for fight in report.fights)) > CLIENT_CORES_MAX:
        console.print("[red]a client process was busy all the time: the server could do more[/red]")


def _contention_rows(
    fights: Sequence[Fight], floors: Floors
) -> Iterator[tuple[str, Sequence[str]]]:
    yield "free spots before and after", [f"{f.spots_before}, {f.spots_after}" for f in fights]
    yield "seconds", [f"{f.seconds:.0f}" for f in fights]
    yield "writing transactions a second", [f"{f.commits_per_second:,.0f}" for f in fights]
    share = [f.commits_per_second / floors.commits_per_second for f in fights]
    yield (
        f"  by the bare commits (goal > {CONTENTION_SHARE_MIN:g})",
        [_marked(f"{value:.2f}", missed=value <= CONTENTION_SHARE_MIN) for value in share],
    )
    for name in ("admit", "release", "reserve", "cancel", "append"):
        yield f"  {name}", [f"{f.commits.get(name, 0) / f.seconds:,.0f}" for f in fights]
    refusals = [sum(f.refusals.values()) / f.seconds for f in fights]
    yield "refusals a second", [f"{value:,.0f}" for value in refusals]
    yield "  in all", [_counts(f.refusals) for f in fights]
    yield "errors that reached the caller", [_counts(f.errors) for f in fights]
    yield "attempts that failed", [_counts(f.failures) for f in fights]
    yield "spots taken unknowingly", [f"{f.abandoned}" for f in fights]
    yield "deadlocks, by the server", [f"{f.deadlocks}" for f in fights]
    yield "double claims", [f"{f.double_claims}" for f in fights]
    yield "contradictions (verify_v1)", [f"{f.contradictions}" for f in fights]
    for name in ("admit", "release", "reserve", "cancel"):
        yield f"{name}: median, p99 ms", [_times(f.latencies, name) for f in fights]
    yield "busiest client process, of a core", [f"{f.client_cores:.2f}" for f in fights]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _times(latencies: Mapping[str, tuple[float, float]], name: str) -> str:
    if name not in latencies:
        return ""
    return ", ".join(f"{value:.1f}" for value in latencies[name])


def show_comparison(report: Report, other: Path, console: Console) -> None:
    """The medians of this run by those of another one."""
    body: dict[str, Any] = json.loads(other.read_text())
    theirs = {row["name"]: row for row in body["figures"]}
    table = Table(
        title=f"Scale {report.scale:g} by scale {body['scale']:g}"
        f" (goal: medians within {SCALE_RATIO_MAX:g})"
    )
    table.add_column("operation")
    for heading in ("median ms", "there", "ratio", "p99 ms", "there", "ratio"):
        table.add_column(heading, justify="right")
    for one in report.figures:
        if (there := theirs.get(one.name)) is None:
            continue
        ratio = one.median_ms / there["median_ms"]
        table.add_row(
            one.name,
            f"{one.median_ms:.3f}",
            f"{there['median_ms']:.3f}",
            _marked(f"{ratio:.2f}", missed=ratio > SCALE_RATIO_MAX),
            f"{one.p99_ms:.3f}",
            f"{there['p99_ms']:.3f}",
            f"{one.p99_ms / there['p99_ms']:.2f}",
        )
    console.print(table)


def _marked(text: str, *, missed: bool) -> str:
    return f"[red]{text}[/red]" if missed else text
