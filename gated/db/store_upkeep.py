"""What keeps the database going by itself: partitions for the months to come, old keys gone,
counters complete, reservations held and ended."""

from collections.abc import Sequence
from datetime import datetime

from gated.core.ids import FacilityId
from gated.db.pool import Database


class UpkeepStore:
    """The statements of housekeeping. Any daemon may run them at any time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_partitions(self) -> int:
        """Make the monthly partitions that will be needed; how many were missing."""
        made: int = await self._database.value("partitions_ensure")
        return made

    async def purge_event_keys(self, before: datetime) -> int:
        """Forget event keys received before; how many, at most a batch. None are left at 0.

        A message that is delivered again after that would count as new.
        """
        purged: int = await self._database.value("event_keys_purge", before)
        return purged

    async def count_changes(self) -> int:
        """Count what transactions left uncounted; in how many facilities. Skips what is held."""
        counted: int = await self._database.value("count_changes")
        return counted

    async def awaited_facilities(self, at: datetime) -> Sequence[FacilityId]:
        """The facilities with a reservation whose vehicle may come by then."""
        return [row["facility_id"] for row in await self._database.rows("awaited_facilities", at)]

    async def keep_reservations(
        self, facility: FacilityId, at: datetime, actor: str = "gated"
    ) -> tuple[int, int]:
        """End the no-shows and mark the spots that are about to be needed: how many of each."""
        row = await self._database.row("keep_reservations", facility, at, actor)
        return row["no_shows"], row["held"]
