"""The worked tariffs of examples/tariffs: a tariff file each, beside it stays priced by hand."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples" / "tariffs"
TARIFFS = sorted(EXAMPLES.glob("*.toml"))
COLUMNS = ["entry", "exit", "context", "amount", "why"]


@dataclass(frozen=True, slots=True)
class PricedStay:
    """A stay and what it costs, with the sum in words. `place` is the row's file and line."""

    place: str
    entry: datetime
    exit: datetime
    context: Mapping[str, Any]
    amount: str
    why: str


def priced_stays(tariff: Path) -> list[PricedStay]:
    """The rows beside a tariff file."""
    table = tariff.with_suffix(".csv")
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        assert reader.fieldnames == COLUMNS, f"{table.name}: {reader.fieldnames}"
        return [
            PricedStay(
                place=f"{table.name}:{reader.line_num}",
                entry=datetime.fromisoformat(row["entry"]),
                exit=datetime.fromisoformat(row["exit"]),
                context=json.loads(row["context"] or "{}"),
                amount=row["amount"],
                why=row["why"],
            )
            for row in reader
        ]
