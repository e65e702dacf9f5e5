"""Where a tariff's price may change: the ends of stays that are worth a look, and why.

Worked out from the tariff alone, so that a table or a check prices few stays and misses no step.
A limit too many costs a price that does not change; what counts is still what the database says.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gated.desk.bands import Calendar, runs
from gated.desk.instants import DAY, HOUR, MINUTE, day_of, minutes_at, span
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, TierTariff
from gated.tariff.parts import Cap, Special, Step, Tier
from gated.tariff.values import WEEKDAYS, minutes_of

# Blocks of which the ends are looked at, of each step and each time the clock begins anew.
BLOCKS_MAX = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """An end of a stay at which the price may change."""

    at: datetime
    reasons: tuple[str, ...]


def limits(
    tariff: AnyTariff,
    entry: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    longest: timedelta,
    *,
    blocks_max: int = BLOCKS_MAX,
) -> list[Limit]:
    """The limits of stays that begin at `entry` and last at most so long, in order."""
    last = entry + longest
    found: dict[datetime, list[str]] = {}
    for at, reason in _all(tariff, entry, zone, calendar, last, blocks_max):
        if entry < at <= last and reason not in (reasons := found.setdefault(at, [])):
            reasons.append(reason)
    return [Limit(at, tuple(reasons)) for at, reasons in sorted(found.items())]


def _all(
    tariff: AnyTariff,
    entry: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    last: datetime,
    blocks_max: int,
) -> Iterator[tuple[datetime, str]]:
    begin = entry
    if tariff.free_minutes:
        ends = entry + tariff.free_minutes * MINUTE
        yield ends, "free minutes end"
        if tariff.free_minutes_reading == "deducted":
            begin = ends
    borders = list(_bands(tariff, entry, zone, calendar, last))
    days = list(_new_days(tariff, begin, zone, last))
    yield from borders
    yield from days
    # The clock begins anew on a new day, and in another band if that restarts it.
    anew = [begin, *(at for at, _ in days)]
    if tariff.band_border == "restart":
        anew += [at for at, _ in borders]
    for start in anew:
        for length, reason in lengths(tariff, blocks_max):
            yield start + length, reason
    for cap in tariff.caps:
        yield from _cap(cap, begin, zone, last)
    for special in tariff.specials:
        yield from _special(special, entry, zone, last)


def lengths(tariff: AnyTariff, blocks_max: int = BLOCKS_MAX) -> Iterator[tuple[timedelta, str]]:
    """The limits on the clock of blocks and tiers, and why."""
    match tariff:
        case BlockTariff():
            yield from _steps(tariff.steps, "", blocks_max)
        case TierTariff():
            yield from _tiers(tariff.tiers, "")
        case BandTariff():
            for band in tariff.bands:
                yield from _steps(band.steps or (), f", {band.name}", blocks_max)
                yield from _tiers(band.tiers or (), f", {band.name}")
        case _:
            pass


def _steps(steps: Sequence[Step], where: str, blocks_max: int) -> Iterator[tuple[timedelta, str]]:
    start = timedelta(0)
    for step in steps:
        block = timedelta(minutes=step.minutes or 0, seconds=step.seconds or 0)
        for count in range(1, min(blocks_max, step.times or blocks_max) + 1):
            length = start + count * block
            yield length, f"block of {span(block)} ends{where}"
        if step.times is None:
            return
        start += step.times * block
        yield start, f"block of {span(block)} ends{where}"


def _tiers(tiers: Sequence[Tier], where: str) -> Iterator[tuple[timedelta, str]]:
    for tier in tiers:
        if tier.up_to_minutes is not None:
            length = tier.up_to_minutes * MINUTE
            yield length, f"tier up to {span(length)} ends{where}"


def _bands(
    tariff: AnyTariff, entry: datetime, zone: ZoneInfo, calendar: Calendar, last: datetime
) -> Iterator[tuple[datetime, str]]:
    """Where another band, or another occurrence of one, begins to count."""
    if not isinstance(tariff, BandTariff):
        return
    before: object = None
    for day in _days(entry, last, zone):
        for run in runs(tariff.bands, calendar.kinds(day), calendar.kinds(day - DAY)):
            counts = run.band, day - run.days_ago * DAY
            if counts != before and run.band is not None:
                name = tariff.bands[run.band].name
                yield minutes_at(day, run.start, zone), f"band {name} begins"
            before = counts


def _new_days(
    tariff: AnyTariff, begin: datetime, zone: ZoneInfo, last: datetime
) -> Iterator[tuple[datetime, str]]:
    match tariff.new_day:
        case "rolling_24h":
            yield from _rolling(begin, DAY, last)
        case "calendar_day":
            minutes = minutes_of(tariff.day_begins or "00:00")
            for day in _days(begin, last, zone):
                yield minutes_at(day, minutes, zone), "day begins"
        case _:
            return


def _rolling(begin: datetime, length: timedelta, last: datetime) -> Iterator[tuple[datetime, str]]:
    at = begin + length
    while at <= last:
        yield at, f"{span(at - begin)} over"
        at += length


def _cap(
    cap: Cap, begin: datetime, zone: ZoneInfo, last: datetime
) -> Iterator[tuple[datetime, str]]:
    minutes = minutes_of(cap.begins or "00:00")
    match cap.per:
        case "rolling_24h":
            yield from _rolling(begin, DAY, last)
        case "rolling_7d":
            yield from _rolling(begin, 7 * DAY, last)
        case "calendar_day":
            for day in _days(begin, last, zone):
                yield minutes_at(day, minutes, zone), "day begins"
        case "calendar_week":
            for day in _days(begin, last, zone):
                if WEEKDAYS[day.weekday()] == cap.week_begins:
                    yield minutes_at(day, minutes, zone), "week begins"
        case "stay":
            return


def _special(
    special: Special, entry: datetime, zone: ZoneInfo, last: datetime
) -> Iterator[tuple[datetime, str]]:
    """The borders of the window in which one may leave, for whichever day the entry may be of."""
    enters = day_of(entry, zone)
    until = special.exit_until
    if until is None and special.exit_day is None:
        return
    days: Iterable[date]
    if special.exit_day == "any":
        days = _days(entry, last, zone)
    else:
        # A night's entry after midnight is of the evening's day.
        days = (
            enters + (special.exit_day or 0) * DAY,
            enters + ((special.exit_day or 0) - 1) * DAY,
        )
    for day in days:
        yield minutes_at(day, minutes_of(until or "24:00"), zone), f"{special.name}: leave by now"
        if special.exit_from is not None:
            earlier = special.exit_from > (until or "24:00")
            start = minutes_at(day - DAY if earlier else day, minutes_of(special.exit_from), zone)
            yield start, f"{special.name}: leave from now on"


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    day = day_of(start, zone)
    # Readings of 24:00 and bands that began the day before are instants of the next day.
    while day <= day_of(end + HOUR, zone):
        yield day
        day += DAY
