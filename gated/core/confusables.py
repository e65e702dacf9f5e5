"""How one plate comes to be read as another: which characters look alike, and the smallest set
of misreadings that leads from one text to another. What follows from them is not judged here.

There are no measured rates to be had, so the weights are grades of evidence. They order what is
shown to an operator; whether something may open hangs on the kind of a difference alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations, product

EDITS_MAX = 2

# Costs in hundredths of a substitution that nothing explains. Two characters that look alike
# cost less than one that is missing and one too many: that is how a sum picks its explanation.
PLAIN_COST = 100
# A frame, a bolt or the edge of the picture takes or adds the first or the last character.
GAP_EDGE_COST = 50
GAP_INNER_COST = 90
# People who type a plate swap neighbours; a camera hardly does.
SWAP_COST = 120

# What fonts for plates draw almost alike. The first six are the Latin equivalents of Genetec's
# plate matcher (techdocs.genetec.com, "ALPR matcher technique: OCR equivalence"); L, 7/T and U/V
# are in other matchers' lists, and cost a little more.
_ALIKE = (
    ("0ODQ", 30),
    ("1I", 30),
    ("2Z", 30),
    ("5S", 30),
    ("6G", 30),
    ("8B", 30),
    ("1L", 40),
    ("IL", 40),
    ("7T", 40),
    ("UV", 40),
    # An engine that knows no umlauts drops the dots.
    ("AÄ", 30),
    ("OÖ", 30),
    ("UÜ", 30),
)
# Pairs that one operator's corrections showed (OPS-COM, "LPR Plate Lookups and Fuzzy Filtering").
# Both sides are mostly letters, or both digits, so that both plates may well exist: they rank
# above an unexplained character and count as no more.
_AKIN = ("38", "3B", "EF", "FP", "HK", "HM", "HR", "KM", "KR", "TY", "VY")
_AKIN_COST = 60


def _both_ways(graded: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {
        one + other: each_cost
        for characters, each_cost in graded
        for one, other in permutations(characters, 2)
    }


_ALIKE_COSTS = _both_ways(_ALIKE)
_COSTS = _ALIKE_COSTS | _both_ways((pair, _AKIN_COST) for pair in _AKIN)


class Misreading(StrEnum):
    """In which way a read differs from a plate."""

    CONFUSED = "confused"  # one character for another that looks alike
    SUBSTITUTED = "substituted"  # one character for any other
    MISSING = "missing"  # the plate has a character that the read has not
    EXTRA = "extra"  # the read has a character that the plate has not
    SWAPPED = "swapped"  # two neighbours changed places


@dataclass(frozen=True, slots=True)
class Difference:
    """One misreading: at `position` the read has `read` where the plate has `plate`.

    `position` counts from 1 in the read; a missing character stood before it, and at the length
    plus one if it was the last. `read` is empty for a missing character, `plate` for an extra
    one; both have two for a swap, which is two `edits`.
    """

    kind: Misreading
    position: int
    read: str
    plate: str
    cost: int

    @property
    def edits(self) -> int:
        """How many characters are touched."""
        return 2 if self.kind is Misreading.SWAPPED else 1


def alike(one: str, other: str) -> bool:
    """Whether two different characters are easily taken for one another, either way round."""
    return one + other in _ALIKE_COSTS


def substitution_cost(one: str, other: str) -> int:
    """How far two characters are apart, 0 (the same) to `PLAIN_COST`."""
    return 0 if one == other else _COSTS.get(one + other, PLAIN_COST)


def edits(found: Iterable[Difference]) -> int:
    """How many characters are touched in all."""
    return sum(difference.edits for difference in found)


def cost(found: Iterable[Difference]) -> int:
    """What all of it costs, in hundredths of an unexplained substitution."""
    return sum(difference.cost for difference in found)


def at_end(difference: Difference, read_length: int) -> bool:
    """Whether it is at the beginning or the end of a read of so many characters."""
    if difference.kind in (Misreading.MISSING, Misreading.EXTRA):
        return difference.cost == GAP_EDGE_COST
    return difference.position == 1 or difference.position + len(difference.read) > read_length


def may_be_one(one: str, other: str) -> bool:
    """Whether both may be reads of one plate."""
    return differences(one, other) is not None


def differences(read: str, plate: str) -> tuple[Difference, ...] | None:
    """The fewest misreadings that make `read` of `plate`, and the cheapest of as many.

    None if they are more than two, or more than a third of the longer text: of a short plate
    two characters are too much to speak of the same one. Equal texts have none: `()`.
    """
    start, shorter = 0, min(len(read), len(plate))
    while start < shorter and read[start] == plate[start]:
        start += 1
    end = 0
    while end < shorter - start and read[-1 - end] == plate[-1 - end]:
        end += 1
    read_left, plate_left = len(read) - start - end, len(plate) - start - end
    if not read_left and not plate_left:
        return ()
    edits_max = min(EDITS_MAX, max(len(read), len(plate)) // 3)
    if edits_max and read_left <= 1 and plate_left <= 1:
        return (_difference(read, plate, start, start, (read_left, plate_left)),)
    if edits_max < EDITS_MAX or abs(read_left - plate_left) > EDITS_MAX:
        return None
    return _two_differences(read, plate, start, end)


# What one misreading takes of the read and of the plate.
_STEPS = ((1, 1), (0, 1), (1, 0))


def _two_differences(read: str, plate: str, start: int, end: int) -> tuple[Difference, ...] | None:
    """Both ends of what is left without the agreeing `start` and `end` are misread, so two
    misreadings are enough if all between them agrees."""
    read_end, plate_end = len(read) - end, len(plate) - end
    ways: list[tuple[Difference, ...]] = []
    for first, last in product(_STEPS, repeat=2):
        read_between = read_end - start - first[0] - last[0]
        plate_between = plate_end - start - first[1] - last[1]
        if (
            read_between == plate_between >= 0
            and read[start + first[0] : read_end - last[0]]
            == plate[start + first[1] : plate_end - last[1]]
        ):
            ways.append(
                (
                    _difference(read, plate, start, start, first),
                    _difference(read, plate, read_end - last[0], plate_end - last[1], last),
                )
            )
    two, other_two = read[start:read_end], plate[start:plate_end]
    if len(two) == 2 and two == other_two[::-1]:
        ways.append((Difference(Misreading.SWAPPED, start + 1, two, other_two, SWAP_COST),))
    return min(ways, key=cost, default=None)


def _difference(
    read: str, plate: str, read_at: int, plate_at: int, step: tuple[int, int]
) -> Difference:
    ours = read[read_at : read_at + step[0]]
    theirs = plate[plate_at : plate_at + step[1]]
    if not ours:
        kind, weight = Misreading.MISSING, _gap_cost(theirs, read, read_at)
    elif not theirs:
        kind, weight = Misreading.EXTRA, _gap_cost(ours, plate, plate_at)
    else:
        kind = Misreading.CONFUSED if alike(ours, theirs) else Misreading.SUBSTITUTED
        weight = substitution_cost(ours, theirs)
    return Difference(kind, read_at + 1, ours, theirs, weight)


def _gap_cost(character: str, other: str, at: int) -> int:
    """What it costs that `other` lacks `character` before `at`.

    At an end nothing else lies beyond; a run of the same character up to the end counts, too,
    since it hides which one of them is lacking.
    """
    beyond = other[:at], other[at:]
    at_edge = any(side == character * len(side) for side in beyond)
    return GAP_EDGE_COST if at_edge else GAP_INNER_COST
