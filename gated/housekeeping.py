"""What a daemon does for the database now and then, whichever facilities it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from gated.core.errors import StoreError
from gated.db.occupancy import PhantomOutcome
from gated.db.store_upkeep import UpkeepStore
from gated.ports import Clock

ROUND_SECONDS = 6 * 3600.0
RESERVATIONS_SECONDS = 15.0
# A change of a spot that met a busy counter is counted by the next change, or else by then.
COUNTERS_SECONDS = 1.0
HEALING_SECONDS = 300.0
OFFENCES_SECONDS = 60.0
PHANTOMS_SECONDS = 3600.0
PASSAGES_SECONDS = 3600.0
RETRY_SECONDS = 60.0
# Longer than any lane looks after a vehicle that it has let through.
PASSAGE_AGE = timedelta(hours=1)
# Longer than any broker keeps a session for us, and than devices keep what was not acknowledged.
EVENT_KEY_AGE = timedelta(days=30)
# Long enough for whoever asks why, and for the yearly count of leaks.
LANE_NOTE_AGE = timedelta(days=90)
FREE_PASSAGE_AGE = timedelta(days=400)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def keep_house(store: UpkeepStore, clock: Clock) -> None:
    """Do all chores, each at its own pace, until cancelled; several daemons may do so at once."""
    async with asyncio.TaskGroup() as chores:
        for name, seconds, chore in (
            ("months", ROUND_SECONDS, _months_and_keys),
            ("notes", ROUND_SECONDS, _notes),
            ("spots", RESERVATIONS_SECONDS, _spots),
            ("reservations", RESERVATIONS_SECONDS, _reservations),
            ("counters", COUNTERS_SECONDS, _counters),
            ("healing", HEALING_SECONDS, _healing),
            ("offences", OFFENCES_SECONDS, _offences),
            ("phantoms", PHANTOMS_SECONDS, _phantoms),
            ("passages", PASSAGES_SECONDS, _passages),
        ):
            chores.create_task(
                _again(name, seconds, chore, store, clock), name=f"housekeeping/{name}"
            )


async def _again(
    name: str,
    seconds: float,
    chore: Callable[[UpkeepStore, Clock], Awaitable[None]],
    store: UpkeepStore,
    clock: Clock,
) -> None:
    delayed = False
    while True:
        try:
            await chore(store, clock)
        except StoreError as error:
            delay = min(seconds, RETRY_SECONDS)
            if not delayed:
                _log.warning(
                    "housekeeping.delayed", chore=name, error=str(error), delay_seconds=delay
                )
            delayed = True
            await asyncio.sleep(delay)
            continue
        delayed = False
        await asyncio.sleep(seconds)


async def _months_and_keys(store: UpkeepStore, clock: Clock) -> None:
    """Make the partitions of coming months and forget old event keys."""
    made = await store.ensure_partitions()
    purged = 0
    while batch := await store.purge_event_keys(clock.now() - EVENT_KEY_AGE):
        purged += batch
    if made or purged:
        _log.info("housekeeping.done", partitions_made=made, event_keys_purged=purged)


async def _notes(store: UpkeepStore, clock: Clock) -> None:
    """Forget old notes of lanes, and passages without a grant that nobody will ask about."""
    notes = passages = 0
    while batch := await store.purge_lane_notes(clock.now() - LANE_NOTE_AGE):
        notes += batch
    while batch := await store.purge_free_passages(clock.now() - FREE_PASSAGE_AGE):
        passages += batch
    if notes or passages:
        _log.info("housekeeping.forgot", lane_notes=notes, free_passages=passages)


async def _spots(store: UpkeepStore, clock: Clock) -> None:
    """Give spots that came free to vehicles that came in when none was left."""
    for facility in await store.spotless_facilities():
        if seated := await store.seat_stays(facility, clock.now()):
            _log.info("stays.seated", facility=facility, stays=seated)


async def _reservations(store: UpkeepStore, clock: Clock) -> None:
    """End reservations whose vehicle did not come, and mark the spots of those that may come."""
    now = clock.now()
    for facility in await store.awaited_facilities(now):
        no_shows, held = await store.keep_reservations(facility, now)
        if no_shows or held:
            _log.info("reservations.kept", facility=facility, no_shows=no_shows, held=held)


async def _counters(store: UpkeepStore, _: Clock) -> None:
    await store.count_changes()


async def _healing(store: UpkeepStore, clock: Clock) -> None:
    """Mend what follows from something else: spots from their claims, counters from the spots.

    Stays are never mended: whether a vehicle is inside is for people, or their policy, to say.
    """
    for facility in await store.active_facilities():
        spots = await store.heal_spots(facility, clock.now())
        counters = await store.heal_counters(facility, clock.now())
        if spots or counters:
            _log.warning("occupancy.healed", facility=facility, spots=spots, counters=counters)


async def _offences(store: UpkeepStore, clock: Clock) -> None:
    """Open the violations of vehicles that stand where, or longer than, they should not."""
    for facility in await store.watched_facilities():
        for offence in await store.open_offences(facility, clock.now()):
            if offence.violation is None:
                _log.warning(
                    "spot.unexplained",
                    facility=facility,
                    zone=offence.zone,
                    spot=offence.spot_number,
                    since=offence.since,
                )
                continue
            _log.info(
                "violation.opened",
                facility=facility,
                kind=offence.kind,
                zone=offence.zone,
                spot=offence.spot_number,
                stay=offence.stay,
                violation=offence.violation,
            )


async def _phantoms(store: UpkeepStore, clock: Clock) -> None:
    """Close the stays that a facility's policy has closed by now."""
    for facility in await store.phantom_facilities():
        for stay in await store.phantoms_due(facility, clock.now()):
            try:
                outcome = await store.close_phantom(facility, stay, clock.now())
            except StoreError as error:
                if error.retryable:
                    raise
                # Nobody knows its price, for one: that of others is known.
                _log.warning("stay.close_failed", facility=facility, stay=stay, error=str(error))
                continue
            if outcome is PhantomOutcome.CLOSED:
                _log.info("stay.closed", facility=facility, stay=stay)


async def _passages(store: UpkeepStore, clock: Clock) -> None:
    """Take vehicles for passed that were granted passage before their daemon was away for long."""
    for facility in await store.active_facilities():
        now = clock.now()
        if assumed := await store.assume_passages(facility, now - PASSAGE_AGE, now):
            _log.warning("passages.assumed", facility=facility, passages=assumed)
