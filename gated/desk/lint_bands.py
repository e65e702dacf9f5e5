"""Bands over a week and the days of the calendar: which never count, and which overlap in part."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations, pairwise

from gated.desk.bands import Calendar, Kinds, candidates, cuts, runs
from gated.desk.findings import Finding, Severity
from gated.desk.instants import DAY
from gated.tariff.file import TariffFile
from gated.tariff.model import BandTariff
from gated.tariff.parts import Band
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE
from gated.toml import KeyPath

# Any week will do: only the names of its days are looked at.
MONDAY = date(2001, 1, 1)

# The kinds of days that there are, each with the kinds of the day before it.
Days = Sequence[tuple[Kinds, Kinds]]


def band_findings(file: TariffFile, today: date) -> Iterator[Finding]:
    """Bands without effect, bands that overlap, and a calendar that names too few days."""
    yield from _holidays(file, today)
    for index, tariff in enumerate(file.tariffs):
        if isinstance(tariff, BandTariff):
            yield from _bands(file, ("tariff", index), tariff)


def days(file: TariffFile) -> Days:
    """The kinds of days that there are, each with the kinds of the day before it."""
    plain = Calendar()
    found = [(plain.kinds(day), plain.kinds(day - DAY)) for day in _week(MONDAY)]
    calendar = Calendar(file.calendar)
    # The eve, the day itself, and the day after, into which its bands may run.
    around = {each.day + count * DAY: None for each in file.calendar for count in (-1, 0, 1)}
    found += [(calendar.kinds(day), calendar.kinds(day - DAY)) for day in around]
    return list(dict.fromkeys(found))


def _week(monday: date) -> Iterator[date]:
    for count in range(7):
        yield monday + count * DAY


def _bands(file: TariffFile, path: KeyPath, tariff: BandTariff) -> Iterator[Finding]:
    bands, known = tariff.bands, days(file)
    for place in _silent(bands, known):
        yield Finding(
            Severity.WARNING,
            "band_never_counts",
            file.document.place((*path, "bands", place)),
            f'band "{bands[place].name}" of "{tariff.name}" never counts:'
            f" {_why(bands, place, known)}",
        )
    for (one, other), when in _overlaps(bands, known).items():
        yield Finding(
            Severity.NOTE,
            "bands_overlap",
            file.document.place((*path, "bands", other)),
            f'bands "{bands[one].name}" and "{bands[other].name}" of "{tariff.name}" overlap'
            f' ({when}, for one); there "{bands[one].name}" counts, being listed first',
        )


def _silent(bands: Sequence[Band], known: Days) -> list[int]:
    """The bands that count at no minute."""
    counting = {run.band for kinds, before in known for run in runs(bands, kinds, before)}
    return [place for place in range(len(bands)) if place not in counting]


def _overlaps(bands: Sequence[Band], known: Days) -> dict[tuple[int, int], str]:
    """Bands that overlap in part and know the day equally well, with the first such time.

    Where one covers all that the other does, the one is a rule and the other its exception, and
    that is how such things are written.
    """
    first: dict[tuple[int, int], str] = {}
    alone: set[tuple[int, int]] = set()
    for kinds, before in known:
        for start, ranked in _pieces(bands, kinds, before):
            ranks = {place: rank for rank, place, _ in ranked}
            for one, other in combinations(range(len(bands)), 2):
                if ranks.get(one) == ranks.get(other) is not None:
                    first.setdefault((one, other), f"{kinds[-1]} {start // 60:02}:{start % 60:02}")
                elif one in ranks and other not in ranks:
                    alone.add((one, other))
                elif other in ranks and one not in ranks:
                    alone.add((other, one))
    return {
        (one, other): when
        for (one, other), when in first.items()
        if (one, other) in alone and (other, one) in alone
    }


def _pieces(
    bands: Sequence[Band], kinds: Kinds, before: Kinds
) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """The minutes of a day from which on other bands cover it, and those that do."""
    for start, _ in pairwise(cuts(bands)):
        yield start, candidates(bands, kinds, before, start)


def _why(bands: Sequence[Band], place: int, known: Days) -> str:
    """Why a band does not count: no such day, or others that do in its place."""
    band = bands[place]
    names = {name for kinds, _ in known for name in kinds}
    if band.days is not None and not names & set(band.days):
        return f"the calendar has no {' and no '.join(band.days)}"
    others: dict[str, None] = {}
    for kinds, before in known:
        for _, ranked in _pieces(bands, kinds, before):
            if any(each == place for _, each, _ in ranked):
                others.setdefault(f'"{bands[ranked[0][1]].name}"')
    return f"{' and '.join(others)} cover its time and are listed first, or know the day better"


def _holidays(file: TariffFile, today: date) -> Iterator[Finding]:
    """Tariffs that speak of holidays, with a calendar that has none, or none to come."""
    named = list(_naming_holidays(file))
    if not named:
        return
    dates = [each.day for each in file.calendar if each.kind == HOLIDAY]
    if not dates:
        text = "the calendar has no holiday: such a day is priced like any other"
        yield Finding(Severity.WARNING, "no_holidays", file.document.place(named[0]), text)
    elif max(dates) < today:
        text = (
            f"the calendar's last holiday was {max(dates)}: later ones are priced like other days"
        )
        yield Finding(Severity.WARNING, "holidays_past", file.document.place(("calendar",)), text)


def _naming_holidays(file: TariffFile) -> Iterator[KeyPath]:
    for index, tariff in enumerate(file.tariffs):
        parts: list[tuple[str, int, Sequence[str]]] = [
            ("specials", place, special.days or ()) for place, special in enumerate(tariff.specials)
        ]
        if isinstance(tariff, BandTariff):
            parts += [("bands", place, band.days or ()) for place, band in enumerate(tariff.bands)]
        for key, place, names in parts:
            if {HOLIDAY, HOLIDAY_EVE} & set(names):
                yield "tariff", index, key, place, "days"
