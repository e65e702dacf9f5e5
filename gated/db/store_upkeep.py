"""What keeps the database going by itself: partitions for the months to come, old keys gone,
counters complete, reservations held and ended, vehicles without a spot seated."""

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

    async def purge_lane_notes(self, before: datetime) -> int:
        """Forget notes of lanes from before; how many, at most a batch. None are left at 0."""
        purged: int = await self._database.value("lane_notes_purge", before)
        return purged

    async def purge_free_passages(self, before: datetime) -> int:
        """Forget passages without a grant from before; how many, at most a batch.

        Their audit stays; one that is told again after that would count as new.
        """
        purged: int = await self._database.value("free_passages_purge", before)
        return purged

    async def spotless_facilities(self) -> Sequence[FacilityId]:
        """The facilities with a vehicle inside that holds no spot."""
        return [row["facility_id"] for row in await self._database.rows("spotless_facilities")]

    async def seat_stays(self, facility: FacilityId, at: datetime) -> int:
        """Give free spots to vehicles that came in when none was left: to how many."""
        seated: int = await self._database.value("seat_stays", facility, at)
        return seated

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
