"""What actors need from the world, as Protocols: the store, the outgoing messages, the clock, ids.

`gated.app` hands over the real things; tests hand over fakes that pass the same suites.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gated.core.effects import Do, Outcome, PassageKnown
from gated.core.events import CommandStatus, OperateOutcome
from gated.core.ids import (
    CommandId,
    DeviceId,
    EventId,
    FacilityId,
    Fence,
    LaneId,
    Slug,
    StayId,
    ZoneId,
)
from gated.core.lane import LaneShown
from gated.core.matching import Near
from gated.core.plates import Plate
from gated.core.signs import Sign
from gated.core.site import DeviceSetup, Direction, FacilitySetup
from gated.core.snapshot import AskedPayment, Modes, PendingPassage, PlateSnapshot, StayInside
from gated.operations import (
    MatchAnswer,
    MatchRequest,
    ModeAnswer,
    ModeRequest,
    MoneyAnswer,
    OperateAnswer,
    OperateRequest,
    PayRequest,
    RefuseRequest,
    WaiveRequest,
)
from gated.records import (
    AdmitAnswer,
    AdmitRequest,
    AskRequest,
    Command,
    Decoded,
    DenyRequest,
    FacilityFact,
    FreePassage,
    FreePassageAnswer,
    Inbound,
    InboxRow,
    LaneNote,
    MoveAnswer,
    MoveRequest,
    PaymentTaken,
    PaymentTakenAnswer,
    Publication,
    ReleaseAnswer,
    ReleaseRequest,
    SensorOutcome,
    SensorWord,
    StandingFault,
    ZoneCount,
    ZoneDrift,
)


class Clock(Protocol):
    """Both clocks: the wall (aware, UTC) for records, the monotonic one for durations."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Ids(Protocol):
    """A source of new, time-ordered ids."""

    def new(self) -> UUID: ...


class Commands(Protocol):
    """The way out to the barriers (the relay)."""

    def accepts(self, device: DeviceId, do: Do) -> bool:
        """Whether the device's family has such a command at all (a bare relay cannot deny)."""
        ...

    def ready(self) -> bool:
        """Whether a command that is committed now can leave at once."""
        ...

    def noted(self, command: CommandId, status: CommandStatus) -> None:
        """The hardware has answered a command, and its row says so."""
        ...

    def poke(self, command: Command, cause_received_monotonic: float) -> None:
        """A command was committed: send it now. The timer would find it too, only later."""
        ...


class Announcer(Protocol):
    """The way out for retained state, and for answers to operators and terminals.

    Of state the newest wins; what cannot be sent now is sent on link-up.
    """

    def lane_state(self, lane: Slug, shown: LaneShown) -> None: ...
    def zone_occupancy(self, zone: Slug, count: ZoneCount, sign: Sign) -> None: ...
    def facility_occupancy(self, count: ZoneCount, sign: Sign) -> None: ...
    def receipt(self, lane: Slug, boot: str, seq: int) -> None: ...
    def answer(
        self,
        user: str,
        request: str | int,
        error: str | None = None,
        detail: str = "",
        stays: Sequence[Near] = (),
    ) -> None:
        """Tell an operator what became of a request; `error` None: it was done.

        `stays` are those that may be meant, where the request named none.
        """
        ...

    def payment_taken(self, payment: str | int, answer: PaymentTakenAnswer) -> None:
        """Tell a terminal that the money counts, by its id of the message."""
        ...

    def payment_refused(self, payment: str | int, error: str, detail: str = "") -> None:
        """Tell a terminal that the money does not count, and why: it gives it back."""
        ...


class Message(Protocol):
    """One received MQTT message, not yet acknowledged. `defect`: the packet itself was broken."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def qos(self) -> int: ...
    @property
    def retain(self) -> bool: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def received_monotonic(self) -> float: ...
    @property
    def defect(self) -> str | None: ...


class Link(Protocol):
    """The facility's MQTT session, as actors use it."""

    @property
    def connected(self) -> bool: ...

    async def publish(self, publication: Publication) -> None:
        """Raises DeliveryError."""
        ...


