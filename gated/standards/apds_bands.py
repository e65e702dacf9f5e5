"""Tables of APDS with hours of their own as the bands of a tariff."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from gated.fields import amount_text
from gated.standards.apds_precedence import Offer, by_precedence
from gated.standards.apds_prices import Price, minutes_text
from gated.standards.asking import Drafted
from gated.standards.imported import TariffTable
from gated.standards.steps import MINUTE
from gated.standards.windows import DAY, Window, band_keys, clock_of_minutes, unique_name


def bands_of(
    draft: Drafted, offers: Sequence[Offer], prices: dict[str, Price], exponent: int
) -> None:
    table = draft.table
    table["strategy"] = "BAND"
    bands: list[TariffTable] = []
    named = {day for o in offers for w in o.validity.windows for day in w.days or ()}
    for offer, windows in _of_one_table(by_precedence(draft, offers)):
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
    draft: Drafted, offer: Offer, price: Price, window: Window, exponent: int
) -> dict[str, Any]:
    base = base_of(price, exponent)
    is_free = offer.who is not None and offer.who.is_free
    if is_free or ("flat" in base and not price.flat):
        base = {"free": True}
    length = (window.ends - window.begins) % DAY or DAY
    if price.ends is not None and price.ends >= length * MINUTE:
        base = _without_end(base)
    elif "free" not in base:
        say_end(draft, price)
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


def _resets(draft: Drafted, offers: Sequence[Offer], prices: dict[str, Price]) -> None:
    """Whether all tables begin anew at one time. A maximum or flat rate that begins anew with its
    hours says nothing of that."""
    timed = [o for o in offers if prices[o.table.id].steps or prices[o.table.id].tiers]
    resets = {
        prices[offer.table.id].reset
        for offer in timed
        if prices[offer.table.id].most is None
        or all(
            prices[offer.table.id].reset != window.begins % DAY
            for window in offer.validity.windows or (Window(),)
        )
    }
    if len(resets) == 1 and (reset := resets.pop()) is not None:
        draft.table["new_day"] = "calendar_day"
        if reset:
            draft.table["day_begins"] = clock_of_minutes(reset)
    elif resets - {None}:
        draft.lost(offers[0].table.pointer, "tables that begin anew at different times")


def _of_one_table(offers: Sequence[Offer]) -> Iterator[tuple[Offer, list[Window]]]:
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


def base_of(price: Price, exponent: int) -> dict[str, Any]:
    if price.steps:
        return {"steps": list(price.steps)}
    if price.tiers:
        return {"tiers": list(price.tiers)}
    return {"flat": amount_text(price.flat or Decimal(0), exponent)}


def say_end(draft: Drafted, price: Price) -> None:
    if price.ends is not None:
        what = f"a stay of more than {minutes_text(price.ends)} minutes has no price"
        draft.assumed(price.last_pointer, what)
