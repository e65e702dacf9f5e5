"""The site file: one facility with its zones, spots, lanes, devices and prices, as a model.

What one key may hold is said here; what holds between keys is in `gated.site_rules`, and how the
database is brought to it in `gated.site_plan` and `gated.db.site`.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from gated.core.ids import Slug
from gated.core.opening import DAY_MINUTES, OpeningHours, OpeningWindow
from gated.core.overlays import overlay_pattern
from gated.core.plate_classes import Country
from gated.core.plates import PLATE_LENGTH_MAX
from gated.core.site import (
    Admits,
    ButtonTicket,
    Direction,
    FullTransfer,
    LanePolicy,
    UnpaidExit,
    Unproven,
)
from gated.core.snapshot import Group
from gated.core.wording import ENGLISH, Wording
from gated.fields import Amount, Currency, Text, TimeZone, VehicleType, one_line
from gated.tariff.model import CalendarDay, Tariff
from gated.tariff.values import Days, DaysIfAny, TimeBegin, TimeEnd, minutes_of
from gated.validation import Table, excerpt

SPOTS_MAX = 50_000

_SLUG = re.compile(r"[a-z0-9-]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError(f"expected a slug of a-z, 0-9 and -, got {excerpt(value)}")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(f"expected a language such as de, en or pt-BR, got {excerpt(value)}")
    return value


SlugText = Annotated[Slug, Field(max_length=60), AfterValidator(_slug)]
SpotNumber = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(one_line)]
OverlayPattern = Annotated[str, Field(max_length=64), AfterValidator(overlay_pattern)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
Minutes = Annotated[int, Field(ge=0, le=525_600)]
Metres = Annotated[float, Field(ge=0, lt=100_000)]
Language = Annotated[str, Field(max_length=35), AfterValidator(_language)]


class SpotSize(StrEnum):
    """How large a vehicle fits, in rising order."""

    MOTORCYCLE = "MOTORCYCLE"
    COMPACT = "COMPACT"
    STANDARD = "STANDARD"
    LARGE = "LARGE"
    OVERSIZED = "OVERSIZED"


class FillPolicy(StrEnum):
    """Which of the smallest spots that fit is given out: the `lowest` number, the one `nearest`
    to the entry lane, or any, so that vehicles `spread` over the zone."""

    LOWEST = "lowest"
    NEAREST = "nearest"
    SPREAD = "spread"


class PhantomPolicy(StrEnum):
    """What becomes of a stay whose vehicle seems to be gone: it is listed for people, or gated
    closes it after some days."""

    LIST = "list"
    CLOSE_AFTER_DAYS = "close_after_days"


class Limit(Table):
    """How many stays of a group are let in at most, at all times or at some."""

    group: Group
    """whose stays: transient, permit_holder or reservation"""
    stays_max: int = Field(ge=0, le=SPOTS_MAX)
    """how many of them may be inside at once; with 0 they are not let in"""
    days: Days | None = None
    """mon to sun, holiday, holiday_eve or kinds of the calendar; left out: every day."""
    from_: TimeBegin | None = Field(default=None, alias="from")
    """The time of day at which it begins; left out with `until`: the whole day."""
    until: TimeEnd | None = None
    """The time of day at which it ends, of the next day if it is not after `from`."""

    def stated(self) -> dict[str, Any]:
        """What the file states, as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Facility(Table):
    """The site itself."""

    slug: SlugText
    """the facility's name in topics, files and logs, of a-z, 0-9 and -; it never changes"""
    name: Text
    """the facility's name for people"""
    city: Text
    """the city it stands in"""
    time_zone: TimeZone
    """an IANA time zone such as Europe/Berlin, in which tariffs are read"""
    currency: Currency
    """an ISO 4217 currency code, of all amounts of the facility"""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    """Degrees north."""
    longitude: float | None = Field(default=None, ge=-180, le=180)
    """Degrees east."""
    limits: tuple[Limit, ...] = ()
    """How many stays of a group the whole facility takes in."""


