"""The times of entry at which a tariff is looked at: a plain week, special days, clock changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gated.desk.instants import DAY, HOUR, at, clock_changes, day_of

YEAR = timedelta(days=366)
# A stay of eight days from any day of the week should meet nothing but plain days.
PLAIN_DAYS = 15
WEEKS_SEARCHED_MAX = 60
HOLIDAY = "holiday"
EVENING = time(22)
# How the days of `around_clock_changes` begin, and no other's.
CLOCK_CHANGES = ("clock forward ", "clock back ")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of entry; `day` says what kind of day it is, `label` day and time."""

    at: datetime
    day: str
    time: str

    @property
    def label(self) -> str:
        return f"{self.day} {self.time}"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day of the calendar, or the one before a holiday."""

    day: date
    kind: str
    name: str


def special_days(calendar: Iterable[tuple[date, str, str]]) -> list[SpecialDay]:
    """The days of the calendar, and those before its holidays, in order."""
    found = [SpecialDay(*entry) for entry in calendar]
    eves = [
        SpecialDay(each.day - DAY, "holiday_eve", f"the day before {each.name}")
        for each in found
        if each.kind == HOLIDAY
    ]
    return sorted([*found, *eves], key=lambda each: (each.day, each.kind))


def plain_week(zone: ZoneInfo, today: date, special: Iterable[SpecialDay]) -> date:
    """The first Monday after today from which on fifteen days are like any other: no day of the
    calendar, no clock change. Where there is none (every day is an event), the first Monday.
    """
    taken = {each.day for each in special}
    first = today + timedelta(days=7 - today.weekday())
    for week in range(WEEKS_SEARCHED_MAX):
        monday = first + timedelta(weeks=week)
        days = {monday + count * DAY for count in range(PLAIN_DAYS)}
        start = at(monday, time(), zone)
        changes = any(clock_changes(zone, start, start + PLAIN_DAYS * DAY))
        if not changes and not days & taken:
            return monday
    return first


def week(zone: ZoneInfo, monday: date, times: Sequence[time]) -> list[Moment]:
    """Each of these times on each day of the week."""
    return [
        Moment(at(day, reading, zone), f"{day:%a}", f"{reading:%H:%M}")
        for day in (monday + count * DAY for count in range(7))
        for reading in times
    ]


def next_special_days(special: Iterable[SpecialDay], today: date) -> list[SpecialDay]:
    """Of each kind the next day from today on, or the last one if all are past."""
    by_kind: dict[str, list[SpecialDay]] = {}
    for each in special:
        by_kind.setdefault(each.kind, []).append(each)
    chosen = (
        next((each for each in days if each.day >= today), days[-1]) for days in by_kind.values()
    )
    return sorted(chosen, key=lambda each: each.day)


def on_special_days(
    zone: ZoneInfo, days: Iterable[SpecialDay], times: Sequence[time]
) -> Iterator[Moment]:
    """Each of these times on each of the days."""
    for each in days:
        for reading in times:
            name = f"{each.kind} {each.day:%a %Y-%m-%d}"
            yield Moment(at(each.day, reading, zone), name, f"{reading:%H:%M}")


def around_clock_changes(zone: ZoneInfo, today: date) -> Iterator[Moment]:
    """The evening before each clock change of the coming year, and an hour before it."""
    start = at(today, time(), zone)
    for change in clock_changes(zone, start, start + YEAR):
        local = (change - timedelta(seconds=1)).astimezone(zone)
        before, after = local.utcoffset(), change.astimezone(zone).utcoffset()
        assert before is not None
        assert after is not None
        name = f"{CLOCK_CHANGES[after < before]}{local:%a %Y-%m-%d}"
        evening = at(day_of(change, zone) - DAY, EVENING, zone)
        yield Moment(evening, name, f"{EVENING:%H:%M} the evening before")
        yield Moment(change - HOUR, name, f"{(change - HOUR).astimezone(zone):%H:%M}")


def grouped(moments: Sequence[Moment], alike: Mapping[str, object]) -> list[list[Moment]]:
    """The moments whose value in `alike`, by label, is the same, in the order of their first."""
    groups: list[tuple[object, list[Moment]]] = []
    for moment in moments:
        value = alike[moment.label]
        for known, members in groups:
            if known == value:
                members.append(moment)
                break
        else:
            groups.append((value, [moment]))
    return [members for _, members in groups]


def joint_label(moments: Sequence[Moment]) -> str:
    """`Mon-Fri, Sun 08:00 / Sat 08:00, 20:00`: days in a row are told by the first and last."""
    by_times: dict[tuple[str, ...], list[str]] = {}
    times: dict[str, list[str]] = {}
    for moment in moments:
        times.setdefault(moment.day, []).append(moment.time)
    for day, readings in times.items():
        by_times.setdefault(tuple(readings), []).append(day)
    return " / ".join(f"{_runs(days)} {', '.join(readings)}" for readings, days in by_times.items())


def _runs(days: Sequence[str]) -> str:
    order = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    parts: list[list[str]] = []
    for day in days:
        last = parts[-1][-1] if parts else ""
        if day in order[1:] and last in order and order.index(day) == order.index(last) + 1:
            parts[-1].append(day)
        else:
            parts.append([day])
    return ", ".join(
        part[0] if len(part) == 1 else f"{part[0]}{', ' if len(part) == 2 else '-'}{part[-1]}"
        for part in parts
    )
