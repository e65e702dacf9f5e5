"""`gated violations` and `gated debts`: what is to be asked for after vehicles have left."""

import json
from collections.abc import Iterator
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
    Since,
    facility_of,
    now,
    place_of,
    run,
    say,
)
from gated.cli.asking import since as since_when
from gated.db.review import Offence
from gated.db.store import PostgresStore
from gated.why.proofs import named_by, proofs
from gated.why.words import amount, exact

STATES = ("OPEN", "PAID", "WAIVED", "DISPUTED", "RESOLVED")


def violations(
    facility: Facility = None,
    named: FacilityOption = None,
    since: Since = "30d",
    all_: Annotated[bool, typer.Option("--all", help="Those that are settled too.")] = False,
    json_: Json = False,
    config: Config = CONFIG,
) -> None:
    """List offences with penalty and evidence, the newest first, by the facility's clock."""
    slug, begin = facility_of(facility, named), since_when(since, now())

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        found = await store.violations(place.facility, begin, STATES if all_ else STATES[:1])
        if json_:
            for one in found:
                say(
                    json.dumps(
                        {
                            "id": str(one.id),
                            "type": one.kind,
                            "at": one.at.isoformat(),
                            "plate": one.plate,
                            "penalty": f"{exact(one.penalty, one.currency):f}",
                            "currency": one.currency,
                            "status": one.status,
                            "lane": one.lane,
                            "ticket": one.ticket,
                            "evidence": one.evidence,
                        }
                    )
                )
            return
        if not found:
            say("no violation")
            return
        zone = ZoneInfo(place.time_zone)
        listing.show(
            ("at", "what", "plate", "penalty", "status", "lane", "ticket", "evidence"),
            [
                (
                    listing.when(one.at, zone),
                    one.kind,
                    one.plate or "-",
                    amount(one.penalty, one.currency),
                    one.status,
                    one.lane or "",
                    one.ticket or "",
                    ", ".join(_proofs(one, zone)),
                )
                for one in found
            ],
            below=("evidence",),
        )

    run("violations", config, ask)


def _proofs(one: Offence, zone: ZoneInfo) -> Iterator[str]:
    without = () if one.lane is None else ("lane",)
    return proofs(one.evidence, zone, one.currency, named_by(one.names), without=without)


def debts(
    facility: Facility = None,
    named: FacilityOption = None,
    since: Since = "30d",
    json_: Json = False,
    config: Config = CONFIG,
) -> None:
    """List what stays still owe whose vehicles have left, by the facility's clock.

    `gated booking pay --ticket` takes it.
    """
    slug, begin = facility_of(facility, named), since_when(since, now())

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        found = await store.debts(place.facility, begin)
        if json_:
            for one in found:
                say(
                    json.dumps(
                        {
                            "stay": str(one.stay),
                            "ticket": one.ticket,
                            "plate": one.plate,
                            "entry_at": one.entry_at.isoformat(),
                            "exit_at": one.exit_at.isoformat(),
                            "price": f"{one.price.amount:f}",
                            "paid": f"{one.paid.amount:f}",
                            "due": f"{one.due.amount:f}",
                            "currency": one.due.currency,
                        }
                    )
                )
            return
        if not found:
            say("nothing is owed")
            return
        zone = ZoneInfo(place.time_zone)
        listing.show(
            ("ticket", "plate", "in", "out", "price", "paid", "due"),
            [
                (
                    one.ticket,
                    one.plate or "-",
                    listing.when(one.entry_at, zone),
                    listing.when(one.exit_at, zone),
                    str(one.price),
                    str(one.paid),
                    str(one.due),
                )
                for one in found
            ],
            below=("price", "paid"),
        )

    run("debts", config, ask)
