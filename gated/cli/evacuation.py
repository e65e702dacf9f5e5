"""`gated evacuation`: lists and settles stays whose vehicles left in one without being counted."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from gated.cli import listing
from gated.cli.asking import (
    CONFIG,
    Config,
    Facility,
    FacilityOption,
    Json,
    facility_of,
    instant,
    now,
    operator,
    place_of,
    refuse,
    run,
    say,
)
from gated.core.errors import CodecError, ConfigError
from gated.core.ids import FacilityId
from gated.core.plates import normalise
from gated.db.review import SettleOutcome, UnseenStay
from gated.db.store import PostgresStore

NOT_SETTLED = {
    SettleOutcome.BOOKING_UNKNOWN: "the facility has no such stay",
    SettleOutcome.BOOKING_ENDED: "it has ended meanwhile",
    SettleOutcome.CAME_LATER: "its vehicle was not inside when the evacuation began",
    SettleOutcome.SEEN_SINCE: "its vehicle was seen inside since",
    SettleOutcome.REASON_MISSING: "--reason says why",
}


def evacuation(
    facility: Facility = None,
    named: FacilityOption = None,
    settle: Annotated[
        list[str] | None,
        typer.Option(metavar="TICKET|PLATE", help="End this stay; may be repeated."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="End all that are listed.")] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why; it stands in the audit. With --settle and --all.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="When it began, RFC 3339 with offset.", show_default="the last one on record"
        ),
    ] = None,
    charge: Annotated[
        bool, typer.Option(help="Charge the time up to its begin; else they cost nothing.")
    ] = False,
    json_: Json = False,
    config: Config = CONFIG,
) -> None:
    """List the stays that were inside when the last evacuation began and have not been seen inside
    since, with what is known of each; or end them as of its begin.

    Whoever is still parked is listed too: look before you settle.
    """
    slug = facility_of(facility, named)
    wanted = tuple(settle or ())
    acting = bool(wanted) or all_
    if wanted and all_:
        raise ConfigError("expected either --settle or --all")
    if acting and reason is None:
        raise ConfigError("--reason: expected with --settle and --all")
    begin = None if since is None else instant("--since", since)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        zone = ZoneInfo(place.time_zone)
        began = begin or await _began(store, place.facility)
        found = await store.unseen_stays(place.facility, began)
        if not acting:
            _show(found, began, zone, as_json=json_)
            return
        chosen = list(found) if all_ else [_chosen(found, one) for one in wanted]
        settled = 0
        for one in chosen:
            outcome, due = await store.settle_unseen(
                place.facility, one.stay, began, reason or "", now(), operator(), charged=charge
            )
            if outcome is SettleOutcome.SETTLED:
                settled += 1
                owes = f", due {due}" if due is not None and due.amount else ""
                say(f"settled: ticket {one.ticket}, {one.plate or 'no plate'}{owes}")
            elif all_ and outcome is not SettleOutcome.REASON_MISSING:
                # It moved on while we went through the others.
                say(f"left: ticket {one.ticket}: {NOT_SETTLED[outcome]}")
            else:
                refuse("evacuation", outcome, f"ticket {one.ticket}: {NOT_SETTLED[outcome]}")
        say(f"{settled} of {len(chosen)} stays ended as of {listing.when(began, zone)}")

    run("evacuation", config, ask)


async def _began(store: PostgresStore, facility: FacilityId) -> datetime:
    last = await store.evacuation(facility, now())
    if last is None:
        raise ConfigError("no evacuation on record: --since says when it began")
    return last.since


def _chosen(found: Sequence[UnseenStay], name: str) -> UnseenStay:
    named = [one for one in found if one.ticket == name] or _of_plate(found, name)
    if not named:
        refuse("evacuation", "not_listed", f"{name} is neither ticket nor plate of what is listed")
    return named[0]


def _of_plate(found: Sequence[UnseenStay], name: str) -> list[UnseenStay]:
    try:
        plate = normalise(name)
    except CodecError:
        # The check character of a ticket may be one that no plate has.
        return []
    return [one for one in found if plate is not None and one.plate == plate.text]


def _show(found: Sequence[UnseenStay], began: datetime, zone: ZoneInfo, *, as_json: bool) -> None:
    if as_json:
        for one in found:
            say(
                json.dumps(
                    {
                        "stay": str(one.stay),
                        "ticket": one.ticket,
                        "plate": one.plate,
                        "entry_at": one.entry_at.isoformat(),
                        "entry_lane": one.entry_lane,
                        "zone": one.zone,
                        "spot": one.spot,
                        "seen_at": one.seen_at.isoformat(),
                        "seen": one.seen,
                        "seen_lane": one.seen_lane,
                    }
                )
            )
        return
    if not found:
        say(f"whoever was inside at {listing.when(began, zone)} has been counted or seen since")
        return
    listing.show(
        ("ticket", "plate", "in", "lane", "spot", "last seen", "how"),
        [
            (
                one.ticket,
                one.plate or "-",
                listing.when(one.entry_at, zone),
                one.entry_lane or "",
                f"{one.zone or '-'} {one.spot or '-'}",
                listing.when(one.seen_at, zone),
                f"{one.seen} {one.seen_lane or ''}".rstrip(),
            )
            for one in found
        ],
    )
    at = listing.when(began, zone)
    say(f"{len(found)} stays, inside when it began at {at}, and not seen since")
