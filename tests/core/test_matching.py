"""Which open stay a read at an exit belongs to: what matches by itself, what an operator is shown.

The distances are checked against a plain Levenshtein distance that knows nothing of the rest.
"""

import itertools
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gated.core.confusables import (
    EDITS_MAX,
    GAP_EDGE_COST,
    GAP_INNER_COST,
    PLAIN_COST,
    Difference,
    Misreading,
    alike,
    cost,
    differences,
    edits,
    substitution_cost,
)
from gated.core.events import Candidate, PlateRead
from gated.core.ids import StayId
from gated.core.matching import (
    Ambiguous,
    Exact,
    Likely,
    Match,
    MatchReason,
    Near,
    NoMatch,
    match,
)
from gated.core.plates import Plate
from gated.core.snapshot import StayInside

START = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
LETTERS_AND_DIGITS = string.ascii_uppercase + string.digits


def stays_of(*plates: str) -> list[StayInside]:
    """One open stay for each plate, a minute after the other; its number is its id."""
    return [
        StayInside(StayId(UUID(int=number)), Plate(plate), START + timedelta(minutes=number))
        for number, plate in enumerate(plates)
    ]


def read_of(text: str, *candidates: tuple[str, float | None]) -> PlateRead:
    return PlateRead(
        Plate(text),
        text,
        0.9,
        tuple(Candidate(Plate(plate), confidence) for plate, confidence in candidates),
    )


def told(result: Match) -> list[tuple[str, str, int]]:
    """Plate, reason and distance of what an operator is shown."""
    assert isinstance(result, Ambiguous)
    return [(near.stay.plate.text, near.reason.value, near.distance) for near in result.best]


@cache
def levenshtein(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        levenshtein(one[1:], other[1:]) + (one[0] != other[0]),
        levenshtein(one[1:], other) + 1,
        levenshtein(one, other[1:]) + 1,
    )


# ── what matches by itself ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("read", "plate", "position"),
    [
        ("HHAB1234", "HHA81234", 4),
        ("HHA81234", "HHAB1234", 4),
        ("0HAB1234", "DHAB1234", 1),
        ("HHAB123Z", "HHAB1232", 8),
        ("MG5678", "M65678", 2),
        ("B1234", "81234", 1),  # four in common are just enough
    ],
)
def test_one_character_that_looks_alike_matches_a_single_stay(
    read: str, plate: str, position: int
) -> None:
    stays = stays_of("XYZ9999", plate, "KK777")
    result = match(read_of(read), stays, 1)
    assert isinstance(result, Likely)
    assert (result.near.stay, result.near.reason, result.near.distance) == (
        stays[1],
        MatchReason.CONFUSABLE_ONE,
        1,
    )
    assert result.near.differences is not None
    (difference,) = result.near.differences
    assert difference.kind is Misreading.CONFUSED
    at = position - 1
    assert (difference.position, difference.read, difference.plate) == (
        position,
        read[at],
        plate[at],
    )


def test_the_plate_itself_wins_over_all_that_is_near_or_named() -> None:
    stays = stays_of("HHA81234", "HHAB1234", "HHAB123")
    read = read_of("HHAB1234", ("HHA81234", 1.0), ("HHAB123", 1.0))
    assert match(read, stays, 1) == Exact(stays[1])
    assert match(read, stays, 0) == Exact(stays[1])


def test_the_camera_s_second_opinion_explains_one_character_that_does_not_look_alike() -> None:
    stays = stays_of("HHAB1294", "KK777")
    result = match(read_of("HHAB1234", ("HHAB1294", 0.5)), stays, 1)
    assert result == Likely(
        Near(
            stays[0],
            MatchReason.CANDIDATE,
            1,
            (Difference(Misreading.SUBSTITUTED, 7, "3", "9", PLAIN_COST),),
            0.5,
        )
    )


def test_an_unsure_second_opinion_does_not_weaken_what_looks_alike() -> None:
    result = match(read_of("HHAB1234", ("HHA81234", None)), stays_of("HHA81234"), 1)
    assert isinstance(result, Likely)
    assert (result.near.reason, result.near.confidence) == (MatchReason.CANDIDATE, None)


