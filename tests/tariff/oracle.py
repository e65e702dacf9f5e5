"""The oracle for prices: docs/tariffs.md, word for word, slow and obvious.

It walks through a stay in ticks, looks at the clock on the wall at each of them, and charges what
begins there. It is meant to be read beside the document; it shares nothing with `gated`. Where the
words leave a choice, a comment that begins with "Reading:" says which one was taken.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.tariff.oracle_time import (
    DAY,
    EPOCH,
    MINUTE,
    QUARTER,
    Clock,
    clock_of,
    day_of,
    instant_of,
    time_of,
    weekday_of,
)

NOTHING = Fraction(0)
Config = Mapping[str, Any]
Context = Mapping[str, Any]
Calendar = Mapping[date, set[str]]


@dataclass(frozen=True)
class Rule:
    """A version of a tariff. `config`: what its TOML table has besides the other fields here."""

    name: str
    strategy: str
    config: Config
    free_minutes: int
    priority: int
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True)
class Price:
    """`exact`: before rounding and taxes. `parts`: everything that was added up or compared on the
    way. Where each of them is a multiple of the unit, it does not matter what counts as a line.
    `overstay`: the part of `amount` that was charged `anew`."""

    amount: Decimal
    rule: Rule
    exact: Fraction
    parts: tuple[Fraction, ...]
    overstay: "Price | None"


class Refused(Exception):
    """There is no price; says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


NEGATIVE = "negative stay"
NO_RULE = "no rule"
NO_PRICE = "a minute without a price"
UNKNOWN_VALIDATION = "unknown validation"
GIVEN_ONCE = {"reserved_from", "reserved_until", "validations", "lost_ticket", "earlier_visit"}

# An occurrence of a band: which of the bands, and the day on which it began.
Occurrence = tuple[int, int]
UNSEEN: Occurrence = (-1, -1)


class Oracle:
    """Prices stays at one facility."""

    def __init__(
        self,
        rules: Sequence[Rule],
        zone: str,
        exponent: int,
        calendar: Calendar,
        vehicle_type_default: str = "CAR",
    ) -> None:
        self._clock = clock_of(zone)
        self._calendar = {day_of(day): set(kinds) for day, kinds in calendar.items()}
        self._exponent = exponent
        self._vehicle_type_default = vehicle_type_default
        self._tariffs = [Tariff(rule, self._clock, self._calendar) for rule in rules]

    def price(self, entry: datetime, exit_: datetime, context: Context | None = None) -> Price:
        """What a stay costs, or Refused."""
        context = context or {}
        if exit_ < entry:
            raise Refused(NEGATIVE)
        tariff = governing(self._tariffs, entry, context, self._vehicle_type_default)
        begin, end, anew = sold(tariff.config, entry, exit_, context)
        question = Question(tariff, instant_of(begin), instant_of(end), context)
        priced = cheapest(question, self._exponent)
        if anew is None:
            return priced
        # Reading: "a stay of its own" is governed, rounded and taxed by itself, and nobody has
        # reserved it; what was given with the stay was given once.
        context = {key: value for key, value in context.items() if key not in GIVEN_ONCE}
        overstay = self.price(anew, exit_, context)
        return replace(priced, amount=priced.amount + overstay.amount, overstay=overstay)

    def borders(self, entry: datetime, exit_: datetime) -> list[datetime]:
        """The instants within a stay of a stranger, to the minute, at which another band begins."""
        tariff = governing(self._tariffs, entry, {}, self._vehicle_type_default)

        def band_at(at: int) -> int | None:
            cover = tariff.covers(self._clock.shows(at))
            return None if cover is None else cover[0]

        first = instant_of(entry) // MINUTE * MINUTE + MINUTE
        return [
            EPOCH + timedelta(seconds=at)
            for at in range(first, instant_of(exit_), MINUTE)
            if band_at(at) != band_at(at - MINUTE)
        ]


