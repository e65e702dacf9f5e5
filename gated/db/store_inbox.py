"""The messages received: the inbox statements of the store."""

from collections.abc import Sequence
from datetime import datetime

from gated.core.effects import Outcome
from gated.core.ids import EventId, FacilityId, Fence
from gated.db.pool import Database, Record
from gated.db.values import column, storable, storable_or_none
from gated.records import EventStatus, InboxRow


class InboxStore:
    """`gated.ports.Store`, the part about the inbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append_events(
        self, facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
    ) -> Sequence[bool]:
        """Store the rows in order, in one transaction; per row: True if new, False if known."""
        new: list[bool] = await self._database.value(
            "append_events",
            facility,
            fence,
            column(rows, "id"),
            [storable(row.key) for row in rows],
            column(rows, "device"),
            column(rows, "lane"),
            [storable(row.topic) for row in rows],
            column(rows, "payload"),
            column(rows, "kind"),
            [row.status.value for row in rows],
            [storable_or_none(row.error) for row in rows],
            column(rows, "device_at"),
            column(rows, "received_at"),
        )
        return new

    async def pending_events(self, facility: FacilityId, limit: int) -> Sequence[InboxRow]:
        """Rows that are stored and not done, in arrival order."""
        return [_row(row) for row in await self._database.rows("pending_events", facility, limit)]

    async def recent_inputs(
        self, facility: FacilityId, since: datetime, limit: int
    ) -> Sequence[InboxRow]:
        """The last settled messages of contacts, at most so many per lane, in arrival order."""
        rows = await self._database.rows("recent_inputs", facility, since, limit)
        return [_row(row) for row in rows]

    async def settle_events(
        self, facility: FacilityId, fence: Fence, outcomes: Sequence[tuple[EventId, Outcome]]
    ) -> None:
        """Mark the rows done; one that is done already stays as it is."""
        await self._database.value(
            "settle_events",
            facility,
            fence,
            [event for event, _ in outcomes],
            [outcome.value for _, outcome in outcomes],
        )


def _row(row: Record) -> InboxRow:
    return InboxRow(
        id=row["id"],
        key=row["own_key"],
        device=row["device_id"],
        lane=row["lane_id"],
        topic=row["topic"],
        payload=row["payload"],
        kind=row["kind"],
        status=EventStatus(row["status"]),
        device_at=row["device_at"],
        received_at=row["received_at"],
        error=row["error"],
    )
