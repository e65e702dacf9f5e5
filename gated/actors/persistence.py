"""Writes that must not be given up, and answers that must not be guessed.

What happened at a barrier is written however long the database is away; a decision whose
answer was lost is found out about before anybody acts on it.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from gated.actors.mailbox import ActorStopped
from gated.actors.reply import AskTimeout
from gated.core.effects import Outcome
from gated.core.errors import StoreError
from gated.core.events import Cause, DecisionFailed, OperateOutcome
from gated.core.ids import Fence
from gated.core.site import FacilitySetup
from gated.operations import ModeAnswer, OperateAnswer
from gated.ports import Store
from gated.records import AdmitAnswer, AdmitOutcome, ReleaseAnswer, ReleaseOutcome

RETRY_SECONDS_MAX = 5.0

T = TypeVar("T")
Answer = TypeVar("Answer", bound=AdmitAnswer | ReleaseAnswer | OperateAnswer | ModeAnswer)

_EVENT_DONE = frozenset(
    {AdmitOutcome.EVENT_DONE, ReleaseOutcome.EVENT_DONE, OperateOutcome.EVENT_DONE}
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Persistence:
    """Repeats the calls of one facility until they are certain."""

    def __init__(
        self, setup: FacilitySetup, fence: Fence, store: Store, rng: random.Random
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._store = store
        self._rng = rng

    async def written(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat until it is written: what happened at the barrier must not be forgotten."""
        delay = 0.0
        while True:
            try:
                return await call()
            except (StoreError, AskTimeout, ActorStopped) as error:
                # A zone that crashed comes back; one that is stopped for good ends this too.
                if isinstance(error, StoreError) and not error.retryable:
                    raise
                delay = min(RETRY_SECONDS_MAX, delay * 2 + 0.1)
                _log.warning(
                    "lane.write_delayed",
                    facility=self._setup.slug,
                    error=str(error),
                    delay_seconds=delay,
                )
                await asyncio.sleep(delay * self._rng.random())

    async def decided(
        self, cause: Cause, ask: Callable[[], Awaitable[Answer]]
    ) -> Answer | DecisionFailed:
        """What the transaction answers, or that it did not take place, which is then certain.

        An answer that does not come may still be a decision that was made: its command would be
        found by the relay, and nobody would wait for the vehicle. So the inbox row is settled,
        after which it cannot be decided on any more; asked once more, the same request then
        tells whether it had been.
        """
        try:
            return await ask()
        except (StoreError, AskTimeout, ActorStopped) as error:
            failed = DecisionFailed(cause, str(error))
            if not _uncertain(error):
                return failed
            _log.warning("lane.decision_unknown", error=str(error), correlation=cause.event)
        await self.written(
            lambda: self._store.settle_events(
                self._setup.id, self._fence, [(cause.event, Outcome.FAILED)]
            )
        )
        answer = await self.written(ask)
        return failed if answer.outcome in _EVENT_DONE else answer


def _uncertain(error: StoreError | AskTimeout | ActorStopped) -> bool:
    """Whether the transaction may have been committed all the same."""
    return error.retryable if isinstance(error, StoreError) else error.uncertain
