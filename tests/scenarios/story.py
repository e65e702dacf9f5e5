"""The words in which the stories are told: vehicles, their lanes, and what people do about them.

A facility `north` with one entry and one exit, both loops and, if wished, an arm that tells. The
whole of it runs as in the daemon, on the store in memory and on virtual time.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from gated.core.beside import neighbours
from gated.core.effects import Do
from gated.core.events import (
    ARM_SWITCH,
    BarrierReported,
    BarrierState,
    InputChanged,
    InputName,
    PlateRead,
    PlateUnread,
)
from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.opening import OpeningHours
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.site import DeviceSetup, Direction, FacilitySetup, LanePolicy
from gated.records import Decoded, EventStatus, Inbound, PaymentTakenAnswer
from tests.actors.support import CAR, EPOCH, Place, Words, site
from tests.actors.test_facility import Running
from tests.fakes.operations import FakeOperator
from tests.fakes.store import Stay

HOUR = 3600.0
SECOND_BOX = DeviceId(UUID(int=0xB5))


@dataclass(frozen=True)
class Box(Words):
    """One box per lane that speaks of everything: camera, loops, fire contact, arm.

    Beside the words of `Words`: `unread`, `fire on`, `arm opened`, and of a read its confidence.
    """

    does: frozenset[Do] = frozenset(Do)
    tells_arm: bool = False
    opens_twice: bool = True

    def repeatable(self, device: DeviceSetup) -> bool:
        return self.opens_twice

    def inputs(self, device: DeviceSetup) -> frozenset[str]:
        return super().inputs(device) | ({ARM_SWITCH} if self.tells_arm else set())

    def decode(self, device: DeviceSetup, message: Inbound) -> Decoded:
        word, *rest = message.payload.decode().split()
        if word not in {"unread", "fire", "arm", "read"}:
            return super().decode(device, message)
        options = dict(part.split("=") for part in rest if "=" in part)
        values = [part for part in rest if "=" not in part]
        at = EPOCH + timedelta(seconds=float(options["at"]))
        match word:
            case "read":
                rate = float(values[1]) if len(values) > 1 else None
                event = PlateRead(Plate(values[0]), values[0], rate, device_at=at)
                return Decoded(word, (event,), options["id"], at)
            case "unread":
                return Decoded(word, (PlateUnread(device_at=at),), options["id"], at)
            case "fire":
                fire = InputChanged(InputName.FIRE, values[0] == "on", at)
                return Decoded(word, (fire,), options["id"], at)
            case _:
                moved = BarrierReported(BarrierState(values[0]), None, at)
                return Decoded(word, (moved,), options["id"], at)


@dataclass
class Story:
    """A facility at work, and who drives up to it."""

    place: Place
    until: Callable[[Callable[[], bool]], Awaitable[None]]
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # ── drivers ─────────────────────────────────────────────────────────────────────────────

    def stands(self, lane: str) -> None:
        """A vehicle drives onto the presence loop."""
        self._say(lane, "presence on")

    def is_read(
        self,
        lane: str,
        plate: Plate = CAR,
        confidence: float | None = 0.95,
        *,
        seconds_ago: float = 0.0,
    ) -> None:
        """A camera reads it, and tells of it now, whenever that was."""
        rate = "" if confidence is None else f" {confidence}"
        self._say(lane, f"read {plate}{rate}", seconds_ago=seconds_ago)

    def drives_up(self, lane: str, plate: Plate = CAR) -> None:
        """Both, as it mostly is."""
        self.stands(lane)
        self.is_read(lane, plate)

    def drives_up_unread(self, lane: str) -> None:
        """It stands there, and the camera says that it cannot read it."""
        self.stands(lane)
        self._say(lane, "unread")

    def presses(self, lane: str) -> None:
        """Its driver presses the button."""
        for word in ("button on", "button off"):
            self._say(lane, word)

    def backs_off(self, lane: str) -> None:
        """It leaves the presence loop the way it came."""
        self._say(lane, "presence off")

    def drives_through(self, lane: str) -> None:
        """Over the closing loop and away."""
        for word in ("closing on", "presence off", "closing off"):
            self._say(lane, word)

    def drives_through_with_another_behind(self, lane: str) -> None:
        """The next one closes up, and is on the presence loop before this one is through."""
        for word in ("closing on", "presence off", "presence on", "closing off"):
            self._say(lane, word)

    async def visits(self, plate: Plate = CAR, *, seconds: float = HOUR) -> Stay:
        """It comes in, and has been there for so long; its stay."""
        before = self.opened("entry")
        self.drives_up("entry", plate)
        await self.until(lambda: self.opened("entry") == before + 1)
        self.arm("entry", "opened")
        self.drives_through("entry")
        self.arm("entry", "closed")
        await self.until(lambda: self.stay_of(plate).entry_known is not None)
        await asyncio.sleep(seconds)
        return self.stay_of(plate)

    async def passes(self, lane: str, plate: Plate = CAR) -> Stay:
        """It drives up, is let through and is gone; its stay."""
        before = self.opened(lane)
        self.drives_up(lane, plate)
        await self.opens(lane, before + 1)
        stay = self.stay_of(plate)
        self.drives_through(lane)
        await self.reaches(lane, "idle")
        await asyncio.sleep(20)
        return stay

    def pays(
        self,
        ticket: str,
        amount: str,
        *,
        currency: str = "EUR",
        number: int | None = None,
        txn: int | None = None,
    ) -> int:
        """A machine tells of a payment, and of its transaction.

        `number` is that of a message which it sends again, `txn` that of a payment which it tells
        of in another one.
        """
        number = number or next(self.numbers)
        self.place.pay(
            ticket,
            amount,
            id=f"pay-{number}",
            provider_txn_id=f"txn-{txn or number}",
            currency=currency,
        )
        return number

    async def receipt(self, number: int, times: int = 1) -> PaymentTakenAnswer | str:
        """What the machine is answered, the `times`th time; the word alone where it must give the
        money back."""

        def answers() -> list[tuple[str, PaymentTakenAnswer | None]]:
            told = self.place.shown.payments
            return [(word, answer) for one, word, answer in told if one == f"pay-{number}"]

        await self.until(lambda: len(answers()) == times)
        word, answer = answers()[-1]
        return answer or word

    # ── hardware and people ─────────────────────────────────────────────────────────────────

    def arm(self, lane: str, state: str) -> None:
        """The arm tells where it is; one that tells nothing is left alone."""
        codec = self.place.codec
        if isinstance(codec, Box) and codec.tells_arm:
            self._say(lane, f"arm {state}")

    def fire(self, *, on: bool) -> None:
        """The fire contact, wired to the exit's box."""
        self._say("exit", f"fire {'on' if on else 'off'}")

    def says(self, lane: str, words: str) -> None:
        """Anything else that a box may say."""
        self._say(lane, words)

    def says_late(self, lane: str, words: str, seconds_ago: float) -> None:
        """The same, of so long ago: it waited at the broker."""
        self._say(lane, words, seconds_ago=seconds_ago)

    async def operator(self, do: str, *, by: str = "ada", **says: str) -> str | None:
        """Ada asks for something; what is answered: None for done, else why not."""
        number = next(self.numbers)
        self.place.ask(do, user=by, retain=False, id=number, **says)
        answers = self.place.shown.answers
        await self.until(lambda: any(answer[1] == number for answer in answers))
        return next(error for _, request, error in answers if request == number)

    def may(self, name: str, *permissions: str) -> None:
        """Another member of staff, by what he may do."""
        self.place.rows.operations.operators[name] = FakeOperator(frozenset(permissions))

    def near(self) -> list[str]:
        """The plates of the stays that the latest answer to an operator has for him."""
        return [near.stay.plate.text for near in self.place.shown.near[-1]]

    def falls_silent(self, lane: str) -> None:
        """The box is gone, and the broker says so in its name."""
        self._say(lane, "gone")

    def speaks_again(self, lane: str) -> None:
        """The box is back."""
        self._say(lane, "online")

    # ── what came of it ─────────────────────────────────────────────────────────────────────

    def phase(self, lane: str) -> str:
        return [name for slug, name in self.place.shown.lanes if slug == lane][-1]

    async def reaches(self, lane: str, *phases: str) -> None:
        await self.until(lambda: self.phase(lane) in phases)

    def opened(self, lane: str) -> int:
        return self.place.opened(lane)

    async def opens(self, lane: str, times: int = 1) -> None:
        await self.until(lambda: self.opened(lane) == times)

    @property
    def stays(self) -> list[Stay]:
        return list(self.place.rows.stays.values())

    def stay_of(self, plate: Plate | None) -> Stay:
        return next(stay for stay in reversed(self.stays) if stay.plate == plate)

    @property
    def inside(self) -> list[Plate | None]:
        return [stay.plate for stay in self.stays if stay.status == "ACTIVE"]

    @property
    def violations(self) -> list[str]:
        return [offence.kind for offence in self.place.rows.violations]

    @property
    def notes(self) -> list[str]:
        return [f"{note.name} {note.detail}".strip() for note in self.place.rows.notes.values()]

    @property
    def asked(self) -> list[str]:
        """The amounts that drivers were asked for at exits, in order."""
        return [str(request.due.amount) for request in self.place.rows.asked]

    @property
    def unsettled(self) -> list[bytes]:
        """The messages of which nothing has become yet."""
        events = self.place.rows.events.values()
        return [event.row.payload for event in events if event.status is EventStatus.NEW]

    def became(self, word: str) -> list[str]:
        """What became of the messages that say this word, in order."""
        events = [
            event
            for event in self.place.rows.events.values()
            if event.row.payload.decode().startswith(word)
        ]
        return [event.outcome.value if event.outcome else event.status for event in events]

    @property
    def cases(self) -> list[str]:
        """What is left to people, of vehicles that nobody let pass."""
        return [kind for kind, _ in self.place.rows.reconciliations]

    def tickets(self, lane: str) -> list[str]:
        """The numbers that the printer of the lane was told, in order."""
        lanes = {str(one.slug): one.id for one in self.place.setup.lanes}
        rows = [row.command for row in self.place.rows.commands.values()]
        return [row.ticket for row in rows if row.lane == lanes[lane] and row.ticket]

    def commands(self, lane: str) -> list[str]:
        """What the barrier was told, in order."""
        lanes = {str(one.slug): one.id for one in self.place.setup.lanes}
        rows = [row.command for row in self.place.rows.commands.values()]
        return [command.do.value for command in rows if command.lane == lanes[lane]]

    def displays(self, lane: str) -> list[str | None]:
        """What its display was told, in order."""
        lanes = {str(one.slug): one.id for one in self.place.setup.lanes}
        rows = [row.command for row in self.place.rows.commands.values()]
        return [row.text for row in rows if row.lane == lanes[lane] and row.do is Do.DENY]

    def faults(self, lane: str) -> set[str]:
        """What its retained state says is wrong with it."""
        seen = [state for slug, state in self.place.shown.lanes_shown if slug == lane]
        return {fault.value for fault in seen[-1].faults}

    def call(self, lane: str) -> str | None:
        """Why its retained state says that somebody there needs a person; None: nobody does."""
        seen = [state.call for slug, state in self.place.shown.lanes_shown if slug == lane]
        return None if seen[-1] is None else seen[-1].why.value

    def calls(self, lane: str) -> list[str | None]:
        """What its retained state said of that, each change once."""
        seen = [state.call for slug, state in self.place.shown.lanes_shown if slug == lane]
        whys = [None if call is None else call.why.value for call in seen]
        return [why for why, _ in itertools.groupby(whys)]

    def calling(self, lane: str) -> dict[str, tuple[float, float]]:
        """What monitoring sees: by reason, whether it calls now, and how often it began to."""
        registry = self.place.metrics.registry
        now, begun = (
            {
                sample.labels["reason"]: sample.value
                for family in registry.collect()
                for sample in family.samples
                if sample.name == name and sample.labels["lane"] == lane
            }
            for name in ("gated_lane_call", "gated_lane_calls_total")
        )
        return {reason: (now[reason], begun.get(reason, 0)) for reason in now}

    def gauge(self, lane: str, fault: str) -> float | None:
        """What monitoring sees of a fault; None: it never was."""
        labels = {"facility": "north", "lane": lane, "fault": fault}
        return self.place.metrics.registry.get_sample_value("gated_lane_fault", labels)

    def leaks(self, lane: str, why: str) -> float | None:
        """What monitoring counts of openings behind which no stay stands; None: there was none."""
        labels = {"facility": "north", "lane": lane, "why": why}
        name = "gated_openings_without_transaction_total"
        return self.place.metrics.registry.get_sample_value(name, labels)

    def refusals(self) -> list[str]:
        """Why vehicles were refused, in order."""
        rows = self.place.rows.decisions.values()
        return [row.reason.value for row in rows if isinstance(row.reason, DenyReason)]

    def _say(self, lane: str, words: str, *, seconds_ago: float = 0.0) -> None:
        at = self.place.clock.monotonic() - seconds_ago
        self.place.say(lane, f"{words} at={at} id={next(self.numbers)}")


