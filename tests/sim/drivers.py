"""The drivers of the simulated day: what each does at a barrier, at the cash desk and in between.

They see what people see (arms, displays, money), and what they do is told to the ledger.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import assert_never

from gated.core.ids import StayId
from gated.db.bookings import Payment, ReserveRequest
from tests.sim.garage import Garage
from tests.sim.lanes import Answer, Follower, Lane, Told
from tests.sim.ledger import NOTHING, Ledger, Visit, Where
from tests.sim.operator import Operator
from tests.sim.place import BACKOUT_SECONDS, GRACE_MINUTES, TICK_SECONDS
from tests.sim.plans import Pays, Plan, Twist, Who
from tests.sim.virtual import virtual_loop

# A vehicle rolls its own length.
ROLL_SECONDS = TICK_SECONDS
# A driver who is not answered within this time is not answered at all. It is longer than between
# two looks for a payment: one that is told while the lane looks is found by the next.
PATIENCE_SECONDS = 36
# The next look at a vehicle that was denied counts as a new question.
READ_AGAIN_SECONDS = 2 * TICK_SECONDS
FULL_READS_MAX = 4
COINS_SECONDS = 3 * TICK_SECONDS
# People set out for a lane at a multiple of this: the lanes are busy at the same instants.
SETS_OUT_SECONDS = 10 * TICK_SECONDS
DEPOSIT = Decimal("1.00")


# Who books does so an hour before, for ten minutes after the real arrival; one in so many stays
# away.
BOOKED_AHEAD_SECONDS, BOOKED_EARLY_SECONDS = 3600, 600
NO_SHOW_EVERY = 20
OCCASION_SECONDS_MAX = 600


class Unanswered(AssertionError):
    """Somebody stands at a barrier, and neither arm nor display says anything."""


@dataclass
class Traffic:
    """All drivers of the day. `outcomes` counts what became of their visits."""

    garage: Garage
    operator: Operator
    ledger: Ledger
    outcomes: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    _coins: int = 0

    async def run(self, plans: Sequence[Plan]) -> None:
        """Until the last one is gone."""
        async with asyncio.TaskGroup() as group:
            for plan in sorted(plans, key=_begins):
                await asyncio.sleep(_begins(plan) - virtual_loop().time())
                covered = plan.who in (Who.SUBSCRIBER, Who.STAFF)
                visit = Visit(plan.number, plan.plate, covered)
                self.ledger.visits.append(visit)
                group.create_task(self._visit(plan, visit), name=f"driver/{plan.number}")

    async def _visit(self, plan: Plan, visit: Visit) -> None:
        try:
            if plan.who is Who.BOOKED:
                await self._book(plan)
            if plan.number % NO_SHOW_EVERY == 0 and plan.who is Who.BOOKED:
                visit.where = Where.GONE
                self.outcomes["booked, and never came"] += 1
            elif await self._come_in(plan, visit):
                await self._stay(plan, visit)
                while not await self._leave(plan, visit):
                    await self._come_to_terms(plan, visit)
                self.outcomes["came and left"] += 1
        except Exception as error:
            error.add_note(f"{plan}\n{visit}")
            raise
        self.finished += 1

    async def _book(self, plan: Plan) -> None:
        """A spot from a little after the arrival on; whoever gets none comes all the same."""
        now = self.garage.clock.now()
        start = now + timedelta(seconds=plan.arrives - _begins(plan) + BOOKED_EARLY_SECONDS)
        answer = await self.garage.store.reserve(
            self.garage.id,
            ReserveRequest(
                id=StayId(self.garage.ids.new()),
                start=start,
                until=start + timedelta(seconds=plan.stays + 3600),
                at=now,
                plate=plan.plate,
            ),
        )
        self.outcomes[f"asked for a spot beforehand, {answer.outcome}"] += 1
        await asyncio.sleep(plan.arrives - virtual_loop().time())

    # ── in ──────────────────────────────────────────────────────────────────────────────────

    async def _come_in(self, plan: Plan, visit: Visit) -> bool:
        await _on_the_minute()
        entries, _ = self.garage.lanes()
        text = plan.misread if plan.twist is Twist.MISREAD_IN else plan.plate
        if plan.twist is Twist.TAILGATES_IN and await self._slip_through(entries, visit):
            visit.slipped_in(None, self.garage.clock.now())
            self.outcomes["slipped in behind another"] += 1
            return True
        async with self._turn(entries) as lane:
            answer = await self._ask(lane, visit, text, unread=plan.twist is Twist.UNREAD_IN)
            for _ in range(FULL_READS_MAX if plan.patient else 0):
                if not answer.reason.startswith("full"):
                    break
                await asyncio.sleep(READ_AGAIN_SECONDS)
                lane.read(text, vehicle=visit.number)
                answer = await self._answer(lane)
            if not answer.opens:
                lane.presence(on=False)
                visit.where = Where.GONE
                self.outcomes[f"turned away, {answer.reason}"] += 1
                return False
            visit.covered = visit.covered and text == plan.plate
            visit.let_in(text, answer.at)
            if plan.twist is Twist.BACKS_OUT_IN:
                await asyncio.sleep(ROLL_SECONDS)
                lane.presence(on=False)
                # For so long it might come forward again.
                await asyncio.sleep(BACKOUT_SECONDS + ROLL_SECONDS)
                visit.backed_out()
                lane.lower()
                self.outcomes["backed out of an entry"] += 1
                return False
            await self._pass(lane)
            visit.came_in()
            await self._let_follow(lane)
        return True

    # ── inside ──────────────────────────────────────────────────────────────────────────────

    async def _stay(self, plan: Plan, visit: Visit) -> None:
        await asyncio.sleep(plan.stays)
        match plan.pays:
            case Pays.ON_FOOT:
                await self._pay_on_foot(visit)
                await asyncio.sleep(120 + plan.number % 120 * TICK_SECONDS)
            case Pays.ON_FOOT_TOO_LATE:
                await self._pay_on_foot(visit)
                await asyncio.sleep(GRACE_MINUTES * 60 + 60 + plan.number % 500 * TICK_SECONDS)
            case Pays.AT_THE_EXIT | Pays.IN_PARTS | Pays.WITHOUT_MONEY:
                pass
            case _:
                assert_never(plan.pays)

    async def _come_to_terms(self, plan: Plan, visit: Visit) -> None:
        """Who turned round at the exit: a cash machine and the cash desk, or a forgotten coat."""
        await asyncio.sleep(300)
        if plan.pays is Pays.WITHOUT_MONEY:
            await self._pay_on_foot(visit)
        await asyncio.sleep(60)

    async def _pay_on_foot(self, visit: Visit) -> None:
        """At the cash desk. It knows a vehicle by its plate, if somebody read that."""
        at = self.garage.clock.now()
        due = visit.due(at)
        if due == NOTHING or visit.known_as is None:
            return
        answer = await self.garage.store.record_payment(
            self.garage.id,
            Payment(
                id=self.garage.ids.new(),
                amount=due,
                currency="EUR",
                provider="CASH",
                at=at,
                plate=visit.known_as,
            ),
        )
        assert answer.counted, f"{visit}: {answer}"
        visit.pay(due, at)

    # ── out ─────────────────────────────────────────────────────────────────────────────────

    async def _leave(self, plan: Plan, visit: Visit) -> bool:
        """Out; or turned round, to come again."""
        await _on_the_minute()
        _, exits = self.garage.lanes()
        text = plan.misread if plan.twist is Twist.MISREAD_OUT else plan.plate
        if plan.twist is Twist.TAILGATES_OUT:
            plate = plan.plate if plan.patient else None
            if follower := await self._slip_through(exits, visit, plate):
                await self._followed_out(visit, follower)
                return True
        async with self._turn(exits) as lane:
            asked_at = self.garage.clock.now()
            answer = await self._ask(lane, visit, text)
            if answer.reason == "no_entry_found":
                answer = await self.operator.match(lane, visit)
                asked_at = answer.at
            if not answer.opens:
                assert answer.reason == "payment_due", f"{visit}: {answer}"
                if plan.pays is Pays.WITHOUT_MONEY and visit.paid == NOTHING:
                    lane.presence(on=False)
                    self.outcomes["turned round for want of money"] += 1
                    await asyncio.sleep(ROLL_SECONDS)
                    return False
                answer = await self._pay_here(lane, plan, visit, answer)
                asked_at = answer.at
            visit.let_out(asked_at)
            if plan.twist is Twist.BACKS_OUT_OUT and not visit.turned:
                await asyncio.sleep(ROLL_SECONDS)
                lane.presence(on=False)
                await asyncio.sleep(BACKOUT_SECONDS + ROLL_SECONDS)
                visit.turned_back()
                lane.lower()
                self.outcomes["backed out of an exit"] += 1
                return False
            await self._pass(lane)
            visit.left()
            await self._let_follow(lane)
        return True

    async def _followed_out(self, visit: Visit, follower: Follower) -> None:
        if follower.answer is not None and follower.answer.opens:
            visit.let_out(follower.answer.at)
            visit.left()
            self.outcomes["followed closely, and owed nothing"] += 1
            return
        visit.slipped_out(self.garage.clock.now(), seen=follower.answer is not None)
        self.outcomes["slipped out behind another"] += 1
        if visit.unseen:
            await self.operator.miss(visit)

    async def _pay_here(self, lane: Lane, plan: Plan, visit: Visit, asked: Answer) -> Answer:
        """At the terminal beside the barrier, all at once or in two parts."""
        assert asked.amount == visit.due(asked.at), f"{visit} is asked {asked}"
        await asyncio.sleep(COINS_SECONDS)
        if plan.pays is Pays.IN_PARTS and visit.due(self.garage.clock.now()) > DEPOSIT:
            self._terminal(visit, DEPOSIT)
            rest = await self._answer(lane)
            while rest.amount != visit.due(rest.at):
                # The lane looked by itself, a moment before it was told of the coins.
                rest = await self._answer(lane)
            await asyncio.sleep(COINS_SECONDS)
        paid_at = self.garage.clock.now()
        self._terminal(visit, visit.due(paid_at))
        answer = await self._answer(lane)
        if answer.at > paid_at:
            self.outcomes["had paid, and waited for the lane's next look"] += 1
        while not answer.opens:  # one that it was asked meanwhile, as another block had begun
            answer = await self._answer(lane)
        return answer

    def _terminal(self, visit: Visit, amount: Decimal) -> None:
        self._coins += 1
        now = self.garage.clock.now()
        body = {
            "id": self._coins,
            "plate": visit.known_as,
            "amount": f"{amount:.2f}",
            "currency": "EUR",
            "provider": "card",
            "provider_txn_id": f"txn-{self._coins}",
            "at": now.isoformat(),
        }
        visit.pay(amount, now)
        topic = f"gated/v1/{self.garage.setup.slug}/payment"
        self.garage.send(Told(topic, json.dumps(body).encode(), now, virtual_loop().time()))

    # ── at a barrier ────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _turn(self, lanes: Sequence[Lane]) -> AsyncIterator[Lane]:
        """The lane with the shortest queue, from when this vehicle stands before its loop."""
        lane = min(lanes, key=lambda one: one.queued)
        lane.queued += 1
        try:
            async with lane.turn:
                await asyncio.sleep(ROLL_SECONDS)
                lane.nobody_asked()
                yield lane
        finally:
            lane.queued -= 1

    async def _ask(self, lane: Lane, visit: Visit, text: str, *, unread: bool = False) -> Answer:
        lane.presence(on=True)
        if unread:
            lane.unread(vehicle=visit.number)
            await self._answer(lane)
            await asyncio.sleep(ROLL_SECONDS)  # a little forward, into better light
        lane.read(text, vehicle=visit.number)
        return await self._answer(lane)

    async def _answer(self, lane: Lane) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await lane.answers.get()
        except TimeoutError:
            raise Unanswered(f"{lane.slug}: no answer in {PATIENCE_SECONDS} s") from None

    async def _pass(self, lane: Lane) -> None:
        await asyncio.sleep(ROLL_SECONDS)
        lane.closing(on=True)
        lane.presence(on=False)
        await asyncio.sleep(ROLL_SECONDS)
        lane.closing(on=False)
        if not lane.followers:
            lane.lower()

    async def _slip_through(
        self, lanes: Sequence[Lane], visit: Visit, plate: str | None = None
    ) -> Follower | None:
        """Wait for somebody to follow; None if nobody comes in time."""
        lane = min(lanes, key=lambda one: (len(one.followers), -one.queued))
        follower = Follower(visit.number, plate)
        lane.followers.append(follower)
        try:
            async with asyncio.timeout(OCCASION_SECONDS_MAX):
                await follower.through.wait()
        except TimeoutError:
            if follower in lane.followers:
                lane.followers.remove(follower)
                self.outcomes["found nobody to follow"] += 1
                return None
            await follower.through.wait()
        return follower

    async def _let_follow(self, lane: Lane) -> None:
        """Whoever waits for such an occasion comes close behind, before the arm is down."""
        if not lane.followers:
            return
        follower = lane.followers.popleft()
        lane.nobody_asked()
        lane.presence(on=True)
        if follower.plate is not None:
            lane.read(follower.plate, vehicle=follower.vehicle)
            follower.answer = await self._answer(lane)
        await asyncio.sleep(ROLL_SECONDS)
        lane.closing(on=True)
        lane.presence(on=False)
        await asyncio.sleep(ROLL_SECONDS)
        lane.closing(on=False)
        lane.lower()
        follower.through.set()


async def _on_the_minute() -> None:
    """Who sets out for a lane does so with whoever else does within the minute."""
    now = virtual_loop().time()
    await asyncio.sleep(-now % SETS_OUT_SECONDS)


def _begins(plan: Plan) -> int:
    """When the first thing happens of it."""
    ahead = BOOKED_AHEAD_SECONDS if plan.who is Who.BOOKED else 0
    return max(0, plan.arrives - ahead)
