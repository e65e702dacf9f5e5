"""The way in: each received message is stored, then acknowledged, then handed to its lane.

One committer per connection, in arrival order, in batches. What cannot be decoded is stored as
quarantined and acknowledged too; a retained plate read is stored as dropped. From the commit on
nothing is lost: work is done from the stored row, and what was stored but not settled is handed
over again after a crash.
"""

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from gated.actors.messages import ForLane
from gated.actors.settler import Settler
from gated.core.effects import Outcome
from gated.core.errors import CodecError, StoreError
from gated.core.events import (
    Cause,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    Reported,
)
from gated.core.ids import DeviceId, EventId, Fence, LaneId
from gated.core.site import DeviceSetup, FacilitySetup
from gated.core.skew import Skew
from gated.ports import (
    Announcer,
    Clock,
    Codec,
    Decoded,
    EventStatus,
    Ids,
    Inbound,
    InboxRow,
    Message,
    Store,
)
from gated.telemetry import Metrics

BATCH_COUNT_MAX = 100
PENDING_COUNT_MAX = 1000
# How far back the last word of a presence loop is believed, and looked for among how many.
RECALL_AGE_MAX = timedelta(hours=12)
RECALL_COUNT_MAX = 20
EXCERPT_BYTES = 512
RETRY_SECONDS_MAX = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

M = TypeVar("M", bound=Message)


class Refusal(StrEnum):
    """Why a message is quarantined that no codec refused; the codecs' own words are theirs."""

    BROKEN_PACKET = "broken_packet"
    NO_DEVICE = "no_device"
    NOT_STORABLE = "not_storable"


@dataclass(frozen=True, slots=True)
class Route:
    """A device that a topic belongs to, and the codec that reads it."""

    device: DeviceSetup
    codec: Codec


@dataclass(frozen=True, slots=True)
class Entry:
    """One row on its way into the inbox, and what it will tell the lane once it is stored."""

    row: InboxRow
    events: tuple[DeviceEvent, ...]
    received_monotonic: float
    device: DeviceSetup | None = None
    numbered: tuple[str, int] | None = None
    rejection: CodecError | None = None


