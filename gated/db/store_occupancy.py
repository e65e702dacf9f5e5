"""What sensors say, how far it is from what is counted, and stays whose vehicle may be gone."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from gated.core.ids import EventId, FacilityId, Fence, ZoneId
from gated.db.occupancy import (
    CloseAnswer,
    CloseOutcome,
    CloseRequest,
    PhantomStay,
    ZoneCounts,
)
from gated.db.pool import Database
from gated.db.values import money, storable
from gated.records import SensorOutcome, SensorWord, SpotSeen, ZoneCounted, ZoneDrift


class OccupancyStore:
    """`gated.ports.Store`, the part about sensors; and what operators ask."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_sensor(
        self,
        facility: FacilityId,
        fence: Fence,
        event: EventId,
        word: SensorWord,
        heard_at: datetime,
    ) -> SensorOutcome:
        """Keep what a sensor says, if it is the newest word, and settle its event."""
        match word:
            case ZoneCounted(zone=zone, occupied=count):
                outcome = await self._database.value(
                    "note_zone_count", facility, fence, event, zone, count, word.at, heard_at
                )
            case SpotSeen(zone=zone, number=number, occupied=occupied, plate=plate):
                outcome = await self._database.value(
                    "note_spot",
                    facility,
                    fence,
                    event,
                    zone,
                    storable(number),
                    occupied,
                    plate and plate.text,
                    word.at,
                    heard_at,
                )
            case _:
                assert_never(word)
        return SensorOutcome(outcome)

    async def zone_drift(self, zone: ZoneId, at: datetime) -> ZoneDrift:
        """The vehicles of the zone, as three ways of counting have it."""
        row = await self._database.row("zone_drift", zone, at)
        return ZoneDrift(row["counted"], row["stays"], row["sensed"], row["allowed"])

    async def zone_drifts(self, facility: FacilityId, at: datetime) -> Sequence[ZoneCounts]:
        """The same for each zone of a facility, by slug."""
        return [
            ZoneCounts(
                row["code"],
                ZoneDrift(row["counted"], row["stays"], row["sensed"], row["allowed"]),
                row["sensed_at"],
            )
            for row in await self._database.rows("zone_drifts", facility, at)
        ]

    async def phantom_stays(
        self, facility: FacilityId, at: datetime, days: int | None = None
    ) -> Sequence[PhantomStay]:
        """Open stays whose vehicle seems to be gone, the longest unseen first; `days` without a
        sign, else as many as the facility has set."""
        return [
            PhantomStay(**{**row, "evidence": tuple(json.loads(row["evidence"]))})
            for row in await self._database.rows("phantom_stays", facility, at, days)
        ]

    async def close_stay(self, facility: FacilityId, request: CloseRequest) -> CloseAnswer:
        """End a stay whose vehicle is gone, or say why not; asked again, it answers the same."""
        row = await self._database.row(
            "close_stay",
            facility,
            request.stay,
            storable(request.operator),
            storable(request.reason),
            request.debt,
            request.at,
            request.id,
        )
        return CloseAnswer(
            CloseOutcome(row["outcome"]),
            row["ended_at"],
            money(row["price"], row["currency"]),
            money(row["remainder"], row["currency"]),
        )
