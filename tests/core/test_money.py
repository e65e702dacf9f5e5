"""Money keeps the exponent of its currency, and refuses what does not fit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.money import EXPONENTS, Money


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [
        ("EUR", 2),
        ("USD", 2),
        ("GBP", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("CLP", 0),
        ("KWD", 3),
        ("TND", 3),
    ],
)
def test_the_exponent_of_iso_4217(currency: str, exponent: int) -> None:
    assert EXPONENTS[currency] == exponent


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("2.5", "EUR", "2.50 EUR"),
        ("2.500", "EUR", "2.50 EUR"),
        ("250", "JPY", "250 JPY"),
        ("2.5E+2", "JPY", "250 JPY"),
        ("1.5", "KWD", "1.500 KWD"),
        ("-3", "EUR", "-3.00 EUR"),
        ("0", "EUR", "0.00 EUR"),
    ],
)
def test_an_amount_is_shown_with_all_its_places(amount: str, currency: str, shown: str) -> None:
    assert str(Money(Decimal(amount), currency)) == shown


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.5", "JPY"), ("0.001", "EUR"), ("0.0001", "KWD"), ("NaN", "EUR"), ("Infinity", "EUR")],
)
def test_a_finer_or_impossible_amount_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimal places"):
        Money(Decimal(amount), currency)


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "DEM"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        Money(Decimal(1), currency)


def test_equal_amounts_are_equal_however_they_were_written() -> None:
    assert Money(Decimal("2.5"), "EUR") == Money(Decimal("2.50"), "EUR")
    assert Money(Decimal("2.5"), "EUR") != Money(Decimal("2.5"), "USD")


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(-(10**12), 10**12))
def test_every_whole_number_of_minor_units_is_an_amount(currency: str, minor: int) -> None:
    amount = Decimal(minor).scaleb(-EXPONENTS[currency])
    assert Money(amount, currency).amount == amount