class Tariff:
    """A rule, the clock that it reads and the days that it knows."""

    def __init__(self, rule: Rule, clock: Clock, calendar: Mapping[int, set[str]]) -> None:
        self.rule, self.clock, self.calendar = rule, clock, calendar
        self.config = rule.config
        self.bands = bands_of(rule.strategy, rule.config)
        self._covers: dict[int, Occurrence | None] = {}

    def covers(self, shown: int) -> Occurrence | None:
        """The band that counts at this reading of the clock; they are remembered for speed only."""
        cover = self._covers.get(shown, UNSEEN)
        if cover is UNSEEN:
            cover = self._covers[shown] = self._most_particular(*divmod(shown, DAY))
        return cover

    def _most_particular(self, day: int, time: int) -> Occurrence | None:
        best: tuple[int, Occurrence] | None = None
        for index, band in enumerate(self.bands):
            begun = band.day_begun(day, time)
            if begun is None:
                continue
            name = known_by(band.days, begun, self.calendar)
            if name is not None and (best is None or name < best[0]):
                best = name, (index, begun)
        return None if best is None else best[1]


# ── which tariff governs ────────────────────────────────────────────────────────────────────


def governing(
    tariffs: Sequence[Tariff], entry: datetime, context: Context, vehicle_type_default: str
) -> Tariff:
    """Of those in force at entry whose `for` holds the highest priority, the latest begin.

    Reading: if that one has a [tariff.reservation], what is asked for is what was in force at the
    begin of the reservation.
    """

    def in_force(at: datetime) -> Tariff:
        fitting = [
            tariff
            for tariff in tariffs
            if tariff.rule.valid_from <= at
            and (tariff.rule.valid_until is None or at < tariff.rule.valid_until)
            and is_for(tariff.config.get("for", {}), context, vehicle_type_default)
        ]
        if not fitting:
            raise Refused(NO_RULE)
        return max(fitting, key=lambda tariff: (tariff.rule.priority, tariff.rule.valid_from))

    governs = in_force(entry)
    if "reservation" in governs.config and is_reserved(context):
        return in_force(moment(context["reserved_from"]))
    return governs


def is_for(asked: Config, context: Context, vehicle_type_default: str) -> bool:
    """Whether all holds that `for` names."""

    def holds(key: str, wanted: Any) -> bool:
        match key:
            case "vehicle_types":
                return context.get("vehicle_type", vehicle_type_default) in wanted
            case "electric" | "accessible":
                return bool(context.get(key, False) == wanted)
            case "members":
                return bool(set(context.get("members", [])) & set(wanted))
            case "reserved":
                return bool(is_reserved(context) == wanted)
            case "zones":
                return context.get("zone") in wanted
            case other:
                raise AssertionError(f"for {other}")

    return all(holds(key, wanted) for key, wanted in asked.items())


def is_reserved(context: Context) -> bool:
    return "reserved_from" in context and "reserved_until" in context


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ── days by name ────────────────────────────────────────────────────────────────────────────

# From the most particular to the least; a band without `days` knows every day by nothing.
EVENT, HOLIDAY, HOLIDAY_EVE, WEEKDAY, ANY_DAY = range(5)


def known_by(days: Sequence[str] | None, day: int, calendar: Mapping[int, set[str]]) -> int | None:
    """The most particular of the names by which `days` knows this day; None: it does not."""
    if days is None:
        return ANY_DAY
    kinds = calendar.get(day, set())
    if (kinds - {"holiday"}) & set(days):
        return EVENT
    if "holiday" in days and "holiday" in kinds:
        return HOLIDAY
    if "holiday_eve" in days and "holiday" in calendar.get(day + 1, set()):
        return HOLIDAY_EVE
    return WEEKDAY if weekday_of(day) in days else None


# ── what begins at a reading of the clock ───────────────────────────────────────────────────


class Steps:
    """Blocks, one after the other; each is charged when it begins."""

    def __init__(self, steps: Sequence[Config]) -> None:
        self._begins: dict[int, Fraction] = {}
        self._last: tuple[int, int, Fraction] | None = None
        self.lengths: list[int] = []
        self.end: int | None = None
        at = 0
        for index, step in enumerate(steps):
            length = step["seconds"] if "seconds" in step else step["minutes"] * MINUTE
            amount = Fraction(step["price"])
            if "price_minutes" in step:
                amount *= Fraction(length, step["price_minutes"] * MINUTE)
            self.lengths.append(length)
            if index == len(steps) - 1 and "times" not in step:
                self._last = (at, length, amount)
            else:
                for _ in range(step.get("times", 1)):
                    self._begins[at] = amount
                    at += length
        if self._last is None:
            self.end = at

    def at(self, reading: int) -> Fraction:
        """The price of the block that begins at this reading; nothing if none does."""
        if self._last is not None and reading >= self._last[0]:
            begin, length, amount = self._last
            return amount if (reading - begin) % length == 0 else NOTHING
        return self._begins.get(reading, NOTHING)


