"""Texts that are no plates: what a camera writes into its own picture, and fragments.

A camera's name, a lane's sign or a phone number on a van is read again and again. The lane's
policy lists such texts; a pattern may begin or end with a star, which stands for any characters.
More is not wanted: it must be read at a glance, and cost nothing, whatever is listed.
"""

from collections.abc import Iterable

from gated.core.plates import Plate, folded

PATTERN_LENGTH_MIN = 3
_STAR = "*"


def overlay_pattern(text: str) -> str:
    """The pattern in the form in which plates are compared: `"entrance 1"` is `"ENTRANCE1"`.

    Raises `ValueError` for a star elsewhere than at an end, and for a pattern of fewer than three
    letters and digits, which would hide plates.
    """
    starts, ends = text.startswith(_STAR), text.endswith(_STAR)
    core = folded(text.strip(_STAR))
    if _STAR in core:
        raise ValueError("expected a star at the beginning or the end alone")
    if len(core) < PATTERN_LENGTH_MIN or not core.isalnum():
        raise ValueError(f"expected at least {PATTERN_LENGTH_MIN} letters and digits")
    return f"{_STAR * starts}{core}{_STAR * ends}"


def is_overlay(plate: Plate, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, as `overlay_pattern` gives them, is the whole text."""
    return any(_is(plate.text, pattern) for pattern in patterns)


def _is(text: str, pattern: str) -> bool:
    core = pattern.strip(_STAR)
    match pattern.startswith(_STAR), pattern.endswith(_STAR):
        case True, True:
            return core in text
        case True, False:
            return text.endswith(core)
        case False, True:
            return text.startswith(core)
        case _:
            return text == core
