"""The actor kernel: overflow, back-pressure, questions, own messages, restarts, the end."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gated.actors.actor import Actor
from gated.actors.failures import StrayCancellation
from gated.actors.mailbox import ActorStopped, Mailbox, MailboxFull
from gated.actors.reply import AskTimeout, Reply
from gated.core.errors import FencedOut
from tests.actors.conftest import Events, Until

pytestmark = pytest.mark.looptime


@dataclass(frozen=True, slots=True)
class Note:
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    reply: Reply[str]


@dataclass(frozen=True, slots=True)
class Do:
    """Run `action` inside the actor."""

    action: Callable[["Probe"], Awaitable[None]]


Message = Note | Question | Do


class Probe(Actor[Message]):
    """Writes down what it handles; `gate` holds it back between messages."""

    def __init__(self, *, capacity: int = 3, on_poison: Any = None) -> None:
        self.poison: list[tuple[Message, Exception]] = []
        super().__init__(
            "probe",
            capacity=capacity,
            on_poison=on_poison or (lambda message, error: self.poison.append((message, error))),
        )
        self.handled: list[str] = []
        self.lifetimes = 0
        self.farewells = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.answers_by_itself = True

    async def started(self) -> None:
        self.lifetimes += 1

    async def stopped(self) -> None:
        self.farewells += 1

    async def handle(self, message: Message) -> None:
        await self.gate.wait()
        match message:
            case Note(text):
                self.handled.append(text)
                if text.startswith("poison"):
                    raise ValueError(text)
                if text == "fenced":
                    raise ExceptionGroup("work", [FencedOut("another daemon")])
            case Question(text, reply):
                self.handled.append(text)
                if self.answers_by_itself:
                    reply.answer(text.upper())
            case Do(action):
                await action(self)


def asks(text: str) -> Callable[[Reply[str]], Message]:
    return lambda reply: Question(text, reply)


async def ended(task: asyncio.Task[None]) -> BaseException | None:
    """How a task ended, whichever way it did."""
    await asyncio.wait({task})
    return asyncio.CancelledError() if task.cancelled() else task.exception()


async def held(probe: Probe, until: Until) -> asyncio.Task[None]:
    """Run the probe and bring it to stand inside a first message."""
    task = asyncio.create_task(probe.run())
    probe.gate.clear()
    probe.tell(Note("first"))
    await until(lambda: probe.depth == 0)
    return task


# Overflow and back-pressure


async def test_a_full_mailbox_refuses_the_newest_and_keeps_what_it_accepted(until: Until) -> None:
    probe = Probe(capacity=2)
    probe.tell(Note("a"))
    probe.tell(Note("b"))
    with pytest.raises(MailboxFull, match=r"probe.*2"):
        probe.tell(Note("c"))
    assert probe.depth == probe.capacity == 2
    task = asyncio.create_task(probe.run())
    await until(lambda: probe.handled == ["a", "b"])
    probe.tell(Note("d"))
    probe.request_stop()
    await task
    assert probe.handled == ["a", "b", "d"]


def test_a_mailbox_without_a_place_is_no_mailbox() -> None:
    with pytest.raises(ValueError, match="probe"):
        Probe(capacity=0)


async def test_offers_wait_for_space_and_keep_their_order() -> None:
    probe = Probe(capacity=2)
    texts = [f"{n:02}" for n in range(20)]

    async def intake() -> None:
        for text in texts:
            await probe.offer(Note(text))
            assert probe.depth <= 2
        probe.request_stop()

    async with asyncio.TaskGroup() as group:
        group.create_task(intake())
        group.create_task(probe.run())
    assert probe.handled == texts


async def test_waiting_offers_are_served_in_the_order_of_their_coming(until: Until) -> None:
    probe = Probe(capacity=1)
    task = await held(probe, until)
    probe.tell(Note("0"))
    offers = []
    for n in range(1, 6):
        offers.append(asyncio.create_task(probe.offer(Note(str(n)))))
        await asyncio.sleep(0.1)
    probe.gate.set()
    await asyncio.gather(*offers)
    probe.request_stop()
    await task
    assert probe.handled == ["first", "0", "1", "2", "3", "4", "5"]


async def test_tell_does_not_overtake_a_waiting_offer() -> None:
    mailbox: Mailbox[str] = Mailbox("box", 1)
    mailbox.put("a")
    waiting = asyncio.create_task(mailbox.offer("b"))
    await asyncio.sleep(0)
    ticket = mailbox.take()
    assert ticket is not None
    assert ticket.message == "a"
    with pytest.raises(MailboxFull):  # the place is promised, though its taker has yet to run
        mailbox.put("c")
    await waiting
    ticket = mailbox.take()
    assert ticket is not None
    assert ticket.message == "b"
    mailbox.put("c")


@pytest.mark.parametrize("promised", [False, True])
async def test_a_cancelled_offer_adds_nothing_and_passes_its_place_on(promised: bool) -> None:
    mailbox: Mailbox[str] = Mailbox("box", 1)
    mailbox.put("a")
    given_up = asyncio.create_task(mailbox.offer("b"))
    patient = asyncio.create_task(mailbox.offer("c"))
    await asyncio.sleep(0)
    if promised:
        mailbox.take()
    given_up.cancel()
    if not promised:
        await asyncio.wait({given_up})
        mailbox.take()
    await patient
    assert given_up.cancelled()
    assert mailbox.depth == 1
    ticket = mailbox.take()
    assert ticket is not None
    assert ticket.message == "c"
    mailbox.put("d")  # no place was lost on the way


async def test_a_seal_ends_the_wait_of_offers_even_with_a_place_promised() -> None:
    mailbox: Mailbox[str] = Mailbox("box", 1)
    mailbox.put("a")
    offers = [asyncio.create_task(mailbox.offer(text)) for text in "bc"]
    await asyncio.sleep(0)
    mailbox.take()  # promises the place to "b"
    mailbox.seal()
    outcomes = await asyncio.gather(*offers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ActorStopped, ActorStopped]
    assert mailbox.depth == 0


# Questions


async def test_ask_returns_the_answer() -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())
    assert await probe.ask(asks("hello"), deadline_seconds=1) == "HELLO"
    probe.request_stop()
    await task


async def test_ask_raises_what_the_handler_refused_with_even_a_timeout() -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())

    def build(reply: Reply[str]) -> Message:
        async def refuse(_: Probe) -> None:
            reply.refuse(TimeoutError("the gate's own"))

        return Do(refuse)

    with pytest.raises(TimeoutError, match="own"):
        await probe.ask(build, deadline_seconds=1)
    probe.request_stop()
    await task


async def test_a_question_past_its_deadline_times_out_and_the_late_answer_is_dropped(
    until: Until,
) -> None:
    probe = Probe()
    probe.answers_by_itself = False
    task = asyncio.create_task(probe.run())
    replies: list[Reply[str]] = []

    def build(reply: Reply[str]) -> Message:
        replies.append(reply)
        return Question("slow", reply)

    loop = asyncio.get_running_loop()
    before = loop.time()
    with pytest.raises(AskTimeout, match=r"probe.*0\.5 s") as caught:
        await probe.ask(build, deadline_seconds=0.5)
    assert loop.time() - before == pytest.approx(0.5)
    assert caught.value.uncertain
    assert not replies[0].wanted
    replies[0].answer("late")
    replies[0].refuse(ValueError("later still"))
    assert await probe.ask(lambda r: Do(lambda _: answered(r)), deadline_seconds=1) == "alive"
    probe.request_stop()
    await task


async def answered(reply: Reply[str]) -> None:
    reply.answer("alive")


async def test_a_question_nobody_waits_for_is_taken_back_unhandled(until: Until) -> None:
    probe = Probe()
    task = await held(probe, until)
    with pytest.raises(AskTimeout) as caught:
        await probe.ask(asks("stale"), deadline_seconds=0.5)
    assert not caught.value.uncertain
    assert probe.depth == 0
    probe.gate.set()
    assert await probe.ask(asks("fresh"), deadline_seconds=0.5) == "FRESH"
    assert "stale" not in probe.handled
    probe.request_stop()
    await task


async def test_the_deadline_covers_the_wait_for_a_place(until: Until) -> None:
    probe = Probe(capacity=1)
    task = await held(probe, until)
    probe.tell(Note("full"))
    with pytest.raises(AskTimeout) as caught:
        await probe.ask(asks("waits outside"), deadline_seconds=0.5)
    assert not caught.value.uncertain
    probe.gate.set()
    probe.request_stop()
    await task
    assert probe.handled == ["first", "full"]


async def test_a_stopped_actor_takes_neither_messages_nor_questions() -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())
    probe.request_stop()
    await task
    with pytest.raises(ActorStopped):
        probe.tell(Note("late"))
    with pytest.raises(ActorStopped):
        await probe.offer(Note("late"))
    with pytest.raises(ActorStopped) as caught:
        await probe.ask(asks("late"), deadline_seconds=5)
    assert not caught.value.uncertain
    assert asyncio.get_running_loop().time() < 1
    with pytest.raises(ActorStopped):
        await probe.run()
    probe.tell_self(Note("dropped"))
    assert probe.depth == 0


async def test_a_kill_refuses_the_question_in_hand_and_those_behind_it(until: Until) -> None:
    probe = Probe(capacity=1)
    probe.gate.clear()
    task = asyncio.create_task(probe.run())
    in_hand = asyncio.create_task(probe.ask(asks("in hand"), deadline_seconds=9))
    await until(lambda: probe.depth == 0)
    queued = asyncio.create_task(probe.ask(asks("queued"), deadline_seconds=9))
    outside = asyncio.create_task(probe.ask(asks("outside"), deadline_seconds=9))
    await until(lambda: probe.depth == 1)
    probe.kill()
    assert isinstance(await ended(task), asyncio.CancelledError)
    outcomes = await asyncio.gather(in_hand, queued, outside, return_exceptions=True)
    assert [(type(o), getattr(o, "uncertain", None)) for o in outcomes] == [
        (ActorStopped, True),
        (ActorStopped, False),
        (ActorStopped, False),
    ]
    assert probe.farewells == 0
    assert asyncio.get_running_loop().time() < 1


async def test_a_cancelled_asker_does_not_harm_the_actor(until: Until) -> None:
    probe = Probe()
    probe.gate.clear()
    task = asyncio.create_task(probe.run())
    in_hand = asyncio.create_task(probe.ask(asks("in hand"), deadline_seconds=9))
    await until(lambda: probe.depth == 0)
    queued = asyncio.create_task(probe.ask(asks("queued"), deadline_seconds=9))
    await until(lambda: probe.depth == 1)
    in_hand.cancel()
    queued.cancel()
    await asyncio.wait({in_hand, queued})
    assert in_hand.cancelled()
    assert queued.cancelled()
    probe.gate.set()
    assert await probe.ask(asks("next"), deadline_seconds=1) == "NEXT"
    assert probe.handled == ["in hand", "next"]
    probe.request_stop()
    await task


async def test_an_unwanted_refusal_is_not_reported_as_lost() -> None:
    """asyncio complains about a future whose exception nobody reads."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    probe = Probe()
    task = asyncio.create_task(probe.run())

    def build(reply: Reply[str]) -> Message:
        async def refuse_and_cancel(_: Probe) -> None:
            reply.refuse(ValueError("unwanted"))
            asker.cancel()

        return Do(refuse_and_cancel)

    asker = asyncio.create_task(probe.ask(build, deadline_seconds=1))
    await asyncio.wait({asker})
    probe.request_stop()
    await task
    gc.collect()
    assert asker.cancelled()
    assert complaints == []


