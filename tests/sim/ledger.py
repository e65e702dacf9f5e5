"""The auditor's own ledger of vehicles and money.

It is told what hardware, cash desk and drivers saw, and never what gated thinks; it prices by a
few lines of its own. Nothing here imports the product.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from tests.sim.place import BLOCK_CENTS, BLOCK_MINUTES, FREE_MINUTES, GRACE_MINUTES

NOTHING = Decimal("0.00")
_BLOCK, _FREE = timedelta(minutes=BLOCK_MINUTES), timedelta(minutes=FREE_MINUTES)
_GRACE = timedelta(minutes=GRACE_MINUTES)


class Where(StrEnum):
    """Where a vehicle is, as anybody could see who stood there."""

    OUTSIDE = "outside"
    COMING = "coming"  # the arm is up for it at an entry, and it has not passed
    INSIDE = "inside"
    LEAVING = "leaving"  # the arm is up for it at an exit, and it has not passed
    GONE = "gone"


@dataclass(slots=True)
class Visit:
    """One vehicle's visit.

    `known_as` is the plate by which it can be known inside: what the camera at the entry took it
    for, None if nobody read it. `covered`: it has a right that pays for all, and was recognised.
    `began` and `ended` bound what it must pay for. `openings`: how often an arm went up for it, in
    and out; `turned`: it backed out of an exit; `slipped`: how often it came through without an
    arm going up. `unseen`: it is gone, nobody can know, and no operator has found out yet.
    """

    number: int
    plate: str
    covered: bool = False
    known_as: str | None = None
    where: Where = Where.OUTSIDE
    began: datetime | None = None
    ended: datetime | None = None
    paid: Decimal = NOTHING
    paid_up_at: datetime | None = None
    openings: int = 0
    turned: bool = False
    unseen: bool = False
    slipped: int = 0

    # ── what was seen ───────────────────────────────────────────────────────────────────────

    def let_in(self, known_as: str, at: datetime) -> None:
        """The arm went up for it."""
        self.known_as, self.began, self.where = known_as, at, Where.COMING
        self.openings += 1

    def came_in(self) -> None:
        """It cleared the closing loop of an entry."""
        self.where = Where.INSIDE

    def slipped_in(self, known_as: str | None, at: datetime) -> None:
        """It came in behind another vehicle, and no arm went up for it."""
        self.known_as, self.began, self.where = known_as, at, Where.INSIDE
        self.covered = self.covered and known_as == self.plate
        self.slipped += 1

    def was_told_apart(self) -> None:
        """An operator found out that an unknown vehicle is this one."""
        self.known_as = self.plate

    def backed_out(self) -> None:
        """It left the entry backwards, and will not come again."""
        self.known_as, self.began, self.where = None, None, Where.GONE

    def let_out(self, ended: datetime) -> None:
        """The arm went up for it at an exit; its stay ended when it asked for that."""
        self.where, self.openings = Where.LEAVING, self.openings + 1
        self.ended = self.ended or ended

    def turned_back(self) -> None:
        """It left the exit backwards, and is inside again: its stay goes on."""
        self.where, self.ended, self.turned = Where.INSIDE, None, True

    def left(self) -> None:
        """It cleared the closing loop of an exit."""
        self.where = Where.GONE

    def slipped_out(self, at: datetime, *, seen: bool) -> None:
        """It left behind another vehicle, and no arm went up for it. `seen`: its plate was read."""
        self.where, self.slipped, self.unseen = Where.GONE, self.slipped + 1, not seen
        if seen:
            self.ended = at

    def was_missed(self) -> None:
        """An operator found out that it is gone: what is known of it ends with its last sign."""
        self.ended, self.unseen = self.paid_up_at or self.began, False

    def pay(self, amount: Decimal, at: datetime) -> None:
        """Money changed hands."""
        was_due = self.due(at)
        self.paid += amount
        if was_due > 0 and self.due(at) == 0:
            self.paid_up_at = at

    # ── what follows from it ────────────────────────────────────────────────────────────────

    def price(self, at: datetime) -> Decimal:
        """What it costs to have been inside until then."""
        assert self.began is not None
        if self.covered:
            return NOTHING
        if self.paid_up_at is not None and at <= self.paid_up_at + _GRACE:
            at = self.paid_up_at
        return price(at - self.began)

    def due(self, at: datetime) -> Decimal:
        """What of it has not been paid."""
        return max(NOTHING, self.price(at) - self.paid)


def price(lasted: timedelta) -> Decimal:
    """Free up to ten minutes; else so much for each half hour that has begun."""
    if lasted <= _FREE:
        return NOTHING
    blocks = -(-lasted // _BLOCK)
    return Decimal(blocks * BLOCK_CENTS) / 100


@dataclass
class Ledger:
    """All visits of the day, and what arms did. `raised`: the commands that arms went up for, by
    their ids, in order; `unasked`: those for which nobody stood there."""

    visits: list[Visit] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    def inside(self) -> list[Visit]:
        """Who is behind the arms."""
        return [one for one in self.visits if one.where in (Where.INSIDE, Where.LEAVING)]

    def to_be_paid(self) -> Decimal:
        """What all who left owe for their stays, paid or not."""
        return sum(
            (one.price(one.ended) for one in self.visits if one.ended is not None), start=NOTHING
        )

    def still_owed(self) -> Decimal:
        """What of that nobody paid."""
        return sum(
            (one.due(one.ended) for one in self.visits if one.ended is not None), start=NOTHING
        )

    def was_paid(self) -> Decimal:
        """What all drivers paid."""
        return sum((one.paid for one in self.visits), start=NOTHING)
