"""A small world around one lane: it performs the lane's effects, slowly and in any legal order,
and keeps the books that the properties of `test_properties.py` are about."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from gated.core.decide import decide
from gated.core.effects import (
    Admit,
    AskPayment,
    CancelAdmission,
    CancelMove,
    CompletePassage,
    Deny,
    Do,
    DurableEffect,
    Effect,
    Evacuate,
    Fault,
    FreeKind,
    Move,
    NoteCommand,
    NoteFault,
    Notice,
    Operate,
    PassFreely,
    RefuseOperation,
    Release,
    ResumeStay,
    SendCommand,
    Settle,
    StartTimer,
    StopTimer,
    TakeOpenStays,
    TakeSnapshot,
)
from gated.core.events import (
    Admitted,
    AlreadyInside,
    Cause,
    ChangeTold,
    CommandAnswered,
    CommandEnded,
    CommandSent,
    CommandStatus,
    DecisionFailed,
    DeviceEvent,
    DeviceFreshnessChanged,
    EvacuationChanged,
    GrantTakenOver,
    InputChanged,
    InputName,
    LaneEvent,
    Moved,
    NoOpenStay,
    OpenStaysTaken,
    Operated,
    OperateOutcome,
    OperatorDo,
    PaymentTold,
    Released,
    Reported,
    Request,
    Requested,
    SnapshotTaken,
    TimerFired,
    TimerName,
    ZoneRefusal,
    ZoneRefused,
)
from gated.core.ids import CommandId, EventId, StayId, ZoneId, command_number
from gated.core.lane import LaneState
from gated.core.money import Money
from gated.core.phases import (
    Approached,
    AwaitingPayment,
    Closed,
    Closing,
    Deciding,
    Denied,
    Gathering,
    Held,
    Idle,
    LetThrough,
    Occupied,
    Open,
    Opening,
    OutOfService,
    Passing,
    timers_of,
)
from gated.core.plates import Plate
from gated.core.reasons import FULL, MAY_END, DenyReason
from gated.core.rest import shut_by
from gated.core.restore import restored
from gated.core.site import Direction, LaneSetup, Unproven
from gated.core.snapshot import (
    AskedPayment,
    LaneMode,
    PendingPassage,
    PlateSnapshot,
    StayInside,
)
from tests.core.support import EUROS, OTHER_STAY, START, ZONE_A, ZONE_C, at, open_stay

# A timer that is started twice in a row for ever would never let a lane come to rest.
DRAIN_STEPS_MAX = 500
TIMER_LATE_SECONDS = 0.5
ASKING = TakeSnapshot | TakeOpenStays | Admit | Release | Move
BESIDE = Operated | CommandSent | DeviceFreshnessChanged | GrantTakenOver
UNDOING = {
    Direction.ENTRY: CancelAdmission,
    Direction.EXIT: ResumeStay,
    Direction.TRANSFER: CancelMove,
}
DRIVES = Idle | Occupied | Approached | Closing | LetThrough | Held
HELPLESS = (
    DenyReason.PLATE_UNREAD,
    DenyReason.READ_UNCERTAIN,
    DenyReason.READ_UNRATED,
    DenyReason.NO_ENTRY_FOUND,
)
SHUT = {DenyReason.EVACUATION, DenyReason.OUT_OF_SERVICE}
WITH_QUEUE = Deciding | AwaitingPayment | Opening | Open | Passing | LetThrough


@dataclass
class Stay:
    """One vehicle's visit, as far as this lane writes it."""

    id: StayId
    zone: ZoneId
    active: bool = True
    passed: bool = False
    cancelled: bool = False
    assumed: bool = False
    # Where it came from, while it has not passed the lane between.
    before: ZoneId | None = None
    granted_at: float = 0.0


@dataclass
class Live:
    """An open command that may still act."""

    stay: StayId
    made_at: float


