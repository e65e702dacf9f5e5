"""The facility: from the inbox to the barrier and back, on fakes; slow stores, crashes, replays."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from gated.actors.messages import ForLane
from gated.actors.restarts import RestartPolicy
from gated.actors.supervisor import Supervisor
from gated.core.effects import Notice, Outcome, PassageKnown
from gated.core.errors import DeliveryError, StoreError
from gated.core.events import CommandEnded, CommandStatus
from gated.core.ids import CommandId, EventId, FacilityId, Fence, LaneId
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Direction, LanePolicy, LaneSetup, UnpaidExit
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    EventStatus,
    PaymentTaken,
    PaymentTakenAnswer,
    Publication,
)
from tests.actors.conftest import Events, Until
from tests.actors.support import CAR, ENTRY, EXIT, OTHER_CAR, ZONE, Place
from tests.fakes.store import FakeSubscription, FakeVehicle, Stay

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


class Running:
    """The whole facility under a supervisor."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.fenced_out: list[str] = []
        self.given_up: list[str] = []
        self.supervisor = Supervisor(
            rng=random.Random(1),
            on_give_up=lambda name, _: self.given_up.append(name),
            on_fenced_out=lambda name, _: self.fenced_out.append(name),
            policy=RestartPolicy(delay_seconds_first=1, jitter=0),
        )

    async def __aenter__(self) -> "Running":
        place, supervisor = self.place, self.supervisor
        place.facility_runs = True
        supervisor.supervise("settler", place.settler.run, request_stop=place.settler.request_stop)
        for zone in place.zones.values():
            supervisor.supervise_actor(zone)
        supervisor.supervise("relay", place.relay.run, request_stop=place.relay.request_stop)
        supervisor.supervise_actor(place.facility)
        supervisor.supervise("inbox", place.inbox.run, request_stop=place.inbox.request_stop)
        await asyncio.sleep(0.01)
        return self

    @property
    def restarts(self) -> dict[str, int]:
        return {child.name: child.restarts for child in self.supervisor.children}

    async def __aexit__(self, *_: object) -> None:
        await self.supervisor.stop(deadline_seconds=20)


def phase(place: Place, lane: str = "entry") -> str:
    return [name for slug, name in place.shown.lanes if slug == lane][-1]


def stays(place: Place) -> list[Stay]:
    return list(place.rows.stays.values())


def unsettled(place: Place) -> list[object]:
    return [e.row.payload for e in place.rows.events.values() if e.status is EventStatus.NEW]


def failing(*names: str) -> Callable[[str], Awaitable[None]]:
    """A `before` that fails these calls."""

    async def before(name: str) -> None:
        if name in names:
            raise StoreError("away", retryable=True)

    return before


class TestVisit:
    async def test_in_and_out(self, until: Until) -> None:
        place = Place()
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            assert phase(place) == "opening"
            await asyncio.sleep(5)
            place.passes("entry")
            await until(lambda: phase(place) == "idle")
            (stay,) = stays(place)
            await until(lambda: stay.entry_known is PassageKnown.MEASURED)
            await asyncio.sleep(3600)
            place.vehicle("exit")
            await until(lambda: place.opened("exit") == 1)
            place.passes("exit")
            await until(lambda: stay.exit_known is PassageKnown.MEASURED)
            await asyncio.sleep(1)
        assert stay.status == "COMPLETED"
        assert stay.price is not None
        assert unsettled(place) == []
        assert len(place.rows.free[ZONE]) == 2
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [GrantReason.TRANSIENT, GrantReason.STAY_OPEN]

    async def test_a_denial_is_shown(self, until: Until) -> None:
        place = Place()
        async with Running(place):
            place.vehicle("exit")
            await until(lambda: bool(place.link.published))
        assert place.link.published[0].payload.startswith(b"deny ")
        assert [row.reason for row in place.rows.decisions.values()] == [DenyReason.NO_ENTRY_FOUND]
        (row,) = place.rows.commands.values()
        assert row.command.text == "No entry found\nPlease contact staff"

    async def test_a_back_out_gives_the_spot_back(self, until: Until) -> None:
        place = Place(spots=("1",))
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.say("entry", f"presence off at={place.clock.monotonic()} id=off")
            await until(lambda: bool(place.rows.free[ZONE]))
            assert place.clock.monotonic() < 8
        assert stays(place)[0].cancel_reason == "no_passage"

    async def test_a_command_that_is_not_delivered_undoes_its_admission(self, until: Until) -> None:
        place = Place(spots=("1",))

        async def fail(_: Publication) -> None:
            raise DeliveryError("no link", uncertain=False)

        place.link.before = fail
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: [s.status for s in stays(place)] == ["CANCELLED"])
            assert phase(place) == "occupied"
        assert place.opened("entry") == 0
        assert len(place.rows.free[ZONE]) == 1


