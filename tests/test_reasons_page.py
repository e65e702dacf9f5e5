"""docs/reasons.md lists every reason with the words and texts that the code has."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gated.core.reasons import DenyReason, DisplayNotice, GrantReason
from gated.core.wording import BUILT_IN
from gated.why.words import DENIED, GRANTED

PAGE = (Path(__file__).parents[1] / "docs" / "reasons.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by their first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_]+` \| .+) \|$", section, re.MULTILINE)
    cells = [row.split(" | ") for row in rows]
    return {first.strip("`"): rest for first, *rest in cells}


def shown(word: str) -> list[str]:
    """The built-in texts as the page spells them."""
    return [f"`{BUILT_IN[language][word].replace(chr(10), ' / ')}`" for language in ("en", "de")]


@pytest.mark.parametrize(
    ("heading", "words", "meanings"),
    [
        ("Denials", list(DenyReason), DENIED),
        ("Grants", list(GrantReason), GRANTED),
        ("Notices", list(DisplayNotice), None),
    ],
)
def test_the_page_says_what_the_code_says(
    heading: str, words: list[str], meanings: Mapping[str, str] | None
) -> None:
    rows = table(heading)
    assert list(rows) == words
    for word, (meaning, *_, english, german) in rows.items():
        assert [english, german] == shown(word), word
        assert meanings is None or meaning == meanings[word]


def test_every_denial_has_a_remedy() -> None:
    remedies = {word: cells[1] for word, cells in table("Denials").items()}
    assert all(remedy.endswith(".") for remedy in remedies.values()), remedies
