"""A tariff as a table: what stays cost a minute before, at and a minute after each limit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gated.db.tariffs import Answer, Priced
from gated.desk.instants import MINUTE
from gated.desk.moments import Moment, grouped, joint_label
from gated.desk.survey import Look

# A price, the code of the error by which there is none, or nothing: nobody leaves before entering.
Cell = Decimal | str | None
COLUMNS = ("tariff", "day", "entry", "exit", "minutes", "before", "at", "after", "why")


@dataclass(frozen=True, slots=True)
class Row:
    """What stays of about this length cost."""

    length: timedelta
    before: Cell
    at: Cell
    after: Cell
    reasons: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether the price changes here."""
        return len({cell for cell in (self.before, self.at, self.after) if cell is not None}) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that hold for each of these moments of entry; readings are those of the first."""

    moments: tuple[Moment, ...]
    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        return joint_label(self.moments)


def rows(look: Look, *, every: bool = False) -> list[Row]:
    """The rows of one moment of entry: those at which the price changes or something begins to
    count, or `every` limit.
    """
    found = [_row(look, timedelta(0), ("entry",))]
    for limit in look.limits:
        row = _row(look, limit.at - look.moment.at, limit.reasons)
        if every or row.changes or limit.at in look.reached:
            found.append(row)
    return found


def sections(looks: Sequence[Look], *, every: bool = False) -> list[Section]:
    """The rows, moments alike told once."""
    by_label = {look.moment.label: rows(look, every=every) for look in looks}
    groups = grouped([look.moment for look in looks], by_label)
    return [Section(tuple(group), tuple(by_label[group[0].label])) for group in groups]


def flat(tariff: str, looks: Iterable[Look], zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Every limit of every moment for machines: a value for each of COLUMNS."""
    for look in looks:
        for row in rows(look, every=True):
            leaves = look.moment.at + row.length
            yield {
                "tariff": tariff,
                "day": look.moment.day,
                "entry": _written(look.moment.at, zone),
                "exit": _written(leaves, zone),
                "minutes": _number(row.length / MINUTE),
                "before": _text(row.before),
                "at": _text(row.at),
                "after": _text(row.after),
                "why": "; ".join(row.reasons),
            }


def _row(look: Look, length: timedelta, reasons: tuple[str, ...]) -> Row:
    before, at, after = (
        _cell(look.answers.get(each)) for each in (length - MINUTE, length, length + MINUTE)
    )
    return Row(length, before, at, after, reasons)


def _cell(answer: Answer | None) -> Cell:
    match answer:
        case None:
            return None
        case Priced():
            return answer.amount
        case _:
            return answer.error


def _written(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)


def _number(minutes: float) -> float | int:
    return int(minutes) if minutes == int(minutes) else minutes
