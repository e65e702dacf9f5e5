"""The end of a demo: everything counted again from the database and the devices' own record."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from gated.core.ids import command_number
from gated.core.money import Money
from gated.db.connect import Connection
from gated.db.sql import sql
from gated.demo.ledger import Ledger, Opened

LATENCY_METRIC = "gated_decision_seconds"
LEAKS_METRIC = "gated_openings_without_transaction_total"
# Left to people, and no fault: a vehicle that nobody could tell, one too many for its zone.
UNMATCHED = "exit_unmatched"
CASES_EXPECTED = frozenset({UNMATCHED, "over_capacity"})


@dataclass(slots=True)
class Report:
    """What `--report` writes; an invariant's number is that of its violations."""

    entries: int = 0
    exits: int = 0
    denials: dict[str, int] = field(default_factory=dict)
    revenue: dict[str, str] = field(default_factory=dict)
    paid: dict[str, str] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)
    decision_ms: dict[str, float | None] = field(default_factory=dict)
    invariants: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    facilities: dict[str, dict[str, int]] = field(default_factory=dict)
    drivers: dict[str, int] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)
    violations: dict[str, int] = field(default_factory=dict)
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
    for row in await connection.fetch(sql("recount_violations")):
        report.violations[row["kind"]] = row["violations"]
    for row in await connection.fetch(sql("recount_acts")):
        report.acts[row["act"]] = row["times"]
    money = await connection.fetch(sql("recount_money"))
    for row in money:
        currency = row["currency"]
        report.revenue[currency] = str(Money(row["charged"], currency).amount)
        report.paid[currency] = str(Money(row["paid"], currency).amount)
        report.owed[currency] = str(Money(row["owed"], currency).amount)
    cases = await connection.fetch(sql("recount_cases"))
    for row in cases:
        report.cases[row["kind"]] = report.cases.get(row["kind"], 0) + row["cases"]
    report.decision_ms = latencies(metrics)
    commands = {row["id"]: row for row in await connection.fetch(sql("recount_commands"))}
    report.invariants = {
        "spots_claimed_twice": int(await connection.fetchval(sql("recount_spots_twice"))),
        "occupancy_wrong": await _occupancy_wrong(connection, ledger),
        "opens_without_grant": _opens_without_grant(ledger.opened, commands),
        "commands_late": _commands_late(ledger.opened, commands),
        "leaks_uncounted": _leaks_uncounted(report, ledger, metrics),
        "violations_wrong": _apart(report.violations, ledger.violations),
        "matches_wrong": _matches_wrong(report, ledger),
        "cases_wrong": _cases_wrong(cases, ledger),
        "money_wrong": _money_wrong(money, ledger),
        "prices_unexplained": int(await connection.fetchval(sql("recount_unexplained"))),
        "drivers_unanswered": ledger.outcomes["not_answered"],
    }
    return report


async def _occupancy_wrong(connection: Connection, ledger: Ledger) -> int:
    """Zones whose counter is off, and vehicles whose stays are not as they must be.

    Those that left as nobody knows whom still have their stays: they are counted as cases.
    """
    wrong = 0
    for row in await connection.fetch(sql("recount_occupancy")):
        wrong += len({row["counted"], row["free"], row["unclaimed"], row["unoccupied"]}) > 1
    recorded: dict[str, dict[str | None, int]] = {slug: {} for slug in ledger.inside}
    for row in await connection.fetch(sql("recount_inside")):
        recorded.setdefault(row["slug"], {})[row["plate"]] = row["stays"]
    return wrong + sum(_apart(stays, ledger.stays(slug)) for slug, stays in recorded.items())


def _opens_without_grant(opened: list[Opened], commands: Mapping[UUID, Any]) -> int:
    """Arms that went up for no grant and no operator, or a second time for one."""
    causes = {
        (row["facility"], row["lane"], command_number(command)): row["event_id"]
        for command, row in commands.items()
        if row["cause"] is not None
    }
    keys = [(one.facility, one.lane, one.number) for one in opened]
    times = Counter(causes[key] for key in keys if key in causes)
    return sum(key not in causes for key in keys) + sum(count - 1 for count in times.values())


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


def _leaks_uncounted(report: Report, ledger: Ledger, metrics: str) -> int:
    """Openings by hand that the audit or the metric counts otherwise than the operator does."""
    by_hand = ledger.outcomes["opened_by_hand"]
    audited = report.acts.get("operator.open", 0)
    return abs(audited - by_hand) + abs(_total(metrics, LEAKS_METRIC) - by_hand)


def _matches_wrong(report: Report, ledger: Ledger) -> int:
    """Misread plates at exits whose stays do not say how they were found."""
    kinds = ("misread_matched", "matched"), ("matched_by_hand", "matched_by_hand")
    return sum(abs(report.acts.get(act, 0) - ledger.outcomes[one]) for one, act in kinds)


def _cases_wrong(cases: list[Any], ledger: Ledger) -> int:
    """Vehicles that left as nobody knows whom and are no case, or the other way; other cases."""
    unmatched = {row["slug"]: row["cases"] for row in cases if row["kind"] == UNMATCHED}
    lost = {slug: len(cars) for slug, cars in ledger.lost.items()}
    others = sum(row["cases"] for row in cases if row["kind"] not in CASES_EXPECTED)
    return _apart(unmatched, lost) + int(others)


def _money_wrong(money: list[Any], ledger: Ledger) -> int:
    """Currencies in which payments, prices or debts are not what drivers know of them."""
    wrong = 0
    for row in money:
        currency = row["currency"]
        wrong += row["paid"] != ledger.paid.get(currency, Decimal(0))
        wrong += row["charged"] - row["paid"] > row["owed"]
        if currency in ledger.charged:
            wrong += row["charged"] != ledger.charged[currency]
            wrong += row["owed"] != ledger.owed[currency]
    return wrong


def _apart(one: Mapping[Any, int], other: Mapping[Any, int]) -> int:
    """How much two counts differ, over all keys."""
    return sum(abs(one.get(key, 0) - other.get(key, 0)) for key in {*one, *other})


def _total(metrics: str, name: str) -> int:
    """The sum of a counter over all its labels."""
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == name
    )


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
