"""Which messages of a lane belong to the vehicle that was there, as far as that can be told.

Loops and arms name no vehicle. Theirs is what comes between a vehicle's read and its passage.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from gated.core.effects import Outcome
from gated.core.events import DeviceOnlineChanged
from gated.db.why_rows import Episode, Message
from gated.why.attendance import presence
from gated.why.evidence import Evidence
from gated.why.heard import Heard


def meanwhile(
    evidence: Evidence, event: UUID, episode: Episode, plates: Iterable[str]
) -> Iterator[Heard]:
    """What the lane heard of the vehicle that was read by `event`, in the order of arrival.

    Of what came before the read: reads of its plate that led to nothing, the loop that it came
    onto, and what may have gone wrong. After it: all, reads of other vehicles apart, to its
    passage; where none was seen, until it left the presence loop.
    """
    there = [
        one
        for one in evidence.meanwhile
        if _within(one.message, episode) and _owner(evidence, one.message, event) == event
    ]
    before = [one for one in there if one.message.received_at < episode.began]
    arrived = [one for one in before if presence(one) is not None][-1:]
    for one in before:
        earlier = _names(one, plates) and one.message.outcome != Outcome.DECIDED
        if earlier or _amiss(one) or (one in arrived and presence(one)):
            yield one
    ended = evidence.ended(event)
    for one in there[len(before) :]:
        if one.read is None or _names(one, plates):
            yield one
        if not ended and presence(one) is False:
            return


def _within(message: Message, episode: Episode) -> bool:
    return message.lane_id == episode.lane and episode.since <= message.received_at < episode.until


def _owner(evidence: Evidence, message: Message, event: UUID) -> UUID:
    """The read that a message is told beside: the last one that had come, else the first."""
    having = {id_: one for id_, one in evidence.episodes.items() if _within(message, one)}
    begun = [id_ for id_, one in having.items() if one.began <= message.received_at]
    if begun:
        return max(begun, key=lambda id_: having[id_].began)
    return min(having, key=lambda id_: having[id_].began, default=event)


def _names(heard: Heard, plates: Iterable[str]) -> bool:
    return any(heard.names(plate) for plate in plates)


def _amiss(heard: Heard) -> bool:
    return heard.message.error is not None or any(
        isinstance(one, DeviceOnlineChanged) and not one.online for one in heard.events
    )
