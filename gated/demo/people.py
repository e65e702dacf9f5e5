"""The people of a facility: its operator at the intercom, and whoever pays at its machines.

They know gated by its topics `payment` and `operator/…` alone, as the real ones do.
"""

import asyncio
import json
import random
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from gated.core.errors import DeliveryError
from gated.core.ids import Slug
from gated.demo.ledger import Car, Ledger
from gated.devices.mqtt import BrokerSettings, Session
from gated.devices.mqtt_events import LinkEvent, LinkUp, Received
from gated.devices.topics import FacilityLeaf, FacilityTopic, OperatorLeaf, OperatorTopic
from gated.ports import Clock
from gated.records import Publication

OPERATOR = "olga"
ANSWER_SECONDS_MAX = 5.0
# How long the operator listens and looks at the picture.
LOOK_SECONDS = 0.6
SEND_ATTEMPTS_MAX = 50


class People:
    """Behind one MQTT connection. What they did is in the ledger."""

    def __init__(
        self,
        facility: Slug,
        currency: str,
        *,
        broker: BrokerSettings,
        ledger: Ledger,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._facility = facility
        self._currency = currency
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._linked = asyncio.Event()
        self._asked: dict[str, asyncio.Future[bool]] = {}
        self.session = Session(
            broker,
            client_id=f"people-{facility}",
            filters=[
                (self._operator_topic(OperatorLeaf.ANSWER), 1),
                (self._topic(FacilityLeaf.PAYMENT_ANSWER), 1),
            ],
            will=None,
            birth=None,
            on_received=self._received,
            on_link=self._link_changed,
            clock=clock,
            random=rng,
            heartbeat_topic=f"people/{facility}/heartbeat",
        )

    async def linked(self) -> None:
        """Wait for the first connection."""
        await self._linked.wait()

    async def pay(self, car: Car, amount: Decimal) -> None:
        """A card is held against a terminal, for the plate that stands on its screen.

        It pays back what it is told does not count. Without an answer it keeps the money: it may
        count.
        """
        car.paid += amount
        self._ledger.paid[self._currency] += amount
        number = self._number()
        body = {
            "id": number,
            "plate": car.recorded,
            "amount": str(amount),
            "currency": self._currency,
            "provider": "CARD",
            "provider_txn_id": number,
            "at": self._now(),
        }
        if await self._answered(self._topic(FacilityLeaf.PAYMENT), body) is False:
            car.paid -= amount
            self._ledger.paid[self._currency] -= amount
            self._ledger.outcomes["paid_back"] += 1

    async def open(self, lane: Slug, reason: str) -> bool:
        """The operator opens once by hand. Whether that was done."""
        done = await self._ask({"do": "open", "lane": lane, "reason": reason})
        self._ledger.outcomes["opened_by_hand"] += done
        return done

    async def match(self, lane: Slug, plate: str, reason: str) -> bool:
        """The operator says whose plate was misread. Whether that was understood."""
        return await self._ask({"do": "match", "lane": lane, "plate": plate, "reason": reason})

    async def _ask(self, request: dict[str, Any]) -> bool:
        await asyncio.sleep(LOOK_SECONDS)
        asked = {"id": self._number(), "at": self._now(), **request}
        return await self._answered(self._operator_topic(OperatorLeaf.REQUEST), asked) or False

    async def _answered(self, topic: str, body: dict[str, Any]) -> bool | None:
        """Say it, and wait for the answer; None if none comes in time."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[body["id"]] = answer
        await self._publish(topic, body)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await answer
        except TimeoutError:
            return None

    async def _publish(self, topic: str, body: dict[str, Any]) -> None:
        publication = Publication(topic, json.dumps(body).encode())
        for _ in range(SEND_ATTEMPTS_MAX):
            try:
                await self.session.publish(publication)
            except DeliveryError:
                await asyncio.sleep(0.1)
            else:
                return

    def _received(self, received: Received) -> None:
        self.session.acknowledge(received)
        answer = json.loads(received.payload)
        waiting = self._asked.pop(answer["id"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer["ok"])

    def _link_changed(self, event: LinkEvent) -> None:
        if isinstance(event, LinkUp):
            self._linked.set()

    def _topic(self, leaf: FacilityLeaf) -> str:
        return str(FacilityTopic(self._facility, leaf))

    def _operator_topic(self, leaf: OperatorLeaf) -> str:
        return str(OperatorTopic(self._facility, OPERATOR, leaf))

    def _number(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128)))

    def _now(self) -> str:
        return self._clock.now().astimezone(UTC).isoformat(timespec="microseconds")
