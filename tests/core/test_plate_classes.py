"""Classes of plates: what each country issues, and when a misread text can only mean one plate."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.confusables import alike
from gated.core.plate_classes import Classed, Country, classified, fits
from gated.core.plates import Plate, normalise

# As they stand on vehicles; what separates the groups is taken away before they are compared.
ISSUED = {
    Country.AT: ["W-12345 B", "S-626 VY", "KU-217 BI", "W-TKT 1", "ZE-248 KJ"],
    Country.BE: ["1-ABC-234", "ABC-123", "123-ABC"],
    Country.BG: ["CA 1234 AB", "PB 5678 KT"],
    Country.CH: ["ZH 123456", "BE 7", "GE 100 200"],
    Country.CN: ["京A·12345", "粤B·D12345"],
    Country.CZ: ["1A2 3456", "4AB 1234"],
    Country.DE: ["B-A 1", "HH-AB 1234", "TÖL-BA 218", "FFB-AM 483", "M-E 123 E", "OF-PS 30 H"],
    Country.DK: ["AB 12 345"],
    Country.EE: ["123 ABC"],
    Country.ES: ["1234 BCD", "M-1234-AB"],
    Country.FI: ["ABC-123", "ÄB-1"],
    Country.FR: ["AA-123-BB", "1234 AB 75", "123 ABC 2A"],
    Country.GB: ["AB12 CDE", "A123 BCD", "ABC 123A", "AM 51", "1 A", "ABZ 1234"],
    Country.GR: ["ABE-1234", "\u0391\u0392\u0395-1234"],
    Country.HR: ["ZG 1234-AB", "ŠI 123-C"],
    Country.HU: ["ABC-123", "AA BC-123"],
    Country.IE: ["12-D-1234", "131-KE-1", "06-WX-123456"],
    Country.IT: ["AB 123 CD"],
    Country.KR: ["12가 3456", "123나 4567"],
    Country.LI: ["FL 12345"],
    Country.LT: ["ABC 123"],
    Country.LU: ["AB 1234", "12345"],
    Country.LV: ["AB-1234", "AB-1"],
    Country.NL: ["99-XX-99", "XX-99-XX", "9-XXX-99", "N-001-SB", "GGG-01-B", "1-VB-123"],
    Country.NO: ["AB 12345"],
    Country.PL: ["WA 12345", "KR 1234A", "WPR 12AC", "PO 1A234", "DW 1AC23"],
    Country.PT: ["12-34-AB", "AB-12-CD"],
    Country.RO: ["B 123 ABC", "CJ 12 ABC"],
    Country.RU: ["A123BC 77", "\u0410123\u0412\u0421 777"],
    Country.SE: ["ABC 123", "ABC 12D"],
    Country.SI: ["LJ AB-123", "MB 12-34C"],
    Country.SK: ["BA 123 CD"],
    Country.TR: ["34 A 12345", "06 AB 123", "34 ABC 12"],
    Country.UA: ["AA 1234 BB"],
}


@pytest.mark.parametrize("country", Country)
def test_what_a_country_issues_fits_its_classes(country: Country) -> None:
    for shown in ISSUED[country]:
        plate = normalise(shown)
        assert plate is not None
        assert fits(plate, [country]), shown
        assert classified(plate, [country]) == Classed(expected=True)


@pytest.mark.parametrize(
    ("country", "text"),
    [
        (Country.DE, "HHAB0123"),  # no number begins with a zero
        (Country.DE, "HHABCD1234"),
        (Country.DE, "HHÄB123"),  # umlauts are in districts alone, of three characters at most
        (Country.FR, "IO123AB"),
        (Country.ES, "1234ABC"),  # no vowels
        (Country.NL, "99AEIO"),
        (Country.CH, "XX123"),
        (Country.PL, "PO1B234"),  # no letter that looks like a digit
        (Country.GB, "QQ12ABC"),
        (Country.IE, "12XX1234"),
    ],
)
def test_what_a_country_does_not_issue(country: Country, text: str) -> None:
    if text == "HHÄB123":
        assert fits(Plate(text), [country])  # the gap is not read: HHÄ-B 123 is as good
    else:
        assert not fits(Plate(text), [country])


@pytest.mark.parametrize(
    ("text", "countries", "meant"),
    [
        ("HHAB1O34", "DE", "HHAB1034"),
        ("HHAB1Q34", "DE", "HHAB1034"),
        ("HHAB123B", "DE", "HHAB1238"),
        ("2H123456", "CH", "ZH123456"),
        ("AB1Z3CD", "FR", "AB123CD"),
        ("1234B0C", "ES", "1234BDC"),  # neither O nor Q is issued
        ("AAI23BB", "FR IT", "AA123BB"),
        # Two characters: too much to be sure of.
        ("HHAB1OO4", "DE", None),
        # O, D or Q: nobody can tell.
        ("H0AB123H1", "DE", None),
        ("0HAB1234", "DE", None),
        # Not one that looks alike.
        ("HHAB1X34", "DE", None),
        # Good plates of somebody else are no misreadings: Dutch, Austrian, British.
        ("1ABC23", "DE", None),
        ("W12345B", "DE", None),
        ("A123BCD", "DE FR", None),
        # Fits as it is.
        ("HHAB1034", "DE", None),
        # Nothing is expected.
        ("HHAB1O34", "", None),
    ],
)
def test_what_a_misfit_stands_for(text: str, countries: str, meant: str | None) -> None:
    found = classified(Plate(text), [Country(code) for code in countries.split()])
    assert found.meant == (None if meant is None else Plate(meant))


def test_a_good_plate_of_another_country_is_told_from_nonsense() -> None:
    assert classified(Plate("1ABC23"), [Country.DE]).elsewhere
    assert not classified(Plate("HHAB1X34"), [Country.DE]).elsewhere


letters = st.text(st.sampled_from("ABDGHIKOQSTUVZÖ0123456789"), min_size=1, max_size=9)
some = st.lists(st.sampled_from(Country), max_size=4, unique=True)
issued = [
    (country, plate)
    for country, shown in ISSUED.items()
    for text in shown
    if (plate := normalise(text)) is not None
]


@given(st.sampled_from(issued), st.integers(0, 8), st.sampled_from("0ODQ1I2Z5S6G8BL7TUV"), some)
def test_what_is_meant_is_one_likely_misreading_away_and_issued(
    one: tuple[Country, Plate], position: int, character: str, others: list[Country]
) -> None:
    country, plate = one
    at = position % len(plate.text)
    read = Plate(plate.text[:at] + character + plate.text[at + 1 :])
    countries = [country, *others]
    found = classified(read, countries)
    if found.meant is None:
        return
    assert not found.expected
    assert not found.elsewhere
    assert not fits(read, tuple(Country))
    assert fits(found.meant, countries)
    pairs = zip(read.text, found.meant.text, strict=True)
    changed = [(one, other) for one, other in pairs if one != other]
    assert len(changed) == 1
    assert alike(*changed[0])


@given(letters, some)
def test_what_is_meant_means_itself(text: str, countries: list[Country]) -> None:
    found = classified(Plate(text), countries)
    if found.meant is not None:
        assert classified(found.meant, countries) == Classed(expected=True)


@given(letters, some)
def test_the_order_of_the_countries_does_not_matter(text: str, countries: list[Country]) -> None:
    plate = Plate(text)
    assert classified(plate, countries) == classified(plate, countries[::-1])


def test_a_judgement_takes_no_time_worth_mentioning() -> None:
    classified(Plate("HHAB1O34"), list(Country))
    started = time.perf_counter()
    for _ in range(100):
        classified(Plate("HHAB1O34"), [Country.DE, Country.NL])
    assert time.perf_counter() - started < 1.0
