"""Keeps the right to act for one facility, and knows at every moment whether it still holds.

The database's clock alone decides the expiry; this side counts from before it asked, minus a
margin, so that it stops first.
"""

import asyncio
from collections.abc import Callable

import structlog

from gated.core.errors import StoreError
from gated.core.ids import FacilityId, Fence
from gated.ports import Clock, Store

MARGIN_SHARE = 0.2

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class LeaseKeeper:
    """One lease, renewed until cancelled."""

    def __init__(
        self,
        facility: FacilityId,
        slug: str,
        holder: str,
        fence: Fence,
        revision: int,
        *,
        asked_monotonic: float,
        ttl_seconds: float,
        store: Store,
        clock: Clock,
        on_revision: Callable[[], None],
    ) -> None:
        """`asked_monotonic` is the time just before the lease was asked for."""
        self.fence = fence
        self._facility = facility
        self._slug = slug
        self._holder = holder
        self._revision = revision
        self._ttl_seconds = ttl_seconds
        self._store = store
        self._clock = clock
        self._on_revision = on_revision
        self._extend(asked_monotonic)

    def holds(self) -> bool:
        """Whether one may still publish in the facility's name."""
        return self._clock.monotonic() < self._deadline

    async def run(self) -> None:
        """Renew at a third of the time to live. Raises FencedOut when another took over."""
        while True:
            await asyncio.sleep(self._ttl_seconds / 3)
            asked = self._clock.monotonic()
            try:
                revision = await self._store.renew_lease(
                    self._facility, self._holder, self.fence, self._ttl_seconds
                )
            except StoreError as error:
                _log.warning(
                    "lease.renewal_failed",
                    facility=self._slug,
                    error=str(error),
                    holds=self.holds(),
                )
                continue
            self._extend(asked)
            if revision != self._revision:
                _log.info("facility.setup_changed", facility=self._slug, revision=revision)
                self._revision = revision
                self._on_revision()

    async def release(self) -> None:
        """Give the facility up, so that another daemon need not wait for the expiry."""
        self._deadline = float("-inf")
        await self._store.release_lease(self._facility, self._holder, self.fence)

    def _extend(self, asked_monotonic: float) -> None:
        self._deadline = asked_monotonic + self._ttl_seconds * (1 - MARGIN_SHARE)
