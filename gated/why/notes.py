"""The steps of a lane that was not as it should be: faults, changes of its mode, notices."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from gated.db.why_rows import LaneNote
from gated.why.evidence import Evidence
from gated.why.story import Kind, Step, Tone
from gated.why.words import FAULTS, NOTICES, plain, words


def note_steps(evidence: Evidence, events: Iterable[UUID]) -> Iterator[Step]:
    """What was noted of the lanes where and while these events happened, each once."""
    notes = (note for event in events for note in evidence.found.notes.get(event, ()))
    for note in {one.id: one for one in notes}.values():
        said, tone = _said(note)
        yield Step(
            at=note.at,
            kind=Kind.NOTE,
            said=said,
            lane=note.lane,
            tone=tone,
            event=note.event,
            facts={"note": note.id, "name": note.name, "detail": note.detail},
        )


def _said(note: LaneNote) -> tuple[str, Tone]:
    match note.name:
        case "fault_raised":
            return words(FAULTS, note.detail), Tone.BAD
        case "fault_cleared":
            return f"over: {words(FAULTS, note.detail)}", Tone.QUIET
        case name:
            said = words(NOTICES, name)
            return f"{said}: {plain(note.detail)}" if note.detail else said, Tone.QUIET
