"""Which text a command brings to its lane's display."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from gated.core.effects import AskPayment, Deny, Effect
from gated.core.ids import FacilityId, Slug
from gated.core.money import Money
from gated.core.opening import OpeningHours, OpeningWindow
from gated.core.reasons import DenyReason, GrantReason
from gated.core.showing import shown
from gated.core.site import FacilitySetup
from gated.core.wording import Wording
from tests.core.support import EUROS, START, cause_of, lane_of, open_stay, read_of

SETUP = FacilitySetup(
    FacilityId(UUID(int=1)), Slug("north"), "North", "Europe/Berlin", "EUR", 1, (), (), (),
    Wording("de"),
)  # fmt: skip
HOURS = OpeningHours((OpeningWindow(10 * 60, 22 * 60),), frozenset(), frozenset(), "Europe/Berlin")


def deny(reason: DenyReason) -> Deny:
    return Deny(cause_of(1), reason, read_of(), show=True)


def ask(due: str, *, rest: bool) -> AskPayment:
    amount = Money(Decimal(due), EUROS.currency)
    return AskPayment(cause_of(1), read_of(), open_stay(), amount, rest)


@pytest.mark.parametrize(
    ("reason", "effect", "expected"),
    [
        (DenyReason.CLOSED, deny(DenyReason.CLOSED), "Geschlossen"),
        (GrantReason.STAFF, deny(DenyReason.CLOSED), "Willkommen"),
        (DenyReason.PAYMENT_DUE, ask("2.50", rest=False), "Bitte zahlen\n2,50 EUR"),
        (DenyReason.PAYMENT_DUE, ask("1.20", rest=True), "Noch zu zahlen\n1,20 EUR"),
        (DenyReason.PAYMENT_DUE, deny(DenyReason.PAYMENT_DUE), "Bitte zahlen"),
        ("a word of nobody", deny(DenyReason.CLOSED), None),
    ],
)
def test_shown(reason: str, effect: Effect, expected: str | None) -> None:
    assert shown(SETUP, lane_of(), reason, effect, START) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START, "Zurzeit geschlossen\nÖffnet 10:00"),
        # After ten in the evening in Berlin, and still the same day in London.
        (datetime(2026, 5, 4, 20, 30, tzinfo=UTC), "Zurzeit geschlossen\nÖffnet Di 10:00"),
    ],
)
def test_who_comes_too_early_reads_when_it_opens(now: datetime, expected: str) -> None:
    reason = DenyReason.OUTSIDE_OPENING_HOURS
    assert shown(SETUP, lane_of(opening=HOURS), reason, deny(reason), now) == expected
    never = replace(HOURS, windows=())
    assert shown(SETUP, lane_of(opening=never), reason, deny(reason), now) == "Zurzeit geschlossen"
