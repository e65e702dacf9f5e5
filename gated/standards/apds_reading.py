"""APDS documents as tariffs: one for each eligibility, with a band for each table of its hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.standards.apds_days import Validity
from gated.standards.apds_prices import Price, minutes_text, price_of
from gated.standards.apds_rights import eligible_of, zones_of
from gated.standards.apds_tables import Eligible, RateTable, objects_of, table_of
from gated.standards.asking import Drafted, finished
from gated.standards.imported import Imported, TariffTable
from gated.standards.source import Source
from gated.standards.steps import MINUTE
from gated.standards.windows import (
    DAY,
    Window,
    band_keys,
    clock_of_minutes,
    unique_name,
)
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS


@dataclass(frozen=True, slots=True)
class _Offer:
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


def imported(document: object) -> Imported:
    """The tariffs of rate tables, alone or with the right specifications that refer to them.

    Raises ConfigError, or ConfigErrors for several.
    """
    source = Source()
    objects = objects_of(source, document)
    zones, time_zone = zones_of(source, objects.places)
    tables = [table_of(source, part) for part in objects.tables]
    eligible = [each for part in objects.rights for each in eligible_of(source, part, zones)]
    if not tables:
        source.complain("", "expected a rate table")
    currencies = {c.currency: c.pointer for table in tables for c in table.collections}
    for other in list(currencies)[1:]:
        expected = f"expected the {next(iter(currencies))} of the first collection"
        source.complain(f"{currencies[other]}/applicableCurrency", f"{expected}, got {other}")
    source.refuse()
    currency = next(iter(currencies))
    groups: dict[str, list[_Offer]] = {}
    for offer in _offers(source, tables, eligible):
        groups.setdefault(offer.group, []).append(offer)
    drafts = [_tariff(source, offers, EXPONENTS[currency]) for offers in groups.values()]
    _priorities(drafts, list(groups.values()))
    return finished(source, drafts, currency, time_zone)


def _offers(
    source: Source, tables: Sequence[RateTable], eligible: Sequence[Eligible]
) -> Iterator[_Offer]:
    by_id = {table.id: table for table in tables}
    if not eligible:
        for table in tables:
            if table.validity.unsayable:
                source.lost(table.pointer, f"{table.validity.unsayable}: left out")
            else:
                yield _Offer(table, None, table.validity)
        return
    for who in eligible:
        found = by_id.get(who.table)
        if found is None:
            source.lost(who.pointer, f"the table {who.table} is not in the document: left out")
        elif who.unsayable or found.validity.unsayable:
            why = who.unsayable or found.validity.unsayable
            source.lost(who.pointer, f"{why}: left out")
        else:
            yield _Offer(found, who, _both(source, who, found))
    referred = {who.table for who in eligible}
    for table in tables:
        if table.id not in referred:
            source.lost(table.pointer, "no right specification refers to the table: left out")


def _both(source: Source, who: Eligible, table: RateTable) -> Validity:
    """When both a right and its table hold: what the right says goes before the table."""
    own, its = who.validity, table.validity
    if its.windows and own.windows and own.windows != its.windows:
        source.assumed(who.pointer, "the times of the right count, not those of its table")
    return own if own.windows or not its.windows else its


def _tariff(source: Source, offers: Sequence[_Offer], exponent: int) -> Drafted:
    """The tariff of those whom the same eligibility makes eligible."""
    first = offers[0]
    name = (first.who.name if first.who is not None else "") or first.table.name
    table: TariffTable = {"name": name}
    draft = Drafted(table, first.pointer)
    conditions = dict(first.who.conditions) if first.who is not None else {}
    order = ("vehicle_types", "electric", "accessible", "members", "reserved", "zones")
    if conditions:
        table["for"] = {key: conditions[key] for key in order if key in conditions}
    if first.who is None and first.table.validity.windows and len(offers) > 1:
        draft.assumed("", "tables with times of their own are the bands of one tariff")
    regular = _without_second_visits(draft, offers)
    prices = {offer.table.id: price_of(source, draft, offer.table, exponent) for offer in regular}
    for offer in regular:
        if offer.who is not None and offer.who.discount:
            draft.lost(f"{offer.pointer}/rateDiscount", "a discount on everything")
    if any(offer.validity.windows for offer in regular):
        _bands(draft, regular, prices, exponent)
    else:
        for other in regular[1:]:
            draft.lost(other.pointer, "another table holds at all times for the same: left out")
        _always(draft, first, prices[regular[0].table.id], exponent)
    _taxes(draft, regular, prices)
    return draft


def _without_second_visits(draft: Drafted, offers: Sequence[_Offer]) -> list[_Offer]:
    """The offers but those of another visit on the same day, which are a reading of the tariff."""
    regular = [o for o in offers if o.who is None or not o.who.is_second_visit]
    tables = {offer.table.id for offer in regular}
    for offer in offers:
        if offer in regular or offer.who is None:
            continue
        if offer.table.id in tables and offer.who.discount:
            draft.table["second_visit"] = "reduced"
            draft.table["second_visit_percent"] = amount_text(offer.who.discount, 0)
        else:
            draft.lost(offer.pointer, "another visit has prices of its own: left out")
    return regular or list(offers)


def _base(price: Price, exponent: int) -> dict[str, Any]:
    if price.steps:
        return {"steps": list(price.steps)}
    if price.tiers:
        return {"tiers": list(price.tiers)}
    return {"flat": amount_text(price.flat or Decimal(0), exponent)}


def _always(draft: Drafted, offer: _Offer, price: Price, exponent: int) -> None:
    table = draft.table
    base = _base(price, exponent)
    if offer.who is not None and offer.who.is_free:
        base = {"flat": amount_text(Decimal(0), exponent)}
        draft.assumed(offer.pointer, "freeToPark: whatever the table says")
    if "flat" in base:
        table["strategy"], table["amount"] = "FLAT", base["flat"]
    else:
        _say_end(draft, price)
        table["strategy"] = "BLOCK" if "steps" in base else "TIER"
        table.update(base)
    begins = {} if not price.reset else {"begins": clock_of_minutes(price.reset)}
    if price.reset is not None and "flat" not in base:
        table["new_day"] = "calendar_day"
        if price.reset:
            table["day_begins"] = clock_of_minutes(price.reset)
    if price.fee:
        table["entrance_fee"] = amount_text(price.fee, exponent)
    if price.least:
        table["minimum"] = amount_text(price.least, exponent)
    if price.most is None:
        return
    amount = amount_text(price.most, exponent)
    if price.reset is None:
        table["caps"] = [{"per": "stay", "amount": amount}]
    else:
        # After a reset, charges rise again until they reach the maximum.
        cap = {"per": "calendar_day", "amount": amount, "reading": "each", **begins}
        table["caps"] = [cap]
    if price.fee:
        table["entrance_fee_capped"] = price.fee_is_capped


def _bands(
    draft: Drafted, offers: Sequence[_Offer], prices: dict[str, Price], exponent: int
) -> None:
    table = draft.table
    table["strategy"] = "BAND"
    bands: list[TariffTable] = []
    named = {day for o in offers for w in o.validity.windows for day in w.days or ()}
    for offer, windows in _of_one_table(_by_precedence(draft, offers)):
        price = prices[offer.table.id]
        for exception in offer.validity.exceptions:
            if not {*(exception.days or ())} & {*named}:
                draft.assumed(offer.pointer, "time that is excepted is free", "bands", len(bands))
                hole = unique_name(f"{offer.table.name}, except", [b["name"] for b in bands])
                bands.append({"name": hole, **band_keys(exception), "free": True})
        if len(windows) > 1 and price.flat:
            draft.assumed(offer.pointer, "each of its windows costs the flat rate")
        for window in windows:
            name = unique_name(offer.table.name, [band["name"] for band in bands])
            bands.append({"name": name, **_band(draft, offer, price, window, exponent)})
    table["bands"] = bands
    _resets(draft, offers, prices)


def _band(
    draft: Drafted, offer: _Offer, price: Price, window: Window, exponent: int
) -> dict[str, Any]:
    base = _base(price, exponent)
    is_free = offer.who is not None and offer.who.is_free
    if is_free or ("flat" in base and not price.flat):
        base = {"free": True}
    length = (window.ends - window.begins) % DAY or DAY
    if price.ends is not None and price.ends >= length * MINUTE:
        base = _without_end(base)
    elif "free" not in base:
        _say_end(draft, price)
    band = {**band_keys(window), **base}
    if price.most is not None and "free" not in band:
        band["maximum"] = amount_text(price.most, exponent)
        if price.reset != window.begins % DAY:
            draft.assumed(offer.table.pointer, "its maximum holds each time that its hours begin")
    if price.fee:
        draft.lost(offer.table.pointer, "what is charged once, for its hours alone")
    if price.least:
        draft.lost(offer.table.pointer, "what its hours cost at least")
    return band


def _without_end(base: dict[str, Any]) -> dict[str, Any]:
    """A price that lasts as long as its hours: the last line may as well go on."""
    bounds = {"steps": "times", "tiers": "up_to_minutes"}
    return {
        key: [*value[:-1], {k: v for k, v in value[-1].items() if k != bounds[key]}]
        if key in bounds
        else value
        for key, value in base.items()
    }


def _say_end(draft: Drafted, price: Price) -> None:
    if price.ends is not None:
        what = f"a stay of more than {minutes_text(price.ends)} minutes has no price"
        draft.assumed(price.last_pointer, what)


def _resets(draft: Drafted, offers: Sequence[_Offer], prices: dict[str, Price]) -> None:
    """Whether all tables begin anew at one time. A maximum or flat rate that begins anew with its
    hours says nothing of that."""
    timed = [o for o in offers if prices[o.table.id].steps or prices[o.table.id].tiers]
    resets = {
        prices[offer.table.id].reset
        for offer in timed
        if prices[offer.table.id].most is None
        or all(prices[offer.table.id].reset != w.begins % DAY for w in offer.validity.windows)
    }
    if len(resets) == 1 and (reset := resets.pop()) is not None:
        draft.table["new_day"] = "calendar_day"
        if reset:
            draft.table["day_begins"] = clock_of_minutes(reset)
    elif resets - {None}:
        draft.lost(offers[0].table.pointer, "tables that begin anew at different times")


def _of_one_table(offers: Sequence[_Offer]) -> Iterator[tuple[_Offer, list[Window]]]:
    """The offers, and the windows of their tables: those of equal hours joined."""
    tables = dict.fromkeys(offer.table.id for offer in offers)
    for identity in tables:
        same = [offer for offer in offers if offer.table.id == identity]
        days_of: dict[tuple[int, int], list[str] | None] = {}
        for offer in same:
            for window in offer.validity.windows or (Window(),):
                hours = (window.begins, window.ends)
                known = days_of.setdefault(hours, [])
                if known is None or window.days is None:
                    days_of[hours] = None
                else:
                    known += [day for day in window.days if day not in known]
        yield (
            same[0],
            [
                Window(None if days is None else tuple(days), begins, ends)
                for (begins, ends), days in days_of.items()
            ],
        )


def _by_precedence(draft: Drafted, offers: Sequence[_Offer]) -> Sequence[_Offer]:
    """Offers as they are listed, unless their priorities say otherwise of equal kinds of days."""
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


def _rank(offer: _Offer) -> int:
    """How particular the days are, as among bands: 0 is the most."""
    days = [day for window in offer.validity.windows for day in window.days or ()]
    return min((rank_of_day(day) for day in days), default=rank_of_day(None))


def rank_of_day(day: str | None) -> int:
    """How particularly a band knows a day by this name; None is no name."""
    if day is None or day in WEEKDAYS:
        return 3
    return {HOLIDAY: 1, HOLIDAY_EVE: 2}.get(day, 0)


def _taxes(draft: Drafted, offers: Sequence[_Offer], prices: dict[str, Price]) -> None:
    rates = {(p.tax_rate, p.tax_included) for p in prices.values()}
    taxed = [price for price in prices.values() if price.tax_rate]
    if not taxed:
        if any(price.tax_included is False for price in prices.values()):
            draft.lost(offers[0].table.pointer, "tax is added, but not said how much")
        return
    if len(rates) > 1:
        draft.lost(offers[0].table.pointer, "tables of one tariff with different taxes", "taxes")
    rate = taxed[0].tax_rate
    assert rate is not None, "it is taxed"
    draft.table["taxes"] = [{"name": "tax", "percent": amount_text(rate, 0)}]
    if taxed[0].tax_included is not None:
        draft.table["tax_included"] = taxed[0].tax_included


def _priorities(drafts: Sequence[Drafted], groups: Sequence[Sequence[_Offer]]) -> None:
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
