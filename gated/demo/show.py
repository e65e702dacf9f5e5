"""The demo's last page: tables for people, and the JSON for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gated.demo.recount import UNMATCHED, Report


@dataclass(frozen=True, slots=True)
class Case:
    """What happened at the barriers, by the drivers' outcomes, and what gated made of it.

    Each answer is a text and the acts (`Report.acts`) of which it has the number.
    """

    happened: str
    outcomes: Sequence[str]
    answers: Sequence[tuple[str, Sequence[str]]]


CASES = (
    Case("reversed at the open barrier", ("backed_out",),
         (("undone, spots free again", ("cancelled_no_passage",)),)),
    Case("followed another one in", ("tailgated_in",),
         (("unregistered stays, violations", ("passed_tailgating_entry_stay_opened",)),)),
    Case("followed another one out", ("tailgated_out",),
         (("stays ended in debt, violations", ("passed_tailgating_exit_stay_ended",)),)),
    Case("plates not readable at an entry", ("unread_let_in",),
         (("let in by the operator", ("passed_operator_entry_stay_opened",)),)),
    Case("plates misread", ("misread",),
         (("matched at the exit", ("matched",)), ("by the operator", ("matched_by_hand",)))),
    Case("left, and nobody knew whose stay", (),
         (("let out by the operator", ("passed_operator_exit_nobody_known",)),)),
    Case("paid at the exit late, or a part", ("paid_late", "paid_a_part"),
         (("times asked for what was due", ("payment.asked",)),)),
    Case("backed off when asked to pay", ("backed_off_unpaid",), (("their stays went on", ()),)),
    Case("outstayed a reservation", ("overstayed",),
         (("violations", ("violation_overstay",)),)),
    Case("times that an arm did not move", ("arm_did_not_move",),
         (("asked again", ("asked_again",)),
          ("out of service", ("fault_raised_arm_stuck",)),
          ("back", ("fault_cleared_arm_stuck",)))),
    Case("loops that stuck", ("loop_stuck",),
         (("noticed", ("fault_raised_presence_loop_stuck",)),
          ("cleared", ("fault_cleared_presence_loop_stuck",)))),
)  # fmt: skip


def write(report: Report, file: Path) -> None:
    """The report as JSON."""
    file.write_text(json.dumps(asdict(report), indent=2) + "\n")


def show(report: Report, console: Console) -> None:
    """The summary as tables."""
    console.print(_traffic(report))
    console.print(_some_of_each(report))
    console.print(_facts(report))
    console.print(_checks(report))


def _traffic(report: Report) -> Table:
    traffic = Table(title="Traffic, recounted from the database", title_justify="left")
    for heading in ("facility", "entries", "exits", "inside"):
        traffic.add_column(heading, justify="left" if heading == "facility" else "right")
    for slug, counts in report.facilities.items():
        traffic.add_row(slug, *(str(counts[key]) for key in ("entries", "exits", "inside")))
    return traffic


def _some_of_each(report: Report) -> Table:
    table = Table(title="Some of each", title_justify="left")
    table.add_column("drivers, cameras, hardware", no_wrap=True)
    table.add_column("", justify="right")
    table.add_column("what gated made of it")
    for case in CASES:
        happened = sum(report.drivers.get(name, 0) for name in case.outcomes)
        if not case.outcomes:
            happened = report.cases.get(UNMATCHED, 0)
        answers = [
            f"{text}: {sum(report.acts.get(act, 0) for act in acts)}" if acts else text
            for text, acts in case.answers
        ]
        if happened:
            table.add_row(case.happened, str(happened), ", ".join(answers))
    # Some are refused, come again and are let through; others are refused more than once.
    reasons = ", ".join(f"{reason}: {count}" for reason, count in report.denials.items())
    denied = f"{sum(report.denials.values())} refusals: {reasons}" if reasons else ""
    table.add_row("vehicles turned away", str(report.drivers.get("turned_away", 0)), denied)
    return table


def _facts(report: Report) -> Table:
    facts = Table(show_header=False, title="Decisions and money", title_justify="left")
    facts.add_row("barriers opened", str(report.opened))
    for currency, amount in report.revenue.items():
        paid, owed = report.paid.get(currency, "0"), report.owed.get(currency, "0")
        facts.add_row(f"revenue {currency}", f"{amount}: {paid} paid, {owed} owed")
    for kind, count in report.violations.items():
        facts.add_row(f"violations: {kind}", str(count))
    for kind, count in report.cases.items():
        facts.add_row(f"left to people: {kind}", str(count))
    p50, p99 = report.decision_ms.get("p50"), report.decision_ms.get("p99")
    facts.add_row("decision, received → handed over", f"p50 {p50} ms, p99 {p99} ms")
    if report.first_open_seconds is not None:
        facts.add_row("first barrier opened after", f"{report.first_open_seconds:.1f} s")
    facts.add_row("seed", str(report.seed))
    return facts


def _checks(report: Report) -> Table:
    checks = Table(
        title="Invariants, recounted from the database and the devices' own record",
        title_justify="left",
    )
    checks.add_column("invariant")
    checks.add_column("violations", justify="right")
    for name, violations in report.invariants.items():
        style = "red" if violations else "green"
        checks.add_row(name.replace("_", " "), f"[{style}]{violations}[/{style}]")
    return checks