async def test_an_actor_that_would_wait_for_itself_is_told_so() -> None:
    probe = Probe()

    async def ask_itself(me: Probe) -> None:
        await me.ask(asks("me"), deadline_seconds=1)

    async def offer_itself(me: Probe) -> None:
        await me.offer(Note("me"))

    for action in (ask_itself, offer_itself):
        probe.tell(Do(action))
        error = await ended(asyncio.create_task(probe.run()))
        assert isinstance(error, RuntimeError)
        assert "wait for itself" in str(error)
    assert len(probe.poison) == 2


# What an actor tells itself


async def test_tell_self_is_never_refused_and_keeps_the_order(until: Until) -> None:
    probe = Probe(capacity=1)
    task = await held(probe, until)
    probe.tell(Note("outsider"))
    for n in range(100):
        probe.tell_self(Note(str(n)))
    assert probe.depth == 101
    with pytest.raises(MailboxFull):
        probe.tell(Note("no place"))
    probe.gate.set()
    probe.request_stop()
    await task
    assert probe.handled == ["first", "outsider", *map(str, range(100))]


async def test_own_messages_neither_take_a_place_nor_free_one() -> None:
    mailbox: Mailbox[str] = Mailbox("box", 1)
    mailbox.put_exempt("own")
    mailbox.put("outsider")
    ticket = mailbox.take()
    assert ticket is not None
    assert ticket.message == "own"
    with pytest.raises(MailboxFull):
        mailbox.put("one too many")


