"""Distinct id types, so that a lane never passes for a zone, and the making of time-ordered ids."""

from datetime import datetime
from typing import NewType
from uuid import UUID

FacilityId = NewType("FacilityId", UUID)
ZoneId = NewType("ZoneId", UUID)
LaneId = NewType("LaneId", UUID)
DeviceId = NewType("DeviceId", UUID)
SpotId = NewType("SpotId", UUID)
StayId = NewType("StayId", UUID)
EventId = NewType("EventId", UUID)
CommandId = NewType("CommandId", UUID)

# A slug names a facility, zone, lane or device in topics, files and logs: [a-z0-9-]+.
Slug = NewType("Slug", str)

# The growing number of a facility's ownership; every write transaction checks it.
Fence = NewType("Fence", int)


def uuid7(at: datetime, randomness: bytes) -> UUID:
    """A time-ordered id (RFC 9562, version 7) from an instant and 10 random bytes.

    Ids that grow with time keep new rows on the last pages of an index.
    """
    if len(randomness) != 10:
        raise ValueError(f"10 random bytes are needed, got {len(randomness)}")
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    value = (milliseconds << 80) | int.from_bytes(randomness)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def command_number(command: UUID) -> int:
    """The 31-bit number by which hardware without room for an id answers (Shelly RPC `id`)."""
    return command.int & 0x7FFF_FFFF
