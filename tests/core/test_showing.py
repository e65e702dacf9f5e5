"""Which text a command brings to its lane's display."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from gated.core.effects import AskPayment, Do
from gated.core.ids import FacilityId, Slug
from gated.core.money import Money
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.reasons import DenyReason, GrantReason
from gated.core.showing import shown
from gated.core.site import ButtonTicket, Direction, FacilitySetup, LanePolicy
from gated.core.wording import Wording
from tests.core.support import EUROS, START, cause_of, lane_of, open_stay, read_of

SETUP = FacilitySetup(
    FacilityId(UUID(int=1)), Slug("north"), "North", "Europe/Berlin", "EUR", 1, (), (), (),
    Wording("de"),
)  # fmt: skip
HOURS = OpeningHours((OpeningWindow(10 * 60, 22 * 60),), frozenset(), frozenset(), "Europe/Berlin")


def ask(due: str, *, rest: bool) -> AskPayment:
    amount = Money(Decimal(due), EUROS.currency)
    return AskPayment(cause_of(1), read_of(), open_stay(), amount, rest)


@pytest.mark.parametrize(
    ("do", "reason", "expected"),
    [
        (Do.DENY, DenyReason.CLOSED, "Geschlossen"),
        (Do.DENY, DenyReason.EVACUATION, "Evakuierung\nKeine Einfahrt"),
        (Do.DENY, DenyReason.PAYMENT_DUE, "Bitte zahlen"),
        (Do.DENY, "a word of another version", None),
        (Do.OPEN, GrantReason.STAFF, "Willkommen"),
        (Do.OPEN, GrantReason.STAY_OPEN, "Bitte durchfahren"),  # on its way inside
        (Do.OPEN, "operator_open", "Bitte durchfahren"),
        (Do.OPEN, "arm_not_opened", "Bitte durchfahren"),
        (Do.HOLD, "operator_hold", "Bitte durchfahren"),
        (Do.RELEASE, "operator_release", None),
        (Do.CLOSE, "closed", None),
    ],
)
def test_shown(do: Do, reason: str, expected: str | None) -> None:
    assert shown(SETUP, lane_of(), do, reason, START) == expected


def test_who_cannot_be_read_is_told_of_the_button_where_it_gives_tickets() -> None:
    offers = lane_of(policy=LanePolicy(button_ticket=ButtonTicket.ADMIT))
    for reason in (DenyReason.PLATE_UNREAD, DenyReason.READ_UNCERTAIN, DenyReason.READ_UNRATED):
        said = "Kennzeichen unlesbar\nTaste für ein Ticket"
        assert shown(SETUP, offers, Do.DENY, reason, START) == said
        assert shown(SETUP, lane_of(), Do.DENY, reason, START) != said
    assert shown(SETUP, offers, Do.DENY, DenyReason.BLOCKED, START) != said
    assert shown(SETUP, offers, Do.OPEN, GrantReason.TICKET, START) == (
        "Willkommen\nTicket aufbewahren"
    )


def test_the_lane_beside_is_offered_by_one_that_does_not_serve() -> None:
    def told(reason: DenyReason, slug: str, do: Do = Do.DENY) -> str | None:
        beside = replace(lane_of(), slug=Slug(slug))
        return shown(SETUP, lane_of(), do, reason, START, beside=beside)

    for reason in (DenyReason.OUT_OF_SERVICE, DenyReason.CLOSED):
        assert told(reason, "ost-2") == "Außer Betrieb\nBitte Spur ost-2"
    # Half a name would lead astray.
    assert told(DenyReason.CLOSED, "north-entry-2") == "Geschlossen"
    assert told(DenyReason.BLOCKED, "ost-2") == "Fahrzeug gesperrt\nBitte Personal rufen"


def test_an_exit_that_is_held_open_in_an_evacuation_says_so() -> None:
    way_out = lane_of(Direction.EXIT, zones=())
    assert shown(SETUP, way_out, Do.HOLD, "evacuation", START) == "Evakuierung\nBitte ausfahren"
    assert shown(SETUP, way_out, Do.HOLD, "operator_hold", START) == "Bitte durchfahren"
    assert shown(SETUP, way_out, Do.OPEN, GrantReason.STAY_OPEN, START) == "Gute Fahrt"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (ask("2.50", rest=False), "Bitte zahlen\n2,50 EUR"),
        (ask("1.20", rest=True), "Noch zu zahlen\n1,20 EUR"),
    ],
)
def test_what_is_due_is_shown(asked: AskPayment, expected: str) -> None:
    way_out = lane_of(Direction.EXIT, zones=())
    assert shown(SETUP, way_out, Do.DENY, DenyReason.PAYMENT_DUE, START, asked) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START, "Zurzeit geschlossen\nÖffnet 10:00"),
        # After ten in the evening in Berlin, and still the same day in London.
        (datetime(2026, 5, 4, 20, 30, tzinfo=UTC), "Zurzeit geschlossen\nÖffnet Di 10:00"),
    ],
)
def test_who_comes_too_early_reads_when_it_opens(now: datetime, expected: str) -> None:
    def told(hours: OpeningHours) -> str | None:
        reason = DenyReason.OUTSIDE_OPENING_HOURS
        return shown(SETUP, lane_of(opening=hours), Do.DENY, reason, now)

    assert told(HOURS) == expected
    assert told(replace(HOURS, windows=())) == "Zurzeit geschlossen"
