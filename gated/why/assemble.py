"""Puts rows together: stays with all that belongs to them, denials and lost reads by themselves."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gated.db.why_rows import Decision, Found
from gated.why.acts import act_steps, distinct, ordered, violation_step
from gated.why.attendance import by_hand
from gated.why.barrier import GRANT, barrier_steps, message_step
from gated.why.commands import command_steps
from gated.why.evidence import Evidence
from gated.why.heard import OPERATOR, PAYMENT, Heard
from gated.why.notes import note_steps
from gated.why.stays import decisions_of, stay_story
from gated.why.story import About, Story, Tone, in_order
from gated.why.words import BECAME, DENIED, words

# Denials of one plate at one lane that are told as one story, if no more lies between them.
TOGETHER = timedelta(minutes=10)


def stories(found: Found, now: datetime, plate: str | None = None) -> list[Story]:
    """The stories that the rows tell, in the order in which they begin.

    `plate`: whose reads are looked for among those that were never decided about.
    """
    evidence = Evidence(found, now)
    told = [stay_story(evidence, stay) for stay in found.stays]
    in_stays = {id(decision) for stay in found.stays for decision in decisions_of(found, stay, now)}
    loose = [one for one in found.decisions if id(one) not in in_stays]
    told += [_of_decisions(evidence, group) for group in _grouped(loose)]
    told += _of_messages(evidence, told, plate)
    told += [
        Story(
            About.VIOLATION,
            evidence.facilities[violation.facility],
            violation.plate,
            "an offence without a stay",
            Tone.BAD,
            (violation_step(evidence, violation, evidence.zone(violation.facility)),),
        )
        for violation in found.violations
        if violation.booking not in {stay.id for stay in found.stays}
    ]
    return sorted(told, key=lambda story: story.at)


def _of_decisions(evidence: Evidence, decisions: Sequence[Decision]) -> Story:
    """Denials in a row, or a decision whose stay is not kept any more."""
    last = decisions[-1]
    events = {one.event for one in decisions}
    commands = [one for one in evidence.found.commands if one.event in events]
    done = by_hand(evidence, events)
    audits = distinct([*(row for event in events for row in evidence.under(event)), *done])
    zone = evidence.zone(last.facility)
    way = {"entry": " in", "exit": " out"}.get(last.direction or "", " through")
    times = f", {len(decisions)} times" if len(decisions) > 1 else ""
    granted = last.decision == GRANT
    verdict = (
        f"let{way} at {last.lane}; the stay itself is not kept any more"
        if granted
        else f"not let{way} at {last.lane}{times}: {words(DENIED, last.reason)}"
    )
    steps = [
        *barrier_steps(evidence, decisions, [*commands, *ordered(evidence, done, commands)]),
        *act_steps(evidence, audits, None, zone),
    ]
    return Story(
        about=About.DENIAL,
        facility=evidence.facilities[last.facility],
        plate=last.plate,
        verdict=verdict,
        tone=Tone.PLAIN if granted else Tone.BAD,
        steps=in_order([*steps, *note_steps(evidence, events, steps)]),
    )


def _grouped(decisions: Sequence[Decision]) -> list[list[Decision]]:
    """Those of one plate at one lane that follow one another closely, as long as they are alike."""
    groups: dict[object, list[list[Decision]]] = {}
    for one in decisions:
        having = groups.setdefault((one.lane_id, one.plate, one.stay, one.decision), [])
        if having and one.received_at - having[-1][-1].received_at <= TOGETHER:
            having[-1].append(one)
        else:
            having.append([one])
    return [group for groups_ in groups.values() for group in groups_]


def _of_messages(evidence: Evidence, told: Sequence[Story], plate: str | None) -> Iterator[Story]:
    """Messages that led to no decision: those that were asked for, and the plate's reads."""
    steps = [step for story in told for step in story.steps]
    known = {step.correlation for step in steps} | {step.event for step in steps}
    asked = [one for one in evidence.asked.values() if one.message.id not in known]
    reads = [
        one
        for one in evidence.undecided
        if plate is not None
        and one.read is not None
        and one.read.plate.text == plate
        and one.message.id not in known
        and one.message.id not in evidence.asked
    ]
    for one in (*asked, *reads):
        yield _of_message(evidence, one)


def _of_message(evidence: Evidence, heard: Heard) -> Story:
    message = heard.message
    where = f" at {message.lane}" if message.lane is not None else ""
    became = words(BECAME, message.outcome or message.status)
    if heard.read:
        what = f"read{where}, and nothing was decided"
    elif message.kind == OPERATOR:
        what = "an operator's request"
    elif message.kind == PAYMENT:
        what = "a terminal's payment"
    else:
        what = f"a message{where}"
    acts = distinct([*evidence.under(message.id), *by_hand(evidence, [message.id])])
    commands = ordered(evidence, acts, ())
    steps = [
        message_step(heard),
        *(step for one in commands for step in command_steps(evidence, one, None)),
        *act_steps(evidence, acts, None, evidence.zone(message.facility)),
    ]
    return Story(
        about=About.MESSAGE,
        facility=evidence.facilities[message.facility],
        plate=heard.read.plate.text if heard.read is not None else None,
        verdict=f"{what}: {became}",
        tone=Tone.BAD if heard.failed or message.error is not None else Tone.QUIET,
        steps=in_order([*steps, *note_steps(evidence, [message.id], steps)]),
    )
