"""What really happened, as hardware and drivers saw it.

The demo's own record, kept apart from the database so that one can be held against the other.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gated.core.money import Money


@dataclass(frozen=True, slots=True)
class Opened:
    """An arm that went up, and what made it. Bare relays know the command by its number alone."""

    facility: str
    lane: str
    number: int
    heard_at: datetime
    command: UUID | None = None
    expires_at: datetime | None = None


@dataclass(eq=False, slots=True)
class Car:
    """A vehicle: its true plate, and the one that it came in with, as far as the camera told.

    `recorded` is None for one that came in unread. `paid` is what its driver has paid.
    """

    plate: str
    recorded: str | None = None
    paid: Decimal = Decimal(0)


@dataclass(slots=True)
class Ledger:
    """Opened arms, vehicles inside by facility, money by currency, and outcomes by name.

    `lost` are vehicles that left without anybody being able to tell which stay was theirs: what
    is recorded of them stays open, as a case for people. `charged` and `owed` are kept where a
    driver can tell the price himself: at a flat one.
    """

    opened: list[Opened] = field(default_factory=list)
    refused_by_hardware: list[str] = field(default_factory=list)
    # Of dictionaries the keys alone matter: they keep their order, which sets do not.
    inside: defaultdict[str, dict[Car, None]] = field(default_factory=lambda: defaultdict(dict))
    lost: defaultdict[str, list[Car]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    paid: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    charged: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    owed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    first_open_monotonic: float | None = None

    def entered(self, facility: str, car: Car) -> None:
        """A vehicle has passed an entry."""
        self.outcomes["entered"] += 1
        self.inside[facility][car] = None

    def left(self, facility: str, car: Car, price: Money | None = None) -> None:
        """A vehicle has passed an exit, at this price if that is known."""
        self.outcomes["left"] += 1
        self.inside[facility].pop(car, None)
        if price is not None:
            self.charged[price.currency] += price.amount
            self.owed[price.currency] += max(price.amount - car.paid, Decimal(0))

    def left_unknown(self, facility: str, car: Car) -> None:
        """A vehicle has passed an exit, and nobody can tell which stay was its."""
        self.outcomes["left"] += 1
        self.lost[facility].append(car)
        self.inside[facility].pop(car, None)

    def is_inside(self, facility: str, plate: str) -> bool:
        """Whether the vehicle with this plate is inside."""
        return any(car.plate == plate for car in self.inside[facility])

    def stays(self, facility: str) -> Counter[str | None]:
        """The stays that must be open: how many by each plate, and by none."""
        return Counter(car.recorded for car in (*self.inside[facility], *self.lost[facility]))
