"""The store on PostgreSQL: the parts of `gated.ports.Store` put together, one file per subject."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gated.db.pool import DatabaseSettings, open_database
from gated.db.store_bookings import BookingStore
from gated.db.store_decisions import DecisionStore
from gated.db.store_inbox import InboxStore
from gated.db.store_leases import LeaseStore
from gated.db.store_occupancy import OccupancyStore
from gated.db.store_operations import OperationStore
from gated.db.store_outbox import OutboxStore
from gated.db.store_passages import PassageStore
from gated.db.store_review import ReviewStore
from gated.db.store_setup import SetupStore
from gated.db.store_upkeep import UpkeepStore


class PostgresStore(
    SetupStore,
    LeaseStore,
    InboxStore,
    DecisionStore,
    PassageStore,
    OperationStore,
    OutboxStore,
    OccupancyStore,
    BookingStore,
    ReviewStore,
    UpkeepStore,
):
    """`gated.ports.Store`, and what no actor needs: one method per named statement, each one
    transaction."""


@asynccontextmanager
async def open_store(
    settings: DatabaseSettings,
    *,
    rng: random.Random | None = None,
    on_failure: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[PostgresStore]:
    """The store for the duration of the block. Does not connect before it is used.

    `rng` spreads retries; give a seeded one to make them repeatable. `on_failure` is told of each
    failed attempt: `retryable`, `permanent` or `fenced_out`.
    """
    async with open_database(settings, rng or random.Random(), on_failure) as database:
        yield PostgresStore(database)
