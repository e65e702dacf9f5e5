"""The wall clock of a zone, for the oracle: what it shows at an instant, and when a reading is.

Instants are whole seconds since 1970 (UTC), days are whole days since 1970-01-01, times of day are
seconds since the clock showed 00:00. Nothing here knows of prices, and nothing of `gated`.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# In our days clocks change, and differ from UTC, by whole quarters of an hour only.
QUARTER = 15 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)


def instant_of(moment: datetime) -> int:
    """Whole seconds since 1970; ValueError for a finer instant."""
    since = moment - EPOCH
    if since.microseconds:
        raise ValueError(f"the oracle knows whole seconds, not {moment}")
    return since.days * DAY + since.seconds


def day_of(day: date) -> int:
    return (day - EPOCH_DAY).days


def date_of(day: int) -> date:
    return EPOCH_DAY + timedelta(days=day)


def weekday_of(day: int) -> str:
    return WEEKDAYS[date_of(day).weekday()]


def time_of(text: str) -> int:
    """Seconds of a time of day from "00:00" to "24:00"."""
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * MINUTE


class Clock:
    """What the clock on the wall shows in a zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}

    def shows(self, instant: int) -> int:
        """The reading: seconds that this clock says have passed since its 1970-01-01 00:00."""
        quarter = instant // QUARTER
        offset = self._offsets.get(quarter)
        if offset is None:
            moment = datetime.fromtimestamp(quarter * QUARTER, self._zone)
            since = moment.utcoffset()
            assert since is not None
            offset = self._offsets[quarter] = round(since.total_seconds())
            assert offset % QUARTER == 0
        return instant + offset

    def day(self, instant: int) -> int:
        return self.shows(instant) // DAY

    def begin(self, day: int, time: int) -> int:
        """The instant at which a day that begins at this reading begins.

        "A day that begins at a reading which the clock shows twice begins with the second, and
        where the clock skips it, as long after the last midnight as it always does."
        """
        reading = datetime.combine(date_of(day), datetime.min.time()) + timedelta(seconds=time)
        first = reading.replace(tzinfo=self._zone, fold=0)
        second = reading.replace(tzinfo=self._zone, fold=1)
        offset_first, offset_second = first.utcoffset(), second.utcoffset()
        assert offset_first is not None
        assert offset_second is not None
        # Shown twice: the offset falls, so the second is later. Skipped: it rises, and what is
        # asked for is the offset before. Otherwise they are the same.
        shown_twice = offset_first > offset_second
        return instant_of((second if shown_twice else first).astimezone(UTC))

    def day_begun(self, instant: int, time: int) -> int:
        """The day, of those that begin at this reading, in which the instant lies."""
        day = self.day(instant) + 2
        while self.begin(day, time) > instant:
            day -= 1
        return day


@lru_cache(maxsize=64)
def clock_of(zone: str) -> Clock:
    return Clock(zone)
