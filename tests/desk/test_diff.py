"""Two tariffs on the same stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.console import Console

from gated.db.tariffs import Answer, Priced, Refused, Stay
from gated.desk.diff import compared
from gated.desk.show import comparison
from tests.desk.fakes import RULE

ENTRY = datetime(2026, 11, 30, 7, tzinfo=UTC)


def stay(hours: int) -> Stay:
    return Stay(ENTRY + timedelta(hours=hours), ENTRY + timedelta(hours=hours + 1))


def priced(amount: str) -> Answer:
    return Priced(Decimal(amount), "EUR", (RULE,), ())


def test_totals_counts_and_the_largest_differences() -> None:
    stays = [stay(hours) for hours in range(6)]
    refused = Refused("GT014", "no band covers it")
    old = [priced("2.00"), priced("9.00"), priced("3.00"), priced("1.00"), priced("4.00"), refused]
    new = [priced("3.00"), priced("4.00"), priced("3.00"), refused, priced("5.00"), refused]
    found = compared(stays, old, new, largest_max=2)
    assert (found.stays, found.dearer, found.cheaper, found.same) == (6, 2, 1, 1)
    assert (found.total_old, found.total_new) == (Decimal("18.00"), Decimal("15.00"))
    assert [(change.stay, change.by) for change in found.largest] == [
        (stays[1], Decimal("-5.00")),
        (stays[0], Decimal("1.00")),
    ]
    assert [each.stay for each in found.refused] == [stays[3], stays[5]]

    console = Console(width=100, record=True, file=None, force_terminal=False, quiet=True)
    with console.capture() as shown:
        console.quiet = False
        for part in comparison(found, ZoneInfo("Europe/Berlin"), "EUR"):
            console.print(part)
    said = shown.get()
    assert "-3.00 EUR" in said
    assert "2 stays have no price under one of the two" in said
    assert "Mon 2026-11-30 09:00  1 h   9.00  4.00       -5.00" in said


def test_no_stays_are_no_difference() -> None:
    found = compared([], [], [])
    assert (found.stays, found.total_old, found.largest, found.refused) == (0, Decimal(0), (), ())
