"""The steps of a lane that was not as it should be: faults, changes of its mode, notices."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from gated.db.why_rows import LaneNote
from gated.why.evidence import Evidence
from gated.why.story import Kind, Step, Tone
from gated.why.words import FAULTS, plain, words


def note_steps(evidence: Evidence, events: Iterable[UUID]) -> Iterator[Step]:
    """What was noted of the lanes where and while these events happened, and shortly before."""
    spans = [span for event in events if (span := evidence.noted.get(event)) is not None]
    for note in evidence.found.notes:
        if any(note.lane_id == span.lane and span.since <= note.at < span.until for span in spans):
            yield _step(note)


def _step(note: LaneNote) -> Step:
    said = words(FAULTS, note.name)
    return Step(
        at=note.at,
        kind=Kind.NOTE,
        said=f"{said}: {plain(note.detail)}" if note.detail else said,
        lane=note.lane,
        tone=Tone.BAD if note.name in FAULTS else Tone.QUIET,
        event=note.event,
        facts={"note": note.id, "name": note.name, "detail": note.detail},
    )
