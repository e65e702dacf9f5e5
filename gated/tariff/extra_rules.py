"""What must hold of all that a tariff has besides its base price."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.tariff.model import AnyTariff
from gated.tariff.parts import Cap, OccupancyStep, Special, Validation
from gated.tariff.values import minutes_of
from gated.toml import Document, KeyPath
from gated.validation import heard, stated, states


def caps(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Only windows of the calendar begin at a time that can be said."""
    for index, cap in enumerate(tariff.caps):
        yield from heard(_cap(document, (*path, "caps", index), cap))


def _cap(document: Document, path: KeyPath, cap: Cap) -> Iterator[ConfigError]:
    if not cap.per.startswith("calendar_") and states(cap, "begins"):
        yield document.error((*path, "begins"), f"does not go with {cap.per}")
    if cap.per != "calendar_week" and states(cap, "week_begins"):
        yield document.error((*path, "week_begins"), f"does not go with {cap.per}")


def specials(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Some stays fit, and some do not."""
    for index, special in enumerate(tariff.specials):
        place = (*path, "specials", index)
        yield from heard(
            _special_is_limited(document, place, special),
            _special_is_entered(document, (*place, "enter_until"), special),
            _special_is_left(document, (*place, "exit_until"), special),
        )


_LIMITS = ("days", "enter_from", "enter_until", "exit_from", "exit_until", "exit_day")


def _special_is_limited(
    document: Document, path: KeyPath, special: Special
) -> Iterator[ConfigError]:
    limits = stated(special, *_LIMITS)
    if not limits or (limits == ["exit_day"] and special.exit_day == "any"):
        yield document.error(
            path, "fits every stay: expected days, enter_from, enter_until, exit_until or exit_day"
        )


def _special_is_entered(
    document: Document, path: KeyPath, special: Special
) -> Iterator[ConfigError]:
    if special.enter_until is not None and special.enter_from == special.enter_until:
        yield document.error(
            path, f"expected another time than that of enter_from, got {special.enter_until}"
        )


def _special_is_left(document: Document, path: KeyPath, special: Special) -> Iterator[ConfigError]:
    earliest = special.enter_from or "00:00"
    if (
        special.exit_until is not None
        and special.exit_day in (None, 0)
        and minutes_of(special.exit_until) <= minutes_of(earliest)
    ):
        yield document.error(
            path,
            f"nobody who enters from {earliest} on leaves by {special.exit_until} of the same day:"
            " expected a later time, or an exit_day such as 1",
        )


def occupancy(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Steps rise."""
    for index, (before, step) in enumerate(pairwise(tariff.occupancy), start=1):
        place = (*path, "occupancy", index, "from_percent")
        yield from heard(_occupancy_step(document, place, before, step))


def _occupancy_step(
    document: Document, path: KeyPath, before: OccupancyStep, step: OccupancyStep
) -> Iterator[ConfigError]:
    if step.from_percent <= before.from_percent:
        yield document.error(
            path,
            f"expected more than the {amount_text(before.from_percent, 0)} of the step before,"
            f" got {amount_text(step.from_percent, 0)}",
        )


_GIFTS = ("free_minutes", "amount", "percent", "free")


def validations(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Each takes off one thing."""
    for index, validation in enumerate(tariff.validations):
        yield from heard(_validation(document, (*path, "validations", index), validation))


def _validation(document: Document, path: KeyPath, validation: Validation) -> Iterator[ConfigError]:
    if len(gifts := stated(validation, *_GIFTS)) != 1:
        got = " and ".join(gifts) or "none"
        yield document.error(path, f"expected one of {', '.join(_GIFTS)}, got {got}")


def second_visit(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    """Only a reduced visit is cheaper by some percent."""
    if tariff.second_visit not in ("reduced", None) and states(tariff, "second_visit_percent"):
        yield document.error(
            (*path, "second_visit_percent"), f"does not go with {tariff.second_visit}"
        )


def rounding(
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
