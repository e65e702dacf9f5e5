"""Which band counts: the most particular name of the day, then the order of the list."""

from datetime import date

import pytest

from gated.desk.bands import Calendar, Run, candidates, rank, runs
from gated.tariff.model import BandTariff
from gated.tariff.parts import Band
from tests.desk.tariffs import banded, holiday, tariff_file

FREE = "free = true"
DAY = f'{{ name = "day", from = "08:00", until = "20:00", {FREE} }}'
NIGHT = f'{{ name = "night", from = "20:00", until = "08:00", {FREE} }}'


def bands_of(text: str, head: str = "") -> tuple[tuple[Band, ...], Calendar]:
    file = tariff_file(banded(text), head=head)
    tariff = file.tariffs[0]
    assert isinstance(tariff, BandTariff)
    return tariff.bands, Calendar(file.calendar)


def test_a_day_is_cut_at_its_borders_and_a_night_is_of_the_evening() -> None:
    bands, calendar = bands_of(f"{DAY}, {NIGHT}")
    monday, tuesday = (calendar.kinds(date(2026, 11, day)) for day in (30, 29))
    assert runs(bands, monday, tuesday) == [
        Run(0, 480, 1, 1),
        Run(480, 1200, 0, 0),
        Run(1200, 1440, 1, 0),
    ]


def test_a_day_is_known_by_its_most_particular_name() -> None:
    head = holiday("2026-12-25") + holiday("2026-12-25", "fair") + holiday("2026-12-24", "fair")
    _, calendar = bands_of(f"{DAY}, {NIGHT}", head)
    christmas = calendar.kinds(date(2026, 12, 25))
    assert christmas == ("fair", "holiday", "fri")
    assert calendar.kinds(date(2026, 12, 24)) == ("fair", "holiday_eve", "thu")
    assert rank(("fri", "fair"), christmas) == 1
    assert rank(("fri", "holiday"), christmas) == 2
    assert rank(("holiday_eve",), calendar.kinds(date(2026, 12, 24))) == 3
    assert rank(("fri",), christmas) == rank(None, christmas) == 4
    assert rank(("sat",), christmas) is None


@pytest.mark.parametrize(("minute", "names"), [(60, ["night", "all"]), (600, ["all"])])
def test_among_equals_the_first_listed_counts(minute: int, names: list[str]) -> None:
    late = f'{{ name = "night", from = "22:00", until = "06:00", {FREE} }}'
    bands, calendar = bands_of(f'{late}, {{ name = "all", {FREE} }}')
    kinds = calendar.kinds(date(2026, 11, 30))
    found = candidates(bands, kinds, calendar.kinds(date(2026, 11, 29)), minute)
    assert [bands[place].name for _, place, _ in found] == names
