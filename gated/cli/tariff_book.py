"""`gated tariff diff` and `explain`: what stays of the database cost, and would cost."""

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from gated.cli.screen import screen
from gated.cli.tariff_desk import arun, at_desk, progress
from gated.config import load_settings
from gated.core.errors import ConfigError
from gated.db import tariffs as book
from gated.db.connect import Connection, connected
from gated.db.tariffs import Answer, Booked, Charge, Priced, Stay
from gated.desk import show
from gated.desk.diff import Change, Comparison, compared
from gated.desk.receipt import Bill, receipt
from gated.desk.sights import zone
from gated.desk.stays_file import load_stays
from gated.site_rules import load_tariffs_of
from gated.tariff.file import TariffFile

READ_SECONDS_MAX = 600.0

Dsn = Annotated[
    str | None,
    typer.Option(help="The database, postgresql://user@host/name.", show_default=False),
]
Config = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        help="Without --dsn: take [database] dsn from this file.",
        envvar="GATED_CONFIG",
    ),
]
CONFIG = Path("config.toml")
ACTIVE = "ACTIVE"


def diff(
    old: Annotated[Path, typer.Argument(help="The tariffs as they are.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="The tariffs as they may be.", show_default=False)],
    days: Annotated[
        int, typer.Option(help="Take the stays that began in so many days.", min=1, max=3660)
    ] = 30,
    facility: Annotated[
        str | None,
        typer.Option("--facility", "-f", help="Whose stays, by its slug.", show_default=False),
    ] = None,
    stays: Annotated[
        Path | None,
        typer.Option(
            help="Take the stays of this CSV file instead, with entry, exit and context.",
            show_default=False,
        ),
    ] = None,
    dsn: Dsn = None,
    config: Config = CONFIG,
    json_: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Compare what the stays of the last days would have cost under two tariff files.

    The database is only read; prices are worked out in a PostgreSQL of our own. Stays that a
    subscription or a staff right covers are left out.
    """
    before, after = load_tariffs_of(old), load_tariffs_of(new)
    if (stays is None) == (facility is None):
        raise ConfigError("expected either --facility or --stays")
    if before.facility.currency != after.facility.currency:
        raise ConfigError(
            f"{old} is in {before.facility.currency} and {new} in {after.facility.currency}:"
            " such prices cannot be compared"
        )

    async def work() -> Comparison:
        if stays is not None:
            chosen = _from_file(stays, zone(before))
        else:
            assert facility is not None
            now = datetime.now(UTC)
            async with connected(
                _address(dsn, config), command_timeout_seconds=READ_SECONDS_MAX
            ) as connection:
                chosen = await book.stays(connection, facility, now - timedelta(days=days), now)
        return await _compared(chosen, before, after)

    found = arun("diff", work())
    clock, currency = zone(after), after.facility.currency
    if json_:
        typer.echo(json.dumps(_as_json(found, clock, currency), indent=2))
        return
    console = screen()
    for part in show.comparison(found, clock, currency):
        console.print(part)


def _from_file(file: Path, clock: ZoneInfo) -> list[Stay]:
    chosen = []
    for row in load_stays(file, clock):
        if not isinstance(row.stay, Stay):
            raise ConfigError(row.stay.reason)
        chosen.append(row.stay)
    return chosen


async def _compared(chosen: list[Stay], before: TariffFile, after: TariffFile) -> Comparison:
    async with at_desk(None) as seated:
        tills = [await seated.desk.load(file) for file in (before, after)]
        answers: list[list[Answer]] = []
        with progress(seated, "pricing", 2 * len(chosen)) as advance:
            for till in tills:
                answers.append(await till.price(chosen, advance))  # noqa: PERF401 - one by one
    return compared(chosen, *answers)


def _as_json(found: Comparison, clock: ZoneInfo, currency: str) -> dict[str, Any]:
    return {
        "currency": currency,
        "stays": found.stays,
        "total_old": str(found.total_old),
        "total_new": str(found.total_new),
        "dearer": found.dearer,
        "cheaper": found.cheaper,
        "same": found.same,
        "refused": [
            {**_stay(each.stay, clock), "old": _answer(each.old), "new": _answer(each.new)}
            for each in found.refused
        ],
        "largest": [_change(each, clock) for each in found.largest],
    }


def _change(change: Change, clock: ZoneInfo) -> dict[str, Any]:
    amounts = {"old": change.old.amount, "new": change.new.amount, "by": change.by}
    return {**_stay(change.stay, clock), **{key: str(each) for key, each in amounts.items()}}


def _stay(stay: Stay, clock: ZoneInfo) -> dict[str, Any]:
    times = {"entry": stay.entry, "exit": stay.exit}
    return {key: at.astimezone(clock).isoformat() for key, at in times.items()}


def _answer(answer: Answer) -> dict[str, str]:
    if isinstance(answer, Priced):
        return {"amount": str(answer.amount)}
    return {"error": answer.error, "reason": answer.reason}


def explain(
    booking: Annotated[
        str, typer.Argument(help="A ticket number, or the id of a booking.", show_default=False)
    ],
    dsn: Dsn = None,
    config: Config = CONFIG,
    json_: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print the price of a stay as a receipt, line by line: as it was frozen, or up to now.

    Exit status 1 for a booking that does not exist or has no price.
    """
    now = datetime.now(UTC)

    async def work() -> tuple[Booked | None, Charge | None]:
        async with connected(_address(dsn, config)) as connection:
            stay = await book.booked(connection, booking)
            return stay, None if stay is None else await _charge(connection, stay, now)

    stay, charge = arun("explain", work())
    if stay is None:
        _refuse(f"there is no booking {booking}")
    if charge is None:
        _refuse(f"{stay.ticket} has no price: it is {stay.status}")
    bill = Bill(
        facility=stay.facility_name,
        zone=ZoneInfo(stay.time_zone),
        ticket=stay.ticket,
        plate=stay.plate or "",
        entry=stay.entry,
        exit=stay.exit,
        until=stay.exit or now,
        lines=charge.lines,
        amount=charge.amount,
        currency=charge.currency,
        paid=charge.paid,
        due=charge.due,
    )
    typer.echo(json.dumps(_bill(bill), indent=2, ensure_ascii=False) if json_ else receipt(bill))


async def _charge(connection: Connection, stay: Booked, now: datetime) -> Charge | None:
    """What was frozen, or what it comes to by now; None for what has not begun, or never did."""
    if stay.amount is not None:
        due = max(stay.amount - stay.paid, Decimal(0))
        return Charge(stay.amount, stay.currency, stay.lines, stay.paid, due)
    return await book.charge(connection, stay, now) if stay.status == ACTIVE else None


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "facility": bill.facility,
        "ticket": bill.ticket,
        "plate": bill.plate or None,
        "entry": bill.entry.astimezone(bill.zone).isoformat(),
        "exit": None if bill.exit is None else bill.exit.astimezone(bill.zone).isoformat(),
        "until": bill.until.astimezone(bill.zone).isoformat(),
        "amount": str(bill.amount),
        "currency": bill.currency,
        "paid": str(bill.paid),
        "due": str(bill.due),
        "lines": [dict(line) for line in bill.lines],
    }


def _address(dsn: str | None, config: Path) -> str:
    if dsn is not None:
        return dsn
    return load_settings(config, os.environ).database.dsn.get_secret_value()


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"gated tariff explain: {reason}", err=True)
    raise typer.Exit(1)
