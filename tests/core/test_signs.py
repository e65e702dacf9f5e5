"""Signs: for whom a zone or a facility is full, and that they do not flicker."""

from collections.abc import Mapping, Sequence

import pytest

from gated.core.signs import Places, Room, Sign, places, sign, together
from gated.core.snapshot import Group

T, P, R = Group.TRANSIENT, Group.PERMIT_HOLDER, Group.RESERVATION


def zone(
    available: int, reserved: int = 0, limits: Mapping[Group, Room] | None = None, of: int = 10
) -> Places:
    return places(of, available, reserved, limits or {})


@pytest.mark.parametrize(
    ("there", "full", "full_for"),
    [
        (zone(1), False, set()),
        (zone(0), True, {T, P, R}),
        (zone(0, reserved=2), True, {T, P}),
        (zone(4, limits={T: Room(0, 8)}), False, {T}),
        (zone(4, limits={T: Room(3, 8)}), False, set()),
        (zone(0, 2, {R: Room(0, 5)}), True, {T, P, R}),
        (zone(4, limits={P: Room(0, 0)}), False, {P}),
    ],
    ids=[
        "one is free",
        "nothing is",
        "what is free is held for reservations",
        "a limit is reached",
        "a limit is not reached",
        "what is held is for more reservations than the limit lets in",
        "a group that may not be there",
    ],
)
def test_a_sign_says_for_whom_it_is_full(there: Places, full: bool, full_for: set[Group]) -> None:
    assert sign(there, Sign(), 1) == Sign(full, frozenset(full_for))


def said(available: Sequence[int], free_again: int, of: int = 10) -> list[bool]:
    """What the sign says of so many free bays, one after the other."""
    now, seen = Sign(), []
    for free in available:
        now = sign(zone(free, of=of), now, free_again)
        seen.append(now.full)
        assert now.full == (T in now.full_for) == (P in now.full_for)
    return seen


@pytest.mark.parametrize(
    ("available", "free_again", "full"),
    [
        ([1, 0, 1, 0], 1, [False, True, False, True]),
        ([1, 0, 1, 0, 1, 2, 3], 3, [False, True, True, True, True, True, False]),
        ([3, 2, 1, 0], 3, [False, False, False, True]),
        ([0, 4, 2, 1], 3, [True, False, False, False]),
        ([0, 9, 10], 50, [True, True, False]),
    ],
    ids=[
        "at once where nothing else is stated",
        "steady until three are free",
        "free until the last one is taken",
        "free again, it stays so",
        "all that there are is enough",
    ],
)
def test_a_sign_does_not_flicker(available: list[int], free_again: int, full: list[bool]) -> None:
    assert said(available, free_again) == full


def test_a_limit_below_the_threshold_is_free_again_when_nobody_is_left() -> None:
    full = sign(zone(9, limits={T: Room(0, 2)}), Sign(), 5)
    one = sign(zone(9, limits={T: Room(1, 2)}), full, 5)
    none = sign(zone(9, limits={T: Room(2, 2)}), one, 5)
    assert [T in each.full_for for each in (full, one, none)] == [True, True, False]


def test_a_facility_is_full_when_all_of_its_zones_are() -> None:
    both = [zone(0), zone(1)]
    assert sign(together(both, {}), Sign(), 1) == Sign(False, frozenset())
    assert sign(together([zone(0), zone(0)], {}), Sign(), 1).full


def test_a_group_is_turned_away_where_each_zone_has_no_room_for_it() -> None:
    one = zone(4, limits={T: Room(0, 8)})
    assert sign(together([one, zone(0, 3)], {}), Sign(), 1).full_for == {T}
    assert sign(together([one, zone(2)], {}), Sign(), 1).full_for == frozenset()


def test_a_limit_of_the_facility_is_the_last_word() -> None:
    there = together([zone(4), zone(4)], {T: Room(0, 3)})
    assert sign(there, Sign(), 1) == Sign(False, frozenset({T}))


def test_more_vehicles_than_bays_are_full_too() -> None:
    assert sign(zone(-1), Sign(), 1).full
