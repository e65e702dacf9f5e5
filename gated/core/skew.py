"""How far a device's clock is off, how late a message of it came, and when to tell an operator.

Receipt minus device time is skew plus delay. Delay is never negative, which makes the two
directions different:

- *Behind.* A difference of ten minutes is a clock ten minutes behind or a message ten minutes
  late, and no pace of messages tells one from the other: a device may drain its buffer as slowly
  as traffic comes. So the estimate (the smallest recent difference) is taken out up to
  `TRUSTED_SECONDS_MAX` and no further. That is a day's drift of a clock that nobody sets, and
  the most that a backlog can gain. What lies beyond counts as late, whatever the reason.
- *Ahead.* A message from the future proves by itself that the clock is wrong, and says nothing
  of its own delay: a clock two hours ahead that sends what it saw an hour ago looks an hour
  ahead. Up to `TRUSTED_SECONDS_MAX` it is taken at its word, beyond it is undated, for the
  lane's policy to judge. It never counts for another message: one outlier, or a clock set
  right, leaves no trace in the ages of those that follow.

So a device that is further off opens nothing until its clock is set (by NTP, from a server that
the daemon's host follows, too), and the operator hears of it at `ALARM_SECONDS`, before that
point. What remains: a clock far ahead whose backlog is exactly as old as the clock is ahead
looks on time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

TRUSTED_SECONDS_MAX = 2.0
ALARM_SECONDS = TRUSTED_SECONDS_MAX / 2
# A clock that jumps back is found out once this many messages have come, or WINDOW is over.
SAMPLE_COUNT_MAX = 16
SAMPLE_COUNT_MIN = 3
# The messages of a burst share one delay; they say little of the clock.
SPAN_MIN = timedelta(seconds=30)
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One difference: receipt minus device time, in seconds."""

    received_at: datetime
    difference_seconds: float

    @property
    def ahead(self) -> bool:
        """Further in the future than a clock may be to be taken at its word."""
        return self.difference_seconds < -TRUSTED_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Skew:
    """The recent differences of one device, and what the operator has been told of its clock.

    `told_seconds` is the skew last alarmed about; None when the clock passes for right.
    """

    samples: tuple[Sample, ...] = ()
    told_seconds: float | None = None

    def with_sample(self, received_at: datetime, device_at: datetime) -> "Skew":
        """With one more message; old and surplus samples leave, a known one changes nothing."""
        sample = _sample(received_at, device_at)
        if sample in self.samples:
            return self
        recent = (old for old in self.samples if abs(received_at - old.received_at) <= WINDOW)
        return replace(self, samples=(*recent, sample)[-SAMPLE_COUNT_MAX:])

    @property
    def seconds(self) -> float | None:
        """How far the clock is behind ours; negative if ahead; None while unproven."""
        if self.samples and self.samples[-1].ahead:
            return self.samples[-1].difference_seconds
        usable = [sample for sample in self.samples if not sample.ahead]
        times = [sample.received_at for sample in usable]
        if len(usable) < SAMPLE_COUNT_MIN or max(times) - min(times) < SPAN_MIN:
            return None
        return min(sample.difference_seconds for sample in usable)

    def delay_seconds(self, received_at: datetime, device_at: datetime) -> float | None:
        """How old the observation was when it came; None if its time proves nothing.

        Of a clock that is right never more than the truth, and less by `TRUSTED_SECONDS_MAX` at
        most.
        """
        sample = _sample(received_at, device_at)
        if sample.ahead:
            return None
        trusted = max(0.0, min(self.seconds or 0.0, TRUSTED_SECONDS_MAX))
        return max(0.0, sample.difference_seconds - trusted)

    @property
    def news(self) -> float | None:
        """The estimate, if the operator should hear of it; None if not.

        That is when it exceeds `ALARM_SECONDS` first, and when it has halved, doubled or changed
        sides since: a backlog that is worked off would be news with each message otherwise.
        """
        seconds = self.seconds
        if seconds is None:
            return None
        if self.told_seconds is None:
            return seconds if wrong(seconds) else None
        return None if 0.5 <= seconds / self.told_seconds <= 2.0 else seconds

    def with_told(self, seconds: float) -> "Skew":
        """The operator has heard of this estimate."""
        return replace(self, told_seconds=seconds if wrong(seconds) else None)


def wrong(seconds: float) -> bool:
    """Whether a clock that is off by so much is an alarm."""
    return abs(seconds) > ALARM_SECONDS


def _sample(received_at: datetime, device_at: datetime) -> Sample:
    return Sample(received_at, (received_at - device_at).total_seconds())
