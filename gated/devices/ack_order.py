"""The order in which acknowledgements leave one MQTT connection: that of arrival.

MQTT 5 demands it (MQTT-4.6.0-2) and rumqttd cuts a client off that acknowledges out of order.
An acknowledgement given early waits here for those before it. Sending is left to the session.
"""

from collections.abc import Iterator


class AckOrder:
    """The unacknowledged messages of one connection, by message id, in order of arrival."""

    def __init__(self) -> None:
        self._ready: dict[int, bool] = {}  # message id -> acknowledged by us; dicts keep order

    def __len__(self) -> int:
        return len(self._ready)

    def arrived(self, mid: int) -> None:
        """Take a message into the order. A second arrival of a pending id changes nothing."""
        self._ready.setdefault(mid, False)

    def acknowledge(self, mid: int) -> bool:
        """Mark a message as done; False when no such message is pending."""
        if mid not in self._ready:
            return False
        self._ready[mid] = True
        return True

    def releasable(self) -> Iterator[int]:
        """Yield, and forget, the message ids that may be acknowledged to the broker now."""
        while self._ready:
            mid = next(iter(self._ready))
            if not self._ready[mid]:
                return
            del self._ready[mid]
            yield mid
