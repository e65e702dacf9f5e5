"""The way back from a handler to the one who asked, and what an asker gets instead of an answer."""

import asyncio
from typing import Generic, TypeVar

from gated.core.errors import GatedError

T = TypeVar("T")


class AskTimeout(GatedError):
    """No answer came before the deadline.

    `uncertain` tells whether the question may be acted upon all the same: false when it was
    still in the mailbox (it has been taken back), true when its handling had begun.
    """

    def __init__(self, actor: str, deadline_seconds: float, *, uncertain: bool) -> None:
        self.actor = actor
        self.deadline_seconds = deadline_seconds
        self.uncertain = uncertain
        super().__init__(f"{actor}: no answer within {deadline_seconds:g} s")


class Reply(Generic[T]):
    """The way back to the asker, carried inside the question.

    The handler answers once, now or from a later message. An answer that nobody waits for any
    more is dropped.
    """

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    @property
    def wanted(self) -> bool:
        """Whether the asker still waits. Look here before work that is done for it alone."""
        return not self._future.done()

    def answer(self, answer: T) -> None:
        """Give the answer."""
        if not self._future.done():
            self._future.set_result(answer)

    def refuse(self, error: Exception) -> None:
        """Raise `error` at the asker."""
        if not self._future.done():
            self._future.set_exception(error)

    async def wait(self) -> T:
        """The answer, for the asker's side alone; cancelling the wait gives the answer up."""
        return await self._future
