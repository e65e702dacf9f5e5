"""Opening hours: whether an entry admits at an instant, and when it does next.

Windows are readings of the clock on the wall, in the facility's time zone. A window that runs past
midnight belongs to the day on which it begins. Of what is said about a day, what knows it by its
most particular name counts: an event of the calendar before `holiday`, before `holiday_eve` (the
day before one), before the weekday, before what names no days. `gated.tariff` reads bands alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
HOLIDAY_EVE = "holiday_eve"

DAY_MINUTES = 24 * 60
# How far it is looked for the next opening: a car park may be closed for a whole season.
DAYS_AHEAD_MAX = 400

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OpeningWindow:
    """From a minute after midnight until before another, which lies past 1440 on the next day.

    `days` names weekdays and kinds of days; empty: every day that nothing else names.
    """

    begin: int
    end: int
    days: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When an entry admits. `closed` are the days, by name, on which no window begins.

    `exempt` are words of `GrantReason`: who may come in for one of these may come at any hour.
    `calendar` holds what the days that are not like others are called.
    """

    windows: tuple[OpeningWindow, ...]
    closed: frozenset[str]
    exempt: frozenset[str]
    time_zone: str
    calendar: Mapping[date, frozenset[str]] = field(default_factory=dict)

    def is_open(self, at: datetime) -> bool:
        """Whether the reading of the clock on the wall lies in a window."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        today, minute = local.date(), local.hour * 60 + local.minute
        return any(each.begin <= minute < each.end for each in self._windows(today)) or any(
            minute < each.end - DAY_MINUTES for each in self._windows(today - _DAY)
        )

    def opens_next(self, at: datetime) -> datetime | None:
        """The first instant from `at` on at which it is open, in the facility's time zone.

        None if that is further away than anybody waits, or never.
        """
        zone = ZoneInfo(self.time_zone)
        if self.is_open(at):
            return at.astimezone(zone)
        today = at.astimezone(zone).date()
        for offset in range(DAYS_AHEAD_MAX):
            begins = (each for each in self._begins(today + offset * _DAY, zone) if each > at)
            if (first := min(begins, default=None)) is not None:
                return first.astimezone(zone)
        return None

    def _begins(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        """Instants of the day among which are all those at which it opens."""
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        minutes = round((datetime.combine(day + _DAY, time(), zone) - midnight) / _MINUTE)
        if minutes == DAY_MINUTES:
            yield from (midnight + each.begin * _MINUTE for each in self._windows(day))
        else:
            # Clocks are changed: readings are left out, or come twice.
            every = (midnight + minute * _MINUTE for minute in range(minutes))
            yield from (instant for instant in every if self.is_open(instant))

    def _windows(self, day: date) -> Iterator[OpeningWindow]:
        """The windows that begin on this day."""
        for names in self._names(day):
            if names & self.closed:
                return
            found = [each for each in self.windows if each.days & names]
            if found:
                yield from found
                return
        yield from (each for each in self.windows if not each.days)

    def _names(self, day: date) -> Iterator[frozenset[str]]:
        """What the day is called, the most particular names first."""
        listed = self.calendar.get(day, frozenset())
        yield listed - {HOLIDAY}
        yield listed & {HOLIDAY}
        if HOLIDAY in self.calendar.get(day + _DAY, frozenset()):
            yield frozenset({HOLIDAY_EVE})
        yield frozenset({WEEKDAYS[day.weekday()]})
