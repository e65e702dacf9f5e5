"""What operators ask for: gated's own topic `operator/{user}/request` (contract v1).

Who asks is in the topic, for which the broker vouches, and nowhere in the payload. A request that
is understood and lacks what its act needs is handed on with the word for that, to be answered.
"""

from collections.abc import Mapping

from pydantic import Field

from gated.core.errors import CodecError, RequestRefused
from gated.core.events import OperateOutcome, OperatorDo, Request
from gated.core.ids import LaneId, Slug, StayId
from gated.devices.answerable import answerable_id
from gated.devices.codec import PAYLOAD_BYTES_MAX, Reason, parse, plate_of
from gated.devices.contract import OperatorRequest
from gated.devices.topics import ROOT, OperatorLeaf, OperatorTopic
from gated.devices.topics import parse as parse_topic
from gated.records import Asked, Inbound

AT_A_LANE = frozenset(
    {
        OperatorDo.OPEN,
        OperatorDo.HOLD,
        OperatorDo.RELEASE,
        OperatorDo.LANE_CLOSE,
        OperatorDo.LANE_OPEN,
        OperatorDo.MATCH,
    }
)
ABOUT_A_STAY = frozenset({OperatorDo.MATCH, OperatorDo.WAIVE, OperatorDo.PAY})


class _Understood(OperatorRequest):
    """The request of the contract, where a reason or a lane that is none has an answer."""

    reason: str = Field(default="", max_length=500)
    lane: str | None = Field(default=None, max_length=200)


class OperatorCodec:
    """Reads the requests of one facility; what it makes of a message is the same each time."""

    kind = "operator"
    is_state = False

    def __init__(self, facility: Slug, lanes: Mapping[Slug, LaneId]) -> None:
        self.topic_filter = f"{ROOT}/{facility}/operator/+/{OperatorLeaf.REQUEST}"
        self._lanes = lanes

    def decode(self, message: Inbound) -> Asked:
        """The request. Raises CodecError (→ quarantine) for what cannot be understood.

        It is a RequestRefused where the message has an id by which it can be answered.
        """
        user = _user(message.topic)
        try:
            return self._decoded(message, user)
        except CodecError as error:
            request = answerable_id(message)
            if request is None:
                raise
            raise RequestRefused(error, user, request) from None

    def _decoded(self, message: Inbound, user: str) -> Asked:
        said = parse(_Understood, message.payload, PAYLOAD_BYTES_MAX)
        plate = None if said.plate is None else plate_of(said.plate, "plate")
        request = Request(
            id=said.id,
            user=user,
            do=OperatorDo(said.do),
            reason=said.reason.strip(),
            lane=self._lanes.get(Slug(said.lane)) if said.lane is not None else None,
            stay=None if said.stay is None else StayId(said.stay),
            ticket=said.ticket,
            plate=plate,
            amount=said.amount,
            currency=said.currency,
            provider=said.provider or "CASH",
            at=said.at,
        )
        return Asked(f"operator#{user}#{said.id}", request, _lacks(request, said.lane))


def _user(topic: str) -> str:
    match parse_topic(topic):
        case OperatorTopic(_, user, OperatorLeaf.REQUEST):
            return user
        case _:
            raise CodecError(Reason.BAD_TOPIC, "expected an operator's topic")


def _lacks(request: Request, lane: str | None) -> OperateOutcome | None:
    """Why nothing of the kind can be done, whoever asks."""
    if not request.reason:
        return OperateOutcome.REASON_MISSING
    if lane is None and request.do in AT_A_LANE:
        return OperateOutcome.LANE_MISSING
    if lane is not None and request.lane is None:
        return OperateOutcome.LANE_UNKNOWN
    named = [name for name in (request.stay, request.ticket, request.plate) if name]
    if request.do is OperatorDo.OPEN and len(named) > 1:
        return OperateOutcome.STAY_AMBIGUOUS
    if request.do not in ABOUT_A_STAY:
        return None
    if not named and request.do is not OperatorDo.MATCH:
        # Whoever may match is told at the lane which stays may be meant.
        return OperateOutcome.STAY_MISSING
    if len(named) > 1:
        return OperateOutcome.STAY_AMBIGUOUS
    amount_missing = request.amount is None or request.currency is None
    if request.do is OperatorDo.PAY and amount_missing:
        return OperateOutcome.AMOUNT_MISSING
    if (request.amount is None) != (request.currency is None):
        return OperateOutcome.AMOUNT_MISSING
    return None
