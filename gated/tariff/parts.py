"""The tables within a tariff, as models.

Docstrings say what a key expects; messages and the JSON schema are made from them. An answer to a
question that people dispute is never required here: `gated.tariff.questions` asks for it.
"""

from typing import Annotated, Literal

from pydantic import Field

from gated.fields import Amount, Text
from gated.tariff.values import (
    Days,
    ExitDay,
    Factor,
    Marked,
    Minutes,
    Names,
    Percent,
    Seconds,
    TimeBegin,
    TimeEnd,
    VehicleTypes,
    Weekday,
)
from gated.validation import Table

RoundingMode = Literal["half_up", "half_even", "up", "down"]


class Conditions(Table):
    """Which stays a tariff is for: those of which all that it names is true."""

    vehicle_types: VehicleTypes | None = None
    """The vehicle is registered as one of these."""
    electric: bool | None = None
    """Whether the vehicle is electric."""
    accessible: bool | None = None
    """Whether the vehicle has a permit for accessible spots."""
    members: Names | None = None
    """Its owner has a subscription of one of these names that is valid at entry."""
    reserved: bool | None = None
    """Whether the stay has a reservation."""
    zones: Names | None = None
    """The spot lies in one of these zones."""


class Step(Table):
    """Blocks of one length and price, each charged when it begins."""

    minutes: Minutes | None = None
    """The length of a block in minutes."""
    seconds: Seconds | None = None
    """The length of a block in seconds."""
    price: Amount
    """the price of a block, in quotes, such as '2.00'"""
    price_minutes: Minutes | None = None
    """How many minutes the price is for, of which a block costs its share; left out: the block."""
    times: int | None = Field(default=None, ge=1, le=100_000)
    """How many such blocks there are before the next step; the last step may go on without."""


class Tier(Table):
    """One price for all stays up to a length."""

    up_to_minutes: Minutes | None = None
    """The longest stay of the tier, in minutes; the last tier may do without."""
    price: Amount
    """the price of a stay that reaches this tier, in quotes, such as '12.00'"""


class Band(Table):
    """What time costs at some times of day and on some days."""

    name: Text
    """the band's name, unique in the tariff"""
    from_: TimeBegin | None = Field(default=None, alias="from")
    """The time of day at which it begins; left out with `until`: the whole day."""
    until: TimeEnd | None = None
    """The time of day at which it ends, of the next day if it is not after `from`."""
    days: Days | None = None
    """mon to sun, holiday, holiday_eve or kinds of the calendar; left out: every day."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)] | None = None
    """Blocks, one after the other."""
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] | None = None
    """Tiers, of which the one that is reached is charged."""
    flat: Amount | None = None
    """An amount for each occurrence of the band that the stay touches."""
    free: Marked | None = None
    """The band costs nothing, and its time counts."""
    unsold: Marked | None = None
    """The band costs nothing, and its time does not count."""
    maximum: Amount | None = None
    """What one occurrence of the band costs at most."""


class Cap(Table):
    """What a stay costs at most in a window of time."""

    per: Literal["rolling_24h", "calendar_day", "rolling_7d", "calendar_week", "stay"]
    """the window: rolling_24h, calendar_day, rolling_7d, calendar_week or stay"""
    amount: Amount
    """the cap, in quotes, such as '15.00'"""
    reading: Literal["each", "multiplied"] | None = None
    """does it hold in each window ("each"), or does the whole stay cost at most as many times the
    cap as it touches windows ("multiplied")?"""
    begins: TimeBegin | None = None
    """When a calendar day or week begins; left out: at midnight."""
    week_begins: Weekday | None = None
    """on which day does the week begin, "mon" to "sun"?"""


class Special(Table):
    """One price for stays whose entry and exit lie in windows."""

    name: Text
    """the special's name, unique in the tariff"""
    price: Amount
    """what such a stay costs, in quotes, such as '9.00'"""
    days: Days | None = None
    """The days of the entry: mon to sun, holiday, holiday_eve or kinds of the calendar."""
    enter_from: TimeBegin | None = None
    """From when on one may enter."""
    enter_until: TimeEnd | None = None
    """Before when one must enter; past midnight if it is earlier than `enter_from`."""
    exit_from: TimeEnd | None = None
    """From when on one may leave; of the day before, if it is later than `exit_until`."""
    exit_until: TimeEnd | None = None
    """When one must leave at the latest; left out: at the end of `exit_day`, or whenever."""
    exit_day: ExitDay | None = None
    """Of which day after that of the entry the exit's times are: 0, or left out, is the same, 1
    the next one, "any" is every day."""


class OccupancyStep(Table):
    """A factor for those who enter while the facility is so full."""

    from_percent: Percent
    """how full the facility is at least, in percent"""
    factor: Factor
    """by what the base price is multiplied, such as '1.25'"""


class Reservation(Table):
    """How a reserved period is sold."""

    early: Literal["free", "charged"] | None = None
    """is time before the reserved period "free", or "charged"?"""
    unused: Literal["charged", "free"] | None = None
    """is reserved time that was not used "charged", or "free"?"""
    overstay: Literal["continued", "anew"] | None = None
    """is time past the reserved period "continued" (one stay, longer), or charged "anew" (as a
    stay of its own that begins at the end of the reservation)?"""


class LostTicket(Table):
    """What is asked for where the ticket is lost."""

    amount: Amount
    """the amount for a lost ticket, in quotes, such as '25.00'"""
    reading: Literal["instead", "at_least", "added"] | None = None
    """is the amount asked for "instead" of the price, is the price "at_least" that, or is it
    "added"?"""


class Validation(Table):
    """What somebody takes over of the price of a stay: a shop, a hotel."""

    name: Text
    """the validation's name, unique in the tariff"""
    free_minutes: Minutes | None = None
    """By how many minutes later the charge begins."""
    amount: Amount | None = None
    """What is taken off."""
    percent: Percent | None = None
    """What is taken off, in percent."""
    free: Marked | None = None
    """Nothing is left to pay."""


class Tax(Table):
    """A tax on the price."""

    name: Text
    """the tax's name, unique in the tariff"""
    percent: Percent
    """the rate of the tax in percent, such as '19' or '7.7'"""
    rounding: RoundingMode
    """how the tax is rounded: half_up, half_even, up or down"""


class PriceRounding(Table):
    """How fractions of the currency's smallest unit are rounded."""

    mode: RoundingMode
    """half_up, half_even, up or down"""
    per: Literal["line", "total"]
    """line or total: what is rounded"""
    to: Amount | None = None
    """The smallest coin, such as '0.05'; left out: the currency's smallest unit."""
