"""`gated tariff …`: the desk at which a tariff is read, checked and priced before it goes live."""

import csv
import io
import json
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from gated.cli.screen import screen
from gated.cli.tariff_book import diff, explain
from gated.cli.tariff_desk import arun, at_desk, progress
from gated.cli.tariff_standards import export, import_
from gated.core.errors import ConfigError
from gated.db.tariffs import Answer, Priced, Refused, Stay
from gated.desk import show
from gated.desk.findings import Finding, Severity
from gated.desk.instants import read
from gated.desk.lines import ordered
from gated.desk.lint import in_order, priced_findings, read_findings
from gated.desk.picture import drawn
from gated.desk.plot import check_output, draw
from gated.desk.sights import (
    Sight,
    longest,
    question,
    sights,
    special_moments,
    week_moments,
    zone,
)
from gated.desk.stays_file import Row, context, load_stays
from gated.desk.survey import surveyed
from gated.desk.table import COLUMNS, flat, sections
from gated.site_rules import load_tariffs_of
from gated.tariff.file import TariffFile
from gated.validation import ConfigErrors

app = typer.Typer(no_args_is_help=True, help="Check, show and price tariffs.")

File = Annotated[Path, typer.Argument(help="A tariff file, or a site file.", show_default=False)]
Dsn = Annotated[
    str | None,
    typer.Option(
        help="Price with the functions of this database, as its owner, and leave nothing in it; "
        "else with a PostgreSQL of our own.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
From = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        help="The day after which the week and the special days are taken; left out: today.",
        show_default=False,
    ),
]
Tariffs = Annotated[
    list[str] | None,
    typer.Option("--tariff", help="This tariff alone; may be repeated.", show_default=False),
]


@app.callback()
def _tariff() -> None:
    """Check, show and price tariffs."""


@app.command()
def lint(
    file: File,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only what the file tells by itself, without prices.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Do not tell findings of this kind; may be repeated.", show_default=False
        ),
    ] = None,
    start: From = None,
    dsn: Dsn = None,
    json_: Json = False,
) -> None:
    """Tell what is wrong with a tariff, and what is odd about its prices.

    Exit status 0 for nothing, 1 for findings, 2 for a file that is refused.
    """
    try:
        tariffs = load_tariffs_of(file)
    except ConfigError as error:
        _tell_errors(error, as_json=json_)
        raise typer.Exit(2) from None
    today = _day(start)
    found = read_findings(tariffs, today)
    if not quick:
        found += arun("lint", _priced_findings(tariffs, today, dsn), failed=2)
    found = in_order([each for each in found if each.kind not in (accept or ())])
    if json_:
        typer.echo(json.dumps([each.json(zone(tariffs)) for each in found], indent=2))
    else:
        console = screen()
        for part in show.findings(found, zone(tariffs), tariffs.facility.currency):
            console.print(part)
        console.print(show.summary(found))
    if found:
        raise typer.Exit(1)


async def _priced_findings(tariffs: TariffFile, today: date, dsn: str | None) -> list[Finding]:
    async with at_desk(dsn) as seated:
        till = await seated.desk.load(tariffs)
        return await priced_findings(tariffs, till, today, seated.counted)


def _tell_errors(error: ConfigError, *, as_json: bool) -> None:
    errors = error.errors if isinstance(error, ConfigErrors) else (error,)
    if not as_json:
        typer.echo("\n".join(str(each) for each in errors), err=True)
        return
    found = [
        Finding(Severity.ERROR, "refused", each.place, str(each).removeprefix(f"{each.place}: "))
        for each in errors
    ]
    # An error has no examples, so it has no zone either.
    typer.echo(json.dumps([each.json(None) for each in found], indent=2))


@app.command()
def table(
    file: File,
    tariff: Tariffs = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="A time of entry, 08:00; may be repeated. Left out: the tariff's own.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(
            help="How long stays are looked at; left out: a day, or as long as specials.",
            min=0.01,
            max=31,
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Also the limits at which no price changes.")
    ] = False,
    start: From = None,
    dsn: Dsn = None,
    json_: Json = False,
    csv_: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
) -> None:
    """Show what stays cost around each limit of a tariff: a minute less, exactly, a minute more.

    For a plain week of entries, a day of each kind of the calendar and the coming clock changes.
    With --json and --csv each limit of each entry is a row.
    """
    tariffs = load_tariffs_of(file)
    times = [_time(each) for each in at or ()]
    chosen = _chosen(tariffs, tariff)
    today = _day(start)

    async def work() -> None:
        rows: list[dict[str, Any]] = []
        async with at_desk(dsn) as seated:
            till = await seated.desk.load(tariffs)
            for sight in chosen:
                length = longest(sight.tariff) if days is None else timedelta(days=days)
                moments = [
                    *week_moments(tariffs, sight.tariff, today, times),
                    *special_moments(tariffs, sight.tariff, today, times),
                ]
                asked = question(tariffs, sight, length)
                looks = await surveyed(till, asked, moments, seated.counted)
                if json_ or csv_:
                    rows += flat(sight.tariff.name, looks, zone(tariffs))
                else:
                    seated.still()
                    shown = sections(looks, every=every)
                    _print_table(tariffs, sight, shown)
        if json_:
            typer.echo(json.dumps(rows, indent=2))
        elif csv_:
            typer.echo(_csv(rows), nl=False)

    arun("table", work())


