"""The facility's occupancy board: the last count of each zone, their sum, and who is told."""

import structlog

from gated.core.ids import ZoneId
from gated.core.site import FacilitySetup, ZoneSetup
from gated.ports import Announcer
from gated.records import Against, ZoneCount, ZoneDrift
from gated.telemetry import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OccupancyBoard:
    """Told by the zones, tells monitoring and the retained topics when something changed."""

    def __init__(self, setup: FacilitySetup, announcer: Announcer, metrics: Metrics) -> None:
        self._setup = setup
        self._announcer = announcer
        self._metrics = metrics
        self._counts: dict[ZoneId, ZoneCount] = {}
        self._too_far: set[tuple[ZoneId, Against]] = set()

    def counted(self, zone: ZoneSetup, count: ZoneCount) -> None:
        """A zone has counted itself."""
        if self._counts.get(zone.id) == count:
            return
        self._counts[zone.id] = count
        self._metrics.zone(
            facility=self._setup.slug,
            zone=zone.slug,
            capacity=count.capacity,
            occupied=count.occupied,
            available=count.available,
        )
        self._announcer.zone_occupancy(zone.slug, count)
        if len(self._counts) == len(self._setup.zones):
            self._announcer.facility_occupancy(self.total)

    def drifted(self, zone: ZoneSetup, drift: ZoneDrift) -> None:
        """A zone was held against its stays and its sensors. Told once when they are too far apart,
        and once when they are not any more."""
        for against, vehicles in drift.drifts().items():
            self._metrics.drift(
                facility=self._setup.slug, zone=zone.slug, against=against, vehicles=vehicles
            )
            before = (zone.id, against) in self._too_far
            now = vehicles is not None and abs(vehicles) > drift.allowed
            if now and not before:
                self._too_far.add((zone.id, against))
                _log.warning(
                    "occupancy.drifted",
                    facility=self._setup.slug,
                    zone=zone.slug,
                    against=against,
                    drift=vehicles,
                    counted=drift.counted,
                    stays=drift.stays,
                    sensed=drift.sensed,
                    allowed=drift.allowed,
                )
            elif before and not now:
                self._too_far.discard((zone.id, against))
                _log.info(
                    "occupancy.agreed",
                    facility=self._setup.slug,
                    zone=zone.slug,
                    against=against,
                    drift=vehicles,
                )

    @property
    def total(self) -> ZoneCount:
        """All zones together."""
        counts = self._counts.values()
        return ZoneCount(
            capacity=sum(count.capacity for count in counts),
            occupied=sum(count.occupied for count in counts),
            reserved=sum(count.reserved for count in counts),
        )
