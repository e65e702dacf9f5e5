"""`gated reconcile …`: contradictions that wait for an operator, listed and resolved."""

import json
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID
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
    now,
    operator,
    place_of,
    refuse,
    run,
    say,
    words_of,
)
from gated.core.errors import ConfigError
from gated.db.review import Reconciliation, ResolveOutcome
from gated.db.store import PostgresStore
from gated.why.proofs import named_by, proofs

app = typer.Typer(no_args_is_help=True, help="Contradictions that wait for an operator.")

NOT_RESOLVED = {
    ResolveOutcome.UNKNOWN: "the facility has no such contradiction",
    ResolveOutcome.RESOLVED_BEFORE: "it was resolved before",
    ResolveOutcome.REASON_MISSING: "--reason says how it was settled",
}


@app.callback()
def _reconcile() -> None:
    """Contradictions that wait for an operator."""


@app.command(name="list")
def list_(
    facility: Facility = None,
    named: FacilityOption = None,
    json_: Json = False,
    config: Config = CONFIG,
) -> None:
    """List what does not fit together, the oldest first: who came in without a spot, who left
    unmatched, what was paid for nothing; by the facility's clock. Nothing of it is corrected by
    itself."""
    slug = facility_of(facility, named)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        found = await store.reconciliations(place.facility)
        if json_:
            for one in found:
                say(
                    json.dumps(
                        {
                            "id": str(one.id),
                            "kind": one.kind,
                            "at": one.at.isoformat(),
                            "lane": one.lane,
                            "ticket": one.ticket,
                            "details": one.details,
                        }
                    )
                )
            return
        if not found:
            say("nothing waits for an operator")
            return
        zone = ZoneInfo(place.time_zone)
        listing.show(
            ("id", "since", "what", "lane", "ticket", "particulars"),
            [
                (
                    str(one.id),
                    listing.when(one.at, zone),
                    one.kind,
                    one.lane or "",
                    one.ticket or "",
                    ", ".join(_particulars(one, zone, place.currency)),
                )
                for one in found
            ],
            below=("id", "particulars"),
        )

    run("reconcile list", config, ask)


@app.command()
def resolve(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[FACILITY] ID", help="The id as `gated reconcile list` shows it."),
    ],
    named: FacilityOption = None,
    *,
    reason: Annotated[str, typer.Option(help="How it was settled; it stands in the audit.")],
    config: Config = CONFIG,
) -> None:
    """Note that a contradiction is settled. It changes nothing else."""
    slug, id_ = words_of(words, named, "ID")
    try:
        id_wanted = UUID(id_)
    except ValueError:
        raise ConfigError(f"ID: expected an id such as {UUID(int=0)}, got {id_!r}") from None

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        outcome = await store.resolve_reconciliation(
            place.facility, id_wanted, reason, now(), operator()
        )
        if outcome is not ResolveOutcome.RESOLVED:
            refuse("reconcile resolve", outcome, NOT_RESOLVED[outcome])
        say("resolved")

    run("reconcile resolve", config, ask)


def _particulars(one: Reconciliation, zone: ZoneInfo, currency: str) -> Iterator[str]:
    columns = {"lane": one.lane, "stay": one.ticket, "ticket": one.ticket}
    told = {"at", *(key for key, column in columns.items() if column is not None)}
    return proofs(one.details, zone, currency, named_by(one.names), without=told)
