"""Which plate several unsure reads of one vehicle agree on, if they do.

It answers with a plate that the camera itself has said as a whole: letters of one read are never
put together with those of another, since that makes plates which nobody has seen.

Each plate that was read weighs its reads' confidences. Only the best `LOOKS_COUNT_MAX` count, and
messages about the same instant of the device's clock are one look: an engine that sends ten
updates has not looked ten times. The camera's second opinions weigh half of what it states for
them. A text that fits no class of the countries that are expected weighs half of its confidence
(`gated.core.plate_classes`); what it may stand for weighs all of it, if the camera has read that,
too, or names it with `NAMED_CONFIDENCE_MIN` or more.

The heaviest plate is agreed on if it weighs `LEAD_MIN` times as much as any other, and its
combined confidence reaches the lane's minimum. Combined: 1 minus the product of the doubts, the
doubt of each look but the best one being halved away only, for looks of one camera err alike.
There are no measured rates to be had, so these are grades of evidence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gated.core.events import Candidate, Cause, PlateRead
from gated.core.plate_classes import classified
from gated.core.plates import Plate
from gated.core.site import LanePolicy

LOOKS_COUNT_MAX = 3
LEAD_MIN = 2.0
FURTHER_LOOK_SHARE = 0.5
SECOND_OPINION_SHARE = 0.5
UNEXPECTED_SHARE = 0.5
NAMED_CONFIDENCE_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """One read and where it came from."""

    read: PlateRead
    cause: Cause


@dataclass(frozen=True, slots=True)
class Agreed:
    """The plate that is agreed on.

    `sighting` is the newest that says so; its read bears the combined confidence, and all other
    texts as candidates. `looks` counts the reads that say so.
    """

    sighting: Sighting
    looks: int


def is_sure(policy: LanePolicy, read: PlateRead) -> bool:
    """Whether this read decides by itself.

    It does where the lane wants no consensus, and where it states no confidence: what such a read
    may open is another policy. A text of no expected class is never sure.
    """
    if policy.consensus_reads_min <= 1 or read.confidence is None:
        return True
    least = policy.read_confidence_min
    if policy.read_confidence_sure is not None:
        least = max(least, policy.read_confidence_sure)
    if read.confidence < least:
        return False
    return classified(read.plate, policy.plate_countries).expected


def agreed(policy: LanePolicy, sightings: Sequence[Sighting], *, over: bool) -> Agreed | None:
    """What the sightings agree on, the oldest first; None while, or if, they do not.

    As long as more may come (not `over`), `consensus_reads_min` looks must name it.
    """
    backers = _backers(policy, sightings)
    weights = _weights(policy, sightings, backers)
    ranked = sorted(backers, key=lambda plate: (-weights[plate], plate))
    if not ranked:
        return None
    first = ranked[0]
    rivals = [weight for plate, weight in weights.items() if plate != first]
    if weights[first] < LEAD_MIN * max(rivals, default=0.0):
        return None
    backing = backers[first]
    looks = _looks(backing)
    confidence = _combined(looks)
    if confidence < policy.read_confidence_min:
        return None
    if not over and len(looks) < policy.consensus_reads_min:
        return None
    newest = backing[-1]
    read = replace(
        newest.read,
        plate=first,
        confidence=confidence,
        candidates=_candidates(sightings, first),
    )
    return Agreed(replace(newest, read=read), len(looks))


def _backers(policy: LanePolicy, sightings: Iterable[Sighting]) -> dict[Plate, list[Sighting]]:
    """By plate the reads that say it, or whose text can only stand for it by the classes."""
    sightings = tuple(sightings)
    named = {each.read.plate for each in sightings}
    named |= {
        one.plate
        for each in sightings
        for one in each.read.candidates
        if one.confidence is not None and one.confidence >= NAMED_CONFIDENCE_MIN
    }
    backers: dict[Plate, list[Sighting]] = {}
    for each in sightings:
        backers.setdefault(each.read.plate, []).append(each)
        meant = classified(each.read.plate, policy.plate_countries).meant
        if meant is not None and meant in named:
            backers.setdefault(meant, []).append(each)
    return backers


def _weights(
    policy: LanePolicy, sightings: Iterable[Sighting], backers: dict[Plate, list[Sighting]]
) -> dict[Plate, float]:
    weights: dict[Plate, float] = {}
    for plate, backing in backers.items():
        share = 1.0 if classified(plate, policy.plate_countries).expected else UNEXPECTED_SHARE
        weights[plate] = share * sum(_looks(backing))
    second: dict[Plate, list[float]] = {}
    for each in sightings:
        for one in each.read.candidates:
            if one.confidence is not None and one.plate != each.read.plate:
                second.setdefault(one.plate, []).append(one.confidence)
    for plate, confidences in second.items():
        best = sorted(confidences, reverse=True)[:LOOKS_COUNT_MAX]
        weights[plate] = weights.get(plate, 0.0) + SECOND_OPINION_SHARE * sum(best)
    return weights


def _looks(backing: Iterable[Sighting]) -> list[float]:
    """The confidences of the best looks, the best first."""
    by_instant: dict[object, float] = {}
    for each in backing:
        instant = each.read.device_at or each.cause.event
        confidence = each.read.confidence or 0.0
        by_instant[instant] = max(confidence, by_instant.get(instant, 0.0))
    return sorted(by_instant.values(), reverse=True)[:LOOKS_COUNT_MAX]


def _combined(looks: Sequence[float]) -> float:
    doubt = 1.0 - looks[0]
    for confidence in looks[1:]:
        doubt *= 1.0 - FURTHER_LOOK_SHARE * confidence
    return 1.0 - doubt


def _candidates(sightings: Iterable[Sighting], winner: Plate) -> tuple[Candidate, ...]:
    """All other texts, each with the most that was stated for it, the likeliest first."""
    stated: dict[Plate, float | None] = {}
    for each in sightings:
        said = (Candidate(each.read.plate, each.read.confidence), *each.read.candidates)
        for one in said:
            known = stated.get(one.plate)
            best = max((c for c in (known, one.confidence) if c is not None), default=None)
            stated[one.plate] = best
    stated.pop(winner, None)
    ranked = sorted(stated.items(), key=lambda each: (-(each[1] or 0.0), each[0]))
    return tuple(Candidate(plate, confidence) for plate, confidence in ranked)
