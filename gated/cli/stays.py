"""`gated stays …`: what is counted against what is there, and stays whose vehicle is gone."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from gated.cli import listing
from gated.cli.asking import (
    CONFIG,
    Config,
    Facility,
    FacilityOption,
    facility_of,
    place_of,
    run,
    words_of,
)
from gated.cli.screen import screen
from gated.core.errors import ConfigError
from gated.db.occupancy import CloseOutcome, CloseRequest, PhantomStay, ZoneCounts
from gated.db.store import PostgresStore
from gated.records import Against

app = typer.Typer(no_args_is_help=True, help="Stays whose vehicle may be gone; zones by count.")

NOT_CLOSED = {
    CloseOutcome.STAY_UNKNOWN: "the facility has no such stay",
    CloseOutcome.STAY_ENDED: "it has ended already, or has not begun",
    CloseOutcome.USER_UNKNOWN: "nobody of the facility's staff has this name",
    CloseOutcome.NOT_PERMITTED: "that takes the permission close_stay at the facility",
    CloseOutcome.REASON_MISSING: "it takes a reason",
}


@app.callback()
def _stays() -> None:
    """Stays whose vehicle may be gone; zones by count."""


@app.command()
def counts(
    facility: Facility = None, named: FacilityOption = None, config: Config = CONFIG
) -> None:
    """Show the vehicles of each zone as counters, open stays and sensors have it.

    Exit status 1 if they are further apart than the facility allows (`drift_count_max`).
    """
    slug = facility_of(facility, named)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        found = await store.zone_drifts(place.facility, _now())
        clock = ZoneInfo(place.time_zone)
        listing.show(
            ("zone", "counted", "stays", "sensed", "when", "apart"),
            [_counted(zone, clock) for zone in found],
        )
        if any(_too_far(zone) for zone in found):
            raise typer.Exit(1)

    _run("counts", config, ask)


@app.command()
def phantoms(
    facility: Facility = None,
    named: FacilityOption = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Without a sign for so many days; else as the facility has set."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: one object a line.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """List the open stays whose vehicle seems to be gone, with what speaks for it.

    strong: seen outside, or two signs together. medium: one sign. weak: nothing was seen of it.
    contradicted: a sensor still sees it. Nothing is changed: `gated stays close` ends a stay.
    """
    slug = facility_of(facility, named)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        found = await store.phantom_stays(place.facility, _now(), days)
        clock = ZoneInfo(place.time_zone)
        if as_json:
            for stay in found:
                typer.echo(json.dumps(asdict(stay), default=_plain))
            return
        if not found:
            screen().print("every open stay has its vehicle, as far as anybody knows", markup=False)
            return
        listing.show(
            ("ticket", "plate", "spot", "entry", "last sign", "strength", "evidence"),
            [_row(stay, clock) for stay in found],
            below=("evidence",),
        )

    _run("phantoms", config, ask)


@app.command()
def close(
    words: Annotated[
        list[str], typer.Argument(metavar="[FACILITY] TICKET", help="The stay's ticket number.")
    ],
    named: FacilityOption = None,
    *,
    operator: Annotated[
        str, typer.Option("--as", help="Who closes it: the name by which the broker knows you.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands on the stay and in the audit.")],
    debt: Annotated[
        bool, typer.Option("--debt", help="Leave due what was not paid, instead of writing it off.")
    ] = False,
    id_: Annotated[
        str | None,
        typer.Option("--id", help="The id to use: a repeated call with it counts once."),
    ] = None,
    config: Config = CONFIG,
) -> None:
    """End a stay whose vehicle is gone, at the last sign of it. Exit status 1 if that cannot be.

    What was not paid waits in the reconciliations. A vehicle that turns up all the same is let out.
    """
    slug, ticket = words_of(words, named, "TICKET")
    closing = _id(id_)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        stay = await store.booking_of_ticket(ticket)
        outcome = CloseOutcome.STAY_UNKNOWN
        if stay is not None:
            request = CloseRequest(closing, stay, operator, reason, _now(), debt)
            answer = await store.close_stay(place.facility, request)
            outcome = answer.outcome
        if outcome is not CloseOutcome.CLOSED:
            typer.echo(f"gated stays close: {outcome}: {NOT_CLOSED[outcome]}", err=True)
            raise typer.Exit(1)
        assert answer.ended_at is not None
        left = f", {answer.remainder} {'due' if debt else 'not charged'}"
        ended = listing.when(answer.ended_at, ZoneInfo(place.time_zone))
        screen().print(f"closed: ended {ended}, price {answer.price}{left}", markup=False)

    _run("close", config, ask)


def _run(command: str, config: Path, ask: Callable[[PostgresStore], Awaitable[None]]) -> None:
    run(f"stays {command}", config, ask)


def _too_far(zone: ZoneCounts) -> bool:
    drifts = zone.drift.drifts().values()
    return any(drift is not None and abs(drift) > zone.drift.allowed for drift in drifts)


def _counted(zone: ZoneCounts, clock: ZoneInfo) -> list[str | Text]:
    drift = zone.drift
    sensed = "-" if drift.sensed is None else str(drift.sensed)
    when = "-" if zone.sensed_at is None else listing.when(zone.sensed_at, clock)
    apart = [
        f"{vehicles:+} against {'stays' if against is Against.STAYS else 'the sensor'}"
        for against, vehicles in drift.drifts().items()
        if vehicles
    ]
    style = "red" if _too_far(zone) else ""
    numbers = [str(drift.counted), str(drift.stays), sensed, when]
    return [Text(zone.zone), *numbers, Text(", ".join(apart), style=style)]


def _row(stay: PhantomStay, clock: ZoneInfo) -> list[str]:
    spot = f"{stay.zone}/{stay.spot_number}" if stay.spot_number else "-"
    signs = "; ".join(_sign(each, clock) for each in stay.evidence if each["kind"] != "entry")
    times = listing.when(stay.entry_at, clock), listing.when(stay.seen_at, clock)
    return [stay.ticket, stay.plate or "-", spot, *times, stay.strength, signs or "no sign since"]


def _sign(sign: Mapping[str, str], clock: ZoneInfo) -> str:
    more = " ".join(str(value) for key, value in sign.items() if key not in ("kind", "at"))
    at = listing.when(datetime.fromisoformat(sign["at"]), clock)
    return " ".join(filter(None, [sign["kind"], more, at]))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _now() -> datetime:
    return datetime.now(UTC)


def _id(text: str | None) -> uuid.UUID:
    if text is None:
        return uuid.uuid4()
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ConfigError(
            f"--id: expected an id such as {uuid.UUID(int=0)}, got {text!r}"
        ) from None
