"""The composition root: builds the daemon from its settings, runs it, stops it.

Which facilities it runs is decided by their leases: for each facility that the settings name it
tries to hold the lease, and runs a `gated.tenure.Tenure` while it does.
"""

import asyncio
import os
import random
import secrets
import signal
import time
from collections.abc import Mapping, Sequence, Set
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import structlog

from gated import __version__
from gated.actors.lease import LeaseKeeper
from gated.assembly import Surroundings, wired
from gated.config import Settings
from gated.connections import broker_settings, database_settings
from gated.core.errors import ConfigError, FencedOut, NotSetUp, SetupError, StoreError
from gated.core.ids import FacilityId, Fence, Slug, uuid7
from gated.core.site import FacilitySetup
from gated.db.store import open_store
from gated.devices.families import families
from gated.housekeeping import keep_house
from gated.http import serve
from gated.ports import Store
from gated.telemetry import Metrics
from gated.tenure import Tenure, TenureEnd

DISCOVERY_SECONDS = 5.0
STARTING = "not started yet"

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The clock for durations."""
        return time.monotonic()


class SystemIds:
    """Time-ordered ids from the machine's clock and randomness."""

    def new(self) -> UUID:
        """A new id."""
        return uuid7(datetime.now(UTC), os.urandom(10))


