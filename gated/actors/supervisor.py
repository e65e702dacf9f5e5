"""Keeps long-running children alive: restarts with growing delay, and an ordered, bounded stop.

A child is an actor or a plain coroutine. The restart loop lives inside the child's own task, so
one child's crash is nobody else's. Signals, and what the daemon does when a child is given up or
fenced out, belong to `gated.app`.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from gated.actors.actor import Actor
from gated.actors.failures import StrayCancellation, cancellation_requested, fenced_out
from gated.actors.restarts import RestartLedger, RestartPolicy
from gated.core.errors import GatedError

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ChildReturned(GatedError):
    """A child that should run until it is stopped came to its end by itself."""


class ChildState(StrEnum):
    """What a child is doing."""

    RUNNING = "running"  # -> WAITING, GAVE_UP, FENCED_OUT, STOPPED
    WAITING = "waiting"  # for its restart; -> RUNNING, STOPPED
    GAVE_UP = "gave_up"
    FENCED_OUT = "fenced_out"
    STOPPED = "stopped"  # asked to, or killed


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """A child as metrics and operators see it; `restarts` counts since it was first started."""

    name: str
    state: ChildState
    restarts: int


@dataclass(frozen=True, slots=True)
class StopReport:
    """Names of the children that stopped too late, in the order in which they were stopped.

    `cancelled`: could have ended by themselves, and were cancelled because they had not;
    `alive`: did not end even when they were cancelled.
    """

    cancelled: tuple[str, ...]
    alive: tuple[str, ...]


@dataclass(eq=False, slots=True, kw_only=True)
class _Child:
    name: str
    factory: Callable[[], Coroutine[Any, Any, None]]
    request_stop: Callable[[], None] | None
    ended: Callable[[], None]
    may_return: bool
    stop_deadline_seconds: float
    stop_requested: asyncio.Event
    state: ChildState = ChildState.RUNNING
    restarts: int = 0
    cancelled: bool = False

    @property
    def stopping(self) -> bool:
        return self.stop_requested.is_set()


class Supervisor:
    """Owns one task per child, reads its failure, and stops all in reverse order of their start.

    `on_give_up(name, error)` is called when a child is given up, or lost to a fault of the
    supervision itself; the daemon should then end. `on_fenced_out(name, error)` is called when
    `FencedOut` escapes a child, alone or in an exception group: it is not restarted. Both are
    called from the child's own task and must not wait.

    A failure that consists of retryable `StoreError` alone delays the restart like any other, but
    does not count towards giving up: a database that is away is no reason to end the daemon.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        on_give_up: Callable[[str, BaseException], None],
        on_fenced_out: Callable[[str, BaseException], None],
        policy: RestartPolicy | None = None,
        cancel_seconds: float = 3.0,
    ) -> None:
        """`cancel_seconds` is how long a cancelled child may take before it is called overdue."""
        self._rng = rng
        self._on_give_up = on_give_up
        self._on_fenced_out = on_fenced_out
        self._policy = policy or RestartPolicy()
        self._cancel_seconds = cancel_seconds
        self._children: dict[str, tuple[_Child, asyncio.Task[None]]] = {}
        self._stopping = False

    def supervise(
        self,
        name: str,
        factory: Callable[[], Coroutine[Any, Any, None]],
        *,
        request_stop: Callable[[], None] | None = None,
        stop_deadline_seconds: float = 5.0,
    ) -> None:
        """Start a long-running coroutine and keep it running.

        `factory` is called for each start. `request_stop` asks it to end by itself within
        `stop_deadline_seconds`; without one it is cancelled at once when it is to stop. To return
        before that counts as a crash. A name may be used again when its child is down; the child
        then counts as the last one started.
        """
        self._start(
            _Child(
                name=name,
                factory=factory,
                request_stop=request_stop,
                ended=_nothing,
                may_return=False,
                stop_deadline_seconds=stop_deadline_seconds,
                stop_requested=asyncio.Event(),
            )
        )

    def supervise_actor(self, actor: Actor[Any], *, stop_deadline_seconds: float = 5.0) -> None:
        """Start an actor and keep it running; its mailbox is closed when it is down for good.

        `stop_deadline_seconds` bounds the time it may take to drain its mailbox.
        """
        self._start(
            _Child(
                name=actor.name,
                factory=actor.run,
                request_stop=actor.request_stop,
                ended=actor.close,
                may_return=True,
                stop_deadline_seconds=stop_deadline_seconds,
                stop_requested=asyncio.Event(),
            )
        )

    @property
    def children(self) -> tuple[ChildStatus, ...]:
        """All children in the order of their start, those that are down included."""
        return tuple(
            ChildStatus(child.name, child.state, child.restarts)
            for child, _ in self._children.values()
        )

    async def stop_child(self, name: str, *, deadline_seconds: float | None = None) -> StopReport:
        """Stop one child for good, for instance when a lease is lost.

        `deadline_seconds` replaces the child's own; 0 cancels it at once. Takes at most the
        deadline and `cancel_seconds`. Raises KeyError for an unknown name.
        """
        child, task = self._children[name]
        deadline = child.stop_deadline_seconds if deadline_seconds is None else deadline_seconds
        self._refuse_from_inside(task)
        await self._drain(child, task, deadline)
        await self._cancel(child, task, self._cancel_seconds)
        return _report([(child, task)])

    async def stop(self, *, deadline_seconds: float) -> StopReport:
        """Stop every child, the last one started first, each only after the one before is down.

        The whole takes at most `deadline_seconds`: when they run short, the children that are
        left get what is left, and past it they are cancelled together. No child can be started
        from now on.
        """
        for _, task in self._children.values():
            self._refuse_from_inside(task)
        self._stopping = True
        loop = asyncio.get_running_loop()
        end_at = loop.time() + deadline_seconds
        # The last share of the time is kept for those who need to be cancelled.
        cancel_at = end_at - min(self._cancel_seconds, deadline_seconds)
        ordered = list(reversed(self._children.values()))
        for child, task in ordered:
            await self._drain(
                child, task, min(child.stop_deadline_seconds, cancel_at - loop.time())
            )
            await self._cancel(child, task, min(self._cancel_seconds, cancel_at - loop.time()))
        await asyncio.gather(
            *(self._cancel(child, task, end_at - loop.time()) for child, task in ordered)
        )
        return _report(ordered)

    def _start(self, child: _Child) -> None:
        if self._stopping:
            raise RuntimeError(f"{child.name}: the supervisor is stopping")
        known = self._children.get(child.name)
        if known is not None:
            if not known[1].done():
                raise ValueError(f"{child.name}: a child of this name is up")
            del self._children[child.name]  # a name that comes again moves to the end
        task = asyncio.get_running_loop().create_task(self._keep_running(child), name=child.name)
        self._children[child.name] = child, task
        task.add_done_callback(lambda done: self._task_ended(child, done))

    async def _keep_running(self, child: _Child) -> None:
        loop = asyncio.get_running_loop()
        ledger = RestartLedger(self._policy, self._rng)
        while True:
            started_at = loop.time()
            error = await self._run_once(child)
            if error is None:
                child.state = ChildState.STOPPED
                return
            fenced = fenced_out(error)
            if fenced is not None:
                child.state = ChildState.FENCED_OUT
                _log.warning("actor.fenced_out", actor=child.name, error=_text(fenced))
                self._on_fenced_out(child.name, fenced)
                return
            ending = child.stopping or cancellation_requested()
            delay = None if ending else ledger.crashed(error, started_at, loop.time())
            _log.error(
                "actor.crashed",
                actor=child.name,
                attempt=ledger.attempt,
                delay_seconds=None if delay is None else round(delay, 3),
                error=_text(error),
                exc_info=error,
            )
            if ending:
                child.state = ChildState.STOPPED
                return
            if delay is None:
                self._give_up(child, error, ledger.attempt)
                return
            child.state = ChildState.WAITING
            if await _is_set_within(child.stop_requested, delay):
                child.state = ChildState.STOPPED
                return
            child.state = ChildState.RUNNING
            child.restarts += 1
            _log.warning(
                "actor.restarted", actor=child.name, attempt=ledger.attempt, error=_text(error)
            )

    def _give_up(self, child: _Child, error: BaseException, attempt: int) -> None:
        child.state = ChildState.GAVE_UP
        _log.critical("actor.gave_up", actor=child.name, attempt=attempt, error=_text(error))
        self._on_give_up(child.name, error)

    async def _run_once(self, child: _Child) -> Exception | None:
        """Run the child until it ends: None when it may, else the reason why it crashed."""
        try:
            await child.factory()
        except asyncio.CancelledError as cancelled:
            if cancellation_requested():
                raise
            stray = StrayCancellation(f"{child.name}: something in it was cancelled")
            stray.__cause__ = cancelled
            return stray
        except Exception as error:  # noqa: BLE001 - this is the place that reads every failure
            return error
        if child.may_return or child.stopping:
            return None
        return ChildReturned(f"{child.name}: returned although nobody asked it to stop")

    async def _drain(self, child: _Child, task: asyncio.Task[None], seconds: float) -> None:
        """Let the child end by itself, if it can and while there is time."""
        child.stop_requested.set()
        if task.done() or child.request_stop is None or seconds <= 0:
            return
        child.request_stop()
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            _log.warning("actor.stop_overdue", actor=child.name, step="drain", seconds=seconds)

    async def _cancel(self, child: _Child, task: asyncio.Task[None], seconds: float) -> None:
        """Cancel the child unless it is down, and wait for its end; say so if it does not end."""
        if task.done():
            return
        if not child.cancelled:  # once: a second time would interrupt its cleaning up
            child.cancelled = True
            task.cancel()
        if seconds <= 0:
            return
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            _log.error("actor.stop_overdue", actor=child.name, step="cancel", seconds=seconds)

    def _task_ended(self, child: _Child, task: asyncio.Task[None]) -> None:
        """Read how the task ended, so that nothing is lost even when the supervision fails."""
        child.ended()
        if task.cancelled():
            child.state = ChildState.STOPPED
            if not child.stopping:
                _log.warning("actor.killed", actor=child.name)
            return
        error = task.exception()
        if error is not None:
            child.state = ChildState.GAVE_UP
            _log.critical("actor.gave_up", actor=child.name, error=_text(error), exc_info=error)
            self._on_give_up(child.name, error)

    def _refuse_from_inside(self, task: asyncio.Task[None]) -> None:
        if asyncio.current_task() is task:
            raise RuntimeError(f"{task.get_name()}: a child cannot wait for its own stop")


def _report(stopped: list[tuple[_Child, asyncio.Task[None]]]) -> StopReport:
    return StopReport(
        cancelled=tuple(
            child.name for child, _ in stopped if child.cancelled and child.request_stop is not None
        ),
        alive=tuple(child.name for child, task in stopped if not task.done()),
    )


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _nothing() -> None:
    pass
