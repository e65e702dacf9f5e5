"""`gated why`: what happened to a vehicle at the barrier, and why."""

import asyncio
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from gated.cli.screen import screen
from gated.config import load_settings
from gated.core.errors import CodecError, ConfigError, StoreError
from gated.core.plates import normalise
from gated.db.connect import connected
from gated.db.why import DECISIONS_MAX, READS_MAX, Question, look
from gated.db.why_rows import Found
from gated.desk.instants import shown
from gated.why import show
from gated.why.as_json import as_json
from gated.why.assemble import stories
from gated.why.story import Story

_AGO = re.compile(r"(\d{1,6}) ?(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_FACILITIES_LISTED_MAX = 5


def why(
    what: Annotated[
        str,
        typer.Argument(
            metavar="PLATE|TICKET|ID",
            help="A plate in any spelling, a ticket number, or the id of a stay, a message "
            "(the correlation of the log), a command or a payment.",
            show_default=False,
        ),
    ],
    facility: Annotated[
        str | None,
        typer.Option("--facility", "-f", help="There alone, by its slug.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Look for a plate from then on: RFC 3339 with offset, or so long ago, as 90min, "
            "12h or 7d.",
            show_default="24h",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Up to then, likewise.", show_default="now")
    ] = None,
    dsn: Annotated[
        str | None,
        typer.Option(help="The database, postgresql://user@host/name.", show_default=False),
    ] = None,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            "-c",
            help="Without --dsn: take [database] dsn from this file.",
            envvar="GATED_CONFIG",
        ),
    ] = Path("config.toml"),
    json_: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Tell the whole story of a vehicle at the barrier: what was read, decided and why, what was
    commanded, whether it passed, what it cost and was paid, who had a hand in it.

    Only reads. Plates are shown in full. Exit status 1 if nothing is found.
    """
    now = datetime.now(UTC)
    question = _question(what, facility, since, until, now)
    address = dsn or load_settings(config, os.environ).database.dsn.get_secret_value()

    async def work() -> Found:
        async with connected(address) as connection:
            return await look(connection, question)

    try:
        found = asyncio.run(work())
    except StoreError as error:
        typer.echo(f"gated why: {error}", err=True)
        raise typer.Exit(1) from None
    told = stories(found, now, question.plate)
    for remark in _remarks(found):
        typer.echo(f"gated why: {remark}", err=True)
    if json_:
        typer.echo(json.dumps([as_json(story) for story in told], indent=2, ensure_ascii=False))
    else:
        _print(told)
    if not told:
        typer.echo(f"gated why: {_nothing(question, found)}", err=True)
        raise typer.Exit(1)


def _question(
    what: str, facility: str | None, since: str | None, until: str | None, now: datetime
) -> Question:
    start = None if since is None else _at("--since", since, now)
    end = None if until is None else _at("--until", until, now)
    question = Question(
        what.strip(),
        now,
        plate=_plate(what),
        id=_id(what),
        facility=facility,
        since=start,
        until=end,
    )
    if question.period[0] >= question.period[1]:
        raise ConfigError("--until: expected a time after --since")
    return question


def _plate(text: str) -> str | None:
    """In normal form; None for what no plate can be, as an id, which is longer."""
    try:
        plate = normalise(text)
    except CodecError:
        return None
    return None if plate is None else plate.text


def _id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _at(option: str, text: str, now: datetime) -> datetime:
    at = None
    try:
        if (ago := _AGO.fullmatch(text.strip())) is not None:
            at = now - int(ago[1]) * _UNITS[ago[2]]
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    if at is None or at.tzinfo is None or not 1970 < at.year < 9000:
        raise ConfigError(
            f"{option}: expected a time with offset such as 2026-12-01T08:00+01:00, or how long ago"
            f" it was, as 90min, 12h or 7d, got {text!r}"
        )
    return at.astimezone(UTC)


def _print(told: list[Story]) -> None:
    console = screen()
    width = min(console.width, show.WIDTH) if console.is_terminal else console.width
    for number, story in enumerate(told):
        if number:
            console.print()
        for line in show.lines(story, width):
            console.print(line, soft_wrap=True)


def _remarks(found: Found) -> list[str]:
    remarks = []
    if found.left_out:
        count = found.left_out
        visits = "1 older visit is" if count == 1 else f"{count} older visits are"
        remarks.append(f"{visits} left out: --since and --until choose others")
    if found.decisions_cut:
        remarks.append(f"only the last {DECISIONS_MAX} decisions are told: --until chooses others")
    if found.lanes_cut:
        remarks.append(
            f"only the last {READS_MAX} reads of {', '.join(sorted(found.lanes_cut))} were looked"
            " through for those that led to nothing"
        )
    return remarks


def _nothing(question: Question, found: Found) -> str:
    """What was looked for, where and in which period."""
    places = [one.slug for one in found.facilities]
    where = ", ".join(places[:_FACILITIES_LISTED_MAX]) or "no facility, for none is set up"
    if len(places) > _FACILITIES_LISTED_MAX:
        where = f"all {len(places)} facilities"
    zone = ZoneInfo(found.facilities[0].time_zone) if len(places) == 1 else ZoneInfo("UTC")
    parts = [f"no ticket {question.text}"]
    if question.id is not None:
        period = _period(*question.id_period, zone)
        parts = [f"no stay, command or payment has the id {question.id}, and no message {period}"]
    elif question.plate is not None:
        period = _period(question.period[0], question.until, zone)
        parts.append(f"nothing about a plate {question.plate} {period}")
    else:
        parts.append("and it cannot be a plate")
    more = "" if question.since or question.plate is None else "; --since looks further back"
    return f"nothing found at {where}: {', '.join(parts)}{more}"


def _period(since: datetime, until: datetime | None, zone: ZoneInfo) -> str:
    end = "now" if until is None else shown(until, zone)
    return f"from {shown(since, zone)} until {end} ({zone.key})"
