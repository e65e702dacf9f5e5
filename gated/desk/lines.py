"""The lines of a price in words. A kind that is not known here is told by its own name."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from gated.db.tariffs import Line
from gated.desk.instants import span

_PER = MappingProxyType(
    {
        "rolling_24h": "24 hours",
        "rolling_7d": "7 days",
        "calendar_day": "day",
        "calendar_week": "week",
        "stay": "stay",
    }
)


def words(line: Line) -> str:
    """What the line charges, takes off or says, without its amount."""
    kind = text(line, "kind")
    describe = _WORDS.get(kind)
    said = describe(line) if describe is not None else kind.replace("_", " ") or "line"
    if factor := text(line, "factor"):
        said += f", x {plain(factor)} by occupancy"
    return said


def text(line: Line, key: str) -> str:
    """A value as text; nothing where the line has none."""
    value = line.get(key)
    return "" if value is None else str(value)


def amount(line: Line) -> Decimal | None:
    """What the line adds to the price; None where it only says something."""
    return number(line, "amount")


def number(line: Line, key: str) -> Decimal | None:
    """A value as an exact number; None where the line has none, or something else."""
    try:
        value = Decimal(text(line, key))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def instant(line: Line, key: str) -> datetime | None:
    """A value as an instant; None where the line has none."""
    try:
        at = datetime.fromisoformat(text(line, key))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def ordered(line: Line) -> dict[str, Any]:
    """The line for readers: what it is first, its amount last; the id of its rule, which ends with
    the desk, left out.
    """
    first = [key for key in ("kind", "name", "from", "to") if line.get(key) is not None]
    rest = sorted(key for key in line if key not in {*first, "amount", "rule"})
    keys = (*first, *rest, *(("amount",) if "amount" in line else ()))
    return {key: line[key] for key in keys if line[key] is not None}


def binds(line: Line) -> bool:
    """Whether the line changes a price: a cap that saves, a minimum that adds, any special."""
    if text(line, "kind") == "special":
        return True
    return any(number(line, key) for key in ("amount", "saved"))


def names(lines: Iterable[Line]) -> frozenset[tuple[str, str]]:
    """Kind and label of each line that changes the price."""
    return frozenset((text(line, "kind"), label(line)) for line in lines if binds(line))


def label(line: Line) -> str:
    """What tells the line apart from others of its kind: the window of a cap, a band, a name."""
    match text(line, "kind"):
        case "cap":
            return text(line, "per")
        case "maximum":
            return text(line, "band")
        case kind:
            return text(line, kind)


def per_words(per: str) -> str:
    """The window of a cap for people: `rolling_24h` is "24 hours"."""
    return _PER.get(per, per.replace("_", " "))


def plain(value: str) -> str:
    """A number without the zeros that say nothing: 1.5000 is 1.5."""
    try:
        return f"{Decimal(value).normalize():f}"
    except InvalidOperation:
        return value


def _block(line: Line) -> str:
    blocks = text(line, "blocks")
    times = f"{plain(blocks)} x " if blocks else ""
    price = text(line, "unit_price")
    at = f" at {price}" if price else ""
    return f"{times}{_length(line)}{at}{_band(line)}"


def _length(line: Line) -> str:
    minutes = text(line, "minutes") or text(line, "block_minutes")
    if minutes:
        return f"{plain(minutes)} min"
    seconds = text(line, "seconds")
    return f"{plain(seconds)} s" if seconds else "block"


def _band(line: Line) -> str:
    band = text(line, "band")
    return f", {band}" if band else ""


def _tier(line: Line) -> str:
    up_to = text(line, "up_to_minutes")
    said = f"up to {plain(up_to)} min" if up_to else "any longer time"
    return f"{said}{_band(line)}"


def _free(line: Line) -> str:
    minutes = text(line, "free_minutes") or text(line, "minutes")
    return f"free, {plain(minutes)} min" if minutes else "free"


def _limited(line: Line, what: str) -> str:
    limit = text(line, "limit")
    return f"{what}, at most {limit}" if limit else what


def _cap(line: Line) -> str:
    per = text(line, "per")
    return _limited(line, f"cap per {per_words(per)}" if per else "cap")


def _named(line: Line) -> str:
    return f"{text(line, 'kind')} {label(line)}".strip()


def _tax(line: Line) -> str:
    percent = text(line, "percent")
    said = label(line) or "tax"
    said += f" {plain(percent)} %" if percent else ""
    return f"contains {said}" if line.get("included") else said


def _covered(line: Line) -> str:
    by = text(line, "by")
    return f"covered by {by}" if by else "covered"


def _evacuated(line: Line) -> str:
    seconds = number(line, "seconds")
    length = "" if seconds is None else f"{span(timedelta(seconds=int(seconds)))} of "
    return f"{length}evacuation, not counted"


_WORDS: Mapping[str, Callable[[Line], str]] = MappingProxyType(
    {
        "free": _free,
        "entrance": lambda _: "entrance fee",
        "flat": lambda line: f"flat{_band(line)}",
        "block": _block,
        "tier": _tier,
        "band_free": lambda line: f"free{_band(line)}",
        "unsold": lambda line: f"not sold{_band(line)}",
        "maximum": lambda line: _limited(line, f"maximum{_band(line)}"),
        "cap": _cap,
        "special": _named,
        "minimum": lambda _: "up to the minimum",
        "second_visit": lambda _: "second visit",
        "validation": _named,
        "lost_ticket": lambda _: "lost ticket",
        "reservation": lambda _: "reservation",
        "rounding": lambda _: "rounding",
        "tax": _tax,
        "covered": _covered,
        "waived": lambda _: "waived",
        "evacuated": _evacuated,
    }
)


def limit_words(kind: str, label_: str) -> str:
    """`cap per day counts`, `special evening counts`: what `names` tells, for people."""
    if kind == "cap":
        return f"cap per {per_words(label_)} counts"
    return f"{kind} {label_}".strip() + " counts"
