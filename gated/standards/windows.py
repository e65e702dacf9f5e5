"""Times of day on kinds of days, as standards and the bands of a tariff know them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gated.tariff.values import WEEKDAYS

DAY = 24 * 60
_NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Window:
    """From `begins` to `ends`, in minutes of the day; to the next day's if `ends` is not later.
    `days` are as in a band; None: every day."""

    days: tuple[str, ...] | None = None
    begins: int = 0
    ends: int = DAY

    @property
    def is_whole_day(self) -> bool:
        return self.begins == 0 and self.ends in (0, DAY)

    @property
    def is_always(self) -> bool:
        return self.days is None and self.begins == self.ends % DAY


def minutes_of_clock(text: str) -> int | None:
    """A reading of the clock as minutes after midnight; None if it is none. Seconds are taken if
    they are :00, and the last second of a day is its end."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    if any(len(part) > 2 for part in parts):
        return None
    hours, minutes, seconds = (*(int(part) for part in parts), 0)[:3]
    if (hours, minutes, seconds) == (23, 59, 59):
        return DAY
    if hours > 24 or minutes > 59 or seconds or (hours == 24 and minutes):
        return None
    return hours * 60 + minutes


def clock_of_minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def band_keys(window: Window) -> dict[str, Any]:
    """The keys of a band for its window."""
    keys: dict[str, Any] = {}
    if not window.is_whole_day:
        keys["from"] = clock_of_minutes(window.begins)
        keys["until"] = clock_of_minutes(window.ends)
    if window.days is not None:
        keys["days"] = list(window.days)
    return keys


def window_of_band(band: dict[str, Any]) -> Window:
    """The window that a band's keys say."""
    begins = minutes_of_clock(band.get("from", "00:00")) or 0
    ends = minutes_of_clock(band.get("until", "24:00")) or DAY
    days = band.get("days")
    return Window(None if days is None else tuple(days), begins, ends)


def title(window: Window) -> str:
    """A window in words, such as "mon-fri 08:00-18:00"."""
    words = [] if window.days is None else [_days_title(window.days)]
    if not window.is_whole_day:
        words.append(f"{clock_of_minutes(window.begins)}-{clock_of_minutes(window.ends)}")
    return " ".join(words) or "every day"


def _days_title(days: Sequence[str]) -> str:
    known = [WEEKDAYS.index(day) for day in days if day in WEEKDAYS]
    in_a_row = len(known) == len(days) > 2 and all(b == a + 1 for a, b in pairwise(known))
    return f"{days[0]}-{days[-1]}" if in_a_row else ", ".join(days)


def unique_name(name: str, taken: Iterable[str]) -> str:
    """The name, or with a number behind it if it is taken; no longer than a name may be."""
    name = name[:_NAME_LENGTH_MAX].rstrip()
    names, number, candidate = set(taken), 2, name
    while candidate in names:
        candidate = f"{name[: _NAME_LENGTH_MAX - 10]} ({number})"
        number += 1
    return candidate