class TestSlowness:
    async def test_a_slow_answer_for_one_lane_holds_up_no_other(self, until: Until) -> None:
        place = Place()
        snapshot = place.store.plate_snapshot

        async def slow_for_one(facility: object, plate: object, direction: object, *more: object):  # type: ignore[no-untyped-def]
            if direction is Direction.ENTRY:
                await asyncio.sleep(2.5)
            return await snapshot(facility, plate, direction, *more)  # type: ignore[arg-type]

        place.store.plate_snapshot = slow_for_one  # type: ignore[assignment,method-assign]
        async with Running(place):
            place.vehicle("entry")
            place.vehicle("exit", OTHER_CAR)
            await until(lambda: len(place.rows.decisions) == 1)
            assert place.clock.monotonic() < 0.5
            assert [row.lane for row in place.rows.decisions.values()] == [EXIT]
            await until(lambda: place.opened("entry") == 1)

    async def test_facts_that_do_not_come_in_time_fail_the_decision(self, until: Until) -> None:
        place = Place()
        place.store.before = lambda name: asyncio.sleep(60 if name == "plate_snapshot" else 0)
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: phase(place) == "deciding")
            await until(lambda: phase(place) == "occupied")
            assert place.clock.monotonic() < 4
            await asyncio.sleep(1)
        assert [event.outcome for event in place.rows.events.values()] == [
            Outcome.NOTED,
            Outcome.FAILED,
        ]
        assert place.opened() == 0

    async def test_what_waited_behind_a_slow_write_opens_nothing(self, until: Until) -> None:
        """A denial that cannot be written holds its lane up; the read behind it grows old."""
        place = Place()
        async with Running(place):
            place.store.before = failing("deny")
            place.say("entry", "plate LATE1 at=-100 id=late")
            await asyncio.sleep(0.1)
            place.vehicle("entry")
            await asyncio.sleep(20)
            assert place.rows.decisions == {}
            place.store.before = None
            await until(lambda: len(place.rows.decisions) == 2)
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [DenyReason.READ_TOO_OLD] * 2
        assert place.opened() == 0

    async def test_nor_does_a_decision_that_waited_between_its_facts_and_its_transaction(
        self, until: Until
    ) -> None:
        place = Place()

        async def slow_facts_no_denials(name: str) -> None:
            if name == "plate_snapshot":
                await asyncio.sleep(1)
            elif name == "deny":
                raise StoreError("away", retryable=True)

        place.store.before = slow_facts_no_denials
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: phase(place) == "deciding")
            place.say("entry", "plate LATE1 at=-100 id=late")  # its denial holds the lane up
            await asyncio.sleep(20)
            place.store.before = None
            await until(lambda: phase(place) in ("occupied", "denied"))
        assert place.opened() == 0
        assert stays(place) == []


