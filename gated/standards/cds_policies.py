"""Policies of the Curb Data Specification 1.x as their JSON says them; `gated.standards.cds` makes
tariffs of them. Fields are those of its Curbs API."""

from collections.abc import Mapping
from dataclasses import dataclass

from gated.standards.source import Part, Source, parts_of
from gated.standards.steps import DAY, HOUR, MINUTE, SECONDS_MAX
from gated.standards.windows import DAY as DAY_MINUTES
from gated.standards.windows import Window
from gated.tariff.values import HOLIDAY, WEEKDAYS
from gated.validation import excerpt

# Months, quarters and years have no fixed length.
UNITS: Mapping[str, int | None] = {
    "second": 1,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": None,
    "quarter": None,
    "year": None,
}
_ACTIVITIES = tuple(
    f"{no}{activity}"
    for activity in ("parking", "loading", "unloading", "stopping", "travel")
    for no in ("", "no ")
)


@dataclass(frozen=True, slots=True)
class Rate:
    """What a stay costs from one length on to another, in seconds."""

    pointer: str
    rate: int
    unit: str
    is_calendar: bool
    starts: int
    ends: int | None
    increment: int | None
    increment_amount: int | None
    maximum_fee: int | None

    @property
    def unit_seconds(self) -> int | None:
        return UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Span:
    """When a policy applies. `unsayable` names what no band can say."""

    pointer: str
    window: Window
    except_period: str | None
    starts_once: bool
    wraps: bool
    unsayable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who pays what while a policy applies."""

    pointer: str
    activity: str
    classes: frozenset[str]
    max_stay: int | None
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of one precedence: the lowest number applies."""

    pointer: str
    priority: int
    rules: tuple[Rule, ...]
    spans: tuple[Span, ...]


def policies_of(source: Source, parts: list[Part]) -> list[Policy]:
    """The policies of parts that are policies, or, on their own, rules or rates."""
    return [_policy(source, part) for part in parts]


def _policy(source: Source, part: Part) -> Policy:
    if part.has("activity"):
        return Policy(part.pointer, 0, (_rule(source, part),), ())
    if part.has("rate") and part.has("rate_unit"):
        return Policy(
            part.pointer, 0, (Rule(part.pointer, "parking", frozenset(), None, (_rate(part),)),), ()
        )
    part.ignore("curb_policy_id", "published_date")
    priority = part.whole("priority", needed="a whole number, of which the lowest wins")
    rules = part.parts("rules", needed="the policy's rules")
    spans = part.parts("time_spans")
    policy = Policy(
        part.pointer,
        priority or 0,
        tuple(_rule(source, rule) for rule in rules),
        tuple(_span(source, span) for span in spans),
    )
    part.rest_is_lost()
    return policy


def _rule(source: Source, part: Part) -> Rule:
    activity = part.word("activity", of=_ACTIVITIES, needed="an activity, such as parking")
    max_stay = part.whole("max_stay")
    unit = part.word("max_stay_unit", of=tuple(UNITS)) or "minute"
    if max_stay is not None:
        source.lost(part.at("max_stay"), f"max_stay: that one may stay {max_stay} {unit}s at most")
    no_return = part.whole("no_return")
    unit_of_return = part.word("no_return_unit", of=tuple(UNITS)) or "minute"
    if no_return:
        what = f"no_return: that one must stay away for {no_return} {unit_of_return}s"
        source.lost(part.at("no_return"), what)
    seconds = UNITS[unit]
    rule = Rule(
        part.pointer,
        activity or "parking",
        frozenset(part.names("user_classes")),
        None if max_stay is None or seconds is None else max_stay * seconds,
        tuple(_rate(rate) for rate in part.parts("rate")),
    )
    part.rest_is_lost()
    return rule


def _rate(part: Part) -> Rate:
    rate = part.whole("rate", needed="a price in the smallest unit of the currency")
    unit = part.word("rate_unit", of=tuple(UNITS), needed="a unit of time, such as hour") or "hour"
    period = part.word("rate_unit_period", of=("rolling", "calendar"))
    seconds = UNITS[unit] or 1
    starts = part.whole("start_duration") or 0
    ends = part.whole("end_duration", least=1)
    increment = part.whole("increment_duration", least=1)
    for name, value in (
        ("start_duration", starts),
        ("end_duration", ends),
        ("increment_duration", increment),
    ):
        if value is not None and value * seconds > SECONDS_MAX:
            part.source.complain(part.at(name), f"expected at most a year, got {value} {unit}s")
    if ends is not None and ends <= starts:
        part.source.complain(
            part.at("end_duration"), f"expected more than the {starts} of start_duration"
        )
    found = Rate(
        part.pointer,
        rate or 0,
        unit,
        period == "calendar",
        starts * seconds,
        None if ends is None else ends * seconds,
        None if increment is None else increment * seconds,
        part.whole("increment_amount", least=1),
        part.whole("maximum_fee"),
    )
    part.rest_is_lost()
    return found


def _span(source: Source, part: Part) -> Span:
    days = part.texts("days_of_week")
    for day in days:
        if day not in WEEKDAYS:
            expected = f"expected {', '.join(WEEKDAYS)}, got {excerpt(day)}"
            source.complain(part.at("days_of_week"), expected)
    begins = part.clock("time_of_day_start") or 0
    ends = part.clock("time_of_day_end") or DAY_MINUTES
    period = part.text("designated_period")
    is_except = part.flag("designated_period_except") is True
    unsayable = [name for name in ("days_of_month", "months", "end_date") if part.has(name)]
    part.ignore("days_of_month", "months", "start_date", "end_date")
    names: tuple[str, ...] | None = tuple(dict.fromkeys(days)) or None
    if period is not None and not is_except:
        if names is not None and len(names) < len(WEEKDAYS):
            unsayable.append("designated_period on some days of the week only")
        names = (kind_of(period),)
    span = Span(
        part.pointer,
        Window(names, begins % DAY_MINUTES, ends),
        kind_of(period) if period is not None and is_except else None,
        part.has("start_date"),
        ends < begins,
        tuple(unsayable),
    )
    part.rest_is_lost()
    return span


def kind_of(period: str) -> str:
    """A designated period as a kind of day of the calendar."""
    if period.lower() in ("holiday", "holidays"):
        return HOLIDAY
    word = "".join(
        each if each.isascii() and each.isalnum() else "_" for each in period.lower()
    ).strip("_")
    return f"{word[:50]}" if word[:1].isalpha() else f"period_{word[:50]}".rstrip("_")


def policy_parts(source: Source, document: object) -> tuple[Part | None, list[Part]]:
    """The answer of a server around the policies, if there is one, and the policies."""
    if isinstance(document, Mapping):
        envelope = Part(source, document, "")
        if envelope.has("data"):
            envelope.ignore("version", "last_updated", "author", "license_url", "links")
            data = envelope.part("data")
            if data is None:
                return envelope, []
            found = data.parts("policies", needed="the policies")
            data.rest_is_lost()
            return envelope, found
        if envelope.has("policies"):
            return envelope, envelope.parts("policies", needed="at least one policy")
    elif document == []:
        source.complain("", "expected at least one policy, got an empty array")
    return None, list(parts_of(source, document, ""))
