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
    daily = [cap for cap in tariff.caps if cap.per == "calendar_day"]
    whole = [cap for cap in tariff.caps if cap.per == "stay"]
    written = next(iter([*daily, *whole]), None)
    for index, cap in enumerate(tariff.caps):
        if cap is not written:
            what = "APDS has one maximum, of a stay or of a day with its reset"
            writer.lost(f"caps/{index}", f"per {cap.per}: {what}")
    reset = tariff.day_begins or "00:00" if tariff.new_day == "calendar_day" else None
    if written is not None:
        key = f"caps/{tariff.caps.index(written)}"
        main["maxValueCollection"] = writer.number(f"{key}/amount", written.amount)
        reset = _reset_of_cap(writer, tariff, written, key, reset)
        if tariff.entrance_fee_capped is not None and not tariff.entrance_fee:
            writer.lost("entrance_fee_capped", "there is no fee")
    elif tariff.new_day is not None and tariff.new_day != "calendar_day":
        writer.lost("new_day", f"APDS does not say {tariff.new_day}")
    if tariff.entrance_fee_capped is not None and written is None and tariff.entrance_fee:
        writer.lost("entrance_fee_capped", "there is no maximum that it could count towards")
    if reset is not None:
        main["resetTime"] = reset
        if tariff.free_minutes:
            writer.assumed("free_minutes", "they are free anew at each reset")


def _reset_of_cap(
    writer: Writer, tariff: AnyTariff, cap: Cap, key: str, reset: str | None
) -> str | None:
    """The reset time with a maximum. It begins both anew, the lines and the maximum."""
    if cap.per == "stay":
        if tariff.new_day is not None:
            writer.lost("new_day", "a reset would begin the maximum of the stay anew")
        if cap.reading is not None:
            writer.lost(f"{key}/reading", "a stay has one window")
        return None
    begins = cap.begins or "00:00"
    if cap.reading == "multiplied":
        writer.lost(f"{key}/reading", "after a reset, APDS charges until that day's maximum")
    if tariff.new_day is not None and reset != begins:
        writer.lost("new_day", "a reset begins the lines anew, when the maximum's day does")
    return begins