class Daemon:
    """One process that runs facilities."""

    def __init__(self, settings: Settings, *, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._clock = SystemClock()
        self._metrics = Metrics(version=__version__)
        # An incarnation and not a host: a restarted process must not take its own old lease
        # for a living one.
        self._holder = f"{settings.daemon.node}/{secrets.token_hex(6)}"
        self._stopping = asyncio.Event()
        self._failed = False
        self._database_error: str | None = "not reached yet"
        # What the log was last told of the database's absence: once per outage, or per remedy.
        self._database_told: str | None = None
        self._owners: dict[FacilityId, tuple[Slug, asyncio.Task[None]]] = {}
        self._leaving: set[FacilityId] = set()
        self._facilities: dict[Slug, Tenure | str | None] = {}
        self._metrics.before_scrape(self._refresh_metrics)

    def request_stop(self) -> None:
        """Begin the ordered stop."""
        self._stopping.set()

    async def run(self) -> int:
        """Run until told to stop; the exit status. Raises ConfigError for what cannot start."""
        async with AsyncExitStack() as stack:
            http = self._settings.http
            if http.enabled:
                bound = await stack.enter_async_context(
                    serve(http.host, http.port, self._metrics, self.readiness)
                )
                _log.info("http.listening", host=bound.host, port=bound.port)
            store = await stack.enter_async_context(
                open_store(
                    database_settings(self._settings.database),
                    rng=self._rng,
                    on_failure=self._metrics.database_failed,
                )
            )
            _log.info(
                "daemon.started",
                version=__version__,
                node=self._settings.daemon.node,
                broker=f"{self._settings.mqtt.host}:{self._settings.mqtt.port}",
                pid=os.getpid(),
            )
            housekeeping = asyncio.create_task(
                keep_house(store, self._clock), name="owner/housekeeping"
            )
            housekeeping.add_done_callback(self._owner_ended)
            try:
                await self._discover(store)
            finally:
                housekeeping.cancel()
                await self._stop()
        _log.info("daemon.stopped", failed=self._failed)
        return 1 if self._failed else 0

    def readiness(self) -> Mapping[str, str | None]:
        """Each part by name, with the reason why it is not ready; None where it is.

        A facility that another daemon runs is none of ours: standing by is being ready.
        """
        parts: dict[str, str | None] = {"database": self._database_error}
        for slug, state in self._facilities.items():
            parts[f"facility/{slug}"] = state.not_ready if isinstance(state, Tenure) else state
        return parts

    def _refresh_metrics(self) -> None:
        for state in self._facilities.values():
            if isinstance(state, Tenure):
                state.refresh_metrics()

    # ── facilities ──────────────────────────────────────────────────────────────────────────

    async def _discover(self, store: Store) -> None:
        """Look for facilities again and again: one may have been set up meanwhile."""
        world = Surroundings(
            node=self._settings.daemon.node,
            store=store,
            broker=broker_settings(self._settings.mqtt),
            codecs=families(self._settings.mqtt.payload_bytes_max),
            clock=self._clock,
            ids=SystemIds(),
            rng=self._rng,
            metrics=self._metrics,
            stop_seconds_max=self._settings.daemon.stop_seconds_max,
        )
        delay = 0.2
        while not self._stopping.is_set():
            try:
                active = await store.facility_ids()
                self._let_go(set(self._owners) - set(active))
                refused = [
                    await self._take_on(facility, world)
                    for facility in active
                    if facility not in self._owners
                ]
            except StoreError as error:
                self._database_failed(error, delay)
                delay = min(DISCOVERY_SECONDS, delay * 2)
            else:
                self._forget_all_but(refused)
                if self._database_error is not None:
                    _log.info("database.available")
                self._database_error = self._database_told = None
                self._metrics.database_link(up=True)
                delay = DISCOVERY_SECONDS
            await self._pause(delay)

    def _database_failed(self, error: StoreError, delay: float) -> None:
        self._database_error = str(error)
        self._metrics.database_link(up=False)
        match error:
            case NotSetUp() if self._database_told != str(error):
                _log.error("database.not_set_up", error=str(error))
                self._database_told = str(error)
            case NotSetUp():
                pass
            case _ if self._database_told != "unavailable":
                _log.error("database.unavailable", error=str(error), delay_seconds=delay)
                self._database_told = "unavailable"
            case _:
                pass

    async def _take_on(self, facility: FacilityId, world: Surroundings) -> Slug | None:
        """Begin to run the facility, if it is ours. The slug of one whose set-up is refused."""
        try:
            setup = await world.store.facility_setup(facility)
        except StoreError as error:
            if error.retryable or isinstance(error, NotSetUp):
                raise
            # It alone is not run; the others are none the worse for it.
            slug = Slug(error.slug if isinstance(error, SetupError) else str(facility))
            if not self._settings.daemon.runs(slug):
                return None
            self._refuse(slug, error)
            return slug
        if not self._settings.daemon.runs(setup.slug):
            return None
        self._facilities[setup.slug] = STARTING
        task = asyncio.create_task(
            self._own(facility, setup.slug, world), name=f"owner/{setup.slug}"
        )
        self._owners[facility] = (setup.slug, task)
        task.add_done_callback(self._owner_ended)
        return None

    def _let_go(self, facilities: Set[FacilityId]) -> None:
        """Stop running them, in order and with their leases given back: they are not active."""
        for facility in facilities - self._leaving:
            slug, task = self._owners[facility]
            _log.warning("facility.deactivated", facility=slug)
            self._leaving.add(facility)
            task.add_done_callback(partial(self._left, facility))
            task.cancel()

    def _left(self, facility: FacilityId, _: asyncio.Task[None]) -> None:
        self._leaving.discard(facility)
        slug, _ = self._owners.pop(facility)
        self._facilities.pop(slug, None)

    def _forget_all_but(self, refused: Sequence[Slug | None]) -> None:
        """Of the facilities that are not run, only those are of interest that still are refused."""
        owned = {slug for slug, _ in self._owners.values()}
        for slug in self._facilities.keys() - owned - set(refused):
            del self._facilities[slug]

    def _refuse(self, slug: Slug, error: Exception) -> None:
        reason = f"the set-up is refused: {error}"
        if self._facilities.get(slug) != reason:
            _log.error("facility.setup_refused", facility=slug, error=str(error))
        self._facilities[slug] = reason

    def _owner_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("daemon.failed", owner=task.get_name(), error=repr(error), exc_info=error)
            self._failed = True
            self._stopping.set()

    async def _own(self, facility: FacilityId, slug: Slug, world: Surroundings) -> None:
        """Hold the lease whenever it is free, and run the facility while holding it."""
        ttl = self._settings.daemon.lease_seconds
        told = False
        while True:
            asked = self._clock.monotonic()
            try:
                granted = await world.store.acquire_lease(facility, self._holder, ttl)
            except StoreError as error:
                _log.warning("lease.request_failed", facility=slug, error=str(error))
                self._facilities[slug] = f"the lease cannot be asked for: {error}"
                await self._pause_before_asking(ttl)
                continue
            if granted is None:
                # Somebody else runs it, as it should be: this daemon stands by.
                self._facilities[slug] = None
                if not told:
                    _log.info("lease.held_elsewhere", facility=slug)
                told = True
                await self._pause_before_asking(ttl)
                continue
            told = False
            fence, revision = granted
            await self._hold(facility, slug, world, fence, revision, asked)

    async def _pause_before_asking(self, ttl_seconds: float) -> None:
        await asyncio.sleep(ttl_seconds / 5 * (0.5 + self._rng.random()))

    async def _hold(
        self,
        facility: FacilityId,
        slug: Slug,
        world: Surroundings,
        fence: Fence,
        revision: int,
        asked_monotonic: float,
    ) -> None:
        setup = await self._setup(facility, slug, world)
        if setup is None:
            return
        tenure: Tenure | None = None

        def setup_changed() -> None:
            if tenure is not None:
                tenure.setup_changed()

        keeper = LeaseKeeper(
            facility,
            slug,
            self._holder,
            fence,
            max(revision, setup.revision),
            asked_monotonic=asked_monotonic,
            ttl_seconds=self._settings.daemon.lease_seconds,
            store=world.store,
            clock=self._clock,
            on_revision=setup_changed,
        )
        tenure = Tenure(setup, keeper, world)
        self._facilities[slug] = tenure
        _log.info("facility.started", facility=slug, fence=fence, lanes=len(setup.lanes))
        self._metrics.facility_taken(slug)
        try:
            end = await tenure.run()
        except (StoreError, FencedOut) as error:
            _log.warning("facility.start_failed", facility=slug, error=str(error))
            await asyncio.sleep(1.0)
        else:
            _log.warning("facility.ended", facility=slug, reason=end)
            if end is TenureEnd.GAVE_UP:
                self._failed = True
                self._stopping.set()
        finally:
            self._facilities[slug] = STARTING
            self._metrics.facility_left(slug)

    async def _setup(
        self, facility: FacilityId, slug: Slug, world: Surroundings
    ) -> FacilitySetup | None:
        try:
            return wired(await world.store.facility_setup(facility), world.codecs)
        except (SetupError, ConfigError) as error:
            self._refuse(slug, error)
        except StoreError as error:
            _log.warning("facility.start_failed", facility=slug, error=str(error))
            self._facilities[slug] = f"the set-up cannot be read: {error}"
        await asyncio.sleep(DISCOVERY_SECONDS)
        return None

    # ── the end ─────────────────────────────────────────────────────────────────────────────

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _stop(self) -> None:
        """Stop all facilities side by side; bounded."""
        _log.info("daemon.stopping", facilities=len(self._owners))
        for facility, (_, task) in self._owners.items():
            # One that is leaving is in its ordered stop, which a second cancel would cut short.
            if facility not in self._leaving:
                task.cancel()
        if not self._owners:
            return
        bound = self._settings.daemon.stop_seconds_max * 2
        owners = [task for _, task in self._owners.values()]
        _, overdue = await asyncio.wait(owners, timeout=bound)
        for task in overdue:
            _log.error("daemon.stop_overdue", owner=task.get_name())


async def run_daemon(settings: Settings) -> int:
    """Run a daemon until SIGTERM or SIGINT; the exit status."""
    daemon = Daemon(settings, rng=random.Random())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.request_stop)
    try:
        return await daemon.run()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