class Tiers:
    """Only the tier that is reached is charged: where one ends, the next adds the difference."""

    def __init__(self, tiers: Sequence[Config]) -> None:
        self._begins: dict[int, Fraction] = {}
        self.lengths: list[int] = []
        begin, before = 0, NOTHING
        for tier in tiers:
            self._begins[begin] = Fraction(tier["price"]) - before
            before = Fraction(tier["price"])
            if "up_to_minutes" in tier:
                begin = tier["up_to_minutes"] * MINUTE
                self.lengths.append(begin)
        self.end: int | None = begin if "up_to_minutes" in tiers[-1] else None

    def at(self, reading: int) -> Fraction:
        return self._begins.get(reading, NOTHING)


class Band:
    """One band; BLOCK and TIER have a single one, of all time."""

    def __init__(self, config: Config) -> None:
        self.days: Sequence[str] | None = config.get("days")
        self.begin = time_of(config.get("from", "00:00"))
        self.end = time_of(config.get("until", "24:00"))
        self.maximum = Fraction(config["maximum"]) if "maximum" in config else None
        self.flat = Fraction(config["flat"]) if "flat" in config else None
        self.free = config.get("free", False)
        self.unsold = config.get("unsold", False)
        self.clocked: Steps | Tiers | None = None
        if "steps" in config:
            self.clocked = Steps(config["steps"])
        if "tiers" in config:
            self.clocked = Tiers(config["tiers"])

    def day_begun(self, day: int, time: int) -> int | None:
        """The day on which the occurrence began that covers this reading, `days` aside."""
        if self.begin < self.end:
            return day if self.begin <= time < self.end else None
        if time >= self.begin:
            return day
        return day - 1 if time < self.end else None


# ── the base price ──────────────────────────────────────────────────────────────────────────


@dataclass
class Sum:
    """What was charged, and the pieces of which it is made (for those who round by line)."""

    amount: Fraction = NOTHING
    parts: list[Fraction] = field(default_factory=list)
    free: bool = False

    def set(self, amount: Fraction) -> None:
        self.parts += [amount, amount - self.amount]
        self.amount = amount


@dataclass
class Question:
    """All that one price depends on. A reservation may have moved entry and exit."""

    tariff: Tariff
    entry: int
    exit: int
    context: Context

    @property
    def config(self) -> Config:
        return self.tariff.config

    @property
    def clock(self) -> Clock:
        return self.tariff.clock