def _print_table(tariffs: TariffFile, sight: Sight, shown: list[Any]) -> None:
    console = screen()
    console.width = min(console.width, show.WIDTH)
    console.print(show.tariff_sections(sight, shown, zone(tariffs), tariffs.facility.currency))
    console.print()


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@app.command()
def plot(
    file: File,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The picture: .png, .svg or .pdf.")
    ],
    tariff: Annotated[
        str | None,
        typer.Option(help="Which tariff; left out: that of strangers.", show_default=False),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            help="How long stays are looked at; left out: a day, or as long as specials.",
            min=0.25,
            max=24 * 31,
            show_default=False,
        ),
    ] = None,
    start: From = None,
    dsn: Dsn = None,
) -> None:
    """Draw prices over the length of a stay, for entries by day, at night and at weekends."""
    tariffs = load_tariffs_of(file)
    check_output(output)
    sight = _chosen(tariffs, None if tariff is None else [tariff])[0]
    length = longest(sight.tariff) if hours is None else timedelta(minutes=round(hours * 60))
    today = _day(start)

    async def work() -> None:
        async with at_desk(dsn) as seated:
            till = await seated.desk.load(tariffs)
            picture = await drawn(tariffs, sight, till, today, length, seated.counted)
            seated.say("drawing")
            draw(picture, output)

    arun("plot", work())
    typer.echo(f"written to {output}", err=True)


@app.command()
def price(
    file: File,
    entry: Annotated[
        str | None,
        typer.Option(
            help="With offset, or as the facility's clock shows it: 2026-12-01T08:00.",
            show_default=False,
        ),
    ] = None,
    exit_: Annotated[
        str | None, typer.Option("--exit", help="The end of the stay.", show_default=False)
    ] = None,
    stays: Annotated[
        Path | None,
        typer.Option(
            help="Many stays: a CSV file with the columns entry, exit and context.",
            show_default=False,
        ),
    ] = None,
    vehicle: Annotated[
        str | None, typer.Option(help="The type of the vehicle: CAR, …", show_default=False)
    ] = None,
    occupancy: Annotated[
        float | None,
        typer.Option(help="How full it is at entry, in percent.", min=0, show_default=False),
    ] = None,
    context_: Annotated[
        str,
        typer.Option("--context", help="What else the price is asked with, as a JSON object."),
    ] = "",
    dsn: Dsn = None,
) -> None:
    """Price stays: a line of JSON for each, with the price and its lines, or with the error.

    Exit status 1 if a stay has no price.
    """
    tariffs = load_tariffs_of(file)
    if (stays is None) == (entry is None) or (entry is None) != (exit_ is None):
        raise ConfigError("expected either --entry and --exit, or --stays")
    asked: dict[str, Any] = dict(context(context_, place="--context"))
    if vehicle is not None:
        asked["vehicle_type"] = vehicle
    if occupancy is not None:
        asked["occupancy_percent"] = occupancy
    rows = _rows(tariffs, entry, exit_, stays, asked)
    priced = [row.stay for row in rows if isinstance(row.stay, Stay)]

    async def work() -> list[Answer]:
        async with at_desk(dsn) as seated:
            till = await seated.desk.load(tariffs)
            with progress(seated, "pricing", len(priced)) as advance:
                return await till.price(priced, advance)

    answers = iter(arun("price", work()) if priced else ())
    failed = False
    for row in rows:
        answer = next(answers) if isinstance(row.stay, Stay) else row.stay
        failed = failed or isinstance(answer, Refused)
        sys.stdout.write(json.dumps(_told(tariffs, row, answer), ensure_ascii=False) + "\n")
    if failed:
        raise typer.Exit(1)


def _rows(
    tariffs: TariffFile, entry: str | None, exit_: str | None, stays: Path | None, asked: Any
) -> list[Row]:
    clock = zone(tariffs)
    if stays is None:
        assert entry is not None
        assert exit_ is not None
        stay = Stay(read(entry, clock, place="--entry"), read(exit_, clock, place="--exit"), asked)
        return [Row(None, {"entry": entry, "exit": exit_}, stay)]
    found = load_stays(stays, clock)
    return [
        Row(
            row.line,
            row.written,
            Stay(row.stay.entry, row.stay.exit, {**asked, **row.stay.context}),
        )
        if isinstance(row.stay, Stay)
        else row
        for row in found
    ]


def _told(tariffs: TariffFile, row: Row, answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = {} if row.line is None else {"line": row.line}
    if isinstance(row.stay, Stay):
        for key, at in (("entry", row.stay.entry), ("exit", row.stay.exit)):
            said[key] = at.astimezone(zone(tariffs)).isoformat()
        if row.stay.context:
            said["context"] = dict(row.stay.context)
    else:
        said |= {key: row.written[key] for key in ("entry", "exit")}
    match answer:
        case Priced():
            lines = [ordered(line) for line in answer.lines]
            return said | {
                "amount": str(answer.amount),
                "currency": answer.currency,
                "lines": lines,
            }
        case Refused():
            return said | {"error": answer.error, "reason": answer.reason}


def _chosen(tariffs: TariffFile, names: list[str] | None) -> list[Sight]:
    known = [each.name for each in tariffs.tariffs]
    for name in names or ():
        if name not in known:
            raise ConfigError(f'--tariff: the file has no tariff "{name}", but {", ".join(known)}')
    chosen = sights(tariffs, names or ())
    if not chosen:
        raise ConfigError("--tariff: it governs no stay; `gated tariff lint` says why")
    return chosen


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at: expected a time of day such as 08:00, got {text!r}") from None


def _day(start: datetime | None) -> date:
    return (datetime.now(UTC) if start is None else start).date()


app.command()(diff)
app.command()(explain)
app.command(name="import")(import_)
app.command()(export)
