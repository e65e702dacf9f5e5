"""What a rate table of APDS costs, in the words of a tariff.

Lines add up: a flatRateTier is what its stretch of the stay costs, whatever is used of it, and an
incrementingRate what each of its increments costs, which is charged at its start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from math import gcd
from typing import Any

from gated.fields import amount_text
from gated.standards.apds_tables import Collection, RateLine, RateTable
from gated.standards.asking import Drafted
from gated.standards.source import Source
from gated.standards.steps import HOUR, MINUTE, SECONDS_MAX, Line, steps_of, without_gaps


@dataclass(frozen=True, slots=True)
class Price:
    """What a table costs: one of `flat`, `steps` and `tiers`, and what goes with it."""

    flat: Decimal | None
    steps: tuple[dict[str, Any], ...]
    tiers: tuple[dict[str, Any], ...]
    fee: Decimal
    fee_is_capped: bool
    least: Decimal | None
    most: Decimal | None
    # In minutes of the day.
    reset: int | None
    tax_included: bool | None
    tax_rate: Decimal | None
    # The length of stay, in seconds, after which the last line ends; None: it goes on.
    ends: int | None
    last_pointer: str


def price_of(source: Source, draft: Drafted, table: RateTable, exponent: int) -> Price:
    """The price of a table. Complains of lines that contradict each other."""
    flats = [
        (each, line) for each in table.collections for line in each.lines if line.type == "flatRate"
    ]
    timed = [each for each in table.collections if _time_lines(each)]
    main = timed[0] if timed else (flats[-1][0] if flats else table.collections[0])
    for other in timed[1:]:
        draft.lost(other.pointer, "a tariff has one row of lines: the first that is listed")
    for each in table.collections:
        if each is not main and (each.least is not None or each.most is not None):
            draft.lost(each.pointer, "what these lines cost at least or at most")
        for line in each.lines:
            if line.type == "perUnit":
                draft.lost(line.pointer, "perUnit: a price of something else than time")
    lines = _time_lines(main)
    flat = None if lines else sum((line.value for _, line in flats[-1:]), Decimal(0))
    fees = flats if lines else flats[:-1]
    for _, line in fees:
        draft.assumed(line.pointer, "a flatRate beside other lines is charged once, for the entry")
    for _, line in flats:
        if line.starts or line.ends is not None:
            draft.lost(line.pointer, "from when to when of a stay a flatRate holds")
    least, most = main.least, main.most
    if len(main.lines) == 1 and lines:
        least = lines[0].least if least is None else least
        most = lines[0].most if most is None else most
    placed = _placed(source, draft, main, lines)
    tiers = () if flat is not None else _tiers(draft, placed, exponent)
    steps = () if flat is not None or tiers else _steps(draft, main, placed, exponent)
    return Price(
        flat,
        steps,
        tiers,
        sum((line.value for _, line in fees), Decimal(0)),
        all(each is main for each, _ in fees),
        least,
        most,
        main.reset,
        main.tax_included,
        main.tax_rate,
        placed[-1].ends if placed else None,
        placed[-1].line.pointer if placed else table.pointer,
    )


def _time_lines(collection: Collection) -> list[RateLine]:
    return [line for line in collection.lines if line.type in ("flatRateTier", "incrementingRate")]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line and the stretch of the stay that it is for; `block` is that of a flat tier too."""

    line: RateLine
    starts: int
    ends: int | None
    block: int

    @property
    def is_lump(self) -> bool:
        if self.ends is None:
            return self.block == SECONDS_MAX
        return self.block >= self.ends - self.starts


def _placed(
    source: Source, draft: Drafted, collection: Collection, lines: Sequence[RateLine]
) -> list[_Placed]:
    """The lines in order. Those that say nothing of durations follow each other, once each."""
    if not lines:
        return []
    is_chain = len(lines) > 1 and all(line.starts is None and line.ends is None for line in lines)
    if is_chain:
        what = "lines without durations follow each other, each for one increment"
        draft.assumed(collection.pointer, what)
    elif collection.relative_times is False and any(line.starts for line in lines[:1]):
        what = "durations are counted from the begin of the stay, though relativeTimes is false"
        draft.assumed(collection.pointer, what)
    ordered = sorted(lines, key=lambda line: line.starts or 0)
    placed: list[_Placed] = []
    at = 0
    for index, line in enumerate(ordered):
        starts = at if line.starts is None else line.starts
        later = ordered[index + 1] if index + 1 < len(ordered) else None
        ends = line.ends
        if ends is None and (is_chain or later is not None or (line.once and line.increment)):
            follows = None if later is None else later.starts
            ends = follows if follows is not None else starts + (line.increment or 0)
        block = line.increment
        if block is None:
            block = SECONDS_MAX if ends is None else ends - starts
            if (ends is None and line.type == "incrementingRate") or block <= 0:
                expected = 'is missing: expected the length of an increment, such as "PT1H"'
                source.complain(f"{line.pointer}/incrementPeriod", expected)
                continue
        placed.append(_Placed(line, starts, ends, block))
        at = starts if ends is None else ends
    placed = _snapped(draft, placed)
    for before, after in pairwise(placed):
        if before.ends is None or after.starts < before.ends:
            source.complain(after.line.pointer, "expected lines that do not overlap")
    return _to_the_end(draft, collection, placed)


