"""The lines of a price in words."""

from typing import Any

import pytest

from gated.desk.lines import binds, label, limit_words, names, ordered, words

RULE = {"rule": "b7a6", "name": "standard"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "free", "free_minutes": 15, "amount": "0.00"}, "free, 15 min"),
        ({"kind": "entrance", "amount": "1.00"}, "entrance fee"),
        ({"kind": "flat", "band": "night", "amount": "3.00"}, "flat, night"),
        (
            {"kind": "block", "minutes": 30, "blocks": 5, "unit_price": "1.00", "band": None},
            "5 x 30 min at 1.00",
        ),
        (
            {"kind": "block", "seconds": 1, "blocks": 90, "unit_price": "0.01", "factor": "1.50"},
            "90 x 1 s at 0.01, x 1.5 by occupancy",
        ),
        (
            {"kind": "block", "block_minutes": 60, "blocks": 2, "unit_price": "2.00"},
            "2 x 60 min at 2.00",
        ),
        ({"kind": "tier", "up_to_minutes": 300, "amount": "4.00"}, "up to 300 min"),
        ({"kind": "tier", "band": "day"}, "any longer time, day"),
        ({"kind": "band_free", "band": "lunch"}, "free, lunch"),
        ({"kind": "unsold", "band": "night"}, "not sold, night"),
        ({"kind": "maximum", "band": "day", "limit": "9.00"}, "maximum, day, at most 9.00"),
        (
            {"kind": "cap", "per": "rolling_24h", "limit": "20.00"},
            "cap per 24 hours, at most 20.00",
        ),
        ({"kind": "special", "special": "early bird"}, "special early bird"),
        ({"kind": "minimum"}, "up to the minimum"),
        ({"kind": "second_visit"}, "second visit"),
        ({"kind": "validation", "validation": "cinema"}, "validation cinema"),
        ({"kind": "lost_ticket"}, "lost ticket"),
        ({"kind": "rounding", "mode": "half_up"}, "rounding"),
        ({"kind": "tax", "tax": "VAT", "percent": "19", "included": False}, "VAT 19 %"),
        ({"kind": "tax", "tax": "VAT", "percent": "7.70", "included": True}, "contains VAT 7.7 %"),
        ({"kind": "covered", "by": "subscription"}, "covered by subscription"),
        ({"kind": "waived", "amount": "-2.50", "saved": "2.50"}, "waived"),
        (
            {"kind": "evacuated", "seconds": 3900, "amount": "0.00"},
            "1 h 5 min of evacuation, not counted",
        ),
        ({"kind": "evacuated", "amount": "0.00"}, "evacuation, not counted"),
        ({"kind": "moon_phase", "amount": "1.00"}, "moon phase"),
        ({}, "line"),
    ],
)
def test_each_kind_has_its_words_and_an_unknown_one_its_name(
    line: dict[str, Any], said: str
) -> None:
    assert words({**RULE, **line}) == said


def test_what_makes_a_difference_is_known_by_kind_and_label() -> None:
    cap = {**RULE, "kind": "cap", "per": "calendar_day", "amount": "-1.00", "saved": "1.00"}
    idle = {**RULE, "kind": "maximum", "band": "day", "amount": "0.00"}
    special = {**RULE, "kind": "special", "special": "early", "amount": "0.00", "saved": None}
    assert [binds(line) for line in (cap, idle, special)] == [True, False, True]
    assert label(idle) == "day"
    assert names([cap, idle, special]) == {("cap", "calendar_day"), ("special", "early")}
    assert limit_words("cap", "calendar_day") == "cap per day counts"
    assert limit_words("minimum", "") == "minimum counts"


def test_a_line_is_told_from_what_it_is_to_its_amount() -> None:
    line = {
        "amount": "2.00",
        "unit_price": "2.00",
        "band": None,
        "kind": "block",
        **RULE,
        "blocks": 1,
    }
    assert list(ordered(line)) == ["kind", "name", "blocks", "unit_price", "amount"]
