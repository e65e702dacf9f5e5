"""One facility, run by this daemon for as long as it holds the lease: wiring, start and stop order.

It starts from the lease outwards to the intake, and stops the other way round: intake, lanes,
relay, zones, settler, farewell, lease. Which facilities are run is `gated.app`'s business.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, assert_never

import structlog

from gated import __version__
from gated.actors.actor import Actor
from gated.actors.facility import FacilityActor
from gated.actors.inbox import Inbox
from gated.actors.lease import LeaseKeeper
from gated.actors.messages import ForLane
from gated.actors.occupancy import OccupancyBoard
from gated.actors.perform import Performer
from gated.actors.reception import Route
from gated.actors.relay import Barrier, Relay
from gated.actors.reporter import Reporter
from gated.actors.settler import Settler
from gated.actors.supervisor import Supervisor
from gated.actors.zone import ZoneActor
from gated.announcer import Announcer
from gated.core.effects import Do
from gated.core.events import InputName, LaneEvent
from gated.core.ids import LaneId
from gated.core.site import FacilitySetup, LaneSetup
from gated.devices.contract import DaemonMessage
from gated.devices.families import codec_for
from gated.devices.mqtt import BrokerSettings, Session
from gated.devices.mqtt_events import LinkDown, LinkEvent, LinkRefused, LinkUp, Received, RivalSeen
from gated.devices.topics import FacilityLeaf, FacilityTopic, matches
from gated.ports import Clock, Codec, Ids, Publication, Store
from gated.telemetry import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TenureEnd(StrEnum):
    """Why a tenure is over."""

    FENCED_OUT = "fenced_out"
    SETUP_CHANGED = "setup_changed"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every tenure of this daemon shares."""

    node: str
    store: Store
    broker: BrokerSettings
    codecs: Mapping[str, Codec]
    clock: Clock
    ids: Ids
    rng: random.Random
    metrics: Metrics
    stop_seconds_max: float


def wired(setup: FacilitySetup, codecs: Mapping[str, Codec]) -> FacilitySetup:
    """The set-up with what follows from its devices: which loops a lane has, who takes commands.

    Raises ConfigError for a device whose family is unknown or whose options its family refuses.
    """
    for device in setup.devices:
        codec_for(device.family, codecs).check(device)

    def lane_wired(lane: LaneSetup) -> LaneSetup:
        devices = [device for device in setup.devices if device.lane == lane.id]
        inputs = {name for device in devices for name in codecs[device.family].inputs(device)}
        openers = [device.id for device in devices if Do.OPEN in codecs[device.family].does]
        return replace(
            lane,
            presence_loop=InputName.PRESENCE in inputs,
            closing_loop=InputName.CLOSING in inputs,
            barrier=openers[0] if openers else None,
        )

    return replace(setup, lanes=tuple(lane_wired(lane) for lane in setup.lanes))


