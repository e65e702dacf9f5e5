"""What operators do, on every store: rights, reasons, modes, matches, waivers, payments by hand."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.effects import Do
from gated.core.errors import FencedOut
from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import CommandId, EventId, Fence, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import FacilityMode, LaneMode, Matched
from gated.operations import (
    MatchRequest,
    ModeRequest,
    MoneyAnswer,
    OperateAnswer,
    OperateRequest,
    PayRequest,
    RefuseRequest,
    WaiveRequest,
)
from gated.records import Command
from tests.db.site import NOW, Gate, message
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ADA = "ada"
PLATE = "OPS123"


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@dataclass(frozen=True, slots=True)
class Booth:
    """A facility, and Ada who may do what a test says she may."""

    bench: Bench
    gate: Gate
    ada: UUID

    @property
    def key(self) -> tuple[Any, Fence]:
        return self.gate.site.id, self.gate.fence

    async def asked(self, do: OperatorDo, at: datetime = NOW, **changes: Any) -> OperateRequest:
        """A request about the entry lane, with its command where it has one."""
        lane = self.gate.site.entry
        event = await self.gate.happened(lane, at)
        request = OperateRequest(event, lane, ADA, do, "delivery van", at)
        barrier = {
            OperatorDo.OPEN: Do.OPEN,
            OperatorDo.HOLD: Do.HOLD,
            OperatorDo.RELEASE: Do.RELEASE,
        }
        if do in barrier:
            request = replace(request, command=self.command(event, barrier[do], at))
        return replace(request, **changes)

    def command(self, event: EventId, do: Do, at: datetime) -> Command:
        return Command(
            id=CommandId(uuid4()),
            lane=self.gate.site.entry,
            device=self.gate.site.device(self.gate.site.entry),
            do=do,
            reason="operator",
            event=event,
            fence=self.gate.fence,
            issued_at=at,
            expires_at=at + timedelta(seconds=3),
        )

    async def operate(self, do: OperatorDo, at: datetime = NOW, **changes: Any) -> OperateAnswer:
        request = await self.asked(do, at, **changes)
        return await self.bench.store.operate(*self.key, request)

    async def set_mode(self, mode: FacilityMode, at: datetime = NOW, user: str | None = ADA) -> Any:
        event = await self.gate.happened(self.gate.site.entry, at)
        request = ModeRequest(event, mode, user, "fire alarm", at)
        return event, await self.bench.store.set_facility_mode(*self.key, request)

    async def match(self, at: datetime = NOW + HOUR, **changes: Any) -> tuple[MatchRequest, Any]:
        lane = self.gate.site.exit
        event = await self.gate.happened(lane, at)
        request = MatchRequest(event, lane, ADA, "mud on the plate", at)
        request = replace(request, **changes)
        return request, await self.bench.store.match_stay(*self.key, request)

    async def waive(self, at: datetime = NOW + 30 * MINUTE, **changes: Any) -> MoneyAnswer:
        event = await self.gate.happened(self.gate.site.exit, at)
        request = WaiveRequest(event, uuid4(), ADA, "machine broken", at)
        return await self.bench.store.waive(*self.key, replace(request, **changes))

    async def pay(self, at: datetime = NOW + 30 * MINUTE, **changes: Any) -> MoneyAnswer:
        event = await self.gate.happened(self.gate.site.exit, at)
        request = PayRequest(
            event=event,
            payment=uuid4(),
            user=ADA,
            reason="paid at the booth",
            at=at,
            amount=Decimal("2.50"),
            currency="EUR",
            provider="CASH",
            txn=str(event),
            plate=Plate(PLATE),
        )
        return await self.bench.store.pay_by_hand(*self.key, replace(request, **changes))

    async def due(self, at: datetime) -> Money | None:
        snapshot = await self.bench.store.plate_snapshot(
            self.gate.site.id, Plate(PLATE), Direction.EXIT, at
        )
        return snapshot.due

    async def pending(self) -> int:
        return len(await self.bench.store.pending_events(self.gate.site.id, 100))


async def booth_of(bench: Bench, *permissions: str) -> Booth:
    gate = await bench.gate()
    user = await bench.user()
    await bench.employ(gate, user, *permissions, operator=ADA)
    return Booth(bench, gate, user)


O = OperateOutcome  # noqa: E741 - read as a word of its own in each line below

# ── acts on a lane ──────────────────────────────────────────────────────────────────────────


async def test_who_may_opens_once(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    request = await booth.asked(OperatorDo.OPEN)
    answer = await bench.store.operate(*booth.key, request)
    assert answer == OperateAnswer(O.DONE, booth.ada, LaneMode.IN_SERVICE)
    assert await bench.store.accepted_commands(booth.gate.site.id) == [request.command]
    assert await booth.pending() == 0


async def test_a_repeated_call_is_the_same_call(bench: Bench) -> None:
    booth = await booth_of(bench, "hold")
    request = await booth.asked(OperatorDo.HOLD)
    answers = [await bench.store.operate(*booth.key, request) for _ in range(2)]
    assert answers == [OperateAnswer(O.DONE, booth.ada, LaneMode.HELD)] * 2
    assert len(await bench.store.accepted_commands(booth.gate.site.id)) == 1


async def test_a_request_is_decided_once(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    request = await booth.asked(OperatorDo.OPEN)
    await bench.store.operate(*booth.key, request)
    later = NOW + timedelta(seconds=1)
    other = replace(request, at=later, command=booth.command(request.event, Do.OPEN, later))
    answer = await bench.store.operate(*booth.key, other)
    assert answer.outcome is O.EVENT_DONE
    assert await bench.store.accepted_commands(booth.gate.site.id) == [request.command]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"user": "eve"}, O.USER_UNKNOWN),
        ({"do": OperatorDo.HOLD}, O.NOT_PERMITTED),
        ({"reason": " \t"}, O.REASON_MISSING),
        # The broker's names are what they are: no other writing of one is the same.
        ({"user": "ADA"}, O.USER_UNKNOWN),
    ],
)
async def test_a_refusal_is_recorded_and_opens_nothing(
    bench: Bench, changes: dict[str, Any], outcome: OperateOutcome
) -> None:
    booth = await booth_of(bench, "open", "release")
    request = replace(await booth.asked(OperatorDo.OPEN), **changes)
    answers = [await bench.store.operate(*booth.key, request) for _ in range(2)]
    assert [answer.outcome for answer in answers] == [outcome] * 2
    assert answers[0].mode is LaneMode.IN_SERVICE
    assert await bench.store.accepted_commands(booth.gate.site.id) == []
    assert await booth.pending() == 0
    assert (await bench.store.modes(booth.gate.site.id)).lanes == {}


@pytest.mark.parametrize("do", [OperatorDo.OPEN, OperatorDo.HOLD, OperatorDo.LANE_CLOSE])
async def test_operate_is_the_right_to_all_acts_on_a_barrier(bench: Bench, do: OperatorDo) -> None:
    booth = await booth_of(bench, "operate")
    assert (await booth.operate(do)).outcome is O.DONE
    assert (await booth.set_mode(FacilityMode.EVACUATION))[1].outcome is O.NOT_PERMITTED
    assert (await booth.pay()).outcome is O.NOT_PERMITTED
    assert (await booth.waive()).outcome is O.NOT_PERMITTED


async def test_a_lane_keeps_its_mode_until_the_act_that_ends_it(bench: Bench) -> None:
    booth = await booth_of(bench, "operate")
    expected = [
        (OperatorDo.HOLD, LaneMode.HELD),
        (OperatorDo.OPEN, LaneMode.HELD),
        (OperatorDo.RELEASE, LaneMode.IN_SERVICE),
        (OperatorDo.RELEASE, LaneMode.IN_SERVICE),
        (OperatorDo.LANE_CLOSE, LaneMode.CLOSED),
        (OperatorDo.RELEASE, LaneMode.CLOSED),
        (OperatorDo.LANE_OPEN, LaneMode.IN_SERVICE),
        (OperatorDo.LANE_CLOSE, LaneMode.CLOSED),
        (OperatorDo.HOLD, LaneMode.HELD),
        (OperatorDo.LANE_OPEN, LaneMode.IN_SERVICE),
        (OperatorDo.HOLD, LaneMode.HELD),
    ]
    seen = []
    for number, (do, _) in enumerate(expected):
        answer = await booth.operate(do, NOW + number * MINUTE)
        seen.append((do, answer.mode))
    assert seen == expected
    modes = await bench.store.modes(booth.gate.site.id)
    assert modes.lanes == {booth.gate.site.entry: LaneMode.HELD}
    ordered = modes.ordered[booth.gate.site.entry]
    assert (ordered.since, ordered.user) == (NOW + 10 * MINUTE, booth.ada)
    assert ordered.reason == "delivery van"


async def test_an_old_fence_operates_nothing(bench: Bench) -> None:
    booth = await booth_of(bench, "operate", "evacuate")
    request = await booth.asked(OperatorDo.OPEN)
    old = Fence(booth.gate.fence - 1)
    with pytest.raises(FencedOut):
        await bench.store.operate(booth.gate.site.id, old, request)
    mode = ModeRequest(request.event, FacilityMode.EVACUATION, ADA, "fire", NOW)
    with pytest.raises(FencedOut):
        await bench.store.set_facility_mode(booth.gate.site.id, old, mode)
    assert await booth.pending() == 1


async def test_what_the_daemon_refuses_is_settled_once(bench: Bench) -> None:
    booth = await booth_of(bench, "operate")
    lane = booth.gate.site.entry
    event = await booth.gate.happened(lane)
    request = RefuseRequest(event, lane, ADA, OperatorDo.OPEN, "delivery", O.TOO_OLD, NOW)
    assert await bench.store.refuse_operation(*booth.key, request)
    assert await bench.store.refuse_operation(*booth.key, request), "the same call"
    later = replace(request, at=NOW + MINUTE)
    assert not await bench.store.refuse_operation(*booth.key, later)
    assert await booth.pending() == 0


async def test_what_a_request_came_to_can_be_asked_again(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    outcomes = []
    for do in (OperatorDo.OPEN, OperatorDo.HOLD):
        row = replace(message(booth.gate.site, booth.gate.site.entry), device=None, lane=None)
        await bench.store.append_events(*booth.key, [row])
        before = await bench.store.operation_outcome(booth.gate.site.id, row.key)
        await bench.store.operate(*booth.key, replace(await booth.asked(do), event=row.id))
        outcomes += [before, await bench.store.operation_outcome(booth.gate.site.id, row.key)]
    assert outcomes == [None, O.DONE, None, O.NOT_PERMITTED]
    assert await bench.store.operation_outcome(booth.gate.site.id, "operator#eve#1") is None


async def test_an_entry_is_opened_for_a_reservation_and_an_exit_is_not(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    held = await bench.reserve(booth.gate, PLATE, NOW, NOW + 2 * HOUR)
    at_exit = await booth.operate(OperatorDo.OPEN, stay=held, lane=booth.gate.site.exit)
    assert (at_exit.outcome, at_exit.plate) == (O.BOOKING_ENDED, None)
    at_entry = await booth.operate(OperatorDo.OPEN, NOW + MINUTE, stay=held)
    assert (at_entry.outcome, at_entry.plate) == (O.DONE, Plate(PLATE))


async def test_opened_for_a_stay_it_is_looked_up_with_the_right_to_open(bench: Bench) -> None:
    booth = await booth_of(bench, "open")
    stay = await booth.gate.admitted(PLATE)
    found = await bench.store.plate_snapshot(
        booth.gate.site.id, Plate(PLATE), Direction.EXIT, NOW + MINUTE
    )
    assert found.open_stay is not None
    ticket = found.open_stay.ticket
    known = [
        await booth.operate(OperatorDo.OPEN, NOW + MINUTE, stay=stay),
        await booth.operate(OperatorDo.OPEN, NOW + 2 * MINUTE, ticket=ticket),
    ]
    assert [(one.outcome, one.plate) for one in known] == [(O.DONE, Plate(PLATE))] * 2
    elsewhere = await bench.gate()
    other = await elsewhere.admitted("ELSE1")
    refused = []
    for named in ({"ticket": "T-UNKNOWN"}, {"stay": StayId(uuid4())}, {"stay": other}):
        asked = await booth.asked(OperatorDo.OPEN, NOW + 3 * MINUTE, **named)
        answer = await bench.store.operate(*booth.key, asked)
        assert await bench.store.operate(*booth.key, asked) == answer, "the same call"
        refused.append((answer.outcome, answer.plate))
    assert refused == [(O.BOOKING_UNKNOWN, None)] * 3
    # Who may not open learns of no ticket whether there is such a stay.
    stranger = await booth.operate(OperatorDo.OPEN, NOW + 4 * MINUTE, ticket=ticket, user="eve")
    assert (stranger.outcome, stranger.plate) == (O.USER_UNKNOWN, None)


# ── a facility ──────────────────────────────────────────────────────────────────────────────


async def test_a_facility_is_evacuated_and_taken_up_again(bench: Bench) -> None:
    booth = await booth_of(bench, "evacuate", "resume")
    event, answer = await booth.set_mode(FacilityMode.EVACUATION)
    assert (answer.outcome, answer.mode, answer.changed) == (O.DONE, FacilityMode.EVACUATION, True)
    assert answer.user == booth.ada
    request = ModeRequest(event, FacilityMode.EVACUATION, ADA, "fire alarm", NOW)
    assert await bench.store.set_facility_mode(*booth.key, request) == answer, "the same call"

    _, again = await booth.set_mode(FacilityMode.EVACUATION, NOW + MINUTE)
    assert (again.outcome, again.changed) == (O.DONE, False)
    modes = await bench.store.modes(booth.gate.site.id)
    assert modes.facility is FacilityMode.EVACUATION
    assert modes.ordered[None].since == NOW

    _, resumed = await booth.set_mode(FacilityMode.NORMAL, NOW + 2 * MINUTE)
    assert (resumed.outcome, resumed.mode, resumed.changed) == (O.DONE, FacilityMode.NORMAL, True)
    assert (await bench.store.modes(booth.gate.site.id)).facility is FacilityMode.NORMAL


async def test_a_fire_input_needs_no_operator(bench: Bench) -> None:
    booth = await booth_of(bench)
    _, refused = await booth.set_mode(FacilityMode.EVACUATION)
    assert (refused.outcome, refused.mode) == (O.NOT_PERMITTED, FacilityMode.NORMAL)
    _, answer = await booth.set_mode(FacilityMode.EVACUATION, user=None)
    assert (answer.outcome, answer.user, answer.changed) == (O.DONE, None, True)


# ── stays ───────────────────────────────────────────────────────────────────────────────────


async def test_an_operator_matches_an_open_stay(bench: Bench) -> None:
    booth = await booth_of(bench, "match")
    stay = await booth.gate.admitted(PLATE)
    request, answer = await booth.match(stay=stay)
    assert answer.outcome is O.DONE
    assert (answer.stay, answer.plate, answer.user) == (stay, Plate(PLATE), booth.ada)
    assert answer.ticket
    # The exit's own decision is made on it.
    assert await booth.pending() == 1
    assert await bench.store.match_stay(*booth.key, request) == answer
    for named in ({"ticket": answer.ticket}, {"plate": Plate(PLATE)}):
        other, same = await booth.match(**named)
        assert same == answer
        assert other.event != request.event


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"user": "eve"}, O.USER_UNKNOWN),
        ({"reason": ""}, O.REASON_MISSING),
        ({"stay": StayId(UUID(int=7))}, O.BOOKING_UNKNOWN),
        ({"stay": None, "ticket": "NOBODYS"}, O.BOOKING_UNKNOWN),
        ({"stay": None, "plate": Plate("NOBODY")}, O.BOOKING_UNKNOWN),
        ({"stay": None}, O.STAY_MISSING),
        ({"stay": None, "user": "eve"}, O.USER_UNKNOWN),
    ],
)
async def test_a_match_that_cannot_be_is_refused(
    bench: Bench, changes: dict[str, Any], outcome: OperateOutcome
) -> None:
    booth = await booth_of(bench, "match")
    stay = await booth.gate.admitted(PLATE)
    _, answer = await booth.match(**{"stay": stay, **changes})
    assert answer.outcome is outcome
    assert await booth.pending() == 0


async def test_who_may_not_match_is_not_told_that_a_stay_is_missing(bench: Bench) -> None:
    booth = await booth_of(bench, "operate", "pay")
    stay = await booth.gate.admitted(PLATE)
    for named in (None, stay):
        _, answer = await booth.match(stay=named)
        assert answer.outcome is O.NOT_PERMITTED


async def test_a_match_that_names_no_stay_is_refused_once_and_audited(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booth = await booth_of(postgres_bench, "match")
    request, answer = await booth.match()
    assert (answer.outcome, answer.stay, answer.user) == (O.STAY_MISSING, None, booth.ada)
    assert await postgres_bench.store.match_stay(*booth.key, request) == answer
    assert await audits(owner_of, booth.gate) == [
        ("operator.refused", "operator ada", booth.ada, "mud on the plate", ADA, "stay_missing")
    ]


async def test_a_stay_that_has_ended_is_not_matched(bench: Bench) -> None:
    booth = await booth_of(bench, "match")
    stay = await booth.gate.admitted(PLATE)
    await bench.store.release(*booth.key, await booth.gate.departure(stay, PLATE))
    _, answer = await booth.match(stay=stay)
    assert answer.outcome is O.BOOKING_ENDED


async def test_all_that_is_due_is_waived(bench: Bench) -> None:
    booth = await booth_of(bench, "waive")
    stay = await booth.gate.admitted(PLATE)
    answer = await booth.waive(stay=stay)
    assert answer.outcome is O.DONE
    assert (answer.amount, answer.due) == (eur("2.50"), eur("0.00"))
    assert await booth.due(NOW + 40 * MINUTE) == eur("0.00")
    assert (await booth.waive(stay=stay)).outcome is O.NOTHING_DUE


async def test_a_part_is_waived_and_the_rest_is_due(bench: Bench) -> None:
    booth = await booth_of(bench, "waive", "pay")
    stay = await booth.gate.admitted(PLATE)
    answer = await booth.waive(plate=Plate(PLATE), amount=Decimal("1.00"), currency="EUR")
    assert (answer.amount, answer.due) == (eur("1.00"), eur("1.50"))
    assert await booth.due(NOW + 30 * MINUTE) == eur("1.50")
    paid = await booth.pay(amount=Decimal("1.50"))
    assert (paid.outcome, paid.amount, paid.due) == (O.DONE, eur("1.50"), eur("0.00"))
    left = await bench.store.release(
        *booth.key, await booth.gate.departure(stay, PLATE, at=NOW + 35 * MINUTE)
    )
    # What was waived is no revenue.
    assert (left.price, left.due) == (eur("1.50"), eur("0.00"))


async def test_a_debt_is_waived_after_the_exit(bench: Bench) -> None:
    booth = await booth_of(bench, "waive")
    stay = await booth.gate.admitted(PLATE)
    left = await bench.store.release(
        *booth.key, await booth.gate.departure(stay, PLATE, at=NOW + 35 * MINUTE)
    )
    assert left.due == eur("2.50")
    answer = await booth.waive(at=NOW + HOUR, stay=stay, amount=Decimal("2.00"))
    assert (answer.outcome, answer.amount, answer.due) == (O.DONE, eur("2.00"), eur("0.50"))


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"user": "eve"}, O.USER_UNKNOWN),
        ({"reason": ""}, O.REASON_MISSING),
        ({"plate": Plate("NOBODY")}, O.BOOKING_UNKNOWN),
        ({"plate": None, "stay": StayId(UUID(int=7))}, O.BOOKING_UNKNOWN),
        ({"amount": Decimal("2.51")}, O.AMOUNT_INVALID),
        ({"amount": Decimal("0.00")}, O.AMOUNT_INVALID),
        ({"amount": Decimal("1.005")}, O.AMOUNT_INVALID),
        ({"amount": Decimal("1.00"), "currency": "SEK"}, O.CURRENCY_MISMATCH),
    ],
)
async def test_a_waiver_that_cannot_be_is_refused(
    bench: Bench, changes: dict[str, Any], outcome: OperateOutcome
) -> None:
    booth = await booth_of(bench, "waive")
    await booth.gate.admitted(PLATE)
    answer = await booth.waive(**{"plate": Plate(PLATE), **changes})
    assert (answer.outcome, answer.amount) == (outcome, None)
    assert await booth.due(NOW + 30 * MINUTE) == eur("2.50")
    assert await booth.pending() == 0


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"user": "eve"}, O.USER_UNKNOWN),
        ({"reason": ""}, O.REASON_MISSING),
        ({"plate": None, "ticket": "NOBODYS"}, O.BOOKING_UNKNOWN),
        ({"plate": None, "stay": StayId(UUID(int=7))}, O.BOOKING_UNKNOWN),
        ({"amount": Decimal("0.00")}, O.AMOUNT_INVALID),
        ({"currency": "SEK"}, O.CURRENCY_MISMATCH),
    ],
)
async def test_money_that_cannot_be_counted_is_refused(
    bench: Bench, changes: dict[str, Any], outcome: OperateOutcome
) -> None:
    booth = await booth_of(bench, "pay")
    await booth.gate.admitted(PLATE)
    assert (await booth.pay(**changes)).outcome is outcome
    assert await booth.due(NOW + 30 * MINUTE) == eur("2.50")


async def test_money_is_counted_once(bench: Bench) -> None:
    booth = await booth_of(bench, "pay")
    stay = await booth.gate.admitted(PLATE)
    event = await booth.gate.happened(booth.gate.site.exit)
    payment = uuid4()
    answers = [
        await booth.pay(event=event, payment=payment, plate=None, stay=stay, txn="ada#1")
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert (answers[0].outcome, answers[0].due) == (O.DONE, eur("0.00"))
    later = await booth.pay(event=event, payment=payment, at=NOW + 31 * MINUTE)
    assert later.outcome is O.EVENT_DONE


# ── what the database keeps of it ───────────────────────────────────────────────────────────


async def audits(owner: asyncpg.Connection, gate: Gate) -> list[tuple[Any, ...]]:
    rows = await owner.fetch(
        "SELECT action, actor, user_id, details ->> 'reason', details ->> 'operator',"
        " details ->> 'outcome' FROM audit_logs WHERE facility_id = $1 AND action LIKE 'operator.%'"
        " ORDER BY timestamp, action",
        gate.site.id,
    )
    return [tuple(row) for row in rows]


async def test_every_act_is_audited_with_user_and_reason(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booth = await booth_of(postgres_bench, "operate", "waive")
    await booth.operate(OperatorDo.OPEN)
    await booth.operate(OperatorDo.HOLD, NOW + MINUTE, user="eve")
    await booth.set_mode(FacilityMode.EVACUATION, NOW + 2 * MINUTE)
    stay = await booth.gate.admitted(PLATE)
    await booth.waive(stay=stay)
    assert await audits(owner_of, booth.gate) == [
        ("operator.open", "operator ada", booth.ada, "delivery van", ADA, "done"),
        ("operator.refused", "operator eve", None, "delivery van", "eve", "user_unknown"),
        ("operator.refused", "operator ada", booth.ada, "fire alarm", ADA, "not_permitted"),
        ("operator.waive", "operator ada", booth.ada, "machine broken", ADA, "done"),
    ]
    rows = await owner_of.fetch(
        "SELECT outcome, error FROM gate.events WHERE facility_id = $1 AND status = 'done'"
        " ORDER BY received_at",
        booth.gate.site.id,
    )
    assert [tuple(row) for row in rows if row["outcome"] == "refused"] == [
        ("refused", "user_unknown"),
        ("refused", "not_permitted"),
    ]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("UPDATE users SET role = 'ADMIN' WHERE id = $1", O.DONE),
        ("UPDATE facilities SET owner_id = $1 WHERE id = $2", O.DONE),
        ("UPDATE users SET role = 'STAFF' WHERE id = $1", O.NOT_PERMITTED),
        # A closed account has no rights, whatever it was.
        ("UPDATE users SET role = 'ADMIN', is_active = false WHERE id = $1", O.NOT_PERMITTED),
    ],
)
async def test_administrators_and_owners_may_do_everything(
    postgres_bench: Bench, owner_of: asyncpg.Connection, change: str, outcome: OperateOutcome
) -> None:
    booth = await booth_of(postgres_bench, "park")
    arguments = [booth.ada, booth.gate.site.id][: change.count("$")]
    await owner_of.execute(change, *arguments)
    assert (await booth.operate(OperatorDo.HOLD)).outcome is outcome


async def test_a_right_at_one_facility_is_none_at_another(postgres_bench: Bench) -> None:
    here = await booth_of(postgres_bench, "operate")
    there = Booth(postgres_bench, await postgres_bench.gate(), here.ada)
    assert (await there.operate(OperatorDo.OPEN)).outcome is O.USER_UNKNOWN


async def test_a_name_is_one_member_of_staff(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booth = await booth_of(postgres_bench, "operate")
    with pytest.raises(asyncpg.UniqueViolationError):
        await postgres_bench.employ(booth.gate, await postgres_bench.user(), operator=ADA)
    with pytest.raises(asyncpg.CheckViolationError):
        await postgres_bench.employ(booth.gate, await postgres_bench.user(), operator="a/b")


async def test_what_is_waived_is_a_line_of_the_price(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Price, lines, revenue and receipt say one thing: money that never came is none of them."""
    booth = await booth_of(postgres_bench, "waive")
    stay = await booth.gate.admitted(PLATE)
    await booth.waive(stay=stay, amount=Decimal("1.00"))
    await postgres_bench.store.release(
        *booth.key, await booth.gate.departure(stay, PLATE, at=NOW + 35 * MINUTE)
    )
    await booth.waive(at=NOW + HOUR, stay=stay, amount=Decimal("0.25"))
    row = await owner_of.fetchrow(
        "SELECT final_price, price_lines, gate.due_v1(b, $2) AS due, gate.paid_v1(b.id) AS paid"
        " FROM bookings b WHERE id = $1",
        stay,
        NOW + HOUR,
    )
    assert row is not None
    lines = json.loads(row["price_lines"])
    assert (row["final_price"], row["due"], row["paid"]) == (Decimal("1.25"), Decimal("1.25"), 0)
    assert [line["amount"] for line in lines if line["kind"] == "waived"] == ["-1.00", "-0.25"]
    assert sum(Decimal(line["amount"]) for line in lines) == row["final_price"]
    kept = await owner_of.fetch(
        "SELECT amount, reason, user_id FROM gate.waivers WHERE booking_id = $1 ORDER BY waived_at",
        stay,
    )
    assert [tuple(one) for one in kept] == [
        (Decimal("1.0000"), "machine broken", booth.ada),
        (Decimal("0.2500"), "machine broken", booth.ada),
    ]


