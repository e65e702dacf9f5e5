"""What the desk has to say, as tables for a terminal of a hundred columns."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gated.db.tariffs import Answer, Priced, Refused
from gated.desk.diff import Change, Comparison
from gated.desk.findings import Finding, Severity
from gated.desk.instants import shown, span
from gated.desk.limits import BLOCKS_MAX
from gated.desk.moments import Moment
from gated.desk.sights import Sight
from gated.desk.table import Cell, Row, Section

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
WIDTH = 100


def findings(found: Sequence[Finding], zone: ZoneInfo, currency: str) -> Iterator[RenderableType]:
    """Each finding with its place, and its examples below it."""
    for finding in found:
        yield Text.assemble(
            (f"{finding.severity:<8}", _STYLES[finding.severity]),
            (f"{finding.place}: ", "bold"),
            finding.text,
            (f"  [{finding.kind}]", "dim"),
        )
        for example in finding.examples:
            yield Text(f"          {example.words(zone, currency)}", style="dim")


def summary(found: Sequence[Finding]) -> Text:
    """How many there are of each kind."""
    if not found:
        return Text("nothing to say against it", style="green")
    counts = [
        f"{count} {severity.value}{'s' * (count != 1)}"
        for severity in Severity
        if (count := sum(finding.severity is severity for finding in found))
    ]
    return Text(", ".join(counts))


def tariff_sections(
    sight: Sight, sections: Sequence[Section], zone: ZoneInfo, currency: str
) -> RenderableType:
    """A table for each group of moments that are alike."""
    title = Text.assemble(
        (sight.tariff.name, "bold"),
        (f"  for {sight.visitor.words()}; prices in {currency}, clock of {zone.key}", "dim"),
    )
    parts: list[RenderableType] = [title]
    if any(
        "block of" in reason for each in sections for row in each.rows for reason in row.reasons
    ):
        parts.append(Text(f"of blocks alike the first {BLOCKS_MAX} ends are shown", style="dim"))
    for section in sections:
        parts += [
            Text(),
            Text(f"entry {section.label}", style="bold cyan"),
            _section(section, zone),
        ]
    return Group(*parts)


def _section(section: Section, zone: ZoneInfo) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("stay", justify="right", no_wrap=True)
    table.add_column("leaves", no_wrap=True)
    for heading in ("1 min less", "exactly", "1 min more"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("because", overflow="fold")
    first = section.moments[0]
    for row in section.rows:
        table.add_row(
            span(row.length),
            _leaves(first, row.length, zone),
            _cell(row.before),
            _cell(row.at, changed=row.before is not None and row.at != row.before),
            _cell(row.after, changed=row.after != row.at),
            _because(row),
        )
    return Padding(table, (0, 0, 0, 2))


def _because(row: Row) -> Text:
    return Text("; ".join(row.reasons))


def _cell(cell: Cell, *, changed: bool = False) -> Text:
    match cell:
        case None:
            return Text("-", style="dim")
        case Decimal():
            return Text(str(cell), style="bold" if changed else "")
        case _:
            return Text(cell, style="red")


def _leaves(moment: Moment, length: timedelta, zone: ZoneInfo) -> str:
    """`06:00 +1`: the reading of the clock, and how many days later."""
    entry, leaves = moment.at.astimezone(zone), (moment.at + length).astimezone(zone)
    days = (leaves.date() - entry.date()).days
    written = "%H:%M:%S" if leaves.second else "%H:%M"
    return leaves.strftime(written) + (f" +{days}" if days else "")


def comparison(found: Comparison, zone: ZoneInfo, currency: str) -> Iterator[RenderableType]:
    """Totals, counts and the largest differences."""
    priced = found.stays - len(found.refused)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    rows = (
        ("stays that both price", str(priced)),
        ("old total", f"{found.total_old} {currency}"),
        ("new total", f"{found.total_new} {currency}"),
        ("difference", f"{_signed(found.total_new - found.total_old)} {currency}"),
        ("dearer", str(found.dearer)),
        ("cheaper", str(found.cheaper)),
        ("the same", str(found.same)),
    )
    for what, value in rows:
        table.add_row(what, value)
    yield table
    if found.largest:
        yield Text()
        yield Text("the largest differences", style="bold")
        yield _changes(found.largest, zone)
    if found.refused:
        yield Text()
        count = len(found.refused)
        stays = f"{count} stay has" if count == 1 else f"{count} stays have"
        yield Text(f"{stays} no price under one of the two", style="bold red")
        yield _refusals(found, zone)


def _changes(changes: Sequence[Change], zone: ZoneInfo) -> Table:
    table = Table(
        "entry", "stay", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim"
    )
    for heading in ("old", "new", "difference"):
        table.add_column(heading, justify="right")
    for change in changes:
        style = "red" if change.by > 0 else "green"
        table.add_row(
            shown(change.stay.entry, zone),
            span(change.stay.exit - change.stay.entry),
            str(change.old.amount),
            str(change.new.amount),
            Text(_signed(change.by), style=style),
        )
    return table


def _refusals(found: Comparison, zone: ZoneInfo) -> Table:
    table = Table("entry", "stay", "old", "new", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for refusal in found.refused[: len(found.largest) or 10]:
        stay = refusal.stay
        cells = [_answer(each) for each in (refusal.old, refusal.new)]
        table.add_row(shown(stay.entry, zone), span(stay.exit - stay.entry), *cells)
    return table


def _answer(answer: Answer) -> str:
    match answer:
        case Priced():
            return str(answer.amount)
        case Refused():
            return f"{answer.error} {answer.reason}"


def _signed(value: Decimal) -> str:
    return f"{value:+}" if value else str(value)
