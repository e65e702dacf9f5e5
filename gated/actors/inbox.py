"""The way in: each received message is stored, then acknowledged, then handed to its lane.

One committer per connection, in arrival order, in batches. What cannot be decoded is stored as
quarantined and acknowledged too; a retained plate read is stored as dropped. From the commit on
nothing is lost: work is done from the stored row, and what was stored but not settled is handed
over again after a crash.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from gated.actors.clocks import DeviceClocks
from gated.actors.liveness import Liveness
from gated.actors.messages import (
    FacilityMessage,
    ForLane,
    OperatorAgain,
    PaymentAgain,
    for_facility,
)
from gated.actors.reception import Entry, Reader, Reception, Refusal, Route
from gated.actors.settler import Settler
from gated.core.effects import Outcome
from gated.core.errors import (
    CodecError,
    PaymentRefused,
    RefusedValue,
    RequestRefused,
    StoreError,
)
from gated.core.events import (
    Cause,
    DeviceEvent,
    InputChanged,
    InputName,
    Reported,
)
from gated.core.ids import EventId, Fence, LaneId
from gated.core.site import DeviceSetup, FacilitySetup
from gated.ports import Announcer, Clock, FacilityReader, Ids, Message, Store
from gated.records import Asked, FacilityFact, InboxRow, PaymentTaken
from gated.telemetry import Metrics

BATCH_COUNT_MAX = 100
UNACKNOWLEDGED_COUNT_MAX = 2000
PENDING_COUNT_MAX = 10_000
# How far back the last word of a loop is believed, and looked for among how many: since when a loop
# has been so is known of one that repeats itself only as far as these reach.
RECALL_AGE_MAX = timedelta(hours=12)
RECALL_COUNT_MAX = 200
RETRY_SECONDS_MAX = 5.0
# The answer to an operator's request, or to a payment, that cannot be understood.
BAD_REQUEST = "bad_request"

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

M = TypeVar("M", bound=Message)


class Inbox(Generic[M]):
    """The committer of one facility's MQTT session."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        settler: Settler,
        routes: Callable[[str], Sequence[Route]],
        facility_reader: Callable[[str], FacilityReader | None],
        acknowledge: Callable[[M], None],
        deliver: Callable[[FacilityMessage], Awaitable[None]],
        announcer: Announcer,
        liveness: Liveness,
        clock: Clock,
        ids: Ids,
        rng: random.Random,
        metrics: Metrics,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._settler = settler
        self._acknowledge = acknowledge
        self._deliver = deliver
        self._announcer = announcer
        self._liveness = liveness
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._reader: Reader[M] = Reader(routes, facility_reader, ids)
        self._received: deque[M] = deque()
        self._stored: deque[tuple[Entry, bool]] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._clocks = DeviceClocks(setup.slug, metrics)
        self._age_seconds_max = {lane.id: lane.policy.event_age_seconds_max for lane in setup.lanes}

    @property
    def depth(self) -> int:
        """Messages received and not yet stored.

        Bounded: at QoS 1 by the session, which sets further ones aside; at QoS 0 here.
        """
        return len(self._received)

    def oldest_seconds(self) -> float:
        """How long the oldest of them has waited."""
        if not self._received:
            return 0.0
        return self._clock.monotonic() - self._received[0].received_monotonic

    def read_until(self) -> float:
        """What was received before then, by the monotonic clock, is handed over."""
        if self._stored:
            return self._stored[0][0].received_monotonic
        return self._clock.monotonic() - self.oldest_seconds()

    def receive(self, message: M) -> None:
        """Take a message from the session; returns at once.

        What nobody has to acknowledge nobody sends again either: while the database is away,
        messages at QoS 0 beyond the bound are dropped and counted.
        """
        if message.qos == 0 and len(self._received) >= UNACKNOWLEDGED_COUNT_MAX:
            self._metrics.received(facility=self._setup.slug, kind="unread", status="shed")
            self._liveness.missed()
            return
        self._received.append(message)
        self._wake.set()

    async def run(self) -> None:
        """Store, acknowledge, deliver, until told to stop. Raises FencedOut."""
        while True:
            # First what a crash left behind between its commit and its delivery.
            await self._hand_over_all()
            await self._wake.wait()
            if self._stopping:
                return
            batch = [self._received[index] for index in range(self._batch_size())]
            receptions = [self._reader.read(message) for message in batch]
            fresh = await self._store_until_done(receptions)
            for reception in receptions:
                self._received.popleft()
                self._stored.extend((entry, entry.row.id in fresh) for entry in reception.entries)
            for message in batch:
                self._acknowledge(message)
            if not self._received and not self._stopping:
                self._wake.clear()

    async def _hand_over_all(self) -> None:
        while self._stored:
            entry, fresh = self._stored[0]
            await self._hand_over(entry, fresh=fresh)
            self._stored.popleft()

    def request_stop(self) -> None:
        """Finish the batch, then end. What was not stored stays with the broker."""
        self._stopping = True
        self._wake.set()

    async def pending(self) -> list[FacilityMessage]:
        """What a lane that starts (again) has missed, oldest first.

        The last word of each loop, which a vehicle that stands there will not repeat; then what
        was stored and never settled, as it would be delivered now.
        """
        recalled = await self._recalled()
        rows = await self._store.pending_events(self._setup.id, PENDING_COUNT_MAX)
        missed: list[FacilityMessage] = []
        for row in rows:
            messages: Sequence[FacilityMessage] = self._delivered_again(row)
            if (fact := self._reader.fact_again(row)) is not None:
                messages = [for_facility(row, fact)]
            if not messages:
                # The set-up has changed since: nobody is left to hear it.
                self._settler.settle(row.id, Outcome.UNEXPECTED)
            missed.extend(messages)
        if missed:
            _log.info("inbox.replayed", facility=self._setup.slug, count=len(missed))
        return [*recalled, *missed]

    async def _recalled(self) -> list[ForLane]:
        since = self._clock.now() - RECALL_AGE_MAX
        # In the order of arrival. What a box merely repeats has been so since it first said so.
        last: dict[tuple[LaneId, InputName], tuple[bool, ForLane]] = {}
        for row in await self._store.recent_inputs(self._setup.id, since, RECALL_COUNT_MAX):
            for message in self._delivered_again(row):
                match message.event:
                    case Reported(
                        _, InputChanged(InputName.PRESENCE | InputName.CLOSING as name, on)
                    ):
                        on_before, _ = last.get((message.lane, name), (None, None))
                        if on is not on_before:
                            last.pop((message.lane, name), None)
                            last[message.lane, name] = on, message
                    case _:
                        pass
        return [message for _, message in last.values()]

    def _delivered_again(self, row: InboxRow) -> list[ForLane]:
        read = self._reader.read_again(row)
        if read is None:
            return []
        device, events = read
        waited = (self._clock.now() - row.received_at).total_seconds()
        received_monotonic = self._clock.monotonic() - waited
        return [
            _for_lane(
                Cause(
                    row.id,
                    row.received_at,
                    received_monotonic,
                    self._age(device, event, row.received_at),
                    device.id,
                ),
                device,
                event,
                index,
            )
            for index, event in enumerate(events)
        ]

    def _batch_size(self) -> int:
        return min(len(self._received), BATCH_COUNT_MAX)

    # ── store ───────────────────────────────────────────────────────────────────────────────

    async def _store_until_done(self, receptions: Sequence[Reception[M]]) -> set[EventId]:
        """Store all rows, however long it takes; the ids of those that were not known before.

        Raises StoreError for a database that will never do, and that is no row's fault: then
        nothing is put aside, and nothing acknowledged.
        """
        entries = [entry for reception in receptions for entry in reception.entries]
        try:
            return await self._append(entries)
        except RefusedValue:
            return await self._store_one_by_one(receptions)

    async def _store_one_by_one(self, receptions: Sequence[Reception[M]]) -> set[EventId]:
        """One of them is what the database does not take: put it aside, let the others pass."""
        fresh: set[EventId] = set()
        try:
            for reception in receptions:
                for index, entry in enumerate(reception.entries):
                    try:
                        fresh |= await self._append([entry])
                    except RefusedValue as error:
                        refusal = CodecError(Refusal.NOT_STORABLE, str(error))
                        rejected = self._reader.rejected(reception.message, entry.device, refusal)
                        reception.entries[index] = rejected
                        fresh |= await self._append([rejected])
        except StoreError:
            # Those that are committed will be known ones at the next try: they are due now.
            self._stored.extend(
                (entry, True)
                for reception in receptions
                for entry in reception.entries
                if entry.row.id in fresh
            )
            raise
        return fresh

    async def _append(self, entries: Sequence[Entry]) -> set[EventId]:
        """One transaction, repeated while the database is away."""
        rows = [entry.row for entry in entries]
        delay = 0.0
        while True:
            try:
                fresh = await self._store.append_events(self._setup.id, self._fence, rows)
            except StoreError as error:
                if not error.retryable:
                    raise
                delay = min(RETRY_SECONDS_MAX, delay * 2 + 0.1)
                _log.warning(
                    "inbox.commit_delayed",
                    facility=self._setup.slug,
                    error=str(error),
                    waiting=len(self._received),
                )
                await asyncio.sleep(delay * self._rng.random())
                continue
            for row, new in zip(rows, fresh, strict=True):
                status = row.status if new else "duplicate"
                self._metrics.received(facility=self._setup.slug, kind=row.kind, status=status)
            return {row.id for row, new in zip(rows, fresh, strict=True) if new}

    # ── deliver ─────────────────────────────────────────────────────────────────────────────

    async def _hand_over(self, entry: Entry, *, fresh: bool) -> None:
        if entry.rejection is not None:
            if fresh:
                self._report_rejection(entry, entry.rejection)
            self._answer_rejection(entry.rejection)
        if entry.fact is not None:
            await self._hand_over_fact(entry.row, entry.fact, fresh=fresh)
        device = entry.device
        if device is None:
            return
        if entry.numbered is not None:
            self._announcer.receipt(device.lane_slug, *entry.numbered)
        heard_at = entry.received_monotonic
        for change in self._liveness.heard(device, entry.events, heard_at, retained=entry.retained):
            await self._deliver(ForLane(device.lane, change.told))
        if not fresh:
            return
        for index, event in enumerate(entry.events):
            cause = Cause(
                entry.row.id,
                entry.row.received_at,
                entry.received_monotonic,
                self._age(device, event, entry.row.received_at),
                device.id,
            )
            await self._deliver(_for_lane(cause, device, event, index))

    async def _hand_over_fact(self, row: InboxRow, fact: FacilityFact, *, fresh: bool) -> None:
        """Tell the facility; of what it knows already, only what has to be answered again."""
        match fact:
            case _ if fresh:
                await self._deliver(for_facility(row, fact))
            case Asked(key, request):
                await self._deliver(OperatorAgain(key, request))
            case PaymentTaken():
                await self._deliver(PaymentAgain(row.id, fact))
            case _:
                pass

    def _answer_rejection(self, error: CodecError) -> None:
        match error:
            case RequestRefused():
                self._announcer.answer(error.user, error.request, BAD_REQUEST, str(error))
            case PaymentRefused():
                self._announcer.payment_refused(error.message, BAD_REQUEST, str(error))
            case _:
                pass

    def _age(self, device: DeviceSetup, event: DeviceEvent, received_at: datetime) -> float | None:
        """How old the observation is by now: waiting for the database makes it older, too.

        None where the device states no time, or one that proves nothing, for the lane's policy to
        judge, unless the message has become too old since its receipt.
        """
        waited = (self._clock.now() - received_at).total_seconds()
        late = None
        if event.device_at is not None:
            late = self._clocks.delay_seconds(device, received_at, event.device_at)
        if late is None:
            return waited if waited > self._age_seconds_max[device.lane] else None
        return waited + late

    def _report_rejection(self, entry: Entry, error: CodecError) -> None:
        row, device = entry.row, entry.device
        family = device.family if device else "none"
        self._metrics.rejected(facility=self._setup.slug, family=family, reason=error.reason)
        _log.warning(
            "inbox.quarantined",
            facility=self._setup.slug,
            device=device.slug if device else None,
            topic=row.topic[:200],
            reason=error.reason,
            error=str(error),
            event_id=row.id,
            excerpt=row.payload[:80].decode("utf-8", "backslashreplace"),
        )


def _for_lane(cause: Cause, device: DeviceSetup, event: DeviceEvent, index: int) -> ForLane:
    return ForLane(device.lane, Reported(cause, event), delivery=(cause.event, index))
