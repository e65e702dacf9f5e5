"""What must hold of a base price: it is said, once, for every minute."""

from collections.abc import Iterator
from itertools import pairwise
from typing import assert_never

from gated.core.errors import ConfigError
from gated.fields import amount_text
from gated.tariff.coverage import gaps
from gated.tariff.model import AnyTariff, BandTariff, BlockTariff, FlatTariff, Tariff, TierTariff
from gated.tariff.parts import Band, Step, Tier
from gated.toml import Document, KeyPath
from gated.validation import Names, heard, is_there, stated, states

_GAPS_SHOWN_MAX = 3


def base_price(document: Document, path: KeyPath, tariff: Tariff) -> Iterator[ConfigError]:
    """What the time costs is said, once, for every minute."""
    match tariff:
        case FlatTariff():
            pass
        case BlockTariff():
            yield from _steps(document, (*path, "steps"), tariff)
        case TierTariff():
            yield from _tiers(document, (*path, "tiers"), tariff)
        case BandTariff():
            for index, band in enumerate(tariff.bands):
                yield from _band(document, (*path, "bands", index), band)
        case _:
            assert_never(tariff)


def coverage(
    document: Document, path: KeyPath, tariff: AnyTariff, days: Names
) -> Iterator[ConfigError]:
    """Every minute of the week has a band. Where a day is unknown it may be any."""
    if not isinstance(tariff, BandTariff):
        return
    named = [day for band in tariff.bands for day in band.days or ()]
    if all(days.have(day) for day in named) and (found := list(gaps(tariff.bands))):
        more = len(found) - _GAPS_SHOWN_MAX
        shown = ", ".join(found[:_GAPS_SHOWN_MAX]) + (f" and {more} more" * (more > 0))
        yield document.error(
            (*path, "bands"),
            f"no band covers {shown}, so that a stay through it would have no price:"
            " add one, such as one with free = true",
        )


_PRICES = ("steps", "tiers", "flat", "free", "unsold")


def _band(document: Document, path: KeyPath, band: Band) -> Iterator[ConfigError]:
    yield from heard(
        _band_price(document, path, band),
        _band_maximum(document, (*path, "maximum"), band),
        _steps(document, (*path, "steps"), band),
        _tiers(document, (*path, "tiers"), band),
    )


def _band_price(document: Document, path: KeyPath, band: Band) -> Iterator[ConfigError]:
    if len(prices := stated(band, *_PRICES)) != 1:
        got = " and ".join(prices) or "none"
        yield document.error(path, f"expected one of {', '.join(_PRICES)}, got {got}")


def _band_maximum(document: Document, path: KeyPath, band: Band) -> Iterator[ConfigError]:
    prices = stated(band, *_PRICES)
    if states(band, "maximum") and prices in (["free"], ["unsold"]):
        yield document.error(path, f"does not go with {prices[0]}: such a band costs nothing")


def _steps(document: Document, path: KeyPath, table: BlockTariff | Band) -> Iterator[ConfigError]:
    """Each has a length; each but the last ends."""
    steps = table.steps or ()
    for index, step in enumerate(steps):
        yield from heard(_step_length(document, (*path, index), step))
    for index, (step, following) in enumerate(pairwise(steps)):
        yield from heard(_step_end(document, (*path, index, "times"), step, following))


def _step_length(document: Document, path: KeyPath, step: Step) -> Iterator[ConfigError]:
    if len(stated(step, "minutes", "seconds")) != 1:
        yield document.error(path, "expected either minutes or seconds")


def _step_end(
    document: Document, path: KeyPath, step: Step, following: Step
) -> Iterator[ConfigError]:
    if not states(step, "times") and is_there(following):
        yield document.error(
            path,
            "is missing: how many such blocks are there before the next step?"
            " Only the last may go on",
        )


def _tiers(document: Document, path: KeyPath, table: TierTariff | Band) -> Iterator[ConfigError]:
    """Each but the last ends, later than the one before and no cheaper."""
    tiers = table.tiers or ()
    for index, (before, tier) in enumerate(pairwise(tiers), start=1):
        yield from heard(
            _tier_end(document, (*path, index - 1, "up_to_minutes"), before, tier),
            _tier_is_longer(document, (*path, index, "up_to_minutes"), before, tier),
            _tier_is_dearer(document, (*path, index, "price"), before, tier),
        )


def _tier_end(
    document: Document, path: KeyPath, tier: Tier, following: Tier
) -> Iterator[ConfigError]:
    if not states(tier, "up_to_minutes") and is_there(following):
        yield document.error(
            path, "is missing: up to how many minutes does this tier go? Only the last may go on"
        )


def _tier_is_longer(
    document: Document, path: KeyPath, before: Tier, tier: Tier
) -> Iterator[ConfigError]:
    longest, earlier = tier.up_to_minutes, before.up_to_minutes
    if longest is not None and earlier is not None and longest <= earlier:
        yield document.error(
            path, f"expected more than the {earlier} of the tier before, got {longest}"
        )


def _tier_is_dearer(
    document: Document, path: KeyPath, before: Tier, tier: Tier
) -> Iterator[ConfigError]:
    if tier.price < before.price:
        yield document.error(
            path,
            f"expected at least the {amount_text(before.price, 0)} of the tier before,"
            f" got {amount_text(tier.price, 0)}",
        )
