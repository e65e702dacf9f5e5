"""What can be told from the amounts alone: caps, maxima and minima that can never count.

Only where it is certain, and simple: where specials, factors or readings could still make it count,
nothing is said, and the prices have the word (`gated.desk.lint_prices`).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from gated.desk.bands import MINUTES_OF_DAY, window
from gated.desk.findings import Finding, Severity
from gated.tariff.file import TariffFile
from gated.tariff.model import BandTariff, BlockTariff, FlatTariff, Tariff, TierTariff
from gated.tariff.parts import Band, Cap, Step, Tier
from gated.toml import KeyPath

# By how much a clock change may lengthen a day or an occurrence of a band, and more.
CLOCK_CHANGE = 120
DAILY = {"rolling_24h": "rolling_7d", "calendar_day": "calendar_week"}


def amount_findings(file: TariffFile, index: int) -> dict[KeyPath, Finding]:
    """Findings by the place of what can never count."""
    tariff = file.tariffs[index]
    found: dict[KeyPath, str] = {}
    path: KeyPath = ("tariff", index)
    if not tariff.occupancy:
        found.update(_caps(tariff, path))
        found.update(_minimum(tariff, path))
        if isinstance(tariff, BandTariff):
            found.update(_maxima(tariff, path))
    return {
        place: Finding(
            Severity.WARNING,
            f"{_kind(place)}_without_effect",
            file.document.place(place),
            f'"{tariff.name}": {text}',
        )
        for place, text in found.items()
    }


def _kind(place: KeyPath) -> str:
    last = place[-1] if isinstance(place[-1], str) else place[-2]
    return str(last).removesuffix("s")


def _caps(tariff: Tariff, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for place, cap in enumerate(tariff.caps):
        if cap.reading == "multiplied":
            continue
        most = _most(tariff, cap)
        if most is not None and most <= cap.amount:
            text = f"the cap per {cap.per} of {cap.amount} is never reached: its time costs {most}"
            yield (*path, "caps", place), f"{text} at most"
            continue
        for other in tariff.caps:
            within = DAILY.get(other.per) == cap.per and other.begins == cap.begins
            if within and other.reading == "each" and 7 * other.amount <= cap.amount:
                text = f"the cap per {cap.per} of {cap.amount} is never reached: seven times the"
                yield (*path, "caps", place), f"{text} {other.amount} per {other.per} are no more"


def _most(tariff: Tariff, cap: Cap) -> Decimal | None:
    """The most that the time in one window of the cap costs; None where that is not simple."""
    fee = tariff.entrance_fee or Decimal(0) if tariff.entrance_fee_capped else Decimal(0)
    if isinstance(tariff, FlatTariff):
        return tariff.amount + fee
    aligned = (cap.per, tariff.new_day) == ("rolling_24h", "rolling_24h") or (
        (cap.per, tariff.new_day) == ("calendar_day", "calendar_day")
        and (cap.begins or "00:00") == (tariff.day_begins or "00:00")
    )
    if not aligned:
        return None
    minutes = MINUTES_OF_DAY if cap.per == "rolling_24h" else MINUTES_OF_DAY + CLOCK_CHANGE
    match tariff:
        case BlockTariff():
            price = _steps(tariff.steps, minutes)
        case TierTariff():
            price = _tiers(tariff.tiers, minutes)
        case _:
            price = None
    return None if price is None else price + fee


def _maxima(tariff: BandTariff, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for place, band in enumerate(tariff.bands):
        if band.maximum is None or (band.flat is None and tariff.band_border != "restart"):
            continue
        most = _band(band)
        if most is not None and most <= band.maximum:
            text = f"the maximum {band.maximum} of band {band.name} is never reached"
            yield (
                (*path, "bands", place, "maximum"),
                f"{text}: one occurrence costs {most} at most",
            )


def _band(band: Band) -> Decimal | None:
    begin, end = window(band)
    minutes = end - begin + CLOCK_CHANGE
    if band.flat is not None:
        return band.flat
    if band.steps is not None:
        return _steps(band.steps, minutes)
    return _tiers(band.tiers, minutes) if band.tiers is not None else None


def _minimum(tariff: Tariff, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The least that a stay costs which is not free: its first block, if nothing undercuts it."""
    if tariff.minimum is None:
        return
    first = _first(tariff)
    undercut = [cap.amount for cap in tariff.caps] + [each.price for each in tariff.specials]
    if first is not None and min([first, *undercut]) >= tariff.minimum:
        yield (
            (*path, "minimum"),
            f"the minimum {tariff.minimum} never counts: the shortest stay costs {first} already",
        )


def _first(tariff: Tariff) -> Decimal | None:
    fee = tariff.entrance_fee or Decimal(0)
    match tariff:
        case FlatTariff():
            return tariff.amount + fee
        case BlockTariff() if tariff.steps[0].price_minutes is None:
            return tariff.steps[0].price + fee
        case TierTariff():
            return tariff.tiers[0].price + fee
        case _:
            return None


def _steps(steps: Sequence[Step], minutes: int) -> Decimal | None:
    """What the blocks cost that begin within so many minutes on the clock; None where shares of
    prices are rounded.
    """
    if any(step.price_minutes is not None for step in steps):
        return None
    left, price = minutes * 60, Decimal(0)
    for step in steps:
        seconds = step.seconds or (step.minutes or 1) * 60
        blocks = -(-left // seconds)
        if step.times is not None:
            blocks = min(blocks, step.times)
        price += blocks * step.price
        left -= blocks * seconds
        if left <= 0:
            break
    return price


def _tiers(tiers: Sequence[Tier], minutes: int) -> Decimal:
    for tier in tiers:
        if tier.up_to_minutes is None or tier.up_to_minutes > minutes:
            return tier.price
    return tiers[-1].price
