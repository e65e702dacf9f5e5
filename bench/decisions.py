"""The statements on the way of one vehicle, each beside the bare round trip or the bare commit."""

import random
import uuid
from datetime import timedelta

from bench.figures import WARM_UP_SHARE, Figure, timed
from gated.app import SystemClock, SystemIds
from gated.assembly import wired
from gated.core.effects import Do, PassageKnown
from gated.core.events import PlateRead
from gated.core.ids import CommandId, EventId, Fence, StayId
from gated.core.plates import Plate
from gated.core.reasons import GrantReason
from gated.core.site import Direction, FacilitySetup, LaneSetup
from gated.db.connect import connected
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.devices.families import CODECS
from gated.records import (
    AdmitRequest,
    Command,
    EventStatus,
    InboxRow,
    ReleaseRequest,
)

LEASE_SECONDS = 3600.0


async def measure(dsn: str, owner_dsn: str, *, count: int) -> list[Figure]:
    """The figures of one facility, in the order in which a vehicle meets them."""
    figures = []
    async with connected(owner_dsn) as connection:
        await connection.execute("CREATE TABLE bench_floor (id uuid PRIMARY KEY, text text)")

        async def commit(_: int) -> None:
            await connection.execute(
                "INSERT INTO bench_floor VALUES ($1, $2)", uuid.uuid4(), "x" * 100
            )

        figures.append(await timed("SELECT 1", count, lambda _: connection.fetchval("SELECT 1")))
        figures.append(await timed("one INSERT", count, commit))
    settings = DatabaseSettings(dsn, pool_size_max=1)
    async with open_store(settings, rng=random.Random(1)) as store:
        (facility, *_) = await store.facility_ids()
        setup = wired(await store.facility_setup(facility), CODECS)
        granted = await store.acquire_lease(facility, "bench", LEASE_SECONDS)
        if granted is None:
            raise SystemExit("the lease of the facility is held elsewhere")
        walk = Walk(store, setup, granted[0])
        await walk.prepare(count + count // WARM_UP_SHARE)
        for name, step, floor in (
            ("store a message", walk.store_message, "one INSERT"),
            ("plate snapshot", walk.snapshot, "SELECT 1"),
            ("admission", walk.admit, "one INSERT"),
            ("take the command", walk.dispatch, "one INSERT"),
            ("complete the passage", walk.complete, "one INSERT"),
            ("snapshot with price", walk.snapshot_exit, "SELECT 1"),
            ("release with price", walk.release, "one INSERT"),
        ):
            figures.append(await timed(name, count, step, floor=floor))
    return figures


class Walk:
    """Takes vehicle after vehicle through one step; step n + 1 finds what step n left behind."""

    def __init__(self, store: PostgresStore, setup: FacilitySetup, fence: Fence) -> None:
        self._store = store
        self._setup = setup
        self._fence = fence
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._entry = next(lane for lane in setup.lanes if lane.direction is Direction.ENTRY)
        self._exit = next(lane for lane in setup.lanes if lane.direction is Direction.EXIT)
        self._events: dict[tuple[str, int], EventId] = {}
        self._commands: dict[int, CommandId] = {}
        self._stays: dict[int, StayId] = {}

    async def prepare(self, count: int) -> None:
        """Store the reads of the exits beforehand: only the release itself is timed."""
        for index in range(count):
            await self._store_event("out", index)

    async def store_message(self, index: int) -> None:
        await self._store_event("in", index)

    async def snapshot(self, index: int) -> None:
        await self._store.plate_snapshot(
            self._setup.id, _plate(index), Direction.ENTRY, self._clock.now()
        )

    async def admit(self, index: int) -> None:
        event = self._events["in", index]
        command = self._command(self._entry, event)
        answer = await self._store.admit(
            self._setup.id,
            self._fence,
            AdmitRequest(
                event=event,
                lane=self._entry.id,
                zone=self._entry.zones[0],
                stay=StayId(self._ids.new()),
                read=_read(index),
                at=self._clock.now(),
                reason=GrantReason.TRANSIENT,
                vehicle=None,
                user=None,
                command=command,
            ),
        )
        if answer.stay is None:
            raise SystemExit(f"admission of vehicle {index}: {answer.outcome}")
        self._stays[index] = answer.stay
        self._commands[index] = command.id

    async def dispatch(self, index: int) -> None:
        await self._store.dispatch_command(
            self._setup.id, self._fence, self._commands[index], self._clock.now()
        )

    async def complete(self, index: int) -> None:
        await self._store.complete_passage(
            self._setup.id,
            self._fence,
            self._stays[index],
            self._entry.id,
            PassageKnown.MEASURED,
            self._clock.now(),
            self._events["in", index],
        )

    async def snapshot_exit(self, index: int) -> None:
        snapshot = await self._store.plate_snapshot(
            self._setup.id, _plate(index), Direction.EXIT, self._clock.now()
        )
        if snapshot.price is None:
            raise SystemExit(f"vehicle {index} has no price at the exit")

    async def release(self, index: int) -> None:
        event = self._events["out", index]
        answer = await self._store.release(
            self._setup.id,
            self._fence,
            ReleaseRequest(
                event=event,
                lane=self._exit.id,
                stay=self._stays[index],
                read=_read(index),
                at=self._clock.now(),
                reason=GrantReason.STAY_OPEN,
                command=self._command(self._exit, event),
            ),
        )
        if answer.price is None:
            raise SystemExit(f"release of vehicle {index}: {answer.outcome}")

    async def _store_event(self, way: str, index: int) -> None:
        event = EventId(self._ids.new())
        self._events[way, index] = event
        row = InboxRow(
            id=event,
            key=f"{way}:{index}",
            device=self._setup.devices[0].id,
            lane=self._entry.id if way == "in" else self._exit.id,
            topic="bench",
            payload=b"x" * 300,
            kind="plate",
            status=EventStatus.NEW,
            device_at=None,
            received_at=self._clock.now(),
        )
        await self._store.append_events(self._setup.id, self._fence, [row])

    def _command(self, lane: LaneSetup, event: EventId) -> Command:
        assert lane.barrier is not None
        now = self._clock.now()
        return Command(
            id=CommandId(self._ids.new()),
            lane=lane.id,
            device=lane.barrier,
            do=Do.OPEN,
            reason="bench",
            event=event,
            fence=self._fence,
            issued_at=now,
            expires_at=now + timedelta(hours=1),
        )


def _plate(index: int) -> Plate:
    return Plate(f"BENCH{index:06d}")


def _read(index: int) -> PlateRead:
    return PlateRead(_plate(index), _plate(index).text)
