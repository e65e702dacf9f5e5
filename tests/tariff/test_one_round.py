"""Every error of a file is told in one round, and none that only follows from another one."""

import tomllib
import zoneinfo
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.tariff.file import check_tariffs
from gated.toml import dotted, parse
from tests.tariff.breaking import (
    Break,
    PlacingDocument,
    broken,
    found,
    independent,
    lacks,
    meaning,
    shape,
)
from tests.tariff.examples import TARIFFS
from tests.tariff.files import (
    BAND,
    BLOCK,
    CALENDAR,
    EVERYTHING,
    FACILITY,
    FLAT,
    TIER,
    changed,
    complaints,
    tariffs,
)

NIGHT = '[[tariff.bands]]\nname = "night"'

MIXED: list[tuple[str, str, list[str]]] = [
    (
        "a wrong type, an unknown key, and questions",
        changed(
            BLOCK,
            ('limit_reading = "inclusive"\n', ""),
            ('"2.00"', "2.00"),
            ('new_day = "continue"', 'new_day = "continue"\nfree_minutes = 10\ncolour = "red"'),
        ),
        [
            "4: tariff.free_minutes_reading: is missing: past the free minutes, are they",
            "4: tariff.free_minutes_limit: is missing: is a stay of exactly as many minutes",
            "4: tariff.limit_reading: is missing: does a stay of exactly 60 minutes still lie",
            '7: tariff.steps.price: expected an exact amount in quotes, such as "4.50", got 2.0',
            "11: tariff.colour: unknown key: expected one of: name, priority, for,",
        ],
    ),
    (
        "of a misspelt answer it is not asked, nor of one that is none",
        changed(BLOCK, ("limit_reading", "limit_raeding"), ('"continue"', '"never"')),
        [
            "8: tariff.limit_raeding: unknown key: did you mean limit_reading?",
            "10: tariff.new_day: expected 'rolling_24h', 'calendar_day' or 'continue', got",
        ],
    ),
    (
        "a tariff that is broken does not hide the others, nor what they share",
        changed(FLAT, ('"4.00"', "4"))
        + changed(TIER, ('"T"', '"U"'), ("5.00", "1.00"))
        + changed(FLAT, ('zero_stay = "charged"\n', "")),
        [
            "7: tariff.amount: expected an exact amount in quotes",
            '10: tariff.priority: expected another priority than that of "T", got 0: some stays',
            "13: tariff.tiers.price: expected at least the 2 of the tier before, got 1",
            "18: tariff.zero_stay: is missing: is a stay of no length",
            '18: tariff.priority: expected another priority than that of "T", got 0: some stays',
            '19: tariff.name: expected a name of its own: "T" is in line 5',
        ],
    ),
    (
        "a tariff without a sound name is called by its line",
        changed(FLAT, ('"T"', "5")) + FLAT,
        [
            "5: tariff.name: expected a string, got 5",
            "10: tariff.priority: expected another priority than that of the tariff in line 4,",
        ],
    ),
    (
        "whatever a tariff is for, it clashes with one that is for all",
        FLAT + "only = { electric = true }\n" + changed(FLAT, ('"T"', '"U"')),
        [
            "10: tariff.only: unknown key: expected one of: name,",
            '11: tariff.priority: expected another priority than that of "T", got 0',
        ],
    ),
    (
        "without knowing whom a tariff is for nobody can say that two clash",
        FLAT
        + "for = { electrc = true }\n"
        + changed(FLAT, ('"T"', '"U"'))
        + "for = { zones = ['A'] }\n",
        ["10: tariff.for.electrc: unknown key: did you mean electric?"],
    ),
    (
        "the same, where nothing comes near",
        FLAT
        + "for = { colour = 'red' }\n"
        + changed(FLAT, ('"T"', '"U"'))
        + "for = { zones = ['A'] }",
        ["10: tariff.for.colour: unknown key: expected one of: vehicle_types,"],
    ),
    (
        "the same, where the table itself has another name",
        FLAT
        + "only = { electric = true }\n"
        + changed(FLAT, ('"T"', '"U"'))
        + "for = { zones = ['A'] }\n",
        ["10: tariff.only: unknown key: expected one of: name,"],
    ),
    (
        "the same, where the other one is for all",
        FLAT + "for = { electrc = true }\n" + changed(FLAT, ('"T"', '"U"')),
        [
            "10: tariff.for.electrc: unknown key: did you mean electric?",
            '11: tariff.priority: expected another priority than that of "T", got 0',
        ],
    ),
    (
        "bands: each is looked at, and gaps only if all are sound",
        changed(
            BAND,
            ('until = "22:00"', 'until = "25:00"'),
            ("[{ minutes", "[{ seconds = 3, minutes"),
            ('flat = "3.00"', 'flat = 3.00\nfree = true\ndays = ["mondy"]'),
            ('band_border = "restart"\n', ""),
        ),
        [
            "4: tariff.band_border: is missing: does the first block begin anew",
            '14: tariff.bands.until: expected a time of day from "00:00" to "24:00"',
            "15: tariff.bands.steps: expected either minutes or seconds",
            "16: tariff.bands: expected one of steps, tiers, flat, free, unsold, got flat and free",
            "20: tariff.bands.flat: expected an exact amount in quotes",
            '22: tariff.bands.days: no such day: "mondy", did you mean mon?',
        ],
    ),
    (
        "a day that is unknown leaves no gap",
        changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["mondy"]')),
        ['22: tariff.bands.days: no such day: "mondy", did you mean mon?'],
    ),
    (
        "days of one array: wrong, twice, unknown",
        changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["mondy", 5, "sat", "sat"]')),
        [
            "22: tariff.bands.days: expected a string, got 5",
            '22: tariff.bands.days: expected each once, got "sat" twice',
            '22: tariff.bands.days: no such day: "mondy", did you mean mon?',
        ],
    ),
    (
        "of a day that is there twice, another may be meant",
        changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["sat", "sat"]')),
        ['22: tariff.bands.days: expected each once, got "sat" twice'],
    ),
    (
        "a step whose header is misspelt may come before the last one",
        changed(BLOCK, ('steps = [{ minutes = 60, price = "2.00" }]\n', ""))
        + "[[tariff.step]]\nminutes = 5\nprice = '1'\ntimes = 1\n"
        + "[[tariff.steps]]\nprice = '2'\n",
        [
            "11: tariff.step: unknown key: did you mean steps?",
            "15: tariff.steps: expected either minutes or seconds",
        ],
    ),
    (
        "a band whose header is misspelt may be the one that is missing",
        changed(BAND, (NIGHT, NIGHT.replace("bands", "band")), ("minutes = 60, ", "")),
        [
            "16: tariff.bands.steps: expected either minutes or seconds",
            "17: tariff.band: unknown key: did you mean bands?",
        ],
    ),
    (
        "a calendar that is misspelt may know the day",
        changed(CALENDAR, ('[[calendar]]\nday = "', '[[calender]]\nday = "'))
        + changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["match"]'))
        + '[[tariff.bands]]\nname = "night"\nfree = true\n',
        [
            "8: calender: unknown key: did you mean calendar?",
            '31: tariff.bands.name: expected a name of its own: "night" is in line 25',
        ],
    ),
    (
        "a kind of day that is broken may be the one that is unknown",
        changed(CALENDAR, ('"match"', '"Match"'))
        + changed(BAND, ('flat = "3.00"', 'flat = "3.00"\ndays = ["match"]'))
        + '[[tariff.bands]]\nname = "rest"\nfree = true\nmaximum = "1"\n',
        [
            "10: calendar.kind: expected holiday or a name of a-z",
            "33: tariff.bands.maximum: does not go with free: such a band costs nothing",
        ],
    ),
    (
        "a strategy that is none: the keys say what is meant",
        changed(
            TIER,
            ('"TIER"', '"TEIR"'),
            ('limit_reading = "inclusive"\n', ""),
            ("5.00", "1.00"),
            ("minutes = 60", "minutes = 60, unit = 3"),
        ),
        [
            "4: tariff.limit_reading: is missing: does a stay",
            "6: tariff.strategy: expected 'FLAT', 'BLOCK', 'TIER', 'BAND', got \"TEIR\"",
            "7: tariff.tiers.unit: unknown key: expected one of: up_to_minutes, price",
            "7: tariff.tiers.price: expected at least the 2 of the tier before, got 1",
        ],
    ),
    (
        "a strategy that is missing, with its key",
        changed(FLAT, ('strategy = "FLAT"\namount = "4.00"\n', ""), ('"charged"', '"no"')),
        [
            "4: tariff.strategy: is missing: expected FLAT, BLOCK, TIER or BAND",
            "6: tariff.zero_stay: expected 'free' or 'charged', got \"no\"",
        ],
    ),
    (
        "a strategy of which nothing is there, and everything of another one",
        changed(FLAT, ("FLAT", "BLOCK"), ('"4.00"', "4.00"), ('second_visit = "separate"\n', "")),
        [
            "4: tariff.steps: is missing: expected at least one step",
            "4: tariff.second_visit: is missing: is another visit priced",
            "7: tariff.amount: does not go with BLOCK",
            "7: tariff.amount: expected an exact amount in quotes",
        ],
    ),
    (
        "tiers and steps: what stands beside a fault is compared all the same",
        changed(
            TIER,
            (
                '{ price = "5.00" }',
                (
                    '{ up_to_minutes = 50, price = 3 }, { price = "4" },'
                    ' { up_to_minutes = 90, price = "3.00" }'
                ),
            ),
        ),
        [
            "7: tariff.tiers.price: expected an exact amount in quotes",
            "7: tariff.tiers.up_to_minutes: expected more than the 60 of the tier before, got 50",
            "7: tariff.tiers.up_to_minutes: is missing: up to how many minutes",
            "7: tariff.tiers.price: expected at least the 4 of the tier before, got 3",
        ],
    ),
    (
        "amounts that are broken are there, and so are the questions about them",
        FLAT
        + "entrance_fee = 1.00\nminimum = 2\n"
        + 'caps = [{ per = "stay", amount = 9, begins = "02:00" }]\n'
        + 'occupancy = [{ from_percent = "x", factor = 2 }]\n',
        [
            "4: tariff.entrance_fee_capped: is missing: does the entrance fee",
            "4: tariff.occupancy_caps: is missing: do caps and maxima rise",
            "4: tariff.rounding: is missing: occupancy can make fractions",
            "10: tariff.entrance_fee: expected an exact amount in quotes",
            "11: tariff.minimum: expected an exact amount in quotes",
            "12: tariff.caps.amount: expected an exact amount in quotes",
            "12: tariff.caps.begins: does not go with stay",
            "13: tariff.occupancy.from_percent: expected a whole number, or an exact one",
        ],
    ),
    (
        "a date without quotes is one error among others",
        changed(BAND, ('until = "22:00"', "until = 22:00:00"), ('zero_stay = "free"\n', ""))
        + "created = 2026-01-01\n",
        [
            "4: tariff.zero_stay: is missing",
            '14: tariff.bands.until: expected no date or time, but text such as "06:00"',
            "21: tariff.bands.created: unknown key",
        ],
    ),
    (
        "a maximum that does not belong there asks nothing",
        changed(
            BAND,
            ('flat = "3.00"', 'free = true\nmaximum = "3.00"'),
            (
                '"restart"\n',
                (
                    '"restart"\noccupancy = [{ from_percent = 80, factor = 2 }]\n'
                    'rounding = { mode = "up", per = "total" }\n'
                ),
            ),
        ),
        ["24: tariff.bands.maximum: does not go with free"],
    ),
    (
        "a special, a validation, a step with a key that nobody knows",
        FLAT
        + 'special_wins = "listed"\nvalidation_order = "given"\nvalidation_stacking = "all"\n'
        + 'specials = [{ name = "S", price = "1", when = "sun" }]\n'
        + 'validations = [{ name = "V", rebate = "1" }, { name = "V" }]\n',
        [
            "13: tariff.specials.when: unknown key",
            "14: tariff.validations.rebate: unknown key",
            '14: tariff.validations.name: expected a name of its own: "V" is in line 14',
            "14: tariff.validations: expected one of free_minutes, amount, percent, free, got none",
        ],
    ),
    (
        "what is no table",
        changed(FLAT, ('"charged"', '"charged"\ncaps = [5, { per = "stay" }]\ntaxes = "7"'))
        + "rounding = 'up'\nreservation = 5\nentrance_fee = '1.005'\n",
        [
            "4: tariff.entrance_fee_capped: is missing",
            "9: tariff.caps: expected a table",
            "9: tariff.caps.amount: is missing: expected the cap, in quotes",
            '10: tariff.taxes: expected an array, got "7"',
            "12: tariff.rounding: expected a table",
            "13: tariff.reservation: expected a table",
        ],
    ),
    (
        "a facility that is broken",
        changed(FLAT, ('"4.00"', '"4.005"'), ('zero_stay = "charged"\n', "")),
        ["4: tariff.zero_stay: is missing", "4: tariff.rounding: is missing: amount 4.005"],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(text, expected) for _, text, expected in MIXED],
    ids=[e[0] for e in MIXED],
)
def test_all_is_told_in_one_round(text: str, expected: list[str]) -> None:
    lines = complaints(text)
    assert len(lines) == len(expected), lines
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start), lines


