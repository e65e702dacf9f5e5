"""The stable words of the records, in words that an operator understands; texts made harmless.

The records may be of another version: a word that is not known here stands for itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gated.core.effects import Fault, FreeKind, Outcome, PassageKnown
from gated.core.events import OperateOutcome, ZoneRefusal
from gated.core.matching import MatchReason
from gated.core.money import EXPONENTS
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, UnpaidExit
from gated.core.snapshot import Lapse
from gated.desk.instants import day_of, shown, span
from gated.records import EventStatus, PaymentOutcome

GRANTED: Mapping[str, str] = MappingProxyType(
    {
        GrantReason.TRANSIENT: "a stranger, and the lane lets everyone in",
        GrantReason.REGISTERED: "a registered vehicle",
        GrantReason.RESERVATION: "it has a reservation",
        GrantReason.SUBSCRIPTION: "its owner has a subscription",
        GrantReason.STAFF: "its owner belongs to the staff",
        GrantReason.TICKET: "its plate could not be read, and it asked for a ticket",
        GrantReason.STAY_OPEN: "its stay is open",
        GrantReason.EXIT_REPEATED: "let out before, and not seen leaving",
    }
)
DENIED: Mapping[str, str] = MappingProxyType(
    {
        DenyReason.FULL_FACILITY: "no spot of the facility was free",
        DenyReason.FULL_ZONE: "no spot was free in the zones that the lane leads to",
        DenyReason.FULL_CLASS: (
            "no spot was free that it could be given: size, kind, claims or a limit for its group"
        ),
        DenyReason.VEHICLE_TOO_LARGE: "no spot is large enough for it",
        DenyReason.NOT_PERMITTED: (
            "not known, or without a right, and the lane asks for that; or its group may be in none"
            " of the zones"
        ),
        DenyReason.RIGHT_EXPIRED: "its right is over, and the lane asks for one",
        DenyReason.RIGHT_USED_UP: "its right is used up, and the lane asks for one",
        DenyReason.RIGHT_NOT_DUE: "its right begins later, and the lane asks for one",
        DenyReason.BLOCKED: "the vehicle is blocked",
        DenyReason.VIOLATION_UNPAID: "a violation of the vehicle is open",
        DenyReason.ALREADY_INSIDE: "a vehicle with this plate is inside already",
        DenyReason.CLOSED: "the lane, its zones or the facility are closed",
        DenyReason.OUT_OF_SERVICE: "the hardware of the lane does not obey",
        DenyReason.OUTSIDE_OPENING_HOURS: "it came outside the opening hours",
        DenyReason.EVACUATION: "the facility is being evacuated",
        DenyReason.NO_ENTRY_FOUND: "no vehicle with this plate is inside",
        DenyReason.PAYMENT_DUE: "its stay is not paid",
        DenyReason.READ_TOO_OLD: "the read came too late to open anything",
        DenyReason.READ_UNDATED: "the read states no time, so its age is not known",
        DenyReason.READ_UNCERTAIN: "the camera was not sure enough of the plate",
        DenyReason.READ_UNRATED: "the camera did not say how sure it was of the plate",
        DenyReason.PLATE_UNREAD: "the plate could not be read",
        DenyReason.NO_PRESENCE: "no vehicle stood on the presence loop",
        DenyReason.DEGRADED_MODE: "gated could not decide, and the lane denies meanwhile",
    }
)
BECAME: Mapping[str, str] = MappingProxyType(
    {
        Outcome.DECIDED: "decided about",
        Outcome.NOTED: "the lane took note",
        Outcome.FOLDED: "the same vehicle again",
        Outcome.IGNORED: "not taken for a plate",
        Outcome.SUPERSEDED: "a newer read took its place",
        Outcome.UNEXPECTED: "nobody was left to hear it: the set-up had changed",
        Outcome.TOLD_BEFORE: "told before, and counted then",
        Outcome.REFUSED: "refused",
        Outcome.FAILED: "the database gave no answer in time",
        EventStatus.NEW: "not handled yet",
        EventStatus.QUARANTINED: "not understood",
        EventStatus.DROPPED: "left alone",
    }
)
# What the loops, the arm or nobody saw.
KNOWN: Mapping[str, str] = MappingProxyType(
    {
        PassageKnown.MEASURED: "measured by the closing loop",
        PassageKnown.REPORTED: "reported by the arm",
        PassageKnown.ASSUMED: "assumed, nothing measured it",
    }
)
UNDONE: Mapping[str, str] = MappingProxyType(
    {
        "no_passage": "no passage was seen",
        "granted_anew": "it was let in anew",
        "command_expired": "the barrier was not told in time",
        "command_failed": "the barrier could not be told, or refused",
        "command_unknown": "the barrier did not answer",
        "command_cancelled": "the command was withdrawn",
        "arm_not_opened": "the arm did not go up",
        "arm_fault": "the arm reported a fault",
    }
)
# Why a read was taken for a plate that it is not.
MATCHED: Mapping[str, str] = MappingProxyType(
    {
        MatchReason.EXACT: "it is this very plate",
        MatchReason.CANDIDATE: "the camera thought of it too",
        MatchReason.CONFUSABLE_ONE: "one character is another that looks like it",
        MatchReason.CONFUSABLE_TWO: "two characters are others that look like them",
        MatchReason.SUBSTITUTED_ONE: "one character is another",
        MatchReason.MISSING_ONE: "one character is missing",
        MatchReason.EXTRA_ONE: "one character is too many",
        MatchReason.SWAPPED: "two neighbours have changed places",
        MatchReason.SEVERAL: "several characters differ",
        MatchReason.OPERATOR: "an operator looked, and says so",
    }
)
# What became of a command: `open`, `deny`, … and then these.
LIFE: Mapping[str, str] = MappingProxyType(
    {
        "accepted": "ordered, to be sent",
        "dispatched": "taken for sending",
        "acknowledged": "the hardware has taken it",
        "expired": "not sent in time, and never will be",
        "failed": "refused, or certainly not sent",
        "unknown": "no answer in time: it may have been done, and is never sent again",
        "cancelled": "withdrawn before it was sent",
    }
)
DONE: Mapping[str, str] = MappingProxyType(
    {"open": "the hardware reports the arm up", "deny": "shown, by the hardware's report"}
)
# Why a vehicle passed that nobody granted.
UNGRANTED: Mapping[str, str] = MappingProxyType(
    {
        FreeKind.HELD: "the lane was held open",
        FreeKind.OPERATOR: "it was opened by hand",
        FreeKind.EVACUATION: "the facility was evacuated",
        FreeKind.TAILGATING: "in the opening of another vehicle",
        FreeKind.FORCED_BARRIER: "it forced the barrier",
        FreeKind.EXIT_WITHOUT_PAYMENT: "it left without paying",
        FreeKind.UNEXPLAINED: "it was refused or not read, and nobody knows how it came through",
    }
)
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        Fault.ARM_STUCK: "the arm did not move as it was told",
        Fault.ARM_FORCED: "the arm moved though nobody told it to",
        Fault.ARM_NOT_CLOSED: "the arm stays up",
        Fault.PRESENCE_LOOP_STUCK: "the presence loop stays on",
        Fault.CLOSING_LOOP_STUCK: "the closing loop stays on",
        Fault.CLOSING_LOOP_SILENT: "the closing loop says nothing",
        Fault.CAMERA_SILENT: "the camera says nothing",
        Fault.DEVICE_OFFLINE: "a device is gone",
    }
)
# What was noted of a lane: the words of `lane.notice`.
NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "answer_unexpected": "an answer came that nobody waited for any more",
        "arm_came_down": "the arm came down before the vehicle, and was asked once more",
        "arm_down_on_vehicle": "the arm told that it was down while a vehicle was under it",
        "arm_not_opened": "the arm did not go up in its time, and was asked once more",
        "barrier_fault": "the arm reported a fault",
        "button_ignored": "the button was pressed, and it does nothing then",
        "closing_loop_stuck": "the closing loop stayed on past the longest passage",
        "command_refused": "the hardware refused a command",
        "decision_failed": "the database could not answer in time",
        "exit_not_passed": "let out, and not seen leaving",
        "hold_not_supported": "the barrier cannot be held open: it is opened for each vehicle",
        "intercom_call": "help was called: nobody could read the plate",
        "match_needed": "the plate is of no open stay, and comes near to some",
        "nobody_passed": "opened by hand, and nobody was seen passing",
        "opened_without_grant": "the arm went up, and nobody was granted passage then",
        "passage_without_grant": "somebody was on the closing loop without a grant",
        "right_gone": "its right was used or ended meanwhile, so it was decided on anew",
        "trailer_assumed": "something close behind a vehicle is taken for its trailer",
        "rolled_back": "somebody rolled onto the closing loop without a grant, and back",
        "vehicle_not_moving": "the barrier was opened, and the vehicle did not move",
    }
)
# Why a barrier was told something, beside the reasons to grant and to deny.
ORDERED: Mapping[str, str] = MappingProxyType(
    {
        "arm_came_down": "the arm had come down before it: asked once more",
        "arm_not_opened": "the arm had not gone up: asked once more",
        "operator_open": "an operator opened",
        "operator_hold": "an operator holds it open",
        "operator_release": "an operator ended that it was held open",
        "operator_lane_close": "an operator closed the lane",
        "operator_lane_open": "an operator opened the lane again",
        "operator_match": "an operator said whose stay it is",
    }
)
# Why a zone had no spot for a vehicle.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        ZoneRefusal.FULL: "no spot of it was free",
        ZoneRefusal.RESERVED: "what was free is reserved for later",
        ZoneRefusal.SIZE_TAKEN: "what is large enough was taken",
        ZoneRefusal.TOO_SMALL: "nothing in it is large enough",
        ZoneRefusal.CHARGERS_KEPT: "what was free is kept for those who charge",
        ZoneRefusal.ACCESSIBLE_KEPT: "what was free is kept for those with a permit for it",
        ZoneRefusal.CLOSED: "it was closed",
        ZoneRefusal.GROUP_FULL: "the zone's limit for its group was reached",
        ZoneRefusal.FACILITY_GROUP_FULL: "the facility's limit for its group was reached",
        ZoneRefusal.GROUP_NOT_PERMITTED: "its group may not park there at this time",
    }
)
ADMITS: Mapping[str, str] = MappingProxyType(
    {
        Admits.EVERYONE: "everyone is let in",
        Admits.KNOWN: "registered vehicles and holders of a right are let in",
        Admits.ENTITLED: "holders of a right are let in",
    }
)
UNPAID_EXIT: Mapping[str, str] = MappingProxyType(
    {
        UnpaidExit.OPEN: "who has not paid is let out, and owes it",
        UnpaidExit.WAIT: "who has not paid waits until that is done",
    }
)
# Why the right does not hold that was there last.
LAPSED: Mapping[str, str] = MappingProxyType(
    {
        Lapse.EXPIRED: "a right that is over",
        Lapse.USED_UP: "a right that is used up",
        Lapse.NOT_DUE: "a right that begins later",
    }
)
# Why an operator was refused.
NOT_DONE: Mapping[str, str] = MappingProxyType(
    {
        OperateOutcome.REASON_MISSING: "no reason was stated",
        OperateOutcome.LANE_MISSING: "no lane was named",
        OperateOutcome.LANE_UNKNOWN: "there is no such lane",
        OperateOutcome.STAY_MISSING: "no stay was named",
        OperateOutcome.STAY_AMBIGUOUS: "more than one stay was named",
        OperateOutcome.AMOUNT_MISSING: "no amount was stated",
        OperateOutcome.USER_UNKNOWN: "the operator has no account here",
        OperateOutcome.NOT_PERMITTED: "the operator has no right to it",
        OperateOutcome.TOO_OLD: "it came too late",
        OperateOutcome.UNDATED: "it states no time, so its age is not known",
        OperateOutcome.NOT_SUPPORTED: "the lane has no barrier that can do it",
        OperateOutcome.BOOKING_UNKNOWN: "there is no such stay",
        OperateOutcome.BOOKING_ENDED: "the stay was over",
        OperateOutcome.NOTHING_DUE: "nothing was due",
        OperateOutcome.AMOUNT_INVALID: "the amount is none",
        OperateOutcome.CURRENCY_MISMATCH: "it was in another currency",
        OperateOutcome.PROVIDER_UNKNOWN: "the way of paying is not known",
        OperateOutcome.TOLD_DIFFERENTLY: "other money was noted by the same id before",
        OperateOutcome.EVENT_DONE: "it was decided before",
        OperateOutcome.FAILED: "the database could not do it",
        OperateOutcome.NOT_NOW: "the lane was in no state for it",
        OperateOutcome.PLATE_UNKNOWN: "neither the stay nor the vehicle had a plate to go by",
    }
)
# Why money that a machine took does not count.
NOT_COUNTED: Mapping[str, str] = MappingProxyType(
    {
        PaymentOutcome.BOOKING_UNKNOWN: "there is no such stay",
        PaymentOutcome.BOOKING_ENDED: "it was cancelled, or nobody came",
        PaymentOutcome.AMOUNT_INVALID: "the amount is none",
        PaymentOutcome.CURRENCY_MISMATCH: "it is in another currency",
        PaymentOutcome.PROVIDER_UNKNOWN: "the way of paying is not known",
        PaymentOutcome.TOLD_DIFFERENTLY: "other money was told by the same number before",
        PaymentOutcome.FAILED: "the database could not take it",
    }
)
RIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "reservation": "a reservation",
        "subscription": "a subscription, which covers the price",
        "staff": "a staff right, which covers the price",
    }
)


def words(known: Mapping[str, str], word: str) -> str:
    """`no spot for it was free (full)`: in words, and the word that records and logs have."""
    said = known.get(word)
    return plain(word) if said is None else f"{said} ({word})"


def plain(text: str) -> str:
    """Text of devices and people on its way to a terminal: nothing in it is obeyed there."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def amount(value: Decimal, currency: str | None) -> str:
    """With the decimals of its currency, or more where it needs them."""
    return f"{exact(value, currency)} {currency}" if currency else f"{value.normalize():f}"


