"""The facility's occupancy board: the last count of each zone, their sum, what their signs say, and
who is told."""

from collections.abc import Callable

import structlog

from gated.core.ids import ZoneId
from gated.core.signs import Places, Sign, places, sign, together
from gated.core.site import Direction, FacilitySetup, ZoneSetup
from gated.ports import Announcer
from gated.records import Against, ZoneCount, ZoneDrift
from gated.telemetry import Metrics

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OccupancyBoard:
    """Told by the zones, tells monitoring and the retained topics when something changed."""

    def __init__(
        self,
        setup: FacilitySetup,
        announcer: Announcer,
        metrics: Metrics,
        *,
        on_room: Callable[[ZoneSetup], None],
    ) -> None:
        """`on_room` is called when a zone has more room than before, for anybody."""
        self._on_room = on_room
        self._setup = setup
        self._announcer = announcer
        self._metrics = metrics
        self._counts: dict[ZoneId, ZoneCount] = {}
        self._too_far: set[tuple[ZoneId, Against]] = set()
        self._last: ZoneId | None = None
        self._shown: dict[ZoneId | None, tuple[ZoneCount, Sign]] = {}

    def counted(self, zone: ZoneSetup, count: ZoneCount) -> None:
        """A zone has counted itself."""
        before = self._counts.get(zone.id)
        if before == count:
            return
        self._counts[zone.id] = count
        if before is not None and count.has_more_than(before):
            self._on_room(zone)
        self._last = zone.id
        self._metrics.zone(
            facility=self._setup.slug,
            zone=zone.slug,
            capacity=count.capacity,
            occupied=count.occupied,
            available=count.available,
        )
        # A limit of the facility that is reached in one zone is reached in all of them.
        for one in self._setup.zones:
            if one.id in self._counts:
                self._show(one)
        if len(self._counts) == len(self._setup.zones):
            self._show(None)

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

    def _show(self, zone: ZoneSetup | None) -> None:
        """The zone, or else the facility, if it has something new to say."""
        key = None if zone is None else zone.id
        count = self.total if zone is None else self._counts[zone.id]
        _, before = self._shown.get(key, (None, Sign()))
        there = self._places(self._entered if zone is None else [zone.id])
        says = sign(there, before, self._setup.sign_free_again)
        if self._shown.get(key) == (count, says):
            return
        self._shown[key] = count, says
        if zone is None:
            self._announcer.facility_occupancy(count, says)
        else:
            self._announcer.zone_occupancy(zone.slug, count, says)

    @property
    def _entered(self) -> list[ZoneId]:
        """The zones that one comes into from outside: what is free further in is no use to who
        stands at the entrance, as long as there is no way to it."""
        entered = {
            zone
            for lane in self._setup.lanes
            if lane.direction is Direction.ENTRY
            for zone in lane.zones
        }
        known = [zone for zone in self._counts if zone in entered]
        return known or list(self._counts)

    def _places(self, zones: list[ZoneId]) -> Places:
        latest = self._counts[self._last] if self._last is not None else None
        return together(
            (
                places(count.capacity, count.available, count.reserved, count.rooms)
                for count in (self._counts[zone] for zone in zones)
            ),
            latest.facility_rooms if latest is not None else {},
        )
