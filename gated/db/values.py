"""Values on their way into PostgreSQL and back: text that it can hold, money, plates, JSON."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gated.core.money import Money
from gated.core.plates import Plate


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: U+0000 and lone surrogates become U+FFFD.

    Device text goes through here, because one character must not make a message unstorable.
    """
    clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return clean.replace("\x00", "\ufffd")


def storable_or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """Money from its two columns; None where either is null."""
    return None if amount is None or currency is None else Money(plain(amount), currency)


def plain(amount: Decimal) -> Decimal:
    """The amount without an exponent: asyncpg hands over 10000 yen as 1E+4."""
    return Decimal(f"{amount:f}")


def plate(text: str | None) -> Plate | None:
    return None if text is None else Plate(text)


def json_value(text: str) -> Any:
    """A jsonb column, which asyncpg hands over as text. Money in it is text, never a number."""
    return json.loads(text)


def column(rows: Iterable[object], name: str) -> list[Any]:
    """One attribute of each row, as an array argument."""
    return [getattr(row, name) for row in rows]
