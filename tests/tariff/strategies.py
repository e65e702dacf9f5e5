"""Hypothesis strategies: facilities with valid tariffs of any kind, and stays that like borders.

What is drawn is JSON-like: a tariff is the `config` of a pricing rule, a context what
`gate.price_stay_v1` is asked with.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.tariff.oracle import Rule
from tests.tariff.oracle_time import WEEKDAYS

Table = dict[str, Any]

# Days at which the clock of a zone changes, and some at which nothing happens.
PLAIN_DAYS = (date(2026, 6, 10), date(2024, 2, 28), date(2026, 12, 30))
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
KINDS = ("holiday", "fair", "match")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MODES = ("half_up", "half_even", "up", "down")
CHANGES = ("00:00", "01:00", "02:00", "03:00")


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
    facility: Facility
    stays: Sequence[Stay]


@dataclass(frozen=True)
class Grain:
    """What the numbers of one tariff are multiples of."""

    minutes: int
    places: int  # of its amounts
    exponent: int  # of the currency

    @property
    def finer(self) -> bool:
        return self.places > self.exponent

    def time(self) -> st.SearchStrategy[str]:
        """Times of day, with a liking for those at which clocks change."""
        any_time = st.integers(0, 24 * 60 // self.minutes - 1).map(
            lambda n: f"{n * self.minutes // 60:02}:{n * self.minutes % 60:02}"
        )
        some = st.sampled_from(["06:00", "08:00", "18:00", "20:00", "22:00", *CHANGES])
        return st.one_of(some, any_time)

    def amount(self, low: int = 0, high: int = 30) -> st.SearchStrategy[str]:
        """Amounts as text, of the same size whatever the currency."""
        if self.places == 0:
            return st.integers(low * 100, high * 100).map(str)
        whole = st.integers(low, high).map(str)
        return st.one_of(
            whole, st.decimals(low, high, places=self.places).map(lambda amount: f"{amount:f}")
        )

    def factor(self) -> st.SearchStrategy[str]:
        return st.sampled_from(["1.5", "2", "0.75", "1.3333", "1.25", "0.9", "0"])

    def minutes_up_to(self, most: int) -> st.SearchStrategy[int]:
        return st.integers(1, max(1, most // self.minutes)).map(lambda n: n * self.minutes)


def maybe(draw: st.DrawFn, percent: int) -> bool:
    return draw(st.integers(0, 99)) >= 100 - percent


# ── a tariff ────────────────────────────────────────────────────────────────────────────────


@st.composite
def steps(draw: st.DrawFn, grain: Grain) -> list[Table]:
    made: list[Table] = []
    count = draw(st.integers(1, 3))
    for index in range(count):
        step: Table = {"price": draw(grain.amount(0, 6))}
        if grain.finer and maybe(draw, 10):
            step["seconds"] = draw(st.sampled_from([90, 30, 1]))
        else:
            step["minutes"] = draw(grain.minutes_up_to(draw(st.sampled_from([120, 60, 1500]))))
        if grain.finer and maybe(draw, 25):
            step["price_minutes"] = draw(st.sampled_from([60, 7, 1440]))
        if index < count - 1 or maybe(draw, 10):
            step["times"] = draw(st.integers(1, 4))
        made.append(step)
    return made


@st.composite
def tiers(draw: st.DrawFn, grain: Grain) -> list[Table]:
    minutes = draw(st.sets(grain.minutes_up_to(2000), min_size=1, max_size=4).map(sorted))
    prices = draw(
        st.lists(grain.amount(0, 40), min_size=len(minutes), max_size=len(minutes)).map(
            lambda amounts: sorted(amounts, key=float)
        )
    )
    made: list[Table] = [
        {"up_to_minutes": up_to, "price": price}
        for up_to, price in zip(minutes, prices, strict=True)
    ]
    if not maybe(draw, 15):
        del made[-1]["up_to_minutes"]
    return made


@st.composite
def bands(draw: st.DrawFn, grain: Grain) -> list[Table]:
    """Often two halves of a day and some that are more particular; mostly every minute has one."""
    windows: list[Table] = []
    if maybe(draw, 60):
        first, second = draw(grain.time()), draw(grain.time())
        windows += [{"from": first, "until": second}, {"from": second, "until": first}]
    for _ in range(draw(st.integers(0, 3))):
        window: Table = {}
        if maybe(draw, 70):
            window["from"] = draw(grain.time())
        if maybe(draw, 70):
            window["until"] = draw(st.one_of(grain.time(), st.just("24:00")))
        if maybe(draw, 70):
            names = st.sampled_from([*WEEKDAYS, "holiday", "holiday_eve", "fair", "match"])
            window["days"] = sorted(draw(st.sets(names, min_size=1, max_size=4)))
        windows.append(window)
    if draw(st.booleans()):
        windows = draw(st.permutations(windows))
    if maybe(draw, 80) or not windows:
        windows.append({})
    return [
        {"name": f"band {index}", **window, **draw(band_prices(grain))}
        for index, window in enumerate(windows)
    ]


@st.composite
def band_prices(draw: st.DrawFn, grain: Grain) -> Table:
    kind = draw(st.sampled_from(["steps", "steps", "steps", "tiers", "flat", "free", "unsold"]))
    match kind:
        case "steps":
            band: Table = {"steps": draw(steps(grain))}
        case "tiers":
            band = {"tiers": draw(tiers(grain))}
        case "flat":
            band = {"flat": draw(grain.amount(1, 12))}
        case _:
            return {kind: True}
    if maybe(draw, 30):
        band["maximum"] = draw(grain.amount(1, 20))
    return band


@st.composite
def caps(draw: st.DrawFn, grain: Grain) -> list[Table]:
    made = []
    for _ in range(draw(st.integers(1, 3))):
        per = draw(
            st.sampled_from(["rolling_24h", "calendar_day", "rolling_7d", "calendar_week", "stay"])
        )
        cap: Table = {"per": per, "amount": draw(grain.amount(1, 40))}
        if per != "stay":
            cap["reading"] = draw(st.sampled_from(["each", "multiplied"]))
        if per == "calendar_week":
            cap["week_begins"] = draw(st.sampled_from(WEEKDAYS))
        if per.startswith("calendar") and draw(st.booleans()):
            cap["begins"] = draw(grain.time())
        made.append(cap)
    return made


@st.composite
def specials(draw: st.DrawFn, grain: Grain) -> list[Table]:
    made = []
    for index in range(draw(st.integers(1, 3))):
        special: Table = {"name": f"special {index}", "price": draw(grain.amount(0, 20))}
        if maybe(draw, 30):
            names = st.sampled_from([*WEEKDAYS, "holiday", "holiday_eve", "fair", "match"])
            special["days"] = sorted(draw(st.sets(names, min_size=1, max_size=6)))
        for field, percent in (
            ("enter_from", 60),
            ("enter_until", 60),
            ("exit_from", 60),
            ("exit_until", 80),
        ):
            if maybe(draw, percent):
                latest = ["24:00"] if field.endswith("until") else ["22:00"]
                special[field] = draw(st.one_of(grain.time(), st.sampled_from(latest)))
        if maybe(draw, 75):
            special["exit_day"] = draw(st.sampled_from([0, 1, "any", 0, 1, 2, "any", 3]))
        made.append(special)
    return made


@st.composite
def validations(draw: st.DrawFn, grain: Grain) -> list[Table]:
    made = []
    for index in range(draw(st.integers(1, 4))):
        validation: Table = {"name": f"v{index}"}
        kinds = ["free_minutes", "amount", "free"] + (["percent"] if grain.finer else [])
        match draw(st.sampled_from(kinds)):
            case "free_minutes":
                validation["free_minutes"] = draw(grain.minutes_up_to(240))
            case "amount":
                validation["amount"] = draw(grain.amount(0, 8))
            case "percent":
                validation["percent"] = draw(percents())
            case _:
                validation["free"] = True
        made.append(validation)
    return made


def percents() -> st.SearchStrategy[str]:
    return st.one_of(
        st.integers(0, 100).map(str),
        st.decimals(0, 100, places=2).map(lambda percent: f"{percent:f}"),
        st.sampled_from(["50", "33.3333", "19"]),
    )


@st.composite
def tariffs(draw: st.DrawFn, grain: Grain) -> tuple[str, Table, int]:
    """Strategy, config and free minutes: every reading that is asked for is answered."""
    strategy = draw(st.sampled_from(["BAND", "BLOCK", "TIER", "FLAT", "BAND", "BAND", "BLOCK"]))
    config = draw(times_priced(strategy, grain))
    free_minutes = 0
    if maybe(draw, 30):
        free_minutes = draw(grain.minutes_up_to(120))
        config["free_minutes_reading"] = draw(st.sampled_from(["deducted", "threshold"]))
        config["free_minutes_limit"] = draw(st.sampled_from(["inclusive", "exclusive"]))
    config["zero_stay"] = draw(st.sampled_from(["free", "charged"]))
    config |= draw(limits(grain, "maximum" in str(config)))
    config |= draw(afterwards(grain))
    config |= draw(second_visits(grain))
    config |= draw(taxes())
    if grain.finer or "taxes" in config or maybe(draw, 20):
        config["rounding"] = draw(roundings(grain))
    return strategy, config, free_minutes


@st.composite
def times_priced(draw: st.DrawFn, strategy: str, grain: Grain) -> Table:
    """What the time costs, and how the clock for it runs."""
    config: Table = {}
    match strategy:
        case "FLAT":
            return {"amount": draw(grain.amount(1, 30))}
        case "BLOCK":
            config["steps"] = draw(steps(grain))
        case "TIER":
            config["tiers"] = draw(tiers(grain))
        case _:
            config["bands"] = draw(bands(grain))
    parts: list[Table] = config.get("bands", [config])
    if len(parts) > 1:
        config["band_border"] = draw(st.sampled_from(["restart", "continue"]))
    if any("steps" in part or "tiers" in part for part in parts):
        config["limit_reading"] = draw(st.sampled_from(["inclusive", "exclusive"]))
        config["new_day"] = draw(st.sampled_from(["rolling_24h", "calendar_day", "continue"]))
        if config["new_day"] == "calendar_day" and draw(st.booleans()):
            config["day_begins"] = draw(grain.time())
    return config


@st.composite
def limits(draw: st.DrawFn, grain: Grain, has_maximum: bool) -> Table:
    """Caps, a fee and what occupancy does."""
    config: Table = {}
    if maybe(draw, 45):
        config["caps"] = draw(caps(grain))
    if maybe(draw, 25):
        config["entrance_fee"] = draw(grain.amount(0, 5))
        if "caps" in config:
            config["entrance_fee_capped"] = draw(st.booleans())
    if grain.finer and maybe(draw, 25):
        percents_reached = st.sampled_from(["0", "50", "80", "87.5", "95"])
        config["occupancy"] = [
            {"from_percent": percent, "factor": draw(grain.factor())}
            for percent in draw(st.lists(percents_reached, min_size=1, max_size=3, unique=True))
        ]
        if "caps" in config or has_maximum:
            config["occupancy_caps"] = draw(st.sampled_from(["raised", "fixed"]))
    return config


@st.composite
def afterwards(draw: st.DrawFn, grain: Grain) -> Table:
    """What looks at the price as a whole."""
    config: Table = {}
    if maybe(draw, 20):
        config["minimum"] = draw(grain.amount(0, 10))
    if maybe(draw, 25):
        config["specials"] = draw(specials(grain))
        wins = st.sampled_from(["listed", "cheapest_special", "cheapest"])
        config["special_wins"] = draw(wins)
    if maybe(draw, 25):
        config["validations"] = draw(validations(grain))
        config["validation_order"] = draw(st.sampled_from(["listed", "given"]))
        config["validation_stacking"] = draw(st.sampled_from(["all", "best"]))
    if maybe(draw, 15):
        config["lost_ticket"] = {
            "amount": draw(grain.amount()),
            "reading": draw(st.sampled_from(["instead", "at_least", "added"])),
        }
    if maybe(draw, 15):
        config["reservation"] = {
            "early": draw(st.sampled_from(["free", "charged"])),
            "unused": draw(st.sampled_from(["charged", "free"])),
            "overstay": draw(st.sampled_from(["continued", "anew"])),
        }
    return config


@st.composite
def second_visits(draw: st.DrawFn, grain: Grain) -> Table:
    readings = ["separate", "separate", "continued", *(["reduced"] if grain.finer else [])]
    config: Table = {"second_visit": draw(st.sampled_from(readings))}
    if config["second_visit"] == "reduced":
        config["second_visit_percent"] = draw(percents())
    if config["second_visit"] != "separate" and draw(st.booleans()):
        config["second_visit_minutes"] = draw(grain.minutes_up_to(600))
    return config


@st.composite
def taxes(draw: st.DrawFn) -> Table:
    if not maybe(draw, 15):
        return {}
    return {
        "taxes": [
            {
                "name": f"tax {index}",
                "percent": draw(percents()),
                "rounding": draw(st.sampled_from(MODES)),
            }
            for index in range(draw(st.integers(1, 2)))
        ],
        "tax_included": draw(st.booleans()),
        "tax_per": draw(st.sampled_from(["total", "line"])),
    }


@st.composite
def roundings(draw: st.DrawFn, grain: Grain) -> Table:
    made: Table = {
        "mode": draw(st.sampled_from(MODES)),
        "per": draw(st.sampled_from(["total", "total", "line"])),
    }
    if maybe(draw, 25):
        coins = ["10", "5"] if grain.exponent == 0 else ["0.05", "0.5", "0.10", "1"]
        made["to"] = draw(st.sampled_from(coins))
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


@st.composite
def facilities(draw: st.DrawFn, grain: Grain, zone: str, currency: str, anchor: date) -> Facility:
    """Mostly one tariff; otherwise one for everybody and others for some, or for some time."""
    days = draw(
        st.dictionaries(
            st.integers(-4, 12), st.sets(st.sampled_from(KINDS), min_size=1), max_size=4
        )
    )
    calendar = {anchor + timedelta(days=after): kinds for after, kinds in days.items()}
    rules = []
    for index in range(draw(st.sampled_from([1, 1, 1, 1, 2, 3]))):
        strategy, config, free_minutes = draw(tariffs(grain))
        priority, valid_from, valid_until = 0, LONG_AGO, None
        if index > 0:
            names = draw(st.sets(st.sampled_from(sorted(CONDITIONS)), max_size=2).map(sorted))
            if names:
                config["for"] = {name: draw(st.sampled_from(CONDITIONS[name])) for name in names}
            priority = draw(st.integers(-1, 2))
            noon = datetime(anchor.year, anchor.month, anchor.day, 12, tzinfo=UTC)
            valid_from = noon + timedelta(days=draw(st.integers(-6, 1)), minutes=index)
            if draw(st.booleans()):
                valid_until = valid_from + timedelta(hours=draw(st.integers(1, 90)))
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
    default = draw(st.sampled_from(["CAR", "CAR", "VAN"]))
    return Facility(zone, currency, calendar, rules, default)


# ── stays ───────────────────────────────────────────────────────────────────────────────────


@st.composite
def stays(draw: st.DrawFn, facility: Facility, grain: Grain, anchor: date) -> Stay:
    zone = ZoneInfo(facility.zone)
    times, lengths, finest = points_of(facility)

    def at(day: date, time: str) -> datetime:
        hours, minutes = (int(part) for part in time.split(":"))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        reading = (midnight + timedelta(hours=hours, minutes=minutes)).replace(tzinfo=None)
        return reading.replace(tzinfo=zone, fold=draw(st.integers(0, 1))).astimezone(UTC)

    # A tariff to the second is walked in seconds.
    hours_most = 240 if finest >= 60 else 12 if finest >= 30 else 1
    entry = at(anchor + timedelta(days=draw(st.integers(-2, 2))), draw(st.sampled_from(times)))
    if draw(st.booleans()):
        entry += timedelta(minutes=draw(st.integers(-400, 400)) * grain.minutes)
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2:
            chosen = draw(st.lists(st.sampled_from(lengths), max_size=4))
            exit_ = entry + timedelta(seconds=sum(chosen))
        case 3 | 4 | 5:
            later = draw(st.sampled_from([0, 0, 1, 0, 1, 2, 3, 7, 9]))
            exit_ = at(
                entry.astimezone(zone).date() + timedelta(days=later), draw(st.sampled_from(times))
            )
        case 6 | 7 | 8:
            most = draw(st.sampled_from([180, 600, 2000]))
            exit_ = entry + timedelta(minutes=draw(grain.minutes_up_to(most)))
        case _:
            exit_ = entry + timedelta(minutes=draw(grain.minutes_up_to(14400)))
    if maybe(draw, 25):
        exit_ += timedelta(minutes=draw(st.sampled_from([-1, 1])))
    if exit_ < entry and not maybe(draw, 4):
        entry, exit_ = exit_, entry
    if exit_ - entry > timedelta(hours=hours_most):
        exit_ = entry + timedelta(minutes=draw(grain.minutes_up_to(hours_most * 60)))
    if exit_ - entry < timedelta(hours=2) and maybe(draw, 15):
        exit_ += timedelta(seconds=draw(st.sampled_from([1, -1, 30, 17])))
    return Stay(entry, exit_, draw(contexts(facility, grain, entry, exit_)))


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


@st.composite
def contexts(
    draw: st.DrawFn, facility: Facility, grain: Grain, entry: datetime, exit_: datetime
) -> Table:
    """What a stay is asked with: what the rules look at, most of the time, or a stranger."""
    keys = {key for rule in facility.rules for key in rule.config}
    asked = {key for rule in facility.rules for key in rule.config.get("for", {})}
    context: Table = {}
    if draw(st.booleans()) and asked:
        context["vehicle_type"] = draw(st.sampled_from(["CAR", "VAN", "SUV"]))
        context["electric"] = draw(st.booleans())
        context["accessible"] = draw(st.booleans())
        context["members"] = draw(st.lists(st.sampled_from(["gold", "silver", "x"]), max_size=2))
        context["zone"] = draw(st.sampled_from(["A", "B", "C"]))
    if "occupancy" in keys and maybe(draw, 70):
        context["occupancy_percent"] = draw(st.sampled_from([0, 49.5, 50, 87.5, 100, 80, 12]))
    if "validations" in keys and maybe(draw, 60):
        listed = [rule.config.get("validations", []) for rule in facility.rules]
        names = sorted({one["name"] for one in min(filter(None, listed), key=len)})
        context["validations"] = draw(
            st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
        )
        if maybe(draw, 2):
            context["validations"].append("unheard of")
    if "lost_ticket" in keys and maybe(draw, 40):
        context["lost_ticket"] = True
    if ("reservation" in keys or "reserved" in asked) and maybe(draw, 60):
        context |= draw(reservations(grain, entry, exit_))
    elif maybe(draw, 40) and any(r.config["second_visit"] != "separate" for r in facility.rules):
        context |= draw(earlier_visits(grain, entry))
    return context


@st.composite
def reservations(draw: st.DrawFn, grain: Grain, entry: datetime, exit_: datetime) -> Table:
    """Of a time that touches the stay."""
    unit = timedelta(minutes=grain.minutes)
    stay_units = max(1, int((exit_ - entry) / unit))
    begin = entry + unit * draw(st.integers(-20, min(20, stay_units - 1)))
    end = exit_ + unit * draw(st.integers(-20, 20))
    if end <= max(begin, entry):
        end = max(begin, entry) + unit
    return {"reserved_from": begin.isoformat(), "reserved_until": end.isoformat()}


@st.composite
def earlier_visits(draw: st.DrawFn, grain: Grain, entry: datetime) -> Table:
    exit_ = entry - timedelta(minutes=draw(grain.minutes_up_to(900)) - grain.minutes)
    begin = exit_ - timedelta(minutes=draw(grain.minutes_up_to(600)))
    return {
        "earlier_visit": {
            "entry": begin.isoformat(),
            "exit": exit_.isoformat(),
            "amount": draw(grain.amount(0, 12)),
        }
    }


@st.composite
def border_cases(draw: st.DrawFn, stays_count: int) -> Case:
    """Tariffs of which nothing but the bands looks beyond a border."""
    zone = draw(st.sampled_from(sorted(ANCHORS)))
    anchor = draw(st.sampled_from(ANCHORS[zone]))
    grain = Grain(draw(st.sampled_from([15, 30, 1])), 2, 2)
    clocked = [
        {key: value for key, value in band.items() if key != "maximum"}
        for band in draw(bands(grain))
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
    strategy = stays(facility, grain, anchor).filter(lambda stay: stay.entry <= stay.exit)
    return Case(facility, draw(st.lists(strategy, min_size=stays_count, max_size=stays_count)))


@st.composite
def cases(draw: st.DrawFn, stays_count: int) -> Case:
    """A facility and so many stays at it, all around one day."""
    zone = draw(st.sampled_from(sorted(ANCHORS)))
    anchor = draw(st.sampled_from(ANCHORS[zone]))
    currency = draw(st.sampled_from(["EUR", "EUR", "EUR", "JPY", "KWD"]))
    exponent = CURRENCIES[currency]
    places = exponent + (draw(st.integers(1, 3)) if draw(st.booleans()) else 0)
    grain = Grain(draw(st.sampled_from([15, 5, 30, 1])), places, exponent)
    facility = draw(facilities(grain, zone, currency, anchor))
    made = draw(
        st.lists(stays(facility, grain, anchor), min_size=stays_count, max_size=stays_count)
    )
    return Case(facility, made)
