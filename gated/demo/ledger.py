"""What really happened, as hardware and drivers saw it.

The demo's own record, kept apart from the database so that one can be held against the other.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Opened:
    """An arm that went up, and what made it. Bare relays know the command by its number alone."""

    facility: str
    lane: str
    number: int
    heard_at: datetime
    command: UUID | None = None
    expires_at: datetime | None = None


@dataclass(slots=True)
class Ledger:
    """Opened arms, vehicles inside by facility, and the drivers' outcomes by name."""

    opened: list[Opened] = field(default_factory=list)
    refused_by_hardware: list[str] = field(default_factory=list)
    inside: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    outcomes: Counter[str] = field(default_factory=Counter)
    first_open_monotonic: float | None = None

    def entered(self, facility: str, plate: str) -> None:
        """A vehicle has passed an entry."""
        self.outcomes["entered"] += 1
        self.inside[facility].add(plate)

    def left(self, facility: str, plate: str) -> None:
        """A vehicle has passed an exit."""
        self.outcomes["left"] += 1
        self.inside[facility].discard(plate)
