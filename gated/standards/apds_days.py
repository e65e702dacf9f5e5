"""Windows of bands and the periods of APDS, either way.

A period lies within one day. A window that lasts over midnight is two periods: one on its days to
their end, and one on the days after them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gated.standards.source import Part, Source
from gated.standards.windows import DAY, Window, clock_of_minutes
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from gated.validation import excerpt

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AFTER_HOLIDAY = "day_after_holiday"
KINDS = {
    "publicHoliday": HOLIDAY,
    "dayBeforePublicHoliday": HOLIDAY_EVE,
    "dayFollowingPublicHoliday": _AFTER_HOLIDAY,
    "inLieuOfPublicHoliday": "in_lieu_of_holiday",
    "longWeekendDay": "long_weekend_day",
    "schoolDay": "school_day",
    "schoolHolidays": "school_holiday",
    "publicEventDay": "event",
    "other": "other_special_day",
}
_TYPES = {kind: word for word, kind in KINDS.items()}
_NEXT = {
    **{day: WEEKDAYS[(index + 1) % 7] for index, day in enumerate(WEEKDAYS)},
    HOLIDAY: _AFTER_HOLIDAY,
    HOLIDAY_EVE: HOLIDAY,
}


@dataclass(frozen=True, slots=True)
class Validity:
    """When something holds: in these windows (none: always) but not in those of `exceptions`.
    `unsayable` says what no band can say of it."""

    windows: tuple[Window, ...] = ()
    exceptions: tuple[Window, ...] = ()
    unsayable: str = ""


def validity_of(source: Source, part: Part | None) -> Validity:
    """A validity, with its time specification around its periods or without."""
    if part is None:
        return Validity()
    status = part.text("validityStatus")
    inner = part.part("validityTimeSpecification", "validityTimeSpec")
    times = part if inner is None else inner
    for name, what in (
        ("overallStartTime", "the file is applied when this time has come"),
        ("overallEndTime", "it is ended by another file when this time has come"),
    ):
        if times.has(name):
            source.assumed(times.at(name), what)
    times.ignore("overallStartTime", "overallEndTime")
    windows, unsayable = _windows(source, times.parts("validPeriods", "validPeriod"))
    exceptions, unsayable_exceptions = _windows(
        source, times.parts("exceptionPeriods", "exceptionPeriod")
    )
    times.rest_is_lost()
    if inner is not None:
        part.rest_is_lost()
    if status == "suspended":
        return Validity(unsayable="it is suspended")
    return Validity(tuple(windows), tuple(exceptions), unsayable or unsayable_exceptions)


def _windows(source: Source, periods: Sequence[Part]) -> tuple[list[Window], str]:
    windows: list[Window] = []
    unsayable = ""
    for period in periods:
        found, why = _period(source, period)
        windows += found
        unsayable = unsayable or why
    return _joined(windows), unsayable


def _period(source: Source, part: Part) -> tuple[list[Window], str]:
    unsayable = "a period that ends" if part.has("endOfPeriod") else ""
    if part.has("startOfPeriod") and not unsayable:
        source.assumed(part.at("startOfPeriod"), "the file is applied when this time has come")
    part.ignore("periodName", "startOfPeriod", "endOfPeriod")
    days: list[str] = []
    for recurring in part.parts("recurringDayWeekMonthPeriod"):
        for name in recurring.texts("applicableDay"):
            if name not in _WEEKDAYS:
                expected = f"expected {', '.join(_WEEKDAYS)}, got {excerpt(name)}"
                source.complain(recurring.at("applicableDay"), expected)
            else:
                days.append(WEEKDAYS[_WEEKDAYS.index(name)])
        if recurring.has("applicableMonth", "applicableWeek"):
            unsayable = "some weeks or months only"
        recurring.ignore("applicableMonth", "applicableWeek")
        recurring.rest_is_lost()
    weekdays = tuple(day for day in WEEKDAYS if day in days)
    some = weekdays if len(weekdays) < len(WEEKDAYS) else ()
    kinds: list[str] = []
    for special in part.parts("recurringSpecialDay"):
        word = special.word("specialDayType", of=tuple(KINDS), needed="a type of special day")
        both = special.flag("intersectWithApplicableDays")
        if both and some:
            unsayable = "special days on some days of the week only"
        kinds.append(KINDS.get(word or "", ""))
        special.ignore("publicHolidayName", "publicEvent")
        special.rest_is_lost()
    names = tuple(dict.fromkeys((*some, *kinds) if kinds else weekdays)) or None
    times = [_times(source, each) for each in part.parts("recurringTimePeriodOfDay")] or [(0, DAY)]
    part.rest_is_lost()
    return [Window(names, begins, ends) for begins, ends in times], unsayable


def _times(source: Source, part: Part) -> tuple[int, int]:
    begins = part.clock("startTimeOfPeriod", needed="when it begins") or 0
    ends = part.clock("endTimeOfPeriod", needed="when it ends") or DAY
    part.rest_is_lost()
    if ends == DAY - 1:
        source.assumed(part.at("endTimeOfPeriod"), "23:59 is the end of the day")
        ends = DAY
    return begins % DAY, ends


def _joined(windows: list[Window]) -> list[Window]:
    """Two windows that are one over midnight are joined."""
    joined = list(windows)
    for first in windows:
        if first.ends != DAY or first.begins == 0 or not _has_day_after(first.days):
            continue
        after = _day_after(first.days)
        for second in joined:
            if second.begins or second.ends > first.begins:
                continue
            if _same_days(second.days, after):
                joined[joined.index(first)] = Window(first.days, first.begins, second.ends)
                joined.remove(second)
                break
    return joined


def _has_day_after(days: tuple[str, ...] | None) -> bool:
    return days is None or all(day in _NEXT for day in days)


def _day_after(days: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The days after these, which must have names."""
    return None if days is None else tuple(_NEXT[day] for day in days)