def test_without_a_currency_nothing_is_said_of_fractions_and_everything_else_is() -> None:
    text = changed(FLAT, ('"4.00"', '"4.005"'), ('zero_stay = "charged"\n', ""))
    lines = complaints(text, changed(FACILITY, ("EUR", "EUX")))
    assert [line.partition(": is")[0].partition(": exp")[0] for line in lines] == [
        "3: facility.currency",
        "4: tariff.zero_stay",
    ]


def test_two_errors_of_a_line_that_read_the_same_are_told_once() -> None:
    text = changed(TIER, ('"2.00"', "2"), ('"5.00"', "2"))
    assert complaints(text) == [
        '7: tariff.tiers.price: expected an exact amount in quotes, such as "4.50", got 2'
    ]


def test_a_syntax_error_is_one_error() -> None:
    with pytest.raises(ConfigError, match=r"^t.toml:3:10: not valid TOML: [^\n]*$"):
        tariffs('colour = 5\nname = "T\n', "x = 5\n")


# ── any faults of any example ───────────────────────────────────────────────────────────────


def read_example(text: str) -> tuple[dict[str, Any], PlacingDocument, list[list[Break]]]:
    document, values = parse(text, "t.toml"), tomllib.loads(text)
    placing = PlacingDocument(document.name, values, document.lines)
    return values, placing, [[*shape(values)], [*lacks(values)], [*meaning(values)]]


