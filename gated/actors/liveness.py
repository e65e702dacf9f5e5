"""Which devices are there: by their own word, by the broker's in their name, and by silence.

A device that says something at stated intervals (`heartbeat_seconds`) is gone when nothing was
heard of it for `SILENT_INTERVALS` as long, and back when it speaks. What is retained is of an
earlier time and proves nothing. Of a device that states no interval, the last will is believed, and
its "online".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from gated.core.events import DeviceEvent, DeviceFreshnessChanged, DeviceOnlineChanged
from gated.core.ids import DeviceId
from gated.core.site import DeviceSetup, FacilitySetup
from gated.ports import Clock
from gated.telemetry import Metrics

SILENT_INTERVALS = 2.5

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """A device fell silent, or speaks again: its lane is to be told."""

    device: DeviceSetup
    online: bool

    @property
    def told(self) -> DeviceFreshnessChanged:
        """What its lane is told."""
        return DeviceFreshnessChanged(self.device.id, self.online)


class Liveness:
    """Knows when each device of a facility was last heard, all by the monotonic clock.

    `read_until`: what was received up to then has been read. What waits may be a device's word.
    """

    def __init__(
        self,
        setup: FacilitySetup,
        *,
        clock: Clock,
        metrics: Metrics,
        read_until: Callable[[], float],
    ) -> None:
        self._facility = setup.slug
        self._clock = clock
        self._metrics = metrics
        self._read_until = read_until
        self._intervals = {
            device.id: device.heartbeat_seconds
            for device in setup.devices
            if device.heartbeat_seconds is not None
        }
        self._devices = {device.id: device for device in setup.devices}
        self._heard: dict[DeviceId, float] = {}
        self._offline: dict[DeviceId, None] = {}
        self._listening_since: float | None = None

    @property
    def look_seconds(self) -> float | None:
        """How often it is to be looked who is silent; None if nobody has to speak."""
        return min(self._intervals.values()) / 2 if self._intervals else None

    @property
    def offline(self) -> Sequence[DeviceSetup]:
        """The devices that are gone, as far as is known."""
        return [self._devices[device] for device in self._offline]

    def link_up(self) -> None:
        """From now on they can be heard: who could not speak before was not silent."""
        self._listening_since = self._clock.monotonic()

    def link_down(self) -> None:
        """Nobody can be heard, and nobody is judged by that."""
        self._listening_since = None

    def missed(self) -> None:
        """Something was dropped unread, and nobody knows of whom."""
        if self._listening_since is not None:
            self._listening_since = self._clock.monotonic()

    def heard(
        self, device: DeviceSetup, events: Sequence[DeviceEvent], at: float, *, retained: bool
    ) -> Iterator[Change]:
        """A message of the device, received `at`: what that changes beside what it says.

        Also one that could not be understood: whoever sent it is there.
        """
        online = [event.online for event in events if isinstance(event, DeviceOnlineChanged)]
        if online and not online[-1]:
            # The broker's word in the name of a device that is gone.
            self._set(device, online=False)
            return
        if online:
            self._set(device, online=True)
        if device.id not in self._intervals or retained:
            return
        self._heard[device.id] = max(at, self._heard.get(device.id, at))
        if device.id in self._offline and not online:
            self._set(device, online=True)
            self._tell(device, online=True)
            yield Change(device, online=True)

    def fallen_silent(self) -> Iterator[Change]:
        """Whose silence has lasted too long by now, each once."""
        if self._listening_since is None:
            return
        until = min(self._clock.monotonic(), self._read_until())
        for device, seconds in self._intervals.items():
            since = max(self._listening_since, self._heard.get(device, self._listening_since))
            if device not in self._offline and until - since > SILENT_INTERVALS * seconds:
                self._set(self._devices[device], online=False)
                self._tell(self._devices[device], online=False)
                yield Change(self._devices[device], online=False)

    def _set(self, device: DeviceSetup, *, online: bool) -> None:
        self._metrics.device_online(facility=self._facility, device=device.slug, online=online)
        if online:
            self._offline.pop(device.id, None)
        else:
            self._offline[device.id] = None

    def _tell(self, device: DeviceSetup, *, online: bool) -> None:
        log, name = (_log.info, "device.heard_again") if online else (_log.warning, "device.silent")
        log(name, facility=self._facility, lane=device.lane_slug, device=device.slug)
