"""Facilities with valid tariffs of any kind, and stays that like borders, as Hypothesis strategies.

What is made is JSON-like: a tariff is the `config` of a pricing rule, a context what
`gate.price_stay_v1` is asked with.

An example is drawn as one number, and dice are thrown from it. Drawn piece by piece, of four
hundred tariffs with their stays less than half are different ones: an example of thousands of
pieces is more than Hypothesis varies well, and to shrink it takes longer than to read it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.tariff.dice import Dice
from tests.tariff.oracle import Rule
from tests.tariff.oracle_time import WEEKDAYS

Table = dict[str, Any]

# Days at which the clock of a zone changes, and some at which nothing happens.
PLAIN_DAYS = (date(2024, 2, 28), date(2026, 12, 30))
ANCHORS: Mapping[str, Sequence[date]] = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25), *PLAIN_DAYS),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1), *PLAIN_DAYS),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4), *PLAIN_DAYS),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),  # at midnight
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 30)),  # at midnight, backwards too
    "Asia/Kathmandu": PLAIN_DAYS,
    "UTC": PLAIN_DAYS,
}
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DAY_NAMES = (*WEEKDAYS, "holiday", "holiday_eve", "fair", "match")
MODES = ("half_up", "half_even", "up", "down")
CHANGES = ("00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "23:30")


@dataclass(frozen=True)
class Stay:
    entry: datetime
    exit: datetime
    context: Table


@dataclass(frozen=True)
class Facility:
    """A car park that exists for one question."""

    zone: str
    currency: str
    calendar: Mapping[date, set[str]]
    rules: Sequence[Rule]
    vehicle_type_default: str = "CAR"

    @property
    def exponent(self) -> int:
        return CURRENCIES[self.currency]


@dataclass(frozen=True)
class Case:
    """Stays at a facility. They are many: what is shown of them is what makes them again."""

    facility: Facility = field(repr=False)
    stays: Sequence[Stay] = field(repr=False)
    number: int


@dataclass(frozen=True)
class Grain:
    """What the numbers of one tariff are multiples of."""

    minutes: int
    places: int  # of its amounts
    exponent: int  # of the currency
    busy: bool  # whether it has much of what it need not have

    @property
    def finer(self) -> bool:
        return self.places > self.exponent

    def has(self, dice: Dice, percent: int) -> bool:
        """Whether a tariff has something that so many have."""
        return dice.chance(min(85, percent * 2) if self.busy else percent * 2 // 3)

    def time(self, dice: Dice) -> str:
        """Times of day, with a liking for those at which clocks change."""
        if dice.chance(25):
            return dice.pick(["06:00", "08:00", "18:00", "20:00", "22:00"])
        if dice.chance(50):
            return dice.pick(CHANGES)
        minutes = dice.integer(0, 24 * 60 // self.minutes - 1) * self.minutes
        return f"{minutes // 60:02}:{minutes % 60:02}"

    def day_begins(self, dice: Dice) -> str:
        """Mostly where a clock change makes a difference to it."""
        return dice.pick(CHANGES) if dice.chance(70) else self.time(dice)

    def amount(self, dice: Dice, low: int = 0, high: int = 30) -> str:
        """Amounts as text, of the same size whatever the currency; often halves of its unit."""
        if self.places == 0:
            return str(dice.integer(low * 100, high * 100))
        if dice.chance(40):
            return str(dice.integer(low, high))
        places = self.places
        if self.finer and dice.chance(50):
            half = Decimal("0.5").scaleb(-self.exponent)
            return f"{low + dice.integer(0, 200 * (high - low)) * half:f}"
        return f"{Decimal(dice.integer(low * 10**places, high * 10**places)).scaleb(-places):f}"

    def factor(self, dice: Dice) -> str:
        return dice.pick(["1.5", "2", "0.75", "1.3333", "1.25", "0.9", "0"])

    def minutes_up_to(self, dice: Dice, most: int) -> int:
        return dice.integer(1, max(1, most // self.minutes)) * self.minutes


# ── a tariff ────────────────────────────────────────────────────────────────────────────────


def steps(dice: Dice, grain: Grain) -> list[Table]:
    made: list[Table] = []
    count = dice.integer(1, 3)
    for index in range(count):
        step: Table = {"price": grain.amount(dice, 0, 6)}
        if grain.finer and dice.chance(10):
            step["seconds"] = dice.pick([90, 30, 1])
        else:
            step["minutes"] = grain.minutes_up_to(dice, dice.pick([120, 60, 1500]))
        if grain.finer and dice.chance(25):
            step["price_minutes"] = dice.pick([60, 7, 1440])
        if index < count - 1 or dice.chance(10):
            step["times"] = dice.integer(1, 4)
        made.append(step)
    return made


def tiers(dice: Dice, grain: Grain) -> list[Table]:
    minutes = sorted({grain.minutes_up_to(dice, 2000) for _ in range(dice.integer(1, 4))})
    prices = sorted((grain.amount(dice, 0, 40) for _ in minutes), key=float)
    made: list[Table] = [
        {"up_to_minutes": up_to, "price": price}
        for up_to, price in zip(minutes, prices, strict=True)
    ]
    if not dice.chance(15):
        del made[-1]["up_to_minutes"]
    return made


def bands(dice: Dice, grain: Grain) -> list[Table]:
    """Often two halves of a day and some that are more particular; mostly every minute has one."""
    windows: list[Table] = []
    if dice.chance(60):
        first, second = grain.time(dice), grain.time(dice)
        windows += [{"from": first, "until": second}, {"from": second, "until": first}]
    for _ in range(dice.integer(0, 3)):
        window: Table = {}
        if dice.chance(70):
            window["from"] = grain.time(dice)
        if dice.chance(70):
            window["until"] = "24:00" if dice.chance(20) else grain.time(dice)
        if dice.chance(70):
            window["days"] = sorted(dice.some(DAY_NAMES, 1, 4))
        windows.append(window)
    if dice.chance(50):
        windows = dice.some(windows, len(windows), len(windows))
    if dice.chance(80) or not windows:
        windows.append({})
    return [
        {"name": f"band {index}", **window, **band_prices(dice, grain)}
        for index, window in enumerate(windows)
    ]


def band_prices(dice: Dice, grain: Grain) -> Table:
    kind = dice.pick(["steps", "steps", "steps", "tiers", "flat", "free", "unsold"])
    match kind:
        case "steps":
            band: Table = {"steps": steps(dice, grain)}
        case "tiers":
            band = {"tiers": tiers(dice, grain)}
        case "flat":
            band = {"flat": grain.amount(dice, 1, 12)}
        case _:
            return {kind: True}
    if grain.has(dice, 30):
        band["maximum"] = grain.amount(dice, 1, 20)
    return band


def caps(dice: Dice, grain: Grain) -> list[Table]:
    made = []
    for _ in range(dice.integer(1, 3)):
        per = dice.pick(["rolling_24h", "calendar_day", "rolling_7d", "calendar_week", "stay"])
        cap: Table = {"per": per, "amount": grain.amount(dice, 1, 40)}
        if per != "stay":
            cap["reading"] = dice.pick(["each", "multiplied"])
        if per == "calendar_week":
            cap["week_begins"] = dice.pick(WEEKDAYS)
        if per.startswith("calendar") and dice.chance(50):
            cap["begins"] = grain.day_begins(dice)
        made.append(cap)
    return made


def specials(dice: Dice, grain: Grain) -> list[Table]:
    made = []
    for index in range(dice.integer(1, 3)):
        special: Table = {"name": f"special {index}", "price": grain.amount(dice, 0, 20)}
        if dice.chance(30):
            special["days"] = sorted(dice.some(DAY_NAMES, 1, 6))
        for name, percent in (
            ("enter_from", 60),
            ("enter_until", 60),
            ("exit_from", 60),
            ("exit_until", 80),
        ):
            if dice.chance(percent):
                latest = ["24:00"] if name.endswith("until") else ["22:00"]
                special[name] = dice.pick(latest) if dice.chance(20) else grain.time(dice)
        if dice.chance(75):
            special["exit_day"] = dice.pick([0, 1, "any", 0, 1, 2, "any", 3])
        made.append(special)
    return made


def validations(dice: Dice, grain: Grain) -> list[Table]:
    made = []
    for index in range(dice.integer(1, 4)):
        validation: Table = {"name": f"v{index}"}
        kinds = ["free_minutes", "amount", "free"] + (["percent"] if grain.finer else [])
        match dice.pick(kinds):
            case "free_minutes":
                validation["free_minutes"] = grain.minutes_up_to(dice, 240)
            case "amount":
                validation["amount"] = grain.amount(dice, 0, 8)
            case "percent":
                validation["percent"] = percents(dice)
            case _:
                validation["free"] = True
        made.append(validation)
    return made


def percents(dice: Dice) -> str:
    if dice.chance(40):
        return dice.pick(["50", "33.3333", "19", "0", "100"])
    if dice.chance(50):
        return str(dice.integer(0, 100))
    return f"{Decimal(dice.integer(0, 10_000)).scaleb(-2):f}"


def tariffs(dice: Dice, grain: Grain) -> tuple[str, Table, int]:
    """Strategy, config and free minutes: every reading that is asked for is answered."""
    strategy = dice.pick(["BAND", "BLOCK", "TIER", "FLAT", "BAND", "BAND", "BLOCK"])
    config = times_priced(dice, strategy, grain)
    free_minutes = 0
    if grain.has(dice, 30):
        free_minutes = grain.minutes_up_to(dice, 120)
        config["free_minutes_reading"] = dice.pick(["deducted", "threshold"])
        config["free_minutes_limit"] = dice.pick(["inclusive", "exclusive"])
    config["zero_stay"] = dice.pick(["free", "charged"])
    config |= limits(dice, grain, "maximum" in str(config))
    config |= afterwards(dice, grain)
    config |= second_visits(dice, grain)
    config |= taxes(dice, grain)
    if grain.finer or "taxes" in config or grain.has(dice, 20):
        # "Unless its lines so far come to nothing" cannot be asked without knowing what is a line.
        config["rounding"] = roundings(dice, grain, by_line="minimum" not in config)
    return strategy, config, free_minutes


def times_priced(dice: Dice, strategy: str, grain: Grain) -> Table:
    """What the time costs, and how the clock for it runs."""
    config: Table = {}
    match strategy:
        case "FLAT":
            return {"amount": grain.amount(dice, 1, 30)}
        case "BLOCK":
            config["steps"] = steps(dice, grain)
        case "TIER":
            config["tiers"] = tiers(dice, grain)
        case _:
            config["bands"] = bands(dice, grain)
    parts: list[Table] = config.get("bands", [config])
    if len(parts) > 1:
        config["band_border"] = dice.pick(["restart", "continue"])
    if any("steps" in part or "tiers" in part for part in parts):
        config["limit_reading"] = dice.pick(["inclusive", "exclusive"])
        config["new_day"] = dice.pick(["rolling_24h", "calendar_day", "continue"])
        if config["new_day"] == "calendar_day" and dice.chance(50):
            config["day_begins"] = grain.day_begins(dice)
    return config


def limits(dice: Dice, grain: Grain, has_maximum: bool) -> Table:
    """Caps, a fee and what occupancy does."""
    config: Table = {}
    if grain.has(dice, 45):
        config["caps"] = caps(dice, grain)
    if grain.has(dice, 25):
        config["entrance_fee"] = grain.amount(dice, 0, 5)
        if "caps" in config:
            config["entrance_fee_capped"] = dice.chance(50)
    if grain.finer and grain.has(dice, 25):
        config["occupancy"] = [
            {"from_percent": percent, "factor": grain.factor(dice)}
            for percent in dice.some(["0", "50", "80", "87.5", "95"], 1, 3)
        ]
        if "caps" in config or has_maximum:
            config["occupancy_caps"] = dice.pick(["raised", "fixed"])
    return config


def afterwards(dice: Dice, grain: Grain) -> Table:
    """What looks at the price as a whole."""
    config: Table = {}
    if grain.has(dice, 20):
        config["minimum"] = grain.amount(dice, 0, 10)
    if grain.has(dice, 25):
        config["specials"] = specials(dice, grain)
        config["special_wins"] = dice.pick(["listed", "cheapest_special", "cheapest"])
    if grain.has(dice, 25):
        config["validations"] = validations(dice, grain)
        config["validation_order"] = dice.pick(["listed", "given"])
        config["validation_stacking"] = dice.pick(["all", "best"])
    if grain.has(dice, 15):
        config["lost_ticket"] = {
            "amount": grain.amount(dice),
            "reading": dice.pick(["instead", "at_least", "added"]),
        }
    if grain.has(dice, 15):
        config["reservation"] = {
            "early": dice.pick(["free", "charged"]),
            "unused": dice.pick(["charged", "free"]),
            "overstay": dice.pick(["continued", "anew"]),
        }
    return config


def second_visits(dice: Dice, grain: Grain) -> Table:
    readings = ["separate", "separate", "continued", *(["reduced"] if grain.finer else [])]
    config: Table = {"second_visit": dice.pick(readings)}
    if config["second_visit"] == "reduced":
        config["second_visit_percent"] = percents(dice)
    if config["second_visit"] != "separate" and dice.chance(50):
        config["second_visit_minutes"] = grain.minutes_up_to(dice, 600)
    return config


def taxes(dice: Dice, grain: Grain) -> Table:
    if not grain.has(dice, 12):
        return {}
    return {
        "taxes": [
            {
                "name": f"tax {index}",
                "percent": percents(dice),
                "rounding": dice.pick(MODES),
            }
            for index in range(dice.integer(1, 2))
        ],
        "tax_included": dice.chance(50),
        "tax_per": dice.pick(["total", "total", "line"]),
    }


def roundings(dice: Dice, grain: Grain, *, by_line: bool) -> Table:
    made: Table = {
        "mode": dice.pick(MODES),
        "per": "line" if by_line and dice.chance(25) else "total",
    }
    if dice.chance(25):
        coins = ["10", "5"] if grain.exponent == 0 else ["0.05", "0.5", "0.10", "1"]
        made["to"] = dice.pick(coins)
    return made


# ── a facility ──────────────────────────────────────────────────────────────────────────────

CONDITIONS: Mapping[str, Sequence[Any]] = {
    "vehicle_types": (["CAR"], ["VAN", "TRUCK"], ["CAR", "VAN"]),
    "electric": (True, False),
    "accessible": (True, False),
    "members": (["gold"], ["gold", "silver"]),
    "reserved": (True, False),
    "zones": (["A"], ["A", "B"]),
}


def facilities(dice: Dice, grain: Grain, zone: str, currency: str, anchor: date) -> Facility:
    """Mostly one tariff; otherwise one for everybody and others for some, or for some time."""
    kinds = ({"holiday"}, {"holiday"}, {"fair"}, {"holiday", "match"})
    days = {after: dice.pick(kinds) for after in dice.some(range(-3, 6), 0, 5)}
    calendar = {anchor + timedelta(days=after): kinds for after, kinds in days.items()}
    rules = []
    for index in range(dice.pick([1, 1, 1, 1, 2, 3])):
        strategy, config, free_minutes = tariffs(dice, grain)
        priority, valid_from, valid_until = 0, LONG_AGO, None
        if index > 0:
            names = dice.some(sorted(CONDITIONS), 0, 2)
            if names:
                config["for"] = {name: dice.pick(CONDITIONS[name]) for name in names}
            priority = dice.integer(-1, 2)
            noon = datetime(anchor.year, anchor.month, anchor.day, 12, tzinfo=UTC)
            valid_from = noon + timedelta(days=dice.integer(-6, 1), minutes=index)
            if dice.chance(50):
                valid_until = valid_from + timedelta(hours=dice.integer(1, 90))
        rules.append(
            Rule(
                f"tariff {index}",
                strategy,
                config,
                free_minutes,
                priority,
                valid_from,
                valid_until,
            )
        )
    default = dice.pick(["CAR", "CAR", "VAN"])
    return Facility(zone, currency, calendar, rules, default)


# ── stays ───────────────────────────────────────────────────────────────────────────────────


def stays(dice: Dice, facility: Facility, grain: Grain, anchor: date) -> Stay:
    zone = ZoneInfo(facility.zone)
    times, lengths, finest = points_of(facility)

    def at(day: date, time: str) -> datetime:
        hours, minutes = (int(part) for part in time.split(":"))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        reading = (midnight + timedelta(hours=hours, minutes=minutes)).replace(tzinfo=None)
        return reading.replace(tzinfo=zone, fold=dice.integer(0, 1)).astimezone(UTC)

    # A tariff to the second is walked in seconds.
    hours_most = 240 if finest >= 60 else 12 if finest >= 30 else 1
    entry = at(anchor + timedelta(days=dice.integer(-2, 2)), dice.pick(times))
    if dice.chance(50):
        entry += timedelta(minutes=dice.integer(-400, 400) * grain.minutes)
    match dice.integer(0, 9):
        case 0 | 1 | 2:
            chosen = [dice.pick(lengths) for _ in range(dice.integer(0, 4))]
            exit_ = entry + timedelta(seconds=sum(chosen))
        case 3 | 4 | 5:
            later = dice.pick([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 8])
            exit_ = at(entry.astimezone(zone).date() + timedelta(days=later), dice.pick(times))
        case 6 | 7 | 8:
            most = dice.pick([120, 300, 900, 2000])
            exit_ = entry + timedelta(minutes=grain.minutes_up_to(dice, most))
        case _:
            most = dice.pick([3000, 6000, 14400])
            exit_ = entry + timedelta(minutes=grain.minutes_up_to(dice, most))
    if dice.chance(25):
        exit_ += timedelta(minutes=dice.pick([-1, 1]))
    if exit_ < entry and not dice.chance(4):
        entry, exit_ = exit_, entry
    if exit_ - entry > timedelta(hours=hours_most):
        exit_ = entry + timedelta(minutes=grain.minutes_up_to(dice, hours_most * 60))
    if exit_ - entry < timedelta(hours=2) and dice.chance(15):
        exit_ += timedelta(seconds=dice.pick([1, -1, 30, 17]))
    return Stay(entry, exit_, contexts(dice, facility, grain, entry, exit_))


def points_of(facility: Facility) -> tuple[list[str], list[int], int]:
    """Times of day and lengths in seconds at which something happens, and the finest length."""
    found = [field for rule in facility.rules for field in fields_of(rule.config)] + [
        ("minutes", rule.free_minutes) for rule in facility.rules
    ]
    times = ["12:00", *CHANGES] + [value for key, value in found if key in TIME_FIELDS]
    minutes = [value * 60 for key, value in found if key in MINUTES_FIELDS]
    seconds = [value for key, value in found if key == "seconds"]
    finest = min([60, *(math.gcd(60, value) for value in seconds)])
    return times, [3600, 86400, *minutes, *seconds], finest


def fields_of(value: Any) -> list[tuple[str, Any]]:
    """All fields with a plain value, however deep they lie."""
    if isinstance(value, list):
        return [field for one in value for field in fields_of(one)]
    if not isinstance(value, dict):
        return []
    plain = [(key, one) for key, one in value.items() if not isinstance(one, dict | list)]
    return plain + [field for one in value.values() for field in fields_of(one)]


TIME_FIELDS = {
    "from",
    "until",
    "begins",
    "day_begins",
    "enter_from",
    "enter_until",
    "exit_from",
    "exit_until",
}
MINUTES_FIELDS = {"minutes", "up_to_minutes", "free_minutes"}


def contexts(
    dice: Dice, facility: Facility, grain: Grain, entry: datetime, exit_: datetime
) -> Table:
    """What a stay is asked with: what the rules look at, most of the time, or a stranger."""
    keys = {key for rule in facility.rules for key in rule.config}
    asked = {key for rule in facility.rules for key in rule.config.get("for", {})}
    context: Table = {}
    if dice.chance(50) and asked:
        context["vehicle_type"] = dice.pick(["CAR", "VAN", "SUV"])
        context["electric"] = dice.chance(50)
        context["accessible"] = dice.chance(50)
        context["members"] = dice.some(["gold", "silver", "x"], 0, 2)
        context["zone"] = dice.pick(["A", "B", "C"])
    if "occupancy" in keys and dice.chance(70):
        context["occupancy_percent"] = dice.pick([0, 49.5, 50, 87.5, 100, 80, 12])
    if "validations" in keys and dice.chance(60):
        listed = [rule.config.get("validations", []) for rule in facility.rules]
        names = sorted({one["name"] for one in min(filter(None, listed), key=len)})
        context["validations"] = dice.some(names, 1, 3)
        if dice.chance(2):
            context["validations"].append("unheard of")
    if "lost_ticket" in keys and dice.chance(40):
        context["lost_ticket"] = True
    if dice.chance(60) and ("reservation" in keys or "reserved" in asked):
        context |= reservations(dice, grain, entry, exit_)
    if dice.chance(40) and any(r.config["second_visit"] != "separate" for r in facility.rules):
        within = [
            rule.config["second_visit_minutes"]
            for rule in facility.rules
            if "second_visit_minutes" in rule.config
        ]
        context |= earlier_visits(dice, grain, entry, within)
    return context


def reservations(dice: Dice, grain: Grain, entry: datetime, exit_: datetime) -> Table:
    """Of a time that touches the stay."""
    unit = timedelta(minutes=grain.minutes)
    stay_units = max(1, int((exit_ - entry) / unit))
    begin = entry + unit * dice.integer(-20, min(20, stay_units - 1))
    end = exit_ + unit * dice.integer(-20, 20)
    if end <= max(begin, entry):
        end = max(begin, entry) + unit
    return {"reserved_from": begin.isoformat(), "reserved_until": end.isoformat()}


def earlier_visits(dice: Dice, grain: Grain, entry: datetime, within: Sequence[int]) -> Table:
    before = grain.minutes_up_to(dice, 900) - grain.minutes
    if within and dice.chance(50):
        before = dice.pick(within) + dice.integer(0, 1)
    exit_ = entry - timedelta(minutes=before)
    begin = exit_ - timedelta(minutes=grain.minutes_up_to(dice, 600))
    return {
        "earlier_visit": {
            "entry": begin.isoformat(),
            "exit": exit_.isoformat(),
            "amount": grain.amount(dice, 0, 12),
        }
    }


def border_case(number: int, stays_count: int) -> Case:
    """Tariffs of which nothing but the bands looks beyond a border."""
    dice = Dice(number)
    zone = dice.pick(sorted(ANCHORS))
    anchor = dice.pick(ANCHORS[zone])
    grain = Grain(dice.pick([15, 30, 1]), 2, 2, False)
    clocked = [
        {key: value for key, value in band.items() if key != "maximum"}
        for band in bands(dice, grain)
        if "flat" not in band
    ]
    config: Table = {
        "bands": [*clocked, {"name": "else", "free": True}],
        "limit_reading": "inclusive",
        "new_day": "continue",
        "band_border": "restart",
        "zero_stay": "free",
        "second_visit": "separate",
    }
    rule = Rule("bands", "BAND", config, 0, 0, LONG_AGO, None)
    facility = Facility(zone, "EUR", {anchor: {"holiday"}}, [rule])
    made = [stays(dice, facility, grain, anchor) for _ in range(stays_count)]
    return Case(facility, [stay for stay in made if stay.entry <= stay.exit], number)


def case(number: int, stays_count: int) -> Case:
    """A facility and so many stays at it, all around one day."""
    dice = Dice(number)
    zone = dice.pick(sorted(ANCHORS))
    anchor = dice.pick(ANCHORS[zone])
    currency = dice.pick(["EUR", "EUR", "EUR", "JPY", "KWD"])
    exponent = CURRENCIES[currency]
    places = exponent + (dice.integer(1, 3) if dice.chance(50) else 0)
    grain = Grain(dice.pick([15, 5, 30, 1]), places, exponent, dice.chance(50))
    facility = facilities(dice, grain, zone, currency, anchor)
    made = [stays(dice, facility, grain, anchor) for _ in range(stays_count)]
    return Case(facility, made, number)


NUMBERS = st.integers(0, 2**64 - 1)


def border_cases(stays_count: int) -> st.SearchStrategy[Case]:
    return NUMBERS.map(lambda number: border_case(number, stays_count))


def cases(stays_count: int) -> st.SearchStrategy[Case]:
    return NUMBERS.map(lambda number: case(number, stays_count))
