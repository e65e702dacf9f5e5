"""Tariffs and the calendar as their file describes them, as models of docs/tariffs.md.

What one key may hold is said here and in `gated.tariff.parts`; what holds between keys is in
`gated.tariff.rules`, and which questions a tariff must answer in `gated.tariff.questions`. The
docstring of such an answer is its question.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gated.fields import Amount, Text, one_line
from gated.tariff.parts import (
    Band,
    Cap,
    Conditions,
    LostTicket,
    OccupancyStep,
    PriceRounding,
    Reservation,
    Special,
    Step,
    Tax,
    Tier,
    Validation,
)
from gated.tariff.values import Kind, Minutes, Percent, TimeBegin
from gated.validation import Table


class CalendarDay(Table):
    """A day that is not like others."""

    day: date
    """the date, such as 2026-12-25"""
    kind: Kind
    """holiday, or a name of your own for a kind of event"""
    name: Annotated[str, Field(max_length=200), AfterValidator(one_line)] = ""
    """The day's name for people."""


class AnyTariff(Table):
    """What a tariff of any strategy may say."""

    name: Text
    """the tariff's name, unique in the facility"""
    priority: int = Field(default=0, ge=-1_000, le=1_000)
    """Of the tariffs that are in force at entry and for the stay, the highest priority governs."""
    for_: Conditions | None = Field(default=None, alias="for")
    """Which stays the tariff is for; left out: all."""

    free_minutes: int = Field(default=0, ge=0, le=10_080)
    """How long one may stay for nothing, in minutes."""
    free_minutes_reading: Literal["deducted", "threshold"] | None = None
    """past the free minutes, are they "deducted" from the stay, or was the whole stay never free
    ("threshold")?"""
    free_minutes_limit: Literal["inclusive", "exclusive"] | None = None
    """is a stay of exactly as many minutes as are free still free ("inclusive"), or not any more
    ("exclusive")?"""
    zero_stay: Literal["free", "charged"] | None = None
    """is a stay of no length "free", or "charged" like a moment?"""
    limit_reading: Literal["inclusive", "exclusive"] | None = None
    """does a stay of exactly 60 minutes still lie in the first hour ("inclusive"), or begin the
    next one ("exclusive")?"""

    new_day: Literal["rolling_24h", "calendar_day", "continue"] | None = None
    """does the tariff begin anew every 24 hours ("rolling_24h"), whenever a day begins
    ("calendar_day"), or never ("continue")?"""
    day_begins: TimeBegin | None = None
    """When the calendar day of `new_day` begins; left out: at midnight."""
    band_border: Literal["restart", "continue"] | None = None
    """does the first block begin anew in another band ("restart"), or does a block that has begun
    last over the border ("continue")?"""

    entrance_fee: Amount | None = None
    """What is charged once, besides the time."""
    entrance_fee_capped: bool | None = None
    """does the entrance fee count towards the caps, true or false?"""
    minimum: Amount | None = None
    """What a stay costs at least, unless it is free."""
    caps: tuple[Cap, ...] = Field(default=(), min_length=1)
    """What a stay costs at most in windows of time."""
    specials: tuple[Special, ...] = Field(default=(), min_length=1)
    """Prices of stays whose entry and exit lie in windows."""
    special_wins: Literal["listed", "cheapest_special", "cheapest"] | None = None
    """which special counts: the first listed that fits ("listed"), the cheapest that fits
    ("cheapest_special"), or whatever is cheapest, specials and normal price ("cheapest")?"""
    occupancy: tuple[OccupancyStep, ...] = Field(default=(), min_length=1)
    """By what the base price is multiplied, by how full the facility is at entry."""
    occupancy_caps: Literal["raised", "fixed"] | None = None
    """do caps and maxima rise by the factor of the occupancy ("raised"), or not ("fixed")?"""

    reservation: Reservation | None = None
    """How reserved periods are sold; left out: by the real times."""
    lost_ticket: LostTicket | None = None
    """What a lost ticket costs."""
    validations: tuple[Validation, ...] = Field(default=(), min_length=1)
    """What shops, hotels and others may take over."""
    validation_order: Literal["listed", "given"] | None = None
    """do validations count in the order "listed" here, or as "given" by the driver?"""
    validation_stacking: Literal["all", "best"] | None = None
    """of several validations, do "all" count, or the "best" one only?"""
    second_visit: Literal["separate", "continued", "reduced"] | None = None
    """is another visit priced by itself ("separate"), as a continuation of the earlier one
    ("continued"), or cheaper ("reduced")?"""
    second_visit_minutes: Minutes | None = None
    """How many minutes before the earlier visit may have ended; left out: on the same day."""
    second_visit_percent: Percent | None = None
    """by how many percent is the second visit cheaper?"""

    taxes: tuple[Tax, ...] = Field(default=(), min_length=1)
    """Taxes, each on the same amount."""
    tax_included: bool | None = None
    """are prices with tax (true), or is it added (false)?"""
    tax_per: Literal["line", "total"] | None = None
    """is tax worked out per "line", or on the "total"?"""
    rounding: PriceRounding | None = None
    """how are they rounded: { mode = "half_up", "half_even", "up" or "down", per = "line" or
    "total" }, and to = "0.05" for coarser coins?"""


class FlatTariff(AnyTariff):
    """One amount per stay."""

    strategy: Literal["FLAT"]
    """FLAT, BLOCK, TIER or BAND"""
    amount: Amount
    """the price of a stay, in quotes, such as '4.50'"""


class BlockTariff(AnyTariff):
    """Blocks of time, one after the other."""

    strategy: Literal["BLOCK"]
    """FLAT, BLOCK, TIER or BAND"""
    steps: tuple[Step, ...] = Field(min_length=1)
    """at least one step, such as { minutes = 60, price = '2.00' }"""


class TierTariff(AnyTariff):
    """The price of the tier that a stay reaches."""

    strategy: Literal["TIER"]
    """FLAT, BLOCK, TIER or BAND"""
    tiers: tuple[Tier, ...] = Field(min_length=1)
    """at least one tier, such as { up_to_minutes = 60, price = '2.00' }"""


class BandTariff(AnyTariff):
    """Prices by time of day and kind of day."""

    strategy: Literal["BAND"]
    """FLAT, BLOCK, TIER or BAND"""
    bands: tuple[Band, ...] = Field(min_length=1)
    """at least one band, which names what time costs"""


# Of a tariff without a sound strategy the keys say which it is; without one of these either, it is
# held against the rules of the first, which has none of its own.
Tariff = Annotated[
    FlatTariff | BlockTariff | TierTariff | BandTariff, Field(discriminator="strategy")
]
