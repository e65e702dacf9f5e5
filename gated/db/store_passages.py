"""What lanes see without having decided it: passages without a grant, and what else happened."""

from gated.core.ids import FacilityId, Fence
from gated.db.pool import Database
from gated.db.values import money, storable
from gated.records import FreeOutcome, FreePassage, FreePassageAnswer, LaneNote


class PassageStore:
    """`gated.ports.Store`, the part about passages that nobody granted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pass_freely(
        self, facility: FacilityId, fence: Fence, request: FreePassage
    ) -> FreePassageAnswer:
        """Account for the vehicle, once by the passage; told again it answers as it was."""
        read = request.read
        row = await self._database.row(
            "pass_freely",
            facility,
            fence,
            request.passage,
            request.lane,
            request.direction.value,
            request.kind.value,
            read and read.plate.text,
            read and storable(read.plate_raw),
            read and read.confidence,
            request.stay,
            request.after,
            request.at,
            request.user,
            storable(request.reason),
            request.known.value,
        )
        return FreePassageAnswer(
            FreeOutcome(row["outcome"]), row["stay"], money(row["due"], row["currency"])
        )

    async def note_lane(self, facility: FacilityId, fence: Fence, note: LaneNote) -> None:
        """Keep the note, once by its id."""
        await self._database.value(
            "note_lane",
            facility,
            fence,
            note.id,
            note.lane,
            note.at,
            storable(note.name),
            storable(note.detail),
            note.event,
        )
