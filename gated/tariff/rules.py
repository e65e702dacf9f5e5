"""What must hold between the keys of tariffs: what fits together, what can be, who governs.

Each rule yields its complaints with their places, so that all are told at once. The questions that
a tariff leaves open are asked by `gated.tariff.questions`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import assert_never

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.tariff.coverage import gaps
from gated.tariff.model import (
    AnyTariff,
    BandTariff,
    BlockTariff,
    CalendarDay,
    FlatTariff,
    Tariff,
    TierTariff,
)
from gated.tariff.parts import Band, Conditions, Special, Step, Tier
from gated.tariff.questions import unanswered
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS, minutes_of
from gated.toml import Document, KeyPath
from gated.validation import suggestion

_GAPS_SHOWN_MAX = 3


def tariff_errors(
    document: Document, tariffs: Sequence[Tariff], calendar: Sequence[CalendarDay], currency: str
) -> Iterator[ConfigError]:
    """All that is wrong with the [[tariff]] and [[calendar]] tables of a document."""
    yield from _calendar(document, calendar)
    kinds = dict.fromkeys(day.kind for day in calendar)
    days = tuple(dict.fromkeys((*WEEKDAYS, HOLIDAY, HOLIDAY_EVE, *kinds)))
    for index, tariff in enumerate(tariffs):
        path: KeyPath = ("tariff", index)
        yield from unanswered(document, path, tariff, currency)
        yield from _base_price(document, path, tariff)
        yield from _names(document, path, tariff)
        yield from _days(document, path, tariff, days)
        yield from _caps(document, path, tariff)
        yield from _specials(document, path, tariff)
        yield from _occupancy(document, path, tariff)
        yield from _validations(document, path, tariff)
        yield from _second_visit(document, path, tariff)
        yield from _rounding(document, path, tariff, currency)
    yield from _unique(document, [(("tariff", i, "name"), t.name) for i, t in enumerate(tariffs)])
    yield from _priorities(document, tariffs)


def _calendar(document: Document, calendar: Sequence[CalendarDay]) -> Iterator[ConfigError]:
    """No day is twice of one kind."""
    first: dict[tuple[date, str], int] = {}
    for index, day in enumerate(calendar):
        earlier = first.setdefault((day.day, day.kind), index)
        if earlier != index:
            line = document.line(("calendar", earlier))
            yield document.error(
                ("calendar", index), f"{day.day} is in line {line} of kind {day.kind} already"
            )


def _unique(document: Document, named: Sequence[tuple[KeyPath, str]]) -> Iterator[ConfigError]:
    first: dict[str, KeyPath] = {}
    for path, name in named:
        if (earlier := first.setdefault(name, path)) is not path:
            line = document.line(earlier)
            yield document.error(path, f'expected a name of its own: "{name}" is in line {line}')


def _names(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Names are unique within their tariff, each in its kind."""
    groups = {
        "bands": [band.name for band in tariff.bands] if isinstance(tariff, BandTariff) else [],
        "specials": [special.name for special in tariff.specials],
        "validations": [validation.name for validation in tariff.validations],
        "taxes": [tax.name for tax in tariff.taxes],
    }
    for key, names in groups.items():
        placed = [((*path, key, index, "name"), name) for index, name in enumerate(names)]
        yield from _unique(document, placed)


def _base_price(document: Document, path: KeyPath, tariff: Tariff) -> Iterator[ConfigError]:
    """What the time costs is said, once, for every minute."""
    match tariff:
        case FlatTariff():
            pass
        case BlockTariff():
            yield from _steps(document, (*path, "steps"), tariff.steps)
        case TierTariff():
            yield from _tiers(document, (*path, "tiers"), tariff.tiers)
        case BandTariff():
            for index, band in enumerate(tariff.bands):
                yield from _band(document, (*path, "bands", index), band)
            if found := list(gaps(tariff.bands)):
                more = len(found) - _GAPS_SHOWN_MAX
                shown = ", ".join(found[:_GAPS_SHOWN_MAX]) + (f" and {more} more" * (more > 0))
                yield document.error(
                    (*path, "bands"),
                    f"no band covers {shown}, so that a stay through it would have no price:"
                    " add one, such as one with free = true",
                )
        case _:
            assert_never(tariff)


def _band(document: Document, path: KeyPath, band: Band) -> Iterator[ConfigError]:
    prices = ("steps", "tiers", "flat", "free", "unsold")
    stated = [key for key in prices if getattr(band, key) is not None]
    if len(stated) != 1:
        got = " and ".join(stated) or "none"
        yield document.error(path, f"expected one of {', '.join(prices)}, got {got}")
    if band.maximum is not None and stated in (["free"], ["unsold"]):
        yield document.error(
            (*path, "maximum"), f"does not go with {stated[0]}: such a band costs nothing"
        )
    yield from _steps(document, (*path, "steps"), band.steps or ())
    yield from _tiers(document, (*path, "tiers"), band.tiers or ())


def _steps(document: Document, path: KeyPath, steps: Sequence[Step]) -> Iterator[ConfigError]:
    """Each has a length; each but the last ends."""
    for index, step in enumerate(steps):
        if (step.minutes is None) == (step.seconds is None):
            yield document.error((*path, index), "expected either minutes or seconds")
        if step.times is None and index < len(steps) - 1:
            yield document.error(
                (*path, index, "times"),
                "is missing: how many such blocks are there before the next step?"
                " Only the last may go on",
            )