@dataclass(slots=True)
class Reception(Generic[M]):
    """One message and its rows: acknowledged when all of them are stored."""

    message: M
    entries: list[Entry] = field(default_factory=list)


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
        acknowledge: Callable[[M], None],
        deliver: Callable[[ForLane], Awaitable[None]],
        announcer: Announcer,
        clock: Clock,
        ids: Ids,
        rng: random.Random,
        metrics: Metrics,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._settler = settler
        self._routes = routes
        self._acknowledge = acknowledge
        self._deliver = deliver
        self._announcer = announcer
        self._clock = clock
        self._ids = ids
        self._rng = rng
        self._metrics = metrics
        self._devices = {device.id: device for device in setup.devices}
        self._received: deque[M] = deque()
        self._stored: deque[tuple[Entry, bool]] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._skews: dict[DeviceId, Skew] = {}
        self._age_seconds_max = {lane.id: lane.policy.event_age_seconds_max for lane in setup.lanes}

    @property
    def depth(self) -> int:
        """Messages received and not yet stored. The session bounds it: it stops reading."""
        return len(self._received)

    def oldest_seconds(self) -> float:
        """How long the oldest of them has waited."""
        if not self._received:
            return 0.0
        return self._clock.monotonic() - self._received[0].received_monotonic

    def receive(self, message: M) -> None:
        """Take a message from the session; returns at once."""
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
            receptions = [self._decode(message) for message in batch]
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

    async def pending(self) -> list[ForLane]:
        """What a lane that starts (again) has missed, oldest first.

        The last word of each presence loop, which a vehicle that stands there will not repeat;
        then what was stored and never settled, as it would be delivered now.
        """
        recalled = await self._recalled()
        rows = await self._store.pending_events(self._setup.id, PENDING_COUNT_MAX)
        missed: list[ForLane] = []
        for row in rows:
            messages = self._delivered_again(row)
            if not messages:
                # The set-up has changed since: nobody is left to hear it.
                self._settler.settle(row.id, Outcome.UNEXPECTED)
            missed.extend(messages)
        if missed:
            _log.info("inbox.replayed", facility=self._setup.slug, count=len(missed))
        return [*recalled, *missed]

    async def _recalled(self) -> list[ForLane]:
        since = self._clock.now() - RECALL_AGE_MAX
        last: dict[LaneId, ForLane] = {}
        for row in await self._store.recent_inputs(self._setup.id, since, RECALL_COUNT_MAX):
            for message in self._delivered_again(row):
                match message.event:
                    case Reported(_, InputChanged(InputName.PRESENCE)):
                        last[message.lane] = message
                    case _:
                        pass
        return list(last.values())

    def _delivered_again(self, row: InboxRow) -> list[ForLane]:
        device = self._devices.get(row.device) if row.device else None
        decoded = self._read_again(device, row) if device else None
        if device is None or decoded is None:
            return []
        waited = (self._clock.now() - row.received_at).total_seconds()
        received_monotonic = self._clock.monotonic() - waited
        return [
            _for_lane(
                Cause(
                    row.id,
                    row.received_at,
                    received_monotonic,
                    self._age(device, event, row.received_at),
                ),
                device,
                event,
                index,
            )
            for index, event in enumerate(decoded.events)
        ]

    def _read_again(self, device: DeviceSetup, row: InboxRow) -> Decoded | None:
        route = next((r for r in self._routes(row.topic) if r.device.id == device.id), None)
        if route is None:
            return None
        try:
            return route.codec.decode(device, Inbound(row.topic, row.payload, row.received_at))
        except CodecError:
            return None

    def _batch_size(self) -> int:
        return min(len(self._received), BATCH_COUNT_MAX)

    # ── decode ──────────────────────────────────────────────────────────────────────────────

    def _decode(self, message: M) -> Reception[M]:
        reception = Reception(message)
        for route in self._routes(message.topic):
            entry = self._entry(message, route)
            if message.defect is not None:
                # What the codec says of the rest of it (too large, for one) is more to the point.
                refused = entry.rejection
                reason = refused.reason if refused else Refusal.BROKEN_PACKET
                detail = f"{refused} ({message.defect})" if refused else message.defect
                entry = self._rejected(message, route.device, CodecError(reason, detail))
            reception.entries.append(entry)
        if not reception.entries:
            detail = message.defect or "no device of this facility has such a topic"
            refusal = CodecError(
                Refusal.BROKEN_PACKET if message.defect else Refusal.NO_DEVICE, detail
            )
            reception.entries.append(self._rejected(message, None, refusal))
        return reception

    def _entry(self, message: M, route: Route) -> Entry:
        inbound = Inbound(message.topic, message.payload, message.received_at, message.retain)
        try:
            decoded = route.codec.decode(route.device, inbound)
        except CodecError as error:
            return self._rejected(message, route.device, error)
        status, error_text = EventStatus.NEW, None
        if message.retain and not _is_state(decoded):
            status, error_text = EventStatus.DROPPED, "retained: state, not a trigger"
        elif not decoded.events:
            status = EventStatus.DONE
        row_id = EventId(self._ids.new())
        row = InboxRow(
            id=row_id,
            key=_event_key(message, decoded, row_id),
            device=route.device.id,
            lane=route.device.lane,
            topic=message.topic,
            payload=message.payload,
            kind=decoded.kind,
            status=status,
            device_at=decoded.device_at,
            received_at=message.received_at,
            error=error_text,
        )
        numbered = None
        if decoded.boot is not None and decoded.seq is not None:
            numbered = (decoded.boot, decoded.seq)
        events = decoded.events if status is EventStatus.NEW else ()
        return Entry(row, events, message.received_monotonic, route.device, numbered)

    def _rejected(self, message: M, device: DeviceSetup | None, error: CodecError) -> Entry:
        row = InboxRow(
            id=EventId(self._ids.new()),
            key=_digest(message),
            device=device.id if device else None,
            lane=device.lane if device else None,
            topic=_storable(message.topic[:1000]),
            payload=message.payload[:EXCERPT_BYTES],
            kind="rejected",
            status=EventStatus.QUARANTINED,
            device_at=None,
            received_at=message.received_at,
            error=_storable(f"{error.reason}: {error}"),
        )
        return Entry(row, (), message.received_monotonic, device, rejection=error)

    # ── store ───────────────────────────────────────────────────────────────────────────────

    async def _store_until_done(self, receptions: Sequence[Reception[M]]) -> set[EventId]:
        """Store all rows, however long it takes; the ids of those that were not known before."""
        entries = [entry for reception in receptions for entry in reception.entries]
        try:
            return await self._append(entries)
        except StoreError as error:
            if error.retryable or not entries:
                raise
        # One of them is what the database does not take: find it, and let the others pass.
        fresh: set[EventId] = set()
        for reception in receptions:
            for index, entry in enumerate(reception.entries):
                try:
                    fresh |= await self._append([entry])
                except StoreError as error:
                    refusal = CodecError(Refusal.NOT_STORABLE, str(error))
                    rejected = self._rejected(reception.message, entry.device, refusal)
                    reception.entries[index] = rejected
                    fresh |= await self._append([rejected])
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
        if entry.rejection is not None and fresh:
            self._report_rejection(entry, entry.rejection)
        device = entry.device
        if device is None:
            return
        if entry.numbered is not None:
            self._announcer.receipt(device.lane_slug, *entry.numbered)
        if not fresh:
            return
        for index, event in enumerate(entry.events):
            if isinstance(event, DeviceOnlineChanged):
                self._metrics.device_online(
                    facility=self._setup.slug, device=device.slug, online=event.online
                )
            cause = Cause(
                entry.row.id,
                entry.row.received_at,
                entry.received_monotonic,
                self._age(device, event, entry.row.received_at),
            )
            await self._deliver(_for_lane(cause, device, event, index))

    def _age(self, device: DeviceSetup, event: DeviceEvent, received_at: datetime) -> float | None:
        """How old the observation is by now: waiting for the database makes it older, too.

        None where the device states no time, for the lane's policy to judge, unless the message
        has become too old since its receipt.
        """
        now = self._clock.now()
        waited = (now - received_at).total_seconds()
        if event.device_at is None:
            return waited if waited > self._age_seconds_max[device.lane] else None
        skew = self._skews.get(device.id, Skew()).with_sample(received_at, event.device_at)
        self._skews[device.id] = skew
        return max(waited, skew.age_seconds(now, event.device_at))

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


def _is_state(decoded: Decoded) -> bool:
    """Whether a retained copy of it may be believed: liveness may, a plate or a contact may not."""
    return all(isinstance(event, DeviceOnlineChanged) for event in decoded.events)


def _event_key(message: Message, decoded: Decoded, row_id: EventId) -> str:
    if decoded.key is not None:
        return decoded.key
    if decoded.device_at is not None:
        return _digest(message)
    # Neither id nor time: two equal messages may be two events ("online", "on", "on"), so each
    # counts. Told twice, they do no harm: contacts and liveness are states.
    return str(row_id)


def _digest(message: Message) -> str:
    digest = hashlib.sha256(message.topic.encode("utf-8", "surrogatepass"))
    digest.update(b"\0")
    digest.update(message.payload)
    return digest.hexdigest()


def _storable(text: str) -> str:
    """PostgreSQL's text takes neither NUL nor lone surrogates."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
