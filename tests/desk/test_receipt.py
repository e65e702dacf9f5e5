"""Receipts for the till: nothing wider than 48 columns, amounts beneath one another."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from gated.desk.receipt import WIDTH, Bill, receipt

ENTRY = datetime(2026, 11, 30, 7, tzinfo=UTC)
EXIT = datetime(2026, 11, 30, 10, 25, tzinfo=UTC)
STAY = {"from": "2026-11-30T07:00:00.000000Z", "to": "2026-11-30T10:25:00.000000Z"}
BLOCK = {"kind": "block", "name": "standard", **STAY}
BILL = Bill(
    facility="City Garage North",
    zone=ZoneInfo("Europe/Berlin"),
    ticket="K7QF2M4P",
    plate="BAB123",
    entry=ENTRY,
    exit=EXIT,
    until=EXIT,
    lines=(
        {**BLOCK, "blocks": 1, "minutes": 60, "unit_price": "2.00", "amount": "2.00"},
        {**BLOCK, "blocks": 5, "minutes": 30, "unit_price": "1.00", "amount": "5"},
        {
            "kind": "cap", "name": "standard", "per": "calendar_day", "limit": "6.00",
            "amount": "-1.00",
        },
        {
            "kind": "tax", "name": "standard", "tax": "VAT", "percent": "19", "included": True,
            "contained": "0.96", "amount": "0.00",
        },
    ),
    amount=Decimal("6.00"),
    currency="EUR",
    paid=Decimal("4.0000"),
    due=Decimal(2),
)  # fmt: skip


def test_a_receipt_is_aligned_for_the_till() -> None:
    said = [
        "               City Garage North",
        "------------------------------------------------",
        "Ticket                                  K7QF2M4P",
        "Plate                                     BAB123",
        "In                          Mon 2026-11-30 08:00",
        "Out                         Mon 2026-11-30 11:25",
        "Time                                  3 h 25 min",
        "------------------------------------------------",
        "standard",
        "Mon 08:00 - 11:25",
        "  1 x 60 min at 2.00                        2.00",
        "  5 x 30 min at 1.00                        5.00",
        "cap per day, at most 6.00                  -1.00",
        "contains VAT 19 %                         (0.96)",
        "------------------------------------------------",
        "Total                                   EUR 6.00",
        "Paid                                        4.00",
        "Due                                     EUR 2.00",
    ]
    assert receipt(BILL).splitlines() == said


def test_who_is_still_inside_is_priced_up_to_now() -> None:
    said = receipt(replace(BILL, exit=None))
    assert "Still inside, until         Mon 2026-11-30 11:25" in said
    assert "Out " not in said


def test_long_words_and_wide_letters_stay_within_the_columns() -> None:
    long = "validation of the department store with the very long name at the market place"
    lines = (
        {"kind": "special", "name": "駐車料金と夜間の特別料金のお知らせ" * 2, "special": long,
         "amount": "12345.00"},
        {"kind": "validation", "validation": "駐車場" * 20, "amount": "-0.50"},
        {**BLOCK, "to": "2026-12-02T10:25:30Z", "amount": "1.00", "minutes": 1, "blocks": 99999},
        {"kind": "odd", "from": "yesterday", "amount": "ten"},
    )  # fmt: skip
    bill = replace(BILL, facility="Garage " * 20, lines=lines, amount=Decimal(12346))
    said = receipt(bill).splitlines()
    assert max(cell_len(line) for line in said) == WIDTH
    assert any(line.startswith("Mon 08:00 - Wed 11:25:30") for line in said)
    assert "odd" in said


def test_a_time_that_the_clock_shows_twice_says_which() -> None:
    lines = ({**BLOCK, "from": "2026-10-25T00:30:00Z", "to": "2026-10-25T01:30:00Z"},)
    entry, left = (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    said = receipt(replace(BILL, lines=lines, entry=entry, exit=left, until=left))
    assert "Sun 02:30 CEST - 02:30 CET" in said
    assert "In                    Sun 2026-10-25 02:30+02:00" in said
