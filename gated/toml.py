"""TOML files whose every key knows its line. Meaning and types are `gated.validation`'s business.

The standard library's parser reads the values, and refuses what is not TOML, but forgets where
each stood. A second, small walk over the then valid text finds the lines again.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gated.core.errors import ConfigError

# The way to a value: table names, and positions within arrays.
KeyPath = tuple[str | int, ...]

FILE_BYTES_MAX = 8 * 1024 * 1024


def dotted(path: KeyPath) -> str:
    """A path as its table header would spell it: positions within arrays are left to the line."""
    return ".".join(
        step if _BARE_KEY.fullmatch(step) else f'"{step}"' for step in path if isinstance(step, str)
    )


@dataclass(frozen=True, slots=True)
class Document:
    """The values of one TOML file, and where each stands.

    `name` is the file as the reader of a message knows it. `elsewhere` holds the places of
    values that did not come from the file.
    """

    name: str
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]
    elsewhere: Mapping[KeyPath, str] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """The line (from 1) of a key, or of the nearest table around it; None for neither."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return None

    def place(self, path: KeyPath) -> str:
        """Where a value was written: "file:line", "file", or the place that it came from."""
        for length in range(len(path), 0, -1):
            if (place := self.elsewhere.get(path[:length])) is not None:
                return place
        line = self.line(path)
        return self.name if line is None else f"{self.name}:{line}"

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """The error to raise for what stands, or should stand, at this path."""
        return ConfigError(message, place=self.place(path), key=dotted(path))


def load(file: Path) -> Document:
    """Read a TOML file. Raises ConfigError: no such file, not readable, not UTF-8, not TOML."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigError("no such file", place=str(file)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot be read: {reason}", place=str(file)) from error
    if len(content) > FILE_BYTES_MAX:
        raise ConfigError(
            f"expected at most {FILE_BYTES_MAX} bytes, got {len(content)}", place=str(file)
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("expected text in UTF-8", place=f"{file}:{line}") from error
    return parse(text, str(file))


def parse(text: str, name: str) -> Document:
    """Read TOML text; `name` is what messages call it. Raises ConfigError for a syntax error."""
    text = text.removeprefix("\N{BYTE ORDER MARK}").replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, name) from error
    except RecursionError:
        raise ConfigError("not valid TOML: nested too deeply", place=name) from None
    return Document(name, values, _Scanner(text).scan())


def _syntax_error(message: str, text: str, name: str) -> ConfigError:
    what, _, where = message.rpartition(" (at ")
    if found := re.fullmatch(r"line (\d+), column (\d+)\)", where):
        line, column = int(found[1]), int(found[2])
    else:  # "end of document)"
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return ConfigError(f"not valid TOML: {what or message}", place=f"{name}:{line}:{column}")


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_KEY_DOT = re.compile(r"[ \t]*\.[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a closing delimiter may follow one or two quotes of the text
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|[^,\]}#\n]+",
    re.DOTALL,
)


class _Scanner:
    """One walk over text that is known to be valid TOML: it only needs to tell keys from values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._lines: dict[KeyPath, int] = {}
        self._array_counts: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> KeyPath:
        line = self._line()
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        self._skip(_BLANK)
        *parents, last = self._key()
        self._skip(_BLANK)
        self._at += brackets
        path: KeyPath = ()
        for key in parents:
            path = self._latest((*path, key))
            self._lines.setdefault(path, line)
        path = (*path, last)
        if brackets == 2:
            self._lines.setdefault(path, line)
            count = self._array_counts.get(path, 0)
            self._array_counts[path] = count + 1
            path = (*path, count)
        # A table may be named by the header of a child before its own header comes.
        self._lines[path] = line
        return path

    def _latest(self, path: KeyPath) -> KeyPath:
        """`[a.b]` under `[[a]]` belongs to the latest element of `a`."""
        count = self._array_counts.get(path)
        return path if count is None else (*path, count - 1)

    def _assignment(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for key in self._key():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip(_BLANK)
        self._at += 1  # =
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case "[":
                self._at += 1
                self._skip(_BLANK)
                index = 0
                while self._text[self._at] != "]":
                    self._lines[*path, index] = self._line()
                    self._value((*path, index))
                    index += 1
                    self._skip_comma()
                self._at += 1
            case "{":
                self._at += 1
                self._skip(_BLANK)
                while self._text[self._at] != "}":
                    self._assignment(path)
                    self._skip_comma()
                self._at += 1
            case _:
                self._skip(_SCALAR)

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        while found := _KEY_DOT.match(self._text, self._at):
            self._at = found.end()
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        part = self._skip(_KEY_PART)
        # The parser itself undoes the escapes of a quoted key.
        return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found, f"{pattern.pattern} at {self._at}"
        self._at = found.end()
        return found[0]

    def _line(self) -> int:
        return bisect_right(self._line_starts, self._at)
