"""A small facility and small fakes of what its actors talk to. Time is the loop's own."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gated.actors.backlog import Backlog
from gated.actors.facility import FacilityActor
from gated.actors.inbox import Inbox
from gated.actors.liveness import Liveness
from gated.actors.messages import FacilityMessage, ForLane
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
from gated.core.effects import Do
from gated.core.errors import CodecError
from gated.core.events import (
    CommandStatus,
    DeviceEvent,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    LaneEvent,
    PlateRead,
    PlateUnread,
)
from gated.core.ids import CommandId, DeviceId, EventId, FacilityId, Fence, LaneId, Slug, ZoneId
from gated.core.lane import LaneShown
from gated.core.matching import Near
from gated.core.plates import Plate
from gated.core.signs import Sign
from gated.core.site import (
    DeviceSetup,
    Direction,
    FacilitySetup,
    LanePolicy,
    LaneSetup,
    ZoneSetup,
)
from gated.devices.contract import rfc3339_text
from gated.devices.operators import OperatorCodec
from gated.devices.payments import PaymentCodec
from gated.devices.sensors import SpotCodec, ZoneCountCodec
from gated.devices.topics import matches
from gated.ports import FacilityReader
from gated.records import (
    Command,
    Decoded,
    EventStatus,
    Inbound,
    InboxRow,
    PaymentTakenAnswer,
    Publication,
    ZoneCount,
)
from gated.telemetry import Metrics
from tests.fakes.store import CommandRow, Event, Facility, MemoryStore

EPOCH = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
FACILITY = FacilityId(UUID(int=0xF))
ZONE = ZoneId(UUID(int=0xA))
ENTRY, EXIT = LaneId(UUID(int=0x1)), LaneId(UUID(int=0x2))
ENTRY_BARRIER, EXIT_BARRIER = DeviceId(UUID(int=0xB1)), DeviceId(UUID(int=0xB2))
# Within the other one, where a place has it.
INNER = ZoneId(UUID(int=0xC))
INWARD, OUTWARD = LaneId(UUID(int=0x3)), LaneId(UUID(int=0x4))
CAR, OTHER_CAR = Plate("HHAB1234"), Plate("MXY77")


class LoopClock:
    """Both clocks follow the event loop's, which is virtual in these tests."""

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class CountedIds:
    """1000, 1001, …"""

    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1000))

    def new(self) -> UUID:
        return UUID(int=next(self.numbers))


@dataclass
class Sent:
    """A link that takes everything; `before` may fail or delay a publication."""

    published: list[Publication] = field(default_factory=list)
    before: Callable[[Publication], Awaitable[None]] | None = None
    connected: bool = True

    async def publish(self, publication: Publication) -> None:
        if self.before is not None:
            await self.before(publication)
        self.published.append(publication)


