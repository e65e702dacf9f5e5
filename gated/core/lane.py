"""The state of one lane: its phase, and all that it remembers beside it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from gated.core.effects import Fault, FreeKind
from gated.core.events import (
    BarrierState,
    Cause,
    PlateRead,
    Request,
)
from gated.core.ids import CommandId, DeviceId, EventId, StayId, command_number
from gated.core.phases import Idle, Phase, phase_name
from gated.core.plates import Plate
from gated.core.reasons import CallReason
from gated.core.snapshot import AskedPayment, FacilityMode, LaneMode

SEEN_COUNT_MAX = 8
SENT_COUNT_MAX = 8
KEY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """A vehicle on the closing loop that nobody granted passage: recorded when it is through.

    `request` if an operator let it through. `followed`: it came behind another in its opening.
    `stood` is what told of it on the presence loop, None once another one has driven onto that: if
    it stands there still when the closing loop clears, it may have rolled back. `trailer`: it came
    so close behind that it is taken for a part of the vehicle before.
    """

    kind: FreeKind
    read: PlateRead | None = None
    after: StayId | None = None
    request: Request | None = None
    stood: EventId | None = None
    followed: bool = False
    trailer: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """The last vehicle that went through by a grant, or let through by hand, and when.

    `stay` is None for the latter: perhaps the operator opened for more than one. `stood` is what
    told of it on the presence loop, if that has not been clear since: it may not have passed at
    all, or the next one was too close for the loop to clear.
    """

    stay: StayId | None
    at: datetime
    stood: EventId | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """When the closing loop was last cleared by a vehicle whose passage is known; `stood` told of
    who was on the presence loop then."""

    at: datetime
    stood: EventId | None


@dataclass(frozen=True, slots=True)
class TurnedBack:
    """The last vehicle that did not pass though it was granted that, as far as the loops tell."""

    read: PlateRead | None
    at: datetime


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
class Call:
    """Somebody at the lane needs a person, since then."""

    why: CallReason
    since: datetime


@dataclass(frozen=True, slots=True)
class LaneState:
    """All that a lane remembers.

    `presence` and `closing` are the loops as last reported; `stood` is the event that told of who
    stands on the first now, `presence_left_at` when it was last left. `arm` is what the arm last
    told. `waiting` is the read of the vehicle behind the one that is being served (Deciding,
    AwaitingPayment, Opening, Open, Passing, LetThrough). `heard_monotonic` is the time of the
    latest device message, from which the latency of the decision that it triggers counts. `sent`
    are the latest commands, whose answers may come when the vehicle has gone; `taken`, those that
    the hardware acknowledged or that the arm opened for. `opens` are the open commands of the grant
    under way; `given_up`, those of grants whose vehicle did not pass and for which the arm has not
    gone up: should it do so yet, that is of no grant. `crossing` is who is on the closing loop
    without a grant; `courtesy` an operator's opening for the vehicle that is being decided on, or
    for the one behind that which is passing. `closing_again`: the closing loop, which counts as
    stuck, came on once more: its clearing was lost.
    `unread_count`: so many vehicles in a row have stood there and no camera said anything.
    `turned_back`: the plates of those that were granted passage, left the front of the lane, and
    did not come onto the closing loop, since that was last heard of; None: one without a plate.
    `turned_back_last`: the arm may be up for it, and it may be between the loops yet.
    `asked` is the question for payment of before a restart, until its read is taken up again or
    something tells that another one may stand there.
    `faults_before` are the faults that stood at a restart, and when each was raised: what was said
    before that disproves none. `arm_unsaid`: so long the arm has said nothing since, and its first
    word is where it is, and no move.
    `pressed` is what told of the vehicle whose driver has asked for somebody. `call` is found anew
    after each event (`gated.core.calls`).
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
    opens: tuple[CommandId, ...] = ()
    given_up: tuple[CommandId, ...] = ()
    presence_left_at: datetime | None = None
    stood: EventId | None = None
    arm: BarrierState | None = None
    passed_last: Passed | None = None
    cleared_last: Cleared | None = None
    crossing: Crossing | None = None
    courtesy: Request | None = None
    closing_again: bool = False
    mode: LaneMode = LaneMode.IN_SERVICE
    evacuating: bool = False
    faults: frozenset[Fault] = frozenset()
    offline: frozenset[DeviceId] = frozenset()
    unread_count: int = 0
    turned_back: frozenset[Plate | None] = frozenset()
    turned_back_last: TurnedBack | None = None
    asked: AskedPayment | None = None
    faults_before: tuple[tuple[Fault, datetime], ...] = ()
    arm_unsaid: bool = False
    pressed: EventId | None = None
    call: Call | None = None

    @property
    def serves(self) -> bool:
        """Whether the lane decides about vehicles at all."""
        in_service = self.mode is LaneMode.IN_SERVICE and not self.evacuating
        return in_service and Fault.ARM_STUCK not in self.faults

    @property
    def serves_out(self) -> bool:
        """Whether whoever is being served is served to the end: closed it is behind that one."""
        closed = self.mode is LaneMode.CLOSED and not self.evacuating
        return self.serves or (closed and Fault.ARM_STUCK not in self.faults)

    def enter(self, phase: Phase, now: datetime) -> "LaneState":
        """The lane in another phase, since now."""
        return replace(self, phase=phase, since=now)

    def remember(self, read: PlateRead | None, now: datetime) -> "LaneState":
        """Keep the vehicle in mind, if it was read; the oldest is forgotten."""
        if read is None:
            return self
        seen = Seen(read.plate, read.vehicle_key, now)
        return replace(self, seen=(*self.seen, seen)[-SEEN_COUNT_MAX:])

    def with_cleared(self, at: datetime) -> "LaneState":
        """A vehicle is through: what comes close behind it may be a part of it."""
        return replace(self, cleared_last=Cleared(at, self.stood))

    def with_sent(self, command: CommandId) -> "LaneState":
        """Keep in mind that this command is on its way."""
        return replace(self, sent=(*self.sent, command)[-SENT_COUNT_MAX:])

    def with_open(self, command: CommandId) -> "LaneState":
        """Keep in mind that this one is on its way, and is to open for the grant under way."""
        opens = (*self.opens, command)[-SENT_COUNT_MAX:]
        return replace(self.with_sent(command), opens=opens)

    def without_opens(self) -> "LaneState":
        """The vehicle is through: whatever its commands still do was granted."""
        return replace(self, opens=())

    def with_opens_given_up(self) -> "LaneState":
        """The vehicle did not pass: whatever its commands still do is granted to nobody."""
        given_up = (*self.given_up, *self.opens)[-SENT_COUNT_MAX:]
        return replace(self, opens=(), given_up=given_up)

    def with_risen(self, command: CommandId) -> "LaneState":
        """The arm went up for this command: it is taken, and will not come late any more."""
        given_up = tuple(one for one in self.given_up if one != command)
        return replace(self.with_taken(command), given_up=given_up)

    def with_taken(self, command: CommandId) -> "LaneState":
        """Keep in mind that the hardware has taken this command: no later word undoes that."""
        if command in self.taken:
            return self
        return replace(self, taken=(*self.taken, command)[-SENT_COUNT_MAX:])

    def sent_as(self, number: int) -> CommandId | None:
        """The latest command with this number, if it is still remembered."""
        return next((one for one in reversed(self.sent) if command_number(one) == number), None)

    def forget(self, plate: Plate | None) -> "LaneState":
        """Take the next read of this plate for a new one."""
        return replace(self, seen=tuple(seen for seen in self.seen if seen.plate != plate))

    def refused(self, plate: Plate | None, now: datetime) -> "LaneState":
        """Note that this vehicle was denied, now: if it still waits, or its text is corrected,
        that is a new question."""
        seen = list(self.seen)
        for index in reversed(range(len(seen))):
            if seen[index].plate == plate:
                seen[index] = replace(seen[index], at=now, denied=True)
                break
        return replace(self, seen=tuple(seen))

    def passed(self, plate: Plate | None, now: datetime) -> "LaneState":
        """Keep a vehicle in mind that has just gone through: its rear plate may be read too."""
        if plate is None:
            return self
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


@dataclass(frozen=True, slots=True)
class LaneShown:
    """What everybody may see of a lane. `mode`: a word of `LaneMode`, or `evacuation`."""

    phase: str
    since: datetime
    mode: str = LaneMode.IN_SERVICE
    faults: frozenset[Fault] = frozenset()
    call: Call | None = None


def shown_of(state: LaneState) -> LaneShown:
    """The lane as it is to be seen."""
    mode = FacilityMode.EVACUATION if state.evacuating else state.mode
    return LaneShown(phase_name(state.phase), state.since, mode, state.faults, state.call)
