"""Grant or deny, with a reason. First from the read alone, then from what is known of the plate."""

from collections.abc import Mapping, Sequence

from gated.core.events import Cause, PlateRead, ZoneRefusal
from gated.core.ids import ZoneId
from gated.core.opening import OpeningHours
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, LanePolicy, Unproven
from gated.core.snapshot import Entitlement, Group, PlateSnapshot, Right


def judge_age(policy: LanePolicy, cause: Cause) -> DenyReason | None:
    """Whether the read comes too late to open anything; None means fresh enough."""
    if cause.age_seconds is None:
        return DenyReason.READ_UNDATED if policy.undated_reads is Unproven.REFUSE else None
    return DenyReason.READ_TOO_OLD if cause.age_seconds > policy.event_age_seconds_max else None


def judge_confidence(policy: LanePolicy, read: PlateRead) -> DenyReason | None:
    """Whether the camera is sure enough. A missing confidence is not zero: the policy decides."""
    if read.confidence is None:
        return DenyReason.READ_UNRATED if policy.unrated_reads is Unproven.REFUSE else None
    return DenyReason.READ_UNCERTAIN if read.confidence < policy.read_confidence_min else None


def judge_entry(
    policy: LanePolicy, snapshot: PlateSnapshot, opening: OpeningHours | None = None
) -> GrantReason | DenyReason:
    """May this vehicle come in, as far as its rights and the hour go?

    Whether a spot is free, and whether the plate is inside already, is not asked here: the
    database alone can say so without a race, when the spot is claimed. The hour is that of the
    snapshot; without opening hours any will do.
    """
    if snapshot.blocked:
        return DenyReason.BLOCKED
    if snapshot.violation_denies and snapshot.violations_open:
        return DenyReason.VIOLATION_UNPAID
    verdict = _judge_right(policy, snapshot)
    if isinstance(verdict, GrantReason) and not _may_come_now(opening, snapshot, verdict):
        return DenyReason.OUTSIDE_OPENING_HOURS
    return verdict


def _judge_right(policy: LanePolicy, snapshot: PlateSnapshot) -> GrantReason | DenyReason:
    if (covered := entitlement(snapshot)) is not None:
        return GrantReason(covered.right)
    if snapshot.vehicle is not None and policy.admits is not Admits.ENTITLED:
        return GrantReason.REGISTERED
    if policy.admits is Admits.EVERYONE:
        return GrantReason.TRANSIENT
    # Nothing but a right would have opened, so what became of it is the better answer.
    return DenyReason(snapshot.lapsed) if snapshot.lapsed else DenyReason.NOT_PERMITTED


def _may_come_now(
    opening: OpeningHours | None, snapshot: PlateSnapshot, granted: GrantReason
) -> bool:
    # Who has an open stay was let in before, and perhaps still stands there: that is for the
    # database to say, and no new entry.
    if opening is None or granted in opening.exempt or snapshot.open_stay is not None:
        return True
    return opening.is_open(snapshot.at)


def judge_full(
    zones: Sequence[ZoneId],
    refusals: Sequence[ZoneRefusal],
    available: Mapping[ZoneId, int] | None,
) -> DenyReason:
    """Why there is no spot, when the lane's `zones` were tried as far as they promised any.

    `available` are the free spots of all zones of the facility as the snapshot counted them: of
    the lane's zones those with none were not tried, and answered nothing.
    """
    found, counted = set(refusals), available or {}
    if any(counted.get(zone, 1) <= 0 for zone in zones):
        found.add(ZoneRefusal.FULL)
    if found == {ZoneRefusal.TOO_SMALL}:
        return DenyReason.VEHICLE_TOO_LARGE
    if found == {ZoneRefusal.CLOSED}:
        return DenyReason.CLOSED
    if found == {ZoneRefusal.GROUP_NOT_PERMITTED}:
        return DenyReason.NOT_PERMITTED
    if found - {ZoneRefusal.FULL, ZoneRefusal.CLOSED}:
        return DenyReason.FULL_CLASS
    elsewhere = any(free > 0 for zone, free in counted.items() if zone not in zones)
    return DenyReason.FULL_ZONE if elsewhere else DenyReason.FULL_FACILITY


def entitlement(snapshot: PlateSnapshot) -> Entitlement | None:
    """The right that covers the stay: what was reserved, else what takes nothing, else an entry."""
    if snapshot.reservation is not None:
        return Entitlement(Right.RESERVATION, snapshot.reservation.id)
    if snapshot.staff:
        return Entitlement(Right.STAFF)
    if snapshot.subscription is not None:
        return Entitlement(Right.SUBSCRIPTION, snapshot.subscription)
    return None


def judge_transfer(policy: LanePolicy, snapshot: PlateSnapshot) -> GrantReason | DenyReason:
    """May this vehicle, which is inside, go on into another zone?

    A blocked one gets no further where only the known may go; elsewhere it is let on, for that
    may be its way out. What a zone's limits say is asked when the stay is moved.
    """
    stay = snapshot.open_stay
    if stay is None or stay.released:
        return DenyReason.NO_ENTRY_FOUND
    if policy.admits is Admits.EVERYONE:
        return GrantReason.STAY_OPEN
    if snapshot.blocked:
        return DenyReason.BLOCKED
    return GrantReason.STAY_OPEN if stay.group is not Group.TRANSIENT else DenyReason.NOT_PERMITTED


def judge_exit(snapshot: PlateSnapshot) -> GrantReason | DenyReason:
    """May this vehicle leave? A blocked one may: whoever is inside is let out."""
    if snapshot.open_stay is None:
        return DenyReason.NO_ENTRY_FOUND
    return GrantReason.EXIT_REPEATED if snapshot.open_stay.released else GrantReason.STAY_OPEN
