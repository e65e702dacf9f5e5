"""What a daemon does for the database now and then, whichever facilities it runs."""

import asyncio
from datetime import timedelta

import structlog

from gated.core.errors import StoreError
from gated.db.store_upkeep import UpkeepStore
from gated.ports import Clock

ROUND_SECONDS = 6 * 3600.0
RETRY_SECONDS = 60.0
# Longer than any broker keeps a session for us, and than devices keep what was not acknowledged.
EVENT_KEY_AGE = timedelta(days=30)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def keep_house(store: UpkeepStore, clock: Clock) -> None:
    """Make coming partitions and purge old event keys, again and again, until cancelled."""
    while True:
        try:
            made = await store.ensure_partitions()
            purged = 0
            while batch := await store.purge_event_keys(clock.now() - EVENT_KEY_AGE):
                purged += batch
        except StoreError as error:
            _log.warning("housekeeping.delayed", error=str(error), delay_seconds=RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if made or purged:
            _log.info("housekeeping.done", partitions_made=made, event_keys_purged=purged)
        await asyncio.sleep(ROUND_SECONDS)
