"""Texts of displays in site files and in files beside them: checked in one round, and merged."""

from pathlib import Path

import pytest

from gated.core.errors import ConfigError
from gated.core.wording import Wording
from gated.devices.families import CODECS
from gated.site import Display, wording
from gated.site_plan import changes, describe, wanted
from gated.site_rules import load_site
from tests.test_site import GOOD

OWN = """\
[display]
language = "de"
[display.texts.de]
closed = "Zu"
blocked = "Nein"
"""
BESIDE = OWN.replace("[display.texts", 'texts_file = "texts.toml"\n[display.texts')
TEXTS = """\
[texts.de]
closed = "Bleibt zu"
payment_due = "Zahlen:\\n{amount}"
[texts.fr]
closed = "Fermé"
"""


def shows(folder: Path, display: str = "", texts: str | None = None) -> Display:
    """The display of a site file with these tables from line 7 on, and a file of texts beside."""
    site = folder / "site.toml"
    site.write_text(GOOD.replace("[[zone]]", f"{display}[[zone]]"))
    if texts is not None:
        (folder / "texts.toml").write_text(texts)
    return load_site(site, CODECS).site.display


def complaints(folder: Path, display: str, texts: str | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        shows(folder, display, texts)
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def test_without_a_word_about_it_it_is_english(tmp_path: Path) -> None:
    display = shows(tmp_path)
    assert display.values() == {}
    assert wording(display.values()) == Wording("en", {})


def test_own_texts_are_kept(tmp_path: Path) -> None:
    display = shows(tmp_path, OWN)
    assert wording(display.values()) == Wording("de", {"de": {"closed": "Zu", "blocked": "Nein"}})


def test_what_the_site_file_says_counts_before_its_file_of_texts(tmp_path: Path) -> None:
    display = shows(tmp_path, BESIDE, TEXTS)
    assert display.values() == {
        "language": "de",
        "texts": {
            "de": {"closed": "Zu", "payment_due": "Zahlen:\n{amount}", "blocked": "Nein"},
            "fr": {"closed": "Fermé"},
        },
    }


def test_a_file_of_texts_may_bring_the_language(tmp_path: Path) -> None:
    display = shows(tmp_path, BESIDE.replace('"de"', '"fr"'), TEXTS)
    assert wording(display.values()).text("closed") == "Fermé"
    special = shows(tmp_path, BESIDE.replace('"de"', '"fr-CH"'), TEXTS)
    assert wording(special.values()).text("closed") == "Fermé"


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        (OWN.replace("closed", "close"), ["10: display.texts.de.close: no such reason: did you"]),
        (OWN.replace("closed", "xyz"), ["10: display.texts.de.xyz: no such reason: expected one"]),
        (OWN.replace('"Zu"', "5"), ["10: display.texts.de.closed: expected a string, got 5"]),
        (
            OWN.replace('"Zu"', "12:30:00"),
            ["10: display.texts.de.closed: expected no date or time"],
        ),
        (OWN.replace("texts.de", "texts.DE"), ["9: display.texts.DE: expected a language such as"]),
        (
            OWN.replace('"de"', '"fr"'),
            ['8: display.language: no texts in this language: "fr", expected one of: de, en'],
        ),
        (
            OWN.replace('"de"', '"d"'),
            ['8: display.language: expected a language such as de, en or pt-BR, got "d"'],
        ),
        (OWN.replace("language", "langage"), ["8: display.langage: unknown key: did you mean"]),
        (
            OWN.replace('"Zu"', f'"{"x" * 21}"').replace('"Nein"', '"{amount}"'),
            [
                "10: display.texts.de.closed: expected lines of at most 20 characters, got 21",
                "11: display.texts.de.blocked: expected no braces",
            ],
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, display: str, expected: list[str]) -> None:
    found = complaints(tmp_path, display)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"site.toml:{start}"), line


def test_both_files_are_told_about_in_one_round(tmp_path: Path) -> None:
    found = complaints(
        tmp_path,
        BESIDE.replace('"Zu"', "5").replace('"de"', '"xx"'),
        TEXTS.replace("{amount}", "{amoun}").replace("[texts.fr]\nclosed", "[texts.fr]\nclosd"),
    )
    starts = [
        "site.toml:11: display.texts.de.closed: expected a string, got 5",
        "texts.toml:3: texts.de.payment_due: expected no braces but {amount}",
        "texts.toml:5: texts.fr.closd: no such reason: did you mean closed?",
    ]
    # Whether the texts serve the language is not known as long as they are wrong.
    assert found == starts


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (None, "site.toml:9: display.texts_file: texts.toml: no such file"),
        ("[texts", "site.toml:9: display.texts_file: texts.toml:1:7: not valid TOML"),
        ("[text.de]\n", "texts.toml:1: text: unknown key: did you mean texts?"),
        ("texts = 5\n", "texts.toml:1: texts: expected a table"),
    ],
)
def test_a_file_of_texts_that_is_none(tmp_path: Path, texts: str | None, expected: str) -> None:
    (found,) = complaints(tmp_path, BESIDE, texts)
    assert found.startswith(expected)


def test_a_change_is_shown_by_what_differs(tmp_path: Path) -> None:
    def rows(display: str) -> object:
        shows(tmp_path, display)
        return wanted(load_site(tmp_path / "site.toml", CODECS).site)

    before, after = rows(OWN), rows(OWN.replace('"Zu"', '"Geschlossen"'))
    assert list(describe(changes(before, after))) == [  # type: ignore[arg-type]
        ("change", "facility", "north", "display: texts de closed Zu → texts de closed Geschlossen")
    ]