class Policy(Table):
    """What lanes demand and how long they wait; what is not stated stays as it is.

    The keys are those of `gated.core.site.LanePolicy`.
    """

    admits: Admits | None = None
    """Whom an entry lets in: everyone, known vehicles only, or only holders of a right."""
    read_confidence_min: float | None = Field(default=None, ge=0, le=1)
    """Reads below this confidence open nothing."""
    read_confidence_sure: float | None = Field(default=None, ge=0, le=1)
    """Reads from this confidence on decide at once; not stated: read_confidence_min."""
    consensus_reads_min: int | None = Field(default=None, ge=1, le=5)
    """How many reads must agree where none is sure; 1: each is judged by itself."""
    consensus_seconds_max: float | None = Field(default=None, gt=0, le=5)
    """How long further reads are waited for where none is sure."""
    read_length_min: int | None = Field(default=None, ge=1, le=PLATE_LENGTH_MAX)
    """Reads of fewer characters are ignored."""
    read_length_max: int | None = Field(default=None, ge=1, le=PLATE_LENGTH_MAX)
    """Reads of more characters are ignored."""
    reads_ignored: tuple[OverlayPattern, ...] | None = None
    """Texts that are no plates, such as CAM03; a star at either end stands for any characters."""
    plate_countries: tuple[Country, ...] | None = None
    """Whose plates are expected: reads that fit none of them are trusted less."""
    button_ticket: ButtonTicket | None = None
    """What the button of an entry does where no plate can be read: deny, or admit on a ticket."""
    unrated_reads: Unproven | None = None
    """What reads without a confidence may open."""
    undated_reads: Unproven | None = None
    """What reads without a device time may open."""
    event_age_seconds_max: Seconds | None = None
    """Older events are recorded and open nothing."""
    fold_seconds: Seconds | None = None
    """Reads of one plate within this time are one vehicle."""
    presence_seconds_max: Seconds | None = None
    """How long a read waits for the presence loop."""
    passage_seconds_max: Seconds | None = None
    """How long a vehicle may take to pass after the barrier was opened."""
    backout_seconds_max: Seconds | None = None
    """How long the presence loop may be clear before a vehicle counts as backed out."""
    command_seconds_max: Seconds | None = None
    """How long a command to open holds."""
    match_distance_max: int | None = Field(default=None, ge=0, le=1)
    """How many characters of a plate may be misread at an exit: 0 or 1."""
    unpaid_exit: UnpaidExit | None = None
    """What an exit does with a stay that is not paid: open, or wait for the payment."""
    payment_look_seconds: Seconds | None = None
    """How often it is looked whether a vehicle that waits at the exit has paid."""
    payment_seconds_max: Seconds | None = None
    """How long an exit without a presence loop waits for a payment."""
    read_seconds_max: Seconds | None = None
    """How long a vehicle stands before the barrier before it counts as one that nobody can read."""
    open_seconds_max: Seconds | None = None
    """How long the arm may take to go up, where it tells."""
    open_tries_max: int | None = Field(default=None, ge=1, le=4)
    """How often the arm is asked in all before the lane is out of service."""
    closing_seconds_max: Seconds | None = None
    """How long the arm may stay up after a passage, where it tells."""
    tailgate_seconds: Seconds | None = None
    """How soon after a passage the next vehicle through counts as tailgating."""
    trailer_seconds: float | None = Field(default=None, ge=0, le=10)
    """How soon after a passage the closing loop comes on for a trailer of the same vehicle."""
    loop_seconds_max: Seconds | None = None
    """How long somebody may stand unread before the barrier before its loop counts as stuck."""
    full_transfer: FullTransfer | None = None
    """What a lane between zones does when the next zone has no spot: refuse, or open."""

    def stated(self) -> dict[str, Any]:
        """What the file states, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class AntiPassback(StrEnum):
    """What becomes of a plate at the entrance that is inside already: `hard` denies, `soft` lets
    it in, ends the stay that nobody saw leaving, and writes it down."""

    HARD = "hard"
    SOFT = "soft"


class Penalties(Table):
    """What an offence costs, by its kind; one that is not listed costs nothing."""

    overstay: Amount | None = None
    """Staying past the end of a reservation."""
    tailgating: Amount | None = None
    """Passing in the opening of another vehicle."""
    forced_barrier: Amount | None = None
    """Forcing the barrier."""
    exit_without_payment: Amount | None = None
    """Leaving without having paid."""
    wrong_zone: Amount | None = None
    """Standing in another zone than the one that was given out."""
    accessible_misuse: Amount | None = None
    """Standing on an accessible spot without a permit."""
    ev_misuse: Amount | None = None
    """Standing at a charger without a need for it."""
    passback: Amount | None = None
    """Coming in with what is inside already."""

    def stated(self) -> dict[str, Decimal]:
        """The kinds that the file lists."""
        return {kind: amount for kind, amount in self if amount is not None}


class Parking(Table):
    """How spots are given out, kept and paid for; what is not stated is the default."""

    vehicle_type_default: VehicleType = VehicleType.CAR
    """What a vehicle is taken for that nobody registered."""
    stay_minutes_expected: int = Field(default=240, ge=1, le=525_600)
    """How long a stay is thought to last that nobody booked."""
    early_minutes_max: Minutes = 30
    """How long before its reserved time a vehicle may come."""
    late_minutes_max: Minutes | None = None
    """How long after that time its spot is kept; not stated: as long as it was reserved."""
    grace_minutes_exit: Minutes = 15
    """The time to leave after paying."""
    ev_spots_kept: bool = True
    """Whether spots with a charger are kept for those who want one."""
    open_violation_denies: bool = False
    """Whether an open violation is a reason to deny entry."""
    sign_free_again: int = Field(default=1, ge=1, le=SPOTS_MAX)
    """How many must be free again before a sign that said full says otherwise."""
    phantom_days: int = Field(default=7, ge=1, le=3_650)
    """After how many days without a sign of its vehicle a stay is listed as a phantom."""
    phantom_policy: PhantomPolicy = PhantomPolicy.LIST
    """Whether gated closes phantoms by itself."""
    phantom_close_days: int | None = Field(default=None, ge=1, le=3_650)
    """With close_after_days: after how many days."""
    drift_count_max: int = Field(default=5, ge=0, le=SPOTS_MAX)
    """How many vehicles the ways of counting a zone may be apart before somebody is told."""
    overstay_grace_minutes: Minutes = 0
    """How long past the end of its reservation a stay is no offence yet."""
    misuse_grace_minutes: Minutes = 15
    """How long a vehicle may stand on a spot that is not for it before it is an offence."""
    anti_passback: AntiPassback = AntiPassback.HARD
    """What becomes of a plate at the entrance that is inside already."""
    penalties: Penalties = Field(default_factory=Penalties)
    """What offences cost."""

    def values(self) -> dict[str, Any]:
        """Every key with its value as JSON has it; penalties are apart."""
        return self.model_dump(mode="json", exclude={"penalties"})


class Exempt(StrEnum):
    """For whom an entry opens outside the opening hours, too: words of `GrantReason`."""

    REGISTERED = "registered"
    RESERVATION = "reservation"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"


class Hours(Table):
    """A time of day at which entries admit."""

    days: Days | None = None
    """mon to sun, holiday, holiday_eve or kinds of the calendar; left out: all that others leave.
    """
    from_: TimeBegin | None = Field(default=None, alias="from")
    """The time of day at which it begins; left out with `until`: the whole day."""
    until: TimeEnd | None = None
    """The time of day at which it ends, of the next day if it is not after `from`."""


class Opening(Table):
    """When entries admit; exits always do."""

    hours: tuple[Hours, ...] | None = Field(default=None, min_length=1)
    """at least one [[opening.hours]]"""
    closed: DaysIfAny | None = None
    """Days on which nothing opens, by the names that `days` has, too."""
    exempt: tuple[Exempt, ...] | None = None
    """Whom closed hours do not concern: registered, reservation, subscription, staff."""

    def stated(self) -> dict[str, Any]:
        """What the file states, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True, by_alias=True)


