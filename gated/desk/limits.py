"""Where a tariff's price may change: the ends of stays that are worth a look, and why.

Worked out from the tariff alone, so that a table or a check prices few stays and misses no step.
A limit too many costs a price that does not change; what counts is still what the database says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gated.desk.bands import Calendar, rank, runs
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
    detailed: timedelta = DAY,
) -> list[Limit]:
    """The limits of stays that begin at `entry` and last at most so long, in order.

    The ends of blocks and tiers are told where their clock begins within `detailed` after the
    entry: what they do on later days they have done before.
    """
    last = entry + longest
    found: dict[datetime, list[str]] = {}
    for at, reason in _all(tariff, entry, zone, calendar, last, detailed):
        if entry < at <= last and reason not in (reasons := found.setdefault(at, [])):
            reasons.append(reason)
    return [Limit(at, tuple(reasons)) for at, reasons in sorted(found.items())]


def clock_limits(
    tariff: AnyTariff,
    entry: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    longest: timedelta,
) -> list[datetime]:
    """Those of the limits that the clock of the facility sets: bands, days, weeks, specials."""
    last = entry + longest
    begin = entry + _deducted(tariff)
    found = {at for at, _ in _by_clock(tariff, entry, begin, zone, calendar, last)}
    return sorted(at for at in found if entry < at <= last)


def _all(
    tariff: AnyTariff,
    entry: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    last: datetime,
    detailed: timedelta,
) -> Iterator[tuple[datetime, str]]:
    begin = entry + _deducted(tariff)
    if tariff.free_minutes:
        yield entry + tariff.free_minutes * MINUTE, "free minutes end"
    yield from _by_clock(tariff, entry, begin, zone, calendar, last)
    for start, band in _anew(tariff, entry, begin, zone, calendar, last):
        if start - entry < detailed:
            for length, reason in lengths(tariff, band):
                yield start + length, reason
    rolling = {cap.per for cap in tariff.caps} | {tariff.new_day}
    if "rolling_24h" in rolling:
        yield from _rolling(begin, DAY, last)
    if "rolling_7d" in rolling:
        yield from _rolling(begin, 7 * DAY, last)


def _anew(
    tariff: AnyTariff,
    entry: datetime,
    begin: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    last: datetime,
) -> Iterator[tuple[datetime, str | None]]:
    """When the clock of blocks and tiers begins anew, and for which band; None: for any."""
    starts = {begin, *_new_days(tariff, begin, zone, last)}
    if tariff.band_border != "restart":
        yield from ((start, None) for start in starts)
        return
    borders = list(_bands(tariff, entry, zone, calendar, last))
    starts |= {at for at, _ in borders}
    for start in starts:
        if start >= begin:
            yield start, next((name for at, name in reversed(borders) if at <= start), None)


def _by_clock(
    tariff: AnyTariff,
    entry: datetime,
    begin: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    last: datetime,
) -> Iterator[tuple[datetime, str]]:
    for at, name in _bands(tariff, entry, zone, calendar, last):
        yield at, f"band {name} begins"
    if tariff.new_day == "calendar_day":
        yield from ((at, "day begins") for at in _new_days(tariff, begin, zone, last))
    for cap in tariff.caps:
        yield from _cap(cap, begin, zone, last)
    for special in tariff.specials:
        yield from _special(special, entry, zone, calendar, last)


def _deducted(tariff: AnyTariff) -> timedelta:
    """How much later than the entry the charge begins."""
    return (tariff.free_minutes if tariff.free_minutes_reading == "deducted" else 0) * MINUTE


def lengths(tariff: AnyTariff, band: str | None = None) -> Iterator[tuple[timedelta, str]]:
    """The limits on the clock of blocks and tiers, and why; of this band alone, if one is named."""
    match tariff:
        case BlockTariff():
            yield from _steps(tariff.steps, "")
        case TierTariff():
            yield from _tiers(tariff.tiers, "")
        case BandTariff():
            for each in tariff.bands:
                if band in (None, each.name):
                    yield from _steps(each.steps or (), f", {each.name}")
                    yield from _tiers(each.tiers or (), f", {each.name}")
        case _:
            return


def _steps(steps: Sequence[Step], where: str) -> Iterator[tuple[timedelta, str]]:
    start = timedelta(0)
    for step in steps:
        block = timedelta(minutes=step.minutes or 0, seconds=step.seconds or 0)
        for count in range(1, min(BLOCKS_MAX, step.times or BLOCKS_MAX) + 1):
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
    """Where another band, or another occurrence of one, begins to count, and its name; from the
    midnight before the entry on.
    """
    if not isinstance(tariff, BandTariff):
        return
    before: object = None
    for day in _days(entry, last, zone):
        for run in runs(tariff.bands, calendar.kinds(day), calendar.kinds(day - DAY)):
            counts = run.band, day - run.days_ago * DAY
            if counts != before and run.band is not None:
                name = tariff.bands[run.band].name
                yield minutes_at(day, run.start, zone), name
            before = counts


def _new_days(
    tariff: AnyTariff, begin: datetime, zone: ZoneInfo, last: datetime
) -> Iterator[datetime]:
    """Where the clock of blocks and tiers is set back, after the begin of the charge."""
    match tariff.new_day:
        case "rolling_24h":
            yield from (at for at, _ in _rolling(begin, DAY, last))
        case "calendar_day":
            minutes = minutes_of(tariff.day_begins or "00:00")
            yield from (minutes_at(day, minutes, zone) for day in _days(begin, last, zone))
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
    """Where a window of the calendar begins."""
    if not cap.per.startswith("calendar_"):
        return
    minutes = minutes_of(cap.begins or "00:00")
    for day in _days(begin, last, zone):
        if cap.per == "calendar_day":
            yield minutes_at(day, minutes, zone), "day begins"
        elif WEEKDAYS[day.weekday()] == cap.week_begins:
            yield minutes_at(day, minutes, zone), "week begins"


def _special(
    special: Special, entry: datetime, zone: ZoneInfo, calendar: Calendar, last: datetime
) -> Iterator[tuple[datetime, str]]:
    """The borders of the window in which one may leave, if one may enter then."""
    enters = _day_of_entry(special, entry, zone, calendar)
    if enters is None or (special.exit_until is None and special.exit_day is None):
        return
    until, since = special.exit_until or "24:00", special.exit_from
    if special.exit_day == "any":
        days = list(_days(entry, last, zone))
    else:
        days = [enters + (special.exit_day or 0) * DAY]
    for day in days:
        yield minutes_at(day, minutes_of(until), zone), f"{special.name}: leave by {until}"
        if since is not None:
            start = minutes_at(day - DAY if since > until else day, minutes_of(since), zone)
            yield start, f"{special.name}: leave from {since}"


def _day_of_entry(
    special: Special, entry: datetime, zone: ZoneInfo, calendar: Calendar
) -> date | None:
    """The day of which the entry is one of the special's; None if it is of none."""
    local = entry.astimezone(zone)
    day, minute = local.date(), local.hour * 60 + local.minute
    begin = minutes_of(special.enter_from or "00:00")
    end = minutes_of(special.enter_until or "24:00")
    if end <= begin and minute < end:
        day -= DAY  # a night's entry after midnight is of the evening's day
    elif minute < begin or (end > begin and minute >= end):
        return None
    return day if rank(special.days, calendar.kinds(day)) is not None else None


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    day = day_of(start, zone)
    # Readings of 24:00 and bands that began the day before are instants of the next day.
    while day <= day_of(end + HOUR, zone):
        yield day
        day += DAY


