"""TOML with line numbers: every key has its line, every syntax error its line and column."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gated.core.errors import ConfigError
from gated.toml import KeyPath, dotted, load, parse

SITE = """\
# a comment with [brackets] and = signs
title = "one"

[facility]
slug = "north" # comment
name = '''
several
lines'''
"quoted key" = 1
dotted.inner . key = 2

[[zone]]
slug = "a"
[[zone.spots]]
prefix = "A-"
[[zone.spots]]
prefix = "B#]"
list = [
  1, # one
  [2, 3],
  { x = "}", y = [4,
    5] },
]
[[zone]]
slug = "b"
text = \"\"\"ends with a quote \\\"\"\"\"\"\"
[zone.extra]
a = { b = { c = 1 } }
[[zone.spots]]
prefix = "C-"
"""

PLACES: list[tuple[KeyPath, int]] = [
    (("title",), 2),
    (("facility",), 4),
    (("facility", "slug"), 5),
    (("facility", "name"), 6),
    (("facility", "quoted key"), 9),
    (("facility", "dotted"), 10),
    (("facility", "dotted", "inner", "key"), 10),
    (("zone",), 12),
    (("zone", 0), 12),
    (("zone", 0, "slug"), 13),
    (("zone", 0, "spots", 0), 14),
    (("zone", 0, "spots", 1, "prefix"), 17),
    (("zone", 0, "spots", 1, "list"), 18),
    (("zone", 0, "spots", 1, "list", 0), 19),
    (("zone", 0, "spots", 1, "list", 1, 1), 20),
    (("zone", 0, "spots", 1, "list", 2, "x"), 21),
    (("zone", 0, "spots", 1, "list", 2, "y", 1), 22),
    (("zone", 1), 24),
    (("zone", 1, "text"), 26),
    (("zone", 1, "extra"), 27),
    (("zone", 1, "extra", "a", "b", "c"), 28),
    (("zone", 1, "spots", 0, "prefix"), 30),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_of_a_key(path: KeyPath, line: int, newline: str) -> None:
    document = parse(SITE.replace("\n", newline), "site.toml")
    assert document.lines[path] == line
    assert document.place(path) == f"site.toml:{line}"


def test_a_missing_key_is_placed_at_its_table_and_the_rest_at_the_file() -> None:
    document = parse(SITE, "site.toml")
    assert document.place(("zone", 1, "name")) == "site.toml:24"
    assert document.place(("lane", 0)) == "site.toml"
    assert str(document.error(("zone", 1, "name"), "expected it")) == (
        "site.toml:24: zone.name: expected it"
    )


def test_a_table_that_its_child_named_first_stands_at_its_own_header() -> None:
    document = parse("[a.b]\nx = 1\n[a]\ny = 2\n", "f")
    assert document.line(("a",)) == 3
    assert document.line(("a", "b")) == 1


def test_a_byte_order_mark_does_not_shift_anything() -> None:
    assert parse("\ufeffa = 1\n", "f").lines == {("a",): 1}


def test_dotted_names_keys_as_a_header_does() -> None:
    assert dotted(("lane", 2, "device", 0, "topic")) == "lane.device.topic"
    assert dotted(("a b", "c")) == '"a b".c'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = \n", "f.toml:2:5"),
        ("a = 1\na = 2\n", "f.toml:2:"),
        ('a = "open\n', "f.toml:1:"),
        ("[table\n", "f.toml:1:"),
        ("a = [1,\n", "f.toml:2:"),
        ('a = """\n\nopen', "f.toml:3:5"),
    ],
)
def test_a_syntax_error_names_line_and_column(text: str, place: str) -> None:
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        parse(text, "f.toml")
    assert caught.value.place.startswith(place)


def test_nesting_without_end_is_an_error_and_no_crash() -> None:
    with pytest.raises(ConfigError, match="not valid TOML"):
        parse("a = " + "[" * 100_000, "f.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: no such file"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"a = 1\nname = 'caf\xe9'\n")
    with pytest.raises(ConfigError, match=r"latin.toml:2: expected text in UTF-8"):
        load(latin)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (8 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="expected at most"):
        load(huge)


# Writes a value as TOML while noting the line of everything that it writes.

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,4}", fullmatch=True),
    st.text('ab"\\.#]é =', min_size=1, max_size=4),
)
SCALARS = st.one_of(
    st.integers(-5, 5), st.booleans(), st.text("ab\"'\\\n#]},[=é", max_size=6), st.floats(0, 1)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


class Writer:
    def __init__(self, gaps: Iterator[int]) -> None:
        self.text = ""
        self.lines: dict[KeyPath, int] = {}
        self._gaps = gaps

    def note(self, path: KeyPath) -> None:
        self.lines[path] = self.text.count("\n") + 1

    def gap(self) -> None:
        self.text += "# [x] = '\n" * next(self._gaps)

    def quoted(self, text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("\n", "\\n") + '"'

    def value(self, value: object, path: KeyPath) -> None:
        match value:
            case bool():
                self.text += "true" if value else "false"
            case str() if "\n" in value and "'" not in value:
                self.text += f"'''\n{value}'''"
            case str():
                self.text += self.quoted(value)
            case list():
                self.text += "["
                for index, item in enumerate(value):
                    self.text += "\n" * next(self._gaps)
                    self.note((*path, index))
                    self.value(item, (*path, index))
                    self.text += " , "
                self.text += "]"
            case dict():
                self.text += "{"
                for index, (key, item) in enumerate(value.items()):
                    self.text += ", " if index else " "
                    self.note((*path, key))
                    self.text += f"{self.quoted(key)} = "
                    self.value(item, (*path, key))
                self.text += "}"
            case _:
                self.text += str(value)

    def table(self, values: dict[str, Any], path: KeyPath, header: str) -> None:
        later: list[tuple[str, Any]] = []
        for key, value in values.items():
            tables = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
            if (isinstance(value, dict) and next(self._gaps)) or tables:
                later.append((key, value))
                continue
            self.gap()
            self.note((*path, key))
            self.text += f"{self.quoted(key)} = "
            self.value(value, (*path, key))
            self.text += " # = [\n"
        for key, value in later:
            name = f"{header}.{self.quoted(key)}" if header else self.quoted(key)
            if isinstance(value, dict):
                self.gap()
                self.note((*path, key))
                self.text += f"[{name}]\n"
                self.table(value, (*path, key), name)
                continue
            for index, item in enumerate(value):
                self.gap()
                if index == 0:
                    self.note((*path, key))
                self.note((*path, key, index))
                self.text += f"[[ {name} ]]\n"
                self.table(item, (*path, key, index), name)


@given(TABLES, st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_every_key_of_any_document_is_where_it_was_written(
    values: dict[str, Any], gaps: list[int]
) -> None:
    def forever() -> Iterator[int]:
        while True:
            yield from gaps

    writer = Writer(forever())
    writer.table(values, (), "")
    document = parse(writer.text, "f")
    assert document.values == tomllib.loads(writer.text) == values
    assert document.lines == writer.lines
