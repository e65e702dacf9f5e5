"""Stays in a CSV file: the columns `entry`, `exit` and, if wanted, `context` with a JSON object."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gated.core.errors import ConfigError
from gated.db.tariffs import Refused, Stay
from gated.desk.instants import read
from gated.json_text import parsed

UNREADABLE = "unreadable"
COLUMNS = ("entry", "exit", "context")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written, and the stay that it means, or why it means none. Without `line`
    it came from elsewhere than a file.
    """

    line: int | None
    written: Mapping[str, str]
    stay: Stay | Refused


def load_stays(file: Path, zone: ZoneInfo) -> list[Row]:
    """The rows of a file. Raises ConfigError for a file that has not these columns."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot be read: {reason}", place=str(file)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("expected text in UTF-8", place=str(file)) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    named = rows.fieldnames or ()
    if missing := [name for name in COLUMNS[:2] if name not in named]:
        raise ConfigError(f"has no column {' and no column '.join(missing)}", place=f"{file}:1")
    return [
        _row(rows.line_num, {name: row.get(name) or "" for name in COLUMNS}, zone, file)
        for row in rows
    ]


def _row(line: int, written: Mapping[str, str], zone: ZoneInfo, file: Path) -> Row:
    place = f"{file}:{line}"
    try:
        stay: Stay | Refused = Stay(
            read(written["entry"].strip(), zone, place=place),
            read(written["exit"].strip(), zone, place=place),
            context(written["context"], place=place),
        )
    except ConfigError as error:
        stay = Refused(UNREADABLE, str(error))
    return Row(line, written, stay)


def context(text: str, *, place: str) -> Mapping[str, Any]:
    """What a price is asked with, from JSON; nothing from an empty text. Raises ConfigError."""
    if not text.strip():
        return {}
    value = parsed(text, place=place)
    if not isinstance(value, dict):
        raise ConfigError("the context is no JSON object", place=place)
    return value
