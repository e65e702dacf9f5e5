"""Which of the stays that are open here a plate read at an exit belongs to, and how sure that is.

A read that is not exactly some stay's plate matches one *automatically* if the policy allows a
distance of 1, the stay is at that distance, `COMMON_MIN` characters agree, and every other open
stay is at least `APART_MIN` further off. All else is for an operator. The distances:

0. the same text;
1. one character confused with one that looks alike; or any one character substituted, if the
   camera itself names the stay's plate as a candidate, with `CANDIDATE_CONFIDENCE_MIN` or more;
2. two confused characters; one other substitution; one character missing or too many; or
   whatever else the camera names as a candidate;
3. two misreadings of any other kind.

Within a distance those come first that the camera names, then what is more easily misread, then
where. A misreading of the first or the last character comes before one within: a frame, a bolt,
the edge of the picture or a steep angle spoil the ends, while a character between two clear ones
is the surest that a camera has. And two misreadings side by side come before two apart: one blot
covers neighbours, two places need two causes. This orders what an operator is shown and opens
nothing: of what is equally far away none is taken unasked.

So two substitutions never open anything, a missing character neither, and a stay that is one
misreading of any kind away, or named by the camera, makes the choice an operator's. What lies
beyond 3 is not looked at.

How sure the camera is of its read is judged before, by `access`; that the stays are open, in
this facility and told once each, is the caller's promise.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gated.core.confusables import (
    EDITS_MAX,
    PLAIN_COST,
    Difference,
    Misreading,
    at_end,
    cost,
    differences,
    edits,
)
from gated.core.events import Candidate, PlateRead
from gated.core.snapshot import StayInside

# The most that a policy may allow.
AUTOMATIC_DISTANCE_MAX = 1
# Genetec's matcher wants four characters in a row in common, and five in all, of longer plates.
COMMON_MIN = 4
APART_MIN = 2
CANDIDATE_CONFIDENCE_MIN = 0.5
SHOWN_COUNT_MAX = 3


class MatchReason(StrEnum):
    """Why a stay is thought to be the one. Stored with the stay: the words stay as they are."""

    EXACT = "exact"
    CANDIDATE = "candidate"  # the camera's second opinion is this stay's plate
    CONFUSABLE_ONE = "confusable_one"
    CONFUSABLE_TWO = "confusable_two"
    SUBSTITUTED_ONE = "substituted_one"
    MISSING_ONE = "missing_one"
    EXTRA_ONE = "extra_one"
    SWAPPED = "swapped"
    SEVERAL = "several"
    OPERATOR = "operator"  # somebody looked, and says so


_DISTANCES = {
    MatchReason.EXACT: 0,
    MatchReason.CONFUSABLE_ONE: 1,
    MatchReason.CONFUSABLE_TWO: 2,
    MatchReason.SUBSTITUTED_ONE: 2,
    MatchReason.MISSING_ONE: 2,
    MatchReason.EXTRA_ONE: 2,
    MatchReason.SWAPPED: 3,
    MatchReason.SEVERAL: 3,
}
_CANDIDATE_DISTANCE = 2
# More than any two misreadings cost.
_BEYOND_COST = PLAIN_COST * (EDITS_MAX + 1)
_REASONS_OF_ONE = {
    Misreading.CONFUSED: MatchReason.CONFUSABLE_ONE,
    Misreading.SUBSTITUTED: MatchReason.SUBSTITUTED_ONE,
    Misreading.MISSING: MatchReason.MISSING_ONE,
    Misreading.EXTRA: MatchReason.EXTRA_ONE,
    Misreading.SWAPPED: MatchReason.SWAPPED,
}


@dataclass(frozen=True, slots=True)
class Near:
    """A stay that the read may belong to, and all that there is to say for it.

    `differences` leads from the stay's plate to the read; None if the two have too little in
    common and only the camera's candidate speaks for the stay. `confidence` is the candidate's,
    None if it states none or there is no candidate.
    """

    stay: StayInside
    reason: MatchReason
    distance: int
    differences: tuple[Difference, ...] | None = ()
    confidence: float | None = None


def misread(near: Near) -> str:
    """What was misread, for the record and for people: `3: B for 8`."""
    return ", ".join(
        f"{one.position}: {one.read or 'nothing'} for {one.plate or 'nothing'}"
        for one in near.differences or ()
    )


@dataclass(frozen=True, slots=True)
class Exact:
    """The one stay with the very plate that was read."""

    stay: StayInside


@dataclass(frozen=True, slots=True)
class Likely:
    """The only stay that comes into question: it may be taken without asking anybody."""

    near: Near


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """For an operator to decide: one to three stays, the best first.

    A single one is here if it is too far away, or the policy wants exact matches only.
    """

    best: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No open stay has a plate like this one."""


Match = Exact | Likely | Ambiguous | NoMatch


