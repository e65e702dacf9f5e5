"""Asking a running daemon through the broker: an operator's request, and what the lanes are doing.

One short connection under a client id of its own, of which the broker keeps nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gated.core.errors import DeliveryError, GatedError
from gated.core.ids import Slug
from gated.devices.contract import (
    DaemonMessage,
    LaneStateMessage,
    OperatorAnswer,
    OperatorRequest,
)
from gated.devices.dial import BrokerSettings
from gated.devices.mqtt_link import Link
from gated.devices.publish_packet import PublishPacket
from gated.devices.topics import (
    ROOT,
    FacilityLeaf,
    FacilityTopic,
    LaneLeaf,
    OperatorLeaf,
    OperatorTopic,
)
from gated.records import Publication

# After so long without a further retained message there is none.
QUIET_SECONDS = 0.3

Model = TypeVar("Model", bound=BaseModel)


class NoAnswer(GatedError):
    """Nobody answered in time: whether it was done is not known.

    `daemon`: whether a daemon said, when last heard, that it works for the facility.
    """

    def __init__(self, text: str, *, daemon: bool) -> None:
        super().__init__(text)
        self.daemon = daemon


@dataclass(slots=True)
class Shown:
    """What is retained of a facility: its lanes by slug, and the daemon that works for it."""

    lanes: dict[Slug, LaneStateMessage] = field(default_factory=dict)
    daemon: DaemonMessage | None = None

    @property
    def online(self) -> bool:
        """Whether a daemon works for the facility, as far as the broker knows."""
        return self.daemon is not None and self.daemon.online


async def ask(
    settings: BrokerSettings,
    facility: Slug,
    user: str,
    request: OperatorRequest,
    *,
    client_id: str,
    seconds_max: float,
) -> OperatorAnswer:
    """The answer to a request of the user. Raises NoAnswer, RefusedError, DeliveryError.

    Raises ValueError for a facility or user that cannot stand in a topic.
    """
    asked = OperatorTopic(facility, user, OperatorLeaf.REQUEST)
    answers = str(OperatorTopic(facility, user, OperatorLeaf.ANSWER))
    daemon = str(FacilityTopic(facility, FacilityLeaf.DAEMON))
    answered: asyncio.Future[OperatorAnswer] = asyncio.get_running_loop().create_future()
    shown = Shown()

    def heard(packet: PublishPacket) -> None:
        if packet.topic == daemon:
            shown.daemon = _read(DaemonMessage, packet) or shown.daemon
        elif packet.topic == answers and not packet.retain and not answered.done():
            answer = _read(OperatorAnswer, packet)
            if answer is not None and answer.id == request.id:
                answered.set_result(answer)

    async with _linked(settings, client_id, [answers, daemon], heard) as link:
        payload = request.model_dump_json(exclude_none=True).encode()
        await link.publish(Publication(str(asked), payload), settings.publish_timeout_seconds)
        both: set[asyncio.Future[object]] = {answered, link.ended}  # type: ignore[arg-type]
        await asyncio.wait(both, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            return answered.result()
        if link.ended.done():
            raise DeliveryError(f"link lost: {link.ended.result().reason}", uncertain=True)
    raise NoAnswer(f"no answer in {seconds_max:g} s", daemon=shown.online)


async def look(settings: BrokerSettings, facility: Slug, *, client_id: str) -> Shown:
    """What is retained of the facility now. Raises RefusedError; ValueError as `ask`."""
    daemon = str(FacilityTopic(facility, FacilityLeaf.DAEMON))
    shown = Shown()
    news = asyncio.Event()

    def heard(packet: PublishPacket) -> None:
        news.set()
        if packet.topic == daemon:
            shown.daemon = _read(DaemonMessage, packet)
            return
        state = _read(LaneStateMessage, packet)
        lane = Slug(packet.topic.split("/")[-2])
        if state is not None:
            shown.lanes[lane] = state

    lanes = f"{ROOT}/{facility}/lane/+/{LaneLeaf.STATE}"
    async with _linked(settings, client_id, [lanes, daemon], heard):
        try:
            while True:
                async with asyncio.timeout(QUIET_SECONDS):
                    await news.wait()
                news.clear()
        except TimeoutError:
            return shown


@asynccontextmanager
async def _linked(
    settings: BrokerSettings,
    client_id: str,
    topics: Sequence[str],
    heard: Callable[[PublishPacket], None],
) -> AsyncIterator[Link]:
    link = Link(
        replace(settings, session_expiry_seconds=0),
        client_id=client_id,
        number=1,
        will=None,
        on_packet=heard,
    )
    try:
        # At QoS 0, on one connection that is not resumed, nothing is to be acknowledged.
        await link.open([(topic, 0) for topic in topics])
        yield link
    finally:
        await link.close(farewell=True)


def _read(model: type[Model], packet: PublishPacket) -> Model | None:
    try:
        return model.model_validate_json(packet.payload)
    except ValidationError:
        return None
