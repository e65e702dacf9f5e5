"""Single values that more than one table of site and tariff files may hold."""

import re
import zoneinfo
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializationInfo,
    WithJsonSchema,
)

from gated.core.money import EXPONENTS
from gated.validation import excerpt, suggestion

_AMOUNT = r"[0-9]{1,10}(\.[0-9]{1,8})?"


def one_line(value: str) -> str:
    """The text itself. Raises ValueError for control characters and for blanks around it."""
    if not value.isprintable() or value != value.strip():
        raise ValueError(f"expected one line without blanks around it, got {excerpt(value)}")
    return value


def _time_zone(value: str) -> str:
    known = zoneinfo.available_timezones()
    if value not in known:
        hint = suggestion(value, sorted(known)) if value else ""
        hint = f" ({hint})" if hint.startswith("did") else ""
        raise ValueError(
            f"expected an IANA time zone such as Europe/Berlin, got {excerpt(value)}{hint}"
        )
    return value


def _currency(value: str) -> str:
    if value not in EXPONENTS:
        raise ValueError(f"expected an ISO 4217 currency code, got {excerpt(value)}")
    return value


def _amount(value: object) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(_AMOUNT, value):
        # A float of TOML is binary: 0.1 would not be a tenth.
        raise ValueError(
            f'expected an exact amount in quotes, such as "4.50", got {excerpt(value)}'
        )
    return Decimal(value)


def amount_text(amount: Decimal, exponent: int) -> str:
    """The amount without needless zeros, but with at least `exponent` decimals."""
    _, _, scale = amount.normalize().as_tuple()
    assert isinstance(scale, int), "an amount is finite"
    return f"{amount:.{max(exponent, -scale)}f}"


def _serialized(amount: Decimal, info: SerializationInfo) -> str:
    return amount_text(amount, (info.context or {}).get("exponent", 0))


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Currency = Annotated[str, AfterValidator(_currency)]
# Dumped as text, with the decimals of the context's `exponent`.
Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(_serialized, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT}$", "examples": ["4.50"]}),
]


class VehicleType(StrEnum):
    """What a vehicle is, which says how large a spot it needs."""

    MOTORCYCLE = "MOTORCYCLE"
    CAR = "CAR"
    SUV = "SUV"
    VAN = "VAN"
    TRUCK = "TRUCK"
    BUS = "BUS"
