"""The questions that a tariff has to answer where they arise, because honest people disagree.

None has a default. A missing answer is an error whose text is the question, which is the docstring
of the answer's field. An answer to a question that does not arise is let be.

Of a tariff that is sound in part the questions are asked that surely arise.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.fields import amount_text
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, TierTariff
from gated.tariff.parts import Band
from gated.toml import Document, KeyPath, dotted
from gated.validation import Table, heard, known, states, surely

Asked = Callable[[AnyTariff], bool]


def _has_blocks_or_tiers(tariff: AnyTariff) -> bool:
    match tariff:
        case BlockTariff() | TierTariff():
            return True
        case BandTariff():
            return any(surely(_is_counted, band) for band in tariff.bands)
        case _:
            return False


def _is_counted(band: Band) -> bool:
    return states(band, "steps") or states(band, "tiers")


def _is_limited(band: Band) -> bool:
    # That what costs nothing has a maximum is complained about elsewhere.
    return states(band, "maximum") and not (states(band, "free") or states(band, "unsold"))


def _has_borders(tariff: AnyTariff) -> bool:
    return isinstance(tariff, BandTariff) and len(tariff.bands) > 1


def _has_maxima(tariff: AnyTariff) -> bool:
    return isinstance(tariff, BandTariff) and any(
        surely(_is_limited, band) for band in tariff.bands
    )


def _always(_: AnyTariff) -> bool:
    return True


def _has_free_minutes(tariff: AnyTariff) -> bool:
    return tariff.free_minutes > 0


def _has_specials(tariff: AnyTariff) -> bool:
    return bool(tariff.specials)


def _has_capped_fee(tariff: AnyTariff) -> bool:
    return states(tariff, "entrance_fee") and _has_caps(tariff)


def _has_caps(tariff: AnyTariff) -> bool:
    return bool(tariff.caps)


def _has_factors(tariff: AnyTariff) -> bool:
    return bool(tariff.occupancy)


def _has_factors_and_limits(tariff: AnyTariff) -> bool:
    return _has_factors(tariff) and (surely(_has_maxima, tariff) or _has_caps(tariff))


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
    document: Document, path: KeyPath, tariff: AnyTariff, currency: str | None
) -> Iterator[ConfigError]:
    """The questions that the tariff at `path` leaves open. Without a currency nothing is said of
    its rounding."""
    for key, asked in _ASKED:
        if surely(asked, tariff):
            yield from heard(_ask(document, path, tariff, key))
    yield from heard(
        _caps(document, path, tariff),
        _reservation(document, (*path, "reservation"), tariff),
        _lost_ticket(document, (*path, "lost_ticket"), tariff),
    )
    if currency is not None:
        yield from heard(_rounding(document, path, tariff, currency))


def _caps(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    for index, cap in enumerate(tariff.caps):
        place = (*path, "caps", index)
        per = known(cap, "per")
        if per not in ("stay", None):
            yield from heard(_ask(document, place, cap, "reading"))
        if per == "calendar_week":
            yield from heard(_ask(document, place, cap, "week_begins"))


def _reservation(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    if tariff.reservation is not None:
        for key in ("early", "unused", "overstay"):
            yield from heard(_ask(document, path, tariff.reservation, key))


def _lost_ticket(document: Document, path: KeyPath, tariff: AnyTariff) -> Iterator[ConfigError]:
    if tariff.lost_ticket is not None:
        yield from _ask(document, path, tariff.lost_ticket, "reading")


def _rounding(
    document: Document, path: KeyPath, tariff: AnyTariff, currency: str
) -> Iterator[ConfigError]:
    if tariff.rounding is None and (why := _fractions(tariff, currency)):
        message = f"is missing: {why}; {_question(tariff, 'rounding')}"
        yield document.error((*path, "rounding"), message)


def _ask(document: Document, path: KeyPath, table: Table, key: str) -> Iterator[ConfigError]:
    if not states(table, key):
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
    for holds, what in _FRACTIONS:
        if surely(holds, tariff):
            return f"{what} can make fractions of {unit}"
    return ""


def _has_shares(tariff: AnyTariff) -> bool:
    match tariff:
        case BlockTariff():
            return any(surely(states, step, "price_minutes") for step in tariff.steps)
        case BandTariff():
            return any(surely(_has_shares_in, band) for band in tariff.bands)
        case _:
            return False


def _has_shares_in(band: Band) -> bool:
    return any(surely(states, step, "price_minutes") for step in band.steps or ())


def _has_validations_in_percent(tariff: AnyTariff) -> bool:
    return any(surely(states, each, "percent") for each in tariff.validations)


def _takes_out_an_earlier_tax(tariff: AnyTariff) -> bool:
    return tariff.second_visit == "continued" and tariff.tax_included is False


_FRACTIONS: tuple[tuple[Asked, str], ...] = (
    (_has_shares, "price_minutes"),
    (_has_factors, "occupancy"),
    (_has_validations_in_percent, "a validation in percent"),
    (_has_cheaper_visits, "a second visit that is reduced"),
    (
        _takes_out_an_earlier_tax,
        "a continued visit, from which the tax of the earlier one is taken out,",
    ),
)


def amounts(table: Table, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Decimal]]:
    """All sound amounts of money of a tariff, and where each stands; percentages and factors are
    none."""
    for name, field in type(table).model_fields.items():
        key, value = field.alias or name, known(table, name)
        for place, each in (
            [((*path, key, index), part) for index, part in enumerate(value)]
            if isinstance(value, tuple)
            else [((*path, key), value)]
        ):
            if isinstance(each, Table):
                yield from amounts(each, place)
            elif isinstance(each, Decimal) and not key.endswith(("percent", "factor")):
                yield place, each
