"""What must hold between the keys of tariffs: what fits together, what can be, who governs.

Each rule yields its complaints with their places, so that all are told at once; also of tables that
are sound in part, of which it says what does not depend on the rest. The questions that a tariff
leaves open are asked by `gated.tariff.questions`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from gated.core.errors import ConfigError
from gated.tariff.extra_rules import caps, occupancy, rounding, second_visit, specials, validations
from gated.tariff.model import (
    AnyTariff,
    CalendarDay,
    Tariff,
)
from gated.tariff.parts import Conditions
from gated.tariff.price_rules import base_price, coverage
from gated.tariff.questions import unanswered
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from gated.toml import Document, KeyPath
from gated.validation import (
    Names,
    Table,
    Unsound,
    heard,
    known,
    states,
    suggestion,
    surely,
    unique,
    unknown_keys,
)


class HasCurrency(Protocol):
    """A facility, as far as tariffs have to know it."""

    @property
    def currency(self) -> str: ...


class HasTariffs(Protocol):
    """The tables of a file with tariffs, sound or in part."""

    @property
    def facility(self) -> HasCurrency: ...
    @property
    def calendar(self) -> Sequence[CalendarDay]: ...
    @property
    def tariff(self) -> Sequence[Tariff]: ...


def tariff_errors(document: Document, tables: HasTariffs) -> Iterator[ConfigError]:
    """All that is wrong with the sound part of the [[tariff]] and [[calendar]] tables of a
    document."""
    yield from heard(
        _calendar(document, tables),
        _each_tariff(document, tables),
        _unique_tariffs(document, tables),
        _priorities(document, tables),
    )


def _each_tariff(document: Document, tables: HasTariffs) -> Iterator[ConfigError]:
    currency = _currency_of(tables)
    # What the calendar calls a day, a band may as well.
    days = Names(_calendar_of(tables), "kind", besides=(*WEEKDAYS, HOLIDAY, HOLIDAY_EVE))
    for index, tariff in enumerate(tables.tariff):
        path: KeyPath = ("tariff", index)
        yield from unanswered(document, path, tariff, currency)
        yield from heard(
            base_price(document, path, tariff),
            coverage(document, path, tariff, days),
            _names(document, path, tariff),
            _days(document, path, tariff, days),
            caps(document, path, tariff),
            specials(document, path, tariff),
            occupancy(document, path, tariff),
            validations(document, path, tariff),
            second_visit(document, path, tariff),
        )
        if currency is not None:
            yield from heard(rounding(document, path, tariff, currency))


def _calendar_of(tables: HasTariffs) -> Sequence[CalendarDay] | None:
    try:
        return tables.calendar
    except Unsound:
        return None


def _currency_of(tables: HasTariffs) -> str | None:
    try:
        return tables.facility.currency
    except Unsound:
        return None


def _calendar(document: Document, tables: HasTariffs) -> Iterator[ConfigError]:
    """No day is twice of one kind."""
    first: dict[tuple[date, str], int] = {}
    for index, day in enumerate(tables.calendar):
        yield from heard(_day(document, index, day, first))


def _day(
    document: Document, index: int, day: CalendarDay, first: dict[tuple[date, str], int]
) -> Iterator[ConfigError]:
    earlier = first.setdefault((day.day, day.kind), index)
    if earlier != index:
        line = document.line(("calendar", earlier))
        yield document.error(
            ("calendar", index), f"{day.day} is in line {line} of kind {day.kind} already"
        )


def _unique_tariffs(document: Document, tables: HasTariffs) -> Iterator[ConfigError]:
    yield from unique(document, _placed(("tariff",), tables.tariff))


def _names(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Names are unique within their tariff, each in its kind."""
    for key in ("bands", "specials", "validations", "taxes"):
        yield from unique(document, _placed((*path, key), known(tariff, key) or ()))


def _placed(path: KeyPath, tables: Sequence[Table]) -> Iterator[tuple[KeyPath, Table]]:
    return (((*path, index), table) for index, table in enumerate(tables))


def _days(
    document: Document, path: KeyPath, tariff: AnyTariff, names: Names
) -> Iterator[ConfigError]:
    """Days are known by their names, or by the calendar."""
    for key in ("specials", "bands"):
        for index, table in enumerate(known(tariff, key) or ()):
            for position, day in enumerate(known(table, "days") or ()):
                place = (*path, key, index, "days", position)
                yield from heard(_known_day(document, place, day, names))


def _known_day(document: Document, path: KeyPath, day: str, names: Names) -> Iterator[ConfigError]:
    if not names.have(day):
        yield document.error(path, f'no such day: "{day}", {suggestion(day, names.known)}')


def _priorities(document: Document, tables: HasTariffs) -> Iterator[ConfigError]:
    """Of two tariffs that one stay may fall under, one has the higher priority."""
    for index, tariff in enumerate(tables.tariff):
        for earlier, other in enumerate(tables.tariff[:index]):
            if surely(_may_clash, tariff, other):
                name = known(other, "name")
                line = document.line(("tariff", earlier))
                called = f"the tariff in line {line}" if name is None else f'"{name}"'
                yield document.error(
                    ("tariff", index, "priority"),
                    f"expected another priority than that of {called},"
                    f" got {tariff.priority}: some stays are for both, and one tariff governs",
                )
                break


def _may_clash(one: AnyTariff, other: AnyTariff) -> bool:
    return one.priority == other.priority and (
        surely(_for_all, one) or surely(_for_all, other) or not _exclusive(one.for_, other.for_)
    )


def _for_all(tariff: AnyTariff) -> bool:
    return not states(tariff, "for_")


def _exclusive(one: Conditions | None, other: Conditions | None) -> bool:
    """Whether no stay fulfils both. A subscriber may hold several subscriptions."""
    if one is None or other is None:
        return False
    if unknown_keys(one) or unknown_keys(other):
        raise Unsound("for")
    keys = ("electric", "accessible", "reserved", "vehicle_types", "zones")
    return any(_apart(one, other, key) for key in keys)


def _apart(one: Conditions, other: Conditions, key: str) -> bool:
    mine, theirs = getattr(one, key), getattr(other, key)
    if mine is None or theirs is None:
        return False
    return not any(each in theirs for each in mine) if isinstance(mine, tuple) else mine != theirs
