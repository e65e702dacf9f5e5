"""The auditor's own prices, by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.sim.ledger import Visit, price

NINE = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, "0.00"),
        (10, "0.00"),
        (10.02, "1.70"),
        (30, "1.70"),
        (30.02, "3.40"),
        (60, "3.40"),
        (600, "34.00"),
    ],
)
def test_each_half_hour_that_has_begun(minutes: float, expected: str) -> None:
    assert price(timedelta(minutes=minutes)) == Decimal(expected)


def test_who_paid_has_a_quarter_of_an_hour_and_then_owes_the_difference() -> None:
    visit = Visit(1, "BAB123")
    visit.let_in("BAB123", NINE)
    paid_at = NINE + timedelta(minutes=29)
    visit.pay(visit.due(paid_at), paid_at)

    assert visit.paid == Decimal("1.70")
    assert visit.due(paid_at + timedelta(minutes=15)) == 0
    assert visit.due(paid_at + timedelta(minutes=15, seconds=1)) == Decimal("1.70")


def test_a_part_does_not_begin_the_grace() -> None:
    visit = Visit(1, "BAB123")
    visit.let_in("BAB123", NINE)
    visit.pay(Decimal("1.00"), NINE + timedelta(minutes=40))

    assert visit.due(NINE + timedelta(minutes=40)) == Decimal("2.40")
    assert visit.due(NINE + timedelta(minutes=61)) == Decimal("4.10")


def test_a_right_pays_for_all() -> None:
    visit = Visit(1, "BAB123", covered=True)
    visit.let_in("BAB123", NINE)

    assert visit.due(NINE + timedelta(hours=9)) == 0
