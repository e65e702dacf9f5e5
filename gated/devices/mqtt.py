"""The MQTT session of one client id: kept up for ever, nothing acknowledged before its time.

Owns reconnecting, the heartbeat, birth and last will. The single connection is
`gated.devices.mqtt_link`'s; what a message means, and when it is safe, is the caller's.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from gated.core.errors import DeliveryError
from gated.devices.backoff import Backoff
from gated.devices.dial import BrokerSettings, TlsSettings
from gated.devices.intake import Intake
from gated.devices.mqtt_events import LinkDown, LinkEvent, LinkRefused, LinkUp, Received, RivalSeen
from gated.devices.mqtt_link import Link, LinkEnd, RefusedError
from gated.devices.publish_packet import PublishPacket
from gated.ports import Clock
from gated.records import Publication

__all__ = [
    "BrokerSettings",
    "LinkDown",
    "LinkEvent",
    "LinkRefused",
    "LinkUp",
    "Publication",
    "Received",
    "RefusedError",
    "RivalSeen",
    "Session",
    "TlsSettings",
    "probe",
]

_BEATS_MISSED_MAX = 2
_WAIT_SECONDS = 0.1  # until it is asked again whether the session may connect


class Session:
    """A persistent MQTT 5 session with manual, ordered acknowledgement.

    `on_received` and `on_link` are called on the event loop, in order, and must not block; an
    exception out of them is a bug and comes out of `run()`. A message that is not acknowledged
    comes again on the next link, never on the same one.

    At `unacknowledged_max` messages that wait for their acknowledgement the session sets further
    QoS 1 messages of the link aside unread, and once all that were taken are acknowledged it
    rebuilds the link, so that the broker sends the others again, in order. Neither a paused
    socket nor a dropped link would do: while a database is away both would also stop the
    commands, the pings and the broker's answers.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        filters: Sequence[tuple[str, int]],
        will: Publication | None,
        birth: Publication | None,
        on_received: Callable[[Received], None],
        on_link: Callable[[LinkEvent], None],
        clock: Clock,
        random: random.Random,
        heartbeat_topic: str,
        may_connect: Callable[[], bool] = lambda: True,
    ) -> None:
        """Filters are (topic filter, QoS 0 or 1); the heartbeat's own topic is added to them.

        `may_connect` is asked before each attempt: who connects cuts off whoever else uses the
        client id.
        """
        if any(qos not in (0, 1) for _, qos in filters):
            # A QoS 2 exchange that is half done would have to outlive the connection.
            raise ValueError("subscriptions are at QoS 0 or 1")
        self._settings = settings
        self._client_id = client_id
        self._filters = (*filters, (heartbeat_topic, 0))
        self._will = will
        self._birth = birth
        self._on_received = on_received
        self._on_link = on_link
        self._clock = clock
        self._random = random
        self._heartbeat_topic = heartbeat_topic
        self._may_connect = may_connect
        self._beat = b""
        self._beat_heard = False
        self._marked = False
        self._rival = False
        self._signature = random.randbytes(8).hex().encode()
        self._backoff = Backoff(random, settings.reconnect_delay_seconds_max)
        self._log: Any = structlog.get_logger().bind(client_id=client_id, broker=settings.place)
        self._leaving = asyncio.Event()
        self._link: Link | None = None
        self._intake: Intake | None = None
        self._links = 0
        self._was_up = False
        self._refusal: str | None = None
        self.acks_stale = 0

    @property
    def connected(self) -> bool:
        """Whether there is a link that is subscribed and not known to be dead."""
        return self._link is not None and not self._link.ended.done()

    @property
    def unacknowledged(self) -> int:
        """The messages of this link that were handed out and are not acknowledged."""
        return len(self._intake) if self._intake is not None else 0

    async def run(self) -> None:
        """Connect, serve, reconnect; until cancelled (the last will speaks) or `farewell()`.

        Raises what `on_received` or `on_link` raised; nothing that the network does ends it.
        """
        while not self._leaving.is_set():
            delay_seconds = await self._live_once() if self._may_connect() else _WAIT_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_seconds):
                    await self._leaving.wait()

    async def farewell(self, publication: Publication | None = None) -> None:
        """Publish the parting message (by default the last will's), disconnect, end `run()`.

        Takes at most the publish time-out and a second; what fails on the way is let go.
        """
        self._leaving.set()
        link, parting = self._link, publication or self._will
        if link is None:
            return
        try:
            if parting is not None:
                await link.publish(parting, self._settings.publish_timeout_seconds)
        except DeliveryError as error:
            self._log.warning("mqtt.farewell_failed", reason=str(error))
        await link.close(farewell=True)

    def acknowledge(self, received: Received) -> None:
        """The message is safe: acknowledge it as soon as all before it are, too.

        Does nothing at QoS 0. For an older link it is dropped and counted in `acks_stale`, as
        the broker sends that message again.
        """
        if received.qos == 0:
            return
        link, intake = self._link, self._intake
        if (
            link is None
            or intake is None
            or link.number != received.link
            or link.ended.done()
            or not intake.acknowledge(received.mid)
        ):
            self.acks_stale += 1
            return
        if intake.drained:
            self._log.warning("mqtt.backlog_drained", shed=intake.shed)
            link.end(LinkEnd("rebuilt to fetch the backlog", polite=True))

    async def publish(self, publication: Publication) -> None:
        """Publish; at QoS 1 the broker has taken it when this returns.

        Raises DeliveryError: `uncertain` False where it certainly did not leave or was refused
        by the broker, True where the answer failed to come.
        """
        link = self._link
        if link is None:
            raise DeliveryError("not connected to the broker", uncertain=False)
        await link.publish(publication, self._settings.publish_timeout_seconds)

    # ── one life ────────────────────────────────────────────────────────────────────────────

    async def _live_once(self) -> float:
        """One link from dialling to its end; returns how long to wait before the next."""
        self._links += 1
        self._rival = False
        self._beat = b"%s %d" % (self._signature, self._links)  # not an older link's
        link = Link(
            self._settings,
            client_id=self._client_id,
            number=self._links,
            will=self._will,
            on_packet=self._take,
        )
        self._intake = Intake(
            link.number,
            self._settings.unacknowledged_max,
            self._clock,
            hand_out=self._on_received,
            send_ack=link.acknowledge,
        )
        polite, up_monotonic = False, self._clock.monotonic()
        try:
            await link.open(self._filters)
            end = await self._serve(link, self._intake)
            polite = end.polite
        except RefusedError as error:
            # The answer to CONNECT and the end of the link may come in one burst.
            end = link.ended.result() if link.ended.done() else LinkEnd(str(error))
            if end.fault is None and not end.taken_over:
                return self._refused(str(error))
        finally:
            self._link = None
            await link.close(farewell=polite)
        if end.fault is not None:
            raise end.fault
        return self._fallen(link, end, self._clock.monotonic() - up_monotonic)

    async def _serve(self, link: Link, intake: Intake) -> LinkEnd:
        """Report the link up, be born, and keep the heart beating until the link ends."""
        self._link = link
        session_lost = self._was_up and not link.session_present
        self._log.info("mqtt.connected", link=link.number, session_present=link.session_present)
        if session_lost:
            self._log.error("mqtt.session_lost", link=link.number)
        self._was_up, self._refusal = True, None
        self._on_link(LinkUp(link.number, link.session_present, session_lost))
        if self._rival:
            self._tell_rival(link)
        intake.open()
        attending = asyncio.create_task(self._attend(link), name=f"mqtt-{self._client_id}")
        try:
            both: set[asyncio.Future[Any]] = {attending, link.ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            attending.cancel()
            await asyncio.wait({attending})
        if not attending.cancelled():
            attending.result()
        return await link.ended

    async def _attend(self, link: Link) -> None:
        """Publish the birth message, then beats; end the link when two in a row go unheard.

        The first beat of a link is retained, as a mark of who came last under this client id.
        """
        if self._birth is not None:
            try:
                await link.publish(self._birth, self._settings.publish_timeout_seconds)
            except DeliveryError as error:
                self._log.warning("mqtt.birth_failed", reason=str(error))
        missed = number = 0
        while missed < _BEATS_MISSED_MAX:
            self._beat_heard, number = False, number + 1
            beat = Publication(self._heartbeat_topic, self._beat, qos=0, retain=number == 1)
            try:
                link.publish_soon(beat)
            except DeliveryError as error:
                link.end(LinkEnd(str(error)))
                return
            await asyncio.sleep(self._settings.heartbeat_seconds)
            missed = 0 if self._beat_heard else missed + 1
        self._log.warning("mqtt.heartbeat_missed", link=link.number, missed=missed)
        # A broker that forbids the topic looks the same as a dead one: it may refuse silently.
        doubt = "" if number > missed else f"; or {self._heartbeat_topic} is not permitted"
        link.end(LinkEnd(f"{missed} heartbeats missed{doubt}"))

    def _take(self, packet: PublishPacket) -> None:
        assert self._intake is not None
        if packet.topic != self._heartbeat_topic:
            self._intake.take(packet)
            return
        self._intake.pass_over(packet)
        if packet.payload == self._beat:
            self._beat_heard = self._marked = True
        elif packet.retain and self._marked and not packet.payload.startswith(self._signature):
            self._rival = True
            if self._link is not None:
                self._tell_rival(self._link)

    def _tell_rival(self, link: Link) -> None:
        self._log.error("mqtt.taken_over", link=link.number, reason="found another's mark")
        self._on_link(RivalSeen(link.number))

    def _refused(self, reason: str) -> float:
        delay_seconds = self._backoff.after_refusal()
        if reason != self._refusal:
            self._refusal = reason
            self._log.warning("mqtt.refused", reason=reason, **self._retry(delay_seconds))
            self._on_link(LinkRefused(reason))
        return delay_seconds

    def _fallen(self, link: Link, end: LinkEnd, lasted_seconds: float) -> float:
        if self._leaving.is_set():
            self._log.info("mqtt.parted", link=link.number)
            self._on_link(LinkDown(link.number, end.reason, end.taken_over))
            return 0.0
        delay_seconds = (
            0.0
            if end.polite
            else self._backoff.after_loss(lasted_seconds, taken_over=end.taken_over or self._rival)
        )
        log, event = (
            (self._log.error, "mqtt.taken_over")
            if end.taken_over
            else (self._log.warning, "mqtt.disconnected")
        )
        log(event, link=link.number, reason=end.reason, **self._retry(delay_seconds))
        self._on_link(LinkDown(link.number, end.reason, end.taken_over))
        return delay_seconds

    def _retry(self, delay_seconds: float) -> dict[str, object]:
        return {"attempt": self._backoff.attempt, "delay_seconds": round(delay_seconds, 3)}


async def probe(settings: BrokerSettings, client_id: str) -> None:
    """Log in as the daemon would, leave at once, and leave nothing behind.

    Raises RefusedError with what the broker, or the way to it, says.
    """
    link = Link(
        replace(settings, session_expiry_seconds=0),
        client_id=client_id,
        number=1,
        will=None,
        on_packet=lambda _: None,
    )
    try:
        await link.open([("gated/v1/check", 0)])
    finally:
        await link.close(farewell=True)
