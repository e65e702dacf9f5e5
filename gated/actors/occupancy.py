"""The facility's occupancy board: the last count of each zone, their sum, and who is told."""

from gated.core.ids import ZoneId
from gated.core.site import FacilitySetup, ZoneSetup
from gated.ports import Announcer
from gated.records import ZoneCount
from gated.telemetry import Metrics


class OccupancyBoard:
    """Told by the zones, tells monitoring and the retained topics when something changed."""

    def __init__(self, setup: FacilitySetup, announcer: Announcer, metrics: Metrics) -> None:
        self._setup = setup
        self._announcer = announcer
        self._metrics = metrics
        self._counts: dict[ZoneId, ZoneCount] = {}

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

    @property
    def total(self) -> ZoneCount:
        """All zones together."""
        counts = self._counts.values()
        return ZoneCount(
            capacity=sum(count.capacity for count in counts),
            occupied=sum(count.occupied for count in counts),
            reserved=sum(count.reserved for count in counts),
        )