class TestDecidedAgain:
    """Whoever stands refused, and the work that goes wrong when it is decided on once more."""

    @staticmethod
    async def full(place: Place, until: Until) -> None:
        """The only spot is taken, and another vehicle stands refused."""
        place.vehicle("entry", OTHER_CAR)
        await until(lambda: place.opened() == 1)
        place.passes("entry")
        await until(lambda: stays(place)[0].entry_known is not None)
        await asyncio.sleep(60)
        place.vehicle("entry")
        await until(lambda: phase(place) == "denied")

    @staticmethod
    async def leaves(place: Place, until: Until) -> None:
        place.vehicle("exit", OTHER_CAR)
        await until(lambda: place.opened("exit") == 1)

    async def test_an_answer_that_is_lost_is_found_and_opened_once(self, until: Until) -> None:
        place = Place(spots=("1",))
        async with Running(place):
            await self.full(place, until)
            TestLostAnswers.lose(place, "admit", after=True)
            await self.leaves(place, until)
            await until(lambda: place.opened("entry") == 2)
            await asyncio.sleep(30)
        assert place.opened("entry") == 2
        assert [stay.plate for stay in stays(place)] == [OTHER_CAR, CAR]

    async def test_with_the_database_away_it_is_looked_again_later(self, until: Until) -> None:
        place = Place(spots=("1",))
        async with Running(place):
            await self.full(place, until)
            place.store.before = failing("plate_snapshot", "admit")
            place.rows.give_back(stays(place)[0])
            stays(place)[0].status = "COMPLETED"
            place.facility.change_told()
            await until(
                lambda: place.shown.lanes[-2:] == [("entry", "deciding"), ("entry", "denied")]
            )
            assert place.opened("entry") == 1
            place.store.before = None
            await until(lambda: place.opened("entry") == 2)
            told = [row.reason for row in place.rows.decisions.values() if row.lane == ENTRY]
            assert told == [GrantReason.TRANSIENT, DenyReason.FULL_FACILITY, GrantReason.TRANSIENT]

    async def test_what_was_decided_once_more_is_done_in_the_inbox(self, until: Until) -> None:
        place = Place(spots=("1",))
        async with Running(place):
            await self.full(place, until)
            await self.leaves(place, until)
            await until(lambda: place.opened("entry") == 2)
            await until(lambda: unsettled(place) == [])
            kinds = [event.row.kind for event in place.rows.events.values()]
            assert kinds.count("again") == 1
            recalled = await place.inbox.pending()
            reads = [one for one in recalled if "PlateRead" in repr(one)]
            assert reads == [], "nothing of it comes again"


class TestLostAnswers:
    """The transaction was committed and its answer never came: it counts all the same."""

    @staticmethod
    def lose(place: Place, name: str, *, after: bool) -> None:
        """The first call's connection breaks, after or before its commit."""
        call = getattr(place.store, name)
        first = True

        async def loses(*arguments: object) -> object:
            nonlocal first
            if not first:
                return await call(*arguments)
            first = False
            if after:
                await call(*arguments)
            raise StoreError("connection lost", retryable=True)

        setattr(place.store, name, loses)

    @pytest.mark.parametrize("taken", [True, False])
    async def test_a_committed_admission_is_found_and_opened(
        self, taken: bool, until: Until
    ) -> None:
        place = Place()
        place.link.connected = taken
        self.lose(place, "admit", after=True)
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened() == 1)
            assert phase(place) == "opening"
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is PassageKnown.MEASURED)
        assert len(stays(place)) == 1
        assert place.opened() == 1

    async def test_one_that_was_not_committed_is_none(self, until: Until) -> None:
        place = Place()
        self.lose(place, "admit", after=False)
        async with Running(place):
            place.vehicle("entry")
            await until(
                lambda: place.shown.lanes[-2:] == [("entry", "deciding"), ("entry", "occupied")]
            )
            assert stays(place) == []
            await asyncio.sleep(5)
            assert place.opened() == 0
            # The vehicle is still there: its next read is a new question.
            now = place.clock.monotonic()
            place.say("entry", f"plate {CAR} at={now} id=again")
            await until(lambda: place.opened() == 1)

    async def test_a_committed_release_is_found_and_opened(self, until: Until) -> None:
        place = Place()
        self.lose(place, "release", after=True)
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await asyncio.sleep(100)
            place.vehicle("exit")
            await until(lambda: place.opened("exit") == 1)
        assert len(place.rows.decisions) == 2

    @pytest.mark.parametrize("taken", [True, False])
    async def test_one_found_too_late_is_undone(self, taken: bool, until: Until) -> None:
        """The database was away for longer than the command lives: nobody is let in for it, and
        no spot is lost."""
        place = Place(spots=("1",))
        place.link.connected = taken
        admit = place.store.admit

        async def away(name: str) -> None:
            raise StoreError("away", retryable=True)

        async def commits_and_breaks(
            facility: FacilityId, fence: Fence, request: AdmitRequest
        ) -> AdmitAnswer:
            await admit(facility, fence, request)
            place.store.before = away
            place.store.admit = admit  # type: ignore[method-assign]
            raise StoreError("connection lost", retryable=True)

        place.store.admit = commits_and_breaks  # type: ignore[method-assign]
        async with Running(place):
            place.vehicle("entry")
            await asyncio.sleep(30)
            assert [stay.status for stay in stays(place)] == ["ACTIVE"]
            place.store.before = None
            await until(lambda: bool(place.rows.free[ZONE]))
            assert phase(place) == "occupied"
        assert place.opened() == 0