# ── what an operator decides ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("read", "plates", "shown"),
    [
        # two that look alike never open
        ("HHAB1234", ["HHA8I234"], [("HHA8I234", "confusable_two", 2)]),
        # nor does one that does not, not even of a pair that was seen confused
        ("HHAB1234", ["HHAB1294"], [("HHAB1294", "substituted_one", 2)]),
        ("HKAB1234", ["HHAB1234"], [("HHAB1234", "substituted_one", 2)]),
        ("HHAB1234", ["HHAB1284"], [("HHAB1284", "substituted_one", 2)]),
        # what is missing or too many
        ("HAB1234", ["HHAB1234"], [("HHAB1234", "missing_one", 2)]),
        ("HHAB123", ["HHAB1234"], [("HHAB1234", "missing_one", 2)]),
        ("HHAB12341", ["HHAB1234"], [("HHAB1234", "extra_one", 2)]),
        ("HHAB12", ["HHAB1234"], [("HHAB1234", "several", 3)]),
        ("IHHAB12341", ["HHAB1234"], [("HHAB1234", "several", 3)]),
        ("HAB12341", ["HHAB1234"], [("HHAB1234", "several", 3)]),
        # neighbours
        ("HHAB1324", ["HHAB1234"], [("HHAB1234", "swapped", 3)]),
        ("HHAB1O04", ["HHAB10O4"], [("HHAB10O4", "confusable_two", 2)]),
        # two equally near, and one that is not near enough to be out of the question
        (
            "HHAB1234",
            ["HHA81234", "HHABI234"],
            [("HHA81234", "confusable_one", 1), ("HHABI234", "confusable_one", 1)],
        ),
        (
            "HHAB1234",
            ["HHAB123", "HHA81234"],
            [("HHA81234", "confusable_one", 1), ("HHAB123", "extra_one", 2)],
        ),
        (
            "HHAB1234",
            ["HHAB1239", "HHA81234"],
            [("HHA81234", "confusable_one", 1), ("HHAB1239", "substituted_one", 2)],
        ),
        # too short to open by itself
        ("B123", ["8123"], [("8123", "confusable_one", 1)]),
    ],
)
def test_what_is_not_sure_is_shown(
    read: str, plates: list[str], shown: list[tuple[str, str, int]]
) -> None:
    assert told(match(read_of(read), stays_of(*plates), 1)) == shown


def test_the_three_best_are_shown_the_best_first() -> None:
    plates = ["HHAB1324", "HAB1234", "HHA1234", "HHABI234", "HHAB12345", "HHAB1784", "HHABL234"]
    assert told(match(read_of("HHAB1234"), stays_of(*plates), 1)) == [
        ("HHABI234", "confusable_one", 1),
        ("HHABL234", "confusable_one", 1),
        ("HAB1234", "extra_one", 2),
    ]


def test_a_missing_end_comes_before_a_missing_middle_and_before_an_unexplained_character() -> None:
    plates = ["HHAB1934", "HHABC1234", "HHAB12345", "HKAB1234"]
    best = match(read_of("HHAB1234"), stays_of(*plates), 1)
    assert [plate for plate, _, _ in told(best)] == ["HHAB12345", "HKAB1234", "HHABC1234"]


def test_a_far_stay_does_not_disturb_a_match() -> None:
    near, *_ = stays = stays_of("HHA81234", "HHAB1324", "HHAB1", "XHAB123X")
    result = match(read_of("HHAB1234"), stays, 1)
    assert isinstance(result, Likely)
    assert result.near.stay is near


@pytest.mark.parametrize(
    ("read", "plates"),
    [
        ("HHAB1234", []),
        ("HHAB1234", ["HHAB9994"]),
        ("HHAB1234", ["XYZ9999", "HHAB1", "HHAB1234567"]),
        # of a short plate two characters are too much, of a very short one a single one
        ("AB12", ["AB34", "12"]),
        ("A1", ["AI", "B1", "A", "A12345"]),
    ],
)
def test_nothing_is_near(read: str, plates: list[str]) -> None:
    assert match(read_of(read), stays_of(*plates), 1) == NoMatch()


def test_no_distance_but_none_and_one_is_a_policy() -> None:
    for distance_max in (-1, 2, 3):
        with pytest.raises(ValueError, match="at most 1"):
            match(read_of("HHAB1234"), [], distance_max)


