"""Whether a tariff's bands cover the week: a minute without a band has no price."""

from collections.abc import Iterator, Sequence

from gated.tariff.parts import Band
from gated.tariff.values import WEEKDAYS, minutes_of

_DAY = 24 * 60
_WEEK = 7 * _DAY


def gaps(bands: Sequence[Band]) -> Iterator[str]:
    """The times of a plain week that no band covers, such as "sun 00:00 to 24:00".

    Special days need no look of their own: what a day is besides its weekday only adds bands.
    """
    covered = bytearray(_WEEK + _DAY)
    for band in bands:
        begin, length = _window(band)
        for index, weekday in enumerate(WEEKDAYS):
            if band.days is None or weekday in band.days:
                start = index * _DAY + begin
                covered[start : start + length] = b"\1" * length
    # What runs past the end of Sunday covers Monday.
    for minute in range(_DAY):
        covered[minute] |= covered[_WEEK + minute]
    for index, weekday in enumerate(WEEKDAYS):
        day = covered[index * _DAY : (index + 1) * _DAY]
        start = day.find(0)
        while start >= 0:
            end = day.find(1, start)
            end = _DAY if end < 0 else end
            yield f"{weekday} {_clock(start)} to {_clock(end)}"
            start = day.find(0, end)


def _window(band: Band) -> tuple[int, int]:
    """When the band begins, in minutes after midnight, and how many minutes it lasts."""
    begin = minutes_of(band.from_ or "00:00")
    end = minutes_of(band.until or "24:00")
    return begin, end - begin if end > begin else end + _DAY - begin


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