class TestZoneCrash:
    @staticmethod
    def break_once(place: Place, name: str) -> None:
        call = getattr(place.store, name)
        broken = False

        async def breaks(*arguments: object) -> object:
            nonlocal broken
            if not broken:
                broken = True
                raise ValueError("a bug")
            return await call(*arguments)

        setattr(place.store, name, breaks)

    async def test_an_admission_that_breaks_the_zone_is_a_failed_decision(
        self, until: Until
    ) -> None:
        place = Place()
        self.break_once(place, "admit")
        async with Running(place) as running:
            place.vehicle("entry")
            await until(
                lambda: place.shown.lanes[-2:] == [("entry", "deciding"), ("entry", "occupied")]
            )
            await asyncio.sleep(3)
            assert running.restarts["zone/north/deck"] == 1
            assert running.restarts["facility/north"] == 0
            place.say("entry", f"plate {CAR} at={place.clock.monotonic()} id=again")
            await until(lambda: place.opened() == 1)

    async def test_an_admission_that_could_not_be_undone_is_undone_later(
        self, until: Until
    ) -> None:
        place = Place(spots=("1",))
        self.break_once(place, "cancel_admission")
        async with Running(place) as running:
            place.vehicle("entry")
            await until(lambda: place.opened() == 1)
            place.say("entry", f"presence off at={place.clock.monotonic()} id=off")
            await until(lambda: bool(place.rows.free[ZONE]))
            assert running.restarts["facility/north"] == 1
        assert stays(place)[0].status == "CANCELLED"


OWNER = UUID(int=0x05E4)


