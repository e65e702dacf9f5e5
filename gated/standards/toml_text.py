"""An import as the text of a tariff file, with what is to be said as comments at its place.

A writer of our own, for the few shapes that tariffs have. tomlkit is well kept, and was tried: it
writes an inline table without blanks and always on one line, so that the layout of
examples/tariffs/, and comments between the elements of an array, would be ours to write anyway.
That the text reads back as the tables is a property of tests/standards/test_toml_text.py.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gated.standards.imported import Imported, Remark, TariffTable

_WIDTH = 100
_INDENT = 4
_ORDER = (
    "name", "priority", "for", "strategy", "amount", "steps", "tiers", "bands",
    "limit_reading", "zero_stay", "free_minutes", "free_minutes_reading", "free_minutes_limit",
    "new_day", "day_begins", "band_border", "entrance_fee", "entrance_fee_capped", "minimum",
    "caps", "specials", "special_wins", "occupancy", "occupancy_caps", "reservation",
    "lost_ticket", "validations", "validation_order", "validation_stacking", "second_visit",
    "second_visit_minutes", "second_visit_percent", "taxes", "tax_included", "tax_per", "rounding",
)  # fmt: skip

Place = tuple[str | int, ...]


def written(imported: Imported) -> str:
    """The text of a tariff file. Each open question is a comment that begins with `# ask: `."""
    remarks = imported.remarks
    lines = [*_comments(remark for remark in remarks if not _is_placed(remark, imported)), ""]
    lines += ["[facility]", *_comments(_at(remarks, ("time_zone",)))]
    if imported.time_zone is not None:
        lines.append(f"time_zone = {_value(imported.time_zone)}")
    lines.append(f"currency = {_value(imported.currency)}")
    if calendar := list(_at(remarks, ("calendar",))):
        lines += ["", *_comments(calendar)]
        lines += ["# [[calendar]]", "# day = 2026-12-25", '# kind = "holiday"']
    for index, table in enumerate(imported.tables):
        lines += ["", "[[tariff]]", *_tariff(table, index, remarks)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _is_placed(remark: Remark, imported: Imported) -> bool:
    match remark.place:
        case ("time_zone" | "calendar",):
            return True
        case (int(index), *_):
            return index < len(imported.tables)
        case _:
            return False


def _at(remarks: Sequence[Remark], place: Place) -> Iterator[Remark]:
    """The remarks at a place, or at one within it."""
    return (remark for remark in remarks if remark.place[: len(place)] == place)


def _tariff(table: TariffTable, index: int, remarks: Sequence[Remark]) -> Iterator[str]:
    yield from _comments(remark for remark in remarks if remark.place == (index,))
    about = {str(remark.place[1]) for remark in _at(remarks, (index,)) if len(remark.place) > 1}
    keys = [key for key in _ORDER if key in table or key in about]
    for key in [*keys, *sorted(({*table} | about) - {*_ORDER})]:
        here = list(_at(remarks, (index, key)))
        if key not in table:
            yield from _comments(here)
            continue
        elements = [r for r in here if _is_of_an_element(r, table[key])]
        yield from _comments(remark for remark in here if remark not in elements)
        yield from _assignment(key, table[key], elements)


def _is_of_an_element(remark: Remark, value: object) -> bool:
    match remark.place:
        case (_, _, int(number), *_):
            return isinstance(value, list) and number < len(value)
        case _:
            return False


def _assignment(key: str, value: object, remarks: Sequence[Remark]) -> Iterator[str]:
    line = f"{key} = {_value(value)}"
    if not isinstance(value, list) or (len(line) <= _WIDTH and not remarks and len(value) < 2):
        yield line
    elif all(isinstance(element, Mapping) for element in value):
        yield f"{key} = ["
        for number, element in enumerate(value):
            about = [remark for remark in remarks if remark.place[2] == number]
            yield from _comments(about, _INDENT)
            yield from _element(element, _INDENT)
        yield "]"
    else:
        yield line


def _element(table: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A table of an array; its own arrays are broken up if it is too long for a line."""
    blank = " " * indent
    line = f"{blank}{_value(table)},"
    longest = max(table, key=lambda key: len(_value(table[key])))
    inner = table[longest]
    if len(line) <= _WIDTH or not isinstance(inner, list) or not isinstance(inner[0], Mapping):
        yield line
        return
    others = "".join(f"{key} = {_value(table[key])}, " for key in table if key != longest)
    yield f"{blank}{{ {others}{longest} = ["
    for element in inner:
        yield from _element(element, indent + _INDENT)
    yield f"{blank}] }},"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _quoted(value)
        case Mapping():
            return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
        case list():
            return f"[{', '.join(_value(each) for each in value)}]"
        case _:
            raise TypeError(f"a tariff holds no {type(value).__name__}")


def _quoted(text: str) -> str:
    """JSON's escapes are some of TOML's, which wants one character more to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comments(remarks: Iterator[Remark] | Sequence[Remark], indent: int = 0) -> Iterator[str]:
    blank = " " * indent
    for remark in remarks:
        # A question names its key; what was lost or assumed names its place in the source.
        where = f" {remark.where}" if remark.where and remark.kind != "ask" else ""
        comment = f"{remark.kind}{where}: {_position(remark)}{remark.what}"
        yield from textwrap.wrap(
            "".join(each if each.isprintable() else " " for each in comment),
            _WIDTH,
            initial_indent=f"{blank}# ",
            subsequent_indent=f"{blank}#     ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _position(remark: Remark) -> str:
    """Which of several a question is about: "caps[0]." before "reading"."""
    if remark.kind != "ask" or len(remark.place) < 4:
        return ""
    key, number, *_ = remark.place[1:]
    return f"{key}[{number}]."
