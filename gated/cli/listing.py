"""Rows under headings, with nothing cut off: what a line shows, another command may need whole."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.text import Text

from gated.cli.screen import screen

Cell = str | Text
Row = Sequence[Cell]

_GAP = "  "


def show(names: Sequence[str], rows: Sequence[Row], *, below: Collection[str] = ()) -> None:
    """Print a line for each row. Where the terminal is too narrow for that, columns go below it,
    each on a line of its own with its name: first those of `below`, then from the right."""
    console = screen()
    width = console.width if console.is_terminal else None
    for line in lines(names, rows, below=below, width=width):
        console.print(line, soft_wrap=True)


def when(at: datetime, zone: ZoneInfo) -> str:
    """An instant as the facility's clock shows it, in a cell: `2026-05-04 10:00:00 CEST`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def lines(
    names: Sequence[str],
    rows: Sequence[Row],
    *,
    below: Collection[str] = (),
    width: int | None = None,
) -> Iterator[Text]:
    """What `show` prints; `width` None: however wide it gets."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max([cell_len(name), *(row[place].cell_len for row in texts)])
        for place, name in enumerate(names)
    ]
    beside = _beside(names, widths, below, width)
    heads = [Text(name, style="bold") for name in names]
    yield _line(heads, widths, beside)
    for row in texts:
        yield _line(row, widths, beside)
        for place, name in enumerate(names):
            if place not in beside and row[place].plain:
                yield from _named(name, row[place], width or 0)


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _beside(
    names: Sequence[str], widths: Sequence[int], below: Collection[str], width: int | None
) -> list[int]:
    """The columns that stand beside each other, in their order. One does in any case."""
    beside = list(range(len(names)))
    leaving = [place for place in beside if names[place] in below]
    leaving += [place for place in reversed(beside) if place not in leaving]
    while (
        width is not None
        and len(beside) > 1
        and sum(widths[place] for place in beside) + len(_GAP) * (len(beside) - 1) > width
    ):
        beside.remove(leaving.pop(0))
    return beside


def _line(row: Sequence[Text], widths: Sequence[int], beside: Sequence[int]) -> Text:
    line = Text()
    for place in beside:
        line.append_text(row[place])
        line.append(" " * (widths[place] - row[place].cell_len) + _GAP)
    line.rstrip()
    return line


def _named(name: str, cell: Text, width: int) -> Iterator[Text]:
    start = f"{_GAP}{name} "
    said = wrap(
        cell.plain,
        max(width - len(start), 1),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for number, part in enumerate(said):
        margin = start if number == 0 else " " * len(start)
        yield Text.assemble((margin, "dim"), (part, cell.style))
