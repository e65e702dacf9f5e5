"""What the same stays cost under two tariffs, compared. Knows neither database nor screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gated.db.tariffs import Answer, Priced, Stay

LARGEST_MAX = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A stay that both tariffs price, differently."""

    stay: Stay
    old: Priced
    new: Priced

    @property
    def by(self) -> Decimal:
        """How much dearer; negative where cheaper."""
        return self.new.amount - self.old.amount


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stay that at least one of the tariffs refuses."""

    stay: Stay
    old: Answer
    new: Answer


@dataclass(frozen=True, slots=True)
class Comparison:
    """Totals over the stays that both price. `largest` differences first, the earlier stay first
    among equals; `refused` in the order of the stays.
    """

    stays: int
    total_old: Decimal
    total_new: Decimal
    dearer: int
    cheaper: int
    same: int
    largest: tuple[Change, ...]
    refused: tuple[Refusal, ...]


def compared(
    stays: Sequence[Stay],
    old: Sequence[Answer],
    new: Sequence[Answer],
    *,
    largest_max: int = LARGEST_MAX,
) -> Comparison:
    """The answers of both tariffs to the same stays, stay by stay."""
    total_old = total_new = Decimal(0)
    changes: list[Change] = []
    refused: list[Refusal] = []
    for stay, before, after in zip(stays, old, new, strict=True):
        if isinstance(before, Priced) and isinstance(after, Priced):
            total_old += before.amount
            total_new += after.amount
            if before.amount != after.amount:
                changes.append(Change(stay, before, after))
        else:
            refused.append(Refusal(stay, before, after))
    changes.sort(key=lambda change: (-abs(change.by), change.stay.entry, change.stay.exit))
    dearer = sum(change.by > 0 for change in changes)
    return Comparison(
        stays=len(stays),
        total_old=total_old,
        total_new=total_new,
        dearer=dearer,
        cheaper=len(changes) - dearer,
        same=len(stays) - len(changes) - len(refused),
        largest=tuple(changes[:largest_max]),
        refused=tuple(refused),
    )
