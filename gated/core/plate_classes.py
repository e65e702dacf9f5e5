"""Classes of plates: which texts a country issues, and what a text of none of them may stand for.

A class says for each position which characters may stand there. It proves nothing: classes
overlap, people choose their own texts, and no list is complete. So a text that fits no class of
the countries that a facility expects is only trusted less, and what it may stand for is only a
further candidate: docs/decisions/0016-plates-by-class.md says why.

Sources: positions after the pattern table of OpenALPR (openalpr/openalpr,
runtime_data/postprocess/eu.patterns); letters that are not issued and formats that are missing
there after the German FZV (section 9 and its annex on identification numbers), the RDW's sidecodes
1 to 14 (raivereniging.nl, de.wikipedia.org "Systematik der Kfz-Kennzeichen (Niederlande)"),
the plate page of eu-vignette/vignette-api (AT, BG, CZ, HR, PL, RO), drivearchive.co.uk and
vehixa.co.uk (GB), surinenglish.com (ES), tagtik.be (FR). Trade, diplomatic and military plates
are mostly left out: they are trusted less, no more than that.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from itertools import product
from string import ascii_uppercase, digits

from gated.core.confusables import alike
from gated.core.plates import Plate


class Country(StrEnum):
    """Whose plates are known here, by ISO 3166."""

    AT = "AT"
    BE = "BE"
    BG = "BG"
    CH = "CH"
    CN = "CN"
    CZ = "CZ"
    DE = "DE"
    DK = "DK"
    EE = "EE"
    ES = "ES"
    FI = "FI"
    FR = "FR"
    GB = "GB"
    GR = "GR"
    HR = "HR"
    HU = "HU"
    IE = "IE"
    IT = "IT"
    KR = "KR"
    LI = "LI"
    LT = "LT"
    LU = "LU"
    LV = "LV"
    NL = "NL"
    NO = "NO"
    PL = "PL"
    PT = "PT"
    RO = "RO"
    RU = "RU"
    SE = "SE"
    SI = "SI"
    SK = "SK"
    TR = "TR"
    UA = "UA"


# L a letter, D a digit, N a digit but 0, X either; [ABC] one of these, (AB|C) one of these words;
# {2}, {1,3} and ? say how often. Spaces mean nothing. In normal form: separators are gone, and
# Cyrillic and Greek letters that look Latin are Latin.
_NL = "[BDFGHJKLMNPRSTVWXZ]"
_FR = "[ABCDEFGHJKLMNPQRSTVWXYZ]"
_IT = "[ABCDEFGHJKLMNPRSTVWXYZ]"
_PL = "[ACEFGHJKLMNPRSTUVWXY]"
_GB = "[ABCDEFGHJKLMNOPRSTUVWXYZ]"
_CZ = "[ABCDEFHIJKLMNPRSTUVXYZ]"
_CN = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_IE = "(C|CE|CN|CW|D|DL|G|KE|KK|KY|L|LD|LH|LK|LM|LS|MH|MN|MO|OY|RN|SO|T|TN|TS|W|WD|WH|WX|WW)"
_KR = "[가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호]"
_RU = "[ABEKMHOPCTYX]"
_UA = "[ABCEHIKMOPTX]"
_CLASSES: dict[Country, tuple[str, ...]] = {
    Country.AT: ("L{1,2} N D{0,4} L{1,3}", "L{2,7} N D{0,4}"),
    Country.BE: ("N L{3} D{3}", "L{3} D{3}", "D{3} L{3}"),
    Country.BG: ("[ABEKMHOPCTYX]{1,2} D{4} [ABEKMHPCTX]{1,2}",),
    Country.CH: (
        "(AG|AI|AR|BE|BL|BS|FR|GE|GL|GR|JU|LU|NE|NW|OW|SG|SH|SO|SZ|TG|TI|UR|VD|VS|ZG|ZH) N D{0,5}",
    ),
    Country.CN: (f"{_CN} [ABCDEFGHJKLMNPQRSTUVWXYZ] [ABCDEFGHJKLMNPQRSTUVWXYZ0123456789]{{5,6}}",),
    Country.CZ: (f"N {_CZ} D{{5}}", f"N {_CZ}{{2}} D{{4}}"),
    # District, one or two letters and a number; army, federal police, civil protection.
    Country.DE: (
        "[ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜ]{1,3} L{1,2} N D{0,3} [EH]?",
        "Y D{6}",
        "(BP) D{3,5}",
        "(THW) D{5}",
    ),
    Country.DK: ("L{2} D{5}",),
    Country.EE: ("D{3} L{3}",),
    Country.ES: ("D{4} [BCDFGHJKLMNPRSTVWXYZ]{3}", "L{1,2} D{4} L{1,2}"),
    Country.FI: ("[ABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖ]{2,3} N D{0,2}",),
    # Since 2009, and before it with the department at the end.
    Country.FR: (
        f"{_FR}{{2}} D{{3}} {_FR}{{2}}",
        "N D{0,3} L{2,3} D{2}",
        "N D{0,3} L{2,3} (2A|2B)",
    ),
    # Since 2001; by year letter before or behind; without a year, and Northern Ireland.
    Country.GB: (
        f"{_GB}{{2}} D{{2}} {_GB}{{3}}",
        "L N D{0,2} L{3}",
        "L{3} N D{0,2} L",
        "L{1,3} N D{0,3}",
        "N D{0,3} L{1,3}",
    ),
    Country.GR: ("[ABEZHIKMNOPTYX]{3} D{4}",),
    Country.HR: ("[ABCDEFGHIJKLMNOPRSTUVZČŠŽ]{2} D{3,4} L{1,2}",),
    Country.HU: ("L{3} D{3}", "L{4} D{3}"),
    Country.IE: (f"D{{2}} [12]? {_IE} N D{{0,5}}",),
    Country.IT: (f"{_IT}{{2}} D{{3}} {_IT}{{2}}",),
    Country.KR: (f"D{{2,3}} {_KR} D{{4}}",),
    Country.LI: ("(FL) N D{0,5}",),
    Country.LT: ("L{3} D{3}",),
    Country.LU: ("L{2} D{4}", "N D{3,4}"),
    Country.LV: ("L{2} N D{0,3}",),
    # Sidecodes 1 to 3, then 4 to 14 without vowels.
    Country.NL: (
        "L{2} D{4}",
        "D{4} L{2}",
        "D{2} L{2} D{2}",
        f"{_NL}{{2}} D{{2}} {_NL}{{2}}",
        f"{_NL}{{4}} D{{2}}",
        f"D{{2}} {_NL}{{4}}",
        f"D{{2}} {_NL}{{3}} D",
        f"D {_NL}{{3}} D{{2}}",
        f"{_NL}{{2}} D{{3}} {_NL}",
        f"{_NL} D{{3}} {_NL}{{2}}",
        f"{_NL}{{3}} D{{2}} {_NL}",
        f"{_NL} D{{2}} {_NL}{{3}}",
        f"D {_NL}{{2}} D{{3}}",
        f"D{{3}} {_NL}{{2}} D",
    ),
    Country.NO: ("[ABCDEFHJKLNPRSTUVXYZ]{2} D{5}",),
    # A district of two or three letters; behind it no letter that looks like a digit.
    Country.PL: (
        "L{2} D{5}",
        f"L{{2}} D{{4}} {_PL}",
        f"L{{2}} D{{3}} {_PL}{{2}}",
        f"L{{2}} D {_PL} D{{3}}",
        f"L{{2}} D {_PL}{{2}} D{{2}}",
        f"L{{3}} {_PL} D{{3}}",
        f"L{{3}} {_PL}{{2}} D{{2}}",
        f"L{{3}} D {_PL} D{{2}}",
        f"L{{3}} D{{2}} {_PL} D",
        f"L{{3}} D {_PL}{{2}} D",
        f"L{{3}} D{{2}} {_PL}{{2}}",
        "L{3} D{5}",
        f"L{{3}} D{{4}} {_PL}",
        f"L{{3}} D{{3}} {_PL}{{2}}",
    ),
    Country.PT: ("L{2} D{4}", "D{4} L{2}", "D{2} L{2} D{2}", "L{2} D{2} L{2}"),
    Country.RO: ("B D{2,3} [ABCDEFGHIJKLMNOPRSTUVWXYZ]{3}", "L{2} D{2} L{3}"),
    Country.RU: (f"{_RU} D{{3}} {_RU}{{2}} D{{2,3}}",),
    Country.SE: ("[ABCDEFGHJKLMNOPRSTUWXYZ]{3} D{2} [ABCDEFGHJKLMNPRSTUWXYZ0123456789]",),
    Country.SI: ("(CE|GO|KK|KP|KR|LJ|MB|MS|NM|PO|SG) X{5}",),
    Country.SK: ("L{2} D{3} L{2}",),
    Country.TR: ("D{2} L D{4,5}", "D{2} L{2} D{3,4}", "D{2} L{3} D{2,3}"),
    Country.UA: (f"{_UA}{{2}} D{{4}} {_UA}{{2}}",),
}

_TOKEN = re.compile(r"(\[[^\]]+\]|\([^)]+\)|\w)(?:\{(\d)(?:,(\d))?\}|(\?))?")
_SETS = {
    "L": frozenset(ascii_uppercase),
    "D": frozenset(digits),
    "N": frozenset(digits) - {"0"},
    "X": frozenset(ascii_uppercase + digits),
}

# The characters of one text of a class, position by position.
_Positions = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Classed:
    """What the classes say of a text.

    `expected`: it fits a class of the countries that are expected, or none are stated.
    `elsewhere`: it fits no such class, but one of another country. `meant`: it fits no class at
    all, and this is the only text of an expected one that differs in a single character, which
    looks alike.
    """

    expected: bool
    elsewhere: bool = False
    meant: Plate | None = None


def classified(plate: Plate, countries: Collection[Country]) -> Classed:
    """Judge the text by the classes of the countries that are expected; none: anything is."""
    return _classified(plate, tuple(countries))


# One vehicle is read several times, and each read is judged more than once.
@lru_cache(maxsize=1024)
def _classified(plate: Plate, countries: tuple[Country, ...]) -> Classed:
    if not countries or fits(plate, countries):
        return Classed(expected=True)
    if fits(plate, tuple(Country)):
        return Classed(expected=False, elsewhere=True)
    meant = {text for country in countries for text in _near(plate.text, country)}
    return Classed(expected=False, meant=Plate(meant.pop()) if len(meant) == 1 else None)


def fits(plate: Plate, countries: Collection[Country]) -> bool:
    """Whether one of these countries has a class that the text fits."""
    text = plate.text
    return any(
        all(character in allowed for character, allowed in zip(text, positions, strict=True))
        for country in countries
        for positions in _classes(country).get(len(text), ())
    )


def _near(text: str, country: Country) -> Iterator[str]:
    """The texts of the country's classes with one other character, which looks alike."""
    for positions in _classes(country).get(len(text), ()):
        wrong = [at for at, allowed in enumerate(positions) if text[at] not in allowed]
        if len(wrong) == 1:
            (at,) = wrong
            for character in positions[at]:
                if alike(text[at], character):
                    yield text[:at] + character + text[at + 1 :]


@cache
def _classes(country: Country) -> dict[int, tuple[_Positions, ...]]:
    """The country's classes by length, each with a fixed number of positions."""
    by_length: dict[int, set[_Positions]] = {}
    for pattern in _CLASSES[country]:
        for positions in _expanded(pattern):
            by_length.setdefault(len(positions), set()).add(positions)
    return {length: tuple(found) for length, found in by_length.items()}


def _expanded(pattern: str) -> Iterator[_Positions]:
    """Every fixed sequence of positions that the pattern stands for."""
    tokens = [_ways(*token.groups()) for token in _TOKEN.finditer(pattern)]
    for ways in product(*tokens):
        yield tuple(allowed for way in ways for allowed in way)


def _ways(what: str, least: str | None, most: str | None, maybe: str | None) -> list[_Positions]:
    if what.startswith("("):
        return [tuple(frozenset(letter) for letter in word) for word in what[1:-1].split("|")]
    one = frozenset(what[1:-1]) if what.startswith("[") else _SETS.get(what, frozenset(what))
    low = 0 if maybe else int(least or 1)
    high = 1 if maybe else int(most or low)
    return [(one,) * count for count in range(low, high + 1)]
