"""The phases of a lane: what goes on with the vehicle that is being served, and where it leads.

The annotations say where each phase leads; `gated.core.transitions` is the table of it. A lane at
rest is `Idle` or `Occupied` in service, else `Held`, `Closed` or `OutOfService`.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from gated.core.consensus import Sighting
from gated.core.events import (
    Cause,
    ChangeTold,
    CommandEnded,
    PlateRead,
    Request,
    TimerName,
)
from gated.core.facts import Facts, Refused
from gated.core.ids import CommandId, EventId, StayId, ZoneId
from gated.core.matching import Near
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.snapshot import Matched, PlateSnapshot


@dataclass(frozen=True, slots=True)
class Grant:
    """An admission or release whose vehicle has not been seen passing yet.

    `command` is the open command while it may still act; None once it is known to be dead or
    its fate is unknown, so that a fresh read of the same plate is decided anew. `at` is when it
    was granted, where reports from before it may still come: after a restart. `zone` is set where
    a zone was entered; `moved` tells that it was entered from another zone of the facility.
    `plate` is None for a vehicle that comes in on a ticket. `came_down`: the arm had been up for
    it, and came down before it had cleared the closing loop. `overdue`: it has had its time to
    pass, and stood there still. `read`: who it is for the books, as the camera said it. `stood` is
    what told of it on the presence loop; `anew`, of whoever stands there since that loop was clear
    for so long that another one may have taken its place.
    """

    plate: Plate | None
    stay: StayId
    zone: ZoneId | None
    command: CommandId | None
    correlation: EventId
    at: datetime | None = None
    moved: bool = False
    came_down: bool = False
    overdue: bool = False
    read: PlateRead | None = None
    stood: EventId | None = None
    anew: EventId | None = None

    def precedes(self, cause: Cause) -> bool:
        """Whether what was reported there can be of this grant's vehicle."""
        return self.at is None or cause.received_at >= self.at


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody is being served.

    read → Approached (presence loop not occupied) or Deciding; a plate that nobody can read, or
    not surely enough, → Denied where a vehicle may stand at the barrier; presence on → Occupied;
    opened by hand → LetThrough; held → Held; closed → Closed; a broken arm → OutOfService.
    """


@dataclass(frozen=True, slots=True)
class Occupied:
    """A vehicle stands on the presence loop, and no camera has said who it is.

    read → Deciding; presence off → Idle; read timer → Denied, as nobody could read it; and as
    Idle does.
    """


@dataclass(frozen=True, slots=True)
class Approached:
    """A plate was read before its vehicle reached the presence loop.

    presence on → Deciding; another read → Approached with it; presence timer → Idle; closing off
    → Idle: it was read late, and is the one that followed another.
    """

    read: PlateRead
    cause: Cause


@dataclass(frozen=True, slots=True)
class Gathering:
    """A vehicle at the barrier was read, and not surely: further reads are awaited.

    enough reads agree, a sure read, consensus timer → Deciding, else Denied; presence off,
    closing on → Idle. `told_at` is when it was last told that it cannot be read. `refused` is how
    it was refused before, by a sure read, for what may end: so it stays, unless it is decided on.
    """

    sightings: tuple[Sighting, ...]
    told_at: datetime | None = None
    refused: "Denied | None" = None


@dataclass(frozen=True, slots=True)
class Deciding:
    """The facts are being gathered, or a transaction is on its way.

    admitted, released → Opening; zone refuses → Deciding with the next zone, else refused;
    right gone meanwhile → Deciding with new facts; money due → AwaitingPayment; refused →
    Denied (nobody on the presence loop: Idle); replayed, failed → Idle.

    `earlier` is this vehicle's grant whose open command came to nothing: a new grant takes its
    place, any other answer leads back to it (Opening). `crossed` tells that the closing loop
    came on for it meanwhile: then → Passing, or Idle if the loop is clear again. Who crosses it
    without a grant is through: nothing is opened for it any more, and → Idle. So is one that leaves
    the presence loop while somebody unknown is under the arm in another's opening: it is that one.
    Who was asked to pay before is only through once it leaves one of the two loops.
    `ended` keeps what became of commands, in case one of them is the answer's. `asked` is what
    the driver was asked to pay before: the lane looks whether that was done, and anything but a
    grant leads back to AwaitingPayment. `matched` is set where the read was taken for another
    plate's stay: facts are gathered of that one. `read` is None for a vehicle that nobody can
    read and that asked for a ticket. `paid` tells that somebody has paid something meanwhile: what
    is due may be less than these facts say. `refused` is how it was refused before: the lane looks
    whether the reason has ended, and the same answer leads back to Denied without a word. `change`
    tells of something that may end a refusal: should this become one, it is looked once more.
    """

    read: PlateRead | None
    cause: Cause
    snapshot: PlateSnapshot | None = None
    zones_left: tuple[ZoneId, ...] = ()
    refusals: tuple[Refused, ...] = ()
    earlier: Grant | None = None
    crossed: Cause | None = None
    ended: tuple[CommandEnded, ...] = ()
    asked: "AwaitingPayment | None" = None
    matched: Matched | None = None
    paid: bool = False
    refused: "Denied | None" = None
    change: ChangeTold | None = None

    @property
    def plate_read(self) -> Plate | None:
        """The plate as it was read; None for a vehicle that asked for a ticket."""
        return self.read.plate if self.read is not None else None

    @property
    def plate(self) -> Plate | None:
        """Whose facts are gathered: the plate that was read, or that it was taken for."""
        return self.plate_read if self.matched is None else self.matched.plate

    @property
    def facts(self) -> Facts:
        """What a verdict reached now rests on, for its record."""
        return Facts(self.snapshot, self.refusals)


@dataclass(frozen=True, slots=True)
class AwaitingPayment:
    """A vehicle stands at the exit, and its stay is not paid.

    payment timer, payment told → Deciding: does the database know of it? closing on → stays while
    the vehicle is on both loops, else → Idle: it left without. closing off: it has rolled back, and
    stays; or it may be through → Idle. presence off → stays for the back-out time, then → Idle, at
    once if it is on the closing loop; on again meanwhile → Deciding, and a read of another plate is
    served in its place. Without a presence loop that is so at once; there it is looked for
    `payment_seconds_max`, and then only once somebody pays.

    `stood` is what told of it on the presence loop when it was asked. `rolled_at`: it was on the
    closing loop and back then, as it seems, and no arm says that nobody can have passed: another
    plate that is read after that is served in its place. `recalled`: it was asked before a restart,
    and nothing has told since that it is there. Until its plate is read again, or its loop repeats
    that it is on, nobody looks but when somebody pays; and it is gone when a loop changes or
    another plate is read. matched by hand → Deciding about the stay
    that the operator names; `matching` is his request while the database has it, and so long nobody
    looks.
    """

    read: PlateRead
    cause: Cause
    due: Money
    since: datetime
    matched: Matched | None = None
    stood: EventId | None = None
    matching: EventId | None = None
    rolled_at: datetime | None = None
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """The open command is committed; the vehicle has not reached the closing loop.

    closing on → Passing; arm up → Open, where the arm tells; presence off → stays, with the
    back-out timer (no closing loop: → Idle, passage assumed); command failed or expired → Idle,
    admission cancelled; command of unknown fate → stays, and a read of the same plate → Deciding;
    presence off while somebody unknown is under the arm in another's opening → Passing: it is
    that one; read of another one that has taken its place → Deciding on that one, and the grant is
    undone; opening timer → the arm is asked again where that can do no harm, at most
    `open_tries_max` times in all, then → OutOfService; passage timer → stays once while the vehicle
    stands on the presence loop, else → Idle: an admission is cancelled, the stay of an exit goes on
    (no closing loop, or one that is stuck: passage assumed).

    `asking`: the arm is being asked once more, and the command has no id yet.
    """

    grant: Grant
    tries: int = 1
    asking: bool = False

    @property
    def may_open(self) -> bool:
        """Whether a command to open may act yet."""
        return self.asking or self.grant.command is not None


@dataclass(frozen=True, slots=True)
class Open:
    """The arm reports that it is up; the vehicle has not reached the closing loop.

    closing on → Passing; arm down → Idle, passage reported (no closing loop, presence off), else
    Opening: asked once more for the same vehicle if it has stood there all the while; where that
    is not certain, or was done before, with a dead command: whoever still stands there is read and
    decided anew, and somebody is called; presence and passage timer as in Opening.

    `answered` is False while the arm is up for the vehicle before and has not told of this one's
    command: should it come down, it has its time to go up again → Opening.
    """

    grant: Grant
    answered: bool = True

    @property
    def may_open(self) -> bool:
        """Whether a command to open may act yet."""
        return self.grant.command is not None


@dataclass(frozen=True, slots=True)
class Passing:
    """The vehicle is on the closing loop.

    closing off → Closing where the arm tells, else Idle, passage measured; passage timer → Idle,
    passage assumed (loop stuck); read of another one that has taken its place → Occupied: it is
    that one that passes without a grant, and this one's is undone.
    """

    grant: Grant


@dataclass(frozen=True, slots=True)
class Closing:
    """The vehicle is through, and the arm, which tells, is not down yet.

    arm down → Idle; read → Deciding: the next one; closing on: somebody follows in its opening;
    closing timer → Idle, and the arm is told to stay up.
    """

    stay: StayId


@dataclass(frozen=True, slots=True)
class LetThrough:
    """An operator opened for whoever stands there: nobody was granted anything.

    read → stays, with it, while that is not known and nobody is on the closing loop yet; closing
    off (no closing loop: presence off) → Idle, and the books are put right; passage timer → Idle:
    nobody came, or it is recorded when it clears the loop; presence on again, later than a driver
    takes who turns back → Occupied: that is another one, for whom nobody has opened. `unread`: no
    camera could read it, so whoever is read is the next one. `left_at` is when the presence loop
    was left for the closing loop, or for good. `again`: it is occupied once more since; another
    plate that is read then is that of who passes.
    """

    request: Request
    read: PlateRead | None = None
    unread: bool = False
    left_at: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The arm stays up, by hand or for an evacuation: whoever comes passes and is recorded.

    read → stays, with it; closing on → stays, and who was read is under the arm; closing off →
    stays: it is through; presence on → stays, and an arm that is down is asked once more, or opened
    if it cannot stay up; released → Idle.
    """

    read: PlateRead | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What it takes to decide once more on whom was refused for a reason that may end.

    `cause` is the message that was decided on, `since` when it was told no, `stood` what told of it
    on the presence loop. `matched` as in Deciding.
    """

    cause: Cause
    since: datetime
    stood: EventId | None
    matched: Matched | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The vehicle was refused and may still stand there.

    presence off → Idle; another read → Approached or Deciding; opened by hand → LetThrough;
    matched by hand → Deciding; a change told → Deciding, if the reason may have ended and nothing
    speaks against its standing there (without a presence loop: if its read is young enough);
    loop timer → stays, the loop is told to be stuck. With a presence
    loop the lane is in this phase only while the loop is occupied. `read` is None where no camera
    could read it; there, and if none could surely, the button asks for a ticket at an entry that
    offers them → Deciding. `near` are the stays, the nearest first, that the read may belong to:
    an operator chooses. `seen` is False where nothing but the presence loop tells of a vehicle.
    `refusal` is set where the reason may end while it stands there.
    """

    read: PlateRead | None
    reason: DenyReason
    near: tuple[Near, ...] = ()
    seen: bool = True
    refusal: Refusal | None = None

    @property
    def unsure(self) -> bool:
        """Whether it was read, and not surely enough."""
        return self.reason in (DenyReason.READ_UNCERTAIN, DenyReason.READ_UNRATED)

    @property
    def plate(self) -> Plate | None:
        """Whom it was said to, if that is known."""
        return self.read.plate if self.read is not None else None


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed for traffic: every read is refused. opened again → Idle, or Denied with whom it was
    refused and stands there still; held → Held.

    `denied` is who was refused, here or before it was closed, where that may end.
    """

    denied: Denied | None = None


@dataclass(frozen=True, slots=True)
class OutOfService:
    """The arm does not do what it is told: every read is refused, no command is sent.

    arm up, arm down, put back into service → Idle, or Denied as in Closed, with `denied`.
    """

    denied: Denied | None = None


Phase = (
    Idle
    | Occupied
    | Approached
    | Gathering
    | Deciding
    | AwaitingPayment
    | Opening
    | Open
    | Passing
    | Closing
    | LetThrough
    | Denied
    | Held
    | Closed
    | OutOfService
)
Granted = Opening | Open | Passing


def phase_name(phase: Phase) -> str:
    """The stable word for the lane's state topic and the metric: `awaiting_payment`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(phase).__name__).lower()


def grant_of(phase: Phase) -> Grant | None:
    """The grant that is under way, if there is one."""
    return phase.grant if isinstance(phase, Granted) else None


def timers_of(phase: Phase) -> tuple[TimerName, ...]:
    """The timers of which one may run in the phase; what leaves the phase stops them."""
    match phase:
        case Occupied():
            return (TimerName.READ,)
        case Approached():
            return (TimerName.PRESENCE,)
        case Gathering():
            return (TimerName.CONSENSUS,)
        case AwaitingPayment():
            return (TimerName.PAYMENT,)
        case Opening():
            return (TimerName.PASSAGE, TimerName.OPENING)
        case Open() | Passing() | LetThrough():
            return (TimerName.PASSAGE,)
        case Closing():
            return (TimerName.CLOSING,)
        case Denied(None):
            return (TimerName.LOOP,)
        case _:
            return ()