def entry_times(tariff: AnyTariff) -> list[time]:
    """The times of day at which one might enter: a morning and an evening, and on both sides of the
    borders of bands and of the windows in which one may enter.
    """
    minutes = {8 * 60, 19 * 60}
    if isinstance(tariff, BandTariff):
        minutes |= {minutes_of(band.from_) for band in tariff.bands if band.from_ is not None}
    for special in tariff.specials:
        if special.enter_from is not None:
            minutes.add(minutes_of(special.enter_from))
        if special.enter_until is not None:
            minutes |= {minutes_of(special.enter_until) - 1, minutes_of(special.enter_until)}
    if any(cap.per.startswith("calendar_") for cap in tariff.caps) or tariff.new_day == (
        "calendar_day"
    ):
        minutes.add(23 * 60)
    return sorted({time(*divmod(each % (24 * 60), 60)) for each in minutes})


def telling_days(tariff: AnyTariff) -> tuple[int, ...]:
    """The days of the week, from 0 for Monday, on which the tariff differs from the day before or
    after; Monday at least.
    """
    parts = [special.days for special in tariff.specials]
    if isinstance(tariff, BandTariff):
        parts += [band.days for band in tariff.bands]
    parts += [(cap.week_begins,) for cap in tariff.caps if cap.week_begins is not None]
    named = [tuple(day in days for days in parts if days is not None) for day in WEEKDAYS]
    return tuple(
        day
        for day in range(7)
        if day == 0 or named[day] != named[day - 1] or named[day] != named[(day + 1) % 7]
    )
