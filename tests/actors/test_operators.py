"""Operators' requests, from the inbox to the answer: each is answered, and none opens late."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from gated.core.effects import Do, Outcome, PassageKnown
from gated.core.errors import StoreError
from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import FacilityId, Fence, LaneId
from gated.core.plates import Plate
from gated.core.site import LanePolicy, UnpaidExit
from gated.core.snapshot import FacilityMode, LaneMode, Modes
from gated.operations import MatchAnswer, MatchRequest, OperateAnswer, OperateRequest
from gated.records import EventStatus
from tests.actors.conftest import Events, Until
from tests.actors.support import ENTRY, EXIT, OTHER_CAR, Place, Words
from tests.actors.test_facility import Running, phase, stays, unsettled
from tests.fakes.operations import FakeOperator

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

NEAR = Plate("HHA81234")  # of the car that is inside, an 8 for the B
EVERYTHING = Words(does=frozenset(Do))


def booth(*permissions: str, policy: LanePolicy | None = None, codec: Words = EVERYTHING) -> Place:
    """A place where Ada may do that; all of it, where nothing is said."""
    place = Place(policy=policy, codec=codec)
    ada = FakeOperator(frozenset(permissions), everything=not permissions)
    place.rows.operations.operators["ada"] = ada
    return place


def commands(place: Place) -> list[tuple[LaneId, Do]]:
    return [(row.command.lane, row.command.do) for row in place.rows.commands.values()]


def outcomes(place: Place) -> list[tuple[OperatorDo, OperateOutcome]]:
    return [(act.do, act.outcome) for act in place.rows.operations.acts]


def leaks(place: Place) -> dict[tuple[str, str], float]:
    (family,) = [
        one
        for one in place.metrics.registry.collect()
        if one.name == "gated_openings_without_transaction"
    ]
    return {
        (sample.labels["lane"], sample.labels["why"]): sample.value for sample in family.samples
    }


class TestLanes:
    async def test_an_opening_by_hand_is_done_answered_and_counted(
        self, until: Until, log_events: Events
    ) -> None:
        place = booth("open")
        async with Running(place):
            place.ask("open", lane="entry", id=7)
            await until(lambda: place.opened("entry") == 1)
            await until(lambda: place.shown.answers == [("ada", 7, None)])
        assert commands(place) == [(ENTRY, Do.OPEN)]
        assert leaks(place) == {("entry", "operator_open"): 1}
        assert unsettled(place) == []
        (done,) = [e for e in log_events if e["event"] == "operator.done"]
        assert (done["operator"], done["lane"], done["reason"]) == ("ada", "entry", "delivery")

    async def test_a_lane_is_held_and_released(self, until: Until) -> None:
        place = booth("operate")
        async with Running(place):
            place.ask("hold", lane="exit", id=1)
            await until(lambda: len(place.shown.answers) == 1)
            assert place.rows.operations.lanes == {EXIT: LaneMode.HELD}
            place.ask("release", lane="exit", id=2)
            await until(lambda: len(place.shown.answers) == 2)
        assert place.shown.answers == [("ada", 1, None), ("ada", 2, None)]
        assert commands(place) == [(EXIT, Do.HOLD), (EXIT, Do.RELEASE)]
        assert leaks(place) == {("exit", "operator_hold"): 1}

    async def test_a_refusal_says_what_was_needed_and_what_there_is(self, until: Until) -> None:
        place = booth("operate", "match")
        async with Running(place):
            for number, (do, lane) in enumerate(
                [("open", "nowhere"), ("release", "entry"), ("match", "exit")]
            ):
                place.ask(do, lane=lane, id=number, ticket="0000017" if do == "match" else None)
                await until(lambda number=number: len(place.shown.answers) == number + 1)  # type: ignore[misc]
            place.ask("open", lane="entry", id=7, at="2026-05-04T07:29:50Z")
            await until(lambda: len(place.shown.answers) == 4)
        assert place.shown.details == [
            "the facility has no such lane: it has entry, exit",
            "a lane is needed that is held: this one is idle, in_service",
            (
                "a vehicle is needed that waits at an exit to be matched: this one is idle,"
                " in_service"
            ),
            "asked more than 5 s ago, or by a clock that is wrong",
        ]

    @pytest.mark.parametrize(
        ("asks", "error"),
        [
            ({"user": "eve"}, "user_unknown"),
            ({"do": "hold"}, "not_permitted"),
            ({"reason": " "}, "reason_missing"),
            ({"reason": None}, "reason_missing"),
            ({"lane": None}, "lane_missing"),
            ({"lane": "nowhere"}, "lane_unknown"),
            ({"at": "2026-05-04T07:29:50Z"}, "too_old"),
        ],
    )
    async def test_a_refusal_is_recorded_and_answered_and_opens_nothing(
        self, until: Until, log_events: Events, asks: dict[str, str], error: str
    ) -> None:
        place = booth("open")
        asked = {"do": "open", "lane": "entry", **asks}
        async with Running(place):
            place.ask(asked.pop("do"), **asked)  # type: ignore[arg-type]
            await until(lambda: bool(place.shown.answers))
            await until(lambda: unsettled(place) == [])
        assert place.shown.answers == [(asks.get("user", "ada"), "1", error)]
        assert commands(place) == []
        assert leaks(place) == {}
        (event,) = place.rows.events.values()
        assert (event.outcome, event.error) == (Outcome.REFUSED, error)
        assert [e["outcome"] for e in log_events if e["event"] == "operator.refused"] == [error]

    async def test_a_barrier_that_cannot_do_it_is_not_asked(self, until: Until) -> None:
        place = booth("operate", codec=Words())
        async with Running(place):
            place.ask("hold", lane="entry")
            await until(lambda: bool(place.shown.answers))
        assert place.shown.answers == [("ada", "1", "not_supported")]
        assert outcomes(place) == [(OperatorDo.HOLD, OperateOutcome.NOT_SUPPORTED)]
        assert (commands(place), place.rows.operations.lanes) == ([], {})

    async def test_what_waited_while_nobody_listened_opens_nothing(self, until: Until) -> None:
        """It states no time, and the broker had kept the session."""
        place = booth("open")
        async with Running(place):
            place.backlog.linked(session_present=True)
            place.ask("open", lane="entry", id=1, at=None)
            await until(lambda: place.shown.answers == [("ada", 1, "undated")])
            # One that says when is told apart; and so is all that comes later.
            place.ask("open", lane="entry", id=2)
            await until(lambda: place.shown.answers[1:] == [("ada", 2, None)])
            await asyncio.sleep(10)
            place.ask("open", lane="entry", id=3, at=None)
            await until(lambda: place.shown.answers[2:] == [("ada", 3, None)])
        assert len(commands(place)) == 2

    async def test_a_request_whose_turn_comes_too_late_opens_nothing(self, until: Until) -> None:
        place = booth("open")

        async def slow(name: str) -> None:
            if name == "operate":
                await asyncio.sleep(4)

        place.store.before = slow
        async with Running(place):
            for number in range(3):
                place.ask("open", lane="entry", id=number)
            await until(lambda: len(place.shown.answers) == 3)
        assert place.shown.answers == [
            ("ada", 0, None),
            ("ada", 1, None),
            ("ada", 2, "too_old"),
        ]

    async def test_an_answer_that_was_lost_is_found_out(self, until: Until) -> None:
        place = booth("open")
        operate = place.store.operate

        async def commits_and_breaks(
            facility: FacilityId, fence: Fence, request: OperateRequest
        ) -> OperateAnswer:
            await operate(facility, fence, request)
            place.store.operate = operate  # type: ignore[method-assign]
            raise StoreError("connection lost", retryable=True)

        place.store.operate = commits_and_breaks  # type: ignore[method-assign]
        async with Running(place):
            place.ask("open", lane="entry")
            await until(lambda: place.opened("entry") == 1)
            await until(lambda: place.shown.answers == [("ada", "1", None)])
        assert len(commands(place)) == 1

    async def test_a_database_that_is_away_is_said_and_opens_nothing(self, until: Until) -> None:
        place = booth("open")
        away = True

        async def before(name: str) -> None:
            if away and name == "operate":
                raise StoreError("away", retryable=True)

        place.store.before = before
        async with Running(place):
            place.ask("open", lane="entry")
            await asyncio.sleep(1)
            away = False
            await until(lambda: place.shown.answers == [("ada", "1", "failed")])
        assert commands(place) == []


class TestRepetition:
    async def test_the_same_request_is_done_once_and_answered_twice(self, until: Until) -> None:
        place = booth("open")
        async with Running(place):
            place.ask("open", lane="entry", id=7)
            await until(lambda: len(place.shown.answers) == 1)
            place.ask("open", lane="entry", id=7, reason="again")
            await until(lambda: len(place.shown.answers) == 2)
            place.ask("open", lane="entry", id=7, user="eve")
            await until(lambda: len(place.shown.answers) == 3)
            place.ask("open", lane="entry", id=7, user="eve")
            await until(lambda: len(place.shown.answers) == 4)
        assert place.shown.answers == [
            ("ada", 7, None),
            ("ada", 7, None),
            ("eve", 7, "user_unknown"),
            ("eve", 7, "user_unknown"),
        ]
        assert len(commands(place)) == 1

    async def test_a_retained_request_is_dropped_and_counted(self, until: Until) -> None:
        place = booth("open")
        async with Running(place):
            place.ask("open", lane="entry", retain=True)
            await until(lambda: bool(place.acknowledged))
            await asyncio.sleep(1)
        (event,) = place.rows.events.values()
        assert event.status is EventStatus.DROPPED
        assert (commands(place), place.shown.answers) == ([], [])
        dropped = place.metrics.registry.get_sample_value(
            "gated_inbox_messages_total",
            {"facility": "north", "kind": "operator", "status": "dropped"},
        )
        assert dropped == 1

    async def test_what_cannot_be_understood_is_answered_by_its_id(self, until: Until) -> None:
        place = booth("open")
        async with Running(place):
            place.ask("explode", lane="entry", id="x")
            place.ask("open", lane="entry", id=None)
            await until(lambda: len(place.acknowledged) == 2)
            await asyncio.sleep(1)
        assert place.shown.answers == [("ada", "x", "bad_request")]
        assert {e.status for e in place.rows.events.values()} == {EventStatus.QUARANTINED}
        assert commands(place) == []

    async def test_what_comes_while_the_facility_starts_is_done_and_answered_once(
        self, until: Until, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = booth("open")
        modes = place.store.modes

        async def slow(facility: FacilityId) -> Modes:
            await asyncio.sleep(1)
            return await modes(facility)

        monkeypatch.setattr(place.store, "modes", slow)
        async with Running(place):
            # Stored, and waiting in the mailbox, before the lanes are taken up from the inbox.
            place.ask("open", lane="entry", id=7)
            await until(lambda: place.opened("entry") == 1)
            await until(lambda: unsettled(place) == [])
            await asyncio.sleep(5)
        assert place.shown.answers == [("ada", 7, None)]
        assert outcomes(place) == [(OperatorDo.OPEN, OperateOutcome.DONE)]

    async def test_what_a_crash_left_behind_opens_nothing_and_is_answered(
        self, until: Until
    ) -> None:
        place = booth("open", "pay")
        async with Running(place):
            place.vehicle("entry")
            await until(lambda: place.opened("entry") == 1)
            place.passes("entry")
            await until(lambda: stays(place)[0].entry_known is not None)
        (stay,) = stays(place)
        for number, (do, says) in enumerate(
            [
                ("open", {"lane": "entry"}),
                ("pay", {"ticket": stay.ticket, "amount": "2.50", "currency": "EUR"}),
                ("hold", {"lane": "entry", "reason": ""}),
            ]
        ):
            said = place.ask(do, id=number, **says)  # type: ignore[arg-type]
            row = place.operator_row(said)
            await place.store.append_events(place.setup.id, place.fence, [row])
        await asyncio.sleep(60)
        later = Place(store=place.store, rows=place.rows, codec=EVERYTHING)
        async with Running(later):
            await until(lambda: len(later.shown.answers) == 3)
            await until(lambda: unsettled(later) == [])
        assert sorted(later.shown.answers) == [
            ("ada", 0, "too_old"),
            ("ada", 1, None),
            ("ada", 2, "reason_missing"),
        ]
        assert later.opened("entry") == 0
        # Money that was taken counts, however late.
        assert place.rows.paid == {stay.id: Decimal("2.50")}


async def inside(place: Place, until: Until) -> None:
    """A vehicle comes in and stays an hour."""
    place.vehicle("entry")
    await until(lambda: place.opened("entry") == 1)
    place.passes("entry")
    await until(lambda: stays(place)[0].entry_known is not None)
    await asyncio.sleep(3600)


class TestMoney:
    @pytest.mark.parametrize("do", ["pay", "waive"])
    async def test_who_has_paid_by_hand_or_need_not_leaves_at_once(
        self, until: Until, do: str
    ) -> None:
        # It would look by itself only when the test is long over.
        waits = LanePolicy(unpaid_exit=UnpaidExit.WAIT, payment_look_seconds=9e6)
        place = booth(do, policy=waits)
        async with Running(place):
            await inside(place, until)
            place.vehicle("exit")
            await until(lambda: len(place.rows.asked) == 1)
            (stay,) = stays(place)
            due = place.rows.asked[0].due
            says = {"amount": str(due.amount), "currency": due.currency} if do == "pay" else {}
            place.ask(do, ticket=stay.ticket, **says)  # type: ignore[arg-type]
            await until(lambda: place.opened("exit") == 1)
            place.passes("exit")
            await until(lambda: stay.exit_known is PassageKnown.MEASURED)
        assert place.shown.answers == [("ada", "1", None)]
        assert stay.price is not None
        assert stay.price.amount == (due.amount if do == "pay" else 0)
        # A transaction stands behind this opening.
        assert leaks(place) == {}

    @pytest.mark.parametrize(
        ("says", "error"),
        [
            ({"ticket": "NOBODYS"}, "booking_unknown"),
            ({"amount": "99.00", "currency": "EUR"}, "amount_invalid"),
            ({"amount": "1.00", "currency": "SEK"}, "currency_mismatch"),
            ({"amount": "1.00"}, "amount_missing"),
            ({"ticket": None}, "stay_missing"),
        ],
    )
    async def test_a_waiver_that_cannot_be_is_answered(
        self, until: Until, says: dict[str, object], error: str
    ) -> None:
        place = booth("waive")
        async with Running(place):
            await inside(place, until)
            place.ask("waive", **{"ticket": stays(place)[0].ticket, **says})  # type: ignore[arg-type]
            await until(lambda: place.shown.answers == [("ada", "1", error)])
        assert place.rows.operations.waived == {}


class TestFacility:
    async def test_an_evacuation_is_told_to_every_lane_and_answered_once(
        self, until: Until
    ) -> None:
        place = booth("evacuate", "resume")
        async with Running(place):
            place.ask("evacuate", id=1)
            await until(lambda: place.rows.operations.mode is FacilityMode.EVACUATION)
            await until(lambda: len(place.shown.answers) == 1)
            await until(lambda: commands(place) == [(EXIT, Do.HOLD)])
            assert (phase(place, "exit"), phase(place, "entry")) == ("held", "closed")
            place.ask("resume", id=2)
            await until(lambda: len(place.shown.answers) == 2)
            await until(lambda: unsettled(place) == [])
            await until(lambda: phase(place, "entry") == "idle")
        assert commands(place) == [(EXIT, Do.HOLD), (EXIT, Do.RELEASE)]
        assert leaks(place) == {("exit", "evacuation"): 1}
        assert place.rows.operations.mode is FacilityMode.NORMAL
        assert place.shown.answers == [("ada", 1, None), ("ada", 2, None)]

    async def test_an_old_evacuation_is_not_begun(self, until: Until) -> None:
        place = booth("evacuate")
        old = place.clock.now() - timedelta(seconds=6)
        async with Running(place):
            place.ask("evacuate", at=old.isoformat())
            await until(lambda: place.shown.answers == [("ada", "1", "too_old")])
        assert place.rows.operations.mode is FacilityMode.NORMAL

    async def test_a_match_lets_out_whom_the_operator_means(self, until: Until) -> None:
        place = booth("match")
        async with Running(place):
            await inside(place, until)
            (stay,) = stays(place)
            place.vehicle("exit", OTHER_CAR)
            await until(lambda: phase(place, "exit") == "denied")
            place.ask("match", lane="exit", ticket=stay.ticket)
            await until(lambda: place.opened("exit") == 1)
            place.passes("exit")
            await until(lambda: stay.exit_known is PassageKnown.MEASURED)
            await until(lambda: unsettled(place) == [])
        assert place.shown.answers == [("ada", "1", None)]
        assert place.rows.operations.matched == {stay.id: "ada"}
        assert leaks(place) == {}

    @pytest.mark.parametrize(
        ("says", "error"),
        [
            ({"ticket": "NOBODYS"}, "booking_unknown"),
            ({"user": "eve"}, "user_unknown"),
            ({"lane": "entry"}, "not_now"),
        ],
    )
    async def test_a_match_that_cannot_be_opens_nothing(
        self, until: Until, says: dict[str, str], error: str
    ) -> None:
        place = booth("match")
        async with Running(place):
            await inside(place, until)
            place.vehicle("exit", OTHER_CAR)
            await until(lambda: phase(place, "exit") == "denied")
            asked = {"lane": "exit", "ticket": stays(place)[0].ticket, **says}
            place.ask("match", **asked)  # type: ignore[arg-type]
            await until(lambda: place.shown.answers == [(says.get("user", "ada"), "1", error)])
            await until(lambda: unsettled(place) == [])
        assert place.opened("exit") == 0

    async def test_a_match_whose_answer_was_lost_lets_out_all_the_same(self, until: Until) -> None:
        place = booth("match")
        match_stay = place.store.match_stay

        async def commits_and_breaks(
            facility: FacilityId, fence: Fence, request: MatchRequest
        ) -> MatchAnswer:
            await match_stay(facility, fence, request)
            place.store.match_stay = match_stay  # type: ignore[method-assign]
            raise StoreError("connection lost", retryable=True)

        async with Running(place):
            await inside(place, until)
            place.vehicle("exit", OTHER_CAR)
            await until(lambda: phase(place, "exit") == "denied")
            place.store.match_stay = commits_and_breaks  # type: ignore[method-assign]
            place.ask("match", lane="exit", ticket=stays(place)[0].ticket)
            await until(lambda: place.opened("exit") == 1)
        assert place.shown.answers == [("ada", "1", None)]

    async def test_a_match_without_a_stay_is_answered_with_those_that_are_near(
        self, until: Until, log_events: Events
    ) -> None:
        place = booth("match")
        async with Running(place):
            await inside(place, until)
            place.vehicle("exit", NEAR)
            await until(lambda: phase(place, "exit") == "denied")
            place.ask("match", lane="exit", id=1)
            await until(lambda: place.shown.answers == [("ada", 1, "stay_missing")])
            ((near,),) = place.shown.near
            (stay,) = stays(place)
            assert (near.stay.id, near.stay.plate, near.distance) == (stay.id, stay.plate, 1)
            told = f"it may be {stay.plate} (confusable_one)"
            assert place.shown.details[0].endswith(f"its plate: {told}")
            # Answered once more, as after a lost answer, it says the same; and to nobody else.
            place.ask("match", lane="exit", id=1)
            await until(lambda: len(place.shown.answers) == 2)
            assert place.shown.answers[1] == ("ada", 1, "stay_missing")
            assert (place.shown.near[1], place.shown.details[1]) == (
                (near,),
                place.shown.details[0],
            )
            for count in (3, 4):
                place.ask("match", lane="exit", id=1, user="eve")
                await until(lambda count=count: len(place.shown.answers) == count)  # type: ignore[misc]
            assert place.shown.answers[2:] == [("eve", 1, "user_unknown")] * 2
            assert place.shown.near[2:] == [(), ()]
            await until(lambda: unsettled(place) == [])
            place.ask("match", lane="exit", id=2, stay=str(near.stay.id))
            await until(lambda: place.opened("exit") == 1)
        assert outcomes(place) == [
            (OperatorDo.MATCH, OperateOutcome.STAY_MISSING),
            (OperatorDo.MATCH, OperateOutcome.USER_UNKNOWN),
            (OperatorDo.MATCH, OperateOutcome.DONE),
        ]
        refused, _ = [e for e in log_events if e["event"] == "operator.refused"]
        assert str(stay.plate) not in str(refused)
        assert leaks(place) == {}

    @pytest.mark.parametrize(
        ("permissions", "lane", "error"),
        [
            (("operate",), "exit", "not_permitted"),
            # Nobody stands at the one; nobody is matched at the other.
            (("match",), "exit", "stay_missing"),
            (("match",), "entry", "stay_missing"),
        ],
    )
    async def test_without_the_right_or_without_a_vehicle_nobody_is_named(
        self, until: Until, permissions: tuple[str, ...], lane: str, error: str
    ) -> None:
        place = booth(*permissions)
        async with Running(place):
            await inside(place, until)
            if error == "not_permitted":
                place.vehicle("exit", NEAR)
                await until(lambda: phase(place, "exit") == "denied")
            place.ask("match", lane=lane)
            await until(lambda: place.shown.answers == [("ada", "1", error)])
            await until(lambda: unsettled(place) == [])
        assert place.shown.near == [()]
        assert str(stays(place)[0].plate) not in place.shown.details[0]

    @pytest.mark.parametrize("do", ["open", "match", "evacuate"])
    async def test_what_the_database_held_up_opens_nothing_afterwards(
        self, until: Until, do: str
    ) -> None:
        place = booth()
        away = True

        async def before(name: str) -> None:
            if away and name in ("operate", "match_stay", "set_facility_mode", "settle_events"):
                raise StoreError("away", retryable=True)

        async with Running(place):
            await inside(place, until)
            place.vehicle("exit", OTHER_CAR)
            await until(lambda: phase(place, "exit") == "denied")
            place.store.before = before
            says = {} if do == "evacuate" else {"lane": "exit"}
            if do == "match":
                says["ticket"] = stays(place)[0].ticket
            place.ask(do, **says)  # type: ignore[arg-type]
            await asyncio.sleep(60)
            away = False
            await until(lambda: len(place.shown.answers) == 1)
            await until(lambda: unsettled(place) == [])
        ((_, _, error),) = place.shown.answers
        assert error == ("too_old" if do == "match" else "failed")
        assert place.opened("exit") == 0
        assert place.rows.operations.mode is FacilityMode.NORMAL

    async def test_nobody_stands_there_to_be_matched(self, until: Until) -> None:
        place = booth("match")
        async with Running(place):
            await inside(place, until)
            place.ask("match", lane="exit", ticket=stays(place)[0].ticket)
            await until(lambda: place.shown.answers == [("ada", "1", "not_now")])
            await until(lambda: unsettled(place) == [])
        assert outcomes(place) == [(OperatorDo.MATCH, OperateOutcome.NOT_NOW)]

    async def test_a_request_that_cannot_be_written_stops_nobody(self, until: Until) -> None:
        place = booth()

        async def before(name: str) -> None:
            if name == "set_facility_mode":
                raise StoreError("no such function", retryable=False)

        place.store.before = before
        async with Running(place) as running:
            place.ask("evacuate", id=1)
            await until(lambda: place.shown.answers == [("ada", 1, "failed")])
            place.ask("open", lane="entry", id=2)
            await until(lambda: place.opened("entry") == 1)
            await until(lambda: unsettled(place) == [])
            assert not any(running.restarts.values())
