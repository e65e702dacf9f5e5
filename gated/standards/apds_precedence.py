"""Which of several tables of APDS counts: by the number of its eligibility, where a band goes by
how particularly it knows the day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gated.standards.apds_days import Validity
from gated.standards.apds_tables import Eligible, RateTable
from gated.standards.asking import Drafted
from gated.standards.imported import TariffTable
from gated.standards.windows import Window
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS


@dataclass(frozen=True, slots=True)
class Offer:
    """A table for somebody at some time."""

    table: RateTable
    who: Eligible | None
    validity: Validity

    @property
    def pointer(self) -> str:
        return self.table.pointer if self.who is None else self.who.pointer

    @property
    def group(self) -> str:
        """What makes one tariff of several offers: that they are for the same."""
        if self.who is not None:
            return repr(sorted(self.who.conditions.items()))
        return "" if self.validity.windows else self.table.id

    @property
    def priority(self) -> int | None:
        return None if self.who is None else self.who.priority


def by_precedence(draft: Drafted, offers: Sequence[Offer]) -> Sequence[Offer]:
    """Offers as they are listed, unless their priorities say otherwise of equal kinds of days."""
    offers = [_by_weekdays(offer, offers) for offer in offers]
    ranked = [(_rank(offer), offer.priority) for offer in offers]
    known = [(rank, priority) for rank, priority in ranked if priority is not None]
    is_listed = all(
        earlier <= later
        for index, (rank, earlier) in enumerate(known)
        for other, later in known[index + 1 :]
        if rank == other
    )
    if any(a[0] < b[0] and a[1] > b[1] for a in known for b in known):
        what = "a table for more particular days counts on them, whatever its priority"
        draft.assumed(offers[0].pointer, what)
    if is_listed:
        return offers
    last = max(priority for _, priority in known) + 1
    return sorted(offers, key=lambda o: last if o.priority is None else o.priority)


def _by_weekdays(offer: Offer, offers: Sequence[Offer]) -> Offer:
    """The offer, naming all weekdays if one that names some has a higher number: that would win."""
    priority = offer.priority
    if priority is None or not any(
        other.priority is not None
        and other.priority > priority
        and _rank(other) == rank_of_day("mon")
        for other in offers
    ):
        return offer
    windows = tuple(
        Window(WEEKDAYS, each.begins, each.ends) if each.days is None else each
        for each in offer.validity.windows or (Window(),)
    )
    return replace(offer, validity=replace(offer.validity, windows=windows))


def _rank(offer: Offer) -> int:
    """How particular the days are, as among bands: 0 is the most."""
    days = [day for window in offer.validity.windows for day in window.days or ()]
    return min((rank_of_day(day) for day in days), default=rank_of_day(None))


def rank_of_day(day: str | None) -> int:
    """How particularly a band knows a day by this name; None is no name."""
    if day is None:
        return 4
    if day in WEEKDAYS:
        return 3
    return {HOLIDAY: 1, HOLIDAY_EVE: 2}.get(day, 0)


def set_priorities(drafts: Sequence[Drafted], groups: Sequence[Sequence[Offer]]) -> None:
    """The lowest number is the highest priority."""
    numbers = [
        min((o.priority for o in offers if o.priority is not None), default=None)
        for offers in groups
    ]
    last = max((number for number in numbers if number is not None), default=0) + 1
    ranks: list[tuple[int, int]] = []
    for index, (draft, number) in enumerate(zip(drafts, numbers, strict=True)):
        rank = last if number is None else number
        ties = [
            tie
            for (other, tie), earlier in zip(ranks, drafts[:index], strict=True)
            if other == rank and not _are_exclusive(draft.table, earlier.table)
        ]
        ranks.append((rank, max(ties, default=-1) + 1))
        if ties:
            what = "which of two tables counts is not said: the one that is listed first does"
            draft.assumed(draft.pointer, what, "priority")
    distinct = sorted(set(ranks), reverse=True)
    for draft, ranked in zip(drafts, ranks, strict=True):
        if len(distinct) > 1:
            draft.table["priority"] = distinct.index(ranked)


def _are_exclusive(one: TariffTable, other: TariffTable) -> bool:
    """Whether no stay is for both, as far as their conditions tell."""
    mine, theirs = one.get("for", {}), other.get("for", {})
    for key in ("electric", "accessible", "reserved"):
        if {mine.get(key), theirs.get(key)} == {True, False}:
            return True
    return any(
        key in mine and key in theirs and not {*mine[key]} & {*theirs[key]}
        for key in ("vehicle_types", "zones")
    )
