"""The steps of a lane that was not as it should be: faults, changes of its mode, notices."""

import re
from collections.abc import Container, Iterable, Iterator
from uuid import UUID

from gated.core.reasons import CallReason
from gated.db.why_rows import AFTER, LaneNote, Span
from gated.why.attendance import there
from gated.why.evidence import Evidence
from gated.why.story import Kind, Step, Tone
from gated.why.words import FAULTS, NOTICES, plain, words

_FAULTS = frozenset({"fault_raised", "fault_cleared"})
_WORD_IN_BRACKETS = re.compile(r"\(([a-z_]+)\)")


def note_steps(evidence: Evidence, events: Iterable[UUID], told: Iterable[Step]) -> Iterator[Step]:
    """What was noted of the lanes where and while the vehicles of these events were there, each
    once: faults, and those notices that are about them. `told` are the story's other steps."""
    events = list(events)
    mine = {*(id_ for one in told for id_ in (one.event, one.correlation)), *events}
    notes = (note for event in events for note in _about(evidence, event, mine))
    for note in {one.id: one for one in notes}.values():
        detail = _detail(note)
        said, tone = _said(note.name, detail)
        yield Step(
            at=note.at,
            kind=Kind.NOTE,
            said=said,
            lane=note.lane,
            tone=tone,
            event=note.event,
            facts={"note": note.id, "name": note.name, "detail": detail},
        )


def _about(evidence: Evidence, event: UUID, mine: Container[UUID | None]) -> Iterator[LaneNote]:
    """A fault is the lane's. A notice is of whom its message is; where that names nobody, as a
    loop or an unread plate, or where no message caused it, of who stood there."""
    span = there(evidence, event)
    for note in evidence.found.notes.get(event, ()):
        if note.name in _FAULTS:
            yes = span is None or note.at < span.until
        elif note.event is not None:
            yes = note.event in mine or (span is not None and _stood(evidence, note.event, span))
        else:
            yes = span is not None and span.since <= note.at < span.until + AFTER
        if yes:
            yield note


def _stood(evidence: Evidence, message: UUID, span: Span) -> bool:
    """Whether this message, which names no vehicle, came while this one stood there."""
    return any(
        one.message.id == message
        and one.read is None
        and one.message.lane_id == span.lane
        and span.since <= one.message.received_at < span.until
        for one in evidence.signals
    )


def _detail(note: LaneNote) -> str:
    """The plates that come near to this one are of other customers: only how near is told."""
    if note.name != CallReason.MATCH_NEEDED:
        return note.detail
    return ", ".join(_WORD_IN_BRACKETS.findall(note.detail))


def _said(name: str, detail: str) -> tuple[str, Tone]:
    match name:
        case "fault_raised":
            return words(FAULTS, detail), Tone.BAD
        case "fault_cleared":
            return f"over: {words(FAULTS, detail)}", Tone.QUIET
        case _:
            said = words(NOTICES, name)
            return f"{said}: {plain(detail)}" if detail else said, Tone.QUIET
