"""The relay: each command is sent once, in time and under the lease, or its end is told."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from gated.core.errors import DeliveryError, FencedOut, StoreError
from gated.core.events import CommandEnded, CommandStatus
from gated.core.ids import CommandId, DeviceId
from gated.records import Command, Publication
from tests.actors.conftest import Events, Until
from tests.actors.support import ENTRY, EPOCH, Place, running
from tests.fakes.store import CommandRow

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def status(place: Place, command: Command) -> CommandStatus:
    return place.rows.commands[command.id].status


def ends(place: Place) -> list[CommandEnded]:
    assert all(lane == ENTRY for lane, _ in place.told_lanes)
    return [event for _, event in place.told_lanes if isinstance(event, CommandEnded)]


async def test_a_committed_command_is_sent_at_once(until: Until) -> None:
    place = Place()
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await until(lambda: bool(place.link.published))
        assert place.clock.monotonic() < 0.1
    (sent,) = place.link.published
    assert sent == Publication("entry/command", f"open {command.id}".encode())
    assert (sent.qos, sent.retain) == (1, False)
    assert status(place, command) is CommandStatus.DISPATCHED
    assert ends(place) == []


async def test_a_command_taken_with_its_decision_is_sent_without_another_question() -> None:
    place = Place()
    command = place.commit(1, taken=True)
    calls: list[str] = []

    async def note(name: str) -> None:
        calls.append(name)

    place.store.before = note
    async with running(place.relay.run):
        place.relay.poke(command, 0.0)
        await asyncio.sleep(0.5)
    assert place.opened() == 1
    assert "dispatch_command" not in calls


async def test_it_is_sent_once_however_often_it_is_found() -> None:
    place = Place()
    async with running(place.relay.run):
        command = place.commit(1)
        for _ in range(3):
            place.relay.poke(command, 0.0)
        await asyncio.sleep(2.5)  # and the sweep looks twice
        place.relay.poke(command, 0.0)
        await asyncio.sleep(0.1)
    assert place.opened() == 1


async def test_one_that_is_on_its_way_is_not_sent_beside_itself() -> None:
    place = Place()
    attempts = 0

    async def slowly(_: Publication) -> None:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(0.5)

    place.link.before = slowly
    async with running(place.relay.run):
        command = place.commit(1, taken=True)
        for _ in range(3):
            place.relay.poke(command, 0.0)
        await asyncio.sleep(2)
    assert (attempts, place.opened()) == (1, 1)


async def test_what_no_poke_told_of_is_found_by_the_sweep() -> None:
    place = Place()
    async with running(place.relay.run):
        await asyncio.sleep(0.5)
        place.commit(1)
        await asyncio.sleep(1)
    assert place.opened() == 1


async def test_two_commands_of_one_lane_leave_in_order() -> None:
    place = Place()
    gate = asyncio.Event()

    async def slowly(publication: Publication) -> None:
        if publication.payload.endswith(str(UUID(int=1)).encode()):
            await gate.wait()

    place.link.before = slowly
    async with running(place.relay.run):
        place.relay.poke(place.commit(1), 0.0)
        place.relay.poke(place.commit(2), 0.0)
        await asyncio.sleep(0.5)
        assert place.link.published == []
        gate.set()
        await asyncio.sleep(0.1)
    assert [sent.payload[-1:] for sent in place.link.published] == [b"1", b"2"]


@pytest.mark.parametrize("taken", [True, False])
async def test_past_its_expiry_nothing_is_sent(taken: bool) -> None:
    place = Place()
    async with running(place.relay.run):
        command = place.commit(1, seconds=0.15, taken=taken)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(0.1)
    assert place.link.published == []
    assert status(place, command) is CommandStatus.EXPIRED
    # The sweep may have found it in the same moment; the lane hears the end it knows once more.
    assert set(ends(place)) == {CommandEnded(command.id, CommandStatus.EXPIRED)}


async def test_one_that_expired_in_the_outbox_is_told_by_the_sweep() -> None:
    place = Place()
    command = place.commit(1, seconds=-1)
    await place.relay.sweep()
    assert status(place, command) is CommandStatus.EXPIRED
    assert ends(place) == [CommandEnded(command.id, CommandStatus.EXPIRED)]


async def test_a_slow_dispatch_eats_the_time_that_is_left() -> None:
    place = Place()

    async def slow(name: str) -> None:
        if name == "dispatch_command":
            await asyncio.sleep(2.9)

    place.store.before = slow
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(2.95)
    assert place.link.published == []
    assert status(place, command) is CommandStatus.EXPIRED


async def test_without_the_lease_nothing_is_sent_and_nothing_is_taken() -> None:
    place = Place(lease_holds=lambda: False)
    async with running(place.relay.run):
        command = place.commit(1)
        assert not place.relay.ready()
        place.relay.poke(command, 0.0)
        await asyncio.sleep(0.5)
    assert place.link.published == []
    assert status(place, command) is CommandStatus.ACCEPTED


async def test_a_lease_lost_while_it_was_being_taken_stops_it() -> None:
    holds = True
    place = Place(lease_holds=lambda: holds)

    async def lose(name: str) -> None:
        nonlocal holds
        if name == "dispatch_command":
            holds = False

    place.store.before = lose
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(0.5)
    assert place.link.published == []
    assert status(place, command) is CommandStatus.EXPIRED


async def test_a_command_of_an_older_fence_is_cancelled_unsent() -> None:
    place = Place()
    place.rows.fence = 1
    command = place.commit(1, fence=0)
    await place.relay.sweep()
    assert status(place, command) is CommandStatus.CANCELLED
    async with running(place.relay.run):
        await asyncio.sleep(1.5)
    assert place.link.published == []


async def test_fenced_out_it_ends() -> None:
    place = Place()
    place.rows.fence = 2
    with pytest.raises(ExceptionGroup) as raised:
        await place.relay.run()
    assert raised.group_contains(FencedOut)


@pytest.mark.parametrize(
    ("uncertain", "ending"), [(False, CommandStatus.FAILED), (True, CommandStatus.UNKNOWN)]
)
async def test_a_publication_that_fails_ends_the_command(
    uncertain: bool, ending: CommandStatus
) -> None:
    place = Place()

    async def fail(_: Publication) -> None:
        raise DeliveryError("no link", uncertain=uncertain)

    place.link.before = fail
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(2.5)  # the sweep finds nothing to send again
    assert status(place, command) is ending
    assert ends(place) == [CommandEnded(command.id, ending)]


async def test_a_publication_that_is_never_acknowledged_is_of_unknown_fate() -> None:
    place = Place()
    attempts = 0

    async def hang(_: Publication) -> None:
        nonlocal attempts
        attempts += 1
        await asyncio.Event().wait()

    place.link.before = hang
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(5)
    assert attempts == 1
    assert status(place, command) is CommandStatus.UNKNOWN
    assert CommandEnded(command.id, CommandStatus.UNKNOWN) in ends(place)


async def test_an_unanswered_command_is_of_unknown_fate_past_its_expiry() -> None:
    place = Place()
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(4.5)
    assert place.opened() == 1
    assert status(place, command) is CommandStatus.UNKNOWN
    assert ends(place) == [CommandEnded(command.id, CommandStatus.UNKNOWN)]


async def test_a_database_that_is_away_is_waited_for(log_events: Events) -> None:
    place = Place()
    away = True

    async def fail(name: str) -> None:
        if away:
            raise StoreError("away", retryable=True)

    place.store.before = fail
    async with running(place.relay.run):
        command = place.commit(1)
        place.relay.poke(command, 0.0)
        await asyncio.sleep(1.5)
        assert place.link.published == []
        away = False
        await asyncio.sleep(1)
    assert place.opened() == 1
    assert status(place, command) is CommandStatus.DISPATCHED
    assert {"relay.sweep_failed", "relay.dispatch_failed"} <= {
        event["event"] for event in log_events
    }


async def test_a_command_that_its_device_cannot_be_told_fails_alone() -> None:
    place = Place()
    async with running(place.relay.run):
        stranger = place.commit(1)
        nowhere = replace(stranger, id=CommandId(UUID(int=2)), device=DeviceId(UUID(int=0xDEAD)))
        place.rows.commands[nowhere.id] = CommandRow(nowhere)
        place.relay.poke(nowhere, 0.0)
        place.relay.poke(stranger, 0.0)
        await asyncio.sleep(0.5)
    assert status(place, nowhere) is CommandStatus.FAILED
    assert CommandEnded(nowhere.id, CommandStatus.FAILED) in ends(place)
    assert place.opened() == 1


async def test_stopping_sends_what_was_poked_before() -> None:
    place = Place()
    run = asyncio.create_task(place.relay.run())
    commands = [place.commit(number) for number in range(1, 6)]
    for command in commands:
        place.relay.poke(command, 0.0)
    place.relay.request_stop()
    assert not place.relay.ready()
    late = place.commit(9)
    place.relay.poke(late, 0.0)
    await asyncio.wait_for(run, 1)
    assert place.opened() == 5
    assert status(place, late) is CommandStatus.ACCEPTED
    assert place.clock.now() >= EPOCH
