"""When a crashed child is started again and when it is given up; the waiting is not done here."""

import random
from collections import deque
from dataclasses import dataclass

from gated.actors.failures import is_outage


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """When and how often a crashed child is started again.

    The n-th delay is `delay_seconds_first * growth ** (n - 1)`, at most `delay_seconds_max`,
    shortened by a random share of up to `jitter` so that children that fell together do not rise
    together. A child that ran for `quiet_seconds` before it crashed starts anew from the first
    delay. The child is given up when it has used `restarts_max` restarts within `window_seconds`.
    """

    delay_seconds_first: float = 0.2
    delay_seconds_max: float = 30.0
    growth: float = 2.0
    jitter: float = 0.3
    quiet_seconds: float = 60.0
    restarts_max: int = 10
    window_seconds: float = 300.0

    def __post_init__(self) -> None:
        if not 0 < self.delay_seconds_first <= self.delay_seconds_max:
            raise ValueError("the first delay must lie above 0 and not above the longest")
        if self.growth < 1 or not 0 <= self.jitter < 1 or self.restarts_max < 0:
            raise ValueError("growth is at least 1, jitter in [0, 1), restarts_max at least 0")
        slowest = sum(self._delay_seconds_full(n) for n in range(1, self.restarts_max + 1))
        if slowest >= self.window_seconds:
            raise ValueError(
                f"{self.restarts_max} restarts take up to {slowest:g} s: a child that always "
                f"crashes would never be given up within a window of {self.window_seconds:g} s"
            )

    def delay_seconds(self, attempt: int, rng: random.Random) -> float:
        """The delay before restart number `attempt`, counted from 1 since the last quiet period."""
        return self._delay_seconds_full(attempt) * (1 - self.jitter * rng.random())

    def _delay_seconds_full(self, attempt: int) -> float:
        delay = self.delay_seconds_first
        for _ in range(attempt - 1):
            delay *= self.growth
            if delay >= self.delay_seconds_max:
                return self.delay_seconds_max
        return delay


class RestartLedger:
    """The restarts of one child, counted against its policy. Times are seconds of one clock."""

    def __init__(self, policy: RestartPolicy, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self._used: deque[float] = deque()  # when restarts were granted, within the window
        self.attempt = 0

    def crashed(self, error: BaseException, started_at: float, now: float) -> float | None:
        """The seconds to wait before the restart, or None when the child is given up.

        `attempt` is then the number of the restart since the last quiet period. A failure that
        consists of retryable `StoreError` alone is delayed like any other but uses no restart up:
        a database that is away is no reason to end the daemon.
        """
        if now - started_at >= self._policy.quiet_seconds:
            self.attempt = 0
            self._used.clear()
        self.attempt += 1
        if not is_outage(error):
            while self._used and now - self._used[0] > self._policy.window_seconds:
                self._used.popleft()
            if len(self._used) >= self._policy.restarts_max:
                return None
            self._used.append(now)
        return self._policy.delay_seconds(self.attempt, self._rng)
