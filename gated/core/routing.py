"""In which order an admitted vehicle is offered the zones of its lane."""

from collections.abc import Mapping, Sequence

from gated.core.ids import ZoneId


def zones_in_order(
    lane_zones: Sequence[ZoneId],
    available: Mapping[ZoneId, int] | None,
    held: ZoneId | None = None,
) -> tuple[ZoneId, ...]:
    """The lane's zones that may have a spot, in the lane's own filling order.

    `available` is a snapshot: a zone that it calls empty is not tried, one that it does not
    know is. `held` is the zone in which the vehicle holds a spot already (it was granted
    before and has not passed): it comes first and needs no free spot.
    """
    free = tuple(zone for zone in lane_zones if zone != held and (available or {}).get(zone, 1) > 0)
    return free if held is None else (held, *free)
