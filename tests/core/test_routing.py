"""In which order the zones of a lane are asked for a spot."""

import pytest

from gated.core.ids import ZoneId
from gated.core.routing import zones_in_order
from tests.core.support import ZONE_A, ZONE_B, ZONE_C

ALL = (ZONE_A, ZONE_B, ZONE_C)


@pytest.mark.parametrize(
    ("available", "held", "order"),
    [
        (None, None, ALL),
        ({}, None, ALL),
        ({ZONE_A: 1, ZONE_B: 1, ZONE_C: 1}, None, ALL),
        ({ZONE_A: 0}, None, (ZONE_B, ZONE_C)),
        ({ZONE_A: -1, ZONE_B: 0, ZONE_C: 0}, None, ()),
        ({ZONE_B: 5}, None, ALL),  # the lane's own order, not the emptiest first
        ({ZONE_C: 0}, ZONE_C, (ZONE_C, ZONE_A, ZONE_B)),
        (dict.fromkeys(ALL, 0), ZONE_B, (ZONE_B,)),
    ],
)
def test_order(
    available: dict[ZoneId, int] | None, held: ZoneId | None, order: tuple[ZoneId, ...]
) -> None:
    assert zones_in_order(ALL, available, held) == order


def test_a_held_zone_that_the_lane_does_not_fill_comes_first_all_the_same() -> None:
    assert zones_in_order((ZONE_A,), None, ZONE_B) == (ZONE_B, ZONE_A)