def match(read: PlateRead, stays: Collection[StayInside], distance_max: int) -> Match:
    """The stay that the read belongs to, or those that it may belong to.

    `distance_max` is the lane's policy: 0 takes nothing but exact matches without an operator,
    1 also a single stay at distance 1. Raises `ValueError` for any other.
    """
    if distance_max not in range(AUTOMATIC_DISTANCE_MAX + 1):
        raise ValueError(f"a distance of {distance_max}, at most {AUTOMATIC_DISTANCE_MAX}")
    exact = [stay for stay in stays if stay.plate.text == read.plate.text]
    if len(exact) == 1:
        return Exact(exact[0])
    if exact:  # the database allows one open stay per plate; were there two, nobody could choose
        ranked = sorted((Near(stay, MatchReason.EXACT, 0) for stay in exact), key=_rank)
        return Ambiguous(tuple(ranked[:SHOWN_COUNT_MAX]))
    ranked = sorted(_all_near(read, stays), key=_rank)
    if not ranked:
        return NoMatch()
    first, *others = ranked
    if _is_close(first, distance_max) and _is_apart(first, others):
        return Likely(first)
    return Ambiguous(tuple(ranked[:SHOWN_COUNT_MAX]))


def _is_close(near: Near, distance_max: int) -> bool:
    if near.distance > distance_max or near.differences is None:
        return False
    # At distance 1 nothing is missing or extra, so all but the one character is common.
    return len(near.stay.plate.text) - edits(near.differences) >= COMMON_MIN


def _is_apart(first: Near, others: list[Near]) -> bool:
    return all(other.distance - first.distance >= APART_MIN for other in others)


def _rank(near: Near) -> tuple[int, bool, float, int, int, int, datetime, UUID]:
    """The nearest first; of these what the camera names, by its confidence; then what is more
    easily misread; then by its position: fewer misreadings within the plate, and closer together;
    then who is longer inside, which says nothing and keeps the order."""
    found = near.differences
    return (
        near.distance,
        near.reason is not MatchReason.CANDIDATE,
        1.0 if near.confidence is None else -near.confidence,
        _BEYOND_COST if found is None else cost(found),
        *_position(near),
        near.stay.entry_at,
        near.stay.id,
    )


def _position(near: Near) -> tuple[int, int]:
    """How many misreadings lie within the plate, and how far apart they are."""
    found = near.differences
    if not found:
        return 0, 0
    read_length = len(near.stay.plate.text) + sum(len(one.read) - len(one.plate) for one in found)
    within = sum(not at_end(one, read_length) for one in found)
    return within, found[-1].position - found[0].position


def _all_near(read: PlateRead, stays: Iterable[StayInside]) -> Iterable[Near]:
    named = _confidences(read.candidates)
    text = read.plate.text
    lengths = range(len(text) - EDITS_MAX, len(text) + EDITS_MAX + 1)
    characters = frozenset(text)
    for stay in stays:
        plate = stay.plate.text
        found = None
        # Of thousands of stays all but a few end here: an edit takes away at most one character
        # of the text and brings at most one.
        if len(plate) in lengths and len(characters.symmetric_difference(plate)) <= 2 * EDITS_MAX:
            found = differences(text, plate)
        if plate in named:
            yield _of_candidate(stay, found, named[plate])
        elif found is not None:
            reason = _reason(found)
            yield Near(stay, reason, _DISTANCES[reason], found)


def _confidences(candidates: Iterable[Candidate]) -> dict[str, float | None]:
    """By plate the confidence of the candidate; the highest, if it is named more than once."""
    named: dict[str, float | None] = {}
    for candidate in candidates:
        text = candidate.plate.text
        stated = [rate for rate in (named.get(text), candidate.confidence) if rate is not None]
        named[text] = max(stated, default=None)
    return named


def _of_candidate(
    stay: StayInside, found: tuple[Difference, ...] | None, confidence: float | None
) -> Near:
    # The camera itself confuses the two characters. If it does not say how much: not enough.
    is_rated = confidence is not None and confidence >= CANDIDATE_CONFIDENCE_MIN
    kinds = () if found is None else tuple(difference.kind for difference in found)
    is_one = kinds == (Misreading.CONFUSED,) or (kinds == (Misreading.SUBSTITUTED,) and is_rated)
    distance = _DISTANCES[MatchReason.CONFUSABLE_ONE] if is_one else _CANDIDATE_DISTANCE
    return Near(stay, MatchReason.CANDIDATE, distance, found, confidence)


def _reason(found: tuple[Difference, ...]) -> MatchReason:
    if len(found) == 1:
        return _REASONS_OF_ONE[found[0].kind]
    if all(difference.kind is Misreading.CONFUSED for difference in found):
        return MatchReason.CONFUSABLE_TWO
    return MatchReason.SEVERAL
