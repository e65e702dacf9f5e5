"""What proves an offence, or contradicts itself, is told in words; its keys are for machines."""

from zoneinfo import ZoneInfo

import pytest

from gated.why.proofs import proofs

BERLIN = ZoneInfo("Europe/Berlin")
AT = "2026-05-04T08:00:00.000000Z"
IDS = {"0b5e": "ticket 00017H", "7a1c": "out-1"}


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (
            {"passage": "m1", "lane": "7a1c", "direction": "exit", "after": "0b5e",
             "passed_at": AT, "due": "5.5"},
            ["message m1", "lane out-1", "on the way out", "in the opening for ticket 00017H",
             "passed Mon 2026-05-04 10:00", "5.50 EUR due"],
        ),
        (
            {"reserved_until": AT, "seen_at": AT},
            ["reserved until Mon 2026-05-04 10:00", "still there Mon 2026-05-04 10:00"],
        ),
        (
            {"zone": "deck", "spot": "17", "zone_given": "yard", "since": AT, "event": "m2"},
            ["in zone deck", "on spot 17", "was given zone yard", "since Mon 2026-05-04 10:00",
             "message m2"],
        ),
        (
            {"inside_since": AT, "came_again_at": AT},
            ["inside since Mon 2026-05-04 10:00", "came again Mon 2026-05-04 10:00"],
        ),
        # Of contradictions.
        (
            {"passage": "m3", "passed": "held", "plate": "HHAB1234", "stay": "0b5e", "at": AT},
            ["message m3", "the lane was held open (held)", "plate HHAB1234", "ticket 00017H",
             "at Mon 2026-05-04 10:00"],
        ),
        (
            {"outcome": "currency_mismatch", "ticket": "00017H", "amount": "5", "currency": "CHF",
             "provider": "CARD", "txn": "t-1"},
            ["it is in another currency (currency_mismatch)", "ticket 00017H", "5.00 CHF",
             "paid by CARD", "transaction t-1"],
        ),
        (
            {"price": "7.50", "paid": "5", "remainder": "2.50", "ended_at": AT, "reason": "gone"},
            ["price 7.50 EUR", "5.00 EUR paid", "2.50 EUR not charged",
             "ended Mon 2026-05-04 10:00", "reason: gone"],
        ),
        # Another program's.
        (
            {"opened_at": AT, "by_the_guard": True, "photos": ["a.jpg"], "paced_m": 3,
             "day": "2026-05-04", "note": None},
            ["opened at: Mon 2026-05-04 10:00", "by the guard: yes", 'photos: ["a.jpg"]',
             "paced m: 3", "day: 2026-05-04", "note: none"],
        ),
        ({"due": "much", "direction": "sideways"}, ["much due", "sideways"]),
    ],
)  # fmt: skip
def test_evidence_in_words(evidence: dict[str, object], said: list[str]) -> None:
    assert list(proofs(evidence, BERLIN, "EUR", lambda _, text: IDS.get(text))) == said


def test_what_is_told_elsewhere_is_left_out() -> None:
    evidence = {"lane": "7a1c", "due": "1"}
    assert list(proofs(evidence, BERLIN, "EUR", lambda *_: None, without=["lane"])) == [
        "1.00 EUR due"
    ]


def test_nothing_in_it_is_obeyed_by_a_terminal() -> None:
    evidence: dict[str, object] = {"\x1b[2J": "\x1b[31mred", "due": "{0}"}
    said = "".join(proofs(evidence, BERLIN, None, lambda *_: None))
    assert said.isprintable()
    assert "{0}" in said
