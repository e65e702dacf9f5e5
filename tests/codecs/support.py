"""Devices and messages for the codec tests; plates and serials are made up."""

import json
from datetime import UTC, datetime
from uuid import UUID

from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.site import DeviceSetup, Direction
from gated.records import Inbound

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
AXIS_PREFIX = "axis/ACCC8E0A0B0C"
SHELLY_PREFIX = "shellyplus1-a0b1c2d3e4f5"


def device(family: str, topic: str = "", **options: object) -> DeviceSetup:
    """A device `box` on the lane `in-1` of the facility `north`."""
    return DeviceSetup(
        id=DeviceId(UUID(int=1)),
        slug=Slug("box"),
        facility=Slug("north"),
        lane=LaneId(UUID(int=2)),
        lane_slug=Slug("in-1"),
        direction=Direction.ENTRY,
        family=family,
        topic=topic,
        options=options,
    )


def native(**options: object) -> DeviceSetup:
    return device("native", "", **options)


def axis(**options: object) -> DeviceSetup:
    return device("axis", AXIS_PREFIX, **options)


def shelly(**options: object) -> DeviceSetup:
    return device("shelly", SHELLY_PREFIX, **options)


def message(topic: str, payload: object, *, retain: bool = False) -> Inbound:
    """The payload as it is if bytes, else as JSON."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Inbound(topic, data, NOW, retain)
