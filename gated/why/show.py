"""A story as lines for a terminal: what to know first, the steps in time, then the price."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice
from textwrap import wrap
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.text import Text

from gated.desk.receipt import WIDTH as RECEIPT_WIDTH
from gated.desk.receipt import Bill, receipt
from gated.why.story import Kind, Step, Story, Tone
from gated.why.words import later, plain

WIDTH = 100
# A camera may read a waiting vehicle once a second.
READS_IN_A_ROW_MAX = 3
_STYLES = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.BAD: "red", Tone.QUIET: "dim"}
_MARGIN = "  "
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME, _LABEL = 12, 8
# A narrow terminal gets ragged lines rather than one word in each.
_ROOM_MIN = 24


def lines(story: Story, width: int = WIDTH) -> Iterator[Text]:
    """The story, no line wider than `width` where that leaves room for words."""
    yield _title(story)
    for part in _wrapped(story.verdict, width):
        yield Text(part, style=f"bold {_STYLES[story.tone]}".strip())
    for label, said in story.head:
        rows = _wrapped(said, width - len(_MARGIN) - _LABEL - 2)
        for number, part in enumerate(rows):
            left = label if number == 0 else ""
            yield Text.assemble(_MARGIN, (f"{left:<{_LABEL}}  ", "dim"), part)
    if story.steps:
        yield Text()
        yield from _steps(story, width)
    if story.bill is not None:
        yield Text()
        for part in price_part(story.bill):
            yield Text(f"{_MARGIN}{part}")


def price_part(bill: Bill) -> Iterator[str]:
    """The receipt from its price lines on: what stands above them is told by the story."""
    rule = "-" * RECEIPT_WIDTH
    said = receipt(bill).split("\n")
    heads = [number for number, line in enumerate(said) if line == rule]
    return islice(said, heads[-2], None)


def _title(story: Story) -> Text:
    facility = story.facility
    title = Text(plain(story.plate) if story.plate else "no plate", style="bold")
    if story.stay is not None:
        title.append(f"  ticket {plain(story.stay.ticket)}", style="bold")
    return title.append(f"  {facility.slug}, {plain(facility.name)}", style="dim")


def _steps(story: Story, width: int) -> Iterator[Text]:
    zone = ZoneInfo(story.facility.time_zone)
    steps = list(_shortened(story.steps))
    columns = [(_time(step, zone), _elapsed(step), step.lane) for step in steps]
    widths = [max(cell_len(cells[place]) for cells in columns) for place in range(3)]
    day = ""
    for step, (time, elapsed, lane) in zip(steps, columns, strict=True):
        if (today := _day(step.at, zone)) != day:
            yield Text(f"{_MARGIN}{today}, {zone.key}", style="dim")
            day = today
        cells = (time.ljust(widths[0]), elapsed.rjust(widths[1]), _padded(lane, widths[2]))
        yield from _step(step, _MARGIN + "".join(f"{cell}  " for cell in cells if cell), width)


def _shortened(steps: Sequence[Step]) -> Iterator[Step]:
    """Of reads that led to nothing, one after the other, the first and the last."""
    for nothing, group in groupby(steps, _led_to_nothing):
        run = list(group)
        if not nothing or len(run) <= READS_IN_A_ROW_MAX:
            yield from run
        else:
            yield run[0]
            yield replace(run[-1], said=f"{len(run) - 2} reads more, and {run[-1].said}")


def _led_to_nothing(step: Step) -> bool:
    return step.kind is Kind.READ and step.tone is Tone.QUIET


def _step(step: Step, margin: str, width: int) -> Iterator[Text]:
    room = width - cell_len(margin)
    said = step.said if not step.by else f"{step.said} (by {step.by})"
    style = _STYLES[step.tone] + (" bold" if step.kind is Kind.DECISION else "")
    for number, part in enumerate(_wrapped(said, room)):
        start = margin if number == 0 else " " * cell_len(margin)
        yield Text.assemble((start, "dim"), (part, style.strip()))
    for note in step.notes:
        for part in _wrapped(note, room):
            yield Text.assemble(" " * cell_len(margin), (part, "dim"))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _elapsed(step: Step) -> str:
    return "" if step.since is None else later(step.at, step.since)


def _time(step: Step, zone: ZoneInfo) -> str:
    """To the millisecond at a barrier, to the second elsewhere."""
    local = step.at.astimezone(zone).replace(tzinfo=None)
    if step.since is None:
        return local.strftime("%H:%M:%S")
    return local.time().isoformat(timespec="milliseconds")


def _day(at: datetime, zone: ZoneInfo) -> str:
    """`Mon 2026-11-30 +01:00`: on the night of a clock change both offsets are told."""
    local = at.astimezone(zone)
    return f"{local:%a %Y-%m-%d} {local.isoformat()[-6:]}"


def _wrapped(text: str, room: int) -> list[str]:
    room = max(room, _ROOM_MIN)
    if cell_len(text) <= room:
        return [text]
    # Wide characters take two columns: with half the room there is always enough.
    columns = room if cell_len(text) == len(text) else room // 2
    return wrap(
        text,
        columns,
        subsequent_indent=_MARGIN,
        break_on_hyphens=False,
        # Another command needs an id whole, though the line gets too long.
        break_long_words=_ID.search(text) is None,
    ) or [""]
