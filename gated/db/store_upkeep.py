"""What keeps the database going by itself: partitions for the months to come, old keys gone."""

from datetime import datetime

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
