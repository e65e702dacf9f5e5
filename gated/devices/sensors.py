"""What zone counters and spot sensors say: gated's own topics (contract v1), for all hardware.

Both tell a state: the newest word stands, whether it was retained or not.
"""

from datetime import datetime, timedelta

from gated.core.errors import CodecError
from gated.core.ids import Slug
from gated.core.plates import normalise
from gated.devices.codec import PAYLOAD_BYTES_MAX, Reason, parse
from gated.devices.contract import SpotMessage, ZoneCountMessage
from gated.devices.topics import ROOT, SpotTopic, ZoneLeaf, ZoneTopic
from gated.devices.topics import parse as parse_topic
from gated.records import Inbound, SpotSeen, ZoneCounted

# A sensor's clock is believed as far back as that; what is older was queued, or its clock is wrong.
AGE_MAX = timedelta(days=1)


class ZoneCountCodec:
    """Reads the zone counters of one facility."""

    kind = "zone_count"
    is_state = True

    def __init__(self, facility: Slug) -> None:
        self.topic_filter = f"{ROOT}/{facility}/zone/+/{ZoneLeaf.COUNT}"

    def decode(self, message: Inbound) -> ZoneCounted:
        """The count. Raises CodecError (→ quarantine) for what cannot be understood."""
        topic = parse_topic(message.topic)
        if not isinstance(topic, ZoneTopic):
            raise CodecError(Reason.BAD_TOPIC, "expected the topic of a zone")
        said = parse(ZoneCountMessage, message.payload, PAYLOAD_BYTES_MAX)
        return ZoneCounted(
            key=f"count/{topic.zone}#{said.id}",
            zone=topic.zone,
            occupied=said.occupied,
            at=_believed(said.at, message.received_at),
            device_at=said.at,
        )


class SpotCodec:
    """Reads the spot sensors of one facility."""

    kind = "spot"
    is_state = True

    def __init__(self, facility: Slug) -> None:
        self.topic_filter = f"{ROOT}/{facility}/zone/+/spot/+"

    def decode(self, message: Inbound) -> SpotSeen:
        """The spot's state. Raises CodecError (→ quarantine) for what cannot be understood."""
        topic = parse_topic(message.topic)
        if not isinstance(topic, SpotTopic):
            raise CodecError(Reason.BAD_TOPIC, "expected the topic of a spot")
        said = parse(SpotMessage, message.payload, PAYLOAD_BYTES_MAX)
        return SpotSeen(
            key=f"spot/{topic.zone}/{topic.number}#{said.id}",
            zone=topic.zone,
            number=topic.number,
            occupied=said.occupied,
            at=_believed(said.at, message.received_at),
            device_at=said.at,
            plate=normalise(said.plate) if said.plate is not None else None,
        )


def _believed(said: datetime, received_at: datetime) -> datetime:
    return min(max(said, received_at - AGE_MAX), received_at)
