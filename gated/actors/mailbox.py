"""The bounded queue in front of one actor: who may add a message, and in which order they wait.

It leaves the handling of messages to `gated.actors.actor`. All methods belong to the thread of
the event loop.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

from gated.core.errors import GatedError

M = TypeVar("M")


class MailboxFull(GatedError):
    """The message was refused: the mailbox holds its capacity. Nothing accepted was dropped."""

    def __init__(self, actor: str, capacity: int) -> None:
        self.actor = actor
        self.capacity = capacity
        super().__init__(f"{actor}: the mailbox is full ({capacity} messages)")


class ActorStopped(GatedError):
    """The actor takes no more messages, or died before it answered.

    `uncertain` tells whether the message may have been acted upon all the same: false for one
    that was refused or never left the mailbox, true for one whose handling had begun.
    """

    def __init__(self, actor: str, *, uncertain: bool = False) -> None:
        self.actor = actor
        self.uncertain = uncertain
        super().__init__(f"{actor}: stopped" + (" before it answered" if uncertain else ""))


class Ticket(Generic[M]):
    """One accepted message and its place in the queue; `waiting` until it is taken or withdrawn."""

    __slots__ = ("counted", "message", "waiting")

    def __init__(self, message: M, *, counted: bool) -> None:
        self.message = message
        self.counted = counted
        self.waiting = True


class Mailbox(Generic[M]):
    """First in, first out. Outsiders share `capacity` places; the actor's own messages need none.

    **Overflow**: the newest message is refused, what was accepted stays. `put` raises
    `MailboxFull`, `offer` waits for a place. Those who wait are served in the order in which
    they came, and `put` does not overtake them.
    """

    def __init__(self, owner: str, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"{owner}: a mailbox needs a capacity of at least 1, got {capacity}")
        self.owner = owner
        self.capacity = capacity
        self._queue: deque[Ticket[M]] = deque()
        # Counted messages in the queue, and places promised to waiters. Below the capacity only
        # when nobody waits, so that whoever finds a place free has overtaken nobody.
        self._places_taken = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._changed = asyncio.Event()
        self._sealed = False

    @property
    def depth(self) -> int:
        """The number of messages waiting; the actor's own may lift it above the capacity."""
        return len(self._queue)

    @property
    def sealed(self) -> bool:
        """Whether outsiders are refused."""
        return self._sealed

    def put(self, message: M) -> Ticket[M]:
        """Add an outsider's message now, or raise `MailboxFull` or `ActorStopped`."""
        self._refuse_if_sealed()
        if self._places_taken >= self.capacity:
            raise MailboxFull(self.owner, self.capacity)
        self._places_taken += 1
        return self._append(message, counted=True)

    async def offer(self, message: M) -> Ticket[M]:
        """Add an outsider's message as soon as there is a place for it.

        A cancelled offer has added nothing. Raises `ActorStopped`, also while it waits.
        """
        self._refuse_if_sealed()
        if self._places_taken >= self.capacity:
            await self._wait_for_place()
        else:
            self._places_taken += 1
        return self._append(message, counted=True)

    def put_exempt(self, message: M) -> Ticket[M]:
        """Add a message of the actor's own: never refused, takes no place."""
        return self._append(message, counted=False)

    def take(self) -> Ticket[M] | None:
        """The oldest message, or None when there is none."""
        if not self._queue:
            return None
        ticket = self._queue.popleft()
        self._release(ticket)
        return ticket

    def withdraw(self, ticket: Ticket[M]) -> bool:
        """Take a message back; false when it has left the queue already."""
        if not ticket.waiting:
            return False
        self._queue.remove(ticket)
        self._release(ticket)
        return True

    def seal(self) -> None:
        """Refuse outsiders from now on, those who wait for a place included."""
        self._sealed = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(ActorStopped(self.owner))
        self.wake()

    def clear(self) -> int:
        """Forget what waits; the number of messages forgotten."""
        forgotten = len(self._queue)
        while self.take() is not None:
            pass
        return forgotten

    def wake(self) -> None:
        """End the receiver's wait: something other than a message wants its attention."""
        self._changed.set()

    async def wait_for_change(self) -> None:
        """Wait for a message, a seal or a wake that comes from now on."""
        self._changed.clear()
        await self._changed.wait()

    async def _wait_for_place(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # The place was promised in the same turn of the loop as the cancellation.
                self._places_taken -= 1
                self._promise_places()
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise
        if self._sealed:
            self._places_taken -= 1
            raise ActorStopped(self.owner)

    def _append(self, message: M, *, counted: bool) -> Ticket[M]:
        ticket = Ticket(message, counted=counted)
        self._queue.append(ticket)
        self._changed.set()
        return ticket

    def _release(self, ticket: Ticket[M]) -> None:
        ticket.waiting = False
        if ticket.counted:
            self._places_taken -= 1
            self._promise_places()

    def _promise_places(self) -> None:
        # A place is promised before its waiter runs, so that nobody can take it in between.
        while self._waiters and self._places_taken < self.capacity:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._places_taken += 1
                waiter.set_result(None)

    def _refuse_if_sealed(self) -> None:
        if self._sealed:
            raise ActorStopped(self.owner)