class Display(Table):
    """What the displays of the lanes say, and in which language."""

    language: Language = ENGLISH
    """The language: de, en, or one of which there are texts."""
    texts_file: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """A TOML file with more texts, in tables such as [texts.de]; from the site file's folder."""
    texts: Mapping[Language, Mapping[str, Any]] = Field(default_factory=dict)
    """Texts of your own by language and reason."""

    def values(self) -> dict[str, Any]:
        """Language and texts where they are not the default, as JSON has them."""
        return self.model_dump(mode="json", exclude={"texts_file"}, exclude_defaults=True)


class TextsFile(Table):
    """A file of texts for displays."""

    texts: Mapping[Language, Mapping[str, Any]] = Field(default_factory=dict)
    """Texts by language and reason."""


class Spots(Table):
    """A row of spots: `count` numbers from `first` behind a prefix, or `numbers` one by one."""

    prefix: Annotated[str, Field(max_length=30), AfterValidator(one_line)] = ""
    """What stands before each number."""
    count: int | None = Field(default=None, ge=1, le=SPOTS_MAX)
    """How many spots."""
    first: int = Field(default=1, ge=0, le=999_999)
    """The number of the first one."""
    width: int | None = Field(default=None, ge=1, le=9)
    """Digits of each number, with leading zeros; not stated: as many as it needs."""
    numbers: tuple[SpotNumber, ...] | None = Field(default=None, min_length=1, max_length=SPOTS_MAX)
    """Spots that follow no row."""
    size: SpotSize = SpotSize.STANDARD
    """The largest vehicle that fits."""
    ev_charger: bool = False
    """Whether there is a charger."""
    accessible: bool = False
    """Whether the spots are for people with disabilities."""
    metres_from: Mapping[SlugText, Metres] = Field(default_factory=dict)
    """How far it is to them from entry lanes, by the lanes' slugs."""

    def spot_numbers(self) -> tuple[str, ...]:
        """The spots' numbers as written on the ground."""
        if self.numbers is not None:
            return self.numbers
        numbers = range(self.first, self.first + (self.count or 0))
        return tuple(f"{self.prefix}{number:0{self.width or 1}}" for number in numbers)


