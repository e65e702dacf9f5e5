"""Ways to break a sound tariff or site file, and where each has to be complained about."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gated.core.errors import ConfigError
from gated.toml import Document, KeyPath
from gated.validation import ConfigErrors

Values = dict[str, Any]


class PlacedError(ConfigError):
    """A complaint that knows its path: the dotted key leaves positions out."""

    def __init__(self, message: str, *, place: str, key: str, path: KeyPath) -> None:
        super().__init__(message, place=place, key=key)
        self.path = path


class PlacingDocument(Document):
    """A document whose complaints know their paths."""

    def error(self, path: KeyPath, message: str) -> ConfigError:
        error = super().error(path, message)
        return PlacedError(message, place=error.place, key=error.key, path=path)


def found(check: Callable[[Document], object], document: Document) -> list[PlacedError]:
    """What a check complains about."""
    try:
        check(document)
    except ConfigErrors as errors:
        placed = list(errors.errors)
    except ConfigError as error:
        placed = [error]
    else:
        placed = []
    assert all(isinstance(error, PlacedError) for error in placed), placed
    return [error for error in placed if isinstance(error, PlacedError)]


@dataclass(frozen=True)
class Break:
    """A fault: what it does, where it is to be complained about, and what it has to do with."""

    what: str
    place: KeyPath
    apply: Callable[[Values], None]
    concerns: frozenset[KeyPath]

    def meets(self, other: "Break") -> bool:
        """Whether one of the two may hide, or cause, the other."""
        return any(
            one[: len(two)] == two or two[: len(one)] == one
            for one in self.concerns
            for two in other.concerns
        )

    def __repr__(self) -> str:
        return f"{self.what} {self.place}"


def independent(breaks: list[Break]) -> list[Break]:
    """The first, and every one that has nothing to do with those before it."""
    chosen: list[Break] = []
    for each in breaks:
        if not any(each.meets(other) for other in chosen):
            chosen.append(each)
    return chosen


def broken(values: Values, breaks: list[Break]) -> Values:
    """A copy of the values with all these faults."""
    values = copy.deepcopy(values)
    for each in breaks:
        each.apply(values)
    return values


def at(values: Any, path: KeyPath) -> Any:
    for step in path:
        values = values[step]
    return values


def paths(values: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value with its path."""
    if path:
        yield path, values
    if isinstance(values, dict):
        for key, value in values.items():
            yield from paths(value, (*path, key))
    if isinstance(values, list):
        for index, value in enumerate(values):
            yield from paths(value, (*path, index))


def _set(path: KeyPath, value: object) -> Callable[[Values], None]:
    def apply(values: Values) -> None:
        at(values, path[:-1])[path[-1]] = value

    return apply


def wrong(path: KeyPath, value: object) -> Break:
    """A value of another type: an array for what is none, a number for an array."""
    other: object = 7.25 if isinstance(value, list) else []
    # Two entries of one list may read the same, and are then complained about once.
    listed = isinstance(path[-1], int) and not isinstance(value, dict)
    return Break("wrong", path, _set(path, other), frozenset({path[:-1] if listed else path}))


def misspelt(path: KeyPath) -> Break:
    """A key with a letter too many."""
    place = (*path[:-1], f"{path[-1]}x")

    def apply(values: Values) -> None:
        table = at(values, path[:-1])
        table[place[-1]] = table.pop(path[-1])

    return Break("misspelt", place, apply, frozenset({path}))


def dropped(path: KeyPath, *others: KeyPath) -> Break:
    """A key that has to be there is not."""

    def apply(values: Values) -> None:
        del at(values, path[:-1])[path[-1]]

    return Break("dropped", path, apply, frozenset({path, *others}))


def unknown(path: KeyPath) -> Break:
    """A key that nobody knows, in the table at the path."""
    place = (*path, "zzz")
    return Break("unknown", place, _set(place, 1), frozenset({place}))


def shape(values: Values) -> Iterator[Break]:
    """What pydantic finds, apart from missing keys."""
    yield unknown(())
    for path, value in paths(values):
        yield wrong(path, value)
        if isinstance(path[-1], str):
            yield misspelt(path)
        if isinstance(value, dict):
            yield unknown(path)


# ── tariffs ─────────────────────────────────────────────────────────────────────────────────

_OWN = ("amount", "steps", "tiers", "bands")
_PRICES = ("steps", "tiers", "flat", "free", "unsold")
_ALWAYS = ("name", "zero_stay", "second_visit", "strategy")
# Answers, and what raises their questions.
_ANSWERS = {
    "free_minutes_reading": ("free_minutes",),
    "free_minutes_limit": ("free_minutes",),
    "limit_reading": ("strategy", *_OWN),
    "new_day": ("strategy", *_OWN),
    "band_border": ("strategy", "bands"),
    "entrance_fee_capped": ("entrance_fee", "caps"),
    "special_wins": ("specials",),
    "occupancy_caps": ("strategy", "occupancy", "caps", "bands"),
    "validation_order": ("validations",),
    "validation_stacking": ("validations",),
    "second_visit_percent": ("second_visit",),
    "tax_included": ("taxes",),
    "tax_per": ("taxes",),
}
_NEEDED = {
    "bands": ("name",),
    "steps": ("price",),
    "tiers": ("price",),
    "caps": ("per", "amount", "reading", "week_begins"),
    "specials": ("name", "price"),
    "occupancy": ("from_percent", "factor"),
    "validations": ("name",),
    "taxes": ("name", "percent", "rounding"),
}


