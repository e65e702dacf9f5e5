"""From where a tariff file is looked at: for each tariff the visitor it governs, for each the times
of entry. Shared by the check, the table and the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from gated.desk.bands import Calendar
from gated.desk.instants import DAY
from gated.desk.limits import entry_times, telling_days
from gated.desk.lint_rules import Visitor, governing
from gated.desk.moments import (
    Moment,
    SpecialDay,
    around_clock_changes,
    next_special_days,
    on_special_days,
    plain_week,
    special_days,
    week,
)
from gated.desk.survey import Question
from gated.tariff.file import TariffFile
from gated.tariff.model import AnyTariff

CALENDAR_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True)
class Sight:
    """A tariff, its place in the file, and a visitor whom it governs."""

    index: int
    tariff: AnyTariff
    visitor: Visitor


def sights(file: TariffFile, names: Sequence[str] = ()) -> list[Sight]:
    """The tariffs that govern somebody, or those of them that are named."""
    first, _ = governing(file)
    return [
        Sight(index, tariff, visitor)
        for index, tariff in enumerate(file.tariffs)
        if (visitor := first.get(tariff.name)) is not None and (not names or tariff.name in names)
    ]


def zone(file: TariffFile) -> ZoneInfo:
    """The clock by which the file's tariffs are read."""
    return ZoneInfo(file.facility.time_zone)


def question(
    file: TariffFile, sight: Sight, longest: timedelta, *, detailed: timedelta = DAY
) -> Question:
    """What to ask about the tariff, for stays that last at most so long."""
    return Question(
        sight.tariff,
        zone(file),
        Calendar(file.calendar),
        longest,
        sight.visitor.context(file.facility.vehicle_type_default),
        reserved=sight.visitor.reserved,
        detailed=detailed,
    )


def week_moments(
    file: TariffFile, tariff: AnyTariff, today: date, times: Sequence[time] = ()
) -> list[Moment]:
    """A plain week after today, at these times or else at those at which the tariff differs."""
    clock, special = zone(file), _special(file)
    return week(clock, plain_week(clock, today, special), times or entry_times(tariff))


def special_moments(
    file: TariffFile, tariff: AnyTariff, today: date, times: Sequence[time] = ()
) -> list[Moment]:
    """A day of each kind of the calendar, and the clock changes of the coming year."""
    clock = zone(file)
    days = next_special_days(_special(file), today)[:CALENDAR_SHOWN_MAX]
    return list(
        chain(
            on_special_days(clock, days, times or entry_times(tariff)),
            around_clock_changes(clock, today),
        )
    )


def check_moments(file: TariffFile, tariff: AnyTariff, today: date) -> list[Moment]:
    """Where a check looks: the days of a plain week on which the tariff differs, special days."""
    clock = zone(file)
    days = telling_days(tariff)
    plain = week_moments(file, tariff, today)
    found = [moment for moment in plain if moment.at.astimezone(clock).weekday() in days]
    return found + special_moments(file, tariff, today)


def _special(file: TariffFile) -> list[SpecialDay]:
    return special_days((day.day, day.kind, day.name) for day in file.calendar)


def longest(tariff: AnyTariff) -> timedelta:
    """How long stays are worth a look: a day, or as long as the tariff's specials may last."""
    days = [special.exit_day for special in tariff.specials if isinstance(special.exit_day, int)]
    return (1 + max(days, default=0)) * DAY
