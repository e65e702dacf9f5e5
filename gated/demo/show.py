"""The demo's last page: a table for people, and the JSON for machines."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gated.demo.recount import Report


def write(report: Report, file: Path) -> None:
    """The report as JSON."""
    file.write_text(json.dumps(asdict(report), indent=2) + "\n")


def show(report: Report, console: Console) -> None:
    """The summary as tables."""
    traffic = Table(title="Traffic, recounted from the database", title_justify="left")
    for heading in ("facility", "entries", "exits", "inside"):
        traffic.add_column(heading, justify="left" if heading == "facility" else "right")
    for slug, counts in report.facilities.items():
        traffic.add_row(slug, *(str(counts[key]) for key in ("entries", "exits", "inside")))
    console.print(traffic)

    facts = Table(show_header=False, title="Decisions and money", title_justify="left")
    facts.add_row("barriers opened", str(report.opened))
    for reason, count in report.denials.items():
        facts.add_row(f"denied: {reason}", str(count))
    for currency, amount in report.revenue.items():
        facts.add_row(f"revenue {currency}", amount)
    p50, p99 = report.decision_ms.get("p50"), report.decision_ms.get("p99")
    facts.add_row("decision, received → handed over", f"p50 {p50} ms, p99 {p99} ms")
    if report.first_open_seconds is not None:
        facts.add_row("first barrier opened after", f"{report.first_open_seconds:.1f} s")
    facts.add_row("seed", str(report.seed))
    console.print(facts)

    checks = Table(
        title="Invariants, recounted from the database and the devices' own record",
        title_justify="left",
    )
    checks.add_column("invariant")
    checks.add_column("violations", justify="right")
    for name, violations in report.invariants.items():
        style = "red" if violations else "green"
        checks.add_row(name.replace("_", " "), f"[{style}]{violations}[/{style}]")
    console.print(checks)
