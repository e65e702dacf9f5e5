"""Steps and tiers of a tariff as rate lines of APDS.

A tier is what its stretch of the stay adds (flatRateTier), a step what each of its blocks costs
(incrementingRate). APDS has no free minutes: they are a first line that costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from gated.standards.imported import Remark
from gated.standards.lengths import iso_of_seconds, length_of_seconds
from gated.standards.source import AMOUNT_DECIMALS_MAX
from gated.standards.steps import MINUTE
from gated.tariff.model import AnyTariff
from gated.tariff.parts import Step, Tier


@dataclass(frozen=True, slots=True)
class Charge:
    """A price from `starts` on: of each block until `ends`, or, without a block, once."""

    starts: int
    ends: int | None
    block: int | None
    price: Decimal

    def begun(self, length: int) -> int:
        """How many charges have begun before this length of the stay."""
        if length <= self.starts:
            return 0
        if self.block is None:
            return 1
        until = length if self.ends is None else min(length, self.ends)
        return -(-(until - self.starts) // self.block)

    def next_begin(self, length: int) -> int | None:
        """When it is charged next, at that length of the stay or later; None if never again."""
        if length <= self.starts:
            return self.starts
        if self.block is None:
            return None
        begin = self.starts + -(-(length - self.starts) // self.block) * self.block
        return begin if self.ends is None or begin < self.ends else None


@dataclass(slots=True)
class Writer:
    """What comes up while tables are written; `pointer` is that of the tariff in their list."""

    pointer: str
    remarks: list[Remark] = field(default_factory=list)

    def lost(self, key: str, what: str) -> None:
        self.remarks.append(Remark(f"{self.pointer}/{key}", what, "lost"))

    def assumed(self, key: str, what: str) -> None:
        self.remarks.append(Remark(f"{self.pointer}/{key}", what, "assumed"))

    def new_day_lost(self, tariff: AnyTariff, what: str) -> None:
        """That `new_day` is lost, and with it when its day begins; if it is said at all."""
        if tariff.new_day is None:
            return
        self.lost("new_day", what)
        if tariff.day_begins is not None:
            self.lost("day_begins", what)

    def number(self, key: str, amount: Decimal) -> int | float:
        """An amount as a JSON number."""
        if amount == int(amount):
            return int(amount)
        written = float(amount)
        if Decimal(repr(written)) != amount:
            self.lost(key, f"{amount} is more exact than a number of JSON")
        return written


def charges_of_steps(writer: Writer, key: str, steps: Sequence[Step]) -> list[Charge]:
    charges: list[Charge] = []
    at = 0
    for step in steps:
        block = step.seconds or (step.minutes or 0) * MINUTE
        price = step.price
        if step.price_minutes is not None:
            exact = price * block / (step.price_minutes * MINUTE)
            price = round(exact, AMOUNT_DECIMALS_MAX)
            if price * (step.price_minutes * MINUTE) != step.price * block:
                writer.lost(key, f"price_minutes: a block costs {price}, rounded to 8 decimals")
        ends = None if step.times is None else at + block * step.times
        charges.append(Charge(at, ends, block, price))
        at = ends or at
    return charges


def charges_of_tiers(tiers: Sequence[Tier]) -> list[Charge]:
    charges: list[Charge] = []
    at, before = 0, Decimal(0)
    for tier in tiers:
        ends = None if tier.up_to_minutes is None else tier.up_to_minutes * MINUTE
        charges.append(Charge(at, ends, None, tier.price - before))
        at, before = ends or at, tier.price
    return charges


def after_free_minutes(
    charges: Sequence[Charge], free: int, fee: Decimal, *, is_deducted: bool
) -> list[Charge]:
    """The charges of a stay whose first `free` seconds cost nothing. With them a fee is waived, so
    that it comes with the first charge after them. If they are not `deducted`, what had begun
    meanwhile is charged at once then."""
    nothing = Charge(0, free, None, Decimal(0))
    if is_deducted:
        later = [
            replace(c, starts=c.starts + free, ends=None if c.ends is None else c.ends + free)
            for c in charges
        ]
        return [nothing, *_with_first(later, fee)]
    owed = fee + sum((charge.price * charge.begun(free) for charge in charges), Decimal(0))
    begins = [begin for charge in charges if (begin := charge.next_begin(free)) is not None]
    until = min(begins, default=charges[-1].ends)
    if until is not None and until <= free:
        return [nothing, *_with_first(_from(charges, free), owed)]
    rest = [] if not begins or until is None else _from(charges, until)
    return [nothing, Charge(free, until, None, owed), *rest]


def _from(charges: Sequence[Charge], begin: int) -> list[Charge]:
    """What begins at that length of the stay or later; a block begins right then, if one is cut."""
    return [
        charge if charge.starts >= begin else replace(charge, starts=begin)
        for charge in charges
        if charge.next_begin(begin) is not None
    ]


def _with_first(charges: list[Charge], extra: Decimal) -> list[Charge]:
    """The charges, the first of which costs more."""
    if not extra or not charges:
        return charges
    first, others = charges[0], charges[1:]
    if first.block is None:
        return [replace(first, price=first.price + extra), *others]
    border = first.starts + first.block
    dearer = Charge(first.starts, border, None, first.price + extra)
    if first.ends is not None and border >= first.ends:
        return [dearer, *others]
    return [dearer, replace(first, starts=border), *others]


def lines_of(writer: Writer, key: str, charges: Sequence[Charge]) -> list[dict[str, Any]]:
    """The rate lines of charges."""
    lines: list[dict[str, Any]] = []
    for charge in charges:
        is_tier = charge.block is None
        line: dict[str, Any] = {
            "sequence": len(lines) + 1,
            "rateLineType": "flatRateTier" if is_tier else "incrementingRate",
            "durationStart": length_of_seconds(charge.starts),
        }
        if charge.ends is not None:
            line["durationEnd"] = length_of_seconds(charge.ends)
        block = charge.block
        if block is None and charge.ends is not None:
            block = charge.ends - charge.starts
        if block is not None:
            line["incrementPeriod"] = iso_of_seconds(block)
        line["usageCondition"] = "once" if is_tier else "unlimited"
        line["value"] = writer.number(key, charge.price)
        if charge.starts % MINUTE or (charge.ends or 0) % MINUTE:
            writer.assumed(key, "a length with seconds is written as an ISO 8601 duration")
        lines.append(line)
    return lines


def flat_line(writer: Writer, key: str, amount: Decimal, sequence: int = 1) -> dict[str, Any]:
    """An amount that is charged once."""
    return {
        "sequence": sequence,
        "rateLineType": "flatRate",
        "usageCondition": "once",
        "value": writer.number(key, amount),
    }
