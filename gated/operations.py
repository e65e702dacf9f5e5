"""What operators ask for and what the store answers: the values of `gated.ports.Operations`.

Ids and times are drawn by the caller, so that a call which is repeated after a lost answer is the
same call, and gets the same answer.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gated.core.events import OperateOutcome, OperatorDo
from gated.core.ids import EventId, LaneId, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.snapshot import FacilityMode, LaneMode
from gated.records import Command


@dataclass(frozen=True, slots=True)
class OperateRequest:
    """All that `gate.operate_v1` needs; `command` where the barrier is to do something.

    `stay` or `ticket` name whom a lane is opened for. `read` is what was read of the vehicle: a
    stay on a ticket has no plate, and gets this one.
    """

    event: EventId
    lane: LaneId
    user: str
    do: OperatorDo
    reason: str
    at: datetime
    command: Command | None = None
    stay: StayId | None = None
    ticket: str | None = None
    read: Plate | None = None


@dataclass(frozen=True, slots=True)
class OperateAnswer:
    """`user` is the operator's account, where the name is known; `mode` is what stands now; `plate`
    that of the stay which was named, where it is done."""

    outcome: OperateOutcome
    user: UUID | None = None
    mode: LaneMode = LaneMode.IN_SERVICE
    plate: Plate | None = None


@dataclass(frozen=True, slots=True)
class ModeRequest:
    """All that `gate.set_facility_mode_v1` needs. `user` None: a contact did, the fire input."""

    event: EventId
    mode: FacilityMode
    user: str | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ModeAnswer:
    """`mode` is what stands now; `changed` tells whether it did not before."""

    outcome: OperateOutcome
    user: UUID | None = None
    mode: FacilityMode = FacilityMode.NORMAL
    changed: bool = False


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """All that `gate.match_stay_v1` needs: the exit, and the stay by its id, ticket or plate.

    Where it names none, nothing is matched: whoever may match is told that it is missing.
    `read` is what was read of the vehicle: a stay on a ticket has no plate, and gets this one.
    """

    event: EventId
    lane: LaneId
    user: str
    reason: str
    at: datetime
    stay: StayId | None = None
    ticket: str | None = None
    plate: Plate | None = None
    read: Plate | None = None


@dataclass(frozen=True, slots=True)
class MatchAnswer:
    """`stay`, `ticket` and `plate` are those of the stay, if there is such a one."""

    outcome: OperateOutcome
    user: UUID | None = None
    stay: StayId | None = None
    ticket: str = ""
    plate: Plate | None = None


@dataclass(frozen=True, slots=True)
class WaiveRequest:
    """All that `gate.waive_v1` needs; `amount` None: all that is due."""

    event: EventId
    waiver: UUID
    user: str
    reason: str
    at: datetime
    stay: StayId | None = None
    ticket: str | None = None
    plate: Plate | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class PayRequest:
    """All that `gate.pay_by_hand_v1` needs."""

    event: EventId
    payment: UUID
    user: str
    reason: str
    at: datetime
    amount: Decimal
    currency: str
    provider: str
    txn: str
    stay: StayId | None = None
    ticket: str | None = None
    plate: Plate | None = None


@dataclass(frozen=True, slots=True)
class MoneyAnswer:
    """What was waived or paid now, and what is due still, where the outcome is DONE."""

    outcome: OperateOutcome
    user: UUID | None = None
    ticket: str = ""
    amount: Money | None = None
    due: Money | None = None


@dataclass(frozen=True, slots=True)
class RefuseRequest:
    """All that `gate.refuse_operation_v1` needs: what the daemon itself refuses, and why."""

    event: EventId
    lane: LaneId | None
    user: str
    do: OperatorDo
    reason: str
    outcome: OperateOutcome
    at: datetime
