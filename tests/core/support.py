"""Small builders for the core's tests: a lane, reads and their causes, and a lane that is told
one event after the other. Time is an argument: seconds after `START`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from gated.core.decide import decide
from gated.core.effects import Effect, StartTimer, StopTimer
from gated.core.events import (
    Admitted,
    BarrierReported,
    BarrierState,
    Cause,
    CommandAnswered,
    CommandEnded,
    CommandStatus,
    DeviceEvent,
    InputChanged,
    InputName,
    LaneEvent,
    OpenStaysTaken,
    PlateRead,
    PlateUnread,
    Released,
    Reported,
    SnapshotTaken,
    TimerFired,
    TimerName,
)
from gated.core.ids import (
    CommandId,
    DeviceId,
    EventId,
    LaneId,
    Slug,
    SpotId,
    StayId,
    ZoneId,
    command_number,
)
from gated.core.lane import LaneState
from gated.core.money import Money
from gated.core.opening import OpeningHours
from gated.core.phases import Denied, Idle, Occupied
from gated.core.plates import Plate
from gated.core.site import Direction, LanePolicy, LaneSetup
from gated.core.snapshot import Lapse, OpenStay, PlateSnapshot, Reservation, StayInside

START = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
ZONE_A = ZoneId(UUID(int=0xA))
ZONE_B = ZoneId(UUID(int=0xB))
ZONE_C = ZoneId(UUID(int=0xC))
STAY = StayId(UUID(int=0x57A4))
OTHER_STAY = StayId(UUID(int=0x57A5))
OPEN = CommandId(UUID(int=0x0BE1))
OPEN_AGAIN = CommandId(UUID(int=0x0BE2))
CAR = Plate("HHAB1234")
CORRECTED = Plate("HHAB1284")
OTHER_CAR = Plate("MXY77")
SUBSCRIPTION = UUID(int=0x5B)
EUROS = Money(Decimal("2.50"), "EUR")


def at(seconds: float) -> datetime:
    """The instant so many seconds after the beginning."""
    return START + timedelta(seconds=seconds)


def lane_of(
    direction: Direction = Direction.ENTRY,
    *,
    zones: tuple[ZoneId, ...] = (ZONE_A,),
    presence_loop: bool = True,
    closing_loop: bool = True,
    arm_switch: bool = False,
    holds: bool = True,
    policy: LanePolicy | None = None,
    opening: OpeningHours | None = None,
) -> LaneSetup:
    """A lane with both loops, if not said otherwise; an arm that tells may be asked twice."""
    return LaneSetup(
        id=LaneId(UUID(int=0x1A)),
        slug=Slug("in-1" if direction is Direction.ENTRY else "out-1"),
        direction=direction,
        zones=zones,
        presence_loop=presence_loop,
        closing_loop=closing_loop,
        barrier=DeviceId(UUID(int=0xBA)),
        policy=policy or LanePolicy(),
        arm_switch=arm_switch,
        open_repeatable=arm_switch,
        holds=holds,
        opening=opening,
    )


def cause_of(number: int, seconds: float = 0.0, *, age: float | None = 0.1) -> Cause:
    """The inbox row of this number, received then."""
    return Cause(EventId(UUID(int=number)), at(seconds), 1000.0 + seconds, age)


def read_of(
    plate: Plate = CAR, *, confidence: float | None = 0.95, key: str | None = None
) -> PlateRead:
    """One read of a plate."""
    return PlateRead(plate, plate.text, confidence, vehicle_key=key)


def open_stay(zone: ZoneId = ZONE_A, *, stay: StayId = STAY, released: bool = False) -> OpenStay:
    """A stay that began an hour ago."""
    return OpenStay(stay, at(-3600), zone, SpotId(UUID(int=0x5)), "A-5", "T000001", released)


def facts(
    plate: Plate | None = CAR,
    *,
    vehicle: bool = False,
    blocked: bool = False,
    stay: OpenStay | None = None,
    available: dict[ZoneId, int] | None = None,
    reservation: Reservation | None = None,
    subscription: bool = False,
    staff: bool = False,
    violations: int = 0,
    violation_denies: bool = False,
    due: str | None = None,
    lapsed: Lapse | None = None,
) -> PlateSnapshot:
    """What the database says of a stranger, if not said otherwise."""
    return PlateSnapshot(
        plate=plate,
        at=START,
        vehicle=UUID(int=0xCA4) if vehicle else None,
        user=UUID(int=0x05E4) if vehicle else None,
        blocked=blocked,
        open_stay=stay,
        price=EUROS if stay else None,
        due=Money(Decimal(due), "EUR") if due else None,
        available=available,
        reservation=reservation,
        subscription=SUBSCRIPTION if subscription else None,
        staff=staff,
        violations_open=violations,
        violation_denies=violation_denies,
        lapsed=lapsed,
    )


def _is_of_read_timer(effect: Effect) -> bool:
    return isinstance(effect, StartTimer | StopTimer) and effect.name is TimerName.READ


@dataclass
class Told:
    """One lane that is told events; `tell` answers the effects, `state` is what it has become."""

    lane: LaneSetup = field(default_factory=lane_of)
    state: LaneState = field(default_factory=lambda: LaneState(since=START))
    now: datetime = START
    events: int = 0
    effects: list[Effect] = field(default_factory=list)
    last: Cause = field(default_factory=lambda: cause_of(0))

    def wait(self, seconds: float) -> "Told":
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def tell(self, event: LaneEvent) -> tuple[Effect, ...]:
        """Decide on one event. How long a vehicle may stand unread is left out of the answer."""
        self.state, effects = decide(self.lane, self.state, event, self.now)
        self.effects.extend(effects)
        return tuple(effect for effect in effects if not _is_of_read_timer(effect))

    def cause(self, *, age: float | None = 0.1) -> Cause:
        """The next inbox row."""
        self.events += 1
        seconds = (self.now - START).total_seconds()
        self.last = cause_of(self.events, seconds, age=age)
        return self.last

    def report(self, event: DeviceEvent, *, age: float | None = 0.1) -> tuple[Effect, ...]:
        """A device reports something, received now."""
        return self.tell(Reported(self.cause(age=age), event))

    def presence(self, on: bool, *, age: float | None = 0.1) -> tuple[Effect, ...]:
        return self.report(InputChanged(InputName.PRESENCE, on), age=age)

    def closing(self, on: bool, *, age: float | None = 0.1) -> tuple[Effect, ...]:
        return self.report(InputChanged(InputName.CLOSING, on), age=age)

    def read(
        self,
        plate: Plate = CAR,
        *,
        confidence: float | None = 0.95,
        key: str | None = None,
        age: float | None = 0.1,
    ) -> tuple[Effect, ...]:
        return self.report(read_of(plate, confidence=confidence, key=key), age=age)

    def unread(self, *, age: float | None = 0.1) -> tuple[Effect, ...]:
        return self.report(PlateUnread(), age=age)

    def arm(self, state: BarrierState, command: int | None = None) -> tuple[Effect, ...]:
        return self.report(BarrierReported(state, command))

    def answered(self, command: CommandId, *, ok: bool) -> tuple[Effect, ...]:
        error = None if ok else "stuck"
        return self.report(CommandAnswered(command_number(command), ok, error))

    def ended(self, status: CommandStatus, command: CommandId = OPEN) -> tuple[Effect, ...]:
        return self.tell(CommandEnded(command, status))

    @property
    def deciding_cause(self) -> Cause:
        """The cause whose answer the lane waits for."""
        phase = self.state.phase
        assert hasattr(phase, "cause"), phase
        cause = phase.cause
        assert isinstance(cause, Cause)
        return cause

    def gathered(self, snapshot: PlateSnapshot | None = None) -> tuple[Effect, ...]:
        """The facts arrive."""
        return self.tell(SnapshotTaken(self.deciding_cause, snapshot or facts()))

    def near(self, *stays: StayInside) -> tuple[Effect, ...]:
        """These are inside: the plate that was read is none of theirs, and perhaps near one."""
        return self.tell(OpenStaysTaken(self.deciding_cause, stays))

    def admitted(
        self, zone: ZoneId = ZONE_A, *, stay: StayId = STAY, command: CommandId = OPEN
    ) -> tuple[Effect, ...]:
        return self.tell(Admitted(self.deciding_cause, stay, zone, "A-5", command))

    def released(self, *, stay: StayId = STAY, command: CommandId = OPEN) -> tuple[Effect, ...]:
        return self.tell(Released(self.deciding_cause, stay, EUROS, command))

    def timer(self, name: TimerName) -> tuple[Effect, ...]:
        """The newest timer fires."""
        return self.tell(TimerFired(name, self.state.timer_token))

    @property
    def phase(self) -> str:
        return type(self.state.phase).__name__

    @property
    def at_rest(self) -> bool:
        """Whether nobody is being served; somebody may stand there unread."""
        return isinstance(self.state.phase, Idle | Occupied)

    @property
    def denied(self) -> Plate | None:
        """Who was refused and may still stand there."""
        assert isinstance(self.state.phase, Denied), self.state.phase
        return self.state.phase.plate


def started(effects: Iterable[Effect]) -> dict[TimerName, float]:
    """The timers that were started, with their seconds."""
    return {effect.name: effect.seconds for effect in effects if isinstance(effect, StartTimer)}


def acts(effects: Iterable[Effect]) -> list[str]:
    """The effects by name, in order, without what becomes of timers."""
    return [name for name in kinds(effects) if name not in ("StartTimer", "StopTimer")]


def kinds(effects: Iterable[Effect]) -> list[str]:
    """The effects by name, in order."""
    return [type(effect).__name__ for effect in effects]
