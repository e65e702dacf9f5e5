"""Instants and the readings of a facility's clock, where a night has two of one hour or none.

Instants are kept in UTC: Python compares and subtracts two times of one zone by their readings
(PEP 495), which is wrong in the nights of a clock change.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gated.core.errors import ConfigError

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def read(text: str, zone: ZoneInfo, *, place: str) -> datetime:
    """The instant that `text` names, with an offset or as a reading of the clock of `zone`.

    Raises ConfigError for what is no time, and for readings that the clock skips or shows twice.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"expected a time such as 2026-12-01T08:00+01:00, or 2026-12-01T08:00 as the clock in"
            f" {zone.key} shows it, got {text!r}",
            place=place,
        ) from None
    try:
        return at.astimezone(UTC) if at.tzinfo is not None else _only(at, zone, place)
    except OverflowError:
        raise ConfigError(f"expected a year of the calendar, got {text!r}", place=place) from None


def _only(reading: datetime, zone: ZoneInfo, place: str) -> datetime:
    found = instants(reading, zone)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"the clock in {zone.key} skips {reading:%Y-%m-%dT%H:%M}: state an offset", place=place
        )
    first, second = (at.astimezone(zone).isoformat(timespec="minutes") for at in found)
    raise ConfigError(
        f"the clock in {zone.key} shows {reading:%Y-%m-%dT%H:%M} twice: state which,"
        f" {first} or {second}",
        place=place,
    )


def instants(reading: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When the clock shows this reading: once, twice or never."""
    found = {
        at
        for fold in (0, 1)
        if (at := reading.replace(tzinfo=zone, fold=fold).astimezone(UTC))
        .astimezone(zone)
        .replace(tzinfo=None)
        == reading
    }
    return tuple(sorted(found))


def at(day: date, reading: time, zone: ZoneInfo) -> datetime:
    """The instant of this reading on this day: the later of two, and of none the one as long after
    the last midnight as the reading always is (docs/tariffs.md, "Not open").
    """
    if found := instants(datetime.combine(day, reading), zone):
        return found[-1]
    since_midnight = datetime.combine(day, reading) - datetime.combine(day, time())
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    return midnight + since_midnight


def minutes_at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Like `at`, for a reading in minutes after midnight; 1440 is the next day's midnight."""
    days, rest = divmod(minutes, 24 * 60)
    return at(day + days * DAY, time(*divmod(rest, 60)), zone)


def clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants in [start, end) from which on the clock runs otherwise."""
    probe = start
    while probe < end:
        following = min(probe + DAY, end)
        if _offset(probe, zone) != _offset(following, zone):
            change = _first(probe, following, zone)
            if change < end:
                yield change
        probe = following


def _first(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, to the second, at which the offset is that of `after`."""
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        if _offset(middle, zone) == _offset(after, zone):
            after = middle
        else:
            before = middle
    return after


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The day that the calendar of `zone` shows."""
    return instant.astimezone(zone).date()


def shown(instant: datetime, zone: ZoneInfo) -> str:
    """`Mon 2026-11-30 08:00`; with the offset where the clock shows this reading twice."""
    local = instant.astimezone(zone)
    twice = len(instants(local.replace(tzinfo=None), zone)) > 1
    return local.strftime("%a %Y-%m-%d %H:%M") + (_utc_offset(local) if twice else "")


def _utc_offset(local: datetime) -> str:
    return local.isoformat(timespec="minutes")[16:]


def span(duration: timedelta) -> str:
    """`1 d 2 h 30 min`; seconds only where there are some."""
    seconds = round(duration.total_seconds())
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 min"
