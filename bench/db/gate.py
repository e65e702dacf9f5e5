"""Vehicles of the benchmark at one facility's lanes: requests as the daemon makes them."""

from collections import deque
from datetime import datetime, timedelta
from uuid import UUID

from bench.db.shape import ZONES, Kind, uid
from gated.app import SystemClock, SystemIds
from gated.core.effects import Do
from gated.core.events import PlateRead
from gated.core.ids import CommandId, DeviceId, EventId, FacilityId, Fence, LaneId, StayId, ZoneId
from gated.core.plates import Plate
from gated.core.reasons import GrantReason
from gated.core.snapshot import Entitlement
from gated.db.store import PostgresStore
from gated.records import (
    AdmitAnswer,
    AdmitRequest,
    Command,
    EventStatus,
    InboxRow,
    ReleaseAnswer,
    ReleaseRequest,
)

LEASE_SECONDS = 7200.0
PAYLOAD = b"x" * 300


def facility_id(facility: int) -> FacilityId:
    return FacilityId(UUID(uid(Kind.FACILITY, facility)))


def zone_id(facility: int, zone: int) -> ZoneId:
    return ZoneId(UUID(uid(Kind.ZONE, facility * ZONES + zone)))


class Gate:
    """The two lanes of a facility. Messages are stored ahead, so that a decision finds its own."""

    def __init__(self, store: PostgresStore, facility: int, fence: Fence) -> None:
        self.facility = facility
        self.id = facility_id(facility)
        self._store = store
        self.fence = fence
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._entry = LaneId(UUID(uid(Kind.LANE, facility * 2)))
        self._exit = LaneId(UUID(uid(Kind.LANE, facility * 2 + 1)))
        self._barrier_entry = DeviceId(UUID(uid(Kind.DEVICE, facility * 2)))
        self._barrier_exit = DeviceId(UUID(uid(Kind.DEVICE, facility * 2 + 1)))
        self._events: deque[EventId] = deque()

    @property
    def events_stored(self) -> int:
        """Messages that wait for a decision."""
        return len(self._events)

    async def store_events(self, count: int) -> None:
        """One transaction with so many messages."""
        events = [EventId(self._ids.new()) for _ in range(count)]
        rows = [self._row(event) for event in events]
        await self._store.append_events(self.id, self.fence, rows)
        self._events.extend(events)

    async def admit(
        self, plate: Plate, zone: ZoneId, entitlement: Entitlement | None = None
    ) -> AdmitAnswer:
        """Decide the oldest message as an entry; one that was refused can be decided again."""
        event = self._events.popleft()
        at = self._clock.now()
        request = AdmitRequest(
            event=event,
            lane=self._entry,
            zone=zone,
            stay=StayId(self._ids.new()),
            read=PlateRead(plate, plate.text),
            at=at,
            reason=GrantReason.TRANSIENT,
            vehicle=None,
            user=None,
            command=self._command(self._entry, self._barrier_entry, event, at),
            entitlement=entitlement,
        )
        answer = await self._store.admit(self.id, self.fence, request)
        if answer.stay is None:
            self._events.appendleft(event)
        return answer

    async def release(self, plate: Plate, stay: StayId) -> ReleaseAnswer:
        """Decide the oldest message as an exit."""
        event = self._events.popleft()
        at = self._clock.now()
        request = ReleaseRequest(
            event=event,
            lane=self._exit,
            stay=stay,
            read=PlateRead(plate, plate.text),
            at=at,
            reason=GrantReason.STAY_OPEN,
            command=self._command(self._exit, self._barrier_exit, event, at),
        )
        return await self._store.release(self.id, self.fence, request)

    def _row(self, event: EventId) -> InboxRow:
        return InboxRow(
            id=event,
            key=str(event),
            device=self._barrier_entry,
            lane=self._entry,
            topic="bench",
            payload=PAYLOAD,
            kind="plate",
            status=EventStatus.NEW,
            device_at=None,
            received_at=self._clock.now(),
        )

    def _command(self, lane: LaneId, device: DeviceId, event: EventId, at: datetime) -> Command:
        return Command(
            id=CommandId(self._ids.new()),
            lane=lane,
            device=device,
            do=Do.OPEN,
            reason="bench",
            event=event,
            fence=self.fence,
            issued_at=at,
            expires_at=at + timedelta(seconds=10),
            taken=True,
        )


async def open_gate(store: PostgresStore, facility: int) -> Gate:
    """A gate with its lease. Ends the benchmark if somebody else has it."""
    granted = await store.acquire_lease(facility_id(facility), "bench", LEASE_SECONDS)
    if granted is None:
        raise SystemExit(f"the lease of facility {facility} is held elsewhere")
    return Gate(store, facility, granted[0])