@asynccontextmanager
async def told(
    until: Callable[[Callable[[], bool]], Awaitable[None]],
    *,
    arm_tells: bool = False,
    spots: tuple[str, ...] = ("1", "2", "3"),
    inner: tuple[str, ...] | None = None,
    closing_loop: bool = True,
    policy: LanePolicy | None = None,
    opens_twice: bool = True,
    second_entry: bool = False,
    heartbeat_seconds: float | None = None,
    presence_loop: bool = True,
    does: frozenset[Do] = frozenset(Do),
    nested: bool = False,
    opening: OpeningHours | None = None,
) -> AsyncIterator[Story]:
    """A story, from the start of the facility to its end.

    `inner`: the spots of a zone within the other one, which the lanes `inward` and `outward` lead
    to and from; `nested`: it has one spot. `opens_twice`: an open may be repeated. `second_entry`:
    there is a lane `entry-2` beside the entry. `heartbeat_seconds`: how often the boxes have to
    speak. `does`: what they can be told. `opening`: when entries admit.
    """
    inner = inner or (("9",) if nested else None)
    setup = site(policy=policy, nested=inner is not None)
    if second_entry:
        setup = _with_second_entry(setup)
    lanes = tuple(
        replace(
            lane,
            arm_switch=arm_tells,
            presence_loop=presence_loop,
            closing_loop=closing_loop,
            holds=Do.HOLD in does,
            open_repeatable=opens_twice,
            beside=neighbours(lane, setup.lanes),
            opening=opening if lane.direction is Direction.ENTRY else None,
        )
        for lane in setup.lanes
    )
    devices = tuple(
        replace(device, heartbeat_seconds=heartbeat_seconds) for device in setup.devices
    )
    setup = replace(setup, lanes=lanes, devices=devices)
    box = Box(does=does, tells_arm=arm_tells, opens_twice=opens_twice)
    place = Place(spots=spots, inner=inner, codec=box, setup=setup)
    place.liveness.link_up()
    place.rows.operations.operators["ada"] = FakeOperator(frozenset(), everything=True)
    async with Running(place):
        yield Story(place, until)


@asynccontextmanager
async def told_on(
    story: Story, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> AsyncIterator[Story]:
    """The same facility, run by a daemon that was started after the one of an ended story."""
    before = story.place
    place = Place(
        store=before.store,
        rows=before.rows,
        codec=before.codec,
        setup=before.setup,
        ids=before.ids,
    )
    place.liveness.link_up()
    async with Running(place):
        yield Story(place, until, story.numbers)


def _with_second_entry(setup: FacilitySetup) -> FacilitySetup:
    first = setup.lanes[0]
    box = next(device for device in setup.devices if device.lane == first.id)
    lane = replace(first, id=LaneId(UUID(int=0x5)), slug=Slug("entry-2"), barrier=SECOND_BOX)
    second = replace(
        box,
        id=SECOND_BOX,
        slug=Slug("box-entry-2"),
        lane=lane.id,
        lane_slug=lane.slug,
        topic="entry-2",
    )
    return replace(setup, lanes=(*setup.lanes, lane), devices=(*setup.devices, second))