def _tiers(document: Document, path: KeyPath, tiers: Sequence[Tier]) -> Iterator[ConfigError]:
    """Each but the last ends, later than the one before and no cheaper."""
    for index, tier in enumerate(tiers):
        if tier.up_to_minutes is None and index < len(tiers) - 1:
            yield document.error(
                (*path, index, "up_to_minutes"),
                "is missing: up to how many minutes does this tier go? Only the last may go on",
            )
        if index == 0:
            continue
        before = tiers[index - 1]
        longest, earlier = tier.up_to_minutes, before.up_to_minutes
        if longest is not None and earlier is not None and longest <= earlier:
            yield document.error(
                (*path, index, "up_to_minutes"),
                f"expected more than the {earlier} of the tier before, got {longest}",
            )
        if tier.price < before.price:
            yield document.error(
                (*path, index, "price"),
                f"expected at least the {amount_text(before.price, 0)} of the tier before,"
                f" got {amount_text(tier.price, 0)}",
            )


def _days(
    document: Document, path: KeyPath, tariff: AnyTariff, known: Sequence[str]
) -> Iterator[ConfigError]:
    """Days are known by their names, or by the calendar."""
    listed = [((*path, "specials", i), each.days) for i, each in enumerate(tariff.specials)]
    if isinstance(tariff, BandTariff):
        listed += [((*path, "bands", i), each.days) for i, each in enumerate(tariff.bands)]
    for place, days in listed:
        for index, day in enumerate(days or ()):
            if day not in known:
                yield document.error(
                    (*place, "days", index), f'no such day: "{day}", {suggestion(day, known)}'
                )


def _caps(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Only windows of the calendar begin at a time that can be said."""
    for index, cap in enumerate(tariff.caps):
        place = (*path, "caps", index)
        if cap.begins is not None and not cap.per.startswith("calendar_"):
            yield document.error((*place, "begins"), f"does not go with {cap.per}")
        if cap.week_begins is not None and cap.per != "calendar_week":
            yield document.error((*place, "week_begins"), f"does not go with {cap.per}")


def _specials(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    for index, special in enumerate(tariff.specials):
        yield from _special(document, (*path, "specials", index), special)


def _special(document: Document, path: KeyPath, special: Special) -> Iterator[ConfigError]:
    """Some stays fit, and some do not."""
    enters = special.enter_from is not None or special.enter_until is not None
    leaves = special.exit_from is not None or special.exit_until is not None
    if not enters and not leaves and special.days is None and special.exit_day in (None, "any"):
        yield document.error(
            path, "fits every stay: expected days, enter_from, enter_until, exit_until or exit_day"
        )
    if enters and special.enter_from == special.enter_until:
        yield document.error(
            (*path, "enter_until"),
            f"expected another time than that of enter_from, got {special.enter_until}",
        )
    earliest = special.enter_from or "00:00"
    if (
        special.exit_until is not None
        and special.exit_day in (None, 0)
        and minutes_of(special.exit_until) <= minutes_of(earliest)
    ):
        yield document.error(
            (*path, "exit_until"),
            f"nobody who enters from {earliest} on leaves by {special.exit_until} of the same day:"
            " expected a later time, or an exit_day such as 1",
        )


def _occupancy(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Steps rise."""
    before: Decimal | None = None
    for index, step in enumerate(tariff.occupancy):
        if before is not None and step.from_percent <= before:
            yield document.error(
                (*path, "occupancy", index, "from_percent"),
                f"expected more than the {amount_text(before, 0)} of the step before,"
                f" got {amount_text(step.from_percent, 0)}",
            )
        before = step.from_percent


def _validations(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Each takes off one thing."""
    gifts = ("free_minutes", "amount", "percent", "free")
    for index, validation in enumerate(tariff.validations):
        stated = [key for key in gifts if getattr(validation, key) is not None]
        if len(stated) != 1:
            got = " and ".join(stated) or "none"
            yield document.error(
                (*path, "validations", index), f"expected one of {', '.join(gifts)}, got {got}"
            )


def _second_visit(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Only a reduced visit is cheaper by some percent."""
    if tariff.second_visit_percent is not None and tariff.second_visit not in ("reduced", None):
        yield document.error(
            (*path, "second_visit_percent"), f"does not go with {tariff.second_visit}"
        )


def _rounding(
    document: Document, path: KeyPath, tariff: AnyTariff, currency: str
) -> Iterator[ConfigError]:
    """The smallest coin is so many of the currency's smallest unit."""
    coin = None if tariff.rounding is None else tariff.rounding.to
    exponent = EXPONENTS[currency]
    if coin is not None and (not coin or coin != round(coin, exponent)):
        unit = amount_text(Decimal(1).scaleb(-exponent), exponent)
        yield document.error(
            (*path, "rounding", "to"),
            f"expected a multiple of {unit}, the smallest unit of {currency},"
            f" got {amount_text(coin, 0)}",
        )


def _priorities(document: Document, tariffs: Sequence[Tariff]) -> Iterator[ConfigError]:
    """Of two tariffs that one stay may fall under, one has the higher priority."""
    for index, tariff in enumerate(tariffs):
        for other in tariffs[:index]:
            if tariff.priority == other.priority and not _exclusive(tariff.for_, other.for_):
                yield document.error(
                    ("tariff", index, "priority"),
                    f'expected another priority than that of "{other.name}",'
                    f" got {tariff.priority}: some stays are for both, and one tariff governs",
                )
                break


def _exclusive(one: Conditions | None, other: Conditions | None) -> bool:
    """Whether no stay fulfils both. A subscriber may hold several subscriptions."""
    if one is None or other is None:
        return False
    for key in ("electric", "accessible", "reserved"):
        if {getattr(one, key), getattr(other, key)} == {True, False}:
            return True
    for key in ("vehicle_types", "zones"):
        mine, theirs = getattr(one, key), getattr(other, key)
        if mine is not None and theirs is not None and not {*mine} & {*theirs}:
            return True
    return False