@dataclass
class World:
    """The lane, the database, the clock and the timers."""

    lane: LaneSetup
    spots: dict[ZoneId, int]
    pending: Plate | None = None
    blocked: frozenset[Plate] = frozenset()
    seconds: float = 0.0
    state: LaneState = field(default_factory=lambda: LaneState(since=START))
    stays: dict[Plate, Stay] = field(default_factory=dict)
    queue: deque[DurableEffect] = field(default_factory=deque)
    answer: LaneEvent | None = None
    timers: dict[TimerName, tuple[int, float]] = field(default_factory=dict)
    stale: list[TimerFired] = field(default_factory=list)
    commands: dict[CommandId, Live] = field(default_factory=dict)
    entered: dict[EventId, Cause] = field(default_factory=dict)
    settled: dict[EventId, str] = field(default_factory=dict)
    granted: set[StayId] = field(default_factory=set)
    crossed: set[StayId] = field(default_factory=set)
    done: set[EventId] = field(default_factory=set)
    reports: dict[EventId, Reported] = field(default_factory=dict)
    requests: dict[EventId, Requested] = field(default_factory=dict)
    mode: LaneMode = LaneMode.IN_SERVICE
    evacuating: bool = False
    free: set[EventId] = field(default_factory=set)
    through: set[EventId] = field(default_factory=set)
    unpaid: set[Plate] = field(default_factory=set)
    asked: dict[Plate, Money] = field(default_factory=dict)
    questions: dict[EventId, AskedPayment] = field(default_factory=dict)
    noted: dict[Fault, datetime] = field(default_factory=dict)
    tickets: set[Plate] = field(default_factory=set)
    # Whether a payment was told of since the last restart.
    paid_since: bool = False
    # What vehicles were told last, by the message that was decided on, and where they stood.
    told: dict[EventId, tuple[DenyReason, EventId | None]] = field(default_factory=dict)
    # Whether operators say for whom they open: for anybody, as far as the lane can know.
    names_opened: bool = False
    ids: int = 100

    def __post_init__(self) -> None:
        passage = None
        if self.pending is not None:
            inside = self.lane.direction is not Direction.EXIT
            stay = Stay(OTHER_STAY, ZONE_A, active=inside, granted_at=-10)
            if self.lane.direction is Direction.TRANSFER:
                stay.before = ZONE_C
            self.stays[self.pending] = stay
            self.granted.add(stay.id)
            passage = PendingPassage(
                lane=self.lane.id,
                stay=stay.id,
                zone=stay.zone,
                plate=self.pending,
                command=None,
                event=EventId(UUID(int=1)),
                granted_at=at(stay.granted_at),
            )
        self.state, effects = restored(self.lane, passage, START)
        self._take_up(effects)
        self.check()

    # ── what happens ────────────────────────────────────────────────────────────────────────

    def report(self, event: DeviceEvent, age: float | None = 0.1) -> None:
        """A device reports, on an inbox row of its own."""
        cause = Cause(EventId(UUID(int=self._id())), at(self.seconds), 1000 + self.seconds, age)
        self.entered[cause.event] = cause
        self.reports[cause.event] = reported = Reported(cause, event)
        self.step(reported)

    def request(self, do: OperatorDo) -> None:
        """An operator asks the lane something."""
        cause = Cause(EventId(UUID(int=self._id())), at(self.seconds), 1000 + self.seconds, 0.1)
        self.entered[cause.event] = cause
        # Each other one names no stay: whoever asks for a match so is told whose it may be.
        stay = OTHER_STAY if cause.event.int % 2 else None
        request = Request(str(cause.event.int), "olga", do, "because", self.lane.id, stay)
        self.requests[cause.event] = requested = Requested(cause, request)
        self.step(requested)

    def evacuate(self, *, on: bool) -> None:
        """The facility is evacuated, or that is over."""
        self.evacuating = on
        cause = Cause(EventId(UUID(int=self._id())), at(self.seconds), 1000 + self.seconds, 0.1)
        self.step(EvacuationChanged(cause, on))

    def change(self) -> None:
        """Something has changed that may end a refusal."""
        self.step(ChangeTold(EventId(UUID(int=self._id()))))

    def step(self, event: LaneEvent) -> None:
        """The lane is told."""
        before = self.state
        self.paid_since = self.paid_since or isinstance(event, PaymentTold)
        self.state, effects = decide(self.lane, self.state, event, at(self.seconds))
        self._note_crossed(before, event)
        if isinstance(event, Admitted | Released | Moved):
            self.granted.add(event.stay)
        self._take_up(effects)
        assert self.state.timer_token >= before.timer_token
        self.check()

    def _note_crossed(self, before: LaneState, event: LaneEvent) -> None:
        """Who was on the closing loop after its grant is on its way through, unless it is the
        trailer of the one before, or may be one that took the place of the one that was granted."""
        match event, before.phase:
            case Reported(_, InputChanged(InputName.CLOSING, True)), Opening(grant) | Open(grant):
                trailer = self.state.crossing is not None and self.state.crossing.trailer
                mine = grant.anew is None and not trailer
                if mine and not before.closing and grant.precedes(event.cause):
                    self.crossed.add(grant.stay)
            case _:
                pass

    def perform(self, *, fails: bool = False) -> None:
        """The effect at the head of the queue is performed; its answer comes later."""
        if self.answer is not None or not self.queue:
            return
        self.answer = self._performed(self.queue.popleft(), fails=fails)
        self.check()

    def deliver(self) -> None:
        """The answer arrives."""
        if self.answer is not None:
            answer, self.answer = self.answer, None
            self.step(answer)

    def wait(self, seconds: float) -> None:
        """Time passes, but not far beyond a timer that is due: it fires first."""
        due = min((due for _, due in self.timers.values()), default=float("inf"))
        self.seconds = max(self.seconds, min(self.seconds + seconds, due + TIMER_LATE_SECONDS))

    def fire(self, name: TimerName) -> None:
        """A timer that is due fires."""
        token, due = self.timers.get(name, (0, float("inf")))
        if due <= self.seconds:
            del self.timers[name]
            self.step(TimerFired(name, token))

    def end_command(self, command: CommandId, status: CommandStatus) -> None:
        """The relay tells of a command's end."""
        del self.commands[command]
        self.step(CommandEnded(command, status))

    def refuse_command(self, command: CommandId) -> None:
        """The hardware refuses a command."""
        del self.commands[command]
        self.report(CommandAnswered(command_number(command), ok=False, error="stuck"))

    def restart(self) -> None:
        """All that is in memory is lost; what is stored comes again, as the actors have it."""
        self.queue.clear()
        self.timers.clear()
        self.stale.clear()
        self.asked.clear()
        # What shows a passage may come again; the store counts it once.
        self.free.clear()
        self.answer = None
        self.settled = {event: how for event, how in self.settled.items() if event in self.done}
        # Of a decision once more that was not committed nothing is stored.
        self.entered = {
            event: cause
            for event, cause in self.entered.items()
            if cause.again is None or event in self.done
        }
        # The relay ends what is on its way as of unknown fate.
        self.commands.clear()
        passage, asked = self._passage(), self._asked_before()
        self.paid_since = False
        self.granted = {passage.stay} if passage else set()
        # Of others that were let out nobody hears any more: gate.assume_passages_v1 settles them.
        for stay in self.stays.values():
            if not stay.active and self._pends(stay) and stay.id not in self.granted:
                stay.assumed = True
        self.state, effects = restored(
            self.lane,
            passage,
            at(self.seconds),
            self.mode,
            evacuating=self.evacuating,
            asked=asked,
            faults=self.noted,
        )
        kept = {Fault.ARM_STUCK, Fault.CAMERA_SILENT} & self.noted.keys()
        assert kept <= self.state.faults <= self.noted.keys()
        self._take_up(effects)
        self.check()
        for event, requested in self.requests.items():
            if event not in self.done:
                self.step(requested)
        for report in self._recalled():
            self._hear_again(report, recalled=True)
        for event, report in self.reports.items():
            if event not in self.done:
                self._hear_again(report, recalled=False)

    def _asked_before(self) -> AskedPayment | None:
        """The latest question of the database that nothing has decided on."""
        pending = [one for one in self.questions.values() if one.event not in self.done]
        inside = [one for one in pending if self._stay(one.stay.id).active]
        return inside[-1] if inside else None

    def _hear_again(self, report: Reported, *, recalled: bool) -> None:
        cause = report.cause
        waited = (at(self.seconds) - cause.received_at).total_seconds()
        age = cause.age_seconds
        if age is not None or waited > self.lane.policy.event_age_seconds_max:
            age = max(waited, age or 0.0)
        again = replace(report, cause=replace(cause, age_seconds=age))
        if recalled:
            del self.settled[cause.event]
        self.step(again)

    def _recalled(self) -> list[Reported]:
        """The last settled word of each loop, dated to when it was first said."""
        last: dict[InputName, tuple[bool, Reported]] = {}
        for event, report in self.reports.items():
            match report.event:
                case InputChanged(InputName.PRESENCE | InputName.CLOSING as name, on):
                    if event in self.done and last.get(name, (None,))[0] is not on:
                        last.pop(name, None)
                        last[name] = on, report
                case _:
                    pass
        return [report for _, report in last.values()]

    def _passage(self) -> PendingPassage | None:
        """The latest grant of the database whose passage has no end there."""
        horizon = self.seconds - 3 * self.lane.policy.passage_seconds_max
        pending = [
            (stay.granted_at, plate)
            for plate, stay in self.stays.items()
            if self._pends(stay) and stay.granted_at >= horizon
        ]
        if not pending:
            return None
        granted_at, plate = max(pending)
        stay = self.stays[plate]
        return PendingPassage(
            lane=self.lane.id,
            stay=stay.id,
            zone=stay.zone,
            plate=None if plate in self.tickets else plate,
            command=None,
            event=EventId(UUID(int=1)),
            granted_at=at(granted_at),
        )

    def _pends(self, stay: Stay) -> bool:
        """Whether it was granted passage, and nothing has told yet what became of that."""
        return not stay.passed and not stay.cancelled

    def drain(self) -> None:
        """Everything that is under way ends, one thing after the other. In the end all pay, and
        that is told of."""
        self.unpaid.clear()
        self.step(PaymentTold())
        if self.evacuating:
            self.evacuate(on=False)
        for _ in range(DRAIN_STEPS_MAX):
            if self.answer is not None:
                self.deliver()
            elif self.queue:
                self.perform()
            elif self.timers:
                name = min(self.timers, key=lambda one: self.timers[one][1])
                self.seconds = max(self.seconds, self.timers[name][1])
                self.fire(name)
            else:
                return
        raise AssertionError(f"never comes to rest: {self.state}")

    # ── the books ───────────────────────────────────────────────────────────────────────────

    def check(self) -> None:
        """What must hold after each step."""
        self._check_phase()
        self._check_call()
        phase = self.state.phase
        if self.state.waiting is not None:
            assert isinstance(phase, WITH_QUEUE), "waits behind nobody"
        if not isinstance(phase, Opening | Open | Passing | Deciding):
            assert not self.granted, "a grant that nobody looks after"
        for event in self.settled:
            assert event in self.entered

    def _check_call(self) -> None:
        call, phase = self.state.call, self.state.phase
        if call is not None:
            seen = self.state.presence or isinstance(phase, Passing)
            assert seen or not self.lane.presence_loop, "a call of nobody"
            assert not isinstance(phase, DRIVES), "a call of somebody who needs nobody"
        elif isinstance(phase, Denied) and phase.reason in HELPLESS:
            stuck = Fault.PRESENCE_LOOP_STUCK in self.state.faults
            assert stuck, "nobody is called for somebody who needs help"
            assert not phase.seen

    def _check_phase(self) -> None:
        phase, loop = self.state.phase, self.lane.presence_loop
        if timers_of(phase) and not isinstance(phase, Denied):
            assert any(map(self._runs, timers_of(phase))), f"{phase} for ever"
        match phase:
            case Occupied():
                assert self.state.presence
            case Deciding():
                assert self._awaits(phase.cause), "decides for ever"
            case Gathering(sightings):
                assert self.state.presence or not loop, "gathers reads of nobody"
                assert not {each.cause.event for each in sightings} & self.settled.keys()
            case AwaitingPayment():
                left = self.timers[TimerName.PAYMENT][1] - self.seconds
                soon = left <= self.lane.policy.backout_seconds_max
                assert self.state.presence or not loop or soon, "nobody there is asked to pay"
            case Opening() | Open() | Passing():
                assert phase.grant.stay in self.granted
            case Held() | Closed() | OutOfService():
                assert not self.state.serves, "out of service for no reason"
            case Denied():
                assert self.state.presence or not loop, "nobody there is denied for ever"
            case _:
                pass

    def check_at_rest(self) -> None:
        """What must hold when nothing is under way any more."""
        assert isinstance(self.state.phase, Idle | Denied | Held | Closed | OutOfService)
        assert self.state.waiting is None
        lost = set(self.entered) - set(self.settled)
        assert not lost, f"never settled: {[event.int for event in lost]}"
        assert not self.granted
        if self.lane.direction is Direction.EXIT:
            for stay in self.stays.values():
                ended = stay.passed or stay.assumed
                assert stay.active or ended, "let out, and neither gone nor inside again"

    def _runs(self, name: TimerName) -> bool:
        return self.timers.get(name, (None,))[0] == self.state.timer_token

    def _awaits(self, cause: Cause) -> bool:
        asked = [e for e in self.queue if isinstance(e, ASKING)]
        awaited = [e.cause.event for e in asked]
        if self.answer is not None and not isinstance(self.answer, BESIDE):
            told = Reported | TimerFired | CommandEnded | PaymentTold | ChangeTold
            assert not isinstance(self.answer, told)
            awaited.append(self.answer.cause.event)
        return awaited == [cause.event]

    def _settle(self, cause: Cause, how: str) -> None:
        if cause.again is not None:
            # The inbox hears of it when it is decided.
            assert cause.again in self.settled, "decided once more before it was decided"
            self.entered.setdefault(cause.event, cause)
        assert cause.event in self.entered
        assert cause.event not in self.settled, f"settled twice: {self.settled[cause.event]}, {how}"
        self.settled[cause.event] = how

    def _end_grant(self, stay: StayId) -> None:
        assert stay in self.granted, "a grant that ends twice"
        self.granted.remove(stay)

    def _id(self) -> int:
        self.ids += 1
        return self.ids

    # ── effects ─────────────────────────────────────────────────────────────────────────────

    def _take_up(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case StartTimer(name, token, seconds):
                    self._stop(name)
                    self.timers[name] = token, self.seconds + seconds
                case StopTimer(name):
                    self._stop(name)
                case Notice("answer_unexpected"):
                    raise AssertionError("an answer that nobody waits for")
                case Notice():
                    pass
                case _:
                    self._promised(effect)
                    self.queue.append(effect)

    def _stop(self, name: TimerName) -> None:
        if name in self.timers:
            self.stale.append(TimerFired(name, self.timers.pop(name)[0]))

    def _promised(self, effect: DurableEffect) -> None:
        match effect:
            case Deny(cause, reason, read, _):
                self._settle(cause, reason)
                self._denied(cause, reason)
                if read is not None:
                    self.asked.pop(read.plate, None)
            case Settle(cause, outcome):
                assert cause.again is None, "settles what the inbox does not know"
                self._settle(cause, outcome)
            case (
                CompletePassage(stay) | CancelAdmission(stay) | CancelMove(stay) | ResumeStay(stay)
            ):
                undone = not isinstance(effect, CompletePassage)
                for direction, undoing in UNDOING.items():
                    of_this = self.lane.direction is direction
                    assert isinstance(effect, undoing) is (undone and of_this)
                assert not (undone and stay in self.crossed), "undone on its way through"
                self._end_grant(stay)
            case TakeSnapshot() | TakeOpenStays():
                there = self.state.presence or not self.lane.presence_loop
                assert there, "decides on nobody"
            case Admit() | Release() | Move():
                self._granting(effect)
            case AskPayment():
                self._asked(effect)
            case NoteCommand() | Evacuate() | NoteFault() | Notice():
                pass
            case _:
                self._promised_beside(effect)

    def _promised_beside(
        self, effect: PassFreely | SendCommand | Operate | RefuseOperation
    ) -> None:
        match effect:
            case PassFreely():
                self._passing_freely(effect)
            case SendCommand(do=Do.OPEN):
                # Where no presence loop is, a read alone tells a bare relay whom to let out.
                blind = not self.lane.holds and not self.lane.presence_loop
                seen = self.state.presence or (blind and isinstance(self.state.phase, Held))
                assert seen, "asks the arm again for nobody"
            case Operate(cause, request) if request.do is OperatorDo.MATCH and request.names_stay:
                # The decision on the stay settles it.
                pass
            case Operate(cause) | RefuseOperation(cause):
                self._settle(cause, "operated")
            case SendCommand():
                pass

    def _passing_freely(self, effect: PassFreely) -> None:
        assert effect.cause.event not in self.free, "one passage, recorded twice"
        self.free.add(effect.cause.event)
        if isinstance(self.state.phase, Held) and effect.kind is not FreeKind.TAILGATING:
            assert not effect.kind.offence, "accused in a lane that is held open"
        if effect.read is not None and (stay := self.stays.get(effect.read.plate)) is not None:
            assert stay.id not in self.granted, "granted, and said to have passed without"

    def _denied(self, cause: Cause, reason: DenyReason) -> None:
        asked = cause.again or cause.event
        if cause.again is not None:
            before, _ = self.told[asked]
            assert reason is not before, "told the same again"
            assert not {reason, before} <= FULL, "told in other words that it is full"
        self.told[asked] = reason, self.state.stood

    def _granting(self, effect: Admit | Release | Move) -> None:
        cause, policy, loop = effect.cause, self.lane.policy, self.lane.presence_loop
        if cause.again is not None:
            reason, stood = self.told[cause.again]
            assert reason in MAY_END | SHUT, "granted after all"
            assert not loop or self.state.stood == stood, "granted to another one"
            assert self.state.serves, "granted anew at a lane that serves nobody"
            read = self.entered[cause.again]
            read_ago = (at(self.seconds) - read.received_at).total_seconds()
            known = policy.event_age_seconds_max * 2 - (read.age_seconds or 0.0)
            assert loop or read_ago <= known + TIMER_LATE_SECONDS, "granted by an old read"
        assert shut_by(self.lane, self.state) is None, "grants at a lane that is shut"
        if cause.age_seconds is None:
            assert policy.undated_reads is Unproven.ACCEPT
        else:
            assert cause.age_seconds <= policy.event_age_seconds_max
        if isinstance(effect, Release) and effect.at is not None:
            phase = self.state.phase
            quiet = isinstance(phase, Deciding) and phase.asked is not None and phase.asked.recalled
            assert not quiet or self.paid_since, "opens by what was known before a restart"
            # It paid here: it stands there still, or came not longer ago than one waits.
            assert self.state.presence or not loop
            return
        phase = self.state.phase
        if isinstance(phase, Deciding) and phase.earlier is None:
            assert self.state.presence or not loop, "grants nobody passage"
        # The decision itself, the time behind another vehicle, the time to the loop. Where no
        # loop proves that the vehicle is there, its read must not have waited long.
        queued = policy.presence_seconds_max * 2 if loop else policy.event_age_seconds_max
        waited = timedelta(seconds=policy.event_age_seconds_max + queued + TIMER_LATE_SECONDS)
        assert at(self.seconds) - cause.received_at <= waited

    def _asked(self, effect: AskPayment) -> None:
        assert effect.cause.event not in self.settled
        assert effect.due.amount > 0
        assert self.asked.get(effect.read.plate) != effect.due, "asked twice for the same"
        self.asked[effect.read.plate] = effect.due

    def _performed(self, effect: DurableEffect, *, fails: bool) -> LaneEvent | None:
        match effect:
            case TakeSnapshot() | TakeOpenStays() | Admit() | Release() | Move() if fails:
                return DecisionFailed(effect.cause, "away")
            case TakeOpenStays(cause):
                return OpenStaysTaken(cause, self._inside())
            case TakeSnapshot(cause, plate):
                return SnapshotTaken(cause, self._facts(plate))
            case Admit(cause) | Release(cause) | Move(cause) if (
                at(self.seconds) > effect.valid_until
            ):
                return DecisionFailed(cause, "too late")
            case Admit():
                return self._admitted(effect)
            case Release():
                return self._released(effect)
            case Move():
                return self._moved(effect)
            case PassFreely() | SendCommand() | Operate() | RefuseOperation():
                return self._performed_beside(effect)
            case Evacuate() | Notice():
                pass
            case _:
                self._written(effect)
        return None

    def _ask(self, cause: Cause, stay: StayId, due: Money) -> None:
        plate = next(plate for plate, one in self.stays.items() if one.id == stay)
        inside = StayInside(stay, plate, START, self._stay(stay).zone)
        first = self.questions.pop(cause.event, None)
        since = at(self.seconds) if first is None else first.since
        self.questions[cause.event] = AskedPayment(self.lane.id, cause.event, inside, due, since)

    def _performed_beside(
        self, effect: PassFreely | SendCommand | Operate | RefuseOperation
    ) -> LaneEvent | None:
        match effect:
            case Operate():
                return self._operated(effect)
            case SendCommand():
                command = CommandId(UUID(int=self._id()))
                if effect.do is Do.OPEN and effect.stay is not None:
                    self.commands[command] = Live(effect.stay, self.seconds)
                return CommandSent(command, effect.stay)
            case RefuseOperation(cause):
                self.done.add(cause.event)
            case PassFreely():
                self._through(effect)
        return None

    def _operated(self, effect: Operate) -> Operated:
        cause, request = effect.cause, effect.request
        if request.do is OperatorDo.MATCH and not request.names_stay:
            self.done.add(cause.event)
            return Operated(cause, request, OperateOutcome.STAY_MISSING, None)
        assert not effect.near, "told to somebody who does not ask"
        if request.do is not OperatorDo.MATCH:
            self.done.add(cause.event)
        match request.do:
            case OperatorDo.HOLD:
                self.mode = LaneMode.HELD
            case OperatorDo.LANE_CLOSE:
                self.mode = LaneMode.CLOSED
            case OperatorDo.RELEASE | OperatorDo.LANE_OPEN:
                self.mode = LaneMode.IN_SERVICE
            case _:
                pass
        command = CommandId(UUID(int=self._id())) if effect.do is not None else None
        plate = next((plate for plate, stay in self.stays.items() if stay.active), Plate("NOBODY"))
        if request.do is OperatorDo.OPEN and not self.names_opened:
            return Operated(cause, request, OperateOutcome.DONE, command)
        return Operated(cause, request, OperateOutcome.DONE, command, plate=plate)

    def _through(self, effect: PassFreely) -> None:
        """What the database makes of a passage that nobody granted."""
        if effect.cause.event in self.through:
            return
        self.through.add(effect.cause.event)
        if effect.read is None:
            return
        plate = effect.read.plate
        stay = self.stays.get(plate)
        if self.lane.direction is Direction.EXIT and stay is not None and stay.active:
            stay.active, stay.passed = False, True
            self.spots[stay.zone] += 1
        if self.lane.direction is Direction.ENTRY and (stay is None or not stay.active):
            zone = next((zone for zone, free in self.spots.items() if free > 0), None)
            if zone is not None:
                self.spots[zone] -= 1
                self.stays[plate] = Stay(StayId(UUID(int=self._id())), zone, passed=True)

    def _written(
        self,
        effect: CompletePassage
        | CancelAdmission
        | CancelMove
        | ResumeStay
        | Deny
        | AskPayment
        | NoteFault
        | Settle
        | NoteCommand,
    ) -> None:
        match effect:
            case AskPayment(cause, _, stay, due):
                self._ask(cause, stay.id, due)
            case NoteFault(fault, on, noted_at):
                self.noted.pop(fault, None)
                self.noted.update({fault: noted_at} if on else {})
            case CompletePassage(stay):
                self._stay(stay).passed, self._stay(stay).before = True, None
            case CancelAdmission(stay):
                self._cancel(self._stay(stay))
            case CancelMove(stay):
                self._move_back(self._stay(stay))
            case ResumeStay(stay):
                self._resume(self._stay(stay))
            case Deny(cause) | Settle(cause):
                self.done.add(cause.event)
            case NoteCommand(command, CommandStatus.CONFIRMED):
                # The arm was up for it: it acts no more.
                self.commands.pop(command, None)
            case NoteCommand():
                pass

    def _inside(self) -> tuple[StayInside, ...]:
        return tuple(
            StayInside(stay.id, plate, START, stay.zone)
            for plate, stay in self.stays.items()
            if stay.active
        )

    def _cancel(self, stay: Stay) -> None:
        if stay.active and not stay.passed:
            stay.active, stay.cancelled = False, True
            self.spots[stay.zone] += 1

    def _facts(self, plate: Plate | None) -> PlateSnapshot:
        stay = None if plate is None else self.stays.get(plate)
        inside = stay is not None and not stay.cancelled and (stay.active or not stay.passed)
        shown = None
        if stay is not None and inside:
            shown = replace(open_stay(stay.zone, stay=stay.id), released=not stay.active)
        return PlateSnapshot(
            plate=plate,
            at=at(self.seconds),
            blocked=plate in self.blocked,
            open_stay=shown,
            price=EUROS if shown else None,
            due=EUROS if shown and plate in self.unpaid else None,
        )

    def _admitted(self, effect: Admit) -> LaneEvent:
        cause, plate = effect.cause, self._name(effect)
        stay = self.stays.get(plate)
        if stay is not None and stay.active:
            if stay.passed:
                return AlreadyInside(cause)
        elif self.spots[effect.zone] == 0:
            return ZoneRefused(cause, effect.zone, ZoneRefusal.FULL)
        else:
            self.spots[effect.zone] -= 1
            stay = Stay(StayId(UUID(int=self._id())), effect.zone)
            self.stays[plate] = stay
            if effect.read is None:
                self.tickets.add(plate)
        stay.granted_at = self.seconds
        self._settle(cause, "granted")
        self.done.add(cause.event)
        return Admitted(cause, stay.id, stay.zone, "A-1", self._opened(stay))

    def _moved(self, effect: Move) -> LaneEvent:
        stay = self._stay(effect.stay.id)
        if not stay.active:
            return NoOpenStay(effect.cause)
        if stay.before is None:
            if stay.zone != effect.zone and self.spots[effect.zone] == 0:
                return ZoneRefused(effect.cause, effect.zone, ZoneRefusal.FULL)
            self.spots[stay.zone] += 1
            self.spots[effect.zone] -= 1
            stay.before, stay.zone, stay.passed = stay.zone, effect.zone, False
            self.crossed.discard(stay.id)
        stay.granted_at = self.seconds
        self._settle(effect.cause, "granted")
        self.done.add(effect.cause.event)
        return Moved(effect.cause, stay.id, stay.zone, "B-1", self._opened(stay))

    def _move_back(self, stay: Stay) -> None:
        if stay.active and stay.before is not None:
            self.spots[stay.zone] += 1
            self.spots[stay.before] -= 1
            stay.zone, stay.before, stay.passed = stay.before, None, True

    @staticmethod
    def _resume(stay: Stay) -> None:
        if not stay.active and not stay.passed:
            stay.active, stay.passed = True, True

    def _name(self, effect: Admit) -> Plate:
        """The plate; of a vehicle on a ticket what its stay is found by here."""
        if effect.read is not None:
            return effect.read.plate
        if effect.again is not None:
            return next(plate for plate, one in self.stays.items() if one.id == effect.again)
        there = [plate for plate in self.tickets if self.stays[plate].id in self.granted]
        assert not there, "two tickets for one vehicle"
        return Plate(f"TICKET{self._id()}")

    def _released(self, effect: Release) -> LaneEvent:
        stay = self._stay(effect.stay.id)
        if stay.passed and not stay.active:
            return NoOpenStay(effect.cause)
        if stay.active:
            self.crossed.discard(stay.id)
        stay.active, stay.passed, stay.granted_at = False, False, self.seconds
        self._settle(effect.cause, "granted")
        self.done.add(effect.cause.event)
        return Released(effect.cause, stay.id, EUROS, self._opened(stay))

    def _opened(self, stay: Stay) -> CommandId:
        longest = self.lane.policy.passage_seconds_max
        for live in self.commands.values():
            same = live.stay == stay.id and stay.id in self.granted
            fresh = self.seconds - live.made_at < longest
            assert not (same and fresh), "two open commands for one grant"
        command = CommandId(UUID(int=self._id()))
        self.commands[command] = Live(stay.id, self.seconds)
        return command

    def _stay(self, stay: StayId) -> Stay:
        return next(one for one in self.stays.values() if one.id == stay)
