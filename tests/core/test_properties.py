"""Whatever happens to a lane, in whatever order: nothing is lost and nothing hangs.

The rules are random; `tests.core.world` checks after each step that

* each cause that came in is settled once, by a denial, a grant or a settling, and none is left;
* each grant ends once: passed, undone, or told as an exit that was not used;
* no admission is undone whose vehicle came onto the closing loop, whatever is restarted meanwhile;
* no grant has two open commands that may both act;
* nothing is opened for a read that is too old, or for nobody on the presence loop;
* who is refused is told so once, however often it is decided on again, and granted after all only
  where it stands and for what may end;
* nobody is accused of driving through a lane that is held open;
* a lane in a phase other than Idle has a running timer, an awaited answer, or a vehicle on the
  loop that will one day leave it.
"""

import itertools
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gated.core.events import (
    BarrierReported,
    BarrierState,
    CommandAnswered,
    CommandStatus,
    DeviceOnlineChanged,
    InputChanged,
    InputName,
    OperatorDo,
    PaymentTold,
    PlateUnread,
    TimerName,
    VehicleLost,
)
from gated.core.ids import StayId, ZoneId, command_number
from gated.core.plate_classes import Country
from gated.core.plates import Plate
from gated.core.site import Admits, ButtonTicket, Direction, LanePolicy, Unproven
from gated.core.site import UnpaidExit as Unpaid
from tests.core.support import ZONE_A, ZONE_B, ZONE_C, lane_of, read_of
from tests.core.world import Stay, World

PLATES = [Plate("AA11881"), Plate("BB22"), Plate("AA118B1")]
ENDS = [CommandStatus.FAILED, CommandStatus.EXPIRED, CommandStatus.UNKNOWN]

plates = st.sampled_from(PLATES)
keys = st.sampled_from([None, None, "1", "2"])
ages = st.sampled_from([0.1, 0.1, 0.1, 4.9, 5.1, 40.0, None])
confidences = st.sampled_from([0.95, 0.95, 0.95, None, 0.6, 0.3])
readings = st.builds(
    LanePolicy,
    undated_reads=st.sampled_from(Unproven),
    unrated_reads=st.sampled_from(Unproven),
    consensus_reads_min=st.integers(1, 3),
    read_confidence_sure=st.sampled_from([None, 0.98]),
    plate_countries=st.sampled_from([(), (Country.DE,)]),
    reads_ignored=st.just(("CAM*",)),
    button_ticket=st.sampled_from(ButtonTicket),
)


