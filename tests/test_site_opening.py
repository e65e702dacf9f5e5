"""Opening hours in site files: mistakes are named with their lines, the rest is understood."""

from datetime import date

import pytest
from pydantic import ValidationError

from gated.core.errors import ConfigError
from gated.core.opening import OpeningHours, OpeningWindow
from gated.devices.families import CODECS
from gated.site import Site, opening_hours
from gated.site_plan import changes, describe, wanted
from gated.site_rules import check_site
from gated.toml import parse
from tests.test_site import CALENDAR, GOOD

WEEK = """\
[opening]
exempt = ["staff"]
closed = ["sun"]
[[opening.hours]]
days = ["mon", "holiday_eve"]
from = "06:00"
until = "01:00"
[[opening.hours]]
"""
NIGHT = """\
[lane.opening]
exempt = []
[[lane.opening.hours]]
from = "20:00"
until = "06:00"
"""
IN, OUT = 'slug = "in-box"', 'slug = "out-relay"'


def at_lane(box: str, tables: str) -> tuple[str, str]:
    """The tables at the lane with this box."""
    return f"[[lane.device]]\n{box}", f"{tables}[[lane.device]]\n{box}"


# In a file with WEEK from line 7 on.
MISTAKES: list[tuple[list[tuple[str, str]], list[str]]] = [
    ([("until", "untill")], ["13: opening.hours.untill: unknown key: did you mean until?"]),
    ([('"06:00"', '"6:00"')], ['12: opening.hours.from: expected a time of day from "00:00" to']),
    ([('"01:00"', '"24:01"')], ['13: opening.hours.until: expected a time of day from "00:00" to']),
    (
        [('from = "06:00"\n', "")],
        ["10: opening.hours.from: is missing: expected from and until, or neither: the whole day"],
    ),
    (
        [('"mon", ', '"monday", ')],
        ['11: opening.hours.days: no such day: "monday", did you mean mon?'],
    ),
    (
        [('"holiday_eve"', '"market"')],
        ['11: opening.hours.days: no such day: "market", expected one of: mon, tue'],
    ),
    ([('"sun"', '"monn"')], ['9: opening.closed: no such day: "monn", did you mean mon?']),
    (
        [('"sun"', '"mon"')],
        ['11: opening.hours.days: contradicts closed, which names "mon" too'],
    ),
    (
        [('["mon", "holiday_eve"]', '["mon", "mon"]')],
        ['11: opening.hours.days: expected each once, got "mon" twice'],
    ),
    (
        [('["staff"]', '["transient"]')],
        ["8: opening.exempt: expected 'registered', 'reservation', 'subscription' or 'staff', got"],
    ),
    (
        [('exempt = ["staff"]\n', "")],
        ["7: opening.exempt: is missing: expected whom closed hours do not concern, such as [] or"],
    ),
    (
        [(WEEK, "[opening]\nexempt = []\n")],
        ["7: opening.hours: is missing: expected at least one [[opening.hours]]"],
    ),
    (
        [(WEEK, ""), at_lane(IN, "[lane.opening]\nclosed = []\n")],
        [
            "17: lane.opening.hours: is missing: expected at least one [[lane.opening.hours]]",
            "17: lane.opening.exempt: is missing",
        ],
    ),
    (
        [
            ('"06:00"', '"6:00"'),
            ('["sun"]', '["son"]'),
            ('exempt = ["staff"]\n', ""),
            at_lane(OUT, NIGHT),
        ],
        [
            "7: opening.exempt: is missing",
            '8: opening.closed: no such day: "son"',
            "11: opening.hours.from: expected a time of day",
            "30: lane.opening: goes with an entry alone: who is inside may always leave",
        ],
    ),
]


def with_week(*replaced: tuple[str, str]) -> Site:
    text = GOOD.replace("[[zone]]", f"{WEEK}[[zone]]")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new, 1)
    return check_site(parse(text, "site.toml"), CODECS).site


@pytest.mark.parametrize(("replaced", "expected"), MISTAKES)
def test_mistakes_are_named_all_at_once(
    replaced: list[tuple[str, str]], expected: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        with_week(*replaced)
    found = [line.removeprefix("site.toml:") for line in str(caught.value).splitlines()]
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start), line


def test_what_the_calendar_names_may_be_named() -> None:
    site = with_week(("[[tariff]]", f"{CALENDAR}[[tariff]]"), ('"sun"', '"holiday"'))
    assert site.opening is not None
    assert site.opening.closed == ("holiday",)


SEOUL = date(2026, 12, 25), frozenset({"holiday"})


def test_hours_are_understood() -> None:
    site = with_week()
    assert site.opening is not None
    stated = site.opening.stated()
    assert opening_hours(stated, None, "Asia/Seoul", dict([SEOUL])) == OpeningHours(
        windows=(
            OpeningWindow(360, 1500, frozenset({"mon", "holiday_eve"})),
            OpeningWindow(0, 1440),
        ),
        closed=frozenset({"sun"}),
        exempt=frozenset({"staff"}),
        time_zone="Asia/Seoul",
        calendar=dict([SEOUL]),
    )


def test_a_lane_states_what_differs() -> None:
    lane = with_week(at_lane(IN, NIGHT)).lane[0]
    assert lane.opening is not None
    general = {"hours": [{}], "closed": ["sun"], "exempt": ["staff"]}
    merged = opening_hours(general, lane.opening.stated(), "Asia/Seoul", {})
    assert merged is not None
    assert merged.windows == (OpeningWindow(1200, 1800),)
    assert (merged.closed, merged.exempt) == (frozenset({"sun"}), frozenset())
    assert opening_hours(None, None, "Asia/Seoul", {}) is None
    with pytest.raises(ValidationError):
        opening_hours({"hours": [{"form": "06:00"}]}, None, "Asia/Seoul", {})


def test_a_change_is_shown_by_what_differs() -> None:
    before, after = (
        wanted(with_week()),
        wanted(with_week(('"01:00"', '"02:00"'), at_lane(IN, NIGHT))),
    )
    found = list(describe(changes(before, after)))
    assert [each[:3] for each in found] == [
        ("change", "facility", "north"),
        ("change", "lane", "in"),
    ]
    facility, lane = (each[3] for each in found)
    assert facility.startswith("opening: hours (days mon holiday_eve, from 06:00, until 01:00) → ")
    assert lane == "opening: nothing → hours (from 20:00, until 06:00), exempt nothing"