async def test_a_timer_tells_its_message_in_time_and_a_new_one_replaces_it(until: Until) -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())
    loop = asyncio.get_running_loop()
    seen: list[float] = []

    async def write_time(_: Probe) -> None:
        seen.append(loop.time())

    async def set_timers(me: Probe) -> None:
        me.set_timer("grace", 1, Note("replaced"))
        me.set_timer("grace", 5, Do(write_time))
        me.set_timer("other", 2, Note("cancelled"))
        me.cancel_timer("other")
        me.cancel_timer("never set")

    before = loop.time()
    probe.tell(Do(set_timers))
    await until(lambda: len(seen) == 1)
    assert seen[0] - before == pytest.approx(5)
    assert probe.handled == []
    probe.request_stop()
    await task


async def test_a_cancelled_timer_is_not_handled_even_when_it_has_fired(until: Until) -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())

    async def outlast_the_timers(me: Probe) -> None:
        me.set_timer("late", 1, Note("cancelled"))
        me.set_timer("renewed", 1, Note("old"))
        await asyncio.sleep(2)
        assert me.depth == 2
        me.cancel_timer("late")
        me.set_timer("renewed", 1, Note("new"))

    probe.tell(Do(outlast_the_timers))
    await until(lambda: bool(probe.handled))
    assert probe.handled == ["new"]
    probe.request_stop()
    await task


