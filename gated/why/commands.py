"""The life of a command, from its order to what the hardware said."""

from collections.abc import Iterator
from datetime import datetime

from gated.db.why_rows import Command, Decision
from gated.why.evidence import Evidence
from gated.why.story import Kind, Step, Tone
from gated.why.words import DENIED, DONE, GRANTED, LIFE, ORDERED, amount, lasting, plain, words

_ORDER = (
    "accepted", "dispatched", "acknowledged", "confirmed", "cancelled", "expired", "unknown",
    "failed",
)  # fmt: skip
_BAD = frozenset({"cancelled", "expired", "unknown", "failed"})
_WAITING = frozenset({"accepted", "dispatched"})
_REASONS = {**GRANTED, **DENIED, **ORDERED}


def command_steps(
    evidence: Evidence, command: Command, decision: Decision | None
) -> Iterator[Step]:
    """A step for each stage; the order says what for, where it was not the decision's own."""
    stages = _stages(evidence, command)
    last = stages[-1]
    for stage in stages:
        status, at = stage
        said = f"{plain(command.do)}: {_said(command, status)}"
        notes: list[str] = []
        if stage == stages[0]:
            said = f"command {plain(command.do)} to {plain(command.device)}: {words(LIFE, status)}"
            notes += _purpose(command, decision)
            notes += _display(command)
        if status == "failed" and command.error:
            notes.append(plain(command.error))
        if stage == last and command.status in _WAITING:
            expires = lasting(command.expires_at - command.issued_at)
            notes.append(f"no word of the hardware so far; it is good for {expires}")
        yield Step(
            at=at,
            kind=Kind.COMMAND,
            said=said,
            notes=tuple(notes),
            lane=command.lane,
            tone=_tone(status),
            since=evidence.began(command.event),
            correlation=command.event,
            facts=_facts(command, status),
        )


def _stages(evidence: Evidence, command: Command) -> list[tuple[str, datetime]]:
    """Statuses with their times, in order: the row's, and those that only the audit remembers.

    What was taken for sending by the order itself is no stage of its own.
    """
    stages = {
        (status, at)
        for status, at in (
            ("accepted", command.issued_at),
            ("dispatched", command.dispatched_at),
            ("acknowledged", command.acknowledged_at),
            ("confirmed", command.confirmed_at),
            (command.status, command.ended_at),
        )
        if at is not None
    }
    stages |= {
        (audit.action.removeprefix("command."), audit.at)
        for audit in evidence.under(command.event)
        if audit.resource == command.id and audit.action.startswith("command.")
    }
    if ("dispatched", command.issued_at) in stages:
        stages.remove(("accepted", command.issued_at))
    return sorted(stages, key=lambda stage: (stage[1], _place(stage[0])))


def _place(status: str) -> int:
    return _ORDER.index(status) if status in _ORDER else len(_ORDER)


def _said(command: Command, status: str) -> str:
    if status == "confirmed":
        return f"{DONE.get(command.do, 'done, by the report of the hardware')} ({status})"
    return words(LIFE, status)


def _purpose(command: Command, decision: Decision | None) -> Iterator[str]:
    """What a command is for that no decision orders: while it is waited for something."""
    if decision is None or decision.command != command.id:
        yield words(_REASONS, command.reason)
        if command.price is not None:
            yield f"shows {amount(command.price, command.currency)}"


def _display(command: Command) -> Iterator[str]:
    """What it brings to the display, its lines beside each other."""
    if command.text:
        yield f'the display: "{plain(" / ".join(command.text.splitlines()))}"'


def _tone(status: str) -> Tone:
    if status in _BAD:
        return Tone.BAD
    return Tone.GOOD if status == "confirmed" else Tone.PLAIN


def _facts(command: Command, status: str) -> dict[str, object]:
    return {
        "command": command.id,
        "do": command.do,
        "status": status,
        "reason": command.reason,
        "text": command.text,
        "device": command.device,
        "fence": command.fence,
        "expires_at": command.expires_at,
        "error": command.error,
    }
