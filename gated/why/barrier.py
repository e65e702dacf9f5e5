"""The steps at a barrier: a read, its decision, what the lane heard meanwhile, the passage."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from gated.core.ids import command_number
from gated.db.why_rows import Audit, Command, Decision, Episode, Message
from gated.why.commands import command_steps
from gated.why.evidence import Evidence
from gated.why.grounds import grounds
from gated.why.heard import READ, Heard, confidence
from gated.why.meanwhile import meanwhile
from gated.why.story import Kind, Step, Tone
from gated.why.words import DENIED, GRANTED, KNOWN, MATCHED, amount, decimal, exact, plain, words

GRANT = "grant"
_AGAIN = frozenset({"stay.readmitted", "stay.released_again", "stay.moved_again"})
WORTH_A_WORD_SECONDS = 0.1
# As `gated.core.matching.misread` writes it.
_MISREAD = re.compile(r"(\d+): (\S+) for (\S+?)(?=,|$)")
_PASSED = {
    "passage.entered": "came in",
    "passage.left": "left",
    "passage.moved": "went on into another zone",
}


def barrier_steps(
    evidence: Evidence, decisions: Sequence[Decision], commands: Sequence[Command]
) -> Iterator[Step]:
    """All that happened at the lanes for these decisions and commands, in no order."""
    decided = {one.event: one for one in decisions}
    for decision in decisions:
        yield _read(evidence, decision)
        yield _decision(evidence, decision)
    for command in commands:
        yield from command_steps(evidence, command, decided.get(command.event))
    events = list(dict.fromkeys([*decided, *(one.event for one in commands)]))
    for event in events:
        if event not in decided and (asked := evidence.asked.get(event)) is not None:
            yield message_step(asked)
        for audit in evidence.under(event):
            if audit.action in _PASSED:
                yield _passage(evidence, audit)
    yield from _heard(evidence, events, decisions, commands)


def _heard(
    evidence: Evidence,
    events: Iterable[UUID],
    decisions: Iterable[Decision],
    commands: Iterable[Command],
) -> Iterator[Step]:
    """What else the lanes heard of this vehicle. What answers a command, its life tells."""
    plates = {one.plate for one in decisions if one.plate is not None}
    told = {command_number(one.id) for one in commands if one.acknowledged_at or one.confirmed_at}
    ours = {command_number(one.id) for one in commands}
    for event in events:
        if (episode := evidence.episodes.get(event)) is not None:
            for heard in meanwhile(evidence, event, episode, plates):
                answers = heard.answers
                if answers is None or (answers in ours and not (answers in told and heard.taken)):
                    yield message_step(heard, event, episode)


def message_step(heard: Heard, event: UUID | None = None, episode: Episode | None = None) -> Step:
    """A message by itself: told beside the read `event`, whose `episode` it came in, or alone."""
    message = heard.message
    alone = event is None
    return Step(
        at=message.received_at,
        kind=Kind.READ if message.kind == READ else Kind.MESSAGE,
        said=heard.words(),
        notes=(f"event {message.id}",) if alone else (),
        lane=message.lane or "",
        tone=Tone.BAD if message.error is not None or heard.failed else Tone.QUIET,
        since=message.received_at if episode is None else episode.began,
        correlation=message.id if event is None else event,
        event=message.id,
        facts=_message_facts(heard),
    )


def _read(evidence: Evidence, decision: Decision) -> Step:
    """The read that was decided about, as the decision has it and as the message tells it."""
    asked = evidence.asked.get(decision.event)
    before = (decision.facts or {}).get("again")
    if before is not None:
        return Step(
            at=decision.received_at,
            kind=Kind.READ,
            said=f"{plain(decision.plate or 'it')} stood there still: decided on once more",
            notes=(f"by the read of event {plain(str(before))}", f"event {decision.event}"),
            lane=decision.lane,
            since=decision.received_at,
            correlation=decision.event,
            event=decision.event,
            facts={"plate": decision.plate, "again": before},
        )
    if decision.plate is None:
        said = "a vehicle came whose plate could not be read"
    else:
        said = f"read {plain(decision.plate)}, {confidence(decision.confidence)}"
    notes = []
    if decision.plate_raw is not None and decision.plate_raw != decision.plate:
        notes.append(f'as sent: "{plain(decision.plate_raw)}"')
    candidates = asked.read.candidates if asked is not None and asked.read is not None else ()
    if candidates:
        others = (
            plain(one.plate.text) + ("" if one.confidence is None else f" {one.confidence:.2f}")
            for one in candidates
        )
        notes.append(f"the camera also thought of {', '.join(others)}")
    if asked is None:
        notes.append("the message itself is not kept any more")
    elif (taken := _taken(asked.message)) is not None:
        notes.append(taken)
    return Step(
        at=decision.received_at,
        kind=Kind.READ,
        said=said,
        notes=(*notes, f"event {decision.event}"),
        lane=decision.lane,
        since=decision.received_at,
        correlation=decision.event,
        event=decision.event,
        facts={
            "plate": decision.plate,
            "plate_raw": decision.plate_raw,
            "confidence": decision.confidence,
            "candidates": [
                {"plate": one.plate.text, "confidence": one.confidence} for one in candidates
            ],
            "device_at": None if asked is None else asked.message.device_at,
        },
    )


def _taken(message: Message) -> str | None:
    """When the camera took it by its own clock, where that is worth a word."""
    if message.device_at is None:
        return None
    ago = (message.received_at - message.device_at).total_seconds()
    if abs(ago) < WORTH_A_WORD_SECONDS:
        return None
    return f"taken {abs(ago):.1f} s {'before' if ago > 0 else 'after'}, by the camera's clock"


def _decision(evidence: Evidence, decision: Decision) -> Step:
    """Granted or denied, why, and what came with it.

    A denial and an exit are recorded at the time of their read. Where a command was given, that
    one knows when it was decided.
    """
    granted = decision.decision == GRANT
    command = evidence.commands.get(decision.command) if decision.command is not None else None
    at = decision.decided_at if command is None else max(decision.decided_at, command.issued_at)
    audits = evidence.under(decision.event)
    again = " again" if any(one.action in _AGAIN for one in audits) else ""
    reason = words(GRANTED if granted else DENIED, decision.reason)
    return Step(
        at=at,
        kind=Kind.DECISION,
        said=f"granted{again}: {reason}" if granted else f"denied: {reason}",
        notes=(*_particulars(decision, audits), *grounds(evidence, decision)),
        lane=decision.lane,
        tone=Tone.GOOD if granted else Tone.BAD,
        since=decision.received_at,
        correlation=decision.event,
        facts={
            "decision": decision.decision,
            "reason": decision.reason,
            "stay": decision.stay,
            "zone": decision.zone,
            "spot": decision.spot,
            "price": None if decision.price is None else exact(decision.price, decision.currency),
            "currency": decision.currency,
            "command": decision.command,
            "rests_on": decision.facts,
            "lock_waited_ms": decision.lock_waited_ms,
            "fence_waited_ms": decision.fence_waited_ms,
        },
    )


def _particulars(decision: Decision, audits: Iterable[Audit]) -> Iterator[str]:
    if decision.price is not None:
        price = f"price {amount(decision.price, decision.currency)}"
        due = next(
            (due for one in audits if (due := decimal(one.details.get("due"))) is not None), None
        )
        if due is None:
            yield price
        else:
            of_it = f"of which {exact(due, decision.currency)} was due" if due else "nothing due"
            yield f"{price}, {of_it}"
        for one in audits:
            if isinstance(match := one.details.get("match"), Mapping):
                yield f"read as another plate, and taken for this one: {_matched(match)}"
    elif decision.spot is not None:
        yield f"spot {plain(decision.spot)} in {plain(decision.zone or 'a zone')}"
    elif decision.decision == GRANT and decision.direction == "transfer":
        yield f"no spot was free in {plain(decision.zone or 'the zone')}: it is there without one"


def _matched(match: Mapping[str, object]) -> str:
    """How near the read came to the plate of the stay, and what was misread where."""
    near = words(MATCHED, str(match.get("reason", "no reason stated")))
    misread = _MISREAD.sub(r"\2 for \3 at place \1", plain(str(match.get("detail") or "")))
    return f"{near}, {misread}" if misread else near


def _passage(evidence: Evidence, audit: Audit) -> Step:
    known = str(audit.details.get("known", ""))
    event = audit.correlation
    assert event is not None, "it was found by it"
    return Step(
        at=audit.at,
        kind=Kind.PASSAGE,
        said=f"{_PASSED[audit.action]}: {KNOWN.get(known, plain(known))}",
        lane=evidence.lane(audit.details.get("lane")),
        tone=Tone.GOOD,
        since=evidence.began(event),
        correlation=event,
        facts={"known": known},
    )


def _message_facts(heard: Heard) -> dict[str, object]:
    message = heard.message
    return {
        "kind": message.kind,
        "topic": message.topic,
        "status": message.status,
        "outcome": message.outcome,
        "error": message.error,
        "device": heard.device,
        "device_at": message.device_at,
    }
