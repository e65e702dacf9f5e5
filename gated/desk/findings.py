"""What a check of a tariff has to say, and the words for its examples."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from gated.desk.instants import shown, span


class Severity(StrEnum):
    """How sure it is that something is wrong."""

    ERROR = "error"
    """The file is refused."""
    WARNING = "warning"
    """Something has no effect, or one that hardly anybody wants."""
    NOTE = "note"
    """Worth a look: it may well be meant."""


@dataclass(frozen=True, slots=True)
class Example:
    """A stay and what it costs, or the error by which it has no price."""

    entry: datetime
    exit: datetime
    price: Decimal | str

    def words(self, zone: ZoneInfo, currency: str) -> str:
        """`Mon 2026-11-30 19:00 for 5 h: 10.00 EUR`."""
        price = self.price if isinstance(self.price, str) else f"{self.price} {currency}"
        return f"{shown(self.entry, zone)} for {span(self.exit - self.entry)}: {price}"

    def json(self, zone: ZoneInfo) -> dict[str, Any]:
        """As JSON values, with the offsets of the facility's clock."""
        key = "error" if isinstance(self.price, str) else "amount"
        return {
            "entry": self.entry.astimezone(zone).isoformat(),
            "exit": self.exit.astimezone(zone).isoformat(),
            key: str(self.price),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is a stable word, `place` "file:line"."""

    severity: Severity
    kind: str
    place: str
    text: str
    examples: tuple[Example, ...] = ()

    def json(self, zone: ZoneInfo | None) -> dict[str, Any]:
        """As JSON values; without a zone for a finding without examples."""
        return {
            "severity": self.severity.value,
            "kind": self.kind,
            "place": self.place,
            "text": self.text,
            "examples": [example.json(zone) for example in self.examples if zone is not None],
        }
