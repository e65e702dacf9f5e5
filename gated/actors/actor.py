"""One actor: the loop that takes its messages one by one, what it may tell itself, how it ends.

It leaves the queue and its overflow rule to `gated.actors.mailbox`, the answer to a question to
`gated.actors.reply`, and the restart after a crash to `gated.actors.supervisor`. All methods
belong to the thread of the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import structlog

from gated.actors.failures import StrayCancellation, cancellation_requested, fenced_out
from gated.actors.mailbox import ActorStopped, Mailbox, Ticket
from gated.actors.reply import AskTimeout, Reply

M = TypeVar("M")
T = TypeVar("T")

# How long a crashed or stopped actor waits for its own cancelled work. Past it the work is
# reported and left behind: a cancelled query on a hung server may not end at all.
WORK_CANCEL_SECONDS = 2.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Actor(Generic[M]):
    """A named owner of state that handles messages of type `M`, one at a time, oldest first.

    A subclass implements `handle`, and `started` and `stopped` where it has something to do
    there. `run` is one incarnation and is called again after a crash, on the same object: the
    mailbox survives, so every message that was accepted and not yet handled is handled by the
    next incarnation, after its `started` has rebuilt the state. The message whose handling
    crashed is not handled again; `on_poison` gets it with the error. Timers and work in progress
    end with their incarnation.

    `FencedOut` is no fault of the message: it ends the actor for good, and is not reported as
    poison.
    """

    def __init__(
        self,
        name: str,
        *,
        capacity: int,
        on_poison: Callable[[M, Exception], None],
    ) -> None:
        self.name = name
        self._mailbox: Mailbox[M] = Mailbox(name, capacity)
        self._on_poison = on_poison
        self._task: asyncio.Task[Any] | None = None
        self._draining = False
        self._questions: dict[Reply[Any], Ticket[M]] = {}
        self._work: set[asyncio.Task[M | None]] = set()
        self._work_failures: list[Exception] = []
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}
        self._timers_fired: dict[Hashable, Ticket[M]] = {}  # their messages still wait

    # For a subclass to implement.

    async def handle(self, message: M) -> None:
        """Handle one message. An exception that escapes crashes the actor."""
        raise NotImplementedError

    async def started(self) -> None:
        """Rebuild the state from the database, before the first message of an incarnation."""

    async def stopped(self) -> None:
        """Say farewell, after the last message of a graceful stop; not after a crash or kill."""

    # For everyone else.

    @property
    def depth(self) -> int:
        """The number of messages waiting. The actor's own may lift it above `capacity`."""
        return self._mailbox.depth

    @property
    def capacity(self) -> int:
        """The number of messages of others that may wait."""
        return self._mailbox.capacity

    def tell(self, message: M) -> None:
        """Send without waiting. Raises `MailboxFull` or `ActorStopped`; then nothing was sent."""
        self._mailbox.put(message)

    async def offer(self, message: M) -> None:
        """Send as soon as there is a place, so that nothing is dropped. Raises `ActorStopped`."""
        self._refuse_to_wait_for_itself()
        await self._mailbox.offer(message)

    async def ask(self, build_message: Callable[[Reply[T]], M], *, deadline_seconds: float) -> T:
        """Send a question and wait for its answer; the deadline covers a full mailbox too.

        A question whose asker has given up before its turn is taken back and never handled.
        Raises `AskTimeout`, `ActorStopped`, or what the handler refused with. A crash refuses
        the questions in hand with `ActorStopped`; those in the mailbox wait for the restart.
        """
        self._refuse_to_wait_for_itself()
        reply: Reply[T] = Reply()
        ticket: Ticket[M] | None = None
        taken_back = True
        try:
            async with asyncio.timeout(deadline_seconds) as deadline:
                ticket = await self._mailbox.offer(build_message(reply))
                self._questions[reply] = ticket
                try:
                    return await reply.wait()
                finally:
                    del self._questions[reply]
                    taken_back = self._mailbox.withdraw(ticket)
        except TimeoutError:
            if not deadline.expired():
                raise  # the handler's own refusal
            raise AskTimeout(self.name, deadline_seconds, uncertain=not taken_back) from None

    # For the actor itself.

    def tell_self(self, message: M) -> None:
        """Send to oneself: exempt from the capacity and never refused, also while draining.

        Told to an actor that has ended for good, it is dropped.
        """
        if not self._mailbox.sealed or self._draining:
            self._mailbox.put_exempt(message)

    def set_timer(self, key: Hashable, seconds: float, message: M) -> None:
        """Tell oneself `message` after `seconds`, instead of what `key` was set to before."""
        self._require_incarnation()
        self.cancel_timer(key)
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(seconds, self._timer_fired, key, message)

    def cancel_timer(self, key: Hashable) -> None:
        """Forget a timer, if there is one. Its message is not handled even when it has fired."""
        handle = self._timers.pop(key, None)
        if handle is not None:
            handle.cancel()
        ticket = self._timers_fired.pop(key, None)
        if ticket is not None:
            self._mailbox.withdraw(ticket)

    def begin_work(self, name: str, work: Coroutine[Any, Any, M | None]) -> None:
        """Run `work` beside the messages, and tell oneself the message that it returns, if any.

        An exception that escapes the work crashes the actor.
        """
        try:
            self._require_incarnation()
        except RuntimeError:
            work.close()
            raise
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}/{name}")
        self._work.add(task)
        task.add_done_callback(self._work_ended)

    # For the supervisor.

    async def run(self) -> None:
        """Live through one incarnation; returns after a graceful stop, raises after a crash.

        Cancelling it is the immediate end: the message in hand is interrupted at its `await`,
        and the mailbox is closed.
        """
        if self._task is not None:
            raise RuntimeError(f"{self.name}: runs already")
        if self._mailbox.sealed and not self._draining:
            raise ActorStopped(self.name)
        self._task = asyncio.current_task()
        try:
            await self.started()
            await self._receive()
            if self._draining:
                await self.stopped()
        except asyncio.CancelledError:
            if cancellation_requested():
                self.close()
            raise
        except Exception as error:
            if fenced_out(error):
                self.close()
            raise
        else:
            self.close()
        finally:
            try:
                await self._end_incarnation()
            finally:
                self._task = None

    def request_stop(self) -> None:
        """Refuse new messages, handle what was accepted and what own work still brings, then end.

        Timers that have not fired are not waited for. The bound on the time that this may take
        belongs to the caller, who cancels `run` past it.
        """
        self._draining = True
        self._mailbox.seal()

    def close(self) -> None:
        """End for good: refuse and forget everything that waits. A running `run` then returns."""
        self._draining = False
        self._mailbox.seal()
        self._refuse_questions(queued=True)
        forgotten = self._mailbox.clear()
        if forgotten:
            _log.info("actor.messages_forgotten", actor=self.name, count=forgotten)

    def kill(self) -> None:
        """End at once: `close`, and interrupt the message in hand."""
        self.close()
        if self._task is not None:
            self._task.cancel()

    async def _receive(self) -> None:
        while True:
            if cancellation_requested():  # and swallowed by a handler, or by a library under it
                raise asyncio.CancelledError
            self._raise_work_failure()
            ticket = self._mailbox.take()
            if ticket is not None:
                self._forget_fired_timers()
                await self._handle(ticket)
                # A handler that never waits would keep the loop from everyone else.
                await asyncio.sleep(0)
            elif self._mailbox.sealed and not (self._draining and self._work):
                return
            else:
                await self._mailbox.wait_for_change()

    async def _handle(self, ticket: Ticket[M]) -> None:
        try:
            try:
                await self.handle(ticket.message)
            except asyncio.CancelledError as error:
                if cancellation_requested():
                    raise
                raise StrayCancellation(f"{self.name}: something in it was cancelled") from error
        except Exception as error:
            if not fenced_out(error):
                self._on_poison(ticket.message, error)
            raise

    def _raise_work_failure(self) -> None:
        if not self._work_failures:
            return
        fenced = [error for error in self._work_failures if fenced_out(error)]
        error = (fenced or self._work_failures)[0]
        self._work_failures.remove(error)
        raise error

    def _work_ended(self, task: asyncio.Task[M | None]) -> None:
        if task not in self._work:  # its incarnation has ended, and has cancelled it
            if not task.cancelled() and (left_error := task.exception()) is not None:
                self._log_work_failure(left_error)
            return
        self._work.discard(task)
        self._mailbox.wake()
        if task.cancelled():
            error: BaseException | None = StrayCancellation(f"{task.get_name()}: was cancelled")
        else:
            error = task.exception()
        if error is None:
            message = task.result()
            if message is not None:
                self.tell_self(message)
        elif isinstance(error, Exception):
            self._work_failures.append(error)

    def _timer_fired(self, key: Hashable, message: M) -> None:
        del self._timers[key]
        if not self._mailbox.sealed or self._draining:
            self._timers_fired[key] = self._mailbox.put_exempt(message)

    def _forget_fired_timers(self) -> None:
        if self._timers_fired:
            self._timers_fired = {
                key: ticket for key, ticket in self._timers_fired.items() if ticket.waiting
            }

    async def _end_incarnation(self) -> None:
        for key in [*self._timers, *self._timers_fired]:
            self.cancel_timer(key)
        self._refuse_questions(queued=False)
        for error in self._work_failures:
            self._log_work_failure(error)
        self._work_failures.clear()
        work, self._work = self._work, set()
        for task in work:
            task.cancel()
        if work:
            _, overdue = await asyncio.wait(work, timeout=WORK_CANCEL_SECONDS)
            for task in overdue:
                _log.error("actor.work_overdue", actor=self.name, work=task.get_name())

    def _log_work_failure(self, error: BaseException) -> None:
        _log.error("actor.work_failed", actor=self.name, error=repr(error), exc_info=error)

    def _refuse_questions(self, *, queued: bool) -> None:
        """Refuse the questions in hand, and those in the mailbox too if `queued`."""
        for reply, ticket in list(self._questions.items()):
            if queued or not ticket.waiting:
                reply.refuse(ActorStopped(self.name, uncertain=not ticket.waiting))

    def _require_incarnation(self) -> None:
        if self._task is None:
            raise RuntimeError(f"{self.name}: does not run")

    def _refuse_to_wait_for_itself(self) -> None:
        if self._task is not None and asyncio.current_task() is self._task:
            raise RuntimeError(f"{self.name}: would wait for itself; use tell_self")