async def test_timers_and_work_need_a_running_actor() -> None:
    probe = Probe()
    with pytest.raises(RuntimeError, match="does not run"):
        probe.set_timer("t", 1, Note("t"))
    with pytest.raises(RuntimeError, match="does not run"):
        probe.begin_work("w", asyncio.sleep(0, Note("w")))


async def test_work_runs_beside_the_messages_and_its_result_comes_as_a_message(
    until: Until,
) -> None:
    probe = Probe()
    task = asyncio.create_task(probe.run())

    async def begin(me: Probe) -> None:
        me.begin_work("query", asyncio.sleep(3, Note("result")))
        me.begin_work("command", asyncio.sleep(1))

    probe.tell(Do(begin))
    probe.tell(Note("meanwhile"))
    await until(lambda: "result" in probe.handled)
    assert probe.handled == ["meanwhile", "result"]
    probe.request_stop()
    await task


@pytest.mark.parametrize("by_cancellation", [False, True])
async def test_failed_work_crashes_the_actor_and_loses_no_message(by_cancellation: bool) -> None:
    probe = Probe()

    async def fail() -> None:
        await asyncio.sleep(1)
        if by_cancellation:
            raise asyncio.CancelledError
        raise ValueError("the query failed")

    async def begin(me: Probe) -> None:
        me.begin_work("query", fail())

    probe.tell(Do(begin))
    error = await ended(asyncio.create_task(probe.run()))
    assert isinstance(error, StrayCancellation if by_cancellation else ValueError)
    assert probe.poison == []
    probe.tell(Note("next life"))
    probe.request_stop()


