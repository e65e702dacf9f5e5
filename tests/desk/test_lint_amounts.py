"""Caps, maxima and minima that can never count, told from the amounts alone."""

import pytest

from gated.desk.lint_amounts import amount_findings
from tests.desk.tariffs import banded, blocks, flat, tariff_file

HOUR = '{ minutes = 60, price = "2.00" }'


def told(tariff: str) -> list[tuple[str, str]]:
    found = amount_findings(tariff_file(tariff), 0).values()
    return [(each.kind, each.text) for each in found]


def cap(per: str, amount: str, more: str = "") -> str:
    return f'{{ per = "{per}", amount = "{amount}", reading = "each"{more} }}'


@pytest.mark.parametrize(("amount", "finds"), [("48.00", True), ("47.99", False)])
def test_a_daily_cap_that_a_day_of_blocks_does_not_reach(amount: str, finds: bool) -> None:
    found = told(blocks(HOUR, f"caps = [{cap('rolling_24h', amount)}]"))
    assert [kind for kind, _ in found] == ["cap_without_effect"] * finds
    assert not finds or found[0][1].endswith(
        "the cap per rolling_24h of 48.00 is never reached: its time costs 48.00 at most"
    )


def test_a_day_of_the_calendar_may_last_an_hour_longer() -> None:
    anew = HOUR, 'new_day = "calendar_day"\n'
    text = blocks(HOUR).replace('new_day = "rolling_24h"\n', anew[1])
    assert not told(f"{text}caps = [{cap('calendar_day', '50.00')}]")
    assert told(f"{text}caps = [{cap('calendar_day', '52.00')}]")
    begins = ', begins = "04:00"'
    assert not told(f"{text}caps = [{cap('calendar_day', '52.00', begins)}]"), "not the same day"


def test_a_weekly_cap_above_seven_daily_ones() -> None:
    caps = f"caps = [{cap('rolling_24h', '10.00')}, {cap('rolling_7d', '%s')}]"
    ((kind, text),) = told(blocks(HOUR, caps % "70.00"))
    assert kind == "cap_without_effect"
    assert text.endswith("never reached: seven times the 10.00 per rolling_24h are no more")
    assert not told(blocks(HOUR, caps % "69.00"))


def test_steps_end_and_shares_are_left_to_the_prices() -> None:
    steps = '{ minutes = 30, price = "1.00", times = 2 }, { minutes = 60, price = "0.60"%s }'
    assert told(blocks(steps % "", f"caps = [{cap('rolling_24h', '15.80')}]"))
    assert not told(blocks(steps % "", f"caps = [{cap('rolling_24h', '15.79')}]"))
    rounded = f'caps = [{cap("rolling_24h", "99")}]\nrounding = {{ mode = "up", per = "line" }}'
    assert not told(blocks(steps % ", price_minutes = 7", rounded))


def test_an_entrance_fee_counts_where_it_is_capped() -> None:
    fee = 'entrance_fee = "1.00"\nentrance_fee_capped = {}\n'
    caps = f"caps = [{cap('rolling_24h', '5.50')}]"
    assert not told(flat("f", "5.00", fee.format("true") + caps))
    assert told(flat("f", "5.00", fee.format("false") + caps))


def test_a_minimum_below_the_first_block() -> None:
    assert [kind for kind, _ in told(blocks(HOUR, 'minimum = "2.00"'))] == [
        "minimum_without_effect"
    ]
    assert not told(blocks(HOUR, 'minimum = "2.50"'))
    cheap = 'special_wins = "listed"\nspecials = [{ name = "s", price = "1.00", days = ["sun"] }]'
    assert not told(blocks(HOUR, f'minimum = "2.00"\n{cheap}')), "it counts for the special"


def test_a_maximum_that_its_band_does_not_reach() -> None:
    bands = (
        '{ name = "night", from = "22:00", until = "06:00", steps = [{ minutes = 60,'
        ' price = "1.00" }], maximum = "%s" }, { name = "day", free = true }'
    )
    assert [kind for kind, _ in told(banded(bands % "10.00"))] == ["maximum_without_effect"]
    assert not told(banded(bands % "9.00")), "a clock change lengthens the night"
    assert not told(banded(bands % "10.00", border="continue")), "a clock that runs on: not simple"


def test_where_factors_may_raise_prices_nothing_is_certain() -> None:
    more = f"""
caps = [{cap("rolling_24h", "500.00")}]
occupancy = [{{ from_percent = 80, factor = "2" }}]
occupancy_caps = "fixed"
rounding = {{ mode = "half_up", per = "total" }}
"""
    assert not told(blocks(HOUR, more))
