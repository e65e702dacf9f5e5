"""Retained state for everyone who listens: lanes, occupancy, receipts. The newest value wins.

What cannot be sent now is sent when the link is back; everything is repeated on each new link,
because a broker without persistence forgets what it retained.
"""

import asyncio
from datetime import datetime

from pydantic import BaseModel

from gated.core.errors import DeliveryError
from gated.core.ids import Slug
from gated.devices.contract import LaneStateMessage, OccupancyMessage
from gated.devices.native import receipt
from gated.devices.topics import FacilityLeaf, FacilityTopic, LaneLeaf, LaneTopic, Topic, ZoneTopic
from gated.ports import Link
from gated.records import Publication, ZoneCount


class Announcer:
    """One facility's retained topics."""

    def __init__(self, facility: Slug, link: Link) -> None:
        self._facility = facility
        self._link = link
        self._latest: dict[str, Publication] = {}
        self._unsent: dict[str, None] = {}
        self._wake = asyncio.Event()

    def lane_state(self, lane: Slug, phase: str, since: datetime) -> None:
        """What the lane is doing."""
        topic = LaneTopic(self._facility, lane, LaneLeaf.STATE)
        self._announce(topic, LaneStateMessage(state=phase, since=since))

    def zone_occupancy(self, zone: Slug, count: ZoneCount) -> None:
        """A zone's bays."""
        self._announce(ZoneTopic(self._facility, zone), _occupancy(count))

    def facility_occupancy(self, count: ZoneCount) -> None:
        """All zones together."""
        self._announce(FacilityTopic(self._facility, FacilityLeaf.OCCUPANCY), _occupancy(count))

    def receipt(self, lane: Slug, boot: str, seq: int) -> None:
        """A numbering sender's messages are stored up to here."""
        self._put(receipt(self._facility, lane, boot, seq))

    def repeat(self) -> None:
        """Send everything again: the link is new."""
        self._unsent.update(dict.fromkeys(self._latest))
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._unsent:
                topic = next(iter(self._unsent))
                del self._unsent[topic]
                try:
                    await self._link.publish(self._latest[topic])
                except DeliveryError:
                    # The next link-up repeats it, or the next change does.
                    self._unsent[topic] = None
                    break

    def _announce(self, topic: Topic, message: BaseModel) -> None:
        payload = message.model_dump_json(exclude_none=True).encode()
        self._put(Publication(str(topic), payload, retain=True))

    def _put(self, publication: Publication) -> None:
        self._latest[publication.topic] = publication
        self._unsent[publication.topic] = None
        self._wake.set()


def _occupancy(count: ZoneCount) -> OccupancyMessage:
    return OccupancyMessage(
        capacity=count.capacity,
        occupied=count.occupied,
        reserved=count.reserved,
        available=count.available,
        full=count.available == 0,
    )
