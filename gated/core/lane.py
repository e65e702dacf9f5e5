"""The state of one lane: which vehicle stands there, and how far its passage has come.

The transitions are in `gated.core.decide`; the annotations here say where each phase leads.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from gated.core.events import Cause, PlateRead
from gated.core.ids import CommandId, EventId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.snapshot import PlateSnapshot

SEEN_COUNT_MAX = 8
KEY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """An admission or release whose vehicle has not been seen passing yet.

    `command` is the open command while it may still act; None once it is known to be dead or
    its fate is unknown, so that a fresh read of the same plate is decided anew.
    """

    plate: Plate
    stay: StayId
    zone: ZoneId | None
    command: CommandId | None
    correlation: EventId


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody is being served.

    read → Approached (presence loop not occupied) or Deciding.
    """


@dataclass(frozen=True, slots=True)
class Approached:
    """A plate was read before its vehicle reached the presence loop.

    presence on → Deciding; another read → Approached with it; presence timer → Idle.
    """

    read: PlateRead
    cause: Cause


@dataclass(frozen=True, slots=True)
class Deciding:
    """The facts are being gathered, or a transaction is on its way.

    admitted, released → Opening; zone full → Deciding with the next zone, else Denied;
    refused → Denied; replayed, failed → Idle.
    """

    read: PlateRead
    cause: Cause
    snapshot: PlateSnapshot | None = None
    zones_left: tuple[ZoneId, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """The open command is committed; the vehicle has not reached the closing loop.

    closing on → Passing; presence off → stays, with the back-out timer (no closing loop: →
    Idle, passage assumed); command failed or expired → Idle, admission cancelled; passage
    timer → Idle, an admission is cancelled, an exit may be repeated.
    """

    grant: Grant


@dataclass(frozen=True, slots=True)
class Passing:
    """The vehicle is on the closing loop.

    closing off → Idle, passage measured; passage timer → Idle, passage assumed (loop stuck).
    """

    grant: Grant


@dataclass(frozen=True, slots=True)
class Denied:
    """The vehicle was refused and may still stand there.

    presence off → Idle; another read → Approached or Deciding.
    """

    plate: Plate | None


Phase = Idle | Approached | Deciding | Opening | Passing | Denied


@dataclass(frozen=True, slots=True)
class Seen:
    """A vehicle that was decided about or is being decided about, for folding its later reads."""

    plate: Plate
    vehicle_key: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class LaneState:
    """All that a lane remembers.

    `waiting` is the read of the vehicle behind the one served; `heard_monotonic` the time of
    the latest device message, from which the latency of the decision that it triggers counts.
    """

    since: datetime
    phase: Phase = field(default_factory=Idle)
    presence: bool = False
    seen: tuple[Seen, ...] = ()
    waiting: tuple[PlateRead, Cause] | None = None
    timer_token: int = 0
    heard_monotonic: float = 0.0

    def enter(self, phase: Phase, now: datetime) -> "LaneState":
        """The lane in another phase, since now."""
        return replace(self, phase=phase, since=now)

    def remember(self, read: PlateRead, now: datetime) -> "LaneState":
        """Keep the vehicle in mind; the oldest is forgotten."""
        seen = Seen(read.plate, read.vehicle_key, now)
        return replace(self, seen=(*self.seen, seen)[-SEEN_COUNT_MAX:])

    def forget(self, plate: Plate) -> "LaneState":
        """Take the next read of this plate for a new one."""
        return replace(self, seen=tuple(seen for seen in self.seen if seen.plate != plate))

    def has_seen(self, read: PlateRead, now: datetime, fold_seconds: float) -> bool:
        """Whether this is the same vehicle again.

        The device's own vehicle key says so, for `KEY_SECONDS` (cameras count from the start
        again after a reboot); where one of the reads has no key, the same plate within
        `fold_seconds` does. A key whose plate text changed is the same vehicle only while it
        is being served: after a denial the corrected text deserves its own answer.
        """
        serving = isinstance(self.phase, Deciding | Opening | Passing)
        for seen in self.seen:
            seconds = (now - seen.at).total_seconds()
            if seen.vehicle_key is not None and read.vehicle_key is not None:
                same = seen.vehicle_key == read.vehicle_key and seconds <= KEY_SECONDS
                if same and (serving or seen.plate == read.plate):
                    return True
            elif seen.plate == read.plate and seconds <= fold_seconds:
                return True
        return False


def phase_name(phase: Phase) -> str:
    """The stable word for the lane's state topic and the metric."""
    return type(phase).__name__.lower()


def grant_of(phase: Phase) -> Grant | None:
    """The grant that is under way, if there is one."""
    return phase.grant if isinstance(phase, Opening | Passing) else None
