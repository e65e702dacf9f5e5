"""Who acts for a facility: the lease statements of the store."""

from datetime import timedelta

from gated.core.ids import FacilityId, Fence
from gated.db.pool import Database


class LeaseStore:
    """`gated.ports.Store`, the part about leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire_lease(
        self, facility: FacilityId, holder: str, ttl_seconds: float
    ) -> tuple[Fence, int] | None:
        """The new fence and the setup's revision; None while another holder's lease lives."""
        row = await self._database.row_or_none(
            "acquire_lease", facility, holder, timedelta(seconds=ttl_seconds)
        )
        return None if row is None else (Fence(row["fence"]), row["revision"])

    async def renew_lease(
        self, facility: FacilityId, holder: str, fence: Fence, ttl_seconds: float
    ) -> int:
        """The setup's revision. Raises FencedOut when the lease was lost."""
        revision: int = await self._database.value(
            "renew_lease", facility, holder, fence, timedelta(seconds=ttl_seconds)
        )
        return revision

    async def release_lease(self, facility: FacilityId, holder: str, fence: Fence) -> None:
        """Give the lease up, if it is still this holder's."""
        await self._database.value("release_lease", facility, holder, fence)