@pytest.fixture(autouse=True, scope="module")
def _time_zones_listed_once() -> Iterator[None]:
    """Listing them is nearly all that a check costs, and here are thousands."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(zoneinfo, "available_timezones", cache(zoneinfo.available_timezones))
        yield


EXAMPLES = {
    "everything": read_example(FACILITY + CALENDAR + EVERYTHING),
    **{file.stem: read_example(file.read_text()) for file in TARIFFS},
}


def assert_told(name: str, breaks: list[Break]) -> None:
    """Each of these faults of an example is told where it is, and nothing else is."""
    values, sound, _ = EXAMPLES[name]
    document = PlacingDocument(sound.name, broken(values, breaks), sound.lines)
    errors = found(check_tariffs, document)
    places = {each.place for each in breaks}
    assert {error.path for error in errors} <= places, (errors, breaks)
    # Two of a line that read the same are one.
    assert {(error.place, error.key) for error in errors} == {
        (document.place(place), dotted(place)) for place in places
    }, (errors, breaks)
    assert len({str(error) for error in errors}) == len(errors)
    lines = [document.line(error.path) or 0 for error in errors]
    assert lines == sorted(lines)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_independent_faults_are_told_where_they_are_and_nothing_else(
    name: str, data: st.DataObject
) -> None:
    _, _, kinds = EXAMPLES[name]
    any_break = st.sampled_from([each for each in kinds if each]).flatmap(st.sampled_from)
    assert_told(name, independent(data.draw(st.lists(any_break, min_size=1, max_size=8))))


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_fault_alone_is_told_where_it_is(name: str) -> None:
    _, _, kinds = EXAMPLES[name]
    for each in [each for kind in kinds for each in kind]:
        assert_told(name, [each])