def lacks(values: Values) -> Iterator[Break]:
    """What is missing, to pydantic or to the questions."""
    yield dropped(("facility", "currency"))
    yield dropped(("facility", "time_zone"))
    for index in range(len(values.get("calendar", []))):
        yield dropped(("calendar", index, "day"))
        yield dropped(("calendar", index, "kind"))
    for index, tariff in enumerate(values["tariff"]):
        yield from _answers_lacking(("tariff", index), tariff)
        yield from _keys_lacking(("tariff", index), tariff)


def _answers_lacking(path: KeyPath, tariff: Values) -> Iterator[Break]:
    for key, others in _ANSWERS.items():
        if key in tariff:
            yield dropped((*path, key), *((*path, each) for each in others))
    for key in ("early", "unused", "overstay"):
        if "reservation" in tariff:
            yield dropped((*path, "reservation", key))
    if "lost_ticket" in tariff:
        yield dropped((*path, "lost_ticket", "reading"))


def _keys_lacking(path: KeyPath, tariff: Values) -> Iterator[Break]:
    for key in _ALWAYS:
        yield dropped((*path, key))
    for key in _OWN:
        if key in tariff:
            # Without a strategy nobody knows that it is missing.
            yield dropped((*path, key), (*path, "strategy"))
    for key, needed in _NEEDED.items():
        for position, table in enumerate(tariff.get(key, [])):
            place = (*path, key, position)
            for each in needed:
                if each in table:
                    yield dropped((*place, each), (*place, "per"))


# ── what the rules find ─────────────────────────────────────────────────────────────────────


def meaning(values: Values) -> Iterator[Break]:
    """What is well-formed and makes no sense."""
    for path, value in paths(values):
        for rule in (_prices, _names, _times, _answers):
            yield from rule(values, path, value)
    if "calendar" in values:
        yield _day_twice(values)
    if len(values["tariff"]) == 2 and not all("for" in each for each in values["tariff"]):
        yield _priority_twice(values)


def _prices(values: Values, path: KeyPath, _: Any) -> Iterator[Break]:
    match path:
        case (*_, "steps", int()):
            yield _length_twice(path)
        case ("tariff", int(), "bands", int()):
            yield _price_twice(path, at(values, path))
        case (*_, "tiers", int(index), "price") if index > 0:
            yield from _cheaper(values, path)
        case (*_, "occupancy", int(index), "from_percent") if index > 0:
            yield _break("occupancy", path, 0, (*path[:-2], index - 1, "from_percent"))
        case _:
            pass


def _names(values: Values, path: KeyPath, _: Any) -> Iterator[Break]:
    match path:
        case (*_, "tariff" | "bands" | "specials" | "validations" | "taxes", int(index), "name"):
            first = (*path[:-2], 0, "name")
            if index > 0:
                yield _break("name", path, at(values, first), first)
        case _:
            pass


def _times(values: Values, path: KeyPath, _: Any) -> Iterator[Break]:
    match path:
        case (*_, "specials" | "bands", int(), "days", int(index)):
            yield _break("day", path, f"mondy{index}", ("calendar",))
        case (*_, "enter_until") if "enter_from" in at(values, path[:-1]):
            first = (*path[:-1], "enter_from")
            yield _break("special", path, at(values, first), first)
        case _:
            pass


def _answers(_values: Values, path: KeyPath, value: Any) -> Iterator[Break]:
    match path:
        case (*_, "caps", int()) if value["per"] != "calendar_week":
            yield _break("cap", (*path, "week_begins"), "mon", (*path, "per"))
        case ("tariff", int(), "rounding"):
            yield _break("coin", (*path, "to"), "0", ("facility", "currency"))
        case ("tariff", int(), "second_visit") if value == "separate":
            yield _break("visit", (*path[:-1], "second_visit_percent"), 5, path)
        case _:
            pass


def _break(what: str, path: KeyPath, value: object, *others: KeyPath) -> Break:
    """This value at the path does not go with the others."""
    return Break(what, path, _set(path, value), frozenset({path, *others}))


def _length_twice(path: KeyPath) -> Break:
    def apply(values: Values) -> None:
        at(values, path).update(minutes=5, seconds=5)

    return Break("length", path, apply, frozenset({(*path, "minutes"), (*path, "seconds")}))


def _price_twice(path: KeyPath, band: Values) -> Break:
    key, value = ("flat", "1.00") if "free" in band or "unsold" in band else ("free", True)
    return Break(
        "price",
        path,
        _set((*path, key), value),
        frozenset((*path, each) for each in (*_PRICES, "maximum")),
    )


def _cheaper(values: Values, path: KeyPath) -> Iterator[Break]:
    *tiers, index, _ = path
    assert isinstance(index, int)
    if float(at(values, (*tiers, index - 1, "price"))) > 0:
        others = {path, *((*tiers, each, "price") for each in (index - 1, index + 1))}
        yield Break("tier", path, _set(path, "0"), frozenset(others))


def _day_twice(values: Values) -> Break:
    place = ("calendar", len(values["calendar"]))

    again = dict(values["calendar"][0])

    def apply(values: Values) -> None:
        values["calendar"].append(again)

    others = {place, ("calendar", 0, "day"), ("calendar", 0, "kind")}
    return Break("calendar", place, apply, frozenset(others))


def _priority_twice(values: Values) -> Break:
    place = ("tariff", 1, "priority")
    first = values["tariff"][0].get("priority", 0)
    others = {("tariff", i, key) for i in (0, 1) for key in ("priority", "for")}
    return Break("priority", place, _set(place, first), frozenset(others))
