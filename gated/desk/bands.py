"""Which band of a tariff counts when: the days of a calendar, and a day cut at its bands' borders.

Follows docs/tariffs.md, "Bands"; what the time costs is not looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from gated.desk.instants import DAY
from gated.tariff.model import CalendarDay
from gated.tariff.parts import Band
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS, minutes_of

MINUTES_OF_DAY = 24 * 60

# What a day is called, the most particular name first and its weekday last.
Kinds = tuple[str, ...]


class Calendar:
    """What each day is called."""

    def __init__(self, days: Iterable[CalendarDay] = ()) -> None:
        self._listed: dict[date, list[str]] = defaultdict(list)
        for each in days:
            self._listed[each.day].append(each.kind)

    def kinds(self, day: date) -> Kinds:
        """Events, `holiday`, `holiday_eve`, the weekday: those that the day is."""
        listed = sorted(self._listed.get(day, ()), key=lambda kind: (kind == HOLIDAY, kind))
        eve = (HOLIDAY_EVE,) if HOLIDAY in self._listed.get(day + DAY, ()) else ()
        return (*listed, *eve, WEEKDAYS[day.weekday()])


@dataclass(frozen=True, slots=True)
class Run:
    """The minutes [start, end) of a day in which one occurrence of a band counts, which began so
    many days ago. `band` is its place in the tariff; None: no band.
    """

    start: int
    end: int
    band: int | None
    days_ago: int


def window(band: Band) -> tuple[int, int]:
    """Begin and end in minutes of the day on which the band begins; past 1440 of the next one."""
    begin, end = minutes_of(band.from_ or "00:00"), minutes_of(band.until or "24:00")
    return begin, end if end > begin else end + MINUTES_OF_DAY


def rank(days: Sequence[str] | None, kinds: Kinds) -> int | None:
    """How particular the name is by which these days know the day: 1 an event, 2 `holiday`,
    3 `holiday_eve`, 4 its weekday, or no days at all; None: they do not know it.
    """
    if days is None:
        return 4
    ranks = {HOLIDAY: 2, HOLIDAY_EVE: 3, kinds[-1]: 4}
    return min((ranks.get(kind, 1) for kind in kinds if kind in days), default=None)


def candidates(
    bands: Sequence[Band], kinds: Kinds, kinds_before: Kinds, minute: int
) -> list[tuple[int, int, int]]:
    """All bands that cover this minute, the one that counts first: rank, place, days ago."""
    found = []
    for place, band in enumerate(bands):
        begin, end = window(band)
        for days_ago, names in enumerate((kinds, kinds_before)):
            since = minute + days_ago * MINUTES_OF_DAY
            known = rank(band.days, names)
            if known is not None and begin <= since < end:
                found.append((known, place, days_ago))
    return sorted(found)


def runs(bands: Sequence[Band], kinds: Kinds, kinds_before: Kinds) -> list[Run]:
    """A day from its first to its last minute, cut where another band, or another occurrence of
    one, counts.
    """
    found: list[Run] = []
    for start, end in pairwise(cuts(bands)):
        first = next(iter(candidates(bands, kinds, kinds_before, start)), None)
        band, days_ago = (None, 0) if first is None else first[1:]
        if found and (found[-1].band, found[-1].days_ago) == (band, days_ago):
            found[-1] = Run(found[-1].start, end, band, days_ago)
        else:
            found.append(Run(start, end, band, days_ago))
    return found


def cuts(bands: Sequence[Band]) -> list[int]:
    """The minutes of a day at which some band may begin or end, with both ends of the day."""
    at = {minute % MINUTES_OF_DAY for band in bands for minute in window(band)}
    return sorted({0, *at, MINUTES_OF_DAY})
