"""The occupancy board: what it announces of zones and of the facility, and when."""

from dataclasses import replace

from gated.actors.occupancy import OccupancyBoard
from gated.core.ids import Slug, ZoneId
from gated.core.signs import Room, Sign
from gated.core.site import Direction, FacilitySetup, ZoneSetup
from gated.core.snapshot import Group
from gated.records import ZoneCount
from gated.telemetry import Metrics
from tests.actors.support import Shown, site

ALL = frozenset(Group)
T, P, R = Group.TRANSIENT, Group.PERMIT_HOLDER, Group.RESERVATION


def two_zones(*, inner_from_outside: bool = True, free_again: int = 1) -> FacilitySetup:
    """`outer` and `inner`, both entered from the street, or the inner one from the outer alone."""
    setup = site()
    outer, inner = (ZoneSetup(ZoneId(setup.id), Slug("outer"), "Outer", 4), setup.zones[0])
    inner = replace(inner, slug=Slug("inner"), capacity=4)
    zones = (outer.id, inner.id) if inner_from_outside else (outer.id,)
    lanes = tuple(
        replace(lane, zones=zones if lane.direction is Direction.ENTRY else ())
        for lane in setup.lanes
    )
    return replace(setup, zones=(outer, inner), lanes=lanes, sign_free_again=free_again)


class Watched:
    """A board, and the last word of each sign."""

    def __init__(self, setup: FacilitySetup) -> None:
        self.shown = Shown()
        self.rooms = 0
        self.board = OccupancyBoard(
            setup, self.shown, Metrics(version="0"), on_room=self._more_room
        )
        self.outer, self.inner = setup.zones

    def count(self, zone: ZoneSetup, occupied: int, reserved: int = 0, **more: object) -> None:
        count = ZoneCount(4, occupied, reserved)
        self.board.counted(zone, replace(count, **more))  # type: ignore[arg-type]

    def _more_room(self, _: ZoneSetup) -> None:
        self.rooms += 1

    @property
    def signs(self) -> dict[str | None, Sign]:
        """By zone; None: the facility's."""
        return dict(self.shown.signs)


def test_a_zone_is_full_before_its_facility_is() -> None:
    watched = Watched(two_zones())
    watched.count(watched.outer, 4)
    watched.count(watched.inner, 3)
    assert watched.signs == {"outer": Sign(True, ALL), "inner": Sign(), None: Sign()}
    watched.count(watched.inner, 4)
    assert watched.signs[None] == Sign(True, ALL)
    watched.count(watched.outer, 3)
    assert watched.signs == {"outer": Sign(), "inner": Sign(True, ALL), None: Sign()}


def test_what_is_free_further_in_does_not_help_at_the_entrance() -> None:
    watched = Watched(two_zones(inner_from_outside=False))
    watched.count(watched.inner, 0)
    watched.count(watched.outer, 4)
    assert watched.signs[None] == Sign(True, ALL)
    assert watched.signs["inner"] == Sign()


def test_full_for_transients_while_reservations_still_fit() -> None:
    watched = Watched(two_zones())
    watched.count(watched.outer, 4)
    watched.count(watched.inner, 2, reserved=2)
    assert watched.signs[None] == Sign(True, frozenset({T, P}))


def test_a_limit_of_the_facility_is_on_every_sign() -> None:
    """It was counted with the inner zone; the outer one has nothing new to say of its bays."""
    watched = Watched(two_zones())
    watched.count(watched.outer, 1)
    watched.count(watched.inner, 1, facility_rooms={T: Room(0, 2)})
    turned_away = Sign(False, frozenset({T}))
    assert watched.signs == {"outer": turned_away, "inner": turned_away, None: turned_away}
    watched.count(watched.inner, 0, facility_rooms={T: Room(1, 2)})
    assert watched.signs == {"outer": Sign(), "inner": Sign(), None: Sign()}


def test_a_limit_of_one_zone_leaves_the_other_to_its_group() -> None:
    watched = Watched(two_zones())
    watched.count(watched.outer, 1, rooms={P: Room(0, 0)})
    watched.count(watched.inner, 1)
    assert watched.signs == {"outer": Sign(False, frozenset({P})), "inner": Sign(), None: Sign()}


def test_zone_and_facility_are_free_again_each_at_its_own_time() -> None:
    watched = Watched(two_zones(free_again=2))
    watched.count(watched.outer, 4)
    watched.count(watched.inner, 4)
    watched.count(watched.outer, 3)
    assert [sign.full for sign in watched.signs.values()] == [True, True, True]
    watched.count(watched.inner, 3)
    assert {name: sign.full for name, sign in watched.signs.items()} == {
        "outer": True,
        "inner": True,
        None: False,
    }


def test_nothing_new_is_announced_once() -> None:
    watched = Watched(two_zones())
    watched.count(watched.outer, 1)
    watched.count(watched.inner, 1)
    before = len(watched.shown.signs)
    watched.count(watched.inner, 1)
    assert len(watched.shown.signs) == before
    watched.count(watched.inner, 2)
    assert len(watched.shown.signs) == before + 2, "the zone and the facility, not the other zone"


def test_more_room_is_told_once_and_less_never() -> None:
    watched = Watched(two_zones())
    watched.count(watched.outer, 4)
    watched.count(watched.inner, 2, reserved=2)
    assert watched.rooms == 0, "what was there before is not known"
    for occupied, told in ((3, 1), (3, 1), (4, 1), (2, 2)):
        watched.count(watched.outer, occupied)
        assert watched.rooms == told
    # A booking that is not held any more; one that came, and took what was held for it.
    watched.count(watched.inner, 2, reserved=1)
    assert watched.rooms == 3
    watched.count(watched.inner, 3)
    assert watched.rooms == 3


def test_one_who_leaves_what_is_held_for_another_is_room_for_that_one() -> None:
    watched = Watched(two_zones())
    watched.count(watched.inner, 4)
    watched.count(watched.inner, 3, reserved=1)
    assert watched.rooms == 1


def test_a_limit_that_leaves_more_or_is_gone_is_room_for_its_group() -> None:
    watched = Watched(two_zones())
    watched.count(watched.inner, 1, rooms={T: Room(0, 2)}, facility_rooms={P: Room(0, 1)})
    watched.count(watched.inner, 1, rooms={T: Room(1, 2)}, facility_rooms={P: Room(0, 1)})
    assert watched.rooms == 1
    watched.count(watched.inner, 1, rooms={T: Room(1, 2)})
    assert watched.rooms == 2
    watched.count(watched.inner, 1, rooms={T: Room(0, 2)})
    assert watched.rooms == 2
