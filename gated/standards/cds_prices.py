"""What a rule of CDS costs, in the words of a tariff, and what CDS says of disputed readings."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from gated.fields import amount_text
from gated.standards.asking import Drafted
from gated.standards.cds_policies import Rate, Rule
from gated.standards.steps import DAY, MINUTE, Line, free_line, steps_of, without_gaps


def price_of_rule(draft: Drafted, rule: Rule, exponent: int) -> dict[str, Any]:
    """What a band or tariff of the rule costs: `steps`, `flat` or `free`."""
    rates = sorted(rule.rates, key=lambda rate: rate.starts)
    if not rates:
        draft.assumed(rule.pointer, "no rate is given: it is free")
        return {"free": True}
    if not any(rate.rate for rate in rates) and rates[-1].ends is None:
        return {"free": True}
    if _is_day_ticket(rates):
        return {"flat": _amount(rates[0].rate, exponent)}
    lines: list[Line] = []
    for rate in rates:
        if rate.is_calendar:
            what = f"the {rate.unit} is counted from the arrival, not by the calendar"
            draft.lost(f"{rate.pointer}/rate_unit_period", what)
        lines.append(_line(draft, rate, exponent))
    if lines[0].starts > 0 or any(later.starts != line.ends for line, later in pairwise(lines)):
        draft.assumed(rule.pointer, "between the rates is a gap: such time is free")
    lines = without_gaps(lines)
    last = lines[-1]
    if last.ends is not None and last.ends == rule.max_stay:
        lines[-1] = Line(last.starts, None, last.block, last.price, last.price_seconds)
        what = "who stays longer than max_stay goes on paying the last rate"
        draft.assumed(rates[-1].pointer, what)
    elif last.ends is not None:
        what = f"a stay of more than {last.ends // MINUTE} minutes has no price"
        draft.assumed(f"{rates[-1].pointer}/end_duration", what)
    return {"steps": steps_of(lines, exponent)}


def _is_day_ticket(rates: Sequence[Rate]) -> bool:
    """A price for each calendar day that is touched: the flat price of a band."""
    rate = rates[0]
    return (
        len(rates) == 1
        and rate.is_calendar
        and rate.unit == "day"
        and (rate.starts, rate.ends) == (0, None)
        and rate.increment in (None, DAY)
    )


def _line(draft: Drafted, rate: Rate, exponent: int) -> Line:
    unit = rate.unit_seconds
    assert unit is not None, "such a rule was left out"
    if not rate.rate:
        return free_line(rate.starts, rate.ends)
    if rate.increment is None:
        what = f"any length can be paid for: to the second, as a share of the {rate.unit}"
        draft.assumed(f"{rate.pointer}/rate_unit", what)
        return Line(rate.starts, rate.ends, 1, _decimal(rate.rate, exponent), unit)
    price = _decimal(rate.rate * (rate.increment // unit), exponent)
    line = Line(rate.starts, rate.ends, rate.increment, price)
    if line.is_cut:
        what = "an increment that the next rate cuts short is paid in full"
        draft.assumed(f"{rate.pointer}/increment_duration", what)
    return line


def set_readings(draft: Drafted, rates: Sequence[Rate], exponent: int) -> None:
    """What CDS answers of that which people dispute."""
    table = draft.table
    steps = table.get("steps", []) + [s for b in table.get("bands", []) for s in b.get("steps", [])]
    if steps:
        # start_duration is inclusive and end_duration exclusive: at exactly 60 minutes the rate
        # from 60 minutes on applies. By the second, that would only charge one second more.
        by_second = any("price_minutes" in step or step.get("seconds") == 1 for step in steps)
        table["limit_reading"] = "inclusive" if by_second else "exclusive"
        if by_second:
            draft.assumed(
                rates[0].pointer,
                "the second that begins at the end of a stay costs nothing",
                "limit_reading",
            )
        # Durations are counted from the arrival to the departure, and never anew.
        table["new_day"] = "continue"
    fees = {rate.maximum_fee for rate in rates} - {None}
    if fees:
        fee = min(fee for fee in fees if fee is not None)
        table["caps"] = [{"per": "stay", "amount": _amount(fee, exponent)}]
        if len({rate.maximum_fee for rate in rates}) > 1:
            what = "the lowest maximum_fee is that of the whole stay"
            draft.assumed(rates[0].pointer, what, "caps")
    coins = {rate.increment_amount for rate in rates if rate.rate}
    if coins - {None}:
        if len(coins) == 1:
            coin = _amount(next(iter(coins)) or 1, exponent)
            table["rounding"] = {"mode": "up", "per": "total", "to": coin}
            draft.assumed(
                rates[0].pointer, "increment_amount: it is the total that is rounded up", "rounding"
            )
        else:
            what = "increment_amount: the rates of a tariff cannot be rounded each in its own way"
            draft.lost(rates[0].pointer, what)


def _decimal(minor: int, exponent: int) -> Decimal:
    return Decimal(minor).scaleb(-exponent)


def _amount(minor: int, exponent: int) -> str:
    return amount_text(_decimal(minor, exponent), exponent)
