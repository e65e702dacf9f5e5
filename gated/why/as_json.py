"""A story for machines: each step with its facts; times have offsets, amounts are text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gated.db.why_rows import Stay
from gated.desk.receipt import Bill
from gated.why.story import Step, Story
from gated.why.words import exact


def as_json(story: Story) -> dict[str, Any]:
    """The story as plain JSON values. Keys are always there, null where nothing is known."""
    zone = ZoneInfo(story.facility.time_zone)
    value = {
        "about": story.about.value,
        "facility": story.facility.slug,
        "time_zone": story.facility.time_zone,
        "plate": story.plate,
        "verdict": story.verdict,
        "stay": None if story.stay is None else _stay(story.stay),
        "steps": [_step(step) for step in story.steps],
        "bill": None if story.bill is None else _bill(story.bill),
    }
    return {key: _plain(each, zone) for key, each in value.items()}


def _stay(stay: Stay) -> dict[str, object]:
    return {
        "id": stay.id,
        "ticket": stay.ticket,
        "type": stay.kind,
        "status": stay.status,
        "vehicle": stay.vehicle,
        "user": stay.user,
        "entitlement": stay.entitlement,
        "reserved_from": stay.reserved_from,
        "reserved_until": stay.reserved_until,
        "entry_at": stay.entry_at,
        "entry_lane": stay.entry_lane,
        "entry_known": stay.entry_known,
        "exit_at": stay.exit_at,
        "exit_lane": stay.exit_lane,
        "exit_known": stay.exit_known,
        "zone": stay.zone,
        "spot": stay.spot,
        "tariff": stay.tariff,
        "final_price": None if stay.final_price is None else exact(stay.final_price, stay.currency),
        "currency": stay.currency,
        "paid_at": stay.paid_at,
        "grace_until": stay.grace_until,
        "price_context": stay.context,
        "cancel_reason": stay.cancel_reason,
    }


def _step(step: Step) -> dict[str, object]:
    later = None if step.since is None else round((step.at - step.since).total_seconds() * 1000, 3)
    return {
        "at": step.at,
        "kind": step.kind.value,
        "lane": step.lane or None,
        "later_ms": later,
        "said": step.said,
        "notes": step.notes,
        "by": step.by or None,
        "event": step.event,
        "correlation": step.correlation,
        "facts": step.facts,
    }


def _bill(bill: Bill) -> dict[str, object]:
    return {
        "until": bill.until,
        "amount": bill.amount,
        "currency": bill.currency,
        "paid": bill.paid,
        "due": bill.due,
        "lines": bill.lines,
    }


def _plain(value: object, zone: ZoneInfo) -> Any:
    match value:
        case datetime():
            return value.astimezone(zone).isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case Mapping():
            return {str(key): _plain(each, zone) for key, each in value.items()}
        case str():
            return str(value)
        case Iterable():
            return [_plain(each, zone) for each in value]
        case _:
            return value
