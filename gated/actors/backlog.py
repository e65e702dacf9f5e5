"""Whether a message may have waited at the broker while nobody listened.

A session that the broker still knows has a queue, which comes first on the new link. Messages that
state no time cannot be told from it while it comes.
"""

from datetime import datetime, timedelta

from gated.ports import Clock

# A queue of thousands comes in less; how long it really takes depends on the database.
BACKLOG_SECONDS = timedelta(seconds=5)


class Backlog:
    """Knows since when the facility's link is up, and whether it had been up before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._resumed_at: datetime | None = None

    def linked(self, *, session_present: bool) -> None:
        """The link is up; `session_present`: the broker has kept the session of an earlier one."""
        self._resumed_at = self._clock.now() if session_present else None

    def may_hold(self, received_at: datetime) -> bool:
        """Whether a message that was received then may be older than that."""
        if self._resumed_at is None:
            return False
        return received_at - self._resumed_at < BACKLOG_SECONDS