class Zone(Table):
    """A counted area."""

    slug: SlugText
    """the zone's name in topics, files and logs"""
    name: Text
    """the zone's name for people"""
    fill: FillPolicy = FillPolicy.LOWEST
    """Which of its spots is given out first."""
    spots: tuple[Spots, ...] = Field(min_length=1)
    """at least one [[zone.spots]]"""
    limits: tuple[Limit, ...] = ()
    """How many stays of a group it takes in."""


class Device(Table):
    """A device on a lane; every key beside these four is an option of its family."""

    model_config = ConfigDict(extra="allow")

    slug: SlugText
    """the device's name in logs, unique in the facility"""
    family: str = Field(min_length=1)
    """the device's family, which says what it speaks"""
    topic: str = Field(default="", max_length=200)
    """The device's own topic prefix, where its family has one."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The family's own settings."""
        return self.model_extra or {}


class Lane(Table):
    """A one-way passage with a barrier."""

    slug: SlugText
    """the lane's name in topics, files and logs"""
    direction: Direction
    """entry, exit or transfer (from one zone into another)"""
    from_: SlugText | None = Field(default=None, alias="from")
    """The zone that the vehicles of a transfer come from."""
    zones: tuple[SlugText, ...] | None = None
    """The zones that an entry or a transfer fills, in this order."""
    policy: Policy = Field(default_factory=Policy)
    """What differs from the facility's policy."""
    opening: Opening | None = None
    """What differs from the facility's opening hours."""
    device: tuple[Device, ...] = Field(min_length=1)
    """at least one [[lane.device]]"""


class Site(Table):
    """One facility as its file describes it: completely. What is not in the file is taken down."""

    facility: Facility
    """the section [facility]"""
    policy: Policy = Field(default_factory=Policy)
    """What all lanes share."""
    opening: Opening | None = None
    """When entries admit; left out: always."""
    display: Display = Field(default_factory=Display)
    """What displays say."""
    parking: Parking = Field(default_factory=Parking)
    """How spots are given out, kept and paid for."""
    zone: tuple[Zone, ...] = Field(min_length=1)
    """at least one [[zone]]"""
    lane: tuple[Lane, ...] = Field(min_length=1)
    """at least one [[lane]]"""
    calendar: tuple[CalendarDay, ...] = ()
    """Days that are not like others."""
    tariff: tuple[Tariff, ...] = Field(min_length=1)
    """at least one [[tariff]]; a free car park has one of strategy FLAT and amount '0'"""


def lane_policy(facility: Mapping[str, Any], lane: Mapping[str, Any]) -> LanePolicy:
    """A lane's policy from what the facility states and what the lane states, else the default.

    Both as `Policy.stated` gives them. Raises pydantic's ValidationError for anything else.
    """
    merged = Policy.model_validate({**facility, **lane}, strict=False)
    values = {field.name: getattr(merged, field.name) for field in fields(LanePolicy)}
    return LanePolicy(**{key: value for key, value in values.items() if value is not None})


def opening_hours(
    facility: Mapping[str, Any] | None,
    lane: Mapping[str, Any] | None,
    time_zone: str,
    calendar: Mapping[date, frozenset[str]],
) -> OpeningHours | None:
    """A lane's opening hours from what the facility states and what the lane states; None: always.

    Both as `Opening.stated` gives them. Raises pydantic's ValidationError for anything else.
    """
    if facility is None and lane is None:
        return None
    stated = Opening.model_validate({**(facility or {}), **(lane or {})}, strict=False)
    return OpeningHours(
        windows=tuple(_window(each) for each in stated.hours or ()),
        closed=frozenset(stated.closed or ()),
        exempt=frozenset(stated.exempt or ()),
        time_zone=time_zone,
        calendar=calendar,
    )


def _window(hours: Hours) -> OpeningWindow:
    days = frozenset(hours.days or ())
    if hours.from_ is None or hours.until is None:
        return OpeningWindow(0, DAY_MINUTES, days)
    begin, end = minutes_of(hours.from_), minutes_of(hours.until)
    return OpeningWindow(begin, end if end > begin else end + DAY_MINUTES, days)


def wording(display: Mapping[str, Any]) -> Wording:
    """What displays say, from what `Display.values` gives. Raises pydantic's ValidationError."""
    stated = Display.model_validate(display, strict=False)
    return Wording(stated.language, stated.texts)
