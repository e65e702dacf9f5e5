"""The state of one lane: which vehicle stands there, and how far its passage has come.

The transitions are in `gated.core.decide`; the annotations here say where each phase leads.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from gated.core.events import Cause, CommandEnded, PlateRead, ZoneRefusal
from gated.core.ids import CommandId, EventId, StayId, ZoneId, command_number
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.snapshot import Matched, PlateSnapshot

SEEN_COUNT_MAX = 8
SENT_COUNT_MAX = 8
KEY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """An admission or release whose vehicle has not been seen passing yet.

    `command` is the open command while it may still act; None once it is known to be dead or
    its fate is unknown, so that a fresh read of the same plate is decided anew. `at` is when it
    was granted, where reports from before it may still come: after a restart.
    """

    plate: Plate
    stay: StayId
    zone: ZoneId | None
    command: CommandId | None
    correlation: EventId
    at: datetime | None = None

    def precedes(self, cause: Cause) -> bool:
        """Whether what was reported there can be of this grant's vehicle."""
        return self.at is None or cause.received_at >= self.at


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody is being served.

    read → Approached (presence loop not occupied) or Deciding; a plate that nobody can read, or
    not surely enough, → Denied where a vehicle may stand at the barrier.
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

    admitted, released → Opening; zone refuses → Deciding with the next zone, else refused;
    right gone meanwhile → Deciding with new facts; money due → AwaitingPayment; refused →
    Denied (nobody on the presence loop: Idle); replayed, failed → Idle.

    `earlier` is this vehicle's grant whose open command came to nothing: a new grant takes its
    place, any other answer leads back to it (Opening). `crossed` tells that the closing loop
    came on for it meanwhile: then → Passing, or Idle if the loop is clear again.
    `ended` keeps what became of commands, in case one of them is the answer's. `asked` is what
    the driver was asked to pay before: the lane looks whether that was done, and anything but a
    grant leads back to AwaitingPayment. `matched` is set where the read was taken for another
    plate's stay: facts are gathered of that one.
    """

    read: PlateRead
    cause: Cause
    snapshot: PlateSnapshot | None = None
    zones_left: tuple[ZoneId, ...] = ()
    refusals: tuple[ZoneRefusal, ...] = ()
    earlier: Grant | None = None
    crossed: bool = False
    ended: tuple[CommandEnded, ...] = ()
    asked: "AwaitingPayment | None" = None
    matched: Matched | None = None

    @property
    def plate(self) -> Plate:
        """Whose facts are gathered: the plate that was read, or that it was taken for."""
        return self.read.plate if self.matched is None else self.matched.plate


@dataclass(frozen=True, slots=True)
class AwaitingPayment:
    """A vehicle stands at the exit, and its stay is not paid.

    payment timer, payment told → Deciding: does the database know of it? presence off → Idle.
    Without a presence loop it is waited for `payment_seconds_max`, and a read of another plate
    is served in its place.
    """

    read: PlateRead
    cause: Cause
    due: Money
    since: datetime
    matched: Matched | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """The open command is committed; the vehicle has not reached the closing loop.

    closing on → Passing; presence off → stays, with the back-out timer (no closing loop: →
    Idle, passage assumed); command failed or expired → Idle, admission cancelled; command of
    unknown fate → stays, and a read of the same plate → Deciding; passage timer → stays once
    while the vehicle stands on the presence loop, else → Idle: an admission is cancelled, an
    exit may be repeated (no closing loop, or one that is stuck: passage assumed).
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

    presence off → Idle; another read → Approached or Deciding. With a presence loop the lane is
    in this phase only while the loop is occupied.
    """

    plate: Plate | None


Phase = Idle | Approached | Deciding | AwaitingPayment | Opening | Passing | Denied


@dataclass(frozen=True, slots=True)
class Seen:
    """A vehicle that was decided about or is being decided about, for folding its later reads.

    `at` is the time of the decision, after a grant that of the passage, after a denial its own.
    """

    plate: Plate
    vehicle_key: str | None
    at: datetime
    denied: bool = False


@dataclass(frozen=True, slots=True)
class LaneState:
    """All that a lane remembers.

    `presence` and `closing` are the loops as last reported. `waiting` is the read of the vehicle
    behind the one that is being served (Deciding, AwaitingPayment, Opening, Passing).
    `heard_monotonic` is the time of the latest device message, from which the latency of the
    decision that it triggers counts. `sent` are the latest commands, whose answers may come when
    the vehicle has gone; `taken`, those that the hardware acknowledged or that the arm opened for.
    """

    since: datetime
    phase: Phase = field(default_factory=Idle)
    presence: bool = False
    closing: bool = False
    seen: tuple[Seen, ...] = ()
    waiting: tuple[PlateRead, Cause] | None = None
    timer_token: int = 0
    heard_monotonic: float = 0.0
    sent: tuple[CommandId, ...] = ()
    taken: tuple[CommandId, ...] = ()

    def enter(self, phase: Phase, now: datetime) -> "LaneState":
        """The lane in another phase, since now."""
        return replace(self, phase=phase, since=now)

    def remember(self, read: PlateRead, now: datetime) -> "LaneState":
        """Keep the vehicle in mind; the oldest is forgotten."""
        seen = Seen(read.plate, read.vehicle_key, now)
        return replace(self, seen=(*self.seen, seen)[-SEEN_COUNT_MAX:])

    def with_sent(self, command: CommandId) -> "LaneState":
        """Keep in mind that this command is on its way."""
        return replace(self, sent=(*self.sent, command)[-SENT_COUNT_MAX:])

    def with_taken(self, command: CommandId) -> "LaneState":
        """Keep in mind that the hardware has taken this command: no later word undoes that."""
        if command in self.taken:
            return self
        return replace(self, taken=(*self.taken, command)[-SENT_COUNT_MAX:])

    def sent_as(self, number: int) -> CommandId | None:
        """The latest command with this number, if it is still remembered."""
        return next((one for one in reversed(self.sent) if command_number(one) == number), None)

    def forget(self, plate: Plate) -> "LaneState":
        """Take the next read of this plate for a new one."""
        return replace(self, seen=tuple(seen for seen in self.seen if seen.plate != plate))

    def refused(self, plate: Plate, now: datetime) -> "LaneState":
        """Note that this vehicle was denied, now: if it still waits, or its text is corrected,
        that is a new question."""
        seen = list(self.seen)
        for index in reversed(range(len(seen))):
            if seen[index].plate == plate:
                seen[index] = replace(seen[index], at=now, denied=True)
                break
        return replace(self, seen=tuple(seen))

    def passed(self, plate: Plate, now: datetime) -> "LaneState":
        """Keep a vehicle in mind that has just gone through: its rear plate may be read too."""
        key = next((seen.vehicle_key for seen in self.seen if seen.plate == plate), None)
        seen = (*self.forget(plate).seen, Seen(plate, key, now))
        return replace(self, seen=seen[-SEEN_COUNT_MAX:])

    def has_seen(self, read: PlateRead, now: datetime, fold_seconds: float) -> bool:
        """Whether this is the same vehicle again.

        The device's own vehicle key says so, for `KEY_SECONDS` (cameras count from the start
        again after a reboot); where one of the reads has no key, the same plate within
        `fold_seconds` does. A key whose plate text changed is the same vehicle unless that was
        denied: the corrected text then deserves its own answer. So does a denied vehicle that
        is still read after `fold_seconds`: it waits, say, for a spot.
        """
        for seen in self.seen:
            seconds = (now - seen.at).total_seconds()
            same_plate = seen.plate == read.plate
            if seen.vehicle_key is None or read.vehicle_key is None:
                same = same_plate and seconds <= fold_seconds
            elif seen.denied:
                same = seen.vehicle_key == read.vehicle_key and same_plate
                same = same and seconds <= fold_seconds
            else:
                same = seen.vehicle_key == read.vehicle_key and seconds <= KEY_SECONDS
            if same:
                return True
        return False


def phase_name(phase: Phase) -> str:
    """The stable word for the lane's state topic and the metric: `awaiting_payment`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(phase).__name__).lower()


def grant_of(phase: Phase) -> Grant | None:
    """The grant that is under way, if there is one."""
    return phase.grant if isinstance(phase, Opening | Passing) else None
