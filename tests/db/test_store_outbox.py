"""The outbox, on every store: sent once at most, in time, and never a step back."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gated.core.errors import StoreError
from gated.core.events import CommandStatus
from gated.core.ids import CommandId
from tests.db.site import NOW, Gate
from tests.db.stores import Bench

S = CommandStatus
EXPIRED = NOW + timedelta(seconds=3)


async def accepted(gate: Gate) -> CommandId:
    request = await gate.entry()
    await gate.store.admit(gate.site.id, gate.fence, request)
    return request.command.id


async def test_a_command_waits_until_it_is_taken(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry()
    await bench.store.admit(gate.site.id, gate.fence, request)
    denial = await gate.denial(at=NOW + timedelta(seconds=1))
    await bench.store.deny(gate.site.id, gate.fence, denial)
    waiting = list(await bench.store.accepted_commands(gate.site.id))
    assert waiting == [request.command, denial.command]
    command = request.command.id
    taken = await bench.store.dispatch_command(gate.site.id, gate.fence, command, NOW)
    assert taken is S.DISPATCHED
    assert list(await bench.store.accepted_commands(gate.site.id)) == [denial.command]


async def test_a_command_beside_a_decision_is_committed_once(bench: Bench) -> None:
    gate = await bench.gate()
    request = await gate.entry()
    for _ in range(2):
        await bench.store.send_command(gate.site.id, gate.fence, request.command)
    assert list(await bench.store.accepted_commands(gate.site.id)) == [request.command]


async def test_a_command_is_taken_once(bench: Bench) -> None:
    gate = await bench.gate()
    command = await accepted(gate)
    answers = [
        await bench.store.dispatch_command(gate.site.id, gate.fence, command, NOW) for _ in range(3)
    ]
    assert answers == [S.DISPATCHED, S.UNKNOWN, S.UNKNOWN]


async def test_a_command_that_its_committer_sends_is_stored_as_sent(bench: Bench) -> None:
    gate = await bench.gate()
    entry = await gate.entry()
    entry = replace(entry, command=replace(entry.command, taken=True))
    answers = [await bench.store.admit(gate.site.id, gate.fence, entry) for _ in range(2)]
    assert [answer.stay for answer in answers] == [entry.stay, entry.stay]
    denial = await gate.denial(at=NOW + timedelta(seconds=1))
    assert denial.command is not None
    denial = replace(denial, command=replace(denial.command, taken=True))
    assert await bench.store.deny(gate.site.id, gate.fence, denial)
    departure = await gate.departure(entry.stay)
    departure = replace(departure, command=replace(departure.command, taken=True))
    await bench.store.release(gate.site.id, gate.fence, departure)
    # Nobody else may send them.
    assert list(await bench.store.accepted_commands(gate.site.id)) == []
    answer = await bench.store.dispatch_command(gate.site.id, gate.fence, entry.command.id, NOW)
    assert answer is S.UNKNOWN
    # And what is never answered ends as unknown, not as expired: it may have been sent.
    ended = await bench.store.expire_commands(gate.site.id, gate.fence, NOW + timedelta(days=1))
    assert {(command, status) for command, _, status in ended} == {
        (entry.command.id, S.UNKNOWN),
        (denial.command.id if denial.command else None, S.UNKNOWN),
        (departure.command.id, S.UNKNOWN),
    }


async def test_an_overdue_command_expires_when_it_is_taken(bench: Bench) -> None:
    gate = await bench.gate()
    command = await accepted(gate)
    for _ in range(2):
        answer = await bench.store.dispatch_command(gate.site.id, gate.fence, command, EXPIRED)
        assert answer is S.EXPIRED


async def test_a_moment_before_its_expiry_a_command_is_in_time(bench: Bench) -> None:
    gate = await bench.gate()
    command = await accepted(gate)
    moment = EXPIRED - timedelta(microseconds=1)
    answer = await bench.store.dispatch_command(gate.site.id, gate.fence, command, moment)
    assert answer is S.DISPATCHED


async def test_an_unknown_command_is_an_error(bench: Bench) -> None:
    gate, other = await bench.gate(), await bench.gate()
    foreign = await accepted(other)
    for command in (CommandId(uuid4()), foreign):
        with pytest.raises(StoreError) as dispatched:
            await bench.store.dispatch_command(gate.site.id, gate.fence, command, NOW)
        with pytest.raises(StoreError) as advanced:
            await bench.store.advance_command(
                gate.site.id, gate.fence, command, S.CONFIRMED, None, NOW
            )
        assert not dispatched.value.retryable
        assert not advanced.value.retryable


@pytest.mark.parametrize(
    ("steps", "stands"),
    [
        ([S.DISPATCHED, S.ACKNOWLEDGED, S.CONFIRMED], S.CONFIRMED),
        ([S.DISPATCHED, S.CONFIRMED, S.ACKNOWLEDGED], S.CONFIRMED),
        ([S.DISPATCHED, S.CONFIRMED, S.FAILED], S.CONFIRMED),
        ([S.DISPATCHED, S.ACKNOWLEDGED, S.UNKNOWN], S.ACKNOWLEDGED),
        ([S.DISPATCHED, S.UNKNOWN, S.ACKNOWLEDGED], S.ACKNOWLEDGED),
        ([S.DISPATCHED, S.UNKNOWN, S.CONFIRMED], S.CONFIRMED),
        ([S.DISPATCHED, S.UNKNOWN, S.DISPATCHED], S.UNKNOWN),
        ([S.DISPATCHED, S.FAILED, S.CONFIRMED], S.FAILED),
        ([S.DISPATCHED, S.ACKNOWLEDGED, S.FAILED, S.ACKNOWLEDGED], S.FAILED),
        ([S.EXPIRED, S.CONFIRMED], S.EXPIRED),
        ([S.DISPATCHED, S.ACKNOWLEDGED, S.EXPIRED], S.ACKNOWLEDGED),
        ([S.CANCELLED, S.DISPATCHED], S.CANCELLED),
        ([S.DISPATCHED, S.CANCELLED], S.DISPATCHED),
        ([S.DISPATCHED, S.EXPIRED, S.CONFIRMED], S.EXPIRED),
        ([S.DISPATCHED, S.DISPATCHED], S.DISPATCHED),
        ([S.ACKNOWLEDGED, S.ACCEPTED], S.ACKNOWLEDGED),
    ],
)
async def test_a_command_never_steps_back(bench: Bench, steps: list[S], stands: S) -> None:
    gate = await bench.gate()
    command = await accepted(gate)
    answers = [
        await bench.store.advance_command(gate.site.id, gate.fence, command, step, "why", NOW)
        for step in steps
    ]
    assert answers[-1] is stands


async def test_the_sweep_ends_what_is_over(bench: Bench) -> None:
    gate = await bench.gate()
    waiting, sent, answered = [
        (await gate.denial(at=NOW), await gate.entry(plate))[1] for plate in ("A1", "B1", "C1")
    ]
    for request in (waiting, sent, answered):
        await bench.store.admit(gate.site.id, gate.fence, request)
    late = await gate.entry("D1", zone=gate.site.setup.zones[1].id, at=NOW + timedelta(seconds=1))
    await bench.store.admit(gate.site.id, gate.fence, late)
    for request in (sent, answered):
        await bench.store.dispatch_command(gate.site.id, gate.fence, request.command.id, NOW)
    await bench.store.advance_command(
        gate.site.id, gate.fence, answered.command.id, S.ACKNOWLEDGED, None, NOW
    )
    before = await bench.store.expire_commands(
        gate.site.id, gate.fence, EXPIRED - timedelta(microseconds=1)
    )
    assert list(before) == []
    ended = await bench.store.expire_commands(gate.site.id, gate.fence, EXPIRED)
    assert sorted(ended) == sorted(
        [
            (waiting.command.id, waiting.lane, S.EXPIRED),
            (sent.command.id, sent.lane, S.UNKNOWN),
        ]
    )
    assert list(await bench.store.expire_commands(gate.site.id, gate.fence, EXPIRED)) == []