class TestRights:
    """What covers a stay reaches the store with the admission, and comes back on a back-out."""

    async def test_a_reservation_becomes_the_stay_and_is_one_again_after_a_back_out(
        self, until: Until
    ) -> None:
        place = Place()
        now = place.clock.now()
        booking = place.store.reserve(
            place.setup.id, CAR, ZONE, now - timedelta(minutes=5), now + timedelta(hours=2)
        )
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            assert [(stay.id, stay.status) for stay in stays(place)] == [(booking.id, "ACTIVE")]
            place.say("entry", f"presence off at={place.clock.monotonic()} id=off")
            await until(lambda: booking.status == "CONFIRMED")
        (decision,) = place.rows.decisions.values()
        assert (decision.reason, decision.stay) == (GrantReason.RESERVATION, booking.id)

    async def test_a_subscription_gives_one_entry_and_gets_it_back(self, until: Until) -> None:
        place = Place()
        place.store.vehicles.append(FakeVehicle(CAR, user=OWNER))
        ten = FakeSubscription(OWNER, 10, place.clock.now() + timedelta(days=1))
        place.rows.subscriptions.append(ten)
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            assert ten.entries == 9
            place.say("entry", f"presence off at={place.clock.monotonic()} id=off")
            await until(lambda: ten.entries == 10)
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [GrantReason.SUBSCRIPTION]

    async def test_a_right_that_goes_meanwhile_is_decided_on_anew(
        self, until: Until, log_events: Events
    ) -> None:
        """The last entry is used by another vehicle between the look and the claim."""
        place = Place()
        place.store.vehicles.append(FakeVehicle(CAR, user=OWNER))
        last = FakeSubscription(OWNER, 1, place.clock.now() + timedelta(days=1))
        place.rows.subscriptions.append(last)

        async def used_up(name: str) -> None:
            if name == "admit":
                last.entries = 0

        place.store.before = used_up
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
        (stay,) = stays(place)
        assert (stay.entitlement, last.entries) == (None, 0)
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [GrantReason.REGISTERED]
        assert ("lane.notice", "right_gone") in [
            (entry["event"], entry.get("notice")) for entry in log_events
        ]

    async def test_a_zone_that_refuses_is_followed_by_its_reason(self, until: Until) -> None:
        place = Place()

        async def too_small(*_: object) -> AdmitAnswer:
            return AdmitAnswer(AdmitOutcome.SPOTS_TOO_SMALL, 2)

        place.store.admit = too_small  # type: ignore[assignment,method-assign]
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: bool(place.rows.decisions))
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [DenyReason.VEHICLE_TOO_LARGE]


class TestCrash:
    async def crash(self, place: Place) -> None:
        """Something in the actor breaks, once."""

        def broken(lane: LaneSetup, notice: Notice) -> None:
            place.reporter.noticed = noticed  # type: ignore[method-assign]
            raise ValueError("a bug")

        noticed = place.reporter.noticed
        place.reporter.noticed = broken  # type: ignore[method-assign]
        place.say("exit", f"closing on at={place.clock.monotonic()} id=bug")
        await asyncio.sleep(0.1)

    async def test_a_passage_under_way_is_taken_up_again(self, until: Until) -> None:
        place = Place()
        async with Running(place) as running:
            place.vehicle("entry")
            await until(lambda: place.opened() == 1)
            await self.crash(place)
            await asyncio.sleep(3)
            assert running.given_up == []
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is PassageKnown.MEASURED)
        assert place.opened() == 1
        assert len(place.rows.decisions) == 1

    async def test_what_was_not_decided_comes_again_and_opens_if_it_is_fresh(
        self, until: Until
    ) -> None:
        place = Place()
        async with Running(place):
            place.store.before = lambda name: asyncio.sleep(2 if name == "plate_snapshot" else 0)
            place.vehicle("entry")
            await until(lambda: phase(place) == "deciding")
            place.store.before = None
            await self.crash(place)
            await until(lambda: len(place.rows.decisions) == 1)
            await asyncio.sleep(10)
            # The loop's report was settled before the crash, and nobody knows it any more.
            assert unsettled(place) == []
        assert place.opened() <= 1

    async def test_after_a_long_crash_nothing_opens(self, until: Until) -> None:
        place = Place()
        async with Running(place):
            place.store.before = failing("plate_snapshot")
            place.settler.settle = lambda *_: None  # type: ignore[method-assign]
            place.vehicle("entry")
            await until(lambda: len(place.delivered) == 2)
        await asyncio.sleep(60)
        place.store.before = None
        successor = Place(store=place.store, rows=place.rows)
        async with Running(successor):
            await until(lambda: len(place.rows.decisions) == 1)
            await asyncio.sleep(1)
        assert [row.reason for row in place.rows.decisions.values()] == [DenyReason.READ_TOO_OLD]
        assert (place.opened(), successor.opened()) == (0, 0)
        assert unsettled(place) == []

    async def test_a_row_handed_over_twice_counts_once(self, until: Until) -> None:
        place = Place()
        asked = 0

        async def count(name: str) -> None:
            nonlocal asked
            asked += name == "plate_snapshot"

        place.store.before = count
        async with Running(place):
            place.vehicle("exit")
            await until(lambda: len(place.rows.decisions) == 1)
            await asyncio.sleep(60)  # past the time in which the lane would fold the plate
            for message in list(place.delivered):
                await place.facility.offer(message)
            await asyncio.sleep(1)
        assert asked == 1
        assert len(place.rows.decisions) == 1

    async def test_poison_is_settled_and_the_rest_goes_on(
        self, until: Until, log_events: Events
    ) -> None:
        place = Place()
        async with Running(place):
            await self.crash(place)
            await asyncio.sleep(3)
            place.vehicle("entry")
            await until(lambda: place.opened() == 1)
            await asyncio.sleep(1)
        outcomes = [event.outcome for event in place.rows.events.values()]
        assert outcomes[0] is Outcome.FAILED
        assert unsettled(place) == []
        assert "facility.message_failed" in {event["event"] for event in log_events}

    async def test_fenced_out_it_stops_for_good(self, until: Until) -> None:
        place = Place()
        async with Running(place) as running:
            place.rows.fence = 2
            place.vehicle("entry")
            await until(lambda: bool(running.fenced_out))
            await asyncio.sleep(5)
        assert place.opened() == 0
        assert stays(place) == []


