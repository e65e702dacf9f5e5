"""The last part of each import: names, gaps between bands, and the questions that stay open."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gated.core.errors import ConfigError
from gated.standards.imported import Imported, Remark, TariffTable
from gated.standards.source import Source
from gated.standards.windows import unique_name
from gated.tariff.coverage import gaps
from gated.tariff.file import TariffTables
from gated.tariff.model import BandTariff, Tariff
from gated.tariff.questions import unanswered
from gated.tariff.values import HOLIDAY, HOLIDAY_EVE, WEEKDAYS
from gated.toml import Document, KeyPath
from gated.validation import validate

_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True)
class Drafted:
    """A table that an import made, and the place in the source that it came from."""

    table: TariffTable
    pointer: str
    # What is said of the table, with places within it.
    remarks: list[Remark] = field(default_factory=list)

    def say(self, remark: Remark) -> None:
        self.remarks.append(remark)

    def assumed(self, pointer: str, what: str, *place: str | int) -> None:
        self.remarks.append(Remark(pointer, what, "assumed", place))

    def lost(self, pointer: str, what: str, *place: str | int) -> None:
        self.remarks.append(Remark(pointer, what, "lost", place))


def finished(
    source: Source, drafts: Sequence[Drafted], currency: str, time_zone: str | None
) -> Imported:
    """The import with everything that is to be said. Raises ConfigError for what was complained."""
    source.refuse()
    remarks = list(source.remarks)
    names: list[str] = []
    for index, draft in enumerate(drafts):
        draft.table["name"] = unique_name(draft.table["name"], names)
        names.append(draft.table["name"])
        remarks += [
            Remark(each.where, each.what, each.kind, (index, *each.place)) for each in draft.remarks
        ]
    tables = [draft.table for draft in drafts]
    pointers = [draft.pointer for draft in drafts]
    if time_zone is None:
        remarks.append(
            Remark("", "time_zone: which clock are times of day read off?", "ask", ("time_zone",))
        )
    remarks += _gaps(tables, pointers, currency)
    remarks += _calendar(tables, pointers)
    remarks += _questions(tables, pointers, currency)
    # A rule that makes several bands says its things for each.
    return Imported(tables, currency, time_zone, list(dict.fromkeys(remarks)))


class _Asking(Document):
    """A document whose errors know their place by its path: the key alone leaves out positions."""

    def error(self, path: KeyPath, message: str) -> ConfigError:
        return _Asked(message, path)


class _Asked(ConfigError):
    def __init__(self, message: str, path: KeyPath) -> None:
        super().__init__(message)
        self.path = path


def _models(tables: Sequence[TariffTable], currency: str) -> tuple[_Asking, tuple[Tariff, ...]]:
    """The tables as models, which say what is still open. A model's tax cannot go without its
    rounding: it is asked for in `_tax_roundings`."""
    if not tables:
        return _Asking("", {}, {}), ()
    stand_ins = [
        {**table, "taxes": [{"rounding": "half_up", **tax} for tax in table["taxes"]]}
        if "taxes" in table
        else table
        for table in tables
    ]
    facility = {"time_zone": "UTC", "currency": currency}
    document = _Asking("", {"facility": facility, "tariff": stand_ins}, {})
    return document, validate(document, TariffTables).tariff


def _questions(
    tables: Sequence[TariffTable], pointers: Sequence[str], currency: str
) -> list[Remark]:
    asked: list[Remark] = []
    document, tariffs = _models(tables, currency)
    for index, tariff in enumerate(tariffs):
        for error in unanswered(document, ("tariff", index), tariff, currency):
            assert isinstance(error, _Asked), "every error is made by the document"
            what = str(error).removeprefix("is missing: ")
            asked.append(
                Remark(pointers[index], f"{error.path[-1]}: {what}", "ask", error.path[1:])
            )
        asked += _tax_roundings(index, tables[index], pointers[index])
    return asked


def _tax_roundings(index: int, table: TariffTable, pointer: str) -> list[Remark]:
    question = 'rounding: how is the tax rounded: "half_up", "half_even", "up" or "down"?'
    return [
        Remark(pointer, question, "ask", (index, "taxes", number, "rounding"))
        for number, tax in enumerate(table.get("taxes", []))
        if "rounding" not in tax
    ]


def _gaps(tables: Sequence[TariffTable], pointers: Sequence[str], currency: str) -> list[Remark]:
    """Time that no band covers is free, for a stay through it must have a price."""
    remarks: list[Remark] = []
    for index, tariff in enumerate(_models(tables, currency)[1]):
        if not isinstance(tariff, BandTariff) or not (found := list(gaps(tariff.bands))):
            continue
        bands = tables[index]["bands"]
        name = unique_name("otherwise", [band["name"] for band in bands])
        bands.append({"name": name, "free": True})
        shown = ", ".join(found[:_SHOWN_MAX]) + (", …" if len(found) > _SHOWN_MAX else "")
        remarks.append(
            Remark(
                pointers[index],
                f"the source has no price for {shown}: such time is free",
                "assumed",
                (index, "bands", len(bands) - 1),
            )
        )
    return remarks


def _calendar(tables: Sequence[TariffTable], pointers: Sequence[str]) -> list[Remark]:
    """No standard says which dates are holidays."""
    days = {
        day: pointers[index]
        for index, table in enumerate(tables)
        for band in table.get("bands", [])
        for day in band.get("days", [])
        if day not in WEEKDAYS
    }
    if not days:
        return []
    kinds = sorted({HOLIDAY if day == HOLIDAY_EVE else day for day in days})
    return [
        Remark(
            next(iter(days.values())),
            f"calendar: which dates are of the kind {' or '.join(kinds)}?",
            "ask",
            ("calendar",),
        )
    ]
