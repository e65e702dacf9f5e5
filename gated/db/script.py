"""A file of SQL taken apart into its statements, so that an error can name its line.

Knows quotes, dollar quotes and comments, and nothing else of the language. A body between
`BEGIN ATOMIC` and `END` is not understood: write `RETURN …` or a dollar-quoted body.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"--[^\n]*"
    r"|/\*.*?\*/"
    r"|\b[eE]'(?:[^'\\]|\\.|'')*'"
    r"|'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)"
    r"|(?P<end>;)",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `offset` is where it begins in its file, in characters."""

    offset: int
    text: str


def statements(text: str) -> Iterator[Statement]:
    """The statements of `text` in order, without the blanks and comments before them."""
    start = 0
    for token in _TOKEN.finditer(text):
        if token["end"]:
            yield from _statement(text, start, token.start())
            start = token.end()
    yield from _statement(text, start, len(text))


def place(text: str, offset: int) -> str:
    """`line:column` of a character, both from 1."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"{line}:{column}"


def _statement(text: str, start: int, end: int) -> Iterator[Statement]:
    blank = _BLANK.match(text, start, end)
    begin = blank.end() if blank else start
    if begin < end:
        yield Statement(begin, text[begin:end])