def exact(value: Decimal, currency: str | None) -> Decimal:
    """The same value with the decimals of its currency, or more where it needs them."""
    needed = max(-int(value.normalize().as_tuple().exponent), 0)
    return value.quantize(Decimal(1).scaleb(-max(EXPONENTS.get(currency or "", 0), needed)))


def decimal(text: object) -> Decimal | None:
    """An amount as the audit writes it; None for anything else."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def stretch(start: datetime, until: datetime, zone: ZoneInfo) -> str:
    """`Mon 2026-11-30 08:00 until 11:25`, with the date of the end where that is another day."""
    end = shown(until, zone)
    if day_of(start, zone) == day_of(until, zone):
        end = end[len("Mon 2026-11-30 ") :]
    return f"{shown(start, zone)} until {end}"


def lasting(duration: timedelta) -> str:
    """`3 h 25 min`, to the minute where it is long."""
    seconds = round(duration.total_seconds())
    return span(timedelta(seconds=seconds - seconds % 60 if seconds >= 600 else seconds))


def later(at: datetime, since: datetime) -> str:
    """`+412 ms`, `+3.2 s`, `+2 min 10 s`; nothing for the same millisecond."""
    seconds = (at - since).total_seconds()
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    if size < 0.0005:
        return ""
    if size < 0.9995:
        return f"{sign}{size * 1000:.0f} ms"
    if size < 59.95:
        return f"{sign}{size:.1f} s"
    return sign + span(timedelta(seconds=round(size)))
