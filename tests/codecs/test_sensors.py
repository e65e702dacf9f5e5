"""What zone counters and spot sensors say: topic and bytes in, exactly one meaning out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gated.core.errors import CodecError
from gated.core.ids import Slug
from gated.core.plates import Plate
from gated.devices.sensors import SpotCodec, ZoneCountCodec
from gated.devices.topics import matches
from gated.records import Inbound, SpotSeen, ZoneCounted

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
AT = NOW - timedelta(seconds=2)
NORTH = Slug("north")
COUNTS, SPOTS = ZoneCountCodec(NORTH), SpotCodec(NORTH)
COUNT_TOPIC = "gated/v1/north/zone/deck-2/count"
SPOT_TOPIC = "gated/v1/north/zone/deck-2/spot/A%2F12"


def said(**changes: object) -> bytes:
    body = {"id": 7, "occupied": 3, "at": "2026-05-04T11:59:58Z", **changes}
    return json.dumps({key: value for key, value in body.items() if value is not None}).encode()


def counted(topic: str = COUNT_TOPIC, **changes: object) -> ZoneCounted:
    return COUNTS.decode(Inbound(topic, said(**changes), NOW))


def seen(topic: str = SPOT_TOPIC, **changes: object) -> SpotSeen:
    return SPOTS.decode(Inbound(topic, said(**{"occupied": True, **changes}), NOW))


def test_a_zone_is_counted() -> None:
    assert counted() == ZoneCounted("count/deck-2#7", Slug("deck-2"), 3, AT, AT)
    assert counted(occupied=0).occupied == 0


def test_a_spot_is_taken_and_left() -> None:
    taken = SpotSeen("spot/deck-2/A/12#7", Slug("deck-2"), "A/12", True, AT, AT)
    assert seen() == taken
    assert seen(occupied=False).occupied is False


def test_a_sensor_that_reads_plates_says_which_vehicle() -> None:
    assert seen(plate="hh-xy 1234").plate == Plate("HHXY1234")
    assert seen(plate="unknown").plate is None


def test_sensors_count_their_messages_each_for_itself() -> None:
    keys = {
        counted().key,
        seen().key,
        counted("gated/v1/north/zone/deck-3/count").key,
        seen("gated/v1/north/zone/deck-2/spot/13").key,
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("at", "believed"),
    [
        ("2026-05-04T12:00:07Z", NOW),
        ("2026-05-04T02:00:00+00:00", NOW - timedelta(hours=10)),
        ("1999-01-01T00:00:00Z", NOW - timedelta(days=1)),
    ],
)
def test_a_clock_is_believed_within_reason(at: str, believed: datetime) -> None:
    assert (counted(at=at).at, seen(at=at).at) == (believed, believed)


def test_the_subscriptions_bring_what_is_read_and_not_what_gated_says() -> None:
    assert matches(COUNTS.topic_filter, COUNT_TOPIC)
    assert matches(SPOTS.topic_filter, SPOT_TOPIC)
    own = "gated/v1/north/zone/deck-2/occupancy"
    assert not matches(COUNTS.topic_filter, own)
    assert not matches(SPOTS.topic_filter, own)


@pytest.mark.parametrize(
    "changes",
    [
        {"occupied": -1},
        {"occupied": 1_000_001},
        {"occupied": 1.5},
        {"occupied": True},
        {"occupied": None},
        {"id": None},
        {"at": None},
        {"at": "2026-05-04T12:00:00"},
        {"free": 4},
        {"plate": "B1"},
    ],
    ids=str,
)
def test_a_count_that_cannot_be_understood_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        counted(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"occupied": 1},
        {"occupied": None},
        {"occupied": False, "plate": "B1"},
        {"plate": "B1\n"},
        {"plate": 3},
        {"at": "soon"},
        {"id": "a b"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_spot_that_cannot_be_understood_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        seen(**changes)


@pytest.mark.parametrize("topic", ["gated/v1/north/zone/Deck/count", "gated/v1/north/occupancy"])
def test_a_topic_of_no_zone_is_refused(topic: str) -> None:
    with pytest.raises(CodecError) as caught:
        counted(topic)
    assert caught.value.reason == "bad_topic"
    with pytest.raises(CodecError):
        seen("gated/v1/north/zone/deck-2/spot/a%2f")
