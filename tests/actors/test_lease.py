"""The lease: this side stops before the database lets another begin."""

import asyncio
from dataclasses import replace

import pytest

from gated.actors.lease import LeaseKeeper
from gated.core.errors import FencedOut, StoreError
from tests.actors.conftest import Events, Until
from tests.actors.support import FACILITY, LoopClock, running, site
from tests.fakes.store import MemoryStore

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]
TTL = 15.0


class Held:
    """A lease just acquired."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.store = MemoryStore(seconds=self.clock.monotonic)
        self.rows = self.store.add_facility(site(), {})
        self.revisions = 0

    async def take(self) -> LeaseKeeper:
        asked = self.clock.monotonic()
        granted = await self.store.acquire_lease(FACILITY, "me", TTL)
        assert granted is not None
        fence, revision = granted
        return LeaseKeeper(
            FACILITY,
            "north",
            "me",
            fence,
            revision,
            asked_monotonic=asked,
            ttl_seconds=TTL,
            store=self.store,
            clock=self.clock,
            on_revision=self._revised,
        )

    def _revised(self) -> None:
        self.revisions += 1

    async def slow(self, seconds: float, *names: str) -> None:
        async def before(name: str) -> None:
            if name in names:
                await asyncio.sleep(seconds)

        self.store.before = before


async def test_it_is_renewed_for_as_long_as_it_is_kept() -> None:
    held = Held()
    keeper = await held.take()
    async with running(keeper.run):
        for _ in range(20):
            await asyncio.sleep(7)
            assert keeper.holds()
            assert held.rows.expires_at > held.clock.monotonic()


async def test_unrenewed_it_ends_here_before_it_ends_there(until: Until) -> None:
    held = Held()
    keeper = await held.take()
    await until(lambda: not keeper.holds())
    assert held.clock.monotonic() < held.rows.expires_at - 1
    assert await held.store.acquire_lease(FACILITY, "other", TTL) is None


async def test_a_slow_answer_counts_from_the_question(until: Until) -> None:
    """The database may have granted it any time between the question and the answer."""
    held = Held()
    await held.slow(4.0, "acquire_lease")
    keeper = await held.take()
    assert held.clock.monotonic() == 4.0
    await until(lambda: not keeper.holds())
    assert held.clock.monotonic() < TTL
    assert held.clock.monotonic() < held.rows.expires_at - 4


async def test_a_slow_renewal_counts_from_the_question_too(until: Until) -> None:
    held = Held()
    keeper = await held.take()
    await held.slow(4.0, "renew_lease")
    async with running(keeper.run):
        await asyncio.sleep(9.5)  # asked at 5, answered at 9
        held.store.before = None
        asked = 5.0
    await until(lambda: not keeper.holds())
    assert held.clock.monotonic() == pytest.approx(asked + TTL * 0.8, abs=0.5)


async def test_a_database_that_is_away_is_asked_again(log_events: Events) -> None:
    held = Held()
    keeper = await held.take()
    away = True

    async def fail(name: str) -> None:
        if away:
            raise StoreError("away", retryable=True)

    held.store.before = fail
    async with running(keeper.run):
        await asyncio.sleep(11)
        assert keeper.holds()
        away = False
        await asyncio.sleep(10)
        assert keeper.holds()
    told = [event["holds"] for event in log_events if event["event"] == "lease.renewal_failed"]
    assert told == [True, True]


async def test_a_database_that_stays_away_ends_it() -> None:
    held = Held()
    keeper = await held.take()

    async def fail(name: str) -> None:
        raise StoreError("away", retryable=True)

    held.store.before = fail
    async with running(keeper.run):
        await asyncio.sleep(TTL * 0.8 + 0.1)
        assert not keeper.holds()


async def test_another_holder_fences_it_out() -> None:
    held = Held()
    keeper = await held.take()
    held.rows.holder, held.rows.fence = "other", 2
    with pytest.raises(FencedOut):
        await keeper.run()


async def test_a_changed_set_up_is_told_once() -> None:
    held = Held()
    keeper = await held.take()
    async with running(keeper.run):
        await asyncio.sleep(6)
        assert held.revisions == 0
        held.rows.setup = replace(held.rows.setup, revision=2)
        await asyncio.sleep(20)
    assert held.revisions == 1


async def test_given_up_it_is_free_at_once() -> None:
    held = Held()
    keeper = await held.take()
    await keeper.release()
    assert not keeper.holds()
    granted = await held.store.acquire_lease(FACILITY, "other", TTL)
    assert granted is not None
    assert granted[0] > keeper.fence
