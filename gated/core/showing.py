"""Which text a command brings to the display of its lane."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gated.core.effects import AskPayment, Do
from gated.core.reasons import DenyReason, DisplayNotice, GrantReason
from gated.core.site import Direction, FacilitySetup, LaneSetup

_NOT_SERVED = frozenset({DenyReason.OUT_OF_SERVICE, DenyReason.CLOSED})
_OF_STAYS = frozenset({GrantReason.STAY_OPEN, GrantReason.EXIT_REPEATED})
# Whoever is told so may have a ticket, where the lane gives tickets: see `gated.core.tickets`.
_UNREAD = (DenyReason.PLATE_UNREAD, DenyReason.READ_UNCERTAIN, DenyReason.READ_UNRATED)


def shown(
    setup: FacilitySetup,
    lane: LaneSetup,
    do: Do,
    reason: str,
    now: datetime,
    asked: AskPayment | None = None,
    beside: LaneSetup | None = None,
) -> str | None:
    """What the driver reads with a command that is given for this reason; None: nothing new.

    `asked` is the question that a denial puts instead: for what is due. `beside` is the lane that
    serves in the place of this one, if this one does not.
    """
    if beside is not None and do is Do.DENY and reason in _NOT_SERVED:
        offer = setup.wording.text(DisplayNotice.USE_LANE_BESIDE, lane=beside.slug)
        # Half a name would lead astray.
        if beside.slug in offer:
            return offer
    word = _word(lane, do, reason, asked)
    if word is None:
        return None
    opens = None
    if word == DenyReason.OUTSIDE_OPENING_HOURS and lane.opening is not None:
        opens = lane.opening.opens_next(now)
    return setup.wording.text(
        word,
        amount=None if asked is None else asked.due,
        opens=opens,
        now=now.astimezone(ZoneInfo(setup.time_zone)),
    ) or None  # fmt: skip


def _word(lane: LaneSetup, do: Do, reason: str, asked: AskPayment | None) -> str | None:
    if asked is not None:
        return DisplayNotice.PAYMENT_REST if asked.rest else DenyReason.PAYMENT_DUE
    match do:
        case Do.DENY if lane.offers_tickets and reason in _UNREAD:
            return DisplayNotice.PRESS_BUTTON
        case Do.DENY:
            return reason
        case Do.OPEN | Do.HOLD if reason in _OF_STAYS and lane.direction is not Direction.EXIT:
            # Whoever goes on from zone to zone takes no leave.
            return DisplayNotice.DRIVE_ON
        case Do.OPEN | Do.HOLD if reason in set(GrantReason):
            return reason
        case Do.OPEN | Do.HOLD:
            # By hand, once more for a grant that stands, or to let everyone out.
            leaving = reason == DenyReason.EVACUATION and lane.direction is Direction.EXIT
            return DisplayNotice.LEAVE_NOW if leaving else DisplayNotice.DRIVE_ON
        case Do.CLOSE | Do.RELEASE:
            return None