async def test_of_two_failed_works_the_lost_lease_counts_and_the_other_is_logged(
    log_events: Events,
) -> None:
    probe = Probe()

    async def fail(error: Exception) -> None:
        raise error

    async def begin(me: Probe) -> None:
        me.begin_work("a", fail(ValueError("the other")))
        me.begin_work("b", fail(FencedOut("another daemon")))
        await asyncio.sleep(1)

    probe.tell(Do(begin))
    assert isinstance(await ended(asyncio.create_task(probe.run())), FencedOut)
    assert [(e["event"], e["error"]) for e in log_events] == [
        ("actor.work_failed", "ValueError('the other')")
    ]


async def test_work_that_will_not_end_is_named_and_left_behind(log_events: Events) -> None:
    probe = Probe()
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        raise ValueError("at last")

    async def begin(me: Probe) -> None:
        me.begin_work("hung query", stubborn())
        await asyncio.sleep(0.1)
        raise RuntimeError("crash")

    probe.tell(Do(begin))
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert isinstance(await ended(asyncio.create_task(probe.run())), RuntimeError)
    assert loop.time() - before == pytest.approx(2.1)
    release.set()
    await asyncio.sleep(0.1)
    assert [(e["event"], e.get("work")) for e in log_events] == [
        ("actor.work_overdue", "probe/hung query"),
        ("actor.work_failed", None),
    ]


# Crash and restart


async def test_a_crash_keeps_the_mailbox_and_does_not_redeliver_the_poison() -> None:
    probe = Probe()
    for text in ("a", "poison", "b"):
        probe.tell(Note(text))
    assert isinstance(await ended(asyncio.create_task(probe.run())), ValueError)
    assert probe.depth == 1
    probe.tell(Note("c"))  # accepted between two lives
    second = asyncio.create_task(probe.run())
    probe.request_stop()
    await second
    assert probe.handled == ["a", "poison", "b", "c"]
    assert probe.lifetimes == 2
    assert [(message, str(error)) for message, error in probe.poison] == [
        (Note("poison"), "poison")
    ]


async def test_a_crash_refuses_the_questions_in_hand_and_keeps_those_in_the_mailbox(
    until: Until,
) -> None:
    probe = Probe()
    probe.answers_by_itself = False
    first = asyncio.create_task(probe.run())
    unanswered = asyncio.create_task(probe.ask(asks("kept for later"), deadline_seconds=9))
    await until(lambda: "kept for later" in probe.handled)
    probe.answers_by_itself = True
    probe.tell(Note("poison"))
    queued = asyncio.create_task(probe.ask(asks("queued"), deadline_seconds=9))
    await asyncio.wait({first})
    with pytest.raises(ActorStopped) as caught:
        await unanswered
    assert caught.value.uncertain
    assert isinstance(first.exception(), ValueError)
    second = asyncio.create_task(probe.run())
    assert await queued == "QUEUED"
    probe.request_stop()
    await second


