"""Imports as the text of a tariff file."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.standards import Imported, Remark, TariffTable, read
from gated.standards.toml_text import written

TABLE: TariffTable = {
    "strategy": "BLOCK",
    "name": "standard",
    "steps": [{"minutes": 60, "price": "2.00"}],
    "rounding": {"mode": "up", "per": "total"},
}


def test_a_file_is_laid_out_as_people_write_it() -> None:
    document: dict[str, Any] = {
        "id": "T",
        "rateTableName": [{"language": "en", "string": "day"}],
        "validity": {
            "validityTimeSpecification": {
                "validPeriods": [
                    {
                        "recurringTimePeriodOfDay": [
                            {"startTimeOfPeriod": "08:00", "endTimeOfPeriod": "18:00"}
                        ],
                        "recurringSpecialDay": [{"specialDayType": "publicHoliday"}],
                    }
                ]
            }
        },
        "rateLineCollections": [
            {
                "applicableCurrency": "EUR",
                "taxIncluded": True,
                "taxRate": 19,
                "minTime": "PT1H",
                "rateLines": [
                    {"rateLineType": "incrementingRate", "incrementPeriod": "PT1H", "value": 2.5,
                     "durationEnd": "03:00"},
                    {"rateLineType": "incrementingRate", "incrementPeriod": "PT30M", "value": 1,
                     "durationStart": "03:00"},
                ],
            }
        ],
    }  # fmt: skip
    assert (
        written(read("apds", document))
        == """\
# lost /rateLineCollections/0/minTime: minTime: a shortest time is none of a tariff

[facility]
# ask: time_zone: which clock are times of day read off?
currency = "EUR"

# ask: calendar: which dates are of the kind holiday?
# [[calendar]]
# day = 2026-12-25
# kind = "holiday"

[[tariff]]
name = "day"
strategy = "BAND"
bands = [
    { name = "day", from = "08:00", until = "18:00", days = ["holiday"], steps = [
        { minutes = 60, price = "2.50", times = 3 },
        { minutes = 30, price = "1.00" },
    ] },
    # assumed: the source has no price for mon 00:00 to 24:00, tue 00:00 to 24:00, wed 00:00 to
    #     24:00, …: such time is free
    { name = "otherwise", free = true },
]
# ask: limit_reading: does a stay of exactly 60 minutes still lie in the first hour ("inclusive"),
#     or begin the next one ("exclusive")?
# ask: zero_stay: is a stay of no length "free", or "charged" like a moment?
# ask: new_day: does the tariff begin anew every 24 hours ("rolling_24h"), whenever a day begins
#     ("calendar_day"), or never ("continue")?
# ask: band_border: does the first block begin anew in another band ("restart"), or does a block
#     that has begun last over the border ("continue")?
# ask: second_visit: is another visit priced by itself ("separate"), as a continuation of the
#     earlier one ("continued"), or cheaper ("reduced")?
taxes = [
    # ask: taxes[0].rounding: how is the tax rounded: "half_up", "half_even", "up" or "down"?
    { name = "tax", percent = "19" },
]
tax_included = true
# ask: tax_per: is tax worked out per "line", or on the "total"?
"""
    )


def test_remarks_stand_where_they_belong() -> None:
    remarks = [
        Remark("/a", "of the file", "lost"),
        Remark("/b", "of the tariff", "assumed", (0,)),
        Remark("/c", "of a key", "assumed", (0, "steps")),
        Remark("/d", "of an element", "lost", (0, "steps", 0, "price")),
        Remark("/e", "of a key that is not there", "ask", (0, "zero_stay")),
        Remark("/f", "of a tariff that is not there", "lost", (3, "steps")),
        Remark("", "of the document", "assumed"),
    ]
    assert (
        written(Imported([TABLE], "EUR", "Europe/Berlin", remarks))
        == """\
# lost /a: of the file
# lost /f: of a tariff that is not there
# assumed: of the document

[facility]
time_zone = "Europe/Berlin"
currency = "EUR"

[[tariff]]
# assumed /b: of the tariff
name = "standard"
strategy = "BLOCK"
# assumed /c: of a key
steps = [
    # lost /d: of an element
    { minutes = 60, price = "2.00" },
]
# ask: of a key that is not there
rounding = { mode = "up", per = "total" }
"""
    )


def test_what_a_document_says_cannot_leave_its_comment() -> None:
    remark = Remark("/x", 'first\n[[tariff]]\nname = "theirs"\r\x85\u2028last', "lost")
    text = written(Imported([TABLE], "EUR", "Europe/Berlin", [remark]))
    assert tomllib.loads(text)["tariff"] == [TABLE]


def test_nothing_but_values_of_tariffs_can_be_written() -> None:
    with pytest.raises(TypeError, match="float"):
        written(Imported([{"name": "T", "minutes": 1.5}], "EUR", None, []))


SCALARS = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.text())
KEYS = st.sampled_from(["name", "steps", "price", "bands", "other"])
TABLES = st.dictionaries(
    KEYS,
    st.one_of(
        SCALARS,
        st.lists(SCALARS, max_size=3),
        st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS)), min_size=1),
        st.lists(
            st.dictionaries(
                KEYS,
                st.one_of(
                    SCALARS,
                    st.lists(SCALARS),
                    st.lists(st.dictionaries(KEYS, SCALARS, min_size=1), min_size=1),
                ),
                min_size=1,
            ),
            max_size=3,
        ),
    ),
)
PLACES = st.one_of(
    st.just(()),
    st.tuples(st.integers(0, 2)),
    st.tuples(st.integers(0, 2), KEYS),
    st.tuples(st.integers(0, 2), KEYS, st.integers(0, 3)),
)
REMARKS = st.builds(
    Remark, st.text(max_size=20), st.text(), st.sampled_from(["lost", "assumed", "ask"]), PLACES
)


@settings(deadline=None)
@given(st.lists(TABLES, max_size=3), st.text(), st.one_of(st.none(), st.text()), st.lists(REMARKS))
def test_the_text_reads_back_as_the_tables(
    tables: list[TariffTable], currency: str, time_zone: str | None, remarks: list[Remark]
) -> None:
    read_back = tomllib.loads(written(Imported(tables, currency, time_zone, remarks)))
    assert read_back.get("tariff", []) == tables
    assert read_back["facility"]["currency"] == currency
    assert read_back["facility"].get("time_zone") == time_zone
