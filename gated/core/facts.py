"""What a verdict was reached on, small enough to be kept with it: `gated why` tells it later.

Only of the vehicle that was decided about, and of the lane's own zones: nobody else's plate, no
other zone one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gated.core.events import Cause, ZoneRefusal
from gated.core.ids import ZoneId
from gated.core.money import Money
from gated.core.reasons import DenyReason
from gated.core.site import Direction, LaneSetup
from gated.core.snapshot import OpenStay, PlateSnapshot


@dataclass(frozen=True, slots=True)
class Refused:
    """A zone that was asked for a spot and had none."""

    zone: ZoneId
    refusal: ZoneRefusal


@dataclass(frozen=True, slots=True)
class Facts:
    """`snapshot` is what was known of the plate; None where the verdict did not need it, as for a
    read that is too old. `refused` are the zones that said no, in the order in which they were
    asked."""

    snapshot: PlateSnapshot | None = None
    refused: tuple[Refused, ...] = ()


FactsRecord = Mapping[str, object]


def record(
    lane: LaneSetup, cause: Cause, facts: Facts | None, denied: DenyReason | None = None
) -> FactsRecord:
    """The facts as they are kept: plain JSON values, and no key for what there is nothing of.

    `rule` is what the lane's policy asked for, as far as the verdict turned on it; `known` is what
    the database knew of the plate, there if it was asked; `free` are the spots of the lane's zones
    as they were counted then, `free_elsewhere` those of all others; `refused` as in `Facts`.
    `again` is the message that was decided on once more, where nothing was reported anew.
    """
    parts: dict[str, object] = {"rule": _rule(lane, cause, facts, denied)}
    if cause.again is not None:
        parts["again"] = str(cause.again)
    if facts is not None and facts.snapshot is not None:
        snapshot = facts.snapshot
        parts["known"] = _known(snapshot)
        if lane.direction is not Direction.EXIT and snapshot.available is not None:
            free = {zone: snapshot.available.get(zone) for zone in lane.zones}
            parts["free"] = {str(zone): count for zone, count in free.items() if count is not None}
            parts["free_elsewhere"] = sum(
                count for zone, count in snapshot.available.items() if zone not in free
            )
    if facts is not None and facts.refused:
        parts["refused"] = [
            {"zone": str(one.zone), "refusal": one.refusal.value} for one in facts.refused
        ]
    return {key: part for key, part in parts.items() if part or key == "known"}


def _rule(
    lane: LaneSetup, cause: Cause, facts: Facts | None, denied: DenyReason | None
) -> dict[str, object]:
    policy = lane.policy
    match denied:
        case DenyReason.READ_TOO_OLD:
            age, age_max = cause.age_seconds, policy.event_age_seconds_max
            # One that came in time may have waited too long here.
            if age is None or age <= age_max:
                return {"event_age_seconds_max": age_max}
            return {"event_age_seconds_max": age_max, "age_seconds": round(age, 3)}
        case DenyReason.READ_UNCERTAIN:
            return {"read_confidence_min": policy.read_confidence_min}
        case _ if facts is None or facts.snapshot is None:
            return {}
        case _ if lane.direction is Direction.EXIT:
            return {"unpaid_exit": policy.unpaid_exit.value}
        case _:
            return {"admits": policy.admits.value}


def _known(snapshot: PlateSnapshot) -> dict[str, object]:
    right = snapshot.reservation
    known = {
        "vehicle": _text(snapshot.vehicle),
        "user": _text(snapshot.user),
        "blocked": snapshot.blocked,
        "reservation": None if right is None else str(right.id),
        "subscription": _text(snapshot.subscription),
        "staff": snapshot.staff,
        "lapsed": None if snapshot.lapsed is None else snapshot.lapsed.value,
        "violations": snapshot.violations_open,
        "violations_deny": snapshot.violation_denies and snapshot.violations_open > 0,
        "stay": None if snapshot.open_stay is None else _stay(snapshot.open_stay),
        "price": _money(snapshot.price),
        "due": _money(snapshot.due),
    }
    return {key: value for key, value in known.items() if value}


def _stay(stay: OpenStay) -> dict[str, object]:
    return {
        "id": str(stay.id),
        "zone": str(stay.zone),
        "since": stay.entry_at.isoformat(),
        "released": stay.released,
    }


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": str(money.amount), "currency": money.currency}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