class Lane(RuleBasedStateMachine):
    """One lane, any device events, slow and failing work, timers and commands in any order."""

    world: World

    @rule(plate=plates)
    def pay(self, plate: Plate) -> None:
        """Somebody pays, perhaps somewhere else."""
        self.world.unpaid.discard(plate)
        self.world.step(PaymentTold())

    @rule()
    def change(self) -> None:
        """Somebody says that a refusal may have ended; often it has not."""
        self.world.change()

    @rule(plate=plates, key=keys, age=ages, confidence=confidences)
    def read(
        self, plate: Plate, key: str | None, age: float | None, confidence: float | None
    ) -> None:
        self.world.report(read_of(plate, key=key, confidence=confidence), age)

    @rule(plate=plates)
    def good_read(self, plate: Plate) -> None:
        self.world.report(read_of(plate))

    @rule()
    def overlay(self) -> None:
        self.world.report(read_of(Plate("CAM03")))

    @rule(on=st.sampled_from([True, True, False]), age=ages)
    def button(self, on: bool, age: float | None) -> None:
        self.world.report(InputChanged(InputName.BUTTON, on), age)

    @rule()
    def vehicle_comes_without_a_plate(self) -> None:
        """As far as the ticket, if there is one."""
        self.vehicle_arrives()
        self.unread(age=0.1)
        self.button(on=True, age=0.1)
        self.work_quickly()

    @rule(age=ages)
    def unread(self, age: float | None) -> None:
        self.world.report(PlateUnread(), age)

    @rule(on=st.booleans(), age=ages)
    def presence(self, on: bool, age: float | None) -> None:
        self.world.report(InputChanged(InputName.PRESENCE, on), age)

    @rule()
    def vehicle_arrives(self) -> None:
        self.world.report(InputChanged(InputName.PRESENCE, on=True))

    @rule(on=st.booleans(), age=ages)
    def closing(self, on: bool, age: float | None) -> None:
        self.world.report(InputChanged(InputName.CLOSING, on), age)

    @rule(plate=plates)
    def vehicle_drives_in(self, plate: Plate) -> None:
        """As far as the closing loop, if it is let through: chance alone seldom gets there."""
        self.vehicle_arrives()
        self.good_read(plate)
        self.work_quickly()
        self.closing(on=True, age=0.1)
        self.work_quickly()

    @rule(do=st.sampled_from(OperatorDo))
    def request(self, do: OperatorDo) -> None:
        self.world.request(do)

    @rule(on=st.booleans())
    def evacuate(self, on: bool) -> None:
        self.world.evacuate(on=on)

    @rule()
    def back_in_service(self) -> None:
        """Or most of a run would find the lane closed."""
        self.world.evacuate(on=False)
        self.world.request(OperatorDo.LANE_OPEN)
        self.work_quickly()

    @rule(event=st.sampled_from([VehicleLost("1"), DeviceOnlineChanged(online=False)]))
    def other(self, event: VehicleLost | DeviceOnlineChanged) -> None:
        self.world.report(event)

    @rule(state=st.sampled_from(BarrierState))
    def arm(self, state: BarrierState) -> None:
        self.world.report(BarrierReported(state))

    @rule(fails=st.sampled_from([False, False, False, True]))
    def perform(self, fails: bool) -> None:
        self.world.perform(fails=fails)

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule()
    def work_quickly(self) -> None:
        for _ in range(6):
            self.world.perform()
            self.world.deliver()

    @rule(seconds=st.sampled_from([0.2, 1.0, 5.0, 6.0, 10.5, 15.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(name=st.sampled_from(TimerName))
    def fire(self, name: TimerName) -> None:
        self.world.fire(name)

    @precondition(lambda self: self.world.stale)
    @rule(data=st.data())
    def fire_late(self, data: st.DataObject) -> None:
        """A timer that was stopped or started anew after it had fired."""
        before = self.world.state
        self.world.step(data.draw(st.sampled_from(self.world.stale)))
        assert self.world.state == before

    @precondition(lambda self: self.world.commands)
    @rule(data=st.data(), status=st.sampled_from(ENDS))
    def end_command(self, data: st.DataObject, status: CommandStatus) -> None:
        self.world.end_command(data.draw(st.sampled_from(sorted(self.world.commands))), status)

    @precondition(lambda self: self.world.commands)
    @rule(data=st.data(), ok=st.booleans())
    def answer_command(self, data: st.DataObject, ok: bool) -> None:
        command = data.draw(st.sampled_from(sorted(self.world.commands)))
        if ok:
            self.world.report(CommandAnswered(command_number(command), ok=True))
        else:
            self.world.refuse_command(command)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.drain()
            self.world.check_at_rest()


class AnyLane(Lane):
    """A lane of any kind, with any vehicles inside."""

    @initialize(
        direction=st.sampled_from(Direction),
        loops=st.tuples(st.booleans(), st.booleans()),
        admits=st.sampled_from(Admits),
        reading=readings,
        spots=st.tuples(st.integers(0, 2), st.integers(0, 1)),
        inside=st.sets(plates),
        blocked=st.frozensets(plates, max_size=1),
        pending=st.one_of(st.none(), plates),
        unpaid=st.tuples(st.sampled_from(Unpaid), st.sets(plates)),
        distance=st.integers(0, 1),
        arm_switch=st.booleans(),
        holds=st.booleans(),
    )
    def begin(
        self,
        direction: Direction,
        loops: tuple[bool, bool],
        admits: Admits,
        reading: LanePolicy,
        spots: tuple[int, int],
        inside: set[Plate],
        blocked: frozenset[Plate],
        pending: Plate | None,
        unpaid: tuple[Unpaid, set[Plate]],
        distance: int,
        arm_switch: bool,
        holds: bool,
    ) -> None:
        policy = replace(
            reading,
            admits=admits,
            unpaid_exit=unpaid[0],
            match_distance_max=distance,
        )
        lane = lane_of(
            direction,
            zones=(ZONE_A, ZONE_B),
            presence_loop=loops[0],
            closing_loop=loops[1],
            arm_switch=arm_switch,
            holds=holds,
            policy=policy,
        )
        numbers = itertools.count(10)
        outside = ZONE_C if direction is Direction.TRANSFER else ZONE_A
        stays = {
            plate: Stay(StayId(UUID(int=next(numbers))), outside, passed=True)
            for plate in sorted(inside)
        }
        self.world = World(
            lane,
            {ZONE_A: spots[0], ZONE_B: spots[1], ZONE_C: 0},
            pending=pending,
            blocked=blocked,
            stays=stays,
            unpaid=set(unpaid[1]),
            names_opened=True,
        )


class UnpaidExit(AnyLane):
    """An exit where everybody inside has to pay first: chance alone seldom asks anybody."""

    @initialize(
        loops=st.tuples(st.sampled_from([True, True, True, False]), st.booleans()),
        reading=readings,
        distance=st.integers(0, 1),
        arm_switch=st.booleans(),
        holds=st.booleans(),
    )
    def begin(
        self,
        loops: tuple[bool, bool],
        reading: LanePolicy,
        distance: int,
        arm_switch: bool,
        holds: bool,
    ) -> None:
        super().begin(
            Direction.EXIT,
            loops,
            Admits.EVERYONE,
            reading,
            (0, 0),
            set(PLATES[:2]),
            frozenset(),
            None,
            (Unpaid.WAIT, set(PLATES)),
            distance,
            arm_switch,
            holds,
        )

    @rule(plate=plates)
    def vehicle_is_asked(self, plate: Plate) -> None:
        self.vehicle_arrives()
        self.good_read(plate)
        self.work_quickly()

    @rule()
    def vehicle_rolls_on_and_back(self) -> None:
        self.closing(on=True, age=0.1)
        self.closing(on=False, age=0.1)

    @rule()
    def vehicle_leaves(self) -> None:
        self.closing(on=True, age=0.1)
        self.presence(on=False, age=0.1)
        self.closing(on=False, age=0.1)


class FullLane(Lane):
    """A lane that leads to zones without room: vehicles are refused, stand there, and wait."""

    @initialize(
        direction=st.sampled_from([Direction.ENTRY, Direction.TRANSFER]),
        loops=st.tuples(st.sampled_from([True, True, False]), st.booleans()),
        reading=readings,
        arm_switch=st.booleans(),
    )
    def begin(
        self,
        direction: Direction,
        loops: tuple[bool, bool],
        reading: LanePolicy,
        arm_switch: bool,
    ) -> None:
        lane = lane_of(
            direction,
            zones=(ZONE_A, ZONE_B),
            presence_loop=loops[0],
            closing_loop=loops[1],
            arm_switch=arm_switch,
            policy=reading,
        )
        inside = PLATES if direction is Direction.TRANSFER else []
        stays = {
            plate: Stay(StayId(UUID(int=10 + number)), ZONE_C, passed=True)
            for number, plate in enumerate(inside)
        }
        spots = {ZONE_A: 0, ZONE_B: 0, ZONE_C: 0}
        self.world = World(lane, spots, stays=stays, names_opened=True)

    @rule(zone=st.sampled_from([ZONE_A, ZONE_B]))
    def room(self, zone: ZoneId) -> None:
        """Somebody leaves elsewhere."""
        self.world.spots[zone] = min(self.world.spots[zone] + 1, 2)
        self.world.change()

    @rule(plate=plates)
    def refused(self, plate: Plate) -> None:
        """A vehicle drives up, and others have been faster."""
        self.world.spots.update({ZONE_A: 0, ZONE_B: 0})
        self.vehicle_arrives()
        self.good_read(plate)
        self.work_quickly()

    @rule(plate=plates)
    def refused_until_there_is_room(self, plate: Plate) -> None:
        """As far as the look, if it was refused for that."""
        self.refused(plate)
        self.room(ZONE_A)


SETTINGS = settings(
    max_examples=300,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
AnyLane.TestCase.settings = SETTINGS
UnpaidExit.TestCase.settings = settings(SETTINGS, max_examples=150)
FullLane.TestCase.settings = settings(SETTINGS, max_examples=150)
TestAnyLane = pytest.mark.timeout(600)(AnyLane.TestCase)
TestUnpaidExit = pytest.mark.timeout(600)(UnpaidExit.TestCase)
TestFullLane = pytest.mark.timeout(600)(FullLane.TestCase)
