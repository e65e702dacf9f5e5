"""Lines of a standard, each a price from one length of stay to another, as steps of a tariff."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gated.fields import amount_text

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# What a step may say at most; a standard's longer stretch becomes several steps.
SECONDS_MAX = 365 * DAY
_TIMES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Line:
    """Blocks of `block` seconds from `starts` to `ends` (None: it goes on), in seconds of the stay.

    `price` is a block's, or, with `price_seconds`, that of so many seconds, of which a block costs
    its share. A block that `ends` cuts short costs as much as a whole one, unless it is a share.
    """

    starts: int
    ends: int | None
    block: int
    price: Decimal
    price_seconds: int | None = None

    @property
    def is_cut(self) -> bool:
        return self.ends is not None and (self.ends - self.starts) % self.block != 0


def free_line(starts: int, ends: int | None) -> Line:
    """Time that costs nothing, as one block."""
    block = min(DAY if ends is None else ends - starts, SECONDS_MAX)
    return Line(starts, ends, block, Decimal(0))


def without_gaps(lines: Sequence[Line]) -> list[Line]:
    """The lines, which must be in order, and free ones where there is none before the last ends."""
    filled: list[Line] = []
    at = 0
    for line in lines:
        if line.starts > at:
            filled.append(free_line(at, line.starts))
        filled.append(line)
        at = line.starts if line.ends is None else line.ends
    return filled


def steps_of(lines: Sequence[Line], exponent: int) -> list[dict[str, Any]]:
    """The steps of lines that follow each other without gaps; at most the last goes on."""
    steps: list[dict[str, Any]] = []
    for line in lines:
        if line.ends is None:
            steps.append(_step(line, line.block, None, exponent))
            continue
        blocks, rest = divmod(line.ends - line.starts, line.block)
        while blocks:
            times = min(blocks, _TIMES_MAX)
            steps.append(_step(line, line.block, times, exponent))
            blocks -= times
        if rest:
            steps.append(_step(line, rest, 1, exponent))
    return steps


def _step(line: Line, block: int, times: int | None, exponent: int) -> dict[str, Any]:
    step: dict[str, Any]
    step = {"seconds": block} if block % MINUTE else {"minutes": block // MINUTE}
    share = line.price * block / (line.price_seconds or block)
    if share == round(share, exponent):
        step["price"] = amount_text(share, exponent)
    else:
        step["price"] = amount_text(line.price, exponent)
        if line.price_seconds is not None:
            step["price_minutes"] = line.price_seconds // MINUTE
    if times is not None:
        step["times"] = times
    return step
