"""Bands that never count, bands that overlap in part, calendars that end."""

from datetime import date

from gated.desk.lint_bands import band_findings
from tests.desk.tariffs import banded, blocks, holiday, tariff_file

TODAY = date(2026, 11, 26)
ALL = '{ name = "else", free = true }'


def told(bands: str, head: str = "") -> list[tuple[str, str]]:
    found = band_findings(tariff_file(banded(bands), head=head), TODAY)
    return [(each.kind, each.text) for each in found]


def test_an_exception_before_its_rule_is_how_such_things_are_written() -> None:
    day = '{ name = "day", from = "08:00", until = "18:00", flat = "2.00" }'
    lunch = '{ name = "lunch", from = "12:00", until = "14:00", free = true }'
    assert not told(f"{lunch}, {day}, {ALL}")


def test_an_exception_after_its_rule_never_counts() -> None:
    sunday = '{ name = "sunday", days = ["sun"], free = true }'
    (kind, text), *rest = told(f"{ALL}, {sunday}")
    assert (kind, rest) == ("band_never_counts", [])
    assert 'band "sunday" of "banded" never counts: "else" cover its time and are listed' in text
    assert not told(f"{sunday}, {ALL}")


def test_a_day_that_is_known_better_counts_wherever_it_is_listed() -> None:
    new_year = '{ name = "new year", days = ["holiday"], free = true }'
    assert not told(f"{ALL}, {new_year}", holiday("2027-01-01"))


def test_a_band_for_days_that_never_come_never_counts() -> None:
    eve = '{ name = "eve", days = ["holiday_eve"], flat = "2.00" }'
    found = told(f"{eve}, {ALL}")
    assert [kind for kind, _ in found] == ["no_holidays", "band_never_counts"]
    assert found[1][1].endswith("never counts: the calendar has no holiday_eve")


def test_bands_that_overlap_in_part_are_told_with_a_time() -> None:
    day = '{ name = "day", from = "06:00", until = "19:00", flat = "2.00" }'
    night = '{ name = "night", from = "18:00", until = "06:00", flat = "1.00" }'
    ((kind, text),) = told(f"{day}, {night}")
    assert kind == "bands_overlap"
    assert 'bands "day" and "night" of "banded" overlap (mon 18:00, for one); there "day"' in text


def test_holidays_that_are_over_are_told() -> None:
    named = '{ name = "holidays", days = ["holiday"], free = true }'
    ((kind, text),) = told(f"{named}, {ALL}", holiday("2026-05-01"))
    assert kind == "holidays_past"
    assert "last holiday was 2026-05-01" in text
    assert not told(f"{named}, {ALL}", holiday("2026-12-25"))
    plain = tariff_file(blocks('{ minutes = 60, price = "2.00" }'), head=holiday("2026-05-01"))
    assert not list(band_findings(plain, TODAY)), "nobody asks for holidays"
