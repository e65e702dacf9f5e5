"""gated's own topics, both ways, and the wildcards of MQTT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.errors import CodecError
from gated.core.ids import Slug
from gated.devices.topics import (
    FacilityLeaf,
    FacilityTopic,
    LaneLeaf,
    LaneTopic,
    OperatorLeaf,
    OperatorTopic,
    ReplyTopic,
    SpotTopic,
    Topic,
    ZoneLeaf,
    ZoneTopic,
    matches,
    parse,
)

NORTH, LANE, ZONE, BOX = Slug("north"), Slug("in-1"), Slug("deck-2"), Slug("box")

TOPICS = [
    ("gated/v1/north/lane/in-1/plate", LaneTopic(NORTH, LANE, LaneLeaf.PLATE)),
    ("gated/v1/north/lane/in-1/input/presence", LaneTopic(NORTH, LANE, LaneLeaf.PRESENCE)),
    ("gated/v1/north/lane/in-1/input/closing", LaneTopic(NORTH, LANE, LaneLeaf.CLOSING)),
    ("gated/v1/north/lane/in-1/input/button", LaneTopic(NORTH, LANE, LaneLeaf.BUTTON)),
    ("gated/v1/north/lane/in-1/input/fire", LaneTopic(NORTH, LANE, LaneLeaf.FIRE)),
    ("gated/v1/north/lane/in-1/barrier", LaneTopic(NORTH, LANE, LaneLeaf.BARRIER)),
    ("gated/v1/north/lane/in-1/ack", LaneTopic(NORTH, LANE, LaneLeaf.ACK)),
    ("gated/v1/north/lane/in-1/online", LaneTopic(NORTH, LANE, LaneLeaf.ONLINE)),
    ("gated/v1/north/lane/in-1/command", LaneTopic(NORTH, LANE, LaneLeaf.COMMAND)),
    ("gated/v1/north/lane/in-1/receipt", LaneTopic(NORTH, LANE, LaneLeaf.RECEIPT)),
    ("gated/v1/north/lane/in-1/state", LaneTopic(NORTH, LANE, LaneLeaf.STATE)),
    ("gated/v1/north/lane/in-1/device/box/rpc", ReplyTopic(NORTH, LANE, BOX)),
    ("gated/v1/north/zone/deck-2/occupancy", ZoneTopic(NORTH, ZONE)),
    ("gated/v1/north/zone/deck-2/count", ZoneTopic(NORTH, ZONE, ZoneLeaf.COUNT)),
    ("gated/v1/north/zone/deck-2/spot/A-12", SpotTopic(NORTH, ZONE, "A-12")),
    ("gated/v1/north/zone/deck-2/spot/~1.b_C", SpotTopic(NORTH, ZONE, "~1.b_C")),
    ("gated/v1/north/zone/deck-2/spot/P%2F3%20%2B%23", SpotTopic(NORTH, ZONE, "P/3 +#")),
    ("gated/v1/north/zone/deck-2/spot/%C3%84%25", SpotTopic(NORTH, ZONE, "Ä%")),
    ("gated/v1/north/occupancy", FacilityTopic(NORTH, FacilityLeaf.OCCUPANCY)),
    ("gated/v1/north/payment", FacilityTopic(NORTH, FacilityLeaf.PAYMENT)),
    ("gated/v1/north/payment/answer", FacilityTopic(NORTH, FacilityLeaf.PAYMENT_ANSWER)),
    ("gated/v1/north/daemon", FacilityTopic(NORTH, FacilityLeaf.DAEMON)),
    ("gated/v1/north/heartbeat", FacilityTopic(NORTH, FacilityLeaf.HEARTBEAT)),
    (
        "gated/v1/north/operator/Ada.L@desk/request",
        OperatorTopic(NORTH, "Ada.L@desk", OperatorLeaf.REQUEST),
    ),
    ("gated/v1/north/operator/ada/answer", OperatorTopic(NORTH, "ada", OperatorLeaf.ANSWER)),
]


@pytest.mark.parametrize(("text", "topic"), TOPICS)
def test_a_topic_reads_as_it_is_written(text: str, topic: Topic) -> None:
    assert str(topic) == text
    assert parse(text) == topic


def test_every_leaf_is_in_the_table() -> None:
    leaves = {leaf for _, topic in TOPICS if (leaf := getattr(topic, "leaf", None))}
    assert leaves == {*LaneLeaf, *ZoneLeaf, *FacilityLeaf, *OperatorLeaf}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gated",
        "gated/v1",
        "gated/v1/north",
        "gated/v2/north/occupancy",
        "gated/v1/north/lane/in-1",
        "gated/v1/north/lane/in-1/input",
        "gated/v1/north/lane/in-1/input/loop",
        "gated/v1/north/lane/in-1/plate/",
        "/gated/v1/north/occupancy",
        "gated/v1/North/occupancy",
        "gated/v1//occupancy",
        "gated/v1/+/occupancy",
        "gated/v1/#",
        "gated/v1/north/lane/in 1/plate",
        "gated/v1/north/lane/in-1\n/plate",
        "gated/v1/n\u00f6rth/occupancy",
        "gated/v1/north/operator/a b/request",
        "gated/v1/north/operator//request",
        "gated/v1/north/operator/ada/requests",
        "gated/v1/north/zone/deck-2",
        "gated/v1/north/zone/deck-2/counts",
        "gated/v1/north/zone/deck-2/spot",
        "gated/v1/north/zone/deck-2/spot/",
        "gated/v1/north/zone/deck-2/spot/A/1",
        "gated/v1/north/zone/deck-2/spot/A 1",
        "gated/v1/north/zone/deck-2/spot/%41",
        "gated/v1/north/zone/deck-2/spot/a%2f1",
        "gated/v1/north/zone/deck-2/spot/%C3",
        "gated/v1/north/zone/deck-2/spot/%",
        "gated/v1/north/zone/deck-2/spot/%00",
        "gated/v1/north/zone/deck-2/spot/" + 41 * "A",
        "gated/v1/north/\x1b[31m",
    ],
)
def test_what_is_no_topic_of_ours_is_refused(text: str) -> None:
    with pytest.raises(CodecError) as caught:
        parse(text)
    assert caught.value.reason == "bad_topic"
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("slug", ["", "A", "a/b", "+", "#", "a\x00", "a b", "a\n"])
def test_a_topic_is_never_built_from_what_is_no_slug(slug: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        LaneTopic(Slug(slug), LANE, LaneLeaf.COMMAND)
    with pytest.raises(ValueError, match="slug"):
        ZoneTopic(NORTH, Slug(slug))
    with pytest.raises(ValueError, match="slug"):
        ReplyTopic(NORTH, LANE, Slug(slug))


@given(st.text(max_size=60))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    try:
        topic = parse(f"gated/v1/north/{text}")
    except CodecError:
        return
    assert str(topic) == f"gated/v1/north/{text}"


def test_the_source_of_a_call_is_the_reply_topic_without_its_end() -> None:
    topic = ReplyTopic(NORTH, LANE, BOX)
    assert f"{topic.source}/rpc" == str(topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "gets"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("+/+", "/b", True),
        ("+", "/b", False),
        ("a/+/c", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/#/c", "a/b/c", False),
        ("a/b+", "a/b+", False),
        ("a/b#", "a/b#", False),
        ("A/b", "a/b", False),
        ("axis/+/event/#", "axis/X/event/tns:axis/IO/Port/$source/port/1", True),
    ],
)
def test_wildcards(topic_filter: str, topic: str, gets: bool) -> None:
    assert matches(topic_filter, topic) is gets