def _same_days(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is other if one is None or other is None else {*one} == {*other}


def periods_of(window: Window) -> Iterator[dict[str, Any]]:
    """The periods of a window."""
    if window.is_whole_day:
        yield from _on_days(window.days, None)
    elif window.begins < window.ends or not _has_day_after(window.days):
        yield from _on_days(window.days, (window.begins, window.ends))
    else:
        yield from _on_days(window.days, (window.begins, DAY))
        yield from _on_days(_day_after(window.days), (0, window.ends))


def over_midnight_unsaid(window: Window) -> bool:
    """Whether a period lasts over midnight, because the days after it have no name."""
    is_over = window.begins >= window.ends and not window.is_whole_day
    return is_over and not _has_day_after(window.days)


def unnamed_kinds(days: Sequence[str]) -> list[str]:
    """Kinds of days that are written as days of a public event."""
    return [day for day in days if day not in WEEKDAYS and day not in _TYPES]


def _on_days(
    days: tuple[str, ...] | None, times: tuple[int, int] | None
) -> Iterator[dict[str, Any]]:
    clock: dict[str, Any] = {}
    if times is not None:
        begins, ends = (clock_of_minutes(minutes) for minutes in times)
        clock["recurringTimePeriodOfDay"] = [{"startTimeOfPeriod": begins, "endTimeOfPeriod": ends}]
    if days is None:
        yield clock
        return
    if weekdays := [_WEEKDAYS[WEEKDAYS.index(day)] for day in days if day in WEEKDAYS]:
        yield {"recurringDayWeekMonthPeriod": [{"applicableDay": weekdays}], **clock}
    for kind in days:
        if kind not in WEEKDAYS:
            word = _TYPES.get(kind, "publicEventDay")
            special = {"specialDayType": word, "intersectWithApplicableDays": True}
            yield {"recurringSpecialDay": [special], **clock}
