"""The settler: rows that need nothing more, written together, soon, and in the end."""

import asyncio
from collections.abc import Sequence

import pytest

from gated.actors.settler import BATCH_COUNT_MAX
from gated.core.effects import Outcome
from gated.core.errors import FencedOut, StoreError
from gated.core.ids import EventId
from gated.records import EventStatus
from tests.actors.conftest import Events, Until
from tests.actors.support import Place, running

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def outcome(place: Place, event: EventId) -> Outcome | None:
    return place.rows.events[event].outcome


async def batches_of(place: Place) -> list[int]:
    """The sizes of the batches written from now on."""
    sizes: list[int] = []
    write = place.store.settle_events

    async def counted(
        facility: object, fence: object, outcomes: Sequence[tuple[EventId, Outcome]]
    ) -> None:
        sizes.append(len(outcomes))
        await write(facility, fence, outcomes)  # type: ignore[arg-type]

    place.store.settle_events = counted  # type: ignore[method-assign]
    return sizes


async def test_what_comes_together_is_written_together(until: Until) -> None:
    place = Place()
    sizes = await batches_of(place)
    events = [place.store_event(number) for number in range(1, 21)]
    async with running(place.settler.run):
        for event in events:
            place.settler.settle(event, Outcome.NOTED)
        await until(lambda: outcome(place, events[-1]) is Outcome.NOTED)
    assert sizes == [20]
    assert all(outcome(place, event) is Outcome.NOTED for event in events)


async def test_a_flood_is_written_in_bounded_batches(until: Until) -> None:
    place = Place()
    sizes = await batches_of(place)
    events = [place.store_event(number) for number in range(1, BATCH_COUNT_MAX + 11)]
    async with running(place.settler.run):
        for event in events:
            place.settler.settle(event, Outcome.NOTED)
        await until(lambda: outcome(place, events[-1]) is not None)
    assert sizes == [BATCH_COUNT_MAX, 10]


async def test_the_first_word_about_a_row_stands(until: Until) -> None:
    place = Place()
    event = place.store_event(1)
    async with running(place.settler.run):
        place.settler.settle(event, Outcome.FOLDED)
        place.settler.settle(event, Outcome.NOTED)
        await until(lambda: outcome(place, event) is not None)
    assert outcome(place, event) is Outcome.FOLDED


async def test_a_database_that_is_away_is_waited_for(until: Until, log_events: Events) -> None:
    place = Place()
    event = place.store_event(1)
    failures = 3

    async def fail(name: str) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise StoreError("away", retryable=True)

    place.store.before = fail
    async with running(place.settler.run):
        place.settler.settle(event, Outcome.NOTED)
        await until(lambda: outcome(place, event) is Outcome.NOTED)
    assert [entry["event"] for entry in log_events] == ["inbox.settle_delayed"] * 3


async def test_what_no_retry_can_mend_crashes_it() -> None:
    place = Place()
    event = place.store_event(1)

    async def fail(name: str) -> None:
        raise StoreError("wrong", retryable=False)

    place.store.before = fail
    place.settler.settle(event, Outcome.NOTED)
    with pytest.raises(StoreError):
        await place.settler.run()
    # Its next incarnation finds the row still waiting.
    place.store.before = None
    place.settler.request_stop()
    await place.settler.run()
    assert outcome(place, event) is Outcome.NOTED


async def test_fenced_out_it_ends() -> None:
    place = Place()
    place.rows.fence = 2
    place.settler.settle(place.store_event(1), Outcome.NOTED)
    with pytest.raises(FencedOut):
        await place.settler.run()


async def test_stopping_writes_what_waits() -> None:
    place = Place()
    run = asyncio.create_task(place.settler.run())
    await asyncio.sleep(1)
    events = [place.store_event(number) for number in range(1, BATCH_COUNT_MAX + 11)]
    for event in events:
        place.settler.settle(event, Outcome.NOTED)
    place.settler.request_stop()
    await asyncio.wait_for(run, 1)
    assert {place.rows.events[event].status for event in events} == {EventStatus.DONE}


async def test_stopping_with_nothing_to_write_ends_at_once() -> None:
    place = Place()
    run = asyncio.create_task(place.settler.run())
    await asyncio.sleep(1)
    place.settler.request_stop()
    await asyncio.wait_for(run, 0.01)
