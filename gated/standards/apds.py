"""Rate tables of APDS (ISO/TS 5206-1, DATEX II facilities), read as tariffs and written from them."""

from collections.abc import Sequence
from typing import Any

from gated.standards.imported import Imported, Remark, TariffTable


def imported(document: object) -> Imported:
    """The tariffs of rate tables and right specifications."""
    raise NotImplementedError


def exported(
    currency: str, time_zone: str, tables: Sequence[TariffTable]
) -> tuple[dict[str, Any], list[Remark]]:
    """Tariff tables as rate tables and right specifications, and what could not be said there."""
    raise NotImplementedError