class Tenure:
    """All actors and loops of one facility. `setup` must be `wired`; the lease is held already."""

    def __init__(self, setup: FacilitySetup, keeper: LeaseKeeper, world: Surroundings) -> None:
        self._setup = setup
        self._keeper = keeper
        self._world = world
        self._name = f"facility/{setup.slug}"
        self._over: asyncio.Future[TenureEnd] = asyncio.get_running_loop().create_future()
        self._link_state = "not connected yet"
        self._was_linked = False
        self._restarts: Counter[str] = Counter()
        self._farewell: asyncio.Task[None] | None = None
        self._supervisor = Supervisor(
            rng=world.rng,
            on_give_up=lambda _name, _error: self._end(TenureEnd.GAVE_UP),
            on_fenced_out=lambda _name, _error: self._end(TenureEnd.FENCED_OUT),
        )
        self._build()

    @property
    def not_ready(self) -> str | None:
        """Why the facility does not work just now; None if it does."""
        if not self._keeper.holds():
            return "the lease could not be renewed"
        return None if self._session.connected else f"MQTT: {self._link_state}"

    def setup_changed(self) -> None:
        """The stored set-up is another one by now: end, to begin anew with it."""
        self._end(TenureEnd.SETUP_CHANGED)

    async def run(self) -> TenureEnd:
        """Run until the lease is lost, the set-up changes, or a child is given up.

        Cancelled, or at any of these ends, everything stops in order before this returns.
        """
        end: TenureEnd | None = None
        try:
            # First what a predecessor left: no command of an older lease may still be sent.
            await self._relay.sweep()
            self._start()
            end = await self._over
            return end
        finally:
            await self._stop(at_once=end is TenureEnd.FENCED_OUT)

    def _build(self) -> None:
        world, setup, fence = self._world, self._setup, self._keeper.fence
        routes = {device.id: Route(device, world.codecs[device.family]) for device in setup.devices}
        filters = {
            device.id: world.codecs[device.family].filters(device) for device in setup.devices
        }

        def routes_of(topic: str) -> list[Route]:
            return [
                routes[device]
                for device, wanted in filters.items()
                if any(matches(topic_filter, topic) for topic_filter, _ in wanted)
            ]

        self._session = Session(
            world.broker,
            client_id=f"gated-{setup.slug}",
            filters=sorted({pair for wanted in filters.values() for pair in wanted}),
            will=self._daemon_message(online=False),
            birth=self._daemon_message(online=True),
            on_received=self._received,
            on_link=self._link_changed,
            clock=world.clock,
            random=world.rng,
            heartbeat_topic=str(FacilityTopic(setup.slug, FacilityLeaf.HEARTBEAT)),
            # A daemon that slept through its lease must not cut off the one that rules now.
            may_connect=self._keeper.holds,
        )
        self._announcer = Announcer(setup.slug, self._session)
        self._settler = Settler(setup, fence, world.store, world.rng)
        board = OccupancyBoard(setup, self._announcer, world.metrics)
        self._zones = {
            zone.id: ZoneActor(
                setup.id,
                fence,
                zone,
                name=f"zone/{setup.slug}/{zone.slug}",
                store=world.store,
                on_count=board.counted,
            )
            for zone in setup.zones
        }
        self._relay = Relay(
            setup,
            fence,
            store=world.store,
            link=self._session,
            barriers={
                device.id: Barrier(device, world.codecs[device.family]) for device in setup.devices
            },
            tell_lane=self._tell_lane,
            lease_holds=self._keeper.holds,
            clock=world.clock,
            metrics=world.metrics,
        )
        reporter = Reporter(setup, world.metrics)
        self._inbox: Inbox[Received] = Inbox(
            setup,
            fence,
            store=world.store,
            settler=self._settler,
            routes=routes_of,
            acknowledge=self._session.acknowledge,
            deliver=self._deliver,
            announcer=self._announcer,
            clock=world.clock,
            ids=world.ids,
            rng=world.rng,
            metrics=world.metrics,
        )
        self._facility = FacilityActor(
            setup,
            store=world.store,
            performer=Performer(
                setup,
                fence,
                store=world.store,
                zones=self._zones,
                settler=self._settler,
                commands=self._relay,
                clock=world.clock,
                ids=world.ids,
                rng=world.rng,
                reporter=reporter,
            ),
            replay=self._inbox.pending,
            settle=self._settler.settle,
            announcer=self._announcer,
            reporter=reporter,
            clock=world.clock,
        )

    def _start(self) -> None:
        supervisor, name = self._supervisor, self._name
        supervisor.supervise(f"{name}/lease", self._keeper.run)
        supervisor.supervise(f"{name}/mqtt", self._session.run, request_stop=self._begin_farewell)
        supervisor.supervise(f"{name}/announcer", self._announcer.run)
        supervisor.supervise(
            f"{name}/settler", self._settler.run, request_stop=self._settler.request_stop
        )
        for zone in self._zones.values():
            supervisor.supervise_actor(zone)
        supervisor.supervise(
            f"{name}/relay", self._relay.run, request_stop=self._relay.request_stop
        )
        supervisor.supervise_actor(self._facility)
        supervisor.supervise(
            f"{name}/inbox", self._inbox.run, request_stop=self._inbox.request_stop
        )

    async def _stop(self, *, at_once: bool) -> None:
        """Bounded. `at_once` when another daemon acts for the facility already: say nothing."""
        if at_once:
            for child in self._supervisor.children:
                await self._supervisor.stop_child(child.name, deadline_seconds=0.0)
        await self._supervisor.stop(deadline_seconds=self._world.stop_seconds_max)
        if self._farewell is not None:
            await self._farewell
        for actor in self._actors():
            self._world.metrics.actor_left(actor.name)
        if not at_once:
            await self._keeper.release()

    def _actors(self) -> list[Actor[Any]]:
        return [self._facility, *self._zones.values()]

    def _begin_farewell(self) -> None:
        """Say goodbye over the link that is still there; the session then ends by itself."""
        self._farewell = asyncio.create_task(
            self._session.farewell(), name=f"{self._name}/farewell"
        )

    def _end(self, end: TenureEnd) -> None:
        if not self._over.done():
            self._over.set_result(end)

    def _daemon_message(self, *, online: bool) -> Publication:
        message = DaemonMessage(
            online=online,
            node=self._world.node,
            fence=self._keeper.fence,
            version=__version__,
            at=self._world.clock.now(),
        )
        topic = FacilityTopic(self._setup.slug, FacilityLeaf.DAEMON)
        return Publication(str(topic), message.model_dump_json().encode(), retain=True)

    def _received(self, received: Received) -> None:
        self._inbox.receive(received)

    async def _deliver(self, message: ForLane) -> None:
        await self._facility.offer(message)

    def _tell_lane(self, lane: LaneId, event: LaneEvent) -> None:
        self._facility.lane_event(lane, event)

    def _link_changed(self, event: LinkEvent) -> None:
        facility, metrics = self._setup.slug, self._world.metrics
        match event:
            case LinkUp(_, _, session_lost):
                self._link_state = ""
                metrics.mqtt_link(facility=facility, up=True)
                if self._was_linked:
                    metrics.mqtt_reconnected(facility)
                self._was_linked = True
                if session_lost:
                    metrics.mqtt_session_lost(facility)
                self._announcer.repeat()
            case LinkDown(_, reason, taken_over):
                self._link_state = reason
                metrics.mqtt_link(facility=facility, up=False)
                if taken_over:
                    metrics.mqtt_taken_over(facility)
            case LinkRefused(reason):
                self._link_state = reason
            case RivalSeen():
                # The session has logged it; only the lease decides who is right.
                metrics.mqtt_taken_over(facility)
            case _:
                assert_never(event)

    def refresh_metrics(self) -> None:
        """Depths and ages, which change by themselves."""
        metrics = self._world.metrics
        metrics.inbox(
            facility=self._setup.slug,
            depth=self._inbox.depth,
            oldest_seconds=self._inbox.oldest_seconds(),
        )
        for actor in self._actors():
            metrics.mailbox(actor=actor.name, depth=actor.depth)
        for child in self._supervisor.children:
            for _ in range(child.restarts - self._restarts[child.name]):
                metrics.actor_restarted(child.name)
            self._restarts[child.name] = child.restarts
