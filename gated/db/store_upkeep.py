"""What keeps the database going by itself: partitions for the months to come, old keys gone,
counters complete and true, reservations held and ended, vehicles without a spot seated, phantoms
closed, offences opened, passages without an end assumed."""

from collections.abc import Sequence
from datetime import datetime

from gated.core.ids import FacilityId, StayId
from gated.db.occupancy import Offence, PhantomOutcome
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

    async def assume_passages(self, facility: FacilityId, before: datetime, at: datetime) -> int:
        """Take the passages of the day before that have no end for passed: how many."""
        assumed: int = await self._database.value("assume_passages", facility, before, at)
        return assumed

    async def active_facilities(self) -> Sequence[FacilityId]:
        """The facilities that are in service."""
        return [row["id"] for row in await self._database.rows("facility_ids")]

    async def phantom_facilities(self) -> Sequence[FacilityId]:
        """The facilities that have phantoms closed by a policy."""
        return [row["facility_id"] for row in await self._database.rows("phantom_facilities")]

    async def phantoms_due(self, facility: FacilityId, at: datetime) -> Sequence[StayId]:
        """The stays that the facility's policy has closed by then."""
        return [row["stay"] for row in await self._database.rows("phantoms_due", facility, at)]

    async def close_phantom(
        self, facility: FacilityId, stay: StayId, at: datetime
    ) -> PhantomOutcome:
        """Close one of them, if it is still due."""
        return PhantomOutcome(await self._database.value("close_phantom", facility, stay, at))

    async def watched_facilities(self) -> Sequence[FacilityId]:
        """The facilities that have offences looked for."""
        return [row["facility_id"] for row in await self._database.rows("watched_facilities")]

    async def open_offences(self, facility: FacilityId, at: datetime) -> Sequence[Offence]:
        """Open what is committed now and has no violation yet; what of it is new."""
        return [Offence(**row) for row in await self._database.rows("open_offences", facility, at)]

    async def heal_counters(self, facility: FacilityId, at: datetime) -> int:
        """Make the counters those of the spots: how many were not."""
        healed: int = await self._database.value("heal_counters", facility, at)
        return healed

    async def heal_spots(self, facility: FacilityId, at: datetime) -> int:
        """Make spots say what their claims say: how many did not."""
        healed: int = await self._database.value("heal_spots", facility, at)
        return healed