def test_exact_only_shows_what_is_near_and_takes_nothing() -> None:
    stays = stays_of("HHA81234")
    assert told(match(read_of("HHAB1234"), stays, 0)) == [("HHA81234", "confusable_one", 1)]
    named = read_of("HHAB1234", ("HHA81234", 1.0))
    assert told(match(named, stays, 0)) == [("HHA81234", "candidate", 1)]


def test_two_stays_with_one_plate_are_an_operator_s() -> None:
    one, two, near = stays_of("HHAB1234", "HHAB1234", "HHA81234")
    assert match(read_of("HHAB1234"), [two, near, one], 1) == Ambiguous(
        (Near(one, MatchReason.EXACT, 0), Near(two, MatchReason.EXACT, 0))
    )
    assert len(told(match(read_of("HHA8I234"), [one, two], 1))) == 2


# ── where it was misread ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "then"),
    [
        # One look-alike: at the beginning, at the end, within.
        ("8HAB1238", "BHA81238"),
        ("BHAB123B", "BHA81238"),
        # One other character.
        ("XHAB1238", "BHAX1238"),
        ("BHAB123X", "BHAX1238"),
        # Two look-alikes side by side, and apart.
        ("BHA8I238", "BHA81Z38"),
        # One of two at an end, and none.
        ("8HA81238", "BHA8I238"),
        # Two others side by side, and apart: neither at an end.
        ("BHXX1238", "BXAB1X38"),
        # A frame takes one at an end.
        ("BHAB12389", "BHAB91238"),
    ],
)
def test_of_stays_equally_far_away_position_ranks(first: str, then: str) -> None:
    read = read_of("BHAB1238")
    for plates in ((first, then), (then, first)):
        shown = told(match(read, stays_of(*plates), 1))
        assert [plate for plate, _, _ in shown] == [first, then]
        assert len({distance for _, _, distance in shown}) == 1


def test_what_is_more_easily_misread_comes_before_what_was_misread_at_an_end() -> None:
    # B for 8 within, an explained confusion; E for F at the end, an observed one.
    stays = stays_of("HHAB123F", "HHA8123E")
    shown = told(match(read_of("HHAB123E"), stays, 0))
    assert [plate for plate, _, _ in shown] == ["HHA8123E", "HHAB123F"]


# ── the camera's candidates ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("candidate", "confidence"),
    [
        ("HHAB1294", 0.49),  # too unsure
        ("HHAB1294", None),  # of unknown worth
        ("HHAB1784", 0.99),  # two characters
        ("HHA8I234", 0.99),  # two that look alike
        ("HHAB1324", 0.99),  # two that changed places
        ("HAB1234", 0.99),  # one too many
        ("HHAB12345", 0.99),  # one missing
        ("XYZ9999", 0.99),  # another plate altogether
    ],
)
def test_a_candidate_that_does_not_open_is_shown(candidate: str, confidence: float | None) -> None:
    result = match(read_of("HHAB1234", (candidate, confidence)), stays_of(candidate), 1)
    assert told(result) == [(candidate, "candidate", 2)]


def test_candidates_come_first_at_their_distance_by_confidence() -> None:
    plates = ["HHAB123", "HHAB9934", "XYZ9999", "KK777", "HHAB12345"]
    read = read_of("HHAB1234", ("XYZ9999", None), ("KK777", 0.2), ("HHAB9934", 0.3))
    assert [plate for plate, _, _ in told(match(read, stays_of(*plates), 1))] == [
        "HHAB9934",
        "KK777",
        "XYZ9999",
    ]


def test_of_candidates_without_a_confidence_the_nearer_comes_first_and_all_before_the_rest() -> (
    None
):
    plates = ["HHAB123", "XYZ9999", "HHA1234"]
    read = read_of("HHAB1234", ("XYZ9999", None), ("HHA1234", None))
    assert [plate for plate, _, _ in told(match(read, stays_of(*plates), 1))] == [
        "HHA1234",
        "XYZ9999",
        "HHAB123",
    ]


def test_a_stay_that_the_camera_names_keeps_another_from_matching_by_itself() -> None:
    stays = stays_of("HHA81234", "XYZ9999")
    assert isinstance(match(read_of("HHAB1234"), stays, 1), Likely)
    assert told(match(read_of("HHAB1234", ("XYZ9999", 0.1)), stays, 1)) == [
        ("HHA81234", "confusable_one", 1),
        ("XYZ9999", "candidate", 2),
    ]