class Walk:
    """One way through the charged time of a stay, tick by tick."""

    def __init__(self, question: Question, begin: int, end: int) -> None:
        self.tariff, self.config, self.clock = question.tariff, question.config, question.clock
        self.begin, self.end = begin, end
        self.factor = occupancy_factor(self.config, question.context)
        raised = self.config.get("occupancy_caps") == "raised"
        self.limits_factor = self.factor if raised else Fraction(1)
        self.caps: Sequence[Config] = self.config.get("caps", [])
        self.caps_left: dict[tuple[int, int], Fraction] = {}
        self.maxima_left: dict[Occurrence, Fraction] = {}
        self.flats_charged: set[Occurrence] = set()
        self.sum = Sum()

    def price(self) -> Sum:
        self.charge_fee()
        if self.tariff.rule.strategy == "FLAT":
            self.charge(Fraction(self.config["amount"]) * self.factor, self.begin)
        else:
            self.charge_time()
        return self.sum

    def charge_fee(self) -> None:
        if "entrance_fee" in self.config:
            fee = Fraction(self.config["entrance_fee"])
            if self.config.get("entrance_fee_capped", False):
                self.charge(fee, self.begin)
            else:
                self.sum.set(self.sum.amount + fee)

    def charge_time(self) -> None:
        """The clock counts `reading`; what begins at a reading is charged at its tick."""
        tick = self.tick()
        restart = self.config.get("band_border") == "restart"
        new_days = self.new_days()
        reading = 0
        at, before = self.begin, None
        while at < self.end or at == self.begin:
            cover = self.tariff.covers(self.clock.shows(at))
            if cover is None:
                raise Refused(NO_PRICE)
            if at in new_days or (restart and cover[0] != before):
                reading = 0
            self.charge_tick(cover, reading, at)
            if not self.tariff.bands[cover[0]].unsold:
                reading += tick
            before = cover[0]
            at += tick
        if self.config.get("limit_reading") == "exclusive" and self.begin < self.end:
            self.charge_end(reading, at - tick)

    def charge_tick(self, cover: Occurrence, reading: int, at: int) -> None:
        band = self.tariff.bands[cover[0]]
        if band.clocked is not None:
            # Reading: past a last step or tier that ends, a minute has no price.
            if band.clocked.end is not None and reading >= band.clocked.end:
                raise Refused(NO_PRICE)
            amount = band.clocked.at(reading)
            if amount:
                self.charge(amount * self.factor, at, cover)
        elif band.flat is not None and cover not in self.flats_charged:
            self.flats_charged.add(cover)
            self.charge(band.flat * self.factor, at, cover)

    def charge_end(self, reading: int, last: int) -> None:
        """A stay of exactly 60 minutes begins the next block.

        Reading: this is about the end of a stay only; at its other borders the half-open rule
        decides. Who leaves at 22:00 has not entered what begins then, neither another band nor
        another day, so what would begin is the next block of the band, the day and the windows in
        which the stay was at last.
        """
        cover = self.tariff.covers(self.clock.shows(last))
        assert cover is not None
        clocked = self.tariff.bands[cover[0]].clocked
        if clocked is not None:
            self.charge(clocked.at(reading) * self.factor, last, cover)

    def tick(self) -> int:
        """So short that nothing happens but at a tick: stays and tariffs of whole quarters of an
        hour are walked in quarters, of whole minutes in minutes, others in seconds."""
        points = [self.begin, self.end, time_of(self.config.get("day_begins", "00:00"))]
        for band in self.tariff.bands:
            points += [band.begin, band.end]
            points += band.clocked.lengths if band.clocked is not None else []
        return math.gcd(QUARTER, *points)

    def new_days(self) -> set[int]:
        """The instants at which the clock goes back to zero."""
        match self.config.get("new_day", "continue"):
            case "rolling_24h":
                return set(range(self.begin, self.end, DAY))
            case "calendar_day":
                time = time_of(self.config.get("day_begins", "00:00"))
                days = range(self.clock.day(self.begin) - 2, self.clock.day(self.end) + 3)
                return {self.clock.begin(day, time) for day in days}
            case _:
                return set()

    # ── maxima and caps ─────────────────────────────────────────────────────────────────────

    def charge(self, amount: Fraction, at: int, occurrence: Occurrence | None = None) -> None:
        """Cut to what is left, of its occurrence of the band and of the windows at that instant.

        Reading: what a maximum or a cap has left is reckoned with what was charged in the end.
        """
        windows = [(index, self.window(cap, at)) for index, cap in enumerate(self.caps)]
        left = [amount]
        maximum = None if occurrence is None else self.tariff.bands[occurrence[0]].maximum
        if occurrence is not None and maximum is not None:
            self.maxima_left.setdefault(occurrence, maximum * self.limits_factor)
            left.append(self.maxima_left[occurrence])
        for window in windows:
            if window not in self.caps_left:
                self.caps_left[window] = self.cap_amount(self.caps[window[0]])
            left.append(self.caps_left[window])
        charged = min(left)
        if occurrence in self.maxima_left:
            assert occurrence is not None
            self.maxima_left[occurrence] -= charged
        for window in windows:
            self.caps_left[window] -= charged
        self.sum.parts += [amount, *left]
        self.sum.set(self.sum.amount + charged)

    def window(self, cap: Config, at: int) -> int:
        """Which of the cap's windows this is: the whole stay is one if it is `multiplied`."""
        if cap["per"] == "stay" or cap["reading"] == "multiplied":
            return 0
        return self.window_each(cap, at)

    def window_each(self, cap: Config, at: int) -> int:
        begins = time_of(cap.get("begins", "00:00"))
        match cap["per"]:
            case "rolling_24h":
                return (at - self.begin) // DAY
            case "rolling_7d":
                return (at - self.begin) // (7 * DAY)
            case "calendar_day":
                return self.clock.day_begun(at, begins)
            case "calendar_week":
                day = self.clock.day_begun(at, begins)
                while weekday_of(day) != cap.get("week_begins", "mon"):
                    day -= 1
                return day
            case other:
                raise AssertionError(f"a cap per {other}")

    def cap_amount(self, cap: Config) -> Fraction:
        amount = Fraction(cap["amount"]) * self.limits_factor
        if cap["per"] != "stay" and cap["reading"] == "multiplied":
            amount *= self.windows_touched(cap)
        return amount

    def windows_touched(self, cap: Config) -> int:
        """Half-open: who leaves at midnight has not touched the next day. Reading: what touches is
        the charged time, from the begin of the charge."""
        last = max(self.begin, self.end - 1)
        instants = {*range(self.begin, last, 12 * 60 * MINUTE), last}
        return len({self.window_each(cap, at) for at in instants})


