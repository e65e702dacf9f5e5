"""The questions that a tariff has to answer where they arise, because honest people disagree.

None has a default. A missing answer is an error whose text is the question, which is the docstring
of the answer's field. An answer to a question that does not arise is let be.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, TierTariff
from gated.toml import Document, KeyPath, dotted
from gated.validation import Table

Asked = Callable[[AnyTariff], bool]


def _has_blocks_or_tiers(tariff: AnyTariff) -> bool:
    match tariff:
        case BlockTariff() | TierTariff():
            return True
        case BandTariff():
            return any(band.steps or band.tiers for band in tariff.bands)
        case _:
            return False


def _has_borders(tariff: AnyTariff) -> bool:
    return isinstance(tariff, BandTariff) and len(tariff.bands) > 1


def _has_maxima(tariff: AnyTariff) -> bool:
    return isinstance(tariff, BandTariff) and any(band.maximum is not None for band in tariff.bands)


def _always(_: AnyTariff) -> bool:
    return True


def _has_free_minutes(tariff: AnyTariff) -> bool:
    return tariff.free_minutes > 0


def _has_specials(tariff: AnyTariff) -> bool:
    return bool(tariff.specials)


def _has_capped_fee(tariff: AnyTariff) -> bool:
    return tariff.entrance_fee is not None and bool(tariff.caps)


def _has_factors_and_limits(tariff: AnyTariff) -> bool:
    return bool(tariff.occupancy) and (bool(tariff.caps) or _has_maxima(tariff))


def _has_validations(tariff: AnyTariff) -> bool:
    return bool(tariff.validations)


def _has_cheaper_visits(tariff: AnyTariff) -> bool:
    return tariff.second_visit == "reduced"


def _has_taxes(tariff: AnyTariff) -> bool:
    return bool(tariff.taxes)


_ASKED: tuple[tuple[str, Asked], ...] = (
    ("free_minutes_reading", _has_free_minutes),
    ("free_minutes_limit", _has_free_minutes),
    ("zero_stay", _always),
    ("limit_reading", _has_blocks_or_tiers),
    ("new_day", _has_blocks_or_tiers),
    ("band_border", _has_borders),
    ("entrance_fee_capped", _has_capped_fee),
    ("special_wins", _has_specials),
    ("occupancy_caps", _has_factors_and_limits),
    ("validation_order", _has_validations),
    ("validation_stacking", _has_validations),
    ("second_visit", _always),
    ("second_visit_percent", _has_cheaper_visits),
    ("tax_included", _has_taxes),
    ("tax_per", _has_taxes),
)


def unanswered(
    document: Document, path: KeyPath, tariff: AnyTariff, currency: str
) -> Iterator[ConfigError]:
    """The questions that the tariff at `path` leaves open."""
    for key, asked in _ASKED:
        if asked(tariff):
            yield from _ask(document, path, tariff, key)
    for index, cap in enumerate(tariff.caps):
        place = (*path, "caps", index)
        if cap.per != "stay":
            yield from _ask(document, place, cap, "reading")
        if cap.per == "calendar_week":
            yield from _ask(document, place, cap, "week_begins")
    if tariff.reservation is not None:
        for key in ("early", "unused", "overstay"):
            yield from _ask(document, (*path, "reservation"), tariff.reservation, key)
    if tariff.lost_ticket is not None:
        yield from _ask(document, (*path, "lost_ticket"), tariff.lost_ticket, "reading")
    if tariff.rounding is None and (why := _fractions(tariff, currency)):
        message = f"is missing: {why}; {_question(tariff, 'rounding')}"
        yield document.error((*path, "rounding"), message)


def _ask(document: Document, path: KeyPath, table: Table, key: str) -> Iterator[ConfigError]:
    if getattr(table, key) is None:
        yield document.error((*path, key), f"is missing: {_question(table, key)}")


def _question(table: Table, key: str) -> str:
    description = type(table).model_fields[key].description
    assert description, f"{key} asks nothing"
    return " ".join(description.split())


def _fractions(tariff: AnyTariff, currency: str) -> str:
    """Why fractions of the currency's smallest unit can arise; empty if they cannot."""
    exponent = EXPONENTS[currency]
    unit = f"{amount_text(Decimal(1).scaleb(-exponent), exponent)} {currency}"
    for path, amount in amounts(tariff):
        if amount != round(amount, exponent):
            return f"{dotted(path)} {amount_text(amount, 0)} has fractions of {unit}"
    reasons = (
        (_has_shares(tariff), "price_minutes"),
        (bool(tariff.occupancy), "occupancy"),
        (any(each.percent is not None for each in tariff.validations), "a validation in percent"),
        (tariff.second_visit == "reduced", "a second visit that is reduced"),
        (
            tariff.second_visit == "continued" and tariff.tax_included is False,
            "a continued visit, from which the tax of the earlier one is taken out,",
        ),
    )
    for holds, what in reasons:
        if holds:
            return f"{what} can make fractions of {unit}"
    return ""


def _has_shares(tariff: AnyTariff) -> bool:
    match tariff:
        case BlockTariff():
            steps = tariff.steps
        case BandTariff():
            steps = tuple(step for band in tariff.bands for step in band.steps or ())
        case _:
            steps = ()
    return any(step.price_minutes is not None for step in steps)


def amounts(table: Table, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Decimal]]:
    """All amounts of money of a tariff, and where each stands; percentages and factors are none."""
    for name, field in type(table).model_fields.items():
        key, value = field.alias or name, getattr(table, name)
        for place, each in (
            [((*path, key, index), part) for index, part in enumerate(value)]
            if isinstance(value, tuple)
            else [((*path, key), value)]
        ):
            if isinstance(each, Table):
                yield from amounts(each, place)
            elif isinstance(each, Decimal) and not key.endswith(("percent", "factor")):
                yield place, each
