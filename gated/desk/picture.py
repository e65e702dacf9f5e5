"""Which curves a picture of a tariff shows, and what is marked on them."""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import chain

from gated.core.money import EXPONENTS
from gated.desk.bands import Calendar
from gated.desk.curve import Curve, curves
from gated.desk.instants import DAY, MINUTE, span
from gated.desk.limits import clock_limits, lengths, limits
from gated.desk.lines import per_words
from gated.desk.moments import CLOCK_CHANGES, Moment, grouped, joint_label
from gated.desk.plot import Picture, Trace
from gated.desk.sights import Sight, question, special_moments, week_moments, zone
from gated.desk.survey import Pricer
from gated.fields import amount_text
from gated.tariff.file import TariffFile
from gated.tariff.model import AnyTariff, BandTariff
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE

MORNING, LATE, EVENING, NIGHT = time(8), time(10), time(19), time(23)
# Between limits prices are looked at so often at least, before steps are searched for.
GRID = timedelta(minutes=15)
TRACES_MAX = 7
_ORDER = {HOLIDAY: 0, HOLIDAY_EVE: 2}


def moments(file: TariffFile, tariff: AnyTariff, today: date) -> list[Moment]:
    """A weekday's morning, evening and night, Saturday, Sunday, special days, a clock change."""
    times = (MORNING, LATE, EVENING, NIGHT)
    chosen = {"Tue": (MORNING, EVENING, NIGHT), "Sat": (LATE,), "Sun": (LATE,)}
    plain = [
        moment
        for moment in week_moments(file, tariff, today, times)
        if moment.time in [f"{reading:%H:%M}" for reading in chosen.get(moment.day, ())]
    ]
    special = special_moments(file, tariff, today, (LATE,))
    days = [moment for moment in special if not moment.day.startswith(CLOCK_CHANGES)]
    # A holiday before events, and those before its eve.
    days.sort(key=lambda moment: _ORDER.get(moment.day.partition(" ")[0], 1))
    nights = [moment for moment in special if moment.day.startswith(CLOCK_CHANGES)]
    return [*plain, *chain(days[: TRACES_MAX - len(plain) - 1], nights[:1])]


async def drawn(
    file: TariffFile,
    sight: Sight,
    pricer: Pricer,
    today: date,
    longest: timedelta,
    on_round: Callable[[int], None] = lambda _: None,
) -> Picture:
    """The picture of one tariff, for stays up to so long. Raises what the pricer raises."""
    tariff, clock, calendar = sight.tariff, zone(file), Calendar(file.calendar)
    asked = question(file, sight, longest)
    chosen = moments(file, tariff, today)
    wanted = {}
    for moment in chosen:
        grid = {count * GRID for count in range(longest // GRID + 1)} | {MINUTE, longest}
        for limit in limits(tariff, moment.at, clock, calendar, longest, detailed=longest):
            grid |= {limit.at - moment.at + by * MINUTE for by in (-1, 0, 1)}
        wanted[moment] = {length // MINUTE for length in grid if timedelta(0) <= length <= longest}
    # A picture is some 1000 dots wide.
    resolution = max(1, longest // MINUTE // 1000)
    found = await curves(
        pricer, wanted, asked.context_at, resolution_minutes=resolution, on_round=on_round
    )
    by_moment = {curve.moment: curve for curve in found}
    alike = {moment.label: by_moment[moment].points for moment in chosen}
    return Picture(
        title=tariff.name,
        subtitle=f"What a stay costs by its length; {sight.visitor.words()}; clock of {clock.key}",
        currency=file.facility.currency,
        decimals=EXPONENTS[file.facility.currency],
        traces=[
            _trace(group, by_moment[group[0]], _marks(file, tariff, group[0], longest))
            for group in grouped(chosen, alike)
        ],
        lengths=list(_lengths(tariff, longest)),
        amounts=_amounts(file, tariff),
    )


def _marks(file: TariffFile, tariff: AnyTariff, moment: Moment, longest: timedelta) -> list[int]:
    """The lengths, in minutes, at which the clock reaches a limit."""
    found = clock_limits(tariff, moment.at, zone(file), Calendar(file.calendar), longest)
    return [(at - moment.at) // MINUTE for at in found]


def _trace(group: Sequence[Moment], curve: Curve, marks: Sequence[int]) -> Trace:
    """Marks where the price changes within a minute of one of the clock's limits."""
    amounts = dict(curve.points)
    telling = [
        minutes
        for minutes in marks
        if len({amounts.get(minutes + by) for by in (-1, 0, 1)} - {None}) > 1
    ]
    return Trace(joint_label(group), curve.points, telling)


def _lengths(tariff: AnyTariff, longest: timedelta) -> list[tuple[int, str]]:
    """The limits that lie at the same length for everyone."""
    found: dict[int, str] = {}
    if tariff.free_minutes:
        found[tariff.free_minutes] = "free minutes"
    begin = tariff.free_minutes if tariff.free_minutes_reading == "deducted" else 0
    if not isinstance(tariff, BandTariff):
        for length, _ in lengths(tariff):
            found.setdefault(begin + length // MINUTE, span(length))
    if tariff.new_day == "rolling_24h":
        for count in range(1, longest // DAY + 1):
            found.setdefault(begin + count * (DAY // MINUTE), span(count * DAY))
    return sorted(found.items())


def _amounts(file: TariffFile, tariff: AnyTariff) -> list[tuple[Decimal, str]]:
    """Caps and the minimum."""
    exponent = EXPONENTS[file.facility.currency]
    found = {cap.amount: f"cap per {per_words(cap.per)}" for cap in tariff.caps}
    if tariff.minimum is not None:
        found.setdefault(tariff.minimum, "minimum")
    return [
        (amount, f"{what}: {amount_text(amount, exponent)}")
        for amount, what in sorted(found.items())
    ]