async def test_timers_and_work_end_with_their_incarnation_fired_timers_too(
    log_events: Events,
) -> None:
    probe = Probe()

    async def prepare(me: Probe) -> None:
        me.set_timer("fired", 1, Note("stale timer"))
        me.set_timer("pending", 60, Note("staler timer"))
        me.begin_work("query", asyncio.sleep(60, Note("stale result")))
        await asyncio.sleep(2)
        raise ValueError("crash")

    probe.tell(Do(prepare))
    await ended(asyncio.create_task(probe.run()))
    second = asyncio.create_task(probe.run())
    await asyncio.sleep(120)
    assert probe.handled == []
    assert log_events == []
    probe.request_stop()
    await second


async def test_a_cancellation_from_inside_is_a_crash_not_an_end() -> None:
    """A handler that awaits something cancelled must not take the actor silently down."""
    probe = Probe()

    async def await_the_cancelled(_: Probe) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    probe.tell(Do(await_the_cancelled))
    assert isinstance(await ended(asyncio.create_task(probe.run())), StrayCancellation)
    assert len(probe.poison) == 1
    probe.tell(Note("still open"))


async def test_a_fault_of_the_poison_callback_keeps_the_first_error_in_the_chain() -> None:
    def broken(message: Message, error: Exception) -> None:
        raise KeyError("quarantine")

    probe = Probe(on_poison=broken)
    probe.tell(Note("poison"))
    error = await ended(asyncio.create_task(probe.run()))
    assert isinstance(error, KeyError)
    assert isinstance(error.__context__, ValueError)


async def test_fenced_out_ends_the_actor_for_good_and_blames_no_message() -> None:
    probe = Probe()
    probe.tell(Note("fenced"))
    probe.tell(Note("never"))
    error = await ended(asyncio.create_task(probe.run()))
    assert isinstance(error, ExceptionGroup)
    assert probe.poison == []
    assert probe.depth == 0
    with pytest.raises(ActorStopped):
        probe.tell(Note("late"))


# The end


async def test_a_graceful_stop_drains_what_was_accepted_and_what_own_work_brings() -> None:
    probe = Probe()

    async def begin(me: Probe) -> None:
        me.begin_work("query", asyncio.sleep(3, Note("result")))
        me.set_timer("far", 3600, Note("not waited for"))

    probe.tell(Do(begin))
    probe.tell(Note("accepted"))
    task = asyncio.create_task(probe.run())
    probe.request_stop()
    with pytest.raises(ActorStopped):
        probe.tell(Note("late"))
    await task
    assert probe.handled == ["accepted", "result"]
    assert probe.farewells == 1
    assert asyncio.get_running_loop().time() < 10


async def test_close_ends_a_running_actor_without_a_farewell(
    until: Until, log_events: Events
) -> None:
    probe = Probe()
    task = await held(probe, until)
    probe.tell(Note("forgotten"))
    probe.close()
    probe.gate.set()
    await task
    assert probe.handled == ["first"]
    assert probe.farewells == 0
    assert [(e["event"], e["count"]) for e in log_events] == [("actor.messages_forgotten", 1)]


async def test_a_handler_that_swallows_its_cancellation_ends_the_actor_all_the_same(
    until: Until,
) -> None:
    probe = Probe()

    async def swallow(_: Probe) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            probe.handled.append("swallowed")

    probe.tell(Do(swallow))
    probe.tell(Note("never"))
    task = asyncio.create_task(probe.run())
    await until(lambda: probe.depth == 1)
    task.cancel()
    assert isinstance(await ended(task), asyncio.CancelledError)
    assert probe.handled == ["swallowed"]
    with pytest.raises(ActorStopped):
        probe.tell(Note("late"))


async def test_one_incarnation_at_a_time(until: Until) -> None:
    probe = Probe()
    task = await held(probe, until)
    with pytest.raises(RuntimeError, match="runs already"):
        await probe.run()
    probe.kill()
    await ended(task)


async def test_a_handler_that_never_waits_leaves_room_for_others() -> None:
    busy = Probe(capacity=1000)
    for n in range(1000):
        busy.tell(Note(str(n)))
    task = asyncio.create_task(busy.run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert 0 < len(busy.handled) < 100
    busy.request_stop()
    await task
