"""APDS documents as tariffs: one for each eligibility, with a band for each table of its hours."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.standards.apds_bands import bands_of, base_of, say_end
from gated.standards.apds_days import Validity
from gated.standards.apds_precedence import Offer, set_priorities
from gated.standards.apds_prices import Price, price_of
from gated.standards.apds_rights import eligible_of, zones_of
from gated.standards.apds_tables import Eligible, RateTable, objects_of, table_of
from gated.standards.asking import Drafted, finished
from gated.standards.imported import Imported, TariffTable
from gated.standards.source import Source
from gated.standards.windows import DAY, Window, band_keys, clock_of_minutes


def imported(document: object) -> Imported:
    """The tariffs of rate tables, alone or with the right specifications that refer to them.

    Raises ConfigError, or ConfigErrors for several.
    """
    source = Source()
    objects = objects_of(source, document)
    zones, time_zone = zones_of(source, objects.places)
    tables = [table_of(source, part) for part in objects.tables]
    eligible = [each for part in objects.rights for each in eligible_of(source, part, zones)]
    if not tables and not source.complaints:
        source.complain("", "expected a rate table")
    currencies = {c.currency: c.pointer for table in tables for c in table.collections}
    for other in list(currencies)[1:]:
        expected = f"expected the {next(iter(currencies))} of the first collection"
        source.complain(f"{currencies[other]}/applicableCurrency", f"{expected}, got {other}")
    source.refuse()
    currency = next(iter(currencies))
    groups: dict[str, list[Offer]] = {}
    for offer in _offers(source, tables, eligible):
        groups.setdefault(offer.group, []).append(offer)
    drafts = [_tariff(source, offers, EXPONENTS[currency]) for offers in groups.values()]
    set_priorities(drafts, list(groups.values()))
    return finished(source, drafts, currency, time_zone)


def _offers(
    source: Source, tables: Sequence[RateTable], eligible: Sequence[Eligible]
) -> Iterator[Offer]:
    by_id = {table.id: table for table in tables}
    if not eligible:
        for table in tables:
            if table.validity.unsayable:
                source.lost(table.pointer, f"{table.validity.unsayable}: left out")
            else:
                yield Offer(table, None, table.validity)
        return
    for who in eligible:
        found = by_id.get(who.table)
        if found is None:
            source.lost(who.pointer, f"the table {who.table} is not in the document: left out")
        elif who.unsayable or found.validity.unsayable:
            why = who.unsayable or found.validity.unsayable
            source.lost(who.pointer, f"{why}: left out")
        else:
            yield Offer(found, who, _both(source, who, found))
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


def _tariff(source: Source, offers: Sequence[Offer], exponent: int) -> Drafted:
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
        bands_of(draft, regular, prices, exponent)
    else:
        for other in regular[1:]:
            draft.lost(other.pointer, "another table holds at all times for the same: left out")
        _always(draft, first, prices[regular[0].table.id], exponent)
    _taxes(draft, regular, prices)
    return draft


def _without_second_visits(draft: Drafted, offers: Sequence[Offer]) -> list[Offer]:
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


def _always(draft: Drafted, offer: Offer, price: Price, exponent: int) -> None:
    table = draft.table
    base = base_of(price, exponent)
    if offer.who is not None and offer.who.is_free:
        base = {"flat": amount_text(Decimal(0), exponent)}
        draft.assumed(offer.pointer, "freeToPark: whatever the table says")
        price = replace(price, flat=Decimal(0))
    if "flat" in base and price.flat and price.reset is not None:
        _daily(draft, offer, base, price.reset)
        price = replace(price, reset=None)
    elif "flat" in base:
        table["strategy"], table["amount"] = "FLAT", base["flat"]
        price = replace(price, reset=None)
    else:
        say_end(draft, price)
        table["strategy"] = "BLOCK" if "steps" in base else "TIER"
        table.update(base)
    if price.reset is not None:
        table["new_day"] = "calendar_day"
        if price.reset:
            table["day_begins"] = clock_of_minutes(price.reset)
    if price.fee:
        table["entrance_fee"] = amount_text(price.fee, exponent)
    if price.least:
        table["minimum"] = amount_text(price.least, exponent)
    if price.most is not None:
        table["caps"] = [_cap(price.most, price.reset, exponent)]
        if price.fee:
            table["entrance_fee_capped"] = price.fee_is_capped


def _daily(draft: Drafted, offer: Offer, base: dict[str, Any], reset: int) -> None:
    """A flat rate that begins anew each day is that of a band of a day's length."""
    window = Window(None, reset, reset or DAY)
    draft.table["strategy"] = "BAND"
    draft.table["bands"] = [{"name": offer.table.name, **band_keys(window), **base}]
    what = "resetTime: the flat rate is charged anew each day; if it is not, it is a FLAT tariff"
    draft.assumed(offer.table.pointer, what, "bands")


def _cap(most: Decimal, reset: int | None, exponent: int) -> dict[str, Any]:
    """After a reset, charges rise again until they reach the maximum."""
    amount = amount_text(most, exponent)
    if reset is None:
        return {"per": "stay", "amount": amount}
    cap = {"per": "calendar_day", "amount": amount, "reading": "each"}
    return {**cap, "begins": clock_of_minutes(reset)} if reset else cap


def _taxes(draft: Drafted, offers: Sequence[Offer], prices: dict[str, Price]) -> None:
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