def test_a_candidate_named_twice_has_the_higher_confidence() -> None:
    for confidences in itertools.permutations((0.7, None, 0.2)):
        named = [("HHAB1294", confidence) for confidence in confidences]
        result = match(read_of("HHAB1234", *named), stays_of("HHAB1294"), 1)
        assert isinstance(result, Likely)
        assert result.near.confidence == 0.7


def test_a_candidate_without_a_stay_says_nothing() -> None:
    stays = stays_of("HHA81234")
    read = read_of("HHAB1234")
    assert match(read_of("HHAB1234", ("HHAB1294", 0.99)), stays, 1) == match(read, stays, 1)


# ── characters and differences ──────────────────────────────────────────────────────────────


def test_the_classes_of_look_alikes() -> None:
    for characters in ("0ODQ", "1IL", "2Z", "5S", "6G", "7T", "8B", "UV"):
        for one, other in itertools.permutations(characters, 2):
            assert alike(one, other)
    # seen confused, but both plates may well exist
    for one, other in ("38", "3B", "EF", "FP", "HK", "HM", "HR", "KM", "KR", "TY", "VY"):
        assert not alike(one, other)
        assert substitution_cost(one, other) < PLAIN_COST


def test_confusability_is_symmetric() -> None:
    for one, other in itertools.product(LETTERS_AND_DIGITS, repeat=2):
        assert alike(one, other) == alike(other, one)
        assert substitution_cost(one, other) == substitution_cost(other, one)
        assert (substitution_cost(one, other) == 0) == (one == other)
        assert not (alike(one, other) and one == other)


@pytest.mark.parametrize(
    ("read", "plate", "kind", "position", "weight"),
    [
        ("ABC123", "XABC123", Misreading.MISSING, 1, GAP_EDGE_COST),
        ("ABC123", "ABC123X", Misreading.MISSING, 7, GAP_EDGE_COST),
        ("ABC123", "ABCX123", Misreading.MISSING, 4, GAP_INNER_COST),
        ("XABC123", "ABC123", Misreading.EXTRA, 1, GAP_EDGE_COST),
        ("ABC123X", "ABC123", Misreading.EXTRA, 7, GAP_EDGE_COST),
        ("ABCX123", "ABC123", Misreading.EXTRA, 4, GAP_INNER_COST),
        # in a run up to the end it may as well be the first or the last
        ("AAB123", "AAAB123", Misreading.MISSING, 3, GAP_EDGE_COST),
        ("ABC1133", "ABC113", Misreading.EXTRA, 7, GAP_EDGE_COST),
    ],
)
def test_a_gap_at_an_end_weighs_less(
    read: str, plate: str, kind: Misreading, position: int, weight: int
) -> None:
    found = differences(read, plate)
    assert found is not None
    assert [(one.kind, one.position, one.cost) for one in found] == [(kind, position, weight)]


def test_both_ends_may_be_cut_off_or_framed() -> None:
    for read, plate in (("BC1234", "ABC12345"), ("C12345", "ABC12345"), ("ABC123", "ABC12345")):
        for one, other in ((read, plate), (plate, read)):
            found = differences(one, other)
            assert found is not None
            assert [difference.cost for difference in found] == [GAP_EDGE_COST] * 2


# Few characters, so that they repeat, look alike and agree by chance.
characters = st.sampled_from("0OD8B3HK1A")
texts = st.text(characters, min_size=1, max_size=9)


@st.composite
def misread(draw: st.DrawFn, text: str, edits_max: int) -> str:
    """The text with up to so many characters replaced, lost or added."""
    for _ in range(draw(st.integers(0, edits_max))):
        at = draw(st.integers(0, len(text) - 1))
        replacement = draw(st.one_of(characters, st.just(""), st.text(characters, max_size=2)))
        text = text[:at] + replacement + text[at + 1 :] or text
    return text


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    text = draw(texts)
    return text, draw(misread(text, 3))