async def test_stopping_finishes_what_was_begun(until: Until) -> None:
    place = Place()
    place.store.before = lambda name: asyncio.sleep(0.5)
    async with Running(place):
        await asyncio.sleep(2)
        place.vehicle("entry")
        await until(lambda: len(place.acknowledged) == 2)
    assert len(place.rows.decisions) == 1
    assert unsettled(place) == []


async def test_an_event_for_a_lane_that_is_not_there_is_ignored() -> None:
    place = Place()
    async with Running(place) as running:
        stranger = LaneId(UUID(int=0x99))
        await place.facility.offer(
            ForLane(stranger, CommandEnded(CommandId(UUID(int=1)), CommandStatus.FAILED))
        )
        await asyncio.sleep(1)
        assert running.given_up == []


class TestPayment:
    """An exit that waits for the payment."""

    async def test_who_pays_at_the_exit_leaves_without_a_new_read(self, until: Until) -> None:
        place = Place(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT))
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is not None)
            await asyncio.sleep(3600)
            (stay,) = stays(place)

            place.vehicle("exit")
            await until(lambda: phase(place, "exit") == "awaiting_payment")
            await until(lambda: len(place.rows.asked) == 1)
            due = place.rows.asked[0].due
            assert due.amount > 0
            assert place.opened("exit") == 0

            place.rows.paid[stay.id] = due.amount / 2
            await until(lambda: len(place.rows.asked) == 2)
            assert place.rows.asked[1].due.amount == due.amount / 2
            first, rest = (row.command for row in place.rows.asked)
            assert first is not None
            assert first.text == f"Please pay\n{due}"
            assert rest is not None
            assert rest.text == f"Still to pay\n{place.rows.asked[1].due}"

            place.rows.paid[stay.id] = due.amount
            await until(lambda: place.opened("exit") == 1)
            place.passes("exit")
            await until(lambda: stay.exit_known is PassageKnown.MEASURED)
        assert unsettled(place) == []
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [GrantReason.TRANSIENT, GrantReason.STAY_OPEN]

    async def test_a_terminals_payment_opens_at_once(
        self, until: Until, log_events: Events
    ) -> None:
        # It would look by itself only when the test is long over.
        place = Place(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT, payment_look_seconds=9e6))
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is not None)
            await asyncio.sleep(3600)
            place.vehicle("exit")
            await until(lambda: len(place.rows.asked) == 1)
            for ticket, amount in (
                (stays(place)[0].ticket, place.rows.asked[0].due.amount),
                ("?", 1),
            ):
                place.pay(ticket, str(amount))
            await until(lambda: place.opened("exit") == 1)
            await until(lambda: unsettled(place) == [])
        outcomes = [(e["event"], e["outcome"]) for e in log_events if e["event"].startswith("pay")]
        assert outcomes == [("payment.taken", "paid"), ("payment.refused", "booking_unknown")]

    async def test_a_payment_whose_commit_was_not_answered_opens_all_the_same(
        self, until: Until, log_events: Events
    ) -> None:
        place = Place(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT, payment_look_seconds=9e6))
        take_payment = place.store.take_payment

        async def commits_and_breaks(
            facility: FacilityId, fence: Fence, event: EventId, payment: PaymentTaken
        ) -> PaymentTakenAnswer:
            await take_payment(facility, fence, event, payment)
            place.store.take_payment = take_payment  # type: ignore[method-assign]
            raise StoreError("connection lost", retryable=True)

        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is not None)
            await asyncio.sleep(3600)
            place.vehicle("exit")
            await until(lambda: len(place.rows.asked) == 1)
            place.store.take_payment = commits_and_breaks  # type: ignore[method-assign]
            place.pay(stays(place)[0].ticket, str(place.rows.asked[0].due.amount))
            await until(lambda: place.opened("exit") == 1)
        outcomes = [(e["event"], e["outcome"]) for e in log_events if e["event"].startswith("pay")]
        assert outcomes == [("payment.taken", "paid")]

    async def test_a_payment_that_a_crash_left_behind_is_taken_at_the_next_start(
        self, until: Until
    ) -> None:
        place = Place()
        await place.store.append_events(place.setup.id, place.fence, [place.payment_row("T1")])
        async with Running(place):
            await until(lambda: unsettled(place) == [])

    async def test_who_backs_off_unpaid_is_denied_and_stays(self, until: Until) -> None:
        place = Place(policy=LanePolicy(unpaid_exit=UnpaidExit.WAIT))
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is not None)
            await asyncio.sleep(3600)
            place.vehicle("exit")
            await until(lambda: phase(place, "exit") == "awaiting_payment")
            place.say("exit", f"presence off at={place.clock.monotonic()} id=off")
            await until(lambda: phase(place, "exit") == "idle")
            await until(lambda: unsettled(place) == [])
        reasons = [row.reason for row in place.rows.decisions.values()]
        assert reasons == [GrantReason.TRANSIENT, DenyReason.PAYMENT_DUE]
        assert stays(place)[0].status == "ACTIVE"


