"""The words: links lead somewhere, pages are found, and what they tell to type exists."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from typer.core import TyperGroup

from gated.cli.main import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(
            page
            for folder in ("docs", "deploy", "examples", "gated", "bench", "tests")
            for page in (ROOT / folder).rglob("*.md")
        ),
    ]
)
ON_EVERY_PAGE = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:")


def fences(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of these languages."""
    found = _FENCE.finditer(page.read_text())
    return [fence["text"] for fence in found if fence["language"] in languages]


def links(page: Path) -> Iterator[tuple[str, str]]:
    """The relative links outside fences, as path and anchor; each may be empty."""
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text()))
    for link in _LINK.finditer(prose):
        if not _ELSEWHERE.match(link["target"]):
            path, _, anchor = unquote(link["target"]).partition("#")
            yield path, anchor


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
    )


@ON_EVERY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path}: nothing there"
        assert target.is_relative_to(ROOT), f"{path} leaves the repository"
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}: no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        if page.suffix == ".md":
            waiting += [(page.parent / path).resolve() for path, _ in links(page) if path]
    pages = {page for page in DOCS.rglob("*") if page.suffix in {".md", ".yaml"}}
    assert pages - reached == set()
    assert ROOT / "CHANGELOG.md" in reached
    assert ROOT / "CONTRIBUTING.md" in reached


def test_decisions_are_numbered_and_dated() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    for number, page in enumerate(pages, start=1):
        assert re.match(rf"{number:04}-[a-z0-9-]+\.md", page.name)
        assert re.match(rf"# {number}\. .+\n\n20\d\d-\d\d-\d\d", page.read_text())


@ON_EVERY_PAGE
def test_toml_that_is_shown_is_toml(page: Path) -> None:
    for text in fences(page, "toml"):
        tomllib.loads(text)


# ── what is told to type ────────────────────────────────────────────────────────────────────


def shown_commands(page: Path) -> Iterator[list[str]]:
    """The words of each call of gated: in blocks to be typed, and in code within the prose."""
    for text in fences(page, "sh", "console"):
        for line in text.splitlines():
            # What a here-document holds, and what is printed, are no commands.
            for part in re.split(r" [|&]+ ", line.removeprefix("$ ")):
                if part.startswith("gated "):
                    yield shlex.split(part, comments=True)
    prose = _FENCE.sub("", page.read_text())
    for found in re.findall(r"`(gated [^`…]+)`", prose):
        yield shlex.split(found)


def check_command(words: list[str]) -> None:
    """Raises AssertionError for a command or an option that gated has not."""
    command = typer.main.get_command(app)
    rest = words[1:]
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"{shlex.join(words)}: there is no {name}"
        command = command.commands[name]
    known = {"--help", *(name for option in command.params for name in option.opts)}
    for word in rest:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{shlex.join(words)}: no option {word}"


@ON_EVERY_PAGE
def test_commands_that_are_shown_exist(page: Path) -> None:
    for words in shown_commands(page):
        check_command(words)


def test_the_readme_shows_the_whole_way() -> None:
    """The check above would pass over a README in which it finds nothing."""
    shown = {tuple(words[1:3]) for words in shown_commands(ROOT / "README.md")}
    assert {("db", "init"), ("site", "apply"), ("check",), ("run",)} <= shown


@pytest.mark.parametrize(
    "words", [["gated", "fly"], ["gated", "db", "fly"], ["gated", "run", "--x"]]
)
def test_what_does_not_exist_is_noticed(words: list[str]) -> None:
    with pytest.raises(AssertionError):
        check_command(words)


@ON_EVERY_PAGE
def test_make_targets_that_are_shown_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    blocks = "\n".join(fences(page, "sh", "console"))
    quoted = re.findall(r"`(make [a-z]+)", _FENCE.sub("", page.read_text()))
    for line in [*re.findall(r"^(?:\$ )?(make [a-z]+)", blocks, re.MULTILINE), *quoted]:
        assert line.split()[1] in targets, line


@ON_EVERY_PAGE
def test_files_that_are_named_exist(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text())
    for path in re.findall(r"`((?:gated|docs|tests|bench|deploy|examples)/[\w./-]*)`", prose):
        assert "NNNN" in path or (ROOT / path).exists(), path