class Store(Protocol):
    """PostgreSQL, one method per named statement.

    Every method raises `StoreError`; those that write for a facility raise `FencedOut` when
    the fence is old. Each method may be called again with the same arguments after a
    retryable error: ids and keys make the second call find the first.
    """

    # facilities and leases
    async def facility_ids(self) -> Sequence[FacilityId]: ...
    async def facility_setup(self, facility: FacilityId) -> FacilitySetup: ...
    async def pending_passages(
        self, facility: FacilityId, since: datetime
    ) -> Sequence[PendingPassage]:
        """The passages granted since then and not seen ending, in the order of their grants."""
        ...

    async def asked_payments(self, facility: FacilityId) -> Sequence[AskedPayment]:
        """Who was asked to pay, and nothing is decided about it; in the order of arrival."""
        ...

    async def standing_faults(self, facility: FacilityId) -> Sequence[StandingFault]:
        """What was wrong with the lanes' hardware when that was last noted, the oldest first."""
        ...

    async def acquire_lease(
        self, facility: FacilityId, holder: str, ttl_seconds: float
    ) -> tuple[Fence, int] | None:
        """The new fence and the setup's revision; None while another holder's lease lives."""
        ...

    async def renew_lease(
        self, facility: FacilityId, holder: str, fence: Fence, ttl_seconds: float
    ) -> int:
        """The setup's revision. Raises FencedOut when the lease was lost."""
        ...

    async def release_lease(self, facility: FacilityId, holder: str, fence: Fence) -> None: ...

    # inbox
    async def append_events(
        self, facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
    ) -> Sequence[bool]:
        """Store the rows in order, in one transaction; per row: True if new, False if known."""
        ...

    async def pending_events(self, facility: FacilityId, limit: int) -> Sequence[InboxRow]:
        """Rows that are stored and not done, in arrival order."""
        ...

    async def recent_inputs(
        self, facility: FacilityId, since: datetime, limit: int
    ) -> Sequence[InboxRow]:
        """The last settled messages of contacts, at most `limit` per lane, in arrival order."""
        ...

    async def settle_events(
        self, facility: FacilityId, fence: Fence, outcomes: Sequence[tuple[EventId, Outcome]]
    ) -> None: ...

    # decisions
    async def plate_snapshot(
        self,
        facility: FacilityId,
        plate: Plate | None,
        direction: Direction,
        at: datetime,
        lanes: Sequence[LaneId] = (),
    ) -> PlateSnapshot:
        """What is known of the plate; None: of a vehicle whose plate nobody knows.

        `lanes`: the entries of which a stay that was not seen passing would be taken up again, with
        the right that it was given: the one that asks, and another that it has backed out of.
        """
        ...

    async def admit(
        self, facility: FacilityId, fence: Fence, request: AdmitRequest
    ) -> AdmitAnswer: ...
    async def release(
        self, facility: FacilityId, fence: Fence, request: ReleaseRequest
    ) -> ReleaseAnswer: ...
    async def move_stay(
        self, facility: FacilityId, fence: Fence, request: MoveRequest
    ) -> MoveAnswer: ...
    async def deny(self, facility: FacilityId, fence: Fence, request: DenyRequest) -> bool:
        """True if recorded now, False if the event was settled before."""
        ...

    async def ask_payment(self, facility: FacilityId, fence: Fence, request: AskRequest) -> bool:
        """True if recorded now; False if it was before, or the event is settled."""
        ...

    async def open_stays(self, facility: FacilityId) -> Sequence[StayInside]:
        """The stays with a plate whose vehicle is inside."""
        ...

    async def take_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> PaymentTakenAnswer:
        """Count a terminal's payment once, and settle its event; or record why it cannot be."""
        ...

    async def give_up_payment(
        self, facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
    ) -> bool:
        """Settle its event as failed, and record that somebody has the money; False if it was
        decided before."""
        ...

    async def payment_again(
        self, facility: FacilityId, fence: Fence, payment: PaymentTaken
    ) -> PaymentTakenAnswer | None:
        """What the message came to by which the payment was told, and is told again; None if it is
        unknown, or not decided yet. Nothing counts by it."""
        ...

    # operators: each call decides its request once, asks for right and reason, and is audited
    async def modes(self, facility: FacilityId) -> Modes:
        """What operators ordered to last."""
        ...

    async def operate(
        self, facility: FacilityId, fence: Fence, request: OperateRequest
    ) -> OperateAnswer: ...
    async def refuse_operation(
        self, facility: FacilityId, fence: Fence, request: RefuseRequest
    ) -> bool:
        """True if the refusal is recorded now, False if the request was decided before."""
        ...

    async def operation_outcome(self, facility: FacilityId, key: str) -> OperateOutcome | None:
        """What the request of this key came to; None if it is unknown, or not decided yet."""
        ...

    async def set_facility_mode(
        self, facility: FacilityId, fence: Fence, request: ModeRequest
    ) -> ModeAnswer: ...
    async def match_stay(
        self, facility: FacilityId, fence: Fence, request: MatchRequest
    ) -> MatchAnswer:
        """Note whose vehicle it is. Where that is done, the request stays open: the exit's own
        decision is made on it."""
        ...

    async def waive(
        self, facility: FacilityId, fence: Fence, request: WaiveRequest
    ) -> MoneyAnswer: ...
    async def pay_by_hand(
        self, facility: FacilityId, fence: Fence, request: PayRequest
    ) -> MoneyAnswer: ...

    # passages
    async def note_sensor(
        self,
        facility: FacilityId,
        fence: Fence,
        event: EventId,
        word: SensorWord,
        heard_at: datetime,
    ) -> SensorOutcome:
        """Keep what a sensor says, if it is the newest word, and settle its event."""
        ...

    async def complete_passage(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        known: PassageKnown,
        at: datetime,
        correlation: UUID,
    ) -> None: ...
    async def cancel_admission(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> int | None:
        """The zone's available spots afterwards; None if this lane had nothing left to cancel."""
        ...

    async def cancel_move(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> int | None:
        """The available spots of the zone that it is in again; None if nothing was to undo."""
        ...

    async def resume_stay(
        self,
        facility: FacilityId,
        fence: Fence,
        stay: StayId,
        lane: LaneId,
        reason: str,
        at: datetime,
        correlation: UUID,
    ) -> ZoneId | None:
        """Undo a release: the zone that the stay is in again; None if nothing was to undo."""
        ...

    async def pass_freely(
        self, facility: FacilityId, fence: Fence, request: FreePassage
    ) -> FreePassageAnswer:
        """Account for a vehicle that passed without a grant. Told again: DONE_BEFORE, as it was."""
        ...

    async def note_lane(self, facility: FacilityId, fence: Fence, note: LaneNote) -> None:
        """Keep the note, once by its id."""
        ...

    async def zone_count(self, zone: ZoneId) -> ZoneCount: ...
    async def zone_drift(self, zone: ZoneId, at: datetime) -> ZoneDrift: ...

    # outbox
    async def send_command(self, facility: FacilityId, fence: Fence, command: Command) -> None:
        """Commit a command that no decision of its own causes, once by its id."""
        ...

    async def dispatch_command(
        self, facility: FacilityId, fence: Fence, command: CommandId, at: datetime
    ) -> CommandStatus:
        """Take an accepted command for sending. `dispatched` means: send it now, once.

        Anything else means: do not send (`expired` when its time was over at `at`).
        """
        ...

    async def advance_command(
        self,
        facility: FacilityId,
        fence: Fence,
        command: CommandId,
        status: CommandStatus,
        error: str | None,
        at: datetime,
    ) -> CommandStatus:
        """Move the command on; a step back is ignored. Answers the status that stands now."""
        ...

    async def accepted_commands(self, facility: FacilityId) -> Sequence[Command]: ...
    async def expire_commands(
        self, facility: FacilityId, fence: Fence, at: datetime
    ) -> Sequence[tuple[CommandId, LaneId, CommandStatus]]:
        """End what is over: accepted past expiry → expired, dispatched unanswered → unknown."""
        ...


class FacilityReader(Protocol):
    """Reads one kind of message that no device of a lane sends: payments, sensors, operators."""

    @property
    def kind(self) -> str:
        """A short stable word for records and metrics."""
        ...

    @property
    def topic_filter(self) -> str:
        """The subscription that brings these messages, at QoS 1."""
        ...

    @property
    def is_state(self) -> bool:
        """Whether a retained copy may be believed: what is so may, what happened may not."""
        ...

    def decode(self, message: Inbound) -> FacilityFact:
        """Raises CodecError (→ quarantine) for what cannot be understood."""
        ...


class Codec(Protocol):
    """One device family: bytes to events, commands to bytes; no decisions, no waiting."""

    @property
    def family(self) -> str: ...

    @property
    def does(self) -> frozenset[Do]:
        """The commands that the family has."""
        ...

    @property
    def stale_safe(self) -> bool:
        """Whether the hardware itself checks a command's id, fence and expiry."""
        ...

    def repeatable(self, device: DeviceSetup) -> bool:
        """Whether the device may be told to open once more while the arm reports that it is not
        up. Not where it might close what the first command still opens."""
        ...

    def check(self, device: DeviceSetup) -> None:
        """Raises ConfigError if topic or options are not what the family needs."""
        ...

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        """The input names (`presence`, `closing`, …) that this device is wired to report."""
        ...

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        """The MQTT subscriptions that the device needs: topic filter and QoS."""
        ...

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        """Raises CodecError (→ quarantine) for what cannot be understood."""
        ...

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        """The message that makes the device do it. Raises CodecError if the family cannot."""
        ...
