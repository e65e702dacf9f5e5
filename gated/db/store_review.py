"""What waits for somebody: contradictions to resolve, offences, debts, and who left unseen."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gated.core.ids import FacilityId, StayId
from gated.core.money import Money
from gated.db.bookings import Actor
from gated.db.pool import Database, Record
from gated.db.review import (
    Debt,
    Evacuation,
    Offence,
    Reconciliation,
    ResetOutcome,
    ResolveOutcome,
    SettleOutcome,
    UnseenStay,
)
from gated.db.values import json_value, money, plain, storable

ROWS_MAX = 1000


class ReviewStore:
    """The statements that an operator's desk needs and no lane waits for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reconciliations(
        self, facility: FacilityId, limit: int = ROWS_MAX
    ) -> Sequence[Reconciliation]:
        """What waits for an operator, the oldest first."""
        rows = await self._database.rows("reconciliations", facility, limit)
        return [
            Reconciliation(
                row["id"],
                row["kind"],
                row["created_at"],
                row["lane"],
                row["ticket"],
                json_value(row["details"]),
                json_value(row["names"]),
            )
            for row in rows
        ]

    async def resolve_reconciliation(
        self, facility: FacilityId, id_: UUID, reason: str, at: datetime, actor: Actor
    ) -> ResolveOutcome:
        """Note that it is settled, and how."""
        outcome = await self._database.value(
            "resolve_reconciliation",
            facility,
            id_,
            storable(reason),
            at,
            actor.name,
            actor.staff,
        )
        return ResolveOutcome(outcome)

    async def violations(
        self,
        facility: FacilityId,
        since: datetime,
        states: Sequence[str] = ("OPEN",),
        limit: int = ROWS_MAX,
    ) -> Sequence[Offence]:
        """The offences since then in these states, the newest first."""
        rows = await self._database.rows("violations", facility, since, list(states), limit)
        return [
            Offence(
                row["id"],
                row["kind"],
                row["at"],
                row["plate"],
                plain(row["penalty"]),
                row["currency"],
                row["status"],
                row["lane"],
                row["ticket"],
                json_value(row["evidence"]),
                json_value(row["names"]),
            )
            for row in rows
        ]

    async def debts(
        self, facility: FacilityId, since: datetime, limit: int = ROWS_MAX
    ) -> Sequence[Debt]:
        """What ended stays owe that began since then, the newest first."""
        rows = await self._database.rows("debts", facility, since, limit)
        return [
            Debt(
                row["stay"],
                row["ticket"],
                row["plate"],
                row["entry_time"],
                row["exit_at"],
                _money(row, "price"),
                _money(row, "paid"),
                _money(row, "due"),
            )
            for row in rows
        ]

    async def reset_passback(
        self, facility: FacilityId, at: datetime, reason: str, actor: Actor
    ) -> ResetOutcome:
        """Have no stay that began before refuse the next entry of its plate."""
        outcome = await self._database.value(
            "reset_passback", facility, at, storable(reason), actor.name, actor.staff
        )
        return ResetOutcome(outcome)

    async def evacuation(self, facility: FacilityId, at: datetime) -> Evacuation | None:
        """The last one, within a month before."""
        row = await self._database.row("evacuation", facility, at)
        return None if row["since"] is None else Evacuation(row["since"], row["until"])

    async def unseen_stays(self, facility: FacilityId, since: datetime) -> Sequence[UnseenStay]:
        """The open stays that were inside then and have not been seen inside since."""
        rows = await self._database.rows("unseen_stays", facility, since)
        return [
            UnseenStay(
                row["stay"],
                row["ticket"],
                row["plate"],
                row["entry_time"],
                row["entry_lane"],
                row["zone"],
                row["spot"],
                row["seen_at"],
                row["seen"],
                row["seen_lane"],
            )
            for row in rows
        ]

    async def settle_unseen(
        self,
        facility: FacilityId,
        stay: StayId,
        since: datetime,
        reason: str,
        at: datetime,
        actor: Actor,
        *,
        charged: bool = False,
    ) -> tuple[SettleOutcome, Money | None]:
        """End the stay as of then; what is due is None unless it was settled."""
        row = await self._database.row(
            "settle_unseen",
            facility,
            stay,
            since,
            charged,
            storable(reason),
            at,
            actor.name,
            actor.staff,
        )
        return SettleOutcome(row["outcome"]), money(row["due"], row["currency"])


def _money(row: Record, name: str) -> Money:
    return Money(plain(row[name]), row["currency"])
