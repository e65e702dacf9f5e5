"""Plates: one normal form for what cameras send, refusal of what no plate can be, masking."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.errors import CodecError
from gated.core.plates import (
    HOMOGLYPHS_FROM,
    HOMOGLYPHS_TO,
    SEPARATORS,
    UNREAD,
    Plate,
    normalise,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("HHXY1234", "HHXY1234"),
        ("hh xy 1234", "HHXY1234"),
        ("HH-XY 1234", "HHXY1234"),
        ("HH\N{EN DASH}XY\N{EM DASH}1234", "HHXY1234"),
        ("M\N{MIDDLE DOT}AB\N{BULLET}12", "MAB12"),
        ("  B:CD/7|8'9\N{RIGHT SINGLE QUOTATION MARK}_.", "BCD789"),
        ("HH\N{NO-BREAK SPACE}XY 1", "HHXY1"),
        # full-width letters of an East Asian engine
        ("\uff21\uff11\uff422", "A1B2"),
        # an umlaut keeps its dots, composed or not
        (
            "t\N{LATIN SMALL LETTER O WITH DIAERESIS}l 1",
            "T\N{LATIN CAPITAL LETTER O WITH DIAERESIS}L1",
        ),
        ("to\N{COMBINING DIAERESIS}l 1", "T\N{LATIN CAPITAL LETTER O WITH DIAERESIS}L1"),
        # a Cyrillic engine's "9924" + U, A, M of its own script
        ("9924\u0423\u0410\u041c", "9924YAM"),
        ("\u0430\u0432 12", "AB12"),
        # a letter without a Latin twin stays, as does an ideograph
        ("\u041112", "\u041112"),
        ("\u7ca4B12345", "\u7ca4B12345"),
        ("A" * 16, "A" * 16),
        ("unknown1", "UNKNOWN1"),
    ],
)
def test_what_cameras_send_for_one_plate_becomes_one_text(raw: str, text: str) -> None:
    assert normalise(raw) == Plate(text)


@pytest.mark.parametrize(
    "raw",
    [
        *sorted(UNREAD),
        "unknown",
        "Not defined",
        "Not-Defined",
        "no_plate",
        " -- ",
        "---",
        "Null",
        " .",
    ],
)
def test_the_words_for_no_plate_are_no_plate(raw: str) -> None:
    assert normalise(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        "A" * 17,
        "A" * 300,
        "-" * 65,
        "AB\n12",
        "AB\x0012",
        "AB\x1b[31m12",
        "AB\N{RIGHT-TO-LEFT OVERRIDE}12",
        "AB\N{ZERO WIDTH NO-BREAK SPACE}12",
        "AB\ud80012",
        "AB\ue00012",
        "AB?12",
        "AB;DROP",
        "<b>",
        "AB\N{COMBINING ENCLOSING CIRCLE}12",
    ],
)
def test_what_no_plate_can_be_is_refused(raw: str) -> None:
    with pytest.raises(CodecError) as caught:
        normalise(raw)
    assert caught.value.reason == "bad_plate"
    assert raw not in str(caught.value)


def test_homoglyphs_fold_letter_by_letter_to_what_they_look_like() -> None:
    assert len(HOMOGLYPHS_FROM) == len(HOMOGLYPHS_TO) == len(set(HOMOGLYPHS_FROM))
    assert HOMOGLYPHS_TO.isascii()
    assert HOMOGLYPHS_TO.isupper()
    for there, here in zip(HOMOGLYPHS_FROM, HOMOGLYPHS_TO, strict=True):
        assert unicodedata.name(there).split()[0] in {"CYRILLIC", "GREEK"}
        assert normalise(f"X{there}{there.lower()}1") == Plate(f"X{here}{here}1")
    assert not any(character.isalnum() for character in SEPARATORS)


@given(st.text(max_size=70))
def test_the_normal_form_is_its_own_normal_form(raw: str) -> None:
    try:
        plate = normalise(raw)
    except CodecError as error:
        assert error.reason == "bad_plate"  # noqa: PT017 — the reason is all that may differ
        return
    if plate is not None:
        assert normalise(plate.text) == plate
        assert 1 <= len(plate.text) <= 16


@pytest.mark.parametrize(
    ("text", "masked"),
    [("HHXY1234", "HH****34"), ("ABCDE", "AB*DE"), ("ABCD", "A***"), ("AB", "A*"), ("A", "A")],
)
def test_a_masked_plate_shows_its_ends(text: str, masked: str) -> None:
    assert Plate(text).masked == masked
    assert str(Plate(text)) == text
