"""A price as a receipt for the till: 48 columns, words on the left, amounts on the right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import wrap
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from gated.db.tariffs import Line
from gated.desk.instants import instants, shown, span
from gated.desk.lines import amount, instant, number, text, words

WIDTH = 48


@dataclass(frozen=True, slots=True)
class Bill:
    """What a receipt says. `amount` has the decimals of the currency. Without `exit` the vehicle is
    still inside, and its stay priced up to `until`.
    """

    facility: str
    zone: ZoneInfo
    ticket: str
    plate: str
    entry: datetime
    exit: datetime | None
    until: datetime
    lines: Sequence[Line]
    amount: Decimal
    currency: str
    paid: Decimal | None = None
    due: Decimal | None = None


def receipt(bill: Bill) -> str:
    """The receipt, without a line end after the last line. No line is wider than `WIDTH`."""
    return "\n".join(_receipt(bill))


def _receipt(bill: Bill) -> Iterator[str]:
    for part in wrap(bill.facility, WIDTH) or [""]:
        yield part.center(WIDTH).rstrip()
    yield "-" * WIDTH
    yield from _pair("Ticket", bill.ticket)
    if bill.plate:
        yield from _pair("Plate", bill.plate)
    yield from _pair("In", shown(bill.entry, bill.zone))
    if bill.exit is not None:
        yield from _pair("Out", shown(bill.exit, bill.zone))
    else:
        yield from _pair("Still inside, until", shown(bill.until, bill.zone))
    yield from _pair("Time", span(_whole_seconds(bill.until - bill.entry)))
    yield "-" * WIDTH
    yield from _lines(bill)
    yield "-" * WIDTH
    yield from _pair("Total", f"{bill.currency} {bill.amount}")
    if bill.paid is not None:
        yield from _pair("Paid", f"{_decimals(bill.paid, bill.amount)}")
    if bill.due is not None:
        yield from _pair("Due", f"{bill.currency} {_decimals(bill.due, bill.amount)}")


def _lines(bill: Bill) -> Iterator[str]:
    """The lines under the tariff's name, each part of the stay under its times."""
    heading = period = ""
    for line in bill.lines:
        rule = text(line, "name")
        if rule and rule != heading:
            yield from _pair(rule, "")
            heading = rule
        times = _period(line, bill.zone)
        if times and times != period:
            yield from _pair(times, "")
            period = times
        # Without times a line is about the whole stay, and stands under no part of it.
        indent = "  " if times else ""
        yield from _pair(indent + words(line), _said(line, bill.amount))


def _said(line: Line, of: Decimal) -> str:
    """The amount with the currency's decimals. What a tax contains adds nothing: in brackets."""
    contained = number(line, "contained")
    if contained is not None and not amount(line):
        return f"({_decimals(contained, of)})"
    added = amount(line)
    return "" if added is None else f"{_decimals(added, of)}"


def _decimals(value: Decimal, of: Decimal) -> Decimal:
    """With as many decimals as the amount has, or more where the value needs them."""
    return value.normalize() + (of - of)  # a sum has the decimals of the finer one


def _period(line: Line, zone: ZoneInfo) -> str:
    """`Mon 08:00 - 11:25`, or `Mon 22:00 - Tue 06:00`."""
    start, end = instant(line, "from"), instant(line, "to")
    if start is None or end is None:
        return ""
    same = start.astimezone(zone).date() == end.astimezone(zone).date()
    return f"{_reading(start, zone)} - {_reading(end, zone, day=not same)}"


def _reading(at: datetime, zone: ZoneInfo, *, day: bool = True) -> str:
    local = at.astimezone(zone)
    written = "%H:%M:%S" if local.second else "%H:%M"
    said = local.strftime(f"%a {written}" if day else written)
    twice = len(instants(local.replace(tzinfo=None), zone)) > 1
    return said + (f" {local.tzname()}" if twice else "")


def _whole_seconds(duration: timedelta) -> timedelta:
    return timedelta(seconds=round(duration.total_seconds()))


def _pair(left: str, right: str) -> Iterator[str]:
    """Left and right on one line; a long left is wrapped, and the right stands beside its end."""
    room = WIDTH - (cell_len(right) + 1 if right else 0)
    indent = left[: len(left) - len(left.lstrip())]
    parts = _wrapped(left, room, indent)
    yield from parts[:-1]
    last = parts[-1]
    gap = WIDTH - cell_len(last) - cell_len(right) if right else 0
    yield f"{last}{' ' * gap}{right}"


def _wrapped(left: str, room: int, indent: str) -> list[str]:
    if cell_len(left) <= room:
        return [left]
    # Wide characters take two columns: with half the room there is always enough.
    columns = room if cell_len(left) == len(left) else room // 2
    return wrap(left, columns, subsequent_indent=f"{indent}  ") or [""]
