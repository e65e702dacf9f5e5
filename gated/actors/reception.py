"""What a received message becomes: rows for the inbox, and the events that they will tell.

Reading only: nothing is stored, acknowledged or delivered here.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from gated.core.errors import CodecError
from gated.core.events import DeviceEvent, DeviceOnlineChanged
from gated.core.ids import EventId
from gated.core.site import DeviceSetup
from gated.ports import Codec, FacilityReader, Ids, Message
from gated.records import Decoded, EventStatus, FacilityFact, Inbound, InboxRow

EXCERPT_BYTES = 512

M = TypeVar("M", bound=Message)


class Refusal(StrEnum):
    """Why a message is quarantined that no codec refused; the codecs' own words are theirs."""

    BROKEN_PACKET = "broken_packet"
    NO_DEVICE = "no_device"
    NOT_STORABLE = "not_storable"


@dataclass(frozen=True, slots=True)
class Route:
    """A device that a topic belongs to, and the codec that reads it."""

    device: DeviceSetup
    codec: Codec


@dataclass(frozen=True, slots=True)
class Entry:
    """One row on its way into the inbox, and what its lane or its facility is told once it is
    stored."""

    row: InboxRow
    events: tuple[DeviceEvent, ...]
    received_monotonic: float
    device: DeviceSetup | None = None
    numbered: tuple[str, int] | None = None
    fact: FacilityFact | None = None
    rejection: CodecError | None = None
    retained: bool = False


@dataclass(slots=True)
class Reception(Generic[M]):
    """One message and its rows: acknowledged when all of them are stored."""

    message: M
    entries: list[Entry] = field(default_factory=list)


