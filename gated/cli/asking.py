"""What commands that ask the store share: options, connection, facility, operator."""

import asyncio
import getpass
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gated.cli.screen import screen
from gated.config import load_settings
from gated.connections import database_settings
from gated.core.errors import ConfigError, StoreError
from gated.db.bookings import Actor, BookingPlace
from gated.db.errors import FAILURES
from gated.db.store import PostgresStore, open_store

CONFIG = Path("config.toml")
# Facilities that are named where one is not there.
LISTED_MAX = 5
Facility = Annotated[
    str | None, typer.Argument(metavar="FACILITY", help="The facility's slug.", show_default=False)
]
FacilityOption = Annotated[
    str | None,
    typer.Option("--facility", "-f", help="The facility's slug, so named.", show_default=False),
]
Config = Annotated[
    Path,
    typer.Option("--config", "-c", help="Take [database] from this file.", envvar="GATED_CONFIG"),
]
Json = Annotated[bool, typer.Option("--json", help="For machines: a line of JSON for each.")]
Since = Annotated[
    str, typer.Option(help="From then on: RFC 3339 with offset, or so long ago, as 12h or 30d.")
]

_AGO = re.compile(r"(\d{1,5}) ?(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def run(command: str, config: Path, ask: Callable[[PostgresStore], Awaitable[None]]) -> None:
    """Ask the store; what it cannot answer is told in one line, and exit status 1."""

    async def work() -> None:
        settings = load_settings(config, os.environ)
        async with open_store(database_settings(settings.database)) as store:
            await ask(store)

    try:
        asyncio.run(work())
    except StoreError as error:
        typer.echo(f"gated {command}: {_in_words(error)}", err=True)
        raise typer.Exit(1) from None


def _in_words(error: StoreError) -> str:
    """Without the name of the statement, which is for the log: it is not what was asked for."""
    cause = error.__cause__
    if isinstance(cause, TimeoutError):
        return "PostgreSQL did not answer in time"
    if isinstance(cause, OSError):
        return f"PostgreSQL cannot be reached: {cause}"
    return str(error).partition(": ")[2] if isinstance(cause, FAILURES) else str(error)


def facility_of(argument: str | None, option: str | None) -> str:
    """The facility, which stands first or is named by the option. Raises ConfigError."""
    return words_of([] if argument is None else [argument], option)[0]


def words_of(words: Sequence[str], option: str | None, *names: str) -> Sequence[str]:
    """The facility and what the arguments after it are: it may be left out of them where the
    option names it. Raises ConfigError for fewer or more than `names`."""
    if option is not None and len(words) == len(names):
        return [option, *words]
    if len(words) != 1 + len(names):
        got = " ".join(words) or "nothing"
        raise ConfigError(f"expected {' '.join(('FACILITY', *names))}, got {got}")
    if option not in (None, words[0]):
        raise ConfigError(f'--facility: expected one facility, got "{words[0]}" and "{option}"')
    return words


async def place_of(
    store: PostgresStore, facility: str, zone: str | None = None, spot: str | None = None
) -> BookingPlace:
    """What the names stand for. Raises ConfigError, naming the option, for an unknown one."""
    place = await store.booking_place(facility, zone, spot)
    if place is None:
        slugs = await store.facility_slugs()
        more = f" and {len(slugs) - LISTED_MAX} more" if len(slugs) > LISTED_MAX else ""
        known = (", ".join(slugs[:LISTED_MAX]) or "none") + more
        raise ConfigError(f'FACILITY: there is no facility "{facility}": there is {known}')
    if zone is not None and place.zone is None:
        raise ConfigError(f'--zone: {facility} has no zone "{zone}"')
    if spot is not None and place.spot is None:
        raise ConfigError(f'--spot: zone {zone} has no spot "{spot}"')
    return place


def say(line: str) -> None:
    screen().print(line, markup=False)


def refuse(command: str, word: str, reason: str) -> NoReturn:
    """Say why not, and leave with exit status 1."""
    typer.echo(f"gated {command}: {word}: {reason}", err=True)
    raise typer.Exit(1)


def operator() -> Actor:
    """Who sits at this computer."""
    return Actor(f"operator {getpass.getuser()}")


def now() -> datetime:
    return datetime.now(UTC)


def instant(option: str, text: str, otherwise: str = "") -> datetime:
    """A time with offset. Raises ConfigError for anything else; `otherwise` it may be that."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigError(
            f"{option}: expected a time with offset such as 2026-12-01T08:00+01:00{otherwise},"
            f" got {text!r}"
        )
    return at


def since(text: str, at: datetime) -> datetime:
    """A time with offset, or so long before `at`."""
    if (match := _AGO.fullmatch(text.strip())) is not None:
        return at - int(match[1]) * _UNITS[match[2]]
    return instant("--since", text, ", or how long ago it was, as 90min, 12h or 30d")