def bands_of(strategy: str, config: Config) -> list[Band]:
    match strategy:
        case "BLOCK":
            return [Band({"steps": config["steps"]})]
        case "TIER":
            return [Band({"tiers": config["tiers"]})]
        case "BAND":
            return [Band(band) for band in config["bands"]]
        case _:
            return []


def occupancy_factor(config: Config, context: Context) -> Fraction:
    """Of the highest step that was reached; none reached: as it is."""
    percent = Fraction(str(context.get("occupancy_percent", 0)))
    reached = [
        step
        for step in config.get("occupancy", [])
        if Fraction(str(step["from_percent"])) <= percent
    ]
    if not reached:
        return Fraction(1)
    return Fraction(str(max(reached, key=lambda s: Fraction(str(s["from_percent"])))["factor"]))


# ── specials ────────────────────────────────────────────────────────────────────────────────


def fits(special: Config, question: Question) -> bool:
    """Whether entry and exit lie in its windows, as the clock on the wall shows them.

    Reading: entry and exit are those of the stay (or of what was sold), not the begin of the
    charge.
    """
    day = evening_of(special, question.clock.shows(question.entry))
    if day is None or known_by(special.get("days"), day, question.tariff.calendar) is None:
        return False
    shown = question.clock.shows(question.exit)
    exit_day = special.get("exit_day", 0)
    if exit_day == "any":
        # At 24:00 of the day before it is 00:00 of this day.
        of = shown // DAY
        return any(leaves(special, shown, day_of_exit) for day_of_exit in (of - 1, of, of + 1))
    return leaves(special, shown, day + exit_day)


def evening_of(special: Config, shown: int) -> int | None:
    """The day to which an entry at this reading belongs; None: it is not in the window.

    Reading: from 06:00 until 06:00 is until the next day, as with bands.
    """
    day, time = divmod(shown, DAY)
    enter_from = time_of(special.get("enter_from", "00:00"))
    enter_until = time_of(special.get("enter_until", "24:00"))
    if enter_until > enter_from:
        return day if enter_from <= time < enter_until else None
    if time >= enter_from:
        return day
    return day - 1 if time < enter_until else None


def leaves(special: Config, shown: int, day: int) -> bool:
    """By `exit_until` of this day, not before `exit_from` of this day or of the one before.

    Reading: without `exit_from` it may be as early as one likes; for any day, on that day. "Until
    the end" of a day is by 24:00, as `exit_until` is.
    """
    any_day = special.get("exit_day") == "any"
    until = time_of(special.get("exit_until", "24:00"))
    if ("exit_until" in special or "exit_day" in special) and shown > day * DAY + until:
        return False
    if "exit_from" in special or any_day:
        since = time_of(special.get("exit_from", "00:00"))
        return shown >= (day - 1 if since > until else day) * DAY + since
    return True


