"""What a sign says: whether a zone or a facility is full, and for whom.

Not the same for all: a limit may have turned transients away while permit holders still come in,
and what is held for reservations is free to nobody else. A sign that has said full says otherwise
only when some more are free, so that it does not flicker with each vehicle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gated.core.snapshot import Group


@dataclass(frozen=True, slots=True)
class Room:
    """How many may still come, of the most that ever may."""

    free: int
    most: int

    def __add__(self, other: "Room") -> "Room":
        return Room(self.free + other.free, self.most + other.most)

    def within(self, other: "Room | None") -> "Room":
        """What is left where the other one has a say too."""
        if other is None:
            return self
        return Room(min(self.free, other.free), min(self.most, other.most))


@dataclass(frozen=True, slots=True)
class Places:
    """What one zone, or several together, can still give: to whoever has reserved nothing and comes
    under no limit, and to each group."""

    room: Room
    groups: Mapping[Group, Room]


@dataclass(frozen=True, slots=True)
class Sign:
    """`full`: nothing is free that is not held for somebody. `full_for`: who is turned away."""

    full: bool = False
    full_for: frozenset[Group] = frozenset()


def places(capacity: int, available: int, reserved: int, limits: Mapping[Group, Room]) -> Places:
    """Those of one zone. Its limits leave that much to groups; others come under none."""
    room = Room(available, capacity)
    held = Room(available + reserved, capacity)
    return Places(
        room,
        {
            group: (held if group is Group.RESERVATION else room).within(limits.get(group))
            for group in Group
        },
    )


def together(zones: Iterable[Places], limits: Mapping[Group, Room]) -> Places:
    """Those of several zones, under limits of all of them."""
    found = list(zones)
    nothing = Room(0, 0)
    return Places(
        sum((zone.room for zone in found), nothing),
        {
            group: sum((zone.groups[group] for zone in found), nothing).within(limits.get(group))
            for group in Group
        },
    )


def sign(there: Places, before: Sign, free_again: int) -> Sign:
    """What the sign says now, if it said `before` until now.

    `free_again`: so many must be free again, or all that there are, where that is less.
    """

    def full(room: Room, was_full: bool) -> bool:
        return room.free <= 0 or (was_full and room.free < min(free_again, room.most))

    return Sign(
        full(there.room, before.full),
        frozenset(
            group for group, room in there.groups.items() if full(room, group in before.full_for)
        ),
    )
