"""What the database knows: about one plate at one instant, and about passages under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gated.core.ids import CommandId, EventId, LaneId, SpotId, StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate


@dataclass(frozen=True, slots=True)
class OpenStay:
    """A stay of this plate here that has not ended.

    `released`: the exit was granted already, but no passage has been seen since; the same
    vehicle may then be let out again at the price frozen on the stay.
    """

    id: StayId
    entry_at: datetime
    zone: ZoneId
    spot: SpotId
    spot_number: str
    ticket: str
    released: bool


@dataclass(frozen=True, slots=True)
class PlateSnapshot:
    """The gathered facts. `price` is set at an exit when there is an open stay.

    `available` counts, per zone of the facility, the spots that can still be given out.
    """

    plate: Plate
    at: datetime
    vehicle: UUID | None = None
    user: UUID | None = None
    blocked: bool = False
    open_stay: OpenStay | None = None
    price: Money | None = None
    available: Mapping[ZoneId, int] | None = None


@dataclass(frozen=True, slots=True)
class PendingPassage:
    """A stay whose vehicle was let through a lane and has not been seen passing since."""

    lane: LaneId
    stay: StayId
    zone: ZoneId
    plate: Plate
    command: CommandId | None
    event: EventId
    granted_at: datetime
