"""gated's own topic grammar (contract v1), both ways, and the wildcards of MQTT.

What the topics carry is in `gated.devices.contract`; other families' topics, in their codecs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from gated.core.errors import CodecError
from gated.core.ids import Slug

ROOT = "gated/v1"
SPOT_NUMBER_LENGTH_MAX = 40

_SLUG = re.compile(r"[a-z0-9-]+")
# A broker's user name as it may stand in a topic: no slash, no wildcard, no space.
_USER = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class LaneLeaf(StrEnum):
    """What stands behind `lane/{lane}/`. Up to `online` the devices speak, then gated."""

    PLATE = "plate"
    PRESENCE = "input/presence"
    CLOSING = "input/closing"
    BUTTON = "input/button"
    FIRE = "input/fire"
    BARRIER = "barrier"
    ACK = "ack"
    ONLINE = "online"
    COMMAND = "command"
    RECEIPT = "receipt"
    STATE = "state"


class FacilityLeaf(StrEnum):
    """What stands directly behind the facility."""

    OCCUPANCY = "occupancy"
    PAYMENT = "payment"
    PAYMENT_ANSWER = "payment/answer"
    DAEMON = "daemon"
    HEARTBEAT = "heartbeat"


class ZoneLeaf(StrEnum):
    """What stands behind `zone/{zone}/`, apart from its spots: gated speaks, a counter speaks."""

    OCCUPANCY = "occupancy"
    COUNT = "count"


class OperatorLeaf(StrEnum):
    """An operator's question, and gated's answer to it."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class LaneTopic:
    """`gated/v1/{facility}/lane/{lane}/…`. All topics raise ValueError for what is no slug."""

    facility: Slug
    lane: Slug
    leaf: LaneLeaf

    def __post_init__(self) -> None:
        _demand_slugs(self.facility, self.lane)

    def __str__(self) -> str:
        return f"{ROOT}/{self.facility}/lane/{self.lane}/{self.leaf}"


@dataclass(frozen=True, slots=True)
class ReplyTopic:
    """Where a device that is called by RPC answers: `source` is what the call names as sender."""

    facility: Slug
    lane: Slug
    device: Slug

    def __post_init__(self) -> None:
        _demand_slugs(self.facility, self.lane, self.device)

    @property
    def source(self) -> str:
        """The `src` of the call; hardware appends `/rpc` to it."""
        return f"{ROOT}/{self.facility}/lane/{self.lane}/device/{self.device}"

    def __str__(self) -> str:
        return f"{self.source}/rpc"


@dataclass(frozen=True, slots=True)
class ZoneTopic:
    """`gated/v1/{facility}/zone/{zone}/…`."""

    facility: Slug
    zone: Slug
    leaf: ZoneLeaf = ZoneLeaf.OCCUPANCY

    def __post_init__(self) -> None:
        _demand_slugs(self.facility, self.zone)

    def __str__(self) -> str:
        return f"{ROOT}/{self.facility}/zone/{self.zone}/{self.leaf}"


@dataclass(frozen=True, slots=True)
class SpotTopic:
    """`gated/v1/{facility}/zone/{zone}/spot/{number}`.

    Spots are numbered as they like, topics hold no slash and no wildcard: what is not a letter of
    A-Z and a-z, a digit or one of `-._~` stands there as in a URL, `%2F` for a slash. There is no
    second way to write it, so that a spot has one topic, which the broker's ACL can name.
    """

    facility: Slug
    zone: Slug
    number: str

    def __post_init__(self) -> None:
        _demand_slugs(self.facility, self.zone)
        if not 1 <= len(self.number) <= SPOT_NUMBER_LENGTH_MAX or not self.number.isprintable():
            raise ValueError(f"no number of a spot: {self.number[:60]!r}")

    def __str__(self) -> str:
        return f"{ROOT}/{self.facility}/zone/{self.zone}/spot/{quote(self.number, safe='')}"


@dataclass(frozen=True, slots=True)
class FacilityTopic:
    """`gated/v1/{facility}/…`."""

    facility: Slug
    leaf: FacilityLeaf

    def __post_init__(self) -> None:
        _demand_slugs(self.facility)

    def __str__(self) -> str:
        return f"{ROOT}/{self.facility}/{self.leaf}"


@dataclass(frozen=True, slots=True)
class OperatorTopic:
    """`gated/v1/{facility}/operator/{user}/…`: the broker's ACL vouches for the user's name."""

    facility: Slug
    user: str
    leaf: OperatorLeaf

    def __post_init__(self) -> None:
        _demand_slugs(self.facility)
        if not _USER.fullmatch(self.user):
            raise ValueError(f"no user name for a topic: {self.user!r}")

    def __str__(self) -> str:
        return f"{ROOT}/{self.facility}/operator/{self.user}/{self.leaf}"


Topic = LaneTopic | ReplyTopic | ZoneTopic | SpotTopic | FacilityTopic | OperatorTopic


def parse(text: str) -> Topic:
    """The topic behind the text; `str()` is the way back. Raises CodecError("bad_topic")."""
    try:
        return _parse(text.split("/"))
    except ValueError:
        raise CodecError(
            "bad_topic", f"expected a topic of gated's own under {ROOT}/, got {text[:120]!a}"
        ) from None


def _parse(parts: list[str]) -> Topic:
    match parts:
        case ["gated", "v1", facility, "lane", lane, "device", device, "rpc"]:
            return ReplyTopic(Slug(facility), Slug(lane), Slug(device))
        case ["gated", "v1", facility, "lane", lane, *leaf]:
            return LaneTopic(Slug(facility), Slug(lane), LaneLeaf("/".join(leaf)))
        case ["gated", "v1", facility, "zone", zone, "spot", number]:
            return SpotTopic(Slug(facility), Slug(zone), _spot_number(number))
        case ["gated", "v1", facility, "zone", zone, leaf]:
            return ZoneTopic(Slug(facility), Slug(zone), ZoneLeaf(leaf))
        case ["gated", "v1", facility, "operator", user, leaf]:
            return OperatorTopic(Slug(facility), user, OperatorLeaf(leaf))
        case ["gated", "v1", facility, *leaf]:
            return FacilityTopic(Slug(facility), FacilityLeaf("/".join(leaf)))
        case _:
            raise ValueError("no such topic")


def _spot_number(level: str) -> str:
    number = unquote(level, errors="strict")
    if quote(number, safe="") != level:
        raise ValueError(f"not the one way to write a spot's number: {level!r}")
    return number


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a subscription gets the topic (MQTT 5, 4.7): `+` one level, `#` the rest.

    A filter that begins with a wildcard does not get topics that begin with `$`; a filter in
    which a wildcard shares its level with other characters gets nothing.
    """
    if topic.startswith("$") and topic_filter.startswith(("+", "#")):
        return False
    wanted = topic_filter.split("/")
    levels = topic.split("/")
    for index, want in enumerate(wanted):
        if want == "#":
            return index == len(wanted) - 1
        if index >= len(levels):
            return False
        if want != "+" and (want != levels[index] or "+" in want or "#" in want):
            return False
    return len(wanted) == len(levels)


def _demand_slugs(*slugs: str) -> None:
    for slug in slugs:
        if not _SLUG.fullmatch(slug):
            raise ValueError(f"no slug: {slug!r}, expected lower-case letters, digits, hyphens")
