"""Which columns the loader fills, in which order, and rows as the lines of COPY."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

NULL = r"\N"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the columns that are loaded; the others get their defaults."""

    schema: str
    name: str
    columns: tuple[str, ...]


def _table(name: str, columns: str) -> Table:
    schema, _, bare = name.rpartition(".")
    return Table(schema or "public", bare, tuple(columns.split()))


USERS = _table("users", "id email role phone is_verified created_at")
VEHICLES = _table(
    "vehicles",
    "id user_id plate_number vehicle_type is_verified is_electric has_accessible_permit created_at",
)
FACILITIES = _table(
    "facilities",
    "id owner_id name city latitude longitude total_spots available_spots created_at",
)
ZONES = _table("zones", "id facility_id name code total_spots available_spots")
SPOTS = _table(
    "parking_spots",
    "id zone_id spot_number size status has_ev_charger is_accessible current_booking",
)
RULES = _table(
    "pricing_rules", "id facility_id name strategy config priority valid_from valid_until"
)
PLANS = _table("subscriptions", "id facility_id name price duration_days entry_count")
SUBSCRIPTIONS = _table(
    "user_subscriptions",
    "id user_id subscription_id activated_at expires_at entries_remaining",
)
STAFF = _table("facility_staff", "id facility_id staff_member permissions")
VIOLATIONS = _table(
    "violations",
    "id facility_id violation_type penalty_amount status violation_time plate_number currency",
)
SETTINGS = _table(
    "gate.facility_settings",
    "facility_id slug time_zone currency stay_minutes_expected early_minutes_max",
)
PENALTIES = _table("gate.penalties", "facility_id violation_type amount")
LANES = _table("gate.lanes", "id facility_id slug direction")
LANE_ZONES = _table("gate.lane_zones", "lane_id zone_id position")
DEVICES = _table("gate.devices", "id facility_id lane_id slug family")
BOOKINGS = _table(
    "bookings",
    "id user_id vehicle_id spot_id facility_id ticket_number booking_type status entry_time"
    " expected_exit actual_exit estimated_price final_price payment_id plate_number plate_raw"
    " currency pricing_rule_id price_lines entry_lane_id exit_lane_id entry_known exit_known"
    " cancel_reason created_at reserved_from reserved_until size_needed entitlement"
    " user_subscription_id",
)
TICKETS = _table("gate.tickets", "ticket_number booking_id entry_time")
CLAIMS = _table(
    "gate.claims",
    "booking_id facility_id zone_id spot_id entry_time kind plate during parker_group",
)
PAYMENTS = _table(
    "payments", "id user_id amount currency provider status provider_txn_id created_at booking_id"
)
AUDIT = _table(
    "audit_logs",
    "id action resource_type resource_id timestamp facility_id actor correlation_id details",
)


class Rows:
    """Lines for COPY in its text format, by table."""

    def __init__(self) -> None:
        self.lines: defaultdict[Table, list[str]] = defaultdict(list)

    def add(self, table: Table, *values: object) -> None:
        """One row. None is null; other values are written as they print, and need no escape."""
        self.lines[table].append("\t".join(NULL if one is None else str(one) for one in values))

    def extend(self, table: Table, lines: Iterable[str]) -> None:
        """Rows that are lines already."""
        self.lines[table].extend(lines)
