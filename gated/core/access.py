"""Grant or deny, with a reason. First from the read alone, then from what is known of the plate."""

from gated.core.effects import DenyReason, GrantReason
from gated.core.events import Cause, PlateRead
from gated.core.site import Admits, LanePolicy, Unproven
from gated.core.snapshot import Entitlement, PlateSnapshot, Right


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


def judge_entry(policy: LanePolicy, snapshot: PlateSnapshot) -> GrantReason | DenyReason:
    """May this vehicle come in, as far as its rights go?

    Whether a spot is free, and whether the plate is inside already, is not asked here: the
    database alone can say so without a race, when the spot is claimed.
    """
    if snapshot.blocked:
        return DenyReason.BLOCKED
    if snapshot.violation_denies and snapshot.violations_open:
        return DenyReason.VIOLATION_UNPAID
    if (covered := entitlement(snapshot)) is not None:
        return GrantReason(covered.right)
    if snapshot.vehicle is not None:
        return GrantReason.REGISTERED
    return GrantReason.TRANSIENT if policy.admits is Admits.EVERYONE else DenyReason.NOT_PERMITTED


def entitlement(snapshot: PlateSnapshot) -> Entitlement | None:
    """The right that covers the stay: what was reserved, else what takes nothing, else an entry."""
    if snapshot.reservation is not None:
        return Entitlement(Right.RESERVATION, snapshot.reservation.id)
    if snapshot.staff:
        return Entitlement(Right.STAFF)
    if snapshot.subscription is not None:
        return Entitlement(Right.SUBSCRIPTION, snapshot.subscription)
    return None


def judge_exit(snapshot: PlateSnapshot) -> GrantReason | DenyReason:
    """May this vehicle leave? A blocked one may: whoever is inside is let out."""
    if snapshot.open_stay is None:
        return DenyReason.NO_ENTRY_FOUND
    return GrantReason.EXIT_REPEATED if snapshot.open_stay.released else GrantReason.STAY_OPEN
