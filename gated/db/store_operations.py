"""What operators do: the statements of the store that ask for a right and a reason."""

from datetime import datetime

from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import FacilityId, Fence
from gated.core.snapshot import FacilityMode, LaneMode, Modes, Ordered
from gated.db.pool import Database, Record
from gated.db.store_decisions import command_text, command_values
from gated.db.values import money, plate, storable, storable_or_none
from gated.operations import (
    MatchAnswer,
    MatchRequest,
    ModeAnswer,
    ModeRequest,
    MoneyAnswer,
    OperateAnswer,
    OperateRequest,
    PayRequest,
    RefuseRequest,
    WaiveRequest,
)

_MODE_DO = {
    FacilityMode.EVACUATION: OperatorDo.EVACUATE,
    FacilityMode.NORMAL: OperatorDo.RESUME,
}


class OperationStore:
    """`gated.ports.Store`, the part about operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def modes(self, facility: FacilityId) -> Modes:
        """What operators ordered to last."""
        facility_mode, lanes, ordered = FacilityMode.NORMAL, {}, {}
        for row in await self._database.rows("modes", facility):
            since: datetime = row["since"]
            ordered[row["lane"]] = Ordered(since, row["user_id"], row["reason"])
            if row["lane"] is None:
                facility_mode = FacilityMode(row["mode"])
            else:
                lanes[row["lane"]] = LaneMode(row["mode"])
        return Modes(facility_mode, lanes, ordered)

    async def operate(
        self, facility: FacilityId, fence: Fence, request: OperateRequest
    ) -> OperateAnswer:
        """Do an operator's act on a lane, or say why not; the same request, the same answer."""
        row = await self._database.row(
            "operate",
            facility,
            fence,
            request.event,
            request.lane,
            storable(request.user),
            request.do.value,
            storable(request.reason),
            request.at,
            *command_values(request.command),
            command_text(request.command),
            request.stay,
            storable_or_none(request.ticket),
            None if request.read is None else request.read.text,
        )
        return OperateAnswer(
            OperateOutcome(row["outcome"]),
            row["operator"],
            LaneMode(row["mode"]),
            plate(row["plate"]),
        )

    async def refuse_operation(
        self, facility: FacilityId, fence: Fence, request: RefuseRequest
    ) -> bool:
        """Settle a request that the daemon refuses; False if it was decided by another call."""
        refused: bool = await self._database.value(
            "refuse_operation",
            facility,
            fence,
            request.event,
            request.lane,
            storable(request.user),
            request.do.value,
            storable(request.reason),
            request.outcome.value,
            request.at,
        )
        return refused

    async def operation_outcome(self, facility: FacilityId, key: str) -> OperateOutcome | None:
        """What the request of this key came to; None if it is unknown, or not decided yet."""
        outcome = await self._database.value("operation_outcome", facility, storable(key))
        return None if outcome is None else OperateOutcome(outcome)

    async def set_facility_mode(
        self, facility: FacilityId, fence: Fence, request: ModeRequest
    ) -> ModeAnswer:
        """Begin or end an evacuation, or say why not; the same request, the same answer."""
        row = await self._database.row(
            "set_facility_mode",
            facility,
            fence,
            request.event,
            storable_or_none(request.user),
            _MODE_DO[request.mode].value,
            storable(request.reason),
            request.at,
        )
        return ModeAnswer(
            OperateOutcome(row["outcome"]),
            row["operator"],
            FacilityMode(row["mode"]),
            row["changed"],
        )

    async def match_stay(
        self, facility: FacilityId, fence: Fence, request: MatchRequest
    ) -> MatchAnswer:
        """Note whose vehicle stands at an exit. The request stays open for the exit's decision."""
        row = await self._database.row(
            "match_stay",
            facility,
            fence,
            request.event,
            request.lane,
            storable(request.user),
            request.stay,
            storable_or_none(request.ticket),
            None if request.plate is None else request.plate.text,
            None if request.read is None else request.read.text,
            storable(request.reason),
            request.at,
        )
        return MatchAnswer(
            OperateOutcome(row["outcome"]),
            row["operator"],
            row["booking"],
            row["ticket"] or "",
            plate(row["plate"]),
        )

    async def waive(self, facility: FacilityId, fence: Fence, request: WaiveRequest) -> MoneyAnswer:
        """Waive what is due for a stay, or a part of it, or say why not."""
        row = await self._database.row(
            "waive",
            facility,
            fence,
            request.event,
            storable(request.user),
            request.waiver,
            request.stay,
            storable_or_none(request.ticket),
            None if request.plate is None else request.plate.text,
            request.amount,
            request.currency,
            storable(request.reason),
            request.at,
        )
        return _money_answer(row)

    async def pay_by_hand(
        self, facility: FacilityId, fence: Fence, request: PayRequest
    ) -> MoneyAnswer:
        """Count money that an operator took, once, or say why not."""
        row = await self._database.row(
            "pay_by_hand",
            facility,
            fence,
            request.event,
            storable(request.user),
            request.payment,
            request.stay,
            storable_or_none(request.ticket),
            None if request.plate is None else request.plate.text,
            request.amount,
            request.currency,
            request.provider,
            storable(request.txn),
            storable(request.reason),
            request.at,
        )
        return _money_answer(row)


def _money_answer(row: Record) -> MoneyAnswer:
    outcome = OperateOutcome(row["outcome"])
    if outcome is not OperateOutcome.DONE:
        return MoneyAnswer(outcome, row["operator"], row["ticket"] or "")
    return MoneyAnswer(
        outcome,
        row["operator"],
        row["ticket"] or "",
        money(row["amount"], row["currency"]),
        money(row["due"], row["currency"]),
    )
