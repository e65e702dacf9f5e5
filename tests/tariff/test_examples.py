"""The worked tariffs as files: each loads, has its priced stays, and is in the index.

What they cost is asked of the database, by tests/db/test_tariff_examples.py.
"""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gated.core.money import EXPONENTS
from gated.tariff.file import load_tariffs
from tests.tariff.examples import EXAMPLES, TARIFFS, priced_stays

ROWS_MIN = 8
# docs/tariffs.md, "What a price is asked with".
CONTEXT_KEYS = {
    "vehicle_type",
    "electric",
    "accessible",
    "members",
    "zone",
    "reserved_from",
    "reserved_until",
    "occupancy_percent",
    "validations",
    "lost_ticket",
    "earlier_visit",
}

ON_EVERY_TARIFF = pytest.mark.parametrize("tariff", TARIFFS, ids=[each.stem for each in TARIFFS])


@ON_EVERY_TARIFF
def test_it_loads(tariff: Path) -> None:
    assert load_tariffs(tariff).tariffs


@ON_EVERY_TARIFF
def test_the_board_is_said_at_the_top(tariff: Path) -> None:
    lines = tariff.read_text().splitlines()
    words, board, *_ = lines[0], [line for line in lines if line.startswith("#     ")]
    assert words.startswith("# ")
    assert board


@ON_EVERY_TARIFF
def test_priced_stays_stand_beside_it(tariff: Path) -> None:
    stays = priced_stays(tariff)
    assert len(stays) >= ROWS_MIN
    asked = Counter((stay.entry, stay.exit, repr(stay.context)) for stay in stays)
    assert max(asked.values()) == 1, "a stay is priced twice"


@ON_EVERY_TARIFF
def test_priced_stays_can_be_and_are_explained(tariff: Path) -> None:
    facility = load_tariffs(tariff).facility
    zone, exponent = ZoneInfo(facility.time_zone), EXPONENTS[facility.currency]
    for stay in priced_stays(tariff):
        assert stay.entry <= stay.exit, stay.place
        for at in (stay.entry, stay.exit):
            # An offset that the zone's clock does not have then is a slip of the pen.
            assert at.utcoffset() == at.astimezone(zone).utcoffset(), f"{stay.place}: {at}"
        assert stay.context.keys() <= CONTEXT_KEYS, stay.place
        assert Decimal(stay.amount).as_tuple().exponent == -exponent, stay.place
        assert stay.why, stay.place


def test_the_index_lists_each_tariff_once() -> None:
    index = (EXAMPLES / "README.md").read_text()
    listed = Counter(re.findall(r"^\| \[`(\w+)`\]\(\1\.toml\) \| \S", index, re.MULTILINE))
    assert listed == Counter(tariff.stem for tariff in TARIFFS)


def test_no_priced_stays_without_their_tariff() -> None:
    tables = {table.stem for table in EXAMPLES.glob("*.csv")}
    assert tables == {tariff.stem for tariff in TARIFFS}
