"""The zone: one question at a time, answered before it counts itself; a bad day is survived."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from gated.actors.mailbox import ActorStopped
from gated.actors.messages import AdmitHere, CancelHere, ReleaseHere
from gated.actors.reply import AskTimeout
from gated.actors.zone import RECOUNT_SECONDS
from gated.core.effects import Do
from gated.core.errors import FencedOut, StoreError
from gated.core.events import PlateRead
from gated.core.ids import CommandId, EventId, StayId
from gated.core.plates import Plate
from gated.core.reasons import GrantReason
from gated.records import (
    AdmitAnswer,
    AdmitOutcome,
    AdmitRequest,
    Command,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseRequest,
)
from tests.actors.conftest import Until
from tests.actors.support import (
    CAR,
    ENTRY,
    ENTRY_BARRIER,
    EXIT,
    EXIT_BARRIER,
    OTHER_CAR,
    ZONE,
    Place,
    running,
)

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def _command(place: Place, event: EventId, *, entry: bool) -> Command:
    now = place.clock.now()
    return Command(
        id=CommandId(place.ids.new()),
        lane=ENTRY if entry else EXIT,
        device=ENTRY_BARRIER if entry else EXIT_BARRIER,
        do=Do.OPEN,
        reason="transient",
        event=event,
        fence=place.fence,
        issued_at=now,
        expires_at=now + timedelta(seconds=3),
    )


async def admit(
    place: Place, number: int, plate: Plate = CAR, *, seconds: float = 3.0
) -> AdmitAnswer:
    event = place.store_event(number)
    request = AdmitRequest(
        event=event,
        lane=ENTRY,
        zone=ZONE,
        stay=StayId(UUID(int=0x5000 + number)),
        read=PlateRead(plate, plate.text),
        at=place.clock.now(),
        reason=GrantReason.TRANSIENT,
        vehicle=None,
        user=None,
        command=_command(place, event, entry=True),
    )
    return await place.zone.ask(lambda reply: AdmitHere(request, reply), deadline_seconds=seconds)


async def release(place: Place, number: int, stay: StayId, plate: Plate = CAR) -> ReleaseAnswer:
    event = place.store_event(number)
    request = ReleaseRequest(
        event=event,
        lane=EXIT,
        stay=stay,
        read=PlateRead(plate, plate.text),
        at=place.clock.now(),
        reason=GrantReason.STAY_OPEN,
        command=_command(place, event, entry=False),
    )
    return await place.zone.ask(lambda reply: ReleaseHere(request, reply), deadline_seconds=3)


def occupied(place: Place) -> int:
    return place.shown.zones[-1].occupied


async def test_it_counts_itself_when_it_starts(until: Until) -> None:
    place = Place()
    async with running(place.zone.run):
        await until(lambda: bool(place.shown.zones))
    assert (place.shown.zones[0].capacity, occupied(place)) == (2, 0)


async def test_in_out_and_undone(until: Until) -> None:
    place = Place()
    async with running(place.zone.run):
        admitted = await admit(place, 1)
        assert admitted.outcome is AdmitOutcome.ADMITTED
        assert admitted.stay is not None
        await until(lambda: occupied(place) == 1)
        released = await release(place, 2, admitted.stay)
        assert released.outcome is ReleaseOutcome.RELEASED
        await until(lambda: occupied(place) == 0)
        again = await admit(place, 3, OTHER_CAR)
        assert again.stay is not None
        stay = again.stay
        await until(lambda: occupied(place) == 1)
        at = place.clock.now()
        await place.zone.ask(
            lambda reply: CancelHere(stay, ENTRY, "no_passage", at, UUID(int=3), reply),
            deadline_seconds=3,
        )
        await until(lambda: occupied(place) == 0)


async def test_the_last_spot_is_given_once() -> None:
    place = Place(spots=("1",))
    async with running(place.zone.run):
        answers = await asyncio.gather(admit(place, 1), admit(place, 2, OTHER_CAR))
    assert [answer.outcome for answer in answers] == [
        AdmitOutcome.ADMITTED,
        AdmitOutcome.ZONE_FULL,
    ]


async def test_the_answer_does_not_wait_for_the_count() -> None:
    place = Place()

    async def slow_count(name: str) -> None:
        if name == "zone_count":
            await asyncio.sleep(2)

    async with running(place.zone.run):
        await asyncio.sleep(0.1)
        place.store.before = slow_count
        started = place.clock.monotonic()
        await admit(place, 1)
        assert place.clock.monotonic() - started < 0.1


@pytest.mark.parametrize("retryable", [True, False])
async def test_an_error_is_the_askers_and_the_zone_goes_on(retryable: bool) -> None:
    place = Place()
    async with running(place.zone.run):
        await asyncio.sleep(0.1)

        async def fail(name: str) -> None:
            raise StoreError("away", retryable=retryable)

        place.store.before = fail
        with pytest.raises(StoreError) as raised:
            await admit(place, 1)
        assert raised.value.retryable is retryable
        place.store.before = None
        assert (await admit(place, 2)).outcome is AdmitOutcome.ADMITTED


async def test_who_has_given_up_waiting_is_given_no_spot() -> None:
    """A question that was still in the mailbox is taken back, so nobody is let in for it."""
    place = Place()
    gate = asyncio.Event()

    async def hold(name: str) -> None:
        if name == "admit":
            await gate.wait()

    place.store.before = hold
    async with running(place.zone.run):
        first = asyncio.create_task(admit(place, 1, seconds=10))
        await asyncio.sleep(0.1)
        with pytest.raises(AskTimeout) as raised:
            await admit(place, 2, OTHER_CAR, seconds=1)
        assert not raised.value.uncertain
        gate.set()
        assert (await first).outcome is AdmitOutcome.ADMITTED
        await asyncio.sleep(1)
    assert len(place.rows.stays) == 1


async def test_another_writer_is_noticed_in_time(until: Until) -> None:
    place = Place()
    async with running(place.zone.run):
        await until(lambda: bool(place.shown.zones))
        place.rows.free[ZONE].append(("3", place.rows.free[ZONE][0][1]))
        await asyncio.sleep(RECOUNT_SECONDS + 0.1)
    assert place.shown.zones[-1].capacity == 3


async def test_a_count_that_fails_is_tried_again(until: Until) -> None:
    place = Place()

    async def fail(name: str) -> None:
        raise StoreError("away", retryable=True)

    place.store.before = fail
    async with running(place.zone.run):
        await asyncio.sleep(1)
        place.store.before = None
        await until(lambda: bool(place.shown.zones))
    assert place.clock.monotonic() <= RECOUNT_SECONDS + 1


async def test_fenced_out_it_ends() -> None:
    place = Place()
    run = asyncio.create_task(place.zone.run())
    await asyncio.sleep(0.1)
    place.rows.fence = 2
    with pytest.raises(ActorStopped) as raised:
        await admit(place, 1, seconds=1)
    assert raised.value.uncertain
    with pytest.raises(FencedOut):
        await run
