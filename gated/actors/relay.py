"""The way out: committed commands are published once, in time, or ended with the reason.

Nothing is sent past its expiry, after the lease is lost, or a second time: what may have left
and was not answered is `unknown`, and only a new decision opens again.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from gated.core.effects import Do
from gated.core.errors import CodecError, DeliveryError, StoreError
from gated.core.events import CommandEnded, CommandStatus, LaneEvent
from gated.core.ids import CommandId, DeviceId, FacilityId, Fence, LaneId
from gated.core.site import DeviceSetup, FacilitySetup
from gated.ports import Clock, Codec, Link, Store
from gated.records import Command, Publication
from gated.telemetry import Metrics

SWEEP_SECONDS = 1.0
SENT_COUNT_MAX = 1000
# Past this time before the expiry nothing is handed to the broker any more: it must arrive too.
MARGIN_SECONDS = 0.2

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Barrier:
    """A device that takes commands, and the codec that writes them."""

    device: DeviceSetup
    codec: Codec


class Relay:
    """The outbox of one facility, on its way to the barriers."""

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        *,
        store: Store,
        link: Link,
        barriers: Mapping[DeviceId, Barrier],
        tell_lane: Callable[[LaneId, LaneEvent], None],
        lease_holds: Callable[[], bool],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._facility: FacilityId = setup.id
        self._slug = setup.slug
        self._directions = {lane.id: lane.direction for lane in setup.lanes}
        self._fence = fence
        self._store = store
        self._link = link
        self._barriers = barriers
        self._tell_lane = tell_lane
        self._lease_holds = lease_holds
        self._clock = clock
        self._metrics = metrics
        self._poked: asyncio.Queue[tuple[Command, float | None] | None] = asyncio.Queue()
        self._in_hand: set[CommandId] = set()
        self._sent: OrderedDict[CommandId, Command] = OrderedDict()  # to tell what follows
        self._stopping = False
        # Two commands of one lane leave in the order in which they were committed.
        self._turns: defaultdict[LaneId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def accepts(self, device: DeviceId, do: Do) -> bool:
        """Whether the device has such a command."""
        barrier = self._barriers.get(device)
        return barrier is not None and do in barrier.codec.does

    def ready(self) -> bool:
        """Whether a command that is committed now can leave at once."""
        return self._link.connected and self._lease_holds() and not self._stopping

    def poke(self, command: Command, cause_received_monotonic: float) -> None:
        """Send a command that was committed just now."""
        self._poked.put_nowait((command, cause_received_monotonic))

    def noted(self, command: CommandId, status: CommandStatus) -> None:
        """The hardware has answered a command."""
        sent = self._sent.get(command)
        if sent is not None:
            self._metrics.command(facility=self._slug, do=sent.do, status=status)

    async def run(self) -> None:
        """Send until told to stop. Raises FencedOut, and StoreError that no retry can mend."""
        async with asyncio.TaskGroup() as tasks:
            sweeper = tasks.create_task(self._sweep_for_ever(), name=f"relay/{self._slug}/sweep")
            while (poked := await self._poked.get()) is not None:
                command, received = poked
                if command.id in self._in_hand:
                    continue
                self._in_hand.add(command.id)
                tasks.create_task(self._send(command, received), name=f"relay/{command.id}")
            sweeper.cancel()

    def request_stop(self) -> None:
        """Send what was poked before, then end."""
        self._stopping = True
        self._poked.put_nowait(None)

    async def _sweep_for_ever(self) -> None:
        """Find what no poke told of: commands of a crashed predecessor, and expired ones."""
        away = False
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                if not error.retryable:
                    raise
                if not away:
                    _log.warning("relay.sweep_failed", facility=self._slug, error=str(error))
                away = True
            else:
                away = False
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """End what is over, and take up what is still accepted."""
        now = self._clock.now()
        for command, lane, status in await self._store.expire_commands(
            self._facility, self._fence, now
        ):
            sent = self._sent.get(command)
            _log.warning(
                "relay.command_ended",
                facility=self._slug,
                command=command,
                status=status,
                error="no answer before its expiry",
                correlation=sent.event if sent is not None else None,
            )
            self.noted(command, status)
            self._tell_lane(lane, CommandEnded(command, status))
        waiting = await self._store.accepted_commands(self._facility)
        oldest = min((command.issued_at for command in waiting), default=now)
        self._metrics.outbox(
            facility=self._slug,
            depth=len(waiting),
            oldest_seconds=(now - oldest).total_seconds(),
        )
        for row in waiting:
            if row.fence == self._fence:
                self._poked.put_nowait((row, None))
            else:
                # Its daemon is gone. Who still stands there is decided on anew.
                await self._end(row, CommandStatus.CANCELLED, "committed under an older lease")

    async def _send(self, command: Command, received: float | None) -> None:
        try:
            async with self._turns[command.lane]:
                await self._send_in_turn(command, received)
        except StoreError as error:
            if not error.retryable:
                raise
            # Not known to be dispatched, so not sent. The sweep sees to its end.
            _log.warning("relay.dispatch_failed", facility=self._slug, error=str(error))
        finally:
            self._in_hand.discard(command.id)

    async def _send_in_turn(self, command: Command, received: float | None) -> None:
        if not command.taken and not await self._take(command):
            return
        left = (command.expires_at - self._clock.now()).total_seconds()
        if left <= MARGIN_SECONDS or not self._lease_holds():
            await self._end(command, CommandStatus.EXPIRED, "too late to be sent")
            return
        try:
            publication = self._encoded(command)
        except CodecError as error:
            await self._end(command, CommandStatus.FAILED, str(error))
            return
        self._remember(command)
        try:
            async with asyncio.timeout(left):
                # No MQTT message expiry: rumqttd 0.20 delivers nothing more to a subscriber of MQTT
                # 3.1.1, as most devices are, after a message that has one.
                await self._link.publish(publication)
        except TimeoutError:
            await self._end(command, CommandStatus.UNKNOWN, "no acknowledgement of the broker")
        except DeliveryError as error:
            ending = CommandStatus.UNKNOWN if error.uncertain else CommandStatus.FAILED
            await self._end(command, ending, str(error))
        else:
            if received is not None:
                self._metrics.handed_over(
                    facility=self._slug,
                    direction=self._directions[command.lane],
                    seconds=self._clock.monotonic() - received,
                )
            self.noted(command.id, CommandStatus.DISPATCHED)
            _log.info(
                "relay.command_sent",
                facility=self._slug,
                command=command.id,
                do=command.do,
                correlation=command.event,
            )

    def _remember(self, command: Command) -> None:
        self._sent[command.id] = command
        if len(self._sent) > SENT_COUNT_MAX:
            self._sent.popitem(last=False)

    def _encoded(self, command: Command) -> Publication:
        barrier = self._barriers.get(command.device)
        if barrier is None:
            raise CodecError("no_device", "the facility has no such device any more")
        return barrier.codec.encode(barrier.device, command)

    async def _take(self, command: Command) -> bool:
        """Take it for sending, once; False where it must not be sent."""
        if not self._lease_holds():
            return False
        status = await self._store.dispatch_command(
            self._facility, self._fence, command.id, self._clock.now()
        )
        if status is CommandStatus.EXPIRED:
            self._ended(command, status, "expired before it could be sent")
        return status is CommandStatus.DISPATCHED

    async def _end(self, command: Command, status: CommandStatus, error: str) -> None:
        await self._store.advance_command(
            self._facility, self._fence, command.id, status, error, self._clock.now()
        )
        self._ended(command, status, error)

    def _ended(self, command: Command, status: CommandStatus, error: str) -> None:
        self._metrics.command(facility=self._slug, do=command.do, status=status)
        _log.warning(
            "relay.command_ended",
            facility=self._slug,
            command=command.id,
            status=status,
            error=error,
            correlation=command.event,
        )
        self._tell_lane(command.lane, CommandEnded(command.id, status))
