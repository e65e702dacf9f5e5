"""What an MQTT session reports: a message received, and the fortunes of its link."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Received:
    """One message, at QoS 1 not yet acknowledged.

    `received_at` is aware UTC. `defect` says what was broken in the MQTT packet itself: such a
    message is for quarantine, its topic and payload as far as they could be told. `link` and
    `mid` are for `Session.acknowledge`.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    received_at: datetime
    received_monotonic: float
    defect: str | None
    link: int
    mid: int


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Connected and subscribed. Every message of this link comes after it.

    `session_lost` is an alarm: the broker has forgotten the session that this process had, and
    with it what was queued.
    """

    link: int
    session_present: bool
    session_lost: bool


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link is over. `taken_over` is an alarm: someone else connected under our client id.

    Only a broker that says so can tell at once (Mosquitto 2.0.11 and rumqttd just close the
    connection); `RivalSeen` is for the others.
    """

    link: int
    reason: str
    taken_over: bool


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """No link, and why; told once for each change of the reason, not for each attempt."""

    reason: str


@dataclass(frozen=True, slots=True)
class RivalSeen:
    """An alarm: while this link's predecessor was away, another daemon used our client id."""

    link: int


LinkEvent = LinkUp | LinkDown | LinkRefused | RivalSeen
