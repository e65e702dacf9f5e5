"""How one plate comes to be read as another: which characters look alike, and the smallest set
of misreadings that leads from one text to another. What follows from them is not judged here.

There are no measured rates to be had, so the weights are grades of evidence. They order what is
shown to an operator; whether something may open hangs on the kind of a difference alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

EDITS_MAX = 2

# Costs in hundredths of a substitution that nothing explains. Two characters that look alike
# cost less than one that is missing and one too many: that is how a sum picks its explanation.
PLAIN_COST = 100
# A frame, a bolt or the edge of the picture takes or adds the first or the last character.
GAP_EDGE_COST = 50
GAP_INNER_COST = 90
# No camera is known to swap, but people who type a plate do.
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
)
# Pairs that one operator's corrections showed (OPS-COM, "LPR Plate Lookups and Fuzzy Filtering").
# Both sides are mostly letters, or both digits, so that both plates may well exist: they rank
# above an unexplained character and count as no more.
_AKIN = ("38", "3B", "EF", "FP", "HK", "HM", "HR", "KM", "KR", "TY", "VY")
_AKIN_COST = 60

_COSTS = {
    one + other: cost
    for characters, cost in (*((pair, _AKIN_COST) for pair in _AKIN), *_ALIKE)
    for one, other in permutations(characters, 2)
}


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
    return one + other in _COSTS and _COSTS[one + other] != _AKIN_COST


def substitution_cost(one: str, other: str) -> int:
    """How far two characters are apart, 0 (the same) to `PLAIN_COST`."""
    return 0 if one == other else _COSTS.get(one + other, PLAIN_COST)


def edits(found: Iterable[Difference]) -> int:
    """How many characters are touched in all."""
    return sum(difference.edits for difference in found)


def cost(found: Iterable[Difference]) -> int:
    """What all of it costs, in hundredths of an unexplained substitution."""
    return sum(difference.cost for difference in found)


def differences(read: str, plate: str) -> tuple[Difference, ...] | None:
    """The fewest misreadings that make `read` of `plate`, and the cheapest of as many.

    None if they are more than two, or more than a third of the longer text: of a short plate
    two characters are too much to speak of the same one. Equal texts have none: `()`.
    """
    edits_max = min(EDITS_MAX, max(len(read), len(plate)) // 3)
    return _explain(read, 0, plate, 0, edits_max)


def _explain(
    read: str, at: int, plate: str, upto: int, edits_left: int
) -> tuple[Difference, ...] | None:
    """`differences` of `read[at:]` and `plate[upto:]`.

    What agrees is skipped first: that never costs an edit, and a gap that could as well lie
    further ahead, in a run of one character, is found by `_gap_cost`.
    """
    while at < len(read) and upto < len(plate) and read[at] == plate[upto]:
        at, upto = at + 1, upto + 1
    read_left, plate_left = len(read) - at, len(plate) - upto
    if not read_left and not plate_left:
        return ()
    if not edits_left or abs(read_left - plate_left) > edits_left:
        return None
    tries: list[tuple[Difference, int, int]] = []
    if read_left and plate_left:
        tries.append((_substitution(at, read[at], plate[upto]), at + 1, upto + 1))
    if plate_left:
        missing = Difference(
            Misreading.MISSING, at + 1, "", plate[upto], _gap_cost(plate[upto], read, at)
        )
        tries.append((missing, at, upto + 1))
    if read_left:
        extra = Difference(
            Misreading.EXTRA, at + 1, read[at], "", _gap_cost(read[at], plate, upto)
        )
        tries.append((extra, at + 1, upto))
    if edits_left > 1 and (two := read[at : at + 2])[::-1] == plate[upto : upto + 2] != two[:1]:
        swapped = Difference(Misreading.SWAPPED, at + 1, two, two[::-1], SWAP_COST)
        tries.append((swapped, at + 2, upto + 2))
    ways = (
        (first, *rest)
        for first, next_at, next_upto in tries
        if (rest := _explain(read, next_at, plate, next_upto, edits_left - first.edits)) is not None
    )
    return min(ways, key=lambda way: (edits(way), cost(way)), default=None)


def _substitution(at: int, read: str, plate: str) -> Difference:
    kind = Misreading.CONFUSED if alike(read, plate) else Misreading.SUBSTITUTED
    return Difference(kind, at + 1, read, plate, substitution_cost(read, plate))


def _gap_cost(character: str, other: str, at: int) -> int:
    """`other` lacks `character` at `at`. At an end: nothing of it, or all of it, lies before.

    A run of the same character from the start on hides which one of them is missing.
    """
    at_edge = at == len(other) or other[:at] == character * at
    return GAP_EDGE_COST if at_edge else GAP_INNER_COST
