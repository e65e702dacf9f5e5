"""The daemon's parts of one facility on a real database, under virtual time.

All of them are the daemon's own: inbox, facility, zones, performer, settler, store. The MQTT
session is left out, and the relay: the simulated hardware sits where they would be.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from gated.actors.backlog import Backlog
from gated.actors.facility import FacilityActor
from gated.actors.inbox import Inbox
from gated.actors.liveness import Liveness
from gated.actors.messages import FacilityMessage
from gated.actors.operators import OperatorDesk
from gated.actors.payments import PaymentDesk
from gated.actors.perform import Performer
from gated.actors.reporter import Reporter
from gated.actors.sensing import Sensing
from gated.actors.settler import Settler
from gated.actors.zone import ZoneActor
from gated.assembly import Wiring, wired
from gated.core.ids import FacilityId, Fence, Slug
from gated.core.lane import LaneShown
from gated.core.matching import Near
from gated.core.signs import Sign
from gated.core.site import FacilitySetup, ZoneSetup
from gated.db.store import PostgresStore
from gated.devices.families import CODECS
from gated.records import PaymentTakenAnswer, ZoneCount, ZoneDrift
from gated.telemetry import Metrics
from tests.sim.lanes import Lane, Told, Wires
from tests.sim.ledger import Ledger
from tests.sim.virtual import SeededIds, VirtualClock

LEASE_SECONDS = 86_400.0
# Nobody waits for what is settled: in long gaps it costs few transactions.
SETTLE_SECONDS = 60.0
# Nobody else writes. What the counters say against the stays is looked at all the same.
RECOUNT_SECONDS = 600.0


class Signs:
    """Retained state goes nowhere: nobody looks."""

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
        assert error is None, f"{user} is refused: {error} {detail}"

    def payment_taken(self, payment: str | int, answer: PaymentTakenAnswer) -> None: ...
    def payment_refused(self, payment: str | int, error: str, detail: str = "") -> None:
        raise AssertionError(f"the money of {payment} is refused: {error} {detail}")


@dataclass(frozen=True, slots=True)
class Garage:
    """What drivers, operator and auditor need of it."""

    setup: FacilitySetup
    fence: Fence
    store: PostgresStore
    clock: VirtualClock
    ids: SeededIds
    wires: Wires
    send: Callable[[Told], None]

    @property
    def id(self) -> FacilityId:
        return self.setup.id

    def lanes(self) -> tuple[list[Lane], list[Lane]]:
        """The entries and the exits."""
        every = list(self.wires.lanes.values())
        return [one for one in every if one.is_entry], [one for one in every if not one.is_entry]


@asynccontextmanager
async def running(
    store: PostgresStore, clock: VirtualClock, rng: random.Random, ledger: Ledger
) -> AsyncIterator[Garage]:
    """The only facility of the database, with its lease held, for the duration of the block."""
    (facility_id,) = await store.facility_ids()
    setup = wired(await store.facility_setup(facility_id), CODECS)
    granted = await store.acquire_lease(facility_id, "day", LEASE_SECONDS)
    assert granted is not None
    fence, _ = granted
    metrics, ids, wires, signs = Metrics("0"), SeededIds(clock, rng), Wires(), Signs()
    settler = Settler(setup, fence, store, rng, gather_seconds=SETTLE_SECONDS)
    zones = {
        zone.id: ZoneActor(
            setup.id,
            fence,
            zone,
            name=f"zone/{zone.slug}",
            store=store,
            on_count=_uncounted,
            on_drift=_drifted,
            clock=clock,
            recount_seconds=RECOUNT_SECONDS,
        )
        for zone in setup.zones
    }
    wiring = Wiring(setup, CODECS)

    async def deliver(message: FacilityMessage) -> None:
        await facility.offer(message)

    liveness = Liveness(setup, clock=clock, metrics=metrics, read_until=clock.monotonic)
    inbox: Inbox[Told] = Inbox(
        setup,
        fence,
        store=store,
        settler=settler,
        routes=cache(wiring.routes),
        facility_reader=wiring.facility_reader,
        acknowledge=_acknowledged,
        deliver=deliver,
        announcer=signs,
        liveness=liveness,
        clock=clock,
        ids=ids,
        rng=rng,
        metrics=metrics,
    )
    reporter = Reporter(setup, metrics)
    operators = OperatorDesk(
        setup,
        fence,
        store=store,
        settle=settler.settle,
        commands=wires,
        announcer=signs,
        backlog=Backlog(clock),
        clock=clock,
        ids=ids,
        rng=rng,
        reporter=reporter,
    )
    facility = FacilityActor(
        setup,
        store=store,
        performer=Performer(
            setup,
            fence,
            store=store,
            zones=zones,
            settler=settler,
            commands=wires,
            operators=operators,
            clock=clock,
            ids=ids,
            rng=rng,
            reporter=reporter,
            on_evacuation=_evacuated,
            beside=lambda _: None,
            withheld=lambda _: False,
            vacated=lambda *_: None,
        ),
        sensing=Sensing(setup, fence, store, rng),
        operators=operators,
        payments=PaymentDesk(
            setup,
            fence,
            store=store,
            announcer=signs,
            rng=rng,
            reporter=reporter,
        ),
        replay=inbox.pending,
        settle=settler.settle,
        announcer=signs,
        reporter=reporter,
        liveness=liveness,
        clock=clock,
        ids=ids,
    )
    wires.lanes = {
        lane.id: Lane(lane, setup.slug, clock, ledger, inbox.receive) for lane in setup.lanes
    }
    async with _tasks(inbox.run, settler.run, facility.run, *(zone.run for zone in zones.values())):
        yield Garage(setup, fence, store, clock, ids, wires, inbox.receive)
        settler.request_stop()


def _uncounted(*_: object) -> None:
    """Zones count themselves for signs that nobody looks at."""


def _evacuated(*_: object) -> None:
    """There is no fire."""


def _drifted(zone: ZoneSetup, drift: ZoneDrift) -> None:
    assert drift.counted == drift.stays, f"{zone.slug}: {drift}"


def _acknowledged(_: Told) -> None:
    """No broker waits for it."""


@asynccontextmanager
async def _tasks(*parts: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run these for the duration of the block; if one of them fails, the block does."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part()) for part in parts]
        yield
        for task in tasks:
            task.cancel()
