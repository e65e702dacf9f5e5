"""A tariff without bands as the collections of a rate table: its lines, its fee, its limits."""

from decimal import Decimal
from typing import Any

from gated.standards.apds_lines import (
    Charge,
    Writer,
    after_free_minutes,
    charges_of_steps,
    charges_of_tiers,
    flat_line,
    lines_of,
)
from gated.standards.steps import MINUTE
from gated.tariff.model import AnyTariff, BlockTariff, FlatTariff, TierTariff
from gated.tariff.parts import Cap


def collections_of(
    writer: Writer, tariff: FlatTariff | BlockTariff | TierTariff
) -> list[dict[str, Any]]:
    """The collections of a tariff without bands: its lines, and a fee before them."""
    fee = tariff.entrance_fee or Decimal(0)
    free = tariff.free_minutes * MINUTE
    charges = _charges(writer, tariff)
    if free:
        _say_free(writer, tariff)
        is_deducted = tariff.free_minutes_reading != "threshold"
        charges = after_free_minutes(charges, free, fee, is_deducted=is_deducted)
        fee = Decimal(0)
    key = {"FLAT": "amount", "BLOCK": "steps", "TIER": "tiers"}[tariff.strategy]
    if isinstance(tariff, FlatTariff) and not free:
        lines = [flat_line(writer, key, tariff.amount)]
    else:
        lines = lines_of(writer, key, charges)
    own: list[dict[str, Any]] = [{"collectionSequence": 1, "rateLines": lines}]
    if fee:
        fee_line = flat_line(writer, "entrance_fee", fee)
        if tariff.entrance_fee_capped is False and tariff.caps:
            own = [{"collectionSequence": 1, "rateLines": [fee_line]}, *own]
            own[1]["collectionSequence"] = 2
        else:
            lines.insert(0, fee_line)
            for sequence, line in enumerate(lines, 1):
                line["sequence"] = sequence
    main = own[-1]
    if tariff.minimum is not None:
        if free or len(own) > 1:
            writer.lost("minimum", "it would be asked of free stays, or without the fee")
        else:
            main["minValueCollection"] = writer.number("minimum", tariff.minimum)
    _limits(writer, tariff, main)
    return own


def _charges(writer: Writer, tariff: FlatTariff | BlockTariff | TierTariff) -> list[Charge]:
    match tariff:
        case FlatTariff():
            return [Charge(0, None, None, tariff.amount)]
        case BlockTariff():
            return charges_of_steps(writer, "steps", tariff.steps)
        case TierTariff():
            return charges_of_tiers(tariff.tiers)


def _say_free(writer: Writer, tariff: AnyTariff) -> None:
    what = f"they are a first line that costs nothing, read as {tariff.free_minutes_reading}"
    if tariff.free_minutes_reading is None:
        what = "they are a first line that costs nothing, taken off every stay"
    writer.assumed("free_minutes", what)
    if tariff.free_minutes_reading is not None:
        writer.assumed("free_minutes_reading", "it is told by what the lines after it cost")
    if tariff.entrance_fee is not None:
        writer.assumed("entrance_fee", "it is part of the first line that costs something")
        if tariff.entrance_fee_capped is not None:
            writer.lost("entrance_fee_capped", "as part of a line the fee counts towards maxima")


def _limits(writer: Writer, tariff: AnyTariff, main: dict[str, Any]) -> None:
    """The one maximum that a collection has, and the time of day at which it begins anew."""
    written = _maximum(writer, tariff, main)
    reset = tariff.day_begins or "00:00" if tariff.new_day == "calendar_day" else None
    if written is not None:
        own = written.begins or "00:00" if written.per == "calendar_day" else None
        if reset != own:
            what = "a reset begins the lines and the maximum anew, both at once"
            writer.new_day_lost(tariff, what)
        reset = own
    if isinstance(tariff, FlatTariff):
        # With a reset, it would be charged each day.
        writer.new_day_lost(tariff, "a flat rate is charged once")
    elif reset is None:
        writer.new_day_lost(tariff, f"APDS does not say {tariff.new_day}")
    else:
        main["resetTime"] = reset
        if tariff.free_minutes:
            writer.assumed("free_minutes", "they are free anew at each reset")
    if tariff.entrance_fee_capped is not None and not (tariff.entrance_fee and written):
        writer.lost("entrance_fee_capped", "there is no fee, or no maximum for it to count towards")


def _maximum(writer: Writer, tariff: AnyTariff, main: dict[str, Any]) -> Cap | None:
    """Write the maximum of a day, or else of the stay; which cap it is."""
    pers = ("stay",) if isinstance(tariff, FlatTariff) else ("calendar_day", "stay")
    caps = [cap for per in pers for cap in tariff.caps if cap.per == per]
    written = caps[0] if caps else None
    for index, cap in enumerate(tariff.caps):
        if cap is not written:
            what = "APDS has one maximum, of a stay or of a day with its reset"
            writer.lost(f"caps/{index}", f"per {cap.per}: {what}")
    if written is not None:
        key = f"caps/{tariff.caps.index(written)}"
        main["maxValueCollection"] = writer.number(f"{key}/amount", written.amount)
        if written.reading == "multiplied":
            writer.lost(f"{key}/reading", "after a reset, APDS charges until that day's maximum")
    return written