async def test_a_misread_plate_leaves_by_its_own_stay(until: Until) -> None:
    place = Place(policy=LanePolicy(match_distance_max=1))
    async with Running(place):
        place.vehicle("entry", Plate("HHA81234"))
        await until(lambda: place.opened("entry") == 1)
        place.passes("entry")
        await until(lambda: stays(place)[0].entry_known is not None)
        place.vehicle("exit", Plate("HHAB1234"))
        await until(lambda: place.opened("exit") == 1)
        place.passes("exit")
        await until(lambda: stays(place)[0].exit_known is PassageKnown.MEASURED)
    assert unsettled(place) == []


class TestNotices:
    async def test_they_are_kept_in_their_turn(self, until: Until) -> None:
        place = Place()
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened() == 1)
            # The command is never answered, the vehicle stays where it is, and nobody reads it.
            await until(lambda: [note.name for note in place.rows.notes.values()] != [])
            (note,) = place.rows.notes.values()
            lane = place.setup.lanes[0].id
            assert (note.name, note.lane, note.event) == ("intercom_call", lane, None)

    async def test_one_that_is_told_again_is_the_same(self, until: Until) -> None:
        place = Place()
        async with Running(place):
            place.say("exit", f"closing on at={place.clock.monotonic()} id=1")
            await until(lambda: len(place.rows.notes) == 1)
            (note,) = place.rows.notes.values()
            event = next(iter(place.rows.events))
            assert (note.name, note.event) == ("passage_without_grant", event)
        # The row was not marked as done when the power went.
        place.rows.events[event].status = EventStatus.NEW
        again = Place(store=place.store, rows=place.rows)
        async with Running(again):
            await until(lambda: again.rows.events[event].status is not EventStatus.NEW)
            assert list(again.rows.notes) == [note.id]