def with_specials(question: Question, base: Sum) -> None:
    fitting = [
        Fraction(special["price"])
        for special in question.config.get("specials", [])
        if fits(special, question)
    ]
    if not fitting:
        return
    base.parts += fitting
    match question.config["special_wins"]:
        case "listed":
            base.set(fitting[0])
        case "cheapest_special":
            base.set(min(fitting))
        case "cheapest":
            base.set(min(*fitting, base.amount))
        case other:
            raise AssertionError(other)


# ── one stay: steps 1 to 5 ──────────────────────────────────────────────────────────────────


def stay_price(question: Question, minutes_given: int, earlier: int) -> Sum:
    """From the begin of the charge to the minimum.

    `minutes_given`: free minutes of validations. `earlier`: the seconds of an earlier visit of
    which this one is the continuation. Reading: together they are one stay that ends when this one
    ends; but what is asked about a stay of no length, and by specials, is asked about this one.
    """
    config, entry, exit_ = question.config, question.entry, question.exit
    if entry == exit_ and config["zero_stay"] == "free":
        return Sum(free=True)
    begin = entry - earlier + minutes_given * MINUTE
    if minutes_given and begin >= exit_:
        return Sum(free=True)
    free = question.tariff.rule.free_minutes * MINUTE
    if free:
        stayed = exit_ - begin
        inclusive = config["free_minutes_limit"] == "inclusive"
        if stayed < free or (inclusive and stayed == free):
            return Sum(free=True)
        if config["free_minutes_reading"] == "deducted":
            # Reading: where exactly nothing remains and that is not free, it is a moment.
            begin += free
    priced = Walk(question, begin, exit_).price()
    with_specials(question, priced)
    if "minimum" in config:
        minimum = Fraction(config["minimum"])
        priced.parts.append(minimum)
        # "Unless its lines so far come to nothing"; where they are rounded one by one they may come
        # to nothing without being nothing, which is not looked at here.
        if NOTHING < priced.amount < minimum:
            priced.set(minimum)
    return priced


def sold(
    config: Config, entry: datetime, exit_: datetime, context: Context
) -> tuple[datetime, datetime, datetime | None]:
    """Begin and end of the stay that is priced, and of one that is charged `anew` the begin."""
    if "reservation" not in config or not is_reserved(context):
        return entry, exit_, None
    reading = config["reservation"]
    begin, end = moment(context["reserved_from"]), moment(context["reserved_until"])
    if entry < begin:
        entry = entry if reading["early"] == "charged" else begin
    elif reading["unused"] == "charged":
        entry = begin
    if exit_ < end and reading["unused"] == "charged":
        exit_ = end
    # Reading: who comes after the end stays anew from when he comes.
    if entry < end < exit_ and reading["overstay"] == "anew":
        return entry, end, end
    return entry, exit_, None


# ── the second visit, validations, the lost ticket: steps 6 and 7 ───────────────────────────


def cheapest(question: Question, exponent: int) -> Price:
    """With the validations that count; Reading: the best one is best for the amount to be paid."""

    def priced(validations: Sequence[Config]) -> Price:
        answer = with_validations(question, validations)
        exact = lost_ticket(question, answer)
        amount = rounded_and_taxed(question.config, exact, exponent)
        return Price(amount, question.tariff.rule, exact, tuple(answer.parts), None)

    return min(map(priced, validations_that_count(question)), key=lambda one: one.amount)


def validations_that_count(question: Question) -> Sequence[Sequence[Config]]:
    """All in their order, or each by itself: of these the one counts that makes it cheapest."""
    config = question.config
    listed = {validation["name"]: validation for validation in config.get("validations", [])}
    given: list[str] = list(question.context.get("validations", []))
    if any(name not in listed for name in given):
        raise Refused(UNKNOWN_VALIDATION)
    if config.get("validation_order") == "listed":
        given = [name for name in listed if name in given]
    validations = [listed[name] for name in given]
    if config.get("validation_stacking") == "best" and validations:
        return [[one] for one in validations]
    return [validations]


