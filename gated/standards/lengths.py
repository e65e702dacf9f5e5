"""Lengths of time as standards write them: ISO 8601 durations, hh:mm and dd:hh:mm."""

import re

from gated.standards.steps import DAY, HOUR, MINUTE

# The T before hours is often forgotten; years and months have no fixed length.
_ISO = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?T?"
    r"(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.0+)?S)?"
)
_UNITS = {"weeks": 7 * DAY, "days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": 1}
_CLOCK = re.compile(r"(?:(?P<days>\d{1,3}):)?(?P<hours>\d{1,3}):(?P<minutes>\d{2})")
_LENGTH_MAX = 40


def seconds_of_iso(text: str) -> int | None:
    """An ISO 8601 duration in seconds; None if it is none, or has months or years."""
    found = _ISO.fullmatch(text) if len(text) <= _LENGTH_MAX else None
    if found is None or not any(found.groups()):
        return None
    # Without its T, P5M is five months.
    if found["minutes"] and "T" not in text and not found["seconds"] and not found["hours"]:
        return None
    return sum(int(found[name] or 0) * seconds for name, seconds in _UNITS.items())


def iso_of_seconds(seconds: int) -> str:
    """A duration in hours, minutes and seconds: a day of a duration need not have 24 hours."""
    hours, rest = divmod(seconds, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0S")


def seconds_of_length(text: str) -> int | None:
    """A length as APDS writes it, hh:mm or dd:hh:mm, or an ISO 8601 duration; None otherwise."""
    if text.startswith("P"):
        return seconds_of_iso(text)
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes = (int(found[name] or 0) for name in ("days", "hours", "minutes"))
    return days * DAY + hours * HOUR + minutes * MINUTE


def length_of_seconds(seconds: int) -> str:
    """A length as APDS writes it; one that is not of whole minutes as an ISO 8601 duration."""
    if seconds % MINUTE:
        return iso_of_seconds(seconds)
    days, rest = divmod(seconds, DAY)
    clock = f"{rest // HOUR:02}:{rest % HOUR // MINUTE:02}"
    return f"{days:02}:{clock}" if days else clock
