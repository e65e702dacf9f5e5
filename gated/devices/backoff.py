"""How long to wait before the next connection: exponential, with jitter, from 0.1 s to a ceiling.

Waiting itself is left to the session.
"""

import random

_DELAY_SECONDS_MIN = 0.1
_DOUBLINGS_MAX = 16


class Backoff:
    """Delays in seconds for one client; `attempt` counts the failures in a row."""

    def __init__(self, random: random.Random, delay_seconds_max: float) -> None:
        self._random = random
        self._delay_seconds_max = delay_seconds_max
        self.attempt = 0

    def after_refusal(self) -> float:
        """The broker was out of reach or refused us. Full jitter: a fleet does not return at once.

        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        ceiling = _DELAY_SECONDS_MIN * 2 ** min(self.attempt, _DOUBLINGS_MAX)
        self.attempt += 1
        return self._random.uniform(0, min(ceiling, self._delay_seconds_max))

    def after_loss(self, lasted_seconds: float, *, taken_over: bool) -> float:
        """A link was lost after `lasted_seconds`.

        Only a link that lasted forgives the failures before it, or one that is cut as soon as
        it stands would be rebuilt ten times a second. After a takeover at least half of the
        ceiling passes: of two clients under one id each cuts the other off, and without this
        they did so 800 times a second.
        """
        if taken_over:
            return self._random.uniform(self._delay_seconds_max / 2, self._delay_seconds_max)
        if lasted_seconds >= self._delay_seconds_max:
            self.attempt = 0
        return self.after_refusal()
