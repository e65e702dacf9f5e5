# ruff: noqa: RUF001  (letters that look alike are what this is about)
"""Plates are normalised in SQL exactly as in Python."""

import asyncpg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gated.core.errors import CodecError
from gated.core.plates import HOMOGLYPHS_FROM, SEPARATORS, normalise
from tests.db.place import Connection
from tests.services.databases import Database, run_apart

# Letters whose capital is one letter, of the scripts that plates are written in; and all the rest
# that has no case or stays as it is.
LETTERS = [
    character
    for first, last in ((0x20, 0x7E), (0xA1, 0x17F), (0x386, 0x3CE), (0x400, 0x45F), (0x490, 0x4FF))
    for character in map(chr, range(first, last + 1))
    if len(character.upper()) == 1 or character == "ß"
]
CASELESS = "京あ가ابپשת๑ก１Ａａ٣²ⅷ"
SAMPLES = [
    "HH-AB 1234", "hh·ab•1234", "м123ав77", "ΑΒΖ 1234", "ab\t12", "STRAßE1", "ÿé’1", "ﬁ1",
    "京A·12345", "가12나3456", "١٢٣ أ ب", "ＡＢ－１２", "x'y'1", "1|2/3:4", "ı1", "ſ9", "µ1", "ѓ1",
]  # fmt: skip


def plate_by_python(raw: str) -> str | None:
    try:
        plate = normalise(raw)
    except CodecError:
        return None
    return None if plate is None else plate.text


@pytest.mark.every_postgres
async def test_plates_are_normalised_as_in_python(owner: Connection) -> None:
    samples = [*SAMPLES, *(f"{letter}1" for letter in [*LETTERS, *HOMOGLYPHS_FROM, *SEPARATORS])]
    rows = await owner.fetch(
        "SELECT raw, gate.plate_normal_v1(raw) AS plate FROM unnest($1::text[]) AS raw", samples
    )
    wanted = {raw: plate for raw in samples if (plate := plate_by_python(raw)) is not None}
    assert len(wanted) > 500
    assert {row["raw"]: row["plate"] for row in rows if row["raw"] in wanted} == wanted


def test_plates_of_any_text_are_normalised_as_in_python(database: Database) -> None:
    async def by_sql(raws: list[str]) -> list[str]:
        connection = await asyncpg.connect(database.dsn)
        try:
            rows = await connection.fetch(
                "SELECT gate.plate_normal_v1(raw) FROM unnest($1::text[]) WITH ORDINALITY"
                " AS given (raw, position) ORDER BY position",
                raws,
            )
            return [row[0] for row in rows]
        finally:
            await connection.close()

    text = st.text(st.sampled_from([*LETTERS, *CASELESS, *SEPARATORS]), max_size=12)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(text, min_size=1, max_size=50))
    @example(SAMPLES)
    def equal(raws: list[str]) -> None:
        for raw, found in zip(raws, run_apart(by_sql(raws)), strict=True):
            wanted = plate_by_python(raw)
            assert wanted is None or found == wanted, raw

    equal()
