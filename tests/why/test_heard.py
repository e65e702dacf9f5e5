"""What a message that no device of a lane sends says of itself."""

from datetime import UTC, datetime

import pytest

from gated.why.heard import heard
from tests.why.rows import message

AT = datetime(2026, 5, 4, 7, 31, tzinfo=UTC)
SAID = {"id": 7, "ticket": "N-000417", "amount": "2.50", "currency": "EUR"}
TOLD = "a terminal tells of 2.50 EUR for ticket N-000417 that was paid"


@pytest.mark.parametrize(
    ("payload", "outcome", "error", "words"),
    [
        (SAID, "decided", None, TOLD),
        (SAID, "told_before", None, f"{TOLD}: told before, and counted then (told_before)"),
        (SAID, "refused", "booking_unknown", f"{TOLD}: booking_unknown: refused (refused)"),
        (
            {**SAID, "ticket": None, "plate": "HH \x1b AB"},
            "decided",
            None,
            r"a terminal tells of 2.50 EUR for plate HH \x1b AB that was paid",
        ),
        ([1], "decided", None, "a terminal tells of nothing that was paid"),
    ],
)
def test_a_terminals_payment_says_what_became_of_it(
    payload: object, outcome: str, error: str | None, words: str
) -> None:
    row = message(
        "paid", "payment", payload, AT, outcome=outcome, kind="payment", device=None, error=error
    )
    assert heard(row, {}).words() == words
