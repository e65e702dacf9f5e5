"""The supervisor: delays, ceiling, quiet period, giving up, fencing, and the ordered stop."""

import asyncio
import gc
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from gated.actors.actor import Actor
from gated.actors.failures import StrayCancellation
from gated.actors.mailbox import ActorStopped
from gated.actors.reply import Reply
from gated.actors.restarts import RestartLedger, RestartPolicy
from gated.actors.supervisor import ChildReturned, ChildState, StopReport, Supervisor
from gated.core.errors import FencedOut, StoreError
from tests.actors.conftest import Events, Until

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

PLAIN = RestartPolicy(
    delay_seconds_first=1,
    delay_seconds_max=8,
    growth=2,
    jitter=0,
    quiet_seconds=60,
    restarts_max=6,
    window_seconds=300,
)


class Supervised(Supervisor):
    """A supervisor that writes down what its callbacks were told."""

    def __init__(self, policy: RestartPolicy = PLAIN, *, seed: int = 0) -> None:
        self.given_up: list[tuple[str, BaseException]] = []
        self.fenced: list[tuple[str, BaseException]] = []
        super().__init__(
            rng=random.Random(seed),
            on_give_up=lambda name, error: self.given_up.append((name, error)),
            on_fenced_out=lambda name, error: self.fenced.append((name, error)),
            policy=policy,
            cancel_seconds=3,
        )

    def state(self, name: str) -> ChildState:
        return next(child.state for child in self.children if child.name == name)


class Echo(Actor[str]):
    """Crashes on "poison", loses its lease on "fenced", sleeps on "slow"; repeats the rest."""

    def __init__(self, name: str = "echo", order: list[str] | None = None) -> None:
        self.poison: list[str] = []
        super().__init__(
            name, capacity=10, on_poison=lambda message, _: self.poison.append(message)
        )
        self.handled: list[str] = []
        self.starts: list[float] = []
        self.order = order if order is not None else []

    async def started(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())

    async def stopped(self) -> None:
        self.order.append(self.name)

    async def handle(self, message: str) -> None:
        self.handled.append(message)
        match message:
            case "poison":
                raise ValueError(message)
            case "fenced":
                raise FencedOut("another daemon")
            case "slow":
                await asyncio.sleep(100)
            case _:
                pass


class Script:
    """A coroutine factory whose n-th run lives for a while and then raises or returns."""

    def __init__(self, *runs: tuple[float, BaseException | None]) -> None:
        self.runs = list(runs)
        self.starts: list[float] = []

    async def __call__(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        if not self.runs:
            await asyncio.Event().wait()
        lifetime, error = self.runs.pop(0)
        await asyncio.sleep(lifetime)
        if error is not None:
            raise error

    @property
    def gaps(self) -> list[float]:
        return [round(b - a, 3) for a, b in zip(self.starts, self.starts[1:], strict=False)]


def crashes(count: int, lifetime: float = 0) -> list[tuple[float, BaseException | None]]:
    return [(lifetime, ValueError(str(n))) for n in range(count)]


# The policy


def test_delays_grow_up_to_the_ceiling_and_jitter_only_shortens_them() -> None:
    policy = RestartPolicy(delay_seconds_first=1, delay_seconds_max=8, jitter=0.5, quiet_seconds=9)
    full = [1, 2, 4, 8, 8, 8]
    drawn = [policy.delay_seconds(n, random.Random(n)) for n in range(1, 7)]
    assert all(ceiling / 2 < delay <= ceiling for delay, ceiling in zip(drawn, full, strict=True))
    assert len({delay / ceiling for delay, ceiling in zip(drawn, full, strict=True)}) == 6
    assert policy.delay_seconds(10_000, random.Random(1)) <= 8


def test_jitter_comes_from_the_injected_source() -> None:
    policy = RestartPolicy()
    one, same, other = (
        [policy.delay_seconds(n, rng) for n in range(1, 5)]
        for rng in (random.Random(7), random.Random(7), random.Random(8))
    )
    assert one == same != other


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay_seconds_first": 0},
        {"delay_seconds_first": 31},
        {"growth": 0.5},
        {"jitter": 1},
        {"restarts_max": -1},
        {"window_seconds": 60},
    ],
)
def test_a_policy_that_could_spin_or_never_give_up_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"delay|growth|given up"):
        RestartPolicy(**wrong)


def test_a_policy_without_restarts_gives_up_at_once() -> None:
    ledger = RestartLedger(RestartPolicy(restarts_max=0), random.Random(0))
    assert ledger.crashed(ValueError(), started_at=0, now=1) is None


