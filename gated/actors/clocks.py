"""The clocks of one facility's devices: what each is known to be off, and who is told of it.

How a skew is estimated, and how far it is believed, is `gated.core.skew`'s.
"""

from datetime import datetime

import structlog

from gated.core.ids import DeviceId, Slug
from gated.core.site import DeviceSetup
from gated.core.skew import Skew
from gated.telemetry import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DeviceClocks:
    """Learns from each message that states a time."""

    def __init__(self, facility: Slug, metrics: Metrics) -> None:
        self._facility = facility
        self._metrics = metrics
        self._skews: dict[DeviceId, Skew] = {}

    def delay_seconds(
        self, device: DeviceSetup, received_at: datetime, device_at: datetime
    ) -> float | None:
        """How late the message came, the skew taken out; None if its time is of no use.

        Learns from it first, and tells the operator of a clock that is too far off.
        """
        skew = self._skews.get(device.id, Skew()).with_sample(received_at, device_at)
        if skew.seconds is not None:
            self._metrics.device_skew(
                facility=self._facility, device=device.slug, seconds=skew.seconds
            )
        if (news := skew.news) is not None:
            skew = skew.with_told(news)
            self._tell(device.slug, round(news, 3), right=skew.told_seconds is None)
        self._skews[device.id] = skew
        return skew.delay_seconds(received_at, device_at)

    def _tell(self, device: Slug, seconds: float, *, right: bool) -> None:
        if right:
            _log.info(
                "device.clock_right", facility=self._facility, device=device, skew_seconds=seconds
            )
        else:
            _log.warning(
                "device.clock_skewed", facility=self._facility, device=device, skew_seconds=seconds
            )
