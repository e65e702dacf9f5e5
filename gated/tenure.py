"""One facility, run by this daemon for as long as it holds the lease: start, watch, stop.

It starts from the lease outwards to the intake, and stops the other way round: intake, lanes,
zones, relay, settler, farewell, lease. What is started is
put together in `gated.assembly`; which facilities are run is `gated.app`'s business.
"""

import asyncio
from collections import Counter
from enum import StrEnum
from typing import Any, assert_never

import structlog

from gated.actors.actor import Actor
from gated.actors.lease import LeaseKeeper
from gated.actors.supervisor import Supervisor
from gated.assembly import Surroundings, assemble
from gated.core.errors import FencedOut, StoreError
from gated.core.site import FacilitySetup
from gated.devices.mqtt_events import LinkDown, LinkEvent, LinkRefused, LinkUp, RivalSeen

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TenureEnd(StrEnum):
    """Why a tenure is over."""

    FENCED_OUT = "fenced_out"
    SETUP_CHANGED = "setup_changed"
    GAVE_UP = "gave_up"


class Tenure:
    """All actors and loops of one facility. `setup` must be `wired`; the lease is held already."""

    def __init__(self, setup: FacilitySetup, keeper: LeaseKeeper, world: Surroundings) -> None:
        self._setup = setup
        self._keeper = keeper
        self._world = world
        self._name = f"facility/{setup.slug}"
        self._over: asyncio.Future[TenureEnd] = asyncio.get_running_loop().create_future()
        self._link_state = "not connected yet"
        self._was_linked = False
        self._restarts: Counter[str] = Counter()
        self._farewell: asyncio.Task[None] | None = None
        self._supervisor = Supervisor(
            rng=world.rng,
            on_give_up=lambda _name, _error: self._end(TenureEnd.GAVE_UP),
            on_fenced_out=lambda _name, _error: self._end(TenureEnd.FENCED_OUT),
        )
        self._parts = assemble(setup, keeper, world, self._link_changed)

    @property
    def not_ready(self) -> str | None:
        """Why the facility does not work just now; None if it does."""
        if not self._keeper.holds():
            return "the lease could not be renewed"
        return None if self._parts.session.connected else f"MQTT: {self._link_state}"

    def setup_changed(self) -> None:
        """The stored set-up is another one by now: end, to begin anew with it."""
        self._end(TenureEnd.SETUP_CHANGED)

    async def run(self) -> TenureEnd:
        """Run until the lease is lost, the set-up changes, or a child is given up.

        Cancelled, or at any of these ends, everything stops in order before this returns.
        """
        end: TenureEnd | None = None
        try:
            # First what a predecessor left: no command of an older lease may still be sent.
            await self._parts.relay.sweep()
            self._start()
            end = await self._over
            return end
        finally:
            await self._stop(at_once=end is TenureEnd.FENCED_OUT)

    def _start(self) -> None:
        supervisor, name, parts = self._supervisor, self._name, self._parts
        supervisor.supervise(f"{name}/lease", self._keeper.run)
        supervisor.supervise(f"{name}/mqtt", parts.session.run, request_stop=self._begin_farewell)
        supervisor.supervise(f"{name}/announcer", parts.announcer.run)
        for loop, part in (("settler", parts.settler), ("relay", parts.relay)):
            supervisor.supervise(f"{name}/{loop}", part.run, request_stop=part.request_stop)
        for zone in parts.zones.values():
            supervisor.supervise_actor(zone)
        supervisor.supervise_actor(parts.facility)
        supervisor.supervise(
            f"{name}/inbox", parts.inbox.run, request_stop=parts.inbox.request_stop
        )

    async def _stop(self, *, at_once: bool) -> None:
        """Bounded. `at_once` when another daemon acts for the facility already: say nothing."""
        if at_once:
            for child in self._supervisor.children:
                await self._supervisor.stop_child(child.name, deadline_seconds=0.0)
        await self._supervisor.stop(deadline_seconds=self._world.stop_seconds_max)
        if self._farewell is not None:
            await self._farewell
        for actor in self._actors():
            self._world.metrics.actor_left(actor.name)
        if at_once:
            return
        try:
            await self._keeper.release()
        except (StoreError, FencedOut) as error:
            # It runs out by itself; whoever is next waits a little longer.
            _log.warning("lease.release_failed", facility=self._setup.slug, error=str(error))

    def _actors(self) -> list[Actor[Any]]:
        return [self._parts.facility, *self._parts.zones.values()]

    def _begin_farewell(self) -> None:
        """Say goodbye over the link that is still there; the session then ends by itself."""
        self._farewell = asyncio.create_task(
            self._parts.session.farewell(), name=f"{self._name}/farewell"
        )

    def _end(self, end: TenureEnd) -> None:
        if not self._over.done():
            self._over.set_result(end)

    def _link_changed(self, event: LinkEvent) -> None:
        facility, metrics = self._setup.slug, self._world.metrics
        match event:
            case LinkUp(_, _, session_lost):
                self._link_state = ""
                metrics.mqtt_link(facility=facility, up=True)
                if self._was_linked:
                    metrics.mqtt_reconnected(facility)
                self._was_linked = True
                if session_lost:
                    metrics.mqtt_session_lost(facility)
                self._parts.announcer.repeat()
            case LinkDown(_, reason, taken_over):
                self._link_state = reason
                metrics.mqtt_link(facility=facility, up=False)
                if taken_over:
                    metrics.mqtt_taken_over(facility)
            case LinkRefused(reason):
                self._link_state = reason
            case RivalSeen():
                # The session has logged it; only the lease decides who is right.
                metrics.mqtt_taken_over(facility)
            case _:
                assert_never(event)

    def refresh_metrics(self) -> None:
        """Depths and ages, which change by themselves."""
        metrics = self._world.metrics
        metrics.inbox(
            facility=self._setup.slug,
            depth=self._parts.inbox.depth,
            oldest_seconds=self._parts.inbox.oldest_seconds(),
        )
        for actor in self._actors():
            metrics.mailbox(actor=actor.name, depth=actor.depth)
        for child in self._supervisor.children:
            for _ in range(child.restarts - self._restarts[child.name]):
                metrics.actor_restarted(child.name)
            self._restarts[child.name] = child.restarts
