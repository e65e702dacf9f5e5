"""What prices tell, of prices that are handed in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gated.db.tariffs import Answer, Priced, Refused
from gated.desk.lint_prices import (
    dear_special_findings,
    drop_findings,
    idle_findings,
    refusal_findings,
    validation_findings,
)
from gated.desk.moments import Moment
from gated.desk.survey import Look
from tests.desk.fakes import RULE
from tests.desk.tariffs import blocks, tariff_file

ENTRY = datetime(2026, 11, 30, 7, tzinfo=UTC)
MORE = """
minimum = "1.00"
caps = [{ per = "rolling_24h", amount = "20.00", reading = "each" }]
special_wins = "listed"
specials = [{ name = "evening", price = "5.00", enter_from = "18:00", exit_until = "24:00" }]
validation_order = "listed"
validation_stacking = "all"
validations = [{ name = "cinema", amount = "1.00" }, { name = "shop", free_minutes = 60 }]
"""
FILE = tariff_file(blocks('{ minutes = 60, price = "2.00" }', MORE))
SPECIAL = {"kind": "special", "special": "evening", "amount": "5.00", "saved": "3.00"}
CAP = {"kind": "cap", "per": "rolling_24h", "amount": "-2.00", "saved": "2.00"}


def priced(amount: str, *lines: dict[str, Any]) -> Priced:
    return Priced(Decimal(amount), "EUR", (RULE,), lines)


def look(answers: dict[int, Answer], hours_later: int = 0) -> Look:
    """A look by lengths in minutes."""
    moment = Moment(ENTRY + timedelta(hours=hours_later), "Mon", f"{8 + hours_later:02}:00")
    return Look(moment, (), {timedelta(minutes=length): each for length, each in answers.items()})


def test_the_smallest_example_of_each_cause_is_told() -> None:
    looks = [
        look({59: priced("8.00"), 240: priced("9.00"), 241: priced("5.00", SPECIAL)}),
        look({59: priced("7.00"), 60: priced("5.00", SPECIAL), 61: priced("7.00")}, 1),
        look({10: priced("9.00"), 20: priced("8.00", CAP), 30: priced("8.00", CAP)}),
        look({5: priced("2.00"), 6: priced("1.00")}),
        look({30: priced("5.00", SPECIAL), 31: priced("2.00")}),
    ]
    found = list(drop_findings(FILE, 0, looks))
    who, evening = '"standard": who stays', "because the special evening counts"
    assert [each.text for each in found] == [
        f"{who} 1 h instead of 59 min pays 2.00 less, {evening}",
        f"{who} 20 min instead of 10 min pays 1.00 less, because the cap rolling_24h counts",
        f"{who} 6 min instead of 5 min pays 1.00 less",
        f"{who} 31 min instead of 30 min pays 3.00 less, {evening} no longer",
    ]
    assert [each.place.split(":")[1] for each in found] == ["20", "18", "6", "20"]
    assert [str(each.price) for each in found[0].examples] == ["7.00", "5.00"]
    assert found[0].examples[1].exit - found[0].examples[1].entry == timedelta(hours=1)


def test_the_shortest_stay_without_a_price_is_told() -> None:
    refused = Refused("GT014", "no band covers it")
    looks = [look({1: priced("1.00"), 90: refused}), look({80: refused}, 2)]
    (found,) = refusal_findings(FILE, 0, looks)
    assert found.text == '"standard" has no price for a stay of 1 h 20 min: no band covers it'
    assert found.examples[0].price == "GT014"


def test_a_special_that_costs_more_than_it_saves_is_told() -> None:
    dear = {**SPECIAL, "saved": "-3.00"}
    looks = [look({0: priced("5.00", dear), 1: priced("5.00", dear), 600: priced("5.00", SPECIAL)})]
    (found,) = dear_special_findings(FILE, 0, looks)
    assert found.text == (
        '"standard": the special evening costs 3.00 more than the normal price of a stay of 1 min'
    )
    assert not list(dear_special_findings(FILE, 0, [look({1: priced("5.00", SPECIAL)})]))


def test_what_changed_no_price_is_told_unless_it_is_certain_already() -> None:
    minimum = {"kind": "minimum", "amount": "0.50"}
    looks = [
        look(
            {
                1: priced("1.00", minimum),
                60: priced("2.00", {**CAP, "saved": "0.00", "amount": "0.00"}),
            }
        )
    ]
    kinds = [each.kind for each in idle_findings(FILE, 0, looks)]
    assert kinds == ["cap_idle", "special_idle"]
    certain = (("tariff", 0, "caps", 0),)
    assert [each.kind for each in idle_findings(FILE, 0, looks, certain=certain)] == [
        "special_idle"
    ]
    looks.append(look({600: priced("5.00", SPECIAL), 700: priced("20.00", CAP)}))
    assert not list(idle_findings(FILE, 0, looks))


def test_a_validation_that_takes_nothing_off_is_told() -> None:
    plain = look({60: priced("2.00"), 120: priced("4.00")})
    same = look({60: priced("2.00"), 120: priced("4.00"), 180: priced("9.00")})
    less = look({60: priced("1.00"), 120: priced("3.00")})
    (found,) = validation_findings(FILE, 0, plain, [("cinema", less), ("shop", same)])
    assert (found.kind, found.place) == ("validation_idle", "tariff.toml:23")
    assert "the validation shop made no difference to any of 2 stays of up to 2 h" in found.text