def test_restarts_outside_the_window_do_not_count() -> None:
    policy = RestartPolicy(
        delay_seconds_max=1, restarts_max=2, window_seconds=10, quiet_seconds=1000
    )
    ledger = RestartLedger(policy, random.Random(0))
    verdicts = [ledger.crashed(ValueError(), started_at=t, now=t) for t in (0, 6, 12, 18, 19)]
    assert [verdict is None for verdict in verdicts] == [False, False, False, False, True]


# Restarts


async def test_a_crashed_child_is_restarted_with_growing_delays_up_to_the_ceiling(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised()
    script = Script(*crashes(6))
    supervisor.supervise("relay", script)
    await until(lambda: len(script.starts) == 7)
    assert script.gaps == [1, 2, 4, 8, 8, 8]
    assert supervisor.children[0].restarts == 6
    assert supervisor.state("relay") is ChildState.RUNNING
    crashed = [event for event in log_events if event["event"] == "actor.crashed"]
    assert [event["attempt"] for event in crashed] == [1, 2, 3, 4, 5, 6]
    assert [event["delay_seconds"] for event in crashed] == [1, 2, 4, 8, 8, 8]
    assert {event["actor"] for event in crashed} == {"relay"}
    assert crashed[0]["error"] == "ValueError: 0"
    assert isinstance(crashed[0]["exc_info"], ValueError)
    restarted = [event for event in log_events if event["event"] == "actor.restarted"]
    assert [event["attempt"] for event in restarted] == [1, 2, 3, 4, 5, 6]
    assert not any("exc_info" in event for event in restarted)  # the chain is logged once
    await supervisor.stop(deadline_seconds=10)


async def test_a_child_is_waiting_between_crash_and_restart(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise("relay", Script(*crashes(1)))
    await until(lambda: supervisor.state("relay") is ChildState.WAITING)
    await until(lambda: supervisor.state("relay") is ChildState.RUNNING)
    await supervisor.stop(deadline_seconds=10)


async def test_a_quiet_period_starts_the_delays_anew(until: Until) -> None:
    supervisor = Supervised()
    script = Script(*crashes(3), (60, ValueError("after a quiet while")), *crashes(5))
    supervisor.supervise("relay", script)
    await until(lambda: len(script.starts) == 10)
    assert script.gaps == [1, 2, 4, 61, 2, 4, 8, 8, 8]
    assert supervisor.given_up == []
    await supervisor.stop(deadline_seconds=10)


async def test_a_life_short_of_the_quiet_period_changes_nothing(until: Until) -> None:
    supervisor = Supervised()
    script = Script(*crashes(2), (59, ValueError("not quiet enough")))
    supervisor.supervise("relay", script)
    await until(lambda: len(script.starts) == 4)
    assert script.gaps == [1, 2, 63]
    await supervisor.stop(deadline_seconds=10)


async def test_a_child_that_always_crashes_is_given_up_loudly(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised()
    script = Script(*crashes(100))
    supervisor.supervise("relay", script)
    await until(lambda: bool(supervisor.given_up))
    [(name, error)] = supervisor.given_up
    assert name == "relay"
    assert str(error) == "6"
    assert len(script.starts) == 1 + PLAIN.restarts_max
    assert supervisor.state("relay") is ChildState.GAVE_UP
    assert [event["event"] for event in log_events[-2:]] == ["actor.crashed", "actor.gave_up"]
    assert log_events[-1]["log_level"] == "critical"
    assert log_events[-2]["delay_seconds"] is None
    await asyncio.sleep(1000)
    assert len(script.starts) == 1 + PLAIN.restarts_max
    assert await supervisor.stop(deadline_seconds=10) == StopReport((), ())


@pytest.mark.parametrize(
    "outage",
    [
        StoreError("the database is away", retryable=True),
        ExceptionGroup("work", [StoreError("the database is away", retryable=True)]),
    ],
)
async def test_an_outage_delays_but_is_never_given_up(until: Until, outage: Exception) -> None:
    supervisor = Supervised()
    script = Script(*[(0.0, outage)] * 50)
    supervisor.supervise("facility", script)
    await until(lambda: len(script.starts) == 51)
    assert script.gaps[:5] == [1, 2, 4, 8, 8]
    assert supervisor.given_up == []
    await supervisor.stop(deadline_seconds=10)


async def test_a_store_error_that_will_not_pass_is_given_up(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise("facility", Script(*[(0.0, StoreError("schema", retryable=False))] * 50))
    await until(lambda: bool(supervisor.given_up))


async def test_one_child_s_crash_is_nobody_else_s(until: Until) -> None:
    supervisor = Supervised()
    steady, failing = Script(), Script(*crashes(100))
    supervisor.supervise("steady", steady)
    supervisor.supervise("failing", failing)
    await until(lambda: bool(supervisor.given_up))
    assert len(steady.starts) == 1
    assert supervisor.state("steady") is ChildState.RUNNING
    await supervisor.stop(deadline_seconds=10)


async def test_a_plain_child_that_returns_has_crashed(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise("session", Script(*[(0.0, None)] * 50))
    await until(lambda: bool(supervisor.given_up))
    assert isinstance(supervisor.given_up[0][1], ChildReturned)


async def test_a_cancellation_from_inside_is_a_crash(until: Until) -> None:
    supervisor = Supervised()
    script = Script((0, asyncio.CancelledError()))
    supervisor.supervise("session", script)
    await until(lambda: len(script.starts) == 2)
    assert script.gaps == [1]
    await supervisor.stop(deadline_seconds=10)


async def test_a_stray_cancellation_is_named_when_it_leads_to_giving_up(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise("session", Script(*[(0.0, asyncio.CancelledError())] * 50))
    await until(lambda: bool(supervisor.given_up))
    error = supervisor.given_up[0][1]
    assert isinstance(error, StrayCancellation)
    assert isinstance(error.__cause__, asyncio.CancelledError)


async def test_a_task_killed_from_outside_is_reported(until: Until, log_events: Events) -> None:
    supervisor = Supervised()
    actor = Echo()
    supervisor.supervise_actor(actor)
    await until(lambda: bool(actor.starts))
    actor.kill()
    await until(lambda: supervisor.state("echo") is ChildState.STOPPED)
    assert [event["event"] for event in log_events] == ["actor.killed"]


async def test_a_killed_child_that_fails_on_its_way_out_is_logged_and_not_restarted(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised()
    starts: list[asyncio.Task[None] | None] = []

    async def fails_on_its_way_out() -> None:
        starts.append(asyncio.current_task())
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("the farewell failed")

    supervisor.supervise("session", fails_on_its_way_out)
    await until(lambda: bool(starts))
    assert starts[0] is not None
    starts[0].cancel()
    await until(lambda: supervisor.state("session") is ChildState.STOPPED)
    assert [(e["event"], e["error"]) for e in log_events] == [
        ("actor.crashed", "ValueError: the farewell failed")
    ]
    await asyncio.sleep(100)
    assert len(starts) == 1


async def test_a_fault_of_the_supervision_itself_does_not_vanish(
    until: Until, log_events: Events
) -> None:
    told: list[str] = []

    def broken(name: str, error: BaseException) -> None:
        told.append(name)
        raise KeyError("callback")

    supervisor = Supervisor(
        rng=random.Random(0),
        on_give_up=lambda name, _: told.append(name),
        on_fenced_out=broken,
    )
    supervisor.supervise("facility", Script((0, FencedOut("another daemon"))))
    await until(lambda: told == ["facility", "facility"])
    assert log_events[-1]["event"] == "actor.gave_up"
    assert isinstance(log_events[-1]["exc_info"], KeyError)


async def test_nothing_is_left_for_asyncio_to_complain_about(
    until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervised()
    supervisor.supervise("relay", Script(*crashes(100)))
    supervisor.supervise("facility", Script((0, FencedOut("another daemon"))))
    await until(lambda: bool(supervisor.given_up) and bool(supervisor.fenced))
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        await supervisor.stop(deadline_seconds=10)
        gc.collect()
    assert caplog.records == []


# Actors


async def test_an_actor_survives_its_poison_with_its_mailbox(until: Until) -> None:
    supervisor = Supervised()
    actor = Echo()
    for message in ("a", "poison", "b"):
        actor.tell(message)
    supervisor.supervise_actor(actor)
    await until(lambda: supervisor.state("echo") is ChildState.WAITING)
    actor.tell("c")  # accepted while the actor is down
    await until(lambda: actor.handled == ["a", "poison", "b", "c"])
    assert actor.poison == ["poison"]
    assert actor.starts == [pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1)]
    await supervisor.stop(deadline_seconds=10)
    assert actor.order == ["echo"]


async def test_an_actor_given_up_refuses_messages(until: Until) -> None:
    supervisor = Supervised()
    actor = Echo()
    for _ in range(8):
        actor.tell("poison")
    supervisor.supervise_actor(actor)

    def build(_: Reply[str]) -> str:
        return "never reached"

    question = asyncio.create_task(actor.ask(build, deadline_seconds=3000))
    await until(lambda: bool(supervisor.given_up))
    assert len(actor.poison) == 1 + PLAIN.restarts_max
    with pytest.raises(ActorStopped):
        actor.tell("late")
    with pytest.raises(ActorStopped) as caught:
        await question
    assert not caught.value.uncertain


async def test_a_fenced_out_actor_stays_down_and_is_reported(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised()
    actor = Echo()
    actor.tell("fenced")
    supervisor.supervise_actor(actor)
    await until(lambda: bool(supervisor.fenced))
    [(name, error)] = supervisor.fenced
    assert name == "echo"
    assert isinstance(error, FencedOut)
    assert supervisor.state("echo") is ChildState.FENCED_OUT
    assert supervisor.given_up == []
    assert actor.poison == []
    with pytest.raises(ActorStopped):
        actor.tell("late")
    await asyncio.sleep(1000)
    assert len(actor.starts) == 1
    assert [event["event"] for event in log_events] == ["actor.fenced_out"]


async def test_fenced_out_is_found_inside_a_group(until: Until) -> None:
    supervisor = Supervised()
    group = ExceptionGroup("g", [ValueError("x"), ExceptionGroup("h", [FencedOut("other")])])
    supervisor.supervise("session", Script((0, group)))
    await until(lambda: bool(supervisor.fenced))
    assert isinstance(supervisor.fenced[0][1], FencedOut)


async def test_a_name_can_come_again_when_its_child_is_down(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise("north", Script())
    supervisor.supervise("south", Script())
    with pytest.raises(ValueError, match="north"):
        supervisor.supervise("north", Script())
    assert await supervisor.stop_child("north") == StopReport((), ())
    assert supervisor.state("north") is ChildState.STOPPED
    supervisor.supervise("north", Script())
    assert [child.name for child in supervisor.children] == ["south", "north"]
    with pytest.raises(KeyError):
        await supervisor.stop_child("west")
    await supervisor.stop(deadline_seconds=10)


# The stop


async def test_children_stop_in_reverse_order_each_after_the_one_before(until: Until) -> None:
    order: list[str] = []
    supervisor = Supervised()

    class Zone(Echo):
        async def stopped(self) -> None:
            await asyncio.sleep(1)
            order.append(self.name)

    class Facility(Echo):
        """Asks its zone until its own very end, so the zone has to outlive it."""

        async def handle(self, message: str) -> None:
            def build(reply: Reply[str]) -> str:
                reply.answer("admitted")
                return "admit"

            await asyncio.sleep(0.5)
            order.append(await zone.ask(build, deadline_seconds=1))

    zone = Zone("zone")
    facility = Facility("facility", order)
    supervisor.supervise("relay", lambda: note_end("relay", order))
    supervisor.supervise_actor(zone)
    supervisor.supervise_actor(facility)
    facility.tell("one")
    facility.tell("two")
    await until(lambda: bool(facility.starts))
    report = await supervisor.stop(deadline_seconds=10)
    assert order == ["admitted", "admitted", "facility", "zone", "relay"]
    assert report == StopReport((), ())
    assert {child.state for child in supervisor.children} == {ChildState.STOPPED}
    with pytest.raises(RuntimeError, match="stopping"):
        supervisor.supervise("late", Script())


async def note_end(name: str, order: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        order.append(name)


async def test_an_overdue_child_is_cancelled_and_named(until: Until, log_events: Events) -> None:
    supervisor = Supervised()
    first, slow = Echo("first"), Echo("slow")
    supervisor.supervise_actor(first)
    supervisor.supervise_actor(slow, stop_deadline_seconds=2)
    slow.tell("slow")
    await until(lambda: slow.handled == ["slow"] and bool(first.starts))
    loop = asyncio.get_running_loop()
    before = loop.time()
    report = await supervisor.stop(deadline_seconds=20)
    assert loop.time() - before == pytest.approx(2, abs=0.1)
    assert report == StopReport(cancelled=("slow",), alive=())
    assert [(e["event"], e["actor"], e["step"]) for e in log_events] == [
        ("actor.stop_overdue", "slow", "drain")
    ]
    assert first.order == ["first"]
    assert slow.order == []


def immortal(release: asyncio.Event) -> Callable[[], Coroutine[Any, Any, None]]:
    async def run() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    return run


async def test_a_child_that_survives_its_cancellation_is_named_and_holds_nobody_up(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised()
    actor, release = Echo(), asyncio.Event()
    supervisor.supervise_actor(actor)
    supervisor.supervise("hung", immortal(release))
    await until(lambda: bool(actor.starts))
    report = await supervisor.stop(deadline_seconds=20)
    assert report == StopReport(cancelled=(), alive=("hung",))
    assert actor.order == ["echo"]
    assert {(e["event"], e["actor"], e["step"]) for e in log_events} == {
        ("actor.stop_overdue", "hung", "cancel")
    }
    release.set()
    await until(lambda: supervisor.state("hung") is ChildState.STOPPED)


async def test_the_whole_stop_is_bounded(until: Until) -> None:
    supervisor = Supervised()
    release = asyncio.Event()
    slow = [Echo(f"slow-{n}") for n in range(10)]
    for n, actor in enumerate(slow):
        supervisor.supervise_actor(actor, stop_deadline_seconds=5)
        supervisor.supervise(f"hung-{n}", immortal(release))
        actor.tell("slow")
    await until(lambda: all(actor.handled for actor in slow))
    loop = asyncio.get_running_loop()
    before = loop.time()
    report = await supervisor.stop(deadline_seconds=12)
    assert loop.time() - before == pytest.approx(12, abs=0.01)
    assert set(report.cancelled) == {actor.name for actor in slow}
    assert report.alive == tuple(f"hung-{n}" for n in reversed(range(10)))
    release.set()
    await until(lambda: {child.state for child in supervisor.children} == {ChildState.STOPPED})


async def test_a_stop_without_time_cancels_all_and_believes_those_that_end_at_once(
    until: Until,
) -> None:
    supervisor = Supervised()
    actor = Echo()
    supervisor.supervise_actor(actor)
    supervisor.supervise("relay", Script())
    actor.tell("slow")
    await until(lambda: actor.handled == ["slow"])
    report = await supervisor.stop(deadline_seconds=0.5)
    assert report == StopReport(cancelled=("echo",), alive=())


async def test_a_child_that_waits_for_its_restart_stops_at_once(until: Until) -> None:
    supervisor = Supervised()
    actor = Echo()
    actor.tell("poison")
    actor.tell("forgotten")
    supervisor.supervise_actor(actor)
    await until(lambda: supervisor.state("echo") is ChildState.WAITING)
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await supervisor.stop(deadline_seconds=10) == StopReport((), ())
    assert loop.time() - before < 0.5
    assert len(actor.starts) == 1
    assert actor.depth == 0


async def test_a_crash_while_stopping_is_logged_and_not_restarted(
    until: Until, log_events: Events
) -> None:
    supervisor = Supervised(RestartPolicy(restarts_max=0))  # gives up at once, but for the stop
    actor = Echo()
    supervisor.supervise_actor(actor)
    await until(lambda: bool(actor.starts))
    actor.tell("poison")
    assert await supervisor.stop_child("echo") == StopReport((), ())
    assert [(event["event"], event["delay_seconds"]) for event in log_events] == [
        ("actor.crashed", None)
    ]
    assert supervisor.state("echo") is ChildState.STOPPED
    assert supervisor.given_up == []
    await asyncio.sleep(100)
    assert len(actor.starts) == 1


async def test_a_lost_lease_takes_a_child_down_at_once(until: Until) -> None:
    supervisor = Supervised()
    actor = Echo()
    supervisor.supervise_actor(actor)
    actor.tell("slow")
    await until(lambda: actor.handled == ["slow"])
    loop = asyncio.get_running_loop()
    before = loop.time()
    report = await supervisor.stop_child("echo", deadline_seconds=0)
    assert report == StopReport(cancelled=("echo",), alive=())
    assert loop.time() - before < 0.1
    with pytest.raises(ActorStopped):
        actor.tell("late")


async def test_a_child_cannot_wait_for_its_own_stop(until: Until) -> None:
    supervisor = Supervised()
    caught: list[str] = []

    async def suicidal() -> None:
        for stop in (supervisor.stop(deadline_seconds=1), supervisor.stop_child("suicidal")):
            try:
                await stop
            except RuntimeError as error:
                caught.append(str(error))
        await asyncio.Event().wait()

    supervisor.supervise("suicidal", suicidal)
    await until(lambda: len(caught) == 2)
    await supervisor.stop(deadline_seconds=10)
    assert all("its own stop" in message for message in caught)


async def test_every_task_carries_the_name_of_its_child(until: Until) -> None:
    supervisor = Supervised()
    supervisor.supervise_actor(Echo("facility:north"))
    supervisor.supervise("relay", Script())
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert {"facility:north", "relay"} <= names
    await supervisor.stop(deadline_seconds=10)
