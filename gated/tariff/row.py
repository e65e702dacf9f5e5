"""Tariffs as rows of `pricing_rules`: what `gate.price_stay_v1` reads.

`config` has the keys of the TOML table; what the table leaves out is left out. Amounts, percentages
and factors are text there, because readers of JSON make floats of numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gated.core.money import EXPONENTS
from gated.tariff.file import TariffFile
from gated.tariff.model import Tariff

# These have columns of their own.
_COLUMNS = {"name", "strategy", "priority", "free_minutes"}


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A version of a tariff. `id` is known of one that is stored."""

    name: str
    strategy: str
    config: Mapping[str, Any]
    priority: int
    free_minutes: int
    id: UUID | None = field(default=None, compare=False)


def tariff_row(tariff: Tariff, currency: str) -> TariffRow:
    """The row of a tariff; amounts have at least the decimals of the currency."""
    config = tariff.model_dump(
        mode="json",
        by_alias=True,
        exclude=_COLUMNS,
        exclude_defaults=True,
        context={"exponent": EXPONENTS[currency]},
    )
    return TariffRow(tariff.name, tariff.strategy, config, tariff.priority, tariff.free_minutes)


def rows(file: TariffFile) -> tuple[TariffRow, ...]:
    """The rows of all tariffs of a file."""
    return tuple(tariff_row(tariff, file.facility.currency) for tariff in file.tariffs)
