"""Whatever a document holds, it is read, or refused with the places that are wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.standards import Standard, apds, read
from tests.standards.checked import checked
from tests.standards.test_apds_writing import BAND, BLOCK, FLAT, TIER
from tests.standards.test_cds import answer, policy, rate, rule
from tests.standards.test_ocpi import component, element, tariff

CDS = answer(
    policy(
        rule(
            rate(increment_duration=1, end_duration=1, maximum_fee=900),
            rate(start_duration=1, increment_amount=25),
            user_classes=["electric"],
        ),
        rule(rate(rate=900, rate_unit="day", rate_unit_period="calendar"), max_stay=60),
        time_spans=[
            {"days_of_week": ["mon"], "time_of_day_start": "08:00", "time_of_day_end": "18:00"},
            {"designated_period": "holidays", "designated_period_except": True},
        ],
    ),
    policy(rule(rate()), priority=2),
)
OCPI = tariff(
    element(component("FLAT", 1, vat=19.0)),
    element(component(vat=19.0), max_duration=1800),
    element(component(price=2), start_time="08:00", end_time="18:00", day_of_week=["MONDAY"]),
    element(component("TIME")),
    min_price={"excl_vat": 1},
    max_price={"excl_vat": 9},
)
APDS, _ = apds.exported(
    "EUR",
    "Europe/Berlin",
    [
        {
            **BLOCK,
            "entrance_fee": "1.00",
            "minimum": "2.00",
            "caps": [{"per": "calendar_day", "amount": "9.00", "reading": "each"}],
            "taxes": [{"name": "T", "percent": "7", "rounding": "up"}],
            "second_visit": "reduced",
            "second_visit_percent": "50",
        },
        {**BAND, "priority": 2, "for": {"members": ["gold"], "vehicle_types": ["CAR"]}},
        {**TIER, "priority": 3, "for": {"zones": ["A"], "electric": True, "accessible": True}},
        {**FLAT, "priority": 4, "for": {"reserved": True}, "free_minutes": 10},
    ],
)
DOCUMENTS: dict[Standard, Any] = {"cds": CDS, "ocpi": OCPI, "apds": APDS}

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(
        ["", "x", "00:00", "24:00", "PT1H", "PT0S", "P1M", "EUR", "mon", "monday", "MONDAY",
         "flatRate", "flatRateTier", "incrementingRate", "perUnit", "FLAT", "TIME", "calendar",
         "month", "minute", "parking", "holidays", "\x00", "a\nb"]
    ),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([{}]),
    st.just([None]),
    st.just({"string": None}),
)  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    match value:
        case dict():
            for key, each in value.items():
                yield from places(each, (*path, key))
        case list():
            for index, each in enumerate(value):
                yield from places(each, (*path, index))
        case _:
            pass


PLACES = {standard: sorted(places(each), key=str) for standard, each in DOCUMENTS.items()}


def changed(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """The document with another value at a place, if that is still there; `...` takes it away."""
    if not path:
        return None if value is ... else value
    step, *rest = path
    made: Any
    match document:
        case dict() if step in document:
            made = dict(document)
        case list() if isinstance(step, int) and step < len(document):
            made = list(document)
        case _:
            return document
    if rest or value is not ...:
        made[step] = changed(made[step], tuple(rest), value)
    else:
        del made[step]
    return made


@pytest.mark.parametrize("standard", list(DOCUMENTS))
def test_the_documents_are_sound(standard: Standard) -> None:
    checked(read(standard, DOCUMENTS[standard]))


@pytest.mark.parametrize("standard", list(DOCUMENTS))
@settings(deadline=None, max_examples=100)
@given(st.data())
def test_changed_documents_are_read_or_refused(standard: Standard, data: st.DataObject) -> None:
    document = DOCUMENTS[standard]
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(PLACES[standard]))
        document = changed(document, path, data.draw(st.one_of(JUNK, st.just(...))))
    try:
        found = read(standard, document)
    except ConfigError as error:
        # Each complaint begins with a pointer into the document.
        for line in str(error).splitlines():
            assert line.startswith("/"), line
        return
    checked(found)


@settings(deadline=None)
@given(
    st.sampled_from(list(DOCUMENTS)),
    st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
)
def test_anything_at_all_is_read_or_refused(standard: Standard, document: object) -> None:
    try:
        found = read(standard, document)
    except ConfigError:
        return
    checked(found)