def _snapped(draft: Drafted, placed: list[_Placed]) -> list[_Placed]:
    """Lines up to a minute apart follow each other: people write "to 1:59:59" and "from 2:01"."""
    for index in range(1, len(placed)):
        before, after = placed[index - 1], placed[index]
        if before.ends is None or not 0 < abs(after.starts - before.ends) <= MINUTE:
            continue
        border = max(before.ends, after.starts, key=lambda seconds: gcd(seconds, HOUR))
        what = f"it follows the line before, at {minutes_text(border)} minutes"
        draft.assumed(after.line.pointer, what)
        placed[index - 1] = _moved(before, before.starts, border)
        placed[index] = _moved(after, border, after.ends)
    return placed


def _moved(placed: _Placed, starts: int, ends: int | None) -> _Placed:
    """The line with another stretch; a flat tier's is its block."""
    is_its_stretch = placed.line.increment is None and ends is not None
    block = ends - starts if is_its_stretch and ends is not None else placed.block
    return replace(placed, starts=starts, ends=ends, block=block)


def _to_the_end(draft: Drafted, collection: Collection, placed: list[_Placed]) -> list[_Placed]:
    if collection.longest is not None:
        what = "maxTime: that one may not stay for longer"
        draft.lost(f"{collection.pointer}/maxTime", what)
    if not placed or (ends := placed[-1].ends) is None:
        return placed
    last = placed[-1]
    if ends == collection.longest:
        draft.assumed(last.line.pointer, "who stays longer goes on paying the last rate")
        block = SECONDS_MAX if last.line.type == "flatRateTier" and last.is_lump else last.block
        return [*placed[:-1], replace(last, ends=None, block=block)]
    return placed


def minutes_text(seconds: int) -> str:
    """Seconds in minutes, as a number to read."""
    return amount_text(round(Decimal(seconds) / MINUTE, 3), 0)


def _tiers(draft: Drafted, placed: Sequence[_Placed], exponent: int) -> tuple[dict[str, Any], ...]:
    """Tiers, if all lines are flat ones: a stay that reaches one pays those before it too."""
    if not placed or not all(
        each.line.type == "flatRateTier"
        and each.is_lump
        and each.starts % MINUTE == 0
        and (each.ends or 0) % MINUTE == 0
        and each.line.most is None
        for each in placed
    ):
        return ()
    _say_totals(draft, placed)
    tiers: list[dict[str, Any]] = []
    total = Decimal(0)
    for index, each in enumerate(placed):
        if index == 0 and each.starts:
            tiers.append(_tier(each.starts, total, exponent))
        total += each.line.value
        later = placed[index + 1].starts if index + 1 < len(placed) else each.ends
        tiers.append(_tier(later, total, exponent))
    return tuple(tiers)


def _tier(ends: int | None, price: Decimal, exponent: int) -> dict[str, Any]:
    tier: dict[str, Any] = {} if ends is None else {"up_to_minutes": ends // MINUTE}
    return {**tier, "price": amount_text(price, exponent)}


def _say_totals(draft: Drafted, placed: Sequence[_Placed]) -> None:
    """Some publishers write totals where the standard wants what is added."""
    values = [each.line.value for each in placed]
    if len(values) > 1 and values[0] and all(a < b for a, b in pairwise(values)):
        total = amount_text(sum(values, Decimal(0)), 0)
        draft.assumed(
            placed[0].line.pointer,
            f"values add up, to {total} in the last line; some write totals, of which the last"
            f" is {amount_text(values[-1], 0)}: compare it with the board",
        )


def _steps(
    draft: Drafted, collection: Collection, placed: Sequence[_Placed], exponent: int
) -> tuple[dict[str, Any], ...]:
    lumps = [each for each in placed if each.line.increment is None]
    if len(lumps) == len(placed):
        _say_totals(draft, placed)
    lines: list[Line] = []
    is_alone = len(collection.lines) == 1
    for each in placed:
        line = Line(each.starts, each.ends, each.block, each.line.value)
        if line.is_cut and not each.is_lump:
            draft.assumed(each.line.pointer, "an increment that is cut short is paid in full")
        if is_alone:
            lines.append(line)
            continue
        if each.line.least is not None:
            draft.lost(f"{each.line.pointer}/minValue", "what one of several lines costs at least")
        lines += _up_to(line, each.line.most)
    if (placed and any(b.starts != a.ends for a, b in pairwise(placed))) or (
        placed[:1] and placed[0].starts
    ):
        draft.assumed(collection.pointer, "between the lines is a gap: such time is free")
    return tuple(steps_of(without_gaps(lines), exponent))


def _up_to(line: Line, most: Decimal | None) -> list[Line]:
    """The line until it has cost so much, and what is left of it for nothing."""
    if most is None or not line.price:
        return [line]
    blocks, rest = divmod(most, line.price)
    paid = line.starts + int(blocks) * line.block
    if line.ends is not None and paid >= line.ends:
        return [line]
    pieces = [replace(line, ends=paid)] if blocks else []
    if rest:
        following = paid + line.block
        ends = following if line.ends is None else min(following, line.ends)
        pieces.append(replace(line, starts=paid, ends=ends, price=rest))
        paid = ends
    if line.ends is None or paid < line.ends:
        pieces.append(replace(line, starts=paid, price=Decimal(0)))
    return pieces