async def test_who_need_not_pay_has_the_time_to_leave(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booth = await booth_of(postgres_bench, "waive")
    stay = await booth.gate.admitted(PLATE)
    await booth.waive(at=NOW + 50 * MINUTE, stay=stay)
    # The second hour has begun, and the grace has not ended.
    assert await booth.due(NOW + 61 * MINUTE) == eur("0.00")
    assert await booth.due(NOW + 70 * MINUTE) == eur("2.50")
    lines = await owner_of.fetchval("SELECT price_lines FROM bookings WHERE id = $1", stay)
    assert json.loads(lines)[-1]["kind"] == "waived"


async def test_an_id_that_is_used_again_is_no_receipt_for_other_money(bench: Bench) -> None:
    """A desk whose numbers start anew: the same call is done once, another one is refused."""
    booth = await booth_of(bench, "pay")
    await booth.gate.admitted(PLATE)
    first: dict[str, Any] = {"payment": uuid4(), "txn": f"ada#{uuid4()}", "amount": Decimal("1.00")}
    for _ in range(2):
        answer = await booth.pay(**first)
        assert (answer.outcome, answer.due) == (OperateOutcome.DONE, eur("1.50"))
    other = await booth.pay(**{**first, "amount": Decimal("1.50")})
    assert other.outcome is OperateOutcome.TOLD_DIFFERENTLY
    assert await booth.due(NOW + 30 * MINUTE) == eur("1.50")
    assert await booth.pending() == 0


async def test_money_taken_by_hand_is_a_payment_by_its_taker(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    booth = await booth_of(postgres_bench, "pay")
    stay = await booth.gate.admitted(PLATE)
    await booth.pay(txn="ada#7", provider="ACCOUNT")
    row = await owner_of.fetchrow(
        "SELECT provider::text, provider_txn_id, amount, booking_id, status::text FROM payments"
        " WHERE booking_id = $1",
        stay,
    )
    assert row is not None
    assert tuple(row) == ("ACCOUNT", "ada#7", Decimal("2.50"), stay, "COMPLETED")
    audit = await owner_of.fetchrow(
        "SELECT actor, user_id FROM audit_logs WHERE facility_id = $1"
        " AND action = 'payment.recorded'",
        booth.gate.site.id,
    )
    assert audit is not None
    assert tuple(audit) == ("operator ada", booth.ada)


@pytest.mark.parametrize(
    ("plate", "matched", "kept"),
    [
        ("XYZ99", None, {"reason": "operator", "operator": ADA}),
        (
            "XYZ99",
            Matched(Plate("XYZ99"), "operator", 5),
            {"reason": "operator", "operator": ADA, "plate": "XYZ99", "distance": 5},
        ),
        ("XYZ99", Matched(Plate("XYZ99"), "confusable", 1), {"reason": "confusable"}),
        # Read in the end: nobody had to say whose it is.
        (PLATE, None, None),
    ],
)
async def test_the_stay_keeps_who_matched_it(
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
    plate: str,
    matched: Matched | None,
    kept: dict[str, object] | None,
) -> None:
    booth = await booth_of(postgres_bench, "match")
    stay = await booth.gate.admitted(PLATE)
    request, _ = await booth.match(stay=stay)
    departure = await booth.gate.departure(stay, plate)
    await postgres_bench.store.release(
        *booth.key, replace(departure, event=request.event, matched=matched)
    )
    text = await owner_of.fetchval("SELECT exit_match FROM bookings WHERE id = $1", stay)
    if kept is None:
        assert text is None
        return
    said = json.loads(text)
    assert {key: said[key] for key in kept} == kept
    if kept["reason"] == "operator":
        assert (said["user"], said["lane"]) == (str(booth.ada), str(booth.gate.site.exit))
