"""Makes the commands of one facility: their ids, their expiry, and whether they leave at once."""

from collections.abc import Callable
from datetime import timedelta

from gated.core.effects import AskPayment, Do
from gated.core.ids import CommandId, EventId, Fence, StayId
from gated.core.plates import Plate
from gated.core.showing import shown
from gated.core.site import FacilitySetup, LaneSetup
from gated.ports import Clock, Commands, Ids
from gated.records import Command


def _nobody(_: LaneSetup) -> None:
    """No lane is beside: those who command a lane by hand offer none."""


class Commander:
    """Draws each command once per effect, so that a repeated call is the same call.

    `beside` says which lane serves at this moment in the place of one that does not.
    """

    def __init__(
        self,
        setup: FacilitySetup,
        fence: Fence,
        commands: Commands,
        clock: Clock,
        ids: Ids,
        *,
        beside: Callable[[LaneSetup], LaneSetup | None] = _nobody,
    ) -> None:
        self._setup = setup
        self._fence = fence
        self._commands = commands
        self._clock = clock
        self._ids = ids
        self._beside = beside

    def accepts(self, lane: LaneSetup, do: Do) -> bool:
        """Whether the lane has a barrier, and one of a family that has such a command."""
        return lane.barrier is not None and self._commands.accepts(lane.barrier, do)

    def make(
        self,
        lane: LaneSetup,
        do: Do,
        reason: str,
        event: EventId,
        *,
        plate: Plate | None = None,
        stay: StayId | None = None,
        asked: AskPayment | None = None,
    ) -> Command:
        """A command that follows from this event, to be committed with its cause; with its text."""
        assert lane.barrier is not None
        now = self._clock.now()
        return Command(
            id=CommandId(self._ids.new()),
            lane=lane.id,
            device=lane.barrier,
            do=do,
            reason=str(reason),
            event=event,
            fence=self._fence,
            issued_at=now,
            expires_at=now + timedelta(seconds=lane.policy.command_seconds_max),
            plate=plate,
            stay=stay,
            taken=self._commands.ready(),
            text=shown(self._setup, lane, do, reason, now, asked, self._beside(lane)),
        )

    def send(self, command: Command, since_monotonic: float | None = None) -> None:
        """It is committed: send it now. `since_monotonic` is when its cause was received."""
        since = self._clock.monotonic() if since_monotonic is None else since_monotonic
        self._commands.poke(command, since)
