"""What a failure of a task means: a crash, a lost lease, an outage, or a wish to end."""

import asyncio
from collections.abc import Iterator

from gated.core.errors import FencedOut, GatedError, StoreError


class StrayCancellation(GatedError):
    """Something inside was cancelled although nobody cancelled the task: a bug, so a crash."""


def cancellation_requested() -> bool:
    """Whether somebody cancelled the current task, as opposed to something it awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def fenced_out(error: BaseException) -> FencedOut | None:
    """The `FencedOut` in a failure, alone or anywhere in an exception group."""
    return next((leaf for leaf in _leaves(error) if isinstance(leaf, FencedOut)), None)


def is_outage(error: BaseException) -> bool:
    """Whether the failure says no more than that the database is away."""
    return all(isinstance(leaf, StoreError) and leaf.retryable for leaf in _leaves(error))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
