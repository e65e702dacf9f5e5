"""JSON from outside: what it says, or why it cannot be taken."""

from typing import Any

import pytest

from gated.core.errors import ConfigError
from gated.json_text import parsed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"electric": true, "zone": "A"}', {"electric": True, "zone": "A"}),
        ("[1.5, null]", [1.5, None]),
        (r'"\\u0000"', r"\u0000"),
        (r'"\ud83d\ude97"', "\N{AUTOMOBILE}"),
    ],
)
def test_json_is_read(text: str, value: Any) -> None:
    assert parsed(text, place="x") == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "EOF"),
        ("{'a': 1}", "line 1 column 2"),
        ("[" * 100_000, "recursion limit"),
        ("NaN", "line 1 column 1"),
        ("[1e999]", "range"),
        (r'"a\u0000"', r"U\+0000"),
        (r'"\\\u0000"', r"U\+0000"),
        (r'"\ud800"', "line 1 column"),
    ],
)
def test_what_is_none_or_cannot_be_stored_is_refused_by_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^stays.csv:7: not valid JSON: .*{says}"):
        parsed(text, place="stays.csv:7")
