"""What a facility tells: retained state for everyone, their answers to operators and terminals.

Of state (lanes, occupancy, receipts) the newest value wins; all of it is repeated on each new link,
because a broker without persistence forgets what it retained. Answers are sent once, in order.
What cannot be sent now is sent when the link is back.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog
from pydantic import BaseModel

from gated.core.errors import DeliveryError
from gated.core.ids import Slug
from gated.core.lane import LaneShown
from gated.core.matching import Near
from gated.core.signs import Sign
from gated.core.snapshot import Group
from gated.devices.contract import (
    LaneCall,
    LaneStateMessage,
    NearStay,
    OccupancyMessage,
    OperatorAnswer,
    PaymentAnswer,
)
from gated.devices.native import receipt
from gated.devices.topics import (
    FacilityLeaf,
    FacilityTopic,
    LaneLeaf,
    LaneTopic,
    OperatorLeaf,
    OperatorTopic,
    Topic,
    ZoneTopic,
)
from gated.ports import Link
from gated.records import PaymentTakenAnswer, Publication, ZoneCount

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

# Nobody waits for an answer that is older than so many others.
ANSWERS_COUNT_MAX = 1000


class Announcer:
    """One facility's retained topics, and the answers to its operators and terminals."""

    def __init__(self, facility: Slug, link: Link) -> None:
        self._facility = facility
        self._link = link
        self._payments = FacilityTopic(facility, FacilityLeaf.PAYMENT_ANSWER)
        self._latest: dict[str, Publication] = {}
        self._unsent: dict[str, None] = {}
        self._answers: deque[Publication] = deque(maxlen=ANSWERS_COUNT_MAX)
        self._wake = asyncio.Event()

    def lane_state(self, lane: Slug, shown: LaneShown) -> None:
        """What the lane is doing, what is wrong with it, and whether somebody needs a person."""
        topic = LaneTopic(self._facility, lane, LaneLeaf.STATE)
        call = shown.call
        message = LaneStateMessage(
            state=shown.phase,
            since=shown.since,
            mode=shown.mode,
            faults=sorted(shown.faults),
            call=None if call is None else LaneCall(why=call.why, since=call.since),
        )
        self._announce(topic, message)

    def zone_occupancy(self, zone: Slug, count: ZoneCount, sign: Sign) -> None:
        """A zone's bays, and what its sign says."""
        self._announce(ZoneTopic(self._facility, zone), _occupancy(count, sign))

    def facility_occupancy(self, count: ZoneCount, sign: Sign) -> None:
        """All zones together, and what the sign at the entrance says."""
        topic = FacilityTopic(self._facility, FacilityLeaf.OCCUPANCY)
        self._announce(topic, _occupancy(count, sign))

    def receipt(self, lane: Slug, boot: str, seq: int) -> None:
        """A numbering sender's messages are stored up to here."""
        self._put(receipt(self._facility, lane, boot, seq))

    def answer(
        self,
        user: str,
        request: str | int,
        error: str | None = None,
        detail: str = "",
        stays: Sequence[Near] = (),
    ) -> None:
        """What became of an operator's request; `error` None: it was done."""
        topic = OperatorTopic(self._facility, user, OperatorLeaf.ANSWER)
        message = OperatorAnswer(
            id=request,
            ok=error is None,
            error=error,
            detail=detail or None,
            stays=[_near(one) for one in stays] or None,
        )
        self._answer(topic, message)

    def payment_taken(self, payment: str | int, answer: PaymentTakenAnswer) -> None:
        """A terminal's money counts; what is due for the stay, and until when it may leave."""
        message = PaymentAnswer(
            id=payment,
            ok=True,
            outcome=answer.outcome,
            ticket=answer.ticket or None,
            due=None if answer.due is None else answer.due.amount,
            currency=None if answer.due is None else answer.due.currency,
            grace_until=answer.grace_until,
        )
        self._answer(self._payments, message)

    def payment_refused(self, payment: str | int, error: str, detail: str = "") -> None:
        """A terminal's money does not count, and why."""
        message = PaymentAnswer(id=payment, ok=False, error=error, detail=detail or None)
        self._answer(self._payments, message)

    def repeat(self) -> None:
        """Send all state again, and what answers are left: the link is new."""
        self._unsent.update(dict.fromkeys(self._latest))
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._answers or self._unsent:
                if not await (self._send_answer() if self._answers else self._send_state()):
                    break

    async def _send_answer(self) -> bool:
        answer = self._answers.popleft()
        try:
            await self._link.publish(answer)
        except DeliveryError as error:
            if not self._link.connected:
                # Told twice it does no harm, and its id says which it is.
                self._answers.appendleft(answer)
                return False
            # The broker does not take it, by its ACL perhaps: nothing else must wait for that.
            log, name = (
                (_log.warning, "payment.answer_lost")
                if answer.topic == str(self._payments)
                else (_log.warning, "operator.answer_lost")
            )
            log(name, facility=self._facility, topic=answer.topic, error=str(error))
        return True

    async def _send_state(self) -> bool:
        topic = next(iter(self._unsent))
        del self._unsent[topic]
        try:
            await self._link.publish(self._latest[topic])
        except DeliveryError:
            # The next link-up repeats it, or the next change does.
            self._unsent[topic] = None
            return False
        return True

    def _answer(self, topic: Topic, message: BaseModel) -> None:
        payload = message.model_dump_json(exclude_none=True).encode()
        self._answers.append(Publication(str(topic), payload))
        self._wake.set()

    def _announce(self, topic: Topic, message: BaseModel) -> None:
        # That nobody calls is said, and not left to be understood.
        self._put(Publication(str(topic), message.model_dump_json().encode(), retain=True))

    def _put(self, publication: Publication) -> None:
        self._latest[publication.topic] = publication
        self._unsent[publication.topic] = None
        self._wake.set()


def _near(near: Near) -> NearStay:
    return NearStay(
        stay=near.stay.id,
        plate=near.stay.plate.text,
        entered_at=near.stay.entry_at,
        distance=near.distance,
        reason=near.reason,
    )


def _occupancy(count: ZoneCount, sign: Sign) -> OccupancyMessage:
    return OccupancyMessage(
        capacity=count.capacity,
        occupied=count.occupied,
        reserved=count.reserved,
        available=count.available,
        full=sign.full,
        full_for=[group.value for group in Group if group in sign.full_for],
    )
