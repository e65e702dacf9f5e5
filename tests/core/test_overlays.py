"""Overlays: what a camera writes into its picture is no plate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.overlays import is_overlay, overlay_pattern
from gated.core.plates import Plate, folded


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("CAM03", "CAM03"),
        ("entrance 1", "ENTRANCE1"),
        ("Cam-*", "CAM*"),
        ("*0171 555", "*0171555"),
        ("*taxi*", "*TAXI*"),
        ("**cam**", "*CAM*"),
    ],
)
def test_a_pattern_is_compared_as_plates_are(text: str, pattern: str) -> None:
    assert overlay_pattern(text) == pattern
    assert overlay_pattern(pattern) == pattern


@pytest.mark.parametrize("text", ["", "*", "**", "AB", "A*", "* - *", "CA*M03", "CAM?", "C(A)M"])
def test_a_pattern_that_would_hide_plates_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        overlay_pattern(text)


@pytest.mark.parametrize(
    ("plate", "patterns", "ignored"),
    [
        ("CAM03", ["CAM03"], True),
        ("CAM031", ["CAM03"], False),
        ("CAM031", ["CAM*"], True),
        ("XCAM1", ["CAM*"], False),
        ("HHTAXI1", ["*TAXI*"], True),
        ("HHTAXI1", ["*TAXI"], False),
        ("HHTAXI", ["FOO", "*TAXI"], True),
        ("HHAB1234", [], False),
    ],
)
def test_what_is_ignored(plate: str, patterns: list[str], *, ignored: bool) -> None:
    assert is_overlay(Plate(plate), patterns) is ignored


@given(st.text(st.sampled_from("CAM03 -*ä"), max_size=10), st.text("CAM03", min_size=1))
def test_a_pattern_without_stars_hides_one_text_alone(text: str, plate: str) -> None:
    try:
        pattern = overlay_pattern(text)
    except ValueError:
        return
    if "*" not in pattern:
        assert is_overlay(Plate(plate), [pattern]) is (plate == folded(text))