@dataclass
class Shown:
    """The retained topics, as a list of what was said."""

    lanes: list[tuple[str, str]] = field(default_factory=list)
    zones: list[ZoneCount] = field(default_factory=list)
    receipts: list[tuple[str, str, int]] = field(default_factory=list)
    answers: list[tuple[str, str | int, str | None]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    near: list[tuple[Near, ...]] = field(default_factory=list)

    def answer(
        self,
        user: str,
        request: str | int,
        error: str | None = None,
        detail: str = "",
        stays: Sequence[Near] = (),
    ) -> None:
        self.answers.append((user, request, error))
        self.details.append(detail)
        self.near.append(tuple(stays))

    payments: list[tuple[str | int, str, PaymentTakenAnswer | None]] = field(default_factory=list)

    def payment_taken(self, payment: str | int, answer: PaymentTakenAnswer) -> None:
        self.payments.append((payment, answer.outcome.value, answer))

    def payment_refused(self, payment: str | int, error: str, detail: str = "") -> None:
        self.payments.append((payment, str(error), None))

    lanes_shown: list[tuple[str, LaneShown]] = field(default_factory=list)
    signs: list[tuple[str | None, Sign]] = field(default_factory=list)

    def sign(self, zone: str | None) -> Sign | None:
        """What the zone's sign says, or (None) the facility's; None before it says anything."""
        return dict(self.signs).get(zone)

    def lane_state(self, lane: Slug, shown: LaneShown) -> None:
        self.lanes.append((lane, shown.phase))
        self.lanes_shown.append((lane, shown))

    def zone_occupancy(self, zone: Slug, count: ZoneCount, sign: Sign) -> None:
        self.zones.append(count)
        self.signs.append((zone, sign))

    def facility_occupancy(self, count: ZoneCount, sign: Sign) -> None:
        self.signs.append((None, sign))

    def receipt(self, lane: Slug, boot: str, seq: int) -> None:
        self.receipts.append((lane, boot, seq))


@dataclass(frozen=True)
class Told:
    """One received message. The payload is `word key=value …`, see `Words`."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1
    received_at: datetime = EPOCH
    received_monotonic: float = 0.0
    defect: str | None = None


@dataclass(frozen=True)
class Words:
    """A device family for tests: `plate HHAB1234 at=3 id=7`, `presence on`, `online`, `nothing`.

    Also `unread` and `button on`; `gone` is the last will. `at` is the device's clock in seconds
    after `EPOCH`; `boom` cannot be understood.
    """

    family: str = "words"
    does: frozenset[Do] = frozenset({Do.OPEN, Do.DENY})
    stale_safe: bool = True

    def repeatable(self, device: DeviceSetup) -> bool:
        return True

    def check(self, device: DeviceSetup) -> None: ...

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        return frozenset({"presence", "closing"})

    def filters(self, device: DeviceSetup) -> tuple[tuple[str, int], ...]:
        return ((device.topic, 1),)

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        word, *rest = message.payload.decode().split()
        options = dict(part.split("=") for part in rest if "=" in part)
        values = [part for part in rest if "=" not in part]
        at = EPOCH + timedelta(seconds=float(options["at"])) if "at" in options else None
        events: tuple[DeviceEvent, ...]
        match word:
            case "plate":
                events = (PlateRead(Plate(values[0]), values[0], 0.95, device_at=at),)
            case "unread":
                events = (PlateUnread(device_at=at),)
            case "presence" | "closing" | "button":
                events = (InputChanged(InputName(word), values[0] == "on", at),)
            case "online" | "gone":
                events = (DeviceOnlineChanged(online=word == "online"),)
            case "nothing":
                events = ()
            case _:
                raise CodecError("not_words", f"no such word: {word}")
        seq = int(options["seq"]) if "seq" in options else None
        boot = options.get("boot")
        kind = "input" if word in {"presence", "closing", "button"} else word
        return Decoded(kind, events, options.get("id"), at, boot, seq)

    def encode(self, device: DeviceSetup, command: Command) -> Publication:
        words = f"{command.do} {command.id} {command.ticket}".rstrip()
        return Publication(f"{device.topic}/command", words.encode())


def site(*, policy: LanePolicy | None = None, nested: bool = False) -> FacilitySetup:
    """One zone, one entry and one exit, both with both loops.

    `nested`: and a zone within it, with a lane `inward` and a lane `outward` between the two.
    """
    policy = policy or LanePolicy()
    lanes = []
    devices = []
    ways: list[tuple[LaneId, DeviceId, Direction, str, ZoneId, ZoneId | None]] = [
        (ENTRY, ENTRY_BARRIER, Direction.ENTRY, "entry", ZONE, None),
        (EXIT, EXIT_BARRIER, Direction.EXIT, "exit", ZONE, None),
    ]
    zones = [ZoneSetup(ZONE, Slug("deck"), "Deck", 2)]
    if nested:
        transfer = Direction.TRANSFER
        ways += [
            (INWARD, DeviceId(UUID(int=0xB3)), transfer, "inward", INNER, ZONE),
            (OUTWARD, DeviceId(UUID(int=0xB4)), transfer, "outward", ZONE, INNER),
        ]
        zones.append(ZoneSetup(INNER, Slug("yard"), "Yard", 1))
    for lane, barrier, direction, name, behind, before in ways:
        slug = Slug(name)
        lanes.append(
            LaneSetup(
                id=lane,
                slug=slug,
                direction=direction,
                zones=(behind,),
                presence_loop=True,
                closing_loop=True,
                barrier=barrier,
                policy=policy,
                from_zone=before,
            )
        )
        devices.append(
            DeviceSetup(
                id=barrier,
                slug=Slug(f"box-{slug}"),
                facility=Slug("north"),
                lane=lane,
                lane_slug=slug,
                direction=direction,
                family="words",
                topic=slug,
            )
        )
    return FacilitySetup(
        id=FACILITY,
        slug=Slug("north"),
        name="North",
        time_zone="Europe/Berlin",
        currency="EUR",
        revision=1,
        zones=tuple(zones),
        lanes=tuple(lanes),
        devices=tuple(devices),
    )


@asynccontextmanager
async def running(*parts: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run these until the end of the block; a failure of one of them is the test's."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(part()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [end for end in ends if isinstance(end, Exception)]
    if failures:
        raise failures[0]


def payment_of(ticket: str, amount: str, at: datetime, **says: object) -> bytes:
    """The message of a payment, with an id and a transaction of its own. `says` replaces fields."""
    return json.dumps(
        {
            "id": f"pay-{ticket}",
            "ticket": ticket,
            "amount": amount,
            "currency": "EUR",
            "provider": "card",
            "provider_txn_id": f"txn-{says.get('id', ticket)}",
            "at": at.isoformat(),
            **says,
        }
    ).encode()


class Place:
    """One facility's parts, wired like the daemon wires them, on fakes. Starts nothing."""

    def __init__(
        self,
        *,
        spots: tuple[str, ...] = ("1", "2"),
        inner: tuple[str, ...] | None = None,
        policy: LanePolicy | None = None,
        lease_holds: Callable[[], bool] = lambda: True,
        store: MemoryStore | None = None,
        rows: Facility | None = None,
        codec: "Words | None" = None,
        setup: FacilitySetup | None = None,
        ids: CountedIds | None = None,
    ) -> None:
        """`store` and `rows` of another place: this one is its successor on the database; with
        its `ids`, no row of this one is taken for one of that.

        `inner`: the spots of a zone within the other one.
        """
        self.setup = setup or site(policy=policy, nested=inner is not None)
        self.clock, self.ids, self.rng = LoopClock(), ids or CountedIds(), random.Random(1)
        self.metrics = Metrics(version="0")
        self.store = store or MemoryStore(seconds=self.clock.monotonic)
        self.rows: Facility = rows or self.store.add_facility(
            self.setup, {ZONE: spots, INNER: inner or ()}
        )
        self.rows.holder, self.rows.fence, self.rows.expires_at = "me", 1, float("inf")
        self.fence = Fence(1)
        self.link, self.shown = Sent(), Shown()
        self.codec = codec or Words()
        self.acknowledged: list[Told] = []
        self.settler = Settler(self.setup, self.fence, self.store, self.rng)
        board = OccupancyBoard(
            self.setup, self.shown, self.metrics, on_room=lambda _: self.facility.change_told()
        )
        self.zones = {
            zone.id: ZoneActor(
                FACILITY,
                self.fence,
                zone,
                name=f"zone/north/{zone.slug}",
                store=self.store,
                on_count=board.counted,
                on_drift=board.drifted,
                clock=self.clock,
            )
            for zone in self.setup.zones
        }
        self.zone = self.zones[ZONE]
        self.relay = Relay(
            self.setup,
            self.fence,
            store=self.store,
            link=self.link,
            barriers={device.id: Barrier(device, self.codec) for device in self.setup.devices},
            tell_lane=self._tell_lane,
            lease_holds=lease_holds,
            clock=self.clock,
            metrics=self.metrics,
        )
        self.told_lanes: list[tuple[LaneId, LaneEvent]] = []
        self.reporter = Reporter(self.setup, self.metrics)
        self.liveness = Liveness(
            self.setup,
            clock=self.clock,
            metrics=self.metrics,
            read_until=self._read_until,
        )
        self.inbox: Inbox[Told] = Inbox(
            self.setup,
            self.fence,
            store=self.store,
            settler=self.settler,
            routes=self.routes,
            facility_reader=self.facility_reader,
            acknowledge=self.acknowledged.append,
            deliver=self.deliver,
            announcer=self.shown,
            liveness=self.liveness,
            clock=self.clock,
            ids=self.ids,
            rng=self.rng,
            metrics=self.metrics,
        )
        self.delivered: list[ForLane] = []
        self.backlog = Backlog(self.clock)
        operators = OperatorDesk(
            self.setup,
            self.fence,
            store=self.store,
            settle=self.settler.settle,
            commands=self.relay,
            announcer=self.shown,
            backlog=self.backlog,
            clock=self.clock,
            ids=self.ids,
            rng=self.rng,
            reporter=self.reporter,
        )
        self.facility = FacilityActor(
            self.setup,
            store=self.store,
            performer=Performer(
                self.setup,
                self.fence,
                store=self.store,
                zones=self.zones,
                settler=self.settler,
                commands=self.relay,
                operators=operators,
                clock=self.clock,
                ids=self.ids,
                rng=self.rng,
                reporter=self.reporter,
                on_evacuation=lambda effect, _: self.facility.evacuation_changed(
                    effect.cause, on=True
                ),
                beside=self._beside,
                withheld=self._withheld,
                vacated=self._vacated,
            ),
            sensing=Sensing(self.setup, self.fence, self.store, self.rng),
            operators=operators,
            payments=PaymentDesk(
                self.setup,
                self.fence,
                store=self.store,
                announcer=self.shown,
                rng=self.rng,
                reporter=self.reporter,
            ),
            replay=self.inbox.pending,
            settle=self.settler.settle,
            announcer=self.shown,
            reporter=self.reporter,
            liveness=self.liveness,
            clock=self.clock,
            ids=self.ids,
        )

    def facility_reader(self, topic: str) -> FacilityReader | None:
        slug = self.setup.slug
        operators = OperatorCodec(slug, {lane.slug: lane.id for lane in self.setup.lanes})
        readers = (PaymentCodec(slug), ZoneCountCodec(slug), SpotCodec(slug), operators)
        found = (each for each in readers if matches(each.topic_filter, topic))
        return next(found, None)

    def routes(self, topic: str) -> list[Route]:
        return [Route(device, self.codec) for device in self.setup.devices if device.topic == topic]

    async def deliver(self, message: FacilityMessage) -> None:
        """What the inbox hands over; the facility gets it too where it runs."""
        if isinstance(message, ForLane):
            self.delivered.append(message)
        if self.facility_runs:
            await self.facility.offer(message)

    facility_runs = False

    def _beside(self, lane: LaneSetup) -> LaneSetup | None:
        return self.facility.lane_beside(lane)

    def _withheld(self, lane: LaneSetup) -> bool:
        return self.facility.withheld(lane)

    def _vacated(self, lane: LaneSetup, plate: Plate) -> LaneId | None:
        return self.facility.vacated(lane, plate)

    def _read_until(self) -> float:
        return self.inbox.read_until()

    def _tell_lane(self, lane: LaneId, event: LaneEvent) -> None:
        self.told_lanes.append((lane, event))
        if self.facility_runs:
            self.facility.lane_event(lane, event)

    def say(self, lane: str, words: str, **message: object) -> Told:
        """A device says something now."""
        told = Told(
            lane,
            words.encode(),
            received_at=self.clock.now(),
            received_monotonic=self.clock.monotonic(),
            **message,  # type: ignore[arg-type]
        )
        self.inbox.receive(told)
        return told

    def vehicle(self, lane: str, plate: Plate = CAR) -> None:
        """A vehicle stands on the lane's loop and its plate is read, now."""
        now = self.clock.monotonic()
        self.say(lane, f"presence on at={now} id=p{now}")
        self.say(lane, f"plate {plate} at={now} id=r{now}")

    def pay(self, ticket: str, amount: str, *, retain: bool = False, **says: object) -> None:
        """A terminal tells of a payment, now. `says` replaces fields of the message."""
        now = self.clock.now()
        self.inbox.receive(
            Told(
                f"gated/v1/{self.setup.slug}/payment",
                payment_of(ticket, amount, now, **says),
                retain=retain,
                received_at=now,
                received_monotonic=self.clock.monotonic(),
            )
        )

    def sense(
        self, leaf: str, *, at: datetime | None = None, retain: bool = False, **word: object
    ) -> None:
        """A sensor of the zone speaks, now: `leaf` is its topic behind `zone/`."""
        now = self.clock.now()
        said = {"id": str(self.ids.new()), "at": rfc3339_text(at or now), **word}
        self.inbox.receive(
            Told(
                f"gated/v1/{self.setup.slug}/zone/{leaf}",
                json.dumps(said).encode(),
                retain=retain,
                received_at=now,
                received_monotonic=self.clock.monotonic(),
            )
        )

    def ask(self, do: str, *, user: str = "ada", retain: bool = False, **says: object) -> Told:
        """An operator asks for something, now. `says` replaces fields; None leaves one out."""
        now = self.clock.now()
        body = {"id": "1", "do": do, "reason": "delivery", "at": now.isoformat(), **says}
        told = Told(
            f"gated/v1/{self.setup.slug}/operator/{user}/request",
            json.dumps({key: value for key, value in body.items() if value is not None}).encode(),
            retain=retain,
            received_at=now,
            received_monotonic=self.clock.monotonic(),
        )
        self.inbox.receive(told)
        return told

    def operator_row(self, told: Told) -> InboxRow:
        """An operator's request that is stored and not done."""
        return InboxRow(
            id=EventId(self.ids.new()),
            key=f"stored#{self.ids.new()}",
            device=None,
            lane=None,
            topic=told.topic,
            payload=told.payload,
            kind="operator",
            status=EventStatus.NEW,
            device_at=None,
            received_at=told.received_at,
        )

    def payment_row(self, ticket: str) -> InboxRow:
        """A payment that is stored and not done."""
        now = self.clock.now()
        return InboxRow(
            id=EventId(self.ids.new()),
            key=f"payment#{ticket}",
            device=None,
            lane=None,
            topic=f"gated/v1/{self.setup.slug}/payment",
            payload=payment_of(ticket, "1.00", now),
            kind="payment",
            status=EventStatus.NEW,
            device_at=now,
            received_at=now,
        )

    def passes(self, lane: str) -> None:
        """It drives through, now."""
        now = self.clock.monotonic()
        for word in ("closing on", "presence off", "closing off"):
            self.say(lane, f"{word} at={now} id={word[:7]}{word[-2:]}{now}")

    def store_event(self, number: int, words: str = "nothing") -> EventId:
        """An inbox row that is stored and not done."""
        event = EventId(UUID(int=number))
        row = InboxRow(
            id=event,
            key=str(number),
            device=ENTRY_BARRIER,
            lane=ENTRY,
            topic="entry",
            payload=words.encode(),
            kind="plate",
            status=EventStatus.NEW,
            device_at=None,
            received_at=self.clock.now(),
        )
        self.rows.events[event] = Event(row, row.status)
        return event

    def commit(
        self, number: int, *, seconds: float = 3.0, fence: int = 1, taken: bool = False
    ) -> Command:
        """An open command in the outbox, good for so many seconds."""
        now = self.clock.now()
        command = Command(
            id=CommandId(UUID(int=number)),
            lane=ENTRY,
            device=ENTRY_BARRIER,
            do=Do.OPEN,
            reason="transient",
            event=EventId(UUID(int=number)),
            fence=Fence(fence),
            issued_at=now,
            expires_at=now + timedelta(seconds=seconds),
            taken=taken,
        )
        status = CommandStatus.DISPATCHED if taken else CommandStatus.ACCEPTED
        self.rows.commands[command.id] = CommandRow(command, status)
        return command

    def opened(self, lane: str = "entry") -> int:
        """How many open commands left for this lane."""
        topic = f"{lane}/command"
        return sum(
            1
            for publication in self.link.published
            if publication.topic == topic and publication.payload.startswith(b"open ")
        )
