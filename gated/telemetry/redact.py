"""Makes the values of log fields harmless: plates masked, secrets gone, sizes bounded.

Callers mask nothing themselves; this is the net under their mistakes. What is not known to be
harmless is shown by the name of its type, never by its `repr`. Control and bidi characters are
left to the renderers, which escape them.
"""

import math
import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from uuid import UUID

from pydantic import ValidationError

from gated.core.money import Money
from gated.core.plates import Plate

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

TEXT_LENGTH_MAX = 512
EXCERPT_BYTES_MAX = 200
ITEM_COUNT_MAX = 32
DEPTH_MAX = 4
_DEFECT_COUNT_MAX = 5
_DEFECTS_LISTED_MAX = 200  # pydantic builds its list whole: beyond this, only count

_SECRETS = frozenset({"authorization", "password", "secret", "token"})
_EXCERPTS = frozenset({"excerpt", "payload"})
# PostgreSQL quotes the values of the offending row here, plates included.
_DETAIL = re.compile(r"\s*\bDETAIL:.*?(?=\s*\bHINT:|\Z)", re.DOTALL)
_CREDENTIALS = re.compile(r"(://[^:/@\s]{0,128}):[^@/\s]{1,256}@")
# The keys under which cameras send plates, with the value as far as the excerpt reaches.
_PLATE_IN_JSON = re.compile(
    r'("[^"]{0,40}(?:plate|licen[cs]e|lpr|registration|text|utf8)[^"]{0,40}"\s*:\s*")([^"]*)',
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")


def redacted(fields: Mapping[str, object]) -> dict[str, Json]:
    """The fields of one log event as plain JSON values that a log may hold."""
    return {key: harmless(value, key) for key, value in fields.items()}


def harmless(value: object, key: str = "", depth: int = 0) -> Json:
    """One value as JSON: times in ISO 8601 (UTC), durations in seconds, amounts as text.

    `key` is the name of the field, for text that only its name tells to be a plate, an excerpt
    or a secret.
    """
    if key.lower() in _SECRETS and value is not None:
        return "***"
    match value:
        case None | bool():
            return value
        case Enum():
            return harmless(value.value, key, depth)
        case str():
            return _text(value, key)
        case int():
            # Python refuses to print a number of thousands of digits.
            return value if value.bit_length() <= 64 else f"<int of {value.bit_length()} bits>"
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime() | date() | timedelta():
            return _time(value)
        case bytes() | bytearray() | memoryview():
            return excerpt(bytes(value[:EXCERPT_BYTES_MAX]))
        case Mapping() | list() | tuple() | Set():
            return _nested(value, key, depth + 1)
        case _:
            return _object(value)


def text(value: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Text without passwords in addresses and without row values of PostgreSQL, cut to length."""
    if "DETAIL:" in value:
        value = _DETAIL.sub("", value)
    if "://" in value:
        value = _CREDENTIALS.sub(r"\1:***@", value)
    return value if len(value) <= length_max else f"{value[:length_max]}…(+{len(value)})"


def message(error: BaseException) -> str:
    """What an exception says, without the values that validation or PostgreSQL quotes."""
    if isinstance(error, ValidationError):
        return text(_defects(error))
    try:
        said = str(error)
    except Exception as broken:  # noqa: BLE001 - any __str__ may be at fault; the log goes on
        return f"<no message: {type(broken).__name__}>"
    return text("; ".join([said, *getattr(error, "__notes__", ())]))


def excerpt(payload: bytes | str) -> str:
    """The beginning of a payload, fit for a log: its shape stays readable, its plates do not.

    Every digit becomes `#`, and what stands under a key that cameras use for plates keeps its
    first two characters. The whole payload is in quarantine, for those who may read it.
    """
    head = payload[:EXCERPT_BYTES_MAX]
    shown = head if isinstance(head, str) else head.decode("utf-8", "backslashreplace")
    shown = _PLATE_IN_JSON.sub(lambda found: found[1] + _beginning(found[2]), shown)
    return _DIGIT.sub("#", shown)


def _text(value: str, key: str) -> str:
    if key == "plate" or key.startswith(("plate_", "plates")):
        return Plate(value[:64]).masked
    if key in _EXCERPTS:
        return excerpt(value)
    return text(value)


def _object(value: object) -> Json:
    match value:
        case Plate():
            return value.masked
        case UUID() | Money() | PurePath():
            return text(str(value))
        case Decimal():
            return format(value, "f") if abs(value.adjusted()) < 40 else "<Decimal>"
        case BaseException():
            return f"{type(value).__name__}: {message(value)}"
        case type():
            return value.__name__
        case _:
            return f"<{type(value).__name__}>"


def _time(value: date | timedelta) -> Json:
    match value:
        case timedelta():
            return value.total_seconds()
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return value.isoformat()


def _nested(value: Mapping[object, object] | Iterable[object], key: str, depth: int) -> Json:
    if depth > DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        return {
            text(str(inner), 64): harmless(item, str(inner), depth)
            for inner, item in islice(value.items(), ITEM_COUNT_MAX)
        }
    return [harmless(item, key, depth) for item in islice(value, ITEM_COUNT_MAX)]


def _defects(error: ValidationError) -> str:
    """Where and what kind, without the values."""
    count = error.error_count()
    summary = f"{count} defects in {error.title}"
    if count > _DEFECTS_LISTED_MAX:
        return summary
    listed = error.errors(include_url=False, include_context=False, include_input=False)
    named = (
        f"{'.'.join(str(part) for part in defect['loc'])}: {defect['type']}"
        for defect in listed[:_DEFECT_COUNT_MAX]
    )
    return f"{summary}: {', '.join(named)}"


def _beginning(value: str) -> str:
    return value[:2] + "*" * (len(value) - 2)