class Reader(Generic[M]):
    """Reads messages by the codecs of the devices that their topics belong to, and those for the
    facility as a whole by their own readers."""

    def __init__(
        self,
        routes: Callable[[str], Sequence[Route]],
        facility_reader: Callable[[str], FacilityReader | None],
        ids: Ids,
    ) -> None:
        self._routes = routes
        self._facility_reader = facility_reader
        self._ids = ids

    def read(self, message: M) -> Reception[M]:
        """One row for each device that the topic belongs to, or one that says why there is none."""
        reception = Reception(message)
        if (reader := self._facility_reader(message.topic)) is not None:
            reception.entries.append(self._fact(message, reader))
            return reception
        for route in self._routes(message.topic):
            entry = self._entry(message, route)
            if message.defect is not None:
                # What the codec says of the rest of it (too large, for one) is more to the point.
                refused = entry.rejection
                reason = refused.reason if refused else Refusal.BROKEN_PACKET
                detail = f"{refused} ({message.defect})" if refused else message.defect
                entry = self.rejected(message, route.device, CodecError(reason, detail))
            reception.entries.append(entry)
        if not reception.entries:
            detail = message.defect or "no device of this facility has such a topic"
            refusal = CodecError(
                Refusal.BROKEN_PACKET if message.defect else Refusal.NO_DEVICE, detail
            )
            reception.entries.append(self.rejected(message, None, refusal))
        return reception

    def _entry(self, message: M, route: Route) -> Entry:
        inbound = Inbound(message.topic, message.payload, message.received_at, message.retain)
        try:
            decoded = route.codec.decode(route.device, inbound)
        except CodecError as error:
            return self.rejected(message, route.device, error)
        status, error_text = EventStatus.NEW, None
        if message.retain and not _is_state(decoded):
            status, error_text = EventStatus.DROPPED, "retained: state, not a trigger"
        elif message.retain and route.device.heartbeat_seconds is not None and _is_up(decoded):
            status, error_text = EventStatus.DROPPED, "retained: it has to say so itself"
        elif not decoded.events:
            status = EventStatus.DONE
        row_id = EventId(self._ids.new())
        row = InboxRow(
            id=row_id,
            key=_event_key(message, decoded, row_id),
            device=route.device.id,
            lane=route.device.lane,
            topic=message.topic,
            payload=message.payload,
            kind=decoded.kind,
            status=status,
            device_at=decoded.device_at,
            received_at=message.received_at,
            error=error_text,
        )
        numbered = None
        if decoded.boot is not None and decoded.seq is not None:
            numbered = (decoded.boot, decoded.seq)
        events = decoded.events if status is EventStatus.NEW else ()
        return Entry(
            row,
            events,
            message.received_monotonic,
            route.device,
            numbered,
            retained=message.retain,
        )

    def _fact(self, message: M, reader: FacilityReader) -> Entry:
        inbound = Inbound(message.topic, message.payload, message.received_at, message.retain)
        if message.defect is not None:
            return self.rejected(message, None, CodecError(Refusal.BROKEN_PACKET, message.defect))
        try:
            fact = reader.decode(inbound)
        except CodecError as error:
            return self.rejected(message, None, error)
        dropped = message.retain and not reader.is_state
        row = InboxRow(
            id=EventId(self._ids.new()),
            key=fact.key,
            device=None,
            lane=None,
            topic=message.topic,
            payload=message.payload,
            kind=reader.kind,
            status=EventStatus.DROPPED if dropped else EventStatus.NEW,
            device_at=fact.device_at,
            received_at=message.received_at,
            error="retained: state, not a trigger" if dropped else None,
        )
        told = None if dropped else fact
        return Entry(row, (), message.received_monotonic, fact=told)

    def fact_again(self, row: InboxRow) -> FacilityFact | None:
        """What a stored row says to the facility as a whole; None if it is for a lane."""
        reader = self._facility_reader(row.topic)
        if reader is None:
            return None
        try:
            return reader.decode(Inbound(row.topic, row.payload, row.received_at))
        except CodecError:
            return None

    def rejected(self, message: M, device: DeviceSetup | None, error: CodecError) -> Entry:
        """The row that keeps an excerpt of a refused message, with the reason."""
        row = InboxRow(
            id=EventId(self._ids.new()),
            key=_digest(message),
            device=device.id if device else None,
            lane=device.lane if device else None,
            topic=_storable(message.topic[:1000]),
            payload=message.payload[:EXCERPT_BYTES],
            kind="rejected",
            status=EventStatus.QUARANTINED,
            device_at=None,
            received_at=message.received_at,
            error=_storable(f"{error.reason}: {error}"),
        )
        return Entry(
            row,
            (),
            message.received_monotonic,
            device,
            rejection=error,
            retained=message.retain,
        )

    def read_again(self, row: InboxRow) -> tuple[DeviceSetup, tuple[DeviceEvent, ...]] | None:
        """The events of a stored row; None if the set-up has nobody for it any more."""
        route = next((r for r in self._routes(row.topic) if r.device.id == row.device), None)
        if route is None:
            return None
        try:
            inbound = Inbound(row.topic, row.payload, row.received_at)
            return route.device, route.codec.decode(route.device, inbound).events
        except CodecError:
            return None


def _is_state(decoded: Decoded) -> bool:
    """Whether a retained copy of it may be believed: liveness may, a plate or a contact may not."""
    return all(isinstance(event, DeviceOnlineChanged) for event in decoded.events)


def _is_up(decoded: Decoded) -> bool:
    return any(isinstance(event, DeviceOnlineChanged) and event.online for event in decoded.events)


def _event_key(message: Message, decoded: Decoded, row_id: EventId) -> str:
    if decoded.key is not None:
        return decoded.key
    if decoded.device_at is not None:
        return _digest(message)
    # Neither id nor time: two equal messages may be two events ("online", "on", "on"), so each
    # counts. Told twice, they do no harm: contacts and liveness are states.
    return str(row_id)


def _digest(message: Message) -> str:
    digest = hashlib.sha256(message.topic.encode("utf-8", "surrogatepass"))
    digest.update(b"\0")
    digest.update(message.payload)
    return digest.hexdigest()


def _storable(text: str) -> str:
    """PostgreSQL's text takes neither NUL nor lone surrogates."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
