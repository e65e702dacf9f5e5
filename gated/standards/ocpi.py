"""Tariffs of OCPI 2.2.1 as tariffs of a car park: what it costs to be there, not to charge.

A stay is what OCPI calls PARKING_TIME. A tariff that prices charging TIME only is taken to mean the
whole stay.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.standards.asking import Drafted, finished
from gated.standards.imported import Imported, TariffTable
from gated.standards.ocpi_elements import ChargingTariff, Component, charging_tariffs
from gated.standards.source import Source
from gated.standards.steps import HOUR, Line, free_line, steps_of
from gated.standards.windows import DAY, Window, band_keys, title, unique_name
from gated.tariff.values import WEEKDAYS

# The components of one dimension that are active at some time, the first of which counts.
_Active = tuple[Component, ...]


def imported(document: object) -> Imported:
    """The tariffs of a document: one tariff, an array, or a server's answer with either.

    The time zone is that of OCPI's location, which a tariff does not name. Raises ConfigError, or
    ConfigErrors for several.
    """
    source = Source()
    tariffs = charging_tariffs(source, document)
    for other in tariffs[1:]:
        if other.currency != tariffs[0].currency:
            expected = f"expected the {tariffs[0].currency} of the first tariff"
            source.complain(f"{other.pointer}/currency", f"{expected}, got {other.currency}")
    source.refuse()
    currency = tariffs[0].currency
    drafts = [_tariff(tariff, EXPONENTS[currency]) for tariff in tariffs]
    if len(drafts) > 1:
        source.assumed("", "of the tariffs, the first listed has the highest priority")
        for index, draft in enumerate(drafts):
            draft.table["priority"] = len(drafts) - 1 - index
    return finished(source, drafts, currency, None)


def _tariff(tariff: ChargingTariff, exponent: int) -> Drafted:
    table: TariffTable = {"name": tariff.name}
    draft = Drafted(table, tariff.pointer)
    fee = _fee(draft, tariff)
    times = _times(draft, tariff)
    if not any(time.price for time in times):
        table["strategy"] = "FLAT"
        table["amount"] = amount_text(fee.price if fee else Decimal(0), exponent)
        if fee is None:
            draft.assumed(tariff.pointer, "nothing of it is a price of parking: it is free")
    else:
        _time_price(draft, times, exponent)
        # A session costs as much as it lasts, from its begin: nothing begins anew.
        table["new_day"] = "continue"
        # 101 to 125 are billed as 125, if the step is 25.
        table["limit_reading"] = "inclusive"
        if fee is not None and fee.price:
            table["entrance_fee"] = amount_text(fee.price, exponent)
    if tariff.minimum:
        table["minimum"] = amount_text(tariff.minimum, exponent)
    if tariff.maximum is not None:
        table["caps"] = [{"per": "stay", "amount": amount_text(tariff.maximum, exponent)}]
        if "entrance_fee" in table:
            table["entrance_fee_capped"] = True
    # Each session has a charge record of its own.
    table["second_visit"] = "separate"
    _taxes(draft, [*times, *([fee] if fee else [])])
    return draft


def _fee(draft: Drafted, tariff: ChargingTariff) -> Component | None:
    """The first FLAT component that always holds: one with restrictions has no place."""
    found: Component | None = None
    for component in tariff.components:
        if component.dimension != "FLAT":
            continue
        restrictions = component.restrictions
        if found is not None:
            draft.lost(component.pointer, "never counts: an earlier FLAT component does")
        elif restrictions.has_window or restrictions.longer_than or restrictions.shorter_than:
            draft.lost(component.pointer, "FLAT with restrictions: a fee is asked of every stay")
        else:
            found = component
    return found


def _times(draft: Drafted, tariff: ChargingTariff) -> list[Component]:
    """What is priced by the hour of a stay."""
    times = [each for each in tariff.components if each.dimension in ("TIME", "PARKING_TIME")]
    parking = [each for each in times if each.dimension == "PARKING_TIME"]
    if not parking:
        if times:
            what = "TIME is charging time: as nothing else is priced, it is taken for the stay"
            draft.assumed(times[0].pointer, what)
        return times
    for other in times:
        if other.dimension == "TIME":
            draft.lost(other.pointer, "TIME: a price of charging time, while PARKING_TIME counts")
    return parking


def _time_price(draft: Drafted, times: Sequence[Component], exponent: int) -> None:
    table = draft.table
    if not any(time.restrictions.has_window for time in times):
        table["strategy"] = "BLOCK"
        table["steps"] = _steps(draft, times, exponent)
        return
    table["strategy"] = "BAND"
    bands: list[TariffTable] = []
    for window, active in _windows(times):
        name = unique_name(title(window), [band["name"] for band in bands])
        price: dict[str, Any] = (
            {"steps": _steps(draft, active, exponent)}
            if any(time.price for time in active)
            else {"free": True}
        )
        bands.append({"name": name, **band_keys(window), **price})
    table["bands"] = bands
    # min_duration and max_duration are those of the session, whatever the time of day.
    table["band_border"] = "continue"
    if any(time.step_size > 1 for time in times):
        draft.assumed(
            times[0].pointer,
            "step_size: a step that has begun is paid and lasts over the border, where OCPI rounds"
            " only the sum, by the step of the last element",
            "band_border",
        )


def _windows(times: Sequence[Component]) -> list[tuple[Window, _Active]]:
    """The week in windows of equal components, each with those that are active in it."""
    borders = sorted(
        {0, DAY}
        | {time.restrictions.begins % DAY for time in times}
        | {time.restrictions.ends for time in times}
    )
    # By the time of day and the components: the days on which they are active then.
    days_of: dict[tuple[int, int, _Active], list[int]] = {}
    # Elements that cost the same need no border between them.
    equal: dict[tuple[tuple[object, ...], ...], _Active] = {}
    for day in range(7):
        pieces: list[tuple[int, int, _Active]] = []
        for begins, ends in pairwise(borders):
            active = tuple(time for time in times if time.restrictions.holds_at(day, begins))
            active = equal.setdefault(tuple(_cost(time) for time in active), active)
            if pieces and pieces[-1][2] == active:
                pieces[-1] = (pieces[-1][0], ends, active)
            else:
                pieces.append((begins, ends, active))
        for piece in pieces:
            days_of.setdefault(piece, []).append(day)
    _join_nights(days_of)
    return [
        (Window(_day_names(days), begins, ends), active)
        for (begins, ends, active), days in sorted(
            days_of.items(), key=lambda item: (item[1], item[0][0])
        )
    ]


def _cost(time: Component) -> tuple[object, ...]:
    lengths = (time.restrictions.longer_than, time.restrictions.shorter_than)
    return (time.price, time.step_size, *lengths)


def _join_nights(days_of: dict[tuple[int, int, _Active], list[int]]) -> None:
    """What lasts to midnight and goes on after it, on each of its days, is one window."""
    for (begins, ends, active), days in list(days_of.items()):
        if ends != DAY or begins == 0:
            continue
        next_days = sorted((day + 1) % 7 for day in days)
        for other, other_days in list(days_of.items()):
            if other[0] == 0 and other[1] != DAY and other[2] == active and other_days == next_days:
                del days_of[begins, ends, active], days_of[other]
                days_of[begins, other[1], active] = days
                break


def _day_names(days: Sequence[int]) -> tuple[str, ...] | None:
    return None if len(days) == 7 else tuple(WEEKDAYS[day] for day in days)


def _steps(draft: Drafted, active: Sequence[Component], exponent: int) -> list[dict[str, Any]]:
    """The steps of components, of which the first that holds for a length of the stay counts."""
    borders = sorted(
        {0}
        | {time.restrictions.longer_than for time in active}
        | {time.restrictions.shorter_than or 0 for time in active}
    )
    pieces: list[tuple[int, int | None, Component | None]] = []
    for starts, ends in zip(borders, [*borders[1:], None], strict=True):
        counts = next((time for time in active if _holds_for(time, starts)), None)
        if pieces and pieces[-1][2] == counts:
            pieces[-1] = (pieces[-1][0], ends, counts)
        else:
            pieces.append((starts, ends, counts))
    return steps_of([_line(draft, *piece) for piece in pieces], exponent)


def _holds_for(time: Component, length: int) -> bool:
    longest = time.restrictions.shorter_than
    return time.restrictions.longer_than <= length and (longest is None or length < longest)


def _line(draft: Drafted, starts: int, ends: int | None, time: Component | None) -> Line:
    if time is None or not time.price:
        return free_line(starts, ends)
    step = time.step_size or 1
    if starts % step or (ends is not None and ends % step):
        draft.assumed(
            f"{time.pointer}/step_size",
            "steps are counted from where the element becomes active, and its last one may be cut",
            "steps" if "steps" in draft.table else "bands",
        )
    return Line(starts, ends, step, time.price, HOUR)


def _taxes(draft: Drafted, components: Sequence[Component]) -> None:
    """VAT is a component's own in OCPI, and that of the whole price in a tariff."""
    priced = [each for each in components if each.price]
    rates = {each.vat or Decimal(0) for each in priced}
    if not rates or rates == {Decimal(0)}:
        return
    counts = priced[0]
    for each in priced[1:]:
        if (each.vat or 0) != (counts.vat or 0):
            what = f"vat {each.vat or 0}: the whole price has one VAT, that of {counts.dimension}"
            draft.lost(f"{each.pointer}/vat", what, "taxes")
    if not counts.vat:
        return
    draft.table["taxes"] = [{"name": "VAT", "percent": amount_text(counts.vat, 0)}]
    # All prices of OCPI are without VAT.
    draft.table["tax_included"] = False
