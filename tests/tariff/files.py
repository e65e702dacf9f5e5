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

CALENDAR = """\
[[calendar]]
day = 2026-12-25
kind = "holiday"
name = "Christmas Day"
[[calendar]]
day = "2026-05-16"
kind = "match"
"""

# Every field of the language; CALENDAR has to stand beside it.
EVERYTHING = """\
[[tariff]]
name = "T"
strategy = "BAND"
priority = 7
free_minutes = 10
free_minutes_reading = "deducted"
free_minutes_limit = "exclusive"
zero_stay = "free"
limit_reading = "inclusive"
new_day = "calendar_day"
day_begins = "06:00"
band_border = "continue"
entrance_fee = "1.00"
entrance_fee_capped = false
minimum = "1.50"
special_wins = "cheapest"
occupancy = [{ from_percent = 80, factor = "1.25" }, { from_percent = "92.5", factor = 2 }]
occupancy_caps = "fixed"
validation_order = "given"
validation_stacking = "all"
second_visit = "reduced"
second_visit_minutes = 30
second_visit_percent = "33.3"
tax_included = true
tax_per = "total"
taxes = [{ name = "VAT", percent = "7.7", rounding = "half_up" }]
rounding = { mode = "half_even", per = "total", to = "0.05" }
lost_ticket = { amount = "25.00", reading = "at_least" }
[tariff.for]
vehicle_types = ["CAR", "VAN"]
electric = true
accessible = false
members = ["gold"]
reserved = true
zones = ["A"]
[[tariff.bands]]
name = "week"
days = ["mon", "tue", "wed", "thu", "fri"]
steps = [
    { minutes = 60, price = "2.00", times = 1 },
    { seconds = 1, price = "3.00", price_minutes = 60 },
]
maximum = "12.00"
[[tariff.bands]]
name = "night"
from = "22:00"
until = "24:00"
tiers = [{ up_to_minutes = 60, price = "0.12345678" }, { price = "1" }]
[[tariff.bands]]
name = "matches"
days = ["match", "holiday", "holiday_eve"]
flat = "9.00"
[[tariff.bands]]
name = "weekend"
days = ["sat", "sun"]
free = true
[[tariff.bands]]
name = "never"
days = ["sun"]
unsold = true
[[tariff.caps]]
per = "calendar_week"
amount = "50.00"
reading = "multiplied"
week_begins = "mon"
begins = "02:00"
[[tariff.specials]]
name = "early bird"
price = "8.00"
days = ["mon"]
enter_from = "06:00"
enter_until = "09:00"
exit_from = "15:00"
exit_until = "24:00"
exit_day = 0
[[tariff.specials]]
name = "theatre"
price = "6.00"
exit_until = "24:00"
exit_day = "any"
[[tariff.validations]]
name = "hotel"
free = true
[[tariff.validations]]
name = "shop"
free_minutes = 60
[[tariff.validations]]
name = "cinema"
amount = "2.00"
[[tariff.validations]]
name = "club"
percent = 50
[tariff.reservation]
early = "free"
unused = "charged"
overstay = "anew"
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
