"""Tariff files for the tests of the desk, from as little text as they need."""

from gated.tariff.file import TariffFile, check_tariffs
from gated.toml import parse

ANSWERS = """
zero_stay = "free"
second_visit = "separate"
"""
BLOCKS = """
limit_reading = "inclusive"
new_day = "rolling_24h"
"""


def tariff_file(*tariffs: str, head: str = "", zone: str = "Europe/Berlin") -> TariffFile:
    """A file of these tariffs, each the text below its `[[tariff]]`; `head` is other tables."""
    tables = "".join(f"\n[[tariff]]\n{text}\n" for text in tariffs)
    text = f'[facility]\ntime_zone = "{zone}"\ncurrency = "EUR"\n{head}\n{tables}'
    return check_tariffs(parse(text, "tariff.toml"))


def flat(name: str, amount: str = "5.00", more: str = "") -> str:
    """A flat tariff."""
    return f'name = "{name}"\nstrategy = "FLAT"\namount = "{amount}"\n{ANSWERS}{more}'


def blocks(steps: str, more: str = "", name: str = "standard") -> str:
    """A tariff of blocks that begins anew every 24 hours."""
    return f'name = "{name}"\nstrategy = "BLOCK"\nsteps = [{steps}]\n{ANSWERS}{BLOCKS}{more}'


def banded(bands: str, more: str = "", border: str = "restart", name: str = "banded") -> str:
    """A tariff of bands."""
    return (
        f'name = "{name}"\nstrategy = "BAND"\nbands = [{bands}]\n{ANSWERS}{BLOCKS}'
        f'band_border = "{border}"\n{more}'
    )


def holiday(day: str, kind: str = "holiday") -> str:
    """A day of the calendar."""
    return f'\n[[calendar]]\nday = {day}\nkind = "{kind}"\n'
