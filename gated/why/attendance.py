"""When a vehicle stood at its lane, and what operators did there then.

Loops, arms and operators name no vehicle. What is told of a lane in a vehicle's story is what
happened between its coming and its passage, or its leaving: what came before or after was about
somebody else.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gated.core.effects import FreeKind, Outcome
from gated.core.events import InputChanged, InputName
from gated.db.why_rows import OPENED, UNGRANTED, Acted, Audit, Span, effective
from gated.why.evidence import Evidence
from gated.why.heard import Heard

_TICK = timedelta(microseconds=1)


def there(evidence: Evidence, event: UUID) -> Span | None:
    """When the vehicle of this message stood at which lane; None if no lane is known.

    It came when it drove onto the presence loop; where none says so, when it was read. It is gone
    with its passage, else when it leaves the presence loop, when another vehicle is decided about,
    or, where there is no such loop, when somebody has passed.
    """
    span = evidence.operable.get(event)
    if span is None:
        return None
    if (passed := ungranted(evidence, event)) is not None:
        at = passed.at + _TICK
        return Span(span.lane, _came_through(evidence, span, passed.at), at)
    episode = evidence.episodes[event]
    since = _came(evidence, span, episode.began)
    if evidence.ended(event):
        return Span(span.lane, since, episode.until)
    return Span(span.lane, since, _gone(evidence, span, event, episode.began))


def by_hand(evidence: Evidence, events: Iterable[UUID]) -> list[Audit]:
    """What operators did at the lanes of these messages while their vehicles stood there, what
    stood still since before, and what came of it."""
    acts = {one.correlation for event in events for one in _acts(evidence, event)}
    return [one for act in sorted(acts, key=str) for one in evidence.under(act)]


def ungranted(evidence: Evidence, event: UUID) -> Audit | None:
    """The passage without a grant that this message showed, if it showed one."""
    return next((one for one in evidence.under(event) if one.action == UNGRANTED), None)


def presence(heard: Heard) -> bool | None:
    """Whether it says that the presence loop is on, or off; None if it is about something else."""
    return _input(heard, InputName.PRESENCE)


def _acts(evidence: Evidence, event: UUID) -> Iterator[Acted]:
    acts = evidence.found.operated.get(event, ())
    span = there(evidence, event)
    if span is None:
        return
    yield from effective((one for one in acts if one.at < span.until), span.since)
    passed = ungranted(evidence, event)
    if passed is not None and passed.details.get("kind") == FreeKind.OPERATOR:
        # What it drove through on, though it may have come after that.
        opened = [one for one in acts if one.action == OPENED and one.at <= passed.at]
        yield from opened[-1:]


def _came(evidence: Evidence, span: Span, at: datetime) -> datetime:
    came = at
    for one in _signals(evidence, span.lane, span.since, at):
        if (on := presence(one)) is not None:
            came = one.message.received_at if on else at
    return came


def _came_through(evidence: Evidence, span: Span, at: datetime) -> datetime:
    """When who passed at this instant had come: before it reached the closing loop."""
    signals = _signals(evidence, span.lane, span.since, at)
    reached = [one for one in signals if _closing(one)]
    before = signals[: signals.index(reached[-1])] if reached else signals
    stood = [one for one in before if presence(one)]
    if stood:
        return stood[-1].message.received_at
    through = [one for one in before if _closing(one) is False]
    return through[-1].message.received_at + _TICK if through else span.since


def _gone(evidence: Evidence, span: Span, event: UUID, began: datetime) -> datetime:
    plates = {one.plate for one in evidence.found.decisions if one.event == event} - {None}
    signals = _signals(evidence, span.lane, began + _TICK, span.until)
    leaves = _closing if all(presence(one) is None for one in signals) else presence
    for one in signals:
        other = (
            one.read is not None
            and one.message.outcome == Outcome.DECIDED
            and not any(one.names(plate) for plate in plates)
        )
        if other or leaves(one) is False:
            return one.message.received_at + _TICK
    return span.until


def _signals(evidence: Evidence, lane: UUID, since: datetime, until: datetime) -> Sequence[Heard]:
    """What loops and cameras of the lane said from then on and before then."""
    return [
        one
        for one in evidence.signals
        if one.message.lane_id == lane and since <= one.message.received_at < until
    ]


def _closing(heard: Heard) -> bool | None:
    return _input(heard, InputName.CLOSING)


def _input(heard: Heard, name: InputName) -> bool | None:
    for one in heard.events:
        if isinstance(one, InputChanged) and one.name is name:
            return one.on
    return None
