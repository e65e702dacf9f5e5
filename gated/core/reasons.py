"""Why a vehicle may pass or may not, and what else a lane's display may have to say.

The words are stable: they stand in records, metrics and commands, and files of texts name them.
What the driver reads is in `gated.core.wording`, what the operator does about it in
docs/reasons.md.
"""

from enum import StrEnum


class GrantReason(StrEnum):
    """Why a vehicle may pass."""

    TRANSIENT = "transient"
    REGISTERED = "registered"
    RESERVATION = "reservation"
    SUBSCRIPTION = "subscription"
    STAFF = "staff"
    TICKET = "ticket"
    STAY_OPEN = "stay_open"
    EXIT_REPEATED = "exit_repeated"


class DenyReason(StrEnum):
    """Why a vehicle may not pass.

    Full: `full_facility` if no zone of the facility has a spot, `full_zone` if only those have
    none that this lane leads to, `full_class` if they have some, and none that this vehicle may
    be given now: large enough, not kept for others, not claimed for later. `vehicle_too_large`:
    not even an empty car park would help it.

    A right that is there and does not hold now is told (`right_…`) where nothing but a right
    would open: elsewhere its holder comes in as everyone does.

    `closed`: somebody has closed the lane, all its zones or the facility, whatever the hour;
    `out_of_service`: the lane's hardware does not obey.
    """

    FULL_FACILITY = "full_facility"
    FULL_ZONE = "full_zone"
    FULL_CLASS = "full_class"
    VEHICLE_TOO_LARGE = "vehicle_too_large"
    NOT_PERMITTED = "not_permitted"
    RIGHT_EXPIRED = "right_expired"
    RIGHT_USED_UP = "right_used_up"
    RIGHT_NOT_DUE = "right_not_due"
    BLOCKED = "blocked"
    VIOLATION_UNPAID = "violation_unpaid"
    ALREADY_INSIDE = "already_inside"
    CLOSED = "closed"
    OUT_OF_SERVICE = "out_of_service"
    OUTSIDE_OPENING_HOURS = "outside_opening_hours"
    EVACUATION = "evacuation"
    NO_ENTRY_FOUND = "no_entry_found"
    PAYMENT_DUE = "payment_due"
    READ_TOO_OLD = "read_too_old"
    READ_UNDATED = "read_undated"
    READ_UNCERTAIN = "read_uncertain"
    READ_UNRATED = "read_unrated"
    PLATE_UNREAD = "plate_unread"
    NO_PRESENCE = "no_presence"
    DEGRADED_MODE = "degraded_mode"


# Full: what ends it is the same, and to the driver it is one answer.
FULL = frozenset({DenyReason.FULL_FACILITY, DenyReason.FULL_ZONE, DenyReason.FULL_CLASS})

# What may end while a vehicle stands there, without anything being read of it anew: somebody
# leaves, an hour begins, a zone or a facility is opened again.
MAY_END = FULL | {
    DenyReason.CLOSED,
    DenyReason.OUTSIDE_OPENING_HOURS,
    DenyReason.RIGHT_NOT_DUE,
}


class CallReason(StrEnum):
    """Why somebody at a lane needs a person.

    The first four are the refusals of the same name after which nobody but a person helps.
    `match_needed`: nobody came in with this plate, and some that did are near it. `out_of_service`:
    it stands inside, before an arm that does not obey. `vehicle_not_moving`: it was let through and
    stands there still. `payment_waiting`: it was asked to pay, and stands there still.
    `arm_down_on_vehicle`: it is under the arm, which has come down. `button`: its driver asks for
    somebody, for whatever reason.
    """

    PLATE_UNREAD = "plate_unread"
    READ_UNCERTAIN = "read_uncertain"
    READ_UNRATED = "read_unrated"
    NO_ENTRY_FOUND = "no_entry_found"
    MATCH_NEEDED = "match_needed"
    OUT_OF_SERVICE = "out_of_service"
    VEHICLE_NOT_MOVING = "vehicle_not_moving"
    PAYMENT_WAITING = "payment_waiting"
    ARM_DOWN_ON_VEHICLE = "arm_down_on_vehicle"
    BUTTON = "button"


class DisplayNotice(StrEnum):
    """What a display says that is no verdict about a vehicle.

    `payment_rest` takes the place of `payment_due` where something has been paid already,
    `use_lane_beside` that of `out_of_service` where there is one, `press_button` that of a plate
    that cannot be read where the button gives a ticket. `drive_on`: the arm is opened by hand,
    once more, or for who goes on to another zone; `leave_now`: in an evacuation.
    """

    PAYMENT_REST = "payment_rest"
    USE_LANE_BESIDE = "use_lane_beside"
    PRESS_BUTTON = "press_button"
    DRIVE_ON = "drive_on"
    LEAVE_NOW = "leave_now"
