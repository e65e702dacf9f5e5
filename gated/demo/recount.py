"""The end of a demo: everything counted again from the database and the devices' own record."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from gated.core.ids import command_number
from gated.core.money import Money
from gated.db.connect import Connection
from gated.db.sql import sql
from gated.demo.ledger import Ledger, Opened

LATENCY_METRIC = "gated_decision_seconds"


@dataclass(slots=True)
class Report:
    """What `--report` writes; an invariant's number is that of its violations."""

    entries: int = 0
    exits: int = 0
    denials: dict[str, int] = field(default_factory=dict)
    revenue: dict[str, str] = field(default_factory=dict)
    decision_ms: dict[str, float | None] = field(default_factory=dict)
    invariants: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    facilities: dict[str, dict[str, int]] = field(default_factory=dict)
    drivers: dict[str, int] = field(default_factory=dict)
    first_open_seconds: float | None = None
    seed: int = 0

    @property
    def sound(self) -> bool:
        """Whether every invariant held."""
        return not any(self.invariants.values())


async def unfinished(connection: Connection) -> int:
    """How many messages, commands and passages are still under way."""
    return int(await connection.fetchval(sql("recount_unfinished")))


async def recount(connection: Connection, ledger: Ledger, metrics: str) -> Report:
    """Count everything again. `metrics` is the text of the daemon's last scrape."""
    report = Report(opened=len(ledger.opened), drivers=dict(sorted(ledger.outcomes.items())))
    for row in await connection.fetch(sql("recount_totals")):
        report.entries += row["entries"]
        report.exits += row["exits"]
        inside = len(ledger.inside[row["slug"]])
        report.facilities[row["slug"]] = {
            "entries": row["entries"],
            "exits": row["exits"],
            "inside": inside,
        }
    for row in await connection.fetch(sql("recount_denials")):
        report.denials[row["reason"]] = row["denials"]
    for row in await connection.fetch(sql("recount_revenue")):
        total = Money(row["amount"], row["currency"])
        report.revenue[total.currency] = str(total.amount)
    report.decision_ms = latencies(metrics)
    commands = {row["id"]: row for row in await connection.fetch(sql("recount_commands"))}
    report.invariants = {
        "spots_claimed_twice": int(await connection.fetchval(sql("recount_spots_twice"))),
        "occupancy_wrong": await _occupancy_wrong(connection, ledger),
        "opens_without_grant": _opens_without_grant(ledger.opened, commands),
        "commands_late": _commands_late(ledger.opened, commands),
        "prices_unexplained": int(await connection.fetchval(sql("recount_unexplained"))),
        "drivers_unanswered": ledger.outcomes["not_answered"],
    }
    return report


async def _occupancy_wrong(connection: Connection, ledger: Ledger) -> int:
    """Zones whose counter is off, and vehicles inside that the database does not know of."""
    wrong = 0
    for row in await connection.fetch(sql("recount_occupancy")):
        wrong += len({row["counted"], row["free"], row["unclaimed"], row["unoccupied"]}) > 1
    recorded: dict[str, set[str]] = {slug: set() for slug in ledger.inside}
    for row in await connection.fetch(sql("recount_inside")):
        recorded.setdefault(row["slug"], set()).add(row["plate"])
    for slug, plates in recorded.items():
        wrong += len(plates ^ ledger.inside[slug])
    return wrong


def _opens_without_grant(opened: list[Opened], commands: Mapping[UUID, Any]) -> int:
    """Arms that went up for no granted command, or a second time for one."""
    granted = {
        (row["facility"], row["lane"], command_number(command))
        for command, row in commands.items()
        if row["granted"]
    }
    times = Counter((one.facility, one.lane, one.number) for one in opened)
    return sum(count if key not in granted else count - 1 for key, count in times.items())


def _commands_late(opened: list[Opened], commands: Mapping[UUID, Any]) -> int:
    """Arms that went up past the expiry of their command, by the arm's own clock."""
    expiry = {
        (row["facility"], row["lane"], command_number(command)): row["expires_at"]
        for command, row in commands.items()
    }
    late = [
        one
        for one in opened
        if (key := (one.facility, one.lane, one.number)) in expiry and one.heard_at >= expiry[key]
    ]
    return len(late)


def latencies(metrics: str) -> dict[str, float | None]:
    """p50 and p99 in milliseconds of "message received to command handed to the broker".

    Read off the daemon's own histogram, interpolated within a bucket as Prometheus does; None
    where nothing was decided.
    """
    buckets: Counter[float] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == f"{LATENCY_METRIC}_bucket":
                buckets[float(sample.labels["le"])] += int(sample.value)
    return {"p50": quantile(buckets, 0.5), "p99": quantile(buckets, 0.99)}


def quantile(buckets: Mapping[float, int], share: float) -> float | None:
    """The quantile in milliseconds, from cumulative counts by upper bound in seconds."""
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] == 0:
        return None
    rank = share * buckets[bounds[-1]]
    lower, below = 0.0, 0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank:
            if bound == float("inf"):
                return round(lower * 1000, 2)
            return round((lower + (bound - lower) * (rank - below) / (count - below)) * 1000, 2)
        lower, below = bound, count
    return None
