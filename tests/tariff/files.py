"""Tariff files to begin with: sound ones, of which a test breaks one thing."""

import pytest

from gated.core.errors import ConfigError
from gated.tariff.file import TariffFile, check_tariffs
from gated.toml import parse

# Line 1 to 3; what a test adds begins in line 4.
FACILITY = """\
[facility]
time_zone = "Europe/Berlin"
currency = "EUR"
"""

FLAT = """\
[[tariff]]
name = "T"
strategy = "FLAT"
amount = "4.00"
zero_stay = "charged"
second_visit = "separate"
"""

BLOCK = """\
[[tariff]]
name = "T"
strategy = "BLOCK"
steps = [{ minutes = 60, price = "2.00" }]
limit_reading = "inclusive"
zero_stay = "free"
new_day = "continue"
second_visit = "separate"
"""

TIER = """\
[[tariff]]
name = "T"
strategy = "TIER"
tiers = [{ up_to_minutes = 60, price = "2.00" }, { price = "5.00" }]
limit_reading = "inclusive"
zero_stay = "free"
new_day = "continue"
second_visit = "separate"
"""

BAND = """\
[[tariff]]
name = "T"
strategy = "BAND"
limit_reading = "inclusive"
zero_stay = "free"
new_day = "continue"
band_border = "restart"
second_visit = "separate"
[[tariff.bands]]
name = "day"
from = "06:00"
until = "22:00"
steps = [{ minutes = 60, price = "2.00" }]
[[tariff.bands]]
name = "night"
from = "22:00"
until = "06:00"
flat = "3.00"
"""


def tariffs(text: str, facility: str = FACILITY) -> TariffFile:
    """The file of these tables. Raises ConfigError."""
    return check_tariffs(parse(facility + text, "t.toml"))


def complaints(text: str, facility: str = FACILITY) -> list[str]:
    """What is wrong with the file of these tables, a line each, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        tariffs(text, facility)
    return [line.removeprefix("t.toml:") for line in str(caught.value).splitlines()]


def changed(text: str, *replaced: tuple[str, str]) -> str:
    """The text with each first one replaced by its second one."""
    for old, new in replaced:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text