def with_validations(question: Question, validations: Sequence[Config]) -> Sum:
    minutes_given = sum(validation.get("free_minutes", 0) for validation in validations)
    answer = second_visit(question, minutes_given)
    if answer.free:
        return answer
    for validation in validations:
        if "amount" in validation:
            answer.set(max(NOTHING, answer.amount - Fraction(validation["amount"])))
        elif "percent" in validation:
            answer.set(answer.amount * (1 - Fraction(str(validation["percent"])) / 100))
        elif validation.get("free", False):
            answer.set(NOTHING)
    return answer


def second_visit(question: Question, minutes_given: int) -> Sum:
    config = question.config
    visit = earlier_visit(question)
    if visit is not None and config["second_visit"] == "continued":
        entry, exit_, amount = visit
        answer = stay_price(question, minutes_given, exit_ - entry)
        # What it cost it cost with the taxes that are added to this price, too.
        answer.set(max(NOTHING, answer.amount - amount / taxed(config)))
        return answer
    answer = stay_price(question, minutes_given, 0)
    if visit is not None and config["second_visit"] == "reduced":
        off = Fraction(str(config["second_visit_percent"])) / 100
        answer.set(answer.amount * (1 - off))
    return answer


def earlier_visit(question: Question) -> tuple[int, int, Fraction] | None:
    """The earlier visit, if it counts."""
    earlier = question.context.get("earlier_visit")
    if earlier is None or question.config["second_visit"] == "separate":
        return None
    entry = instant_of(moment(earlier["entry"]))
    exit_ = instant_of(moment(earlier["exit"]))
    if "second_visit_minutes" in question.config:
        soon = question.config["second_visit_minutes"] * MINUTE
        counts = question.entry - exit_ <= soon
    else:
        counts = question.clock.day(exit_) == question.clock.day(question.entry)
    # Reading: where a reservation moves the begin to before the earlier visit's end, there is none.
    if not counts or exit_ > question.entry:
        return None
    return entry, exit_, Fraction(str(earlier["amount"]))


def lost_ticket(question: Question, answer: Sum) -> Fraction:
    """Reading: "is free: done" means that a free stay costs nothing without its ticket, too."""
    config = question.config.get("lost_ticket")
    if config is None or not question.context.get("lost_ticket", False) or answer.free:
        return answer.amount
    amount = Fraction(config["amount"])
    answer.parts.append(amount)
    match config["reading"]:
        case "instead":
            answer.set(amount)
        case "at_least":
            answer.set(max(answer.amount, amount))
        case "added":
            answer.set(answer.amount + amount)
        case other:
            raise AssertionError(other)
    return answer.amount


# ── rounding and taxes: step 8 ──────────────────────────────────────────────────────────────


def taxed(config: Config) -> Fraction:
    """How many times a price without the taxes that are added is the one with them."""
    if config.get("tax_included", True):
        return Fraction(1)
    percent = sum((Fraction(str(tax["percent"])) for tax in config["taxes"]), NOTHING)
    return 1 + percent / 100


def rounded_and_taxed(config: Config, exact: Fraction, exponent: int) -> Decimal:
    """As if everything were one line: `Price.parts` says whether that can matter."""
    unit = Fraction(1, 10**exponent)
    total = exact
    if "rounding" in config:
        rounding = config["rounding"]
        total = rounded(exact, Fraction(rounding.get("to", unit)), rounding["mode"])
    if config.get("taxes") and not config["tax_included"]:
        before = total
        for tax in config["taxes"]:
            share = before * Fraction(str(tax["percent"])) / 100
            total += rounded(share, unit, tax["rounding"])
    units = total / unit
    assert units.denominator == 1, f"{total} is finer than the currency, and nothing rounds it"
    return Decimal(units.numerator).scaleb(-exponent)


def rounded(amount: Fraction, unit: Fraction, mode: str) -> Fraction:
    """To a multiple of the unit; halves and ups away from zero."""
    units, sign = abs(amount) / unit, -1 if amount < 0 else 1
    below = math.floor(units)
    over = units - below
    half = Fraction(1, 2)
    up = {
        "up": over > 0,
        "down": False,
        "half_up": over >= half,
        "half_even": over > half or (over == half and below % 2 == 1),
    }[mode]
    return sign * unit * (below + up)
