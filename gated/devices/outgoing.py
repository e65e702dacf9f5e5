"""The publishes of one MQTT link: within the broker's window, each with its answer.

Handing a message to the socket is the link's; what a failure means for a command is the caller's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gated.core.errors import DeliveryError
from gated.records import Publication

_WINDOW_DEFAULT = 65_535  # what a broker means that names none (MQTT 5, 3.2.2.3.3)


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A publish without an answer yet; the answer is the broker's refusal, or None."""

    qos: int
    answer: asyncio.Future[str | None]


class Outgoing:
    """Publishes by message id, from `send` to the answer.

    `send` returns the id; on a link that is over, and for what cannot be sent, it raises
    DeliveryError.

    The window is kept here and not left to the client library: paho would queue what exceeds
    it and send that whenever there is room, however late. What gets no slot in time is never
    sent. One that its publisher gave up on holds its slot until the broker answers.
    """

    def __init__(self, send: Callable[[Publication], int]) -> None:
        self._send = send
        self._slots = asyncio.Semaphore(_WINDOW_DEFAULT)
        self._unanswered: dict[int, _Unanswered] = {}

    def limit(self, window: int | None) -> None:
        """The broker's receive maximum, from its CONNACK; before anything is published."""
        self._slots = asyncio.Semaphore(window or _WINDOW_DEFAULT)

    async def publish(self, publication: Publication, timeout_seconds: float) -> None:
        """Publish, at QoS 1 until the broker's answer. Raises DeliveryError."""
        if publication.qos not in (0, 1):
            raise DeliveryError(f"QoS {publication.qos} is not used here", uncertain=False)
        sent = False
        try:
            async with asyncio.timeout(timeout_seconds):
                if publication.qos:
                    await self._slots.acquire()
                answer = self._start(publication)
                sent = True
                refusal = await answer
        except TimeoutError:
            waited_for = "the broker's answer" if sent else "room in the broker's window"
            raise DeliveryError(
                f"{waited_for} did not come in {timeout_seconds:g} s", uncertain=sent
            ) from None
        if refusal is not None:
            raise DeliveryError(f"refused by the broker: {refusal}", uncertain=False)

    def publish_soon(self, publication: Publication) -> None:
        """Hand a QoS 0 message to the socket and wait for nothing. Raises DeliveryError."""
        self._start(publication).cancel()

    def answered(self, mid: int, refusal: str | None) -> None:
        """The broker answered (at QoS 0: the message is written)."""
        unanswered = self._unanswered.pop(mid, None)
        if unanswered is None:
            return
        if unanswered.qos:
            self._slots.release()
        if not unanswered.answer.done():
            unanswered.answer.set_result(refusal)

    def lose(self, reason: str) -> None:
        """The link is over: what has no answer is uncertain, what was not sent never will be."""
        for unanswered in self._unanswered.values():
            if not unanswered.answer.done():
                unanswered.answer.set_exception(
                    DeliveryError(f"the link was lost: {reason}", uncertain=True)
                )
        self._slots.release()  # wakes one who waits for a slot; its failure wakes the next

    def _start(self, publication: Publication) -> asyncio.Future[str | None]:
        try:
            mid = self._send(publication)
        except DeliveryError:
            if publication.qos:
                self._slots.release()
            raise
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._unanswered[mid] = _Unanswered(publication.qos, answer)
        return answer
