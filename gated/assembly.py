"""Puts the parts of one facility together: its session, its loops, its actors.

Starting, watching and stopping them is `gated.tenure`'s business.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gated import __version__
from gated.actors.backlog import Backlog
from gated.actors.facility import FacilityActor
from gated.actors.inbox import Inbox
from gated.actors.lease import LeaseKeeper
from gated.actors.liveness import Liveness
from gated.actors.messages import FacilityMessage
from gated.actors.occupancy import OccupancyBoard
from gated.actors.operators import OperatorDesk
from gated.actors.payments import PaymentDesk
from gated.actors.perform import Performer
from gated.actors.reception import Route
from gated.actors.relay import Barrier, Relay
from gated.actors.reporter import Reporter
from gated.actors.sensing import Sensing
from gated.actors.settler import Settler
from gated.actors.zone import ZoneActor
from gated.announcer import Announcer
from gated.core.beside import neighbours
from gated.core.effects import Do
from gated.core.events import ARM_SWITCH, InputName, LaneEvent
from gated.core.ids import Fence, LaneId, ZoneId
from gated.core.site import FacilitySetup, LaneSetup
from gated.devices.codec import heartbeat_seconds
from gated.devices.contract import DaemonMessage
from gated.devices.families import codec_for
from gated.devices.mqtt import BrokerSettings, Session
from gated.devices.mqtt_events import LinkDown, LinkEvent, LinkUp, Received
from gated.devices.operators import OperatorCodec
from gated.devices.payments import PaymentCodec
from gated.devices.sensors import SpotCodec, ZoneCountCodec
from gated.devices.topics import FacilityLeaf, FacilityTopic, matches
from gated.ports import Clock, Codec, FacilityReader, Ids, Store
from gated.records import Publication
from gated.telemetry import Metrics


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
    setup = replace(
        setup,
        devices=tuple(
            replace(device, heartbeat_seconds=heartbeat_seconds(device)) for device in setup.devices
        ),
    )

    def lane_wired(lane: LaneSetup) -> LaneSetup:
        devices = [device for device in setup.devices if device.lane == lane.id]
        inputs = {name for device in devices for name in codecs[device.family].inputs(device)}
        openers = [device for device in devices if Do.OPEN in codecs[device.family].does]
        return replace(
            lane,
            presence_loop=InputName.PRESENCE in inputs,
            closing_loop=InputName.CLOSING in inputs,
            arm_switch=ARM_SWITCH in inputs,
            barrier=openers[0].id if openers else None,
            open_repeatable=bool(openers) and codecs[openers[0].family].repeatable(openers[0]),
            # Where there is no barrier nothing is down.
            holds=not openers or Do.HOLD in codecs[openers[0].family].does,
            beside=neighbours(lane, setup.lanes),
        )

    return replace(setup, lanes=tuple(lane_wired(lane) for lane in setup.lanes))


@dataclass(frozen=True, slots=True)
class Parts:
    """What one facility consists of while this daemon runs it."""

    session: Session
    announcer: Announcer
    settler: Settler
    zones: Mapping[ZoneId, ZoneActor]
    relay: Relay
    facility: FacilityActor
    inbox: Inbox[Received]


class Wiring:
    """The devices of a facility by topic, and what the broker is to send us of them."""

    def __init__(self, setup: FacilitySetup, codecs: Mapping[str, Codec]) -> None:
        self._facility_readers: Sequence[FacilityReader] = (
            PaymentCodec(setup.slug),
            ZoneCountCodec(setup.slug),
            SpotCodec(setup.slug),
            OperatorCodec(setup.slug, {lane.slug: lane.id for lane in setup.lanes}),
        )
        self._routes = [
            (Route(device, codecs[device.family]), codecs[device.family].filters(device))
            for device in setup.devices
        ]

    @property
    def filters(self) -> Sequence[tuple[str, int]]:
        """The subscriptions of all devices, and of what is for the facility as a whole."""
        devices = {pair for _, wanted in self._routes for pair in wanted}
        return sorted({*devices, *((each.topic_filter, 1) for each in self._facility_readers)})

    def facility_reader(self, topic: str) -> FacilityReader | None:
        """Who reads the topic, if it is for the facility as a whole."""
        found = (each for each in self._facility_readers if matches(each.topic_filter, topic))
        return next(found, None)

    def routes(self, topic: str) -> list[Route]:
        """The devices that the topic belongs to: one box may serve two lanes."""
        return [
            route
            for route, wanted in self._routes
            if any(matches(topic_filter, topic) for topic_filter, _ in wanted)
        ]


def assemble(
    setup: FacilitySetup,
    keeper: LeaseKeeper,
    world: Surroundings,
    on_link: Callable[[LinkEvent], None],
) -> Parts:
    """Build everything for a facility that is `wired` and whose lease is held. Starts nothing.

    The parts point at each other in a circle, for a message goes in and a command comes out: what
    points back is a function, which finds its part when it is called.
    """
    fence, store, clock = keeper.fence, world.store, world.clock

    def to_inbox(received: Received) -> None:
        inbox.receive(received)

    def to_lane(lane: LaneId, event: LaneEvent) -> None:
        facility.lane_event(lane, event)

    def lane_beside(lane: LaneSetup) -> LaneSetup | None:
        return facility.lane_beside(lane)

    def withheld(lane: LaneSetup) -> bool:
        return facility.withheld(lane)

    async def to_facility(message: FacilityMessage) -> None:
        await facility.offer(message)

    def linked(event: LinkEvent) -> None:
        match event:
            case LinkUp():
                backlog.linked(session_present=event.session_present)
                liveness.link_up()
            case LinkDown():
                liveness.link_down()
            case _:
                pass
        on_link(event)

    def read_until() -> float:
        return inbox.read_until()

    wiring = Wiring(setup, world.codecs)
    backlog = Backlog(clock)
    liveness = Liveness(setup, clock=clock, metrics=world.metrics, read_until=read_until)
    session = Session(
        world.broker,
        client_id=f"gated-{setup.slug}",
        filters=wiring.filters,
        will=_daemon_message(setup, world, fence, online=False),
        birth=_daemon_message(setup, world, fence, online=True),
        on_received=to_inbox,
        on_link=linked,
        clock=clock,
        random=world.rng,
        heartbeat_topic=str(FacilityTopic(setup.slug, FacilityLeaf.HEARTBEAT)),
        # A daemon that slept through its lease must not cut off the one that rules now.
        may_connect=keeper.holds,
    )
    announcer = Announcer(setup.slug, session)
    settler = Settler(setup, fence, store, world.rng)
    board = OccupancyBoard(
        setup, announcer, world.metrics, on_room=lambda _: facility.change_told()
    )
    zones = _zones(setup, fence, world, board)
    relay = Relay(
        setup,
        fence,
        store=store,
        link=session,
        barriers={
            device.id: Barrier(device, world.codecs[device.family]) for device in setup.devices
        },
        tell_lane=to_lane,
        lease_holds=keeper.holds,
        clock=clock,
        metrics=world.metrics,
    )
    inbox: Inbox[Received] = Inbox(
        setup,
        fence,
        store=store,
        settler=settler,
        routes=wiring.routes,
        facility_reader=wiring.facility_reader,
        acknowledge=session.acknowledge,
        deliver=to_facility,
        announcer=announcer,
        liveness=liveness,
        clock=clock,
        ids=world.ids,
        rng=world.rng,
        metrics=world.metrics,
    )
    reporter = Reporter(setup, world.metrics)
    operators = OperatorDesk(
        setup,
        fence,
        store=store,
        settle=settler.settle,
        commands=relay,
        announcer=announcer,
        backlog=backlog,
        clock=clock,
        ids=world.ids,
        rng=world.rng,
        reporter=reporter,
    )
    performer = Performer(
        setup,
        fence,
        store=store,
        zones=zones,
        settler=settler,
        commands=relay,
        operators=operators,
        clock=clock,
        ids=world.ids,
        rng=world.rng,
        reporter=reporter,
        on_evacuation=lambda effect, _: facility.evacuation_changed(effect.cause, on=True),
        beside=lane_beside,
        withheld=withheld,
        # It is built below.
        vacated=lambda lane, plate: facility.vacated(lane, plate),  # noqa: PLW0108
    )
    facility = FacilityActor(
        setup,
        store=store,
        performer=performer,
        operators=operators,
        payments=PaymentDesk(
            setup,
            fence,
            store=store,
            announcer=announcer,
            rng=world.rng,
            reporter=reporter,
        ),
        sensing=Sensing(setup, fence, store, world.rng),
        replay=inbox.pending,
        settle=settler.settle,
        announcer=announcer,
        reporter=reporter,
        liveness=liveness,
        clock=clock,
        ids=world.ids,
    )
    return Parts(session, announcer, settler, zones, relay, facility, inbox)


def _zones(
    setup: FacilitySetup, fence: Fence, world: Surroundings, board: OccupancyBoard
) -> dict[ZoneId, ZoneActor]:
    return {
        zone.id: ZoneActor(
            setup.id,
            fence,
            zone,
            name=f"zone/{setup.slug}/{zone.slug}",
            store=world.store,
            on_count=board.counted,
            on_drift=board.drifted,
            clock=world.clock,
        )
        for zone in setup.zones
    }


def _daemon_message(
    setup: FacilitySetup, world: Surroundings, fence: Fence, *, online: bool
) -> Publication:
    message = DaemonMessage(
        online=online, node=world.node, fence=fence, version=__version__, at=world.clock.now()
    )
    topic = FacilityTopic(setup.slug, FacilityLeaf.DAEMON)
    return Publication(str(topic), message.model_dump_json().encode(), retain=True)