@given(pairs())
def test_differences_are_as_few_as_can_be_and_lead_back_to_the_plate(pair: tuple[str, str]) -> None:
    read, plate = pair
    found = differences(read, plate)
    least = levenshtein(read, plate)
    if found is None:
        assert least > min(EDITS_MAX, max(len(read), len(plate)) // 3)
        return
    assert edits(found) == least
    text = read
    for difference in reversed(found):
        at = difference.position - 1
        assert text[at : at + len(difference.read)] == difference.read
        text = text[:at] + difference.plate + text[at + len(difference.read) :]
    assert text == plate


@given(pairs())
def test_a_plate_is_as_far_from_a_read_as_the_read_from_the_plate(pair: tuple[str, str]) -> None:
    one, other = differences(*pair), differences(*reversed(pair))
    if one is None or other is None:
        assert one is other
        return
    assert (edits(one), cost(one)) == (edits(other), cost(other))
    if len(pair[0]) == len(pair[1]):
        confused = [difference.kind is Misreading.CONFUSED for difference in one]
        assert confused == [difference.kind is Misreading.CONFUSED for difference in other]


# ── whatever is inside ──────────────────────────────────────────────────────────────────────


def alike_to(character: str) -> list[str]:
    return [other for other in LETTERS_AND_DIGITS if alike(character, other)]


@st.composite
def confused(draw: st.DrawFn, text: str) -> str:
    """The text with one character that looks alike, if it has any that does."""
    places = [at for at, character in enumerate(text) if alike_to(character)]
    if not places:
        return text
    at = draw(st.sampled_from(places))
    return text[:at] + draw(st.sampled_from(alike_to(text[at]))) + text[at + 1 :]


@st.composite
def exits(draw: st.DrawFn) -> tuple[PlateRead, list[StayInside]]:
    """A read, and open stays with different plates: few or many of them near to it, some of them
    named by the camera."""
    text = draw(st.text(characters, min_size=4, max_size=8))
    strangers = st.text(st.sampled_from("WXY99"), min_size=3, max_size=9)
    near = draw(st.lists(st.one_of(confused(text), misread(text, 1), misread(text, 3)), max_size=4))
    plates = draw(st.permutations([*near, *draw(st.lists(st.one_of(strangers, texts)))]))
    named = st.one_of(st.sampled_from(plates), texts) if plates else texts
    rates = st.sampled_from([None, 0.1, 0.5, 0.9])
    candidates = draw(st.lists(st.tuples(named, rates), max_size=2))
    return read_of(text, *candidates), stays_of(*dict.fromkeys(plates))


@st.composite
def clear_exits(draw: st.DrawFn) -> tuple[PlateRead, list[StayInside]]:
    """A read that matches one of the stays by itself."""
    text = draw(st.text(characters, min_size=5, max_size=8))
    plate = draw(confused(text))
    assume(plate != text)
    strangers = st.lists(st.text(st.sampled_from("WXY9"), min_size=3), max_size=4, unique=True)
    return read_of(text), stays_of(*draw(st.permutations([plate, *draw(strangers)])))


def stays_in(result: Match) -> Sequence[StayInside]:
    match result:
        case Exact(stay):
            return [stay]
        case Likely(near):
            return [near.stay]
        case Ambiguous(best):
            return [near.stay for near in best]
        case NoMatch():
            return []


@given(exits(), st.sampled_from([0, 1]))
def test_only_stays_that_were_given_are_named_and_the_best_first(
    given_: tuple[PlateRead, list[StayInside]], distance_max: int
) -> None:
    read, stays = given_
    result = match(read, stays, distance_max)
    named = stays_in(result)
    assert all(stay in stays for stay in named)
    assert len(set(named)) == len(named) <= 3
    if isinstance(result, Ambiguous):
        assert result.best
        distances = [near.distance for near in result.best]
        assert distances == sorted(distances)
        assert set(distances) <= {1, 2, 3}


@given(exits(), st.sampled_from([0, 1]))
def test_the_exact_plate_always_wins_and_nothing_else_is_exact(
    given_: tuple[PlateRead, list[StayInside]], distance_max: int
) -> None:
    read, stays = given_
    same = [stay for stay in stays if stay.plate == read.plate]
    result = match(read, stays, distance_max)
    assert isinstance(result, Exact) == bool(same)
    if same:
        assert result == Exact(*same)


@given(st.one_of(exits(), clear_exits()))
def test_nothing_matches_by_itself_but_the_only_stay_with_one_substitution(
    given_: tuple[PlateRead, list[StayInside]],
) -> None:
    read, stays = given_
    result = match(read, stays, 1)
    assert not isinstance(match(read, stays, 0), Likely)
    if not isinstance(result, Likely):
        return
    text, plate = read.plate.text, result.near.stay.plate.text
    assert len(text) == len(plate) >= 5
    ((ours, theirs),) = [two for two in zip(text, plate, strict=True) if two[0] != two[1]]
    assert alike(ours, theirs) or any(
        candidate.plate.text == plate and (candidate.confidence or 0) >= 0.5
        for candidate in read.candidates
    )
    for other in stays:
        if other != result.near.stay:
            assert levenshtein(text, other.plate.text) > 1
            assert other.plate not in {candidate.plate for candidate in read.candidates}


@given(exits(), st.data())
def test_two_substitutions_never_open_whoever_else_is_inside_or_named(
    given_: tuple[PlateRead, list[StayInside]], data: st.DataObject
) -> None:
    read, stays = given_
    text = read.plate.text
    twice = list(text)
    for at in data.draw(st.permutations(range(len(text))))[:2]:
        likely = alike_to(text[at]) or ["X"]
        others = [one for one in LETTERS_AND_DIGITS if one != text[at]]
        twice[at] = data.draw(st.sampled_from(likely) | st.sampled_from(others))
    plate = Plate("".join(twice))
    far = StayInside(StayId(UUID(int=99)), plate, START)
    named = PlateRead(read.plate, text, 1.0, (*read.candidates, Candidate(plate, 1.0)))
    for seen in (read, named):
        for inside in ([far], [*(stay for stay in stays if stay.plate != plate), far]):
            result = match(seen, inside, 1)
            if isinstance(result, Exact | Likely):
                assert far not in stays_in(result)


@given(clear_exits(), st.data())
def test_a_second_stay_that_is_equally_near_keeps_the_first_from_matching(
    given_: tuple[PlateRead, list[StayInside]], data: st.DataObject
) -> None:
    read, stays = given_
    assert isinstance(match(read, stays, 1), Likely)
    text = read.plate.text
    gaps = [text[1:], text[:-1], f"X{text}", f"{text}X", f"X{text[1:]}", f"{text[:-1]}X"]
    rival = Plate(data.draw(confused(text) | st.sampled_from(gaps)))
    assume(rival not in {stay.plate for stay in stays})
    both = [*stays, StayInside(StayId(UUID(int=99)), rival, START)]
    assert isinstance(match(read, both, 1), Ambiguous)


@given(st.one_of(exits(), clear_exits()), texts, st.sampled_from([0, 1]))
def test_a_far_away_stay_changes_nothing(
    given_: tuple[PlateRead, list[StayInside]], plate: str, distance_max: int
) -> None:
    read, stays = given_
    assume(levenshtein(read.plate.text, plate) > EDITS_MAX)
    assume(Plate(plate) not in {candidate.plate for candidate in read.candidates})
    far = StayInside(StayId(UUID(int=99)), Plate(plate), START)
    assert match(read, [*stays, far], distance_max) == match(read, stays, distance_max)


@given(st.one_of(exits(), clear_exits()), st.data(), st.sampled_from([0, 1]))
def test_the_order_of_stays_and_of_candidates_does_not_matter(
    given_: tuple[PlateRead, list[StayInside]], data: st.DataObject, distance_max: int
) -> None:
    read, stays = given_
    shuffled = PlateRead(
        read.plate, read.plate_raw, 0.9, tuple(data.draw(st.permutations(read.candidates)))
    )
    again = match(shuffled, data.draw(st.permutations(stays)), distance_max)
    assert again == match(read, stays, distance_max)


@given(st.one_of(exits(), clear_exits()))
def test_the_policy_only_says_whether_the_best_is_taken_unasked(
    given_: tuple[PlateRead, list[StayInside]],
) -> None:
    read, stays = given_
    taken, shown = match(read, stays, 1), match(read, stays, 0)
    if isinstance(taken, Likely):
        assert isinstance(shown, Ambiguous)
        assert shown.best[0] == taken.near
    else:
        assert taken == shown
