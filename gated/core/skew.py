"""How far a device's clock is off, estimated from its own messages; and how old one is.

Receipt minus device time is skew plus delay. Delay is never negative and is small most of the
time, so the smallest difference of a while is the skew. A backlog after an outage must not be
mistaken for a skewed clock: its messages come within seconds, so an estimate counts only once
its samples span a stretch of receive time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SAMPLE_COUNT_MAX = 32
SAMPLE_COUNT_MIN = 3
SPAN_MIN = timedelta(seconds=30)
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One difference: receipt minus device time, in seconds."""

    received_at: datetime
    difference_seconds: float


@dataclass(frozen=True, slots=True)
class Skew:
    """The recent differences of one device."""

    samples: tuple[Sample, ...] = ()

    def with_sample(self, received_at: datetime, device_at: datetime) -> "Skew":
        """The estimate with one more message; old and surplus samples leave."""
        sample = Sample(received_at, (received_at - device_at).total_seconds())
        recent = (old for old in self.samples if received_at - old.received_at <= WINDOW)
        return Skew((*recent, sample)[-SAMPLE_COUNT_MAX:])

    @property
    def seconds(self) -> float:
        """How far the device's clock is behind ours; negative if ahead; 0 while unproven."""
        if len(self.samples) < SAMPLE_COUNT_MIN:
            return 0.0
        if self.samples[-1].received_at - self.samples[0].received_at < SPAN_MIN:
            return 0.0
        return min(sample.difference_seconds for sample in self.samples)

    def age_seconds(self, now: datetime, device_at: datetime) -> float:
        """How old the observation is at `now`, with the skew taken out; never negative."""
        return max(0.0, (now - device_at).total_seconds() - self.seconds)
