"""The commands committed: the outbox statements of the store."""

from collections.abc import Sequence
from datetime import datetime

from gated.core.effects import Do
from gated.core.events import CommandStatus
from gated.core.ids import CommandId, FacilityId, Fence, LaneId
from gated.db.pool import Database, Record
from gated.db.values import money, plate, storable, storable_or_none
from gated.records import Command


class OutboxStore:
    """`gated.ports.Store`, the part about the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dispatch_command(
        self, facility: FacilityId, fence: Fence, command: CommandId, at: datetime
    ) -> CommandStatus:
        """Take an accepted command for sending. `dispatched` means: send it now, once.

        Anything else means: do not send. A command that was taken before is `unknown`, also to a
        repeated call of its own taker, because nobody can tell any more whether it was sent.
        """
        status = await self._database.value("dispatch_command", facility, fence, command, at)
        return CommandStatus(status)

    async def advance_command(
        self,
        facility: FacilityId,
        fence: Fence,
        command: CommandId,
        status: CommandStatus,
        error: str | None,
        at: datetime,
    ) -> CommandStatus:
        """Move the command on; a step back is ignored. Answers the status that stands now."""
        stands = await self._database.value(
            "advance_command",
            facility,
            fence,
            command,
            status.value,
            storable_or_none(error),
            at,
        )
        return CommandStatus(stands)

    async def send_command(self, facility: FacilityId, fence: Fence, command: Command) -> None:
        """Commit a command beside a decision, once by its id."""
        await self._database.value(
            "send_command",
            facility,
            fence,
            command.event,
            command.lane,
            command.plate.text if command.plate else None,
            command.stay,
            command.id,
            command.device,
            command.do.value,
            storable(command.reason),
            command.issued_at,
            command.expires_at,
            command.taken,
            storable_or_none(command.text),
        )

    async def accepted_commands(self, facility: FacilityId) -> Sequence[Command]:
        """What waits to be sent, oldest first."""
        return [_command(row) for row in await self._database.rows("accepted_commands", facility)]

    async def expire_commands(
        self, facility: FacilityId, fence: Fence, at: datetime
    ) -> Sequence[tuple[CommandId, LaneId, CommandStatus]]:
        """End what is over: accepted past expiry → expired, dispatched unanswered → unknown.

        Should the answer be lost, the repeated call ends nothing more and tells of nothing: the
        lanes learn of an open that came to nothing by their own timers too.
        """
        rows = await self._database.rows("expire_commands", facility, fence, at)
        return [(row["command"], row["lane"], CommandStatus(row["status"])) for row in rows]


def _command(row: Record) -> Command:
    return Command(
        id=row["id"],
        lane=row["lane_id"],
        device=row["device_id"],
        do=Do(row["do_what"]),
        reason=row["reason"],
        event=row["event_id"],
        fence=Fence(row["fence"]),
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        plate=plate(row["plate"]),
        stay=row["stay_id"],
        price=money(row["price"], row["currency"]),
        text=row["text"],
        ticket=row["ticket"] or "",
    )
