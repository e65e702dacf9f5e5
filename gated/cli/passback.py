"""`gated reset-passback`: after an outage nobody is refused for having left unseen."""

from typing import Annotated

import typer

from gated.cli.asking import (
    CONFIG,
    Config,
    Facility,
    FacilityOption,
    facility_of,
    instant,
    now,
    operator,
    place_of,
    refuse,
    run,
    say,
)
from gated.db.review import ResetOutcome
from gated.db.store import PostgresStore

NOT_RESET = {
    ResetOutcome.FACILITY_UNKNOWN: "the facility is not set up",
    ResetOutcome.REASON_MISSING: "--reason says why",
}


def reset_passback(
    facility: Facility = None,
    named: FacilityOption = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
    until: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="For stays that began before then, RFC 3339 with offset.",
            show_default="now",
        ),
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Let vehicles in whose stay began before, though nobody saw them leave: after an outage or an
    evacuation. Such a stay ends when its vehicle comes again, and is no violation."""
    slug = facility_of(facility, named)
    at = now() if until is None else instant("--at", until)

    async def ask(store: PostgresStore) -> None:
        place = await place_of(store, slug)
        outcome = await store.reset_passback(place.facility, at, reason, operator())
        if outcome is not ResetOutcome.RESET:
            refuse("reset-passback", outcome, NOT_RESET[outcome])
        say(f"no stay from before {at.isoformat()} refuses an entry")

    run("reset-passback", config, ask)
